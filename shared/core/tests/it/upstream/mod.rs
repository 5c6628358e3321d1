//! Apps that run outside the bundle: registered, installed, called.

mod agreement;
mod apps;
mod binding;
mod calls;
mod crash;
mod former;
mod lambda;
mod malicious;
mod rotation;
mod server;

use crate::build::Build;
use crate::desk::{ADMIN, Answered, BASE, BOT, COMMAND, NOW, SITE, SLASH_TOKEN, TEAM, arrival, request};
use bytes::Bytes;
use cloud_apps_core::{
    apps::Lambdas, bundle::Bundle, operator, random::SystemRandom, store::memory::Memory,
    testing::faults::Faults,
};
use cloud_apps_protocol::{
    Millis,
    secret::Secret,
    token::{Direction, Kid, body_sha256, sign},
};
use http::{Method, Request, header};
use serde_json::{Value, json};
use server::{Asked, Does, Service};
use std::sync::{Arc, Mutex};

/// What nobody may read anywhere but in the call that it is for.
pub const BOT_TOKEN: &str = "nezum4kpu3faiec7r7c5zt6tfy";
pub const USER_TOKEN: &str = "u5ert0kenu5ert0kenu5ert0ke";
pub const PASSWORD: &str = "correct horse battery staple";
const CHANNEL: &str = "ijgemn8fuprnx87bx6kak5yx5r";

/// A bundle, an app's service, and an operator.
pub struct Yard {
    pub memory: Memory,
    pub service: Service,
    pub now: Mutex<Millis>,
    pub bundle: Bundle,
}

/// An app, installed for a V2 server.
pub struct Home {
    pub id: String,
    site: String,
    kid: String,
    shared_secret: String,
    static_token: String,
}

/// The manifest of the app at this address.
pub fn manifest(upstream: &Value) -> Value {
    json!({
        "protocol": 2, "id": "remote", "version": "1.0.0", "display_name": "Remote",
        "permissions": ["act_as_bot", "act_as_user", "act_as_admin"],
        "locations": ["message_box"],
        "upstream": upstream,
        "settings": [
            {"name": "site", "type": "text"},
            {"name": "key", "type": "text", "subtype": "password"},
        ],
        "commands": [
            {"function": "greet", "summary": "Greets.", "fields": [{"name": "name", "type": "text", "positional": true}]},
            {"function": "look", "summary": "Looks.", "safe": true},
        ],
        "lifecycle": {"install": "on_install"},
    })
}

impl Yard {
    /// The app is registered; its service agrees to everything.
    pub async fn new() -> (Self, Registered) {
        let yard = Self::empty().await;
        let registered = yard.add(&yard.manifest()).await;
        (yard, registered)
    }

    /// Nothing is registered yet.
    pub async fn empty() -> Self {
        Self::with(|build| build).await
    }

    /// Nothing is registered yet, and the bundle has these parts.
    pub async fn with(parts: impl FnOnce(Build) -> Build) -> Self {
        let memory = Memory::new();
        let service = Service::start(Does::Answers(json!({"type": "done"}))).await;
        let bundle = parts(Build::over(&memory)).bundle();
        Self { memory, service, now: Mutex::new(NOW), bundle }
    }

    /// The registered app is installed on the usual site, with all it asks for.
    pub async fn installed() -> (Self, Registered, Home) {
        let (yard, registered) = Self::new().await;
        let home = yard.install(&["act_as_bot", "act_as_user", "act_as_admin"]).await;
        (yard, registered, home)
    }

    pub fn manifest(&self) -> Value {
        manifest(&json!({"type": "http", "url": self.service.url}))
    }

    pub fn now(&self) -> Millis {
        *self.now.lock().unwrap()
    }

    pub fn later(&self, ms: Millis) {
        *self.now.lock().unwrap() += ms;
    }

    pub async fn operator(&self, request: Value) -> Value {
        let request = json!({ "operator": request });
        operator::handle(self.bundle.management(), request, self.now(), "request-1").await
    }

    /// Registers an app, as its author wrote it.
    pub async fn add(&self, manifest: &Value) -> Registered {
        let text = serde_json::to_string_pretty(manifest).unwrap();
        Registered::of(&self.operator(json!({"do": "add_app", "manifest": text})).await)
    }

    pub async fn send(&self, request: Request<Bytes>) -> Answered {
        Answered::from(self.bundle.handle(arrival(request, self.now())).await)
    }

    pub async fn begin(&self, permissions: &[&str]) -> (String, Answered) {
        self.begin_on(SITE, permissions).await
    }

    pub async fn begin_on(&self, site: &str, permissions: &[&str]) -> (String, Answered) {
        let code = json!({"do": "code", "app": "remote", "site_url": site, "base_url": BASE});
        let answer = self.operator(code).await;
        let code = answer["code"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        let body = json!({
            "app_id": "remote",
            "server": {"site_url": site, "version": "11.6.0"},
            "bot": {"user_id": BOT, "username": "remote", "access_token": BOT_TOKEN},
            "installed_by": ADMIN,
            "v2": true,
            "static_token": true,
            "granted": {"permissions": permissions, "locations": ["message_box"]},
            "settings": {"site": "https://jira.example.com", "key": PASSWORD},
        });
        let begun = self.send(request(Method::POST, "/install", Some(&body), Some(&code))).await;
        (code, begun)
    }

    pub async fn complete(&self, code: &str, id: &str) -> Answered {
        let registered = json!({"registered": [{
            "kind": "slash_command", "team_id": TEAM, "id": COMMAND, "trigger": "remote", "token": SLASH_TOKEN,
        }]});
        self.send(request(Method::POST, &format!("/install/{id}/complete"), Some(&registered), Some(code)))
            .await
    }

    pub async fn install(&self, permissions: &[&str]) -> Home {
        self.install_on(SITE, permissions).await
    }

    pub async fn install_on(&self, site: &str, permissions: &[&str]) -> Home {
        let (code, begun) = self.begin_on(site, permissions).await;
        let id = begun.id();
        let text = |key: &str| begun.body[key].as_str().unwrap().to_owned();
        let completed = self.complete(&code, &id).await;
        assert_eq!(completed.status, 200, "{completed:?}");
        Home {
            id,
            site: site.to_owned(),
            kid: text("kid"),
            shared_secret: text("shared_secret"),
            static_token: text("static_token"),
        }
    }

    /// Runs a line as a V2 command of an admin who hands over a token of theirs.
    pub async fn run(&self, home: &Home, line: &str) -> Answered {
        self.run_as(home, line, "admin").await
    }

    pub async fn run_as(&self, home: &Home, line: &str, scope: &str) -> Answered {
        self.send(self.v2(home, line, scope)).await
    }

    pub fn v2(&self, home: &Home, line: &str, scope: &str) -> Request<Bytes> {
        let body = json!({
            "command": {"namespace": "remote", "raw": line},
            "security": {"trigger_id": "a-trigger"},
            "context": {
                "source": {"id": "message_box"},
                "acting_user": {"id": ADMIN, "email": "admin@example.com"},
                "channel": {"id": CHANNEL},
            },
        });
        let claims = json!({
            "iss": home.site, "aud": "remote", "sub": ADMIN,
            "iat": self.now() / 1000, "exp": self.now() / 1000 + 60,
            "jti": (&SystemRandom as &dyn cloud_apps_core::random::Random).request_id(),
            "htm": "POST", "htp": "/command", "scope": scope, "mattermost_token": USER_TOKEN,
            "body_sha256": body_sha256(body.to_string().as_bytes()),
        });
        let kid: Kid = home.kid.parse().unwrap();
        let secret = Secret::from_base64url(&home.shared_secret).unwrap();
        let token = sign(Direction::Server, &kid, &secret, &claims);
        request(Method::POST, "/command", Some(&body), Some(&token))
    }

    /// Types a line into an unmodified server.
    pub async fn slash(&self, home: &Home, text: &str) -> Answered {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("token", SLASH_TOKEN),
                ("team_id", TEAM),
                ("channel_id", CHANNEL),
                ("channel_name", "town-square"),
                ("user_id", ADMIN),
                ("command", "/remote"),
                ("text", text),
                ("trigger_id", "dHJpZ2dlcg=="),
            ])
            .finish();
        let mut request = request(Method::POST, &format!("/hooks/{}/slash", home.id), None, None);
        let media = header::HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, media);
        *request.body_mut() = form.into();
        self.send(request).await
    }
}

impl Home {
    /// A line by who has only the static token, and names a user.
    pub fn by_static_token(&self, line: &str, acting: &Value) -> Request<Bytes> {
        let body = json!({
            "command": {"namespace": "remote", "raw": line},
            "context": {"source": {"id": "message_box"}, "acting_user": acting, "channel": {"id": CHANNEL}},
        });
        request(Method::POST, "/command", Some(&body), Some(&self.static_token))
    }
}

/// What `add_app` and `rotate_upstream` answered.
#[derive(Debug)]
pub struct Registered {
    pub kid: String,
    pub secret: Option<String>,
    pub previous_until: Option<Millis>,
}

impl Registered {
    pub fn of(answer: &Value) -> Self {
        Self {
            kid: answer["kid"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned(),
            secret: answer["upstream_secret"].as_str().map(str::to_owned),
            previous_until: answer["previous_until"].as_u64(),
        }
    }

    pub fn secret(&self) -> Secret {
        Secret::from_base64url(self.secret.as_ref().unwrap()).unwrap()
    }

    /// Whether a token was signed with this secret.
    pub fn signed(&self, asked: &Asked) -> bool {
        let token = token(asked);
        let (message, mac) = token.rsplit_once('.').unwrap();
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, self.secret().expose());
        let mac = data_encoding::BASE64URL_NOPAD.decode(mac.as_bytes()).unwrap();
        aws_lc_rs::hmac::verify(&key, message.as_bytes(), &mac).is_ok()
    }
}

fn token(asked: &Asked) -> String {
    let values: Vec<_> = asked.headers.get_all(header::AUTHORIZATION).iter().collect();
    assert_eq!(values.len(), 1);
    values[0].to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned()
}

/// Header and claims of a request's token.
pub fn opened(asked: &Asked) -> (Value, Value) {
    let token = token(asked);
    let part = |n: usize| {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(n).unwrap().as_bytes());
        serde_json::from_slice(&bytes.unwrap()).unwrap()
    };
    (part(0), part(1))
}
