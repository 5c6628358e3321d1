//! Slash commands as real servers sent them (`tests/recordings`), through the handlers.

use crate::stage::{Stage, TEAM};
use bytes::Bytes;
use http::Request;
use std::{collections::BTreeMap, fs, path::Path};

struct Recording {
    name: String,
    method: String,
    headers: Vec<(String, String)>,
    query: String,
    body: String,
}

fn recordings() -> Vec<Recording> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let mut recordings = Vec::new();
    for version in ["mattermost-5.37", "mattermost-11"] {
        for file in fs::read_dir(folder.join(version)).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").or_else(|| text.split_once("\n\n")).unwrap();
            let mut lines = head.lines();
            let mut words = lines.next().unwrap().split(' ');
            let method = words.next().unwrap().to_owned();
            let query = words.next().unwrap().split_once('?').map_or("", |(_, query)| query).to_owned();
            let headers = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect();
            let name = format!("{version}/{}", path.file_name().unwrap().to_string_lossy());
            recordings.push(Recording { name, method, headers, query, body: body.trim_end().to_owned() });
        }
    }
    recordings.sort_by(|a, b| a.name.cmp(&b.name));
    recordings
}

impl Recording {
    fn fields(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    fn to(&self, stage: &Stage, body: &str) -> Request<Bytes> {
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(format!("/hooks/{}/slash?{}", stage.install.id, self.query));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
    }
}

#[tokio::test]
async fn every_recorded_slash_command_is_answered_when_its_token_is_the_installs_and_refused_otherwise() {
    let recordings = recordings();
    let posts: Vec<_> = recordings.iter().filter(|r| r.method == "POST").collect();
    assert!(posts.len() >= 28, "{} recordings", posts.len());
    for recording in posts {
        let fields = recording.fields();
        let stage = Stage::new();
        stage.register(&fields["team_id"], fields["command"].trim_start_matches('/'), &fields["token"]);
        let answered = stage.send(recording.to(&stage, &recording.body)).await;
        assert_eq!(answered.status, 200, "{}: {answered:?}", recording.name);
        assert_eq!(answered.body["response_type"], "ephemeral", "{}", recording.name);
        assert!(!answered.text().is_empty(), "{}", recording.name);

        let stage = Stage::new();
        stage.register(&fields["team_id"], fields["command"].trim_start_matches('/'), &"z".repeat(26));
        let answered = stage.send(recording.to(&stage, &recording.body)).await;
        assert_eq!(answered.code(), "unauthorized", "{}", recording.name);
        assert!(stage.calls().is_empty());

        let stage = Stage::new();
        stage.register(&fields["team_id"], fields["command"].trim_start_matches('/'), &fields["token"]);
        let elsewhere =
            recording.body.replace(&fields["team_id"], if fields["team_id"] == TEAM { "x" } else { TEAM });
        let answered = stage.send(recording.to(&stage, &elsewhere)).await;
        assert_eq!(answered.code(), "unauthorized", "{}", recording.name);
    }
}

#[tokio::test]
async fn the_first_recorded_command_of_each_version_runs_with_its_mentions() {
    for name in ["mattermost-11/001-command.http", "mattermost-5.37/001-command.http"] {
        let recordings = recordings();
        let recording = recordings.iter().find(|r| r.name == name).unwrap();
        let fields = recording.fields();
        let stage = Stage::new();
        stage.register(&fields["team_id"], "jira", &fields["token"]);
        let body =
            recording.body.replace("+%40alice", "").replace("+~off-topic", "").replace("+%40nobody", "");
        let answered = stage.send(recording.to(&stage, &body)).await;
        assert_eq!(answered.text(), "Created an issue in MM.", "{name}");
        let call = &stage.calls()[0];
        assert_eq!(call.values["summary"], "Fix the build");
        let bob = &call.request.context.mentioned.users["bob"];
        assert_eq!(call.values["assignee"], bob.id.as_str());
        assert_eq!(call.values["channel"], fields["channel_id"].as_str());
    }
}

#[tokio::test]
async fn every_recorded_get_is_told_to_post() {
    let recordings = recordings();
    let gets: Vec<_> = recordings.iter().filter(|r| r.method == "GET").collect();
    assert_eq!(gets.len(), 2);
    for recording in gets {
        let stage = Stage::new();
        let answered = stage.send(recording.to(&stage, "")).await;
        assert_eq!(answered.text(), "Set this command's request method to POST.");
        assert_eq!(stage.memory.counts().reads(), 0);
    }
}
