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
    pub fn lines(&self) -> String {
        let mut lines: Vec<String> = self.right.iter().map(|one| format!("  ✓ {one}")).collect();
        lines.extend(self.notes.iter().map(|one| format!("  ! {}", one.lines())));
        lines.extend(self.wrong.iter().map(|one| format!("  ✗ {}", one.lines())));
        lines.extend(self.not_looked_at.iter().map(|one| format!("  ? {one}")));
        // Names and addresses come from the server: what a terminal obeys stays out.
        for line in &mut lines {
            line.retain(|c| c == '\n' || !c.is_control());
        }
        lines.push(match self.wrong.len() {
            0 => "Nothing is wrong.".to_owned(),
            1 => "One thing is wrong.".to_owned(),
            n => format!("{n} things are wrong."),
        });
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_hands_no_control_characters_of_a_server_to_the_terminal() {
        let wrong = Finding::stop("/hello calls \u{1b}]0;owned\u{7}elsewhere", "`cloud-apps sync` mends it.");
        let right = vec!["Mattermost \u{1b}[2J11.6.0".to_owned()];
        let report = Report { right, wrong: vec![wrong], notes: Vec::new(), not_looked_at: Vec::new() };
        let text = report.lines();
        assert!(text.contains("]0;ownedelsewhere") && text.contains("\n     fix: "), "{text}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    }
}
