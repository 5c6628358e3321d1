//! Looks at all installs of an app.

use crate::{
    install::stored,
    services::Management,
    store::{
        model::{Install, SiteEntry},
        page::MAX_PAGE,
        ports::{StoreError, Stored},
    },
};
use cloud_apps_protocol::{AppId, InstallId, Millis};
use futures_util::{StreamExt, TryStreamExt, stream};

/// How many installs are read at the same time.
const AT_ONCE: usize = 16;

/// An install of an app, and what was looked for in it.
pub(super) struct Seen<T> {
    pub site: String,
    /// Its id. `None`: its line in the list of installs cannot be read.
    pub install: Option<InstallId>,
    /// What was found. `None`: the install cannot be read.
    pub found: Option<T>,
}

/// Calls `look` with every install of an app. An install that cannot be read, or whose line in the list cannot be read, is
/// logged and has nothing found. If the store does not answer, the walk ends with its error.
pub(super) async fn installs<T>(
    management: &Management,
    app: &AppId,
    now: Millis,
    look: impl Fn(&Install) -> T,
) -> Stored<Vec<Seen<T>>> {
    let one = async |entry: SiteEntry| -> Stored<Option<Seen<T>>> {
        let seen = |found| Seen { site: entry.site.to_string(), install: Some(entry.install.clone()), found };
        match stored::find(management, &entry.install, now).await {
            Ok(None) => Ok(None),
            Ok(Some(install)) => Ok(Some(seen(Some(look(&install))))),
            Err(error @ StoreError::Corrupt { .. }) => {
                let (app, site, install) = (app.as_str(), entry.site.as_str(), entry.install.as_str());
                tracing::error!(app, site, install, %error, "what is stored of an install cannot be read");
                Ok(Some(seen(None)))
            }
            Err(error) => Err(error),
        }
    };
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = stored::list(management, app, MAX_PAGE, cursor.as_deref()).await?;
        all.extend(page.unread.into_iter().map(|line| Seen { site: line.site, install: None, found: None }));
        let found: Vec<Option<Seen<T>>> =
            stream::iter(page.items).map(&one).buffered(AT_ONCE).try_collect().await?;
        all.extend(found.into_iter().flatten());
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}
