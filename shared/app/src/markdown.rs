//! Text that an app did not write, made harmless in Mattermost's Markdown.

/// What Markdown gives a meaning to and a backslash takes it from, in Mattermost's web and mobile clients alike.
const MARKS: &str = "\\`*_{}[]()#+-.!|~>";

/// Escapes a text so that it reads as it is: no formatting, no link, no mention of anybody, no second line.
///
/// An invisible character after each `@` keeps `@channel` and `@bob` from notifying, one after each `&` keeps `&#64;bob`
/// from becoming `@bob`; `~town-square` becomes no link.
///
/// ```
/// use cloud_app::markdown::escape;
///
/// assert_eq!(escape("*free* [beer](x)"), r"\*free\* \[beer\]\(x\)");
/// assert!(!escape("look, @channel").contains("@channel"));
/// ```
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.trim().chars() {
        match c {
            // `@` would mention, `:` make addresses links and words emoji, `&` stand for any of these.
            '@' | ':' | '&' => out.extend([c, '\u{200b}']),
            c if MARKS.contains(c) => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_mentioned_and_nothing_is_a_link() {
        let text = escape("@all @here\n> ~town-square https://evil.example :tada:");
        for bad in ["@all", "@here", "\n", " ~", "://", ":tada:", " >"] {
            assert!(!text.contains(bad), "{bad:?} in {text:?}");
        }
    }

    #[test]
    fn no_character_reference_is_left() {
        for text in ["&commat;all", "&#64;all", "&#x40;here", "@al&#108;", "&lt;b&gt;"] {
            let escaped = escape(text);
            assert!(
                !escaped.contains("&c") && !escaped.contains("&#") && !escaped.contains("&l"),
                "{escaped:?}"
            );
        }
    }

    #[test]
    fn plain_words_stay_as_they_are() {
        assert_eq!(escape("Zoë Müller, 42"), "Zoë Müller, 42");
    }
}
