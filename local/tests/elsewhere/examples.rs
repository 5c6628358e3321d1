//! The apps of `examples/`, in Python and JavaScript: checked, registered, installed on the stand-in, and run through the
//! bundle.

#![expect(clippy::disallowed_methods, reason = "the stand-in's answers end")]

use super::{KID, SECRET, check, folder, pairs};
use crate::{Serving, canary, program, said};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// An example that runs.
struct Example {
    child: Child,
    url: String,
    manifest: PathBuf,
}

impl Example {
    /// Each, with the program that runs it.
    const ALL: [(&str, &str, &str); 2] = [("python", "python3", "app.py"), ("node", "node", "app.mjs")];

    fn start((folder, runs, file): (&str, &str, &str), variables: &[(&str, &str)]) -> Self {
        let folder = self::folder().join(folder);
        let mut command = Command::new(runs);
        command.arg(folder.join(file)).env("PORT", "0").env("PYTHONDONTWRITEBYTECODE", "1");
        command.envs(variables.iter().copied()).stdout(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{runs} is needed for this test: {error}"));
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        // The program stops if nobody reads its log.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        let url = line.trim().strip_prefix("Listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, url, manifest: folder.join("mattermost-cloud-app.json") }
    }

    fn with_secret(which: (&str, &str, &str)) -> Self {
        Self::start(which, &[("CLOUD_APPS_UPSTREAM_KID", KID), ("CLOUD_APPS_UPSTREAM_SECRET", SECRET)])
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_examples_pass_every_check() {
    for which in Example::ALL {
        let example = Example::with_secret(which);
        let checked = check(&example.url, &example.manifest, &["--json"]);
        let all: Value = serde_json::from_str(&checked.out).unwrap();
        let checks = all["checks"].as_array().unwrap();
        let failed: Vec<&Value> = checks.iter().filter(|check| check["ok"] != true).collect();
        assert!(failed.is_empty(), "{which:?}: {failed:#?}");
        // Three functions: five requests and three clocks for each command, one request to the lifecycle's function, each flaw
        // for all, one request to none.
        assert_eq!((checked.code, checks.len()), (0, 2 * (5 + 3) + 1 + 3 * 15 + 1));
    }
}

#[test]
fn an_example_without_its_secret_is_caught() {
    for which in Example::ALL {
        let other = ["CLOUD_APPS_UPSTREAM_KID", "CLOUD_APPS_UPSTREAM_SECRET"];
        let secret = "_".repeat(43);
        let example = Example::start(which, &[(other[0], KID), (other[1], &secret)]);
        let checked = check(&example.url, &example.manifest, &[]);
        assert_eq!(checked.code, 1);
        assert!(
            checked.out.contains("FAIL greet\n       401: it did not accept the token"),
            "{}",
            checked.out
        );
        assert!(checked.out.contains("ok   greet: a token with the algorithm none\n"), "{}", checked.out);
        assert!(!format!("{}{}", checked.out, checked.err).contains(SECRET));
    }
}

/// The manifest of an example with the address that it has now.
fn placed(example: &Example, folder: &TempDir) -> PathBuf {
    let text = std::fs::read_to_string(&example.manifest).unwrap();
    let mut manifest: Value = serde_json::from_str(&text).unwrap();
    manifest["upstream"]["url"] = example.url.clone().into();
    let file = folder.path().join("mattermost-cloud-app.json");
    std::fs::write(&file, serde_json::to_string_pretty(&manifest).unwrap()).unwrap();
    file
}

async fn asked(bundle: &Serving, user: &str, line: &str) -> Value {
    let demo = bundle.demo();
    let text = |pointer: &str| demo.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
    let body = json!({"channel_id": text("/channels/town-square"), "command": line});
    let client = reqwest::Client::new();
    let execute = client
        .post(format!("{}/api/v4/commands/execute", text("/site_url")))
        .bearer_auth(text(&format!("/users/{user}/token")))
        .json(&body);
    execute.send().await.unwrap().json().await.unwrap()
}

async fn posts(bundle: &Serving) -> String {
    let demo = bundle.demo();
    let text = |pointer: &str| demo.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
    let url = format!("{}/api/v4/channels/{}/posts", text("/site_url"), text("/channels/town-square"));
    let read = reqwest::Client::new().get(url).bearer_auth(text("/users/alice/token"));
    read.send().await.unwrap().text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_are_registered_installed_and_answer_through_the_bundle() {
    for which in Example::ALL {
        let bundle = Serving::start();
        // Its secret comes of the registration, and its address of its start: a first one finds a free port.
        let folder = TempDir::new().unwrap();
        let probe = Example::with_secret(which);
        let port = probe.url.rsplit(':').next().unwrap().to_owned();
        let file = placed(&probe, &folder);
        drop(probe);
        let added = bundle.say(&["operator", "apps", "add", file.to_str().unwrap()]);
        assert_eq!(added.code, 0, "{}", added.err);
        let mut secret = pairs(&added.out);
        canary(&secret[1].1);
        assert_eq!(secret[0], ("CLOUD_APPS_UPSTREAM_KID".to_owned(), KID.to_owned()));
        secret.push(("PORT".to_owned(), port));
        let variables: Vec<(&str, &str)> = secret.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let example = Example::start(which, &variables);

        let demo = bundle.demo();
        let site = demo["site_url"].as_str().unwrap();
        let mut install = program();
        install.env("CLOUD_APPS_ADMIN_TOKEN", demo.pointer("/users/admin/token").unwrap().as_str().unwrap());
        install.args([
            "install",
            "greeter",
            "--site",
            site,
            "--all-teams",
            "--yes",
            "--set",
            "greeting=Servus",
        ]);
        let installed = said(install.args(["--data", bundle.data()]).output().unwrap());
        assert_eq!(installed.code, 0, "{}{}", installed.out, installed.err);

        let greeted = asked(&bundle, "alice", "/greeter greet bob_the_builder").await;
        assert_eq!(greeted["text"], r"Servus, bob\_the\_builder!", "{which:?}: {greeted}");
        asked(&bundle, "alice", "/greeter announce \"Lunch at 12\"").await;
        let seen = posts(&bundle).await;
        assert!(seen.contains("Lunch at 12"), "{seen}");

        let refused = bundle.say(&["operator", "apps", "remove", "greeter"]);
        assert_eq!(refused.code, 1);
        assert!(refused.err.contains(&format!("greeter is installed on {site} (")), "{}", refused.err);
        let rotated = bundle.say(&["operator", "apps", "rotate", "greeter"]);
        assert_eq!(pairs(&rotated.out)[0].1, "greeter.1.upstream.2");
        let still = asked(&bundle, "alice", "/greeter greet carol").await;
        assert_eq!(still["text"], "Servus, carol!", "the app has the first secret: {still}");
        // It is given both, and the rotation is ended.
        drop(example);
        let next = pairs(&rotated.out);
        canary(&next[1].1);
        let (kid, secret) = ("CLOUD_APPS_UPSTREAM_NEXT_KID", "CLOUD_APPS_UPSTREAM_NEXT_SECRET");
        let both = [&variables[..], &[(kid, next[0].1.as_str()), (secret, next[1].1.as_str())]].concat();
        let _example = Example::start(which, &both);
        bundle.say(&["operator", "apps", "rotate", "greeter", "--now"]);
        let next = asked(&bundle, "alice", "/greeter greet dave").await;
        assert_eq!(next["text"], "Servus, dave!", "{next}");
        // A third one that it is never given: it refuses, and the person is told.
        bundle.say(&["operator", "apps", "rotate", "greeter", "--now"]);
        let refused = asked(&bundle, "alice", "/greeter greet carol").await;
        let text = refused["text"].as_str().unwrap();
        assert!(text.starts_with("greeter did not accept the call, so nothing was done."), "{refused}");
        assert!(text.contains("(request "), "{refused}");
    }
}
