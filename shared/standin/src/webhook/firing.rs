//! Which webhooks a post fires, and what they are sent.

use crate::outgoing;
use crate::world::{ChannelKind, OutgoingWebhook, Post, World};
use bytes::Bytes;
use http::Request;
use serde::Serialize;

/// A webhook on its way, with all that its answer needs.
pub(crate) struct Shot {
    pub hook: OutgoingWebhook,
    pub post_id: String,
    pub channel_id: String,
    /// One for each callback URL that is one.
    pub requests: Vec<Request<Bytes>>,
}

/// Webhooks that go one after the other.
pub(crate) type Firing = Vec<Shot>;

/// `OutgoingWebhookPayload`, in the order of Go's struct: `inbound/005-outgoing-json.http`.
#[derive(Serialize)]
struct Payload<'a> {
    token: &'a str,
    team_id: &'a str,
    team_domain: &'a str,
    channel_id: &'a str,
    channel_name: &'a str,
    /// Milliseconds here, seconds in a form.
    timestamp: u64,
    user_id: &'a str,
    user_name: &'a str,
    post_id: &'a str,
    text: &'a str,
    trigger_word: &'a str,
    /// The stand-in has no files.
    file_ids: &'a str,
}

/// Notes what a new post fires. Only who may have webhooks at all is asked for: the post was said by a person
/// or bot, or is the answer to a command.
pub(crate) fn fire(world: &mut World, post: &Post) {
    if !world.settings.enable_outgoing_webhooks {
        return;
    }
    let Some(channel) = world.channel(&post.channel_id) else { return };
    if channel.kind != ChannelKind::Public {
        return;
    }
    let first_word = post.message.split_whitespace().next().unwrap_or_default();
    let mut trigger_word = "";
    let mut hooks = Vec::new();
    for hook in world.outgoing_webhooks.iter().filter(|hook| hook.team_id == channel.team_id) {
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
            // One for all that are fired, as on the server: the word of the last.
            trigger_word = found.map_or("", String::as_str);
            hooks.push(hook);
        }
    }
    let eleven = world.version.is_11();
    let shots = hooks.into_iter().map(|hook| Shot {
        hook: hook.clone(),
        post_id: post.id.clone(),
        channel_id: post.channel_id.clone(),
        requests: {
            let payload = Payload {
                token: &hook.token,
                team_id: &hook.team_id,
                team_domain: world.team(&hook.team_id).map_or("", |team| &team.name),
                channel_id: &channel.id,
                channel_name: &channel.name,
                timestamp: post.create_at,
                user_id: &post.user_id,
                user_name: world.user(&post.user_id).map_or("", |user| &user.username),
                post_id: &post.id,
                text: &post.message,
                trigger_word,
                file_ids: "",
            };
            requests(hook, &payload, eleven)
        },
    });
    let shots: Vec<Shot> = shots.collect();
    if shots.is_empty() {
        return;
    }
    if eleven {
        // 11 waits for a webhook before it sends the next.
        world.firings.push(shots);
    } else {
        world.firings.extend(shots.into_iter().map(|shot| vec![shot]));
    }
}

fn requests(hook: &OutgoingWebhook, payload: &Payload<'_>, eleven: bool) -> Vec<Request<Bytes>> {
    let (kind, body) = if hook.content_type == "application/json" {
        ("application/json", outgoing::go_json(payload))
    } else {
        ("application/x-www-form-urlencoded", form(payload))
    };
    let body = Bytes::from(body);
    let urls = hook.callback_urls.iter().enumerate();
    let made = urls.filter_map(|(at, url)| {
        // 5.37 reads one body for all URLs, so that only one gets it. Which one is a race there; here, the first.
        let body = if eleven || at == 0 { body.clone() } else { Bytes::new() };
        let made = outgoing::post(url, kind, body);
        made.inspect_err(|error| tracing::info!(%error, hook = hook.id, "the callback URL cannot be called"))
            .ok()
    });
    made.collect()
}

/// The pairs, sorted by key: `inbound/002-outgoing-form.http`.
fn form(payload: &Payload<'_>) -> String {
    let seconds = (payload.timestamp / 1000).to_string();
    outgoing::go_form(vec![
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
