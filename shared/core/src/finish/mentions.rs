//! Mentions that notify everybody who reads a channel (`@all`, `@channel`, `@here`), and how they are made quiet.
//!
//! A Mattermost server looks for them after it has read the Markdown: it decodes character references, so `&#64;all`
//! and `@al&#108;` are as loud as `@all`. What is made quiet here is what the server would see, oddities of its reader
//! included: a test holds it to the server's rules.

use std::borrow::Cow;

/// Names that notify everybody who reads a channel.
const LOUD: [&str; 3] = ["channel", "all", "here"];

/// Stands between the `@` and the name of a quiet mention. Nobody sees it, and it ends a word.
const MARK: char = '\u{200b}';

/// What is done with an app's mentions of everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mentions {
    /// They read the same and notify nobody.
    Quiet,
    /// The app asked for them with `notify`.
    Loud,
}

impl Mentions {
    /// What the answer's `notify` says.
    pub fn of(notify: bool) -> Self {
        if notify { Self::Loud } else { Self::Quiet }
    }

    /// The text as it is shown.
    pub fn shown(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Quiet => quiet(text),
            Self::Loud => text.into(),
        }
    }
}

/// White space that nobody types and clients do not show. Where a paragraph begins with so many of them, the server takes
/// as many bytes from the end of its first line: there `@allison` becomes `@all`, and a line joins the next one.
const ODD_SPACES: [char; 2] = ['\u{b}', '\u{c}'];

/// The text with an invisible character in each mention of everybody, and with plain spaces for odd ones.
fn quiet(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.find(['@', '&', '\u{b}', '\u{c}'])) {
        at += next;
        let (head, tail) = text.split_at(at);
        let Some((sign, length)) = first(tail) else { break };
        at += length;
        if ODD_SPACES.contains(&sign) {
            out.push_str(text.get(copied..at - length).unwrap_or_default());
            out.push(' ');
            copied = at;
            continue;
        }
        // An address is no mention: in `a@all.org` a letter stands before the `@`.
        let address = head.ends_with(|c: char| c.is_ascii_alphanumeric());
        if sign == '@' && !address && tail.get(length..).is_some_and(names_everybody) {
            out.push_str(text.get(copied..at).unwrap_or_default());
            out.push(MARK);
            copied = at;
        }
    }
    if copied == 0 {
        return text.into();
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out.into()
}

/// Whether the text begins with one of the names, in any case, and not with a longer one. Names of users are ASCII;
/// whatever else stands beside a mention may end it: what is a letter to us (`Ⓐ`, a vowel sign) is not one to the server.
fn names_everybody(text: &str) -> bool {
    LOUD.iter().any(|name| {
        let rest = name.chars().try_fold((text, false), |(text, _), wanted| {
            let (found, length) = first(text)?;
            let found = found.eq_ignore_ascii_case(&wanted);
            found.then(|| text.get(length..)).flatten().map(|rest| (rest, length > 1))
        });
        // After a reference an address may begin, which ends the word before it: `@al&#108;https://example.com`.
        rest.is_some_and(|(rest, reference)| {
            reference || !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
        })
    })
}

/// The first character as a server reads it, and how many bytes stand for it.
fn first(text: &str) -> Option<(char, usize)> {
    let c = text.chars().next()?;
    (if c == '&' { reference(text) } else { None }).or(Some((c, c.len_utf8())))
}

/// The most bytes of a reference that matters here: `&#x00000040;`.
const LONGEST: usize = 12;

/// The character that a character reference stands for, and its length in bytes. Of the references by name only that of
/// `@` counts: none other holds a sign or a letter of a mention, which a test looks up in HTML's own table.
fn reference(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let name = text.get(1..end)?;
    let number = |digits: &str, radix| {
        let code = digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, radix));
        code.and_then(Result::ok).and_then(char::from_u32)
    };
    let c = match name.strip_prefix('#') {
        Some(code) => match code.strip_prefix(['x', 'X']) {
            Some(digits) => number(digits, 16)?,
            None => number(code, 10)?,
        },
        None if name == "commat" => '@',
        None => return None,
    };
    Some((c, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mentions_of_everybody_are_quiet_and_other_words_are_left() {
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
    fn references_are_read_as_the_server_reads_them() {
        for (text, quieted) in [
            ("@al&#108;", "@\u{200b}al&#108;"),
            ("&#64;all &#x40;all &#X0040;all", "&#64;\u{200b}all &#x40;\u{200b}all &#X0040;\u{200b}all"),
            ("&commat;channel", "&commat;\u{200b}channel"),
            ("&#00000064;&#104;&#101;&#82;&#x65;", "&#00000064;\u{200b}&#104;&#101;&#82;&#x65;"),
            ("\\@all \\&#64;all", "\\@\u{200b}all \\&#64;\u{200b}all"),
            // Without an end it is no reference, and none is decoded twice.
            ("&#64all &amp;#64;all", "&#64all &amp;#64;all"),
            ("&#;all &;all &#x;all &#+64;all &", "&#;all &;all &#x;all &#+64;all &"),
            ("R&D, AT&T; &commat", "R&D, AT&T; &commat"),
            // An address ends the word before it, and it may begin behind a reference.
            ("@al&#108;https://x @allhttps://x", "@\u{200b}al&#108;https://x @allhttps://x"),
        ] {
            assert_eq!(quiet(text), quieted, "{text}");
        }
    }

    #[test]
    fn spaces_for_which_a_server_cuts_a_line_are_plain() {
        assert_eq!(quiet("\u{b}\u{b}\u{c}\u{b}@allison"), "    @allison");
        assert_eq!(quiet("a\u{c}@\nall"), "a @\nall");
        assert_eq!(Mentions::Loud.shown("\u{b}@allison"), "\u{b}@allison");
    }

    #[test]
    fn no_other_reference_by_name_makes_a_sign_or_a_letter_of_a_mention() {
        let heard = |c: char| c == '@' || LOUD.concat().contains(c.to_ascii_lowercase());
        let names: Vec<_> = entities::ENTITIES
            .iter()
            .filter(|entity| entity.characters.chars().any(heard))
            .map(|entity| entity.entity)
            .collect();
        assert_eq!(names, ["&commat;"]);
    }

    proptest! {
        #[test]
        fn what_is_quiet_stays_as_it_is(text in "([@a-z #\u{e9}]|&#64;|&commat;){0,40}") {
            let once = quiet(&text).into_owned();
            prop_assert_eq!(quiet(&once), once.as_str());
            prop_assert_eq!(once.replace(MARK, ""), text, "the same glyphs");
        }
    }
}
