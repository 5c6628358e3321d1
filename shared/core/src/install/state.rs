//! What each request does to an install in each state. It is decided here and nowhere else.
//!
//! | the install | `POST /install` | `complete` | `PATCH` | `DELETE` | the job that watches |
//! |---|---|---|---|---|---|
//! | there is none | begins | refused | refused | answers again, for a day | nothing |
//! | is being undone | begins | refused | refused | removes | removes |
//! | pending, its code valid | replaces what differs | starts | refused | removes | waits |
//! | pending, its code expired | refused | refused | refused | removes | removes |
//! | completing, within its lease | busy | busy | refused | busy | waits |
//! | completing, its lease ended | replaces what differs | starts | refused | removes | pending again, or removes |
//! | active | refused: the code is spent | answers again | changes | removes | nothing |
//! | disabled | refused: the code is spent | answers again | changes | removes | nothing |
//! | removing | refused | refused | refused | goes on | goes on |
//!
//! `complete` first makes the install completing, and at the end makes it active or undoes it. A removal first makes it
//! removing. Each change names the revision that it builds on, so of any number at the same time, one is made. When settings
//! change, or in an upgrade, the app is called; then the ledger has a lease as well, so that one request calls it at a time.
//! The first two columns hold for the code that began the install. For any other code, there is no install.

use crate::store::{
    model::{Install, Sha256, State},
    rules::{code_of, given_up, over},
};
use cloud_apps_protocol::Millis;

/// What `POST /install` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnBegin {
    /// It makes a new install.
    Begin,
    /// It answers with the install that there is, and replaces what differs.
    Replace,
    /// Another request is completing the install, until then at most.
    Busy(Millis),
    /// The code is not valid for that any more.
    Refuse,
}

/// What `complete` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnComplete {
    /// It completes the install.
    Start,
    /// The install is complete: it gives the same answer again.
    Again,
    /// Another request is completing the install, until then at most.
    Busy(Millis),
    /// There is nothing to complete.
    Refuse,
}

/// What the job that watches an install does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnWatch {
    /// There is nothing to look after.
    Nothing,
    /// It looks again then.
    Wait(Millis),
    /// It makes the install pending again: the process that completed it died, and its code is still valid.
    Reopen {
        /// The code that began it.
        code: Sha256,
        /// When the code expires.
        until: Millis,
    },
    /// It undoes the install, which cannot be finished any more.
    Undo,
    /// It finishes a removal that was interrupted.
    Remove,
}

/// Why an install cannot be changed, and what to do. `None`: it can be changed.
pub fn unchangeable(install: &Install) -> Option<String> {
    match install.state {
        State::Active | State::Disabled => None,
        State::Pending { .. } | State::Completing { .. } => Some(format!(
            "{} is not installed completely yet. Finish the installation, or remove it with `cloud-apps uninstall`; then \
             change it.",
            install.id
        )),
        State::Removing => Some(format!(
            "{} is being removed, so it is not changed any more. Ask for its removal again to see it end.",
            install.id
        )),
    }
}

/// Reads the table's last column.
pub fn on_watch(install: &Install, now: Millis) -> OnWatch {
    match &install.state {
        State::Active | State::Disabled => OnWatch::Nothing,
        State::Removing => OnWatch::Remove,
        State::Pending { until, .. } if over(*until, now) => OnWatch::Undo,
        State::Pending { until, .. } => OnWatch::Wait(*until),
        State::Completing { lease, .. } if !over(*lease, now) => OnWatch::Wait(*lease),
        State::Completing { until, .. } if over(*until, now) => OnWatch::Undo,
        State::Completing { code, until, .. } => OnWatch::Reopen { code: code.clone(), until: *until },
    }
}

/// Reads the table's first column.
pub fn on_begin(install: Option<&Install>, code: &Sha256, now: Millis) -> OnBegin {
    let Some(install) = install.filter(|install| !given_up(install)) else { return OnBegin::Begin };
    match &install.state {
        _ if code_of(install).is_some_and(|began| !began.is(code)) => OnBegin::Refuse,
        State::Pending { .. } => OnBegin::Replace,
        State::Completing { lease, .. } if over(*lease, now) => OnBegin::Replace,
        State::Completing { lease, .. } => OnBegin::Busy(*lease),
        State::Active | State::Disabled | State::Removing => OnBegin::Refuse,
    }
}

/// Reads the table's second column.
pub fn on_complete(install: Option<&Install>, code: &Sha256, now: Millis) -> OnComplete {
    let Some(install) = install.filter(|install| !given_up(install)) else { return OnComplete::Refuse };
    match &install.state {
        _ if code_of(install).is_some_and(|began| !began.is(code)) => OnComplete::Refuse,
        State::Pending { .. } => OnComplete::Start,
        State::Completing { lease, .. } if over(*lease, now) => OnComplete::Start,
        State::Completing { lease, .. } => OnComplete::Busy(*lease),
        State::Active | State::Disabled => OnComplete::Again,
        State::Removing => OnComplete::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;

    #[test]
    fn the_two_requests_do_what_the_table_says() {
        let (code, now) = (sample::code_hash(1), 1_000);
        let with = |state| Some(Install { state, ..sample::install(1) });
        let completing = |lease| State::Completing { code: code.clone(), until: 5_000, lease };
        let table = [
            (None, OnBegin::Begin, OnComplete::Refuse),
            (with(State::Pending { code: code.clone(), until: 0 }), OnBegin::Begin, OnComplete::Refuse),
            (with(State::Pending { code: code.clone(), until: 5_000 }), OnBegin::Replace, OnComplete::Start),
            (with(completing(1_001)), OnBegin::Busy(1_001), OnComplete::Busy(1_001)),
            (with(completing(1_000)), OnBegin::Replace, OnComplete::Start),
            (with(State::Active), OnBegin::Refuse, OnComplete::Again),
            (with(State::Disabled), OnBegin::Refuse, OnComplete::Again),
            (with(State::Removing), OnBegin::Refuse, OnComplete::Refuse),
        ];
        for (install, begin, complete) in table {
            let state = install.as_ref().map(|install| &install.state);
            assert_eq!(on_begin(install.as_ref(), &code, now), begin, "{state:?}");
            assert_eq!(on_complete(install.as_ref(), &code, now), complete, "{state:?}");
        }
    }

    #[test]
    fn an_install_that_another_code_began_cannot_be_reached() {
        for state in [
            State::Pending { code: sample::code_hash(1), until: 5_000 },
            State::Completing { code: sample::code_hash(1), until: 5_000, lease: 10 },
        ] {
            let install = Install { state, ..sample::install(1) };
            assert_eq!(on_begin(Some(&install), &sample::code_hash(2), 1_000), OnBegin::Refuse);
            assert_eq!(on_complete(Some(&install), &sample::code_hash(2), 1_000), OnComplete::Refuse);
        }
    }

    #[test]
    fn a_watch_and_a_change_do_what_the_table_says() {
        let (code, now) = (sample::code_hash(1), 1_000);
        let with = |state| Install { state, ..sample::install(1) };
        let completing = |until, lease| with(State::Completing { code: code.clone(), until, lease });
        let pending = |until| with(State::Pending { code: code.clone(), until });
        let table = [
            (pending(0), OnWatch::Undo, false),
            (pending(1_000), OnWatch::Undo, false),
            (pending(1_001), OnWatch::Wait(1_001), false),
            (completing(5_000, 1_001), OnWatch::Wait(1_001), false),
            (completing(5_000, 1_000), OnWatch::Reopen { code: code.clone(), until: 5_000 }, false),
            (completing(1_000, 1_001), OnWatch::Wait(1_001), false),
            (completing(1_000, 1_000), OnWatch::Undo, false),
            (with(State::Active), OnWatch::Nothing, true),
            (with(State::Disabled), OnWatch::Nothing, true),
            (with(State::Removing), OnWatch::Remove, false),
        ];
        for (install, watch, changes) in table {
            assert_eq!(on_watch(&install, now), watch, "{:?}", install.state);
            assert_eq!(unchangeable(&install).is_none(), changes, "{:?}", install.state);
        }
    }
}
