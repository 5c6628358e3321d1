//! Items that an attacker wrote into the stores, and items at their limits: the adapters answer with errors that say what
//! is wrong, and nothing else.

use crate::emulators::{Emulator, Tables, fresh};
use aws_sdk_dynamodb::{
    primitives::Blob,
    types::{AttributeValue, PutRequest, WriteRequest},
};
use cloud_apps_aws::{dynamodb::Dynamo, secrets::Secrets};
use cloud_apps_core::{
    store::{
        model::{Catalogue, Install, ManageCode, Sha256, Sites, State},
        ports::{Apps, Installs, Keys, Ledger, Registry, StoreError, Stored},
    },
    testing::sample,
};
use futures_util::future::join_all;
use std::{collections::HashMap, sync::Arc};

type Item = HashMap<String, AttributeValue>;

const CANARY: &str = "CANARY";
/// No item of these tests expires.
const LATE: u64 = 1_900_000_000_000;

fn manage_code() -> ManageCode {
    ManageCode { sha256: Sha256::of("manage"), install: sample::install_id(1), created_at: 5, exp: LATE }
}

/// One of each kind of item.
async fn every_kind(store: &Dynamo) {
    store.put_code(&sample::code(1, LATE)).await.unwrap();
    let pending = Install { static_token: Some(Sha256::of("static")), ..sample::pending(1, LATE) };
    store.begin(&pending, 0).await.unwrap();
    store.put_team(&pending.id, &sample::team_id(1), &sample::team("hello")).await.unwrap();
    store.put_manage_code(&manage_code()).await.unwrap();
    store.put_catalogue(&Catalogue::default(), 0).await.unwrap();
    store.once("JTI#a", LATE, 0).await.unwrap();
    store.claim("DO#a", 1, 5, LATE, 0).await.unwrap();
    store.put("TALK#a", "value", LATE, 0).await.unwrap();
}

/// The result of each operation on each kind of item.
async fn every_verb(store: &Dynamo) -> Vec<(&'static str, Result<(), StoreError>)> {
    fn said<T>(answer: Stored<T>) -> Result<(), StoreError> {
        answer.map(|_| ())
    }
    // A list shows what it cannot read beside the other lines.
    fn listed(answer: Stored<Sites>) -> Result<(), StoreError> {
        match answer?.unread.into_iter().next() {
            Some(line) => Err(StoreError::Corrupt { what: "list", detail: line.why }),
            None => Ok(()),
        }
    }
    let pending = Install { static_token: Some(Sha256::of("static")), ..sample::pending(1, LATE) };
    let other = Install { id: sample::install_id(2), ..pending.clone() };
    let active = sample::step(&pending, State::Active);
    let code = sample::code_hash(1);
    vec![
        ("find", said(Installs::find(store, &pending.id).await)),
        ("find_with_team", said(store.find_with_team(&pending.id, &sample::team_id(1)).await)),
        ("find_static_token", said(store.find_static_token(&Sha256::of("static")).await)),
        ("all", said(store.all().await)),
        ("code", said(store.code(&code).await)),
        ("manage_code", said(store.manage_code(&manage_code().sha256).await)),
        ("list", listed(store.list(&pending.app, 10, None).await)),
        ("teams", said(store.teams(&pending.id).await)),
        ("once", said(store.once("JTI#a", LATE, 1).await)),
        ("claim", said(store.claim("DO#a", 1, 5, LATE, 1).await)),
        ("done", said(store.done("DO#a", 1, LATE, 1).await)),
        ("forget", said(store.forget("DO#a", 1).await)),
        ("look", said(store.look("TALK#a", 1).await)),
        ("take", said(Ledger::take(store, "TALK#a", 1).await)),
        ("begin", said(store.begin(&other, 1).await)),
        ("activate", said(store.activate(&active, 1, &code, 1).await)),
        ("change", said(store.change(&active, 1).await)),
        ("undo", said(store.undo(&active, active.rev).await)),
    ]
}

/// The values that replace an attribute.
fn wrong() -> Vec<Option<AttributeValue>> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = |text: &str| AttributeValue::N(text.to_owned());
    vec![
        None,
        Some(text("")),
        Some(text(CANARY)),
        Some(text("{\"CANARY\":\"CANARY\"}")),
        Some(text(&"[".repeat(20_000))),
        Some(text(&format!("\u{202e}\u{1b}]0;\u{7}{CANARY}"))),
        Some(number("0")),
        Some(number("-1")),
        Some(number("0.5")),
        Some(number("99999999999999999999999999999999999999")),
        Some(AttributeValue::Bool(true)),
        Some(AttributeValue::Null(true)),
        Some(AttributeValue::B(Blob::new(CANARY))),
        Some(AttributeValue::L(vec![text(CANARY)])),
        Some(AttributeValue::M(HashMap::from([(CANARY.to_owned(), text(CANARY))]))),
    ]
}

async fn items(tables: &Tables) -> Vec<(String, Item)> {
    let mut all = Vec::new();
    for table in [&tables.installs, &tables.ledger] {
        let scan = tables.clients.dynamodb().scan().table_name(table).send().await.unwrap();
        all.extend(scan.items.unwrap_or_default().into_iter().map(|item| (table.clone(), item)));
    }
    all
}

async fn write(tables: &Tables, items: &[(String, Item)]) {
    let mut requests: HashMap<String, Vec<WriteRequest>> = HashMap::new();
    for (table, item) in items {
        let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
        requests.entry(table.clone()).or_default().push(WriteRequest::builder().put_request(put).build());
    }
    let write = tables.clients.dynamodb().batch_write_item().set_request_items(Some(requests));
    write.send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_attribute_of_any_item_makes_a_verb_panic_or_say_what_stands_there() {
    let emulator = Emulator::dynamodb_local();
    let tables = emulator.tables().await;
    every_kind(&tables.store()).await;
    let kinds = items(&tables).await.len();
    assert!(kinds >= 9, "{kinds}");
    // Each value has its own tables, so that all can be tried at the same time.
    let corrupt = join_all(wrong().into_iter().map(|value| spoilt(emulator.clone(), value))).await;
    assert!(corrupt.iter().sum::<usize>() > 100, "{corrupt:?}");
}

/// Replaces each attribute of each item by this value, one at a time; returns how many operations then said that an item
/// is corrupt.
async fn spoilt(emulator: Emulator, value: Option<AttributeValue>) -> usize {
    let tables = emulator.tables().await;
    let store = tables.store();
    every_kind(&store).await;
    let good = items(&tables).await;
    let mut corrupt = 0;
    for (table, item) in &good {
        for name in item.keys().filter(|name| !["pk", "sk"].contains(&name.as_str())) {
            write(&tables, &good).await;
            let mut spoilt = item.clone();
            match &value {
                Some(value) => spoilt.insert(name.clone(), value.clone()),
                None => spoilt.remove(name),
            };
            write(&tables, &[(table.clone(), spoilt)]).await;
            for (verb, said) in every_verb(&store).await {
                let Err(error) = said else { continue };
                let place = format!("{verb}, {name} of {:?} is {value:?}", item["pk"]);
                assert!(matches!(error, StoreError::Corrupt { .. }), "{place}: {error:?}");
                assert!(!format!("{error} {error:?}").contains(CANARY), "{place}: {error:?}");
                corrupt += 1;
            }
        }
    }
    corrupt
}

#[tokio::test]
async fn no_secret_in_place_of_a_ring_is_shown_or_taken_for_one() {
    let clients = Arc::new(Emulator::of_the_stack().clients());
    let ring = sample::ring(&sample::app(), 1).to_json("attack").unwrap();
    let texts = [
        "null".to_owned(),
        "[]".to_owned(),
        CANARY.to_owned(),
        "[".repeat(30_000),
        format!("{{\"v\":1,\"app\":\"hello\",\"keys\":[{{\"{CANARY}\":\"{CANARY}\"}}]}}"),
        ring.replace("hello", "other"),
        ring.replace("\"live\"", "\"CANARY\""),
        ring.replace("\"v\":1", "\"v\":18446744073709551616"),
        format!("{}{CANARY}", ring.as_str()),
    ];
    for text in texts {
        let stack = fresh("stack");
        let make = clients.secrets().create_secret().name(format!("{stack}/app/hello/keys"));
        make.secret_string(&text).send().await.unwrap();
        let error = Secrets::new(Arc::clone(&clients), &stack).ring(&sample::app()).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{text:.60}: {error:?}");
        assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
    }
    let stack = fresh("stack");
    let make = clients.secrets().create_secret().name(format!("{stack}/app/hello/keys"));
    make.secret_binary(aws_sdk_secretsmanager::primitives::Blob::new(ring.as_bytes())).send().await.unwrap();
    let error = Secrets::new(clients, &stack).ring(&sample::app()).await.unwrap_err();
    assert!(error.to_string().contains("bytes instead of text"), "{error}");
}
