//! Where an install stands, and what the two requests that make it do there.
//!
//! | the install | `POST /install` | `complete` |
//! |---|---|---|
//! | is not there, or is being undone | begins | refused |
//! | pending | replaces what differs | starts |
//! | completing, within its lease | busy | busy |
//! | completing, its lease over | replaces what differs | starts |
//! | active, disabled | refused: the code is spent | answers again |
//! | removing | refused | refused |
//!
//! `complete` starts by making it completing, and ends by making it active or by undoing it. Each change names the
//! revision that it builds on, so of any number at once one goes on. All of this is between an install and the code
//! that began it: with another code it is not there.

use crate::{
    model::{Install, Sha256, State},
    rules::{code_of, given_up, over},
};
use cloud_apps_protocol::Millis;

/// What a `POST /install` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnBegin {
    /// Makes a new install.
    Begin,
    /// Answers with the install that is there, with what differs replaced.
    Replace,
    /// Somebody is completing it, at most until then.
    Busy(Millis),
    /// The code is not good for that any more.
    Refuse,
}

/// What a `complete` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnComplete {
    /// Registers, runs the app's install function, activates.
    Start,
    /// It was done before: the same answer.
    Again,
    /// Somebody is at it, at most until then.
    Busy(Millis),
    /// There is nothing to complete.
    Refuse,
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
    use crate::conformance::sample;

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
    fn an_install_that_another_code_began_is_out_of_reach() {
        for state in [
            State::Pending { code: sample::code_hash(1), until: 5_000 },
            State::Completing { code: sample::code_hash(1), until: 5_000, lease: 10 },
        ] {
            let install = Install { state, ..sample::install(1) };
            assert_eq!(on_begin(Some(&install), &sample::code_hash(2), 1_000), OnBegin::Refuse);
            assert_eq!(on_complete(Some(&install), &sample::code_hash(2), 1_000), OnComplete::Refuse);
        }
    }
}
