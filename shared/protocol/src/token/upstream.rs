//! The tokens between the bundle and an app that runs elsewhere (section 15).

use super::Refused;
use crate::{AppId, Generation, InstallId, KeyId};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// `<app>.<key>.upstream.<generation>`: which of an app's upstream secrets is meant. No install is called `upstream`,
/// so it is never mistaken for a [`Kid`](super::Kid).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UpstreamKid {
    /// Whose.
    pub app: AppId,
    /// Which key of the app's ring it is derived from.
    pub key: KeyId,
    /// Which secret; never 0.
    pub generation: Generation,
}

/// What stands in the place of an install's id.
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

/// How the request that a call belongs to proved its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A V2 server signed it: `sub` of its token.
    Jwt,
    /// A slash command's token: the server says who typed it.
    Slash,
    /// A seal of the bundle came back through the server, with the user who clicked or submitted.
    Seal,
}

/// The claims of a token from the bundle to an app.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamClaims {
    /// Always [`UpstreamClaims::ISSUER`].
    pub iss: String,
    /// App id.
    pub aud: String,
    /// Acting user's id, where the request proved it; absent where it did not, as with a static token, whoever the body
    /// names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// How it was proved; there with `sub` and only with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// For which install.
    pub install: InstallId,
    /// On which Mattermost server.
    pub site_url: String,
    /// Unix seconds.
    pub iat: u64,
    /// Unix seconds.
    pub exp: u64,
    /// At least 128 random bits.
    pub jti: String,
    /// `POST`.
    pub htm: String,
    /// `/{function}`: what stands after the address that the manifest names.
    pub htp: String,
    /// The bot's REST token, if `act_as_bot` was granted. A credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_token: Option<String>,
    /// The acting user's REST token, where one came and `act_as_user` was granted. A credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_token: Option<String>,
    /// base64url without padding of the SHA-256 of the exact bytes of the body.
    pub body_sha256: String,
}

impl UpstreamClaims {
    /// Who speaks to apps.
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
