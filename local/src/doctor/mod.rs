//! Finds what is wrong with an install, in Mattermost and in the bundle.
//!
//! [`facts`] are gathered once: from the bundle, from the server as anybody sees it, and as its admin sees it. Each check in
//! [`checks`] is a small function from facts to what it found, with the fix. What could not be checked is listed, with what it
//! needs.

mod checks;
mod facts;

pub use checks::check;
pub use facts::{Admin, Facts, TeamFacts, base_url, gather};

use crate::mattermost::Finding;
use serde::Serialize;

/// What the doctor found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What was checked and is right.
    pub right: Vec<String>,
    /// What is wrong, and what to do.
    pub wrong: Vec<Finding>,
    /// What is worth knowing.
    pub notes: Vec<Finding>,
    /// What was not checked, and what it needs.
    pub not_looked_at: Vec<String>,
}

impl Report {
    /// The lines for a terminal.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.right.iter().map(|one| format!("  ✓ {one}")).collect();
        lines.extend(self.notes.iter().flat_map(|one| one.lines("!")));
        lines.extend(self.wrong.iter().flat_map(|one| one.lines("✗")));
        lines.extend(self.not_looked_at.iter().map(|one| format!("  ? {one}")));
        lines.push(match self.wrong.len() {
            0 if self.notes.is_empty() => "Nothing is wrong.".to_owned(),
            0 => "Nothing is wrong. Read the notes (!).".to_owned(),
            1 => "One thing is wrong.".to_owned(),
            n => format!("{n} things are wrong."),
        });
        lines
    }
}
