//! Builds sample events.

use super::gateway::HttpRequest;
use crate::failure::Failure;
use cloud_apps_core::offline::Sample;
use cloud_apps_protocol::token::{self, Claims, Direction, Scope};
use data_encoding::BASE64;
use serde_json::{Map, Value, json};

/// The line of a command where none is given, without the trigger.
pub const LINE: &str = "greet @bob --language=de";

/// Builds the events for one sample.
pub struct EventBuilder<'a> {
    /// The sample.
    pub sample: &'a Sample,
    /// The time of the events, Unix milliseconds.
    pub at: u64,
    /// The line of a command, with or without its trigger. Without it: [`LINE`].
    pub line: Option<&'a str>,
}

impl EventBuilder<'_> {
    fn line(&self) -> String {
        let line = self.line.unwrap_or(LINE);
        let trigger = format!("/{}", self.sample.install.trigger);
        // `--line "/hello time"` and `--line "time"` are the same.
        line.strip_prefix(&trigger).map_or(line, str::trim_start).to_owned()
    }

    /// The first user acts; the others can be mentioned.
    fn acting(&self) -> String {
        self.sample.mattermost.users.first().map(|u| u.id.to_string()).unwrap_or_default()
    }

    /// The users that the line mentions: name and id.
    fn mentioned(&self) -> Vec<(String, String)> {
        let line = self.line();
        let mentions = |name: &str| line.split_whitespace().any(|word| word.strip_prefix('@') == Some(name));
        self.sample
            .mattermost
            .users
            .iter()
            .filter(|user| mentions(&user.username))
            .map(|user| (user.username.clone(), user.id.to_string()))
            .collect()
    }

    /// A slash command of an unmodified Mattermost.
    pub fn slash(&self) -> Result<Value, Failure> {
        let of = &self.sample.install;
        let name =
            |i: usize| self.sample.mattermost.users.get(i).map(|u| u.username.clone()).unwrap_or_default();
        let mut form = vec![
            ("channel_id", of.channel_id.to_string()),
            ("channel_name", self.sample.mattermost.channel.name.clone()),
            ("command", format!("/{}", of.trigger)),
            ("response_url", format!("{}/hooks/commands/sampleresponsesampleresponr", of.site_url)),
            ("root_id", String::new()),
            ("team_domain", self.sample.mattermost.team.name.clone()),
            ("team_id", of.team_id.to_string()),
            ("text", self.line()),
            ("token", of.slash_token.clone()),
            ("trigger_id", self.trigger_id()),
            ("user_id", self.acting()),
        ];
        for (name, id) in self.mentioned() {
            form.push(("user_mentions", name));
            form.push(("user_mentions_ids", id));
        }
        form.push(("user_name", name(0)));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.event_of(HttpRequest {
            method: "POST",
            route: "/hooks/{install}/slash",
            body: Some(("application/x-www-form-urlencoded", body.into_bytes())),
            authorization: Some(format!("Token {}", of.slash_token)),
            parameters: &[("install", of.install_id.as_str())],
            agent: Some("Mattermost-Bot/1.1"),
        })
    }

    /// As Mattermost makes one: id, user, time in ms, signature.
    fn trigger_id(&self) -> String {
        let signature = BASE64.encode(b"sample signature");
        BASE64.encode(
            format!("sampletriggersampletrigger:{}:{}:{signature}", self.acting(), self.at).as_bytes(),
        )
    }

    fn command_body(&self) -> Value {
        let of = &self.sample.install;
        let users: Map<String, Value> = self
            .mentioned()
            .into_iter()
            .map(|(name, id)| (name.clone(), json!({ "id": id, "username": name })))
            .collect();
        json!({
            "command": { "namespace": of.trigger, "function": "", "raw": format!("/{} {}", of.trigger, self.line()) },
            "context": {
                "source": { "id": "message_box" },
                "acting_user": { "id": self.acting() },
                "channel": { "id": of.channel_id, "team_id": of.team_id },
                "team": { "id": of.team_id },
                "mentioned": { "users": users, "channels": {} },
            },
        })
    }

    /// A signed V2 request.
    pub fn command(&self) -> Result<Value, Failure> {
        let body = self.command_body().to_string().into_bytes();
        let authorization = self.token("POST", "/command", &body, &self.acting(), Scope::User)?;
        self.event_of(HttpRequest {
            method: "POST",
            route: "/command",
            body: Some(("application/json", body)),
            authorization: Some(authorization),
            ..HttpRequest::default()
        })
    }

    /// The same with a static token.
    pub fn command_static(&self) -> Result<Value, Failure> {
        let token = self.sample.install.static_token.clone().ok_or_else(|| {
            Failure::new("the sample's install has no static token")
                .hint("give it `install.static_token`; events/README.md")
        })?;
        self.event_of(HttpRequest {
            method: "POST",
            route: "/",
            body: Some(("application/json", self.command_body().to_string().into_bytes())),
            authorization: Some(format!("Token {token}")),
            ..HttpRequest::default()
        })
    }

    /// A question of autocomplete.
    pub fn autocomplete(&self) -> Result<Value, Failure> {
        let of = &self.sample.install;
        let input = format!("/{} gr", of.trigger);
        let body = json!({
            "query": { "kind": "suggest", "input": input, "cursor": input.len() },
            "context": {
                "acting_user": { "id": self.acting() },
                "channel": { "id": of.channel_id, "team_id": of.team_id },
                "team": { "id": of.team_id },
            },
        });
        self.signed_post("/autocomplete", &body, &self.acting(), Scope::User)
    }

    /// An event.
    pub fn event(&self) -> Result<Value, Failure> {
        let of = &self.sample.install;
        let other = self.sample.mattermost.users.get(1).map(|u| u.id.to_string()).unwrap_or_default();
        let body = json!({ "events": [{
            "id": "sampleeventsampleeventsamp", "kind": "user_joined_channel", "at": self.at,
            "team_id": of.team_id, "channel_id": of.channel_id, "user_id": other, "data": {},
        }]});
        self.signed_post("/event", &body, of.bot.user_id.as_str(), Scope::Bot)
    }

    fn signed_post(&self, route: &str, body: &Value, subject: &str, scope: Scope) -> Result<Value, Failure> {
        let body = body.to_string().into_bytes();
        let authorization = self.token("POST", route, &body, subject, scope)?;
        self.event_of(HttpRequest {
            method: "POST",
            route,
            body: Some(("application/json", body)),
            authorization: Some(authorization),
            ..HttpRequest::default()
        })
    }

    /// A message of a queue.
    #[allow(clippy::unnecessary_wraps)] // Every event is built by a function of this signature.
    pub fn deliver(&self) -> Result<Value, Failure> {
        let job = json!({ "v": 9999, "kind": "sample", "install": self.sample.install.install_id });
        let at = self.at.to_string();
        Ok(json!({ "Records": [{
            "messageId": "5a4d504c-455a-4d50-8c45-5a4d504c455a",
            "receiptHandle": "sample",
            "body": job.to_string(),
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": at,
                "SenderId": "sample",
                "ApproximateFirstReceiveTimestamp": at,
                "MessageGroupId": self.sample.install.install_id,
            },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:sample-EventQueue",
            "awsRegion": "us-east-1",
        }]}))
    }

    /// `GET /`.
    pub fn index(&self) -> Result<Value, Failure> {
        self.event_of(HttpRequest { method: "GET", route: "/", ..HttpRequest::default() })
    }

    /// `GET /install/{install}`.
    pub fn install_get(&self) -> Result<Value, Failure> {
        let install = self.sample.install.install_id.as_str();
        let path = format!("/install/{install}");
        let authorization = self.token("GET", &path, b"", &self.acting(), Scope::User)?;
        self.event_of(HttpRequest {
            method: "GET",
            route: "/install/{install}",
            authorization: Some(authorization),
            parameters: &[("install", install)],
            ..HttpRequest::default()
        })
    }

    /// An operator's request.
    #[allow(clippy::unnecessary_wraps)] // Every event is built by a function of this signature.
    pub fn operator(&self) -> Result<Value, Failure> {
        Ok(json!({ "operator": { "do": "list", "app": self.sample.install.app } }))
    }

    /// The header of a token for a request.
    fn token(
        &self,
        method: &str,
        route: &str,
        body: &[u8],
        subject: &str,
        scope: Scope,
    ) -> Result<String, Failure> {
        let secret = self.sample.shared_secret().map_err(|e| Failure::new(e.to_string()))?;
        let now = self.at / 1000;
        // The same request at the same time has the same `jti`.
        let jti = format!("{method}{route}{}{}", self.at, token::body_sha256(body));
        let jti = token::body_sha256(jti.as_bytes());
        let claims = Claims {
            iss: self.sample.install.site_url.to_string(),
            aud: self.sample.install.app.to_string(),
            sub: subject.to_owned(),
            iat: now,
            exp: now + 60,
            jti,
            htm: method.to_owned(),
            htp: route.to_owned(),
            scope,
            mattermost_token: None,
            body_sha256: token::body_sha256(body),
        };
        Ok(format!("Bearer {}", token::sign(Direction::Server, &self.sample.kid(), &secret, &claims)))
    }

    fn event_of(&self, request: HttpRequest<'_>) -> Result<Value, Failure> {
        request.into_event(self.at)
    }
}
