//! Room: what an install may hold is limited where it is added, and whatever it holds, also from before there were limits,
//! it can be looked at, switched off and removed.

use super::{managed, ok, problems, serving, upkeep};
use crate::desk::{
    BOT, Behaviour, COMMAND, Desk, NOW, PRIVATE_TEAM, SLASH_TOKEN, TEAM, refusal, request, rotation,
};
use cloud_apps_core::{
    operator,
    services::Management,
    store::{
        model::{Install, State},
        ports::Registry,
    },
    testing::{
        faults::{Fault, Faults},
        sample,
    },
};
use http::{Method, StatusCode};
use serde_json::{Value, json};

const KIB: usize = 1024;
/// Whatever is answered fits this.
const ANSWER: usize = 1024 * KIB;
/// The teams of the largest servers.
const TEAMS: usize = 700;

/// Fills an install up to what could be stored before there was a limit on what is added.
async fn fill(desk: &Desk, id: &str) {
    let mut install = desk.stored(id).await.unwrap();
    let room = 350 * KIB - serde_json::to_string(&install).unwrap().len() - 20;
    install.settings.insert("filling".into(), "x".repeat(room).into());
    desk.memory.put_install(install);
}

/// Registers a command in each of this many teams.
fn spread(desk: &Desk, id: &str, teams: usize) {
    for n in 0..teams {
        let team = sample::team("hello");
        desk.memory.put_registered(id.parse().unwrap(), sample::team_id(n), team);
    }
}

fn entry(team: &str) -> Value {
    json!({"kind": "slash_command", "team_id": team, "id": COMMAND, "trigger": "hello", "token": SLASH_TOKEN})
}

fn cleanups(desk: &Desk) -> usize {
    desk.calls().iter().filter(|call| call.function == "on_uninstall").count()
}

#[tokio::test]
async fn presets_have_64_kib() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let presets = |bytes: usize| {
        let preset = |n: usize| {
            json!({"name": format!("p{n}"), "label": "Greet", "function": "greet", "locations": ["message_box"],
                "values": {"x": "x".repeat(bytes)}})
        };
        json!({"presets": (0..60).map(preset).collect::<Vec<_>>()})
    };
    let said = problems(&desk.patch(&id, &code, &presets(1_200)).await);
    assert!(said[0].starts_with("/presets has ") && said[0].contains("may have 65536"), "{said:?}");
    assert!(desk.stored(&id).await.unwrap().presets.is_empty());
}

#[tokio::test]
async fn a_full_install_takes_nothing_more_and_gives_up_what_it_has() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    fill(&desk, &id).await;
    let preset = json!({"name": "hi", "label": "Hi", "function": "greet", "locations": ["message_box"]});
    let refused = desk.patch(&id, &code, &json!({"presets": [preset]})).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
    assert!(
        refused.message().contains("Send fewer or shorter presets and settings"),
        "{}",
        refused.message()
    );
    // What the app does not know any more goes with the next change of the settings.
    ok(desk.patch(&id, &code, &json!({"settings": {"retries": 4}})).await);
    ok(desk.patch(&id, &code, &json!({"presets": [preset]})).await);
}

#[tokio::test]
async fn a_full_install_is_disabled_enabled_cut_off_from_its_codes_rotated_and_removed() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    fill(&desk, &id).await;
    spread(&desk, &id, TEAMS);
    for enabled in [false, true, false] {
        let answered = ok(desk.patch(&id, &code, &json!({"enabled": enabled})).await);
        assert_eq!(answered["state"], if enabled { "active" } else { "disabled" });
        assert!(answered.to_string().len() < ANSWER);
    }
    for patch in [rotation(1), json!({"rotate": "static_token"})] {
        desk.change(&id, &patch).await;
    }
    let revoked = desk.operator(json!({"do": "revoke_manage_codes", "install_id": id})).await;
    assert_eq!(revoked["install_id"], *id, "{revoked}");
    let removed = desk.operator(json!({"do": "remove", "install_id": id})).await;
    assert_eq!(removed["removed"]["state"], "removed", "{removed}");
    assert_eq!((desk.memory.kept(), cleanups(&desk)), (0, 1));
}

#[tokio::test]
async fn a_server_of_700_teams_is_registered_listed_and_removed() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let teams: Vec<String> = (0..TEAMS).map(|n| sample::team_id(n).to_string()).collect();
    for some in teams.chunks(90) {
        let entries: Vec<Value> = some.iter().map(|team| entry(team)).collect();
        ok(desk.patch(&id, &code, &json!({ "register": entries })).await);
    }
    let path = format!("/install/{id}");
    let shown = ok(desk.send(request(Method::GET, &path, None, Some(&code))).await);
    assert_eq!(shown["registered"].as_array().unwrap().len(), TEAMS + 1);
    assert_eq!(shown["teams"].as_array().unwrap().len(), TEAMS + 1);

    let removed = ok(desk.delete(&id, &code).await);
    let leftovers = removed["leftovers"].as_array().unwrap();
    assert_eq!(leftovers.len(), TEAMS + 2);
    assert_eq!(leftovers.last().unwrap(), &json!({"kind": "bot", "id": BOT, "username": "hello"}));
    assert!(removed.to_string().len() < ANSWER && removed.get("more").is_none());
    assert_eq!((desk.memory.kept(), cleanups(&desk)), (0, 1));
    // A caller who asks again reads the same.
    assert_eq!(ok(desk.delete(&id, &code).await), removed);
    assert_eq!(desk.operator(json!({"do": "remove", "install_id": id})).await["removed"], removed);
}

#[tokio::test]
async fn what_was_registered_before_there_was_a_limit_goes_and_the_answer_says_that_there_is_more() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    spread(&desk, &id, 3_000);
    let shown = ok(desk.send(request(Method::GET, &format!("/install/{id}"), None, Some(&code))).await);
    assert!(shown.to_string().len() < ANSWER);
    let removed = ok(desk.delete(&id, &code).await);
    assert_eq!(removed["more"], true);
    assert_eq!(removed["leftovers"].as_array().unwrap().len(), 2_001, "and the bot");
    assert!(removed.to_string().len() < ANSWER);
    assert_eq!(desk.memory.kept(), 0);
    assert_eq!(ok(desk.delete(&id, &code).await), removed);
}

#[tokio::test]
async fn a_team_that_the_server_does_not_have_is_not_registered() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let invented = "xnventedxxxxxxxxxxxxxxxxxx";
    let entries = [entry(TEAM), entry(invented), entry(PRIVATE_TEAM)];
    let said = problems(&desk.patch(&id, &code, &json!({ "register": entries })).await);
    assert_eq!(
        said,
        ["/register/1/team_id is no team of https://chat.example.com: register what stands there"]
    );
    assert_eq!(desk.memory.teams(&id.parse().unwrap()).await.unwrap().len(), 1);
    // The bot is not in this one, but the server has it.
    ok(desk.patch(&id, &code, &json!({"register": [entry(PRIVATE_TEAM)]})).await);
}

#[tokio::test]
async fn an_install_has_at_most_1500_things_registered() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    spread(&desk, &id, 1_499);
    let (full, more) = (sample::team_id(1_600), sample::team_id(1_601));
    let refused = desk.patch(&id, &code, &json!({"register": [entry(full.as_str())]})).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
    assert!(refused.message().contains("more than the 1500"), "{}", refused.message());
    let gone = json!({"kind": "slash_command", "team_id": TEAM, "id": COMMAND, "trigger": "hello"});
    ok(desk.patch(&id, &code, &json!({"unregister": [gone]})).await);
    ok(desk.patch(&id, &code, &json!({"register": [entry(full.as_str())]})).await);
    assert_eq!(
        desk.patch(&id, &code, &json!({"register": [entry(more.as_str())]})).await.code(),
        "too_large"
    );
    // What takes the place of something needs no room.
    let mut again = entry(full.as_str());
    again["token"] = "hr75w5inzfn75kzmgg8cozbgm2".into();
    ok(desk.patch(&id, &code, &json!({ "register": [again] })).await);
}

#[tokio::test]
async fn a_long_farewell_of_the_app_does_not_keep_its_install() {
    let desk = Desk::new().await;
    let (id, ..) = serving(&desk).await;
    fill(&desk, &id).await;
    desk.behave(refusal(&"\u{1F511}".repeat(200_000)));
    let removed = desk.operator(json!({"do": "remove", "install_id": id})).await;
    let warning = removed["removed"]["warning"].as_str().unwrap_or_else(|| panic!("{removed}"));
    assert_eq!(warning.chars().count(), 1_000);
    assert!(warning.ends_with('…'));
    assert_eq!(desk.memory.kept(), 0);
}

async fn remove(management: &Management, id: &str, now: u64) -> Value {
    let request = json!({"operator": {"do": "remove", "install_id": id}});
    operator::handle(management, request, now, "request-1").await
}

#[tokio::test]
async fn a_removal_that_fails_again_and_again_asks_the_app_once() {
    let desk = Desk::new().await;
    let (id, ..) = serving(&desk).await;
    // Each time the ledger does not keep what is to be answered.
    for n in 0..6 {
        let now = NOW + n * 31_000;
        let faults = strikes_at(&desk, &id, "Ledger.put", Fault::Before, now).await;
        let refused = remove(&desk.process(&faults), &id, now).await;
        assert_eq!(refused["error"]["code"], "unavailable", "{refused}");
        assert_eq!(cleanups(&desk), 1);
    }
    assert_eq!(desk.stored(&id).await.unwrap().state, State::Removing);
    let removed = remove(&desk.process(&Faults::none()), &id, NOW + 186_000).await;
    assert_eq!(removed["removed"]["state"], "removed", "{removed}");
    assert_eq!((desk.memory.kept(), cleanups(&desk)), (0, 1));
}

#[tokio::test]
async fn an_app_whose_cleaning_up_kills_the_process_is_asked_three_times_and_no_more() {
    let desk = Desk::new().await;
    let (id, ..) = serving(&desk).await;
    let mut tries = 0;
    let removed = loop {
        assert!(tries < 10, "the removal never ends");
        let now = NOW + tries * 31_000;
        tries += 1;
        // The process dies when the app's function ran, before anybody hears of it.
        let faults = strikes_at(&desk, &id, "App.on_uninstall", Fault::KillAfter, now).await;
        let management = desk.process(&faults);
        if let Some(removed) = faults.until_killed(remove(&management, &id, now)).await {
            break removed;
        }
    };
    assert_eq!(cleanups(&desk), 3);
    let warning = removed["removed"]["warning"].as_str().unwrap();
    assert!(warning.contains("was asked 3 times to clean up after itself"), "{warning}");
    assert_eq!(desk.memory.kept(), 0);
}

/// Faults that strike at the first of these effects of a removal, where it has one.
async fn strikes_at(desk: &Desk, id: &str, effect: &str, fault: Fault, now: u64) -> Faults {
    let copy = Desk::new().await;
    copy.memory.put_ring(
        cloud_apps_core::store::ports::Keys::ring(&desk.memory, &sample::app()).await.unwrap().unwrap(),
    );
    copy.memory.put_install(desk.stored(id).await.unwrap());
    let faults = Faults::none();
    remove(&copy.process(&faults), id, now).await;
    match faults.log().iter().position(|call| *call == effect) {
        Some(at) => Faults::at(at + 1, fault),
        None => Faults::none(),
    }
}

#[tokio::test]
async fn of_two_removals_at_once_one_asks_the_app_and_the_other_reads_when_to_ask_again() {
    let desk = Desk::new().await;
    let (id, ..) = serving(&desk).await;
    let (began, go_on) =
        (std::sync::Arc::new(tokio::sync::Notify::new()), std::sync::Arc::new(tokio::sync::Notify::new()));
    desk.behave(Behaviour::Waits(began.clone(), go_on.clone()));
    let management = desk.management();
    let (first, second) = tokio::join!(remove(&management, &id, NOW), async {
        began.notified().await;
        let second = remove(&management, &id, NOW + 1_000).await;
        go_on.notify_one();
        second
    });
    assert_eq!(first["removed"]["state"], "removed", "{first}");
    let said = second["error"]["message"].as_str().unwrap();
    assert!(said.contains("its app is cleaning up. Ask again in 29 s"), "{second}");
    assert_eq!(cleanups(&desk), 1);
}

/// An install as full as could be, of 700 teams.
async fn full() -> (Desk, String) {
    let desk = Desk::new().await;
    let (id, ..) = serving(&desk).await;
    fill(&desk, &id).await;
    spread(&desk, &id, TEAMS);
    (desk, id)
}

#[tokio::test]
async fn a_full_install_whose_removal_is_cut_off_anywhere_is_removed_by_the_next_request_or_by_the_queue_alone()
 {
    for fault in Fault::ALL {
        for n in 1.. {
            let (desk, id) = full().await;
            let faults = Faults::at(n, fault);
            let began = faults.until_killed(remove(&desk.process(&faults), &id, NOW)).await;
            if !faults.struck() {
                assert!(n > 8, "{began:?}");
                break;
            }
            let at = format!("{fault:?} at {:?}", faults.log());
            if n % 2 == 0 {
                let again = remove(&desk.process(&Faults::none()), &id, NOW + 31_000).await;
                assert_eq!(
                    again["removed"]["leftovers"].as_array().map(Vec::len),
                    Some(TEAMS + 2),
                    "{at}: {again}"
                );
            }
            upkeep(&desk, NOW + 20 * 60_000).await;
            match desk.stored(&id).await {
                None => assert_eq!(desk.memory.kept(), 0, "{at}"),
                // It never began.
                Some(Install { state, .. }) => assert!(n % 2 == 1 && state == State::Active, "{at}"),
            }
            assert!(cleanups(&desk) <= 2, "{at}");
        }
    }
}
