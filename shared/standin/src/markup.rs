//! Slack's markup, which the server turns into Markdown unless the answer says `skip_slack_parsing`. Source:
//! `ProcessSlackText` in `app/slack.go`, `ParseSlackLinksToMarkdown` in `model/slack_attachment.go`.

use crate::database::Database;
use crate::go;
use crate::model::Attachment;
use regex_lite::{Captures, Regex};
use serde_json::Value;
use std::sync::OnceLock;

/// Turns `<!channel>`, `<@user id>` and `<https://example.com|text>` into Markdown.
pub(crate) fn to_markdown(db: &Database, text: &str) -> String {
    static USER: OnceLock<Option<Regex>> = OnceLock::new();
    let mut text =
        text.replace("<!channel>", "@channel").replace("<!here>", "@here").replace("<!all>", "@all");
    if let Some(user) = USER.get_or_init(|| Regex::new("<@([a-zA-Z0-9]+)>").ok()) {
        let name = |found: &Captures<'_>| {
            let whole = found.get(0).map_or("", |all| all.as_str());
            let known = found.get(1).and_then(|id| db.user(id.as_str()));
            known.map_or_else(|| whole.to_owned(), |user| format!("@{}", user.username))
        };
        text = user.replace_all(&text, name).into_owned();
    }
    links(&text)
}

/// Turns only `<https://example.com|text>` into Markdown.
pub(crate) fn links(text: &str) -> String {
    static LINK: OnceLock<Option<Regex>> = OnceLock::new();
    let link = LINK.get_or_init(|| Regex::new(r"<([^<|]+)\|([^>]+)>").ok());
    link.as_ref().map_or_else(|| text.to_owned(), |link| link.replace_all(text, "[${2}](${1})").into_owned())
}

/// Does the same in all texts of cards, and turns the values of fields into texts: `ProcessMessageAttachments`.
pub(crate) fn in_attachments(db: &Database, mut attachments: Vec<Attachment>) -> Vec<Attachment> {
    for attachment in &mut attachments {
        for text in [&mut attachment.pretext, &mut attachment.text, &mut attachment.title] {
            *text = to_markdown(db, text);
        }
        for field in attachment.fields.iter_mut().flatten() {
            if let Some(text) = go::print(&field.value) {
                field.value = to_markdown(db, &text).into();
            }
        }
    }
    attachments
}

/// Turns only links into Markdown in all texts of cards. The server does this whatever the answer says:
/// `ParseMessageAttachment`.
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
