//! The end of an install: it serves nobody any more, the app cleans up, nothing is left, and a caller who asks again reads the
//! same. Wherever it is cut off, somebody ends it.

use super::{bad_manage_code, leftovers, ok, serving, unauthorized, upkeep};
use crate::desk::{ADMIN, BOT, Behaviour, Desk, NOW, SITE, arrival, body, refusal, registered, request};
use cloud_apps_core::{
    functions::install,
    jobs::Worker,
    operator,
    store::{
        job::{Job, JobKind, QueueName},
        model::State,
        ports::Consumer,
    },
    testing::faults::{Fault, Faults},
};
use cloud_apps_protocol::Millis;
use http::{Method, StatusCode};
use serde_json::json;

const DAY: Millis = 24 * 3_600_000;

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

    // A caller who may ask again gets the same answer, and the app is not called.
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

/// Who holds a code may begin and remove as often as they like. What a removed install leaves on the queue ends at its first
/// look, a quarter of an hour later, however long the code is good.
#[tokio::test]
async fn an_install_that_was_begun_and_removed_leaves_no_job_until_its_code_ends() {
    let desk = Desk::new().await;
    let code = json!({
        "do": "code", "app": "hello", "site_url": SITE, "base_url": crate::desk::BASE, "valid_seconds": 86_400,
    });
    let code = desk.operator(code).await["code"].as_str().unwrap().to_owned();
    for _ in 0..5 {
        let begun = desk.begin(&code, &body()).await;
        let (kid, secret) =
            (begun.body["kid"].as_str().unwrap(), begun.body["shared_secret"].as_str().unwrap());
        let path = format!("/install/{}", begun.id());
        ok(desk.send(desk.signed(Method::DELETE, &path, "", kid, secret, "admin")).await);
    }
    upkeep(&desk, NOW + 16 * 60_000).await;
    let left = desk.memory.take(QueueName::Commands, 100, 1, NOW + 86_400_000).await.unwrap();
    assert!(left.is_empty(), "{} jobs", left.len());
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
    let work = JobKind::Watch { install: id.parse().unwrap(), rev: 1 };
    let management = desk.process(&Faults::none());
    let looked = management.work(&Job::new(work, 0, None, desk.now), desk.now, desk.now + 30_000).await;
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
    let request = json!({"do": "code", "app": "hello", "site_url": SITE, "base_url": crate::desk::BASE, "replace": true});
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
    let request = json!({"do": "code", "app": "hello", "site_url": SITE, "base_url": crate::desk::BASE, "replace": true});
    let code = desk.operator(request).await["code"].as_str().unwrap().to_owned();
    let refused = desk.begin(&code, &body()).await;
    assert_eq!(refused.code(), "already_installed");
    assert!(refused.message().contains(&format!("by user {ADMIN}")), "{}", refused.message());
}

#[tokio::test]
async fn what_is_being_removed_is_not_changed() {
    let desk = Desk::new().await;
    let (id, ..) = serving(&desk).await;
    let code = desk.manage_code(&id).await;
    let mut install = desk.stored(&id).await.unwrap();
    install.state = State::Removing;
    desk.memory.put_install(install);
    let refused = desk.patch(&id, &code, &json!({"enabled": true})).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "version_conflict"));
    assert!(refused.message().contains("Ask for its removal again"), "{}", refused.message());
    let another = desk.operator(json!({"do": "manage_code", "install_id": id})).await;
    assert!(another["error"]["message"].as_str().unwrap().contains("is being removed"), "{another}");
    ok(desk.delete(&id, &code).await);
    assert_eq!(desk.memory.kept(), 0);
}

#[tokio::test]
async fn an_install_whose_removal_began_before_it_was_complete_is_completed_no_more() {
    for n in 1.. {
        let desk = Desk::new().await;
        let code = desk.code().await;
        let id = desk.begin(&code, &body()).await.id();
        let request = json!({"operator": {"do": "remove", "install_id": id}});
        let faults = Faults::at(n, Fault::Before);
        operator::handle(&desk.process(&faults), request.clone(), NOW, "request-1").await;
        assert!(faults.struck(), "a removal ends with an undo");
        if faults.log().last() != Some(&"Registry.undo") {
            continue;
        }
        // What was answered is remembered already: it stays true.
        super::bad_code(&desk.complete(&code, &id, &registered()).await);
        let removed = operator::handle(&desk.process(&Faults::none()), request, NOW + 1, "request-1").await;
        assert_eq!(removed["removed"]["state"], "removed", "{removed}");
        assert_eq!(desk.memory.kept(), 0);
        break;
    }
}
