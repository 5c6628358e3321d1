//! Ctrl-C. The first one ends the work in an orderly way, after the call in hand; the second one at once.

use super::person::Person;
use std::sync::Arc;
use tokio::sync::watch;

/// Whether somebody wants an end.
#[derive(Debug, Clone)]
pub struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Nobody ever does.
    pub fn never() -> Self {
        Self(watch::channel(false).1)
    }

    /// Somebody does when the sender says so.
    pub fn by() -> (watch::Sender<bool>, Self) {
        let (send, receive) = watch::channel(false);
        (send, Self(receive))
    }

    /// Listens for Ctrl-C and SIGTERM. `on` is told to who stops at once: how to go on.
    pub fn listen(person: Arc<dyn Person>, on: String) -> Self {
        let (send, interrupt) = Self::by();
        tokio::spawn(async move {
            if signalled().await {
                person.tell("");
                person.tell("Stopping after the call in hand. Ctrl-C again stops at once.");
                let _ = send.send(true);
            }
            if signalled().await {
                person.tell("");
                person.tell(&format!("Stopped at once. {on}"));
                std::process::exit(130);
            }
        });
        interrupt
    }

    /// Somebody wants an end.
    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Comes back when somebody wants an end.
    pub async fn set(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|set| *set).await.is_err() {
            // Nobody can say so any more.
            std::future::pending::<()>().await;
        }
    }
}

/// Comes back at the next signal; false where signals cannot be heard.
async fn signalled() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return false };
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt.is_ok(),
        _ = terminate.recv() => true,
    }
}
