//! The `cloud-apps` command as people use it: the program itself, with a bundle of its own on free ports.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
// What a test reads comes from servers that the test started, and nothing of it reaches a terminal.
#![allow(clippy::disallowed_methods)]

mod certificates;
mod docs;
mod elsewhere;
mod folder;
mod hostile;
mod install;
mod manage;

use expect_test::expect;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, Output, Stdio},
};
use tempfile::TempDir;

/// The program, with nothing of this terminal's environment that would change what it does.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloud-apps"));
    command.env("NO_COLOR", "1");
    // What the program remembers of its user stands here, and not in the home of the person who runs the tests.
    command.env("XDG_STATE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/state"));
    for name in [
        "CLOUD_APPS_DATA",
        "CLOUD_APPS_KID",
        "CLOUD_APPS_SECRET",
        "CLOUD_APPS_SLASH_TOKEN",
        "AWS_REGION",
        "CLOUD_APPS_UPSTREAM_KID",
        "CLOUD_APPS_UPSTREAM_SECRET",
        "CLOUD_APPS_CODE",
        "CLOUD_APPS_ADMIN_TOKEN",
        "CLOUD_APPS_CA",
    ] {
        command.env_remove(name);
    }
    command
}

/// What the program said, and its exit code.
struct Said {
    out: String,
    err: String,
    code: i32,
}

fn said(output: Output) -> Said {
    Said {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().expect("it ended by itself"),
    }
}

fn say(arguments: &[&str]) -> Said {
    said(program().args(arguments).output().unwrap())
}

/// A local bundle that runs, in a folder of its own.
struct Serving {
    child: Child,
    folder: TempDir,
    welcome: String,
}

impl Serving {
    fn start() -> Self {
        Self::in_folder(private_folder())
    }

    /// Without a Mattermost of its own.
    fn without_demo() -> Self {
        let folder = private_folder();
        let mut command = serve(folder.path());
        command.arg("--no-demo");
        Self::of(command, folder)
    }

    fn in_folder(folder: TempDir) -> Self {
        Self::of(serve(folder.path()), folder)
    }

    fn of(mut command: Command, folder: TempDir) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut welcome = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        while !welcome.contains("Ctrl-C ends it.") {
            let read = out.read_line(&mut welcome).unwrap();
            assert!(read > 0, "it ended before it served: {welcome}{}", rest(&mut child));
        }
        Self { child, folder, welcome }
    }

    fn data(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    fn demo(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.folder.path().join("demo.json")).unwrap()).unwrap()
    }

    fn say(&self, arguments: &[&str]) -> Said {
        said(program().args(arguments).args(["--data", self.data()]).output().unwrap())
    }

    /// Ends it with a signal; what it said meanwhile, and its exit code.
    fn end(mut self, signal: &str) -> (TempDir, String, Option<i32>) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let code = self.child.wait().unwrap().code();
        let log = rest(&mut self.child);
        (std::mem::replace(&mut self.folder, TempDir::new().unwrap()), log, code)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder that nobody else may look into.
fn private_folder() -> TempDir {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    tempfile::Builder::new().permissions(mode).tempdir().unwrap()
}

fn serve(folder: &Path) -> Command {
    let mut command = program();
    command.args(["serve", "--port", "0", "--mattermost-port", "0", "--data"]).arg(folder);
    command
}

fn rest(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// Remembers a secret, so that all output can be searched for it.
#[cfg(feature = "rig")]
fn canary(secret: &str) {
    if let Some(file) = std::env::var_os("CLOUD_APPS_CANARY_FILE") {
        std::fs::create_dir_all(Path::new(&file).parent().unwrap()).unwrap();
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
        writeln!(file, "{secret}").unwrap();
    }
}

#[test]
fn a_line_is_run_as_alice_signed_and_as_a_slash_command() {
    let bundle = Serving::start();
    for mode in [&[][..], &["--slash"][..]] {
        let greeted = bundle.say(&[&["run", "/hello greet @bob --language=de"], mode].concat());
        assert_eq!(greeted.code, 0, "{}", greeted.err);
        assert!(greeted.out.contains("@bob"), "{}", greeted.out);
    }
    let json = bundle.say(&["run", "/hello greet @bob", "--json"]);
    let answer: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(answer["type"], "message", "{answer}");
}

#[test]
fn the_demo_is_a_mattermost_of_the_version_that_is_asked_for() {
    for (version, number) in [("5.37", "5.37.0"), ("12", "12.0.0")] {
        let folder = private_folder();
        let mut command = serve(folder.path());
        command.args(["--mattermost-version", version]);
        let bundle = Serving::of(command, folder);
        for mode in [&[][..], &["--slash"][..]] {
            let greeted = bundle.say(&[&["run", "/hello greet @bob"], mode].concat());
            assert_eq!(greeted.code, 0, "{}", greeted.err);
        }
        let site = bundle.demo()["site_url"].as_str().unwrap().to_owned();
        let looked = bundle.say(&["doctor", "hello", "--site", &site]);
        assert!(looked.out.contains(&format!("Mattermost {number}")), "{}{}", looked.out, looked.err);
    }
    let unknown = say(&["serve", "--mattermost-version", "12.0"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("5.37, 11.6") && unknown.err.contains("12]"), "{}", unknown.err);
}

#[test]
fn an_answer_that_is_an_error_is_exit_code_1_also_as_json() {
    let bundle = Serving::start();
    let line = "/hello greet @nobody-at-all --language=xx";
    let (text, json) = (bundle.say(&["run", line]), bundle.say(&["run", line, "--json"]));
    assert_eq!((text.code, json.code), (1, 1), "{}{}", text.out, json.out);
}

#[test]
fn who_or_what_the_demo_does_not_have_is_told_with_what_it_has() {
    let bundle = Serving::start();
    for (arguments, there) in [
        (&["run", "/helo greet"][..], "/hello"),
        (&["run", "/hello help", "--user", "dave"][..], "alice"),
        (&["run", "/hello help", "--channel", "nowhere"][..], "town-square"),
    ] {
        let refused = bundle.say(arguments);
        assert_eq!(refused.code, 1, "{}", refused.err);
        assert!(refused.err.contains(there), "{}", refused.err);
    }
}

#[test]
fn a_line_without_its_slash_is_told_how_it_begins() {
    let refused = Serving::start().say(&["run", "hello greet @bob"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("a command begins with a slash"), "{}", refused.err);
}

/// The token of the demo's admin was made up by `serve`, so nobody could type it.
#[test]
fn of_the_demo_everybody_is_the_admin_and_its_app_can_be_removed_and_installed_again() {
    let bundle = Serving::start();
    let site = bundle.demo()["site_url"].as_str().unwrap().to_owned();
    let at = ["hello", "--site", &site];
    let looked = bundle.say(&[&["doctor"], &at[..]].concat());
    assert_eq!(looked.code, 0, "{}{}", looked.out, looked.err);
    assert!(looked.out.contains("the bot @hello is there and enabled"), "{}", looked.out);
    for command in [&["sync"][..], &["uninstall", "--yes"], &["install", "--yes", "--all-teams"]] {
        let done = bundle.say(&[command, &at].concat());
        assert_eq!(done.code, 0, "{command:?}: {}{}", done.out, done.err);
        assert!(done.err.contains("is the demo, and you are its admin"), "{command:?}: {}", done.err);
    }
    let answered = bundle.say(&["run", "--slash", "/hello greet @bob"]);
    assert!(answered.out.contains("@bob"), "{}{}", answered.out, answered.err);
    let signed = bundle.say(&["run", "/hello greet @bob"]);
    assert!(signed.err.contains("the app was installed again"), "{}", signed.err);
    assert!(signed.err.contains("add --slash"), "{}", signed.err);
}

#[test]
fn a_line_means_the_same_signed_and_as_a_slash_command() {
    let bundle = Serving::start();
    for line in [
        "/Hello greet @bob",
        "/HELLO greet @Bob",
        "/hello greet --user=@bob",
        "/hello greet --user=@BOB",
        "/hello greet @bob,",
        "/hello greet @bob.",
    ] {
        let (signed, slash) = (bundle.say(&["run", line]), bundle.say(&["run", "--slash", line]));
        assert!(signed.out.contains("Hello, @bob!"), "{line}: {}{}", signed.out, signed.err);
        assert_eq!(signed.out, slash.out, "{line}");
    }
}

#[test]
fn an_app_may_have_the_name_of_a_crate_or_a_keyword() {
    let into = TempDir::new().unwrap();
    let at = into.path().to_str().unwrap();
    for name in [
        "async",
        "std",
        "core",
        "tokio",
        "local",
        "cloud-app",
        "cloud-apps",
        "lambda-runtime",
        "app",
        "self",
        "crate",
    ] {
        let said = say(&["init", name, "--into", at]);
        assert_eq!(said.code, 0, "{name}: {}", said.err);
        // No crate has the name of the app, so no name is in the way.
        let root = into.path().join(name);
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
        assert!(read("app/Cargo.toml").contains("name = \"app\""), "{name}");
        assert!(read("Cargo.toml").contains("\napp = { path = \"app\" }\n"), "{name}");
        assert!(read("functions/install/src/main.rs").contains("vec![app::app()]"), "{name}");
        assert!(read("app/src/lib.rs").contains(&format!("App::new(\"{name}\"")), "{name}");
    }
    let refused = say(&["init", "all", "--into", at]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("an app cannot be called all"), "{}", refused.err);
    assert!(!into.path().join("all").exists());
}

/// A code is asked for only where one helps.
#[test]
fn what_only_an_operator_may_is_refused_before_a_code_is_asked_for() {
    for command in
        [&["list"][..], &["rotate", "shared-secret", "hello"], &["rotate", "static-token", "hello"]]
    {
        let refused = say(&[command, &["--bundle", "https://bundle.example.com"]].concat());
        assert_eq!(refused.code, 2, "{command:?}: {}", refused.err);
        assert!(refused.err.contains("needs the rights of an operator"), "{command:?}: {}", refused.err);
    }
}

#[test]
fn a_bundle_elsewhere_is_spoken_to_with_credentials_of_the_environment() {
    let bundle = Serving::start();
    let demo = bundle.demo();
    let text = |pointer: &str| demo.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
    let (url, site) = (text("/base_url"), text("/site_url"));
    let (alice, channel, team) = (text("/users/alice/id"), text("/channels/town-square"), text("/team"));
    let (kid, secret) = (text("/apps/hello/kid"), text("/apps/hello/shared_secret"));
    let (slash_url, slash_token) = (text("/apps/hello/slash_url"), text("/apps/hello/slash_token"));
    let whole = ["--bundle", &url, "--site", &site, "--user", &alice, "--channel", &channel, "--team", &team];
    let signed = |more: &[&str], secret: &str| {
        let mut command = program();
        command.env("CLOUD_APPS_KID", &kid).env("CLOUD_APPS_SECRET", secret);
        said(command.args(["run", "/hello whoami"]).args(more).output().unwrap())
    };
    let form = |url: &str, token: &str| {
        let mut command = program();
        command.env("CLOUD_APPS_SLASH_TOKEN", token).args([
            "run",
            "/hello whoami",
            "--slash",
            "--slash-url",
            url,
        ]);
        said(command.args(["--user", &alice, "--channel", &channel, "--team", &team]).output().unwrap())
    };

    let (answered, in_form) = (signed(&whole, &secret), form(&slash_url, &slash_token));
    assert_eq!((answered.code, in_form.code), (0, 0), "{}{}", answered.err, in_form.err);
    assert!(!answered.out.is_empty() && !in_form.out.is_empty());

    let other = "A".repeat(43);
    let wrong = signed(&whole, &other);
    assert_eq!(wrong.code, 1, "{}", wrong.err);
    let elsewhere = ["--bundle", &url, "--site", "https://other.example.com", "--user", &alice];
    let elsewhere = signed(&elsewhere, &secret);
    assert_eq!(elsewhere.code, 1, "{}", elsewhere.err);
    let token = form(&slash_url, "aaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert!(!token.err.contains("aaaaaaaaaaaaaaaaaaaaaaaaaa"), "{}", token.err);

    let no_bundle = signed(&["--bundle", &site, "--site", &site, "--user", &alice], &secret);
    assert_eq!(no_bundle.code, 1, "{}", no_bundle.err);
    assert!(no_bundle.err.contains("is it the address of a bundle?"), "{}", no_bundle.err);
    // Port 1 of this machine: nothing listens there.
    let nobody = signed(&["--bundle", "http://127.0.0.1:1", "--site", &site, "--user", &alice], &secret);
    assert_eq!(nobody.code, 3, "{}", nobody.err);

    for refused in [&wrong, &elsewhere, &no_bundle, &nobody] {
        assert!(!refused.err.contains(&secret) && !refused.err.contains(&other), "{}", refused.err);
    }
}

#[test]
fn what_is_missing_for_a_bundle_elsewhere_is_named() {
    let missing = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = program();
        command.args(["run", "/hello help"]).args(arguments);
        let said = said(command.envs(variables.iter().copied()).output().unwrap());
        assert_eq!(said.code, 2, "{}", said.err);
        said.err.lines().next().unwrap_or_default().to_owned()
    };
    let user = "aliceaaaaaaaaaaaaaaaaaaaaa";
    let whole = ["--bundle", "http://127.0.0.1:1", "--site", "https://chat.example.com", "--user", user];
    assert_eq!(missing(&whole[..2], &[]), "error: --site is missing");
    assert_eq!(missing(&whole[..4], &[]), "error: --user is missing");
    assert_eq!(missing(&whole, &[]), "error: CLOUD_APPS_KID is not set");
    let kid = ("CLOUD_APPS_KID", "hello.1.aaaaaaaaaaaaaaaaaaaaaaaaaa.1");
    assert_eq!(missing(&whole, &[kid]), "error: CLOUD_APPS_SECRET is not set");
    assert_eq!(missing(&whole, &[kid, ("CLOUD_APPS_SECRET", "")]), "error: CLOUD_APPS_SECRET is not set");
    let short = missing(&whole, &[kid, ("CLOUD_APPS_SECRET", "tooshort")]);
    assert_eq!(short, "error: the shared secret is not 43 characters of base64url");
    let slash = ["--slash", "--slash-url", "http://127.0.0.1:1"];
    assert_eq!(missing(&slash, &[]), "error: CLOUD_APPS_SLASH_TOKEN is not set");
    assert_eq!(missing(&slash, &[("CLOUD_APPS_SLASH_TOKEN", "t")]), "error: --team is missing");
    assert_eq!(missing(&["--team", user], &[]), "error: --team is only for a bundle elsewhere");
}

#[test]
fn an_operator_makes_install_codes_and_manage_codes() {
    let bundle = Serving::start();
    let code =
        bundle.say(&["operator", "code", "hello", "--site", "https://chat.example.com", "--valid", "20"]);
    assert_eq!(
        code.out.trim_end().len(),
        43,
        "only the code is on standard output: {}{}",
        code.out,
        code.err
    );
    assert!(code.err.contains("valid for 20 minutes, until "), "{}", code.err);
    let base_url = bundle.demo()["base_url"].as_str().unwrap().to_owned();
    let next = format!("cloud-apps install hello --site https://chat.example.com --bundle {base_url}");
    assert!(code.err.contains(&next), "{}", code.err);

    let list: Value = serde_json::from_str(&bundle.say(&["list", "--json"]).out).unwrap();
    let install = list[0]["install_id"].as_str().unwrap();
    let code = bundle.say(&["operator", "manage-code", install]);
    assert_eq!(code.out.trim_end().len(), 43, "{}{}", code.out, code.err);
    assert!(code.err.contains("valid for 15 minutes") && code.err.contains("revoke-codes"), "{}", code.err);
    let managed = |arguments: &[&str]| {
        let mut command = program();
        command.args(arguments).args(["--bundle", &base_url]).env("CLOUD_APPS_CODE", code.out.trim_end());
        said(command.output().unwrap())
    };
    let shown = managed(&["show", install]);
    assert!(shown.out.contains("state        active"), "{}{}", shown.out, shown.err);
    let listed = managed(&["list"]);
    assert_eq!(listed.code, 2, "{}", listed.err);
    assert!(listed.err.contains("needs the rights of an operator"), "{}", listed.err);
    assert_eq!(bundle.say(&["operator", "revoke-codes", install]).code, 0);
    let revoked = managed(&["show", install]);
    assert_eq!(revoked.code, 1, "{}{}", revoked.out, revoked.err);
    assert!(revoked.err.contains("cloud-apps operator manage-code"), "{}", revoked.err);

    let unknown = bundle.say(&["show", "aaaaaaaaaaaaaaaaaaaaaaaaaa"]);
    assert_eq!(unknown.code, 1, "{}", unknown.err);
    assert!(unknown.err.contains("`cloud-apps list` shows the installs"), "{}", unknown.err);
}

#[test]
fn where_no_bundle_serves_is_exit_code_3_and_says_how_to_start_one() {
    let folder = TempDir::new().unwrap();
    for arguments in [&["run", "/hello help"][..], &["list"][..]] {
        let data = folder.path().to_str().unwrap();
        let said = say(&[arguments, &["--data", data]].concat());
        assert_eq!(said.code, 3, "{}", said.err);
        assert!(said.err.contains("cloud-apps serve"), "{}", said.err);
    }
}

#[test]
fn a_folder_is_served_once_and_the_first_goes_on() {
    let bundle = Serving::start();
    let second = said(serve(bundle.folder.path()).output().unwrap());
    assert_eq!(second.code, 1);
    assert!(second.err.contains("another `cloud-apps serve` uses the folder"), "{}", second.err);
    assert_eq!(bundle.say(&["list"]).code, 0);
    assert_eq!(bundle.say(&["run", "/hello help"]).code, 0);
}

#[test]
fn what_serve_makes_is_for_its_owner_whatever_the_umask_is() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", r#"umask 0; exec "$0" "$@""#, env!("CARGO_BIN_EXE_cloud-apps")]);
    command.args(serve(folder.path()).get_args());
    let bundle = Serving::of(command, folder);
    let keys = bundle.folder.path().join("keys");
    let mut names = Vec::new();
    for folder in [bundle.folder.path(), &keys] {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}: {mode:o}", entry.path().display());
            names.push(entry.file_name().into_string().unwrap());
        }
    }
    for name in ["lock", "bundle.db", "bundle.db-wal", "demo.json", "operator.sock", "hello.json"] {
        assert!(names.iter().any(|made| made == name), "{name}: {names:?}");
    }
}

#[test]
fn ctrl_c_and_sigterm_end_it_cleanly_and_a_killed_one_hinders_nobody() {
    let mut folder = private_folder();
    for signal in ["-INT", "-TERM"] {
        let bundle = Serving::in_folder(folder);
        assert!(bundle.welcome.starts_with("Serving on http://127.0.0.1:"), "{}", bundle.welcome);
        let (left, log, code) = bundle.end(signal);
        assert_eq!((log.as_str(), code), ("\nStopping.\n", Some(0)), "no log line stands beside the welcome");
        assert!(!left.path().join("operator.sock").exists() && !left.path().join("demo.json").exists());
        folder = left;
    }
    let (folder, _, code) = Serving::in_folder(folder).end("-KILL");
    assert_eq!(code, None);
    assert!(folder.path().join("operator.sock").exists());
    let again = Serving::in_folder(folder);
    assert_eq!(again.say(&["run", "/hello help"]).code, 0);
    assert_eq!(again.say(&["list"]).code, 0);
}

#[test]
fn the_mode_of_a_folder_that_exists_stays_and_who_may_write_there_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let close = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let folder = TempDir::new().unwrap();
    close(folder.path(), 0o755);
    let (folder, said, _) = Serving::in_folder(folder).end("-KILL");
    assert!(said.contains("others may look into the folder") && said.contains("chmod 700"), "{said}");
    assert_eq!(mode(folder.path()), 0o755);
    for secret in ["bundle.db", "demo.json", "operator.sock"] {
        assert_eq!(mode(&folder.path().join(secret)), 0o600, "{secret}");
    }
    close(folder.path(), 0o777);
    let refused = said_of(serve(folder.path()));
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("others may write") && refused.err.contains("chmod 700"), "{}", refused.err);
    assert_eq!(mode(folder.path()), 0o777);
}

/// What a command that ends by itself said.
fn said_of(mut command: Command) -> Said {
    said(command.output().unwrap())
}

#[test]
fn a_port_that_is_taken_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    let said = say(&["serve", "--port", &port, "--mattermost-port", "0", "--data", data]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains(&port) && said.err.contains("--port"), "{}", said.err);
}

#[test]
fn a_bad_manifest_is_shown_with_every_problem_at_its_place() {
    let manifest = concat!(
        "{\n",
        "  \"id\": \"Hello World\",\n",
        "  \"version\": \"one\",\n",
        "  \"display_name\": \"Hello\",\n",
        "  \"colour\": \"red\"\n",
        "}\n",
    );
    let mut child = program()
        .args(["validate", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
    let said = said(child.wait_with_output().unwrap());
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    expect![[r#"
        error: The key "protocol" is missing.
         --> standard input:1:1
          |
        1 | {
          | ^ /protocol

        error: "Hello World" is not an app id (2 to 32 characters of a-z, 0-9 and -, starting with a letter).
         --> standard input:2:9
          |
        2 |   "id": "Hello World",
          |         ^^^^^^^^^^^^^ /id

        error: "one" is not a semantic version: unexpected character 'o' while parsing major version number.
         --> standard input:3:14
          |
        3 |   "version": "one",
          |              ^^^^^ /version
          |
        help: Write three numbers, such as 1.0.0.

        error: There is no key "colour" here.
         --> standard input:5:3
          |
        5 |   "colour": "red"
          |   ^^^^^^^^ /colour
          |
        help: Known here: $schema, protocol, id, version, display_name, description, homepage_url, icon, namespace, bot, permissions, locations, upstream, accounts, settings, commands, presets, events, webhooks, lifecycle, translations.

        standard input: 4 problems.
    "#]].assert_eq(&said.err);
}

#[test]
fn a_manifest_of_the_apps_framework_is_told_alike_wherever_it_is_given() {
    let bundle = Serving::without_demo();
    let old = tempfile::NamedTempFile::new().unwrap();
    let manifest = r#"{"app_id": "hello", "version": "v1.2.0", "aws_lambda": {"functions": []}}"#;
    std::fs::write(old.path(), manifest).unwrap();
    let path = old.path().to_str().unwrap();
    for said in [
        say(&["validate", path]),
        say(&["check", "http://127.0.0.1:1", "--manifest", path]),
        bundle.say(&["operator", "apps", "add", path]),
    ] {
        assert_eq!(said.code, 1, "{}", said.err);
        for words in [
            "the Mattermost Apps framework, which is discontinued",
            "  app_id: write \"id\"",
            "  aws_lambda: write \"upstream\"",
            "1 problem",
        ] {
            assert!(said.err.contains(words), "{words}: {}", said.err);
        }
    }
}

#[test]
fn a_manifest_that_is_not_utf_8_is_told_so() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), [0xff, 0xfe, b'{', 0, b'}', 0]).unwrap();
    let said = say(&["validate", file.path().to_str().unwrap()]);
    assert!(said.err.contains("save the file as UTF-8"), "{}", said.err);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = say(&["validate", "no-such-manifest.json"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("no-such-manifest.json"), "{}", said.err);
}

#[test]
fn events_are_printed_as_json_and_an_unknown_one_is_told_with_those_there_are() {
    let env = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/env.json");
    let slash = say(&["event", "slash", "--env", env]);
    let event: Value = serde_json::from_str(&slash.out).unwrap();
    assert_eq!(event["version"], "2.0", "{}", slash.err);
    let unknown = say(&["event", "slsh", "--env", env]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("slash"), "{}", unknown.err);
}

#[test]
fn shells_get_completions_and_the_schema_is_json() {
    for shell in ["bash", "zsh", "fish"] {
        let said = say(&["completions", shell]);
        assert!(said.code == 0 && said.out.contains("cloud-apps"), "{shell}: {}", said.err);
    }
    assert!(serde_json::from_str::<Value>(&say(&["schema"]).out).unwrap().is_object());
}

#[test]
fn a_command_line_that_is_wrong_is_exit_code_2() {
    for arguments in [&["serv"][..], &["run"][..], &["run", "/hello", "--site", "https://a.example"][..]] {
        assert_eq!(say(arguments).code, 2, "{arguments:?}");
    }
}
