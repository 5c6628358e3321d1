//! A user submits or closes a dialog, refreshes it, or looks options up: `submitDialog` and `lookupDialog` in
//! `api4/integration_action.go`.
//!
//! Only the user is checked. All else comes from the client and goes to the integration unchanged, so anybody can send
//! anything to any address (`dialog-submit-invented-by-other-user.http`).

use super::response::{LookupResponse, SubmitResponse};
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::go::{self, or_default};
use crate::model::is_http_url;
use crate::standin::Standin;
use crate::version::Ability;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `SubmitDialogRequest`, in the order of Go's struct: `inbound/192-dialog.http`.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct SubmitRequest {
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

/// `POST /api/v4/actions/dialogs/submit`: the user submitted or closed the dialog, or (in 11) changed a field that
/// refreshes it.
pub(crate) async fn submit(standin: &Standin, request: &ApiRequest) -> ApiResult {
    let version = standin.version();
    let mut submission: SubmitRequest = request.body("dialog")?;
    if submission.url.is_empty() {
        return Err(AppError::bad_body("url"));
    }
    check_user(&standin.db(), request, &mut submission)?;
    if submission.kind != "refresh" || !version.since_11() {
        "dialog_submission".clone_into(&mut submission.kind);
    }
    let body = send(standin, request, submission).await?;
    Reply::ok(SubmitResponse::read(version, &body)?.shape())
}

/// `POST /api/v4/actions/dialogs/lookup`: the options of a dynamic field; 11 only.
pub(crate) async fn lookup(standin: &Standin, request: &ApiRequest) -> ApiResult {
    if !standin.version().since_11() {
        return Ok(Reply::NoPage { path: "/api/v4/actions/dialogs/lookup".to_owned() });
    }
    let mut submission: SubmitRequest = request.body("dialog")?;
    if !is_lookup_url(&submission.url) {
        return Err(AppError::bad_body("url"));
    }
    check_user(&standin.db(), request, &mut submission)?;
    "dialog_lookup".clone_into(&mut submission.kind);
    let body = send(standin, request, submission).await?;
    Reply::ok(LookupResponse::read(&body)?.shape())
}

/// Checks that the user may read the channel and is in the team. Since 11.10 the team is that of the channel, whatever the
/// client says. Before, the client says in a conversation which team it shows, and without a team this is forbidden
/// (`dialog-submit-dm-no-team.http`).
fn check_user(db: &Database, request: &ApiRequest, submission: &mut SubmitRequest) -> Result<(), AppError> {
    let (user, channel_id) = (&request.user, &submission.channel_id);
    let reads = if db.version.since_11() {
        let channel = db.channel(channel_id);
        let channel = channel.ok_or_else(|| AppError::no_channel(db.version, channel_id))?;
        db.may_see_channel(user, channel)
    } else {
        db.may_read(user, channel_id)
    };
    if db.version.has(Ability::TeamOfChannel) {
        submission.team_id =
            db.channel(channel_id).map(|channel| channel.team_id.clone()).unwrap_or_default();
        return if reads { Ok(()) } else { Err(AppError::forbidden()) };
    }
    let team_id = &submission.team_id;
    let in_team = !team_id.is_empty() && db.may_see_team(user, team_id);
    if reads && in_team { Ok(()) } else { Err(AppError::forbidden()) }
}

/// Calls the integration. It is told the user of the session, and not the address where it is called.
async fn send(
    standin: &Standin,
    request: &ApiRequest,
    mut submission: SubmitRequest,
) -> Result<Bytes, AppError> {
    let url = std::mem::take(&mut submission.url);
    submission.user_id.clone_from(&request.user);
    standin.outbound().call_action(standin.version(), &url, go::json(&submission)).await
}

/// `IsValidLookupURL`
fn is_lookup_url(url: &str) -> bool {
    if url.starts_with("/plugins/") {
        return !url.contains("..") && !url.contains("//");
    }
    is_http_url(url)
}
