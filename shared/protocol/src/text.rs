//! Texts for people: which characters they may have, and how a text is shortened.

use std::borrow::Cow;

/// Whether a character is not allowed in a name or a label, and never sent to a terminal, because people cannot see it and it can
/// make a text look like another one. These are control characters, including line breaks and tabs, characters that change the
/// direction of a text, and other invisible characters. Joiners are allowed, because emoji and the scripts of Persia and India
/// need them.
///
/// ```
/// use cloud_apps_protocol::text::is_unseen;
///
/// assert!(is_unseen('\u{1b}') && is_unseen('\n') && is_unseen('\u{202e}') && is_unseen('\u{200b}'));
/// assert!(!is_unseen('a') && !is_unseen(' ') && !is_unseen('é') && !is_unseen('\u{200d}'));
/// ```
pub fn is_unseen(c: char) -> bool {
    c.is_control() || (!c.is_ascii() && UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&c)))
}

/// Whether a character takes no part in what a person types: nobody sees it, and it is no white space. Names, flags, mentions and
/// numbers are read without such characters, which come along when a text is pasted. They stay in a text that is a value.
///
/// ```
/// use cloud_apps_protocol::text::is_ignorable;
///
/// assert!(is_ignorable('\u{200b}') && is_ignorable('\u{200d}') && is_ignorable('\u{fe0f}'));
/// assert!(!is_ignorable('a') && !is_ignorable(' ') && !is_ignorable('\n') && !is_ignorable('\u{2028}'));
/// ```
pub fn is_ignorable(c: char) -> bool {
    // Joiners, the selectors of a form of the letter or emoji before them, and what Unicode keeps for such characters.
    let within_a_text = matches!(
        c,
        '\u{180b}'..='\u{180f}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fff8}'
    );
    within_a_text || (is_unseen(c) && !c.is_whitespace())
}

/// A text without the characters that take no part in it.
pub fn without_ignorable(text: &str) -> Cow<'_, str> {
    if text.contains(is_ignorable) { text.replace(is_ignorable, "").into() } else { text.into() }
}

/// At most `most` characters of a text. A longer text ends with `…`.
///
/// ```
/// use cloud_apps_protocol::text::shortened;
///
/// assert_eq!((shortened("Zoë", 3), shortened("Zoë!", 3)), ("Zoë".into(), "Zo…".into()));
/// ```
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    if text.char_indices().nth(most).is_none() {
        return text.into();
    }
    let end = text.char_indices().nth(most.saturating_sub(1)).map_or(0, |(at, _)| at);
    format!("{}…", text.get(..end).unwrap_or_default()).into()
}

/// Unicode's format characters except the joiners, the separators of lines and paragraphs, and invisible letters.
const UNSEEN: [(char, char); 25] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200b}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff9}', '\u{fffc}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1345f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// A regular expression for JSON Schema that matches texts without such characters. The characters of `with` are allowed.
#[cfg(feature = "schema")]
pub(crate) fn pattern(with: &[char]) -> String {
    use std::fmt::Write;
    let mut controls: Vec<(char, char)> = Vec::new();
    for c in ('\0'..='\u{9f}').filter(|c| c.is_control() && !with.contains(c)) {
        match controls.last_mut() {
            Some((_, last)) if u32::from(*last) + 1 == u32::from(c) => *last = c,
            _ => controls.push((c, c)),
        }
    }
    let mut ranges = String::new();
    // If an expression is not read as Unicode, characters above U+FFFF are two halves.
    let rest = UNSEEN.into_iter().filter(|(_, last)| *last <= '\u{ffff}');
    for (first, last) in controls.into_iter().chain(rest) {
        let _ = write!(ranges, "\\u{:04X}", u32::from(first));
        if first != last {
            let _ = write!(ranges, "-\\u{:04X}", u32::from(last));
        }
    }
    format!("^[^{ranges}]*$")
}

#[cfg(test)]
mod tests {
    use super::*;
    use icu_properties::{
        CodePointMapData, CodePointSetData,
        props::DefaultIgnorableCodePoint,
        props::GeneralCategory::{self, Control, Format, LineSeparator, ParagraphSeparator},
    };

    #[test]
    fn all_that_unicode_calls_a_control_a_format_or_a_separator_of_lines_is_unseen_but_the_joiners() {
        let categories = CodePointMapData::<GeneralCategory>::new();
        for c in ('\0'..=char::MAX).filter(|c| !matches!(c, '\u{200c}' | '\u{200d}')) {
            let acts = matches!(categories.get(c), Control | Format | LineSeparator | ParagraphSeparator);
            assert!(!acts || is_unseen(c), "{c:?}");
        }
    }

    #[test]
    fn all_that_unicode_calls_ignorable_takes_no_part_and_no_white_space_does() {
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        for c in '\0'..=char::MAX {
            assert!(!ignorable.contains(c) || is_ignorable(c), "{c:?}");
            assert!(!c.is_whitespace() || !is_ignorable(c), "{c:?}");
        }
        assert_eq!(without_ignorable("--lo\u{200b}ud\u{feff}"), "--loud");
    }

    #[test]
    fn a_text_is_shortened_by_characters() {
        for (text, most, short) in
            [("", 0, ""), ("ab", 0, "…"), ("ab", 1, "…"), ("éé", 2, "éé"), ("ééé", 2, "é…")]
        {
            assert_eq!(shortened(text, most), short);
        }
    }
}
