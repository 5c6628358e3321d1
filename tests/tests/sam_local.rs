//! `sam local invoke` on every sample event, offline, and what the functions answer.
//!
//! All events of the folder are tested; an event without an expectation here fails.

// All of this is tests. Clippy's exception for tests does not cover the functions that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use data_encoding::BASE64;
use flate2::read::GzDecoder;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use stack_tests::{root, show};
use std::{error::Error, path::Path, process::Command, process::ExitCode};

/// The function that an event is for, and the check of its answer.
type Expectation = (&'static str, fn(&Value));

fn expectation(event: &str) -> Option<Expectation> {
    Some(match event {
        "slash" => ("CommandFunction", |answer| {
            let body = http(answer, 200);
            assert_eq!(body["text"], "Hallo, @bob!");
            assert_eq!(body["response_type"], "ephemeral");
            assert_eq!(body["skip_slack_parsing"], true);
        }),
        "command" => ("CommandFunction", |answer| {
            let body = http(answer, 200);
            assert_eq!((&body["type"], &body["text"]), (&"message".into(), &"Hallo, @bob!".into()));
        }),
        "command-static" => ("CommandFunction", |answer| {
            let body = http(answer, 200);
            assert_eq!((&body["type"], &body["text"]), (&"message".into(), &"Hallo, @bob!".into()));
        }),
        "autocomplete" => ("AutocompleteFunction", |answer| assert_eq!(code(answer, 404), "no_route")),
        "event" => ("EventFunction", |answer| assert_eq!(code(answer, 404), "no_route")),
        "deliver" => ("DeliverFunction", |answer| {
            // The message stays on its queue.
            let id = "5a4d504c-455a-4d50-8c45-5a4d504c455a";
            assert_eq!(answer, &json!({ "batchItemFailures": [{ "itemIdentifier": id }] }));
        }),
        "upkeep" => ("DeliverFunction", |answer| {
            assert_eq!(answer, &json!({ "batchItemFailures": [] }));
        }),
        "index" => ("InstallFunction", |answer| {
            assert_eq!(http(answer, 200), json!({ "protocol": [2], "bundle": env!("CARGO_PKG_VERSION") }));
        }),
        "install-get" => ("InstallFunction", |answer| {
            let body = http(answer, 200);
            assert_eq!(body["install_id"], "sampleinstallsampleinstall");
            assert_eq!((&body["app_id"], &body["state"]), (&"hello".into(), &"active".into()));
            assert_eq!(body["teams"], json!(["sampleteamsampleteamsample"]));
            assert!(header(answer, "etag").is_some());
        }),
        "install-operator" => ("InstallFunction", |answer| {
            // An operator does not ask by HTTP, and does not get an HTTP answer.
            let installs = answer["installs"].as_array().expect("a list");
            assert_eq!(installs.len(), 1);
            assert_eq!(installs[0]["install_id"], "sampleinstallsampleinstall");
        }),
        _ => return None,
    })
}

/// The body of an HTTP answer with this status.
fn http(answer: &Value, status: u16) -> Value {
    assert_eq!(answer["statusCode"], status, "{answer}");
    assert_eq!(header(answer, "content-type").as_deref(), Some("application/json"));
    assert!(header(answer, "x-request-id").is_some());
    let body = answer["body"].as_str().expect("a body");
    if header(answer, "content-encoding").as_deref() != Some("gzip") {
        assert_eq!(answer["isBase64Encoded"], false);
        return serde_json::from_str(body).expect("JSON");
    }
    // Answers of 2 KiB and more are packed. API Gateway expects bytes in base64.
    assert_eq!(answer["isBase64Encoded"], true);
    let bytes = BASE64.decode(body.as_bytes()).expect("base64");
    serde_json::from_reader(GzDecoder::new(bytes.as_slice())).expect("JSON in gzip")
}

/// The code of a refusal.
fn code(answer: &Value, status: u16) -> String {
    http(answer, status)["error"]["code"].as_str().unwrap_or_default().to_owned()
}

fn header(answer: &Value, name: &str) -> Option<String> {
    answer["headers"][name].as_str().map(str::to_owned)
}

/// Invokes a function; returns its answer.
fn invoke(function: &str, event: &Path) -> Result<Value, Box<dyn Error>> {
    let done = Command::new(root().join("tests/rig/sam-local-invoke.sh"))
        .arg(function)
        .arg(event)
        .current_dir(root())
        .output()?;
    show("sam", &done.stderr);
    show("sam", &done.stdout);
    if !done.status.success() {
        return Err(format!("{function} gave no answer; the output of sam is above").into());
    }
    Ok(serde_json::from_slice(&done.stdout)?)
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each test has its own container; two at the same time only take longer.
    arguments.test_threads = Some(1);
    let folder = root().join("events");
    let mut trials = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("events/") {
        let path = entry.expect("an entry of events/").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_none_or(|extension| extension != "json") || name == "env" {
            continue;
        }
        trials.push(Trial::test(name.clone(), move || {
            let (function, check) = expectation(&name)
                .ok_or_else(|| Failed::from("no expectation of its answer: write one here"))?;
            check(&invoke(function, &path).map_err(|error| Failed::from(error.to_string()))?);
            Ok(())
        }));
    }
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    libtest_mimic::run(&arguments, trials).exit_code()
}
