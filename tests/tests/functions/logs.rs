//! What is logged, at every level: no credential, no body, no answer of AWS.

use crate::stage::{LEVELS, ROLES, SECRETS, Stage, event, read, role, without};
use bench::{runtime::Running, sample::Installed};
use cloud_app::App;
use cloud_apps_aws::{
    Role,
    clients::Clients,
    dynamodb::{Dynamo, Letters},
    functions::Lambda,
    secrets::Secrets,
    sqs::Sqs,
    telemetry,
};
use cloud_apps_core::{
    http::route::ROUTES,
    log::LogFilter,
    store::{
        job::{Job, JobKind},
        model::{Dead, Sha256},
        ports::{DeadLetters, Functions, Installs, KeyMaker, Keys, Ledger, Queue, Registry},
    },
};
use cloud_apps_protocol::token::Scope;
use serde_json::{Value, json};
use std::{collections::BTreeMap, error::Error, path::PathBuf, sync::Arc, time::Duration};

/// The prefix of all that these tests send.
const SENT: &str = "CANARY";

/// Every route with credentials that are wrong and credentials that are right, operators' requests, and a batch.
pub async fn of_functions() -> Result<(), String> {
    for level in LEVELS {
        let stage = Stage::new().await?;
        let mut functions: BTreeMap<&str, (Running, PathBuf)> = BTreeMap::new();
        for role in ROLES {
            functions.insert(role.name(), stage.function(role, level).await?);
        }
        for (name, events) in events(&stage.installed) {
            let (running, _) = functions.get_mut(name).ok_or("no such function")?;
            for event in events {
                running.invoke(event.to_string().into_bytes()).await?;
            }
        }
        for (name, (running, log)) in functions {
            drop(running);
            let log = read(&log);
            let who = format!("{name} at {level}");
            if level == "info" && !log.contains(r#""message":"#) {
                return Err(format!("{who} wrote no line at all: {log}"));
            }
            without(&log, &who, &[&SECRETS[..], &[SENT]].concat())?;
        }
    }
    Ok(())
}

fn events(installed: &Installed) -> BTreeMap<&'static str, Vec<Value>> {
    let install = installed.sample.install.install_id.as_str();
    let mut events: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let mut n = 0;
    for entry in ROUTES {
        let to = events.entry(role(entry.handler).name()).or_default();
        let body = json!({
            "command": { "namespace": "hello", "raw": "/hello greet CANARYTEXT" }, "query": { "kind": "suggest" },
            "trigger_id": "CANARYTRIGGER", "response_url": "https://example.com/hooks/CANARYRESPONSE",
            "code": "CANARYCODE", "settings": { "password": "CANARYSETTING" }, "security": { "x": "CANARYBODY" },
            "bot": { "access_token": "CANARYBOTTOKEN" },
        })
        .to_string();
        let form =
            "token=CANARYFORMTOKEN&text=CANARYTEXT&response_url=CANARYRESPONSE&trigger_id=CANARYTRIGGER";
        for authorization in ["", "Bearer CANARY.BEARER.TOKEN", "Token CANARYTOKEN", "Code CANARYCODE"] {
            to.push(event(entry, install, authorization, "application/json", &body));
            to.push(event(entry, install, authorization, "application/x-www-form-urlencoded", form));
            to.push(event(entry, install, authorization, "application/json", "CANARYNOJSON"));
        }
        // The request is one of the sample server, and gets as far as the function.
        let path = entry.pattern.replace("{install}", install).replace("{function}", "greet");
        for scope in [Scope::User, Scope::Bot, Scope::Admin] {
            for body in [body.as_str(), "{}", "{\"CANARYKEY\": 1}"] {
                n += 1;
                let token = installed.sign(entry.method.as_str(), &path, scope, body.as_bytes(), n);
                to.push(event(entry, install, &format!("Bearer {token}"), "application/json", body));
            }
        }
    }
    let parsed = |event: Vec<u8>| serde_json::from_slice(&event).unwrap_or_default();
    let commands = events.entry(Role::Command.name()).or_default();
    commands.push(parsed(installed.slash_event()));
    commands.extend(installed.v2_event(0).map(parsed));
    let operators = events.entry(Role::Install.name()).or_default();
    for request in [
        json!({ "do": "register" }),
        json!({ "do": "list", "app": "hello" }),
        json!({ "do": "show", "install": install }),
        json!({ "do": "rotate_keys", "app": "hello" }),
        json!({ "do": "add_app", "manifest": "CANARYMANIFEST" }),
        json!({ "do": "CANARYDO", "CANARYKEY": "CANARYVALUE" }),
    ] {
        operators.push(json!({ "operator": request }));
    }
    let record =
        |body: &str| json!({ "messageId": "m", "body": body, "attributes": { "SentTimestamp": "1" } });
    let watch =
        Job::new(JobKind::Watch { install: installed.sample.install.install_id.clone(), rev: 1 }, 0, None, 1);
    let watch = serde_json::to_string(&watch).unwrap_or_default();
    let batch =
        json!({ "Records": [record("CANARYJOB"), record("{\"v\":1,\"CANARYJOB\":1}"), record(&watch)] });
    events.entry(Role::Deliver.name()).or_default().push(batch);
    events
}

/// All calls to AWS that the adapters make, with and without an answer.
pub async fn of_calls() -> Result<(), String> {
    for level in LEVELS {
        let stage = Stage::new().await?;
        let (program, log) = stage.program("Calls", level);
        run(&program)?;
        without(&read(&log), &format!("calls at {level}"), &[&SECRETS[..], &[SENT]].concat())?;
    }
    Ok(())
}

/// Runs a program that is not a function, and so ends by itself.
fn run(program: &bench::runtime::Program) -> Result<(), String> {
    let log = std::fs::File::create(program.log.as_ref().ok_or("no log")?).map_err(|e| e.to_string())?;
    let both = log.try_clone().map_err(|e| e.to_string())?;
    // Built bootstraps can only be functions, so this always runs this program.
    let mut command = std::process::Command::new(std::env::current_exe().map_err(|e| e.to_string())?);
    command.env_clear().envs(&program.env).env("AWS_REGION", "us-east-1").env("AWS_ACCESS_KEY_ID", "id");
    let status = command.stdout(log).stderr(both).status().map_err(|e| e.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", program.name)) }
}

/// This test has its own process.
pub async fn call_everything() {
    let variable = |name: &str| std::env::var(name).ok();
    let level = variable("CLOUD_APPS_LOG_LEVEL").and_then(|level| level.parse().ok());
    telemetry::start(LogFilter::new(level.unwrap_or(tracing::Level::INFO), &[]));
    // The other endpoints cannot be reached or are not addresses, so that the errors of the SDKs are logged.
    let good = variable("AWS_ENDPOINT_URL").unwrap_or_default();
    for endpoint in [good, "http://127.0.0.1:9".to_owned(), "http://".to_owned(), "http://[::1".to_owned()] {
        let clients = Clients::from_variables(None, |name| match name {
            "AWS_ENDPOINT_URL" => Some(endpoint.clone()),
            name => variable(name),
        });
        calls(Arc::new(clients.unwrap()), &endpoint).await;
    }
}

/// Logs an error as functions do, with its causes.
fn told<T, E: Error>(answer: Result<T, E>) {
    let Err(error) = answer else { return };
    let (mut chain, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        chain = format!("{chain}: {error}");
        cause = error.source();
    }
    tracing::error!(chain, ?error, "a call failed");
}

async fn calls(clients: Arc<Clients>, endpoint: &str) {
    let env = json!(std::include_str!("../../../events/env.json"));
    let env: Value = serde_json::from_str(env.as_str().unwrap()).unwrap();
    let sample = env["Parameters"]["CLOUD_APPS_SAMPLE"].as_str().unwrap();
    let sample = cloud_apps_core::offline::Sample::parse(sample).unwrap();
    let install = sample.install(None).unwrap();
    let ring = sample.ring().unwrap();
    let dynamo = Dynamo::new(Arc::clone(&clients), "Installs", "Ledger");
    let hash = Sha256::of("CANARY");
    told(Installs::find(&dynamo, &install.id).await);
    told(dynamo.find_with_team(&install.id, &sample.install.team_id).await);
    told(dynamo.find_static_token(&hash).await);
    told(dynamo.change(&install, 1).await);
    told(dynamo.list(&install.app, 10, None).await);
    told(dynamo.teams(&install.id).await);
    told(dynamo.undo(&install, 1).await);
    told(dynamo.once("JTI#CANARYKEY", 10, 0).await);
    told(dynamo.claim("DO#CANARYKEY", 1, 10, 10, 0).await);
    told(dynamo.done("DO#CANARYKEY", 1, 10, 0).await);
    told(dynamo.put("TALK#CANARYKEY", "CANARYVALUE", 10, 0).await);
    told(dynamo.look("TALK#CANARYKEY", 0).await);
    told(Ledger::take(&dynamo, "TALK#CANARYKEY", 0).await);
    let secrets = Secrets::new(Arc::clone(&clients), "bench");
    told(secrets.ring(&install.app).await);
    told(secrets.make(&ring).await);
    told(secrets.replace(&ring).await);
    let job = Job::new(JobKind::Watch { install: install.id.clone(), rev: 1 }, 0, None, 1);
    told(Sqs::new(Arc::clone(&clients), &format!("{endpoint}/0/CANARYQUEUE")).send(&job, 1).await);
    let letter = Dead {
        id: "1".to_owned(),
        install: Some(install.id.clone()),
        body: "CANARYBODY".to_owned(),
        reason: "CANARYREASON".to_owned(),
        attempts: 1,
        function: None,
        first_at: 1,
        at: 2,
        trace: None,
    };
    let letters = Letters::new(Arc::clone(&clients), "data");
    told(letters.park(&letter).await);
    told(DeadLetters::list(&letters, Some(&install.id), 10, None).await);
    told(DeadLetters::take(&letters, Some(&install.id), "1").await);
    let payload = b"{\"a\":\"CANARYPAYLOAD\"}".to_vec();
    told(Lambda::new(clients).invoke("f", payload, Duration::from_secs(9)).await);
}

/// The level holds for the lines of an app's crate, and for no other crate.
pub async fn of_apps() -> Result<(), String> {
    let stage = Stage::new().await?;
    for (level, seen) in
        [("error", "e"), ("warn", "ew"), ("info", "ewi"), ("debug", "ewid"), ("trace", "ewidt")]
    {
        let (program, log) = stage.program("App", level);
        run(&program)?;
        let log = read(&log);
        for (letter, word) in
            [('e', "an error"), ('w', "a warning"), ('i', "info"), ('d', "debug"), ('t', "trace")]
        {
            let (own, other) = (format!("{word} of hello"), format!("{word} of hello_else"));
            let lines = |text: &str| log.lines().any(|line| line.contains(&format!("\"{text}\"")));
            if lines(&own) != seen.contains(letter) {
                return Err(format!("{own} at {level}: {log}"));
            }
            if lines(&other) != (seen.contains(letter) && "ew".contains(letter)) {
                return Err(format!("{other} at {level}: {log}"));
            }
        }
    }
    Ok(())
}

/// This test has its own process.
pub fn write_as_an_app() {
    let apps: Vec<App> = linked_apps::all();
    let level = std::env::var("CLOUD_APPS_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    telemetry::start(LogFilter::new(level.unwrap_or(tracing::Level::INFO), &apps));
    macro_rules! write {
        ($target:literal) => {
            tracing::error!(target: $target, "an error of {}", $target);
            tracing::warn!(target: $target, "a warning of {}", $target);
            tracing::info!(target: $target, "info of {}", $target);
            tracing::debug!(target: $target, "debug of {}", $target);
            tracing::trace!(target: $target, "trace of {}", $target);
        };
    }
    write!("hello");
    // Another crate, whose name has the same prefix.
    write!("hello_else");
}

/// A panic is logged with its place. Its message is logged only if it is a literal in the source.
pub async fn of_panics() -> Result<(), String> {
    let stage = Stage::new().await?;
    let (program, log) = stage.program("Panic", "trace");
    run(&program)?;
    let log = read(&log);
    without(&log, "a panic", &[SENT])?;
    for part in ["logs.rs:", "a literal", r#""level":"ERROR""#] {
        if !log.contains(part) {
            return Err(format!("{part} is missing: {log}"));
        }
    }
    Ok(())
}

/// This test has its own process.
pub fn panic() {
    telemetry::start(LogFilter::new(tracing::Level::INFO, &[]));
    let word = std::hint::black_box("CANARY");
    let _ = std::panic::catch_unwind(|| panic!("a request said {word}"));
    let _ = std::panic::catch_unwind(|| panic!("a literal"));
}
