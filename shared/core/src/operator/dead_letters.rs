//! Dead letters as operators look after them: list, send back, discard.

use super::messages::LetterView;
use crate::{
    http::Refusal,
    jobs::{Read, read},
    services::Management,
    store::{
        job::Job,
        model::{Dead, Page},
        ports::Stored,
    },
};
use cloud_apps_protocol::{InstallId, Millis};

/// How many letters a page has.
const PAGE: usize = 100;
/// A job that is sent back is done after this many ms. By then its letter is removed, so a new letter of the same job is not
/// confused with it.
const AFTER: Millis = 10_000;

/// The letters of an install, or those that belong to none, the oldest first.
pub(super) async fn list(
    management: &Management,
    install: Option<&InstallId>,
    cursor: Option<&str>,
) -> Stored<Page<Dead>> {
    management.dead_letters.list(install, PAGE, cursor).await
}

/// Queues a letter's job again, from its first attempt. The ledger forgets the job first. The letter is removed last, so if
/// this is interrupted, it can be repeated; of two copies of the job, one is done.
pub(super) async fn send_back(
    management: &Management,
    install: Option<&InstallId>,
    id: &str,
    now: Millis,
) -> Result<Dead, Refusal> {
    let letter = management.dead_letters.find(install, id).await?.ok_or_else(|| unknown(install, id))?;
    let job = match read(&letter.body) {
        Read::Job(job) => job,
        // A job of a later version would lose what this version does not know.
        Read::Later { what: why } | Read::Unreadable { why } => {
            let message = format!(
                "The job of the dead letter {id} cannot be read, so it cannot be done: {why}. Discard the letter, or deploy \
                 the version of the bundle that wrote it."
            );
            return Err(Refusal::bad_request("/operator/id", message));
        }
    };
    let fresh = Job { attempt: 1, due: now.saturating_add(AFTER), ..job };
    management.services.ledger.forget(&fresh.key(), now).await?;
    management.queue.send(&fresh, now).await?;
    management.dead_letters.take(install, id).await?;
    Ok(letter)
}

/// Removes a letter.
pub(super) async fn discard(
    management: &Management,
    install: Option<&InstallId>,
    id: &str,
) -> Result<Dead, Refusal> {
    management.dead_letters.take(install, id).await?.ok_or_else(|| unknown(install, id))
}

/// A letter as an operator sees it: without the job itself, which may hold secrets.
pub(super) fn view(letter: Dead) -> LetterView {
    let kind = serde_json::from_str::<Job>(&letter.body).ok().map(|job| job.kind.name().to_owned());
    LetterView {
        id: letter.id,
        install_id: letter.install,
        kind,
        reason: letter.reason,
        attempts: letter.attempts,
        first_at: letter.first_at,
        at: letter.at,
        trace: letter.trace,
    }
}

fn unknown(install: Option<&InstallId>, id: &str) -> Refusal {
    let of =
        install.map_or_else(|| "that belongs to no install".to_owned(), |install| format!("of {install}"));
    let message = format!("There is no dead letter {id} {of}. List them: somebody may have sent it back.");
    Refusal::bad_request("/operator/id", message)
}
