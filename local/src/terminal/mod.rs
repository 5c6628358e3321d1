//! The terminal. All output of this program goes through this module.
//!
//! Much of the output was written by others: manifests, bundles, Mattermost servers, answers of apps, files that somebody left. A
//! terminal obeys control characters, and a reader believes what looks like a line of this program. So nothing is printed in another
//! way (Clippy refuses the macros for it), and all output is made of [`Line`]s. In a line every character is only shown, and a new
//! line begins only where this program begins one.

mod clean;
mod log;
mod snippet;

pub use log::Log;
pub use snippet::problem;

use anstyle::Style;
use clean::{clean, escaped};
use serde::Serialize;
use std::io::{IsTerminal, Write};

/// One line. Its parts may have a style; everything in them is only text.
#[derive(Debug, Clone, Default)]
pub struct Line(Vec<(Style, String)>);

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lines without a style.
    pub fn all(texts: Vec<String>) -> Vec<Self> {
        texts.into_iter().map(Self::from).collect()
    }

    /// Adds a text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.styled(Style::new(), text)
    }

    /// Adds a text in a style.
    #[must_use]
    pub fn styled(mut self, style: Style, text: &str) -> Self {
        self.0.push((style, text.to_owned()));
        self
    }

    /// The text with the codes of its styles, and with nothing else that a terminal obeys.
    fn rendered(&self) -> String {
        let parts = self.0.iter().map(|(style, text)| format!("{style}{}{style:#}", clean(text)));
        parts.collect::<Vec<_>>().concat()
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self(vec![(Style::new(), text)])
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&String> for Line {
    fn from(text: &String) -> Self {
        text.clone().into()
    }
}

/// Writes a line to standard output, for results.
pub fn out(line: impl Into<Line>) {
    write_out(format!("{}\n", line.into().rendered()).as_bytes());
}

/// Writes a line to standard error, for everything beside the result. If nobody reads it, the work continues.
pub fn err(line: impl Into<Line>) {
    write_err(&format!("{}\n", line.into().rendered()));
}

/// Writes a text to standard error that is already cleaned.
fn write_err(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Writes a text of somebody else to standard output. Each of its lines is indented, so that none looks like a line of this
/// program.
pub fn quote(text: &str) {
    for line in text.lines() {
        let tabs = line.replace('\t', "    ");
        out(if tabs.is_empty() { tabs } else { format!("  {tabs}") });
    }
}

/// Writes a value as JSON to standard output. What a terminal would obey is escaped, so the value stays the same.
pub fn json(value: &impl Serialize) -> serde_json::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    write_out(format!("{}\n", escaped(&text)).as_bytes());
    Ok(())
}

/// Writes JSON of somebody else to standard output as it came; what a terminal would obey is escaped. What is not JSON is written
/// as a text.
pub fn json_as_it_came(text: &str) {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        write_out(format!("{}\n", escaped(text)).as_bytes());
    } else {
        quote(text);
    }
}

/// Writes a text of this program that is meant for another program, as it is.
pub fn own(text: &[u8]) {
    write_out(text);
}

/// Asks on standard error. What is typed stands after the question.
pub fn ask(question: &str) {
    write_err(&format!("{} ", clean(question)));
    let _ = anstream::stderr().flush();
}

/// A question for a prompt that does not show what is typed.
pub fn secret_prompt(question: &str) -> String {
    format!("{} ", clean(question))
}

/// Whether standard error is a terminal where colours are wanted.
#[expect(clippy::disallowed_methods, reason = "nothing is said")]
pub fn shows_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none() && std::io::stderr().is_terminal()
}

/// If a result cannot be written, the program ends, so that nobody believes it was. If the reader has gone, as in
/// `cloud-apps serve | head -1`, nobody waits for more.
fn write_out(bytes: &[u8]) {
    match anstream::stdout().write_all(bytes) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            err(format!("error: standard output cannot be written: {error}"));
            std::process::exit(1);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anstyle::AnsiColor;

    #[test]
    fn a_line_is_one_line_and_only_its_own_style_reaches_the_terminal() {
        let red = Style::new().fg_color(Some(AnsiColor::Red.into()));
        let hostile = "a\u{1b}[2J\u{1b}]0;owned\u{7}\nerror: forged\r\u{9b}31m\u{202e}b\u{200b}";
        let line = Line::new().styled(red, "red").text(hostile).rendered();
        assert_eq!(line, "\u{1b}[31mred\u{1b}[0ma␛[2J␛]0;owned␇␊error: forged␍\u{fffd}31m\u{fffd}b\u{fffd}");
    }
}
