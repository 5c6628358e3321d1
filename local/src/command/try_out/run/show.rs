//! Answers and posts, as a user sees them.

use super::http;
use crate::{
    demo::Person,
    failure::Failure,
    terminal::{self, Line},
};
use anstyle::Style;
use cloud_apps_core::http::system_now;
use cloud_apps_protocol::{
    Answer, AppId, Millis,
    answer::{Kind, To},
};
use serde_json::{Value, json};

const ONLY_YOU: &str = "(only visible to you)";
const CHANNEL: &str = "(to the channel)";
const NAVIGATE: &str = "(your client opens this)";

/// A channel of the demo, and since when its posts are shown.
pub struct Watch {
    token: String,
    channel: String,
    channel_name: String,
    since: Millis,
}

impl Watch {
    /// From now on, as this user.
    pub fn new(user: &Person, channel: &str, channel_name: &str) -> Self {
        Self {
            token: user.token.clone(),
            channel: channel.to_owned(),
            channel_name: channel_name.to_owned(),
            since: system_now(),
        }
    }
}

fn heading(app: &str, note: &str) {
    let bold = Style::new().bold();
    let dim = Style::new().dimmed();
    terminal::out(Line::new().styled(bold, app).text(" ").styled(dim, note));
}

/// Shows the answer to a V2 request.
pub fn answer(app: &AppId, answer: &Answer) {
    let app = app.as_str();
    match &answer.kind {
        Kind::Message(message) => {
            heading(
                app,
                match message.to {
                    To::User => ONLY_YOU,
                    To::Channel => CHANNEL,
                },
            );
            terminal::quote(&message.text);
            attachments(&json!(message.attachments));
        }
        Kind::Error { text, fields } => {
            heading(app, ONLY_YOU);
            terminal::quote(text);
            for (field, message) in fields {
                terminal::out(format!("  {field}: {message}"));
            }
        }
        Kind::Navigate { url } => {
            heading(app, NAVIGATE);
            terminal::quote(url);
        }
        Kind::Form { form } | Kind::Ask { form } => {
            heading(app, "(a form opens)");
            terminal::quote(&form.title);
            for field in &form.fields {
                let label = if field.label.is_empty() { field.name.as_str() } else { &field.label };
                let given = match &field.default {
                    Some(value) => format!(" = {value}"),
                    None if field.required => " (required)".to_owned(),
                    None => String::new(),
                };
                terminal::out(format!("  {label}{given}: {}", field.description));
            }
        }
        Kind::Accepted { text } => {
            heading(app, ONLY_YOU);
            terminal::quote(text);
        }
        Kind::Done => {}
    }
    for warning in &answer.warnings {
        terminal::out(format!("Note: {warning}"));
    }
}

/// Shows the answer to a slash command.
pub fn slash_answer(app: &str, shown: &Value) {
    let text = shown.get("text").and_then(Value::as_str).unwrap_or_default();
    let below = shown.get("attachments").unwrap_or(&Value::Null);
    if !text.is_empty() || below.as_array().is_some_and(|list| !list.is_empty()) {
        let public = shown.get("response_type").and_then(Value::as_str) == Some("in_channel");
        heading(app, if public { CHANNEL } else { ONLY_YOU });
        terminal::quote(text);
        attachments(below);
    }
    if let Some(url) = shown.get("goto_location").and_then(Value::as_str).filter(|url| !url.is_empty()) {
        heading(app, NAVIGATE);
        terminal::quote(url);
    }
}

/// Shows what was posted in the channel meanwhile.
pub async fn posts(http: &reqwest::Client, site: &str, watch: &Watch) -> Result<(), Failure> {
    let url = format!("{site}/api/v4/channels/{}/posts?since={}", watch.channel, watch.since);
    let response = http
        .get(url)
        .bearer_auth(&watch.token)
        .send()
        .await
        .map_err(|error| http::unreachable(site, &error, true))?;
    let (_, text) = http::read(response).await?;
    let posts: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    let order: Vec<&str> = posts
        .get("order")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for id in order.into_iter().rev() {
        let post = posts.pointer(&format!("/posts/{id}")).unwrap_or(&Value::Null);
        let message = post.get("message").and_then(Value::as_str).unwrap_or_default();
        heading("post", &format!("in ~{}, seen by everybody there", watch.channel_name));
        terminal::quote(message);
        attachments(post.pointer("/props/attachments").unwrap_or(&Value::Null));
    }
    Ok(())
}

/// Shows the texts and addresses of attachments, without their layout.
fn attachments(list: &Value) {
    for attachment in list.as_array().into_iter().flatten() {
        let text = |key: &str| attachment.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        for text in ["pretext", "author_name", "title", "title_link", "text"].into_iter().filter_map(text) {
            terminal::quote(text);
        }
        for field in attachment.get("fields").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| match field.get(key) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            };
            terminal::quote(&format!("{}: {}", text("title"), text("value")));
        }
        for text in ["image_url", "thumb_url", "footer"].into_iter().filter_map(text) {
            terminal::quote(text);
        }
    }
}
