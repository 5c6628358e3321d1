//! The program itself: what it prints, what it leaves on the disk, what others see of it, and what becomes of it when
//! it is killed.

use crate::{Said, Serving, program, said};
use cloud_apps_standin::{Fault, Server, Snapshot, Standin, Version};
use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

/// A Mattermost that listens, with threads of its own: the program blocks the test's.
pub struct Site {
    pub mattermost: Standin,
    server: Server,
    runtime: tokio::runtime::Runtime,
    token: String,
}

impl Site {
    pub fn new() -> Self {
        Self::on(Version::V11)
    }

    /// A server of this version.
    pub fn on(version: Version) -> Self {
        Self::listening(version, false)
    }

    /// Over `https`, with a certificate of an authority that nobody knows.
    pub fn of_a_private_authority() -> Self {
        Self::listening(Version::V11, true)
    }

    fn listening(version: Version, tls: bool) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mattermost = Standin::new(version);
        mattermost.demo().unwrap();
        let token = mattermost.add_token("admin").unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        let server = runtime.block_on(async {
            if tls {
                mattermost.serve_https(address, &[]).await
            } else {
                mattermost.serve_http(address).await
            }
        });
        let server = server.unwrap();
        Self { mattermost, server, runtime, token }
    }

    /// `cloud-apps …` as the admin of this site.
    pub fn command(&self, bundle: &Serving, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(arguments).args(["--data", bundle.data()]).env("CLOUD_APPS_ADMIN_TOKEN", &self.token);
        command.stdin(Stdio::null());
        command
    }

    pub fn say(&self, bundle: &Serving, arguments: &[&str]) -> Said {
        said(self.command(bundle, arguments).output().unwrap())
    }

    /// The same where the bundle is reached at its address, with a code.
    pub fn say_by_code(&self, (base, code): (&str, &str), arguments: &[&str]) -> Said {
        let mut command = program();
        command.args(arguments).args(["--bundle", base]).stdin(Stdio::null());
        command.env("CLOUD_APPS_ADMIN_TOKEN", &self.token).env("CLOUD_APPS_CODE", code);
        said(command.output().unwrap())
    }

    pub fn install(&self, bundle: &Serving, more: &[&str]) -> Said {
        self.say(
            bundle,
            &[&["install", "hello", "--site", self.server.url(), "--team", "demo"], more].concat(),
        )
    }

    pub fn help(&self) -> String {
        let seen =
            self.runtime.block_on(self.mattermost.execute("alice", "town-square", "/hello help")).unwrap();
        seen.texts().concat()
    }

    /// The certificate of the authority.
    pub fn ca_pem(&self) -> &str {
        self.server.ca_pem().unwrap()
    }

    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// What alice reads when she types a line.
    pub fn typed(&self, line: &str) -> String {
        let seen = self.runtime.block_on(self.mattermost.execute("alice", "town-square", line)).unwrap();
        seen.texts().concat()
    }

    /// A call of the admin's, as somebody makes it who knows nothing of the bundle.
    fn call(&self, method: &str, path: &str, body: &serde_json::Value) -> serde_json::Value {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/api/v4{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(bytes::Bytes::from(body.to_string()))
            .unwrap();
        let answer = self.runtime.block_on(self.mattermost.respond(request)).unwrap();
        assert!(answer.status().is_success(), "{method} {path}: {:?}", answer.body());
        serde_json::from_slice(answer.body()).unwrap_or_default()
    }

    /// The first custom command of the demo team.
    pub fn hello(&self) -> serde_json::Value {
        let team = self.mattermost.team_id("demo").unwrap();
        let path = format!("/commands?team_id={team}&custom_only=true");
        self.call("GET", &path, &serde_json::Value::Null)[0].clone()
    }

    pub fn alter_command(&self, alter: impl FnOnce(&mut serde_json::Value)) {
        let mut command = self.hello();
        alter(&mut command);
        self.call("PUT", &format!("/commands/{}", command["id"].as_str().unwrap()), &command);
    }

    pub fn delete_command(&self) {
        let id = self.hello()["id"].as_str().unwrap().to_owned();
        self.call("DELETE", &format!("/commands/{id}"), &serde_json::Value::Null);
    }

    pub fn disable_bot(&self) {
        let bot = self.mattermost.user("hello").unwrap().id;
        self.call("POST", &format!("/bots/{bot}/disable"), &serde_json::Value::Null);
    }

    pub fn left(&self, before: &Snapshot) -> Vec<String> {
        before.in_use().difference(&self.mattermost.snapshot().in_use())
    }
}

/// Every file below a folder, as text.
fn files(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            text += &files(&path);
        } else if let Ok(bytes) = std::fs::read(&path) {
            text += &String::from_utf8_lossy(&bytes);
        }
    }
    text
}

#[test]
fn an_install_ends_with_what_to_try_and_shows_no_credential() {
    let (site, bundle) = (Site::new(), Serving::without_demo());
    let installed = site.install(&bundle, &["--yes"]);
    assert_eq!(installed.code, 0, "{}{}", installed.out, installed.err);
    for part in ["hello is installed on", "in demo, as @hello", "Try: /hello help"] {
        assert!(installed.out.contains(part), "{part}: {}", installed.out);
    }
    assert!(site.help().contains("greet"));
    let (all, kept) = (format!("{}{}", installed.out, installed.err), files(bundle.folder.path()));
    let secrets = site.mattermost.secrets();
    assert!(secrets.len() > 2, "the bot's token and the command's are among them");
    for secret in &secrets {
        assert!(!all.contains(secret.as_str()), "a credential is printed: {all}");
        assert!(!kept.contains(secret.as_str()), "a credential is kept in clear");
    }
}

#[test]
fn a_result_for_scripts_stands_alone_on_standard_output() {
    let (site, bundle) = (Site::new(), Serving::without_demo());
    let planned = site.install(&bundle, &["--dry-run", "--json"]);
    let plan: serde_json::Value = serde_json::from_str(&planned.out).unwrap();
    assert_eq!(plan["plan"]["bot"], "hello", "{plan}");
    let installed = site.install(&bundle, &["--yes", "--json"]);
    let result: serde_json::Value = serde_json::from_str(&installed.out).unwrap();
    assert_eq!(result["state"], "active", "{result}");
    let again = site.install(&bundle, &["--yes"]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("cloud-apps sync"), "{}", again.err);
}

#[test]
fn nobody_who_does_not_agree_gets_anything() {
    let (site, bundle) = (Site::new(), Serving::without_demo());
    let before = site.mattermost.snapshot();
    let refused = site.install(&bundle, &[]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("--yes"), "{}", refused.err);
    let set = site.install(&bundle, &["--yes", "--set", "languge=de"]);
    assert!(set.err.contains("hello has no setting languge; it has language, motto"), "{}", set.err);
    assert!(site.left(&before).is_empty());
}

#[test]
fn no_token_and_nobody_to_ask_is_told_with_the_variable() {
    let (site, bundle) = (Site::new(), Serving::without_demo());
    let mut command = site.command(&bundle, &["install", "hello", "--site", site.server.url(), "--yes"]);
    command.env_remove("CLOUD_APPS_ADMIN_TOKEN");
    let refused = said(command.output().unwrap());
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("CLOUD_APPS_ADMIN_TOKEN"), "{}", refused.err);
}

/// Starts an install whose `nth` call to the server gets no answer, and comes back when it waits for it.
pub fn waiting(site: &Site, bundle: &Serving, nth: usize, fault: Fault) -> Child {
    let already = site.mattermost.calls().len();
    site.mattermost.fault(nth, fault);
    let mut command =
        site.command(bundle, &["install", "hello", "--site", site.server.url(), "--team", "demo", "--yes"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while site.mattermost.calls().len() < already + nth {
        std::thread::yield_now();
    }
    child
}

/// The call of an install that makes a slash command.
pub fn command_call() -> usize {
    let (site, bundle) = (Site::new(), Serving::without_demo());
    assert_eq!(site.install(&bundle, &["--yes"]).code, 0);
    let calls = site.mattermost.calls();
    let made = |call: &cloud_apps_standin::Call| {
        call.method == http::Method::POST && call.path == "/api/v4/commands"
    };
    calls.iter().position(made).unwrap() + 1
}

#[test]
fn a_journal_is_its_owners_and_holds_no_credential() {
    let nth = command_call();
    let (site, bundle) = (Site::new(), Serving::without_demo());
    let mut child = waiting(&site, &bundle, nth, Fault::HangAfter);
    let seen = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap_or_default();
    child.kill().unwrap();
    child.wait().unwrap();
    let folder = bundle.folder.path().join("installing");
    let mut paths = std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path());
    let journal = paths.find(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&journal).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&journal).unwrap() + &String::from_utf8_lossy(&seen);
    for secret in site.mattermost.secrets() {
        assert!(!text.contains(&secret), "{text}");
    }
    assert!(text.contains("bot_token") && text.contains("command"), "{text}");
}
