//! The JWT profile (section 2) and the `Authorization` header. The clock is an argument.
//!
//! Everything that fails before the MAC was verified is the same `unauthorized`, so that a stranger learns nothing. After that,
//! the sender has proved that it has the secret, and is told what is wrong: first claims that are missing, repeated or of the
//! wrong type, in the order of [`Claims`]; then the token's lifetime, method and route; then the clock; then the body.

mod claims;
mod upstream;

pub use claims::{Claims, Scope};
pub use upstream::{Proof, UpstreamClaims, UpstreamKid};

use crate::{AppId, Generation, InstallId, KeyId, Millis, error::Code, secret::Secret};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, crypto};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use std::{fmt, str::FromStr};

/// How long the value of `Authorization` may be, in bytes.
pub const MAX_TOKEN: usize = 4096;
/// The longest lifetime of a token, in seconds.
pub const MAX_LIFE: u64 = 300;
/// How much two clocks may differ, in seconds.
pub const LEEWAY: u64 = 30;

/// The direction of a token. A token of one direction is refused in the others (RFC 8725 §3.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Mattermost server → bundle: `cloud-apps+jwt`.
    Server,
    /// Bundle → app: `cloud-apps-upstream+jwt`.
    Upstream,
    /// App → bundle: `cloud-apps-app+jwt`.
    App,
}

/// The name of a shared secret: `<app>.<key>.<install_id>.<generation>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kid {
    /// The app whose key ring is used.
    pub app: AppId,
    /// The key of that ring.
    pub key: KeyId,
    /// The install.
    pub install: InstallId,
    /// The generation of its secret, never 0.
    pub generation: Generation,
}

/// The content of the `Authorization` header.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A JWT. It has two dots.
    Jwt(String),
    /// Anything else: a static token of 26 characters, or an install or manage code.
    Opaque(String),
}

/// The request that a token must match.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Its method: `POST`.
    pub method: &'a str,
    /// Its path: `/command`.
    pub route: &'a str,
    /// The bytes of its body.
    pub body: &'a [u8],
    /// The time, in Unix milliseconds.
    pub now: Millis,
}

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The code: `unauthorized` for everything that fails before the MAC was verified.
    pub code: Code,
    /// The claim, for `bad_token`.
    pub claim: Option<&'static str>,
    /// What happened and what to do. It never has the expected MAC.
    pub message: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jwt(_) => "Jwt(…)",
            Self::Opaque(_) => "Opaque(…)",
        })
    }
}

impl Direction {
    /// The header's `typ`.
    pub fn typ(self) -> &'static str {
        match self {
            Self::Server => "cloud-apps+jwt",
            Self::Upstream => "cloud-apps-upstream+jwt",
            Self::App => "cloud-apps-app+jwt",
        }
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.app, self.key, self.install, self.generation.0)
    }
}

impl FromStr for Kid {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let bad = || Refused::unauthorized();
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or_else(bad);
        let (app, key, install, generation) = (next()?, next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(bad());
        }
        Ok(Self {
            app: app.parse().map_err(|_| bad())?,
            key: key.parse().map_err(|_| bad())?,
            install: install.parse().map_err(|_| bad())?,
            generation: generation_of(generation)?,
        })
    }
}

/// `[1-9][0-9]{0,8}`.
fn generation_of(text: &str) -> Result<Generation, Refused> {
    let shaped =
        (1..=9).contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|_| shaped);
    number.map(Generation).ok_or_else(Refused::unauthorized)
}

impl Refused {
    /// The refusal of everything that is not proved.
    pub fn unauthorized() -> Self {
        Self {
            code: Code::Unauthorized,
            claim: None,
            message: "The request's credential is missing or not valid here. Check that it belongs to this install \
                      and has not been replaced."
                .to_owned(),
        }
    }

    /// A claim is wrong, and the sender has proved that it has the secret.
    pub fn bad_token(claim: &'static str, message: impl Into<String>) -> Self {
        Self { code: Code::BadToken, claim: Some(claim), message: message.into() }
    }

    fn code(code: Code, message: impl Into<String>) -> Self {
        Self { code, claim: None, message: message.into() }
    }
}

impl Credential {
    /// Reads the values of all `Authorization` headers. There must be one, with the scheme `Bearer` or `Token` in any case, at most
    /// 4 KiB, and without a comma (API Gateway joins two headers with a comma).
    pub fn from_headers<'h>(headers: impl IntoIterator<Item = &'h [u8]>) -> Result<Self, Refused> {
        let mut headers = headers.into_iter();
        let (Some(value), None) = (headers.next(), headers.next()) else {
            return Err(Refused::unauthorized());
        };
        let text = std::str::from_utf8(value).map_err(|_| Refused::unauthorized())?;
        let (scheme, credential) = text.split_once(' ').ok_or_else(Refused::unauthorized)?;
        let credential = credential.trim_matches(' ');
        let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
        // These are the characters of a b64token (RFC 6750), which has no comma and no space.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
        if !known || credential.is_empty() || text.len() > MAX_TOKEN || !credential.bytes().all(plain) {
            return Err(Refused::unauthorized());
        }
        if credential.bytes().filter(|b| *b == b'.').count() == 2 {
            Ok(Self::Jwt(credential.to_owned()))
        } else {
            Ok(Self::Opaque(credential.to_owned()))
        }
    }
}

/// The members of a JSON object in their order. If a name is there twice, both members are here; a map would keep one.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl Members {
    fn read(part: &str) -> Option<Self> {
        serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).ok()?).ok()
    }

    /// The member with this name, if there is exactly one.
    fn once(&self, name: &str) -> Option<&Value> {
        let mut found = self.0.iter().filter(|(n, _)| n == name);
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }

    fn doubled(&self) -> bool {
        self.0.iter().enumerate().any(|(i, (name, _))| self.0.iter().skip(i + 1).any(|(n, _)| n == name))
    }

    fn claim(&self, claim: &'static str, expected: &str) -> Result<&Value, Refused> {
        self.once(claim).ok_or_else(|| {
            let how = if self.has(claim) { "doubled" } else { "missing" };
            Refused::bad_token(
                claim,
                format!("The token's claim `{claim}` is {how}: send it once, {expected}."),
            )
        })
    }

    fn text(&self, claim: &'static str) -> Result<String, Refused> {
        let value = self.claim(claim, "a text")?;
        value.as_str().filter(|text| !text.is_empty()).map(str::to_owned).ok_or_else(|| {
            Refused::bad_token(
                claim,
                format!("The token's claim `{claim}` must be a text that is not empty."),
            )
        })
    }

    fn seconds(&self, claim: &'static str) -> Result<u64, Refused> {
        let value = self.claim(claim, "in Unix seconds")?;
        value.as_u64().ok_or_else(|| {
            Refused::bad_token(
                claim,
                format!("The token's claim `{claim}` must be a whole number of Unix seconds."),
            )
        })
    }
}

/// A token whose header has the right form. Nothing is verified yet.
#[derive(Clone)]
pub struct Unverified {
    /// The secret with which it says it was made.
    pub kid: Kid,
    token: String,
}

impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Unverified {
    /// Checks `alg`, `typ`, `kid`, `crit` and the token's size. Every failure is the same `unauthorized`.
    pub fn parse(token: &str, direction: Direction) -> Result<Self, Refused> {
        if token.len() > MAX_TOKEN {
            return Err(Refused::unauthorized());
        }
        let (header, _) = token.split_once('.').ok_or_else(Refused::unauthorized)?;
        let header = Members::read(header).ok_or_else(Refused::unauthorized)?;
        let is = |name: &str, text: &str| header.once(name).and_then(Value::as_str) == Some(text);
        // See RFC 8725 §3.1 and §3.11. No critical extension is supported (RFC 7515 §4.1.11).
        if header.doubled() || !is("alg", "HS256") || !is("typ", direction.typ()) || header.has("crit") {
            return Err(Refused::unauthorized());
        }
        let kid = header.once("kid").and_then(Value::as_str).ok_or_else(Refused::unauthorized)?;
        Ok(Self { kid: kid.parse()?, token: token.to_owned() })
    }

    /// Verifies the MAC, then every claim that can be checked without the install: types, times, method, route and body.
    /// The caller compares `iss`, `aud`, `sub`, scope and generation after it has read the install.
    pub fn verify(&self, secret: &Secret, expected: Expected<'_>) -> Result<Claims, Refused> {
        let (message, signature) = self.token.rsplit_once('.').ok_or_else(Refused::unauthorized)?;
        let key = DecodingKey::from_secret(secret.expose());
        // This takes constant time, and no claim was read before it.
        match crypto::verify(signature, message.as_bytes(), &key, Algorithm::HS256) {
            Ok(true) => {}
            Ok(false) | Err(_) => return Err(Refused::unauthorized()),
        }
        let payload = message.split_once('.').and_then(|(_, payload)| Members::read(payload));
        let members = payload.ok_or_else(|| {
            Refused::bad_token("payload", "The token's payload must be one JSON object in base64url.")
        })?;
        let claims = Claims::read(&members)?;
        claims.check(expected)?;
        Ok(claims)
    }
}

/// Makes a token. If the claims cannot be written, it is empty and never accepted.
pub fn sign(
    direction: Direction,
    kid: &impl fmt::Display,
    secret: &Secret,
    claims: &impl Serialize,
) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some(direction.typ().to_owned());
    header.kid = Some(kid.to_string());
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret.expose())).unwrap_or_default()
}

/// The claim `body_sha256`: SHA-256 as base64url without padding.
pub fn body_sha256(body: &[u8]) -> String {
    BASE64URL_NOPAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body).as_ref())
}
