//! Message attachments: only the keys that Mattermost shows pass, so that nothing a client could click gets out
//! unsealed, whatever an app wrote, and no address that is not one.

use super::{
    address::{is_link, is_picture},
    mentions::Mentions,
};
use cloud_apps_protocol::limits;
use serde_json::{Map, Value, json};

/// Keys whose value is shown.
const TEXTS: [&str; 7] = ["fallback", "color", "pretext", "author_name", "title", "text", "footer"];

/// Whether a client may have an address.
type IsGood = fn(&str) -> bool;

/// Keys whose value is an address.
const ADDRESSES: [(&str, IsGood); 6] = [
    ("author_link", is_link),
    ("title_link", is_link),
    ("author_icon", is_picture),
    ("image_url", is_picture),
    ("thumb_url", is_picture),
    ("footer_icon", is_picture),
];

/// Bytes of a message's attachments as JSON: an answer with its text stays below what a server reads.
const BYTES: usize = 512 * 1024;

/// Attachments as they may be shown, and what was left out of them.
#[derive(Debug, Default)]
pub struct Shown {
    pub attachments: Vec<Value>,
    /// Some had actions.
    pub actions: bool,
    /// How many attachments were left out.
    pub left: usize,
    /// Keys whose value was no address that may be followed.
    pub addresses: Vec<&'static str>,
}

/// The first attachments, as many as a message has room for.
pub fn shown(attachments: &[Value], mentions: Mentions) -> Shown {
    let mut shown = Shown::default();
    let mut room = BYTES;
    for attachment in attachments.iter().take(limits::ATTACHMENTS) {
        let value = shown.one(attachment, mentions);
        let size = serde_json::to_vec(&value).map_or(usize::MAX, |json| json.len());
        let Some(left) = room.checked_sub(size) else { break };
        room = left;
        shown.attachments.push(value);
    }
    shown.left = attachments.len() - shown.attachments.len();
    shown
}

impl Shown {
    fn one(&mut self, attachment: &Value, mentions: Mentions) -> Value {
        let mut out = Map::new();
        for key in TEXTS {
            if let Some(Value::String(text)) = attachment.get(key) {
                out.insert(key.into(), mentions.shown(text).into());
            }
        }
        for (key, is_good) in ADDRESSES {
            match attachment.get(key) {
                Some(Value::String(address)) if address.is_empty() || is_good(address) => {
                    out.insert(key.into(), address.as_str().into());
                }
                Some(Value::String(_)) if !self.addresses.contains(&key) => self.addresses.push(key),
                _ => {}
            }
        }
        if let Some(Value::Array(fields)) = attachment.get("fields") {
            out.insert("fields".into(), fields.iter().map(|one| field(one, mentions)).collect());
        }
        let actions = attachment.get("actions").and_then(Value::as_array);
        self.actions |= actions.is_some_and(|actions| !actions.is_empty());
        Value::Object(out)
    }
}

/// `{"title","value","short"}`; a value that is a number or a truth value is shown as text.
fn field(field: &Value, mentions: Mentions) -> Value {
    let text = |key: &str| match field.get(key) {
        Some(Value::String(text)) => mentions.shown(text).into_owned(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        _ => String::new(),
    };
    let short = field.get("short").and_then(Value::as_bool).unwrap_or(false);
    json!({"title": text("title"), "value": text("value"), "short": short})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_quiet_and_addresses_stay_as_they_are() {
        let mut loud: Map<_, _> = TEXTS.iter().map(|key| ((*key).to_owned(), "@all".into())).collect();
        loud.extend(ADDRESSES.iter().map(|(key, _)| ((*key).to_owned(), "https://x/@all".into())));
        loud.insert("fields".into(), json!([{"title": "&#64;all", "value": "@h&#101;re"}]));
        let shown = shown(&[Value::Object(loud)], Mentions::Quiet);
        let one = shown.attachments[0].as_object().unwrap();
        for key in TEXTS {
            assert_eq!(one[key], "@\u{200b}all", "{key}");
        }
        for (key, _) in ADDRESSES {
            assert_eq!(one[key], "https://x/@all", "{key}");
        }
        let field = json!({"title": "&#64;\u{200b}all", "value": "@\u{200b}h&#101;re", "short": false});
        assert_eq!(one["fields"], json!([field]));
    }

    #[test]
    fn what_is_no_address_is_left_out() {
        let script =
            json!({"title": "x", "title_link": "javascript:alert(1)", "image_url": "data:image/svg+xml,x"});
        let shown = shown(&[script.clone(), script], Mentions::Quiet);
        assert_eq!(shown.attachments, [json!({"title": "x"}), json!({"title": "x"})]);
        assert_eq!(shown.addresses, ["title_link", "image_url"]);
    }

    #[test]
    fn as_many_are_shown_as_there_is_room_for() {
        assert_eq!(shown(&vec![json!({"text": "x"}); 25], Mentions::Quiet).left, 5);
        let large = json!({"text": "\u{1}".repeat(BYTES / 18)});
        let shown = shown(&vec![large; 5], Mentions::Quiet);
        assert_eq!((shown.attachments.len(), shown.left), (2, 3));
    }
}
