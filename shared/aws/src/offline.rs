//! `sam local`: the functions with a store in memory that has the sample install, and with a Mattermost in memory.

use cloud_app::{App, http::Outbound};
use cloud_apps_core::{
    offline::{Sample, SampleError},
    random::SystemRandom,
    services::{Management, Services, Stores},
};
use std::sync::Arc;

/// Builds the services from `CLOUD_APPS_SAMPLE`.
pub fn management(sample: &str, apps: Vec<App>) -> Result<Management, SampleError> {
    let sample = Sample::parse(sample)?;
    let memory = Arc::new(sample.memory(&apps)?);
    let stores = Stores {
        installs: memory.clone(),
        apps: memory.clone(),
        ledger: memory.clone(),
        keys: memory.clone(),
        keep_installs: 0,
    };
    let services =
        Services::new(apps, stores, Outbound::in_process(sample.mattermost()), Arc::new(SystemRandom));
    Ok(Management {
        services: Arc::new(services),
        registry: memory.clone(),
        key_maker: memory.clone(),
        queue: memory.clone(),
        dead_letters: memory,
    })
}
