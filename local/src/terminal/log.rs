//! Log lines of `serve`. The formatter escapes control characters in fields and colours its own words. Everything else that acts on a
//! terminal is replaced here.

use super::clean::{clean, escaped};
use cloud_apps_protocol::text::is_unseen;
use std::io::{self, Write};

/// The formatter writes its lines here.
#[derive(Debug, Clone, Copy)]
pub enum Log {
    /// Lines for people.
    Readable,
    /// A JSON object a line.
    Json,
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = match self {
            Self::Readable => readable(&text),
            Self::Json => escaped(&text),
        };
        anstream::stderr().write_all(text.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        anstream::stderr().flush()
    }
}

/// Keeps only the formatter's colours (`ESC [ 2 m`) and the end of the line.
fn readable(text: &str) -> String {
    let (line, end) = text.strip_suffix('\n').map_or((text, ""), |line| (line, "\n"));
    let mut parts = line.split('\u{1b}');
    let mut out = clean(parts.next().unwrap_or_default());
    for part in parts {
        let style = part.strip_prefix('[').and_then(|rest| rest.split_once('m'));
        match style.filter(|(codes, _)| codes.chars().all(|c| c.is_ascii_digit() || c == ';')) {
            Some((codes, rest)) => {
                out.extend(["\u{1b}[", codes, "m", &clean(rest)]);
            }
            None => out += &clean(&format!("\u{1b}{part}")),
        }
    }
    debug_assert!(!out.contains(|c| c != '\u{1b}' && is_unseen(c)), "only colours are left");
    out + end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_keeps_its_colours_and_nothing_else_that_acts() {
        let line = "\u{1b}[32m INFO\u{1b}[0m said \u{202e}x\nforged \u{1b}]0;owned\u{7}\n";
        assert_eq!(readable(line), "\u{1b}[32m INFO\u{1b}[0m said \u{fffd}x␊forged ␛]0;owned␇\n");
    }
}
