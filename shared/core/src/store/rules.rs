//! The decisions that every store makes in the same way: is a code good, is a site free, is a claim granted, may an
//! install be undone?
//!
//! They are pure functions over what was read. Memory and SQLite call them under a lock. DynamoDB has the same rules as
//! condition expressions, and calls these functions to understand what a refused condition gives back.

use crate::store::{
    document::MAX_DOCUMENT,
    model::{Install, InstallCode, Sha256, SiteEntry, State},
    ports::ClaimAnswer,
};
use cloud_apps_protocol::{InstallId, Millis};
use serde::{Deserialize, Serialize};

/// How many bytes of JSON requests may put into an install ([`bulk`]). The rest of [`MAX_DOCUMENT`] is room for changes of
/// its state, so that every install can be disabled and removed, however full it is.
pub const MAX_BULK: usize = 300 * 1024;
/// An install that was made before this limit has up to 350 KiB. The app's warning about its removal is the largest part
/// that is added to it.
const _: () = assert!(MAX_BULK < 350 * 1024 && 350 * 1024 + 8 * 1024 < MAX_DOCUMENT);

/// Whether something that lasts until `until` has ended at `now`. It has ended when the two are equal.
pub fn over(until: Millis, now: Millis) -> bool {
    until <= now
}

/// Whether an install may begin with a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeSays {
    /// It may begin.
    Good,
    /// The code began this install before.
    Again(InstallId),
    /// The code is unknown, expired, spent, or for another app or site.
    Refused,
}

/// Decides whether `install` may begin with a code.
pub fn code_says(code: Option<&InstallCode>, install: &Install, now: Millis) -> CodeSays {
    match code {
        Some(code)
            if !code.spent
                && !over(code.exp, now)
                && code.app == install.app
                && code.site == install.site =>
        {
            code.install.clone().map_or(CodeSays::Good, CodeSays::Again)
        }
        _ => CodeSays::Refused,
    }
}

/// Whether an app may be installed on a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteSays {
    /// Nothing is there: the install may begin.
    Free,
    /// Another install is there.
    Held(SiteEntry),
    /// An install is there that was never finished and cannot be finished any more: undo it, then begin.
    Abandoned(SiteEntry),
}

/// Decides about a site by its entry and the install that the entry names. Without that install, an undo was interrupted
/// and left the entry behind.
pub fn site_says(entry: Option<&SiteEntry>, holder: Option<&Install>, now: Millis) -> SiteSays {
    match entry {
        None => SiteSays::Free,
        Some(entry) if holder.is_none_or(|install| abandoned(install, now)) => {
            SiteSays::Abandoned(entry.clone())
        }
        Some(entry) => SiteSays::Held(entry.clone()),
    }
}

/// Whether an install was never finished and cannot be finished any more: its code has expired, and no request is
/// completing it.
pub fn abandoned(install: &Install, now: Millis) -> bool {
    match install.state {
        State::Pending { until, .. } => over(until, now),
        State::Completing { until, lease, .. } => over(until, now) && over(lease, now),
        State::Active | State::Disabled | State::Removing => false,
    }
}

/// Whether an undo has marked this install: it is pending with a code that expired at time 0. So nothing changes it any
/// more, and any [`begin`](crate::store::ports::Registry::begin) may finish the undo.
pub fn given_up(install: &Install) -> bool {
    matches!(install.state, State::Pending { until: 0, .. })
}

/// The code that began an install which is not finished.
pub fn code_of(install: &Install) -> Option<&Sha256> {
    match &install.state {
        State::Pending { code, .. } | State::Completing { code, .. } => Some(code),
        State::Active | State::Disabled | State::Removing => None,
    }
}

/// Whether a change that builds on revision `expected` may replace what is stored.
pub fn may_change(stored: Option<&Install>, expected: u64) -> bool {
    stored.is_some_and(|install| install.rev == expected && !given_up(install))
}

/// Whether an install and its code may become active.
pub fn may_activate(
    stored: Option<&Install>,
    expected: u64,
    code: Option<&InstallCode>,
    now: Millis,
) -> bool {
    let Some(install) = stored.filter(|_| may_change(stored, expected)) else { return false };
    code_of(install).is_some()
        && code.is_some_and(|c| !c.spent && !over(c.exp, now) && c.install.as_ref() == Some(&install.id))
}

/// Whether the registrations of a team may still be written. They may not after the install was removed, or while it is
/// being removed.
pub fn may_register(install: Option<&Install>) -> bool {
    install.is_some_and(|install| install.state != State::Removing && !given_up(install))
}

/// How many bytes of JSON requests have put into an install. Everything else in it is small by its type.
pub fn bulk(install: &Install) -> usize {
    let Install { version, webhooks, settings, passwords, presets, granted, base_url, .. } = install;
    let filled = (version, webhooks, settings, passwords, presets, granted, base_url);
    // It has text keys only, so it always serialises.
    serde_json::to_string(&filled).map_or(usize::MAX, |json| json.len())
}

/// Whether an install has room for a change: after it, the install stays within [`MAX_BULK`] or is no larger than before.
pub fn has_room(before: &Install, after: &Install) -> bool {
    let bulk_after = bulk(after);
    bulk_after <= MAX_BULK || bulk_after <= bulk(before)
}

/// What an undo does next.
#[derive(Debug, Clone, PartialEq)]
pub enum UndoStep {
    /// The install is active, or somebody changed it.
    Conflict,
    /// The install is gone. Only its site may be left.
    Gone,
    /// Replace it with this first (it has the next revision). After that, nothing can finish the install.
    Mark(Box<Install>),
    /// It is marked. Remove its teams and token, then this revision of it, then its site.
    Remove(Box<Install>),
}

/// Decides about an undo that builds on revision `expected`. An undo that is repeated finds its own mark, which has the
/// revision after that.
pub fn undo(stored: Option<&Install>, expected: u64) -> UndoStep {
    let Some(install) = stored else { return UndoStep::Gone };
    let marked = given_up(install) || install.state == State::Removing;
    let ours = install.rev == expected || (marked && install.rev == expected.saturating_add(1));
    match &install.state {
        _ if !ours => UndoStep::Conflict,
        State::Active => UndoStep::Conflict,
        _ if marked => UndoStep::Remove(Box::new(install.clone())),
        state => {
            let state = match state {
                State::Pending { code, .. } | State::Completing { code, .. } => {
                    State::Pending { code: code.clone(), until: 0 }
                }
                State::Active | State::Disabled | State::Removing => State::Removing,
            };
            UndoStep::Mark(Box::new(Install { state, rev: next(expected), ..install.clone() }))
        }
    }
}

/// The next revision.
pub fn next(rev: u64) -> u64 {
    rev.saturating_add(1)
}

/// The entry that an install has in the list of its app.
pub fn site_entry(install: &Install) -> SiteEntry {
    SiteEntry { site: install.site.clone(), install: install.id.clone(), created_at: install.created_at }
}

/// The state of a job in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimState {
    /// An attempt runs, or its process died.
    Running,
    /// It is done.
    Done,
    /// It failed, and the next attempt was sent.
    Again,
}

impl ClaimState {
    /// Its name in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            ClaimState::Running => "running",
            ClaimState::Done => "done",
            ClaimState::Again => "again",
        }
    }

    /// Reads that name.
    pub fn parse(word: &str) -> Option<Self> {
        [ClaimState::Running, ClaimState::Done, ClaimState::Again]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// A claim as the ledger stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredClaim {
    /// Which attempt.
    pub attempt: u32,
    /// How it went.
    pub state: ClaimState,
    /// Until when nobody else may claim a running job.
    pub lease: Millis,
    /// Until when the ledger remembers this.
    pub exp: Millis,
}

/// Answers a claim of `attempt`, given what is stored.
///
/// A later attempt takes over when the lease of an earlier one has ended. An earlier attempt never takes over from a
/// later one. So a copy that a crash left on a queue joins the chain of attempts and cannot start a second chain.
pub fn claim(stored: Option<&StoredClaim>, attempt: u32, now: Millis) -> ClaimAnswer {
    let Some(stored) = stored.filter(|stored| !over(stored.exp, now)) else { return ClaimAnswer::Mine };
    match stored.state {
        ClaimState::Done => ClaimAnswer::Done,
        ClaimState::Again if attempt > stored.attempt => ClaimAnswer::Mine,
        ClaimState::Running if attempt >= stored.attempt && over(stored.lease, now) => ClaimAnswer::Mine,
        ClaimState::Running if attempt >= stored.attempt => ClaimAnswer::Running(stored.lease),
        ClaimState::Again | ClaimState::Running => ClaimAnswer::Superseded,
    }
}

/// Whether a job may be forgotten, so that it can be done again.
pub fn may_forget(stored: Option<&StoredClaim>, now: Millis) -> bool {
    stored.is_some_and(|stored| stored.state == ClaimState::Done && !over(stored.exp, now))
}

/// Whether `attempt` may set the state of its job to `end`. To set it twice is the same as once.
pub fn may_end(stored: Option<&StoredClaim>, attempt: u32, end: ClaimState, now: Millis) -> bool {
    stored.is_some_and(|stored| {
        stored.attempt == attempt
            && !over(stored.exp, now)
            && (stored.state == ClaimState::Running || stored.state == end)
    })
}

/// When a lease of `lease` ms ends.
pub fn lease_until(lease: u64, now: Millis) -> Millis {
    now.saturating_add(lease)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use proptest::prelude::*;

    fn state() -> impl Strategy<Value = ClaimState> {
        prop_oneof![Just(ClaimState::Running), Just(ClaimState::Done), Just(ClaimState::Again)]
    }

    proptest! {
        #[test]
        fn an_attempt_never_goes_back(
            stored in 1_u32..5, asked in 1_u32..5, state in state(), lease in 0_u64..20, exp in 0_u64..20, now in 0_u64..20,
        ) {
            let claimed = StoredClaim { attempt: stored, state, lease, exp };
            let answer = claim(Some(&claimed), asked, now);
            if over(exp, now) {
                prop_assert_eq!(answer, ClaimAnswer::Mine);
            } else if state == ClaimState::Done {
                prop_assert_eq!(answer, ClaimAnswer::Done);
            } else {
                prop_assert!(asked >= stored || answer == ClaimAnswer::Superseded);
                prop_assert!(state == ClaimState::Running || asked != stored || answer == ClaimAnswer::Superseded);
                prop_assert!(answer != ClaimAnswer::Mine || over(lease, now) || state == ClaimState::Again);
            }
        }

        #[test]
        fn an_undo_marks_once_and_then_nothing_else_may_change_the_install(
            rev in 1_u64..9, expected in 1_u64..9, lease in 0_u64..9, until in 1_u64..9, which in 0_usize..4,
        ) {
            let code = sample::code_hash(1);
            let states = [
                State::Pending { code: code.clone(), until },
                State::Completing { code, until, lease },
                State::Disabled,
                State::Active,
            ];
            let state = states.get(which).cloned().unwrap_or(State::Active);
            let stored = Install { state, rev, ..sample::install(1) };
            match undo(Some(&stored), expected) {
                UndoStep::Mark(marked) => {
                    prop_assert!(rev == expected && stored.state != State::Active);
                    prop_assert_eq!(undo(Some(&marked), expected), UndoStep::Remove(marked.clone()));
                    prop_assert!(!may_register(Some(&marked)));
                    prop_assert!(marked.state == State::Removing || !may_change(Some(&marked), marked.rev));
                }
                other => prop_assert!(other == UndoStep::Conflict && (rev != expected || stored.state == State::Active)),
            }
        }
    }
}
