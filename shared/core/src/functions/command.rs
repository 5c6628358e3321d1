//! The command function: V2 commands, slash commands, and what comes back from posts and dialogs.

use crate::{
    authenticate::{self, seal},
    dialect::{slash, v2},
    http::{Arrival, LogLine, Refusal, Responder, Route},
    services::Services,
};
use bytes::Bytes;
use cloud_apps_protocol::{
    Code,
    seal::{Content, SealKind},
};
use http::{Method, Response, StatusCode};
use serde_json::json;
use std::sync::Arc;

/// Answers one request.
pub async fn handle(services: &Arc<Services>, arrival: Arrival) -> Response<Bytes> {
    let mut line = LogLine::new(&arrival);
    // Boxed, because it holds the whole of a command while it runs, and each caller's future would hold it in turn.
    let result = Box::pin(route(services, &arrival, &mut line)).await;
    line.close(&Responder::new(&arrival), result)
}

async fn route(
    services: &Arc<Services>,
    arrival: &Arrival,
    line: &mut LogLine,
) -> Result<Response<Bytes>, Refusal> {
    arrival.check()?;
    match &arrival.route {
        Route::Command { .. } => v2::command(services, arrival, line).await,
        Route::Slash { .. } if *arrival.request.method() == Method::GET => Ok(slash::wrong_method(arrival)),
        Route::Slash { install } => slash::command(services, arrival, install, line).await,
        Route::Action { install } => {
            let opened = seal::open(services, arrival, install, SealKind::Action, line).await;
            not_yet(arrival, opened, "Buttons and menus in posts are", "ephemeral_text", line)
        }
        Route::Dialog { install } => {
            let opened = seal::open(services, arrival, install, SealKind::Dialog, line).await;
            not_yet(arrival, opened, "Dialogs are", "error", line)
        }
        Route::Embed | Route::Answers => Err(authenticate::app(arrival)),
        _ => Err(Refusal::no_route()),
    }
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
