//! The autocomplete function: V2 queries, and lookups and refreshes of dialogs. Their senders are verified; the
//! queries themselves come with a later version.

use crate::{
    authenticate::{self, jwt, seal},
    http::{Arrival, LogLine, Refusal, Responder, Route},
    services::Services,
};
use bytes::Bytes;
use cloud_apps_protocol::{command::Context, seal::SealKind, token::Credential};
use http::Response;
use serde::Deserialize;
use std::sync::Arc;

/// Answers one request.
pub async fn handle(services: &Arc<Services>, arrival: Arrival) -> Response<Bytes> {
    let mut line = LogLine::new(&arrival);
    let result = route(services, &arrival, &mut line).await;
    line.close(&Responder::new(&arrival), result)
}

async fn route(
    services: &Services,
    arrival: &Arrival,
    line: &mut LogLine,
) -> Result<Response<Bytes>, Refusal> {
    arrival.check()?;
    match &arrival.route {
        Route::Autocomplete => {
            query(services, arrival, line).await?;
            Err(Refusal::not_served(
                "The Autocomplete Query API is",
                "Type the command; `help` lists what it takes.",
            ))
        }
        Route::Lookup { install, .. } | Route::Refresh { install } => {
            seal::open(services, arrival, install, SealKind::Dialog, line).await?;
            Err(Refusal::not_served("Lookups and refreshes of dialogs are", "Use the slash command instead."))
        }
        _ => Err(Refusal::no_route()),
    }
}

/// The part of a query that says who asks.
#[derive(Deserialize)]
struct Query {
    #[serde(default)]
    context: Context,
}

/// A query changes nothing: its token is verified like a command's, and not spent.
async fn query(services: &Services, arrival: &Arrival, line: &mut LogLine) -> Result<(), Refusal> {
    let Credential::Jwt(token) = authenticate::credential(arrival)? else {
        return Err(Refusal::unauthorized());
    };
    let verified = jwt::verify(services, arrival, &token, line).await?;
    let query: Query = arrival.json()?;
    verified.acts_as(query.context.acting_user.as_ref().map(|user| user.id.as_str()))?;
    verified.install(services, arrival.now).await?;
    Ok(())
}
