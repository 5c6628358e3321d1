//! DynamoDB, on both emulators.

use crate::emulators::{Emulator, Tables};
use crate::wire::Wire;
use aws_sdk_dynamodb::types::AttributeValue;
use cloud_apps_aws::dynamodb::Dynamo;
use cloud_apps_core::{
    store::{
        model::{Catalogue, Install, Sha256, State},
        ports::{Apps, Begun, Changed, ClaimAnswer, Installs, Ledger, Registry, StoreError},
        rules,
    },
    testing::{conformance, sample},
};
use cloud_apps_protocol::Generation;
use std::sync::{Arc, Mutex};

macro_rules! on_both {
    ($($(#[$attribute:meta])* $case:ident)*) => {
        mod on_dynamodb_local {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                super::$case(super::Emulator::dynamodb_local()).await;
            })*
        }
        mod on_the_emulator_of_the_stack {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                super::$case(super::Emulator::of_the_stack()).await;
            })*
        }
    };
}

on_both! {
    the_tables_keep_installs_and_the_registry
    the_tables_keep_apps_and_manage_codes
    installs_are_listed_beside_a_line_that_cannot_be_read
    a_manifest_that_cannot_be_read_is_listed_and_removed
    the_table_keeps_the_ledger
    an_undo_that_was_cut_off_at_any_request_is_finished
    items_have_the_documented_attributes
    an_item_of_a_later_version_is_not_read
    an_app_of_an_earlier_version_is_read_replaced_and_removed
    a_document_that_cannot_be_read_is_named_without_its_content
    a_lost_answer_does_not_make_a_first_use_a_second
    a_lost_answer_does_not_make_a_change_somebody_elses
    a_lost_answer_does_not_make_a_transaction_happen_twice
    a_transaction_that_met_another_is_asked_again_with_another_token
    a_store_that_throttles_is_busy
    a_part_of_a_batch_that_was_left_out_is_asked_for_again
    every_request_names_the_function
    budgets_are_kept
    a_missing_table_is_named_with_the_operation
}

async fn the_tables_keep_installs_and_the_registry(emulator: Emulator) {
    conformance::installs_and_registry(async || emulator.tables().await.store()).await;
}

async fn the_tables_keep_apps_and_manage_codes(emulator: Emulator) {
    conformance::apps_and_manage_codes(async || emulator.tables().await.store()).await;
}

async fn the_table_keeps_the_ledger(emulator: Emulator) {
    conformance::ledger(async || emulator.tables().await.store()).await;
}

async fn an_undo_that_was_cut_off_at_any_request_is_finished(emulator: Emulator) {
    for cut in [Wire::cut_before, Wire::cut_after] {
        let tables = Mutex::new(None);
        let make = async || {
            let made = emulator.tables().await;
            let store = made.store();
            *tables.lock().unwrap() = Some(made);
            store
        };
        conformance::interrupted_undo(make, |_, n| {
            let tables = tables.lock().unwrap();
            let (store, wire) = tables.as_ref().unwrap().once_over(cut(n));
            (store, move || wire.struck())
        })
        .await;
    }
}

async fn installs_are_listed_beside_a_line_that_cannot_be_read(emulator: Emulator) {
    let tables = emulator.tables().await;
    conformance::unread_sites(tables.store(), async |site| {
        let update = tables.clients.dynamodb().update_item().table_name(&tables.installs);
        update
            .key("pk", AttributeValue::S(format!("APP#{}", sample::app())))
            .key("sk", AttributeValue::S(format!("SITE#{site}")))
            .update_expression("SET v = :later REMOVE created_at")
            .expression_attribute_values(":later", AttributeValue::N("2".to_owned()))
            .send()
            .await
            .unwrap();
    })
    .await;
}

async fn a_manifest_that_cannot_be_read_is_listed_and_removed(emulator: Emulator) {
    let tables = emulator.tables().await;
    conformance::unread_manifests(tables.store(), async |sha256| {
        let update = tables.clients.dynamodb().update_item().table_name(&tables.installs);
        update
            .key("pk", AttributeValue::S(format!("APP#{}", sample::app())))
            .key("sk", AttributeValue::S(format!("MANIFEST#{}", sha256.as_str())))
            .update_expression("SET v = :later")
            .expression_attribute_values(":later", AttributeValue::N("2".to_owned()))
            .send()
            .await
            .unwrap();
    })
    .await;
}

/// A pending install with a team and a static token.
async fn begun(store: &Dynamo) {
    store.put_code(&sample::code(1, 1_700_000_000_000)).await.unwrap();
    let pending =
        Install { static_token: Some(Sha256::of("static")), ..sample::pending(1, 1_700_000_000_000) };
    assert_eq!(store.begin(&pending, 0).await.unwrap(), Begun::Created);
    store.put_team(&pending.id, &sample::team_id(1), &sample::team("hello")).await.unwrap();
}

async fn items_have_the_documented_attributes(emulator: Emulator) {
    let tables = emulator.tables().await;
    let store = tables.store();
    begun(&store).await;
    store.once("JTI#a", 1_700_000_000_123, 0).await.unwrap();
    store.claim("DO#a", 1, 5, 1_700_000_000_123, 0).await.unwrap();
    store.put("TALK#a", "value", 1_700_000_000_123, 0).await.unwrap();
    let mut seen = Vec::new();
    for table in [&tables.installs, &tables.ledger] {
        let scan = tables.clients.dynamodb().scan().table_name(table).send().await.unwrap();
        for item in scan.items() {
            assert_eq!(item["v"], AttributeValue::N("1".to_owned()));
            if table == &tables.ledger {
                assert_eq!(
                    item["ttl"],
                    AttributeValue::N((1_700_000_000 + 86_400).to_string()),
                    "seconds, a day later"
                );
            }
            let mut names: Vec<_> = item.keys().map(String::as_str).collect();
            names.sort_unstable();
            seen.push((item["pk"].as_s().unwrap().split('#').next().unwrap().to_owned(), names.join(" ")));
        }
    }
    seen.sort();
    let expected = [
        ("APP", "created_at install pk sk v"),
        ("CODE", "app base_url exp install pk replace site spent ttl v"),
        ("DO", "attempt exp lease pk ttl v work writer"),
        ("INSTALL", "document phase pk rev sk static_token v"),
        ("INSTALL", "document pk sk v"),
        ("JTI", "exp pk ttl v writer"),
        ("TALK", "content exp pk ttl v writer"),
        ("TOKEN", "install pk sk v"),
    ];
    assert_eq!(seen, expected.map(|(key, names)| (key.to_owned(), names.to_owned())));
}

/// Sets an attribute of the item of the install.
async fn spoil(tables: &Tables, attribute: &str, value: AttributeValue) {
    let install = format!("INSTALL#{}", sample::install_id(1));
    let update = tables.clients.dynamodb().update_item().table_name(&tables.installs);
    update
        .key("pk", AttributeValue::S(install))
        .key("sk", AttributeValue::S("INSTALL".to_owned()))
        .update_expression("SET #attribute = :value")
        .expression_attribute_names("#attribute", attribute)
        .expression_attribute_values(":value", value)
        .send()
        .await
        .unwrap();
}

async fn an_item_of_a_later_version_is_not_read(emulator: Emulator) {
    let tables = emulator.tables().await;
    let store = tables.store();
    begun(&store).await;
    spoil(&tables, "v", AttributeValue::N("2".to_owned())).await;
    let install = sample::pending(1, 1_700_000_000_000);
    let errors = [
        Installs::find(&store, &install.id).await.unwrap_err(),
        store.find_with_team(&install.id, &sample::team_id(1)).await.unwrap_err(),
        store.undo(&install, 1).await.unwrap_err(),
    ];
    for error in errors {
        assert!(
            matches!(error, StoreError::Corrupt { .. }) && error.to_string().contains("version 2"),
            "{error}"
        );
    }
}

async fn an_app_of_an_earlier_version_is_read_replaced_and_removed(emulator: Emulator) {
    let tables = emulator.tables().await;
    let store = tables.store();
    let app = sample::app_id("jira");
    // The item is from before manifests were stored by their hashes.
    let document = r#"{"rev":3,"manifest":{"protocol":2,"id":"jira","version":"1.0.0","display_name":"Jira",
        "upstream":{"type":"http","url":"https://app.example.com"}},"upstream_key":"1","upstream_generation":2}"#;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = |number: &str| AttributeValue::N(number.to_owned());
    let write = tables.clients.dynamodb().put_item().table_name(&tables.installs);
    let write = write.item("pk", text("APP#jira")).item("sk", text("APP")).item("v", number("1"));
    write.item("rev", number("3")).item("document", text(document)).send().await.unwrap();
    let former = Apps::find(&store, &app).await.unwrap().unwrap();
    assert_eq!((&former.id, former.rev, former.version.as_str()), (&app, 3, "1.0.0"));
    assert!(former.versions.is_empty() && former.binding.is_none());
    assert_eq!(store.put_app(&former, 3).await.unwrap(), Changed::Yes);
    assert_eq!(Apps::find(&store, &app).await.unwrap().unwrap().rev, 4);
    assert_eq!(store.remove_app(&app, 4).await.unwrap(), Changed::Yes);
}

async fn a_document_that_cannot_be_read_is_named_without_its_content(emulator: Emulator) {
    let tables = emulator.tables().await;
    let store = tables.store();
    begun(&store).await;
    for document in ["the secret", "{\"id\":\"the secret\"}", "\"the secret\""] {
        spoil(&tables, "document", AttributeValue::S(document.to_owned())).await;
        let error = Installs::find(&store, &sample::install_id(1)).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        assert!(!format!("{error:?}").contains("the secret"), "{error:?}");
    }
}

/// The answer of a load balancer that lost the real one.
const LOST: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}"#;

async fn a_lost_answer_does_not_make_a_first_use_a_second(emulator: Emulator) {
    let tables = emulator.tables().await;
    let lossy = || tables.over(Wire::replacing([(1, 500, LOST)]));
    let (store, wire) = lossy();
    assert!(store.once("JTI#a", 100, 0).await.unwrap());
    assert_eq!(wire.take().operations, ["PutItem", "PutItem"], "the SDK asked twice");
    assert!(!tables.store().once("JTI#a", 100, 0).await.unwrap(), "somebody else's use is a second one");
    assert_eq!(lossy().0.claim("DO#a", 1, 50, 100, 0).await.unwrap(), ClaimAnswer::Mine);
    assert!(lossy().0.put("TALK#a", "value", 100, 0).await.unwrap());
    assert!(lossy().0.done("DO#a", 1, 100, 0).await.unwrap());
}

async fn a_lost_answer_does_not_make_a_change_somebody_elses(emulator: Emulator) {
    let tables = emulator.tables().await;
    let lossy = || tables.over(Wire::replacing([(1, 500, LOST)])).0;
    begun(&tables.store()).await;
    let begun = Installs::find(&tables.store(), &sample::install_id(1)).await.unwrap().unwrap();
    let active = sample::step(&begun, State::Active);
    tables.store().activate(&active, 1, &sample::code_hash(1), 0).await.unwrap();
    // A shared secret is rotated. If this looked like a conflict, it would be rotated again, and the server would have an
    // older one.
    let rotated = Install { generation: Generation(7), rev: 3, ..active };
    assert_eq!(lossy().change(&rotated, 2).await.unwrap(), Changed::Yes);
    assert_eq!(
        lossy().change(&rotated, 2).await.unwrap(),
        Changed::Conflict,
        "another's change is a conflict"
    );
    let stored = Installs::find(&tables.store(), &rotated.id).await.unwrap().unwrap();
    assert_eq!((stored.generation, stored.rev), (Generation(7), 3));
    let catalogue = Catalogue::default();
    for (expected, answer) in [(0, Changed::Yes), (0, Changed::Conflict), (1, Changed::Yes)] {
        assert_eq!(lossy().put_catalogue(&catalogue, expected).await.unwrap(), answer, "{expected}");
    }
}

async fn a_lost_answer_does_not_make_a_transaction_happen_twice(emulator: Emulator) {
    let tables = emulator.tables().await;
    tables.store().put_code(&sample::code(1, 1_000)).await.unwrap();
    let (store, wire) = tables.over(Wire::replacing([(1, 500, LOST)]));
    assert_eq!(store.begin(&sample::pending(1, 1_000), 0).await.unwrap(), Begun::Created);
    let bodies = wire.take().bodies;
    assert_eq!(bodies.len(), 2);
    assert!(bodies[0].contains("ClientRequestToken") && bodies[0] == bodies[1], "one request, one token");
    let active = sample::step(&sample::pending(1, 1_000), State::Active);
    let (store, _) = tables.over(Wire::replacing([(1, 500, LOST)]));
    assert_eq!(store.activate(&active, 1, &sample::code_hash(1), 0).await.unwrap(), Changed::Yes);
}

async fn a_transaction_that_met_another_is_asked_again_with_another_token(emulator: Emulator) {
    let tables = emulator.tables().await;
    let conflict = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message":"Transaction cancelled","CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"None"},{"Code":"None"}]}"#;
    let (store, wire) = tables.over(Wire::replacing([(1, 400, conflict)]));
    // The replaced answer is that of a transaction that did not happen, so nothing may be stored yet.
    assert_eq!(store.begin(&sample::pending(1, 1_000), 0).await.unwrap(), Begun::CodeRefused);
    let bodies = wire.take().bodies;
    assert_eq!(bodies.len(), 2);
    let token = |body: &str| {
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        body["ClientRequestToken"].as_str().unwrap().to_owned()
    };
    assert_ne!(token(&bodies[0]), token(&bodies[1]));
}

async fn a_store_that_throttles_is_busy(emulator: Emulator) {
    let tables = emulator.tables().await;
    let throttled = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}"#;
    let answers = || Wire::replacing([(1, 400, throttled), (2, 400, throttled), (3, 400, throttled)]);
    let error = tables.over(answers()).0.once("JTI#a", 100, 0).await.unwrap_err();
    assert!(matches!(error, StoreError::Busy { what: "Ledger.once", .. }), "{error:?}");
    let canceled = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message":"Transaction cancelled","CancellationReasons":[{"Code":"None"},{"Code":"ThrottlingError","Message":"slow"}]}"#;
    let error = tables.once_over(Wire::replacing([(1, 400, canceled)])).0;
    let error = error.begin(&sample::pending(1, 1_000), 0).await.unwrap_err();
    assert!(matches!(error, StoreError::Busy { what: "Registry.begin", .. }), "{error:?}");
}

async fn a_part_of_a_batch_that_was_left_out_is_asked_for_again(emulator: Emulator) {
    let tables = emulator.tables().await;
    begun(&tables.store()).await;
    let install = sample::install_id(1);
    let key = |sk: &str| format!(r#"{{"pk":{{"S":"INSTALL#{install}"}},"sk":{{"S":"{sk}"}}}}"#);
    let (one, both) =
        (key("INSTALL"), format!("{},{}", key("INSTALL"), key(&format!("TEAM#{}", sample::team_id(1)))));
    for (left_out, team) in [(one, false), (both, true)] {
        let body = format!(
            r#"{{"Responses":{{}},"UnprocessedKeys":{{"{}":{{"Keys":[{left_out}],"ConsistentRead":true}}}}}}"#,
            tables.installs
        );
        let (store, wire) = tables.over(Wire::replacing([(1, 200, body.as_str())]));
        let found = store.find_with_team(&install, &sample::team_id(1)).await.unwrap();
        assert_eq!((found.0.is_some(), found.1.is_some()), (true, team));
        let seen = wire.take();
        assert_eq!(seen.operations, ["BatchGetItem", "BatchGetItem"]);
        assert!(seen.bodies.iter().all(|body| body.contains(r#""ConsistentRead":true"#)));
    }
}

async fn every_request_names_the_function(emulator: Emulator) {
    let tables = emulator.tables().await;
    let (store, wire) = tables.over(Wire::default());
    store.once("JTI#a", 100, 0).await.unwrap();
    let agents = wire.take().agents;
    assert!(agents.iter().all(|agent| agent.contains("app/ConformanceTest")), "{agents:?}");
}

async fn budgets_are_kept(emulator: Emulator) {
    let tables = emulator.tables().await;
    let (store, wire) = tables.over(Wire::default());
    let took = |expected: &[&str]| {
        assert_eq!(wire.take().operations, expected);
    };
    begun(&store).await;
    took(&["PutItem", "TransactWriteItems", "TransactWriteItems"]);
    store.find_with_team(&sample::install_id(1), &sample::team_id(1)).await.unwrap();
    took(&["BatchGetItem"]);
    store.once("JTI#a", 100, 0).await.unwrap();
    took(&["PutItem"]);
    let begun = Installs::find(&store, &sample::install_id(1)).await.unwrap().unwrap();
    took(&["GetItem"]);
    let again = Install { id: sample::install_id(2), ..begun.clone() };
    assert_eq!(store.begin(&again, 1_700_000_000_000).await.unwrap(), Begun::CodeRefused);
    took(&["TransactWriteItems"]);
    let active = sample::step(&begun, State::Active);
    assert_eq!(store.activate(&active, 1, &sample::code_hash(1), 0).await.unwrap(), Changed::Yes);
    took(&["TransactWriteItems"]);
    assert_eq!(
        store.begin(&again, 0).await.unwrap(),
        Begun::CodeRefused,
        "a spent code, told without a read"
    );
    took(&["TransactWriteItems"]);
    let changed = Install { rev: rules::next(active.rev), ..active };
    assert_eq!(store.change(&changed, 2).await.unwrap(), Changed::Yes);
    took(&["PutItem"]);
}

async fn a_missing_table_is_named_with_the_operation(emulator: Emulator) {
    let store = Dynamo::new(Arc::new(emulator.clients()), "no-such-installs", "no-such-ledger");
    let error = store.once("JTI#a", 100, 0).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { what: "Ledger.once", .. }), "{error:?}");
}
