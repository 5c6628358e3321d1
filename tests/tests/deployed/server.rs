//! A Mattermost server that hello is installed on. It makes the requests of an admin's installer, and holds the
//! credentials that such a server holds.

use crate::stack::Stack;
use cloud_apps_protocol::{
    secret::Secret,
    token::{self, Claims, Direction, Kid, Scope},
};
use cloud_apps_standin::{self as standin, Standin, Version};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use stack_tests::canary;
use std::{
    collections::BTreeMap,
    error::Error,
    sync::atomic::{AtomicUsize, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// The channel that everybody is in.
pub const CHANNEL: &str = "town-square";

pub struct Server {
    pub mattermost: Standin,
    serving: standin::Server,
    v2: bool,
    /// Teams in which the command is registered.
    teams: &'static [&'static str],
    /// Empty until it is installed.
    pub install: Install,
}

/// What the server knows about its install.
#[derive(Default)]
pub struct Install {
    pub id: String,
    pub kid: Option<Kid>,
    pub secret: Option<Secret>,
    pub static_token: Option<String>,
    /// A static token that was handed over, and revoked before the install was complete.
    pub withdrawn: Option<String>,
    pub code: String,
    pub completion: Value,
    /// Team → token of `/hello`.
    pub slash_tokens: BTreeMap<String, String>,
    pub bot_token: String,
}

/// An answer over HTTP, with its body.
pub struct Answer {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub body: Value,
}

/// Unix seconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// A new `jti`.
pub fn jti() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{:010}-{:08}-{:08}", now(), std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst))
}

impl Server {
    /// Version 11 with two teams.
    pub async fn today() -> Result<Self, Box<dyn Error>> {
        let server = Self::new(Version::V11, true, &["demo", "second"]).await?;
        server.mattermost.add_team("second")?;
        for user in ["admin", "alice", "bob"] {
            server.mattermost.join_team(user, "second")?;
        }
        Ok(server)
    }

    /// Version 5.37, without the plugin.
    pub async fn old() -> Result<Self, Box<dyn Error>> {
        Self::new(Version::V5_37, false, &["demo"]).await
    }

    async fn new(version: Version, v2: bool, teams: &'static [&'static str]) -> Result<Self, Box<dyn Error>> {
        let mattermost = Standin::new(version);
        mattermost.demo()?;
        let serving = mattermost.serve_https(([127, 0, 0, 1], 0).into(), &[]).await?;
        Ok(Self { mattermost, serving, v2, teams, install: Install::default() })
    }

    /// The authority of its certificate.
    pub fn ca_pem(&self) -> &str {
        self.serving.ca_pem().unwrap_or_default()
    }

    /// Its address.
    pub fn site(&self) -> &str {
        self.serving.url()
    }

    /// A user's id.
    pub fn user(&self, name: &str) -> String {
        self.mattermost.user(name).expect("a user of the demo").id
    }

    /// Installs hello. An install with V2 first asks for a static token too, and then revokes it.
    pub async fn install(&mut self, stack: &Stack) -> Result<(), Box<dyn Error>> {
        let code = stack.code(self.site())?;
        let (bot, bot_token) = self.mattermost.add_bot("hello", "Says hello")?;
        canary(&bot_token)?;
        for team in self.teams {
            self.mattermost.join_team("hello", team)?;
        }
        let body = |static_token: bool| {
            json!({
                "app_id": "hello",
                "server": { "site_url": self.site(), "version": self.mattermost.version().number() },
                "bot": { "user_id": bot, "username": "hello", "access_token": bot_token },
                "installed_by": self.user("admin"),
                "v2": self.v2,
                "static_token": static_token,
                "granted": { "permissions": ["act_as_bot"], "locations": ["message_box"] },
            })
        };
        let begun = self.coded(stack, "/install", &code, &body(true)).await?;
        assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.body["error"]);
        let mut install = Install { code: code.clone(), bot_token: bot_token.clone(), ..Install::default() };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let static_token = text(&begun.body["static_token"]);
        canary(static_token.as_deref().unwrap_or_default())?;
        let created = if self.v2 {
            install.withdrawn = static_token;
            let again = self.coded(stack, "/install", &code, &body(false)).await?;
            assert_eq!(again.status, StatusCode::CREATED, "{}", again.body["error"]);
            for same in ["install_id", "kid", "shared_secret"] {
                assert!(again.body[same] == begun.body[same], "{same} changed");
            }
            assert!(again.body.get("static_token").is_none());
            again.body
        } else {
            install.static_token = static_token;
            begun.body
        };
        install.id = text(&created["install_id"]).ok_or("no install_id")?;
        if self.v2 {
            let secret = text(&created["shared_secret"]).ok_or("no shared_secret")?;
            canary(&secret)?;
            install.secret = Secret::from_base64url(&secret);
            install.kid = Some(text(&created["kid"]).ok_or("no kid")?.parse().map_err(|e| format!("{e:?}"))?);
        }
        let slash = text(&created["endpoints"]["slash"]).ok_or("no endpoint")?;
        let mut registered = Vec::new();
        for team in self.teams {
            let (id, token) = self.mattermost.add_command(team, "hello", &slash)?;
            canary(&token)?;
            let team_id = self.mattermost.team_id(team)?;
            registered.push(
                json!({ "kind": "slash_command", "team_id": team_id, "id": id, "trigger": "hello", "token": token }),
            );
            install.slash_tokens.insert((*team).to_owned(), token);
        }
        self.install = install;
        let path = format!("/install/{}/complete", self.install.id);
        let completed = self.coded(stack, &path, &code, &json!({ "registered": registered })).await?;
        assert_eq!(completed.status, StatusCode::OK, "{}", completed.body["error"]);
        self.install.completion = completed.body;
        Ok(())
    }

    /// A request of the installer with its install code.
    pub async fn coded(
        &self,
        stack: &Stack,
        path: &str,
        code: &str,
        body: &Value,
    ) -> Result<Answer, Box<dyn Error>> {
        let request = stack.http.post(format!("{}{path}", stack.url())).bearer_auth(code).json(body);
        answer(request).await
    }

    /// The claims of a request by this server.
    pub fn claims(&self, method: &Method, path: &str, body: &[u8], subject: &str, scope: Scope) -> Claims {
        Claims {
            iss: self.site().to_owned(),
            aud: "hello".to_owned(),
            sub: subject.to_owned(),
            iat: now(),
            exp: now() + 60,
            jti: jti(),
            htm: method.to_string(),
            htp: path.to_owned(),
            scope,
            mattermost_token: None,
            body_sha256: token::body_sha256(body),
        }
    }

    /// A token with these claims. It is valid for a minute.
    pub fn token(&self, claims: &Claims) -> Result<String, Box<dyn Error>> {
        let (kid, secret) =
            self.install.kid.as_ref().zip(self.install.secret.as_ref()).ok_or("it has no V2")?;
        let token = token::sign(Direction::Server, kid, secret, claims);
        canary(&token)?;
        Ok(token)
    }

    /// Sends a V2 request of a user.
    pub async fn signed(
        &self,
        stack: &Stack,
        method: Method,
        path: &str,
        body: &Value,
        (subject, scope): (&str, Scope),
    ) -> Result<Answer, Box<dyn Error>> {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body)? };
        let token = self.token(&self.claims(&method, path, &body, subject, scope))?;
        send(stack, method, path, &token, body).await
    }

    /// The body of a V2 command that alice types.
    pub fn command(&self, line: &str) -> Value {
        json!({
            "command": { "namespace": "hello", "function": "", "raw": line },
            "context": {
                "source": { "id": "message_box" },
                "acting_user": { "id": self.user("alice") },
                "channel": { "id": self.mattermost.channel_id("demo", CHANNEL).expect("a channel of the demo") },
                "team": { "id": self.mattermost.team_id("demo").expect("the team of the demo") },
                "mentioned": { "users": { "bob": { "id": self.user("bob"), "username": "bob" } } },
            },
        })
    }

    /// The form that an unmodified server sends for a line that alice types.
    pub fn form(&self, team: &str, token: &str, text: &str) -> Vec<(&'static str, String)> {
        let id = |channel: &str| self.mattermost.channel_id(team, channel).expect("a channel");
        vec![
            ("channel_id", id(CHANNEL)),
            ("channel_name", CHANNEL.to_owned()),
            ("command", "/hello".to_owned()),
            ("team_domain", team.to_owned()),
            ("team_id", self.mattermost.team_id(team).expect("a team")),
            ("text", text.to_owned()),
            ("token", token.to_owned()),
            ("user_id", self.user("alice")),
            ("user_name", "alice".to_owned()),
        ]
    }
}

/// Sends a request with a token.
pub async fn send(
    stack: &Stack,
    method: Method,
    path: &str,
    token: &str,
    body: Vec<u8>,
) -> Result<Answer, Box<dyn Error>> {
    let mut request = stack.http.request(method, format!("{}{path}", stack.url())).bearer_auth(token);
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/json").body(body);
    }
    answer(request).await
}

/// Sends a form to an install's slash endpoint.
pub async fn post_form(
    stack: &Stack,
    install: &str,
    form: &[(&'static str, String)],
) -> Result<Answer, Box<dyn Error>> {
    let mut url = reqwest::Url::parse("http://form")?;
    url.query_pairs_mut().extend_pairs(form);
    let request = stack
        .http
        .post(format!("{}/hooks/{install}/slash", stack.url()))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(url.query().unwrap_or_default().to_owned());
    answer(request).await
}

/// Sends a request, and reads the answer.
pub async fn answer(request: reqwest::RequestBuilder) -> Result<Answer, Box<dyn Error>> {
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await?;
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? };
    Ok(Answer { status, headers, body })
}
