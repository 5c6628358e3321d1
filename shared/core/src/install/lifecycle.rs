//! The app's own part in the life of an install: its functions get a request like a command's, 20 s, and a delivery
//! id that stays the same when the call is repeated.

use super::view;
use crate::{
    bot::InstallBot,
    edge::Arrival,
    log::LogLine,
    model::{Install, Sha256, State},
    refusal::Refusal,
    upstream::{self, Called, Known, Trouble},
    world::Office,
};
use cloud_app::Failure;
use cloud_apps_protocol::{
    Answer, Code, CommandRequest, FunctionName, Manifest, Millis, Values,
    answer::Kind,
    command::{AppContext, Delivery, User},
};
use std::{sync::Arc, time::Duration};

/// How long a lifecycle function may take, in ms (section 12).
pub const TIME: Millis = 20_000;
/// What is kept of the platform's time for what comes after it, in ms.
const MARGIN: Millis = 2_000;

/// Runs the app's `install` function, where it has one, with these settings, passwords included. What it refuses is `install_refused` with its own words.
pub async fn install(
    office: &Office,
    arrival: &Arrival,
    app: &Known<'_>,
    install: &Install,
    settings: Values,
    line: &mut LogLine,
) -> Result<(), Refusal> {
    let Some(function) = &app.manifest().lifecycle.install else { return Ok(()) };
    let id = app.id();
    line.function = Some(function.to_string());
    let before = line.elapsed_ms();
    let now = arrival.now.saturating_add(before);
    let deadline = now.saturating_add(TIME).min(arrival.deadline.saturating_sub(MARGIN));
    let request = request(app.manifest(), install, function);
    line.delivery_id = request.delivery.as_ref().map(|delivery| delivery.id.clone());
    let bot =
        InstallBot { world: Arc::clone(&office.world), install: Arc::new(install.clone()), now: arrival.now };
    let call = upstream::Call {
        function,
        request,
        values: Values::new(),
        settings,
        bot: Arc::new(bot),
        user: None,
        now,
        deadline,
        left: Duration::from_millis(deadline.saturating_sub(now)),
        request_id: &arrival.request_id,
        trace: line.trace(),
    };
    let called = Box::pin(upstream::call(app, call)).await;
    line.upstream_ms = Some(line.elapsed_ms().saturating_sub(before));
    match called {
        Called::Answered(answer) => accepted(id.as_str(), answer),
        Called::Failed(failure) => Err(failed(id.as_str(), failure)),
        Called::Broken(trouble) => Err(broken(id.as_str(), function, trouble)),
    }
}

/// The function has no answer; the cause stands in the log.
fn broken(id: &str, function: &FunctionName, trouble: Trouble) -> Refusal {
    let (code, message) = match trouble.code() {
        Code::Deadline => (
            Code::Deadline,
            format!("{id} took too long to set itself up and was stopped. Nothing was installed; try again."),
        ),
        Code::UnknownFunction => (
            Code::InstallRefused,
            format!(
                "{id} names {function} as its install function and does not have it. Its author must mend that; nothing \
                 was installed."
            ),
        ),
        code @ (Code::Busy | Code::Unavailable) => {
            (code, format!("{} Nothing was installed.", trouble.sentence(id)))
        }
        code => (
            code,
            format!(
                "{id} could not set itself up, and nothing was installed. Its operator finds the cause in the log, under \
                 this request's id."
            ),
        ),
    };
    Refusal::new(code, message).because(trouble)
}

/// The request: no command, but all that an app knows of its install. The acting user is who installs.
fn request(manifest: &Manifest, install: &Install, function: &FunctionName) -> CommandRequest {
    let mut request = CommandRequest::default();
    manifest.namespace().clone_into(&mut request.command.namespace);
    request.command.function = function.to_string();
    request.context.config.site_url = install.site.to_string();
    request.context.config.version.clone_from(&install.server_version);
    request.context.acting_user = Some(User::of(install.installed_by.clone()));
    request.context.app = Some(AppContext {
        id: install.app.clone(),
        version: manifest.version.clone(),
        install_id: install.id.clone(),
        bot: install.bot.clone(),
        settings: view::shown(manifest, &install.settings),
    });
    request.delivery = Some(Delivery { id: delivery_id(install, "install"), attempt: 1 });
    request
}

/// 16 bytes of SHA-256 over install, kind and thing, in hex. The thing is the install's data without where it stands:
/// a repeated attempt has the same id, and one with other settings is another delivery.
fn delivery_id(install: &Install, name: &str) -> String {
    let data = Install { state: State::Active, rev: 0, bot_token: String::new(), ..install.clone() };
    // Text keys only: it always serialises.
    let data = serde_json::to_string(&data).unwrap_or_default();
    let mut hash = Sha256::of(&format!("{}\0lifecycle\0{name}\0{data}", install.id)).as_str().to_owned();
    hash.truncate(32);
    hash
}

fn accepted(app: &str, answer: Answer) -> Result<(), Refusal> {
    let Kind::Error { text, fields } = answer.kind else { return Ok(()) };
    Err(refused(app, Some(text), fields))
}

fn failed(app: &str, failure: Failure) -> Refusal {
    let refusal = refused(app, failure.text, failure.fields);
    match failure.source {
        Some(source) => refusal.because(source),
        None => refusal,
    }
}

/// The app's own words, and at which settings they belong.
fn refused(app: &str, text: Option<String>, fields: std::collections::BTreeMap<String, String>) -> Refusal {
    let text = text.filter(|text| !text.is_empty()).unwrap_or_else(|| {
        "it gave no reason. Its operator finds the cause in the log, under this request's id.".into()
    });
    let message = format!("{app} refused the installation, and nothing was installed: {text}");
    let refusal = Refusal::new(Code::InstallRefused, message).with("text", text);
    if fields.is_empty() {
        return refusal;
    }
    let fields: serde_json::Map<String, serde_json::Value> =
        fields.into_iter().map(|(name, text)| (name, text.into())).collect();
    refusal.with("fields", fields)
}
