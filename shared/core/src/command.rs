//! The command function: V2 commands, slash commands, and what comes back from posts and dialogs.

use crate::{
    authenticate::{self, seal},
    dialect::{slash, v2},
    edge::{Arrival, Route},
    log::LogLine,
    refusal::Refusal,
    respond::Responder,
    world::World,
};
use bytes::Bytes;
use cloud_apps_protocol::{
    seal::SealKind,
    token::{Credential, Direction, Unverified},
};
use http::{Method, Response};
use serde_json::Value;
use std::sync::Arc;

/// Answers one request.
pub async fn handle(world: &Arc<World>, arrival: Arrival) -> Response<Bytes> {
    let mut line = LogLine::new(&arrival);
    let result = route(world, &arrival, &mut line).await;
    line.close(&Responder::new(&arrival), result)
}

async fn route(
    world: &Arc<World>,
    arrival: &Arrival,
    line: &mut LogLine,
) -> Result<Response<Bytes>, Refusal> {
    arrival.check()?;
    match &arrival.route {
        Route::Command { .. } => v2::command(world, arrival, line).await,
        Route::Slash { .. } if *arrival.request.method() == Method::GET => Ok(slash::wrong_method(arrival)),
        Route::Slash { install } => slash::command(world, arrival, install, line).await,
        Route::Action { install } => {
            let text = text_at(arrival, "/context/seal")?;
            seal::open(world, arrival, install, SealKind::Action, &text, line).await?;
            Err(Refusal::not_served("Buttons and menus in posts are", "Use the slash command instead."))
        }
        Route::Dialog { install } => {
            let text = text_at(arrival, "/state")?;
            seal::open(world, arrival, install, SealKind::Dialog, &text, line).await?;
            Err(Refusal::not_served("Dialogs are", "Use the slash command instead."))
        }
        Route::Embed | Route::Answers => Err(upstream(arrival)),
        _ => Err(no_route()),
    }
}

/// An app that runs outside the bundle speaks with its upstream secret. This version hands none out, so whatever
/// comes is refused; it is read all the same, so that a malformed token is answered like everywhere else.
pub(crate) fn upstream(arrival: &Arrival) -> Refusal {
    match authenticate::credential(arrival) {
        Ok(Credential::Jwt(token)) => {
            Unverified::parse(&token, Direction::App).err().map_or_else(Refusal::unauthorized, Refusal::from)
        }
        Ok(Credential::Opaque(_)) => Refusal::unauthorized(),
        Err(refusal) => refusal,
    }
}

/// A seal in a JSON body. No body, no seal: the same refusal as for a forged one.
pub(crate) fn text_at(arrival: &Arrival, pointer: &str) -> Result<String, Refusal> {
    let body: Value = serde_json::from_slice(arrival.request.body()).map_err(|_| Refusal::unauthorized())?;
    body.pointer(pointer).and_then(Value::as_str).map(str::to_owned).ok_or_else(Refusal::unauthorized)
}

/// A path that no function of this bundle serves, or that another one does.
pub(crate) fn no_route() -> Refusal {
    Refusal::new(cloud_apps_protocol::Code::NoRoute, "Nothing is served at this path and method.")
}
