//! What happens to a text before a person sees it: mentions that would notify a whole channel are neutralised, and
//! what is too long is split or cut. Lengths are in characters, as Mattermost counts them.

use serde_json::Value;

/// Characters of a post (the server's limit).
pub const POST_LIMIT: usize = 16_383;

const CUT: &str = "\n\n_The rest was too long to show._";

/// Mentions that notify everybody who reads a channel.
const LOUD: [&str; 3] = ["channel", "all", "here"];

/// `@channel` with an invisible character in it, so that it reads the same and notifies nobody.
pub fn quiet(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (head, tail) = rest.split_at(at);
        let name = tail.get(1..).unwrap_or_default();
        before = head.chars().next_back().or(before);
        out.push_str(head);
        out.push('@');
        // An address is no mention: in `a@all.org` a letter stands before the `@`.
        if !before.is_some_and(|c: char| c.is_ascii_alphanumeric())
            && LOUD.iter().any(|loud| names(name, loud))
        {
            out.push('\u{200b}');
        }
        before = Some('@');
        rest = name;
    }
    out.push_str(rest);
    out
}

/// Whether `text` begins with the name, in any case, and not with a longer one. Names of users are ASCII; whatever else
/// stands beside a mention may end it: what is a letter to us (`Ⓐ`, a vowel sign) is none to the server.
fn names(text: &str, name: &str) -> bool {
    let begins = text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
    let next = text.get(name.len()..).and_then(|tail| tail.chars().next());
    begins && !next.is_some_and(|c| c.is_ascii_alphanumeric())
}

/// Every text of an attachment but its addresses.
pub fn quiet_all(value: &mut Value) {
    match value {
        Value::String(text) => *text = quiet(text),
        Value::Array(values) => values.iter_mut().for_each(quiet_all),
        Value::Object(map) => {
            let texts = map.iter_mut().filter(|(key, _)| !key.ends_with("_link") && !key.ends_with("_url"));
            texts.for_each(|(_, value)| quiet_all(value));
        }
        _ => {}
    }
}

/// At most `limit` characters; what is cut ends with a note.
pub fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(CUT.chars().count())).collect();
    kept + CUT
}

/// The text with a note under it, together at most `limit` characters: the text is cut, the note is not.
pub fn with_note(text: &str, note: &str, limit: usize) -> String {
    if note.is_empty() || text.is_empty() {
        return cut(&format!("{text}{note}"), limit);
    }
    let room = limit.saturating_sub(note.chars().count() + 2);
    format!("{}\n\n{note}", cut(text, room))
}

/// Parts of at most `limit` characters: split between paragraphs, else between lines, else between words, else
/// anywhere. Nothing but white space at the seams is lost.
pub fn split(text: &str, limit: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim_end();
    while rest.chars().count() > limit {
        let end = rest.char_indices().nth(limit).map_or(rest.len(), |(at, _)| at);
        let window = rest.get(..end).unwrap_or(rest);
        let seam = ["\n\n", "\n", " "].iter().find_map(|seam| window.rfind(seam).filter(|at| *at > 0));
        let (head, tail) = rest.split_at(seam.unwrap_or(end));
        parts.push(head.trim_end().to_owned());
        rest = tail.trim_start_matches(['\n', ' ']);
    }
    if !rest.is_empty() {
        parts.push(rest.to_owned());
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn loud_mentions_are_neutralised_and_other_words_are_left() {
        for (text, quieted) in [
            ("Hi @all!", "Hi @\u{200b}all!"),
            ("@Channel, @HERE", "@\u{200b}Channel, @\u{200b}HERE"),
            ("@allison a@all.org @here_and", "@allison a@all.org @\u{200b}here_and"),
            ("@@all", "@@\u{200b}all"),
            ("(@here)", "(@\u{200b}here)"),
            ("@ü", "@ü"),
            ("@all\u{93e} Ⓐ@here @channelⒶ", "@\u{200b}all\u{93e} Ⓐ@\u{200b}here @\u{200b}channelⒶ"),
        ] {
            assert_eq!(quiet(text), quieted, "{text}");
        }
    }

    #[test]
    fn links_of_attachments_stay_as_they_are() {
        let mut attachment = serde_json::json!({"text": "@all", "title_link": "https://x/@all"});
        quiet_all(&mut attachment);
        assert_eq!(attachment, serde_json::json!({"text": "@\u{200b}all", "title_link": "https://x/@all"}));
    }

    #[test]
    fn a_long_text_is_split_between_paragraphs_first() {
        assert_eq!(split("one two\n\nthree\nfour", 12), ["one two", "three\nfour"]);
        assert_eq!(split("one two\nthree", 9), ["one two", "three"]);
        assert_eq!(split("one two three", 9), ["one two", "three"]);
        assert_eq!(split("ééééé", 2), ["éé", "éé", "é"]);
        assert_eq!(split("short", 100), ["short"]);
        assert!(split("", 100).is_empty());
    }

    proptest! {
        #[test]
        fn no_part_is_too_long_and_nothing_but_white_space_is_lost(text in "[a-zé \n]{0,200}", limit in 1_usize..40) {
            let parts = split(&text, limit);
            prop_assert!(parts.iter().all(|part| part.chars().count() <= limit));
            let squeezed = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(squeezed(&parts.concat()), squeezed(&text));
        }

        #[test]
        fn a_cut_text_is_never_too_long(text in ".{0,200}", limit in 40_usize..100) {
            prop_assert!(cut(&text, limit).chars().count() <= limit);
        }

        #[test]
        fn what_is_quiet_stays_as_it_is(text in "[@a-z #\u{e9}]{0,40}") {
            prop_assert_eq!(quiet(&quiet(&text)), quiet(&text));
        }
    }
}
