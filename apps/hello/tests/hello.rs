//! What people see when they talk to hello: the production handlers, in front of a Mattermost in memory. What depends on the time
//! is asked of the function itself, at a time that the test chooses.

// All of this is tests; clippy's own exception for tests does not reach what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

use cloud_app::{
    mattermost::Credential,
    prelude::*,
    protocol::{CommandRequest, SiteUrl, answer::Kind, command},
};
use cloud_app_testkit::Kit;
use cloud_apps_standin::{Standin, Version};
use serde_json::{Value, json};

const BOB: &str = "bobobobobobobobobobobobobo";

/// What alice reads.
async fn read(kit: &Kit, line: &str) -> String {
    kit.slash("alice", line).await.text
}

#[test]
fn the_definition_is_valid() {
    hello::app().assert_valid();
}

#[tokio::test]
async fn a_greeting_is_for_the_user_alone() {
    let kit = Kit::new(hello::app()).await;
    assert_eq!(read(&kit, "/hello greet @bob").await, "Hello, @bob!");
    assert!(kit.mattermost.posts("town-square").unwrap().is_empty());
}

#[tokio::test]
async fn a_public_greeting_is_for_the_channel() {
    let kit = Kit::new(hello::app()).await;
    read(&kit, "/hello greet @bob --public").await;
    let posts = kit.mattermost.posts("town-square").unwrap();
    assert!(posts.iter().any(|post| post.message == "Hello, @bob!"));
}

#[tokio::test]
async fn a_greeting_is_in_the_language_and_as_loud_as_asked() {
    let kit = Kit::new(hello::app()).await;
    for (flags, expected) in [
        ("--language=de --loud", "HALLO, @bob!"),
        ("--language=en --loud", "HELLO, @bob!"),
        ("--language=es", "¡Hola, @bob!"),
        ("--language=fr", "Bonjour @bob !"),
        ("--language=ja --loud", "こんにちは、@bob！"),
    ] {
        assert_eq!(read(&kit, &format!("/hello greet @bob {flags}")).await, expected);
    }
}

#[tokio::test]
async fn a_greeting_is_in_the_language_of_the_settings_unless_another_is_asked_for() {
    let kit = Kit::new(hello::app()).await;
    kit.configure(json!({"language": "fr"})).await.unwrap();
    assert_eq!(read(&kit, "/hello greet @bob").await, "Bonjour @bob !");
    assert_eq!(read(&kit, "/hello greet @bob --language=de").await, "Hallo, @bob!");
}

#[tokio::test]
async fn the_motto_stands_under_public_greetings_only_and_is_shown_as_it_is() {
    let kit = Kit::new(hello::app()).await;
    kit.configure(json!({"motto": "*Be* kind"})).await.unwrap();
    read(&kit, "/hello greet @bob --public").await;
    let posts = kit.mattermost.posts("town-square").unwrap();
    assert!(posts.iter().any(|post| post.message == "Hello, @bob!\n\n> \\*Be\\* kind"));
    assert_eq!(read(&kit, "/hello greet @bob").await, "Hello, @bob!");
}

#[tokio::test]
async fn a_motto_of_two_lines_is_refused_at_its_field() {
    let kit = Kit::new(hello::app()).await;
    let refused = kit.configure(json!({"motto": "one\ntwo"})).await.unwrap_err();
    assert!(refused.message.contains("refused the settings"), "{}", refused.message);
    assert_eq!(refused.more.get("fields"), Some(&json!({"motto": "Write it on one line."})));
    kit.configure(json!({"motto": "one"})).await.unwrap();
}

#[tokio::test]
async fn a_user_whom_nobody_knows_is_not_greeted() {
    let kit = Kit::new(hello::app()).await;
    let told = read(&kit, "/hello greet @nobody").await;
    assert!(told.contains("nobody in this team"), "{told}");
}

#[tokio::test]
async fn whoami_asks_mattermost_as_the_bot() {
    let kit = Kit::new(hello::app()).await;
    let alice = kit.mattermost.user("alice").unwrap().id;
    let told = read(&kit, "/hello whoami").await;
    assert!(told.starts_with("You are @alice") && told.contains(&alice), "{told}");
}

#[tokio::test]
async fn fail_shows_what_an_error_looks_like() {
    let kit = Kit::new(hello::app()).await;
    let told = read(&kit, "/hello fail").await;
    assert!(told.contains("what an error looks like"), "{told}");
    let bug = read(&kit, "/hello fail --cause=bug").await;
    assert!(bug.contains("could not do that") && bug.contains("request"), "{bug}");
}

#[tokio::test]
async fn an_unknown_zone_is_answered_with_near_ones_and_shown_as_it_is() {
    let kit = Kit::new(hello::app()).await;
    for (zone, near) in [
        ("berlin", "`Europe/Berlin`"),
        ("Europe/Berln", "`Europe/Berlin`"),
        ("\"new york\"", "`America/New_York`"),
        ("qqqq", "such as Europe/Berlin"),
        ("oslo", "`Europe/Oslo`"),
        ("Japn", "such as Europe/Berlin"),
        ("singapur", "`Singapore`"),
        ("\"@all *x*\"", r"\*x\*"),
    ] {
        let told = read(&kit, &format!("/hello time --zone={zone}")).await;
        assert!(told.contains(near) && !told.contains("@all"), "{zone}: {told}");
    }
}

/// The function itself, at noon of 22 November 2026.
async fn call(function: &str, request: CommandRequest, values: Value) -> Result<Answer> {
    call_with(function, Cx::for_tests(request, None), values).await
}

async fn call_with(function: &str, cx: Cx, values: Value) -> Result<Answer> {
    let Value::Object(values) = values else { panic!("{values} is no object") };
    hello::app().call(function, cx, values).unwrap().await
}

async fn time(request: CommandRequest, values: Value) -> String {
    match call("time", request, values).await.unwrap().kind {
        Kind::Message(message) => message.text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_time_is_told_where_it_is_asked_for() {
    let told = time(CommandRequest::default(), json!({"zone": "Europe/Berlin"})).await;
    assert_eq!(told, "It is **13:00 on Sunday, 22 November 2026** in Europe/Berlin.");
}

#[tokio::test]
async fn the_time_is_the_users_own_where_nothing_is_asked_for() {
    let mut request = CommandRequest::default();
    let told = time(request.clone(), json!({})).await;
    assert!(told.ends_with("12:00 on Sunday, 22 November 2026** in UTC."), "{told}");
    request.context.time_zone = Some("Asia/Tokyo".into());
    let told = time(request, json!({})).await;
    assert!(told.ends_with("21:00 on Sunday, 22 November 2026** in Asia/Tokyo."), "{told}");
}

/// The database has `EST`, which is almost `CEST`, and `Etc/GMT+2`, which is two hours behind Greenwich.
#[tokio::test]
async fn no_zone_is_advised_for_hours_and_abbreviations() {
    let hours = [
        "GMT+2",
        "gmt-2",
        "UTC+2",
        "UTC +02:00",
        "GMT 2",
        "+2",
        "+02:00",
        "Etc/GMT+22",
        "Etc/UTC+2",
        "GMT+2h",
    ];
    let abbreviations = [
        "CEST", "cest", "AEST", "AEDT", "ACST", "NZST", "BST", "IST", "JST", "PST", "PDT", "CDT", "WAST",
        "ACWST",
    ];
    for zone in hours.into_iter().chain(abbreviations) {
        let failure = call("time", CommandRequest::default(), json!({"zone": zone})).await.unwrap_err();
        let text = failure.text.unwrap();
        assert!(
            text.ends_with("Write a place as in the IANA database, such as Europe/Berlin."),
            "{zone}: {text}"
        );
    }
}

#[tokio::test]
async fn a_zone_that_is_too_long_is_compared_with_none() {
    let zone = "Europe/Berlin".repeat(1_200);
    let failure = call("time", CommandRequest::default(), json!({"zone": zone})).await.unwrap_err();
    let text = failure.text.unwrap();
    assert!(text.starts_with("This is too long for a time zone.") && text.len() < 200, "{text}");
}

#[tokio::test]
async fn an_install_is_welcomed() {
    let answer = call("on_install", CommandRequest::default(), json!({})).await.unwrap();
    assert!(matches!(answer.kind, Kind::Message(_)));
}

/// A Mattermost for the function itself, for callers that do not say who acts or whom they mean: a slash command always does.
struct Server {
    standin: Standin,
    served: cloud_apps_standin::Server,
    token: String,
}

impl Server {
    async fn start() -> Self {
        let standin = Standin::new(Version::V11);
        standin.demo().unwrap();
        let (_, token) = standin.add_bot("hello", "Greets.").unwrap();
        let served = standin.serve_http("127.0.0.1:0".parse().unwrap()).await.unwrap();
        Self { standin, served, token }
    }

    fn cx(&self, acting: Option<&str>) -> Cx {
        let mut request = CommandRequest::default();
        request.context.acting_user = acting.map(|id| command::User::of(id.parse().unwrap()));
        let origin = SiteUrl::new(self.served.url()).unwrap();
        Cx::for_tests(request, Some(Credential { origin, token: self.token.clone().into() }))
    }
}

#[tokio::test]
async fn whoami_says_so_where_nobody_is_known() {
    let server = Server::start().await;
    let failure = call_with("whoami", server.cx(None), json!({})).await.unwrap_err();
    assert!(failure.text.unwrap().contains("who runs it"));
    assert!(server.standin.calls().is_empty());
}

#[tokio::test]
async fn a_user_who_was_not_mentioned_by_name_is_asked_for() {
    let server = Server::start().await;
    let [alice, bob] = ["alice", "bob"].map(|name| server.standin.user(name).unwrap().id);
    let answer = call_with("greet", server.cx(Some(&alice)), json!({"user": bob})).await.unwrap();
    assert_eq!(answer, Answer::text("Hello, @bob!"));
}

#[tokio::test]
async fn nobody_is_named_whom_mattermost_does_not_know_or_to_a_sender_who_is_not_known() {
    let server = Server::start().await;
    let [alice, bob] = ["alice", "bob"].map(|name| server.standin.user(name).unwrap().id);
    for (acting, user) in [(Some(alice.as_str()), BOB), (None, bob.as_str())] {
        let failure = call_with("greet", server.cx(acting), json!({"user": user})).await.unwrap_err();
        let text = failure.text.unwrap();
        assert!(text.contains("write @ and the user name"), "{text}");
    }
}
