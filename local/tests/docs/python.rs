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

/// Tells in a line what a request is answered. It uses what the page's program has.
const TELL: &str = r#"
import json, os, time
from request import KID, base64url, claims, command, send, sign

INSTALL = KID.split(".")[2]
body = command("/hello whoami")

def tell(what, path="/command", body=body, method="POST", token=None, signed={}, **how):
    payload = claims(method, path, body)
    for name, value in signed.items():
        if value is None:
            del payload[name]
        else:
            payload[name] = value
    status, answer = send(path, body, token or sign(payload, **how), method)
    error = answer.get("error", {})
    print(what + ":", status, error.get("code", answer.get("type")), error.get("claim", ""))
    return answer
"#;

/// Each flaw of the page's tables.
const FLAWS: &str = r#"
now = int(time.time())
head, payload, mac = sign(claims("POST", "/command", body)).split(".")
none = base64url(json.dumps({"alg": "none", "typ": "cloud-apps+jwt", "kid": KID}).encode())
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
tell("a user who changes the install", path=f"/install/{INSTALL}", method="PATCH", body=b'{"enabled": false}')
greet = command("/hello greet @bob", {"bob": {"id": os.environ["BOB"]}})
token = sign(claims("POST", "/command", greet))
tell("once", body=greet, token=token)
tell("a second time", body=greet, token=token)
"#;

#[test]
fn each_flaw_is_answered_as_the_page_says() {
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
        a user who changes the install: 403 forbidden
        once: 200 message
        a second time: 409 duplicate"]]
    .assert_eq(&told(FLAWS));
}

/// What the sections say of what is served and what is not yet. Where a seal is needed nobody outside can ask.
const SERVED: &str = r#"
tell("section 3, a field is missing", body=command("/hello greet"))
view = tell("the install", path=f"/install/{INSTALL}", method="GET", body=b"")
query = json.dumps({"query": {"kind": "suggest", "input": "/hello gr", "cursor": 9}}).encode()
tell("section 7", path="/autocomplete", body=query)
bot = {"scope": "bot", "sub": view["bot"]["id"]}
tell("section 11", path="/event", body=b'{"events": []}', signed=bot)
tell("section 16", path="/oauth2/hello/connect", method="GET", body=b"")
tell("section 17", path=f"/hooks/{INSTALL}/upstream/jira", body=b"{}")
tell("section 18, embed", path="/app/embed", body=b"{}")
tell("section 18, answers", path="/app/answers", body=b"{}", typ="cloud-apps-app+jwt")
tell("section 18, subscriptions", path="/app/subscriptions/x", method="PUT", body=b"{}")
"#;

#[test]
fn what_is_served_and_what_is_not_yet_is_as_the_page_says() {
    expect![[r"
        section 3, a field is missing: 200 form
        the install: 200 None
        section 7: 404 no_route
        section 11: 404 no_route
        section 16: 404 no_route
        section 17: 404 no_route
        section 18, embed: 401 unauthorized
        section 18, answers: 401 unauthorized
        section 18, subscriptions: 401 unauthorized"]]
    .assert_eq(&told(SERVED));
}

/// What a script tells that uses [`TELL`], against a bundle on this machine.
fn told(script: &str) -> String {
    let bundle = Serving::start();
    let sender = Sender::of(&bundle);
    std::fs::write(sender.folder.path().join("asked.py"), format!("{TELL}{script}")).unwrap();
    let told = sender.run(&["asked.py"]);
    told.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
