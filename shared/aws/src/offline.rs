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
    let stores = Stores { keep_installs: 0, ..Stores::new(memory.clone(), memory.clone()) };
    let services =
        Services::new(apps, stores, Outbound::in_process(sample.mattermost()), Arc::new(SystemRandom));
    Ok(Management::new(services, memory.clone(), memory))
}
