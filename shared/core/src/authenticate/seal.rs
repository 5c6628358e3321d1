//! A seal that came back through Mattermost (section 14.3). It is opened before anything is read.

use super::{body, serving};
use crate::{
    http::{Arrival, LogLine, Refusal},
    services::Services,
    store::model::Install,
};
use cloud_apps_protocol::{
    Code, Millis,
    seal::{Content, SealError, SealKind, Sealed},
    secret::Secret,
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

fn refused(error: SealError) -> Refusal {
    match error {
        SealError::Expired => expired(),
        SealError::Invalid | SealError::TooLarge => Refusal::unauthorized(),
    }
}

fn expired() -> Refusal {
    Refusal::new(Code::Forbidden, "This has expired: run the command again.")
}

/// The content that the ledger keeps for a seal. It is sealed too, and must belong to this seal.
async fn kept(
    services: &Services,
    outer: &Sealed,
    root: &Secret,
    kind: SealKind,
    carried: &Content,
    now: Millis,
) -> Result<Content, Refusal> {
    let Some(text) = services.ledger.look(&carried.kept_under(), now).await? else { return Err(expired()) };
    let sealed = Sealed::parse_kept(&text).map_err(refused)?;
    let content = sealed.open(root, kind, now).map_err(refused)?;
    let same = sealed.install == outer.install && content.id == carried.id && content.user == carried.user;
    if same { Ok(content) } else { Err(Refusal::unauthorized()) }
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
    let mut content = sealed.open(&root, credential.kind, now).map_err(refused)?;
    if content.kept {
        content = kept(services, &sealed, &root, credential.kind, &content, now).await?;
    }
    let find = |fresh| services.installs.find(&sealed.install, fresh, now).boxed();
    let install = serving(find, line).await?;
    if install.app != sealed.app {
        return Err(Refusal::unauthorized());
    }
    Ok((install, content))
}
