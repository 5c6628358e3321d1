//! `cloud-apps event`: a fresh Lambda event for the sample install, for `sam local invoke -e -`.
//!
//! The files under `events/` are these events at a fixed time; a test holds them to it.

use crate::{
    arguments::Event,
    failure::{Failure, file},
    terminal,
};
use cloud_apps_core::{http::system_now, offline::Sample};
use cloud_apps_protocol::{
    AppId,
    token::{self, Claims, Direction, Scope},
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::{path::Path, process::ExitCode};

/// The time of the committed events: 2026-11-22T12:00:00Z, in Unix milliseconds.
const COMMITTED: u64 = 1_795_348_800_000;
/// The line of the committed events, after the trigger.
const LINE: &str = "greet @bob --language=de";

/// One kind of event.
struct Sort {
    name: &'static str,
    function: &'static str,
    what: &'static str,
    make: fn(&Maker<'_>) -> Result<Value, Failure>,
}

const SORTS: &[Sort] = &[
    Sort {
        name: "slash",
        function: "CommandFunction",
        what: "a slash command of an unmodified Mattermost",
        make: |m| m.slash(),
    },
    Sort {
        name: "command",
        function: "CommandFunction",
        what: "the same as a signed V2 request",
        make: |m| m.command(),
    },
    Sort {
        name: "command-static",
        function: "CommandFunction",
        what: "the same with a static token",
        make: |m| m.command_static(),
    },
    Sort {
        name: "autocomplete",
        function: "AutocompleteFunction",
        what: "what may follow in the message box",
        make: |m| m.autocomplete(),
    },
    Sort { name: "event", function: "EventFunction", what: "bob joined a channel", make: |m| m.event() },
    Sort {
        name: "deliver",
        function: "DeliverFunction",
        what: "a message of a queue, of a kind that no version knows",
        make: |m| m.deliver(),
    },
    Sort {
        name: "index",
        function: "InstallFunction",
        what: "GET /: which protocol, which bundle",
        make: |m| m.index(),
    },
    Sort {
        name: "install-get",
        function: "InstallFunction",
        what: "GET /install/{install}, signed",
        make: |m| m.install_get(),
    },
    Sort {
        name: "install-operator",
        function: "InstallFunction",
        what: "what `cloud-apps list` sends",
        make: |m| m.operator(),
    },
];

/// Prints an event, or the list of them.
pub fn run(arguments: &Event) -> Result<ExitCode, Failure> {
    let Some(name) = &arguments.name else {
        for sort in SORTS {
            terminal::out(format!("{:<18}{:<22}{}", sort.name, sort.function, sort.what));
        }
        return Ok(ExitCode::SUCCESS);
    };
    let sort = SORTS.iter().find(|sort| sort.name == name).ok_or_else(|| {
        let near =
            SORTS.iter().max_by(|a, b| strsim::jaro(a.name, name).total_cmp(&strsim::jaro(b.name, name)));
        Failure::usage(format!("there is no event {name:?}")).hint(format!(
            "`cloud-apps event` lists them; did you mean {}?",
            near.map_or("slash", |s| s.name)
        ))
    })?;
    let services = read(&arguments.env)?;
    let maker = Maker {
        sample: &services,
        at: arguments.at.unwrap_or_else(system_now),
        line: arguments.line.as_deref(),
    };
    terminal::json(&(sort.make)(&maker)?)?;
    Ok(ExitCode::SUCCESS)
}

/// The committed files of a workspace whose app is `app`: every event, and the sample that they are for.
pub fn committed(app: &AppId) -> Result<Vec<(String, String)>, Failure> {
    let env = include_str!("../../../events/env.json");
    let mut env: Value = serde_json::from_str(env).map_err(|e| Failure::new(e.to_string()))?;
    let mut services = inner(&env)?;
    for (pointer, text) in [
        ("/ring/app", app.as_str()),
        ("/install/app", app.as_str()),
        ("/install/trigger", app.as_str()),
        ("/install/bot/username", app.as_str()),
    ] {
        if let Some(place) = services.pointer_mut(pointer) {
            *place = text.into();
        }
    }
    if let Some(place) = env.pointer_mut("/Parameters/CLOUD_APPS_SAMPLE") {
        *place = services.to_string().into();
    }
    let sample = Sample::parse(&services.to_string()).map_err(|e| Failure::new(e.to_string()))?;
    // Another app has other commands; every app has help.
    let line = if app.as_str() == "hello" { LINE } else { "help" };
    let maker = Maker { sample: &sample, at: COMMITTED, line: Some(line) };
    let mut files = vec![("env.json".to_owned(), pretty(&env)? + "\n")];
    for sort in SORTS {
        files.push((format!("{}.json", sort.name), pretty(&(sort.make)(&maker)?)? + "\n"));
    }
    Ok(files)
}

fn pretty(value: &Value) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map_err(|e| Failure::new(e.to_string()))
}

fn read(path: &Path) -> Result<Sample, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        file("read", path)(error)
            .hint("run this in a workspace that has events/env.json, or name one with --env")
    })?;
    let env = serde_json::from_str(&text).map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
    Sample::parse(&inner(&env)?.to_string()).map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}

/// The sample inside `{"Parameters":{"CLOUD_APPS_SAMPLE":"…"}}`.
fn inner(env: &Value) -> Result<Value, Failure> {
    let text = env.pointer("/Parameters/CLOUD_APPS_SAMPLE").and_then(Value::as_str).unwrap_or_default();
    serde_json::from_str(text).map_err(|e| {
        Failure::new(format!("CLOUD_APPS_SAMPLE is not JSON in a string: {e}"))
            .hint("events/README.md describes it")
    })
}

struct Maker<'a> {
    sample: &'a Sample,
    at: u64,
    /// The line after the trigger; the committed one where none is given.
    line: Option<&'a str>,
}

/// One HTTP request, before it becomes an event.
#[derive(Default)]
struct Http<'a> {
    method: &'a str,
    route: &'a str,
    body: Option<(&'a str, Vec<u8>)>,
    authorization: Option<String>,
    parameters: &'a [(&'a str, &'a str)],
    agent: Option<&'a str>,
}

impl Maker<'_> {
    fn line(&self) -> String {
        let line = self.line.unwrap_or(LINE);
        let trigger = format!("/{}", self.sample.install.trigger);
        // `--line "/hello time"` and `--line "time"` are the same.
        line.strip_prefix(&trigger).map_or(line, str::trim_start).to_owned()
    }

    /// The first person is who acts; the others can be mentioned.
    fn acting(&self) -> String {
        self.sample.mattermost.users.first().map(|u| u.id.to_string()).unwrap_or_default()
    }

    /// Those whom the line mentions, as (name, id).
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

    fn slash(&self) -> Result<Value, Failure> {
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
        self.http(Http {
            method: "POST",
            route: "/hooks/{install}/slash",
            body: Some(("application/x-www-form-urlencoded", body.into_bytes())),
            authorization: Some(format!("Token {}", of.slash_token)),
            parameters: &[("install", of.install_id.as_str())],
            agent: Some("Mattermost-Bot/1.1"),
        })
    }

    /// As Mattermost makes them: id, user, time in ms, signature.
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

    fn command(&self) -> Result<Value, Failure> {
        let body = self.command_body().to_string().into_bytes();
        let authorization = self.token("POST", "/command", &body, &self.acting(), Scope::User)?;
        self.http(Http {
            method: "POST",
            route: "/command",
            body: Some(("application/json", body)),
            authorization: Some(authorization),
            ..Http::default()
        })
    }

    fn command_static(&self) -> Result<Value, Failure> {
        let token = self.sample.install.static_token.clone().ok_or_else(|| {
            Failure::new("the sample's install has no static token")
                .hint("give it `install.static_token`; events/README.md")
        })?;
        self.http(Http {
            method: "POST",
            route: "/",
            body: Some(("application/json", self.command_body().to_string().into_bytes())),
            authorization: Some(format!("Token {token}")),
            ..Http::default()
        })
    }

    fn autocomplete(&self) -> Result<Value, Failure> {
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

    fn event(&self) -> Result<Value, Failure> {
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
        self.http(Http {
            method: "POST",
            route,
            body: Some(("application/json", body)),
            authorization: Some(authorization),
            ..Http::default()
        })
    }

    #[allow(clippy::unnecessary_wraps)] // The shape of every maker.
    fn deliver(&self) -> Result<Value, Failure> {
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

    fn index(&self) -> Result<Value, Failure> {
        self.http(Http { method: "GET", route: "/", ..Http::default() })
    }

    fn install_get(&self) -> Result<Value, Failure> {
        let install = self.sample.install.install_id.as_str();
        let path = format!("/install/{install}");
        let authorization = self.token("GET", &path, b"", &self.acting(), Scope::User)?;
        self.http(Http {
            method: "GET",
            route: "/install/{install}",
            authorization: Some(authorization),
            parameters: &[("install", install)],
            ..Http::default()
        })
    }

    #[allow(clippy::unnecessary_wraps)] // The shape of every maker.
    fn operator(&self) -> Result<Value, Failure> {
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
        // A `jti` that is the request's own: the same at the same time for the same body.
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

    /// API Gateway's payload 2.0, as an HTTP API hands it to Lambda: header names in lower case, forms in base64.
    fn http(&self, request: Http<'_>) -> Result<Value, Failure> {
        let path = request.parameters.iter().fold(request.route.to_owned(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), value)
        });
        let agent = request.agent.unwrap_or("mattermost-11.6.0");
        let mut headers = vec![
            ("accept", "application/json".to_owned()),
            ("accept-encoding", "gzip".to_owned()),
            ("host", "sample.execute-api.us-east-1.amazonaws.com".to_owned()),
            ("user-agent", agent.to_owned()),
            ("x-forwarded-for", "192.0.2.1".to_owned()),
            ("x-forwarded-port", "443".to_owned()),
            ("x-forwarded-proto", "https".to_owned()),
        ];
        headers.extend(request.authorization.map(|authorization| ("authorization", authorization)));
        let (body, base64) = match request.body {
            None => (None, false),
            Some((kind, body)) => {
                headers.push(("content-type", kind.to_owned()));
                headers.push(("content-length", body.len().to_string()));
                // As API Gateway does: text it knows as text stays text.
                let text = kind == "application/json";
                let body =
                    if text { String::from_utf8_lossy(&body).into_owned() } else { BASE64.encode(&body) };
                (Some(body), !text)
            }
        };
        let key = format!("{} {}", request.method, request.route);
        let millis = i64::try_from(self.at).map_err(|e| Failure::usage(format!("--at: {e}")))?;
        let time = Timestamp::from_millisecond(millis)
            .map_err(|e| Failure::usage(format!("--at: {e}")))?
            .strftime("%d/%b/%Y:%H:%M:%S +0000")
            .to_string();
        let object = |pairs: Vec<(&str, String)>| -> Value {
            pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Value::from(value)))
                .collect::<Map<_, _>>()
                .into()
        };
        let parameters =
            request.parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Ok(json!({
            "version": "2.0",
            "routeKey": key,
            "rawPath": path,
            "rawQueryString": "",
            "headers": object(headers),
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "sample",
                "domainName": "sample.execute-api.us-east-1.amazonaws.com",
                "domainPrefix": "sample",
                "http": {
                    "method": request.method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": agent,
                },
                "requestId": BASE64URL_NOPAD.encode(b"SampleRequest"),
                "routeKey": key,
                "stage": "$default",
                "time": time,
                "timeEpoch": self.at,
            },
            "pathParameters": object(parameters),
            "body": body,
            "isBase64Encoded": base64,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_EXPECT=1 cargo test -p cloud-apps` writes them.
    #[test]
    fn the_committed_events_are_what_this_command_makes() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
        let files = committed(&AppId::new("hello").expect("an id")).expect("made");
        for (name, text) in &files {
            expect_test::expect_file![folder.join(name)].assert_eq(text);
        }
        let on_disk = std::fs::read_dir(&folder).expect("events/").filter_map(Result::ok);
        let json = on_disk.filter(|f| f.path().extension().is_some_and(|e| e == "json")).count();
        assert_eq!(json, files.len(), "a file in events/ is made by nobody");
    }
}
