//! Text that an app did not write, made harmless in Mattermost's Markdown.

/// Characters with a meaning in Markdown that a backslash removes, in Mattermost's web and mobile clients.
const MARKS: &str = "\\`*_{}[]()#+-.!|~>";

/// Escapes a text so that it is shown unchanged: without formatting, links, mentions and line breaks.
///
/// There is an invisible character after each `@`, so that `@channel` and `@bob` notify nobody, and after each `&`, so that
/// `&#64;bob` does not become `@bob`. `~town-square` does not become a link.
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
            // `@` makes mentions, `:` makes links and emoji, and `&` can begin an escape for any of these.
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
