//! The event function: events of servers, and webhooks of vendors. Senders are verified, but this version of the bundle does not
//! deliver events yet. So the events of a V2 server are refused, and the server keeps them. An outgoing webhook cannot be
//! refused, because Mattermost sends it once and ignores the status; it is answered and dropped. Every install says this
//! under `unavailable`.

use crate::{
    authenticate::{body, jwt, webhook},
    http::{Arrival, LogLine, Refusal, Responder, Route},
    not_served::NotServed,
    services::Services,
};
use bytes::Bytes;
use cloud_apps_protocol::{Code, token::Scope};
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use std::borrow::Cow;

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
        Route::Event => {
            events(services, arrival, line).await?;
            Err(NotServed::Events.refusal("They were not accepted."))
        }
        Route::OutgoingWebhook { install } => {
            outgoing_webhook(services, arrival, install, line).await?;
            // Mattermost would post any text of this answer to the channel.
            line.outcome("dropped");
            Ok(Responder::new(arrival).json(StatusCode::OK, &json!({})))
        }
        // Webhooks of vendors cannot be registered yet, so there is no secret to verify their sender.
        Route::VendorWebhook { .. } => {
            Err(NotServed::VendorWebhooks.refusal("The delivery was not accepted."))
        }
        _ => Err(Refusal::no_route()),
    }
}

/// Verifies that events come from the server itself: the scope is `bot`, and the subject is the bot.
async fn events(services: &Services, arrival: &Arrival, line: &mut LogLine) -> Result<(), Refusal> {
    let verified = jwt::of_server(services, arrival, line).await?;
    let install = verified.install(services, arrival.now).await?;
    verified.acts_as(Some(install.bot.id.as_str()))?;
    if verified.claims.scope != Scope::Bot {
        return Err(Refusal::new(Code::Forbidden, "Events are sent with the scope bot."));
    }
    Ok(())
}

/// The fields of an outgoing webhook that say where it comes from.
#[derive(Default, Deserialize)]
#[serde(default)]
struct WebhookFields<'b> {
    #[serde(borrow)]
    token: Cow<'b, str>,
    #[serde(borrow)]
    team_id: Cow<'b, str>,
    #[serde(borrow)]
    channel_id: Cow<'b, str>,
}

async fn outgoing_webhook(
    services: &Services,
    arrival: &Arrival,
    install: &str,
    line: &mut LogLine,
) -> Result<(), Refusal> {
    let body = arrival.request.body();
    let WebhookFields { token, team_id, channel_id } = if arrival.is_json() {
        body::json(body)?
    } else {
        let [token, team_id, channel_id] = body::form(body, ["token", "team_id", "channel_id"])?;
        WebhookFields { token, team_id, channel_id }
    };
    let credential =
        webhook::WebhookCredential { install, team: &team_id, channel: &channel_id, token: &token };
    webhook::install(services, &credential, arrival.now, line).await?;
    Ok(())
}
