//! What an earlier version of the bundle wrote, or nobody can read any more, costs an operator a command, and strands nothing.

use super::{binding::walk, *};
use cloud_apps_core::store::{
    model::{Binding, Install, RegisteredApp, Sha256},
    ports::{Apps, Installs, Keys},
};

fn app() -> cloud_apps_protocol::AppId {
    "remote".parse().unwrap()
}

/// As it was registered before manifests were kept by their hashes, its secret replaced once; and as it was installed.
async fn of_before(yard: &Yard, home: &Home) {
    let mut theirs = yard.manifest();
    theirs["a_word"] = "of another time".into();
    let stored =
        json!({"rev": 3, "manifest": theirs, "upstream_key": "1", "upstream_generation": 2}).to_string();
    yard.memory.put_app(serde_json::from_str(&stored).unwrap());
    let install = Installs::find(&yard.memory, &home.id.parse().unwrap()).await.unwrap().unwrap();
    yard.memory.put_install(Install { manifest: None, ..install });
    yard.later(61_000);
}

#[tokio::test]
async fn an_app_that_an_earlier_version_registered_is_sent_nothing_until_it_is_registered_again() {
    let (yard, _, home) = Yard::installed().await;
    of_before(&yard, &home).await;
    let before = yard.service.asked().len();
    let refused = yard.run(&home, "/remote look").await;
    assert!(refused.message().contains("An earlier version of the bundle wrote it"), "{refused:?}");
    let off = json!({"do": "change", "install_id": home.id, "patch": {"enabled": false}});
    assert_eq!(yard.operator(off).await["changed"]["state"], "disabled");
    let on = json!({"do": "change", "install_id": home.id, "patch": {"enabled": true}});
    assert_eq!(yard.operator(on).await["changed"]["state"], "active");
    assert_eq!(yard.service.asked().len(), before);

    let again = yard.add(&yard.manifest()).await;
    assert!(again.secret.is_some());
    assert!(!["remote.1.upstream.1", "remote.1.upstream.2"].contains(&again.kid.as_str()), "{}", again.kid);
    yard.later(1_000);
    assert_eq!(yard.run(&home, "/remote look").await.code(), "(none)", "its installs go on as they are");
    assert!(again.signed(&yard.service.last()));
}

#[tokio::test]
async fn an_app_that_an_earlier_version_registered_keeps_no_rotation_waiting_and_is_removed() {
    let (yard, _, home) = Yard::installed().await;
    of_before(&yard, &home).await;
    yard.operator(json!({"do": "rotate_keys", "app": "remote"})).await;
    yard.later(15 * 60_000);
    walk(&yard).await;
    let listed = yard.operator(json!({"do": "keys", "app": "remote"})).await;
    assert_eq!(listed["keys"][1]["installs"], 1, "{listed}");
    yard.operator(json!({"do": "remove", "install_id": home.id})).await;
    assert_eq!(yard.operator(json!({"do": "remove_app", "app": "remote"})).await, json!({"apps": []}));
    assert!(Apps::find(&yard.memory, &app()).await.unwrap().is_none());
}

/// The app's manifest is one that this version cannot read, though the bundle wrote it.
async fn unreadable(yard: &Yard, home: &Home) {
    let text = r#"{"of": "another time"}"#;
    let mut stored = Apps::find(&yard.memory, &app()).await.unwrap().unwrap();
    let sha256 = Sha256::of(text);
    yard.memory.put_text(app(), sha256.clone(), text.into());
    stored.versions.insert("1.0.0".into(), sha256.clone());
    let ring = yard.memory.ring(&app()).await.unwrap().unwrap();
    let binding = Binding::new(&ring.keys[0].id, &ring.keys[0].root, &stored);
    yard.memory.put_app(RegisteredApp { binding: Some(binding), ..stored });
    let install = Installs::find(&yard.memory, &home.id.parse().unwrap()).await.unwrap().unwrap();
    yard.memory.put_install(Install { manifest: Some(sha256), ..install });
    yard.later(61_000);
}

#[tokio::test]
async fn an_install_whose_manifest_cannot_be_read_is_shown_switched_off_upgraded_and_removed() {
    let (yard, _, home) = Yard::installed().await;
    unreadable(&yard, &home).await;
    assert_ne!(yard.run(&home, "/remote look").await.status, 200);
    let change = async |patch: Value| {
        yard.operator(json!({"do": "change", "install_id": home.id, "patch": patch})).await
    };
    assert_eq!(change(json!({"enabled": false})).await["changed"]["state"], "disabled");
    assert_eq!(change(json!({"enabled": true})).await["changed"]["state"], "active");
    let shown = yard.operator(json!({"do": "show", "install_id": home.id})).await;
    assert_eq!(shown["unavailable"][0]["kind"], "app", "{shown}");

    let mut next = yard.manifest();
    next["version"] = "1.1.0".into();
    yard.add(&next).await;
    let upgraded = change(json!({"upgrade": {"version": "1.1.0"}})).await;
    assert_eq!(upgraded["changed"]["version"], "1.1.0", "{upgraded}");
    assert_eq!(yard.run(&home, "/remote look").await.code(), "(none)");

    unreadable(&yard, &home).await;
    let removed = yard.operator(json!({"do": "remove", "install_id": home.id})).await;
    assert_eq!(removed["removed"]["state"], "removed", "{removed}");
}

#[tokio::test]
async fn one_app_that_nothing_vouches_for_hides_no_other_of_a_public_catalogue() {
    let (yard, _, home) = Yard::installed().await;
    let mut second = yard.manifest();
    second["id"] = "second".into();
    yard.add(&second).await;
    of_before(&yard, &home).await;
    let bundle = Build::over(&yard.memory).public_catalogue().bundle();
    let get = request(Method::GET, "/apps", None, None);
    let seen = Answered::from(bundle.handle(arrival(get, yard.now())).await);
    let ids: Vec<&str> =
        seen.body["apps"].as_array().unwrap().iter().map(|app| app["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["jira", "second"]);
}

#[tokio::test]
async fn a_secret_of_an_app_that_was_removed_is_never_good_again() {
    let (yard, first) = Yard::new().await;
    yard.operator(json!({"do": "remove_app", "app": "remote"})).await;
    yard.later(61_000);
    let second = yard.add(&yard.manifest()).await;
    assert!(second.secret.is_some() && second.secret != first.secret && second.kid != first.kid);
}
