//! Sends outgoing webhooks, and posts their answers.

use super::post::{WebhookPost, post};
use super::trigger::{Triggered, triggered};
use crate::blocks;
use crate::go::{self, or_default};
use crate::markup;
use crate::model::Attachment;
use crate::standin::Standin;
use crate::version::Ability;
use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::task::JoinSet;

/// `OutgoingWebhookResponse`.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct WebhookResponse {
    /// An empty text is posted; without a text only attachments are.
    text: Option<String>,
    #[serde(deserialize_with = "or_default")]
    username: String,
    #[serde(deserialize_with = "or_default")]
    icon_url: String,
    props: Option<Map<String, Value>>,
    attachments: Option<Vec<Attachment>>,
    #[serde(rename = "type", deserialize_with = "or_default")]
    kind: String,
    /// `comment`: post in the thread of the post that triggered the webhook.
    #[serde(deserialize_with = "or_default")]
    response_type: String,
    /// 11 only.
    priority: Option<Value>,
}

/// Sends the webhooks that new posts trigger. Like all calls to integrations it needs a runtime.
pub(crate) fn deliver(standin: &Standin) {
    let groups: Vec<Vec<Triggered>> = {
        let mut db = standin.db();
        let posts = std::mem::take(&mut db.posts_for_webhooks);
        posts.iter().flat_map(|post| triggered(&db, post)).collect()
    };
    for group in groups {
        let delivery = standin.deliveries().begin();
        let standin = standin.clone();
        tokio::spawn(async move {
            send(&standin, group).await;
            drop(delivery);
        });
    }
}

async fn send(standin: &Standin, group: Vec<Triggered>) {
    for mut webhook in group {
        let requests = std::mem::take(&mut webhook.requests);
        let mut calls = JoinSet::new();
        for request in requests {
            let standin = standin.clone();
            calls.spawn(async move { call(&standin, request).await });
        }
        while let Some(answer) = calls.join_next().await {
            if let Ok(Some(answer)) = answer {
                reply(standin, &webhook, answer);
            }
        }
    }
}

/// The answer of the integration, whatever its status and content type are; `None` without a readable one.
async fn call(standin: &Standin, request: Request<Bytes>) -> Option<WebhookResponse> {
    let answer = standin.outbound().call(request).await;
    let answer =
        answer.inspect_err(|error| tracing::info!(%error, "no answer to an outgoing webhook")).ok()?;
    let read = go::first_value(answer.body())?.and_then(go::read_object);
    read.inspect_err(|error| tracing::info!(%error, "the answer to an outgoing webhook cannot be read")).ok()
}

/// Posts the answer as the webhook's creator, with the name and the picture of the answer or else of the webhook.
fn reply(standin: &Standin, webhook: &Triggered, mut answer: WebhookResponse) {
    let attachments = answer.attachments.take().unwrap_or_default();
    if answer.text.is_none() && attachments.is_empty() {
        return;
    }
    let mut db = standin.db();
    if db.version.since_11() && answer.priority.is_some() {
        tracing::warn!("the stand-in does not serve the priority of posts; the answer is not posted");
        return;
    }
    let blocks = db.version.has(Ability::Blocks) && db.settings.mm_blocks_enabled;
    let props = answer.props.as_ref().filter(|_| blocks);
    let text = answer.text.as_deref().unwrap_or_default();
    if let Some(problem) = props.and_then(|props| blocks::check(props, text).err()) {
        tracing::info!(
            problem,
            "the actions in the answer to an outgoing webhook are wrong; it is not posted"
        );
        return;
    }
    let hook = &webhook.hook;
    let first = |theirs: String, mine: &str| if theirs.is_empty() { mine.to_owned() } else { theirs };
    let mut props = answer.props.unwrap_or_default();
    props.insert("webhook_display_name".to_owned(), hook.display_name.clone().into());
    let draft = WebhookPost {
        user_id: &hook.creator_id,
        channel_id: &webhook.channel_id,
        root_id: if answer.response_type == "comment" { &webhook.post_id } else { "" },
        text: markup::to_markdown(&db, &answer.text.unwrap_or_default()),
        username: first(answer.username, &hook.username),
        icon_url: first(answer.icon_url, &hook.icon_url),
        kind: answer.kind,
        props,
        attachments: markup::in_attachments(&db, attachments),
    };
    if let Err(error) = post(&mut db, draft) {
        tracing::info!(cause = error.id, "the answer to an outgoing webhook could not be posted");
    }
}
