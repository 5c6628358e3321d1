//! Somebody who can write to the bundle's tables, but cannot read its key rings, sends no call and no secret elsewhere.

use super::*;
use cloud_apps_core::{
    functions::deliver,
    http::LogLine,
    install::RequestInfo,
    jobs::Next,
    store::{
        job::JobKind,
        model::{Binding, Install, RegisteredApp, Sha256},
        ports::{Apps, Installs, Keys},
    },
    testing::sample,
};
use cloud_apps_protocol::{Generation, InstallId};

const UNBOUND: &str = "Nothing vouches for what the bundle has stored of remote, so nothing was sent to the app. An earlier version \
                       of the bundle wrote it, or the key that vouched for it was revoked, or somebody else wrote it. An operator \
                       registers the app again with `cloud-apps operator apps add`; unless one of the former is so, find out first who else \
                       can write the bundle's tables.";

async fn stored(yard: &Yard) -> RegisteredApp {
    Apps::find(&yard.memory, &"remote".parse().unwrap()).await.unwrap().unwrap()
}

async fn installed(yard: &Yard, home: &Home) -> Install {
    let id: InstallId = home.id.parse().unwrap();
    Installs::find(&yard.memory, &id).await.unwrap().unwrap()
}

/// The manifest of the same app at an address of the attacker's, kept under its own hash.
fn keep_evil(yard: &Yard, evil: &Service) -> Sha256 {
    let manifest = serde_json::from_value(manifest(&json!({"type": "http", "url": evil.url}))).unwrap();
    let sha256 = Sha256::of_manifest(&manifest);
    yard.memory.put_text("remote".parse().unwrap(), sha256.clone(), Sha256::text(&manifest));
    sha256
}

/// Neither dialect sends anything to anybody.
async fn nothing_is_sent(yard: &Yard, home: &Home, evil: &Service) {
    yard.later(61_000);
    let before = yard.service.asked().len();
    let refused = yard.run(home, "/remote look").await;
    assert_eq!((refused.status.as_u16(), refused.code()), (502, "upstream_failed"));
    assert_eq!(refused.message(), UNBOUND);
    let typed = yard.slash(home, "look").await;
    assert!(typed.body["text"].as_str().unwrap().contains(UNBOUND), "{typed:?}");
    assert!(evil.asked().is_empty() && yard.service.asked().len() == before);
    // Nor may an operator vouch for it unseen.
    let rotated = yard.operator(json!({"do": "rotate_upstream", "app": "remote"})).await;
    assert_eq!(rotated["error"]["message"], UNBOUND);
    assert_eq!(yard.operator(json!({"do": "app", "app": "remote"})).await["error"]["message"], UNBOUND);
    let code = json!({"do": "code", "app": "remote", "site_url": SITE, "base_url": BASE});
    assert_eq!(yard.operator(code).await["error"]["message"], UNBOUND, "and nobody agrees to it");
    // The install can still be looked at and switched off.
    let shown = yard.operator(json!({"do": "show", "install_id": home.id})).await;
    assert_eq!(shown["unavailable"][0]["reason"], UNBOUND);
}

#[tokio::test]
async fn an_address_that_was_changed_in_the_table_is_sent_nothing() {
    let evil = Service::start(Does::Answers(json!({"type": "done"}))).await;
    for attack in 0..7 {
        let (yard, _, home) = Yard::installed().await;
        let mut app = stored(&yard).await;
        let good = app.clone();
        match attack {
            // Another manifest in the place of the one that was registered.
            0 => {
                app.versions.insert("1.0.0".into(), keep_evil(&yard, &evil));
                let mut install = installed(&yard, &home).await;
                install.manifest = Some(app.versions["1.0.0"].clone());
                yard.memory.put_install(install);
            }
            // Another text under its hash.
            1 => {
                let text = Sha256::text(
                    &serde_json::from_value(manifest(&json!({"type": "http", "url": evil.url}))).unwrap(),
                );
                yard.memory.put_text(app.id.clone(), app.versions["1.0.0"].clone(), text);
            }
            // No binding, as if it had been written before there were any.
            2 => app.binding = None,
            // The binding of another app, made with a key of its own.
            3 => {
                let ring = sample::ring(&app.id, 9);
                app.versions.insert("1.0.0".into(), keep_evil(&yard, &evil));
                app.binding = Some(Binding::new(&ring.keys[0].id, &ring.keys[0].root, &app));
            }
            // A secret that was replaced.
            4 => app.upstream_generation = Generation(2),
            // Another version is offered.
            5 => app.version = "0.9.0".into(),
            // The item of another app.
            _ => {
                app.versions.insert("1.0.0".into(), keep_evil(&yard, &evil));
                app.binding.as_mut().unwrap().key = "2".parse().unwrap();
            }
        }
        yard.memory.put_app(app.clone());
        if attack == 1 {
            // What was read before the attack is in memory, and is right.
            yard.later(61_000);
            assert_eq!(yard.run(&home, "/remote look").await.code(), "(none)");
            let bundle = Build::over(&yard.memory).bundle();
            let request = yard.v2(&home, "/remote look", "user");
            let refused = Answered::from(bundle.handle(arrival(request, yard.now())).await);
            assert_eq!(refused.message(), UNBOUND);
            assert!(evil.asked().is_empty());
            continue;
        }
        nothing_is_sent(&yard, &home, &evil).await;

        // It is registered again by its operator: nothing of what stood there is believed, its secret neither.
        let again = yard.add(&yard.manifest()).await;
        assert!(
            again.secret.is_some()
                && again.kid != "remote.1.upstream.1"
                && again.kid != "remote.1.upstream.2"
        );
        let mut install = installed(&yard, &home).await;
        install.manifest = Some(good.versions["1.0.0"].clone());
        yard.memory.put_install(install);
        yard.later(61_000);
        assert_eq!(yard.run(&home, "/remote look").await.code(), "(none)", "attack {attack}");
        assert!(again.signed(&yard.service.last()));
        assert!(evil.asked().is_empty());
    }
}

#[tokio::test]
async fn an_install_that_was_changed_in_the_table_sends_its_secrets_nowhere_else() {
    let evil = Service::start(Does::Answers(json!({"type": "done"}))).await;
    let (yard, _, home) = Yard::installed().await;
    let mut theirs = yard.manifest();
    theirs["id"] = "theirs".into();
    theirs["upstream"]["url"] = evil.url.clone().into();
    yard.add(&theirs).await;
    let good = installed(&yard, &home).await;
    let kept = Apps::find(&yard.memory, &"theirs".parse().unwrap()).await.unwrap().unwrap();
    let before = yard.service.asked().len();
    for install in [
        // An app that somebody else registered.
        Install {
            app: "theirs".parse().unwrap(),
            manifest: kept.versions.get("1.0.0").cloned(),
            ..good.clone()
        },
        // A server of somebody else's.
        Install { site: "https://evil.example.com".parse().unwrap(), ..good.clone() },
    ] {
        yard.memory.put_install(install.clone());
        yard.later(61_000);
        let line = format!("/{} look", install.app);
        assert_ne!(yard.run(&home, &line).await.status, 200);
        let typed = yard.slash(&home, "look").await;
        assert!(
            typed.body["text"].as_str().unwrap().contains("The bundle cannot read what it stored"),
            "{typed:?}"
        );
        assert!(evil.asked().is_empty() && yard.service.asked().len() == before);
    }
}

#[tokio::test]
async fn a_lambda_function_that_was_changed_in_the_table_is_not_invoked() {
    let functions = cloud_apps_core::apps::InProcess::default()
        .with("cloud-app-evil", |_| async { panic!("the attacker's function was invoked") })
        .with("cloud-app-remote", |_| {
            let payload = json!({"type": "done"}).to_string().into_bytes();
            std::future::ready(cloud_apps_core::store::ports::Invoked { failed: false, payload })
        });
    let lambdas = Lambdas::new(Arc::new(functions), "cloud-app-", "bundle");
    let yard = Yard::with(|build| build.lambdas(lambdas)).await;
    let at = |function: &str| manifest(&json!({"type": "aws_lambda", "function": function}));
    yard.add(&at("cloud-app-remote")).await;
    let home = yard.install(&["act_as_bot"]).await;
    assert_eq!(yard.run(&home, "/remote look").await.code(), "(none)");
    let evil: cloud_apps_protocol::Manifest = serde_json::from_value(at("cloud-app-evil")).unwrap();
    let (mut app, sha256) = (stored(&yard).await, Sha256::of_manifest(&evil));
    yard.memory.put_text(app.id.clone(), sha256.clone(), Sha256::text(&evil));
    app.versions.insert("1.0.0".into(), sha256.clone());
    yard.memory.put_app(app);
    let install = Install { manifest: Some(sha256), ..installed(&yard, &home).await };
    yard.memory.put_install(install);
    yard.later(61_000);
    assert_eq!(yard.run(&home, "/remote look").await.message(), UNBOUND);
}

/// Runs the walk that follows a rotation.
pub async fn walk(yard: &Yard) {
    let work = JobKind::Reseal { app: "remote".parse().unwrap(), cursor: None };
    let request_info = RequestInfo { now: yard.now(), deadline: yard.now() + 30_000, request_id: "job-1" };
    let mut line = LogLine::apart("job", "job-1", None);
    let next = deliver::step(yard.bundle.management(), &work, request_info, &mut line).await;
    assert_eq!(next.unwrap_or_else(|refusal| panic!("{}", refusal.message)), Next::Done);
}

async fn revoke(yard: &Yard, key: &str, force: bool) -> Value {
    yard.operator(json!({"do": "revoke_key", "app": "remote", "key": key, "force": force})).await
}

#[tokio::test]
async fn a_rotation_of_the_ring_binds_an_app_again_and_only_then_is_the_old_key_revoked() {
    let (yard, _) = Yard::new().await;
    yard.operator(json!({"do": "rotate_keys", "app": "remote"})).await;
    yard.later(15 * 60_000);
    let refused = revoke(&yard, "1", false).await;
    assert!(
        refused["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("The upstream secret of remote is derived from key 1"),
        "{refused}"
    );
    walk(&yard).await;
    assert_eq!(stored(&yard).await.binding.unwrap().key.as_str(), "2");
    assert_eq!(stored(&yard).await.upstream_key.as_str(), "1", "the app goes on with its secret");
    yard.operator(json!({"do": "rotate_upstream", "app": "remote", "at_once": true})).await;
    assert_eq!(revoke(&yard, "1", false).await.get("error"), None);
    let home = yard.install(&["act_as_bot"]).await;
    assert_eq!(yard.run(&home, "/remote look").await.code(), "(none)");
}

#[tokio::test]
async fn the_walk_vouches_for_nothing_that_was_changed() {
    let (yard, _, home) = Yard::installed().await;
    let evil = Service::start(Does::Answers(json!({"type": "done"}))).await;
    let mut app = stored(&yard).await;
    app.versions.insert("1.0.0".into(), keep_evil(&yard, &evil));
    yard.memory.put_app(app.clone());
    yard.operator(json!({"do": "rotate_keys", "app": "remote"})).await;
    yard.later(15 * 60_000);
    walk(&yard).await;
    assert_eq!(stored(&yard).await, app, "it is left as it is");
    let keys = yard.memory.ring(&app.id).await.unwrap().unwrap();
    assert_eq!(keys.keys.len(), 2, "and the walk goes on");
    nothing_is_sent(&yard, &home, &evil).await;
}

#[tokio::test]
async fn what_a_revoked_key_vouched_for_is_not_believed_and_is_registered_again() {
    let (yard, first, home) = Yard::installed().await;
    yard.operator(json!({"do": "rotate_keys", "app": "remote"})).await;
    yard.later(15 * 60_000);
    assert_eq!(revoke(&yard, "1", true).await.get("error"), None);
    yard.later(61_000);
    let shown = yard.operator(json!({"do": "app", "app": "remote"})).await;
    assert_eq!(shown["error"]["message"], UNBOUND);
    let again = yard.add(&yard.manifest()).await;
    assert!(again.secret.is_some() && again.kid.starts_with("remote.2.") && again.secret != first.secret);
    assert_eq!(
        stored(&yard).await.versions,
        [("1.0.0".to_owned(), installed(&yard, &home).await.manifest.unwrap())].into()
    );
}

#[tokio::test]
async fn an_install_that_was_granted_more_in_the_table_hands_its_app_no_token_that_it_never_asked_for() {
    let yard = Yard::empty().await;
    let mut manifest = yard.manifest();
    manifest["permissions"] = json!([]);
    yard.add(&manifest).await;
    let home = yard.install(&[]).await;
    let mut install = installed(&yard, &home).await;
    install.granted.permissions =
        serde_json::from_value(json!(["act_as_bot", "act_as_user", "act_as_admin"])).unwrap();
    yard.memory.put_install(install);
    yard.later(61_000);
    assert_eq!(yard.run(&home, "/remote look").await.code(), "(none)");
    let (_, claims) = opened(&yard.service.last());
    assert_eq!((claims.get("bot_token"), claims.get("user_token")), (None, None), "{claims}");
}
