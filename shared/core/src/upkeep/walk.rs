//! The walk over the installs of an app.

use super::install::is_complete;
use crate::{
    http::Refusal,
    install::stored,
    jobs::Next,
    services::Management,
    store::{
        job::{Job, JobKind},
        ports::StoreError,
    },
};
use cloud_apps_protocol::{AppId, Millis};

/// How many installs one job looks at.
const PAGE: usize = 25;

/// Looks at one page of installs, and queues a job for each that is complete. An install that cannot be read is logged,
/// and the walk goes on.
pub(crate) async fn walk(
    management: &Management,
    app: &AppId,
    day: u64,
    cursor: Option<&str>,
    now: Millis,
) -> Result<Next, Refusal> {
    let page = stored::list(management, app, PAGE, cursor).await?;
    for entry in page.items {
        match stored::find(management, &entry.install, now).await {
            Ok(Some(install)) if is_complete(&install) => {
                let work = JobKind::UpkeepInstall { app: app.clone(), install: entry.install, day };
                management.queue.send(&Job::new(work, 0, None, now), now).await?;
            }
            Ok(_) => {}
            Err(error @ StoreError::Corrupt { .. }) => {
                let (app, site, install) = (app.as_str(), entry.site.as_str(), entry.install.as_str());
                tracing::error!(app, site, install, %error, "what is stored of an install cannot be read, so nobody looks after it");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(match page.cursor {
        None => Next::Done,
        cursor => Next::Step { in_ms: 0, kind: Some(JobKind::Upkeep { app: app.clone(), day, cursor }) },
    })
}
