//! What every store decides alike: whether a code is good, a site free, a claim granted, an install open to undoing.
//! Pure functions over what was read; memory and SQLite decide by them under a lock, DynamoDB writes the same rules as
//! condition expressions and uses these to read what a refused condition gives back.

use crate::store::{
    model::{Dead, Install, InstallCode, Page, SiteEntry, Sites, State, UnreadSite},
    ports::{Claim, StoreError, Stored},
};
use cloud_apps_protocol::{InstallId, Millis, SiteUrl};
use serde::{Deserialize, Serialize};

/// The largest document of one item, in bytes of JSON: a table's item may have 400 KiB, its other attributes included.
pub const MAX_DOCUMENT: usize = 390 * 1024;
/// The most that requests may fill an install with, in bytes of JSON ([`bulk`]). What is left of [`MAX_DOCUMENT`] is the
/// room in which its state changes, so that an install can be disabled and removed whatever it holds.
pub const MAX_BULK: usize = 300 * 1024;
/// An install from before this limit has up to 350 KiB; what the app says to its removal is the most that is added.
const _: () = assert!(MAX_BULK < 350 * 1024 && 350 * 1024 + 8 * 1024 < MAX_DOCUMENT);
/// The largest value that the ledger keeps, in bytes.
pub const MAX_VALUE: usize = 64 * 1024;
/// The most entries that a page of a list has.
pub const MAX_PAGE: usize = 100;
/// The most teams of an install that are read.
pub const MAX_TEAMS: usize = 2_000;
/// The version of every stored item. A reader takes this one; it refuses what a later version wrote.
pub const ITEM_VERSION: u64 = 1;

/// Whether `now` is past the end of what lives until `until`. At the very millisecond it is over.
pub fn over(until: Millis, now: Millis) -> bool {
    until <= now
}

/// What a code says to an install that is to begin with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeSays {
    /// It may begin.
    Good,
    /// The code has begun this install.
    Again(InstallId),
    /// Unknown, expired, spent, or for another app or site.
    Refused,
}

/// Judges a code for `install`.
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

/// What holds a site for an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteSays {
    /// Nothing: it may begin.
    Free,
    /// An install that stands.
    Held(SiteEntry),
    /// An install that was never finished and cannot be any more: undo it, then begin.
    Abandoned(SiteEntry),
}

/// Judges a site by its entry and the install that the entry names (`None`: it is gone, only the entry was left by
/// an undo that did not come to its end).
pub fn site_says(entry: Option<&SiteEntry>, holder: Option<&Install>, now: Millis) -> SiteSays {
    match entry {
        None => SiteSays::Free,
        Some(entry) if holder.is_none_or(|install| abandoned(install, now)) => {
            SiteSays::Abandoned(entry.clone())
        }
        Some(entry) => SiteSays::Held(entry.clone()),
    }
}

/// Whether an install was never finished and cannot be any more, because its code is over and nobody is at it.
pub fn abandoned(install: &Install, now: Millis) -> bool {
    match install.state {
        State::Pending { until, .. } => over(until, now),
        State::Completing { until, lease, .. } => over(until, now) && over(lease, now),
        State::Active | State::Disabled | State::Removing => false,
    }
}

/// Whether an undo has marked this install: it is pending with a code that expired at the beginning of time, so that
/// nothing changes it any more, and any [`begin`](crate::store::ports::Registry::begin) may finish the undo.
pub fn given_up(install: &Install) -> bool {
    matches!(install.state, State::Pending { until: 0, .. })
}

/// The code that began an install which is not finished.
pub fn code_of(install: &Install) -> Option<&crate::store::model::Sha256> {
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

/// Whether what is registered in a team may still be written: not where the install is gone, or going.
pub fn may_register(install: Option<&Install>) -> bool {
    install.is_some_and(|install| install.state != State::Removing && !given_up(install))
}

/// How much of an install is what requests fill it with, in bytes of JSON. All else in it is small by its type.
pub fn bulk(install: &Install) -> usize {
    let Install { version, webhooks, settings, passwords, presets, granted, base_url, .. } = install;
    let filled = (version, webhooks, settings, passwords, presets, granted, base_url);
    // Text keys only: it always serialises.
    serde_json::to_string(&filled).map_or(usize::MAX, |json| json.len())
}

/// Whether an install has room for a change: it stays within what requests may fill it with, or holds no more than
/// before.
pub fn has_room(before: &Install, after: &Install) -> bool {
    let bulk_after = bulk(after);
    bulk_after <= MAX_BULK || bulk_after <= bulk(before)
}

/// What an undo does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Undo {
    /// The install is active, or somebody changed it.
    Conflict,
    /// It is gone; only its site may be left.
    Gone,
    /// Write this in its place first (it has the next revision): from then on nothing can finish the install.
    Mark(Box<Install>),
    /// It is marked: remove teams and token, then this revision of it, then its site.
    Remove(Box<Install>),
}

/// Judges an undo that builds on revision `expected`. A repeated one finds its own mark, which has the revision after.
pub fn undo(stored: Option<&Install>, expected: u64) -> Undo {
    let Some(install) = stored else { return Undo::Gone };
    let marked = given_up(install) || install.state == State::Removing;
    let ours = install.rev == expected || (marked && install.rev == expected.saturating_add(1));
    match &install.state {
        _ if !ours => Undo::Conflict,
        State::Active => Undo::Conflict,
        _ if marked => Undo::Remove(Box::new(install.clone())),
        state => {
            let state = match state {
                State::Pending { code, .. } | State::Completing { code, .. } => {
                    State::Pending { code: code.clone(), until: 0 }
                }
                State::Active | State::Disabled | State::Removing => State::Removing,
            };
            Undo::Mark(Box::new(Install { state, rev: next(expected), ..install.clone() }))
        }
    }
}

/// The revision after one.
pub fn next(rev: u64) -> u64 {
    rev.saturating_add(1)
}

/// The entry that an install has in the list of its app.
pub fn site_entry(install: &Install) -> SiteEntry {
    SiteEntry { site: install.site.clone(), install: install.id.clone(), created_at: install.created_at }
}

/// What stands of a job in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// An attempt runs, or died.
    Running,
    /// It is done.
    Done,
    /// It failed, and the next attempt was sent.
    Again,
}

impl Work {
    /// The word under which it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Work::Running => "running",
            Work::Done => "done",
            Work::Again => "again",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Work::Running, Work::Done, Work::Again].into_iter().find(|work| work.as_str() == word)
    }
}

/// A claim as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// Which attempt.
    pub attempt: u32,
    /// What became of it.
    pub work: Work,
    /// Until when a running attempt is left alone.
    pub lease: Millis,
    /// Until when this is remembered.
    pub exp: Millis,
}

/// Answers a claim of `attempt`, given what is stored.
///
/// A later attempt takes over when the lease of an earlier one is over; an earlier one never takes over from a later
/// one. So a copy that a crash left on a queue joins the chain of attempts and cannot start a second one.
pub fn claim(stored: Option<&Claimed>, attempt: u32, now: Millis) -> Claim {
    let Some(stored) = stored.filter(|stored| !over(stored.exp, now)) else { return Claim::Mine };
    match stored.work {
        Work::Done => Claim::Done,
        Work::Again if attempt > stored.attempt => Claim::Mine,
        Work::Running if attempt >= stored.attempt && over(stored.lease, now) => Claim::Mine,
        Work::Running if attempt >= stored.attempt => Claim::Running(stored.lease),
        Work::Again | Work::Running => Claim::Superseded,
    }
}

/// Whether a job may be forgotten, so that it can be done once more.
pub fn may_forget(stored: Option<&Claimed>, now: Millis) -> bool {
    stored.is_some_and(|stored| stored.work == Work::Done && !over(stored.exp, now))
}

/// Whether `attempt` may say that its job became `end`; saying it twice is the same as once.
pub fn may_end(stored: Option<&Claimed>, attempt: u32, end: Work, now: Millis) -> bool {
    stored.is_some_and(|stored| {
        stored.attempt == attempt
            && !over(stored.exp, now)
            && (stored.work == Work::Running || stored.work == end)
    })
}

/// The cursor of a page that ended with `last`.
pub fn cursor_after(last: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(format!("1 {last}").as_bytes())
}

/// What a cursor stands behind.
fn cursor_behind(what: &'static str, cursor: &str) -> Stored<String> {
    let bad = || StoreError::BadCursor { what };
    let bytes = data_encoding::BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| bad())?;
    let text = String::from_utf8(bytes).map_err(|_| bad())?;
    text.strip_prefix("1 ").map(str::to_owned).ok_or_else(bad)
}

/// Whether a dead letter may have this id. One that none has is not asked for: stores limit the length of keys.
pub fn names_letter(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The dead letter that a cursor stands behind.
pub fn letter_before(what: &'static str, cursor: &str) -> Stored<String> {
    let id = cursor_behind(what, cursor)?;
    if names_letter(&id) { Ok(id) } else { Err(StoreError::BadCursor { what }) }
}

/// The site that a cursor stands behind.
pub fn site_before(what: &'static str, cursor: &str) -> Stored<SiteUrl> {
    SiteUrl::new(&cursor_behind(what, cursor)?).map_err(|_| StoreError::BadCursor { what })
}

/// Serialises what is to be stored, if it fits.
pub fn to_document<T: Serialize>(what: &'static str, value: &T) -> Stored<String> {
    // Text keys and finite numbers: what the model holds always serialises.
    let json = serde_json::to_string(value)
        .map_err(|error| StoreError::Unavailable { what, source: Box::new(error) })?;
    if json.len() > MAX_DOCUMENT { Err(StoreError::TooLarge { what, limit: MAX_DOCUMENT }) } else { Ok(json) }
}

/// Refuses a text that does not fit.
pub fn check_text(what: &'static str, text: &str) -> Stored<()> {
    if text.len() > MAX_DOCUMENT { Err(StoreError::TooLarge { what, limit: MAX_DOCUMENT }) } else { Ok(()) }
}

/// Reads a stored document. The error says where it broke, never what stood there.
pub fn from_document<T: for<'de> Deserialize<'de>>(
    what: &'static str,
    version: u64,
    json: &str,
) -> Stored<T> {
    check_version(what, version)?;
    serde_json::from_str(json).map_err(|error| StoreError::Corrupt { what, detail: without_content(&error) })
}

/// Refuses an item of another version.
pub fn check_version(what: &'static str, version: u64) -> Stored<()> {
    if version == ITEM_VERSION {
        return Ok(());
    }
    let detail = format!(
        "it has version {version}, and this program reads {ITEM_VERSION}: run the version that wrote it, or a later one"
    );
    Err(StoreError::Corrupt { what, detail })
}

/// Refuses a value that the ledger does not keep.
pub fn check_value(what: &'static str, value: &str) -> Stored<()> {
    if value.len() > MAX_VALUE { Err(StoreError::TooLarge { what, limit: MAX_VALUE }) } else { Ok(()) }
}

/// Where a JSON text broke; serde's own words may quote the text.
pub fn without_content(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Io => "could not be read",
        serde_json::error::Category::Syntax => "is not JSON",
        serde_json::error::Category::Data => "does not have the expected shape",
        serde_json::error::Category::Eof => "ends too early",
    };
    format!("the JSON {kind} (line {}, column {})", error.line(), error.column())
}

/// A page of `limit` items from up to one more than that; the cursor says that there are more.
pub fn page<T>(mut items: Vec<T>, limit: usize, name: impl Fn(&T) -> &str) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let cursor = if more { items.last().map(|item| cursor_after(name(item))) } else { None };
    Page { items, cursor }
}

/// A page of `limit` sites from up to one more line than that: the site in each line's key, and what was read of it.
pub fn sites(what: &'static str, mut lines: Vec<(String, Stored<SiteEntry>)>, limit: usize) -> Stored<Sites> {
    let mut cursor = None;
    if lines.len() > limit {
        lines.truncate(limit);
        // The next page begins behind a site: a line whose key is none does not end this one.
        let is_site = |text: &str| SiteUrl::new(text).is_ok_and(|site| site.as_str() == text);
        let last = lines.iter().rposition(|(site, _)| is_site(site));
        let last = last.ok_or_else(|| StoreError::Corrupt {
            what,
            detail: format!("the keys of {limit} lines in a row name no site"),
        })?;
        lines.truncate(last + 1);
        cursor = lines.last().map(|(site, _)| cursor_after(site));
    }
    let mut page = Sites { items: Vec::new(), unread: Vec::new(), cursor };
    for (site, read) in lines {
        match read {
            Ok(entry) => page.items.push(entry),
            Err(error @ StoreError::Corrupt { .. }) => {
                page.unread.push(UnreadSite { site, why: error.to_string() });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}

/// A page of dead letters.
pub fn letters(letters: Vec<Dead>, limit: usize) -> Page<Dead> {
    page(letters, limit, |letter| &letter.id)
}

/// The end of a lease of `lease` ms.
pub fn lease_until(lease: u64, now: Millis) -> Millis {
    now.saturating_add(lease)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use proptest::prelude::*;

    fn work() -> impl Strategy<Value = Work> {
        prop_oneof![Just(Work::Running), Just(Work::Done), Just(Work::Again)]
    }

    proptest! {
        #[test]
        fn a_cursor_names_the_site_that_it_stands_behind(n in 0_usize..1_000_000, path in "(/[a-z0-9]{1,8}){0,2}") {
            let site = SiteUrl::new(&format!("{}{path}", sample::site(n))).unwrap();
            prop_assert_eq!(site_before("a test", &cursor_after(site.as_str())).unwrap(), site);
        }

        #[test]
        fn no_text_panics_as_a_cursor(text in ".{0,60}") {
            let _ = site_before("a test", &text);
            let _ = site_before("a test", &data_encoding::BASE64URL_NOPAD.encode(format!("1 {text}").as_bytes()));
        }

        #[test]
        fn an_attempt_never_goes_back(
            stored in 1_u32..5, asked in 1_u32..5, work in work(), lease in 0_u64..20, exp in 0_u64..20, now in 0_u64..20,
        ) {
            let claimed = Claimed { attempt: stored, work, lease, exp };
            let answer = claim(Some(&claimed), asked, now);
            if over(exp, now) {
                prop_assert_eq!(answer, Claim::Mine);
            } else if work == Work::Done {
                prop_assert_eq!(answer, Claim::Done);
            } else {
                prop_assert!(asked >= stored || answer == Claim::Superseded);
                prop_assert!(work == Work::Running || asked != stored || answer == Claim::Superseded);
                prop_assert!(answer != Claim::Mine || over(lease, now) || work == Work::Again);
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
                Undo::Mark(marked) => {
                    prop_assert!(rev == expected && stored.state != State::Active);
                    prop_assert_eq!(undo(Some(&marked), expected), Undo::Remove(marked.clone()));
                    prop_assert!(!may_register(Some(&marked)));
                    prop_assert!(marked.state == State::Removing || !may_change(Some(&marked), marked.rev));
                }
                other => prop_assert!(other == Undo::Conflict && (rev != expected || stored.state == State::Active)),
            }
        }
    }

    #[test]
    fn an_item_of_a_later_version_says_what_to_do() {
        let error = from_document::<u64>("a test", ITEM_VERSION + 1, "1").unwrap_err().to_string();
        assert!(error.contains("version 2") && error.contains("run the version that wrote it"), "{error}");
    }
}
