//! Opening dialogs: `openDialog` in `api4/integration_action.go`, `OpenInteractiveDialog` in
//! `app/integration_action.go`.

use super::form::{Dialog, object};
use super::{OpenDialog, Seen};
use crate::Standin;
use crate::action::attachment::or_default;
use crate::error::AppError;
use crate::rest::{Answer, Ask, Reply};
use crate::trigger::TriggerError;
use serde::Deserialize;
use std::time::Duration;

/// `InteractiveDialogTriggerTimeoutMilliseconds` of 5.37. In 11 it is `OutgoingIntegrationRequestsTimeout`.
const LIFETIME: Duration = Duration::from_secs(3);

/// `OpenDialogRequest`
#[derive(Deserialize, Default)]
#[serde(default)]
struct Open {
    #[serde(deserialize_with = "or_default")]
    trigger_id: String,
    #[serde(deserialize_with = "or_default")]
    url: String,
    #[serde(deserialize_with = "object")]
    dialog: Option<Dialog>,
}

/// `POST /api/v4/actions/dialogs/open`: whoever has a trigger id may, without a session. Neither version refuses a dialog
/// for what stands in it: `dialog-open-invalid-still-sent.http`.
pub(crate) fn open(standin: &Standin, ask: &Ask) -> Answer {
    let body: Open = ask.body("dialog")?;
    if body.url.is_empty() {
        return Err(AppError::bad_body("url"));
    }
    let version = standin.version();
    let lifetime = if version.is_11() { standin.outgoing().timeout() } else { LIFETIME };
    let mut world = standin.world();
    let trigger = standin
        .trigger_key()
        .verify(&body.trigger_id, world.now, lifetime)
        .map_err(|error| refusal(error, version.is_11(), lifetime))?;
    let mut dialog = body.dialog.unwrap_or_default();
    dialog.fit(version);
    world.dialogs.push(OpenDialog {
        trigger_id: trigger.client,
        user_id: trigger.user_id,
        url: body.url,
        dialog,
        seen: Seen::default(),
    });
    Reply::done()
}

fn refusal(error: TriggerError, eleven: bool, lifetime: Duration) -> AppError {
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
            let life = if eleven { go_duration(lifetime) } else { format!("{} seconds", lifetime.as_secs()) };
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

/// Whole seconds as Go prints them: `30s`, `1m30s`.
fn go_duration(duration: Duration) -> String {
    let (minutes, seconds) = (duration.as_secs() / 60, duration.as_secs() % 60);
    if minutes == 0 { format!("{seconds}s") } else { format!("{minutes}m{seconds}s") }
}
