//! Ctrl-C and SIGTERM. The first one lets the current call finish and then stops; the second one stops at once.

use super::person::Person;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A token that the first signal cancels. `hint` is shown if a second signal stops the program at once: how to continue.
pub fn on_signals(person: Arc<dyn Person>, hint: String) -> CancellationToken {
    let interrupt = CancellationToken::new();
    let cancel = interrupt.clone();
    tokio::spawn(async move {
        if signalled().await {
            person.tell("");
            person.tell("Stopping after the current call. Ctrl-C again stops at once.");
            cancel.cancel();
        }
        if signalled().await {
            person.tell("");
            person.tell(&format!("Stopped at once. {hint}"));
            std::process::exit(130);
        }
    });
    interrupt
}

/// Returns at the next signal; false if signals cannot be received.
async fn signalled() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return false };
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt.is_ok(),
        _ = terminate.recv() => true,
    }
}
