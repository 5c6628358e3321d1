//! The daily upkeep of installs: what no request asks for, and somebody would miss.
//!
//! Once a day a job for each app looks at its installs, a page at a time. Each install gets a job of its own, so that it does not
//! wait for another one that fails. The keys of all these jobs in the ledger name the day. So if the day
//! is begun twice, or a page is walked twice, nothing is done twice.
//!
//! What is looked after: what the install knows of its server ([`crate::install`]), because a server that nobody uses shows no
//! change; and the token of the bot, if the server ends it ([`token`]).

mod install;
mod mattermost;
mod renewal;
mod token;
mod walk;
mod warning;

pub(crate) use install::look_after;
pub(crate) use walk::walk;

use crate::{
    install::DAY,
    services::Management,
    store::{
        job::{Job, JobKind},
        ports::Stored,
    },
};
use cloud_apps_protocol::Millis;

/// Begins the upkeep of the day: queues a walk over the installs of each app. It may be called any number of times on one day.
/// Returns for how many apps a walk was queued.
pub async fn begin(management: &Management, now: Millis) -> Stored<usize> {
    let catalogue = management.services.apps.store.all().await?;
    let apps = catalogue.apps.len();
    for app in catalogue.apps.into_keys() {
        let walk = JobKind::Upkeep { app, day: now / DAY, cursor: None };
        management.queue.send(&Job::new(walk, 0, None, now), now).await?;
    }
    Ok(apps)
}
