//! Tokens that an app should refuse. Each has one flaw; the rest is as a bundle makes it.

use cloud_apps_protocol::{
    Generation,
    secret::Secret,
    token::{Direction, UpstreamClaims, UpstreamKid, sign},
};
use serde_json::{Value, json};

/// What is wrong with a request's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// There is no token.
    Missing,
    /// It is not a JWT.
    Nonsense,
    /// Its signature is wrong.
    Signature,
    /// It is signed with another secret.
    OtherSecret,
    /// Its `alg` says that it needs no signature.
    Unsigned,
    /// It is the token of a server for a bundle.
    OtherTyp,
    /// Its `kid` names a secret that was never handed over.
    OtherKid,
    /// It has expired.
    Expired,
    /// It is from the future.
    Early,
    /// It does not say when it expires.
    Endless,
    /// It is for another app.
    OtherAudience,
    /// Somebody else issued it.
    OtherIssuer,
    /// It is for another function.
    OtherFunction,
    /// The body is not the one that was signed.
    AlteredBody,
    /// The same token was used before.
    Replayed,
}

/// All flaws.
pub const FLAWS: [Flaw; 15] = [
    Flaw::Missing,
    Flaw::Nonsense,
    Flaw::Signature,
    Flaw::OtherSecret,
    Flaw::Unsigned,
    Flaw::OtherTyp,
    Flaw::OtherKid,
    Flaw::Expired,
    Flaw::Early,
    Flaw::Endless,
    Flaw::OtherAudience,
    Flaw::OtherIssuer,
    Flaw::OtherFunction,
    Flaw::AlteredBody,
    Flaw::Replayed,
];

impl Flaw {
    /// The flaw, in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "a request without a token",
            Self::Nonsense => "a token that is no JWT",
            Self::Signature => "a token with a wrong signature",
            Self::OtherSecret => "a token signed with another secret",
            Self::Unsigned => "a token with the algorithm none",
            Self::OtherTyp => "a token of another type (typ)",
            Self::OtherKid => "a token of a secret that nobody handed over (kid)",
            Self::Expired => "a token that has expired (exp)",
            Self::Early => "a token from the future (iat)",
            Self::Endless => "a token that never expires (no exp)",
            Self::OtherAudience => "a token for another app (aud)",
            Self::OtherIssuer => "a token of another issuer (iss)",
            Self::OtherFunction => "a token for another function (htp)",
            Self::AlteredBody => "a body that was altered (body_sha256)",
            Self::Replayed => "a token that was used before (jti)",
        }
    }
}

/// Further off than any leeway for clocks, in seconds.
const FAR: u64 = 3_600;

/// The value of the header; `None` for no header.
pub fn authorization(
    flaw: Option<Flaw>,
    kid: &UpstreamKid,
    secret: &Secret,
    claims: UpstreamClaims,
) -> Option<String> {
    let flaw = match flaw {
        Some(Flaw::Missing) => return None,
        Some(Flaw::Nonsense) => return Some("Bearer nonsense".to_owned()),
        flaw => flaw,
    };
    let mut claims = claims;
    let mut kid = kid.clone();
    let mut direction = Direction::Upstream;
    let mut signed_with = secret.clone();
    match flaw {
        Some(Flaw::OtherSecret) => signed_with = secret.derive(&[b"another"]),
        Some(Flaw::OtherTyp) => direction = Direction::Server,
        Some(Flaw::OtherKid) => kid.generation = Generation(999_999_999),
        Some(Flaw::Expired) => {
            claims.iat = claims.iat.saturating_sub(FAR);
            claims.exp = claims.exp.saturating_sub(FAR);
        }
        Some(Flaw::Early) => {
            claims.iat = claims.iat.saturating_add(FAR);
            claims.exp = claims.exp.saturating_add(FAR);
        }
        Some(Flaw::OtherAudience) => "another-app".clone_into(&mut claims.aud),
        Some(Flaw::OtherIssuer) => "somebody".clone_into(&mut claims.iss),
        Some(Flaw::OtherFunction) => "/another_function".clone_into(&mut claims.htp),
        _ => {}
    }
    let mut members = serde_json::to_value(&claims).unwrap_or_default();
    if let (Some(Flaw::Endless), Some(members)) = (flaw, members.as_object_mut()) {
        members.remove("exp");
    }
    let token = match flaw {
        Some(Flaw::Unsigned) => unsigned(&kid, &members),
        Some(Flaw::Signature) => spoilt(&sign(direction, &kid, &signed_with, &members)),
        _ => sign(direction, &kid, &signed_with, &members),
    };
    Some(format!("Bearer {token}"))
}

fn unsigned(kid: &UpstreamKid, claims: &Value) -> String {
    let header = json!({ "alg": "none", "typ": Direction::Upstream.typ(), "kid": kid.to_string() });
    let part = |value: &Value| data_encoding::BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("{}.{}.", part(&header), part(claims))
}

/// Changes the first character of the signature: the last one has bits without a meaning.
fn spoilt(token: &str) -> String {
    let (message, signature) = token.rsplit_once('.').unwrap_or_default();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{message}.{other}{}", signature.get(1..).unwrap_or_default())
}
