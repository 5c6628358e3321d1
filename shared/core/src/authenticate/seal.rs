//! A seal that came back through Mattermost (section 14.3). It is opened before anything is read.

use super::{body, serving};
use crate::{
    http::{Arrival, LogLine, Refusal},
    services::Services,
    store::model::Install,
};
use cloud_apps_protocol::{
    Code,
    seal::{Content, SealError, SealKind, Sealed},
};
use futures_util::FutureExt;
use std::{borrow::Cow, sync::Arc};

/// A seal as it came back, and where it came to.
pub struct SealCredential<'a> {
    /// The install of the path.
    pub install: &'a str,
    /// What the route takes.
    pub kind: SealKind,
    /// The seal.
    pub text: Cow<'a, str>,
}

impl<'a> SealCredential<'a> {
    /// The seal in the body of a request to a path of `install`.
    pub fn of(arrival: &'a Arrival, install: &'a str, kind: SealKind) -> Result<Self, Refusal> {
        Ok(Self { install, kind, text: body::seal(arrival.request.body(), kind)? })
    }
}

/// The install, if it serves, and what the seal holds. The seal must be of this kind, and of the install that the path names.
pub async fn install(
    services: &Services,
    arrival: &Arrival,
    credential: &SealCredential<'_>,
    line: &mut LogLine,
) -> Result<(Arc<Install>, Content), Refusal> {
    let now = arrival.now;
    let sealed = Sealed::parse(&credential.text).map_err(|_| Refusal::unauthorized())?;
    if sealed.install.as_str() != credential.install || !services.apps.knows(&sealed.app, now).await? {
        return Err(Refusal::unauthorized());
    }
    let root = services.keys.root(&sealed.app, &sealed.key, now).await?.ok_or_else(Refusal::unauthorized)?;
    let content = sealed.open(&root, credential.kind, now).map_err(|error| match error {
        SealError::Expired => Refusal::new(Code::Forbidden, "This has expired: run the command again."),
        SealError::Invalid | SealError::TooLarge => Refusal::unauthorized(),
    })?;
    let find = |fresh| services.installs.find(&sealed.install, fresh, now).boxed();
    let install = serving(find, line).await?;
    if install.app != sealed.app {
        return Err(Refusal::unauthorized());
    }
    Ok((install, content))
}
