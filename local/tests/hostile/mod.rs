//! Everything that others wrote, written by somebody who wants to rule the terminal or to forge a line: a bundle, a
//! Mattermost, an app, a manifest, a journal. Whatever command meets it, nothing of it acts.

use crate::{Said, Serving, program, said};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use serde_json::{Value, json};
use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tempfile::TempDir;

/// What a terminal obeys, marks of direction, something invisible, and a line of its own.
const CANARY: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}\u{2066}\u{200b}\u{85}\u{2028}\nFORGED line\r\nFORGED\rline";
/// Names whose values are ids, addresses and words of the protocol: what is none of these is not read at all.
const TYPED: [&str; 19] = [
    "install_id",
    "app_id",
    "id",
    "site_url",
    "permissions",
    "type",
    "subtype",
    "kind",
    "team_id",
    "channel_id",
    "function",
    "own_presets",
    "presets",
    "commands",
    "endpoints",
    "teams",
    "state",
    "default",
    "value",
];

/// The same with the canary in every free text.
fn poisoned(value: &Value) -> Value {
    match value {
        Value::String(text) => format!("{text}{CANARY}").into(),
        Value::Array(items) => items.iter().map(poisoned).collect(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                // A field's name is a word of the protocol; it stands beside its type.
                let typed =
                    TYPED.contains(&name.as_str()) || (name == "name" && members.contains_key("type"));
                (name.clone(), if typed { value.clone() } else { poisoned(value) })
            };
            Value::Object(members.iter().map(member).collect())
        }
        other => other.clone(),
    }
}

/// Nothing of what was said acts, and no line is forged.
fn assert_harmless(said: &Said, case: &str) {
    for (what, text) in [("stdout", &said.out), ("stderr", &said.err)] {
        for c in text.chars() {
            let acts = c.is_control() && c != '\n';
            let hides = ('\u{200b}'..='\u{200f}').contains(&c)
                || ('\u{2028}'..='\u{202e}').contains(&c)
                || ('\u{2060}'..='\u{206f}').contains(&c);
            assert!(!acts && !hides, "{case}: {c:?} on {what}: {text:?}");
        }
        let forged = text.lines().find(|line| line.starts_with("FORGED"));
        assert!(forged.is_none(), "{case}: a forged line on {what}: {text:?}");
    }
}

/// What a side answers: by method and path.
type Answers = Arc<dyn Fn(&str, &str, &Value) -> (u16, Value) + Send + Sync>;

async fn answer(State(answers): State<Answers>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let (status, answer) = answers(parts.method.as_str(), parts.uri.path(), &body);
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(answer.to_string()))
        .unwrap()
}

/// A side that listens, with threads of its own: the program blocks the test's.
struct Side {
    url: String,
    _runtime: tokio::runtime::Runtime,
}

fn listening(socket: Option<&Path>, answers: Answers) -> Side {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let router = Router::new().fallback(answer).with_state(answers);
    let url = runtime.block_on(async {
        if let Some(socket) = socket {
            let listener = tokio::net::UnixListener::bind(socket).unwrap();
            tokio::spawn(async move { axum::serve(listener, router).await });
            return String::new();
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    });
    Side { url, _runtime: runtime }
}

/// A refusal of a bundle.
fn refusal() -> (u16, Value) {
    let error = json!({ "code": "bad_request", "message": format!("no{CANARY}"), "request_id": format!("r{CANARY}") });
    (400, json!({ "error": error }))
}

/// What an honest bundle shows, of which a hostile one makes its own.
struct Views {
    app: Value,
    install: Value,
}

fn views() -> Views {
    let bundle = Serving::start();
    let shown = |arguments: &[&str]| -> Value { serde_json::from_str(&bundle.say(arguments).out).unwrap() };
    let id = shown(&["list", "--json"])[0]["install_id"].as_str().unwrap().to_owned();
    let app = poisoned(&shown(&["operator", "apps", "show", "hello", "--json"])["app"]);
    let mut install = poisoned(&shown(&["show", &id, "--json"]));
    install["unavailable"] = json!([{ "kind": format!("k{CANARY}"), "name": format!("n{CANARY}"), "reason": format!("needs sync{CANARY}") }]);
    install["offered"] = json!({ "version": format!("9{CANARY}"), "requests": app["requests"] });
    Views { app, install }
}

fn bundle(views: &Views) -> Answers {
    let (app, install) = (views.app.clone(), views.install.clone());
    Arc::new(move |method, path, _| match (method, path) {
        ("GET", "/") => (200, json!({ "protocol": [2], "bundle": format!("1{CANARY}") })),
        ("GET", "/apps") => (200, json!({ "apps": [app] })),
        ("GET", _) if path.starts_with("/install/") => (200, install.clone()),
        ("PATCH", _) => (200, install.clone()),
        ("DELETE", _) => (
            200,
            json!({ "install_id": install["install_id"], "state": "removed", "leftovers": [], "warning": CANARY }),
        ),
        ("POST", "/command") => (
            200,
            json!({ "type": "message", "text": format!("hi{CANARY}"), "to": "channel", "warnings": [CANARY] }),
        ),
        _ => refusal(),
    })
}

/// What an operator of a hostile bundle is answered.
fn operator(views: &Views, url: &str) -> Answers {
    let (app, install, url) = (views.app.clone(), views.install.clone(), url.to_owned());
    Arc::new(move |method, _, body| {
        let text = |what: &str| format!("{what}{CANARY}");
        let answer = match (method, body.pointer("/operator/do").and_then(Value::as_str).unwrap_or_default())
        {
            ("GET", _) => json!({ "base_url": url }),
            (_, "apps" | "register" | "remove_app") => json!({ "apps": [
                { "id": "hello", "version": text("1"), "display_name": text("Hello"), "linked": true }
            ] }),
            (_, "app" | "add_app" | "rotate_upstream") => json!({
                "app": app, "address": text("https://a"), "kid": text("kid"), "upstream_secret": text("secret"),
            }),
            (_, "code" | "manage_code") => json!({ "code": text("code"), "expires_at": 1 }),
            (_, "list") => json!({ "installs": [
                { "install_id": install["install_id"], "site_url": install["site_url"], "created_at": 1 }
            ], "unread": [{ "site": text("https://b"), "why": text("why") }] }),
            (_, "show") => install.clone(),
            (_, "dead_letters") => json!({ "dead_letters": [{
                "id": text("id"), "kind": text("kind"), "attempts": 1, "first_at": 1, "at": 1, "reason": text("reason"),
            }] }),
            (_, "keys" | "rotate_keys") => json!({ "keys": [{
                "id": "1", "state": text("live"), "created_at": 1, "use_from": 2, "installs": 1,
            }] }),
            _ => refusal().1,
        };
        (200, answer)
    })
}

/// A Mattermost that lets an admin in.
fn mattermost() -> Answers {
    const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
    Arc::new(|method, path, _| {
        let text = |what: &str| format!("{what}{CANARY}");
        let mark = "Cloud App hello. Made by cloud-apps; `cloud-apps sync` keeps it right.";
        let url = format!("https://lost.example.com/hooks/{ID}/slash");
        match (method, path.trim_start_matches("/api/v4")) {
            (_, "/system/ping") => (200, json!({ "status": "OK" })),
            (_, "/config/client") => (200, json!({ "Version": text("11.6.0"), "SiteURL": text("http://x") })),
            (_, "/users/me") => {
                (200, json!({ "id": ID, "username": text("admin"), "roles": "system_user system_admin" }))
            }
            ("GET", "/teams") => {
                (200, json!([{ "id": ID, "name": text("team"), "display_name": text("Team") }]))
            }
            ("GET", "/commands") => (
                200,
                json!([{ "id": ID, "trigger": text("hello"), "description": mark, "url": url, "creator_id": ID }]),
            ),
            ("GET", "/bots") => (
                200,
                json!([{ "user_id": ID, "username": text("hello"), "description": "(Cloud App hello)", "owner_id": ID }]),
            ),
            ("GET", "/hooks/outgoing") => (200, json!([])),
            _ => (400, json!({ "id": text("api.x"), "message": text("no"), "status_code": 400 })),
        }
    })
}

fn run(arguments: &[&str], more: impl FnOnce(&mut Command)) -> Said {
    let mut command = program();
    command.args(arguments).stdin(Stdio::null());
    command
        .env("CLOUD_APPS_CODE", "A".repeat(43))
        .env("CLOUD_APPS_ADMIN_TOKEN", "abcdefghijklmnopqrstuvwxyz");
    more(&mut command);
    said(command.output().unwrap())
}

/// Runs a command in words and as JSON; what it said in words.
fn try_both(arguments: &[&str]) -> String {
    let case = arguments.join(" ");
    let words = run(arguments, |_| {});
    assert_harmless(&words, &case);
    let json = run(&[arguments, &["--json"]].concat(), |_| {});
    assert_harmless(&json, &case);
    if json.code == 0 {
        let value = serde_json::from_str::<Value>(&json.out);
        assert!(value.is_ok(), "{case}: {:?}", json.out);
    }
    words.out + &words.err
}

#[test]
fn a_hostile_bundle_rules_no_terminal() {
    let views = views();
    let (hostile, server) = (listening(None, bundle(&views)), listening(None, mattermost()));
    let id = views.install["install_id"].as_str().unwrap();
    let site = views.install["site_url"].as_str().unwrap();
    let at = ["--bundle", hostile.url.as_str()];
    let install = ["install", "hello", "--site", &server.url, "--all-teams"];
    for (arguments, shown) in [
        (&[&install[..], &["--dry-run"]].concat()[..], true),
        (&[&install[..], &["--yes"]].concat(), true),
        (&["show", id], true),
        (&["configure", id], true),
        (&["presets", "list", id], false),
        (&["upgrade", id], true),
        (&["doctor", id, "--site", site], true),
        (&["rotate", "shared-secret", id], false),
        (&["sync", id, "--site", site], false),
        (&["uninstall", id, "--yes", "--site", site], false),
        (&["rotate", "bot-token", id, "--site", site], false),
        (&["list"], false),
    ] {
        let said = try_both(&[arguments, &at].concat());
        assert!(!shown || said.contains("owned"), "{arguments:?}: what others wrote is shown: {said}");
    }
    let answered = run(
        &[
            "run",
            "/hello",
            "--bundle",
            &hostile.url,
            "--site",
            "https://chat.example.com",
            "--user",
            &"a".repeat(26),
        ],
        |command| {
            command.env("CLOUD_APPS_KID", format!("hello.1.{}.1", "a".repeat(26)));
            command.env("CLOUD_APPS_SECRET", "A".repeat(43));
        },
    );
    assert_harmless(&answered, "run");
    assert!(
        answered.out.contains("\n  FORGED line\n"),
        "the lines of an answer are indented: {}",
        answered.out
    );
}

/// A bundle says where an install is, and the token of a system admin goes there.
#[test]
fn an_admins_token_goes_to_no_server_that_only_a_bundle_names() {
    let mut views = views();
    let called = Arc::new(AtomicUsize::new(0));
    let calls = called.clone();
    let server = listening(
        None,
        Arc::new(move |_, _, _| {
            calls.fetch_add(1, Ordering::SeqCst);
            refusal()
        }),
    );
    views.install["site_url"] = server.url.clone().into();
    let hostile = listening(None, bundle(&views));
    let id = views.install["install_id"].as_str().unwrap();
    for command in [&["sync"][..], &["uninstall", "--yes"], &["rotate", "bot-token"], &["doctor"]] {
        for site in [&[][..], &["--site", "https://chat.example.com"]] {
            let said = run(&[command, &[id, "--bundle", &hostile.url], site].concat(), |_| {});
            assert_eq!(said.code, 2, "{command:?} {site:?}: {}{}", said.out, said.err);
            assert!(said.err.contains(&format!("is on {}", server.url)), "{command:?}: {}", said.err);
            assert!(said.err.contains("--site"), "{command:?}: {}", said.err);
        }
    }
    assert_eq!(called.load(Ordering::SeqCst), 0);
}

/// A bundle that cannot answer just now still has its installs.
#[test]
fn a_bundle_that_says_it_is_busy_is_not_cleaned_away() {
    let busy = json!({ "error": { "code": "busy", "message": "Try again.", "request_id": "r" } });
    let bundle = listening(None, Arc::new(move |_, _, _| (503, busy.clone())));
    let server = listening(None, mattermost());
    let said = run(&["cleanup", "--site", &server.url, "--bundle", &bundle.url, "--yes"], |_| {});
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("it is not lost"), "{}", said.err);
}

#[test]
fn a_hostile_bundle_rules_no_operators_terminal() {
    let views = views();
    let folder = TempDir::new().unwrap();
    let hostile = listening(None, bundle(&views));
    let _socket = listening(Some(&folder.path().join("operator.sock")), operator(&views, &hostile.url));
    let id = views.install["install_id"].as_str().unwrap();
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/python/mattermost-cloud-app.json");
    let at = ["--data", folder.path().to_str().unwrap()];
    for (arguments, shown) in [
        (&["operator", "apps", "list"][..], true),
        (&["operator", "apps", "show", "hello"], true),
        (&["operator", "apps", "add", manifest], true),
        (&["operator", "apps", "rotate", "hello"], true),
        (&["operator", "apps", "remove", "hello"], false),
        (&["operator", "register"], true),
        (&["operator", "code", "hello", "--site", "https://chat.example.com"], true),
        (&["operator", "manage-code", id], true),
        (&["list"], true),
        (&["show", id], true),
        (&["operator", "dead-letters", "list"], true),
        (&["operator", "keys", "list", "hello"], false),
        (&["enable", id], true),
    ] {
        let said = try_both(&[arguments, &at].concat());
        assert!(!shown || said.contains("owned"), "{arguments:?}: what others wrote is shown: {said}");
    }
}

#[test]
fn a_hostile_mattermost_rules_no_terminal() {
    let server = listening(None, mattermost());
    let honest = Serving::without_demo();
    let at = ["--data", honest.data()];
    for arguments in [
        &["install", "hello", "--site", &server.url, "--all-teams", "--yes"][..],
        &["uninstall", "hello", "--site", &server.url, "--yes"],
    ] {
        let said = try_both(&[arguments, &at].concat());
        assert!(said.contains("owned"), "{arguments:?}: {said}");
    }
    let survey = try_both(&["cleanup", "--site", &server.url]);
    assert!(survey.contains("owned") && survey.contains("https://lost.example.com"), "{survey}");
    // Port 1 of this machine: no bundle answers there.
    try_both(&["cleanup", "--site", &server.url, "--bundle", "http://127.0.0.1:1", "--yes"]);
    let lost = ["cleanup", "--site", &server.url, "--bundle", "https://lost.example.com"];
    assert!(try_both(&lost).contains("owned"), "what would be removed is shown before anybody is asked");
}

#[test]
fn a_hostile_app_manifest_or_journal_rules_no_terminal() {
    let app = listening(
        None,
        Arc::new(|_, _, _| (200, json!({ "type": format!("x{CANARY}"), CANARY: format!("y{CANARY}") }))),
    );
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/python/mattermost-cloud-app.json");
    for json in [&[][..], &["--json"]] {
        let checked = run(&[&["check", &app.url, "--manifest", manifest], json].concat(), |command| {
            command.env("CLOUD_APPS_UPSTREAM_KID", "greeter.1.upstream.1");
            command.env("CLOUD_APPS_UPSTREAM_SECRET", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
        });
        assert_harmless(&checked, "check");
    }

    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(
        file,
        "{{\n \"id\": \"a{CANARY}\", {}: 1,\n \"version\": {}, \"x{CANARY}\": 2\n}}",
        json!(CANARY),
        json!(CANARY)
    )
    .unwrap();
    let checked = run(&["validate", file.path().to_str().unwrap()], |_| {});
    assert_harmless(&checked, "validate");
    assert_eq!(checked.code, 1, "{}", checked.err);
    assert!(checked.err.contains("owned"), "{}", checked.err);

    // A journal that somebody else wrote.
    let honest = Serving::without_demo();
    let installing = honest.folder.path().join("installing");
    // Port 1 of this machine: nothing listens there.
    let site = "http://127.0.0.1:1";
    let begin = || run(&["install", "hello", "--site", site, "--yes", "--data", honest.data()], |_| {});
    let first = begin();
    assert!(installing.exists(), "{}", first.err);
    let lock = std::fs::read_dir(&installing).unwrap().flatten().next().unwrap().path();
    let journal = json!({
        "v": 1, "app": "hello", "site": site, "bundle": CANARY, "run": "r", "started_at": 1, "install": null, "made": [],
    });
    let path = lock.with_extension("json");
    std::fs::write(&path, journal.to_string()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let said = begin();
    assert_harmless(&said, "a journal");
    assert!(said.err.contains("owned"), "{}", said.err);
}
