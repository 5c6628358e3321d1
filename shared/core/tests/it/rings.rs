//! Key rings as operators look after them: a key is added, everything moves to it, the old one is revoked, and nothing
//! stops working on the way.

use crate::desk::{ACCESS_TOKEN, Desk, NOW, PASSWORD, body, rotation};
use crate::install::upkeep;
use cloud_apps_core::{
    functions::deliver,
    http::{LogLine, Refusal},
    install::RequestInfo,
    jobs::Next,
    operator,
    services::Management,
    store::{
        document,
        job::JobKind,
        ports::{Keys, Ledger},
    },
    testing::{
        faults::{Fault, Faults},
        sample,
    },
};
use cloud_apps_protocol::Millis;
use http::StatusCode;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const MINUTE: u64 = 60_000;

/// A V2 install and an unmodified server's, and their ids.
async fn two_installs(desk: &Desk) -> (String, String) {
    let code = desk.code().await;
    let v2 = desk.install(&code, &body()).await;
    let site = "https://unmodified.example.com";
    let code = desk.code_for(site).await;
    let mut other = body();
    other["server"]["site_url"] = site.into();
    other["v2"] = false.into();
    (v2, desk.install(&code, &other).await)
}

async fn keys(desk: &Desk, request: Value) -> Vec<Value> {
    let answer = desk.operator(request).await;
    answer["keys"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

fn message(answer: &Value) -> &str {
    answer["error"]["message"].as_str().unwrap_or_else(|| panic!("no error: {answer}"))
}

async fn look(management: &Management, work: &JobKind, now: Millis) -> Result<Next, Refusal> {
    let request_info = RequestInfo { now, deadline: now + 30_000, request_id: "job-1" };
    deliver::step(management, work, request_info, &mut LogLine::apart("job", "job-1", None)).await
}

/// Runs the walk from its beginning to its end.
async fn walk(desk: &Desk) {
    let mut work = JobKind::Reseal { app: sample::app(), cursor: None };
    while let Next::Step { in_ms, kind: next } =
        look(&desk.management(), &work, desk.now).await.unwrap_or_else(|e| panic!("{}", e.message))
    {
        assert_eq!(in_ms, 0, "the key is in use");
        work = next.unwrap();
    }
}

/// Whether what the install keeps can be opened.
async fn opens(desk: &Desk, id: &str) -> bool {
    let (management, install) = (desk.process(&Faults::none()), desk.stored(id).await.unwrap());
    let token = management.services.keys.open_bot_token(&install, desk.now).await;
    let settings = management.services.keys.open_settings(&install, desk.now).await;
    token.is_ok_and(|held| held.token.expose_secret() == ACCESS_TOKEN)
        && settings.is_ok_and(|settings| settings["password"] == PASSWORD)
}

#[tokio::test]
async fn a_new_key_is_used_from_15_minutes_later_on_and_asking_again_meanwhile_adds_no_other() {
    let mut desk = Desk::new().await;
    let (v2, unmodified) = two_installs(&desk).await;
    let rotated = keys(&desk, json!({"do": "rotate_keys", "app": "hello"})).await;
    assert_eq!(rotated.len(), 2);
    assert_eq!(
        rotated[0],
        json!({"id": "1", "created_at": NOW, "use_from": 0, "state": "live", "installs": 2})
    );
    let second =
        json!({"id": "2", "created_at": NOW, "use_from": NOW + 15 * MINUTE, "state": "live", "installs": 0});
    assert_eq!(rotated[1], second);
    desk.now += MINUTE;
    assert_eq!(keys(&desk, json!({"do": "rotate_keys", "app": "hello"})).await, rotated);

    let work = JobKind::Reseal { app: sample::app(), cursor: None };
    let early = look(&desk.management(), &work, desk.now).await;
    assert_eq!(early.ok(), Some(Next::Step { in_ms: 14 * MINUTE, kind: None }));

    desk.now = NOW + 15 * MINUTE;
    walk(&desk).await;
    let listed = keys(&desk, json!({"do": "keys", "app": "hello"})).await;
    // The V2 server's shared secret still comes from the first key.
    assert_eq!((&listed[0]["installs"], &listed[1]["installs"]), (&json!(1), &json!(2)));
    assert_eq!(desk.stored(&unmodified).await.unwrap().key.as_str(), "2");
    assert_eq!(desk.stored(&v2).await.unwrap().key.as_str(), "1");
    assert!(opens(&desk, &v2).await && opens(&desk, &unmodified).await);

    let revs = (desk.stored(&v2).await.unwrap().rev, desk.stored(&unmodified).await.unwrap().rev);
    walk(&desk).await;
    let after = (desk.stored(&v2).await.unwrap().rev, desk.stored(&unmodified).await.unwrap().rev);
    assert_eq!(revs, after, "what is sealed with the current key is not written again");
}

#[tokio::test]
async fn a_key_that_installs_depend_on_is_revoked_by_force_only() {
    let mut desk = Desk::new().await;
    let (v2, unmodified) = two_installs(&desk).await;
    let revoke = json!({"do": "revoke_key", "app": "hello", "key": "1"});
    let only = desk.operator(revoke.clone()).await;
    assert!(
        message(&only).contains("only live key") && message(&only).contains("keys rotate hello"),
        "{only}"
    );
    keys(&desk, json!({"do": "rotate_keys", "app": "hello"})).await;
    let refused = desk.operator(revoke.clone()).await;
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["installs"]),
        (&json!("version_conflict"), &json!(2))
    );
    for next in ["cloud-apps rotate", "keys rotate hello", "--force", "2 installs"] {
        assert!(message(&refused).contains(next), "{refused}");
    }
    desk.now += 15 * MINUTE;
    walk(&desk).await;
    let refused = desk.operator(revoke.clone()).await;
    assert_eq!(refused["error"]["installs"], 1, "the V2 server's secret: {refused}");

    let force = json!({"do": "revoke_key", "app": "hello", "key": "1", "force": true});
    let revoked = keys(&desk, force.clone()).await;
    assert_eq!(revoked[0]["state"], "revoked");
    assert_eq!(keys(&desk, force).await, revoked, "once more is the same");
    assert!(opens(&desk, &v2).await && opens(&desk, &unmodified).await);
}

#[tokio::test]
async fn what_a_rotation_replaced_depends_on_its_key_for_a_day_and_a_vendors_secret_for_ever() {
    let mut desk = Desk::new().await;
    let id = desk.install(&desk.code().await, &body()).await;
    let mut install = desk.stored(&id).await.unwrap();
    install.granted.webhooks.insert("tickets".into());
    desk.memory.put_install(install);
    let change = |what: &str| json!({"do": "change", "install_id": id, "patch": {"rotate": what}});
    desk.operator(change("webhook:tickets")).await;
    keys(&desk, json!({"do": "rotate_keys", "app": "hello"})).await;
    desk.now += 15 * MINUTE;
    walk(&desk).await;
    desk.change(&id, &rotation(1)).await;
    let list = json!({"do": "keys", "app": "hello"});
    let used = |keys: &[Value]| (keys[0]["installs"].clone(), keys[1]["installs"].clone());
    assert_eq!(used(&keys(&desk, list.clone()).await), (json!(1), json!(1)));
    desk.operator(change("webhook:tickets")).await;
    assert_eq!(
        used(&keys(&desk, list.clone()).await),
        (json!(1), json!(1)),
        "the secret before is still good"
    );
    let refused = desk.operator(json!({"do": "revoke_key", "app": "hello", "key": "1"})).await;
    assert!(message(&refused).contains("accepted for 24 hours"), "{refused}");
    desk.now += 24 * 60 * MINUTE;
    assert_eq!(used(&keys(&desk, list).await), (json!(0), json!(1)));
}

#[tokio::test]
async fn a_key_revoked_before_the_next_is_in_use_puts_the_next_in_use() {
    let desk = Desk::new().await;
    keys(&desk, json!({"do": "rotate_keys", "app": "hello"})).await;
    let revoked = keys(&desk, json!({"do": "revoke_key", "app": "hello", "key": "1"})).await;
    assert_eq!(revoked[1]["use_from"], NOW);
    let code = desk.code().await;
    let begun = desk.begin(&code, &body()).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    assert!(begun.body["kid"].as_str().unwrap().starts_with("hello.2."));
}

#[tokio::test]
async fn what_cannot_be_done_to_a_ring_says_what_to_do() {
    let desk = Desk::empty();
    let none = desk.operator(json!({"do": "rotate_keys", "app": "hello"})).await;
    assert!(message(&none).contains("cloud-apps operator register"), "{none}");
    desk.operator(json!({"do": "register"})).await;
    let unknown = desk.operator(json!({"do": "revoke_key", "app": "hello", "key": "7"})).await;
    assert!(message(&unknown).contains("cloud-apps operator keys list hello"), "{unknown}");
    assert!(desk.memory.put("RING#hello", "changing", NOW + 30_000, NOW).await.unwrap());
    let busy = desk.operator(json!({"do": "rotate_keys", "app": "hello"})).await;
    assert!(message(&busy).contains("Try again in 30 seconds"), "{busy}");
}

#[tokio::test]
async fn nothing_shows_a_root() {
    let desk = Desk::new().await;
    let answer = desk.operator(json!({"do": "rotate_keys", "app": "hello"})).await;
    let ring = desk.memory.ring(&sample::app()).await.unwrap().unwrap();
    assert_eq!(ring.keys.len(), 2);
    assert_ne!(ring.keys[0].root.expose(), ring.keys[1].root.expose());
    for key in &ring.keys {
        let root = key.root.to_base64url();
        assert!(!answer.to_string().contains(root.as_str()) && !desk.memory.dump().contains(root.as_str()));
    }
}

#[tokio::test]
async fn a_rotation_cut_off_anywhere_is_whole_after_the_next() {
    for fault in Fault::ALL {
        for n in 1.. {
            let mut desk = Desk::new().await;
            let mut wanted = body();
            wanted["v2"] = false.into();
            let id = desk.install(&desk.code().await, &wanted).await;
            let faults = Faults::at(n, fault);
            let process = desk.process(&faults);
            let run = async |request: Value, now| {
                operator::handle(&process, json!({ "operator": request }), now, "request-1").await
            };
            let rotate = json!({"do": "rotate_keys", "app": "hello"});
            let walk_once = async |now| {
                let work = JobKind::Reseal { app: sample::app(), cursor: None };
                let _ = look(&process, &work, now).await;
            };
            let later = NOW + 15 * MINUTE;
            faults
                .until_killed(async {
                    run(rotate.clone(), NOW).await;
                    walk_once(later).await;
                    run(json!({"do": "revoke_key", "app": "hello", "key": "1"}), later).await;
                })
                .await;
            if !faults.struck() {
                assert!(n > 8, "a rotation has more than {n} effects");
                break;
            }
            // The lock of a process that died ends by itself.
            desk.now = later + MINUTE;
            keys(&desk, rotate.clone()).await;
            desk.now += 15 * MINUTE;
            walk(&desk).await;
            assert!(opens(&desk, &id).await, "{fault:?} at {:?}", faults.log());
            let old = json!({"do": "revoke_key", "app": "hello", "key": "1"});
            assert_eq!(keys(&desk, old).await[0]["state"], "revoked");
            assert!(opens(&desk, &id).await, "{fault:?} at {:?}", faults.log());
        }
    }
}

/// Installs on servers of their own, enough for two pages of the walk.
async fn many_installs(desk: &Desk) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..30 {
        let site = sample::site(n).to_string();
        let code = desk.code_for(&site).await;
        let mut wanted = body();
        wanted["server"]["site_url"] = site.into();
        wanted["v2"] = false.into();
        ids.push(desk.install(&code, &wanted).await);
    }
    ids
}

#[tokio::test]
async fn an_install_that_fails_keeps_no_other_from_moving_to_the_new_key_and_is_named() {
    let mut desk = Desk::new().await;
    let ids = many_installs(&desk).await;
    // One cannot be read any more, and one is too large to be written.
    let (unread, large) = (ids[3].clone(), ids[4].clone());
    desk.memory.spoil_install(unread.parse().unwrap());
    let mut install = desk.stored(&large).await.unwrap();
    // In a list: a password opens beside the texts only that it was given with.
    install.settings.insert("filling".into(), json!(["x".repeat(document::MAX_DOCUMENT)]));
    desk.memory.put_install(install);

    let rotated = keys(&desk, json!({"do": "rotate_keys", "app": "hello"})).await;
    assert_eq!((rotated.len(), &rotated[0]["installs"]), (2, &json!(29)), "of those that can be read");
    desk.now += 15 * MINUTE;
    for minutes in [0, 5, 10, 30, 60, 120] {
        upkeep(&desk, desk.now + minutes * MINUTE).await;
    }
    for id in ids.iter().filter(|id| **id != unread) {
        let moved = desk.stored(id).await.unwrap().key.as_str() == "2";
        assert_eq!(moved, *id != large, "{id}");
        assert!(opens(&desk, id).await, "{id}");
    }
    // Each of the two has a dead letter of its own, that says what to do next.
    for id in [&unread, &large] {
        let letters = desk.operator(json!({"do": "dead_letters", "install_id": id})).await;
        let letters = letters["dead_letters"].as_array().unwrap_or_else(|| panic!("{letters}"));
        let of_the_walk = letters.iter().filter(|letter| letter["kind"] == "reseal_install").count();
        assert_eq!(of_the_walk, 1, "{id}: {letters:?}");
    }
    let none = desk.operator(json!({"do": "dead_letters"})).await;
    assert_eq!(none["dead_letters"], json!([]), "the walk itself was not given up");

    let refused = desk.operator(json!({"do": "revoke_key", "app": "hello", "key": "1"})).await;
    assert_eq!(refused["error"]["installs"], 2, "{refused}");
    assert_eq!(refused["error"]["install_ids"], json!([large, unread]), "{refused}");
    for said in [
        format!("1 install of hello still depends on key 1: {} ({large})", sample::site(4)),
        format!("cannot be read, so nobody knows what they depend on: {} ({unread})", sample::site(3)),
    ] {
        assert!(message(&refused).contains(&said), "{said}: {refused}");
    }
    let force = json!({"do": "revoke_key", "app": "hello", "key": "1", "force": true});
    assert_eq!(keys(&desk, force).await[0]["state"], "revoked");
    for id in ids.iter().filter(|id| **id != unread && **id != large) {
        assert!(opens(&desk, id).await, "{id}");
    }
}

#[tokio::test]
async fn a_line_of_the_list_that_cannot_be_read_stops_nothing_and_is_named() {
    let mut desk = Desk::new().await;
    let ids = many_installs(&desk).await;
    let site = sample::site(3);
    desk.memory.spoil_site(sample::app(), site.clone());

    let rotated = keys(&desk, json!({"do": "rotate_keys", "app": "hello"})).await;
    assert_eq!((rotated.len(), &rotated[0]["installs"]), (2, &json!(29)), "of those that can be read");
    desk.now += 15 * MINUTE;
    walk(&desk).await;
    for id in &ids {
        let moved = desk.stored(id).await.unwrap().key.as_str() == "2";
        assert_eq!(moved, *id != ids[3], "{id}");
        assert!(opens(&desk, id).await, "{id}");
    }

    // It may depend on any key, so none is revoked without force.
    for key in ["1", "2"] {
        let refused = desk.operator(json!({"do": "revoke_key", "app": "hello", "key": key})).await;
        let said = format!("cannot be read, so nobody knows what they depend on: {site}.");
        assert!(message(&refused).contains(&said), "{refused}");
    }
    let listed = desk.operator(json!({"do": "list", "app": "hello"})).await;
    assert_eq!(listed["installs"].as_array().unwrap().len(), 29);
    assert_eq!(listed["unread"][0]["site"], site.as_str());
    assert!(listed["unread"][0]["why"].as_str().unwrap().contains("version 2"), "{listed}");
    let registered = desk.operator(json!({"do": "register"})).await;
    assert_eq!(registered["apps"].as_array().map(Vec::len), Some(1), "{registered}");

    let force = json!({"do": "revoke_key", "app": "hello", "key": "1", "force": true});
    assert_eq!(keys(&desk, force).await[0]["state"], "revoked");
}

#[tokio::test]
async fn a_key_is_revoked_by_force_although_the_installs_cannot_be_read() {
    let request = json!({"operator": {"do": "revoke_key", "app": "hello", "key": "1", "force": true}});
    // After the lock, the ring, and the ring's writing.
    for n in 4.. {
        let desk = Desk::new().await;
        two_installs(&desk).await;
        keys(&desk, json!({"do": "rotate_keys", "app": "hello"})).await;
        let faults = Faults::at(n, Fault::Before);
        operator::handle(&desk.process(&faults), request.clone(), NOW, "request-1").await;
        let ring = desk.memory.ring(&sample::app()).await.unwrap().unwrap();
        assert!(ring.keys[0].revoked, "{n}");
        if !faults.struck() {
            assert!(n > 6, "{n}");
            return;
        }
    }
}

#[tokio::test]
async fn a_key_that_is_revoked_is_never_told_as_an_error() {
    let request = json!({"operator": {"do": "revoke_key", "app": "hello", "key": "1", "force": true}});
    for n in 1.. {
        let desk = Desk::new().await;
        two_installs(&desk).await;
        keys(&desk, json!({"do": "rotate_keys", "app": "hello"})).await;
        // Once, and once more, when it is revoked already.
        for again in [false, true] {
            let faults = Faults::at(n, Fault::Before);
            // The lock of the first, if it was left behind, has ended by then.
            let now = if again { NOW + MINUTE } else { NOW };
            let answer = operator::handle(&desk.process(&faults), request.clone(), now, "request-1").await;
            let ring = desk.memory.ring(&sample::app()).await.unwrap().unwrap();
            let told = answer.get("error").is_none();
            // The lock and the ring come first: nobody knows then what stands in it.
            assert!(told == ring.keys[0].revoked || again && n <= 2, "{n}, {again}: {answer}");
            if told {
                assert_eq!(answer["keys"][0]["state"], "revoked", "{answer}");
            }
            if !faults.struck() && !again {
                assert!(n > 6, "{n}");
                return;
            }
        }
    }
}
