//! What hello answers.

// All of this is tests; clippy's own exception for tests does not reach what they share.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use cloud_app::{
    cx::Inner,
    http::{Outbound, Policy},
    mattermost::Credential,
    prelude::*,
    protocol::{
        CommandRequest, SiteUrl,
        answer::{Kind, To},
        command,
    },
};
use cloud_apps_standin::{Standin, Version};
use serde_json::{Value, json};
use std::sync::Arc;

const BOB: &str = "bobobobobobobobobobobobobo";

/// `/hello … @bob`, as the bundle hands it over.
fn mentioning_bob() -> CommandRequest {
    let mut request = CommandRequest::default();
    request.context.mentioned.users.insert("bob".parse().unwrap(), command::User::of(BOB.parse().unwrap()));
    request
}

async fn call(function: &str, cx: Cx, values: Value) -> Result<Answer> {
    let Value::Object(values) = values else { panic!("{values} is no object") };
    hello::app().call(function, cx, values).unwrap().await
}

async fn text(function: &str, request: CommandRequest, values: Value) -> String {
    match call(function, Cx::for_tests(request, None), values).await.unwrap().kind {
        Kind::Message(message) => message.text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_definition_is_valid() {
    hello::app().assert_valid();
}

#[tokio::test]
async fn a_greeting_is_for_the_user_alone() {
    let cx = Cx::for_tests(mentioning_bob(), None);
    assert_eq!(call("greet", cx, json!({"user": BOB})).await.unwrap(), Answer::text("Hello, @bob!"));
}

#[tokio::test]
async fn a_public_greeting_is_for_the_channel() {
    let cx = Cx::for_tests(mentioning_bob(), None);
    let answer = call("greet", cx, json!({"user": BOB, "public": true})).await.unwrap();
    assert!(matches!(answer.kind, Kind::Message(message) if message.to == To::Channel));
}

/// Surroundings with what an admin set.
fn with_settings(settings: Value) -> Cx {
    let Value::Object(settings) = settings else { panic!("{settings} is no object") };
    let nobody = Credential { origin: SiteUrl::new("https://chat.example.com").unwrap(), token: "".into() };
    Cx::new(Inner {
        request: mentioning_bob(),
        now: 0,
        deadline: 8_000,
        request_id: "test".into(),
        settings,
        bot: Arc::new(nobody),
        user: None,
        http: Outbound::new(Policy::default()),
    })
}

#[tokio::test]
async fn a_greeting_is_in_the_language_of_the_settings_unless_another_is_asked_for() {
    for (values, expected) in
        [(json!({"user": BOB}), "Bonjour @bob !"), (json!({"user": BOB, "language": "de"}), "Hallo, @bob!")]
    {
        let cx = with_settings(json!({"language": "fr"}));
        assert_eq!(call("greet", cx, values).await.unwrap(), Answer::text(expected));
    }
}

#[tokio::test]
async fn the_motto_stands_under_public_greetings_only_and_mentions_nobody() {
    let settings = json!({"motto": "*Be* kind"});
    let public = call("greet", with_settings(settings.clone()), json!({"user": BOB, "public": true}));
    assert_eq!(public.await.unwrap(), Answer::public("Hello, @bob!\n\n> \\*Be\\* kind"));
    let private = call("greet", with_settings(settings), json!({"user": BOB}));
    assert_eq!(private.await.unwrap(), Answer::text("Hello, @bob!"));
}

#[tokio::test]
async fn a_motto_of_two_lines_is_refused_at_its_field() {
    let refused =
        call("on_configure", with_settings(json!({"motto": "one\ntwo"})), json!({})).await.unwrap_err();
    assert_eq!(refused.fields["motto"], "Write it on one line.");
    let taken = call("on_configure", with_settings(json!({"motto": "one"})), json!({})).await.unwrap();
    assert_eq!(taken, Answer::done());
}

#[tokio::test]
async fn a_greeting_is_in_the_language_and_as_loud_as_asked() {
    for (language, loud, expected) in [
        ("de", true, "HALLO, @bob!"),
        ("en", true, "HELLO, @bob!"),
        ("es", false, "¡Hola, @bob!"),
        ("fr", false, "Bonjour @bob !"),
        ("ja", true, "こんにちは、@bob！"),
    ] {
        let values = json!({"user": BOB, "language": language, "loud": loud});
        assert_eq!(text("greet", mentioning_bob(), values).await, expected);
    }
}

#[tokio::test]
async fn the_time_is_told_where_it_is_asked_for() {
    let told = text("time", CommandRequest::default(), json!({"zone": "Europe/Berlin"})).await;
    assert_eq!(told, "It is **13:00 on Sunday, 22 November 2026** in Europe/Berlin.");
}

#[tokio::test]
async fn the_time_is_the_users_own_where_nothing_is_asked_for() {
    let mut request = CommandRequest::default();
    assert!(
        text("time", request.clone(), json!({}))
            .await
            .ends_with("12:00 on Sunday, 22 November 2026** in UTC.")
    );
    request.context.time_zone = Some("Asia/Tokyo".into());
    assert!(
        text("time", request, json!({}))
            .await
            .ends_with("21:00 on Sunday, 22 November 2026** in Asia/Tokyo.")
    );
}

#[tokio::test]
async fn an_unknown_zone_is_answered_with_near_ones() {
    for (zone, near) in [
        ("berlin", "`Europe/Berlin`"),
        ("Europe/Berln", "`Europe/Berlin`"),
        ("new york", "`America/New_York`"),
        ("qqqq", "such as Europe/Berlin"),
        ("oslo", "`Europe/Oslo`"),
        ("Japn", "such as Europe/Berlin"),
        ("singapur", "`Singapore`"),
    ] {
        let cx = Cx::for_tests(CommandRequest::default(), None);
        let failure = call("time", cx, json!({"zone": zone})).await.unwrap_err();
        let text = failure.text.unwrap();
        assert!(text.contains(near), "{zone}: {text}");
    }
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
        let cx = Cx::for_tests(CommandRequest::default(), None);
        let failure = call("time", cx, json!({"zone": zone})).await.unwrap_err();
        let text = failure.text.unwrap();
        assert!(
            text.ends_with("Write a place as in the IANA database, such as Europe/Berlin."),
            "{zone}: {text}"
        );
    }
}

#[tokio::test]
async fn a_zone_that_is_too_long_is_compared_with_none() {
    let cx = Cx::for_tests(CommandRequest::default(), None);
    let failure = call("time", cx, json!({"zone": "Europe/Berlin".repeat(1_200)})).await.unwrap_err();
    let text = failure.text.unwrap();
    assert!(text.starts_with("This is too long for a time zone.") && text.len() < 200, "{text}");
}

#[tokio::test]
async fn what_a_user_wrote_is_shown_as_it_is() {
    let cx = Cx::for_tests(CommandRequest::default(), None);
    let failure = call("time", cx, json!({"zone": "@all *x*"})).await.unwrap_err();
    let text = failure.text.unwrap();
    assert!(text.contains(r"\*x\*") && !text.contains("@all"), "{text}");
}

/// A Mattermost with alice, and hello's bot on it.
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
async fn whoami_asks_mattermost_as_the_bot() {
    let server = Server::start().await;
    let alice = server.standin.user("alice").unwrap().id;
    let answer = call("whoami", server.cx(Some(&alice)), json!({})).await.unwrap();
    let Kind::Message(message) = answer.kind else { panic!("{answer:?}") };
    assert!(message.text.starts_with("You are @alice"), "{}", message.text);
    assert!(message.text.contains(&alice), "{}", message.text);
}

#[tokio::test]
async fn whoami_says_so_where_nobody_is_known() {
    let server = Server::start().await;
    let failure = call("whoami", server.cx(None), json!({})).await.unwrap_err();
    assert!(failure.text.unwrap().contains("who runs it"));
    assert!(server.standin.calls().is_empty());
}

#[tokio::test]
async fn a_user_who_was_not_mentioned_by_name_is_asked_for() {
    let server = Server::start().await;
    let [alice, bob] = ["alice", "bob"].map(|name| server.standin.user(name).unwrap().id);
    let answer = call("greet", server.cx(Some(&alice)), json!({"user": bob})).await.unwrap();
    assert_eq!(answer, Answer::text("Hello, @bob!"));
}

#[tokio::test]
async fn nobody_is_named_whom_mattermost_does_not_know_or_to_a_sender_who_is_not_known() {
    let server = Server::start().await;
    let [alice, bob] = ["alice", "bob"].map(|name| server.standin.user(name).unwrap().id);
    for (acting, user) in [(Some(alice.as_str()), BOB), (None, bob.as_str())] {
        let failure = call("greet", server.cx(acting), json!({"user": user})).await.unwrap_err();
        let text = failure.text.unwrap();
        assert!(text.contains("write @ and the user name"), "{text}");
    }
}

#[tokio::test]
async fn fail_shows_what_an_error_looks_like() {
    let cx = || Cx::for_tests(CommandRequest::default(), None);
    let expected = call("fail", cx(), json!({})).await.unwrap_err();
    assert!(expected.text.unwrap().contains("what an error looks like"));
    let bug = call("fail", cx(), json!({"cause": "bug"})).await.unwrap_err();
    assert_eq!(bug.text, None, "the user reads one sentence and the request's id");
    assert!(bug.source.is_some(), "the cause is for the log");
}

#[tokio::test]
async fn an_install_is_welcomed() {
    let cx = Cx::for_tests(CommandRequest::default(), None);
    assert!(matches!(call("on_install", cx, json!({})).await.unwrap().kind, Kind::Message(_)));
}
