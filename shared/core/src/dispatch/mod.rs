//! One command, whatever dialect it came in: from a known sender to an answer.
//!
//! Before the function runs: the namespace is the app's → the line is read → what the install was granted → what is missing
//! is asked → the context is filled and cut → the token is spent. Then the function runs, cancelled at the deadline, its
//! panic caught. A line that would be refused is read a second time where an admin has just changed the install.

mod expand;
mod form;
mod granted;
mod prepare;
mod resolve;

pub use prepare::FUNCTION_TIME;

use crate::{
    apps::{Call, Called, NoAnswer, ServedApp},
    authenticate::{Sender, SenderProof, Spend, serves},
    finish::Draft,
    http::{Arrival, LogLine, Refusal},
    keys::InstallBot,
    services::Services,
    store::{cache::Freshness, model::Install},
};
use cloud_app::Failure;
use cloud_apps_protocol::{
    Answer, AppId, Code, CommandRequest, Manifest, Millis,
    answer::Kind,
    limits,
    line::{Invocation, Line},
    manifest::CommandEntry,
    seal::SealKind,
};
use prepare::Prepared;
use resolve::resolve;
use std::{sync::Arc, time::Duration};

/// The largest answer, in bytes (section 20); what a dialect adds to it has room beside.
const MAX_ANSWER: usize = limits::BODY - 4096;

/// A command whose sender is known: its credential was verified.
pub struct AuthenticatedCommand {
    /// Who sent it, for which install.
    pub sender: Sender,
    /// What was asked; the context as the sender gave it.
    pub request: CommandRequest,
    /// The app's idempotency key.
    pub delivery_id: String,
    /// What is spent before the function runs.
    pub once: Option<Spend>,
}

/// What came of a command.
pub struct Dispatched<'s> {
    /// The app's answer, or the bundle's own.
    pub draft: Draft,
    /// The bot of the install that the command ran for.
    pub bot: Arc<InstallBot>,
    /// The install's app.
    pub app: ServedApp<'s>,
}

/// Runs a command: finds its function, requires what it needs, and calls it. `app`: the install's.
pub async fn run<'s>(
    services: &'s Services,
    arrival: &Arrival,
    mut command: AuthenticatedCommand,
    mut app: ServedApp<'s>,
    line: &mut LogLine,
) -> Result<Dispatched<'s>, Refusal> {
    let now = arrival.now;
    line.user = command.request.context.acting_user.as_ref().map(|user| user.id.clone());
    line.delivery_id = Some(command.delivery_id.clone());
    let mut asked = read_line(app.manifest(), &command, now, line);
    if asked.is_err()
        && let Some(again) = changed(services, &command.sender.install, now).await?
    {
        // An admin changed the install a moment ago: whether it serves, its version and its grants are what they are now.
        serves(&again)?;
        command.sender.install = again;
        app = services.apps.agreed(&command.sender.install, now).await?;
        asked = read_line(app.manifest(), &command, now, line);
    }
    let invocation = match asked? {
        Line::Run(invocation) => invocation,
        Line::Help(text) => {
            return Ok(without_a_call(services, command, Answer::text(text).into(), app, now));
        }
    };
    let entry = entry(app.manifest(), &invocation)?;
    let sealed = command.sender.proof.seal();
    let opens_form = sealed.is_some_and(|(_, content)| content.opens_form);
    if !invocation.missing.is_empty() || invocation.form || opens_form {
        let draft = form::asking(app.manifest(), entry, &command, invocation);
        if !fits(&draft.answer) {
            let message = "The form of this command is larger than a server reads, with the values that were sent. Send \
                           fewer or shorter values.";
            return Err(Refusal::new(Code::AnswerTooLarge, message));
        }
        return Ok(without_a_call(services, command, draft, app, now));
    }
    if entry.confirm && sealed.is_some_and(|(kind, content)| kind == SealKind::Action && !content.confirms) {
        let draft = form::confirming(entry, &invocation);
        return Ok(without_a_call(services, command, draft, app, now));
    }
    let once = command.once.clone();
    // A safe command may run twice by a token; an action that counts once counts once all the same.
    let spends = once.as_ref().filter(|once| !entry.safe || once.by.is_some());
    let (draft, bot) = call(services, arrival, command, (&app, spends), (entry, invocation), line).await?;
    if let (Kind::Error { .. }, Some(once)) = (&draft.answer.kind, spends) {
        once.give_back(services, now).await?;
    }
    Ok(Dispatched { draft, bot, app })
}

/// What came of a command that calls no function.
fn without_a_call<'s>(
    services: &Services,
    command: AuthenticatedCommand,
    draft: Draft,
    app: ServedApp<'s>,
    now: Millis,
) -> Dispatched<'s> {
    Dispatched { draft, bot: services.bot(command.sender.install, now), app }
}

/// Calls the function.
async fn call(
    services: &Services,
    arrival: &Arrival,
    command: AuthenticatedCommand,
    (app, spends): (&ServedApp<'_>, Option<&Spend>),
    (entry, Invocation { function, values, warnings, .. }): (&CommandEntry, Invocation),
    line: &mut LogLine,
) -> Result<(Draft, Arc<InstallBot>), Refusal> {
    let now = arrival.now;
    let settings = services.keys.open_settings(&command.sender.install, now).await?;
    let user_proof = command.sender.proof.of_user();
    let deadline = prepare::deadline(arrival, &command.sender);
    let Prepared { request, install, user } = prepare::prepare(app.manifest(), (entry, &values), command)?;
    let bot = services.bot(install, now);
    // The last thing before the function: what fails until here has spent nothing.
    if let Some(once) = spends {
        once.spend(services, now).await?;
    }
    let before = line.elapsed_ms();
    let call = Call {
        function: &function,
        request,
        values,
        settings,
        bot: Arc::clone(&bot),
        user_proof,
        user,
        now,
        deadline,
        left: Duration::from_millis(deadline.saturating_sub(now.saturating_add(before))),
        request_id: &arrival.request_id,
        trace: line.trace(),
    };
    // Boxed: the request would have its room in this future as well.
    let called = Box::pin(services.app_client.call(app, call)).await;
    line.upstream_ms = Some(line.elapsed_ms().saturating_sub(before));
    let mut answer = answer(app.id(), called, arrival, line)?;
    answer.warnings.splice(0..0, warnings);
    if !fits(&answer) {
        return Err(Refusal::new(Code::AnswerTooLarge, NoAnswer::TooLarge.sentence(app.id().as_str())));
    }
    Ok((answer.into(), bot))
}

/// No command answers more than a server reads of it, which is 1 MiB. What is finished is smaller still.
fn fits(answer: &Answer) -> bool {
    serde_json::to_vec(answer).is_ok_and(|json| json.len() <= MAX_ANSWER)
}

/// The install as it is kept, where it is another than the one that was remembered.
async fn changed(
    services: &Services,
    install: &Install,
    now: Millis,
) -> Result<Option<Arc<Install>>, Refusal> {
    let again = services.installs.find(&install.id, Freshness::Reread, now).await?;
    Ok(again.filter(|again| **again != *install))
}

/// Which function the request asks for, and with which values, if the install was granted it.
fn read_line(
    manifest: &Manifest,
    command: &AuthenticatedCommand,
    now: Millis,
    line: &mut LogLine,
) -> Result<Line, Refusal> {
    in_namespace(manifest, command)?;
    let Install { presets, site, .. } = &*command.sender.install;
    let asked = resolve(manifest, presets, &command.request, Some(site), now)?;
    if let Line::Run(invocation) = &asked {
        line.function = Some(invocation.function.to_string());
        granted::require(entry(manifest, invocation)?, command)?;
    }
    Ok(asked)
}

fn in_namespace(manifest: &Manifest, command: &AuthenticatedCommand) -> Result<(), Refusal> {
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
    Err(match command.sender.proof {
        // A static token is good for one app's namespace and no other.
        SenderProof::StaticToken => Refusal::new(Code::Forbidden, message),
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
