//! What is wrong with an install, looked at from both ends.
//!
//! [`facts`] are gathered once, from the bundle, from the server as anybody sees it, and as its admin does. Each check of
//! [`checks`] is a small function from facts to what it found, with the fix; what could not be looked at says so, and
//! how it could be.

mod checks;
mod facts;

pub use checks::check;
pub use facts::{Admin, Facts, TeamFacts, base_url, gather};

use crate::mattermost::Finding;
use serde::Serialize;

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What was looked at and is right.
    pub right: Vec<String>,
    /// What is wrong, and what to do.
    pub wrong: Vec<Finding>,
    /// What is worth knowing.
    pub notes: Vec<Finding>,
    /// What was not looked at, and how it could be.
    pub not_looked_at: Vec<String>,
}

impl Report {
    /// For a terminal.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.right.iter().map(|one| format!("  ✓ {one}")).collect();
        lines.extend(self.notes.iter().flat_map(|one| one.lines("!")));
        lines.extend(self.wrong.iter().flat_map(|one| one.lines("✗")));
        lines.extend(self.not_looked_at.iter().map(|one| format!("  ? {one}")));
        lines.push(match self.wrong.len() {
            0 => "Nothing is wrong.".to_owned(),
            1 => "One thing is wrong.".to_owned(),
            n => format!("{n} things are wrong."),
        });
        lines
    }
}
