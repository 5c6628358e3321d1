//! Moving to another version of the app: never to more than was agreed to, and never with settings that it does not take.

use super::{managed, ok, problems};
use crate::desk::{Behaviour, Desk, PASSWORD, refusal, request};
use cloud_apps_core::{keys::sealed::keep_settings, random::SystemRandom, testing::sample};
use http::{Method, StatusCode};
use serde_json::{Value, json};

fn to(version: &str) -> Value {
    let granted = json!({"permissions": ["act_as_bot", "act_as_user"], "locations": ["message_box"]});
    json!({"upgrade": {"version": version, "granted": granted}})
}

#[tokio::test]
async fn an_upgrade_that_asks_for_more_waits_until_the_admin_names_it() {
    let mut desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    desk.deploy_newer();
    let shown = ok(desk.send(request(Method::GET, &format!("/install/{id}"), None, Some(&code))).await);
    assert_eq!((&shown["version"], &shown["offered"]["version"]), (&json!("1.0.0"), &json!("2.0.0")));
    let refused = desk.patch(&id, &code, &json!({"upgrade": {"version": "2.0.0"}})).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "not_granted"));
    for said in ["permission act_as_user", "Send `granted` with what you agree to", "stays at 1.0.0"] {
        assert!(refused.message().contains(said), "{}", refused.message());
    }
    let other = desk.patch(&id, &code, &json!({"upgrade": {"version": "3.0.0"}})).await;
    assert_eq!((other.status, &other.body["error"]["offered"]), (StatusCode::CONFLICT, &json!("2.0.0")));
    assert!(other.message().contains("Name that version, or deploy the other one"), "{}", other.message());
    let wrong = json!({"upgrade": {"version": "2.0.0", "granted": {"permissions": ["act_as_admin"]}}});
    assert!(problems(&desk.patch(&id, &code, &wrong).await)[0].starts_with("/upgrade/granted/permissions/0"));

    let granted = json!({"permissions": ["act_as_bot", "act_as_user"], "locations": ["message_box"]});
    let named = json!({"upgrade": {"version": "2.0.0", "granted": granted}});
    desk.behave(refusal("Not on a Friday."));
    let refused = desk.patch(&id, &code, &named).await;
    assert_eq!(refused.message(), "hello refused the upgrade, and nothing was changed: Not on a Friday.");
    desk.behave(Behaviour::Agrees);
    let upgraded = ok(desk.patch(&id, &code, &named).await);
    assert_eq!((&upgraded["version"], upgraded.get("offered")), (&json!("2.0.0"), None));
    assert_eq!(upgraded["granted"]["permissions"], json!(["act_as_bot", "act_as_user"]));
    assert_eq!(desk.calls().last().unwrap().function, "on_upgrade");
    let (rev, calls) = (upgraded["rev"].clone(), desk.calls().len());
    assert_eq!(ok(desk.patch(&id, &code, &named).await)["rev"], rev);
    assert_eq!(desk.calls().len(), calls, "what is so already asks nobody");
}

#[tokio::test]
async fn an_upgrade_that_asks_for_nothing_more_keeps_what_was_granted() {
    let mut desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let mut old = desk.stored(&id).await.unwrap();
    old.version = "0.9.0".into();
    old.granted.locations = ["message_box", "post_menu", "dialog", "gone"].map(str::to_owned).into();
    old.granted.events = ["user_joined_channel".to_owned()].into();
    desk.memory.put_install(old);
    let upgraded = ok(desk.patch(&id, &code, &json!({"upgrade": {"version": "1.0.0"}})).await);
    assert_eq!(upgraded["granted"]["locations"], json!(["dialog", "message_box", "post_menu"]));
    assert_eq!(desk.calls().last().unwrap().function, "on_upgrade");
    desk.deploy_newer();
    assert_eq!(desk.patch(&id, &code, &json!({"upgrade": {"version": "2.0.0"}})).await.code(), "not_granted");
}

#[tokio::test]
async fn a_new_setting_has_its_default_and_one_that_is_missing_is_set_first() {
    let mut desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let mut old = desk.stored(&id).await.unwrap();
    let held = json!({"gone": 1, "password": PASSWORD}).as_object().unwrap().clone();
    let management = desk.management();
    let key = management.services.keys.current(&old.app, desk.now).await.unwrap().unwrap();
    keep_settings(
        &key,
        &mut old,
        management.services.apps.linked[&sample::app()].manifest(),
        held,
        &SystemRandom,
    );
    desk.memory.put_install(old);
    desk.deploy_newer();
    let calls = desk.calls().len();
    let refused = desk.patch(&id, &code, &to("2.0.0")).await;
    assert_eq!(refused.code(), "bad_request");
    for said in ["/settings/site is required", "with `cloud-apps configure`, then upgrade"] {
        assert!(refused.message().contains(said), "{}", refused.message());
    }
    assert_eq!((desk.stored(&id).await.unwrap().version.as_str(), desk.calls().len()), ("1.0.0", calls));
    let set = json!({"settings": {"site": "https://jira.example.com", "password": PASSWORD}});
    ok(desk.patch(&id, &code, &set).await);
    let upgraded = ok(desk.patch(&id, &code, &to("2.0.0")).await);
    assert_eq!(upgraded["settings"], json!({"site": "https://jira.example.com", "retries": 3}));
    let call = desk.calls().pop().unwrap();
    assert_eq!(call.password.as_deref(), Some(PASSWORD), "it is kept");
}

#[tokio::test]
async fn an_upgrade_that_cannot_do_without_an_event_that_does_not_come_is_not_made() {
    let mut desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    desk.demanding = true;
    desk.deploy_newer();
    let mut wanted = to("2.0.0");
    let without = desk.patch(&id, &code, &wanted).await;
    assert!(problems(&without)[0].contains("cannot do without: grant it"), "{without:?}");
    wanted["upgrade"]["granted"]["events"] = json!(["user_joined_channel"]);
    let refused = desk.patch(&id, &code, &wanted).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::UNPROCESSABLE_ENTITY, "install_refused"));
    for said in ["cannot do without the event user_joined_channel", "stays at 1.0.0"] {
        assert!(refused.message().contains(said), "{}", refused.message());
    }
    assert_eq!(desk.stored(&id).await.unwrap().version, "1.0.0");
}

#[tokio::test]
async fn installs_from_before_manifests_were_kept_go_on_when_a_later_build_has_another_version() {
    let mut desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let mut old = desk.stored(&id).await.unwrap();
    old.manifest = None;
    let rev = old.rev;
    desk.memory.put_install(old);
    // After the deployment, as after every one.
    for _ in 0..2 {
        let registered = desk.operator(json!({"do": "register"})).await;
        assert_eq!(registered.get("error"), None, "{registered}");
    }
    assert_eq!(desk.stored(&id).await.unwrap().rev, rev + 1, "once");
    desk.deploy_newer();
    desk.operator(json!({"do": "register"})).await;
    let shown = ok(desk.send(request(Method::GET, &format!("/install/{id}"), None, Some(&code))).await);
    assert_eq!((&shown["version"], &shown["offered"]["version"]), (&json!("1.0.0"), &json!("2.0.0")));
    assert!(shown["commands"].as_array().is_some_and(|commands| !commands.is_empty()), "{shown}");
    let management = desk.management();
    let install = desk.stored(&id).await.unwrap();
    assert!(management.services.apps.app_of(&install, desk.now).await.is_ok_and(|app| app.is_some()));
}
