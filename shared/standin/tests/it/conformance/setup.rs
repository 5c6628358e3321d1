//! Sets a stand-in up like the server that was recorded: a team, four people, a bot, a few channels and commands, and the
//! posts that the recordings read.

use crate::integration::{self, Names, Sent, translate};
use crate::recording;
use bytes::Bytes;
use cloud_apps_standin::{ChannelKind, Standin, Version};
use http::{HeaderValue, Request, Response};
use serde_json::{Value, json};

/// A stand-in that was set up like a recorded server, and its values for the recorded ids and tokens.
pub struct Replica {
    pub mm: Standin,
    pub recorded: &'static Recorded,
    pub names: Names,
    pub sent: Sent,
}

/// The recorded ids and tokens of one version. Their database no longer exists.
pub struct Recorded {
    pub version: Version,
    pub folder: &'static str,
    pub team: &'static str,
    pub town_square: &'static str,
    /// Name, id, token.
    pub users: &'static [(&'static str, &'static str, &'static str)],
    pub incident: &'static str,
    /// A card by `/jira create_issue`, in the town square.
    pub post: &'static str,
    pub bot_token_id: &'static str,
}

pub const RECORDED: [&Recorded; 2] = [&ELEVEN, &FIVE];

const ELEVEN: Recorded = Recorded {
    version: Version::V11,
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
    version: Version::V5_37,
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

impl Recorded {
    /// A user's recorded id. The first is the system admin.
    pub fn user(&self, name: &str) -> &'static str {
        self.users.iter().find(|(known, ..)| *known == name).unwrap().1
    }

    /// A user's recorded token.
    pub fn token(&self, name: &str) -> &'static str {
        self.users.iter().find(|(known, ..)| *known == name).unwrap().2
    }

    pub fn since_11(&self) -> bool {
        self.version >= Version::V11
    }
}

impl Replica {
    /// Replaces a recorded value by ours from now on.
    pub fn name(&mut self, recorded: &str, ours: impl Into<String>) {
        self.names.push((recorded.to_owned(), ours.into()));
    }

    pub fn ours(&self, recorded: &str) -> String {
        translate(recorded, &self.names)
    }

    /// Makes a call that must succeed. `user` is the name of a recorded user. Path and body are translated.
    pub async fn call(&self, user: &str, method: &str, path: &str, body: &Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(translate(path, &self.names))
            .header("authorization", format!("Bearer {}", self.ours(self.recorded.token(user))))
            .header("content-type", "application/json")
            .body(Bytes::from(translate(&body.to_string(), &self.names)))
            .unwrap();
        let answer = self.mm.respond(request).await.unwrap();
        assert!(answer.status().is_success(), "{method} {path}: {:?}", answer.body());
        serde_json::from_slice(answer.body()).unwrap_or_default()
    }

    /// Plugs the recorded integration in; must be called again when there are new names. The answers of integrations were
    /// not recorded for 5.37. The answer that the client got repeats them, so that of `file` is used.
    pub fn plug(&self, file: &str) {
        let handler = integration::recorded(self.recorded.folder, self.names.clone(), self.sent.clone());
        if self.recorded.since_11() {
            self.mm.plug("http://127.0.0.1:9000/", handler);
            return;
        }
        let files = recording::folder("mattermost-5.37/rest");
        let played = files.iter().find(|(name, _)| name == file);
        let body = match played {
            Some(_) if file == "commands-execute-bad-json.http" => "{bad".to_owned(),
            Some((_, text)) => recording::exchange(text).1.body,
            None => String::new(),
        };
        self.mm.plug("http://127.0.0.1:9000/", move |request| {
            let checked = handler(request);
            let mut answer = Response::new(Bytes::from(body.clone()));
            answer.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
            async move {
                checked.await;
                answer
            }
        });
    }
}

/// The common setup.
pub async fn arrange(recorded: &'static Recorded, file: &str) -> Replica {
    let mm = Standin::seeded(recorded.version, 1);
    // This is before the `since` of `users-by-ids-since.http`.
    mm.set_clock(|| 1_795_385_336_000);
    mm.allow_overrides(true);
    mm.configure(|settings| {
        settings.enable_bot_account_creation = true;
        settings.enable_user_access_tokens = true;
        settings.enable_oauth_service_provider = true;
    });
    let mut replica = Replica { mm: mm.clone(), recorded, names: Vec::new(), sent: Sent::default() };
    replica.name(recorded.team, mm.add_team("ops").unwrap());
    replica.name(recorded.town_square, mm.channel_id("ops", "town-square").unwrap());
    replica.name("wbmht7ur93f3tjw1nj1jyayuar", mm.channel_id("ops", "off-topic").unwrap());
    for (name, id, token) in recorded.users {
        if *name == "jira" {
            let (ours, secret) = mm.add_bot("jira", "Jira Cloud App").unwrap();
            replica.name(id, ours);
            replica.name(token, secret);
        } else {
            replica.name(id, mm.add_user(name).unwrap());
            mm.set_password(name, "Passw0rd!x").unwrap();
            if !token.is_empty() {
                replica.name(token, mm.add_token(name).unwrap());
            }
        }
        mm.join_team(name, "ops").unwrap();
    }
    mm.add_role("sysadmin", "system_admin").unwrap();
    mm.add_role("bob", "system_user_access_token").unwrap();
    replica.name(recorded.incident, mm.add_channel("ops", "incident-1", ChannelKind::Public).unwrap());
    for name in ["alice", "bob", "jira"] {
        mm.join(name, "incident-1").unwrap();
    }
    // This is a second token of the recorded bot.
    replica.name("cjhj8hezcjfo9ky766eea1yijy", replica.ours(recorded.token("jira")));
    let tokens = format!("/api/v4/users/{}/tokens", recorded.user("jira"));
    let list = replica.call("sysadmin", "GET", &tokens, &json!({})).await;
    replica.name(recorded.bot_token_id, list[0]["id"].as_str().unwrap());
    arrange_commands(&mut replica).await;
    arrange_post(&mut replica).await;
    if recorded.since_11() {
        arrange_eleven(&mut replica).await;
    }
    replica.plug(file);
    // This is after the `since` of `users-by-ids-since.http`.
    mm.set_clock(|| 1_795_385_336_370);
    replica
}

async fn arrange_commands(replica: &mut Replica) {
    let get = if replica.recorded.since_11() { "/command-get?fixed=1" } else { "/command-get" };
    for (trigger, method, path, id) in [
        ("jira", "P", "/command", "mxnzi7pg9tgtbkxpct84j8nmzr"),
        ("temp", "P", "/command", "z4o6h38goj8wbq1145sccgho7r"),
        ("jiraget", "G", get, ""),
    ] {
        let body = json!({
            "team_id": replica.recorded.team, "trigger": trigger, "method": method,
            "url": format!("http://127.0.0.1:9000{path}"), "username": if trigger == "jira" { "jira" } else { "" },
            "auto_complete": trigger != "temp",
        });
        let made = replica.call("sysadmin", "POST", "/api/v4/commands", &body).await;
        if !id.is_empty() {
            replica.name(id, made["id"].as_str().unwrap());
        }
    }
}

/// Adds the post that the recordings read. In both versions `/jira create_issue` made it. The answer was not recorded for
/// 5.37, so there it is posted.
async fn arrange_post(replica: &mut Replica) {
    if replica.recorded.since_11() {
        replica.plug("");
        let files = recording::folder("mattermost-11/rest");
        let (_, text) = files.iter().find(|(name, _)| name == "commands-execute.http").unwrap();
        let body = serde_json::from_str(&recording::exchange(text).0.body).unwrap();
        replica.call("alice", "POST", "/api/v4/commands/execute", &body).await;
        let post = replica.mm.posts("town-square").unwrap().pop().unwrap();
        replica.name(replica.recorded.post, post.id);
        replica.sent.forms.lock().unwrap().clear();
        return;
    }
    let mut card = card();
    card[0].as_object_mut().unwrap().remove("fields");
    card[0]["actions"][1].as_object_mut().unwrap().remove("default_option");
    let posted = json!({
        "channel_id": replica.recorded.town_square, "message": "Created **MM-1**", "type": "slack_attachment",
        "props": {"attachments": card, "from_webhook": "true", "override_username": "jira"},
    });
    let post = replica.call("alice", "POST", "/api/v4/posts", &posted).await;
    replica.name(replica.recorded.post, post["id"].as_str().unwrap());
}

/// The recorded card.
pub fn card() -> Value {
    let url = "http://127.0.0.1:9000/action";
    let integration = json!({"url": url, "context": {"issue": "MM-1"}});
    json!([{
        "text": "MM-1", "title": "MM-1", "title_link": "http://127.0.0.1:9000/MM-1",
        "fields": [{"title": "Status", "value": "Open", "short": true}],
        "actions": [
            {"id": "assign", "name": "Assign to me", "type": "button", "style": "primary", "tooltip": "to you",
             "integration": {"url": url, "context": {"issue": "MM-1", "nested": {"a": [1, 2]}}}},
            {"id": "pick", "name": "Status", "type": "select", "default_option": "open", "integration": integration,
             "options": [{"text": "Open", "value": "open"}, {"text": "Done", "value": "done"}]},
            {"id": "user", "name": "Assignee", "type": "select", "data_source": "users", "integration": integration},
        ],
    }])
}

/// Adds what only the recordings of 11 use.
async fn arrange_eleven(replica: &mut Replica) {
    let mm = replica.mm.clone();
    replica
        .name("e4oho7f5kbn5mrih1jf54ta3ne", mm.add_channel("ops", "secret", ChannelKind::Private).unwrap());
    mm.join("alice", "secret").unwrap();
    replica.name("ou9hqz4adfyz5ns6f3eacx8zcw", mm.direct_channel("alice", "bob").unwrap());
    replica.name("ju7dzij4tbnkte8swiwdmtke1e", mm.direct_channel("alice", "jira").unwrap());
    // The names of direct channels consist of sorted ids.
    let alice = replica.recorded.user("alice");
    for other in [replica.recorded.user("bob"), replica.recorded.user("jira")] {
        let mut ids = [replica.ours(alice), replica.ours(other)];
        ids.sort();
        replica.names.insert(0, (format!("{other}__{alice}"), ids.join("__")));
    }
    let square = replica.recorded.town_square;
    let say = |message: &str, root: &str| json!({"channel_id": square, "message": message, "root_id": root});
    let root = replica.call("alice", "POST", "/api/v4/posts", &say("hello @bob", "")).await;
    replica.name("qt6r1qxdhi8rddjrqese9wqibr", root["id"].as_str().unwrap());
    let reply = replica.call("alice", "POST", "/api/v4/posts", &say("r", "qt6r1qxdhi8rddjrqese9wqibr")).await;
    replica.name("jmowpjn9n3d5ty111wsptpx3pw", reply["id"].as_str().unwrap());
    let mut with_card = say("bot card", "");
    with_card["props"] = json!({"attachments": card()});
    let bot = replica.call("jira", "POST", "/api/v4/posts", &with_card).await;
    replica.name("s799ttmctinrmxfm1yz5udqrjy", bot["id"].as_str().unwrap());
}
