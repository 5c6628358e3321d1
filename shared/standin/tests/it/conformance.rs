//! Recorded REST calls, replayed: every file in `tests/recordings/*/rest` is sent to a stand-in whose world
//! is arranged as the recorded one was, and the answer has the recorded status, headers and shape; an error
//! also has the recorded id and text. Slash commands reach an integration that holds the stand-in's request
//! against what the real server sent and answers as the recorded one did.
//!
//! To cover another group, copy its files, add routes, and arrange what they need.

use crate::integration::{self, Names, Sent, translate};
use crate::recording::{self, Message};
use bytes::Bytes;
use cloud_apps_standin::{ChannelKind, Standin, Version};
use http::{Request, Response};
use serde_json::{Value, json};
use std::time::Duration;

/// Where the stand-in differs from a recording, and why. The second column begins what is found.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("mattermost-11/config-client-anonymous", "/", "of the 125 keys those that an app can use"),
    (
        "mattermost-11/channel-posts.http",
        "/posts/",
        "most recorded posts tell who joined; the stand-in has none",
    ),
];

/// Headers that are the serving's or a cache's: the stand-in has no cache, and packs nothing.
const NOT_COMPARED: &[&str] = &["date", "content-length", "etag", "content-encoding"];

struct World {
    mm: Standin,
    names: Names,
    sent: Sent,
}

impl World {
    fn name(&mut self, recorded: &str, ours: impl Into<String>) {
        self.names.push((recorded.to_owned(), ours.into()));
    }

    fn ours(&self, recorded: &str) -> String {
        translate(recorded, &self.names)
    }

    async fn call(&self, token: &str, method: &str, path: &str, body: &Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(translate(path, &self.names))
            .header("authorization", format!("Bearer {}", self.ours(token)))
            .header("content-type", "application/json")
            .body(Bytes::from(translate(&body.to_string(), &self.names)))
            .unwrap();
        let answer = self.mm.respond(request).await.unwrap();
        assert!(answer.status().is_success(), "{method} {path}: {:?}", answer.body());
        serde_json::from_slice(answer.body()).unwrap_or_default()
    }
}

/// The recorded ids and tokens of one version's throw-away database.
struct Recorded {
    folder: &'static str,
    team: &'static str,
    town_square: &'static str,
    /// Name, id, token.
    users: &'static [(&'static str, &'static str, &'static str)],
    incident: &'static str,
    post: &'static str,
    bot_token_id: &'static str,
}

const ELEVEN: Recorded = Recorded {
    folder: "mattermost-11",
    team: "eznx9z5nn7r1iq7p5pnkpgzjoe",
    town_square: "ijgemn8fuprnx87bx6kak5yx5r",
    users: &[
        ("sysadmin", "j3bwy15pr38ezdw7bfttsgz71e", "e7n3usdumpb3in35dxee9kwzfe"),
        ("alice", "roaxwho8njrnjytedmp4qzu99e", "uz9bmgu4x7y77xuui9f9uhiufc"),
        ("bob", "ft1du16ho78a8ed76wcngpuswe", "twqit6cu8tyy9ye91w7mrgaodc"),
        ("carol", "xkfj8zuydpygx84n8hqop7fnrr", ""),
        ("jira", "66eugomwyir798s7k9k8fbr61o", "s6gd4ck3kpgrted4mf7o31dmjo"),
    ],
    incident: "cyy5un7r8ifpzbojhb6a9su43r",
    post: "ei93ujrz67yetxzpk3m6b8ssda",
    bot_token_id: "7mz3ddpcijbgfdxfdbtk7etcda",
};

const FIVE: Recorded = Recorded {
    folder: "mattermost-5.37",
    team: "rin7ywda578zjm9y9fhdcw1nch",
    town_square: "gwxicenmy7gsjk7q1odjrc8eye",
    users: &[
        ("sysadmin", "gaaba7d7bty7uckgp91xrdrphw", "kuici3hw3iyr8pxnginj4hkofy"),
        ("alice", "6tiuo6aypbr4dkifkuqifo34ne", "nmqzbdih9tbs3c73kqfo8wsgge"),
        ("bob", "aqkp7gohi38y8p4xq7ermyfxko", "f9cu8d4853r8ijo5k8rc46uifo"),
        ("carol", "a69deh6mdirhmehdq6xan7exme", ""),
        ("jira", "w4ywrtdc7fdqd86dcyicbsrggy", "mhr9ym4hk3rb3yk4wdd4cjmufc"),
    ],
    incident: "wo6raq5ta7bofbpabfbdwryxna",
    post: "3j3ibjox9tr85c8k4otyoeredh",
    bot_token_id: "76bb7pekbt8d7bacq76fmr335c",
};

fn card() -> Value {
    json!([{
        "text": "MM-1", "title": "MM-1", "title_link": "http://127.0.0.1:9000/MM-1",
        "fields": [{"title": "Status", "value": "Open", "short": true}],
        "actions": [
            {"id": "assign", "name": "Assign to me", "type": "button", "style": "primary", "tooltip": "to you",
             "integration": {"url": "http://127.0.0.1:9000/action", "context": {"issue": "MM-1"}}},
            {"id": "pick", "name": "Status", "type": "select", "default_option": "open",
             "options": [{"text": "Open", "value": "open"}, {"text": "Done", "value": "done"}]},
            {"id": "user", "name": "Assignee", "type": "select", "data_source": "users"},
        ],
    }])
}

/// The world in which the calls were recorded.
async fn arrange(version: Version, recorded: &Recorded, file: &str) -> World {
    let mm = Standin::seeded(version, 1);
    // Before the `since` of `users-by-ids-since.http`.
    mm.set_clock(|| 1_795_385_336_000);
    mm.allow_overrides(true);
    let mut world = World { mm: mm.clone(), names: Vec::new(), sent: Sent::default() };
    world.name(recorded.team, mm.add_team("ops").unwrap());
    world.name(recorded.town_square, mm.channel_id("ops", "town-square").unwrap());
    world.name("wbmht7ur93f3tjw1nj1jyayuar", mm.channel_id("ops", "off-topic").unwrap());
    for (name, id, token) in recorded.users {
        if *name == "jira" {
            let (ours, secret) = mm.add_bot("jira", "Jira Cloud App").unwrap();
            world.name(id, ours);
            world.name(token, secret);
        } else {
            world.name(id, mm.add_user(name).unwrap());
            if !token.is_empty() {
                world.name(token, mm.add_token(name).unwrap());
            }
        }
        mm.join_team(name, "ops").unwrap();
    }
    mm.add_role("sysadmin", "system_admin").unwrap();
    mm.add_role("bob", "system_user_access_token").unwrap();
    world.name(recorded.incident, mm.add_channel("ops", "incident-1", ChannelKind::Public).unwrap());
    for name in ["alice", "bob", "jira"] {
        mm.join(name, "incident-1").unwrap();
    }
    // A second token of the recorded bot.
    world.name("cjhj8hezcjfo9ky766eea1yijy", world.ours(recorded.users[4].2));
    let admin = recorded.users[0].2;
    let tokens = format!("/api/v4/users/{}/tokens", recorded.users[4].1);
    let list = world.call(admin, "GET", &tokens, &json!({})).await;
    world.name(recorded.bot_token_id, list[0]["id"].as_str().unwrap());
    arrange_commands(&mut world, recorded, file).await;
    arrange_post(&mut world, recorded).await;
    if version == Version::V11 {
        arrange_eleven(&mut world, recorded).await;
    }
    plug(&world, recorded, file);
    // After it.
    mm.set_clock(|| 1_795_385_336_370);
    arrange_file(&mut world, recorded, file).await;
    world
}

/// The post that the recordings read again. Both were made by `/jira create_issue`; with 5.37 the answer was not
/// recorded, so it is posted.
async fn arrange_post(world: &mut World, recorded: &Recorded) {
    let alice = recorded.users[1].2;
    if recorded.folder == "mattermost-11" {
        plug(world, recorded, "");
        let text = recording::folder("mattermost-11/rest");
        let (_, text) = text.iter().find(|(name, _)| name == "commands-execute.http").unwrap();
        let body = serde_json::from_str(&recording::exchange(text).0.body).unwrap();
        world.call(alice, "POST", "/api/v4/commands/execute", &body).await;
        let post = world.mm.posts("town-square").unwrap().pop().unwrap();
        world.name(recorded.post, post.id);
        world.sent.forms.lock().unwrap().clear();
        return;
    }
    let mut card = card();
    card[0].as_object_mut().unwrap().remove("fields");
    card[0]["actions"][1].as_object_mut().unwrap().remove("default_option");
    let posted = json!({
        "channel_id": recorded.town_square, "message": "Created **MM-1**", "type": "slack_attachment",
        "props": {"attachments": card, "from_webhook": "true", "override_username": "jira"},
    });
    let post = world.call(alice, "POST", "/api/v4/posts", &posted).await;
    world.name(recorded.post, post["id"].as_str().unwrap());
}

/// Puts the recorded integration in its place. It knows the names given so far.
fn plug(world: &World, recorded: &Recorded, file: &str) {
    let handler = integration::recorded(recorded.folder, world.names.clone(), world.sent.clone());
    world.mm.plug("http://127.0.0.1:9000/", handler);
    if recorded.folder == "mattermost-5.37" {
        answer_as_five(world, file);
    }
}

/// What only the recordings of 11 speak of.
async fn arrange_eleven(world: &mut World, recorded: &Recorded) {
    let mm = world.mm.clone();
    world.name("e4oho7f5kbn5mrih1jf54ta3ne", mm.add_channel("ops", "secret", ChannelKind::Private).unwrap());
    mm.join("alice", "secret").unwrap();
    world.name("ou9hqz4adfyz5ns6f3eacx8zcw", mm.direct_channel("alice", "bob").unwrap());
    world.name("ju7dzij4tbnkte8swiwdmtke1e", mm.direct_channel("alice", "jira").unwrap());
    // The names of direct channels are made of sorted ids.
    let [_, alice, bob, _, jira] = recorded.users else { unreachable!("five users are recorded") };
    for other in [bob.1, jira.1] {
        let mut ids = [world.ours(alice.1), world.ours(other)];
        ids.sort();
        world.names.insert(0, (format!("{other}__{}", alice.1), ids.join("__")));
    }
    let say = |message: &str, root: &str| json!({"channel_id": recorded.town_square, "message": message, "root_id": root});
    let alice = alice.2;
    let root = world.call(alice, "POST", "/api/v4/posts", &say("hello @bob", "")).await;
    world.name("qt6r1qxdhi8rddjrqese9wqibr", root["id"].as_str().unwrap());
    let reply = world.call(alice, "POST", "/api/v4/posts", &say("r", "qt6r1qxdhi8rddjrqese9wqibr")).await;
    world.name("jmowpjn9n3d5ty111wsptpx3pw", reply["id"].as_str().unwrap());
    let mut with_card = say("bot card", "");
    with_card["props"] = json!({"attachments": card()});
    let bot = world.call(recorded.users[4].2, "POST", "/api/v4/posts", &with_card).await;
    world.name("s799ttmctinrmxfm1yz5udqrjy", bot["id"].as_str().unwrap());
}

async fn arrange_commands(world: &mut World, recorded: &Recorded, file: &str) {
    let admin = recorded.users[0].2;
    let mut commands = vec![
        ("jira".to_owned(), "P", "http://127.0.0.1:9000/command".to_owned()),
        ("temp".to_owned(), "P", "http://127.0.0.1:9000/command".to_owned()),
    ];
    let fixed = if recorded.folder == "mattermost-11" { "?fixed=1" } else { "" };
    commands.push(("jiraget".to_owned(), "G", format!("http://127.0.0.1:9000/command-get{fixed}")));
    if let Some(case) = file.strip_prefix("fail-slash-").and_then(|rest| rest.strip_suffix(".http")) {
        let url = match case {
            "refused" => "http://127.0.0.1:1/".to_owned(),
            "badhost" => "http://no-such-host.invalid/".to_owned(),
            _ => format!("http://127.0.0.1:9000/fail-{case}"),
        };
        commands.push((format!("f{case}"), "P", url));
    }
    for (trigger, method, url) in commands {
        let username = if trigger == "jira" { "jira" } else { "" };
        let body = json!({
            "team_id": recorded.team, "trigger": trigger, "method": method, "url": url, "username": username,
        });
        let made = world.call(admin, "POST", "/api/v4/commands", &body).await;
        let id = made["id"].as_str().unwrap();
        match trigger.as_str() {
            "jira" => world.name("mxnzi7pg9tgtbkxpct84j8nmzr", id),
            "temp" => world.name("z4o6h38goj8wbq1145sccgho7r", id),
            _ => {}
        }
    }
}

/// No answers were recorded with 5.37; the client's answer repeats the integration's, so that is played.
fn answer_as_five(world: &World, file: &str) {
    let handler = integration::recorded("mattermost-5.37", world.names.clone(), world.sent.clone());
    let body = match recording::folder("mattermost-5.37/rest").into_iter().find(|(name, _)| name == file) {
        Some((_, text)) => recording::exchange(&text).1,
        None => return,
    };
    let broken = file == "commands-execute-bad-json.http";
    let body = if broken { "{bad".to_owned() } else { body.body };
    world.mm.plug("http://127.0.0.1:9000/", move |request| {
        let checked = handler(request);
        let mut answer = Response::new(Bytes::from(body.clone()));
        answer.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
        async move {
            checked.await;
            answer
        }
    });
}

/// What single recordings need beside.
async fn arrange_file(world: &mut World, recorded: &Recorded, file: &str) {
    let mm = world.mm.clone();
    let admin = recorded.users[0].2;
    let bot = recorded.users[4].1;
    match file {
        // What is made must not be there.
        "bots-create.http" | "commands-create.http" => world.name("\"jira\"", "\"another\""),
        "teams-create.http" => world.name("\"ops\"", "\"another\""),
        "channels-create.http" => world.name("\"incident-1\"", "\"another\""),
        "channels-create-private.http" => world.name("\"secret\"", "\"another\""),
        "error-message-too-long.http" => world.name("… (17000 y)", "y".repeat(17_000)),
        "error-too-large.http" => world.name("… (400056 bytes)", "x".repeat(400_056)),
        "bot-channel-not-member.http" | "bot-teams-empty.http" | "posts-create-bot-not-member.http" => {
            let path = format!("/api/v4/teams/{}/members/{bot}", recorded.team);
            world.call(admin, "DELETE", &path, &json!({})).await;
        }
        "posts-create-bot-post-all.http" | "posts-ephemeral-bot-post-all.http" => {
            mm.add_role("jira", "system_post_all").unwrap();
        }
        "commands-execute-not-member-bot.http" => {
            mm.add_role("jira", "system_post_all").unwrap();
            mm.leave("jira", "town-square").unwrap();
        }
        "posts-ephemeral-bot-admin.http" => mm.add_role("jira", "system_admin").unwrap(),
        "error-disabled-bot.http" | "error-disabled-token.http" | "error-revoked-token.http" => {
            let (path, body) = match file {
                "error-disabled-bot.http" => (format!("/api/v4/bots/{bot}/disable"), json!({})),
                "error-disabled-token.http" => ("/api/v4/users/tokens/disable".to_owned(), json!(1)),
                _ => ("/api/v4/users/tokens/revoke".to_owned(), json!(1)),
            };
            let body = if body == json!(1) { json!({"token_id": recorded.bot_token_id}) } else { body };
            world.call(admin, "POST", &path, &body).await;
        }
        "commands-get-deleted.http" => {
            world.call(admin, "DELETE", "/api/v4/commands/z4o6h38goj8wbq1145sccgho7r", &json!({})).await;
        }
        // Alice is changed after the recorded moment, and something is said.
        "users-by-ids-since.http" => mm.add_role("alice", "system_user_access_token").unwrap(),
        "channel-posts-since.http" => {
            let body = json!({"channel_id": recorded.town_square, "message": "a new one"});
            world.call(recorded.users[1].2, "POST", "/api/v4/posts", &body).await;
        }
        "fail-slash-slow40.http" => mm.set_outgoing_timeout(Duration::ZERO),
        _ if file.starts_with("response-url-") => arrange_late_answer(world, recorded, file).await,
        _ => {}
    }
}

async fn arrange_late_answer(world: &mut World, recorded: &Recorded, file: &str) {
    let body = json!({
        "channel_id": recorded.town_square, "team_id": recorded.team, "command": "/jira later",
        "root_id": recorded.post,
    });
    world.call(recorded.users[1].2, "POST", "/api/v4/commands/execute", &body).await;
    let forms = world.sent.forms.lock().unwrap().clone();
    let url = forms[0].iter().find(|(key, _)| key == "response_url").unwrap().1.clone();
    let id = url.rsplit('/').next().unwrap().to_owned();
    world.name("w4j78shqx38b9gzmirju9zsnmc", id.clone());
    world.name("mzg8y8auojf1pjqhwoiy3bkrya", id);
    let number = file.trim_start_matches("response-url-").trim_end_matches(".http").parse().unwrap_or(1);
    for _ in 1..number {
        let path = "/hooks/commands/w4j78shqx38b9gzmirju9zsnmc";
        world.call("", "POST", path, &json!({"text": "before"})).await;
    }
}

/// What is wrong with the answer to a recorded call.
fn judge(recorded: &Message, ours: &Response<Bytes>, names: &Names) -> Vec<String> {
    let mut wrong = Vec::new();
    if recorded.status() != ours.status().as_u16() {
        let body = String::from_utf8_lossy(ours.body());
        wrong.push(format!("status {}, recorded {}: {body}", ours.status().as_u16(), recorded.status()));
    }
    for (name, value) in &recorded.headers {
        if NOT_COMPARED.contains(&name.as_str()) {
            continue;
        }
        match ours.headers().get(name) {
            Some(mine) if mine == value || name == "x-request-id" => {}
            other => wrong.push(format!("header {name}: {other:?}, recorded {value:?}")),
        }
    }
    for name in ours.headers().keys().filter(|name| !recorded.headers.contains_key(*name)) {
        wrong.push(format!("header {name} is not recorded"));
    }
    let body = translate(&recorded.body, names);
    let Ok(theirs) = serde_json::from_str::<Value>(&body) else {
        if body.as_bytes() != ours.body().as_ref() {
            wrong.push(format!("body {:?}, recorded {body:?}", ours.body()));
        }
        return wrong;
    };
    let mine: Value = serde_json::from_slice(ours.body()).unwrap_or_default();
    wrong.extend(recording::differences(&theirs, &mine));
    if recorded.status() >= 400 {
        for key in ["id", "message", "detailed_error", "status_code"] {
            if theirs[key] != mine[key] {
                wrong.push(format!("{key} {}, recorded {}", mine[key], theirs[key]));
            }
        }
    }
    wrong
}

async fn replay(version: Version, recorded: &Recorded) {
    let mut report = Vec::new();
    let mut used = vec![false; EXCEPTIONS.len()];
    for (file, text) in recording::folder(&format!("{}/rest", recorded.folder)) {
        let world = arrange(version, recorded, &file).await;
        let (mut request, answer) = recording::exchange(&text);
        request.first = translate(&request.first, &world.names);
        request.body = translate(&request.body, &world.names);
        if let Some(token) = request.headers.get_mut("authorization") {
            *token = translate(token.to_str().unwrap(), &world.names).parse().unwrap();
        }
        let ours = world.mm.respond(request.request()).await.unwrap();
        let mut wrong = judge(&answer, &ours, &world.names);
        wrong.extend(world.sent.wrong.lock().unwrap().iter().cloned());
        wrong.retain(|found| {
            let path = format!("{}/{file}", recorded.folder);
            let known = EXCEPTIONS
                .iter()
                .position(|(name, start, _)| path.starts_with(name) && found.starts_with(start));
            if let Some(known) = known {
                used[known] = true;
            }
            known.is_none()
        });
        report.extend(wrong.into_iter().map(|found| format!("{file}: {found}")));
    }
    for ((name, start, _), used) in EXCEPTIONS.iter().zip(used) {
        if name.starts_with(recorded.folder) && !used {
            report.push(format!("the exception {name} {start} is no longer one"));
        }
    }
    assert!(report.is_empty(), "{} differences:\n{}", report.len(), report.join("\n"));
}

#[tokio::test]
async fn every_recorded_call_of_11_is_answered_as_it_was() {
    replay(Version::V11, &ELEVEN).await;
}

#[tokio::test]
async fn every_recorded_call_of_5_37_is_answered_as_it_was() {
    replay(Version::V5_37, &FIVE).await;
}
