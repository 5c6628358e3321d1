//! Who speaks: from a request's credential to an install that serves.
//!
//! The order is the protocol's (sections 2 and 19): shape, then what can be verified without a read, then one read.
//! Whatever fails before a MAC verified, or before a token was found, is one and the same `unauthorized`. A refusal
//! that would rest on a cached install is looked at again first ([`Freshness::Reread`]).

pub(crate) mod body;
pub mod jwt;
pub mod seal;
mod sender;
pub mod slash;
mod spend;
pub mod static_token;
pub mod webhook;

pub use sender::{Presented, Sender, SenderProof, UserToken, sender};
pub use spend::Spend;

use crate::{
    http::{Arrival, LogLine, Refusal},
    store::{
        cache::Freshness,
        model::{Install, State},
        ports::Stored,
    },
};
use cloud_apps_protocol::{
    Code,
    token::{Credential, Direction, Unverified},
};
use futures_util::future::BoxFuture;
use http::header;
use std::sync::Arc;

/// What the `Authorization` header of a request holds.
pub fn credential(arrival: &Arrival) -> Result<Credential, Refusal> {
    let values = arrival.request.headers().get_all(header::AUTHORIZATION);
    Ok(Credential::from_headers(values.iter().map(http::HeaderValue::as_bytes))?)
}

/// Whether an install serves. Its sender has proved to belong to it, so the sentence may say how it stands.
pub(crate) fn serves(install: &Install) -> Result<(), Refusal> {
    match install.state {
        State::Active => Ok(()),
        State::Disabled => Err(Refusal::new(
            Code::Disabled,
            format!("{} is switched off on this server. An admin can switch it on again.", install.app),
        )),
        State::Pending { .. } | State::Completing { .. } => Err(Refusal::new(
            Code::Disabled,
            format!(
                "{} is not installed completely yet. Finish the installation, then try again.",
                install.app
            ),
        )),
        State::Removing => Err(Refusal::unauthorized()),
    }
}

/// The install that a credential leads to, if it serves. The sender has proved to belong to the install, so the log
/// names the install even if it does not serve.
async fn serving<'f>(
    find: impl Fn(Freshness) -> BoxFuture<'f, Stored<Option<Arc<Install>>>>,
    line: &mut LogLine,
) -> Result<Arc<Install>, Refusal> {
    let mut refusal = Refusal::unauthorized();
    for fresh in Freshness::IN_TURN {
        let Some(install) = find(fresh).await? else { continue };
        line.app = Some(install.app.to_string());
        line.install = Some(install.id.to_string());
        match serves(&install) {
            Ok(()) => return Ok(install),
            Err(refused) => refusal = refused,
        }
    }
    Err(refusal)
}

/// The refusal of a request that an app sends to the bundle. No version serves these yet. The token is read all the same,
/// so that a malformed one is answered like everywhere else.
pub(crate) fn refuse_app(arrival: &Arrival) -> Refusal {
    match credential(arrival) {
        Ok(Credential::Jwt(token)) => {
            Unverified::parse(&token, Direction::App).err().map_or_else(Refusal::unauthorized, Refusal::from)
        }
        Ok(Credential::Opaque(_)) => Refusal::unauthorized(),
        Err(refusal) => refusal,
    }
}
