//! The sample of `CLOUD_APPS_SAMPLE`: one install with its key ring, for `sam local` and for making events for it.
//!
//! All its secrets are public, so it must never be served to others: the functions refuse the variable outside `sam local`.
//! `events/README.md` describes its JSON.

use crate::{
    keys::sealed::seal_bot_token,
    store::{
        memory::Memory,
        model::{
            CatalogueEntry, Cleanup, Install, OutgoingWebhook, Ring, Sha256, SlashCommand, State, Team,
            TokenUpkeep,
        },
        ports::StoreError,
    },
};
use bytes::Bytes;
use cloud_app::{App, http::InProcess};
use cloud_apps_protocol::{
    AppId, ChannelId, Generation, InstallId, KeyId, SiteUrl, TeamId, UserId, Values, command::Bot,
    install::Granted, secret::Secret, server::ServerFacts, token::Kid,
};
use http::{Request, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// What is wrong with a sample.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// It is not JSON in the right form.
    #[error(
        "CLOUD_APPS_SAMPLE cannot be read ({0}): events/README.md describes it, and events/env.json holds one"
    )]
    Shape(#[from] serde_json::Error),
    /// Its ring cannot be read.
    #[error("the ring in CLOUD_APPS_SAMPLE cannot be used: {0}")]
    Ring(#[from] StoreError),
    /// Its ring has no such key.
    #[error("the ring in CLOUD_APPS_SAMPLE has no live key {0}, which its install names")]
    Key(KeyId),
}

/// The sample. `events/env.json` has one.
#[derive(Clone, Deserialize)]
pub struct Sample {
    ring: Value,
    /// The install.
    pub install: SampleInstall,
    /// The Mattermost server of the sample.
    pub mattermost: SampleServer,
}

/// The install of a sample. Its credentials are here in clear; stores have their hashes only.
#[derive(Clone, Deserialize)]
#[allow(missing_docs)] // events/README.md describes the keys.
pub struct SampleInstall {
    pub install_id: InstallId,
    pub app: AppId,
    pub key: KeyId,
    pub generation: Generation,
    pub site_url: SiteUrl,
    pub server_version: String,
    pub base_url: String,
    pub installed_by: UserId,
    pub bot: SampleBot,
    pub team_id: TeamId,
    pub trigger: String,
    pub slash_token: String,
    pub channel_id: ChannelId,
    pub webhook_token: String,
    #[serde(default)]
    pub static_token: Option<String>,
}

/// The bot of a sample.
#[derive(Clone, Deserialize)]
#[allow(missing_docs)] // events/README.md describes the keys.
pub struct SampleBot {
    pub user_id: UserId,
    pub username: String,
    pub access_token: String,
}

/// The Mattermost server of a sample.
#[derive(Clone, Deserialize)]
#[allow(missing_docs)] // events/README.md describes the keys.
pub struct SampleServer {
    pub team: Named,
    pub channel: Named,
    pub users: Vec<SampleUser>,
}

/// Something with an id and a name.
#[derive(Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Named {
    pub id: String,
    pub name: String,
}

/// A person of a sample.
#[derive(Clone, Deserialize)]
#[allow(missing_docs)]
pub struct SampleUser {
    pub id: UserId,
    pub username: String,
}

impl Sample {
    /// Reads a sample.
    pub fn parse(text: &str) -> Result<Self, SampleError> {
        Ok(serde_json::from_str(text)?)
    }

    /// Its key ring.
    pub fn ring(&self) -> Result<Ring, SampleError> {
        Ok(Ring::from_json("read the sample's ring", &self.install.app, &self.ring.to_string())?)
    }

    /// The kid of its server's tokens.
    pub fn kid(&self) -> Kid {
        let of = &self.install;
        Kid {
            app: of.app.clone(),
            key: of.key.clone(),
            install: of.install_id.clone(),
            generation: of.generation,
        }
    }

    /// The secret with which its server signs.
    pub fn shared_secret(&self) -> Result<Secret, SampleError> {
        let of = &self.install;
        let ring = self.ring()?;
        let key = ring.key(&of.key).ok_or_else(|| SampleError::Key(of.key.clone()))?;
        Ok(key.root.shared(&of.app, &of.install_id, of.generation))
    }

    /// The install. It is active, and everything is granted that `app` asks for.
    pub fn install(&self, app: Option<&App>) -> Result<Install, SampleError> {
        let of = &self.install;
        let granted = app.map(|app| Granted::all_of(app.manifest()));
        let mut install = Install {
            id: of.install_id.clone(),
            app: of.app.clone(),
            version: app.map_or_else(|| "0.0.0".to_owned(), |app| app.manifest().version.clone()),
            manifest: app.map(|app| Sha256::of_manifest(app.manifest())),
            site: of.site_url.clone(),
            state: State::Active,
            rev: 1,
            generation: of.generation,
            previous_until: None,
            key: of.key.clone(),
            previous_key: None,
            rotation: None,
            bot: Bot { id: of.bot.user_id.clone(), username: of.bot.username.clone() },
            bot_token: String::new(),
            bot_token_id: None,
            bot_token_expires_at: None,
            token_upkeep: TokenUpkeep::default(),
            static_token: of.static_token.as_deref().map(Sha256::of),
            static_generation: 0,
            webhooks: BTreeMap::new(),
            codes_void_until: None,
            cleanup: Cleanup::default(),
            settings: Values::new(),
            passwords: BTreeMap::new(),
            presets: Vec::new(),
            granted: granted.unwrap_or_default(),
            server_version: of.server_version.clone(),
            server: ServerFacts::default(),
            base_url: of.base_url.clone(),
            installed_by: of.installed_by.clone(),
            created_at: 0,
        };
        let ring = self.ring()?;
        let key = ring.key(&of.key).ok_or_else(|| SampleError::Key(of.key.clone()))?;
        // The nonce is used once, because this key never seals anything else.
        install.bot_token = seal_bot_token(key, &install, [0; 12], &of.bot.access_token);
        Ok(install)
    }

    /// The registrations in its team.
    pub fn team(&self) -> Team {
        let of = &self.install;
        let command = SlashCommand {
            id: of.team_id.to_string(),
            token_sha256: Sha256::of(&of.slash_token),
            by_code: None,
        };
        let webhook = OutgoingWebhook {
            channel: of.channel_id.clone(),
            token_sha256: Sha256::of(&of.webhook_token),
            by_code: None,
        };
        Team {
            commands: [(of.trigger.clone(), command)].into(),
            webhooks: [(of.channel_id.to_string(), webhook)].into(),
        }
    }

    /// Its Mattermost server, as far as samples need one: it knows the users, and accepts posts without keeping them. The
    /// stand-in can do more, but functions do not link it.
    pub fn mattermost(&self) -> InProcess {
        let sample = Arc::new(self.clone());
        Arc::new(move |request| {
            let sample = Arc::clone(&sample);
            Box::pin(async move { sample.answer(&request) })
        })
    }

    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let bot = &self.install.bot;
        let path = request.uri().path().strip_prefix("/api/v4/").unwrap_or_default();
        let user = |user: &SampleUser| json!({ "id": user.id, "username": user.username });
        let me = json!({ "id": bot.user_id, "username": bot.username, "is_bot": true });
        let segments: Vec<&str> = path.split('/').collect();
        let found = match (request.method().as_str(), segments.as_slice()) {
            ("GET", ["users", "me"]) => Some(me),
            ("GET", ["users", id]) if *id == bot.user_id.as_str() => Some(me),
            ("GET", ["users", id]) => self.mattermost.users.iter().find(|u| u.id.as_str() == *id).map(user),
            ("GET", ["users", "username", name]) => {
                self.mattermost.users.iter().find(|u| u.username == *name).map(user)
            }
            ("POST", ["posts"]) => serde_json::from_slice(request.body()).ok().map(|mut post: Value| {
                if let Some(post) = post.as_object_mut() {
                    post.insert("id".to_owned(), "samplepostsamplepostsample".into());
                    post.insert("user_id".to_owned(), json!(bot.user_id));
                }
                post
            }),
            _ => None,
        };
        let (status, body) = match found {
            Some(body) => (StatusCode::OK, body),
            None => (
                StatusCode::NOT_FOUND,
                json!({
                    "id": "sample.not_found", "status_code": 404,
                    "message": format!("the sample's Mattermost does not know {} {path}", request.method()),
                }),
            ),
        };
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        response
    }

    /// A store in memory with the sample.
    pub fn memory(&self, apps: &[App]) -> Result<Memory, SampleError> {
        let app = apps.iter().find(|app| app.manifest().id == self.install.app);
        let install = self.install(app)?;
        let memory = Memory::new();
        // The event function links no apps, so it finds them in the catalogue.
        memory.put_catalogue_entry(CatalogueEntry {
            id: install.app.clone(),
            version: install.version.clone(),
            display_name: app
                .map_or_else(|| install.app.to_string(), |app| app.manifest().display_name.clone()),
            icon: app.and_then(|app| app.manifest().icon.clone()),
            linked: true,
        });
        memory.put_ring(self.ring()?);
        memory.put_registered(install.id.clone(), self.install.team_id.clone(), self.team());
        memory.put_install(install);
        Ok(memory)
    }
}
