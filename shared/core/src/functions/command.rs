//! The command function: V2 commands, slash commands, and what comes back from posts and dialogs.
//!
//! A command walks one way, whatever [dialect](crate::dialect) it came in: its credential is found, its sender is
//! authenticated, what it asks is decoded, dispatched to the app, finished for the surface that it came from, and rendered.

use crate::{
    authenticate::{self, Presented, Sender, seal, sender},
    dialect::{self, Decoded, Dialect},
    dispatch::{self, Command, Dispatched, served_app},
    finish::{confirm::BotActions, finish},
    http::{Arrival, LogLine, Refusal, Responder, Route},
    services::Services,
};
use bytes::Bytes;
use cloud_app::Mattermost;
use cloud_apps_protocol::{
    Answer, Code, Millis,
    seal::{Content, SealKind},
};
use http::{Method, Response, StatusCode};
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// No platform gives a request longer, in ms.
const LONGEST: Millis = 15 * 60_000;

/// What is kept of the platform's time for writing the answer after the bot's last post, in ms.
const MARGIN: Millis = 500;

/// Answers one request.
pub async fn handle(services: &Services, arrival: Arrival) -> Response<Bytes> {
    let mut line = LogLine::new(&arrival);
    // Boxed, because it holds the whole of a command while it runs, and each caller's future would hold it in turn.
    let result = Box::pin(route(services, &arrival, &mut line)).await;
    line.close(&Responder::new(&arrival), result)
}

async fn route(
    services: &Services,
    arrival: &Arrival,
    line: &mut LogLine,
) -> Result<Response<Bytes>, Refusal> {
    arrival.check()?;
    match &arrival.route {
        Route::Slash { .. } if *arrival.request.method() == Method::GET => Ok(dialect::wrong_method(arrival)),
        Route::Action { install } => {
            let opened = seal::open(services, arrival, install, SealKind::Action, line).await;
            not_yet(arrival, opened, "Buttons and menus in posts are", "ephemeral_text", line)
        }
        Route::Dialog { install } => {
            let opened = seal::open(services, arrival, install, SealKind::Dialog, line).await;
            not_yet(arrival, opened, "Dialogs are", "error", line)
        }
        Route::Embed | Route::Answers => Err(authenticate::app(arrival)),
        route => match dialect::of(route) {
            Some(dialect) => {
                // Nobody but its sender is answered before the credential was looked at.
                let presented = dialect.presented(arrival)?;
                Ok(command(services, arrival, dialect, &presented, line).await)
            }
            None => Err(Refusal::no_route()),
        },
    }
}

/// Answers a command in its dialect.
async fn command(
    services: &Services,
    arrival: &Arrival,
    dialect: &dyn Dialect,
    presented: &Presented<'_>,
    line: &mut LogLine,
) -> Response<Bytes> {
    let responder = Responder::new(arrival);
    let (install, answer) = match sender(services, arrival, presented, line).await {
        Ok(sender) => {
            let install = Arc::clone(&sender.install);
            (Some(install), answer(services, arrival, dialect, sender, line).await)
        }
        Err(refusal) => (None, Err(refusal)),
    };
    match &answer {
        Ok(answer) => line.outcome(answer.kind.name()),
        Err(refusal) => line.refused(refusal),
    }
    let mut response = dialect.render(&responder, answer.as_ref());
    if let Some(install) = install.filter(|_| dialect.tells_manifest()) {
        services.apps.name_manifest(&install, &mut response);
    }
    response
}

/// What a known sender is answered.
async fn answer(
    services: &Services,
    arrival: &Arrival,
    dialect: &dyn Dialect,
    sender: Sender,
    line: &mut LogLine,
) -> Result<Answer, Refusal> {
    let app = served_app(services, &sender.install, arrival.now).await?;
    let Decoded { request, delivery_id, surface } = dialect.decode(arrival, &sender, app.manifest())?;
    let command = Command { sender, request, delivery_id };
    let Dispatched { draft, bot } = dispatch::run(services, arrival, command, app, line).await?;
    // The answer may be posted until the platform gives up, however long the function took.
    let left = arrival.deadline.saturating_sub(arrival.now.saturating_add(MARGIN)).min(LONGEST);
    let left = Duration::from_millis(left.saturating_sub(line.elapsed_ms()));
    let mattermost =
        Mattermost::bot(services.http.clone(), Arc::clone(&bot) as _).until(Instant::now() + left);
    let bot = BotActions::new(bot, mattermost, Arc::clone(&services.confirmations));
    Ok(finish(draft, &surface, &bot, line).await)
}

/// What comes back from a post or a dialog is answered by a later version. A person clicked, so they are told so, in
/// the key that their server shows; only a forged seal is not a 200.
fn not_yet(
    arrival: &Arrival,
    opened: Result<Content, Refusal>,
    what: &str,
    key: &str,
    line: &mut LogLine,
) -> Result<Response<Bytes>, Refusal> {
    let refusal = match opened {
        Ok(_) => Refusal::not_served(what, "Use the slash command instead."),
        Err(refusal) if refusal.code == Code::Unauthorized => return Err(refusal),
        Err(refusal) => refusal,
    };
    line.refused(&refusal);
    Ok(Responder::new(arrival).json(StatusCode::OK, &json!({ key: refusal.message })))
}
