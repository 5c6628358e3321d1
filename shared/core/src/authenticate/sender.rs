//! The sender of a command: one of three credentials leads to an install, and proves a little or a lot of who acts.

use super::{Spend, jwt, slash, static_token};
use crate::{
    http::{Arrival, LogLine, Refusal},
    services::Services,
    store::model::Install,
};
use cloud_apps_protocol::{
    TeamId,
    token::{Claims, Proof, Scope},
};
use secrecy::SecretString;
use std::sync::Arc;

/// The credential of a request, as it was sent: nothing of it is verified.
pub enum Presented<'a> {
    /// A JWT of a V2 server.
    Jwt(String),
    /// A static token.
    StaticToken(String),
    /// What the form of a slash command says of itself.
    Slash(slash::Claim<'a>),
}

/// Who sent a command.
pub struct Sender {
    /// For which install.
    pub install: Arc<Install>,
    /// What the credential proves.
    pub proof: SenderProof,
}

/// What a credential proves of its sender, and what came with it.
pub enum SenderProof {
    /// A V2 server signed the request.
    Server {
        /// The acting user, as the token has it.
        sub: String,
        /// A REST token of the acting user, if one came.
        user_token: Option<UserToken>,
        /// The app's idempotency key.
        jti: String,
        /// What is spent when a command runs that must not run twice.
        once: Spend,
    },
    /// A static token: the install, and nothing else.
    StaticToken,
    /// The token of a slash command.
    Slash {
        /// The team that it was sent for.
        team: TeamId,
    },
}

/// A REST token that came with a request.
pub struct UserToken {
    /// The token; dropped with the request.
    pub token: SecretString,
    /// Whether its user is a system admin.
    pub admin: bool,
}

impl SenderProof {
    /// How the acting user was proved; `None`: not at all.
    pub fn of_user(&self) -> Option<Proof> {
        match self {
            Self::Server { .. } => Some(Proof::Jwt),
            Self::Slash { .. } => Some(Proof::Slash),
            Self::StaticToken => None,
        }
    }
}

/// Verifies a credential, and finds the install that it belongs to and that serves.
pub async fn sender(
    services: &Services,
    arrival: &Arrival,
    presented: &Presented<'_>,
    line: &mut LogLine,
) -> Result<Sender, Refusal> {
    match presented {
        Presented::Jwt(token) => {
            let verified = jwt::verify(services, arrival, token, line).await?;
            let install = verified.install(services, arrival.now).await?;
            let once = verified.once();
            let Claims { sub, jti, scope, mattermost_token, .. } = verified.claims;
            let user_token = match scope {
                Scope::User => mattermost_token.map(|token| UserToken { token: token.into(), admin: false }),
                Scope::Admin => mattermost_token.map(|token| UserToken { token: token.into(), admin: true }),
                // The bot's own token, which the install has already.
                Scope::Bot => None,
            };
            Ok(Sender { install, proof: SenderProof::Server { sub, user_token, jti, once } })
        }
        Presented::StaticToken(token) => {
            let install = static_token::install(services, token, arrival.now, line).await?;
            Ok(Sender { install, proof: SenderProof::StaticToken })
        }
        Presented::Slash(claim) => {
            let (install, team) = slash::install(services, arrival, claim, line).await?;
            Ok(Sender { install, proof: SenderProof::Slash { team } })
        }
    }
}
