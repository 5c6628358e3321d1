//! What every [`Functions`] must do.

use crate::store::ports::{Functions, InvokeError, Invoked};
use std::time::Duration;

/// A function that returns its payload.
pub const ECHO: &str = "cloud-app-echo";
/// A function that fails, and writes `{"errorMessage": …}`.
pub const FAILS: &str = "cloud-app-fails";
/// A function that runs for longer than anybody waits.
pub const HANGS: &str = "cloud-app-hangs";
/// A name of no function.
const ABSENT: &str = "cloud-app-absent";

/// Long enough for a cold start.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs the suite. There must be functions with these three names.
pub async fn functions<F: Functions>(make: impl AsyncFn() -> F) {
    super::run_cases!(
        "Functions",
        make,
        [
            what_a_function_gives_back_is_handed_on_byte_by_byte,
            a_function_that_fails_says_so_and_keeps_its_words,
            a_function_that_is_not_there_is_refused_by_name,
            nobody_waits_longer_than_was_said,
            functions_run_beside_each_other,
        ]
    );
}

async fn what_a_function_gives_back_is_handed_on_byte_by_byte<F: Functions>(functions: F) {
    for payload in [r#"{"a":1}"#, r#"{"a":"é\"\u0000"}"#, "[]", "7", &format!("{:?}", "x".repeat(300_000))] {
        let invoked = functions.invoke(ECHO, payload.into(), PATIENCE).await.unwrap();
        assert!(!invoked.failed);
        let value = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        assert_eq!(value(&invoked.payload), value(payload.as_bytes()));
    }
}

async fn a_function_that_fails_says_so_and_keeps_its_words<F: Functions>(functions: F) {
    let Invoked { failed, payload } = functions.invoke(FAILS, b"{}".to_vec(), PATIENCE).await.unwrap();
    assert!(failed);
    let value: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert!(value["errorMessage"].is_string());
}

async fn a_function_that_is_not_there_is_refused_by_name<F: Functions>(functions: F) {
    let error = functions.invoke(ABSENT, b"{}".to_vec(), PATIENCE).await.err().unwrap();
    assert!(matches!(error, InvokeError::Refused(_)), "{error:?}");
    assert!(error.to_string().contains(ABSENT), "{error}");
}

async fn nobody_waits_longer_than_was_said<F: Functions>(functions: F) {
    let error = functions.invoke(HANGS, b"{}".to_vec(), Duration::from_millis(50)).await.err().unwrap();
    assert!(matches!(error, InvokeError::TimedOut), "{error:?}");
}

async fn functions_run_beside_each_other<F: Functions>(functions: F) {
    let payload = |n: usize| n.to_string().into_bytes();
    let all = (0..4).map(|n| functions.invoke(ECHO, payload(n), PATIENCE));
    for (n, invoked) in futures_util::future::join_all(all).await.into_iter().enumerate() {
        assert_eq!(invoked.unwrap().payload, payload(n));
    }
}
