//! The JWT profile (section 2) and the `Authorization` header. The clock is handed in.

use crate::{AppId, Generation, InstallId, KeyId, Millis, error::Code, secret::Secret};
use serde::{Deserialize, Serialize};

/// The direction of a token. Each is refused elsewhere (RFC 8725 §3.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Mattermost server → bundle: `cloud-apps+jwt`.
    Server,
    /// Bundle → app: `cloud-apps-upstream+jwt`.
    Upstream,
    /// App → bundle: `cloud-apps-app+jwt`.
    App,
}

/// `<app>.<key>.<install_id>.<generation>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kid {
    /// Whose key ring.
    pub app: AppId,
    /// Which key of it.
    pub key: KeyId,
    /// Which install.
    pub install: InstallId,
    /// Which of its secrets; never 0.
    pub generation: Generation,
}

/// With whose rights the sender speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The words of the protocol.
pub enum Scope {
    User,
    Bot,
    Admin,
}

/// The claims of a server's token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Site URL.
    pub iss: String,
    /// App id.
    pub aud: String,
    /// Acting user's id; the bot's for events.
    pub sub: String,
    /// Unix seconds.
    pub iat: u64,
    /// Unix seconds.
    pub exp: u64,
    /// At least 128 random bits.
    pub jti: String,
    /// The method.
    pub htm: String,
    /// The route without host and stage.
    pub htp: String,
    /// With whose rights.
    pub scope: Scope,
    /// A REST token of that scope. Never logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mattermost_token: Option<String>,
    /// base64url without padding of the SHA-256 of the exact bytes of the body.
    pub body_sha256: String,
}

impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claims").field("iss", &self.iss).field("aud", &self.aud).field("sub", &self.sub).finish_non_exhaustive()
    }
}

/// What the `Authorization` header holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// Two dots: a JWT, whole.
    Jwt(String),
    /// Otherwise a static token of 26 characters, or an install or manage code.
    Opaque(String),
}

/// What the route knows about the request that a token must match.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// `POST`.
    pub method: &'a str,
    /// `/command`.
    pub route: &'a str,
    /// The exact bytes.
    pub body: &'a [u8],
    /// Unix milliseconds.
    pub now: Millis,
}

/// A token that is refused: the code and, for `bad_token`, the claim.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// `unauthorized` for everything before the MAC verified.
    pub code: Code,
    /// Which claim, for `bad_token`.
    pub claim: Option<&'static str>,
    /// What happened, what to do. Never the expected MAC.
    pub message: String,
}

impl Credential {
    /// Reads the values of all `Authorization` headers: exactly one, scheme `Bearer` or `Token` in any case, at
    /// most 4 KiB, no comma (API Gateway joins two headers with one).
    pub fn from_headers<'h>(headers: impl IntoIterator<Item = &'h [u8]>) -> Result<Self, Refused> {
        let _ = headers.into_iter().next();
        unimplemented!("owned by the protocol work")
    }
}

/// A token whose header has the right shape; nothing is verified yet.
#[derive(Clone)]
pub struct Unverified {
    /// Which secret it claims to be made with.
    pub kid: Kid,
    #[allow(dead_code)]
    token: String,
}

impl Unverified {
    /// Checks alg, typ, kid, crit and the token's size. Every failure is the same `unauthorized`.
    pub fn parse(token: &str, direction: Direction) -> Result<Self, Refused> {
        let _ = (token, direction);
        unimplemented!("owned by the protocol work")
    }

    /// Verifies the MAC, then every claim that needs no install: shape, times, method, route, body.
    /// `iss`, `aud`, `sub`, scope and generation are compared by the caller once the install is read.
    pub fn verify(&self, secret: &Secret, expected: Expected<'_>) -> Result<Claims, Refused> {
        let _ = (secret, expected);
        unimplemented!("owned by the protocol work")
    }
}

/// Makes a token.
pub fn sign(direction: Direction, kid: &Kid, secret: &Secret, claims: &impl Serialize) -> String {
    let _ = (direction, kid, secret, serde_json::to_string(claims));
    unimplemented!("owned by the protocol work")
}

/// base64url without padding of SHA-256: `body_sha256`.
pub fn body_sha256(body: &[u8]) -> String {
    data_encoding::BASE64URL_NOPAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body).as_ref())
}
