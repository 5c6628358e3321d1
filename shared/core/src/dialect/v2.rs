//! V2: JSON in, JSON out (sections 3 and 4), from a server with a JWT or a caller with a static token.

use crate::{
    authenticate::{self, jwt, static_token},
    dispatch::{self, Caller, Command, UserToken},
    http::{Arrival, LogLine, Refusal, Responder},
    services::Services,
    store::cache::Freshness,
};
use bytes::Bytes;
use cloud_apps_protocol::{
    Answer, Code, CommandRequest,
    answer::Kind,
    command::User,
    token::{Claims, Credential, Scope},
};
use http::{Response, StatusCode};
use std::sync::Arc;

/// `POST /command` and `POST /`.
pub async fn command(
    services: &Arc<Services>,
    arrival: &Arrival,
    line: &mut LogLine,
) -> Result<Response<Bytes>, Refusal> {
    let command = match authenticate::credential(arrival)? {
        Credential::Jwt(token) => by_jwt(services, arrival, &token, line).await?,
        Credential::Opaque(token) => by_static_token(services, arrival, &token, line).await?,
    };
    let install = Arc::clone(&command.install);
    let responder = Responder::new(arrival);
    let mut response = match dispatch::run(services, arrival, command, line).await {
        Ok(answer) => render(&responder, &answer, line),
        Err(refusal) => {
            line.refused(&refusal);
            responder.refuse(&refusal)
        }
    };
    // Also on a refusal: a server that asks for what is gone learns that it must fetch the install again.
    services.apps.name_manifest(&install, &mut response);
    Ok(response)
}

async fn by_jwt(
    services: &Services,
    arrival: &Arrival,
    token: &str,
    line: &mut LogLine,
) -> Result<Command, Refusal> {
    let verified = jwt::verify(services, arrival, token, line).await?;
    let mut request: CommandRequest = arrival.json()?;
    let acting = request.context.acting_user.as_ref().map(|user| user.id.as_str());
    verified.acts_as(acting)?;
    if request.context.acting_user.is_none() {
        let id = verified.claims.sub.parse().map_err(|_| {
            Refusal::new(Code::BadToken, "The token's sub is not a Mattermost user id.").with("claim", "sub")
        })?;
        request.context.acting_user = Some(User::of(id));
    }
    let once = verified.once();
    // The app's own definition says whether this may run twice. Where only a preset of the install's admin decides,
    // it is spent before the function runs instead.
    let app = services.apps.app(&verified.kid.app, Freshness::Cached, arrival.now).await?;
    let early = app.is_some_and(|app| dispatch::must_spend(app.manifest(), &request, arrival.now));
    let (install, spent) = tokio::join!(verified.install(services, arrival.now), async {
        if early { once.spend(services, arrival.now).await } else { Ok(()) }
    });
    let install = install?;
    spent?;
    let unspent = (!early).then_some(once);
    let delivery_id = verified.claims.jti.clone();
    let user_token = user_token(verified.claims);
    Ok(Command { install, request, caller: Caller::Server { user_token, unspent }, delivery_id })
}

fn user_token(claims: Claims) -> Option<UserToken> {
    let admin = match claims.scope {
        Scope::User => false,
        Scope::Admin => true,
        // The bot's own token, which the install has already.
        Scope::Bot => return None,
    };
    claims.mattermost_token.map(|token| UserToken { token: token.into(), admin })
}

async fn by_static_token(
    services: &Services,
    arrival: &Arrival,
    token: &str,
    line: &mut LogLine,
) -> Result<Command, Refusal> {
    let install = static_token::install(services, token, arrival.now, line).await?;
    let request = arrival.json()?;
    Ok(Command { install, request, caller: Caller::StaticToken, delivery_id: arrival.request_id.clone() })
}

/// The answer as it stands in section 4.
fn render(responder: &Responder, answer: &Answer, line: &mut LogLine) -> Response<Bytes> {
    line.outcome(name(&answer.kind));
    responder.json(StatusCode::OK, answer)
}

/// The word for an answer, for the log.
pub(super) fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Message(_) => "message",
        Kind::Form { .. } => "form",
        Kind::Navigate { .. } => "navigate",
        Kind::Ask { .. } => "ask",
        Kind::Accepted { .. } => "accepted",
        Kind::Error { .. } => "error",
        Kind::Done => "done",
    }
}
