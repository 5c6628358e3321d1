//! Looks up the install that a command names.

use super::options::InstallOptions;
use crate::{
    failure::Failure,
    install::{BundleError, bundle::Bundle},
};
use cloud_apps_protocol::{SiteUrl, install::InstallView};

impl InstallOptions {
    /// The install, if the bundle has it. An id is tried first, also if --site stands beside it.
    pub async fn find(&self, bundle: &Bundle) -> Result<Option<InstallView>, Failure> {
        let failure = |trouble: BundleError| trouble.failure(bundle.base_url());
        let by_app = self.app_and_site().filter(|_| bundle.is_operator());
        let id = self.id();
        if id.is_none() && by_app.is_none() {
            let why = if bundle.is_operator() {
                "name the install's id, or the app and --site; `cloud-apps list` shows the installs"
            } else {
                "a manage code is for one install: name its id"
            };
            return Err(Failure::usage(format!("{} names no install", self.name)).hint(why));
        }
        if let Some(id) = id
            && let Some(install) = bundle.show(&id).await.map_err(failure)?
        {
            return Ok(Some(install));
        }
        let Some((app, site)) = by_app else { return Ok(None) };
        bundle.find(&app, &site).await.map_err(failure)
    }

    /// The install.
    pub async fn install(&self, bundle: &Bundle) -> Result<InstallView, Failure> {
        self.find(bundle).await?.ok_or_else(|| self.unknown().hint("`cloud-apps list` shows the installs"))
    }

    /// The server of an install, to which the admin's token is sent. Somebody with a code does not know who runs the bundle,
    /// and the bundle could name any server to get the token of a system admin. So the admin says which server it is.
    pub fn site<'a>(&self, bundle: &Bundle, view: &'a InstallView) -> Result<&'a SiteUrl, Failure> {
        let (id, site) = (&view.install_id, &view.site_url);
        match &self.site {
            Some(named) if named == site => Ok(site),
            Some(named) => Err(Failure::usage(format!(
                "the bundle says that install {id} is on {site}, and not on {named}"
            ))
            .hint("nothing was sent there; check the install's id and --site")),
            None if bundle.is_operator() => Ok(site),
            None => Err(Failure::usage(format!(
                "the bundle says that install {id} is on {site}, and your token would be sent there"
            ))
            .hint(format!("if that is your server, say so: --site {site}"))),
        }
    }

    /// The bundle does not have it.
    pub fn unknown(&self) -> Failure {
        let site = self.site.as_ref().map(|site| format!(" on {site}")).unwrap_or_default();
        Failure::new(format!("the bundle has no install {}{site}", self.name))
    }
}
