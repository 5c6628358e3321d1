//! Message attachments: only the keys that Mattermost shows pass, so that nothing a client could click gets out
//! unsealed, whatever an app wrote, and no address that is not one.

use super::{
    address::{is_link, is_picture},
    mentions::Mentions,
};
use cloud_apps_protocol::{
    json, limits,
    message::{Attachment, AttachmentField},
};
use serde_json::{Map, Value};

/// Whether a client may have an address.
type IsGood = fn(&str) -> bool;

/// Attachments as they may be shown, and what was left out of them.
#[derive(Debug, Default)]
pub struct Shown {
    pub attachments: Vec<Attachment>,
    /// Some had actions.
    pub actions: bool,
    /// How many attachments were left out.
    pub left: usize,
    /// Keys whose value was no address that may be followed.
    pub addresses: Vec<&'static str>,
    /// JSON pointers of the keys that no client shows.
    pub unknown: Vec<String>,
}

/// The first attachments, as many as a message has room for.
pub fn shown(attachments: &[Attachment], mentions: Mentions) -> Shown {
    let mut shown = Shown::default();
    let mut room = limits::ATTACHMENT_BYTES;
    for (i, attachment) in attachments.iter().take(limits::ATTACHMENTS).enumerate() {
        let attachment = shown.one(attachment, i, mentions);
        let size = serde_json::to_vec(&attachment).map_or(usize::MAX, |json| json.len());
        let Some(left) = room.checked_sub(size) else { break };
        room = left;
        shown.attachments.push(attachment);
    }
    shown.left = attachments.len() - shown.attachments.len();
    shown
}

impl Shown {
    fn one(&mut self, attachment: &Attachment, i: usize, mentions: Mentions) -> Attachment {
        let text = |text: &str| mentions.shown(text).into_owned();
        let at = format!("/attachments/{i}");
        self.actions |= !attachment.actions.is_empty();
        self.unknown(&attachment.more, &at);
        for (j, field) in attachment.fields.iter().enumerate() {
            self.unknown(&field.more, &format!("{at}/fields/{j}"));
        }
        let field = |field: &AttachmentField| AttachmentField {
            title: text(&field.title),
            value: text(&field.value),
            short: field.short,
            more: Map::new(),
        };
        // Each key is named, so that a key that the type gains is not passed on by accident.
        Attachment {
            fallback: text(&attachment.fallback),
            color: text(&attachment.color),
            pretext: text(&attachment.pretext),
            author_name: text(&attachment.author_name),
            author_link: self.address("author_link", &attachment.author_link, is_link),
            author_icon: self.address("author_icon", &attachment.author_icon, is_picture),
            title: text(&attachment.title),
            title_link: self.address("title_link", &attachment.title_link, is_link),
            text: text(&attachment.text),
            fields: attachment.fields.iter().map(field).collect(),
            image_url: self.address("image_url", &attachment.image_url, is_picture),
            thumb_url: self.address("thumb_url", &attachment.thumb_url, is_picture),
            footer: text(&attachment.footer),
            footer_icon: self.address("footer_icon", &attachment.footer_icon, is_picture),
            actions: Vec::new(),
            more: Map::new(),
        }
    }

    fn address(&mut self, key: &'static str, address: &str, is_good: IsGood) -> String {
        if address.is_empty() || is_good(address) {
            return address.to_owned();
        }
        if !self.addresses.contains(&key) {
            self.addresses.push(key);
        }
        String::new()
    }

    fn unknown(&mut self, keys: &Map<String, Value>, at: &str) {
        self.unknown.extend(keys.keys().map(|key| format!("{at}/{}", json::segment(key))));
    }
}

/// Attachments as one text, where nothing but a text can be shown. They are harmless already.
pub fn as_markdown(text: &str, attachments: &[Attachment]) -> String {
    let parts = std::iter::once(text.to_owned()).chain(attachments.iter().map(one_as_markdown));
    parts.filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn one_as_markdown(attachment: &Attachment) -> String {
    let title = match (attachment.title.as_str(), attachment.title_link.as_str()) {
        ("", _) => String::new(),
        (title, "") => format!("**{title}**"),
        (title, link) => format!("**[{title}]({link})**"),
    };
    let field = |field: &AttachmentField| match field.title.as_str() {
        "" => field.value.clone(),
        title => format!("**{title}:** {}", field.value),
    };
    let picture = |url: &str| match url {
        "" => String::new(),
        url => format!("![]({url})"),
    };
    let mut parts =
        vec![attachment.pretext.clone(), attachment.author_name.clone(), title, attachment.text.clone()];
    parts.extend(attachment.fields.iter().map(field));
    parts.extend([picture(&attachment.image_url), picture(&attachment.thumb_url), attachment.footer.clone()]);
    parts.retain(|part| !part.trim().is_empty());
    parts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TEXTS: [&str; 7] = ["fallback", "color", "pretext", "author_name", "title", "text", "footer"];
    const ADDRESSES: [&str; 6] =
        ["author_link", "title_link", "author_icon", "image_url", "thumb_url", "footer_icon"];

    fn attachment(json: Value) -> Attachment {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn every_text_is_quiet_and_addresses_stay_as_they_are() {
        let mut loud: Map<_, _> = TEXTS.iter().map(|key| ((*key).to_owned(), "@all".into())).collect();
        loud.extend(ADDRESSES.iter().map(|key| ((*key).to_owned(), "https://x/@all".into())));
        loud.insert("fields".into(), json!([{"title": "&#64;all", "value": "@h&#101;re"}]));
        let shown = shown(&[attachment(Value::Object(loud))], Mentions::Quiet);
        let one = serde_json::to_value(&shown.attachments[0]).unwrap();
        for key in TEXTS {
            assert_eq!(one[key], "@\u{200b}all", "{key}");
        }
        for key in ADDRESSES {
            assert_eq!(one[key], "https://x/@all", "{key}");
        }
        let field = json!({"title": "&#64;\u{200b}all", "value": "@\u{200b}h&#101;re", "short": false});
        assert_eq!(one["fields"], json!([field]));
    }

    #[test]
    fn what_is_no_address_is_left_out() {
        let script = attachment(
            json!({"title": "x", "title_link": "javascript:alert(1)", "image_url": "data:image/svg+xml,x"}),
        );
        let shown = shown(&[script.clone(), script], Mentions::Quiet);
        let title = attachment(json!({"title": "x"}));
        assert_eq!(shown.attachments, [title.clone(), title]);
        assert_eq!(shown.addresses, ["title_link", "image_url"]);
    }

    #[test]
    fn keys_that_no_client_shows_are_left_out_and_named() {
        let odd =
            attachment(json!({"text": "x", "ts": 7, "Sup3rS3cret": 1, "fields": [{"title": "x", "b": {}}]}));
        let shown = shown(&[Attachment::default(), odd], Mentions::Quiet);
        let left: Vec<_> = serde_json::to_value(&shown.attachments[1])
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(left, ["fields", "text"]);
        assert_eq!(shown.unknown, ["/attachments/1/…", "/attachments/1/ts", "/attachments/1/fields/0/b"]);
    }

    #[test]
    fn as_many_are_shown_as_there_is_room_for() {
        assert_eq!(shown(&vec![attachment(json!({"text": "x"})); 25], Mentions::Quiet).left, 5);
        let large = attachment(json!({"text": "\u{1}".repeat(limits::ATTACHMENT_BYTES / 18)}));
        let shown = shown(&vec![large; 5], Mentions::Quiet);
        assert_eq!((shown.attachments.len(), shown.left), (2, 3));
    }
}
