//! A server that gets another version or configuration under a standing install: what is shown follows within the hour,
//! nobody does anything for it, and a command that notices nothing costs nothing.

use crate::stage::{Stage, build, command_body};
use bytes::Bytes;
use cloud_app::http::Outbound;
use cloud_apps_core::{
    functions::deliver::job_runner,
    jobs::Worker,
    keys::sealed::seal_bot_token,
    services::Management,
    store::{job::QueueName, model::Install, ports::Installs},
    testing::{
        faults::{Fault, Faults, Faulty},
        sample,
    },
};
use cloud_apps_protocol::{Millis, server::ServerFacts};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const HOUR: Millis = 3_600_000;
const MINUTE: Millis = 60_000;

/// A server whose version and settings a test changes.
#[derive(Clone)]
struct Mattermost(Arc<Mutex<State>>);

#[derive(Clone)]
struct State {
    settings: Settings,
    /// What it calls itself; `None`: what follows from its settings.
    version_id: Option<&'static str>,
    /// It answers every read of its settings with an error.
    failing: bool,
    posts: Vec<Value>,
    /// How often its settings were read.
    reads: usize,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Settings {
    version: &'static str,
    blocks: Option<&'static str>,
    max_post_size: &'static str,
}

const V5_37: Settings = Settings { version: "5.37.0", blocks: None, max_post_size: "4000" };
const V11_6: Settings = Settings { version: "11.6.0", blocks: None, max_post_size: "16383" };
const V12: Settings = Settings { version: "12.0.0", blocks: Some("true"), max_post_size: "16383" };
/// The same, where an admin switched blocks off.
const V12_WITHOUT: Settings = Settings { blocks: Some("false"), ..V12 };

impl Settings {
    /// Version, build, hash of the configuration, license.
    fn version_id(self) -> String {
        let Settings { version, blocks, max_post_size } = self;
        format!("{version}.{version}.{}{max_post_size}.false", blocks.unwrap_or("none"))
    }

    fn facts(self) -> ServerFacts {
        ServerFacts {
            mm_blocks: Some(self.blocks == Some("true")),
            max_post_size: self.max_post_size.parse().ok(),
            version_id: Some(self.version_id()),
            ..ServerFacts::default()
        }
    }
}

impl Mattermost {
    fn new(settings: Settings) -> Self {
        Self(Arc::new(Mutex::new(State {
            settings,
            version_id: None,
            failing: false,
            posts: Vec::new(),
            reads: 0,
        })))
    }

    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let mut state = self.0.lock().unwrap();
        let Settings { version, blocks, max_post_size } = state.settings;
        let answer = |status: StatusCode, body: Value| {
            let version_id = state.version_id.map_or_else(|| state.settings.version_id(), str::to_owned);
            let builder = Response::builder().status(status).header("x-version-id", version_id);
            builder.body(Bytes::from(body.to_string())).unwrap()
        };
        let path = request.uri().path();
        if path == "/api/v4/config/client" {
            let failing = state.failing;
            let mut said = json!({"Version": version, "MaxPostSize": max_post_size});
            if let Some(blocks) = blocks {
                said["FeatureFlagMmBlocksEnabled"] = blocks.into();
            }
            let answer = if failing {
                answer(StatusCode::SERVICE_UNAVAILABLE, json!({"id": "x", "message": "No."}))
            } else {
                answer(StatusCode::OK, said)
            };
            state.reads += 1;
            return answer;
        }
        assert_eq!(path, "/api/v4/posts");
        let post: Value = serde_json::from_slice(request.body()).unwrap();
        let made = json!({"id": "isepw4368fr8pb3xm4wus8rbho", "channel_id": post["channel_id"]});
        let answer = answer(StatusCode::CREATED, made);
        state.posts.push(post);
        answer
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap());
    }

    fn becomes(&self, settings: Settings) {
        self.change(|state| state.settings = settings);
    }

    /// The posts since the last time, and how often its settings were read.
    fn seen(&self) -> (Vec<Value>, usize) {
        let mut state = self.0.lock().unwrap();
        (std::mem::take(&mut state.posts), std::mem::take(&mut state.reads))
    }

    /// A process over the stage's store that calls this server.
    fn process(&self, stage: &Stage, faults: &Faults) -> Arc<Management> {
        let server = self.clone();
        let http = Outbound::in_process(Arc::new(move |request| {
            let answer = server.answer(&request);
            Box::pin(std::future::ready(answer))
        }));
        Arc::new(build(&stage.memory).http(http).faults(faults).management())
    }

    /// A stage whose install is on this server, and knows it.
    fn stage(&self) -> (Stage, Arc<Management>) {
        let settings = self.0.lock().unwrap().settings;
        let stage = Stage::with(|install| {
            let ring = sample::ring(&install.app, 1);
            install.bot_token = seal_bot_token(&ring.keys[0], install, [7; 12], "s6gd4ck3kpgrted4mf7o31dmjo");
            settings.version.clone_into(&mut install.server_version);
            install.server = settings.facts();
        });
        let management = self.process(&stage, &Faults::none());
        (Stage { services: Arc::clone(&management.services), ..stage }, management)
    }
}

/// Has the app post this to the channel.
async fn says(stage: &Stage, message: &Value) {
    let mut body = command_body("");
    body["command"]["function"] = "say".into();
    body["command"]["encoded"] = json!({ "answer": message });
    let answered = stage.send(stage.v2("/command", &body)).await;
    assert_eq!(answered.body, json!({"type": "done"}), "{answered:?}");
}

async fn says_blocks(stage: &Stage) {
    let blocks = json!([{"type": "text", "text": "Build 12 is green"}]);
    says(stage, &json!({"type": "message", "to": "channel", "text": "Build", "blocks": blocks})).await;
}

async fn says_5_000_characters(stage: &Stage) {
    says(stage, &json!({"type": "message", "to": "channel", "text": "word ".repeat(1_000)})).await;
}

/// Does the jobs that are due.
async fn jobs(stage: &Stage, management: &Arc<Management>, faults: &Faults) {
    let worker: Arc<dyn Worker> = management.clone();
    let consumer = Faulty::new(stage.memory.clone(), faults.clone());
    let runner = job_runner(management, worker);
    let round = async || runner.round(&consumer, QueueName::Commands, 10, (30_000, MINUTE), stage.now).await;
    while round().await.is_ok_and(|jobs| jobs > 0) {}
}

async fn stored(stage: &Stage) -> Install {
    Installs::find(&stage.memory, &stage.install.id).await.unwrap().unwrap()
}

/// Whether a post carries blocks and into how many posts 5,000 characters go.
async fn shown(stage: &Stage, mattermost: &Mattermost) -> (bool, usize) {
    says_blocks(stage).await;
    says_5_000_characters(stage).await;
    let (posts, _) = mattermost.seen();
    let props = &posts[0]["props"];
    assert!(props["attachments"].is_array(), "every client shows attachments: {props}");
    (props["mm_blocks"].is_array(), posts.len() - 1)
}

#[tokio::test]
async fn what_is_shown_follows_the_server_within_the_hour() {
    let mattermost = Mattermost::new(V5_37);
    let (mut stage, management) = mattermost.stage();
    let mut before = (false, 2);
    assert_eq!(shown(&stage, &mattermost).await, before);
    for (settings, after) in [
        (V11_6, (false, 1)),
        (V12, (true, 1)),
        (V12_WITHOUT, (false, 1)),
        (V12, (true, 1)),
        (V11_6, (false, 1)),
        (V5_37, (false, 2)),
    ] {
        mattermost.becomes(settings);
        stage.now += HOUR;
        assert_eq!(shown(&stage, &mattermost).await, before, "{settings:?}: nothing is known yet");
        jobs(&stage, &management, &Faults::none()).await;
        assert_eq!(mattermost.seen().1, 1, "{settings:?}: its settings are read once");
        stage.now += MINUTE;
        assert_eq!(shown(&stage, &mattermost).await, after, "{settings:?}");
        let install = stored(&stage).await;
        assert_eq!(install.server_version, settings.version);
        assert_eq!(ServerFacts { looked_at: None, ..install.server.clone() }, settings.facts());
        // The job's clock goes on while it works.
        let looked_at = install.server.looked_at.unwrap();
        assert!((stage.now - MINUTE..stage.now).contains(&looked_at), "{looked_at}");
        before = after;
    }
}

#[tokio::test]
async fn a_server_that_did_not_change_costs_nothing() {
    let mattermost = Mattermost::new(V12);
    let (stage, management) = mattermost.stage();
    says_blocks(&stage).await;
    stage.memory.reset_counts();
    says_blocks(&stage).await;
    let warm = stage.memory.counts();
    assert_eq!((warm.reads(), warm.writes(), warm.secrets()), (0, 0, 0), "safe and warm: {warm:?}");
    jobs(&stage, &management, &Faults::none()).await;
    assert_eq!(mattermost.seen().1, 0);
    assert_eq!(stored(&stage).await.rev, stage.install.rev);
}

#[tokio::test]
async fn a_server_that_always_differs_is_read_once_an_hour_by_all_processes_together() {
    let mattermost = Mattermost::new(V11_6);
    let (mut stage, management) = mattermost.stage();
    let others = [(); 3].map(|()| mattermost.process(&stage, &Faults::none()));
    for hour in 1..=3 {
        stage.now += HOUR;
        // Two nodes of a cluster with different settings: whichever is asked, the install knows the other one.
        mattermost.becomes(if hour % 2 == 0 { V11_6 } else { V12 });
        for other in &others {
            stage.services = Arc::clone(&other.services);
            says_blocks(&stage).await;
            says_blocks(&stage).await;
        }
        jobs(&stage, &management, &Faults::none()).await;
        mattermost.becomes(V5_37);
        says_blocks(&stage).await;
        jobs(&stage, &management, &Faults::none()).await;
        assert_eq!(mattermost.seen().1, 1, "hour {hour}");
    }
}

#[tokio::test]
async fn an_install_that_an_earlier_version_stored_learns_what_its_server_is() {
    let mut item = serde_json::to_value(sample::install(1)).unwrap();
    item.as_object_mut().unwrap().remove("server");
    let read: Install = serde_json::from_value(item.clone()).unwrap();
    assert!(read.server.is_unknown() && read.server_version == "11.6.0");
    assert_eq!(serde_json::to_value(&read).unwrap(), item, "what is not known is not written");

    let mattermost = Mattermost::new(V12);
    let (mut stage, management) = mattermost.stage();
    stage.put(&Install { server: ServerFacts::default(), ..stage.install.clone() });
    assert_eq!(shown(&stage, &mattermost).await, (false, 1), "attachments, and posts of 16,383 characters");
    jobs(&stage, &management, &Faults::none()).await;
    stage.now += MINUTE;
    assert_eq!(shown(&stage, &mattermost).await, (true, 1));
}

#[tokio::test]
async fn a_server_that_does_not_say_what_it_is_changes_nothing_and_is_asked_again_next_hour() {
    let mattermost = Mattermost::new(V5_37);
    let (mut stage, management) = mattermost.stage();
    mattermost.becomes(V12);
    mattermost.change(|state| state.failing = true);
    says_blocks(&stage).await;
    jobs(&stage, &management, &Faults::none()).await;
    assert_eq!(stored(&stage).await, stage.install);
    assert!(management.dead_letters.list(None, 10, None).await.unwrap().items.is_empty());
    mattermost.change(|state| state.failing = false);
    mattermost.seen();
    says_blocks(&stage).await;
    jobs(&stage, &management, &Faults::none()).await;
    assert_eq!(mattermost.seen().1, 0, "not in the same hour");
    stage.now += HOUR;
    says_blocks(&stage).await;
    jobs(&stage, &management, &Faults::none()).await;
    assert_eq!(stored(&stage).await.server_version, "12.0.0");
}

#[tokio::test]
async fn what_is_no_version_is_not_kept() {
    let long: &'static str = format!("12.0.{}", "0".repeat(300_000)).leak();
    for version in [long, "12.0.\u{1b}]0;owned\u{7}", "12.0.0\n12.0.1", "dev", ""] {
        let mattermost = Mattermost::new(V5_37);
        let (stage, management) = mattermost.stage();
        mattermost.change(|state| {
            state.settings.version = version;
            state.version_id = Some("another");
        });
        says_blocks(&stage).await;
        jobs(&stage, &management, &Faults::none()).await;
        assert_eq!(mattermost.seen().1, 1);
        assert!(stored(&stage).await.server_version == "5.37.0", "{version:.20}");
    }
}

#[tokio::test]
async fn a_post_size_that_is_none_is_not_kept() {
    for size in ["0", "-1", "99999999999", "many", ""] {
        let mattermost = Mattermost::new(V11_6);
        let (stage, management) = mattermost.stage();
        mattermost.becomes(Settings { max_post_size: size, ..V12 });
        says_blocks(&stage).await;
        jobs(&stage, &management, &Faults::none()).await;
        assert_eq!(stored(&stage).await.server.max_post_size, Some(16_383), "{size}");
    }
}

#[tokio::test]
async fn a_look_whose_clock_was_far_ahead_keeps_no_later_one_out() {
    let mattermost = Mattermost::new(V5_37);
    let (mut stage, management) = mattermost.stage();
    let right = stage.now;
    stage.now += 24 * 365 * HOUR;
    mattermost.becomes(V11_6);
    says_blocks(&stage).await;
    jobs(&stage, &management, &Faults::none()).await;
    stage.now = right + 2 * HOUR;
    mattermost.becomes(V12);
    says_blocks(&stage).await;
    jobs(&stage, &management, &Faults::none()).await;
    assert_eq!(stored(&stage).await.server_version, "12.0.0");
}

/// At each effect of the command that notices the change and of the job that looks, in each way.
#[tokio::test]
async fn whatever_fails_or_dies_nothing_wrong_is_stored_and_the_change_is_found() {
    for fault in Fault::ALL {
        for n in 1.. {
            let mattermost = Mattermost::new(V5_37);
            let (mut stage, _) = mattermost.stage();
            mattermost.becomes(V12);
            let faults = Faults::at(n, fault);
            let management = mattermost.process(&stage, &faults);
            stage.services = Arc::clone(&management.services);
            let mut body = command_body("");
            body["command"]["function"] = "say".into();
            body["command"]["encoded"] = json!({"answer": {"type": "message", "to": "channel", "text": "x"}});
            let run = async {
                stage.send(stage.v2("/command", &body)).await;
                jobs(&stage, &management, &faults).await;
            };
            faults.until_killed(run).await;
            let at = format!("{fault:?} at {n} of {:?}", faults.log());
            let after = stored(&stage).await;
            let known = if after.server_version == "12.0.0" { V12 } else { V5_37 };
            let server = ServerFacts { looked_at: None, ..after.server.clone() };
            assert_eq!(server, known.facts(), "{at}: all of it is written, or nothing");
            let others = Install {
                server_version: after.server_version.clone(),
                server: after.server.clone(),
                rev: after.rev,
                ..stage.install.clone()
            };
            assert_eq!(after, others, "{at}: nothing else of the install changes");

            let management = mattermost.process(&stage, &Faults::none());
            stage.services = Arc::clone(&management.services);
            stage.now += HOUR;
            says_blocks(&stage).await;
            jobs(&stage, &management, &Faults::none()).await;
            assert_eq!(stored(&stage).await.server_version, "12.0.0", "{at}");
            if !faults.struck() {
                assert!(n > 5, "{at}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_function_has_no_longer_than_the_server_waits() {
    for (timeout, slash) in [(None, 8_000), (Some(30), 8_000), (Some(3), 2_500), (Some(1), 500)] {
        let stage = Stage::with(|install| install.server.integration_timeout = timeout);
        stage.type_("search").await;
        // A V2 server does not call the bundle as an integration.
        stage.run("/jira search").await;
        let now = i64::try_from(stage.now).unwrap();
        let times: Vec<_> = stage.calls().iter().map(|call| call.deadline - now).collect();
        assert_eq!(times, [slash, 8_000], "{timeout:?}");
    }
}
