//! The claims of a server's token: how they are read and checked.

use super::{Expected, LEEWAY, MAX_LIFE, Members, Refused, body_sha256};
use crate::error::Code;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// The shortest `jti`: 128 bits in base64url.
const MIN_JTI: usize = 22;
/// The longest `jti`.
const MAX_JTI: usize = 128;

/// Whose rights a request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // docs/protocol.md describes these words.
pub enum Scope {
    User,
    Bot,
    Admin,
}

/// The claims of a server's token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The server's site URL.
    pub iss: String,
    /// The app's id.
    pub aud: String,
    /// The acting user's id; for events the bot's.
    pub sub: String,
    /// When it was made, in Unix seconds.
    pub iat: u64,
    /// When it expires, in Unix seconds.
    pub exp: u64,
    /// The token's id: at least 128 random bits.
    pub jti: String,
    /// The request's method.
    pub htm: String,
    /// The request's path, without host and stage.
    pub htp: String,
    /// Whose rights the request has.
    pub scope: Scope,
    /// A REST token of that scope. It is never logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mattermost_token: Option<String>,
    /// SHA-256 of the bytes of the body, as base64url without padding.
    pub body_sha256: String,
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("iss", &self.iss)
            .field("aud", &self.aud)
            .field("sub", &self.sub)
            .finish_non_exhaustive()
    }
}

impl Claims {
    pub(super) fn read(members: &Members) -> Result<Self, Refused> {
        let claims = Self {
            iss: members.text("iss")?,
            aud: members.text("aud")?,
            sub: members.text("sub")?,
            iat: members.seconds("iat")?,
            exp: members.seconds("exp")?,
            jti: members.text("jti")?,
            htm: members.text("htm")?,
            htp: members.text("htp")?,
            scope: serde_json::from_value(Value::String(members.text("scope")?)).map_err(|_| {
                Refused::bad_token("scope", "The token's claim `scope` must be user, bot or admin.")
            })?,
            mattermost_token: if members.has("mattermost_token") {
                Some(members.text("mattermost_token")?)
            } else {
                None
            },
            body_sha256: members.text("body_sha256")?,
        };
        let random = claims.jti.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !random || !(MIN_JTI..=MAX_JTI).contains(&claims.jti.len()) {
            return Err(Refused::bad_token(
                "jti",
                format!(
                    "The token's claim `jti` must have {MIN_JTI} to {MAX_JTI} characters of base64url: 128 random bits or more."
                ),
            ));
        }
        Ok(claims)
    }

    pub(super) fn check(&self, expected: Expected<'_>) -> Result<(), Refused> {
        let now = expected.now / 1000;
        match self.exp.checked_sub(self.iat) {
            Some(1..=MAX_LIFE) => {}
            _ => {
                return Err(Refused::bad_token(
                    "exp",
                    format!("The token's `exp` must be 1 to {MAX_LIFE} s after its `iat`; 60 s are usual."),
                ));
            }
        }
        if self.htm != expected.method {
            return Err(Refused::bad_token(
                "htm",
                format!("The token is for another method: this request's is {}.", expected.method),
            ));
        }
        if self.htp != expected.route {
            return Err(Refused::bad_token(
                "htp",
                format!(
                    "The token is for another route: this request's is {}, without host and stage.",
                    expected.route
                ),
            ));
        }
        if self.exp.saturating_add(LEEWAY) < now {
            return Err(Refused::code(
                Code::TokenExpired,
                "The token has expired. Make a new one for every request, and compare this machine's clock with ours.",
            ));
        }
        if self.iat > now.saturating_add(LEEWAY) {
            return Err(Refused::code(
                Code::ClockSkew,
                format!(
                    "The token is from the future: our clock says {now} (Unix seconds). Set the sender's clock by NTP."
                ),
            ));
        }
        let body = body_sha256(expected.body);
        if verify_slices_are_equal(body.as_bytes(), self.body_sha256.as_bytes()).is_err() {
            return Err(Refused::code(
                Code::BodyMismatch,
                "The body is not the one that was signed: `body_sha256` is of the exact bytes as sent.",
            ));
        }
        Ok(())
    }
}
