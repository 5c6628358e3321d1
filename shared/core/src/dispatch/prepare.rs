//! What a function is given: the request with its context filled and cut, the user's token, the deadline. Where the
//! function runs makes no difference here.

use super::{AuthenticatedCommand, expand};
use crate::{
    authenticate::{Sender, SenderProof, UserToken},
    http::{Arrival, Refusal},
    keys::sealed::passwords,
    store::model::Install,
};
use cloud_app::mattermost::Credential;
use cloud_apps_protocol::{
    CommandRequest, Manifest, Millis, Values,
    command::{AppContext, Delivery, Security, ServerConfig},
    manifest::{CommandEntry, Permission},
};
use serde_json::Value;
use std::sync::Arc;

/// How long a function may take, in ms (section 3).
pub const FUNCTION_TIME: Millis = 8_000;

/// What is kept of the platform's time for finishing and writing the answer, in ms.
const MARGIN_AFTER_FUNCTION: Millis = 1_000;

/// What is kept of the time that a server waits for an integration, for the way there and back, in ms.
const ON_THE_WAY: Millis = 500;

/// Unix milliseconds after which nobody waits for the function: neither the platform nor the server.
pub(super) fn deadline(arrival: &Arrival, sender: &Sender) -> Millis {
    let time = server_waits(sender).map_or(FUNCTION_TIME, |time| time.min(FUNCTION_TIME));
    arrival.deadline.saturating_sub(MARGIN_AFTER_FUNCTION).min(arrival.now.saturating_add(time))
}

/// How long the server waits for an integration, in ms, if that is known. A V2 server does not call the bundle as one.
fn server_waits(sender: &Sender) -> Option<Millis> {
    match sender.proof {
        SenderProof::Slash { .. } | SenderProof::Seal { .. } => {
            let waits = Millis::from(sender.install.server.integration_timeout?).saturating_mul(1_000);
            Some(waits.saturating_sub(ON_THE_WAY))
        }
        SenderProof::Server { .. } | SenderProof::StaticToken => None,
    }
}

/// What the function is given.
pub(super) struct Prepared {
    pub request: CommandRequest,
    pub install: Arc<Install>,
    /// The acting user's token, where the install may use it.
    pub user: Option<Credential>,
}

/// Prepares the call of a command's function with these values.
pub(super) fn prepare(
    manifest: &Manifest,
    (entry, values): (&CommandEntry, &Values),
    command: AuthenticatedCommand,
) -> Result<Prepared, Refusal> {
    let AuthenticatedCommand { sender: Sender { install, proof }, mut request, delivery_id, once: _ } =
        command;
    fill(&mut request, manifest, entry, &install, &proof)?;
    // However the values came, a function finds them here.
    request.command.encoded = Some(values.clone());
    request.delivery = Some(Delivery { id: delivery_id, attempt: 1 });
    let user = proof.into_user_token().and_then(|token| of_user(token, manifest, &install));
    Ok(Prepared { request, install, user })
}

/// Replaces what only the bundle may say, and cuts what the install did not ask for.
fn fill(
    request: &mut CommandRequest,
    manifest: &Manifest,
    entry: &CommandEntry,
    install: &Install,
    proof: &SenderProof,
) -> Result<(), Refusal> {
    // It holds the trigger id, which opens dialogs: a credential, which apps never get.
    request.security = Security::default();
    request.command.function = entry.function.to_string();
    let context = &mut request.context;
    // With a client's id one can send messages to that client alone, which is not for apps.
    context.source.client_id.clear();
    if context.source.id.is_empty() {
        context.source.id = context.source.granted_as().to_owned();
    }
    if !is_nothing(&context.state) {
        let message = "This state is not one that the bundle has sealed.";
        return Err(Refusal::bad_request("/context/state", message));
    }
    context.state = proof.seal().map_or(Value::Null, |(_, content)| content.state.clone());
    context.config =
        ServerConfig { site_url: install.site.to_string(), version: install.server_version.clone() };
    context.app = Some(AppContext {
        id: install.app.clone(),
        version: manifest.version.clone(),
        install_id: install.id.clone(),
        bot: install.bot.clone(),
        settings: without_passwords(manifest, &install.settings),
    });
    expand::cut(context, &entry.expand)
}

/// The user's token, where the install may use it; a system admin's needs a grant of its own.
fn of_user(user: UserToken, manifest: &Manifest, install: &Install) -> Option<Credential> {
    let granted = |permission| install.permits(manifest, permission);
    let may = granted(Permission::ActAsUser) && (!user.admin || granted(Permission::ActAsAdmin));
    may.then(|| Credential { origin: install.site.clone(), token: user.token })
}

/// Absent, `null`, `""` and `{}` are no state.
fn is_nothing(state: &Value) -> bool {
    match state {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Settings as a request carries them: passwords are handed over apart, where no log sees them. They are kept apart, but
/// for one that became a password by an upgrade.
fn without_passwords(manifest: &Manifest, settings: &Values) -> Values {
    let mut shown = settings.clone();
    for name in passwords(manifest) {
        shown.remove(name);
    }
    shown
}
