//! `sam local`: the office over a store in memory that holds the sample world, in front of a Mattermost in memory.

use cloud_app::{App, http::Outbound};
use cloud_apps_core::{
    offline::{Sample, SampleError},
    world::{Office, Stores, SystemRandom, World},
};
use std::sync::Arc;

/// Builds it from `CLOUD_APPS_SAMPLE`.
pub fn office(sample: &str, apps: Vec<App>) -> Result<Office, SampleError> {
    let sample = Sample::parse(sample)?;
    let memory = Arc::new(sample.memory(&apps)?);
    let stores = Stores {
        installs: memory.clone(),
        apps: memory.clone(),
        ledger: memory.clone(),
        keys: memory.clone(),
        keep_installs: 0,
    };
    let world = World::new(apps, stores, Outbound::in_process(sample.mattermost()), Arc::new(SystemRandom));
    Ok(Office {
        world: Arc::new(world),
        registry: memory.clone(),
        key_maker: memory.clone(),
        queue: memory.clone(),
        dead_letters: memory,
    })
}
