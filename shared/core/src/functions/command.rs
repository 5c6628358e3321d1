//! The command function: V2 commands, slash commands, and what comes back from posts and dialogs.
//!
//! A command walks one way, whatever [dialect](crate::dialect) it came in: its credential is found, its sender is
//! authenticated, what it asks is decoded, dispatched to the app, finished for the surface that it came from, and rendered.

use crate::{
    authenticate::{self, Presented, Sender, sender},
    dialect::{self, Decoded, Dialect},
    dispatch::{self, AuthenticatedCommand, Dispatched},
    finish::{Finished, Stage, confirm::BotActions, finish},
    http::{Arrival, LogLine, Refusal, Responder, Route},
    services::Services,
};
use bytes::Bytes;
use cloud_apps_protocol::Millis;
use http::{Method, Response};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// No platform gives a request longer, in ms.
const LONGEST: Millis = 15 * 60_000;

/// What is kept of the platform's time for writing the answer after the bot's last post, in ms.
const MARGIN_AFTER_POST: Millis = 500;

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
        Route::Embed | Route::Answers => Err(authenticate::refuse_app(arrival)),
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
        Ok(finished) => line.outcome(finished.name()),
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
) -> Result<Finished, Refusal> {
    let app = services.apps.agreed(&sender.install, arrival.now).await?;
    let Decoded { request, delivery_id, surface, once } = dialect.decode(arrival, &sender, app.manifest())?;
    let command = AuthenticatedCommand { sender, request, delivery_id, once };
    let Dispatched { draft, bot, app } = dispatch::run(services, arrival, command, app, line).await?;
    let until = posts_until(arrival, line.elapsed_ms());
    let bot = BotActions::new(bot, services.http.clone(), Arc::clone(&services.confirmations), until);
    let stage = Stage {
        surface: &surface,
        bot: &bot,
        manifest: app.manifest(),
        keys: &services.keys,
        ledger: &*services.ledger,
        random: &*services.random,
        now: arrival.now,
    };
    Ok(finish(draft, &stage, line).await)
}

/// Until when the bot may post the answer: as long as the platform waits, however long the function took.
fn posts_until(arrival: &Arrival, elapsed_ms: u64) -> Instant {
    let left = arrival.deadline.saturating_sub(arrival.now.saturating_add(MARGIN_AFTER_POST)).min(LONGEST);
    Instant::now() + Duration::from_millis(left.saturating_sub(elapsed_ms))
}
