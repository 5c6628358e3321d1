//! Which outgoing webhooks a post triggers, and what is sent to them.

use crate::database::Database;
use crate::go;
use crate::model::{ChannelKind, OutgoingWebhook, Post};
use crate::outbound;
use bytes::Bytes;
use http::Request;
use serde::Serialize;

/// A webhook that a post triggers, with all that its answer needs.
pub(super) struct Triggered {
    pub hook: OutgoingWebhook,
    pub post_id: String,
    pub channel_id: String,
    /// One for each callback URL that is a URL.
    pub requests: Vec<Request<Bytes>>,
}

/// `OutgoingWebhookPayload`, in the order of Go's struct: `inbound/005-outgoing-json.http`.
#[derive(Serialize)]
struct Payload<'a> {
    token: &'a str,
    team_id: &'a str,
    team_domain: &'a str,
    channel_id: &'a str,
    channel_name: &'a str,
    /// In milliseconds. A form has seconds.
    timestamp: u64,
    user_id: &'a str,
    user_name: &'a str,
    post_id: &'a str,
    text: &'a str,
    trigger_word: &'a str,
    /// The stand-in has no files.
    file_ids: &'a str,
}

/// The webhooks that a post triggers, in groups: those of a group are sent one after the other.
pub(super) fn triggered(db: &Database, post: &Post) -> Vec<Vec<Triggered>> {
    let public = db.channel(&post.channel_id).filter(|channel| channel.kind == ChannelKind::Public);
    let Some(channel) = public.filter(|_| db.settings.enable_outgoing_webhooks) else { return Vec::new() };
    let first_word = post.message.split_whitespace().next().unwrap_or_default();
    let mut trigger_word = "";
    let mut hooks = Vec::new();
    for hook in db.outgoing_webhooks.iter().filter(|hook| hook.team_id == channel.team_id) {
        if !hook.channel_id.is_empty() && hook.channel_id != post.channel_id {
            continue;
        }
        let found = hook.trigger_words.iter().find(|word| match hook.trigger_when {
            0 => first_word == word.as_str(),
            1 => !first_word.is_empty() && first_word.starts_with(word.as_str()),
            _ => false,
        });
        let all = !hook.channel_id.is_empty() && hook.trigger_words.is_empty();
        if all || found.is_some() {
            // As on the server, all webhooks of a post get the word of the last one.
            trigger_word = found.map_or("", String::as_str);
            hooks.push(hook);
        }
    }
    if hooks.is_empty() {
        return Vec::new();
    }
    let since_11 = db.version.since_11();
    let all = hooks.into_iter().map(|hook| Triggered {
        hook: hook.clone(),
        post_id: post.id.clone(),
        channel_id: post.channel_id.clone(),
        requests: {
            let payload = Payload {
                token: &hook.token,
                team_id: &hook.team_id,
                team_domain: db.team(&hook.team_id).map_or("", |team| &team.name),
                channel_id: &channel.id,
                channel_name: &channel.name,
                timestamp: post.create_at,
                user_id: &post.user_id,
                user_name: db.user(&post.user_id).map_or("", |user| &user.username),
                post_id: &post.id,
                text: &post.message,
                trigger_word,
                file_ids: "",
            };
            requests(hook, &payload, since_11)
        },
    });
    if since_11 {
        // 11 waits for the answer of a webhook before it sends the next.
        vec![all.collect()]
    } else {
        all.map(|one| vec![one]).collect()
    }
}

fn requests(hook: &OutgoingWebhook, payload: &Payload<'_>, since_11: bool) -> Vec<Request<Bytes>> {
    let (kind, body) = if hook.content_type == "application/json" {
        ("application/json", go::json(payload))
    } else {
        ("application/x-www-form-urlencoded", form(payload))
    };
    let body = Bytes::from(body);
    let urls = hook.callback_urls.iter().enumerate();
    let made = urls.filter_map(|(at, url)| {
        // 5.37 reads the same body for all URLs, so only one of them gets it. There chance decides which one; here it
        // is the first.
        let body = if since_11 || at == 0 { body.clone() } else { Bytes::new() };
        let made = outbound::post(url, kind, body);
        made.inspect_err(|error| tracing::info!(%error, hook = hook.id, "the callback URL cannot be called"))
            .ok()
    });
    made.collect()
}

/// The payload as a form: `inbound/002-outgoing-form.http`.
fn form(payload: &Payload<'_>) -> String {
    let seconds = (payload.timestamp / 1000).to_string();
    go::form(vec![
        ("token", payload.token),
        ("team_id", payload.team_id),
        ("team_domain", payload.team_domain),
        ("channel_id", payload.channel_id),
        ("channel_name", payload.channel_name),
        ("timestamp", &seconds),
        ("user_id", payload.user_id),
        ("user_name", payload.user_name),
        ("post_id", payload.post_id),
        ("text", payload.text),
        ("trigger_word", payload.trigger_word),
        ("file_ids", payload.file_ids),
    ])
}
