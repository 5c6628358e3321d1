//! Installs an app on the stand-in with the same steps as an admin's installer: an operator's code, a bot with a token,
//! `POST /install`, a slash command, `complete`.

use bytes::Bytes;
use cloud_apps_core::{
    bundle::Bundle,
    http::{Arrival, Route, system_now},
    operator,
    operator::{OperatorAnswer, OperatorRequest},
    random::{Random, SystemRandom},
};
use cloud_apps_protocol::{
    AppId, BadId, SiteUrl,
    error::ErrorBody,
    install::{
        BotCredentials, CompleteRequest, Granted, InstallCreated, InstallRequest, Registered, Server, Wanted,
    },
    server::ServerFacts,
};
use cloud_apps_standin::{Standin, StandinError, Version};
use http::{Method, Request, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

/// How long a request may take, in milliseconds. This is the limit of API Gateway.
const TIME_LIMIT: u64 = 29_000;

/// Why an app was not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The bundle refuses.
    #[error("the bundle refuses to install {app}: {message}")]
    Refused {
        /// Which app.
        app: AppId,
        /// The message of the bundle.
        message: String,
    },
    /// The bundle's answer is not what the protocol says.
    #[error("the bundle's answer to {request} cannot be read: {source}")]
    Answer {
        /// The request.
        request: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The bundle has no such app.
    #[error("the bundle has no app {0}; link it, and name it where the bundle is made")]
    Unknown(AppId),
    /// The stand-in refuses.
    #[error(transparent)]
    Standin(#[from] StandinError),
    /// A text is not an id.
    #[error(transparent)]
    Id(#[from] BadId),
}

/// An installed app, with the credentials that its server holds.
pub struct Installed {
    /// The answer to `POST /install`.
    pub created: InstallCreated,
    /// The triggers of its slash commands, with their tokens.
    pub slash_tokens: Vec<(String, String)>,
}

/// The arrival of a request that did not come over a socket.
pub fn arrival(request: Request<Bytes>) -> Arrival {
    let now = system_now();
    Arrival {
        route: Route::from_path(request.method(), request.uri().path()),
        request_id: (&SystemRandom as &dyn Random).request_id(),
        now,
        deadline: now + TIME_LIMIT,
        request,
    }
}

/// What an admin's command reads of the server.
fn facts(mattermost: &Standin) -> ServerFacts {
    let settings = mattermost.settings();
    ServerFacts {
        mm_blocks: Some(mattermost.version() >= Version::V11_10 && settings.mm_blocks_enabled),
        max_post_size: u32::try_from(settings.max_post_size).ok(),
        ..ServerFacts::default()
    }
}

/// Installs `app` in one team of the stand-in, and grants all that it asks for. The stand-in reaches the bundle at
/// `base_url`.
pub async fn install(
    bundle: &Bundle,
    mattermost: &Standin,
    app: &AppId,
    team: &str,
    base_url: &str,
) -> Result<Installed, InstallError> {
    let manifest = match bundle.management().services.apps.linked.get(app) {
        Some(linked) => linked.manifest().clone(),
        None => return Err(InstallError::Unknown(app.clone())),
    };
    let site = SiteUrl::new(&mattermost.site_url())?;
    let code = code(bundle, app, &site, base_url).await?;
    // `cloud-apps install` writes the same descriptions, and recognizes bot, token and command by them.
    let about = format!("{} (Cloud App {app} of {base_url})", manifest.description);
    let (bot, token) = mattermost.add_bot_with_token(
        app.as_str(),
        about.trim_start(),
        &format!("Cloud App {app}, made by cloud-apps, run demo"),
    )?;
    mattermost.join_team(app.as_str(), team)?;
    let request = InstallRequest {
        app_id: app.clone(),
        server: Server {
            site_url: site,
            version: mattermost.version().number().to_owned(),
            facts: facts(mattermost),
        },
        bot: BotCredentials {
            user_id: bot.parse()?,
            username: app.to_string(),
            access_token: token,
            token_id: None,
            expires_at: None,
        },
        installed_by: mattermost.user("admin")?.id.parse()?,
        v2: true,
        static_token: false,
        granted: Granted {
            permissions: manifest.permissions.iter().copied().collect(),
            locations: manifest.locations.iter().cloned().collect(),
            events: manifest.events.iter().map(|event| event.kind.clone()).collect(),
            webhooks: manifest.webhooks.iter().map(|webhook| webhook.path.clone()).collect(),
        },
        settings: cloud_apps_protocol::Values::new(),
    };
    let created: InstallCreated = read("/install", &send(bundle, app, "/install", &code, &request).await?)?;
    let mut slash_tokens = Vec::new();
    let mut registered = Vec::new();
    for wanted in &created.register {
        let Wanted::SlashCommand { trigger, .. } = wanted else { continue };
        let about = format!("Cloud App {app}. Made by cloud-apps; `cloud-apps sync` keeps it right.");
        let (id, token) =
            mattermost.add_command_with_description(team, trigger, &created.endpoints.slash, &about)?;
        slash_tokens.push((trigger.clone(), token.clone()));
        let team_id = mattermost.team_id(team)?.parse()?;
        registered.push(Registered::SlashCommand { team_id, id, trigger: trigger.clone(), token });
    }
    let path = format!("/install/{}/complete", created.install_id);
    send(bundle, app, &path, &code, &CompleteRequest { registered }).await?;
    Ok(Installed { created, slash_tokens })
}

async fn code(bundle: &Bundle, app: &AppId, site: &SiteUrl, base_url: &str) -> Result<String, InstallError> {
    for request in [
        OperatorRequest::Register {},
        OperatorRequest::Code {
            app: app.clone(),
            site_url: site.clone(),
            base_url: SiteUrl::new(base_url)?,
            valid_seconds: 900,
            replace: false,
        },
    ] {
        let answer = operator::handle(bundle.management(), request.payload(), system_now(), "testkit").await;
        match read("an operator's request", answer.to_string().as_bytes())? {
            OperatorAnswer::Code { code, .. } => return Ok(code),
            OperatorAnswer::Error(ErrorBody { error }) => {
                return Err(InstallError::Refused { app: app.clone(), message: error.message });
            }
            _ => {}
        }
    }
    Err(InstallError::Unknown(app.clone()))
}

async fn send(
    bundle: &Bundle,
    app: &AppId,
    path: &str,
    code: &str,
    body: &impl Serialize,
) -> Result<Bytes, InstallError> {
    let unwritable = |source| InstallError::Answer { request: path.to_owned(), source };
    let mut request = Request::new(Bytes::from(serde_json::to_vec(body).map_err(unwritable)?));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = path.parse().unwrap_or_default();
    if let Ok(value) = format!("Bearer {code}").parse() {
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    request.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    let response = bundle.handle(arrival(request)).await;
    if matches!(response.status(), StatusCode::OK | StatusCode::CREATED) {
        return Ok(response.into_body());
    }
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let message = body.pointer("/error/message").and_then(Value::as_str).unwrap_or("it gives no reason");
    Err(InstallError::Refused { app: app.clone(), message: message.to_owned() })
}

fn read<T: serde::de::DeserializeOwned>(request: &str, body: &[u8]) -> Result<T, InstallError> {
    serde_json::from_slice(body)
        .map_err(|source| InstallError::Answer { request: request.to_owned(), source })
}
