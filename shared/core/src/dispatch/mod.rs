//! One command, whatever dialect it came in: from an authenticated request to an answer.
//!
//! Before the function runs: the namespace is the app's → the line is read → what the install was granted → what is
//! missing is said → the context is filled and cut → the token is spent. Then the function runs, cancelled at the
//! deadline, its panic caught; and its answer is settled ([`crate::settle`]).

mod call;
mod granted;
mod replay;
mod surroundings;

pub use call::{Called, call};
pub use replay::{Spend, must_spend};
pub use surroundings::FUNCTION_TIME;

use crate::{
    edge::Arrival, log::LogLine, model::Install, refusal::Refusal, resolve::resolve, settle, world::World,
};
use cloud_app::{App, Cx, Failure};
use cloud_apps_protocol::{
    Answer, Code, CommandRequest, FunctionName, Values,
    answer::Kind,
    limits,
    line::{Grammar, Invocation, Line},
    manifest::CommandEntry,
};
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
    Slash,
}

impl Caller {
    fn unspent(&self) -> Option<Spend> {
        match self {
            Self::Server { unspent, .. } => unspent.clone(),
            Self::StaticToken | Self::Slash => None,
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
    world: &Arc<World>,
    arrival: &Arrival,
    mut command: Command,
    line: &mut LogLine,
) -> Result<Answer, Refusal> {
    line.user = command.request.context.acting_user.as_ref().map(|user| user.id.to_string());
    line.delivery_id = Some(command.delivery_id.clone());
    let app = linked(world, &command.install)?;
    in_namespace(app, &command)?;
    let Install { presets, site, .. } = &*command.install;
    let invocation = match resolve(app.manifest(), presets, &command.request, Some(site), arrival.now)? {
        Line::Run(invocation) => invocation,
        Line::Help(text) => return Ok(Answer::text(text)),
    };
    line.function = Some(invocation.function.to_string());
    let entry = entry(app, &invocation)?;
    granted::require(world, entry, &mut command, arrival.now).await?;
    if let Some(answer) = incomplete(app, &command, &invocation) {
        return Ok(answer);
    }
    let unspent = command.caller.unspent();
    let settings = world.keys.open_settings(&command.install, arrival.now).await?;
    let (cx, place) = surroundings::surroundings(world, arrival, app, entry, command, settings)?;
    if let (false, Some(spend)) = (entry.safe, unspent) {
        spend.spend(world, arrival.now).await?;
    }
    let mut answer = answer(app, cx, &invocation.function, invocation.values, arrival, line).await?;
    answer.warnings.splice(0..0, invocation.warnings);
    fits(app, settle::settle(answer, &place, line).await)
}

/// A server reads 1 MiB of an answer and understands no cut JSON.
fn fits(app: &App, answer: Answer) -> Result<Answer, Refusal> {
    let bytes = serde_json::to_vec(&answer).map_or(0, |json| json.len());
    if bytes <= MAX_ANSWER {
        return Ok(answer);
    }
    let message = format!("{} answered with more than a server reads (1 MiB).", app.manifest().id);
    Err(Refusal::new(Code::AnswerTooLarge, message))
}

/// The app of an install, where it is linked into this bundle.
fn linked<'w>(world: &'w World, install: &Install) -> Result<&'w App, Refusal> {
    world.linked.get(&install.app).ok_or_else(|| {
        let message = format!(
            "{} is not linked into this bundle, and other upstreams are not called yet.",
            install.app
        );
        Refusal::new(Code::UpstreamFailed, message)
    })
}

fn in_namespace(app: &App, command: &Command) -> Result<(), Refusal> {
    let namespace = command
        .request
        .namespace()
        .map_err(|error| Refusal::bad_request("/command/namespace", format!("The namespace {error}.")))?;
    let own = app.manifest().namespace();
    if namespace.as_str() == own {
        return Ok(());
    }
    let message =
        format!("/{namespace} is not a command of {}: its commands begin with /{own}.", app.manifest().id);
    Err(match command.caller {
        // A static token is good for one app's namespace and no other.
        Caller::StaticToken => Refusal::new(Code::Forbidden, message),
        _ => Refusal::new(Code::UnknownFunction, message),
    })
}

fn entry<'a>(app: &'a App, invocation: &Invocation) -> Result<&'a CommandEntry, Refusal> {
    app.manifest().command(invocation.function.as_str()).ok_or_else(|| unknown(app, &invocation.function))
}

fn unknown(app: &App, function: &FunctionName) -> Refusal {
    Refusal::new(
        Code::UnknownFunction,
        format!("{} does not have the function {function}.", app.manifest().id),
    )
}

/// What a form would ask. This version opens none, so it says what to add to the line.
fn incomplete(app: &App, command: &Command, invocation: &Invocation) -> Option<Answer> {
    if invocation.missing.is_empty() && !invocation.form {
        return None;
    }
    let grammar = Grammar {
        manifest: app.manifest(),
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
async fn answer(
    app: &App,
    cx: Cx,
    function: &FunctionName,
    values: Values,
    arrival: &Arrival,
    line: &mut LogLine,
) -> Result<Answer, Refusal> {
    let id = &app.manifest().id;
    let before = line.elapsed_ms();
    let left = surroundings::deadline(arrival).saturating_sub(arrival.now.saturating_add(before));
    let called = call(app, function.as_str(), cx, values, Duration::from_millis(left)).await;
    line.upstream_ms = Some(line.elapsed_ms().saturating_sub(before));
    match called {
        Called::Answered(answer) => Ok(answer),
        Called::Failed(failure) => Ok(failed(app, failure, arrival, line)),
        Called::Panicked(text) => {
            Err(Refusal::new(Code::UpstreamFailed, broken(app))
                .because(format!("the function panicked: {text}")))
        }
        Called::TookTooLong => {
            let message = format!(
                "{id} took too long and was stopped. A part of it may be done: look before you try again."
            );
            Err(Refusal::new(Code::Deadline, message))
        }
        Called::Unknown => Err(unknown(app, function)),
    }
}

fn broken(app: &App) -> String {
    format!("{} could not do that. If it happens again, tell an admin.", app.manifest().id)
}

fn failed(app: &App, failure: Failure, arrival: &Arrival, line: &mut LogLine) -> Answer {
    if let Some(source) = &failure.source {
        line.failed(source.as_ref());
    }
    let text = failure.text.unwrap_or_else(|| format!("{} (request {})", broken(app), arrival.request_id));
    Kind::Error { text, fields: failure.fields }.into()
}
