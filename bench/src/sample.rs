//! The install that the functions are measured with, which the real adapters put into the stub, and the events that it
//! answers.

use axum::body::Bytes;
use cloud_apps_aws::{Role, clients::Clients, dynamodb::Dynamo, secrets::Secrets};
use cloud_apps_core::{
    offline::Sample,
    store::{
        model::{Install, Sha256, State},
        ports::{KeyMaker, Registry, StoreError},
    },
};
use cloud_apps_protocol::{
    secret::Secret,
    token::{self, Claims, Direction, Expected, Kid, Scope, Unverified},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const STACK: &str = "bench";
const INSTALLS: &str = "Installs";
const LEDGER: &str = "Ledger";

/// The shortest time that `run` took in many runs, in µs.
pub fn best_us(times: usize, mut run: impl FnMut()) -> f64 {
    let mut best = Duration::MAX;
    for _ in 0..times {
        let started = Instant::now();
        run();
        best = best.min(started.elapsed());
    }
    best.as_secs_f64() * 1e6
}

/// The install and its secret.
pub struct Installed {
    /// The sample of `events/env.json`.
    pub sample: Sample,
    kid: Kid,
    secret: Secret,
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

impl Installed {
    /// Puts the sample of `events/env.json` into the stub.
    pub async fn put(endpoint: &str) -> Result<Self, String> {
        let env: Value =
            serde_json::from_str(include_str!("../../events/env.json")).map_err(|e| e.to_string())?;
        let text = env
            .pointer("/Parameters/CLOUD_APPS_SAMPLE")
            .and_then(Value::as_str)
            .ok_or("env.json has no sample")?;
        let sample = Sample::parse(text).map_err(|e| e.to_string())?;
        let hello = linked_apps::all().into_iter().find(|app| app.manifest().id == sample.install.app);
        let install = sample.install(hello.as_ref()).map_err(|e| e.to_string())?;
        let clients = Clients::from_variables(Some(Role::Install.name()), |name| match name {
            "AWS_ENDPOINT_URL" => Some(endpoint.to_owned()),
            "AWS_REGION" => Some("us-east-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
            _ => None,
        });
        let clients = Arc::new(clients.map_err(|e| e.to_string())?);
        let dynamo = Dynamo::new(Arc::clone(&clients), INSTALLS, LEDGER);
        let secrets = Secrets::new(clients, STACK);
        let ring = sample.ring().map_err(|e| e.to_string())?;
        secrets.make(&ring).await.map_err(|e| e.to_string())?;
        // An install begins as pending, and its team is registered before it becomes active.
        let (code, until) = (Sha256::of("bench"), now() + 60_000);
        let pending = Install { state: State::Pending { code: code.clone(), until }, ..install.clone() };
        let active = Install { rev: pending.rev + 1, ..install };
        let said = |e: StoreError| e.to_string();
        dynamo.begin(&pending, now()).await.map_err(said)?;
        dynamo.put_team(&active.id, &sample.install.team_id, &sample.team()).await.map_err(said)?;
        dynamo.activate(&active, pending.rev, &code, now()).await.map_err(said)?;
        let secret = sample.shared_secret().map_err(|e| e.to_string())?;
        Ok(Self { kid: sample.kid(), secret, sample })
    }

    /// The environment of a function.
    pub fn env(endpoint: &str) -> BTreeMap<String, String> {
        let pairs = [
            ("AWS_ENDPOINT_URL", endpoint),
            ("CLOUD_APPS_STACK", STACK),
            ("CLOUD_APPS_INSTALLS_TABLE", INSTALLS),
            ("CLOUD_APPS_LEDGER_TABLE", LEDGER),
            ("CLOUD_APPS_DATA_TABLE", "data"),
            ("CLOUD_APPS_COMMAND_QUEUE_URL", "http://127.0.0.1:1/queue"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// A slash command of an unmodified Mattermost.
    pub fn slash_event(&self) -> Vec<u8> {
        let of = &self.sample.install;
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("channel_id", of.channel_id.as_str()),
                ("channel_name", "town-square"),
                ("command", &format!("/{}", of.trigger)),
                ("team_domain", "sample"),
                ("team_id", of.team_id.as_str()),
                ("text", "time --zone=Europe/Berlin"),
                ("token", &of.slash_token),
                ("user_id", of.installed_by.as_str()),
                ("user_name", "alice"),
            ])
            .finish();
        let authorization = format!("Token {}", of.slash_token);
        let body = data_encoding::BASE64.encode(body.as_bytes());
        event(
            "POST /hooks/{install}/slash",
            &authorization,
            "application/x-www-form-urlencoded",
            &body,
            true,
            of.install_id.as_str(),
        )
    }

    /// A signed V2 request. Each `n` has another `jti`.
    pub fn v2_event(&self, n: usize) -> Result<Vec<u8>, String> {
        let (body, token) = self.v2(n)?;
        let body = String::from_utf8(body).map_err(|e| e.to_string())?;
        Ok(event("POST /command", &format!("Bearer {token}"), "application/json", &body, false, ""))
    }

    fn v2(&self, n: usize) -> Result<(Vec<u8>, String), String> {
        let of = &self.sample.install;
        // `greet` is not marked safe, so its token is spent.
        let body = json!({
            "command": { "namespace": of.trigger, "raw": format!("/{} greet @bob", of.trigger) },
            "context": {
                "source": { "id": "message_box" },
                "acting_user": { "id": of.installed_by },
                "channel": { "id": of.channel_id, "team_id": of.team_id },
                "mentioned": { "users": { "bob": { "id": "b".repeat(26), "username": "bob" } } },
            },
        });
        let body = serde_json::to_vec(&body).map_err(|e| e.to_string())?;
        let token = self.sign("POST", "/command", Scope::User, &body, n);
        Ok((body, token))
    }

    /// A token of the sample's server for one request. Each `n` makes another token.
    pub fn sign(&self, method: &str, route: &str, scope: Scope, body: &[u8], n: usize) -> String {
        let of = &self.sample.install;
        let now = now() / 1000;
        let claims = Claims {
            iss: of.site_url.to_string(),
            aud: of.app.to_string(),
            sub: of.installed_by.to_string(),
            iat: now,
            exp: now + 60,
            jti: token::body_sha256(format!("{n} {now}").as_bytes()),
            htm: method.to_owned(),
            htp: route.to_owned(),
            scope,
            mattermost_token: None,
            body_sha256: token::body_sha256(body),
        };
        token::sign(Direction::Server, &self.kid, &self.secret, &claims)
    }

    /// Checks that a measured request was answered, because a refusal would be faster.
    #[allow(clippy::unused_self)] // The call reads as a check against this sample.
    pub fn answered(&self, response: &Bytes) -> Result<(), String> {
        let response: Value = serde_json::from_slice(response).map_err(|e| e.to_string())?;
        let body = response.get("body").and_then(Value::as_str).unwrap_or_default();
        let fine = response.get("statusCode") == Some(&json!(200)) && !body.contains("\"error\"");
        if fine { Ok(()) } else { Err(format!("a measured request was not answered: {response}")) }
    }

    /// The shortest time to verify a token of the sample in many runs, in µs.
    pub fn verify_us(&self) -> Result<f64, String> {
        let (body, token) = self.v2(usize::MAX)?;
        let expected = Expected { method: "POST", route: "/command", body: &body, now: now() };
        let verify =
            || Unverified::parse(&token, Direction::Server).and_then(|t| t.verify(&self.secret, expected));
        verify().map_err(|e| e.to_string())?;
        Ok(best_us(10_000, || {
            std::hint::black_box(verify()).ok();
        }))
    }
}

/// API Gateway's payload 2.0.
fn event(key: &str, authorization: &str, kind: &str, body: &str, base64: bool, install: &str) -> Vec<u8> {
    let (method, path) = key.split_once(' ').unwrap_or_default();
    json!({
        "version": "2.0", "routeKey": key, "rawPath": path, "rawQueryString": "",
        "headers": {
            "accept": "application/json", "accept-encoding": "gzip", "authorization": authorization,
            "content-type": kind, "user-agent": "Mattermost-Bot/1.1", "host": "bench.execute-api.us-east-1.amazonaws.com",
        },
        "requestContext": {
            "accountId": "000000000000", "apiId": "bench", "domainName": "bench", "domainPrefix": "bench",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "bench" },
            "requestId": "bench", "routeKey": key, "stage": "$default", "time": "", "timeEpoch": now(),
        },
        "pathParameters": { "install": install }, "body": body, "isBase64Encoded": base64,
    })
    .to_string()
    .into_bytes()
}
