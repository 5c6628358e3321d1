//! Dead letters: what is kept of a job that was given up.

use crate::store::{
    document,
    job::Job,
    model::{Dead, Sha256},
};
use cloud_apps_protocol::Millis;

/// How much of a message is kept if all of it does not fit into a letter, in bytes. Escaped as JSON it may be six times as
/// long.
const BODY: usize = document::MAX_DOCUMENT / 8;

/// How long a trace id may be, in bytes. A longer one is left out of such a letter.
const TRACE: usize = 64;

/// The letter of a job.
pub(super) fn of_job(job: &Job, body: &str, why: &str, now: Millis) -> Dead {
    fitting(Dead {
        id: id(job.first_at, &job.key()),
        install: job.kind.install().cloned(),
        body: body.to_owned(),
        reason: why.to_owned(),
        attempts: job.attempt,
        function: None,
        first_at: job.first_at,
        at: now,
        trace: job.trace.clone(),
    })
}

/// The letter of a message that cannot be read as a job.
pub(super) fn of_unreadable(message: &str, body: &str, sent_at: Millis, why: &str, now: Millis) -> Dead {
    fitting(Dead {
        id: id(sent_at, message),
        install: None,
        body: body.to_owned(),
        reason: why.to_owned(),
        attempts: 0,
        function: None,
        first_at: sent_at,
        at: now,
        trace: None,
    })
}

/// A letter's id. It stays the same when its job is parked again, and ids sort by `first_at`.
fn id(first_at: Millis, name: &str) -> String {
    let mut hash = Sha256::of(name).as_str().to_owned();
    hash.truncate(16);
    format!("{first_at:014}-{hash}")
}

/// Cuts the body so that the letter fits. A message may be larger than an item of the store, and a message that cannot be
/// parked would come again until the queue gives it up.
fn fitting(letter: Dead) -> Dead {
    if document::write("DeadLetters.park", &letter).is_ok() {
        return letter;
    }
    let mut end = BODY.min(letter.body.len());
    while !letter.body.is_char_boundary(end) {
        end -= 1;
    }
    let (kept, whole) = (letter.body.get(..end).unwrap_or_default().to_owned(), letter.body.len());
    let reason = format!("{} (Of its {whole} bytes the first {end} are kept.)", letter.reason);
    let trace = letter.trace.filter(|trace| trace.len() <= TRACE);
    Dead { body: kept, reason, trace, ..letter }
}
