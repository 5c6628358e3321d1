//! The demo: a small Mattermost for the local bundle, in which every linked app is installed, and the file with which
//! `cloud-apps run` finds it.

use crate::{
    failure::{Failure, file},
    folder::Files,
    store::files::check_private,
};
use cloud_app_testkit::{TEAM, install};
use cloud_apps_core::{
    bundle::Bundle,
    http::system_now,
    store::{
        model::{Install, State},
        ports::Changed,
    },
};
use cloud_apps_protocol::{AppId, SiteUrl};
use cloud_apps_standin::{Server, Standin, Version};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io::Write, net::SocketAddr, os::unix::fs::OpenOptionsExt};

const PEOPLE: [&str; 4] = ["admin", "alice", "bob", "carol"];
const CHANNELS: [&str; 2] = ["town-square", "off-topic"];

/// What `cloud-apps run` needs to act as a user of the demo. It is kept in a file of mode 0600.
#[derive(Serialize, Deserialize)]
pub struct Credentials {
    /// The bundle's address.
    pub base_url: String,
    /// The demo Mattermost's address.
    pub site_url: String,
    /// Its team's id.
    pub team: String,
    /// The ids of channels, by name.
    pub channels: BTreeMap<String, String>,
    /// Users, by name.
    pub users: BTreeMap<String, Person>,
    /// Apps, by namespace.
    pub apps: BTreeMap<String, DemoApp>,
}

/// A user of the demo.
#[derive(Serialize, Deserialize)]
pub struct Person {
    /// The user's id.
    pub id: String,
    /// A personal access token.
    pub token: String,
}

/// An app of the demo.
#[derive(Serialize, Deserialize)]
pub struct DemoApp {
    /// The name of the secret.
    pub kid: String,
    /// The secret that signs V2 requests.
    pub shared_secret: String,
    /// Where Mattermost sends its slash command.
    pub slash_url: String,
    /// The slash command's token.
    pub slash_token: String,
}

impl Credentials {
    /// Reads what `serve` wrote.
    pub fn read(files: &Files) -> Result<Self, Failure> {
        let path = files.demo();
        check_private(&path)?;
        let text = std::fs::read_to_string(&path).map_err(|_| {
            Failure::unreachable(format!("no local bundle serves here: there is no {}", path.display())).hint(
                "start it in another terminal with `make run` or `cloud-apps serve` in this folder, or name its folder with --data",
            )
        })?;
        serde_json::from_str(&text).map_err(|e| {
            Failure::new(format!("{} cannot be read: {e}", path.display()))
                .hint("start `cloud-apps serve` again: it writes a new one")
        })
    }

    fn write(&self, files: &Files) -> Result<(), Failure> {
        let path = files.demo();
        let text = serde_json::to_string_pretty(self).map_err(|e| Failure::new(e.to_string()))?;
        let mut options = std::fs::OpenOptions::new();
        let mut open = options
            .write(true)
            // `serve` has removed the file of an earlier process.
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(file("write", &path))?;
        open.write_all(text.as_bytes()).map_err(file("write", &path))
    }

    /// The app of a line, by the namespace at its beginning.
    pub fn app_of(&self, line: &str) -> Result<&DemoApp, Failure> {
        let known = || self.apps.keys().map(|name| format!("/{name}")).collect::<Vec<_>>().join(", ");
        let Some(typed) = line.strip_prefix('/') else {
            return Err(Failure::usage("a command begins with a slash")
                .hint(format!("type it as in Mattermost; the demo has {}", known())));
        };
        let word = typed.split_whitespace().next().unwrap_or_default();
        self.apps.get(&word.to_lowercase()).ok_or_else(|| {
            Failure::new(format!("no app of the demo has the command /{word}"))
                .hint(format!("there is {}", known()))
                .hint("for an app that you installed in the demo yourself, add --slash")
        })
    }

    /// A user by name.
    pub fn user(&self, name: &str) -> Result<&Person, Failure> {
        self.users.get(name).ok_or_else(|| {
            Failure::new(format!("the demo has no user {name}"))
                .hint(format!("there is {}", PEOPLE.join(", ")))
        })
    }

    /// A channel's id by its name.
    pub fn channel(&self, name: &str) -> Result<&str, Failure> {
        self.channels.get(name).map(String::as_str).ok_or_else(|| {
            Failure::new(format!("the demo has no channel {name}"))
                .hint(format!("there is {}", CHANNELS.join(", ")))
        })
    }
}

/// A running demo.
pub struct Demo {
    server: Server,
    files: Files,
    apps: Vec<(AppId, String)>,
}

impl Demo {
    /// Starts the Mattermost and installs every linked app in it.
    pub async fn start(
        bundle: &Bundle,
        base_url: &str,
        address: SocketAddr,
        version: Version,
        files: &Files,
    ) -> Result<Self, Failure> {
        let mattermost = Standin::new(version);
        let fail = |e: cloud_apps_standin::StandinError| Failure::new(format!("the demo Mattermost: {e}"));
        mattermost.demo().map_err(fail)?;
        let server = mattermost.serve_http(address).await.map_err(|e| {
            fail(e).hint("choose another port with --mattermost-port, or none with --no-demo")
        })?;
        let site = SiteUrl::new(server.url()).map_err(|e| Failure::new(e.to_string()))?;
        let mut apps = BTreeMap::new();
        let mut named = Vec::new();
        for (id, app) in &bundle.management().services.apps.linked {
            forget(bundle, id, &site).await?;
            let installed = install(bundle, &mattermost, id, TEAM, base_url)
                .await
                .map_err(|e| Failure::new(e.to_string()))?;
            let (Some(kid), Some(shared_secret)) = (installed.created.kid, installed.created.shared_secret)
            else {
                return Err(Failure::new(format!("the install of {id} came without a shared secret")));
            };
            let namespace = app.manifest().namespace().to_owned();
            named.push((id.clone(), namespace.clone()));
            let slash_url = installed.created.endpoints.slash;
            let slash_token = installed.slash_tokens.into_iter().next().map(|(_, token)| token);
            let slash_token = slash_token.unwrap_or_default();
            apps.insert(namespace, DemoApp { kid, shared_secret, slash_url, slash_token });
        }
        let mut users = BTreeMap::new();
        for name in PEOPLE {
            let id = mattermost.user(name).map_err(fail)?.id;
            users.insert(name.to_owned(), Person { id, token: mattermost.add_token(name).map_err(fail)? });
        }
        let mut channels = BTreeMap::new();
        for name in CHANNELS {
            channels.insert(name.to_owned(), mattermost.channel_id(TEAM, name).map_err(fail)?);
        }
        let team = mattermost.team_id(TEAM).map_err(fail)?;
        Credentials {
            base_url: base_url.to_owned(),
            site_url: site.to_string(),
            team,
            channels,
            users,
            apps,
        }
        .write(files)?;
        Ok(Self { server, files: files.clone(), apps: named })
    }

    /// The lines that say what to try.
    pub fn welcome(&self, base_url: &str, program: &str) -> Vec<String> {
        let site = self.server.url();
        let mut lines = vec![
            format!(
                "Serving on {base_url}, with a demo Mattermost on {site} (alice, bob and carol in ~town-square)."
            ),
            String::new(),
            "In another terminal:".to_owned(),
        ];
        for (id, namespace) in &self.apps {
            let tries: &[&str] = match id.as_str() {
                "hello" => {
                    &["greet @bob --language=de", "time --zone=Europe/Berlin", "whoami", "fail", "help"]
                }
                _ => &["help"],
            };
            for words in tries {
                lines.push(format!("  {program} run \"/{namespace} {words}\""));
            }
        }
        lines.push(String::new());
        lines.push("`run --slash` sends what an unmodified Mattermost sends. Ctrl-C ends it.".to_owned());
        lines
    }

    /// Ends the Mattermost, which forgets everything. The next start removes its installs from the bundle.
    pub async fn stop(self) {
        let _ = std::fs::remove_file(self.files.demo());
        self.server.shutdown().await;
    }
}

/// Removes what an earlier demo left in the database. Its Mattermost is gone.
async fn forget(bundle: &Bundle, app: &AppId, site: &SiteUrl) -> Result<(), Failure> {
    let management = bundle.management();
    let fail = |e: cloud_apps_core::store::ports::StoreError| {
        Failure::new(format!("the local database: {e}")).hint("remove the --data folder to start afresh")
    };
    let mut cursor = None;
    loop {
        let page = management.registry.list(app, 100, cursor.as_deref()).await.map_err(fail)?;
        for entry in page.items.iter().filter(|entry| entry.site == *site) {
            let now = system_now();
            let fresh = cloud_apps_core::store::cache::Freshness::Reread;
            let Some(install) =
                management.services.installs.find(&entry.install, fresh, now).await.map_err(fail)?
            else {
                continue;
            };
            let removing = Install { state: State::Removing, rev: install.rev + 1, ..(*install).clone() };
            if management.registry.change(&removing, install.rev).await.map_err(fail)? == Changed::Yes {
                management.registry.undo(&removing, removing.rev).await.map_err(fail)?;
            }
        }
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(());
        }
    }
}
