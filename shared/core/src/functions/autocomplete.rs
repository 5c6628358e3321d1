//! The autocomplete function: V2 queries, and lookups and refreshes of dialogs. Their senders are verified, but this version of
//! the bundle does not answer the queries yet.

use crate::{
    authenticate::{
        jwt,
        seal::{self, SealCredential},
    },
    http::{Arrival, LogLine, Refusal, Responder, Route},
    not_served::NotServed,
    services::Services,
};
use bytes::Bytes;
use cloud_apps_protocol::{command::Context, seal::SealKind};
use http::Response;
use serde::Deserialize;

/// Answers one request.
pub async fn handle(services: &Services, arrival: Arrival) -> Response<Bytes> {
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
            Err(NotServed::Queries.refusal("Type the command; `help` lists what it takes."))
        }
        Route::Lookup { install, .. } | Route::Refresh { install } => {
            let credential = SealCredential::of(arrival, install, SealKind::Dialog)?;
            seal::install(services, arrival, &credential, line).await?;
            Err(NotServed::DialogRequests.refusal("Use the slash command instead."))
        }
        _ => Err(Refusal::no_route()),
    }
}

/// The part of a query that names the user.
#[derive(Deserialize)]
struct Query {
    #[serde(default)]
    context: Context,
}

/// Verifies the token of a query. It is not spent, because a query changes nothing.
async fn query(services: &Services, arrival: &Arrival, line: &mut LogLine) -> Result<(), Refusal> {
    let verified = jwt::of_server(services, arrival, line).await?;
    let query: Query = arrival.json()?;
    verified.acts_as(query.context.acting_user.as_ref().map(|user| user.id.as_str()))?;
    verified.install(services, arrival.now).await?;
    Ok(())
}
