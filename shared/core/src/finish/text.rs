//! How long a text may be: what is too long is split or cut. Lengths are in characters, as Mattermost counts them.
//!
//! A text is made quiet here and nowhere else, after it was split or cut: a cut in `@allison` makes an `@all`.

use super::mentions::Mentions;

/// Characters of a post on a server that has not said how many it takes.
pub const POST_LIMIT: usize = 16_383;

const CUT: &str = "\n\n_The rest was too long to show._";

/// At most `limit` characters; what is cut ends with a note.
pub fn cut(text: &str, limit: usize, mentions: Mentions) -> String {
    // No more is looked at than what can be shown.
    let near = head(text, limit + 1);
    let whole = mentions.shown(near);
    if is_within(&whole, limit) {
        return whole.into_owned();
    }
    let room = limit.saturating_sub(length(CUT));
    let (kept, ()) = quieted(room, mentions, |room| (head(near, room), ()));
    kept + CUT
}

/// As much of a text as is within `limit` when it is quiet. `part` gives at most so many characters of it, and something
/// beside: a cut may make a mention, and a mention that is made quiet is longer.
fn quieted<'t, T>(limit: usize, mentions: Mentions, part: impl Fn(usize) -> (&'t str, T)) -> (String, T) {
    let mut room = limit;
    loop {
        let (text, beside) = part(room);
        let text = mentions.shown(text);
        match length(&text).saturating_sub(limit) {
            0 => return (text.into_owned(), beside),
            over => room = room.saturating_sub(over),
        }
    }
}

/// The text with a note under it, together at most `limit` characters: the text is cut, the note is not.
pub fn with_note(text: &str, note: &str, limit: usize, mentions: Mentions) -> String {
    if note.is_empty() || text.is_empty() {
        return cut(&format!("{text}{note}"), limit, mentions);
    }
    let room = limit.saturating_sub(length(note) + 2);
    format!("{}\n\n{note}", cut(text, room, mentions))
}

/// A long text in parts.
#[derive(Debug, PartialEq, Eq)]
pub struct Parts {
    /// In their order; none is empty.
    pub parts: Vec<String>,
    /// Whether there was more; the last part says so.
    pub cut: bool,
}

/// At most `most` parts of at most `limit` characters: split between paragraphs, else between lines, else between words,
/// else anywhere. Nothing but white space at the seams is lost, and what is more than the parts can hold.
pub fn split(text: &str, limit: usize, most: usize, mentions: Mentions) -> Parts {
    let limit = limit.max(1);
    let mut parts = Vec::new();
    let mut rest = text.trim_end();
    while !rest.is_empty() {
        let near = head(rest, limit + 1);
        let fits = is_within(&mentions.shown(near), limit);
        if fits || parts.len() + 1 >= most {
            parts.push(cut(near, limit, mentions));
            return Parts { parts, cut: !fits };
        }
        let (part, tail) = quieted(limit, mentions, |room| at_seam(rest, room.max(1)));
        if !part.is_empty() {
            parts.push(part);
        }
        rest = tail;
    }
    Parts { parts, cut: false }
}

/// At most `room` characters, and what follows the seam.
fn at_seam(text: &str, room: usize) -> (&str, &str) {
    let window = head(text, room);
    let seam = ["\n\n", "\n", " "].iter().find_map(|seam| window.rfind(seam).filter(|at| *at > 0));
    let (part, tail) = text.split_at(seam.unwrap_or(window.len()));
    (part.trim_end(), tail.trim_start_matches(['\n', ' ']))
}

/// The first characters.
fn head(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn is_within(text: &str, limit: usize) -> bool {
    text.char_indices().nth(limit).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str, limit: usize) -> Vec<String> {
        split(text, limit, usize::MAX, Mentions::Loud).parts
    }

    #[test]
    fn a_long_text_is_split_between_paragraphs_first() {
        assert_eq!(parts("one two\n\nthree\nfour", 12), ["one two", "three\nfour"]);
        assert_eq!(parts("one two\nthree", 9), ["one two", "three"]);
        assert_eq!(parts("one two three", 9), ["one two", "three"]);
        assert_eq!(parts("ééééé", 2), ["éé", "éé", "é"]);
        assert_eq!(parts("short", 100), ["short"]);
        assert!(parts("", 100).is_empty() && parts(" \n", 100).is_empty());
    }

    #[test]
    fn what_is_more_than_the_parts_hold_is_said() {
        let text = "word ".repeat(100);
        let Parts { parts, cut } = split(&text, 60, 3, Mentions::Quiet);
        assert!(cut && parts.len() == 3, "{parts:?}");
        assert!(parts[2].ends_with(CUT) && length(&parts[2]) <= 60, "{parts:?}");
        assert!(!split(&text, 600, 1, Mentions::Quiet).cut);
    }

    #[test]
    fn neither_a_cut_nor_a_split_makes_a_mention() {
        let dots = ".".repeat(POST_LIMIT - 4);
        for text in [format!("{dots}@allison"), format!("{dots}..x@all"), format!("{dots}...x@all")] {
            let Parts { parts, .. } = split(&text, POST_LIMIT, 5, Mentions::Quiet);
            assert!(parts.iter().all(|part| !part.ends_with("@all") && length(part) <= POST_LIMIT));
            assert!(!parts.iter().any(|part| part.starts_with("@all")));
        }
        let text = format!("{}@allison{dots}", ".".repeat(60));
        let cut = cut(&text, 64 + length(CUT), Mentions::Quiet);
        assert_eq!(cut, format!("{}@al{CUT}", ".".repeat(60)));
    }

    proptest! {
        #[test]
        fn no_part_is_too_long_and_nothing_but_white_space_is_lost(
            text in "([a-zé \n]|@all|&#64;here){0,200}", limit in 10_usize..60, loud in any::<bool>(),
        ) {
            let Parts { parts, cut } = split(&text, limit, usize::MAX, Mentions::of(loud));
            prop_assert!(!cut && parts.iter().all(|part| !part.is_empty() && length(part) <= limit), "{parts:?}");
            let squeezed = |text: &str| text.replace('\u{200b}', "").split_whitespace().collect::<String>();
            prop_assert_eq!(squeezed(&parts.concat()), squeezed(&text));
        }

        #[test]
        fn a_note_is_never_cut(text in "\\PC{0,60}", note in "[a-z]{0,10}", limit in 50_usize..70) {
            let noted = with_note(&text, &note, limit, Mentions::Quiet);
            prop_assert!(noted.ends_with(&note) && length(&noted) <= limit, "{noted}");
        }
    }
}
