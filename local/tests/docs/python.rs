//! The Python of `docs/protocol.md`, exactly as it stands there, against a bundle on this machine.

use super::pages::Page;
use crate::{Serving, canary};
use expect_test::expect;
use serde_json::Value;
use std::process::{Command, Output};
use tempfile::TempDir;

/// The page's program, and who it speaks as.
struct Sender {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Sender {
    fn of(bundle: &Serving) -> Self {
        let page = Page::read("docs/protocol.md");
        let blocks: Vec<_> = page.blocks.iter().filter(|block| block.language == "python").collect();
        let [block] = blocks.as_slice() else { panic!("the page has {} blocks of Python", blocks.len()) };
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("request.py"), &block.text).unwrap();
        let demo = bundle.demo();
        let text = |pointer: &str| demo.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        canary(&text("/apps/hello/shared_secret"));
        let variables = vec![
            ("CLOUD_APPS_URL", text("/base_url")),
            ("CLOUD_APPS_KID", text("/apps/hello/kid")),
            ("CLOUD_APPS_SECRET", text("/apps/hello/shared_secret")),
            ("MATTERMOST_SITE_URL", text("/site_url")),
            ("MATTERMOST_USER_ID", text("/users/alice/id")),
            ("MATTERMOST_CHANNEL_ID", text("/channels/town-square")),
            ("MATTERMOST_TEAM_ID", text("/team")),
            ("BOB", text("/users/bob/id")),
        ];
        Self { folder, variables }
    }

    fn set(&mut self, name: &str, value: String) {
        self.variables.iter_mut().find(|(known, _)| *known == name).unwrap().1 = value;
    }

    fn run(&self, arguments: &[&str]) -> String {
        let mut python = Command::new("python3");
        python.args(arguments).current_dir(self.folder.path()).env("PYTHONDONTWRITEBYTECODE", "1");
        python.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let Output { status, stdout, stderr } =
            python.output().unwrap_or_else(|error| panic!("python3 is needed for this test: {error}"));
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    }
}

/// The status and the answer that the program prints.
fn printed(out: &str) -> (&str, Value) {
    let (status, answer) = out.split_once('\n').unwrap();
    (status, serde_json::from_str(answer).unwrap())
}

#[test]
fn the_program_of_the_page_makes_a_request_that_the_bundle_accepts() {
    let bundle = Serving::start();
    let out = Sender::of(&bundle).run(&["request.py", "/hello whoami"]);
    let (status, answer) = printed(&out);
    assert_eq!((status, &answer["type"]), ("200", &Value::from("message")), "{answer}");
    assert!(answer["text"].as_str().unwrap().starts_with("You are @alice"), "{answer}");
}

#[test]
fn with_another_secret_it_gets_the_error_of_the_page() {
    let bundle = Serving::start();
    let mut sender = Sender::of(&bundle);
    sender.set("CLOUD_APPS_SECRET", "_".repeat(42) + "8");
    let out = sender.run(&["request.py", "/hello whoami"]);
    let (status, mut answer) = printed(&out);
    let page = Page::read("docs/protocol.md");
    let promised = page.blocks.iter().find(|block| block.text.contains("\"unauthorized\"")).unwrap();
    let mut promised: Value = serde_json::from_str(&promised.text).unwrap();
    for body in [&mut answer, &mut promised] {
        assert!(body["error"]["request_id"].take().is_string());
    }
    assert_eq!((status, answer), ("401", promised));
}

/// One line for each flaw of the page's tables. It uses what the page's program has.
const FLAWS: &str = r#"
import json, os, time
from request import base64url, claims, command, send, sign

body = command("/hello whoami")

def tell(flaw, path="/command", body=body, token=None, signed={}, typ="cloud-apps+jwt", secret=None):
    payload = claims("POST", path, body)
    for name, value in signed.items():
        if value is None:
            del payload[name]
        else:
            payload[name] = value
    if token is None:
        token = sign(payload, **({"secret": secret} if secret else {}), typ=typ)
    status, answer = send(path, body, token)
    error = answer.get("error", {})
    print(flaw + ":", status, error.get("code", answer.get("type")), error.get("claim", ""))

now = int(time.time())
good = claims("POST", "/command", body)
head, payload, mac = sign(good).split(".")
none = base64url(json.dumps({"alg": "none", "typ": "cloud-apps+jwt", "kid": os.environ["CLOUD_APPS_KID"]}).encode())
tell("no flaw")
tell("to / as well", path="/")
tell("no algorithm", token=f"{none}.{payload}.")
tell("no signature", token=f"{head}.{payload}.")
tell("another secret", secret="A" * 43)
tell("another direction", typ="cloud-apps-app+jwt")
tell("another text than a token", token="x")
tell("a missing claim", signed={"jti": None})
tell("a claim of another type", signed={"iat": "now"})
tell("a life over 300 s", signed={"exp": now + 301})
tell("another method", signed={"htm": "GET"})
tell("another route", signed={"htp": "/"})
tell("another acting user", signed={"sub": os.environ["BOB"]})
tell("expired", signed={"iat": now - 120, "exp": now - 60})
tell("of the future", signed={"iat": now + 120, "exp": now + 180})
tell("another app", signed={"aud": "jira"})
tell("another server", signed={"iss": "https://chat.example.com"})
tell("another body", signed={"body_sha256": base64url(b"x" * 32)})
greet = command("/hello greet @bob", {"bob": {"id": os.environ["BOB"]}})
token = sign(claims("POST", "/command", greet))
tell("once", body=greet, token=token)
tell("a second time", body=greet, token=token)
"#;

#[test]
fn each_flaw_is_answered_as_the_page_says() {
    let bundle = Serving::start();
    let sender = Sender::of(&bundle);
    std::fs::write(sender.folder.path().join("flaws.py"), FLAWS).unwrap();
    let told = sender.run(&["flaws.py"]);
    let told: Vec<&str> = told.lines().map(str::trim_end).collect();
    expect![[r"
        no flaw: 200 message
        to / as well: 200 message
        no algorithm: 401 unauthorized
        no signature: 401 unauthorized
        another secret: 401 unauthorized
        another direction: 401 unauthorized
        another text than a token: 401 unauthorized
        a missing claim: 401 bad_token jti
        a claim of another type: 401 bad_token iat
        a life over 300 s: 401 bad_token exp
        another method: 401 bad_token htm
        another route: 401 bad_token htp
        another acting user: 401 bad_token sub
        expired: 401 token_expired
        of the future: 401 clock_skew
        another app: 401 wrong_audience aud
        another server: 401 wrong_audience iss
        another body: 401 body_mismatch
        once: 200 message
        a second time: 409 duplicate"]]
    .assert_eq(&told.join("\n"));
}
