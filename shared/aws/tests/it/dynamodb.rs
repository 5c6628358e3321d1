//! DynamoDB, on both emulators.

use crate::emulators::{Emulator, Tables};
use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextMut,
        retry::RetryConfig,
    },
    error::BoxError,
    types::AttributeValue,
};
use cloud_apps_aws::dynamodb::Dynamo;
use cloud_apps_core::{
    conformance::{self, sample},
    ports::{Apps, Begun, Changed, Installs, Ledger, Registry, StoreError},
    rules,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

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
    the_table_keeps_the_ledger
    an_undo_that_was_cut_off_at_any_request_is_finished
    items_have_the_documented_attributes
    an_item_of_a_later_version_is_not_read
    a_document_that_cannot_be_read_is_named_without_its_content
    an_app_registered_at_run_time_is_read
    a_lost_answer_does_not_make_a_first_use_a_second
    budgets_are_kept
    a_missing_table_is_named_with_the_operation
}

async fn the_tables_keep_installs_and_the_registry(emulator: Emulator) {
    conformance::installs_and_registry(async || emulator.tables().await.store()).await;
}

async fn the_table_keeps_the_ledger(emulator: Emulator) {
    conformance::ledger(async || emulator.tables().await.store()).await;
}

/// Fails requests on their way, and counts them.
#[derive(Debug, Default)]
struct Wire {
    /// Fails the n-th request, counted from 1, and every later one.
    from: usize,
    /// The first of them reaches its end; only its answer is lost.
    lose_the_answer: bool,
    /// Only that one fails.
    once: bool,
    sent: AtomicUsize,
    struck: AtomicBool,
    operations: Mutex<Vec<String>>,
}

#[derive(Debug, Clone)]
struct Shared(Arc<Wire>);

impl Wire {
    fn at(&self, n: usize) -> bool {
        self.from > 0 && (n == self.from || (n > self.from && !self.once))
    }
}

impl Intercept for Shared {
    fn name(&self) -> &'static str {
        "wire"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = context.request().headers().get("x-amz-target").unwrap_or_default();
        self.0.operations.lock().unwrap().push(operation.rsplit('.').next().unwrap_or_default().to_owned());
        let n = self.0.sent.fetch_add(1, Ordering::SeqCst) + 1;
        if self.0.at(n) && (n > self.0.from || !self.0.lose_the_answer) {
            self.0.struck.store(true, Ordering::SeqCst);
            return Err("this request was made to fail".into());
        }
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        _: &mut aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let n = self.0.sent.load(Ordering::SeqCst);
        if self.0.at(n) && self.0.lose_the_answer && n == self.0.from {
            self.0.struck.store(true, Ordering::SeqCst);
            return Err("this answer was lost".into());
        }
        Ok(())
    }
}

impl Tables {
    /// The same tables over a wire.
    fn over(&self, wire: Wire, attempts: u32) -> (Dynamo, Arc<Wire>) {
        let wire = Arc::new(wire);
        let config = self
            .clients
            .dynamodb_config()
            .interceptor(Shared(Arc::clone(&wire)))
            .retry_config(RetryConfig::standard().with_max_attempts(attempts));
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        let clients = self.emulator.clients().with_dynamodb(client);
        (Dynamo::new(Arc::new(clients), &self.installs, &self.ledger), wire)
    }
}

async fn an_undo_that_was_cut_off_at_any_request_is_finished(emulator: Emulator) {
    for lose_the_answer in [false, true] {
        let tables = Mutex::new(None);
        let make = async || {
            let made = emulator.tables().await;
            let store = made.store();
            *tables.lock().unwrap() = Some(made);
            store
        };
        conformance::interrupted_undo(make, |_, n| {
            let tables = tables.lock().unwrap();
            let (store, wire) =
                tables.as_ref().unwrap().over(Wire { from: n, lose_the_answer, ..Wire::default() }, 1);
            (store, move || wire.struck.load(Ordering::SeqCst))
        })
        .await;
    }
}

async fn active(store: &Dynamo) {
    store.put_code(&sample::code(1, 1_700_000_000_000)).await.unwrap();
    let pending = cloud_apps_core::model::Install {
        static_token: Some(cloud_apps_core::model::Sha256::of("static")),
        ..sample::pending(1, 1_700_000_000_000)
    };
    assert_eq!(store.begin(&pending, 0).await.unwrap(), Begun::Created);
    store.put_team(&pending.id, &sample::team_id(1), &sample::team("hello")).await.unwrap();
}

async fn items_have_the_documented_attributes(emulator: Emulator) {
    let tables = emulator.tables().await;
    let store = tables.store();
    active(&store).await;
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
        ("CODE", "app base_url exp install pk site spent ttl v"),
        ("DO", "attempt exp lease pk ttl v work writer"),
        ("INSTALL", "document phase pk rev sk static_token v"),
        ("INSTALL", "document pk sk v"),
        ("JTI", "exp pk ttl v writer"),
        ("TALK", "content exp pk ttl v writer"),
        ("TOKEN", "install pk sk v"),
    ];
    assert_eq!(seen, expected.map(|(key, names)| (key.to_owned(), names.to_owned())));
}

/// Sets an attribute of the install's item.
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
    active(&store).await;
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

async fn a_document_that_cannot_be_read_is_named_without_its_content(emulator: Emulator) {
    let tables = emulator.tables().await;
    let store = tables.store();
    active(&store).await;
    for document in ["the secret", "{\"id\":\"the secret\"}", "\"the secret\""] {
        spoil(&tables, "document", AttributeValue::S(document.to_owned())).await;
        let error = Installs::find(&store, &sample::install_id(1)).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        assert!(!format!("{error:?}").contains("the secret"), "{error:?}");
    }
}

async fn an_app_registered_at_run_time_is_read(emulator: Emulator) {
    let tables = emulator.tables().await;
    let manifest = r#"{"protocol":2,"id":"jira","version":"1.0.0","display_name":"Jira"}"#;
    let document = format!(r#"{{"rev":3,"manifest":{manifest},"upstream_generation":1}}"#);
    let put = tables.clients.dynamodb().put_item().table_name(&tables.installs);
    put.item("pk", AttributeValue::S("APP#jira".to_owned()))
        .item("sk", AttributeValue::S("APP".to_owned()))
        .item("v", AttributeValue::N("1".to_owned()))
        .item("document", AttributeValue::S(document))
        .send()
        .await
        .unwrap();
    let app = Apps::find(&tables.store(), &sample::app_id("jira")).await.unwrap().unwrap();
    assert_eq!((app.rev, app.manifest.display_name.as_str()), (3, "Jira"));
}

async fn a_lost_answer_does_not_make_a_first_use_a_second(emulator: Emulator) {
    let tables = emulator.tables().await;
    let lossy = || Wire { from: 1, lose_the_answer: true, once: true, ..Wire::default() };
    let (store, wire) = tables.over(lossy(), 3);
    let first = store.once("JTI#a", 100, 0).await;
    assert!(wire.struck.load(Ordering::SeqCst));
    // The SDK repeats what may have been lost; where it does not, the error says so, and nothing claims a second use.
    assert!(!matches!(first, Ok(false)), "{first:?}");
    assert!(!tables.store().once("JTI#a", 100, 0).await.unwrap(), "somebody else's use is a second one");
}

async fn budgets_are_kept(emulator: Emulator) {
    let tables = emulator.tables().await;
    let (store, wire) = tables.over(Wire::default(), 3);
    let took = |expected: &[&str]| {
        let operations = std::mem::take(&mut *wire.operations.lock().unwrap());
        assert_eq!(operations, expected);
    };
    active(&store).await;
    took(&["PutItem", "TransactWriteItems", "TransactWriteItems"]);
    store.find_with_team(&sample::install_id(1), &sample::team_id(1)).await.unwrap();
    took(&["BatchGetItem"]);
    store.once("JTI#a", 100, 0).await.unwrap();
    took(&["PutItem"]);
    let begun = Installs::find(&store, &sample::install_id(1)).await.unwrap().unwrap();
    took(&["GetItem"]);
    let again = cloud_apps_core::model::Install { id: sample::install_id(2), ..begun.clone() };
    assert_eq!(store.begin(&again, 1_700_000_000_000).await.unwrap(), Begun::CodeRefused);
    took(&["TransactWriteItems"]);
    let active = sample::step(&begun, cloud_apps_core::model::State::Active);
    assert_eq!(store.activate(&active, 1, &sample::code_hash(1), 0).await.unwrap(), Changed::Yes);
    took(&["TransactWriteItems"]);
    assert_eq!(
        store.begin(&again, 0).await.unwrap(),
        Begun::CodeRefused,
        "a spent code, told without a read"
    );
    took(&["TransactWriteItems"]);
    let changed = cloud_apps_core::model::Install { rev: rules::next(active.rev), ..active };
    assert_eq!(store.change(&changed, 2).await.unwrap(), Changed::Yes);
    took(&["PutItem"]);
}

async fn a_missing_table_is_named_with_the_operation(emulator: Emulator) {
    let store = Dynamo::new(Arc::new(emulator.clients()), "no-such-installs", "no-such-ledger");
    let error = store.once("JTI#a", 100, 0).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { what: "Ledger.once", .. }), "{error:?}");
}
