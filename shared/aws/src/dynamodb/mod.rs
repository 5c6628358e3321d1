//! The ports over three DynamoDB tables (docs/architecture.md#tables): `Installs` (pk, sk) for apps and installs, `Ledger`
//! (pk, with TTL) for what is kept only for minutes, and `Data` (pk, sk) for what functions write while they run.
//!
//! An item has its keys, `v`, the attributes that conditions use, and all else as one JSON text in `document`. So
//! conditions are readable, and a new field of a model needs no new attribute.
//!
//! | pk | sk | attributes |
//! |---|---|---|
//! | `APPS` | `APPS` | `v`, `rev`, `document`, `writer` |
//! | `APP#<app>` | `APP` | `v`, `rev`, `document`, `writer` |
//! | `APP#<app>` | `MANIFEST#<sha256>` | `v`, `text` |
//! | `APP#<app>` | `SITE#<site>` | `v`, `install`, `created_at` |
//! | `INSTALL#<id>` | `INSTALL` | `v`, `rev`, `phase`, `static_token`, `document`, and `writer` after a change |
//! | `INSTALL#<id>` | `TEAM#<team>` | `v`, `document` |
//! | `TOKEN#<sha256>` | `TOKEN` | `v`, `install` |
//! | `CODE#<sha256>` (Ledger) | | `v`, `app`, `site`, `base_url`, `exp`, `ttl`, `spent`, `replace`, `install` |
//! | `MANAGE#<sha256>` (Ledger) | | `v`, `install`, `created_at`, `exp`, `ttl` |
//! | `INSTALL#<id>`, or `DEAD` (Data) | `DEAD#<id>` | `v`, `document` |
//! | any other (Ledger) | | `v`, `exp`, `ttl`, `writer`, and `attempt`, `work`, `lease`, or `content` |
//!
//! Conditions and code look only at `exp` (milliseconds). `ttl` (seconds, a day later) only lets DynamoDB delete the
//! item. `phase` is the state of the install, or `undoing` after an undo has marked it. All reads are consistent. The SDK
//! makes a `ClientRequestToken` for each transaction, so that its own retries have no second effect. After a conflict we
//! make a new request, which has another token.

mod begin;
mod condition;
mod installs;
mod item;
mod ledger;
mod letters;
mod put;
mod query;
mod registry;
mod transaction;
mod undo;

pub use letters::Letters;

use crate::{
    clients::Clients,
    failure::{AwsError, named},
};
use aws_sdk_dynamodb::Client;
use cloud_apps_core::store::ports::StoreError;
use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

/// How often a request is made that meets conflicts.
const ROUNDS: u32 = 12;

/// The tables of installs and of the ledger. Clones share the client.
#[derive(Clone, Debug)]
pub struct Dynamo {
    clients: Arc<Clients>,
    installs: Arc<str>,
    ledger: Arc<str>,
}

impl Dynamo {
    /// Uses these tables. The client is built when it is first needed.
    pub fn new(clients: Arc<Clients>, installs: &str, ledger: &str) -> Self {
        Self { clients, installs: installs.into(), ledger: ledger.into() }
    }

    fn client(&self) -> &Client {
        self.clients.dynamodb()
    }
}

/// A random number.
fn random() -> u64 {
    // Each `RandomState` has other keys, which come from the random numbers of the system.
    RandomState::new().hash_one(0)
}

/// Waits before the next round: longer each time, and for a random time, because others who met the same conflict wait
/// too.
async fn pause(round: u32) {
    let most = 10_u64.saturating_mul(1 << round.min(5));
    tokio::time::sleep(Duration::from_millis(1 + random() % most)).await;
}

/// The error after the last round.
fn given_up(what: &'static str) -> StoreError {
    named(what, true, AwsError::GivenUp("others change the same item without a pause"))
}
