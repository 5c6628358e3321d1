//! Whatever is asked of an install that stands, failing and dying at each of its effects: stores, the queue, the app's
//! functions, the server. A new effect is struck without anybody naming it.

use super::{leftovers, ok, serving, upkeep, upkeep_once};
use crate::desk::{
    Answered, BASE, COMMAND, Desk, NEXT_TOKEN, NOW, PASSWORD, SITE, TEAM, arrival, body, registered, request,
    rotation,
};
use cloud_apps_core::{
    functions::install,
    operator,
    services::Management,
    store::{
        model::{Install, Sha256, State},
        ports::Registry,
    },
    testing::{
        faults::{Fault, Faults},
        sample,
    },
};
use cloud_apps_protocol::Millis;
use http::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const MINUTE: Millis = 60_000;

/// What an operator asks.
fn requests(id: &str) -> Vec<(&'static str, Value)> {
    let change = |patch: Value| json!({"do": "change", "install_id": id, "patch": patch});
    let preset = json!({"name": "hi", "label": "Hi", "function": "greet", "locations": ["message_box"]});
    let other = json!({"kind": "slash_command", "team_id": "eznx9z5nn7r1iq7p5pnkpgzjo2", "id": COMMAND, "trigger": "hello", "token": NEXT_TOKEN});
    let gone = json!({"kind": "slash_command", "team_id": TEAM, "id": COMMAND, "trigger": "hello"});
    let granted = json!({"permissions": ["act_as_bot", "act_as_user"], "locations": ["message_box"]});
    vec![
        ("settings", change(json!({"settings": {"retries": 9, "password": "next"}}))),
        ("presets", change(json!({"presets": [preset]}))),
        ("enabled", change(json!({"enabled": false}))),
        ("shared_secret", change(rotation(1))),
        ("bot_token", change(json!({"rotate": "bot_token", "access_token": NEXT_TOKEN}))),
        ("static_token", change(json!({"rotate": "static_token"}))),
        ("webhook", change(json!({"rotate": "webhook:tickets"}))),
        ("register", change(json!({"register": [other]}))),
        ("unregister", change(json!({"unregister": [gone]}))),
        ("rebase", change(json!({"rebase": "https://new.example.com"}))),
        ("upgrade", change(json!({"upgrade": {"version": "2.0.0", "granted": granted}}))),
        ("manage_code", json!({"do": "manage_code", "install_id": id})),
        ("revoke", json!({"do": "revoke_manage_codes", "install_id": id})),
        ("remove", json!({"do": "remove", "install_id": id})),
    ]
}

/// Whether what was asked is so.
async fn is_done(desk: &Desk, name: &str, install: &Install) -> bool {
    let keys = &desk.process(&Faults::none()).services.keys;
    let teams = desk.memory.teams(&install.id).await.unwrap();
    let commands: usize = teams.iter().map(|(_, team)| team.commands.len()).sum();
    match name {
        "settings" => keys.open_settings(install, NOW).await.unwrap()["password"] == "next",
        "presets" => install.presets.len() == 1,
        "enabled" => install.state == State::Disabled,
        "shared_secret" => install.generation.0 == 2 && install.previous_until.is_some(),
        "bot_token" => keys.open_bot_token(install, NOW).await.unwrap().token.expose_secret() == NEXT_TOKEN,
        "static_token" => {
            let found = cloud_apps_core::store::ports::Installs::find_static_token(
                &desk.memory,
                install.static_token.as_ref().unwrap(),
            );
            install.static_generation > 0 && found.await.unwrap().as_ref() == Some(&install.id)
        }
        "webhook" => install.webhooks["tickets"].generation > 0,
        "register" => commands == 2,
        "unregister" => commands == 0,
        "rebase" => install.base_url == "https://new.example.com",
        "upgrade" => install.version == "2.0.0",
        "revoke" => install.codes_void_until.is_some(),
        "manage_code" => true,
        other => panic!("nothing is known of {other}"),
    }
}

async fn ask(management: &Management, request: &Value, now: Millis) -> Value {
    operator::handle(management, json!({ "operator": request }), now, "request-1").await
}

/// An active install of an app with a newer version, and with a vendor's webhook.
async fn prepared() -> (Desk, String) {
    let mut desk = Desk::new().await;
    let (id, ..) = serving(&desk).await;
    let mut install = desk.stored(&id).await.unwrap();
    install.granted.webhooks.insert("tickets".into());
    desk.memory.put_install(install);
    desk.deploy_newer();
    (desk, id)
}

/// Then the same again, when any lease is over, and whatever was queued: it is done.
#[tokio::test]
async fn whatever_is_cut_off_is_whole_after_the_same_request_and_the_queue() {
    let names: Vec<_> = requests("x").into_iter().map(|(name, _)| name).collect();
    for (which, name) in names.iter().enumerate() {
        for fault in Fault::ALL {
            for n in 1.. {
                let (desk, id) = prepared().await;
                let (_, request) = requests(&id).swap_remove(which);
                let faults = Faults::at(n, fault);
                let management = desk.process(&faults);
                faults.until_killed(ask(&management, &request, NOW)).await;
                if !faults.struck() {
                    assert!(n > 2, "{name} has effects");
                    break;
                }
                let at = format!("{name}, {fault:?} at {:?}", faults.log());
                let again = ask(&desk.process(&Faults::none()), &request, NOW + 31_000).await;
                assert!(again.get("error").is_none(), "{at}: {again}");
                upkeep(&desk, NOW + 20 * MINUTE).await;
                if *name == "remove" {
                    assert_eq!(desk.memory.kept(), 0, "{at}");
                    assert_eq!(again["removed"]["leftovers"], leftovers(), "{at}");
                    // Whatever could not be read for a while: the app cleaned up, with its password.
                    let calls = desk.calls();
                    let mut asked = calls.iter().filter(|call| call.function == "on_uninstall").peekable();
                    let in_the_app = faults.log().contains(&"App.on_uninstall");
                    assert!(asked.peek().is_some() || in_the_app, "{at}");
                    assert!(asked.all(|call| call.password.as_deref() == Some(PASSWORD)), "{at}");
                    continue;
                }
                let install = desk.stored(&id).await.unwrap_or_else(|| panic!("{at}: it is gone"));
                assert!(matches!(install.state, State::Active | State::Disabled), "{at}");
                let services = &desk.process(&Faults::none()).services;
                assert!(services.keys.open_bot_token(&install, NOW).await.is_ok(), "{at}");
                assert!(services.keys.open_settings(&install, NOW).await.is_ok(), "{at}");
                assert!(is_done(&desk, name, &install).await, "{at}");
            }
        }
    }
}

/// A removal that is cut off and that nobody repeats: the queue ends it.
#[tokio::test]
async fn a_removal_that_began_is_ended_by_the_queue_alone() {
    for fault in Fault::ALL {
        for n in 1.. {
            let (desk, id) = prepared().await;
            let request = json!({"do": "remove", "install_id": id});
            let faults = Faults::at(n, fault);
            faults.until_killed(ask(&desk.process(&faults), &request, NOW)).await;
            if !faults.struck() {
                break;
            }
            let began = desk.stored(&id).await.is_none_or(|install| install.state == State::Removing);
            upkeep(&desk, NOW + 20 * MINUTE).await;
            let at = format!("{fault:?} at {:?}", faults.log());
            if began {
                assert_eq!(desk.memory.kept(), 0, "{at}");
            } else {
                assert_eq!(desk.stored(&id).await.unwrap().state, State::Active, "{at}");
            }
        }
    }
}

/// The job that looks after an install dies as well: the next one ends what both began.
#[tokio::test]
async fn a_watch_that_is_cut_off_is_ended_by_the_next() {
    let hash = sample::code_hash(1);
    let over = NOW + 15 * MINUTE;
    for state in [
        State::Pending { code: hash.clone(), until: over },
        State::Completing { code: hash.clone(), until: over, lease: over },
        State::Completing { code: hash, until: NOW + 40 * MINUTE, lease: over },
        State::Removing,
    ] {
        for fault in Fault::ALL {
            for n in 1.. {
                let desk = Desk::new().await;
                let (id, ..) = serving(&desk).await;
                let mut install = desk.stored(&id).await.unwrap();
                install.state = state.clone();
                desk.memory.put_install(install);
                let faults = Faults::at(n, fault);
                faults.until_killed(upkeep_once(&desk, &faults, NOW + 16 * MINUTE)).await;
                if !faults.struck() {
                    assert!(n > 4, "a watch has effects: {:?}", faults.log());
                    break;
                }
                for minute in [20, 41, 45, 50] {
                    upkeep(&desk, NOW + minute * MINUTE).await;
                }
                assert_eq!(desk.memory.kept(), 0, "{state:?}, {fault:?} at {:?}", faults.log());
            }
        }
    }
}

/// A code that replaces, cut off anywhere: going on with it ends with one install, the new one.
#[tokio::test]
async fn a_replacement_that_is_cut_off_is_whole_after_going_on() {
    let first = |code: &str, now| arrival(request(Method::POST, "/install", Some(&body()), Some(code)), now);
    for fault in Fault::ALL {
        for n in 1.. {
            let mut desk = Desk::new().await;
            let (old, ..) = serving(&desk).await;
            let asked =
                json!({"do": "code", "app": "hello", "site_url": SITE, "base_url": BASE, "replace": true});
            let code = desk.operator(asked).await["code"].as_str().unwrap().to_owned();
            let faults = Faults::at(n, fault);
            faults.until_killed(install::handle(&desk.process(&faults), first(&code, NOW))).await;
            if !faults.struck() {
                break;
            }
            let at = format!("{fault:?} at {:?}", faults.log());
            desk.now += MINUTE;
            let management = desk.process(&Faults::none());
            let begun = Answered::from(install::handle(&management, first(&code, desk.now)).await);
            assert_eq!(begun.status, StatusCode::CREATED, "{at}: {begun:?}");
            ok(desk.complete(&code, &begun.id(), &registered()).await);
            upkeep(&desk, NOW + 20 * MINUTE).await;
            assert!(desk.stored(&old).await.is_none(), "{at}");
            assert_eq!(desk.stored(&begun.id()).await.unwrap().state, State::Active, "{at}");
            assert_eq!(desk.memory.kept(), 4, "{at}: an install, its site, its static token, its team");
            let kept = desk.memory.code(&Sha256::of(&code)).await.unwrap().unwrap();
            assert!(kept.spent, "{at}");
        }
    }
}
