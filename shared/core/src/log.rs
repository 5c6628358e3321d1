//! Which lines a log has, and what they say of errors and panics.

use cloud_app::App;
use std::{any::Any, collections::BTreeSet};
use tracing::{Level, Metadata};

/// Which lines a log has: those of this project and of the apps as detailed as the operator likes, those of any other
/// crate as warnings at most. HTTP clients, SDKs and Lambda's runtime describe their work by whole requests and
/// answers, and credentials stand in those.
#[derive(Debug, Clone)]
pub struct Lines {
    level: Level,
    apps: BTreeSet<&'static str>,
}

impl Lines {
    /// Lines up to `level`, where `apps` are linked.
    pub fn new(level: Level, apps: &[App]) -> Self {
        Self { level, apps: apps.iter().flat_map(App::crates).collect() }
    }

    /// The most detailed level that any line has.
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

/// Makes a panic a line of the log that says where it was.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, error = literal(panic.payload()), "panic");
    }));
}

/// A panic's message, if it is a literal of the source: any other may repeat what a request or an answer brought.
fn literal(panic: &(dyn Any + Send)) -> Option<&'static str> {
    panic.downcast_ref::<&'static str>().copied()
}

/// What a line says of a panic that was caught.
pub(crate) fn of_panic(panic: &(dyn Any + Send)) -> &'static str {
    literal(panic).unwrap_or("the line `panic` before this one says where")
}

/// The most of an error that is logged, in characters: an app's may repeat a whole answer of its upstream.
const MAX_ERROR: usize = 4_000;

/// An error and its causes in one line.
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
