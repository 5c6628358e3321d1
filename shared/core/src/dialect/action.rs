//! A click on a button or a menu in a post (section 14).
//!
//! In: JSON whose keys nobody signed. What runs, and with which values, is in the seal of its `context`, which no client has
//! seen; who clicked, and where, is what the server says. The choice in a menu is the user's word. Out: always a 200, because
//! Mattermost shows its user nothing of any other answer.

use super::{Decoded, Dialect, delivery_id};
use crate::{
    authenticate::{Presented, Sender, SenderProof, Spend, seal::SealCredential},
    finish::{
        Finished, Surface, Update, as_markdown,
        confirm::ChannelProof,
        mentions::Mentions,
        surface::{Clicked, Private},
        text::{POST_LIMIT, with_note},
    },
    http::{Arrival, Refusal, Responder, Route},
    not_served,
};
use bytes::Bytes;
use cloud_apps_protocol::{
    Answer, Code, CommandRequest, Manifest, Millis, UserId,
    answer::Kind,
    command::{self, Channel, Context, Post, Source, Team, User},
    seal::{Content, SealKind},
};
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::str::FromStr;

/// `POST /hooks/{install}/action`.
pub(super) struct Action;

/// How long the first use of an action is remembered, in ms (section 5).
const ONCE: Millis = 30 * 24 * 3_600_000;

/// A click as Mattermost sends it (`PostActionIntegrationRequest`). Of some versions some keys are empty or missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Click {
    user_id: String,
    user_name: String,
    channel_id: String,
    team_id: String,
    post_id: String,
    trigger_id: String,
    context: Chosen,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chosen {
    selected_option: Value,
}

/// What is answered.
#[derive(Debug, Default, Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    update: Option<&'a Update>,
    #[serde(skip_serializing_if = "String::is_empty")]
    ephemeral_text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    goto_location: Option<&'a str>,
    skip_slack_parsing: bool,
}

impl Dialect for Action {
    fn presented<'a>(&self, arrival: &'a Arrival) -> Result<Presented<'a>, Refusal> {
        let Route::Action { install } = &arrival.route else { return Err(Refusal::no_route()) };
        Ok(Presented::Seal(SealCredential::of(arrival, install, SealKind::Action)?))
    }

    fn decode(&self, arrival: &Arrival, sender: &Sender, manifest: &Manifest) -> Result<Decoded, Refusal> {
        let SenderProof::Seal { content, .. } = &sender.proof else { return Err(Refusal::unauthorized()) };
        let click: Click = arrival.json()?;
        let user: UserId = required("user_id", &click.user_id)?;
        if content.user.as_ref().is_some_and(|only| *only != user) {
            return Err(Refusal::new(Code::Forbidden, "This is for somebody else: only they can use it."));
        }
        let request = request(&click, user, content, manifest)?;
        let delivery_id = delivery_id(&sender.install, "action", &click.trigger_id, &arrival.request_id);
        let once = content.once_under().map(|key| Spend {
            key,
            until: arrival.now.saturating_add(ONCE),
            by: Some(click.user_name.clone()),
        });
        let surface = surface(&request.context, content);
        Ok(Decoded { request, delivery_id, surface, once })
    }

    /// The table of section 14.2, column `action`.
    fn render(&self, responder: &Responder, answer: Result<&Finished, &Refusal>) -> Response<Bytes> {
        let body = match answer {
            Ok(Finished::Update { update, warnings }) => {
                Body { update: Some(update), ..told("", warnings, Mentions::Quiet) }
            }
            Ok(Finished::Answer(answer)) => rendered(answer),
            Err(refusal) if refusal.code == Code::Unauthorized => return responder.refuse(refusal),
            Err(refusal) => told(&refusal.sentence(responder.request_id()), &[], Mentions::Quiet),
        };
        responder.json(StatusCode::OK, &body)
    }
}

fn request(
    click: &Click,
    user: UserId,
    sealed: &Content,
    manifest: &Manifest,
) -> Result<CommandRequest, Refusal> {
    let mut channel = Channel::of(required("channel_id", &click.channel_id)?);
    let mut values = sealed.values.clone();
    if let Some(field) = &sealed.field {
        // No choice comes where a client sends the click of a menu without one.
        match &click.context.selected_option {
            Value::Null => {}
            chosen => {
                values.insert(field.to_string(), chosen.clone());
            }
        }
    }
    let mut context = Context {
        source: Source { id: "post_action".into(), ..Source::default() },
        acting_user: Some(User::of(user)),
        ..Context::default()
    };
    // Empty in direct and group messages.
    if !click.team_id.is_empty() {
        let team = required::<cloud_apps_protocol::TeamId>("team_id", &click.team_id)?;
        channel.team_id = Some(team.clone());
        context.team = Some(Team::of(team));
    }
    if !click.post_id.is_empty() {
        let mut post = Post::of(required("post_id", &click.post_id)?);
        post.channel_id = Some(channel.id.clone());
        context.post = Some(post);
    }
    if let Some(root) = &sealed.root {
        let mut root = Post::of(root.parse().map_err(|_| Refusal::unauthorized())?);
        root.channel_id = Some(channel.id.clone());
        context.root_post = Some(root);
    }
    context.channel = Some(channel);
    let command = command::Command {
        namespace: manifest.namespace().to_owned(),
        function: sealed.function.to_string(),
        raw: format!("/{} {}", manifest.namespace(), sealed.function),
        encoded: Some(values),
    };
    Ok(CommandRequest { command, context, ..CommandRequest::default() })
}

/// Where a click comes from. The seal says in which channel the message was posted; elsewhere the user has to be a member.
fn surface(context: &Context, sealed: &Content) -> Surface {
    let here = context.channel.as_ref().map(|channel| &channel.id);
    let proof = match &sealed.channel {
        Some(channel) if here == Some(channel) => ChannelProof::Request,
        _ => ChannelProof::Install,
    };
    let clicked = Clicked { ephemeral: sealed.ephemeral, private: sealed.user.is_some() };
    Surface { clicked: Some(clicked), ..Surface::new(context, proof, Private::InAnswer { actions: false }) }
}

fn required<T: FromStr<Err = cloud_apps_protocol::BadId>>(key: &str, text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|error| {
        Refusal::bad_request(&format!("/{key}"), format!("Mattermost sent a {key} that is not one: {error}."))
    })
}

fn rendered(answer: &Answer) -> Body<'_> {
    let warnings = &answer.warnings;
    match &answer.kind {
        Kind::Message(message) => {
            let mentions = Mentions::of(message.notify);
            told(&as_markdown(&message.text, &message.attachments), warnings, mentions)
        }
        Kind::Accepted { text } if text.is_empty() => told("Working on it.", warnings, Mentions::Quiet),
        Kind::Accepted { text } => told(text, warnings, Mentions::Quiet),
        Kind::Error { text, fields } => told(&super::with_list(text, fields), warnings, Mentions::Quiet),
        Kind::Navigate { url } => Body { goto_location: Some(url), ..told("", warnings, Mentions::Quiet) },
        Kind::Done => told("", warnings, Mentions::Quiet),
        // What the surface cannot show does not come here; a sentence is better than nothing if it ever did.
        Kind::Form { .. } | Kind::Ask { .. } => told(not_served::FORM, warnings, Mentions::Quiet),
    }
}

/// A text for the user alone, with warnings under it.
fn told<'a>(text: &str, warnings: &[String], mentions: Mentions) -> Body<'a> {
    let notes: Vec<String> = warnings.iter().map(|warning| format!("_{warning}_")).collect();
    let ephemeral_text = with_note(text, &notes.join("\n"), POST_LIMIT, mentions);
    Body { ephemeral_text, skip_slack_parsing: true, ..Body::default() }
}
