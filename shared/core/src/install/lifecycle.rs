//! The app's lifecycle functions. They get a request like a command's, 20 s of time, and a delivery id that stays the same
//! when the call is repeated.

use super::{RequestInfo, settings};
use crate::{
    apps::{Call, Called, NoAnswer, ServedApp},
    http::{LogLine, Refusal},
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
/// How much of the platform's time is reserved for what comes after the function, in ms.
const MARGIN_AFTER_LIFECYCLE: Millis = 2_000;

/// The lifecycle functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleFunction {
    /// The install becomes active.
    Install,
    /// Its settings change.
    Configure,
    /// The install gets another version of the app.
    Upgrade,
    /// The install is removed.
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

    /// What the app did not do, if the function fails.
    fn failing(self) -> &'static str {
        match self {
            Self::Install => "set itself up",
            Self::Configure => "take the settings",
            Self::Upgrade => "move to its new version",
            Self::Uninstall => "clean up after itself",
        }
    }

    /// What the app refused, if the function refuses.
    fn refused(self) -> &'static str {
        match self {
            Self::Install => "the installation",
            Self::Configure => "the settings",
            Self::Upgrade => "the upgrade",
            Self::Uninstall => "to be removed",
        }
    }

    /// What was done all the same, if the function fails.
    fn outcome(self) -> &'static str {
        match self {
            Self::Install => "nothing was installed",
            Self::Configure | Self::Upgrade => "nothing was changed",
            Self::Uninstall => "it was removed all the same",
        }
    }
}

/// Calls the app's function, if it has one, with these settings, including passwords. If the function refuses, the refusal is
/// `install_refused` with the app's own text.
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
    let deadline = now.saturating_add(TIME).min(request_info.deadline.saturating_sub(MARGIN_AFTER_LIFECYCLE));
    let request = request(app.manifest(), install, function, part);
    line.delivery_id = request.delivery.as_ref().map(|delivery| delivery.id.clone());
    let bot = management.services.bot(Arc::new(install.clone()), request_info.now);
    let call = Call {
        function,
        request,
        values: Values::new(),
        settings,
        bot,
        // The installer says who `installed_by` is. Neither a code nor an operator proves a user.
        user_proof: None,
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

/// The refusal if the function gave no answer. The cause is in the log.
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

/// The request. It has no command, but everything that an app is told about its install. The acting user is the installer.
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
        settings: settings::shown(manifest, &install.settings),
    });
    request.delivery = Some(Delivery { id: delivery_id(install, part.name()), attempt: 1 });
    request
}

/// 16 bytes of SHA-256 over the install, the function and the install's data, in hex. The data is taken without the state, so
/// that an attempt which is repeated has the same id, and one with other settings has another.
fn delivery_id(install: &Install, name: &str) -> String {
    let data = Install {
        state: State::Active,
        rev: 0,
        bot_token: String::new(),
        cleanup: Cleanup::default(),
        ..install.clone()
    };
    // It has text keys only, so it always serialises.
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

/// The refusal with the app's own text, and the settings to which parts of it belong.
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
