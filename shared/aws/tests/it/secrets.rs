//! Secrets Manager, on the emulator of the stack.

use crate::emulators::{Emulator, fresh};
use cloud_apps_aws::secrets::Secrets;
use cloud_apps_core::{
    store::ports::{Keys, StoreError},
    testing::{conformance, sample},
};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_emulator_of_the_stack_keeps_keys() {
    let clients = Arc::new(Emulator::of_the_stack().clients());
    conformance::keys(async || Secrets::new(Arc::clone(&clients), &fresh("stack"))).await;
}

#[tokio::test]
async fn a_ring_is_named_for_its_stack_and_app_and_a_spoilt_one_shows_nothing() {
    let clients = Arc::new(Emulator::of_the_stack().clients());
    let stack = fresh("stack");
    let name = format!("{stack}/app/hello/keys");
    clients
        .secrets()
        .create_secret()
        .name(&name)
        .secret_string("{\"v\":1,\"the secret\":1}")
        .send()
        .await
        .unwrap();
    let error = Secrets::new(clients, &stack).ring(&sample::app()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(!format!("{error:?}").contains("the secret"));
}

#[tokio::test]
async fn an_unreachable_service_is_named_with_the_operation() {
    // Port 9 (discard): nobody listens.
    let emulator = Emulator { endpoint: "http://127.0.0.1:9".to_owned() };
    let error = Secrets::new(Arc::new(emulator.clients()), "stack").ring(&sample::app()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { what: "Keys.ring", .. }), "{error:?}");
}
