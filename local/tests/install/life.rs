//! The whole life of an install, as its admin and its users live it: it comes, answers, is configured, goes on answering
//! while its credentials are replaced under load, moves to another version, is switched off and on, and leaves nothing.

use super::rig::Rig;
use cloud_apps::{
    certificates::Authorities,
    install::{self, Removal},
    mattermost::Mattermost,
};
use cloud_apps_core::{
    operator::{OperatorAnswer, OperatorRequest, Patch},
    store::{model::Install, ports::Changed},
};
use cloud_apps_protocol::{
    AppId, InstallId, SiteUrl,
    install::{Granted, InstallChanged, InstallPatch, Rotation, Upgrade},
    manifest::Permission,
};
use cloud_apps_standin::{Standin, Version};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// How many lines the clients type while credentials are replaced.
const LINES: usize = 2_000;
/// Who types, each the next line when the one before is answered.
const CLIENTS: [&str; 4] = ["admin", "alice", "bob", "carol"];

/// What alice reads when she types a line.
async fn typed(mattermost: &Standin, line: &str) -> String {
    typed_by("alice", mattermost, line).await
}

async fn typed_by(user: &str, mattermost: &Standin, line: &str) -> String {
    match mattermost.execute(user, "town-square", line).await {
        Ok(seen) => seen.texts().concat(),
        Err(error) => format!("(the server says: {error})"),
    }
}

/// A change by the operator.
async fn change(rig: &Rig, install_id: &InstallId, patch: &InstallPatch) -> InstallChanged {
    let patch = Patch(patch.body());
    let request = OperatorRequest::Change { install_id: install_id.clone(), patch, if_match: None };
    match rig.operate(request).await {
        OperatorAnswer::Changed { changed } => *changed,
        other => panic!("{other:?}"),
    }
}

fn values(settings: Value) -> cloud_apps_protocol::Values {
    let Value::Object(settings) = settings else { panic!("{settings} is no object") };
    settings
}

/// The bot's token is replaced, as an admin does it: a new one is made, handed over, and the old ones are revoked.
async fn replace_bot_token(rig: &Rig, admin: &Mattermost, install: &InstallId, bot: &str) {
    let old = admin.tokens(bot).await.unwrap();
    let new = admin.create_token(bot, &old[0].description).await.unwrap();
    let rotation = Rotation::BotToken { access_token: new.token.clone(), token_id: None, expires_at: None };
    change(rig, install, &InstallPatch::Rotate(rotation)).await;
    for token in old {
        admin.revoke_token(&token.id).await.unwrap();
    }
}

/// How many lines were typed.
#[derive(Clone, Default)]
struct Typed(Arc<AtomicUsize>);

impl Typed {
    /// Waits until as many more were typed.
    async fn more(&self, lines: usize) {
        let until = self.0.load(Ordering::SeqCst) + lines;
        while self.0.load(Ordering::SeqCst) < until {
            tokio::task::yield_now().await;
        }
    }
}

/// Clients type `LINES` lines while `meanwhile` goes on; every one is answered.
async fn under_load(rig: &Rig, Typed(count): Typed, meanwhile: impl Future<Output = ()>) {
    let stop = Arc::new(AtomicBool::new(false));
    let client = |user: &'static str| {
        let (mattermost, count, stop) = (rig.mattermost.clone(), count.clone(), stop.clone());
        tokio::spawn(async move {
            // The least there is to type, and on until the other side is done.
            while count.fetch_add(1, Ordering::SeqCst) < LINES || !stop.load(Ordering::SeqCst) {
                let read = typed_by(user, &mattermost, "/hello whoami").await;
                assert!(read.starts_with(&format!("You are @{user}")), "{read}");
            }
        })
    };
    let clients: Vec<_> = CLIENTS.into_iter().map(client).collect();
    meanwhile.await;
    stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    assert!(count.load(Ordering::SeqCst) >= LINES);
}

/// The install as it would be if the app had been older when it came: of another version, and with less agreed to.
async fn make_older(rig: &Rig, id: &InstallId) {
    let management = rig.served.management();
    let now = cloud_apps_core::http::system_now();
    management.services.installs.forget(id);
    let install =
        management.services.installs.find(id, cloud_apps_core::store::cache::Freshness::Reread, now).await;
    let install = install.unwrap().unwrap();
    let older = Install {
        version: "0.0.1".to_owned(),
        granted: Granted { permissions: [].into(), ..install.granted.clone() },
        ..(*install).clone()
    };
    assert_eq!(management.registry.change(&older, install.rev).await.unwrap(), Changed::Yes);
    management.services.installs.forget(id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_install_lives_from_its_first_greeting_to_its_last_trace() {
    for version in [Version::V5_37, Version::V11, Version::V12] {
        let rig = Rig::new(version).await;
        let before = rig.mattermost.snapshot();
        let installed = rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
        let id = installed.install_id.clone();
        let mattermost = &rig.mattermost;
        assert_eq!(typed(mattermost, "/hello greet @bob").await, "Hello, @bob!");

        // It is configured, and a preset of the app and one of the admin run.
        change(&rig, &id, &InstallPatch::Settings(values(json!({"language": "fr"})))).await;
        assert_eq!(typed(mattermost, "/hello greet @bob").await, "Bonjour @bob !");
        assert_eq!(typed(mattermost, "/hello shout @bob").await, "BONJOUR @bob !");
        let preset = json!({"name": "hallo", "label": "In German", "function": "greet", "values": {"language": "de"}, "locations": ["message_box"]});
        change(&rig, &id, &InstallPatch::Presets(vec![serde_json::from_value(preset).unwrap()])).await;
        assert_eq!(typed(mattermost, "/hello hallo @bob").await, "Hallo, @bob!");

        // Everything it holds is replaced while people type.
        let token = SecretString::from(rig.token.clone().unwrap());
        let site = SiteUrl::new(&mattermost.site_url()).unwrap();
        let admin = Mattermost::new(&site, Duration::from_mins(1), &Authorities::default())
            .unwrap()
            .with_token(token);
        let bot = rig.install_at_the_bundle().await.unwrap().bot.id;
        let app = AppId::new("hello").unwrap();
        let lines = Typed::default();
        under_load(&rig, lines.clone(), async {
            for _ in 0..3 {
                lines.more(LINES / 10).await;
                replace_bot_token(&rig, &admin, &id, bot.as_str()).await;
                rig.operate(OperatorRequest::RotateKeys { app: app.clone() }).await;
                change(&rig, &id, &InstallPatch::Settings(values(json!({"motto": "Be kind."})))).await;
            }
        })
        .await;

        // It moves to the version that the bundle has, when its admin agrees to what is new.
        make_older(&rig, &id).await;
        let refused = typed(mattermost, "/hello whoami").await;
        assert!(refused.contains("was not allowed to act as its bot"), "{refused}");
        let offered = rig.install_at_the_bundle().await.unwrap().offered.unwrap();
        let upgrade = Upgrade { version: offered.version.clone(), granted: offered.requests };
        assert!(upgrade.granted.permissions.contains(&Permission::ActAsBot));
        let upgraded = change(&rig, &id, &InstallPatch::Upgrade(upgrade)).await;
        assert_eq!((upgraded.install.version, upgraded.install.offered), (offered.version, None));
        assert!(typed(mattermost, "/hello whoami").await.starts_with("You are @alice"));

        // It is switched off and on.
        change(&rig, &id, &InstallPatch::Enabled(false)).await;
        let off = typed(mattermost, "/hello greet @bob").await;
        assert!(off.contains("hello is switched off on this server"), "{off}");
        change(&rig, &id, &InstallPatch::Enabled(true)).await;
        assert_eq!(typed(mattermost, "/hello greet @bob").await, "Bonjour @bob !");

        // It goes, and nothing is left on either side.
        let view = rig.install_at_the_bundle().await;
        let removal = Removal {
            app,
            install: view,
            bot: "hello".to_owned(),
            named_bot: None,
            addresses: Vec::new(),
            hears: false,
            keep_bot: false,
        };
        install::uninstall(&rig.installer(), &removal).await.unwrap_or_else(|stop| panic!("{stop:?}"));
        rig.assert_nothing_is_left(&before, "uninstalled").await;
        assert!(typed(mattermost, "/hello greet @bob").await.contains("not found"));
        rig.assert_the_bundle_keeps_nothing("uninstalled");
    }
}
