//! One piece of work on the two sides: with whom, and how patiently.

use super::{bundle::Bundle, interrupt::Interrupt, person::Person, stop::Stop};
use crate::mattermost::Mattermost;
use cloud_apps_protocol::install::AppView;
use std::time::Duration;

/// The longest wait that another side may ask for.
const LONGEST: Duration = Duration::from_mins(1);

/// How often a step is tried, and how long the first pause is; each next one is twice as long.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// At least 1.
    pub tries: u32,
    /// Before the second try.
    pub pause: Duration,
}

impl Default for Patience {
    /// Rides out a restart of a few seconds and a rate limit.
    fn default() -> Self {
        Self { tries: 4, pause: Duration::from_secs(1) }
    }
}

/// What a step has in hand.
pub struct Work<'a> {
    /// The server, as the admin.
    pub server: &'a Mattermost,
    /// The bundle.
    pub bundle: &'a Bundle,
    /// The app.
    pub app: &'a AppView,
    /// How it goes on.
    pub pace: Pace<'a>,
}

/// How steps follow each other.
#[derive(Clone)]
pub struct Pace<'a> {
    /// Who is told.
    pub person: &'a dyn Person,
    /// Who may want an end.
    pub interrupt: Interrupt,
    /// How patiently.
    pub patience: Patience,
}

impl Work<'_> {
    /// [`Pace::step`].
    pub async fn step<T>(&self, title: &str, step: impl AsyncFnMut() -> Result<T, Stop>) -> Result<T, Stop> {
        self.pace.step(title, step).await
    }

    /// Shows a line.
    pub fn tell(&self, line: &str) {
        self.pace.person.tell(line);
    }
}

impl Pace<'_> {
    /// Does one step. A step looks before it acts, so it is simply done again where the trouble may pass: whether a
    /// call that was cut off took effect is what its looking finds out.
    pub async fn step<T>(&self, title: &str, step: impl AsyncFnMut() -> Result<T, Stop>) -> Result<T, Stop> {
        let done = self.patiently(step).await;
        match &done {
            Ok(_) => self.person.tell(&format!("  ✓ {title}")),
            Err(Stop::Interrupted) => {}
            Err(trouble) => self.person.tell(&format!("  ✗ {title}: {}", trouble.line())),
        }
        done
    }

    /// The same for a part of a step, which has no line of its own.
    pub async fn patiently<T>(&self, mut step: impl AsyncFnMut() -> Result<T, Stop>) -> Result<T, Stop> {
        let mut pause = self.patience.pause;
        for tried in 1.. {
            if self.interrupt.is_set() {
                return Err(Stop::Interrupted);
            }
            match step().await {
                Ok(done) => return Ok(done),
                Err(trouble) if trouble.transient() && tried < self.patience.tries => {
                    let wait = trouble.after().unwrap_or(pause).min(LONGEST);
                    self.person.tell(&format!("  … {}; again in {} s", trouble.line(), wait.as_secs()));
                    pause *= 2;
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.interrupt.set() => return Err(Stop::Interrupted),
                    }
                }
                Err(trouble) => return Err(trouble),
            }
        }
        Err(Stop::Interrupted)
    }
}
