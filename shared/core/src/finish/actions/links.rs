//! Commands inside a text: `[Approve](command:approve?issue=MM-1)` is a button in the sentence where the server has such
//! buttons, and elsewhere the word, with a button below.

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Mattermost Markdown as it is.
    Text(&'t str),
    /// A link that runs a command.
    Command {
        /// What stands in the sentence.
        label: &'t str,
        /// The name of the function.
        function: &'t str,
        /// Its values as the query of an address has them; may be empty.
        query: &'t str,
    },
}

const OPENS: &str = "](command:";

/// Whether the text has such a link.
pub fn any(text: &str) -> bool {
    text.contains(OPENS) && pieces(text).any(|piece| matches!(piece, Piece::Command { .. }))
}

/// The parts of a text, in their order. What only looks like a link stays text, as does what stands in code.
pub fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    let mut code = Code::default();
    let mut waiting = None;
    std::iter::from_fn(move || {
        if let Some(piece) = waiting.take() {
            return Some(piece);
        }
        if rest.is_empty() {
            return None;
        }
        let all = rest;
        let Some((start, end, link)) = next(all, &mut code) else {
            rest = "";
            return Some(Piece::Text(all));
        };
        rest = all.get(end..).unwrap_or_default();
        let before = all.get(..start).unwrap_or_default();
        if before.is_empty() {
            return Some(link);
        }
        waiting = Some(link);
        Some(Piece::Text(before))
    })
}

/// Whether the reader is inside of code.
#[derive(Default)]
struct Code {
    /// How many backticks end it; 0: outside.
    fence: usize,
}

/// The next link outside of code: where it begins and ends, and what it is.
fn next<'t>(text: &'t str, code: &mut Code) -> Option<(usize, usize, Piece<'t>)> {
    let mut at = 0;
    let mut bracket = None;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        match c {
            '`' => {
                let run = rest.len() - rest.trim_start_matches('`').len();
                if code.fence == 0 && closes(rest.get(run..).unwrap_or_default(), run) {
                    code.fence = run;
                } else if code.fence == run {
                    code.fence = 0;
                }
                bracket = None;
                at += run;
                continue;
            }
            _ if code.fence > 0 => {}
            '\\' => at += rest.chars().nth(1).map_or(0, char::len_utf8),
            '\n' => bracket = None,
            '[' => bracket = Some(at),
            ']' => {
                if let Some(start) = bracket.take()
                    && let Some((length, link)) = link(text.get(start..).unwrap_or_default(), at - start)
                {
                    return Some((start, start + length, link));
                }
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    None
}

/// Whether a run of so many backticks follows.
fn closes(text: &str, run: usize) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        let ticks = rest.get(at..).unwrap_or_default();
        let found = ticks.len() - ticks.trim_start_matches('`').len();
        if found == run {
            return true;
        }
        rest = ticks.get(found..).unwrap_or_default();
    }
    false
}

/// A link at the beginning of the text whose label ends at `end`: its length, and what it is.
fn link(text: &str, end: usize) -> Option<(usize, Piece<'_>)> {
    let label = text.get(1..end)?;
    let target = text.get(end..)?.strip_prefix(OPENS)?;
    let length = target
        .find([')', '(', '\n', ' '])
        .filter(|at| target.get(*at..).is_some_and(|t| t.starts_with(')')))?;
    let (function, query) = {
        let target = target.get(..length)?;
        target.split_once('?').unwrap_or((target, ""))
    };
    if label.trim().is_empty() {
        return None;
    }
    Some((end + OPENS.len() + length + 1, Piece::Command { label, function, query }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        let piece = |piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Command { label, function, query } => format!("<{label}|{function}|{query}>"),
        };
        pieces(text).map(piece).collect()
    }

    #[test]
    fn a_link_to_a_command_is_found_and_nothing_else() {
        for (text, expected) in [
            ("[Approve](command:approve?issue=MM-1)", "<Approve|approve|issue=MM-1>"),
            (
                "Please [Approve](command:approve) or [deny](command:deny?a=1&b=2).",
                "Please <Approve|approve|> or <deny|deny|a=1&b=2>.",
            ),
            ("[a] [b](command:c)", "[a] <b|c|>"),
            ("[a [b](command:c)", "[a <b|c|>"),
            ("`[a](command:b)` [c](command:d)", "`[a](command:b)` <c|d|>"),
            ("```\n[a](command:b)\n```\n[c](command:d)", "```\n[a](command:b)\n```\n<c|d|>"),
            ("one ` alone [c](command:d)", "one ` alone <c|d|>"),
            (r"\[a](command:b)", r"\[a](command:b)"),
            ("[a](https://example.com)", "[a](https://example.com)"),
            ("[a](command:b", "[a](command:b"),
            ("[a](command:b c)", "[a](command:b c)"),
            ("[ ](command:b)", "[ ](command:b)"),
            ("[a\nb](command:c)", "[a\nb](command:c)"),
            ("[ü](command:ä)", "<ü|ä|>"),
            ("", ""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_lost(text in "[\\[\\]()`a:? \\\\\\n]{0,30}|(\\[a\\]\\(command:b\\)|`|x|\\[){0,10}") {
            let again: String = pieces(&text)
                .map(|piece| match piece {
                    Piece::Text(text) => text.to_owned(),
                    Piece::Command { label, function, query: "" } => format!("[{label}]({}{function})", "command:"),
                    Piece::Command { label, function, query } => format!("[{label}](command:{function}?{query})"),
                })
                .collect();
            // A `?` with nothing after it is the one thing that is not written again.
            prop_assert_eq!(again.replace("?)", ")"), text.replace("?)", ")"));
        }
    }
}
