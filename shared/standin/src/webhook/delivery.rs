//! Sending webhooks, and posting what is answered.

use super::firing::{Firing, Shot};
use super::posting::{WebhookPost, post};
use crate::action::attachment::{Attachment, or_default};
use crate::{Standin, markup};
use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How many deliveries are under way.
pub(crate) struct Deliveries(watch::Sender<usize>);

/// One that is. It ends when this is dropped, however that comes.
struct UnderWay(watch::Sender<usize>);

impl Deliveries {
    pub(crate) fn new() -> Deliveries {
        Deliveries(watch::Sender::new(0))
    }

    fn begin(&self) -> UnderWay {
        self.0.send_modify(|count| *count += 1);
        UnderWay(self.0.clone())
    }

    /// Waits until none is.
    pub(crate) async fn settled(&self) {
        // It fails only without a sender, and there is one.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// `OutgoingWebhookResponse`.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Answer {
    /// Absent is not the same as empty: an empty text is posted.
    text: Option<String>,
    #[serde(deserialize_with = "or_default")]
    username: String,
    #[serde(deserialize_with = "or_default")]
    icon_url: String,
    props: Option<Map<String, Value>>,
    attachments: Option<Vec<Attachment>>,
    #[serde(rename = "type", deserialize_with = "or_default")]
    kind: String,
    /// `comment`: in the thread of what fired the webhook.
    #[serde(deserialize_with = "or_default")]
    response_type: String,
    /// 11 only.
    priority: Option<Value>,
}

/// Sends what was fired since the last time. Needs a runtime, as all that calls integrations does.
pub(crate) fn dispatch(standin: &Standin) {
    let firings = std::mem::take(&mut standin.world().firings);
    for firing in firings {
        let under_way = standin.deliveries().begin();
        let standin = standin.clone();
        tokio::spawn(async move {
            send(&standin, firing).await;
            drop(under_way);
        });
    }
}

async fn send(standin: &Standin, firing: Firing) {
    for mut shot in firing {
        let requests = std::mem::take(&mut shot.requests);
        let mut calls = JoinSet::new();
        for request in requests {
            let standin = standin.clone();
            calls.spawn(async move { call(&standin, request).await });
        }
        while let Some(answer) = calls.join_next().await {
            if let Ok(Some(answer)) = answer {
                reply(standin, &shot, answer);
            }
        }
    }
}

/// What the integration says, whatever its status and content type are; `None` if it says nothing.
async fn call(standin: &Standin, request: Request<Bytes>) -> Option<Answer> {
    let answer = standin.outgoing().call(request).await;
    let answer =
        answer.inspect_err(|error| tracing::info!(%error, "no answer to an outgoing webhook")).ok()?;
    // The first value counts, as in Go; what stands behind it is not read.
    let first = serde_json::Deserializer::from_slice(answer.body()).into_iter::<Value>().next()?;
    let read = first.and_then(|value| match value {
        Value::Null => Ok(Answer::default()),
        object @ Value::Object(_) => serde_json::from_value(object),
        _ => Err(serde::de::Error::custom("the answer is not an object")),
    });
    read.inspect_err(|error| tracing::info!(%error, "the answer to an outgoing webhook cannot be read")).ok()
}

/// Posts the answer as the webhook's maker, in the name and with the picture that the answer or the webhook says.
fn reply(standin: &Standin, shot: &Shot, mut answer: Answer) {
    let attachments = answer.attachments.take().unwrap_or_default();
    if answer.text.is_none() && attachments.is_empty() {
        return;
    }
    let mut world = standin.world();
    if world.version.is_11() && answer.priority.is_some() {
        tracing::warn!("the stand-in does not serve the priority of posts; the answer is not posted");
        return;
    }
    let hook = &shot.hook;
    let first = |theirs: String, mine: &str| if theirs.is_empty() { mine.to_owned() } else { theirs };
    let mut props = answer.props.unwrap_or_default();
    props.insert("webhook_display_name".to_owned(), hook.display_name.clone().into());
    let draft = WebhookPost {
        user_id: &hook.creator_id,
        channel_id: &shot.channel_id,
        root_id: if answer.response_type == "comment" { &shot.post_id } else { "" },
        text: markup::to_markdown(&world, &answer.text.unwrap_or_default()),
        username: first(answer.username, &hook.username),
        icon_url: first(answer.icon_url, &hook.icon_url),
        kind: answer.kind,
        props,
        attachments: markup::in_attachments(&world, attachments),
    };
    if let Err(error) = post(&mut world, draft) {
        tracing::info!(cause = error.id, "the answer to an outgoing webhook could not be posted");
    }
}
