//! One command, whatever dialect it came in: from an authenticated request to an answer.
//!
//! Before the function runs: the namespace is the app's → the line is read → what the install was granted → what is
//! missing is said → the context is filled and cut → the token is spent. Then the function runs, cancelled at the
//! deadline, its panic caught; and its answer is settled ([`crate::finish`]).

mod expand;
mod granted;
mod prepare;
mod replay;
mod resolve;

pub use prepare::FUNCTION_TIME;
pub use replay::must_spend;

use crate::{
    apps::{Call, Called, NoAnswer, ServedApp},
    authenticate::Spend,
    dispatch::resolve::resolve,
    finish,
    http::{Arrival, LogLine, Refusal},
    services::Services,
    store::{cache::Freshness, model::Install},
};
use cloud_app::Failure;
use cloud_apps_protocol::{
    Answer, AppId, Code, CommandRequest, Manifest, Millis, TeamId,
    answer::Kind,
    limits,
    line::{Grammar, Invocation, Line},
    manifest::CommandEntry,
    token::Proof,
};
use prepare::Prepared;
use secrecy::SecretString;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The largest answer, in bytes (section 20); what a dialect adds to it has room beside.
const MAX_ANSWER: usize = limits::BODY - 4096;

/// A command whose sender is known.
pub struct Command {
    /// For which install.
    pub install: Arc<Install>,
    /// What was asked; the context as the sender gave it.
    pub request: CommandRequest,
    /// How the sender was authenticated, and what comes of it.
    pub caller: Caller,
    /// The app's idempotency key.
    pub delivery_id: String,
}

/// How a command's sender was authenticated.
pub enum Caller {
    /// A V2 server with a JWT.
    Server {
        /// A REST token of the acting user, if one came.
        user_token: Option<UserToken>,
        /// The token's `jti` in the ledger, where it was not spent while the install was read.
        unspent: Option<Spend>,
    },
    /// A static token.
    StaticToken,
    /// The token of a slash command.
    Slash {
        /// The team that it was sent for.
        team: TeamId,
    },
}

impl Caller {
    /// How the acting user was proved.
    fn proof(&self) -> Option<Proof> {
        match self {
            Self::Server { .. } => Some(Proof::Jwt),
            Self::Slash { .. } => Some(Proof::Slash),
            Self::StaticToken => None,
        }
    }

    fn unspent(&self) -> Option<Spend> {
        match self {
            Self::Server { unspent, .. } => unspent.clone(),
            Self::StaticToken | Self::Slash { .. } => None,
        }
    }
}

/// A REST token that came with a request.
pub struct UserToken {
    /// The token; dropped with the request.
    pub token: SecretString,
    /// Whether its user is a system admin.
    pub admin: bool,
}

/// Runs a command and settles its answer.
pub async fn run(
    services: &Arc<Services>,
    arrival: &Arrival,
    mut command: Command,
    line: &mut LogLine,
) -> Result<Answer, Refusal> {
    line.user = command.request.context.acting_user.as_ref().map(|user| user.id.clone());
    line.delivery_id = Some(command.delivery_id.clone());
    let mut app = known(services, &command.install, arrival.now).await?;
    let mut found = look(app.manifest(), &command, arrival.now);
    if found.is_err()
        && let Some(again) = changed(services, &command.install, arrival.now).await?
    {
        // Where the install was upgraded a moment ago, the version that it has now decides.
        command.install = again;
        app = known(services, &command.install, arrival.now).await?;
        found = look(app.manifest(), &command, arrival.now);
    }
    let invocation = match found? {
        Line::Run(invocation) => invocation,
        Line::Help(text) => return Ok(Answer::text(text)),
    };
    line.function = Some(invocation.function.to_string());
    let entry = entry(app.manifest(), &invocation)?;
    granted::require(services, entry, &mut command, arrival.now).await?;
    if let Some(answer) = incomplete(app.manifest(), &command, &invocation) {
        return Ok(answer);
    }
    let (unspent, proof) = (command.caller.unspent(), command.caller.proof());
    let settings = services.keys.open_settings(&command.install, arrival.now).await?;
    let prepared = prepare::prepare(services, arrival, app.manifest(), (entry, &invocation.values), command)?;
    if let (false, Some(spend)) = (entry.safe, unspent) {
        spend.spend(services, arrival.now).await?;
    }
    let Prepared { request, bot, user, place } = prepared;
    let before = line.elapsed_ms();
    let deadline = prepare::deadline(arrival);
    let left = deadline.saturating_sub(arrival.now.saturating_add(before));
    let call = Call {
        function: &invocation.function,
        request,
        values: invocation.values,
        settings,
        bot,
        proof,
        user,
        now: arrival.now,
        deadline,
        left: Duration::from_millis(left),
        request_id: &arrival.request_id,
        trace: line.trace(),
    };
    // Boxed: the request would have its room in this future as well.
    let called = Box::pin(services.app_client.call(&app, call)).await;
    line.upstream_ms = Some(line.elapsed_ms().saturating_sub(before));
    let mut answer = answer(app.id(), called, arrival, line)?;
    answer.warnings.splice(0..0, invocation.warnings);
    fits(app.id(), &answer)?;
    Ok(finish::settle(answer, &place, line).await)
}

/// No app answers more than a server reads of it, which is 1 MiB. What is settled is smaller still.
fn fits(app: &AppId, answer: &Answer) -> Result<(), Refusal> {
    let bytes = serde_json::to_vec(answer).map_or(0, |json| json.len());
    if bytes <= MAX_ANSWER {
        return Ok(());
    }
    Err(Refusal::new(Code::AnswerTooLarge, NoAnswer::TooLarge.sentence(app.as_str())))
}

/// The install as it is kept, where it is another than the one that was remembered.
async fn changed(
    services: &Services,
    install: &Install,
    now: Millis,
) -> Result<Option<Arc<Install>>, Refusal> {
    let again = services.installs.find(&install.id, Freshness::Reread, now).await?;
    Ok(again.filter(|again| again.rev != install.rev))
}

/// The app of an install as its admin agreed to it. Its sender has proved to belong to the install.
pub(crate) async fn known<'w>(
    services: &'w Services,
    install: &Install,
    now: Millis,
) -> Result<ServedApp<'w>, Refusal> {
    if let Some(known) = services.apps.app_of(install, now).await? {
        return Ok(known);
    }
    let app = &install.app;
    let message = format!(
        "{app} is not an app of this bundle: it is neither linked into it nor registered. An operator brings it back with \
         a bundle that links it, or with `cloud-apps operator apps add`."
    );
    Err(Refusal::new(Code::UpstreamFailed, message))
}

/// What the request asks of the app.
fn look(manifest: &Manifest, command: &Command, now: Millis) -> Result<Line, Refusal> {
    in_namespace(manifest, command)?;
    let Install { presets, site, .. } = &*command.install;
    resolve(manifest, presets, &command.request, Some(site), now)
}

fn in_namespace(manifest: &Manifest, command: &Command) -> Result<(), Refusal> {
    let namespace = command
        .request
        .namespace()
        .map_err(|error| Refusal::bad_request("/command/namespace", format!("The namespace {error}.")))?;
    let own = manifest.namespace();
    if namespace.as_str() == own {
        return Ok(());
    }
    let message =
        format!("/{namespace} is not a command of {}: its commands begin with /{own}.", manifest.id);
    Err(match command.caller {
        // A static token is good for one app's namespace and no other.
        Caller::StaticToken => Refusal::new(Code::Forbidden, message),
        _ => Refusal::new(Code::UnknownFunction, message),
    })
}

fn entry<'a>(manifest: &'a Manifest, invocation: &Invocation) -> Result<&'a CommandEntry, Refusal> {
    let function = &invocation.function;
    manifest.command(function.as_str()).ok_or_else(|| {
        let message = format!("{} does not have the function {function}.", manifest.id);
        Refusal::new(Code::UnknownFunction, message)
    })
}

/// What a form would ask. This version opens none, so it says what to add to the line.
fn incomplete(manifest: &Manifest, command: &Command, invocation: &Invocation) -> Option<Answer> {
    if invocation.missing.is_empty() && !invocation.form {
        return None;
    }
    let grammar = Grammar {
        manifest,
        presets: &command.install.presets,
        mentioned: &command.request.context.mentioned,
        now: 0,
        time_zone: None,
        site: None,
    };
    let usage = grammar.help(&[invocation.function.as_str()]);
    let lead = if invocation.missing.is_empty() {
        "This version of the bundle opens no forms. Add the values to the command."
    } else {
        "Something is missing. Add it to the command."
    };
    let missing = invocation.missing.iter().map(|name| (name.to_string(), "This is required.".to_owned()));
    let fields: BTreeMap<String, String> = missing.collect();
    let kind = Kind::Error { text: format!("{lead}\n\n{}", usage.trim_end()), fields };
    Some(Answer { kind, warnings: invocation.warnings.clone() })
}

/// The function's answer; where it has none, what its user reads instead. The cause goes to the log.
fn answer(app: &AppId, called: Called, arrival: &Arrival, line: &mut LogLine) -> Result<Answer, Refusal> {
    match called {
        Called::Answered(answer) => Ok(answer),
        Called::Failed(failure) => Ok(failed(app, failure, arrival, line)),
        Called::Broken(trouble) => {
            Err(Refusal::new(trouble.code(), trouble.sentence(app.as_str())).because(trouble))
        }
    }
}

fn failed(app: &AppId, failure: Failure, arrival: &Arrival, line: &mut LogLine) -> Answer {
    if let Some(source) = &failure.source {
        line.failed(source.as_ref());
    }
    let text = failure.text.unwrap_or_else(|| {
        format!(
            "{app} could not do that. If it happens again, tell an admin. (request {})",
            arrival.request_id
        )
    });
    Kind::Error { text, fields: failure.fields }.into()
}
