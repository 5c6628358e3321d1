//! Lambda, on the emulator of the stack: functions in Python that echo, fail and hang.

use crate::emulators::Emulator;
use aws_sdk_lambda::{
    error::ProvideErrorMetadata,
    primitives::Blob,
    types::{FunctionCode, Runtime},
};
use cloud_apps_aws::{clients::Clients, functions::Lambda};
use cloud_apps_core::{
    store::ports::{Functions, InvokeError},
    testing::conformance::{
        self,
        functions::{ECHO, FAILS, HANGS},
    },
};
use std::{io::Write, sync::Arc, time::Duration};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_emulator_of_the_stack_runs_functions() {
    let clients = Arc::new(Emulator::of_the_stack().clients());
    for (name, code) in [
        (ECHO, "def handler(event, context):\n    return event\n"),
        (FAILS, "def handler(event, context):\n    raise ValueError('no')\n"),
        (HANGS, "import time\ndef handler(event, context):\n    time.sleep(20)\n"),
    ] {
        deploy(&clients, name, code).await;
    }
    conformance::functions(async || Lambda::new(Arc::clone(&clients))).await;
}

/// Creates a function with this code, if it does not exist yet.
async fn deploy(clients: &Clients, name: &str, code: &str) {
    let made = clients
        .lambda()
        .create_function()
        .function_name(name)
        .runtime(Runtime::Python312)
        .role("arn:aws:iam::000000000000:role/none")
        .handler("app.handler")
        .timeout(30)
        .code(FunctionCode::builder().zip_file(Blob::new(zipped(code.as_bytes()))).build())
        .send()
        .await;
    if let Err(error) = made {
        assert_eq!(
            error.as_service_error().and_then(|e| e.code()),
            Some("ResourceConflictException"),
            "{error:?}"
        );
    }
}

/// A ZIP archive with the one file `app.py`, uncompressed
/// (<https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>, 4.3.7, 4.3.12, 4.3.16).
fn zipped(content: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"app.py";
    let size = u32::try_from(content.len()).unwrap().to_le_bytes();
    let mut crc = flate2::Crc::new();
    crc.update(content);
    let crc = crc.sum().to_le_bytes();
    let length = u16::try_from(NAME.len()).unwrap().to_le_bytes();
    // Version, flags, method (stored), time, date.
    let common = [&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..], &crc, &size, &size, &length, &[0, 0]].concat();
    let mut zip = Vec::new();
    zip.write_all(&[b"PK\x03\x04", &common[..], NAME, content].concat()).unwrap();
    let directory = u32::try_from(zip.len()).unwrap().to_le_bytes();
    // Comment, disk, internal attributes; external attributes (a file that everybody may read); offset.
    let rest = [&[0, 0, 0, 0, 0, 0][..], &[0, 0, 0xa4, 0x81], &[0, 0, 0, 0], NAME].concat();
    let entry = [&b"PK\x01\x02\x14\x03"[..], &common, &rest].concat();
    zip.write_all(&entry).unwrap();
    let entry = u32::try_from(entry.len()).unwrap().to_le_bytes();
    zip.write_all(&[&b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..], &entry, &directory, &[0, 0]].concat()).unwrap();
    zip
}

#[tokio::test]
async fn an_unreachable_service_is_a_failure_that_says_so() {
    // Port 9 (discard): nobody listens.
    let emulator = Emulator { endpoint: "http://127.0.0.1:9".to_owned() };
    let lambda = Lambda::new(Arc::new(emulator.clients()));
    let error = lambda.invoke(ECHO, b"{}".to_vec(), Duration::from_mins(1)).await.err().unwrap();
    assert!(matches!(error, InvokeError::Failed(_)), "{error:?}");
}
