//! Apps that run outside the bundle: `cloud-apps operator apps` and `cloud-apps check`.

#[cfg(feature = "rig")]
mod examples;

use crate::{Said, Serving, program, said, say};
use expect_test::expect;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const KID: &str = "greeter.1.upstream.1";
const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

#[test]
fn the_page_on_other_languages_shows_the_examples_as_they_are() {
    let page = std::fs::read_to_string(folder().join("../docs/other-languages.md")).unwrap();
    for (file, language) in
        [("python/mattermost-cloud-app.json", "json"), ("python/app.py", "python"), ("node/app.mjs", "js")]
    {
        let text = std::fs::read_to_string(folder().join(file)).unwrap();
        assert!(page.contains(&format!("```{language}\n{text}```\n")), "{file} is another than on the page");
    }
    let manifest = |of: &str| std::fs::read(folder().join(of).join("mattermost-cloud-app.json")).unwrap();
    assert!(manifest("python") == manifest("node"), "both apps have the same manifest");
}

fn check(url: &str, manifest: &Path, more: &[&str]) -> Said {
    let mut command = program();
    command.env("CLOUD_APPS_UPSTREAM_KID", KID).env("CLOUD_APPS_UPSTREAM_SECRET", SECRET);
    said(command.args(["check", url, "--manifest"]).arg(manifest).args(more).output().unwrap())
}

/// A service that answers everything with this; its address.
fn careless(answer: &'static str) -> (tokio::runtime::Runtime, String) {
    answering(200, answer)
}

/// A service that answers everything with this status and body; its address.
fn answering(status: u16, answer: &'static str) -> (tokio::runtime::Runtime, String) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let url = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let status = http::StatusCode::from_u16(status).unwrap();
        let answer = (status, [("content-type", "application/json")], answer);
        let router = axum::Router::new().fallback(async move || answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    });
    (runtime, url)
}

#[test]
fn a_service_that_believes_everybody_fails_each_check_of_a_token() {
    let (_runtime, url) = careless(r#"{"type":"done"}"#);
    let manifest = folder().join("python/mattermost-cloud-app.json");
    let checked = check(&url, &manifest, &[]);
    assert_eq!(checked.code, 1);
    let told: Vec<&str> = checked.out.lines().filter(|line| line.contains("greet")).collect();
    let announced: Vec<&str> =
        checked.out.lines().filter(|line| line.contains("announce: a token")).collect();
    assert_eq!(announced.len(), 13, "every function is asked, not the first alone");
    expect![[r"
        ok   greet
        ok   greet with nothing that is optional
        ok   greet for a user whom nobody proved (no sub)
        ok   greet with a line of 16,000 characters
        ok   greet with keys that nobody knows yet
        ok   greet with a token whose clock is 10 s ahead
        ok   greet with a token whose clock is 10 s behind
        ok   greet with a token whose clock is 70 s behind, so it expired 10 s ago
        FAIL greet: a request without a token
        FAIL greet: a token that is no JWT
        FAIL greet: a token with a wrong signature
        FAIL greet: a token signed with another secret
        FAIL greet: a token with the algorithm none
        FAIL greet: a token of another type (typ)
        FAIL greet: a token of a secret that nobody handed over (kid)
        FAIL greet: a token that has expired (exp)
        FAIL greet: a token from the future (iat)
        FAIL greet: a token that never expires (no exp)
        FAIL greet: a token for another app (aud)
        FAIL greet: a token of another issuer (iss)
        FAIL greet: a token for another function (htp)
        FAIL greet: a body that was altered (body_sha256)
        note greet: a token that was used before (jti)"]]
    .assert_eq(&told.join("\n"));
    assert!(checked.out.contains("\n       200; expected a 401\n"), "{}", checked.out);
    assert!(checked.out.contains("\n       200; better: a 401\n"), "{}", checked.out);
}

#[test]
fn a_service_that_answers_with_nothing_of_the_protocol_is_told_what_is_wrong() {
    let (_runtime, url) = careless(r#"{"message":"hi"}"#);
    let manifest = folder().join("python/mattermost-cloud-app.json");
    let checked = check(&url, &manifest, &[]);
    assert!(
        checked.out.contains("FAIL greet\n       the upstream's answer is not one of the protocol: "),
        "{}",
        checked.out
    );
    assert!(checked.out.contains("missing field `type`"), "{}", checked.out);
}

#[test]
fn a_service_that_refuses_everybody_is_shown_with_its_own_words_and_with_what_may_be_the_cause() {
    let (_runtime, url) = answering(401, "{\"why\":\"no\u{1b}[31m\n header\"}");
    let manifest = folder().join("python/mattermost-cloud-app.json");
    let checked = check(&url, &manifest, &[]);
    assert_eq!(checked.code, 1);
    let told = "FAIL greet\n       401: it did not accept the token, and says: {\"why\":\"no [31m header\"}; expected";
    assert!(checked.out.contains(told), "{}", checked.out);
    assert!(
        checked
            .out
            .contains("a good token and none are answered alike: does something on the way drop the header?"),
        "{}",
        checked.out
    );
    let (_runtime, url) = answering(401, SECRET);
    let checked = check(&url, &manifest, &[]);
    assert!(!checked.out.contains(SECRET) && !checked.err.contains(SECRET), "{}", checked.out);
}

#[test]
fn what_check_cannot_begin_with_says_what_to_do() {
    let manifest = folder().join("python/mattermost-cloud-app.json");
    let path = manifest.to_str().unwrap();
    let made_up = say(&["check", "http://127.0.0.1:1", "--manifest", path]);
    assert_eq!(made_up.code, 2);
    assert!(made_up.err.contains("export CLOUD_APPS_UPSTREAM_KID=greeter.1.upstream.1\n"), "{}", made_up.err);
    // Port 1 of this machine: nothing listens there.
    let nobody = check("http://127.0.0.1:1", &manifest, &[]);
    assert_eq!(nobody.code, 3, "{}", nobody.err);
    for (variable, value, words) in [
        ("CLOUD_APPS_UPSTREAM_KID", "greeter.1", "is not the name of an upstream secret"),
        ("CLOUD_APPS_UPSTREAM_KID", "hello.1.upstream.1", "belongs to hello, and the manifest to greeter"),
        ("CLOUD_APPS_UPSTREAM_SECRET", "tooshort", "CLOUD_APPS_UPSTREAM_SECRET is not a secret"),
        ("CLOUD_APPS_UPSTREAM_SECRET", "", "are set together or not at all"),
    ] {
        let mut command = program();
        command.env("CLOUD_APPS_UPSTREAM_KID", KID).env("CLOUD_APPS_UPSTREAM_SECRET", SECRET);
        let refused = command.env(variable, value).args(["check", "http://127.0.0.1:1", "--manifest", path]);
        let refused = said(refused.output().unwrap());
        assert_eq!(refused.code, 2, "{}", refused.err);
        assert!(refused.err.contains(words), "{}", refused.err);
    }
}

/// `NAME=value` lines of standard output.
fn pairs(out: &str) -> Vec<(String, String)> {
    out.lines().filter_map(|line| line.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

#[test]
fn apps_are_listed_and_shown_and_a_bad_manifest_is_shown_with_its_lines() {
    let bundle = Serving::start();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("app.json");
    let path = file.to_str().unwrap();
    std::fs::write(&file, "{\n  \"protocol\": 2,\n  \"id\": \"hello\",\n  \"version\": \"1\"\n}\n").unwrap();
    let refused = bundle.say(&["operator", "apps", "add", path]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("\"1\" is not a semantic version") && refused.err.contains("app.json:4:14"),
        "{}",
        refused.err
    );
    let linked = r#"{"protocol": 2, "id": "hello", "version": "1.0.0", "display_name": "Hello",
        "upstream": {"type": "http", "url": "https://hello.example.com"}}"#;
    std::fs::write(&file, linked).unwrap();
    let refused = bundle.say(&["operator", "apps", "add", path]);
    assert!(refused.err.contains("There is an app hello linked into this bundle."), "{}", refused.err);

    std::fs::write(&file, linked.replace("\"hello\"", "\"other\"")).unwrap();
    let added = bundle.say(&["operator", "apps", "add", path]);
    assert_eq!(pairs(&added.out).len(), 2, "the secret alone is on standard output: {}", added.out);
    assert!(added.err.contains("It is shown once"), "{}", added.err);
    let again = bundle.say(&["operator", "apps", "add", path]);
    assert_eq!(again.out, "other 1.0.0 is registered; its secret stays the same.\n");
    let list = bundle.say(&["operator", "apps", "list"]).out;
    assert!(list.contains("linked      Hello\n") && list.contains("external    Hello\n"), "{list}");
    let shown = bundle.say(&["operator", "apps", "show", "other"]).out;
    assert!(shown.contains("runs         http https://hello.example.com\n"), "{shown}");
    assert!(shown.contains("secret       other.1.upstream.1\n"), "{shown}");
    assert_eq!(bundle.say(&["operator", "apps", "remove", "other"]).out, "other is removed.\n");
    let json: Value = serde_json::from_str(&bundle.say(&["operator", "apps", "list", "--json"]).out).unwrap();
    assert_eq!(json["apps"].as_array().map(Vec::len), Some(1));
}
