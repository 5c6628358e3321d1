//! A slash command of an unmodified Mattermost server (section 14).
//!
//! In: a form whose keys repeat. Out: always a 200 with exactly `application/json`, because the server shows its user
//! nothing of any other answer; only a failed authentication is a 401. The body never holds an action: the server
//! hands it, integrations included, to the client that typed the command, who could then act as anybody.

use super::{Decoded, Dialect, delivery_id, with_list};
use crate::{
    authenticate::{self, Presented, Sender, SenderProof, body},
    finish::{
        Finished, Surface,
        confirm::ChannelProof,
        mentions::Mentions,
        response_url::ReplyId,
        surface::Private,
        text::{POST_LIMIT, with_note},
    },
    http::{Arrival, Refusal, Responder, Route},
    not_served,
    store::model::Install,
};
use bytes::Bytes;
use cloud_apps_protocol::{
    Answer, Attachment, Code, CommandRequest, Manifest, TeamId,
    answer::{Kind, Message},
    command::{self, Channel, Context, Mentioned, Post, Source, Team, User},
};
use http::{Response, StatusCode};
use serde::Serialize;
use std::{borrow::Cow, collections::BTreeMap, str::FromStr};

/// The body of a slash answer. What is not here cannot be answered: no action, no integration.
#[derive(Debug, Default, Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    response_type: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goto_location: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skip_slack_parsing: bool,
}

/// `POST /hooks/{install}/slash`.
pub(super) struct Slash;

impl Dialect for Slash {
    fn presented<'a>(&self, arrival: &'a Arrival) -> Result<Presented<'a>, Refusal> {
        let Route::Slash { install } = &arrival.route else { return Err(Refusal::no_route()) };
        let [token, team, trigger] = body::form(arrival.request.body(), ["token", "team_id", "command"])?;
        Ok(Presented::Slash(authenticate::slash::SlashCredential { install, team, trigger, token }))
    }

    fn decode(&self, arrival: &Arrival, sender: &Sender, manifest: &Manifest) -> Result<Decoded, Refusal> {
        let SenderProof::Slash { team } = &sender.proof else { return Err(Refusal::unauthorized()) };
        let form = Form::read(arrival.request.body())?;
        let request = form.request(manifest.namespace(), team)?;
        let delivery_id = form.delivery_id(&sender.install, &arrival.request_id);
        // The server hands the answer to the client that typed the command, who could use any seal in it.
        let private = Private::InAnswer { actions: false };
        let proof = ChannelProof::Team(team.clone());
        let reply = ReplyId::of_url(one(form.response_url.as_ref()));
        let surface = Surface { reply, ..Surface::new(&request.context, proof, private) };
        Ok(Decoded { request, delivery_id, surface, once: None })
    }

    /// The table of section 14.2, column `slash`.
    fn render(&self, responder: &Responder, answer: Result<&Finished, &Refusal>) -> Response<Bytes> {
        let body = match answer {
            Ok(Finished::Answer(answer)) => rendered(answer),
            // Nothing was clicked here that could change.
            Ok(Finished::Update { .. }) => Body::default(),
            Err(refusal) if refusal.code == Code::Unauthorized => return responder.refuse(refusal),
            Err(refusal) => ephemeral(refusal.sentence(responder.request_id())),
        };
        responder.json(StatusCode::OK, &body)
    }
}

/// `GET /hooks/{install}/slash`: nothing is read, nothing runs.
pub fn wrong_method(arrival: &Arrival) -> Response<Bytes> {
    let body = ephemeral("Set this command's request method to POST.".into());
    Responder::new(arrival).json(StatusCode::OK, &body)
}

/// What a form says of its command, beside whose it is.
#[derive(Default)]
struct Form<'b> {
    channel_id: Option<Cow<'b, str>>,
    channel_name: Option<Cow<'b, str>>,
    response_url: Option<Cow<'b, str>>,
    root_id: Option<Cow<'b, str>>,
    text: Option<Cow<'b, str>>,
    trigger_id: Option<Cow<'b, str>>,
    user_id: Option<Cow<'b, str>>,
    user_mentions: Vec<Cow<'b, str>>,
    user_mentions_ids: Vec<Cow<'b, str>>,
    channel_mentions: Vec<Cow<'b, str>>,
    channel_mentions_ids: Vec<Cow<'b, str>>,
}

impl<'b> Form<'b> {
    fn read(body: &'b [u8]) -> Result<Self, Refusal> {
        let mut form = Self::default();
        for (key, value) in form_urlencoded::parse(body) {
            let place = match &*key {
                "channel_id" => &mut form.channel_id,
                "channel_name" => &mut form.channel_name,
                "response_url" => &mut form.response_url,
                "root_id" => &mut form.root_id,
                "text" => &mut form.text,
                "trigger_id" => &mut form.trigger_id,
                "user_id" => &mut form.user_id,
                "user_mentions" => {
                    form.user_mentions.push(value);
                    continue;
                }
                "user_mentions_ids" => {
                    form.user_mentions_ids.push(value);
                    continue;
                }
                "channel_mentions" => {
                    form.channel_mentions.push(value);
                    continue;
                }
                "channel_mentions_ids" => {
                    form.channel_mentions_ids.push(value);
                    continue;
                }
                _ => continue,
            };
            if place.replace(value).is_some() {
                let message = format!("Mattermost sent {key} twice. Nothing was run.");
                return Err(Refusal::bad_request(&format!("/{key}"), message));
            }
        }
        Ok(form)
    }

    fn delivery_id(&self, install: &Install, request_id: &str) -> String {
        delivery_id(install, "slash", one(self.trigger_id.as_ref()), request_id)
    }

    /// The command as the protocol has it. `namespace` is the app's own, whatever trigger it was registered under.
    fn request(&self, namespace: &str, team: &TeamId) -> Result<CommandRequest, Refusal> {
        let bad = |key: &str, error: cloud_apps_protocol::BadId| {
            Refusal::bad_request(
                &format!("/{key}"),
                format!("Mattermost sent a {key} that is not one: {error}."),
            )
        };
        let channel = one(self.channel_id.as_ref()).parse().map_err(|error| bad("channel_id", error))?;
        let user = one(self.user_id.as_ref()).parse().map_err(|error| bad("user_id", error))?;
        let mut context = Context {
            source: Source { id: "message_box".into(), ..Source::default() },
            acting_user: Some(User::of(user)),
            mentioned: self.mentioned(),
            ..Context::default()
        };
        let mut channel = Channel::of(channel);
        // In a direct or group message the team is the one that the user looks at, not the channel's.
        if !is_of_no_team(one(self.channel_name.as_ref())) {
            channel.team_id = Some(team.clone());
        }
        if !one(self.root_id.as_ref()).is_empty() {
            let mut root =
                Post::of(one(self.root_id.as_ref()).parse().map_err(|error| bad("root_id", error))?);
            root.channel_id = Some(channel.id.clone());
            context.root_post = Some(root);
        }
        context.team = Some(Team::of(team.clone()));
        context.channel = Some(channel);
        let raw = format!("/{namespace} {}", one(self.text.as_ref()));
        let command =
            command::Command { namespace: namespace.to_owned(), raw, ..command::Command::default() };
        Ok(CommandRequest { command, context, ..CommandRequest::default() })
    }

    /// Names and ids come as two lists in the same order. The server leaves out what it does not know. What is no name or no
    /// id is left out here.
    fn mentioned(&self) -> Mentioned {
        Mentioned {
            users: pairs(&self.user_mentions, &self.user_mentions_ids, User::of),
            channels: pairs(&self.channel_mentions, &self.channel_mentions_ids, Channel::of),
        }
    }
}

/// The text of a key; empty where it is absent.
fn one<'f>(value: Option<&'f Cow<'_, str>>) -> &'f str {
    value.map_or("", |value| value)
}

fn pairs<Name, Id, Object>(
    names: &[Cow<'_, str>],
    ids: &[Cow<'_, str>],
    object: impl Fn(Id) -> Object,
) -> BTreeMap<Name, Object>
where
    Name: FromStr + Ord,
    Id: FromStr,
{
    let pairs = names.iter().zip(ids);
    pairs.filter_map(|(name, id)| Some((name.parse().ok()?, object(id.parse().ok()?)))).collect()
}

/// A direct message's name is its two users' ids, a group message's is a SHA-1.
fn is_of_no_team(channel_name: &str) -> bool {
    let direct = channel_name.split_once("__").is_some_and(|(a, b)| a.len() == 26 && b.len() == 26);
    let group = channel_name.len() == 40 && channel_name.bytes().all(|b| b.is_ascii_hexdigit());
    direct || group
}

fn rendered(answer: &Answer) -> Body {
    let body = match &answer.kind {
        Kind::Message(Message { text, attachments, .. }) => {
            Body { attachments: without_actions(attachments), ..ephemeral(text.clone()) }
        }
        Kind::Accepted { text } if text.is_empty() => ephemeral("Working on it.".into()),
        Kind::Accepted { text } => ephemeral(text.clone()),
        Kind::Error { text, fields } => ephemeral(with_list(text, fields)),
        Kind::Navigate { url } => {
            Body { goto_location: Some(url.clone()), skip_slack_parsing: true, ..Body::default() }
        }
        Kind::Done => Body::default(),
        // What the surface cannot show does not come here; a sentence is better than nothing if it ever did.
        Kind::Form { .. } | Kind::Ask { .. } => ephemeral(not_served::FORM.into()),
    };
    let notify = matches!(&answer.kind, Kind::Message(message) if message.notify);
    warned(body, &answer.warnings, Mentions::of(notify))
}

/// Actions never come here; if they ever did, nobody would get a seal by it.
fn without_actions(attachments: &[Attachment]) -> Vec<Attachment> {
    attachments.iter().map(|attachment| Attachment { actions: Vec::new(), ..attachment.clone() }).collect()
}

fn ephemeral(text: String) -> Body {
    Body { response_type: Some("ephemeral"), text, skip_slack_parsing: true, ..Body::default() }
}

/// Warnings stand under the text; a text that is too long is cut, with a note.
fn warned(mut body: Body, warnings: &[String], mentions: Mentions) -> Body {
    let nothing = body.text.is_empty() && body.attachments.is_empty();
    if nothing && warnings.is_empty() {
        // Nothing to show: without a text an `ephemeral` would be an empty message.
        return Body { goto_location: body.goto_location, ..Body::default() };
    }
    let notes: Vec<String> = warnings.iter().map(|warning| format!("_{warning}_")).collect();
    if !notes.is_empty() {
        body.response_type = Some("ephemeral");
        body.skip_slack_parsing = true;
    }
    body.text = with_note(&body.text, &notes.join("\n"), POST_LIMIT, mentions);
    body
}
