//! An install that is cut off: at each of its effects, in each way, by enumeration. A caller who goes on with the same code
//! or starts over with a new one ends with an install that is whole; one that the app refuses ends with nothing.
//!
//! Effects are counted where they happen ([`Faulty`](cloud_apps_core::testing::faults::Faulty) around every port, and the
//! app's own function), so an effect that is added later is tried too.

use crate::desk::{Answered, BASE, Desk, SITE, TEAM, arrival, body, refusal, registered, request};
use cloud_apps_core::{
    functions::install,
    operator,
    services::Management,
    store::{
        model::{Sha256, State},
        ports::{Installs, Registry},
    },
    testing::faults::{Fault, Faults},
};
use cloud_apps_protocol::{InstallId, Millis};
use http::{Method, StatusCode};
use serde_json::json;

/// Longer than any lease.
const LATER: Millis = 31_000;

/// An installer: it has a code, and remembers the id it was given.
struct Installer {
    code: String,
    id: Option<String>,
}

impl Installer {
    /// Goes on where it stands; what it was answered last.
    async fn go_on(&mut self, management: &Management, now: Millis) -> Answered {
        if let Some(id) = self.id.clone() {
            let completed = self.complete(management, &id, now).await;
            if completed.status != StatusCode::UNAUTHORIZED {
                return completed;
            }
            // It was undone: from the beginning.
            self.id = None;
        }
        let first = request(Method::POST, "/install", Some(&body()), Some(&self.code));
        let begun = Answered::from(install::handle(management, arrival(first, now)).await);
        if begun.status != StatusCode::CREATED {
            return begun;
        }
        let id = begun.id();
        self.id = Some(id.clone());
        self.complete(management, &id, now).await
    }

    async fn complete(&self, management: &Management, id: &str, now: Millis) -> Answered {
        let path = format!("/install/{id}/complete");
        let complete = request(Method::POST, &path, Some(&registered()), Some(&self.code));
        Answered::from(install::handle(management, arrival(complete, now)).await)
    }
}

/// One run that is cut off at its n-th effect; whether it has that many.
async fn cut_off(
    desk: &Desk,
    installer: &mut Installer,
    n: usize,
    fault: Fault,
) -> (bool, Vec<&'static str>) {
    let faults = Faults::at(n, fault);
    let management = desk.process(&faults);
    faults.until_killed(installer.go_on(&management, desk.now)).await;
    (faults.struck(), faults.log())
}

/// Whatever serves is whole, and nothing is kept that is not an install's.
async fn whole_or_not_at_all(desk: &Desk, at: &str) {
    let page = desk.memory.list(&"hello".parse().unwrap(), 100, None).await.unwrap();
    assert!(page.items.len() <= 1, "{at}: two installs on one site");
    let Some(entry) = page.items.first() else {
        assert_eq!(desk.memory.kept(), 0, "{at}: something is left of nothing");
        return;
    };
    let install = Installs::find(&desk.memory, &entry.install).await.unwrap();
    let install = install.unwrap_or_else(|| panic!("{at}: a site without its install"));
    if install.state == State::Active {
        is_whole(desk, &entry.install, at).await;
    }
}

async fn is_whole(desk: &Desk, id: &InstallId, at: &str) {
    let install = Installs::find(&desk.memory, id).await.unwrap().unwrap();
    assert_eq!(install.state, State::Active, "{at}");
    assert_eq!(desk.memory.kept(), 4, "{at}: an install, its site, its static token, its team");
    let teams = desk.memory.teams(id).await.unwrap();
    assert_eq!(teams.len(), 1, "{at}");
    assert_eq!(teams[0].0.as_str(), TEAM, "{at}");
    assert_eq!(teams[0].1.commands["hello"].token_sha256, Sha256::of(crate::desk::SLASH_TOKEN), "{at}");
    let token = install.static_token.unwrap();
    assert_eq!(desk.memory.find_static_token(&token).await.unwrap().as_ref(), Some(id), "{at}");
    let mut deliveries: Vec<_> =
        desk.calls().into_iter().filter(|call| call.install == *id).map(|call| call.delivery).collect();
    assert!(!deliveries.is_empty(), "{at}: it serves, and its install function never ran");
    deliveries.dedup();
    assert_eq!(deliveries.len(), 1, "{at}: a repeated call is another delivery");
}

/// Runs `case` for every effect and every way to fail there, until a run has no effect left to fail.
async fn at_every_effect(case: impl AsyncFn(usize, Fault) -> (bool, Vec<&'static str>)) -> Vec<&'static str> {
    let mut longest = Vec::new();
    for fault in Fault::ALL {
        for n in 1.. {
            assert!(n < 200, "a run never ends");
            let (struck, log) = case(n, fault).await;
            if !struck {
                assert_eq!(n, log.len() + 1, "every effect was struck");
                longest = log;
                break;
            }
        }
    }
    longest
}

#[tokio::test]
async fn an_install_that_is_cut_off_is_whole_after_going_on_with_the_same_code() {
    let effects = at_every_effect(async |n, fault| {
        let mut desk = Desk::new().await;
        let mut installer = Installer { code: desk.code().await, id: None };
        let (struck, log) = cut_off(&desk, &mut installer, n, fault).await;
        let at = format!("{fault:?} at {n} of {log:?}");
        whole_or_not_at_all(&desk, &at).await;
        for attempt in 1.. {
            assert!(attempt < 5, "{at}: going on does not end");
            desk.now += LATER;
            let management = desk.process(&Faults::none());
            let answered = installer.go_on(&management, desk.now).await;
            whole_or_not_at_all(&desk, &at).await;
            if answered.status == StatusCode::OK {
                assert_eq!(answered.body["state"], "active", "{at}");
                break;
            }
            // The app's function said that it failed: that is a refusal, and all was undone.
            assert_eq!(answered.status, StatusCode::UNPROCESSABLE_ENTITY, "{at}: {answered:?}");
        }
        is_whole(&desk, &installer.id.unwrap().parse().unwrap(), &at).await;
        (struck, log)
    })
    .await;
    for effect in ["Registry.begin", "Registry.put_team", "App.on_install", "Registry.activate"] {
        assert!(effects.contains(&effect), "{effect} is not among {effects:?}");
    }
}

#[tokio::test]
async fn an_install_that_is_cut_off_gives_way_to_another_code_when_its_own_has_expired() {
    at_every_effect(async |n, fault| {
        let mut desk = Desk::new().await;
        let mut installer = Installer { code: desk.code().await, id: None };
        let (struck, log) = cut_off(&desk, &mut installer, n, fault).await;
        let at = format!("{fault:?} at {n} of {log:?}");
        whole_or_not_at_all(&desk, &at).await;
        let first = installer.id.clone();

        desk.now += 15 * 60_000 + LATER;
        let mut other = Installer { code: desk.code().await, id: None };
        let answered = other.go_on(&desk.process(&Faults::none()), desk.now).await;
        if answered.status == StatusCode::CONFLICT {
            // Only what is whole stands in the way.
            assert_eq!(answered.code(), "already_installed", "{at}");
            is_whole(&desk, &first.unwrap().parse().unwrap(), &at).await;
        } else {
            assert_eq!(answered.status, StatusCode::OK, "{at}: {answered:?}");
            is_whole(&desk, &other.id.unwrap().parse().unwrap(), &at).await;
        }
        (struck, log)
    })
    .await;
}

#[tokio::test]
async fn an_install_that_the_app_refuses_leaves_nothing_wherever_it_is_cut_off() {
    let effects = at_every_effect(async |n, fault| {
        let mut desk = Desk::new().await;
        desk.behave(refusal("No."));
        let mut installer = Installer { code: desk.code().await, id: None };
        let (struck, log) = cut_off(&desk, &mut installer, n, fault).await;
        let at = format!("{fault:?} at {n} of {log:?}");
        whole_or_not_at_all(&desk, &at).await;
        desk.now += LATER;
        let answered = installer.go_on(&desk.process(&Faults::none()), desk.now).await;
        assert_eq!(answered.code(), "install_refused", "{at}: {answered:?}");
        assert_eq!(desk.memory.kept(), 0, "{at}");
        let code = desk.memory.code(&Sha256::of(&installer.code)).await.unwrap().unwrap();
        assert!(code.install.is_none() && !code.spent, "{at}: the code is good for another try");
        (struck, log)
    })
    .await;
    assert!(effects.contains(&"Registry.undo"), "{effects:?}");
}

#[tokio::test]
async fn an_operator_that_is_cut_off_may_ask_again() {
    at_every_effect(async |n, fault| {
        let desk = Desk::empty();
        let faults = Faults::at(n, fault);
        let management = desk.process(&faults);
        let ask = async |management: &Management| {
            operator::handle(management, json!({"operator": {"do": "register"}}), desk.now, "r").await;
            let code = json!({"do": "code", "app": "hello", "site_url": SITE, "base_url": BASE});
            operator::handle(management, json!({ "operator": code }), desk.now, "r").await
        };
        faults.until_killed(ask(&management)).await;
        let at = format!("{fault:?} at {n} of {:?}", faults.log());
        let answer = ask(&desk.management()).await;
        assert!(answer["code"].is_string(), "{at}: {answer}");
        let apps = desk.operator(json!({"do": "apps"})).await;
        assert_eq!(apps["apps"][0]["id"], "hello", "{at}: {apps}");
        desk.install(answer["code"].as_str().unwrap(), &body()).await;
        (faults.struck(), faults.log())
    })
    .await;
}
