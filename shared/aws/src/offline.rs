//! `sam local`: the functions with a store in memory that has the sample install, and with a Mattermost in memory.

use cloud_app::{App, http::Outbound};
use cloud_apps_core::{
    offline::{Sample, SampleError},
    random::SystemRandom,
    services::{Management, Services, Stores},
    store::memory::Memory,
};
use std::sync::Arc;

/// Builds the services from `CLOUD_APPS_SAMPLE`.
pub fn services(sample: &str, apps: Vec<App>) -> Result<Services, SampleError> {
    over_memory(sample, apps).map(|(services, _)| services)
}

/// Builds the services from `CLOUD_APPS_SAMPLE`, and what changes installs.
pub fn management(sample: &str, apps: Vec<App>) -> Result<Arc<Management>, SampleError> {
    let (services, memory) = over_memory(sample, apps)?;
    Ok(Arc::new(Management::new(services, memory.clone(), memory)))
}

fn over_memory(sample: &str, apps: Vec<App>) -> Result<(Services, Arc<Memory>), SampleError> {
    let sample = Sample::parse(sample)?;
    let memory = Arc::new(sample.memory(&apps)?);
    let stores = Stores { keep_installs: 0, ..Stores::new(memory.clone(), memory.clone()) };
    let services =
        Services::new(apps, stores, Outbound::in_process(sample.mattermost()), Arc::new(SystemRandom));
    Ok((services, memory))
}
