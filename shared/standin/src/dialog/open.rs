//! An integration opens a dialog: `openDialog` in `api4/integration_action.go`, `OpenInteractiveDialog` in
//! `app/integration_action.go`.

use crate::Version;
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::go::{self, object_or_null, or_default};
use crate::keys::TriggerError;
use crate::model::{Dialog, OpenDialog, Steps};
use crate::standin::Standin;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// How long a trigger id works: `InteractiveDialogTriggerTimeoutMilliseconds` of 5.37. In 11 it is `OutgoingIntegrationRequestsTimeout`.
const LIFETIME: Duration = Duration::from_secs(3);

/// `OpenDialogRequest`
#[derive(Deserialize, Default)]
#[serde(default)]
struct Open {
    #[serde(deserialize_with = "or_default")]
    trigger_id: String,
    #[serde(deserialize_with = "or_default")]
    url: String,
    #[serde(deserialize_with = "object_or_null")]
    dialog: Option<Dialog>,
    /// Only an open proposal for Mattermost has it.
    block_dialog: Value,
}

/// `POST /api/v4/actions/dialogs/open`: it needs a trigger id and no session. No version refuses a dialog for its content
/// (`dialog-open-invalid-still-sent.http`), but 12 for an unknown size.
pub(crate) fn open(standin: &Standin, request: &ApiRequest) -> ApiResult {
    let body: Open = request.body("dialog")?;
    let version = standin.version();
    if version >= Version::V12 && !body.block_dialog.is_null() {
        return Err(AppError::unknown(version, "block_dialog"));
    }
    if body.url.is_empty() {
        return Err(AppError::bad_body("url"));
    }
    let lifetime = if version.since_11() { standin.outbound().timeout() } else { LIFETIME };
    let mut db = standin.db();
    let trigger = standin
        .trigger_key()
        .verify(&body.trigger_id, db.now, lifetime)
        .map_err(|error| refusal(error, version.since_11(), lifetime))?;
    let mut dialog = body.dialog.unwrap_or_default();
    dialog.keep_known(version);
    if !["", "small", "medium", "large"].contains(&dialog.size.as_str()) {
        return Err(AppError::bad_body("size"));
    }
    db.dialogs.push(OpenDialog {
        trigger_id: trigger.client,
        user_id: trigger.user_id,
        url: body.url,
        dialog,
        steps: Steps::default(),
    });
    Reply::done()
}

fn refusal(error: TriggerError, since_11: bool, lifetime: Duration) -> AppError {
    let (id, text) = match error {
        TriggerError::NotBase64 => (
            "interactive_message.decode_trigger_id.base64_decode_failed",
            "Failed to decode base64 for trigger ID for interactive dialog.",
        ),
        TriggerError::MissingData => (
            "interactive_message.decode_trigger_id.missing_data",
            "Trigger ID missing required data for interactive dialog.",
        ),
        TriggerError::Expired => {
            let life = if since_11 {
                go::print_duration(lifetime)
            } else {
                format!("{} seconds", lifetime.as_secs())
            };
            return AppError::bad(
                "interactive_message.decode_trigger_id.expired",
                format!(
                    "Trigger ID for interactive dialog is expired. Trigger IDs live for a maximum of {life}."
                ),
            );
        }
        TriggerError::SignatureNotBase64 => (
            "interactive_message.decode_trigger_id.base64_decode_failed_signature",
            "Failed to decode base64 signature of trigger ID for interactive dialog.",
        ),
        TriggerError::NoSignature => (
            "interactive_message.decode_trigger_id.signature_decode_failed",
            "Failed to decode base64 signature of trigger ID for interactive dialog.",
        ),
        TriggerError::Forged => (
            "interactive_message.decode_trigger_id.verify_signature_failed",
            "Signature verification failed of trigger ID for interactive dialog.",
        ),
    };
    AppError::bad(id, text)
}
