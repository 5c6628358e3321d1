//! Which lines the log has, and how errors and panics are written there.

use cloud_app::App;
use std::{any::Any, collections::BTreeSet};
use tracing::{Level, Metadata};

/// Which lines the log has: those of this project and of the apps up to the level that the operator chose, and those of other
/// crates up to warnings. HTTP clients, SDKs and Lambda's runtime log whole requests and answers, and these have credentials.
#[derive(Debug, Clone)]
pub struct LogFilter {
    level: Level,
    apps: BTreeSet<&'static str>,
}

impl LogFilter {
    /// The lines up to `level` of this project and of these linked apps.
    pub fn new(level: Level, apps: &[App]) -> Self {
        Self { level, apps: apps.iter().flat_map(App::crates).collect() }
    }

    /// The most detailed level of a line.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Whether the log has this line.
    pub fn allow(&self, line: &Metadata<'_>) -> bool {
        let name = line.target().split("::").next().unwrap_or_default();
        let own = name == "cloud_app" || name.starts_with("cloud_apps") || self.apps.contains(name);
        *line.level() <= if own { self.level } else { self.level.min(Level::WARN) }
    }
}

/// Logs every panic, with the place in the source.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, error = literal(panic.payload()), "panic");
    }));
}

/// A panic's message, if it is a literal in the source. Any other message may repeat a part of a request or an answer.
fn literal(panic: &(dyn Any + Send)) -> Option<&'static str> {
    panic.downcast_ref::<&'static str>().copied()
}

/// The text that is logged for a panic that was caught.
pub(crate) fn of_panic(panic: &(dyn Any + Send)) -> &'static str {
    literal(panic).unwrap_or("the line `panic` before this one says where")
}

/// How many characters of an error are logged. An app's error may repeat a whole answer of a vendor.
const MAX_ERROR: usize = 4_000;

/// An error and its causes on one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text.chars().take(MAX_ERROR).collect()
}
