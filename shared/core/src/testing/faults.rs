//! Ports whose n-th call fails, for tests that try every crash point: run, recover, and check what must hold.
//!
//! ```
//! # use cloud_apps_core::{testing::{faults::{Faults, Faulty, Fault}}, store::{memory::{Memory}, ports::{Ledger}}};
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! for n in 1.. {
//!     let faults = Faults::at(n, Fault::Kill);
//!     let ledger = Faulty::new(Memory::new(), faults.clone());
//!     let outcome = faults.until_killed(async { ledger.once("JTI#1", 10, 0).await }).await;
//!     if !faults.struck() {
//!         break; // The run has fewer calls than n: every one was tried.
//!     }
//!     assert!(outcome.is_none());
//! }
//! # }
//! ```

use crate::store::{
    job::{Job, QueueName},
    model::{
        Catalogue, Dead, Install, InstallCode, ManageCode, Page, RegisteredApp, Ring, Sha256, SiteEntry,
        Sites, Team,
    },
    ports::{
        Apps, Begun, Changed, ClaimAnswer, Consumer, DeadLetters, Installs, KeyMaker, Keys, Ledger, Queue,
        Registry, StoreError, Stored, Taken,
    },
};
use async_trait::async_trait;
use cloud_apps_protocol::{AppId, InstallId, Millis, SiteUrl, TeamId};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// What happens at the n-th call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It returns an error and does nothing.
    Before,
    /// It does its work and returns an error.
    After,
    /// The process dies before the call. This call and all later ones never return.
    Kill,
    /// The process dies after the call's effect.
    KillAfter,
}

impl Fault {
    /// All faults.
    pub const ALL: [Fault; 4] = [Fault::Before, Fault::After, Fault::Kill, Fault::KillAfter];
}

/// Counts the calls of all ports that share it, and makes one of them fail.
#[derive(Clone)]
pub struct Faults(Arc<Inner>);

struct Inner {
    at: usize,
    fault: Fault,
    calls: AtomicUsize,
    struck: AtomicBool,
    dead: tokio::sync::watch::Sender<bool>,
    log: Mutex<Vec<&'static str>>,
}

impl Faults {
    /// The n-th call fails, counted from 1.
    pub fn at(n: usize, fault: Fault) -> Self {
        let (dead, _) = tokio::sync::watch::channel(false);
        let log = Mutex::new(Vec::new());
        Self(Arc::new(Inner { at: n, fault, calls: 0.into(), struck: false.into(), dead, log }))
    }

    /// No call fails. Calls are only counted.
    pub fn none() -> Self {
        Self::at(0, Fault::Before)
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// The calls in their order, by operation. A failed assertion prints them.
    pub fn log(&self) -> Vec<&'static str> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there was an n-th call.
    pub fn struck(&self) -> bool {
        self.0.struck.load(Ordering::SeqCst)
    }

    /// Runs a future to its end. If the process "dies" before that, the result is `None` and the future is dropped.
    pub async fn until_killed<T>(&self, run: impl Future<Output = T>) -> Option<T> {
        let mut dead = self.0.dead.subscribe();
        tokio::select! {
            biased;
            _ = dead.wait_for(|dead| *dead) => None,
            outcome = run => Some(outcome),
        }
    }

    /// Counts an effect, and makes it fail if it is the n-th. Other effects that a test wants to break go through here too, such
    /// as calls to Mattermost.
    pub async fn effect<T, E>(
        &self,
        what: &'static str,
        error: impl FnOnce() -> E,
        run: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        if *self.0.dead.borrow() {
            return std::future::pending().await;
        }
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        let n = self.0.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if n != self.0.at {
            return run.await;
        }
        self.0.struck.store(true, Ordering::SeqCst);
        match self.0.fault {
            Fault::Before => Err(error()),
            Fault::After => {
                run.await?;
                Err(error())
            }
            Fault::Kill => self.die().await,
            Fault::KillAfter => {
                run.await?;
                self.die().await
            }
        }
    }

    async fn die<T>(&self) -> T {
        self.0.dead.send_replace(true);
        std::future::pending().await
    }

    async fn port<T>(&self, what: &'static str, run: impl Future<Output = Stored<T>>) -> Stored<T> {
        let error = || StoreError::Unavailable { what, source: "a fault that a test asked for".into() };
        self.effect(what, error, run).await
    }
}

/// A set of ports with [`Faults`].
#[derive(Clone)]
pub struct Faulty<P> {
    ports: P,
    faults: Faults,
}

impl<P> Faulty<P> {
    /// Wraps `ports`.
    pub fn new(ports: P, faults: Faults) -> Self {
        Self { ports, faults }
    }
}

macro_rules! faulty {
    ($($port:ident { $($name:ident($($arg:ident: $kind:ty),*) -> $answer:ty;)* })*) => {$(
        #[async_trait]
        impl<P: $port> $port for Faulty<P> {
            $(async fn $name(&self, $($arg: $kind),*) -> Stored<$answer> {
                let what = concat!(stringify!($port), ".", stringify!($name));
                self.faults.port(what, self.ports.$name($($arg),*)).await
            })*
        }
    )*};
}

faulty! {
    Installs {
        find(install: &InstallId) -> Option<Install>;
        find_with_team(install: &InstallId, team: &TeamId) -> (Option<Install>, Option<Team>);
        find_static_token(sha256: &Sha256) -> Option<InstallId>;
    }
    Apps {
        all() -> Catalogue;
        find(app: &AppId) -> Option<RegisteredApp>;
        manifest(app: &AppId, sha256: &Sha256) -> Option<String>;
    }
    Registry {
        put_catalogue(catalogue: &Catalogue, expected: u64) -> Changed;
        put_code(code: &InstallCode) -> ();
        code(sha256: &Sha256) -> Option<InstallCode>;
        put_manage_code(code: &ManageCode) -> ();
        manage_code(sha256: &Sha256) -> Option<ManageCode>;
        put_app(app: &RegisteredApp, expected: u64) -> Changed;
        remove_app(app: &AppId, expected: u64) -> Changed;
        put_manifest(app: &AppId, sha256: &Sha256, text: &str) -> ();
        manifests(app: &AppId) -> Vec<Sha256>;
        remove_manifest(app: &AppId, sha256: &Sha256) -> ();
        site(app: &AppId, site: &SiteUrl) -> Option<SiteEntry>;
        begin(install: &Install, now: Millis) -> Begun;
        change(install: &Install, expected: u64) -> Changed;
        put_team(install: &InstallId, team: &TeamId, registered: &Team) -> ();
        teams(install: &InstallId) -> Vec<(TeamId, Team)>;
        activate(install: &Install, expected: u64, code: &Sha256, now: Millis) -> Changed;
        undo(install: &Install, expected: u64) -> Changed;
        list(app: &AppId, limit: usize, cursor: Option<&str>) -> Sites;
    }
    Ledger {
        once(key: &str, until: Millis, now: Millis) -> bool;
        claim(key: &str, attempt: u32, lease: u64, keep: Millis, now: Millis) -> ClaimAnswer;
        done(key: &str, attempt: u32, keep: Millis, now: Millis) -> bool;
        again(key: &str, attempt: u32, keep: Millis, now: Millis) -> bool;
        forget(key: &str, now: Millis) -> bool;
        put(key: &str, value: &str, until: Millis, now: Millis) -> bool;
        look(key: &str, now: Millis) -> Option<String>;
        take(key: &str, now: Millis) -> Option<String>;
    }
    Keys {
        ring(app: &AppId) -> Option<Ring>;
    }
    KeyMaker {
        make(ring: &Ring) -> Ring;
        replace(ring: &Ring) -> ();
    }
    Queue {
        send(job: &Job, now: Millis) -> ();
    }
    Consumer {
        take(queue: QueueName, most: usize, hidden: Millis, now: Millis) -> Vec<Taken>;
        ack(queue: QueueName, id: &str) -> ();
        dead(queue: QueueName, most: usize, now: Millis) -> Vec<Taken>;
    }
    DeadLetters {
        park(dead: &Dead) -> ();
        list(install: Option<&InstallId>, limit: usize, cursor: Option<&str>) -> Page<Dead>;
        find(install: Option<&InstallId>, id: &str) -> Option<Dead>;
        take(install: Option<&InstallId>, id: &str) -> Option<Dead>;
        clear(install: &InstallId) -> ();
    }
}
