//! The client of Mattermost's REST API.

use crate::server::{Server, raw};
use async_trait::async_trait;
use axum::{body::Body, http::StatusCode, response::Response};
use cloud_app::{
    Cx, Failure, Mattermost,
    http::{self, Outbound, Policy},
    mattermost::{BotTokens, Credential, Error, NewPost},
};
use cloud_apps_protocol::{Attachment, ChannelId, CommandRequest, SiteUrl, UserId};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

const ALICE: &str = "alicealicealicealicealicea";
const TOWN_SQUARE: &str = "townsquaretownsquaretownsq";

fn json(status: u16, body: &Value) -> Response {
    Response::builder().status(status).body(Body::from(body.to_string())).unwrap()
}

fn credential(site: &SiteUrl, token: &str) -> Credential {
    Credential { origin: site.clone(), token: token.into() }
}

fn client(site: &SiteUrl) -> Mattermost {
    let http = Outbound::new(Policy { loopback: true, ..Policy::default() });
    Mattermost::bot(http, Arc::new(credential(site, "canary-token")))
}

fn alice() -> UserId {
    ALICE.parse().unwrap()
}

#[tokio::test]
async fn a_call_carries_the_token_to_its_site() {
    let server =
        Server::start(|_| json(200, &json!({"id": ALICE, "username": "alice", "is_bot": true}))).await;
    let me = client(&server.site).me().await.unwrap();
    assert_eq!((me.id, me.username.as_str(), me.is_bot), (alice(), "alice", true));
    assert_eq!(server.asked(), ["GET /api/v4/users/me"]);
    assert_eq!(server.map(|request| request.headers()["authorization"].clone()), ["Bearer canary-token"]);
}

#[tokio::test]
async fn a_post_goes_into_the_thread_with_its_attachments() {
    let root = "rootrootrootrootrootrootro";
    let server = Server::start(|request| {
        let mut post: Value = serde_json::from_slice(request.body()).unwrap();
        post["id"] = json!("newpostnewpostnewpostnewpo");
        json(201, &post)
    })
    .await;
    let channel: ChannelId = TOWN_SQUARE.parse().unwrap();
    let attachment = Attachment { text: "there".into(), ..Attachment::default() };
    let post = NewPost::new(channel, "Hi").in_thread(root.parse().unwrap()).attachments(&[attachment]);
    let made = client(&server.site).create_post(&post).await.unwrap();
    assert_eq!((made.message.as_str(), made.root_id), ("Hi", Some(root.parse().unwrap())));
    let body = server.map(|request| serde_json::from_slice::<Value>(request.body()).unwrap());
    assert_eq!(
        body,
        [json!({"channel_id": TOWN_SQUARE, "root_id": root, "message": "Hi",
                "props": {"attachments": [{"text": "there"}]}})]
    );
}

#[tokio::test]
async fn no_membership_is_an_answer_and_not_an_error() {
    let server = Server::start(|_| {
        let id = "app.channel.get_member.missing.app_error";
        json(404, &json!({"id": id, "message": "No channel member found.", "status_code": 404}))
    })
    .await;
    let member = client(&server.site).channel_member(&TOWN_SQUARE.parse().unwrap(), &alice()).await.unwrap();
    assert_eq!(member, None);
}

/// A token that was replaced: `fresh` reads the new one.
struct Replaced {
    site: SiteUrl,
    asked: Mutex<Vec<bool>>,
}

#[async_trait]
impl BotTokens for Replaced {
    async fn bot(&self, fresh: bool) -> Result<Credential, Error> {
        self.asked.lock().unwrap().push(fresh);
        Ok(credential(&self.site, if fresh { "new" } else { "old" }))
    }
}

#[tokio::test]
async fn a_refused_token_is_read_again_once() {
    for (good, expected) in [("Bearer new", None), ("Bearer none", Some(StatusCode::UNAUTHORIZED))] {
        let server = Server::start(move |request| {
            if request.headers()["authorization"] == good {
                json(200, &json!({"id": ALICE, "username": "alice"}))
            } else {
                let id = "api.context.session_expired.app_error";
                json(401, &json!({"id": id, "message": "Invalid or expired session.", "request_id": "r"}))
            }
        })
        .await;
        let tokens = Arc::new(Replaced { site: server.site.clone(), asked: Mutex::default() });
        let http = Outbound::new(Policy { loopback: true, ..Policy::default() });
        let result = Mattermost::bot(http, tokens.clone()).me().await;
        assert_eq!(result.err().and_then(|error| error.status()), expected);
        assert_eq!(*tokens.asked.lock().unwrap(), [false, true]);
        assert_eq!(server.asked().len(), 2);
    }
}

#[tokio::test]
async fn what_mattermost_refuses_is_told_to_the_user_with_what_to_do() {
    let server = Server::start(|_| {
        let message = "You do not have the appropriate permissions.";
        json(
            403,
            &json!({"id": "api.context.permissions.app_error", "message": message, "request_id": "abc"}),
        )
    })
    .await;
    let error = client(&server.site).user_by_id(&alice()).await.unwrap_err();
    assert_eq!(error.id(), Some("api.context.permissions.app_error"));
    let failure = Failure::from(error);
    assert_eq!(
        failure.text.as_deref(),
        Some(
            "Mattermost did not do that: You do not have the appropriate permissions. The bot may not do that: add it \
             to the channel or the team, or give it the right in the System Console."
        )
    );
    assert!(failure.source.unwrap().to_string().contains("api.context.permissions.app_error"));
}

#[tokio::test]
async fn too_many_calls_say_when_to_try_again() {
    let server = Server::start(|_| {
        Response::builder()
            .status(429)
            .header("x-ratelimit-reset", "7")
            .body(Body::from("limit exceeded"))
            .unwrap()
    })
    .await;
    let error = client(&server.site).me().await.unwrap_err();
    assert!(matches!(error, Error::TooMany { retry_after: 7 }), "{error:?}");
    assert_eq!(server.asked().len(), 1, "it is not tried again");
}

#[tokio::test]
async fn a_redirect_takes_the_token_nowhere() {
    let elsewhere = Server::start(|_| json(200, &json!({}))).await;
    let location = format!("{}/api/v4/users/me", elsewhere.site);
    let server = Server::start(move |_| {
        Response::builder().status(307).header("location", &location).body(Body::empty()).unwrap()
    })
    .await;
    let error = client(&server.site).me().await.unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error:?}");
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn a_proxy_that_answers_in_its_place_is_told_apart() {
    for status in [200, 502] {
        let server = Server::start(move |_| {
            Response::builder().status(status).body(Body::from("<html>Sign in</html>")).unwrap()
        })
        .await;
        let error = client(&server.site).me().await.unwrap_err();
        assert!(matches!(error, Error::Unexpected { .. }), "{error:?}");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
    }
}

#[tokio::test]
async fn no_call_outlasts_the_deadline() {
    let site = raw(Vec::new()).await;
    let error = client(&site).until(Instant::now()).me().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(http::Error::Timeout { .. })), "{error:?}");
}

#[tokio::test]
async fn a_token_stands_in_no_error() {
    let refusing = Server::start(|_| json(401, &json!({"id": "x", "message": "y"}))).await;
    let bad = SiteUrl::new("https://10.0.0.1").unwrap();
    for site in [&refusing.site, &bad] {
        let error = client(site).me().await.unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(!format!("{told} {:?}", Failure::from(error)).contains("canary"));
    }
    assert!(!format!("{:?}", credential(&bad, "canary-token")).contains("canary"));
}

#[tokio::test]
async fn a_function_without_a_token_says_why() {
    let failure = Failure::from(Cx::for_tests(CommandRequest::default(), None).bot().me().await.unwrap_err());
    assert_eq!(
        failure.text.as_deref(),
        Some("This test has no Mattermost: hand a Credential to Cx::for_tests.")
    );
}

#[tokio::test]
async fn what_a_server_says_is_cut_and_what_it_should_not_have_said_is_not_repeated() {
    let refused =
        json!({"id": "x".repeat(9_000), "message": "no ".repeat(9_000), "request_id": "y".repeat(9_000)});
    for (status, body) in [
        (200, json!({"id": "canary-token"})),
        (403, json!({"id": 7, "message": ["canary-token"]})),
        (403, refused),
    ] {
        let server = Server::start(move |_| json(status, &body)).await;
        let error = client(&server.site).me().await.unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(said.len() < 3_000 && !said.contains("canary-token"), "{said}");
    }
}

/// A server that knows alice, a user with these roles, and bob; and these members of its one channel.
async fn of_people(roles: &'static str, members: &'static [&'static str]) -> Server {
    Server::start(move |request| match (request.method().as_str(), request.uri().path()) {
        ("POST", "/api/v4/users/ids") => json(
            200,
            &json!([{"id": BOB, "username": "bob"}, {"id": ALICE, "username": "alice", "roles": roles}]),
        ),
        ("GET", path) if members.iter().any(|member| path.ends_with(member)) => {
            json(200, &json!({"channel_id": TOWN_SQUARE, "user_id": BOB}))
        }
        _ => json(404, &json!({"id": "not_found", "message": "Not found.", "request_id": "r"})),
    })
    .await
}

const BOB: &str = "bobobobobobobobobobobobobo";

fn asking(server: &Server, acting: Option<&str>) -> Cx {
    let mut request = CommandRequest::default();
    request.context.acting_user =
        acting.map(|id| cloud_apps_protocol::command::User::of(id.parse().unwrap()));
    request.context.channel = Some(cloud_apps_protocol::command::Channel::of(TOWN_SQUARE.parse().unwrap()));
    Cx::for_tests(request, Some(credential(&server.site, "canary-token")))
}

#[tokio::test]
async fn a_typed_id_gets_a_guest_the_names_of_those_who_are_in_their_channel_and_of_nobody_else() {
    let bob: UserId = BOB.parse().unwrap();
    for (roles, members, named) in [
        ("system_user", &[][..], true),
        ("system_guest", &[][..], false),
        ("system_guest", &[ALICE][..], false),
        ("system_guest", &[BOB][..], false),
        ("system_guest", &[ALICE, BOB][..], true),
        ("system_guest system_user_access_token", &[ALICE][..], false),
    ] {
        let server = of_people(roles, members).await;
        let found = asking(&server, Some(ALICE)).username(&bob).await;
        assert_eq!(found.is_ok(), named, "{roles} {members:?}");
        if let Err(failure) = found {
            assert!(failure.text.unwrap().contains("write @ and the user name"));
        }
    }
    let server = of_people("system_user", &[ALICE, BOB]).await;
    assert!(asking(&server, None).username(&bob).await.is_err(), "nobody known may see nobody");
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_name_that_is_none_is_not_shown() {
    let server =
        Server::start(|_| json(200, &json!([{"id": ALICE, "username": "[x](https://evil.example)"}]))).await;
    let failure = asking(&server, Some(ALICE)).username(&alice()).await.unwrap_err();
    assert!(!failure.text.unwrap_or_default().contains("evil"));
}

#[tokio::test]
async fn a_name_that_a_person_typed_asks_for_a_user_of_that_name_and_for_nothing_else() {
    let server = Server::start(|_| json(404, &json!({"id": "app.user.missing", "message": "none"}))).await;
    let mattermost = client(&server.site);
    for name in [
        "..",
        ".",
        ".. ",
        ". ",
        ".. \u{a0}",
        "%2e%2e",
        "%2e%2e ",
        "..\t",
        "..\n",
        "..\0",
        "../me",
        "..\\me",
        "..;/me",
        "x?term=y",
        "x#y",
        "x&y=z",
        "",
        " ",
        "me/../..",
        "\u{ff0e}\u{ff0e}",
        "\u{2024}\u{2024}",
        "a b",
    ] {
        let before = server.asked().len();
        mattermost.user_by_username(name).await.unwrap_err();
        for asked in server.asked().into_iter().skip(before) {
            let asked_for = asked.strip_prefix("GET /api/v4/users/username/");
            let asked_for = asked_for.unwrap_or_else(|| panic!("{name:?} asked for {asked}"));
            assert!(!asked_for.contains(['/', '?', '#', '\\']), "{name:?} asked for {asked}");
            assert!(!matches!(asked_for, "." | ".."), "{name:?} asked for {asked}");
        }
    }
}
