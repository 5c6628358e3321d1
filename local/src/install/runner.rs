//! Runs the steps of a piece of work, and repeats a step if its error may pass.

use super::{person::Person, stop::Stop};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The longest wait that another side may ask for.
const LONGEST: Duration = Duration::from_mins(1);

/// How often a step is tried, and how long the first pause is. Each next pause is twice as long.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// At least 1.
    pub tries: u32,
    /// Before the second try.
    pub pause: Duration,
}

impl Default for Patience {
    /// Enough for a restart of a few seconds and for a rate limit.
    fn default() -> Self {
        Self { tries: 4, pause: Duration::from_secs(1) }
    }
}

/// Runs steps one after the other.
#[derive(Clone)]
pub struct Runner<'a> {
    /// The person who is told what happens.
    pub person: &'a dyn Person,
    /// Cancelled when somebody wants to stop.
    pub interrupt: CancellationToken,
    /// How often a step is tried.
    pub patience: Patience,
}

impl Runner<'_> {
    /// Runs one step and shows what came of it. A step looks before it acts. So it is simply run again if the error may
    /// pass: looking shows whether a call that was cut off took effect.
    pub async fn step<T>(&self, title: &str, step: impl AsyncFnMut() -> Result<T, Stop>) -> Result<T, Stop> {
        let done = self.quietly(step).await;
        match &done {
            Ok(_) => self.person.tell(&format!("  ✓ {title}")),
            Err(Stop::Interrupted) => {}
            Err(error) => self.person.tell(&format!("  ✗ {title}: {}", error.line())),
        }
        done
    }

    /// Runs a part of a step, which has no line of its own.
    pub async fn quietly<T>(&self, mut step: impl AsyncFnMut() -> Result<T, Stop>) -> Result<T, Stop> {
        let mut pause = self.patience.pause;
        for tried in 1.. {
            if self.interrupt.is_cancelled() {
                return Err(Stop::Interrupted);
            }
            match step().await {
                Ok(done) => return Ok(done),
                Err(error) if error.transient() && tried < self.patience.tries => {
                    let wait = error.after().unwrap_or(pause).min(LONGEST);
                    self.person.tell(&format!("  … {}; again in {} s", error.line(), wait.as_secs()));
                    pause *= 2;
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.interrupt.cancelled() => return Err(Stop::Interrupted),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(Stop::Interrupted)
    }
}
