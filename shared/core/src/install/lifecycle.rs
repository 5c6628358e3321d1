//! The app's own part in the life of an install: its functions get a request like a command's, 20 s, and a delivery
//! id that stays the same when the call is repeated.

use super::view;
use crate::{
    apps::{Call, Called, NoAnswer, ServedApp},
    http::{Arrival, LogLine, Refusal},
    services::Management,
    store::model::{Cleanup, Install, Sha256, State},
};
use cloud_app::Failure;
use cloud_apps_protocol::{
    Answer, Code, CommandRequest, FunctionName, Manifest, Millis, Values,
    answer::Kind,
    command::{AppContext, Delivery, User},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How long a lifecycle function may take, in ms (section 12).
pub const TIME: Millis = 20_000;
/// What is kept of the platform's time for what comes after it, in ms.
const MARGIN: Millis = 2_000;

/// Which part of an install's life the app has a function for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleFunction {
    /// It becomes active.
    Install,
    /// Its settings change.
    Configure,
    /// It moves to another version of the app.
    Upgrade,
    /// It is removed.
    Uninstall,
}

impl LifecycleFunction {
    fn function(self, manifest: &Manifest) -> Option<&FunctionName> {
        let functions = &manifest.lifecycle;
        match self {
            Self::Install => functions.install.as_ref(),
            Self::Configure => functions.configure.as_ref(),
            Self::Upgrade => functions.upgrade.as_ref(),
            Self::Uninstall => functions.uninstall.as_ref(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Configure => "configure",
            Self::Upgrade => "upgrade",
            Self::Uninstall => "uninstall",
        }
    }

    /// What an app that does not do its part did not do.
    fn failing(self) -> &'static str {
        match self {
            Self::Install => "set itself up",
            Self::Configure => "take the settings",
            Self::Upgrade => "move to its new version",
            Self::Uninstall => "clean up after itself",
        }
    }

    /// What its refusal is a refusal of.
    fn refused(self) -> &'static str {
        match self {
            Self::Install => "the installation",
            Self::Configure => "the settings",
            Self::Upgrade => "the upgrade",
            Self::Uninstall => "to be removed",
        }
    }

    /// How things stand after it did not do its part.
    fn outcome(self) -> &'static str {
        match self {
            Self::Install => "nothing was installed",
            Self::Configure | Self::Upgrade => "nothing was changed",
            Self::Uninstall => "it was removed all the same",
        }
    }
}

/// For which request a function runs, and until when.
#[derive(Debug, Clone, Copy)]
pub struct RequestInfo<'a> {
    /// Unix milliseconds when the request came in.
    pub now: Millis,
    /// Unix milliseconds until which the platform lets it run.
    pub deadline: Millis,
    /// The request's id.
    pub request_id: &'a str,
}

impl<'a> RequestInfo<'a> {
    /// Of a request over HTTP.
    pub fn of(arrival: &'a Arrival) -> Self {
        Self { now: arrival.now, deadline: arrival.deadline, request_id: &arrival.request_id }
    }
}

/// Runs the app's function for this part of the install's life, where it has one, with these settings, passwords included. What it refuses is
/// `install_refused` with its own words.
pub async fn run(
    management: &Management,
    request_info: RequestInfo<'_>,
    app: &ServedApp<'_>,
    install: &Install,
    part: LifecycleFunction,
    settings: Values,
    line: &mut LogLine,
) -> Result<(), Refusal> {
    let Some(function) = part.function(app.manifest()) else { return Ok(()) };
    let id = app.id();
    line.function = Some(function.to_string());
    let before = line.elapsed_ms();
    let now = request_info.now.saturating_add(before);
    let deadline = now.saturating_add(TIME).min(request_info.deadline.saturating_sub(MARGIN));
    let request = request(app.manifest(), install, function, part);
    line.delivery_id = request.delivery.as_ref().map(|delivery| delivery.id.clone());
    let bot = management.services.bot(Arc::new(install.clone()), request_info.now);
    let call = Call {
        function,
        request,
        values: Values::new(),
        settings,
        bot,
        // `installed_by` is what the installer wrote; neither a code nor an operator proves a user.
        proof: None,
        user: None,
        now,
        deadline,
        left: Duration::from_millis(deadline.saturating_sub(now)),
        request_id: request_info.request_id,
        trace: line.trace(),
    };
    let called = Box::pin(management.services.app_client.call(app, call)).await;
    line.upstream_ms = Some(line.elapsed_ms().saturating_sub(before));
    match called {
        Called::Answered(answer) => accepted(id.as_str(), part, answer),
        Called::Failed(failure) => Err(failed(id.as_str(), part, failure)),
        Called::Broken(trouble) => Err(broken(id.as_str(), part, function, trouble)),
    }
}

/// The function has no answer; the cause stands in the log.
fn broken(id: &str, part: LifecycleFunction, function: &FunctionName, trouble: NoAnswer) -> Refusal {
    let (failing, outcome) = (part.failing(), part.outcome());
    let (code, message) = match trouble.code() {
        Code::Deadline => (
            Code::Deadline,
            format!(
                "{id} took too long to {failing} and was stopped; {outcome}. Try again if that is not enough."
            ),
        ),
        Code::UnknownFunction => (
            Code::InstallRefused,
            format!(
                "{id} names {function} as its {} function and does not have it. Its author must fix that; {outcome}.",
                part.name()
            ),
        ),
        code @ (Code::Busy | Code::Unavailable) => {
            (code, format!("{} For now, {outcome}.", trouble.sentence(id)))
        }
        code => (
            code,
            format!(
                "{id} could not {failing}, and {outcome}. Its operator finds the cause in the log, under this \
                 request's id."
            ),
        ),
    };
    Refusal::new(code, message).because(trouble)
}

/// The request: no command, but all that an app knows of its install. The acting user is who installs.
fn request(
    manifest: &Manifest,
    install: &Install,
    function: &FunctionName,
    part: LifecycleFunction,
) -> CommandRequest {
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
    request.delivery = Some(Delivery { id: delivery_id(install, part.name()), attempt: 1 });
    request
}

/// 16 bytes of SHA-256 over install, kind and thing, in hex. The thing is the install's data without where it stands:
/// a repeated attempt has the same id, and one with other settings is another delivery.
fn delivery_id(install: &Install, name: &str) -> String {
    let data = Install {
        state: State::Active,
        rev: 0,
        bot_token: String::new(),
        cleanup: Cleanup::default(),
        ..install.clone()
    };
    // Text keys only: it always serialises.
    let data = serde_json::to_string(&data).unwrap_or_default();
    let mut hash = Sha256::of(&format!("{}\0lifecycle\0{name}\0{data}", install.id)).as_str().to_owned();
    hash.truncate(32);
    hash
}

fn accepted(app: &str, part: LifecycleFunction, answer: Answer) -> Result<(), Refusal> {
    let Kind::Error { text, fields } = answer.kind else { return Ok(()) };
    Err(refused(app, part, Some(text), fields))
}

fn failed(app: &str, part: LifecycleFunction, failure: Failure) -> Refusal {
    let refusal = refused(app, part, failure.text, failure.fields);
    match failure.source {
        Some(source) => refusal.because(source),
        None => refusal,
    }
}

/// The app's own words, and at which settings they belong.
fn refused(
    app: &str,
    part: LifecycleFunction,
    text: Option<String>,
    fields: BTreeMap<String, String>,
) -> Refusal {
    let text = text.filter(|text| !text.is_empty()).unwrap_or_else(|| {
        "it gave no reason. Its operator finds the cause in the log, under this request's id.".into()
    });
    let message = format!("{app} refused {}, and {}: {text}", part.refused(), part.outcome());
    let refusal = Refusal::new(Code::InstallRefused, message).with("text", text);
    if fields.is_empty() {
        return refusal;
    }
    let fields: serde_json::Map<String, serde_json::Value> =
        fields.into_iter().map(|(name, text)| (name, text.into())).collect();
    refusal.with("fields", fields)
}
