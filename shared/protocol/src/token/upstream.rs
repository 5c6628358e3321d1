//! The tokens between the bundle and an app that runs elsewhere (section 15).

use super::Refused;
use crate::{AppId, Generation, InstallId, KeyId};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The name of an app's upstream secret: `<app>.<key>.upstream.<generation>`. No install has the id `upstream`, so it cannot be
/// confused with a [`Kid`](super::Kid).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UpstreamKid {
    /// The app.
    pub app: AppId,
    /// The key of the app's ring from which it is derived.
    pub key: KeyId,
    /// Its generation, never 0.
    pub generation: Generation,
}

/// The word in the place of an install's id.
const UPSTREAM: &str = "upstream";

impl fmt::Display for UpstreamKid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{UPSTREAM}.{}", self.app, self.key, self.generation.0)
    }
}

impl FromStr for UpstreamKid {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let parts: Vec<&str> = text.split('.').collect();
        let [app, key, UPSTREAM, generation] = parts.as_slice() else { return Err(Refused::unauthorized()) };
        let bad = |_| Refused::unauthorized();
        Ok(Self {
            app: app.parse().map_err(bad)?,
            key: key.parse().map_err(bad)?,
            generation: super::generation_of(generation)?,
        })
    }
}

/// How a request proved its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A V2 server signed it: the user is the `sub` of its token.
    Jwt,
    /// It has a slash command's token: the server says who typed it.
    Slash,
    /// A seal of the bundle came back through the server, together with the user who clicked or submitted.
    Seal,
}

/// The claims of a token from the bundle to an app.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamClaims {
    /// Always [`UpstreamClaims::ISSUER`].
    pub iss: String,
    /// The app's id.
    pub aud: String,
    /// The acting user's id, if the request proved it. With a static token, for example, it is absent, whatever user the body
    /// names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// How it was proved. It is there if and only if `sub` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// The install.
    pub install: InstallId,
    /// The install's Mattermost server.
    pub site_url: String,
    /// When it was made, in Unix seconds.
    pub iat: u64,
    /// When it expires, in Unix seconds.
    pub exp: u64,
    /// The token's id: at least 128 random bits.
    pub jti: String,
    /// The request's method: `POST`.
    pub htm: String,
    /// The request's path after the address in the manifest: `/{function}`.
    pub htp: String,
    /// The bot's REST token, if `act_as_bot` was granted. A credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_token: Option<String>,
    /// The acting user's REST token, if one came and `act_as_user` was granted. A credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_token: Option<String>,
    /// SHA-256 of the bytes of the body, as base64url without padding.
    pub body_sha256: String,
}

impl UpstreamClaims {
    /// The issuer of these tokens.
    pub const ISSUER: &'static str = "cloud-apps";
}

impl fmt::Debug for UpstreamClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamClaims")
            .field("aud", &self.aud)
            .field("sub", &self.sub)
            .field("install", &self.install)
            .field("htp", &self.htp)
            .finish_non_exhaustive()
    }
}
