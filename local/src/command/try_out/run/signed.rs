//! A signed V2 request, as a Mattermost server with the project's plugin sends it.

use super::{http, options::Run, show};
use crate::{demo::Credentials, failure::Failure, terminal};
use cloud_apps_core::{
    http::system_now,
    random::{Random, SystemRandom},
};
use cloud_apps_protocol::{
    Answer, BadId, CommandRequest, UserId,
    answer::Kind,
    command::{Channel, Mentioned, Team, User},
    secret::Secret,
    token::{self, Claims, Direction, Kid, Scope},
};
use cloud_apps_standin::{mentioned_channels, mentioned_users};
use std::{process::ExitCode, str::FromStr};

/// Who sends the request, and from where.
pub struct Sender {
    base_url: String,
    site_url: String,
    kid: Kid,
    secret: Secret,
    user: User,
    channel: Option<Channel>,
    team: Option<Team>,
    mentioned: Mentioned,
    /// The channel of the demo in which the bot may post.
    watch: Option<show::Watch>,
}

impl Sender {
    /// Somebody in the demo.
    pub fn of_demo(demo: &Credentials, arguments: &Run) -> Result<Self, Failure> {
        let app = demo.app_of(&arguments.line)?;
        let (username, channel_name) = arguments.in_the_demo();
        let user = demo.user(username)?;
        let channel_id = demo.channel(channel_name)?;
        let mut mentioned = Mentioned::default();
        let line = &arguments.line;
        for (name, found) in mentioned_users(line, |name| demo.users.get_key_value(name)) {
            mentioned.users.insert(id(name)?, named(id(&found.id)?, name));
        }
        for (name, channel) in mentioned_channels(line, |name| demo.channels.get_key_value(name)) {
            mentioned.channels.insert(id(name)?, Channel::of(id(channel)?));
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
            watch: Some(show::Watch::new(user, channel_id, channel_name)),
        })
    }

    /// A server whose credentials the environment holds.
    pub fn from_env(url: &str, arguments: &Run) -> Result<Self, Failure> {
        let variable = |name: &str, what: &str| {
            http::variable(
                name,
                &format!(
                    "it is {what} in the answer of `POST /install`; for a slash command give --slash --slash-url URL \
                     and set CLOUD_APPS_SLASH_TOKEN"
                ),
            )
        };
        let site = http::given(
            arguments.site.as_ref(),
            "--site",
            "the Mattermost server of the install: --site https://chat.example.com",
        )?;
        let user = http::given(arguments.user.as_ref(), "--user", http::WHO)?;
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

    fn body(&self, line: &str) -> Result<Vec<u8>, Failure> {
        let mut request = CommandRequest::default();
        let word = line.trim_start_matches('/').split_whitespace().next().unwrap_or_default();
        // A server takes the word of a command in letters of any case.
        request.command.namespace = word.to_lowercase();
        line.clone_into(&mut request.command.raw);
        "message_box".clone_into(&mut request.context.source.id);
        request.context.acting_user = Some(self.user.clone());
        request.context.channel.clone_from(&self.channel);
        request.context.team.clone_from(&self.team);
        request.context.mentioned = self.mentioned.clone();
        request.context.time_zone = jiff::tz::TimeZone::system().iana_name().map(str::to_owned);
        serde_json::to_vec(&request).map_err(|error| Failure::new(error.to_string()))
    }

    fn token(&self, body: &[u8]) -> String {
        let now = system_now() / 1000;
        let claims = Claims {
            iss: self.site_url.clone(),
            aud: self.kid.app.to_string(),
            sub: self.user.id.to_string(),
            iat: now,
            exp: now + 60,
            jti: (&SystemRandom as &dyn Random).base32(),
            htm: "POST".to_owned(),
            htp: "/command".to_owned(),
            scope: Scope::User,
            mattermost_token: None,
            body_sha256: token::body_sha256(body),
        };
        token::sign(Direction::Server, &self.kid, &self.secret, &claims)
    }
}

/// Sends the line and shows the answer.
pub async fn send(http: &reqwest::Client, sender: &Sender, arguments: &Run) -> Result<ExitCode, Failure> {
    let body = sender.body(&arguments.line)?;
    let response = http
        .post(format!("{}/command", sender.base_url))
        .bearer_auth(sender.token(&body))
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .map_err(|error| http::unreachable(&sender.base_url, &error, sender.watch.is_some()))?;
    let (status, text) = http::read(response).await?;
    if arguments.json {
        terminal::json_as_it_came(&text);
    }
    if status != 200 {
        let in_the_demo = sender.watch.is_some();
        return Err(if status == 401 && in_the_demo {
            Failure::new(format!(
                "the secret of {} in the demo is not the one that `cloud-apps serve` wrote down: the app was installed again, or \
                 its secret was rotated",
                sender.kid.app
            ))
            .hint("add --slash, which needs no secret, or start `cloud-apps serve` again")
        } else {
            http::refused(&sender.base_url, status, &text)
        });
    }
    let answer: Answer = serde_json::from_str(&text).map_err(|error| {
        Failure::new(format!("{} does not answer as a bundle does: {error}", sender.base_url))
            .hint("is it the bundle's base URL? --json prints the answer as it came")
    })?;
    if !arguments.json {
        show::answer(&sender.kid.app, &answer);
        if let Some(watch) = &sender.watch {
            show::posts(http, &sender.site_url, watch).await?;
        }
    }
    Ok(if matches!(answer.kind, Kind::Error { .. }) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn named(id: UserId, name: &str) -> User {
    let mut user = User::of(id);
    user.username = name.parse().ok();
    user
}

fn id<T: FromStr<Err = BadId>>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|error: BadId| {
        Failure::usage(error.to_string())
            .hint("if the bundle is elsewhere, --user, --channel and --team take Mattermost ids")
    })
}

fn kid(text: &str) -> Result<Kid, Failure> {
    text.parse().map_err(|_| {
        Failure::usage("the kid is not <app>.<key>.<install>.<generation>")
            .hint("CLOUD_APPS_KID is `kid` in the answer of `POST /install`")
    })
}

fn secret(text: &str) -> Result<Secret, Failure> {
    Secret::from_base64url(text).ok_or_else(|| {
        Failure::usage("the shared secret is not 43 characters of base64url")
            .hint("CLOUD_APPS_SECRET is `shared_secret` in the answer of `POST /install`")
    })
}
