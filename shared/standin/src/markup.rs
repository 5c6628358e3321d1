//! Slack's markup, which the server turns into Markdown unless the answer says `skip_slack_parsing`:
//! `ProcessSlackText` in `app/slack.go`, `ParseSlackLinksToMarkdown` in `model/slack_attachment.go`.

use crate::action::attachment::Attachment;
use crate::world::World;
use regex_lite::{Captures, Regex};
use serde_json::Value;
use std::sync::OnceLock;

/// `<!channel>`, `<@user id>`, `<https://example.com|text>`.
pub(crate) fn to_markdown(world: &World, text: &str) -> String {
    static USER: OnceLock<Option<Regex>> = OnceLock::new();
    let mut text =
        text.replace("<!channel>", "@channel").replace("<!here>", "@here").replace("<!all>", "@all");
    if let Some(user) = USER.get_or_init(|| Regex::new("<@([a-zA-Z0-9]+)>").ok()) {
        let name = |found: &Captures<'_>| {
            let whole = found.get(0).map_or("", |all| all.as_str());
            let known = found.get(1).and_then(|id| world.user(id.as_str()));
            known.map_or_else(|| whole.to_owned(), |user| format!("@{}", user.username))
        };
        text = user.replace_all(&text, name).into_owned();
    }
    links(&text)
}

/// `<https://example.com|text>` only.
pub(crate) fn links(text: &str) -> String {
    static LINK: OnceLock<Option<Regex>> = OnceLock::new();
    let link = LINK.get_or_init(|| Regex::new(r"<([^<|]+)\|([^>]+)>").ok());
    link.as_ref().map_or_else(|| text.to_owned(), |link| link.replace_all(text, "[${2}](${1})").into_owned())
}

/// The same in all texts of cards: `ProcessMessageAttachments`. The values of fields become texts.
pub(crate) fn in_attachments(world: &World, mut attachments: Vec<Attachment>) -> Vec<Attachment> {
    for attachment in &mut attachments {
        for text in [&mut attachment.pretext, &mut attachment.text, &mut attachment.title] {
            *text = to_markdown(world, text);
        }
        for field in attachment.fields.iter_mut().flatten() {
            if let Some(text) = go_text(&field.value) {
                field.value = to_markdown(world, &text).into();
            }
        }
    }
    attachments
}

/// Links alone in cards, which an answer cannot refuse: `ParseMessageAttachment`.
pub(crate) fn links_in_attachments(attachments: &mut [Attachment]) {
    for attachment in attachments {
        for text in [&mut attachment.pretext, &mut attachment.text] {
            *text = links(text);
        }
        for field in attachment.fields.iter_mut().flatten() {
            if let Value::String(text) = &field.value {
                field.value = links(text).into();
            }
        }
    }
}

/// A value as Go prints it with `%v`. All numbers are floating-point numbers there; `None` for lists and objects, whose
/// print no card is meant to show.
fn go_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => {
            let number = number.as_f64()?;
            let scientific = format!("{number:e}");
            let (digits, exponent) = scientific.split_once('e')?;
            let exponent: i32 = exponent.parse().ok()?;
            if (-4..6).contains(&exponent) {
                return Some(number.to_string());
            }
            let sign = if exponent < 0 { '-' } else { '+' };
            Some(format!("{digits}e{sign}{:02}", exponent.unsigned_abs()))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_values_of_fields_are_printed_as_go_prints_them() {
        for (value, printed) in [
            (json!("a"), "a"),
            (json!(true), "true"),
            (json!(0), "0"),
            (json!(12), "12"),
            (json!(-1.5), "-1.5"),
            (json!(999_999), "999999"),
            (json!(1_000_000), "1e+06"),
            (json!(123_456_789), "1.23456789e+08"),
            (json!(0.0001), "0.0001"),
            (json!(0.00001), "1e-05"),
            (json!(1e100), "1e+100"),
        ] {
            assert_eq!(go_text(&value).as_deref(), Some(printed));
        }
        assert_eq!(go_text(&json!([1])), None);
        assert_eq!(go_text(&Value::Null), None);
    }
}
