//! The stubs with the sample install, and the functions that use them.

use crate::FUNCTION;
use bench::{
    aws::Stub,
    runtime::{Program, Running},
    sample::Installed,
};
use cloud_apps_aws::Role;
use cloud_apps_core::http::{Handler, route::Entry};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

pub const ROLES: [Role; 5] = [Role::Command, Role::Autocomplete, Role::Event, Role::Deliver, Role::Install];
pub const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// The first characters of all secrets here, besides what a test sends: of the environment, the key ring and the install.
pub const SECRETS: [&str; 8] = [
    "CANARYACCESSKEY",
    "CANARYSESSION",
    // The root of the key ring, as text and as bytes.
    "U0FNUExFLVJPT1",
    "SAMPLE-ROOT",
    "samplebottoken",
    "sampleslashsample",
    "samplestaticsample",
    "samplehooksample",
];

/// A sample install in the stubs.
pub struct Stage {
    pub installed: Installed,
    endpoint: String,
    folder: tempfile::TempDir,
}

impl Stage {
    pub async fn new() -> Result<Self, String> {
        let endpoint = Stub::default().serve().await?;
        let installed = Installed::put(&endpoint).await?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        Ok(Self { installed, endpoint, folder })
    }

    /// A program of this test, or the bootstrap that was built, and the file that it writes to.
    pub fn program(&self, name: &str, level: &str) -> (Program, PathBuf) {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let log = self.folder.path().join(COUNT.fetch_add(1, Ordering::Relaxed).to_string());
        let mut env = Installed::env(&self.endpoint);
        for (name, value) in [
            (FUNCTION, name),
            ("CLOUD_APPS_LOG_LEVEL", level),
            // Variables that other programs of this kind read.
            ("RUST_LOG", "trace"),
            ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
            ("AWS_SECRET_ACCESS_KEY", "CANARYACCESSKEY"),
            ("AWS_SESSION_TOKEN", "CANARYSESSION"),
        ] {
            env.insert(name.to_owned(), value.to_owned());
        }
        let built = std::env::var_os("CLOUD_APPS_FUNCTIONS")
            .map(|folder| stack_tests::root().join(folder).join(name).join("bootstrap"))
            .filter(|path| path.exists());
        let path = built.unwrap_or_else(|| std::env::current_exe().unwrap());
        (Program { name: name.to_owned(), path, env, log: Some(log.clone()) }, log)
    }

    /// A running function.
    pub async fn function(&self, role: Role, level: &str) -> Result<(Running, PathBuf), String> {
        let (program, log) = self.program(role.name(), level);
        let running = program.start().await;
        Ok((running.map_err(|why| format!("{why}\n{}", read(&log)))?, log))
    }
}

/// All that was written.
pub fn read(log: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned()
}

/// Fails if the log contains one of these texts.
pub fn without(log: &str, who: &str, secrets: &[&str]) -> Result<(), String> {
    for secret in secrets {
        if let Some(line) = log.lines().find(|line| line.contains(secret)) {
            return Err(format!("{who} wrote {secret}: {line}"));
        }
    }
    Ok(())
}

/// The function that serves a route.
pub fn role(handler: Handler) -> Role {
    match handler {
        Handler::Command => Role::Command,
        Handler::Autocomplete => Role::Autocomplete,
        Handler::Event => Role::Event,
        Handler::Install => Role::Install,
    }
}

/// An event of API Gateway for a route, as from the sample's server.
pub fn event(entry: &Entry, install: &str, authorization: &str, content_type: &str, body: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": format!("{} {}", entry.method, entry.pattern),
        "rawPath": "/CANARYPATH", "rawQueryString": "code=CANARYQUERY&state=CANARYQUERY",
        "cookies": ["a=CANARYCOOKIE"],
        "headers": {
            "authorization": authorization, "content-type": content_type, "cookie": "a=CANARYCOOKIE",
            "x-hub-signature": "CANARYSIGNATURE",
        },
        "requestContext": {
            "http": { "method": entry.method.as_str(), "path": "/CANARYPATH" }, "timeEpoch": 1,
        },
        "pathParameters": {
            "install": install, "function": "greet", "field": "name", "path": "vendor", "name": "s", "app": "hello",
        },
        "body": body, "isBase64Encoded": false,
    })
}
