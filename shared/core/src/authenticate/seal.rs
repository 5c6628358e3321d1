//! A seal that came back through Mattermost (section 14.3). Opened before anything is read.

use super::body;
use crate::{
    http::{Arrival, LogLine, Refusal},
    services::Services,
};
use cloud_apps_protocol::{
    Code,
    seal::{Content, SealError, SealKind, Sealed},
};

/// Opens the seal in a request's body, if it is of this kind and belongs to the install of the path.
pub async fn open(
    services: &Services,
    arrival: &Arrival,
    install: &str,
    kind: SealKind,
    line: &mut LogLine,
) -> Result<Content, Refusal> {
    let text = body::seal(arrival.request.body(), kind)?;
    let sealed = Sealed::parse(&text).map_err(|_| Refusal::unauthorized())?;
    if sealed.install.as_str() != install || !services.apps.knows(&sealed.app, arrival.now).await? {
        return Err(Refusal::unauthorized());
    }
    let root =
        services.keys.root(&sealed.app, &sealed.key, arrival.now).await?.ok_or_else(Refusal::unauthorized)?;
    let content = sealed.open(&root, kind, arrival.now).map_err(|error| match error {
        SealError::Expired => Refusal::new(Code::Forbidden, "This has expired: run the command again."),
        SealError::Invalid | SealError::TooLarge => Refusal::unauthorized(),
    })?;
    line.app = Some(sealed.app.to_string());
    line.install = Some(sealed.install.to_string());
    Ok(content)
}
