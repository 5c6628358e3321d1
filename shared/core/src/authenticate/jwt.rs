//! A V2 server's JWT (section 2).
//!
//! In this order: header shape and `kid` → the app is known (from memory) → the key (from the ring's cache) → MAC →
//! shape of the claims, times, method, route, body → `aud`. All that without a read. Then the install: it is there,
//! `iss` is its site, the generation is its current one or the previous one within its grace, it serves. The previous
//! one is good for what users and the bot do, and for nothing else ([`Signed`]).

use super::{credential, serves, spend::Spend};
use crate::{
    http::{Arrival, LogLine, Refusal},
    services::Services,
    store::{
        cache::Freshness,
        model::{Install, Sha256, State},
        rules::over,
    },
};
use cloud_apps_protocol::{
    Code, Generation, Millis, SiteUrl,
    token::{Claims, Credential, Direction, Expected, Kid, Scope, Unverified},
};
use std::sync::Arc;

/// How long past its expiry a `jti` stays spent, in ms: the leeway of 30 s, and as much again.
const SPENT_FOR: Millis = 60_000;

/// A token whose MAC and claims are right; the install is still to be asked.
pub struct Verified {
    /// Which secret it was made with.
    pub kid: Kid,
    /// What it says.
    pub claims: Claims,
}

/// Which of an install's shared secrets a token was made with.
///
/// A secret is replaced because somebody else may know it. The one before is good for a while, so that nothing breaks
/// that is under way: commands, queries and events of scope `user` or `bot`. Whatever looks at the install, changes it,
/// or has the rights of an admin takes the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    /// The current one.
    Current,
    /// The one before, whether or not its time is over.
    Previous,
}

impl Signed {
    /// Which secret of the install a `kid` names; `None`: none that counts. Generation 0: nobody was given a secret.
    fn with(kid: &Kid, install: &Install) -> Option<Self> {
        let (Generation(current), Generation(generation)) = (install.generation, kid.generation);
        if generation == 0 || kid.app != install.app {
            return None;
        }
        if generation == current {
            return (kid.key == install.key).then_some(Self::Current);
        }
        let key = install.previous_key.as_ref().unwrap_or(&install.key);
        (generation.checked_add(1) == Some(current) && kid.key == *key).then_some(Self::Previous)
    }
}

/// Verifies the token of a request that only a V2 server may send.
pub async fn of_server(
    services: &Services,
    arrival: &Arrival,
    line: &mut LogLine,
) -> Result<Verified, Refusal> {
    match credential(arrival)? {
        Credential::Jwt(token) => verify(services, arrival, &token, line).await,
        Credential::Opaque(_) => Err(Refusal::unauthorized()),
    }
}

/// Verifies a token without reading anything of the install.
pub async fn verify(
    services: &Services,
    arrival: &Arrival,
    token: &str,
    line: &mut LogLine,
) -> Result<Verified, Refusal> {
    let unverified = Unverified::parse(token, Direction::Server)?;
    let kid = unverified.kid.clone();
    if !services.apps.knows(&kid.app, arrival.now).await? {
        return Err(Refusal::unauthorized());
    }
    let root =
        services.keys.root(&kid.app, &kid.key, arrival.now).await?.ok_or_else(Refusal::unauthorized)?;
    let secret = root.shared(&kid.app, &kid.install, kid.generation);
    let route = arrival.route.path();
    let claims = unverified.verify(
        &secret,
        Expected {
            method: arrival.request.method().as_str(),
            route: &route,
            body: arrival.request.body(),
            now: arrival.now,
        },
    )?;
    line.app = Some(kid.app.to_string());
    line.install = Some(kid.install.to_string());
    line.user = claims.sub.parse().ok();
    if claims.aud != kid.app.as_str() {
        return Err(wrong_audience("aud", "app"));
    }
    Ok(Verified { kid, claims })
}

impl Verified {
    /// The install, if this token speaks for it and it serves: for commands, queries and events.
    pub async fn install(&self, services: &Services, now: Millis) -> Result<Arc<Install>, Refusal> {
        self.find(services, now, |install, signed| {
            let in_grace = || install.previous_until.is_some_and(|until| !over(until, now));
            match signed {
                Signed::Current => {}
                Signed::Previous if self.claims.scope != Scope::Admin && in_grace() => {}
                Signed::Previous => return Err(Refusal::unauthorized()),
            }
            self.comes_from(install)?;
            serves(install)
        })
        .await
    }

    /// The install, if this token speaks for it and it is complete, switched off or not: for requests about it.
    pub async fn complete_install(&self, services: &Services, now: Millis) -> Result<Arc<Install>, Refusal> {
        self.find(services, now, |install, signed| {
            if signed != Signed::Current {
                return Err(Refusal::unauthorized());
            }
            self.comes_from(install)?;
            match install.state {
                State::Disabled => Ok(()),
                _ => serves(install),
            }
        })
        .await
    }

    async fn find(
        &self,
        services: &Services,
        now: Millis,
        fit: impl Fn(&Install, Signed) -> Result<(), Refusal>,
    ) -> Result<Arc<Install>, Refusal> {
        let mut refusal = Refusal::unauthorized();
        for fresh in Freshness::IN_TURN {
            let found = services.installs.find(&self.kid.install, fresh, now).await?;
            let Some((install, signed)) = found.and_then(|install| {
                let signed = self.signed(&install)?;
                Some((install, signed))
            }) else {
                refusal = Refusal::unauthorized();
                continue;
            };
            match fit(&install, signed) {
                Ok(()) => return Ok(install),
                Err(refused) => refusal = refused,
            }
        }
        Err(refusal)
    }

    /// Which secret of an install this token was made with, in whatever state the install is.
    pub(crate) fn signed(&self, install: &Install) -> Option<Signed> {
        Signed::with(&self.kid, install)
    }

    /// Requires that the token was issued by the install's own server.
    pub(crate) fn comes_from(&self, install: &Install) -> Result<(), Refusal> {
        if SiteUrl::new(&self.claims.iss).ok().as_ref() == Some(&install.site) {
            return Ok(());
        }
        Err(wrong_audience("iss", "server"))
    }

    /// The token's entry in the ledger, for what must not happen twice. The sender chooses the `jti`, so the key holds its
    /// hash, which has a fixed length.
    pub fn once(&self) -> Spend {
        Spend {
            key: format!("JTI#{}#{}", self.kid.install, Sha256::of(&self.claims.jti).as_str()),
            until: self.claims.exp.saturating_mul(1000).saturating_add(SPENT_FOR),
            by: None,
        }
    }

    /// Requires that `user`, where the body names one, is the token's subject.
    pub fn acts_as(&self, user: Option<&str>) -> Result<(), Refusal> {
        acts_as(&self.claims.sub, user)
    }
}

/// Requires that `user`, where the body names one, is the token's subject.
pub(crate) fn acts_as(sub: &str, user: Option<&str>) -> Result<(), Refusal> {
    if user.is_none_or(|user| user == sub) {
        return Ok(());
    }
    Err(Refusal::new(Code::BadToken, "The token's sub is not the acting user of the body.")
        .with("claim", "sub"))
}

fn wrong_audience(claim: &str, what: &str) -> Refusal {
    Refusal::new(Code::WrongAudience, format!("The token's {claim} is another {what}'s."))
        .with("claim", claim)
}
