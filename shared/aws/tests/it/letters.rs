//! Dead letters, on both emulators.

use crate::emulators::Emulator;
use aws_sdk_dynamodb::types::AttributeValue;
use cloud_apps_aws::dynamodb::Letters;
use cloud_apps_core::{
    store::{model::Dead, ports::DeadLetters},
    testing::{conformance, sample},
};

async fn letters(emulator: &Emulator) -> Letters {
    let (clients, table) = emulator.data().await;
    Letters::new(clients, &table)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dynamodb_local_keeps_dead_letters() {
    let emulator = Emulator::dynamodb_local();
    conformance::dead_letters(async || letters(&emulator).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_emulator_of_the_stack_keeps_dead_letters() {
    let emulator = Emulator::of_the_stack();
    conformance::dead_letters(async || letters(&emulator).await).await;
}

#[tokio::test]
async fn a_letter_stands_beside_what_else_its_install_keeps_and_is_no_part_of_it() {
    let (clients, table) = Emulator::dynamodb_local().data().await;
    let install = sample::install_id(1);
    let pk = AttributeValue::S(format!("INSTALL#{install}"));
    for sk in ["DATA#a", "USER#b"] {
        let put = clients.dynamodb().put_item().table_name(&table).item("pk", pk.clone());
        put.item("sk", AttributeValue::S(sk.to_owned())).send().await.unwrap();
    }
    let store = Letters::new(clients.clone(), &table);
    let letter = Dead {
        id: "00000000000001-a".to_owned(),
        install: Some(install.clone()),
        body: "{}".to_owned(),
        reason: "it failed".to_owned(),
        attempts: 1,
        function: None,
        first_at: 1,
        at: 2,
        trace: None,
    };
    store.park(&letter).await.unwrap();
    let listed = store.list(Some(&install), 100, None).await.unwrap();
    assert_eq!((listed.items, listed.cursor), (vec![letter], None));
    let items = clients.dynamodb().scan().table_name(&table).send().await.unwrap().items.unwrap();
    let keys = items.iter().map(|item| (item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap()));
    assert!(
        keys.into_iter()
            .any(|key| key == (&format!("INSTALL#{install}"), &"DEAD#00000000000001-a".to_owned()))
    );
}
