//! An install goes on with the version that its admin agreed to, whatever is registered later, until it is upgraded.

use super::*;
use cloud_apps_core::store::{
    model::Sha256,
    ports::{Apps, Registry},
};

const ELSEWHERE: &str = "https://elsewhere.example.com";
const ALL: [&str; 3] = ["act_as_bot", "act_as_user", "act_as_admin"];

/// The app's next version: another function, more of each user, a setting that it cannot do without.
fn newer(at: &Service) -> Value {
    let mut manifest = manifest(&json!({"type": "http", "url": at.url}));
    manifest["version"] = "1.1.0".into();
    manifest["commands"].as_array_mut().unwrap().push(json!({"function": "wave", "summary": "Waves."}));
    manifest["commands"][1]["expand"] = json!({"acting_user": "all"});
    let token = json!({"name": "token", "type": "text", "subtype": "password", "required": true});
    manifest["settings"].as_array_mut().unwrap().push(token);
    manifest
}

async fn patch(yard: &Yard, home: &Home, patch: Value) -> Value {
    yard.operator(json!({"do": "change", "install_id": home.id, "patch": patch})).await
}

async fn upgrade(yard: &Yard, home: &Home, version: &str) -> Value {
    let granted = json!({"permissions": ALL, "locations": ["message_box"]});
    patch(yard, home, json!({"upgrade": {"version": version, "granted": granted}})).await
}

/// The body of the last call.
fn body(service: &Service) -> Value {
    serde_json::from_slice(&service.last().body).unwrap()
}

async fn versions(yard: &Yard) -> Value {
    yard.operator(json!({"do": "app", "app": "remote"})).await["versions"].clone()
}

#[tokio::test]
async fn a_new_version_changes_nothing_for_an_install_until_it_is_upgraded() {
    let (yard, _, home) = Yard::installed().await;
    let second = Service::start(Does::Answers(json!({"type": "done"}))).await;
    yard.add(&newer(&second)).await;
    assert_eq!(versions(&yard).await, json!(["1.0.0", "1.1.0"]));
    yard.later(61_000);

    // Neither the new function, nor the other address, nor more of the user.
    assert_eq!(yard.run(&home, "/remote wave").await.code(), "unknown_function");
    assert_eq!(yard.run(&home, "/remote look").await.code(), "(none)");
    assert_eq!(yard.slash(&home, "look").await.status, 200);
    let seen = body(&yard.service);
    assert_eq!(seen["context"]["app"]["version"], "1.0.0");
    assert!(second.asked().is_empty() && !seen.to_string().contains("admin@example.com"), "{seen}");
    let shown = yard.operator(json!({"do": "show", "install_id": home.id})).await;
    assert_eq!((&shown["version"], &shown["offered"]["version"]), (&json!("1.0.0"), &json!("1.1.0")));
    assert_eq!(shown["commands"].as_array().unwrap().len(), 2);

    // What the new version cannot do without is set first, and the old one does not ask for it.
    let refused = upgrade(&yard, &home, "1.1.0").await;
    assert!(
        refused["error"]["message"].as_str().unwrap().contains("/settings/token is required"),
        "{refused}"
    );
    let set = patch(&yard, &home, json!({"settings": {"token": "hunter2"}})).await;
    assert_eq!(set["changed"]["version"], "1.0.0", "{set}");
    let upgraded = upgrade(&yard, &home, "1.1.0").await;
    assert_eq!(upgraded["changed"]["version"], "1.1.0", "{upgraded}");
    assert_eq!(upgraded["changed"].get("offered"), None);
    assert_eq!(yard.run(&home, "/remote wave").await.code(), "(none)");
    assert_eq!(second.last().path, "/app/wave");
    yard.run(&home, "/remote look").await;
    let seen = body(&second);
    assert_eq!(seen["context"]["acting_user"]["email"], "admin@example.com");
    assert_eq!(
        (&seen["context"]["app"]["version"], &seen["context"]["app"]["settings"]["token"]),
        (&json!("1.1.0"), &json!("hunter2"))
    );
}

#[tokio::test]
async fn an_install_that_was_upgraded_elsewhere_has_its_new_functions_at_once() {
    let (yard, _, home) = Yard::installed().await;
    let mut next = yard.manifest();
    next["version"] = "1.1.0".into();
    next["commands"].as_array_mut().unwrap().push(json!({"function": "wave", "summary": "Waves."}));
    assert_eq!(yard.run(&home, "/remote wave").await.code(), "unknown_function");
    // Another process than the one that serves.
    let other = Build::over(&yard.memory).management();
    for request in [
        json!({"do": "add_app", "manifest": next}),
        json!({"do": "change", "install_id": home.id, "patch": {"upgrade": {"version": "1.1.0"}}}),
    ] {
        let request = json!({ "operator": request });
        let answer = operator::handle(&other, request, yard.now(), "request-2").await;
        assert_eq!(answer.get("error"), None, "{answer}");
    }
    yard.later(1_000);
    assert_eq!(yard.run(&home, "/remote wave").await.code(), "(none)");
    assert_eq!(yard.service.last().path, "/app/wave");
}

#[tokio::test]
async fn a_new_install_gets_the_newest_version_beside_one_that_has_the_old() {
    let (yard, _, home) = Yard::installed().await;
    let second = Service::start(Does::Answers(json!({"type": "done"}))).await;
    let mut next = newer(&second);
    next["settings"].as_array_mut().unwrap().pop();
    yard.add(&next).await;
    let other = yard.install_on(ELSEWHERE, &ALL).await;
    for (home, service, version) in [(&home, &yard.service, "1.0.0"), (&other, &second, "1.1.0")] {
        let before = service.asked().len();
        assert_eq!(yard.run(home, "/remote look").await.code(), "(none)");
        assert_eq!(service.asked().len(), before + 1);
        assert_eq!(body(service)["context"]["app"]["version"], version);
    }
}

#[tokio::test]
async fn an_install_that_was_begun_is_completed_with_what_was_agreed_to() {
    let (yard, _) = Yard::new().await;
    let (code, begun) = yard.begin(&ALL).await;
    let second = Service::start(Does::Answers(json!({"type": "done"}))).await;
    yard.add(&newer(&second)).await;
    assert_eq!(yard.complete(&code, &begun.id()).await.status, 200);
    assert_eq!(yard.service.last().path, "/app/on_install");
    assert!(second.asked().is_empty());
}

#[tokio::test]
async fn a_version_that_installs_have_is_not_replaced_by_another_manifest() {
    let (yard, first, home) = Yard::installed().await;
    let mut other = yard.manifest();
    other["commands"][1]["expand"] = json!({"acting_user": "all"});
    let refused = yard.operator(json!({"do": "add_app", "manifest": other})).await;
    assert_eq!(refused["error"]["code"], "version_conflict");
    assert_eq!(
        refused["error"]["message"],
        "remote 1.0.0 is registered with another manifest, and installs agreed to that one (1 of them), so nothing was changed. Give \
         this manifest a higher version: installs then go on as they are until they are upgraded."
    );
    yard.run(&home, "/remote look").await;
    assert!(!body(&yard.service).to_string().contains("admin@example.com"));
    // In other words, but the same.
    let again = yard.add(&yard.manifest()).await;
    assert_eq!((again.kid, again.secret), (first.kid, None));
}

#[tokio::test]
async fn a_version_that_no_install_has_is_replaced() {
    let (yard, _) = Yard::new().await;
    let before = yard.memory.manifests(&"remote".parse().unwrap()).await.unwrap();
    let mut other = yard.manifest();
    other["commands"].as_array_mut().unwrap().push(json!({"function": "wave", "summary": "Waves."}));
    yard.add(&other).await;
    let after = yard.memory.manifests(&"remote".parse().unwrap()).await.unwrap();
    assert!(before.len() == 1 && after.len() == 1 && before != after);
    let home = yard.install(&ALL).await;
    assert_eq!(yard.run(&home, "/remote wave").await.code(), "(none)");
}

#[tokio::test]
async fn an_install_whose_version_was_replaced_in_the_same_moment_is_not_served_with_the_other_manifest() {
    let (yard, _, home) = Yard::installed().await;
    let id = home.id.parse().unwrap();
    let stored = cloud_apps_core::store::ports::Installs::find(&yard.memory, &id).await.unwrap().unwrap();
    let raced = cloud_apps_core::store::model::Install { manifest: Some(Sha256::of("another")), ..stored };
    yard.memory.put_install(raced);
    yard.later(61_000);
    let before = yard.service.asked().len();
    let refused = yard.run(&home, "/remote look").await;
    assert_eq!(
        refused.message(),
        "The bundle does not have remote 1.0.0 any more, which is what was agreed to on this server, so nothing was done. An \
         admin moves the install to the version that the bundle has: `cloud-apps upgrade`."
    );
    assert_eq!(yard.service.asked().len(), before);
    assert_eq!(upgrade(&yard, &home, "1.0.0").await["changed"]["version"], "1.0.0");
    assert_eq!(yard.run(&home, "/remote look").await.code(), "(none)");
}

#[tokio::test]
async fn versions_are_kept_for_as_long_as_an_install_has_them() {
    let (yard, _, home) = Yard::installed().await;
    let app = "remote".parse().unwrap();
    let add = async |version: &str| {
        let mut manifest = yard.manifest();
        manifest["version"] = version.into();
        yard.add(&manifest).await;
        let kept = yard.memory.manifests(&app).await.unwrap();
        let listed = Apps::find(&yard.memory, &app).await.unwrap().unwrap().versions;
        let mut hashes: Vec<Sha256> = listed.values().cloned().collect();
        hashes.sort();
        assert_eq!(kept, hashes, "nothing is left behind");
        versions(&yard).await
    };
    assert_eq!(add("1.1.0").await, json!(["1.0.0", "1.1.0"]));
    // The one before may just be agreed to.
    assert_eq!(add("1.2.0").await, json!(["1.0.0", "1.1.0", "1.2.0"]));
    assert_eq!(add("1.3.0").await, json!(["1.0.0", "1.2.0", "1.3.0"]));
    assert_eq!(yard.run(&home, "/remote look").await.code(), "(none)");
    upgrade(&yard, &home, "1.3.0").await;
    assert_eq!(add("1.4.0").await, json!(["1.3.0", "1.4.0"]));
    // Back to an earlier one: it is offered again.
    assert_eq!(add("1.3.0").await, json!(["1.3.0", "1.4.0"]));
    let shown = yard.operator(json!({"do": "show", "install_id": home.id})).await;
    assert_eq!((&shown["version"], shown.get("offered")), (&json!("1.3.0"), None));
}

#[tokio::test]
async fn an_app_has_a_limit_of_versions_and_the_refusal_says_what_to_do() {
    let (yard, _, home) = Yard::installed().await;
    let id = home.id.parse().unwrap();
    let stored = cloud_apps_core::store::ports::Installs::find(&yard.memory, &id).await.unwrap().unwrap();
    let add = async |n: usize| {
        let mut manifest = yard.manifest();
        manifest["version"] = format!("2.0.{n}").into();
        yard.operator(json!({"do": "add_app", "manifest": manifest})).await
    };
    for n in 0..99 {
        assert_eq!(add(n).await.get("error"), None);
        let mut has = stored.clone();
        has.id = cloud_apps_core::testing::sample::install_id(n);
        has.site = cloud_apps_core::testing::sample::site(n);
        has.version = format!("2.0.{n}");
        yard.memory.put_install(has);
    }
    let refused = add(99).await;
    assert_eq!(
        refused["error"]["message"],
        "Installs of remote have 100 versions of it already, and no more are kept. Upgrade some of them first (`cloud-apps \
         upgrade`); then try again."
    );
    assert_eq!(yard.run(&home, "/remote look").await.code(), "(none)");
}

#[tokio::test]
async fn an_install_whose_version_is_gone_takes_the_settings_that_its_upgrade_needs() {
    let (yard, _, home) = Yard::installed().await;
    let second = Service::start(Does::Answers(json!({"type": "done"}))).await;
    let mut stored = Apps::find(&yard.memory, &"remote".parse().unwrap()).await.unwrap().unwrap();
    stored.binding = None;
    yard.memory.put_app(stored);
    // Registered again, and only the new version, which cannot do without a setting.
    let mut manifest = newer(&second);
    manifest["lifecycle"]["configure"] = "on_configure".into();
    yard.add(&manifest).await;
    yard.later(61_000);
    let before = yard.service.asked().len();
    let refused = upgrade(&yard, &home, "1.1.0").await;
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("/settings/token is required") && message.contains("cloud-apps configure"),
        "{message}"
    );
    let set = patch(&yard, &home, json!({"settings": {"token": "hunter2"}})).await;
    assert_eq!(set["changed"]["version"], "1.0.0", "{set}");
    assert!(
        yard.service.asked().len() == before && second.asked().is_empty(),
        "nobody agreed to its address yet"
    );
    let upgraded = upgrade(&yard, &home, "1.1.0").await;
    assert_eq!(upgraded["changed"]["version"], "1.1.0", "{upgraded}");
    yard.run(&home, "/remote look").await;
    assert_eq!(body(&second)["context"]["app"]["settings"]["token"], "hunter2");
}

#[tokio::test]
async fn a_setting_that_becomes_a_password_is_sealed_and_what_was_one_is_never_shown() {
    let (yard, _, home) = Yard::installed().await;
    let mut next = yard.manifest();
    next["version"] = "1.1.0".into();
    next["settings"] = json!([
        {"name": "site", "type": "text", "subtype": "password"},
        {"name": "key", "type": "text"},
        {"name": "note", "type": "text"},
    ]);
    yard.add(&next).await;
    upgrade(&yard, &home, "1.1.0").await;
    for settings in [json!({}), json!({"note": "Changed."})] {
        let shown = patch(&yard, &home, json!({ "settings": settings })).await["changed"].clone();
        assert_eq!(shown["settings"], settings, "{shown}");
        let tables = yard.memory.dump();
        assert!(!tables.contains(PASSWORD) && !tables.contains("jira.example.com"));
        yard.run(&home, "/remote look").await;
        let seen = body(&yard.service)["context"]["app"]["settings"].clone();
        assert_eq!((&seen["key"], &seen["site"]), (&json!(PASSWORD), &json!("https://jira.example.com")));
    }
    // A setting that is given again is kept as what it is now.
    let given = patch(&yard, &home, json!({"settings": {"key": "no secret"}})).await;
    assert_eq!(given["changed"]["settings"]["key"], "no secret", "{given}");
}
