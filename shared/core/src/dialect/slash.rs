//! A slash command of an unmodified Mattermost server (section 14).
//!
//! In: a form whose keys repeat. Out: always a 200 with exactly `application/json`, for the server shows its user
//! nothing of any other answer; only a failed authentication is a 401. The body never holds an action: the server
//! hands it, integrations included, to the client that typed the command, who could then act as anybody.

use crate::{
    authenticate,
    dispatch::{self, Caller, Command},
    edge::Arrival,
    log::LogLine,
    model::{Install, Sha256},
    refusal::Refusal,
    respond::Responder,
    settle::{
        mentions::Mentions,
        text::{POST_LIMIT, with_note},
    },
    world::World,
};
use bytes::Bytes;
use cloud_apps_protocol::{
    Answer, Code, CommandRequest,
    answer::{Kind, Message},
    command::{self, Channel, Context, Mentioned, Post, Source, Team, User},
};
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// The body of a slash answer. What is not here cannot be answered: no action, no integration.
#[derive(Debug, Default, Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    response_type: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goto_location: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skip_slack_parsing: bool,
}

/// `POST /hooks/{install}/slash`.
pub async fn command(
    world: &Arc<World>,
    arrival: &Arrival,
    install: &str,
    line: &mut LogLine,
) -> Result<Response<Bytes>, Refusal> {
    let responder = Responder::new(arrival);
    let body = match run(world, arrival, install, line).await {
        Ok(answer) => {
            line.outcome(super::v2::name(&answer.kind));
            body(&answer)
        }
        Err(refusal) if refusal.code == Code::Unauthorized => return Err(refusal),
        Err(refusal) => {
            line.refused(&refusal);
            ephemeral(sentence(&refusal, &arrival.request_id))
        }
    };
    Ok(responder.json(StatusCode::OK, &body))
}

/// `GET /hooks/{install}/slash`: nothing is read, nothing runs.
pub fn wrong_method(arrival: &Arrival) -> Response<Bytes> {
    let body = ephemeral("Set this command's request method to POST.".into());
    Responder::new(arrival).json(StatusCode::OK, &body)
}

async fn run(
    world: &Arc<World>,
    arrival: &Arrival,
    install: &str,
    line: &mut LogLine,
) -> Result<Answer, Refusal> {
    let form = Form::decode(arrival.request.body());
    let install = authenticate::slash::install(world, arrival, &form.claim(install), line).await?;
    let app = dispatch::known(world, &install, arrival.now).await?;
    let request = form.request(app.manifest().namespace())?;
    let delivery_id = form.delivery_id(&install, &arrival.request_id);
    dispatch::run(world, arrival, Command { install, request, caller: Caller::Slash, delivery_id }, line)
        .await
}

/// A form with repeated keys, in their order.
struct Form(BTreeMap<String, Vec<String>>);

impl Form {
    fn decode(body: &[u8]) -> Self {
        let mut pairs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in form_urlencoded::parse(body) {
            pairs.entry(key.into_owned()).or_default().push(value.into_owned());
        }
        Self(pairs)
    }

    fn all(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// The first value; empty where there is none.
    fn one(&self, key: &str) -> &str {
        self.all(key).first().map_or("", String::as_str)
    }

    fn trigger(&self) -> &str {
        self.one("command").trim_start_matches('/')
    }

    fn claim<'a>(&'a self, install: &'a str) -> authenticate::slash::Claim<'a> {
        authenticate::slash::Claim {
            install,
            team: self.one("team_id"),
            trigger: self.trigger(),
            token: self.one("token"),
        }
    }

    /// 16 bytes of SHA-256 over the install, the kind and the trigger id, in hex: an app's idempotency key.
    fn delivery_id(&self, install: &Install, request_id: &str) -> String {
        let trigger_id = match self.one("trigger_id") {
            "" => request_id,
            id => id,
        };
        let mut hash = Sha256::of(&format!("{}\0slash\0{trigger_id}", install.id)).as_str().to_owned();
        hash.truncate(32);
        hash
    }

    /// The command as the protocol has it. `namespace` is the app's own, whatever trigger it was registered under.
    fn request(&self, namespace: &str) -> Result<CommandRequest, Refusal> {
        let bad = |key: &str, error: cloud_apps_protocol::BadId| {
            Refusal::bad_request(
                &format!("/{key}"),
                format!("Mattermost sent a {key} that is none: {error}."),
            )
        };
        let channel = self.one("channel_id").parse().map_err(|error| bad("channel_id", error))?;
        let mut context = Context {
            source: Source { id: "message_box".into(), ..Source::default() },
            acting_user: Some(User::of(self.one("user_id").parse().map_err(|error| bad("user_id", error))?)),
            mentioned: self.mentioned(),
            ..Context::default()
        };
        let mut channel = Channel::of(channel);
        // In a direct message the team is the one that the user looks at, not the channel's.
        if !is_direct(self.one("channel_name")) {
            channel.team_id = Some(self.one("team_id").into());
        }
        if !self.one("root_id").is_empty() {
            let mut root = Post::of(self.one("root_id").parse().map_err(|error| bad("root_id", error))?);
            root.channel_id = Some(channel.id.as_str().into());
            context.root_post = Some(root);
        }
        context.team = Some(Team::of(self.one("team_id").parse().map_err(|error| bad("team_id", error))?));
        context.channel = Some(channel);
        let raw = format!("/{namespace} {}", self.one("text"));
        let command =
            command::Command { namespace: namespace.to_owned(), raw, ..command::Command::default() };
        Ok(CommandRequest { command, context, ..CommandRequest::default() })
    }

    /// Names and ids come as parallel lists; what the server does not know it leaves out.
    fn mentioned(&self) -> Mentioned {
        let mut mentioned = Mentioned::default();
        for (name, id) in self.all("user_mentions").iter().zip(self.all("user_mentions_ids")) {
            if let Ok(id) = id.parse() {
                mentioned.users.insert(name.clone(), User::of(id));
            }
        }
        for (name, id) in self.all("channel_mentions").iter().zip(self.all("channel_mentions_ids")) {
            if let Ok(id) = id.parse() {
                mentioned.channels.insert(name.clone(), Channel::of(id));
            }
        }
        mentioned
    }
}

/// A direct message's name is its two users' ids.
fn is_direct(channel_name: &str) -> bool {
    channel_name.split_once("__").is_some_and(|(a, b)| a.len() == 26 && b.len() == 26)
}

/// What a person reads of a refusal. Where only the operator can help, with what names it in the log.
fn sentence(refusal: &Refusal, request_id: &str) -> String {
    let mut text = refusal.message.clone();
    if refusal.code.status() >= 500 {
        text = format!("{text} (request {request_id})");
    }
    text
}

/// The table of section 14.2, column `slash`.
fn body(answer: &Answer) -> Body {
    let body = match &answer.kind {
        Kind::Message(Message { text, attachments, .. }) => {
            Body { attachments: attachments.clone(), ..ephemeral(text.clone()) }
        }
        Kind::Accepted { text } if text.is_empty() => ephemeral("Working on it.".into()),
        Kind::Accepted { text } => ephemeral(text.clone()),
        Kind::Error { text, fields } => ephemeral(with_list(text, fields)),
        Kind::Navigate { url } => {
            Body { goto_location: Some(url.clone()), skip_slack_parsing: true, ..Body::default() }
        }
        Kind::Done => Body::default(),
        // Settling leaves none of these; a sentence is better than nothing if it ever did.
        Kind::Form { .. } | Kind::Ask { .. } => {
            ephemeral("This version of the bundle opens no forms.".into())
        }
    };
    let notify = matches!(&answer.kind, Kind::Message(message) if message.notify);
    warned(body, &answer.warnings, Mentions::of(notify))
}

fn ephemeral(text: String) -> Body {
    Body { response_type: Some("ephemeral"), text, skip_slack_parsing: true, ..Body::default() }
}

fn with_list(text: &str, fields: &BTreeMap<String, String>) -> String {
    let list: Vec<String> = fields.iter().map(|(name, message)| format!("* `{name}`: {message}")).collect();
    if list.is_empty() { text.to_owned() } else { format!("{text}\n\n{}", list.join("\n")) }
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
