//! What a user does with a dialog, on its way to the integration: `submitDialog` and `lookupDialog` in
//! `api4/integration_action.go`.
//!
//! Everything but the user comes from the client and is passed on as it came: anybody may send anything to any
//! address (`dialog-submit-invented-by-other-user.http`).

use super::answer::{Looked, Submitted};
use crate::Standin;
use crate::action::attachment::or_default;
use crate::action::upstream;
use crate::error::AppError;
use crate::outgoing::go_json;
use crate::rest::{Answer, Ask, Reply};
use crate::world::World;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `SubmitDialogRequest`, in the order of Go's struct: `inbound/192-dialog.http`.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Request {
    #[serde(rename = "type", deserialize_with = "or_default")]
    kind: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    url: String,
    #[serde(deserialize_with = "or_default")]
    callback_id: String,
    #[serde(deserialize_with = "or_default")]
    state: String,
    #[serde(deserialize_with = "or_default")]
    user_id: String,
    #[serde(deserialize_with = "or_default")]
    channel_id: String,
    #[serde(deserialize_with = "or_default")]
    team_id: String,
    submission: Option<Map<String, Value>>,
    #[serde(deserialize_with = "or_default")]
    cancelled: bool,
}

/// `POST /api/v4/actions/dialogs/submit`: sent, closed, or (11) to be refreshed.
pub(crate) async fn submit(standin: &Standin, ask: &Ask) -> Answer {
    let version = standin.version();
    let mut request: Request = ask.body("dialog")?;
    if request.url.is_empty() {
        return Err(AppError::bad_body("url"));
    }
    allow(&standin.world(), ask, &request)?;
    if request.kind != "refresh" || !version.is_11() {
        "dialog_submission".clone_into(&mut request.kind);
    }
    let body = send(standin, ask, request).await?;
    Reply::ok(Submitted::read(version, &body)?.shape())
}

/// `POST /api/v4/actions/dialogs/lookup`: the options of a dynamic field. 11 only.
pub(crate) async fn lookup(standin: &Standin, ask: &Ask) -> Answer {
    if !standin.version().is_11() {
        return Ok(Reply::NoPage { path: "/api/v4/actions/dialogs/lookup".to_owned() });
    }
    let mut request: Request = ask.body("dialog")?;
    if !is_lookup_url(&request.url) {
        return Err(AppError::bad_body("url"));
    }
    allow(&standin.world(), ask, &request)?;
    "dialog_lookup".clone_into(&mut request.kind);
    let body = send(standin, ask, request).await?;
    Reply::ok(Looked::read(&body)?.shape())
}

/// The user reads the channel and is in the team. In a direct channel the client says which team it shows; without
/// one there is no permission (`dialog-submit-dm-no-team.http`).
fn allow(world: &World, ask: &Ask, request: &Request) -> Result<(), AppError> {
    let reads = if world.version.is_11() {
        let channel = world.channel(&request.channel_id).ok_or_else(|| {
            AppError::missing(
                "app.channel.get.existing.app_error",
                format!("Unable to find the existing channel {}.", request.channel_id),
            )
        })?;
        world.may_see_channel(&ask.user, channel)
    } else {
        world.may_read(&ask.user, &request.channel_id)
    };
    let in_team = !request.team_id.is_empty() && world.may_see_team(&ask.user, &request.team_id);
    if reads && in_team { Ok(()) } else { Err(AppError::forbidden()) }
}

/// The integration is told who the session's user is, and not where it was called.
async fn send(standin: &Standin, ask: &Ask, mut request: Request) -> Result<bytes::Bytes, AppError> {
    let url = std::mem::take(&mut request.url);
    request.user_id.clone_from(&ask.user);
    upstream::send(standin, &url, go_json(&request)).await
}

/// `IsValidLookupURL`
fn is_lookup_url(url: &str) -> bool {
    if url.starts_with("/plugins/") {
        return !url.contains("..") && !url.contains("//");
    }
    let http = url.starts_with("http://") || url.starts_with("https://");
    http && url::Url::parse(url).is_ok()
}
