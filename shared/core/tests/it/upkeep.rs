//! The daily upkeep: a bot's token that its server ends is renewed, or the person who installed the app is warned of its end.

use crate::build::Build;
use crate::desk::{ACCESS_TOKEN, ADMIN, BOT, Desk, NOW, body};
use crate::log_line::Log;
use bytes::Bytes;
use cloud_app::http::Outbound;
use cloud_apps_core::{
    functions::deliver::job_runner,
    install::DAY,
    jobs::Worker,
    services::Management,
    store::{
        job::QueueName,
        model::{Install, Renewal, TokenUpkeep},
        ports::{Changed, DeadLetters, Registry},
    },
    testing::{
        faults::{Fault, Faults, Faulty},
        sample,
    },
    upkeep,
};
use cloud_apps_protocol::Millis;
use http::{Method, Request, Response, header};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const MINUTE: Millis = 60_000;
/// How long the server lets tokens live.
const CAP: u64 = 30;
/// The id of the token with which the app was installed.
const FIRST: &str = "first000000000000000000000";
const CHANNEL: &str = "dm000000000000000000000000";

#[derive(Clone)]
struct Token {
    id: String,
    secret: String,
    description: String,
    expires_at: Millis,
}

/// A Mattermost as the bot sees it: its tokens, and its direct messages to the admin.
struct Mattermost {
    now: Millis,
    /// Whether the bot may make, list and revoke its tokens.
    renews: bool,
    /// Whether it may revoke them, if it may do the rest.
    revokes: bool,
    /// Each page of the list of tokens has so many, without end.
    endless: Option<usize>,
    down: bool,
    version: &'static str,
    cap: u64,
    made: usize,
    tokens: Vec<Token>,
    posts: Vec<Value>,
}

impl Mattermost {
    fn answer(&mut self, request: &Request<Bytes>) -> (&'static str, u16, Value) {
        let path = request.uri().path().strip_prefix("/api/v4").unwrap();
        let sent =
            request.headers()[header::AUTHORIZATION].to_str().unwrap().strip_prefix("Bearer ").unwrap();
        let refused =
            |status: u16| (status, json!({"id": "refused", "message": "No.", "status_code": status}));
        let may = if self.renews { Ok(()) } else { Err(refused(403)) };
        let read = || serde_json::from_slice::<Value>(request.body()).unwrap();
        let caller = self.tokens.iter().find(|token| token.secret == sent && token.expires_at > self.now);
        if self.down {
            return ("Mattermost.down", 503, json!({}));
        }
        if caller.is_none() {
            let (status, body) = refused(401);
            return ("Mattermost.unknown", status, body);
        }
        let of_bot = format!("/users/{BOT}/tokens");
        let (what, answered) = match (request.method(), path) {
            (&Method::GET, "/users/me") => {
                ("Mattermost.me", Ok((200, json!({"id": BOT, "username": "hello"}))))
            }
            (&Method::GET, "/config/client") => {
                let days = self.cap.to_string();
                let config = json!({
                    "Version": self.version, "MaximumPersonalAccessTokenLifetimeDays": days,
                    "FeatureFlagMmBlocksEnabled": "true", "MaxPostSize": "16383",
                });
                ("Mattermost.config", Ok((200, config)))
            }
            (&Method::GET, path) if path == of_bot => {
                ("Mattermost.tokens", may.map(|()| (200, self.listed())))
            }
            (&Method::POST, path) if path == of_bot => {
                ("Mattermost.make", may.and_then(|()| self.make(&read()).ok_or(refused(400))))
            }
            (&Method::POST, "/users/tokens/revoke") if !self.revokes => {
                ("Mattermost.revoke", Err(refused(403)))
            }
            (&Method::POST, "/users/tokens/revoke") => {
                let id = read()["token_id"].as_str().unwrap().to_owned();
                let before = self.tokens.len();
                self.tokens.retain(|token| token.id != id);
                let found = before > self.tokens.len();
                (
                    "Mattermost.revoke",
                    if found { Ok((200, json!({"status": "OK"}))) } else { Err(refused(404)) },
                )
            }
            (&Method::POST, "/channels/direct") => {
                assert_eq!(read(), json!([BOT, ADMIN]));
                ("Mattermost.direct", Ok((201, json!({"id": CHANNEL, "type": "D"}))))
            }
            (&Method::GET, path) if path == format!("/channels/{CHANNEL}/posts") => {
                let since = request.uri().query().unwrap().strip_prefix("since=").unwrap().parse().unwrap();
                ("Mattermost.posts", Ok((200, self.posts_since(since))))
            }
            (&Method::POST, "/posts") => ("Mattermost.post", Ok((201, self.post(&read())))),
            other => panic!("{other:?}"),
        };
        let (status, body) = answered.unwrap_or_else(|refused| refused);
        (what, status, body)
    }

    fn listed(&self) -> Value {
        let shown = |token: &Token| {
            json!({"id": token.id, "user_id": BOT, "description": token.description, "is_active": true,
                   "expires_at": token.expires_at})
        };
        if let Some(page) = self.endless {
            return self.tokens.iter().cycle().take(page).map(shown).collect();
        }
        self.tokens.iter().map(shown).collect()
    }

    fn make(&mut self, asked: &Value) -> Option<(u16, Value)> {
        let end = asked["expires_at"].as_u64().unwrap_or_default();
        let longest = self.now + self.cap * DAY;
        if self.cap > 0 && (end == 0 || end > longest) || end != 0 && end <= self.now {
            return None;
        }
        self.made += 1;
        let token = Token {
            id: format!("token{:021}", self.made),
            secret: format!("secret-{:03}", self.made),
            description: asked["description"].as_str().unwrap().to_owned(),
            expires_at: if end == 0 { Millis::MAX } else { end },
        };
        let shown = json!({"id": token.id, "token": token.secret, "expires_at": end});
        self.tokens.push(token);
        Some((200, shown))
    }

    fn posts_since(&self, since: Millis) -> Value {
        let posts = self.posts.iter().filter(|post| post["create_at"].as_u64().unwrap() > since);
        let posts: serde_json::Map<String, Value> =
            posts.map(|post| (post["id"].as_str().unwrap().to_owned(), post.clone())).collect();
        json!({ "order": posts.keys().collect::<Vec<_>>(), "posts": posts })
    }

    fn post(&mut self, asked: &Value) -> Value {
        let mut post = asked.clone();
        post["id"] = format!("post{:022}", self.posts.len()).into();
        post["user_id"] = BOT.into();
        post["create_at"] = self.now.into();
        self.posts.push(post.clone());
        post
    }
}

/// An install whose bot's token ends in 30 days, and its server.
struct Rig {
    desk: Desk,
    id: String,
    server: Arc<Mutex<Mattermost>>,
    now: Millis,
}

impl Rig {
    async fn new(renews: bool) -> Self {
        let end = NOW + CAP * DAY;
        let desk = Desk::new().await;
        let mut asked = body();
        asked["bot"]["token_id"] = FIRST.into();
        asked["bot"]["expires_at"] = end.into();
        let id = desk.install(&desk.code().await, &asked).await;
        let first = Token {
            id: FIRST.to_owned(),
            secret: ACCESS_TOKEN.to_owned(),
            description: "Cloud App hello, made by cloud-apps, run x".to_owned(),
            expires_at: end,
        };
        let server = Mattermost {
            now: NOW,
            renews,
            revokes: true,
            endless: None,
            down: false,
            version: "12.0.0",
            cap: CAP,
            made: 0,
            tokens: vec![first],
            posts: Vec::new(),
        };
        Self { desk, id, server: Arc::new(Mutex::new(server)), now: NOW }
    }

    fn process(&self, faults: &Faults) -> Arc<Management> {
        let (server, faults_of_server) = (Arc::clone(&self.server), faults.clone());
        let http = Outbound::in_process(Arc::new(move |request: Request<Bytes>| {
            let (server, faults) = (Arc::clone(&server), faults_of_server.clone());
            Box::pin(async move {
                let answer = |status: u16, body: Value| {
                    Response::builder().status(status).body(Bytes::from(body.to_string())).unwrap()
                };
                // The name of the call is known before its effect, because a copy answers it.
                let what = server.lock().unwrap().copy().answer(&request).0;
                let lost = || answer(503, json!({}));
                let run = async {
                    let (_, status, body) = server.lock().unwrap().answer(&request);
                    Ok(answer(status, body))
                };
                faults.effect(what, lost, run).await.unwrap_or_else(|lost| lost)
            })
        }));
        Arc::new(Build::over(&self.desk.memory).http(http).faults(faults).management())
    }

    /// Moves the clocks.
    fn at(&mut self, now: Millis) {
        self.now = now;
        self.server.lock().unwrap().now = now;
    }

    /// Begins the day, and does the jobs that are due, once, ten seconds later than what was before.
    async fn round(&mut self, faults: &Faults) -> usize {
        self.at(self.now + 10_000);
        let management = self.process(faults);
        if upkeep::begin(&management, self.now).await.is_err() {
            return 1;
        }
        let worker: Arc<dyn Worker> = management.clone();
        let jobs = Faulty::new(self.desk.memory.clone(), faults.clone());
        let delivery = job_runner(&management, worker);
        delivery.round(&jobs, QueueName::Commands, 10, (30_000, 60_000), self.now).await.unwrap_or(1)
    }

    /// A day of the upkeep without any fault, with all that it queues for later.
    async fn day(&mut self) {
        let begun = self.now;
        for minutes in [0, 5, 20, 40] {
            self.at(begun + minutes * MINUTE);
            // The walk of the day is queued each time, so the queue is never empty.
            for _ in 0..3 {
                self.round(&Faults::none()).await;
            }
        }
        self.at(begun);
    }

    async fn install(&self) -> Install {
        self.desk.stored(&self.id).await.unwrap()
    }

    /// The days left that each message names, in their order.
    fn warned(&self) -> Vec<String> {
        let server = self.server.lock().unwrap();
        let days = |post: &Value| {
            let text = post["message"].as_str().unwrap();
            let (_, rest) = text.split_once(" UTC, in ").unwrap_or_else(|| panic!("{text}"));
            rest.split_once('.').unwrap().0.to_owned()
        };
        server.posts.iter().map(days).collect()
    }

    /// The token that the bundle has works on the server.
    async fn works(&self, at: &str) {
        let install = self.install().await;
        let held =
            self.process(&Faults::none()).services.keys.open_bot_token(&install, self.now).await.unwrap();
        let server = self.server.lock().unwrap();
        let known = server.tokens.iter().find(|token| token.secret == held.token.expose_secret());
        let known = known.unwrap_or_else(|| panic!("{at}: the token that is stored was revoked"));
        assert!(known.expires_at > self.now, "{at}: the token has ended");
        assert_eq!(install.bot_token_id.as_ref().map(AsRef::as_ref), Some(known.id.as_str()), "{at}");
        assert_eq!(install.bot_token_expires_at, Some(known.expires_at), "{at}");
    }

    async fn letters(&self) -> usize {
        let of = self.id.parse().unwrap();
        DeadLetters::list(&self.desk.memory, Some(&of), 100, None).await.unwrap().items.len()
    }
}

impl Mattermost {
    fn copy(&self) -> Self {
        Self { tokens: self.tokens.clone(), posts: self.posts.clone(), ..*self }
    }
}

/// The start of the day on which so many days are left.
fn days_before_the_end(days: u64) -> Millis {
    NOW + (CAP - days) * DAY
}

#[tokio::test]
async fn who_installed_the_app_is_warned_at_14_7_3_and_1_days_once_each() {
    let mut rig = Rig::new(false).await;
    let log = Log::begin();
    let mut alarms = Vec::new();
    for left in (0..=CAP).rev() {
        rig.at(days_before_the_end(left));
        let before = log.lines().iter().filter(|line| line["alarm"] == "bot_token_ends").count();
        rig.day().await;
        let after = log.lines().iter().filter(|line| line["alarm"] == "bot_token_ends").count();
        if after > before {
            alarms.push(left);
        }
        let expected = [14, 7, 3, 1].into_iter().filter(|due| *due >= left).count();
        let given = if left == 0 { 4 } else { expected };
        assert_eq!(rig.warned().len(), given, "{left} days left: {:?}", rig.warned());
    }
    assert_eq!(rig.warned(), ["14 days", "7 days", "3 days", "less than a day"]);
    assert_eq!(alarms, (0..=14).rev().collect::<Vec<_>>(), "an alarm a day, until somebody acts");
    assert_eq!(rig.letters().await, 0);
    let text = rig.server.lock().unwrap().posts[0]["message"].as_str().unwrap().to_owned();
    for said in ["the server does not let a bot make its own tokens", "cloud-apps rotate bot-token", &rig.id]
    {
        assert!(text.contains(said), "{text}");
    }
    assert!(!log.text().contains(ACCESS_TOKEN) && !text.contains(ACCESS_TOKEN));
}

#[tokio::test]
async fn what_was_missed_is_said_once_with_the_days_that_are_left() {
    let mut rig = Rig::new(false).await;
    for left in (6..=15).rev() {
        rig.at(days_before_the_end(left));
        rig.server.lock().unwrap().down = left > 6;
        rig.day().await;
    }
    assert_eq!(rig.warned(), ["6 days"]);
    rig.at(days_before_the_end(5));
    rig.day().await;
    assert_eq!(rig.warned(), ["6 days"]);
}

#[tokio::test]
async fn what_is_known_of_a_server_that_nobody_uses_is_read_again_each_day() {
    let mut rig = Rig::new(false).await;
    assert_eq!(rig.install().await.server_version, "11.6.0");
    for (day, version) in [(1, "12.0.0"), (2, "12.1.0"), (3, "11.6.0")] {
        rig.server.lock().unwrap().version = version;
        rig.at(NOW + day * DAY);
        rig.day().await;
        let install = rig.install().await;
        assert_eq!(install.server_version, version);
        assert_eq!(install.server.mm_blocks, Some(true));
    }
    // A server that does not answer keeps nobody's token waiting, and nothing is forgotten.
    let before = rig.install().await;
    rig.server.lock().unwrap().down = true;
    rig.at(NOW + 4 * DAY);
    rig.day().await;
    assert_eq!(rig.install().await, before);
    assert_eq!(rig.letters().await, 0);
}

#[tokio::test]
async fn a_token_of_which_nobody_told_an_end_is_left_alone() {
    let mut rig = Rig::new(true).await;
    let mut install = rig.install().await;
    install.bot_token_expires_at = None;
    rig.desk.memory.put_install(install.clone());
    rig.at(days_before_the_end(1));
    rig.day().await;
    assert_eq!(rig.install().await.bot_token, install.bot_token);
    assert_eq!(rig.server.lock().unwrap().made, 0);
}

#[tokio::test]
async fn a_bot_that_may_renews_its_token_14_days_before_its_end_and_warns_nobody() {
    let mut rig = Rig::new(true).await;
    rig.at(days_before_the_end(15));
    rig.day().await;
    assert_eq!(rig.server.lock().unwrap().made, 0, "it is early");
    // Two lives, day by day.
    for day in 16..=60 {
        rig.at(NOW + day * DAY);
        rig.day().await;
        rig.works(&format!("day {day}")).await;
        let tokens = rig.server.lock().unwrap().tokens.len();
        assert_eq!(tokens, 1, "day {day}: the one before is revoked");
    }
    assert_eq!(rig.server.lock().unwrap().made, 3, "each after 16 days");
    assert!(rig.warned().is_empty());
    let install = rig.install().await;
    assert_eq!(install.token_upkeep, TokenUpkeep::default());
    assert_eq!(rig.letters().await, 0);
}

#[tokio::test]
async fn both_tokens_work_for_a_quarter_of_an_hour() {
    let mut rig = Rig::new(true).await;
    rig.at(days_before_the_end(14));
    for _ in 0..6 {
        rig.round(&Faults::none()).await;
    }
    assert_eq!(rig.server.lock().unwrap().tokens.len(), 2);
    let renewal = rig.install().await.token_upkeep.renewal;
    assert_eq!(renewal, Some(Renewal::Stored { replaces: Some(FIRST.parse().unwrap()) }));
    rig.at(rig.now + 16 * MINUTE);
    for _ in 0..6 {
        rig.round(&Faults::none()).await;
    }
    assert_eq!(rig.server.lock().unwrap().tokens.len(), 1);
    rig.works("at the end").await;
}

#[tokio::test]
async fn a_bot_that_loses_its_rights_in_between_keeps_the_first_token_until_its_end() {
    let mut rig = Rig::new(true).await;
    rig.at(days_before_the_end(14));
    for _ in 0..3 {
        rig.round(&Faults::none()).await;
    }
    rig.server.lock().unwrap().renews = false;
    rig.at(rig.now + 16 * MINUTE);
    for _ in 0..3 {
        rig.round(&Faults::none()).await;
    }
    assert_eq!(rig.server.lock().unwrap().tokens.len(), 2);
    assert_eq!(rig.install().await.token_upkeep, TokenUpkeep::default());
    rig.works("with both").await;
    assert_eq!((rig.letters().await, rig.warned().len()), (0, 0));
}

#[tokio::test]
async fn a_bot_that_may_not_revoke_is_renewed_and_warned_all_the_same() {
    let mut rig = Rig::new(true).await;
    rig.server.lock().unwrap().revokes = false;
    rig.at(days_before_the_end(14));
    rig.day().await;
    rig.works("with both").await;
    assert_eq!(rig.install().await.token_upkeep, TokenUpkeep::default(), "the renewal is over");
    // Later it may not make tokens either: its next end is warned of.
    rig.server.lock().unwrap().renews = false;
    let end = rig.install().await.bot_token_expires_at.unwrap();
    rig.at(end - 6 * DAY);
    rig.day().await;
    assert_eq!((rig.letters().await, rig.warned().len()), (0, 1));
}

#[tokio::test]
async fn what_an_earlier_try_made_and_cannot_be_revoked_stops_no_renewal() {
    let mut rig = Rig::new(true).await;
    let lost = format!("Cloud App hello, made by cloud-apps, run upkeep-{}-7", rig.id);
    {
        let mut server = rig.server.lock().unwrap();
        server.revokes = false;
        let token = Token { id: format!("lost{:022}", 1), description: lost, ..server.tokens[0].clone() };
        server.tokens.push(Token { secret: "nobody-knows".to_owned(), ..token });
    }
    rig.at(days_before_the_end(14));
    rig.day().await;
    rig.works("renewed").await;
    assert_ne!(rig.install().await.bot_token_id.unwrap().as_str(), FIRST);
    assert_eq!(rig.letters().await, 0);
}

#[tokio::test]
async fn a_server_whose_list_of_tokens_never_ends_is_not_read_for_ever() {
    let mut rig = Rig::new(true).await;
    rig.server.lock().unwrap().endless = Some(200);
    rig.at(days_before_the_end(14));
    rig.day().await;
    rig.works("renewed").await;
}

#[tokio::test]
async fn a_token_that_lives_for_two_days_is_renewed_each_day_although_the_upkeep_is_late_or_early() {
    let mut rig = Rig::new(true).await;
    rig.server.lock().unwrap().cap = 2;
    let mut install = rig.install().await;
    install.bot_token_expires_at = Some(NOW + 2 * DAY);
    rig.desk.memory.put_install(install);
    rig.server.lock().unwrap().tokens[0].expires_at = NOW + 2 * DAY;
    let midnight = NOW.next_multiple_of(DAY);
    // The first day is late by five minutes and a bit, so a day later a little more than a day is left.
    for (day, late) in [(0, 6), (1, 0), (2, 0), (3, 0)] {
        rig.at(midnight + day * DAY + 60 * MINUTE + late * MINUTE);
        rig.day().await;
        rig.works(&format!("day {day}")).await;
        assert_eq!(rig.server.lock().unwrap().made, usize::try_from(day).unwrap() + 1);
    }
}

#[tokio::test]
async fn a_token_that_lives_for_a_week_is_renewed_when_half_of_it_is_over() {
    let mut rig = Rig::new(true).await;
    rig.server.lock().unwrap().cap = 7;
    let mut install = rig.install().await;
    install.bot_token_expires_at = Some(NOW + 7 * DAY);
    rig.desk.memory.put_install(install);
    rig.server.lock().unwrap().tokens[0].expires_at = NOW + 7 * DAY;
    for day in 0..=10 {
        rig.at(NOW + day * DAY);
        rig.day().await;
        rig.works(&format!("day {day}")).await;
    }
    assert_eq!(rig.server.lock().unwrap().made, 3, "after 3, 6 and 9 days");
    assert!(rig.warned().is_empty());
}

#[tokio::test]
async fn a_limit_that_is_gone_gives_a_token_without_an_end() {
    let mut rig = Rig::new(true).await;
    rig.server.lock().unwrap().cap = 0;
    rig.at(days_before_the_end(10));
    rig.day().await;
    assert_eq!(rig.install().await.bot_token_expires_at, None);
    assert_eq!(rig.server.lock().unwrap().tokens.len(), 1);
}

#[tokio::test]
async fn an_install_that_cannot_be_read_keeps_no_other_waiting_and_a_day_is_done_once() {
    let mut rig = Rig::new(false).await;
    let code = rig.desk.code_for("https://other.example.com").await;
    let mut other = body();
    other["server"]["site_url"] = "https://other.example.com".into();
    other["static_token"] = false.into();
    let spoiled = rig.desk.install(&code, &other).await;
    rig.desk.memory.spoil_install(spoiled.parse().unwrap());
    rig.at(days_before_the_end(14));
    let log = Log::begin();
    rig.day().await;
    assert_eq!(rig.warned(), ["14 days"]);
    let said = "what is stored of an install cannot be read, so nobody looks after it";
    let told =
        log.lines().iter().filter(|line| line["message"] == said && line["install"] == *spoiled).count();
    assert_eq!(told, 1, "one walk a day, however often the day is begun");
}

#[tokio::test]
async fn an_install_that_is_removed_leaves_nothing_of_its_upkeep() {
    let mut rig = Rig::new(true).await;
    rig.at(days_before_the_end(14));
    for _ in 0..6 {
        rig.round(&Faults::none()).await;
    }
    rig.desk.now = rig.now;
    let removed = rig.desk.operator(json!({"do": "remove", "install_id": rig.id})).await;
    assert!(removed.get("error").is_none(), "{removed}");
    rig.at(rig.now + 16 * MINUTE);
    for _ in 0..6 {
        rig.round(&Faults::none()).await;
    }
    assert_eq!(rig.desk.memory.kept(), 0);
    assert_eq!(rig.letters().await, 0);
    let entry = Registry::site(&rig.desk.memory, &sample::app(), &crate::desk::SITE.parse().unwrap()).await;
    assert_eq!(entry.unwrap(), None);
}

/// Cuts the upkeep off at each of its effects in each way, on the day with 14 days left and again in its second step. Then the
/// days go on.
async fn at_every_effect(renews: bool) -> Vec<&'static str> {
    let mut longest = Vec::new();
    for fault in Fault::ALL {
        for n in 1.. {
            let mut rig = Rig::new(renews).await;
            let faults = Faults::at(n, fault);
            for round in 0..6 {
                let minutes = if round < 3 { 0 } else { 20 };
                rig.at(rig.now.max(days_before_the_end(14) + minutes * MINUTE));
                faults.until_killed(rig.round(&faults)).await;
                rig.works(&format!("{fault:?} at {n} of {:?}", faults.log())).await;
            }
            let at = format!("{fault:?} at {n} of {:?}", faults.log());
            if !faults.struck() {
                longest = faults.log();
                break;
            }
            // What is hidden or waits comes again on this day, and then every day begins another upkeep.
            for left in (1..=14).rev() {
                rig.at(days_before_the_end(left) + 60 * MINUTE);
                rig.day().await;
                rig.works(&at).await;
            }
            let left: Vec<_> =
                rig.server.lock().unwrap().tokens.iter().map(|token| token.id.clone()).collect();
            assert_eq!(left.len(), 1, "{at}: tokens are left that nobody uses: {left:?}");
            let warned = rig.warned();
            if renews {
                assert!(warned.is_empty(), "{at}: {warned:?}");
                assert!(rig.install().await.token_upkeep.renewal.is_none(), "{at}");
                let made = rig.server.lock().unwrap().made;
                let lost = usize::from(faults.log().contains(&"Mattermost.make"));
                assert!(made <= 1 + lost, "{at}: made {made}");
            } else {
                assert_eq!(warned, ["14 days", "7 days", "3 days", "less than a day"], "{at}");
            }
        }
    }
    longest
}

#[tokio::test]
async fn a_renewal_that_is_cut_off_anywhere_leaves_one_token_that_works() {
    let effects = at_every_effect(true).await;
    for effect in
        ["Mattermost.tokens", "Mattermost.make", "Mattermost.me", "Registry.change", "Mattermost.revoke"]
    {
        assert!(effects.contains(&effect), "{effect} is not among {effects:?}");
    }
}

#[tokio::test]
async fn a_warning_that_is_cut_off_anywhere_is_given_once() {
    let effects = at_every_effect(false).await;
    for effect in ["Mattermost.direct", "Mattermost.posts", "Mattermost.post", "Registry.change"] {
        assert!(effects.contains(&effect), "{effect} is not among {effects:?}");
    }
}

/// Two processes renew at once: the slower one cannot store what it made, and what it made is revoked.
#[tokio::test]
async fn a_renewal_that_another_one_overtook_stores_nothing() {
    for n in 1.. {
        let mut rig = Rig::new(true).await;
        rig.at(days_before_the_end(14));
        let faults = Faults::at(n, Fault::KillAfter);
        for _ in 0..3 {
            faults.until_killed(rig.round(&faults)).await;
        }
        assert!(faults.struck(), "no token was made");
        // The slower one made a token, and did not store it yet.
        if faults.log().last() != Some(&"Mattermost.make") {
            continue;
        }
        let begun = rig.install().await;
        assert_eq!(begun.token_upkeep.renewal, Some(Renewal::Begun));
        rig.at(days_before_the_end(13));
        rig.day().await;
        let late = Registry::change(&rig.desk.memory, &begun, begun.rev).await.unwrap();
        assert_eq!(late, Changed::Conflict);
        rig.works("after both").await;
        assert_eq!(rig.server.lock().unwrap().tokens.len(), 1);
        return;
    }
}
