//! Services over a store in memory, with one install of [`crate::jira`], and what a Mattermost server would send to it.

use crate::{build::Build, jira};
use bytes::Bytes;
use cloud_apps_core::{
    functions::{autocomplete, command, event},
    http::{Arrival, Handler, Route},
    random::Random,
    services::Services,
    store::{
        memory::Memory,
        model::{Install, Sha256, SlashCommand, Team},
    },
    testing::sample,
};
use cloud_apps_protocol::{
    Generation, Millis, TeamId, manifest::Permission, secret::Secret, token::body_sha256,
};
use http::{Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

pub const NOW: Millis = 1_795_383_561_000;
pub const ALICE: &str = "roaxwho8njrnjytedmp4qzu99e";
pub const BOB: &str = "ft1du16ho78a8ed76wcngpuswe";
pub const CHANNEL: &str = "ijgemn8fuprnx87bx6kak5yx5r";
pub const TEAM: &str = "eznx9z5nn7r1iq7p5pnkpgzjoe";
pub const SLASH_TOKEN: &str = "hr75w5inzfn75kzmgg8cozbgmy";
pub const STATIC_TOKEN: &str = "nezum4kpu3faiec7r7c5zt6tfy";

/// A generator that counts.
#[derive(Default)]
struct Counter(AtomicU64);

impl Random for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let n = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, from) in bytes.iter_mut().rev().zip(n.iter().rev().chain(std::iter::repeat(&0))) {
            *byte = *from;
        }
    }
}

pub struct Stage {
    pub memory: Memory,
    pub services: Arc<Services>,
    pub install: Install,
    pub now: Millis,
}

impl Stage {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// A stage whose install differs from the usual one.
    pub fn with(change: impl FnOnce(&mut Install)) -> Self {
        static STAGES: AtomicUsize = AtomicUsize::new(1);
        let memory = Memory::new();
        memory.put_ring(sample::ring(&sample::app_id("jira"), 1));
        let mut install = Install {
            app: sample::app_id("jira"),
            version: crate::jira::app().manifest().version.clone(),
            static_token: Some(Sha256::of(STATIC_TOKEN)),
            ..sample::install(STAGES.fetch_add(1, Ordering::Relaxed))
        };
        install.bot.username = "jira".into();
        install.granted.permissions = [Permission::ActAsBot].into();
        install.granted.locations = ["message_box".into(), "post_menu".into()].into();
        change(&mut install);
        let stage = Self { services: Arc::new(build(&memory).services()), memory, install, now: NOW };
        stage.put(&stage.install);
        stage.register(TEAM, "jira", SLASH_TOKEN);
        stage.memory.reset_counts();
        stage
    }

    /// Changes the stored install, behind the caches.
    pub fn put(&self, install: &Install) {
        self.memory.put_install(install.clone());
    }

    /// Registers a slash command.
    pub fn register(&self, team: &str, trigger: &str, token: &str) {
        let command = SlashCommand { id: BOB.into(), token_sha256: Sha256::of(token), by_code: None };
        let team_id: TeamId = team.parse().unwrap();
        let registered = Team { commands: [(trigger.to_owned(), command)].into(), ..Team::default() };
        self.memory.put_registered(self.install.id.clone(), team_id, registered);
    }

    /// The secret shared with the install's server.
    pub fn secret(&self, generation: u32) -> Secret {
        let ring = sample::ring(&self.install.app, 1);
        ring.keys[0].root.shared(&self.install.app, &self.install.id, Generation(generation))
    }

    pub fn kid(&self) -> String {
        format!("jira.1.{}.1", self.install.id)
    }

    /// Sends a request to whichever function serves it.
    pub async fn send(&self, request: Request<Bytes>) -> Answered {
        let arrival = Arrival {
            route: Route::from_path(request.method(), request.uri().path()),
            request_id: "request-1".into(),
            now: self.now,
            deadline: self.now + 29_000,
            request,
        };
        self.arrive(arrival).await
    }

    pub async fn arrive(&self, arrival: Arrival) -> Answered {
        let response = match arrival.route.handler() {
            Some(Handler::Autocomplete) => autocomplete::handle(&self.services, arrival).await,
            Some(Handler::Event) => event::handle(&self.services, arrival).await,
            _ => command::handle(&self.services, arrival).await,
        };
        Answered::from(response)
    }

    /// A V2 request with a good token.
    pub fn v2(&self, path: &str, body: &Value) -> Request<Bytes> {
        let body = body.to_string();
        let claims = self.claims(path, &body);
        request(path, &body, &[(header::AUTHORIZATION, &format!("Bearer {}", self.token(&claims)))])
    }

    /// The claims of a good token. Each has a `jti` of its own.
    pub fn claims(&self, path: &str, body: &str) -> Value {
        static TOKENS: AtomicUsize = AtomicUsize::new(0);
        let event = path == "/event";
        json!({
            "iss": self.install.site,
            "aud": "jira",
            "sub": if event { self.install.bot.id.as_str() } else { ALICE },
            "iat": self.now / 1000,
            "exp": self.now / 1000 + 60,
            "jti": format!("{:022}", TOKENS.fetch_add(1, Ordering::Relaxed)),
            "htm": "POST",
            "htp": path,
            "scope": if event { "bot" } else { "user" },
            "body_sha256": body_sha256(body.as_bytes()),
        })
    }

    pub fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": "HS256", "typ": "cloud-apps+jwt", "kid": self.kid()});
        craft(&header.to_string(), &claims.to_string(), &self.secret(1))
    }

    /// Runs a line as a V2 command of alice.
    pub async fn run(&self, line: &str) -> Answered {
        self.send(self.v2("/command", &command_body(line))).await
    }

    /// Types a line into an unmodified server.
    pub async fn type_(&self, text: &str) -> Answered {
        self.send(self.slash(&form(text))).await
    }

    /// A slash command's request.
    pub fn slash(&self, form: &[(&str, &str)]) -> Request<Bytes> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = request(&format!("/hooks/{}/slash", self.install.id), &body, &[]);
        let media = header::HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, media);
        request
    }

    pub fn calls(&self) -> Vec<jira::Call> {
        jira::calls(&self.install.id)
    }
}

/// A bundle whose random bytes are counted.
pub fn build(memory: &Memory) -> Build {
    Build::over(memory).random(Counter::default())
}

/// The body of a V2 command.
pub fn command_body(line: &str) -> Value {
    json!({
        "command": {"namespace": "jira", "raw": line},
        "context": {
            "source": {"id": "message_box"},
            "acting_user": {"id": ALICE},
            "channel": {"id": CHANNEL, "team_id": TEAM},
            "team": {"id": TEAM},
            "mentioned": {"users": {"bob": {"id": BOB}}},
        },
    })
}

/// What an 11.6 server sends for `/jira <text>`.
pub fn form(text: &str) -> Vec<(&str, &str)> {
    vec![
        ("channel_id", CHANNEL),
        ("channel_name", "town-square"),
        ("command", "/jira"),
        ("response_url", "http://127.0.0.1:8066/hooks/commands/isepw4368fr8pb3xm4wus8rbho"),
        ("root_id", ""),
        ("team_domain", "ops"),
        ("team_id", TEAM),
        ("text", text),
        ("token", SLASH_TOKEN),
        ("trigger_id", "dHJpZ2dlcg=="),
        ("user_id", ALICE),
        ("user_mentions", "bob"),
        ("user_mentions_ids", BOB),
        ("user_name", "alice"),
    ]
}

/// A JSON request.
pub fn request(path: &str, body: &str, headers: &[(header::HeaderName, &str)]) -> Request<Bytes> {
    let mut request = Request::builder().method(Method::POST).uri(path);
    request = request.header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

/// A token with any header and claims, well-formed or not.
pub fn craft(header: &str, claims: &str, secret: &Secret) -> String {
    let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let signed = format!("{}.{}", encode(header), encode(claims));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.expose());
    let mac = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", data_encoding::BASE64URL_NOPAD.encode(mac.as_ref()))
}

/// What came back; every answer is well-formed, so that is asserted here and once.
#[derive(Debug)]
pub struct Answered {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl Answered {
    fn from(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        assert_eq!(parts.headers[header::CONTENT_TYPE], "application/json");
        assert!(parts.headers.contains_key("x-request-id"));
        let body = if parts.headers.contains_key(header::CONTENT_ENCODING) {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&body[..]), &mut text).unwrap();
            serde_json::from_str(&text).unwrap()
        } else {
            serde_json::from_slice(&body).unwrap()
        };
        let answered = Self { status: parts.status, headers: parts.headers, body };
        if answered.status != StatusCode::OK {
            let error = &answered.body["error"];
            assert!(error["code"].is_string() && error["request_id"].is_string(), "{answered:?}");
            assert!(!error["message"].as_str().unwrap().is_empty(), "{answered:?}");
        }
        answered
    }

    /// The code of an error, or the type of an answer.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().or(self.body["type"].as_str()).unwrap_or("(none)")
    }

    /// What a person reads.
    pub fn text(&self) -> &str {
        self.body["error"]["message"].as_str().or(self.body["text"].as_str()).unwrap_or_default()
    }
}
