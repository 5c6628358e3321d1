//! A workspace that `cloud-apps init` made for this checkout: it builds, its test passes, it serves, and its app
//! answers. It is compiled into `target/init`.

// All of this is tests. Clippy's exception for tests does not cover the functions that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use serde_json::Value;
use stack_tests::{canary, cloud_apps, root, show};
use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::LazyLock,
};

/// The workspace, made once for all tests.
static MINE: LazyLock<PathBuf> = LazyLock::new(|| {
    let into = Path::new(env!("CARGO_TARGET_TMPDIR")).join("init");
    let mine = into.join("mine");
    if mine.exists() {
        fs::remove_dir_all(&mine).unwrap();
    }
    fs::create_dir_all(&into).unwrap();
    let made = said(
        Command::new(cloud_apps().unwrap())
            .args(["init", "mine", "--checkout"])
            .arg(root())
            .arg("--into")
            .arg(&into),
    );
    assert!(made.status.success());
    // The test uses the crate versions of this checkout, and not newer ones.
    fs::copy(root().join("Cargo.lock"), mine.join("Cargo.lock")).unwrap();
    mine
});

/// Runs a program and shows its output.
fn said(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    show("init", &output.stdout);
    show("init", &output.stderr);
    output
}

/// Cargo in the workspace.
fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let target = root().join("target/init");
    cargo
        .args(arguments)
        .current_dir(&*MINE)
        .env("CARGO_TARGET_DIR", target)
        .env_remove("CARGO_MANIFEST_DIR");
    cargo
}

/// The command of the workspace.
fn local(arguments: &[&str]) -> Command {
    let built = said(&mut cargo(&["build", "--quiet", "--workspace"]));
    assert!(built.status.success(), "it does not compile");
    let mut local = Command::new(root().canonicalize().unwrap().join("target/init/debug/local"));
    // The command keeps its state here, and not in the home folder of the user who runs the tests.
    local
        .args(arguments)
        .current_dir(&*MINE)
        .env("XDG_STATE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/state"));
    local
}

/// A served workspace; it ends with the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Two ports that were free a moment ago.
fn ports() -> [String; 2] {
    let listeners = [0; 2].map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port().to_string())
}

#[test]
fn its_test_passes_as_it_was_made() {
    let tested = said(&mut cargo(&["test", "--quiet", "--workspace"]));
    assert!(tested.status.success());
    let count = String::from_utf8_lossy(&tested.stdout).matches("test result: ok. 2 passed").count();
    assert_eq!(count, 1, "its test did not run");
}

#[test]
fn it_serves_and_its_app_answers_in_both_dialects() {
    let [port, mattermost] = ports();
    let mut serving = local(&["serve", "--port", &port, "--mattermost-port", &mattermost])
        .stdout(Stdio::piped())
        .spawn()
        .map(Serving)
        .unwrap();
    let welcome = BufReader::new(serving.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut welcome = welcome.inspect(|line| println!("  serve| {line}"));
    assert!(welcome.any(|line| line.contains("run \"/mine ")), "it ended before it served");
    let demo: Value =
        serde_json::from_str(&fs::read_to_string(MINE.join(".cloud-apps/demo.json")).unwrap()).unwrap();
    canary(demo["apps"]["mine"]["shared_secret"].as_str().unwrap()).unwrap();
    for person in demo["users"].as_object().unwrap().values() {
        canary(person["token"].as_str().unwrap()).unwrap();
    }
    for dialect in [&[][..], &["--slash"]] {
        let ran = said(local(&["run", "/mine hello @bob"]).args(dialect));
        assert!(ran.status.success());
        assert!(String::from_utf8_lossy(&ran.stdout).contains("Hello @bob!"));
    }
    let listed = said(&mut local(&["list", "mine"]));
    assert!(String::from_utf8_lossy(&listed.stdout).contains(&format!("http://127.0.0.1:{mattermost}")));
}

#[test]
fn its_sample_events_are_those_that_its_command_makes_for_its_app() {
    for entry in fs::read_dir(MINE.join("events")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|extension| extension != "json") || name == "env" {
            continue;
        }
        let committed: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        // This is the time of the committed event, whose token contains it.
        let made = local(&["event", &name, "--at", "1795348800000", "--line", "help"]).output().unwrap();
        assert!(made.status.success(), "{name}");
        assert_eq!(serde_json::from_slice::<Value>(&made.stdout).unwrap(), committed, "{name}");
    }
}

#[test]
fn its_template_is_the_one_of_the_bundle() {
    let template = fs::read_to_string(MINE.join("template.yaml")).unwrap();
    assert_eq!(template, fs::read_to_string(root().join("template.yaml")).unwrap());
    assert!(fs::read_to_string(MINE.join("samconfig.toml")).unwrap().contains("stack_name = \"mine\""));
    for folder in ["command", "autocomplete", "event", "install"] {
        assert!(MINE.join("functions").join(folder).join("Cargo.toml").exists(), "{folder}");
    }
}
