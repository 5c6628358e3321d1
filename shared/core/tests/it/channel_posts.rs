//! Messages to the channel: what the bot does at Mattermost, and what its user reads where it cannot.

use crate::stage::{
    ALICE, Answered, BOB, CHANNEL, STATIC_TOKEN, Stage, TEAM, build, command_body, form, request,
};
use bytes::Bytes;
use cloud_app::http::Outbound;
use cloud_apps_core::keys::sealed::seal_bot_token;
use http::{Method, Request, Response, header};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

const BOT_TOKEN: &str = "s6gd4ck3kpgrted4mf7o31dmjo";

/// What the server lets the bot do.
#[derive(Clone, Copy, PartialEq)]
enum Bot {
    IsMember,
    MayJoin,
    IsOutside,
    /// May post once, and then no more.
    PostsOnce,
    /// The server answers its posts with this status.
    Told(u16),
}

/// A server that answers with recorded bytes, and remembers what it was asked.
#[derive(Clone)]
struct Mattermost(Arc<Mutex<State>>);

struct State {
    bot: Bot,
    /// What it says of channels; of others, that the bot may not see them.
    channels: BTreeMap<String, &'static str>,
    /// Who is a member, as `<channel>/members/<user>`.
    members: Vec<String>,
    calls: Vec<(String, Value)>,
}

/// A group message, and the bot's direct message with alice, as they are recorded.
const GROUP: &str = "jrciaz18nbrk9rcxmozxzwjc8o";
const DIRECT: &str = "ju7dzij4tbnkte8swiwdmtke1e";
const OTHER_TEAM: &str = "otherteamotherteamothertea";

fn recorded(name: &str) -> Response<Bytes> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/mattermost-11/rest");
    let text = std::fs::read_to_string(format!("{folder}/{name}.http")).unwrap();
    let answer = text.split_once("--- response\n").unwrap().1.replace('\r', "");
    let (head, body) = answer.split_once("\n\n").unwrap();
    let status: u16 = head.split(' ').nth(1).unwrap()[..3].parse().unwrap();
    Response::builder().status(status).body(Bytes::copy_from_slice(body.trim().as_bytes())).unwrap()
}

impl Mattermost {
    fn new(bot: Bot) -> Self {
        let channels =
            [(CHANNEL, "channels-get"), (GROUP, "channels-group"), (DIRECT, "channels-direct-bot")];
        let channels = channels.map(|(id, recording)| (id.to_owned(), recording)).into();
        let members = vec![format!("{CHANNEL}/members/{ALICE}"), format!("{GROUP}/members/{ALICE}")];
        Self(Arc::new(Mutex::new(State { bot, channels, members, calls: Vec::new() })))
    }

    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        assert_eq!(request.headers()[header::AUTHORIZATION], format!("Bearer {BOT_TOKEN}"));
        let mut state = self.0.lock().unwrap();
        let path = request.uri().path().to_owned();
        state.calls.push((path.clone(), serde_json::from_slice(request.body()).unwrap_or_default()));
        if let (&Method::GET, Some(rest)) = (request.method(), path.strip_prefix("/api/v4/channels/")) {
            if let Some(recording) = state.channels.get(rest) {
                return recorded(recording);
            }
            if state.members.iter().any(|member| member == rest) {
                return recorded("channel-members-add-bot");
            }
            let status = if rest.contains("/members/") { 404 } else { 403 };
            let refusal =
                json!({"id": "api.context.permissions.app_error", "message": "No.", "request_id": "r"});
            return Response::builder().status(status).body(refusal.to_string().into()).unwrap();
        }
        let member = matches!(state.bot, Bot::IsMember | Bot::PostsOnce);
        if path == "/api/v4/posts" {
            if let Bot::Told(status) = state.bot {
                let refusal =
                    json!({"id": "api.post.create_post.root_id.app_error", "message": "Invalid RootId."});
                return Response::builder().status(status).body(refusal.to_string().into()).unwrap();
            }
            if state.bot == Bot::PostsOnce {
                state.bot = Bot::IsOutside;
            }
            return recorded(if member { "posts-create-bot" } else { "posts-create-bot-not-member" });
        }
        assert_eq!(path, format!("/api/v4/channels/{CHANNEL}/members"));
        if state.bot == Bot::MayJoin {
            state.bot = Bot::IsMember;
            return recorded("channel-members-add-bot");
        }
        recorded("posts-create-bot-not-member")
    }

    /// The paths that it was asked below `/api/v4`, and forgets them.
    fn asked(&self) -> Vec<String> {
        let calls = std::mem::take(&mut self.0.lock().unwrap().calls);
        calls.into_iter().map(|(path, _)| path.trim_start_matches("/api/v4").to_owned()).collect()
    }

    fn calls(&self) -> Vec<(String, Value)> {
        self.0.lock().unwrap().calls.clone()
    }

    fn posts(&self) -> Vec<Value> {
        self.calls().into_iter().filter(|(path, _)| path == "/api/v4/posts").map(|(_, body)| body).collect()
    }

    /// A stage whose install is on this server.
    fn stage(&self) -> Stage {
        let stage = Stage::with(|install| {
            let ring = cloud_apps_core::testing::sample::ring(&install.app, 1);
            install.bot_token = seal_bot_token(&ring.keys[0], install, [7; 12], BOT_TOKEN);
        });
        let server = self.clone();
        let http = Outbound::in_process(Arc::new(move |request| {
            let answer = server.answer(&request);
            Box::pin(std::future::ready(answer))
        }));
        Stage { services: Arc::new(build(&stage.memory).http(http).services()), ..stage }
    }
}

/// Has the app answer this, typed into an unmodified server.
async fn said(stage: &Stage, answer: &Value) -> Answered {
    let quoted = answer.to_string().replace('\\', "\\\\").replace('"', "\\\"");
    stage.type_(&format!("say --answer=\"{quoted}\"")).await
}

#[tokio::test]
async fn blocks_are_posted_as_attachments_or_the_user_reads_why_not() {
    let mattermost = Mattermost::new(Bot::IsMember);
    let stage = mattermost.stage();
    let facts = json!([{"title": "Branch", "text": "@all main", "short": true}]);
    let with =
        |blocks: Value| json!({"type": "message", "to": "channel", "text": "Build 12", "blocks": blocks});
    let slash = said(&stage, &with(json!([{"type": "facts", "items": facts}]))).await;
    assert_eq!(slash.body, json!({}));
    let field = json!({"title": "Branch", "value": "@\u{200b}all main", "short": true});
    assert_eq!(mattermost.posts()[0]["props"], json!({"attachments": [{"fields": [field]}]}));
    let picture = json!({"type": "image", "url": "javascript:alert(1)", "alt_text": "x"});
    let slash = said(&stage, &with(json!([{"type": "text", "text": "x"}, picture]))).await;
    assert!(slash.text().contains("/blocks/1/url: This is not the address of a picture."), "{slash:?}");
    assert_eq!(mattermost.posts().len(), 1, "nothing is posted of what is refused");
}

#[tokio::test]
async fn the_bot_posts_in_the_requests_channel_and_thread_and_the_user_sees_nothing_more() {
    let mattermost = Mattermost::new(Bot::IsMember);
    let stage = mattermost.stage();
    let answer = json!({"type": "message", "to": "channel", "text": "Hi @all",
        "attachments": [{"text": "MM-1", "actions": [{"type": "button", "label": "x", "function": "x"}]}]});
    let line = format!("say --answer='{answer}'");
    let mut form = form(&line);
    form.retain(|(key, _)| *key != "root_id");
    form.push(("root_id", BOB));
    let slash = stage.send(stage.slash(&form)).await;
    assert!(slash.text().contains("Buttons and menus in attachments were left out"), "{slash:?}");
    assert_eq!(
        mattermost.posts(),
        [json!({"channel_id": CHANNEL, "root_id": BOB, "message": "Hi @\u{200b}all",
            "props": {"attachments": [{"text": "MM-1"}]}})]
    );
    let slash = said(&stage, &json!({"type": "message", "to": "channel", "text": "Hi"})).await;
    assert_eq!(slash.body, json!({}));
    let mut body = command_body("");
    body["command"]["function"] = "say".into();
    body["command"]["encoded"] = json!({"answer": {"type": "message", "to": "channel", "text": "Hi"}});
    assert_eq!(stage.send(stage.v2("/command", &body)).await.body, json!({"type": "done"}));
    assert_eq!(mattermost.posts().len(), 3);
}

#[tokio::test]
async fn the_bot_joins_a_public_channel_to_post() {
    let mattermost = Mattermost::new(Bot::MayJoin);
    let stage = mattermost.stage();
    let slash = said(&stage, &json!({"type": "message", "to": "channel", "text": "Hi"})).await;
    assert_eq!(slash.body, json!({}));
    let calls = mattermost.calls();
    assert_eq!(calls.len(), 4, "{calls:?}");
    assert_eq!(calls[2].1, json!({"user_id": stage.install.bot.id}));
}

#[tokio::test]
async fn where_the_bot_cannot_post_the_user_alone_sees_the_message_and_what_to_do() {
    let mattermost = Mattermost::new(Bot::IsOutside);
    let stage = mattermost.stage();
    let slash = said(&stage, &json!({"type": "message", "to": "channel", "text": "Hi"})).await;
    assert_eq!(slash.body["response_type"], "ephemeral");
    assert_eq!(slash.text(), "Hi\n\n_Invite @jira to post here, if this is a channel: only you see this._");
}

#[tokio::test]
async fn a_refusal_is_told_as_a_refusal_and_doubt_as_doubt() {
    for (status, said) in [
        (400, "_This was not posted: only you see this. Mattermost did not do that: Invalid RootId."),
        (413, "_This was not posted: only you see this."),
        (429, "_This was not posted: only you see this. Mattermost is busy."),
        (501, "_This was not posted: only you see this."),
        (
            500,
            "_The server did not say whether this was posted, and here only you see it. Look before you try again.",
        ),
        (504, "_The server did not say whether this was posted"),
    ] {
        let mattermost = Mattermost::new(Bot::Told(status));
        let stage = mattermost.stage();
        let slash = said_to_channel(&stage).await;
        assert!(slash.text().starts_with(&format!("Hi\n\n{said}")), "{status}: {}", slash.text());
    }
}

async fn said_to_channel(stage: &Stage) -> Answered {
    said(stage, &json!({"type": "message", "to": "channel", "text": "Hi"})).await
}

#[tokio::test]
async fn without_its_grant_the_bot_does_not_post() {
    let mattermost = Mattermost::new(Bot::IsMember);
    let mut stage = mattermost.stage();
    stage.install.granted.permissions.clear();
    stage.put(&stage.install);
    let slash = said(&stage, &json!({"type": "message", "to": "channel", "text": "Hi"})).await;
    assert!(slash.text().starts_with("Hi\n\n_") && slash.text().contains("act_as_bot"), "{}", slash.text());
    assert!(mattermost.calls().is_empty());
}

#[tokio::test]
async fn outside_of_any_channel_the_user_alone_sees_the_message() {
    let mattermost = Mattermost::new(Bot::IsMember);
    let stage = mattermost.stage();
    let mut body = command_body("");
    body["context"]["channel"] = json!({});
    body["command"]["function"] = "say".into();
    body["command"]["encoded"] = json!({"answer": {"type": "message", "to": "channel", "text": "Hi"}});
    let answered = stage.send(stage.v2("/command", &body)).await;
    assert_eq!(answered.body["to"], "user");
    assert!(answered.text().starts_with("Hi\n\n_") && mattermost.calls().is_empty());
}

#[tokio::test]
async fn a_long_message_is_posted_in_parts_and_half_of_one_is_no_success() {
    let mattermost = Mattermost::new(Bot::IsMember);
    let stage = mattermost.stage();
    let slash = stage.type_("shout").await;
    assert_eq!(slash.body, json!({}));
    let posts = mattermost.posts();
    let lengths: Vec<_> =
        posts.iter().map(|post| post["message"].as_str().unwrap().chars().count()).collect();
    assert_eq!(lengths, [12_000, 8_000], "split between the paragraphs");

    let mattermost = Mattermost::new(Bot::PostsOnce);
    let slash = mattermost.stage().type_("shout").await;
    assert_eq!(slash.text(), "Only the first 1 of 2 parts of a long message were posted.");
}

/// Has the app answer this to a V2 server, whose requests may be large.
async fn answered(stage: &Stage, answer: &Value) -> Answered {
    let mut body = command_body("");
    body["command"]["function"] = "say".into();
    body["command"]["encoded"] = json!({"answer": answer});
    stage.send(stage.v2("/command", &body)).await
}

#[tokio::test]
async fn one_answer_makes_five_posts_at_most_and_says_that_there_was_more() {
    let mattermost = Mattermost::new(Bot::IsMember);
    let text = "@all many words ".repeat(900 * 1024 / 16);
    let answered =
        answered(&mattermost.stage(), &json!({"type": "message", "to": "channel", "text": text})).await;
    assert_eq!(
        answered.body,
        json!({"type": "done", "warnings": ["The message is longer than 5 posts: the rest was not posted."]})
    );
    let posts = mattermost.posts();
    let texts: Vec<_> = posts.iter().map(|post| post["message"].as_str().unwrap()).collect();
    assert_eq!(texts.len(), 5);
    assert!(texts.iter().all(|text| text.chars().count() <= 16_383 && !text.contains("@all")));
    assert!(texts[4].ends_with("_The rest was too long to show._") && !texts[3].ends_with('_'));
}

#[tokio::test]
async fn no_spelling_of_a_mention_and_no_split_is_loud() {
    let mattermost = Mattermost::new(Bot::IsMember);
    let stage = mattermost.stage();
    let dots = ".".repeat(16_379);
    for text in [
        "@al&#108;",
        "&#64;all",
        "&commat;channel",
        "@al&#108;https://example.com",
        "\u{b}\u{b}\u{c}\u{b}@allison",
        "\u{c}@\nall",
        &format!("{dots}@allison"),
        &format!("{dots}...x@all"),
    ] {
        let attachments =
            json!([{"pretext": text, "text": text, "fields": [{"title": text, "value": text}]}]);
        let answer = json!({"type": "message", "to": "channel", "text": text, "attachments": attachments});
        answered(&stage, &answer).await;
    }
    for post in mattermost.posts() {
        let (message, attachments) =
            (post["message"].as_str().unwrap(), post["props"]["attachments"].to_string());
        assert!(!crate::loud::loud(message), "{message}");
        assert!(!crate::loud::loud(&attachments), "{attachments}");
    }
    // What the app asks for stays as it is.
    answered(&stage, &json!({"type": "message", "to": "channel", "text": "@here", "notify": true})).await;
    assert_eq!(mattermost.posts().last().unwrap()["message"], "@here");
}

/// A message to the channel, typed by a user in a channel of this name.
async fn typed_in(stage: &Stage, channel: &str, name: &str, user: &str) -> Answered {
    let line = r#"say --answer='{"type":"message","to":"channel","text":"Hi"}'"#;
    let mut form = form(line);
    form.retain(|(key, _)| !["channel_id", "channel_name", "user_id"].contains(key));
    form.extend([("channel_id", channel), ("channel_name", name), ("user_id", user)]);
    stage.send(stage.slash(&form)).await
}

/// A message to the channel, by a static token.
async fn by_static_token(stage: &Stage, user: &Value) -> Answered {
    let mut body = command_body("");
    body["context"]["acting_user"] = user.clone();
    body["command"]["function"] = "say".into();
    body["command"]["encoded"] = json!({"answer": {"type": "message", "to": "channel", "text": "Hi"}});
    let authorization = format!("Token {STATIC_TOKEN}");
    stage.send(request("/command", &body.to_string(), &[(header::AUTHORIZATION, &authorization)])).await
}

#[tokio::test]
async fn a_slash_token_of_one_team_posts_and_joins_nowhere_in_another() {
    for bot in [Bot::IsMember, Bot::MayJoin] {
        let mattermost = Mattermost::new(bot);
        let stage = mattermost.stage();
        // The token of another team, whose holder names alice, a member of a channel of the first team.
        stage.register(OTHER_TEAM, "jira", "othertokenothertokenothert");
        for name in ["town-square", &format!("{ALICE}__{BOB}")] {
            let mut form = form(r#"say --answer='{"type":"message","to":"channel","text":"Hi"}'"#);
            form.retain(|(key, _)| !["team_id", "token", "channel_name"].contains(key));
            form.extend([
                ("team_id", OTHER_TEAM),
                ("token", "othertokenothertokenothert"),
                ("channel_name", name),
            ]);
            let slash = stage.send(stage.slash(&form)).await;
            assert_eq!(slash.body["response_type"], "ephemeral");
            assert!(slash.text().starts_with("Hi\n\n_This was not posted"), "{}", slash.text());
            assert!(slash.text().contains("not in the team"), "{}", slash.text());
        }
        assert_eq!(mattermost.asked(), [format!("/channels/{CHANNEL}")], "asked once, and nothing else");
        // What was learnt of the channel for the stranger does not let the stranger in, nor keep out the team's own.
        assert_eq!(typed_in(&stage, CHANNEL, "town-square", ALICE).await.body, json!({}));
    }
}

#[tokio::test]
async fn a_channel_is_confirmed_by_one_call_for_some_minutes_and_only_when_something_is_posted() {
    let mattermost = Mattermost::new(Bot::IsMember);
    let mut stage = mattermost.stage();
    stage.type_("search").await;
    stage.type_(r#"say --answer='{"type":"message","text":"Hi"}'"#).await;
    assert!(mattermost.asked().is_empty());
    let hi = json!({"type": "message", "to": "channel", "text": "Hi"});
    for _ in 0..3 {
        assert_eq!(said(&stage, &hi).await.body, json!({}));
    }
    assert_eq!(mattermost.asked(), [&*format!("/channels/{CHANNEL}"), "/posts", "/posts", "/posts"]);
    stage.now += 5 * 60_000;
    said(&stage, &hi).await;
    assert_eq!(mattermost.asked(), [&*format!("/channels/{CHANNEL}"), "/posts"]);
    // A server that signed the request vouches for the channel itself.
    let mut body = command_body("");
    body["context"]["channel"] = json!({"id": GROUP});
    body["command"]["function"] = "say".into();
    body["command"]["encoded"] = json!({"answer": hi});
    assert_eq!(stage.send(stage.v2("/command", &body)).await.body, json!({"type": "done"}));
    assert_eq!(mattermost.asked(), ["/posts"]);
}

#[tokio::test]
async fn a_direct_or_group_message_is_posted_to_for_its_members_only() {
    let direct = format!("{ALICE}__{BOB}");
    for (channel, name, calls) in
        [(DIRECT, direct.as_str(), 1), (GROUP, "6de365bf954dfccefec3e5ad7aac197015b43fca", 2)]
    {
        let mattermost = Mattermost::new(Bot::IsMember);
        let stage = mattermost.stage();
        let stranger = typed_in(&stage, channel, name, BOB).await;
        assert!(stranger.text().contains("you are a member"), "{}", stranger.text());
        assert!(mattermost.posts().is_empty());
        mattermost.asked();
        let stage = mattermost.stage();
        assert_eq!(typed_in(&stage, channel, name, ALICE).await.body, json!({}));
        assert_eq!(mattermost.asked().len(), calls + 1);
        assert_eq!(typed_in(&stage, channel, name, ALICE).await.body, json!({}));
        assert_eq!(mattermost.asked(), ["/posts"]);
    }
}

#[tokio::test]
async fn a_static_token_posts_where_its_user_is_a_member_and_nowhere_for_nobody() {
    let mattermost = Mattermost::new(Bot::IsMember);
    let stage = mattermost.stage();
    for user in [json!(null), json!({"id": BOB})] {
        let answered = by_static_token(&stage, &user).await;
        assert_eq!(answered.body["to"], "user");
        assert!(answered.text().contains("This was not posted"), "{}", answered.text());
    }
    assert!(mattermost.posts().is_empty());
    assert_eq!(by_static_token(&stage, &json!({"id": ALICE})).await.body, json!({"type": "done"}));
    assert_eq!(mattermost.posts().len(), 1);
    // What is confirmed for a member is confirmed for nobody else.
    assert_eq!(by_static_token(&stage, &json!({"id": BOB})).await.body["to"], "user");
    let elsewhere = typed_in(&stage, CHANNEL, "town-square", BOB).await;
    assert_eq!(elsewhere.body, json!({}), "its slash token proves the team of {TEAM}");
}

#[tokio::test]
async fn a_channel_that_the_server_keeps_from_the_bot_is_not_posted_to() {
    let mattermost = Mattermost::new(Bot::IsMember);
    let stage = mattermost.stage();
    let private = "privateprivateprivateprivt";
    let slash = typed_in(&stage, private, "secret", ALICE).await;
    assert_eq!(slash.text(), "Hi\n\n_Invite @jira to post here, if this is a channel: only you see this._");
    assert_eq!(mattermost.asked(), [format!("/channels/{private}")]);
}
