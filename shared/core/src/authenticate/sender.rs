//! The sender of a command: its credential leads to an install, and proves a little or a lot of who acts.

use super::{
    Spend, jwt,
    seal::{self, SealCredential},
    slash::{self, SlashCredential},
    static_token,
};
use crate::{
    http::{Arrival, LogLine, Refusal},
    services::Services,
    store::model::Install,
};
use cloud_apps_protocol::{
    TeamId,
    seal::{Content, SealKind},
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
    /// The token in the form of a slash command.
    Slash(SlashCredential<'a>),
    /// A seal of the bundle's own that came back through Mattermost.
    Seal(SealCredential<'a>),
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
    /// A seal: the bundle itself made the button or the dialog that came back.
    Seal {
        /// What it is good for.
        kind: SealKind,
        /// What it holds.
        content: Box<Content>,
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
    /// The REST token of the acting user, if one came.
    pub fn into_user_token(self) -> Option<UserToken> {
        match self {
            Self::Server { user_token, .. } => user_token,
            Self::StaticToken | Self::Slash { .. } | Self::Seal { .. } => None,
        }
    }

    /// What is spent when a command runs that must not run twice. Only a server gives each request a token of its own.
    pub fn once(&self) -> Option<&Spend> {
        match self {
            Self::Server { once, .. } => Some(once),
            Self::StaticToken | Self::Slash { .. } | Self::Seal { .. } => None,
        }
    }

    /// The seal, if it is one.
    pub fn seal(&self) -> Option<(SealKind, &Content)> {
        match self {
            Self::Seal { kind, content } => Some((*kind, content)),
            Self::Server { .. } | Self::StaticToken | Self::Slash { .. } => None,
        }
    }

    /// How the acting user was proved; `None`: not at all.
    pub fn of_user(&self) -> Option<Proof> {
        match self {
            Self::Server { .. } => Some(Proof::Jwt),
            Self::Slash { .. } => Some(Proof::Slash),
            Self::Seal { .. } => Some(Proof::Seal),
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
            // With scope `bot` it is the bot's own token, which the install has already.
            let user_token = mattermost_token
                .filter(|_| scope != Scope::Bot)
                .map(|token| UserToken { token: token.into(), admin: scope == Scope::Admin });
            Ok(Sender { install, proof: SenderProof::Server { sub, user_token, jti, once } })
        }
        Presented::StaticToken(token) => {
            let install = static_token::install(services, token, arrival.now, line).await?;
            Ok(Sender { install, proof: SenderProof::StaticToken })
        }
        Presented::Slash(credential) => {
            let (install, team) = slash::install(services, arrival, credential, line).await?;
            Ok(Sender { install, proof: SenderProof::Slash { team } })
        }
        Presented::Seal(credential) => {
            let (install, content) = seal::install(services, arrival, credential, line).await?;
            Ok(Sender {
                install,
                proof: SenderProof::Seal { kind: credential.kind, content: Box::new(content) },
            })
        }
    }
}
