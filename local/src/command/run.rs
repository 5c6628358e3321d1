//! `cloud-apps run`: a line as a person types it, and what the person would see.

use crate::{
    arguments::Run,
    bounded::{self, Unread},
    demo::Credentials,
    failure::Failure,
    terminal::{self, Line},
};
use anstyle::Style;
use cloud_apps_core::{
    http::system_now,
    random::{Random, SystemRandom},
};
use cloud_apps_protocol::{
    Answer, CommandRequest,
    answer::{Kind, To},
    command::{Channel, Mentioned, Team, User},
    error::ErrorBody,
    secret::Secret,
    token::{self, Claims, Direction, Kid, Scope},
};
use serde_json::{Value, json};
use std::{env, process::ExitCode, time::Duration};

/// Sends the line and shows the answer.
pub async fn run(arguments: Run) -> Result<ExitCode, Failure> {
    let http = client()?;
    match &arguments.url {
        None => {
            let demo = Credentials::read(&arguments.data.files()?)?;
            if arguments.slash {
                in_demo(&http, &demo, &arguments).await
            } else {
                signed(&http, &Sender::of_demo(&demo, &arguments)?, &arguments).await
            }
        }
        Some(url) if arguments.slash => form(&http, url, &arguments).await,
        Some(url) => signed(&http, &Sender::from_env(url, &arguments)?, &arguments).await,
    }
}

fn client() -> Result<reqwest::Client, Failure> {
    reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|e| Failure::new(format!("no HTTP client: {e}")))
}

/// Who sends a signed request, and from where.
struct Sender {
    base_url: String,
    site_url: String,
    kid: Kid,
    secret: Secret,
    user: User,
    channel: Option<Channel>,
    team: Option<Team>,
    mentioned: Mentioned,
    /// Where to look for what the bot posted: the demo.
    watch: Option<Watch>,
}

struct Watch {
    token: String,
    channel: String,
    channel_name: String,
    since: u64,
}

impl Sender {
    fn of_demo(demo: &Credentials, arguments: &Run) -> Result<Self, Failure> {
        let app = demo.app_of(&arguments.line)?;
        let (username, channel_name) = in_the_demo(arguments);
        let user = demo.user(username)?;
        let channel_id = demo.channel(channel_name)?;
        let mut mentioned = Mentioned::default();
        for word in arguments.line.split_whitespace() {
            let Some(name) = word.strip_prefix('@') else { continue };
            if let Some(found) = demo.users.get(name) {
                mentioned.users.insert(id(name)?, named(id(&found.id)?, name));
            }
        }
        for (name, channel) in &demo.channels {
            if arguments.line.contains(&format!("~{name}")) {
                mentioned.channels.insert(id(name)?, Channel::of(id(channel)?));
            }
        }
        Ok(Self {
            base_url: demo.base_url.clone(),
            site_url: demo.site_url.clone(),
            kid: kid(&app.kid)?,
            secret: secret(&app.shared_secret)?,
            user: named(id(&user.id)?, username),
            channel: Some(Channel::of(id(channel_id)?)),
            team: Some(Team::of(id(&demo.team)?)),
            mentioned,
            watch: Some(Watch {
                token: user.token.clone(),
                channel: channel_id.to_owned(),
                channel_name: channel_name.to_owned(),
                since: system_now(),
            }),
        })
    }

    fn from_env(url: &str, arguments: &Run) -> Result<Self, Failure> {
        let variable = |name: &str, what: &str| {
            variable(
                name,
                &format!(
                    "it is {what}, from the answer of `POST /install`; or add --slash with CLOUD_APPS_SLASH_TOKEN"
                ),
            )
        };
        let site = given(
            arguments.site.as_ref(),
            "--site",
            "the Mattermost server that the install is for: --site https://chat.example.com",
        )?;
        let user = given(arguments.user.as_ref(), "--user", WHO)?;
        Ok(Self {
            base_url: url.trim_end_matches('/').to_owned(),
            site_url: site.to_owned(),
            kid: kid(&variable("CLOUD_APPS_KID", "`kid`")?)?,
            secret: secret(&variable("CLOUD_APPS_SECRET", "`shared_secret`")?)?,
            user: User::of(id(user)?),
            channel: arguments.channel.as_deref().map(|channel| id(channel).map(Channel::of)).transpose()?,
            team: arguments.team.as_deref().map(|team| id(team).map(Team::of)).transpose()?,
            mentioned: Mentioned::default(),
            watch: None,
        })
    }
}

const WHO: &str = "who types: with --url, a Mattermost user's id";

/// What was given on the command line, or that it is missing.
fn given<'a>(value: Option<&'a String>, name: &str, what: &str) -> Result<&'a str, Failure> {
    value.map(String::as_str).ok_or_else(|| Failure::usage(format!("{name} is missing")).hint(what))
}

/// A variable of the environment, or that it is missing. Its value is a credential: it stands in no message.
fn variable(name: &str, what: &str) -> Result<String, Failure> {
    let set = env::var(name).ok().filter(|value| !value.is_empty());
    set.ok_or_else(|| Failure::usage(format!("{name} is not set")).hint(what))
}

/// Who types in the demo, and where.
fn in_the_demo(arguments: &Run) -> (&str, &str) {
    let user = arguments.user.as_deref().unwrap_or("alice");
    (user, arguments.channel.as_deref().unwrap_or("town-square"))
}

fn named(id: cloud_apps_protocol::UserId, name: &str) -> User {
    let mut user = User::of(id);
    user.username = name.parse().ok();
    user
}

fn id<T: std::str::FromStr<Err = cloud_apps_protocol::BadId>>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|e: cloud_apps_protocol::BadId| {
        Failure::usage(e.to_string()).hint("with --url, --user, --channel and --team take Mattermost ids")
    })
}

fn kid(text: &str) -> Result<Kid, Failure> {
    text.parse().map_err(|_| {
        Failure::usage("the kid is not <app>.<key>.<install>.<generation>")
            .hint("CLOUD_APPS_KID is `kid` of the answer of `POST /install`")
    })
}

fn secret(text: &str) -> Result<Secret, Failure> {
    Secret::from_base64url(text).ok_or_else(|| {
        Failure::usage("the shared secret is not 43 characters of base64url")
            .hint("CLOUD_APPS_SECRET is `shared_secret` of the answer of `POST /install`")
    })
}

/// A V2 request, as a server with our plugin sends it.
async fn signed(http: &reqwest::Client, sender: &Sender, arguments: &Run) -> Result<ExitCode, Failure> {
    let mut request = CommandRequest::default();
    request.command.namespace =
        arguments.line.trim_start_matches('/').split_whitespace().next().unwrap_or_default().to_owned();
    request.command.raw.clone_from(&arguments.line);
    "message_box".clone_into(&mut request.context.source.id);
    request.context.acting_user = Some(sender.user.clone());
    request.context.channel.clone_from(&sender.channel);
    request.context.team.clone_from(&sender.team);
    request.context.mentioned = sender.mentioned.clone();
    request.context.time_zone = jiff::tz::TimeZone::system().iana_name().map(str::to_owned);
    let body = serde_json::to_vec(&request).map_err(|e| Failure::new(e.to_string()))?;
    let now = system_now() / 1000;
    let claims = Claims {
        iss: sender.site_url.clone(),
        aud: sender.kid.app.to_string(),
        sub: sender.user.id.to_string(),
        iat: now,
        exp: now + 60,
        jti: (&SystemRandom as &dyn Random).base32(),
        htm: "POST".to_owned(),
        htp: "/command".to_owned(),
        scope: Scope::User,
        mattermost_token: None,
        body_sha256: token::body_sha256(&body),
    };
    let jwt = token::sign(Direction::Server, &sender.kid, &sender.secret, &claims);
    let url = format!("{}/command", sender.base_url);
    let response = http
        .post(&url)
        .bearer_auth(jwt)
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .map_err(|e| unreachable(&sender.base_url, &e, sender.watch.is_some()))?;
    let (status, text) = read(response).await?;
    if arguments.json {
        terminal::json_as_it_came(&text);
    }
    if status != 200 {
        let failure = refused(&sender.base_url, status, &text);
        let replaced = status == 401 && sender.watch.is_some();
        return Err(if replaced {
            failure.hint(
                "if its secret was rotated: `cloud-apps serve`, started again, installs the demo's apps anew",
            )
        } else {
            failure
        });
    }
    let answer: Answer = serde_json::from_str(&text).map_err(|e| {
        Failure::new(format!("{} does not answer as a bundle does: {e}", sender.base_url))
            .hint("is it the bundle's base URL? --json prints the answer as it came")
    })?;
    if !arguments.json {
        show(&sender.kid.app, &answer);
        if let Some(watch) = &sender.watch {
            show_posts(http, &sender.site_url, watch).await?;
        }
    }
    Ok(if matches!(answer.kind, Kind::Error { .. }) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What an unmodified server sends for a slash command.
async fn form(http: &reqwest::Client, url: &str, arguments: &Run) -> Result<ExitCode, Failure> {
    let token = variable(
        "CLOUD_APPS_SLASH_TOKEN",
        "it is the token that Mattermost shows for the slash command; the request URL goes to --url",
    )?;
    let team = given(arguments.team.as_ref(), "--team", "a slash command belongs to one team: its id")?;
    let channel = given(arguments.channel.as_ref(), "--channel", "where it is typed: a channel's id")?;
    let user = given(arguments.user.as_ref(), "--user", WHO)?;
    let (command, text) = arguments.line.split_once(char::is_whitespace).unwrap_or((&arguments.line, ""));
    let pairs = [
        ("channel_id", channel),
        ("channel_name", "cloud-apps-run"),
        ("command", command),
        ("team_id", team),
        ("team_domain", "cloud-apps-run"),
        ("text", text.trim_start()),
        ("token", &token),
        ("user_id", user),
        ("user_name", "cloud-apps-run"),
    ];
    let response = http
        .post(url)
        .header("accept", "application/json")
        .header("authorization", format!("Token {token}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
        .send()
        .await
        .map_err(|e| unreachable(url, &e, false))?;
    let (status, text) = read(response).await?;
    if arguments.json {
        terminal::json_as_it_came(&text);
    }
    if status != 200 {
        return Err(refused(url, status, &text));
    }
    let shown: Value = serde_json::from_str(&text).map_err(|_| {
        Failure::new(format!("{url} does not answer as a bundle does"))
            .hint("--url is the request URL of the slash command, as Mattermost shows it")
    })?;
    if !arguments.json {
        show_slash(command.trim_start_matches('/'), &shown);
    }
    Ok(ExitCode::SUCCESS)
}

/// The demo Mattermost runs the line as one of its people, and does with the answer what a server does.
async fn in_demo(http: &reqwest::Client, demo: &Credentials, arguments: &Run) -> Result<ExitCode, Failure> {
    let (username, channel_name) = in_the_demo(arguments);
    let user = demo.user(username)?;
    let channel = demo.channel(channel_name)?;
    let watch = Watch {
        token: user.token.clone(),
        channel: channel.to_owned(),
        channel_name: channel_name.to_owned(),
        since: system_now(),
    };
    let response = http
        .post(format!("{}/api/v4/commands/execute", demo.site_url))
        .bearer_auth(&user.token)
        .json(&json!({ "channel_id": channel, "team_id": demo.team, "command": arguments.line }))
        .send()
        .await
        .map_err(|e| unreachable(&demo.site_url, &e, true))?;
    let (status, text) = read(response).await?;
    if arguments.json {
        terminal::json_as_it_came(&text);
    }
    let shown: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if status != 200 {
        let message =
            shown.get("message").and_then(Value::as_str).unwrap_or("the demo Mattermost refuses it");
        return Err(Failure::new(message).hint(if status == 404 {
            "no app has this command in the demo's team: `cloud-apps list` shows what is installed"
        } else {
            "the bundle's log has the request: look at the terminal of `cloud-apps serve`"
        }));
    }
    if !arguments.json {
        show_slash(arguments.line.trim_start_matches('/').split_whitespace().next().unwrap_or("app"), &shown);
        show_posts(http, &demo.site_url, &watch).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn read(response: reqwest::Response) -> Result<(u16, String), Failure> {
    let status = response.status().as_u16();
    let body = bounded::read(response).await.map_err(|unread| match unread {
        Unread::TooLong => Failure::new(bounded::TOO_LONG),
        Unread::Lost(_) => Failure::unreachable("the answer broke off, or did not come within 30 s"),
    })?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

fn unreachable(url: &str, error: &reqwest::Error, demo: bool) -> Failure {
    let why = if error.is_timeout() { "does not answer within 30 s" } else { "cannot be reached" };
    let failure = Failure::unreachable(format!("{url} {why}"));
    if demo {
        failure.hint("start the local bundle in another terminal: `make run`, or `cloud-apps serve`")
    } else {
        failure.hint("compare the address with the stack's output BaseUrl")
    }
}

fn refused(url: &str, status: u16, text: &str) -> Failure {
    match serde_json::from_str::<ErrorBody>(text) {
        Ok(ErrorBody { error }) => {
            let code = serde_json::to_value(error.code)
                .ok()
                .and_then(|v| v.as_str().map(str::to_owned))
                .unwrap_or_default();
            Failure::new(format!("{} ({status} {code})", error.message))
                .hint(format!("the request's id in the log is {}", error.request_id))
        }
        Err(_) => Failure::new(format!("{url} answers {status}, and not as a bundle does"))
            .hint("is it the address of a bundle? compare it with the stack's output BaseUrl"),
    }
}

fn heading(app: &str, note: &str) {
    let bold = Style::new().bold();
    let dim = Style::new().dimmed();
    terminal::out(Line::new().styled(bold, app).text(" ").styled(dim, note));
}

/// Shows an answer as the person would see it.
fn show(app: &cloud_apps_protocol::AppId, answer: &Answer) {
    match &answer.kind {
        Kind::Message(message) => {
            let note = match message.to {
                To::User => "(only visible to you)",
                To::Channel => "(to the channel)",
            };
            heading(app.as_str(), note);
            terminal::quote(&message.text);
        }
        Kind::Error { text, fields } => {
            heading(app.as_str(), "(only visible to you)");
            terminal::quote(text);
            for (field, message) in fields {
                terminal::out(format!("  {field}: {message}"));
            }
        }
        Kind::Navigate { url } => {
            heading(app.as_str(), "(your client goes there)");
            terminal::quote(url);
        }
        Kind::Form { form } | Kind::Ask { form } => {
            heading(app.as_str(), "(a form opens)");
            terminal::quote(&form.title);
            for field in &form.fields {
                let label = if field.label.is_empty() { field.name.as_str() } else { &field.label };
                terminal::out(format!("  {label}: {}", field.description));
            }
        }
        Kind::Accepted { text } => {
            heading(app.as_str(), "(only visible to you)");
            terminal::quote(text);
        }
        Kind::Done => {}
    }
    for warning in &answer.warnings {
        terminal::out(format!("Note: {warning}"));
    }
}

fn show_slash(app: &str, shown: &Value) {
    let text = shown.get("text").and_then(Value::as_str).unwrap_or_default();
    if !text.is_empty() {
        let public = shown.get("response_type").and_then(Value::as_str) == Some("in_channel");
        heading(app, if public { "(to the channel)" } else { "(only visible to you)" });
        terminal::quote(text);
    }
    if let Some(url) = shown.get("goto_location").and_then(Value::as_str).filter(|u| !u.is_empty()) {
        heading(app, "(your client goes there)");
        terminal::quote(url);
    }
}

/// Shows what was posted in the channel meanwhile.
async fn show_posts(http: &reqwest::Client, site: &str, watch: &Watch) -> Result<(), Failure> {
    let url = format!("{site}/api/v4/channels/{}/posts?since={}", watch.channel, watch.since);
    let response =
        http.get(url).bearer_auth(&watch.token).send().await.map_err(|e| unreachable(site, &e, true))?;
    let (_, text) = read(response).await?;
    let posts: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    let order: Vec<&str> = posts
        .get("order")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for id in order.into_iter().rev() {
        let post = posts.pointer(&format!("/posts/{id}")).unwrap_or(&Value::Null);
        let message = post.get("message").and_then(Value::as_str).unwrap_or_default();
        heading("post", &format!("in ~{}, seen by everybody there", watch.channel_name));
        terminal::quote(message);
    }
    Ok(())
}
