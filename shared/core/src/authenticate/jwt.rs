//! A V2 server's JWT (section 2).
//!
//! In this order: header shape and `kid` → the app is known (from memory) → the key (from the ring's cache) → MAC →
//! shape of the claims, times, method, route, body → `aud`. All that without a read. Then the install: it is there,
//! `iss` is its site, the generation is its current one or the previous one within its grace, it serves.

use super::{LOOKS, serves};
use crate::{
    dispatch::Spend,
    edge::Arrival,
    log::LogLine,
    model::{Install, Sha256, State},
    refusal::Refusal,
    world::World,
};
use cloud_apps_protocol::{
    Code, Generation, Millis, SiteUrl,
    token::{Claims, Direction, Expected, Kid, Unverified},
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

/// Verifies a token without reading anything of the install.
pub async fn verify(
    world: &World,
    arrival: &Arrival,
    token: &str,
    line: &mut LogLine,
) -> Result<Verified, Refusal> {
    let unverified = Unverified::parse(token, Direction::Server)?;
    let kid = unverified.kid.clone();
    if !world.knows(&kid.app, arrival.now).await? {
        return Err(Refusal::unauthorized());
    }
    let root = world.keys.root(&kid.app, &kid.key, arrival.now).await?.ok_or_else(Refusal::unauthorized)?;
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
    /// The install, if this token speaks for it and it serves.
    pub async fn install(&self, world: &World, now: Millis) -> Result<Arc<Install>, Refusal> {
        self.find(world, now, serves).await
    }

    /// The install, if this token speaks for it and it is complete, switched off or not: for requests about it.
    pub async fn complete_install(&self, world: &World, now: Millis) -> Result<Arc<Install>, Refusal> {
        self.find(world, now, |install| match install.state {
            State::Disabled => Ok(()),
            _ => serves(install),
        })
        .await
    }

    async fn find(
        &self,
        world: &World,
        now: Millis,
        fit: impl Fn(&Install) -> Result<(), Refusal>,
    ) -> Result<Arc<Install>, Refusal> {
        let mut refusal = Refusal::unauthorized();
        for look in LOOKS {
            match world.installs.find(&self.kid.install, look, now).await? {
                None => refusal = Refusal::unauthorized(),
                Some(install) => match self.speaks_for(&install, now).and_then(|()| fit(&install)) {
                    Ok(()) => return Ok(install),
                    Err(refused) => refusal = refused,
                },
            }
        }
        Err(refusal)
    }

    /// The token's entry in the ledger, for what must not happen twice. The `jti` is the sender's text: only its hash
    /// is as long as it looks.
    pub fn once(&self) -> Spend {
        Spend {
            key: format!("JTI#{}#{}", self.kid.install, Sha256::of(&self.claims.jti).as_str()),
            until: self.claims.exp.saturating_mul(1000).saturating_add(SPENT_FOR),
        }
    }

    /// Whether this token speaks for an install, in whatever state it is.
    pub(crate) fn speaks_for(&self, install: &Install, now: Millis) -> Result<(), Refusal> {
        if install.app != self.kid.app || !lives(install, &self.kid, now) {
            return Err(Refusal::unauthorized());
        }
        if SiteUrl::new(&self.claims.iss).ok().as_ref() != Some(&install.site) {
            return Err(wrong_audience("iss", "server"));
        }
        Ok(())
    }

    /// Requires that `user`, where the body names one, is the token's subject.
    pub fn acts_as(&self, user: Option<&str>) -> Result<(), Refusal> {
        if user.is_none_or(|user| user == self.claims.sub) {
            return Ok(());
        }
        Err(Refusal::new(Code::BadToken, "The token's sub is not the acting user of the body.")
            .with("claim", "sub"))
    }
}

/// The current generation, or the previous one within its grace. 0: nobody was given a secret.
fn lives(install: &Install, kid: &Kid, now: Millis) -> bool {
    let Generation(current) = install.generation;
    let Generation(generation) = kid.generation;
    if generation == current {
        return generation != 0 && kid.key == install.key;
    }
    generation != 0
        && generation.checked_add(1) == Some(current)
        && install.previous_until.is_some_and(|until| now < until)
        && kid.key == *install.previous_key.as_ref().unwrap_or(&install.key)
}

fn wrong_audience(claim: &str, what: &str) -> Refusal {
    Refusal::new(Code::WrongAudience, format!("The token's {claim} is another {what}'s."))
        .with("claim", claim)
}
