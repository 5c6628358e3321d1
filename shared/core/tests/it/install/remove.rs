//! The end of an install: it serves nobody any more, the app cleans up, nothing is left, and whoever asks again reads the
//! same. Wherever it is cut off, somebody ends it.

use super::{bad_manage_code, serving, unauthorized};
use crate::office::{
    ADMIN, Answered, BOT, Behaviour, COMMAND, Desk, NEXT_TOKEN, NOW, SITE, TEAM, arrival, body, refusal,
    registered, request,
};
use cloud_apps_core::{
    deliver::{Delivery, Worker},
    faults::{Fault, Faults},
    install,
    job::{Job, Lane, Work},
    model::State,
    world::Office,
};
use cloud_apps_protocol::Millis;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

const DAY: Millis = 24 * 3_600_000;

fn ok(answered: Answered) -> Value {
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    answered.body
}

fn leftovers() -> Value {
    json!([
        {"kind": "slash_command", "team_id": TEAM, "id": COMMAND, "trigger": "hello"},
        {"kind": "bot", "id": BOT, "username": "hello"},
    ])
}

/// Does the jobs that are due, until none is, at this time.
async fn upkeep(desk: &Desk, now: Millis) {
    for _ in 0..20 {
        let office = desk.process(&Faults::none());
        let worker: Arc<dyn Worker> = office.clone();
        let delivery = Delivery::of(&office, worker);
        let taken = delivery.round(&desk.memory, Lane::Commands, 10, (30_000, 60_000), now).await;
        if taken.unwrap() == 0 {
            return;
        }
    }
    panic!("the jobs never end");
}

#[tokio::test]
async fn a_removal_stops_serving_asks_the_app_and_leaves_nothing() {
    let mut desk = Desk::new().await;
    let (id, kid, secret) = serving(&desk).await;
    let code = desk.manage_code(&id).await;
    let path = format!("/install/{id}");
    let delete = |desk: &Desk| desk.signed(Method::DELETE, &path, "", &kid, &secret, "admin");
    let removed = ok(desk.send(delete(&desk)).await);
    assert_eq!(removed, json!({"install_id": id, "state": "removed", "leftovers": leftovers()}));
    assert_eq!(desk.calls().last().unwrap().function, "on_uninstall");
    assert_eq!(desk.memory.kept(), 0);

    // Asked again, by whoever may: the same, and nobody is called.
    let calls = desk.calls().len();
    assert_eq!(ok(desk.send(delete(&desk)).await), removed);
    assert_eq!(ok(desk.delete(&id, &code).await), removed);
    assert_eq!(desk.operator(json!({"do": "remove", "install_id": id})).await["removed"], removed);
    assert_eq!(desk.calls().len(), calls);
    // Of what is gone nothing else is told, and nothing changed.
    unauthorized(&desk.patch(&id, &code, &json!({"enabled": true})).await);
    unauthorized(&desk.send(request(Method::GET, &path, None, Some(&code))).await);
    desk.now = NOW + DAY;
    unauthorized(&desk.send(delete(&desk)).await);
    bad_manage_code(&desk.delete(&id, &code).await);
    let forgotten = desk.operator(json!({"do": "remove", "install_id": id})).await;
    assert!(forgotten["error"]["message"].as_str().unwrap().contains("There is no install"), "{forgotten}");
}

#[tokio::test]
async fn an_app_cannot_keep_its_install() {
    for (behaviour, warning) in [
        (
            refusal("There are open tickets."),
            "hello refused to be removed, and it was removed all the same: There are open tickets.",
        ),
        (
            Behaviour::Panics,
            "hello could not clean up after itself, and it was removed all the same. Its operator finds the cause in the log, under this request's id.",
        ),
    ] {
        let desk = Desk::new().await;
        let (id, ..) = serving(&desk).await;
        desk.behave(behaviour);
        let removed = desk.operator(json!({"do": "remove", "install_id": id})).await;
        assert_eq!(
            (&removed["removed"]["state"], &removed["removed"]["warning"]),
            (&json!("removed"), &json!(warning))
        );
        assert_eq!(desk.memory.kept(), 0);
    }
}

#[tokio::test]
async fn an_install_that_was_never_complete_is_removed_without_asking_the_app() {
    let desk = Desk::new().await;
    let id = desk.begin(&desk.code().await, &body()).await.id();
    let stale = desk.operator(json!({"do": "remove", "install_id": id, "if_match": 7})).await;
    assert!(stale["error"]["message"].as_str().unwrap().contains("read it again, then decide"), "{stale}");
    let removed = desk.operator(json!({"do": "remove", "install_id": id})).await;
    assert_eq!(removed["removed"]["leftovers"], json!([{"kind": "bot", "id": BOT, "username": "hello"}]));
    assert!(desk.calls().is_empty());
    assert_eq!(desk.memory.kept(), 0);
}

#[tokio::test]
async fn an_install_that_nobody_finishes_goes_with_its_code() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let id = desk.begin(&code, &body()).await.id();
    upkeep(&desk, NOW + 14 * 60_000).await;
    assert!(desk.stored(&id).await.is_some(), "its code is still good");
    upkeep(&desk, NOW + 15 * 60_000).await;
    assert_eq!(desk.memory.kept(), 0);
}

#[tokio::test]
async fn an_install_whose_completion_died_can_be_completed_again_and_is_left_alone_when_it_is() {
    let mut desk = Desk::new().await;
    let code = desk.code().await;
    let id = desk.begin(&code, &body()).await.id();
    let faults = Faults::at(8, Fault::Kill);
    let dies = desk.process(&faults);
    let path = format!("/install/{id}/complete");
    let complete = request(Method::POST, &path, Some(&registered()), Some(&code));
    faults.until_killed(install::handle(&dies, arrival(complete, desk.now))).await;
    assert!(matches!(desk.stored(&id).await.unwrap().state, State::Completing { .. }), "{:?}", faults.log());
    desk.now += 31_000;
    let work = Work::Watch { install: id.parse().unwrap(), rev: 1 };
    let office = desk.process(&Faults::none());
    let looked = office.work(&Job::new(work, 0, None, desk.now), desk.now, desk.now + 30_000).await;
    assert!(format!("{looked:?}").contains("Next"), "{looked:?}");
    assert!(matches!(desk.stored(&id).await.unwrap().state, State::Pending { .. }));
    ok(desk.complete(&code, &id, &registered()).await);
    upkeep(&desk, NOW + 16 * 60_000).await;
    assert_eq!(desk.stored(&id).await.unwrap().state, State::Active);
}

#[tokio::test]
async fn a_code_that_replaces_supersedes_what_stands_there() {
    let desk = Desk::new().await;
    let (old, ..) = serving(&desk).await;
    let request = json!({"do": "code", "app": "hello", "site_url": SITE, "base_url": crate::office::BASE, "replace": true});
    let code = desk.operator(request).await["code"].as_str().unwrap().to_owned();
    let calls = desk.calls().len();
    let new = desk.install(&code, &body()).await;
    assert_ne!(new, old);
    assert!(desk.stored(&old).await.is_none());
    assert_eq!(desk.calls()[calls].function, "on_install", "the server that is gone is not cleaned up");
    // It is spent: it supersedes nothing a second time.
    super::bad_code(&desk.begin(&code, &body()).await);
}

#[tokio::test]
async fn what_is_being_installed_is_not_superseded_and_its_installer_is_named() {
    let desk = Desk::new().await;
    desk.begin(&desk.code().await, &body()).await.id();
    let request = json!({"do": "code", "app": "hello", "site_url": SITE, "base_url": crate::office::BASE, "replace": true});
    let code = desk.operator(request).await["code"].as_str().unwrap().to_owned();
    let refused = desk.begin(&code, &body()).await;
    assert_eq!(refused.code(), "already_installed");
    assert!(refused.message().contains(&format!("by user {ADMIN}")), "{}", refused.message());
}

/// What an operator asks, cut off at each effect.
fn requests(id: &str) -> Vec<(&'static str, Value)> {
    let change = |patch: Value| json!({"do": "change", "install_id": id, "patch": patch});
    let preset = json!({"name": "hi", "label": "Hi", "function": "greet", "locations": ["message_box"]});
    let other = json!({"kind": "slash_command", "team_id": "eznx9z5nn7r1iq7p5pnkpgzjo2", "id": COMMAND, "trigger": "hello", "token": NEXT_TOKEN});
    let gone = json!({"kind": "slash_command", "team_id": TEAM, "id": COMMAND, "trigger": "hello"});
    vec![
        ("settings", change(json!({"settings": {"retries": 9, "password": "next"}}))),
        ("presets", change(json!({"presets": [preset]}))),
        ("enabled", change(json!({"enabled": false}))),
        ("shared_secret", change(json!({"rotate": "shared_secret"}))),
        ("bot_token", change(json!({"rotate": "bot_token", "access_token": NEXT_TOKEN}))),
        ("static_token", change(json!({"rotate": "static_token"}))),
        ("register", change(json!({"register": [other]}))),
        ("unregister", change(json!({"unregister": [gone]}))),
        ("rebase", change(json!({"rebase": "https://new.example.com"}))),
        ("manage_code", json!({"do": "manage_code", "install_id": id})),
        ("revoke", json!({"do": "revoke_manage_codes", "install_id": id})),
        ("remove", json!({"do": "remove", "install_id": id})),
    ]
}

async fn ask(office: &Office, request: &Value, now: Millis) -> Value {
    install::operator(office, json!({ "operator": request }), now, "request-1").await
}

/// Every request about a complete install, failing or dying at each of its effects; then the same again, and whatever
/// was queued. It is done, or it was not; it is never in between.
#[tokio::test]
async fn whatever_is_cut_off_is_whole_after_the_same_request_and_the_queue() {
    let names: Vec<_> = requests("x").into_iter().map(|(name, _)| name).collect();
    for (which, name) in names.iter().enumerate() {
        for fault in Fault::ALL {
            for n in 1.. {
                let desk = Desk::new().await;
                let (id, ..) = serving(&desk).await;
                let (_, request) = requests(&id).swap_remove(which);
                let faults = Faults::at(n, fault);
                let office = desk.process(&faults);
                faults.until_killed(ask(&office, &request, NOW)).await;
                if !faults.struck() {
                    assert!(n > 2, "{name} has effects");
                    break;
                }
                let at = format!("{name}, {fault:?} at {:?}", faults.log());
                let again = ask(&desk.process(&Faults::none()), &request, NOW + 1_000).await;
                assert!(again.get("error").is_none(), "{at}: {again}");
                upkeep(&desk, NOW + 20 * 60_000).await;
                if *name == "remove" {
                    assert_eq!(desk.memory.kept(), 0, "{at}");
                    assert_eq!(again["removed"]["leftovers"], leftovers(), "{at}");
                    continue;
                }
                let install = desk.stored(&id).await.unwrap_or_else(|| panic!("{at}: it is gone"));
                assert!(matches!(install.state, State::Active | State::Disabled), "{at}");
                let world = &desk.process(&Faults::none()).world;
                assert!(world.keys.open_bot_token(&install, NOW).await.is_ok(), "{at}");
                assert!(world.keys.open_settings(&install, NOW).await.is_ok(), "{at}");
            }
        }
    }
}

/// A removal that is cut off and that nobody repeats: the queue ends it.
#[tokio::test]
async fn a_removal_that_began_is_ended_by_the_queue_alone() {
    for fault in Fault::ALL {
        for n in 1.. {
            let desk = Desk::new().await;
            let (id, ..) = serving(&desk).await;
            let request = json!({"do": "remove", "install_id": id});
            let faults = Faults::at(n, fault);
            faults.until_killed(ask(&desk.process(&faults), &request, NOW)).await;
            if !faults.struck() {
                break;
            }
            let began = desk.stored(&id).await.is_none_or(|install| install.state == State::Removing);
            upkeep(&desk, NOW + 20 * 60_000).await;
            let at = format!("{fault:?} at {:?}", faults.log());
            if began {
                assert_eq!(desk.memory.kept(), 0, "{at}");
            } else {
                assert_eq!(desk.stored(&id).await.unwrap().state, State::Active, "{at}");
            }
        }
    }
}
