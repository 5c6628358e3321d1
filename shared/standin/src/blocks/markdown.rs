//! Buttons in a text: `[label](mmaction://ID?key=value)`.

use regex_lite::Regex;
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// A link to an action.
#[derive(Debug, PartialEq)]
pub(crate) struct Link {
    /// Empty for a link without one: `<mmaction://ID>`.
    pub label: String,
    pub action_id: String,
    /// What the client sends along.
    pub query: Map<String, Value>,
}

/// The links to actions in a Markdown text: inline, by reference, and plain ones. Code has none.
pub(crate) fn links(text: &str) -> Vec<Link> {
    static CODE: OnceLock<Option<Regex>> = OnceLock::new();
    static LINK: OnceLock<Option<Regex>> = OnceLock::new();
    let code = CODE.get_or_init(|| Regex::new("(?s)```.*?(```|$)|`[^`]*`").ok());
    let link = LINK.get_or_init(|| {
        let action = r"mmaction://([A-Za-z0-9_-]{1,64})(?:\?([^\s)>\]]*))?";
        Regex::new(&format!(r"\[([^\[\]]*)\]\(\s*{action}\s*\)|<{action}>|(?m:^\[([^\[\]]*)\]:\s*{action})"))
            .ok()
    });
    let (Some(code), Some(link)) = (code, link) else { return Vec::new() };
    let text = code.replace_all(text, "");
    let found = link.captures_iter(&text).filter_map(|found| {
        let group = |numbers: [usize; 3]| {
            numbers.into_iter().find_map(|number| found.get(number)).map_or("", |part| part.as_str())
        };
        let query = form_urlencoded::parse(group([3, 5, 8]).as_bytes());
        Some(Link {
            label: group([1, 6, 6]).to_owned(),
            action_id: Some(group([2, 4, 7])).filter(|id| !id.is_empty())?.to_owned(),
            query: query.map(|(key, value)| (key.into_owned(), Value::from(value.into_owned()))).collect(),
        })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_in_a_text_and_not_in_code() {
        let found = |text: &str| -> Vec<(String, String, String)> {
            let links = links(text).into_iter();
            links.map(|link| (link.label, link.action_id, Value::from(link.query).to_string())).collect()
        };
        let one = |label: &str, id: &str, query: &str| (label.to_owned(), id.to_owned(), query.to_owned());
        assert_eq!(
            found(
                "[approve](mmaction://approve?n=7&why=a%20b) or <mmaction://open-7>\n\n[x]: mmaction://by_ref"
            ),
            [
                one("approve", "approve", r#"{"n":"7","why":"a b"}"#),
                one("", "open-7", "{}"),
                one("x", "by_ref", "{}")
            ]
        );
        for none in [
            "`[a](mmaction://a)`",
            "```\n[a](mmaction://a)\n```",
            "```\n[a](mmaction://a)",
            "[a](mmaction:a)",
            "mmaction://a",
            "[a](https://a.test)",
        ] {
            assert_eq!(found(none), [], "{none}");
        }
    }
}
