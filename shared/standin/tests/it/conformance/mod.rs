//! Replays the recorded REST calls. Each file in `tests/recordings/*/rest` is sent to a stand-in that was set up like the
//! recorded server. The answer must have the recorded status, headers and shape; an error must also have the recorded id
//! and text. `integration.rs` plays the integrations, and compares the requests of the stand-in with those of the real
//! server.
//!
//! Each group of files has a module. It names the files, sets up what they need in addition to the common setup of
//! `setup.rs`, and lists where the stand-in differs and why. A file without a group fails, and so does an exception that is
//! not needed. To add a group, copy its files, write its module, and name it in `groups!` below.
//! To add a version, copy its folder, and describe its server in `setup.rs`.
//! `cargo test -p cloud-apps-standin conformance:: -- --nocapture` prints what was replayed, group by group.

mod judge;
pub mod setup;

mod accounts;
mod actions;
mod bots;
mod channels;
mod commands;
mod dialogs;
mod errors;
mod failures;
mod hooks;
mod inbound;
mod oauth_apps;
mod outgoing_webhooks;
mod posts;
mod response_urls;
mod server;
mod teams;
mod tokens;

use crate::integration::{COMPARED, translate};
use crate::recording;
use inbound::ALONE;
use setup::{RECORDED, Recorded, Replica};
use std::pin::Pin;
use std::sync::Mutex;

/// A group of recordings.
pub struct Group {
    pub name: &'static str,
    /// The prefixes of the names of its files. If several groups fit, the longest prefix wins.
    pub files: &'static [&'static str],
    /// Sets up what a file of the group needs in addition to the common setup.
    pub arrange: Arrange,
    pub exceptions: &'static [Exception],
}

/// `replica` has the common setup; `file` is the name of the recording.
pub type Arrange = for<'a> fn(replica: &'a mut Replica, file: &'a str) -> Arranging<'a>;
pub type Arranging<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Where the stand-in differs from a recording.
pub struct Exception {
    /// The prefix of the path of the recording: `mattermost-11/channel-posts.http`.
    pub file: &'static str,
    /// The prefix of the difference that is found.
    pub found: &'static str,
    pub reason: &'static str,
}

/// Adds nothing to the common setup.
pub fn nothing_more<'a>(_: &'a mut Replica, _: &'a str) -> Arranging<'a> {
    Box::pin(std::future::ready(()))
}

/// All groups, and a test for each.
macro_rules! groups {
    ($($group:ident),* $(,)?) => {
        const GROUPS: &[&Group] = &[$(&$group::GROUP),*];

        /// One test for each group.
        mod answers_as_recorded {
            $(#[tokio::test]
            async fn $group() {
                super::replay(&super::$group::GROUP).await;
            })*
        }
    };
}

groups!(
    accounts,
    actions,
    bots,
    channels,
    commands,
    dialogs,
    errors,
    failures,
    hooks,
    oauth_apps,
    posts,
    response_urls,
    server,
    teams,
    tokens,
);

/// The group that covers a file.
fn group_of(file: &str) -> Option<&'static Group> {
    let longest = |group: &Group| {
        group.files.iter().filter(|start| file.starts_with(**start)).map(|start| start.len()).max()
    };
    GROUPS.iter().copied().filter(|group| longest(group).is_some()).max_by_key(|group| longest(group))
}

/// How many calls of a group were replayed.
#[derive(Clone, Copy)]
struct Tally {
    folder: &'static str,
    group: &'static str,
    replayed: usize,
    passed: usize,
    excepted: usize,
}

/// The tallies so far. The group that ends last prints all of them.
static TALLIES: Mutex<Vec<Tally>> = Mutex::new(Vec::new());

fn report(tallies: [Tally; RECORDED.len()]) {
    let mut all = TALLIES.lock().unwrap();
    all.extend(tallies);
    tallies.iter().filter(|tally| tally.replayed > 0).for_each(|tally| println!("{}", line(*tally)));
    if all.len() == GROUPS.len() * RECORDED.len() {
        all.sort_by_key(|tally| (tally.folder, tally.group));
        println!("\nconformance with the recorded servers:");
        all.iter().filter(|tally| tally.replayed > 0).for_each(|tally| println!("{}", line(*tally)));
        for recorded in RECORDED {
            inbound(recorded);
        }
    }
}

/// Prints how many of the recorded requests to integrations the stand-in sent too, and fails if it did not send one. Some
/// requests have their own tests: `inbound.rs`, `outgoing_webhooks.rs`.
fn inbound(recorded: &Recorded) {
    let compared = COMPARED.lock().unwrap();
    let files = recording::folder(&format!("{}/inbound", recorded.folder));
    let requests = files.iter().map(|(file, _)| format!("{}/{file}", recorded.folder));
    let elsewhere = |path: &String| path.contains("-outgoing-") || ALONE.contains(&path.as_str());
    let requests: Vec<String> =
        requests.filter(|path| !path.ends_with(".answer.http") && !elsewhere(path)).collect();
    let missing: Vec<&String> = requests.iter().filter(|path| !compared.contains(*path)).collect();
    println!(
        "{:16} {} requests to integrations sent as recorded",
        recorded.folder,
        requests.len() - missing.len()
    );
    assert!(missing.is_empty(), "no test sends {missing:?}");
}

fn line(tally: Tally) -> String {
    let Tally { folder, group, replayed, passed, excepted } = tally;
    format!("{folder:16} {group:14} {replayed:3} calls replayed, {passed:3} passed, {excepted:2} excepted")
}

/// Replays the calls of a group with all versions, and fails with all differences.
async fn replay(group: &Group) {
    let mut wrong = Vec::new();
    let mut used = vec![false; group.exceptions.len()];
    let mut tallies = RECORDED.map(|recorded| Tally {
        folder: recorded.folder,
        group: group.name,
        replayed: 0,
        passed: 0,
        excepted: 0,
    });
    for (recorded, tally) in RECORDED.into_iter().zip(&mut tallies) {
        for (file, text) in recording::folder(&format!("{}/rest", recorded.folder)).iter() {
            if group_of(file).is_none_or(|known| known.name != group.name) {
                continue;
            }
            let path = format!("{}/{file}", recorded.folder);
            let mut found = differences(group, recorded, file, text).await;
            let all = found.len();
            found.retain(|found| {
                let fits = |exception: &Exception| {
                    path.starts_with(exception.file) && found.starts_with(exception.found)
                };
                let known = group.exceptions.iter().position(fits);
                known.inspect(|at| used[*at] = true).is_none()
            });
            tally.replayed += 1;
            tally.passed += usize::from(all == 0);
            tally.excepted += usize::from(all > 0 && found.is_empty());
            wrong.extend(found.into_iter().map(|found| format!("{path}: {found}")));
        }
    }
    for (exception, used) in group.exceptions.iter().zip(used) {
        if !used {
            let Exception { file, found, reason } = exception;
            wrong.push(format!("the exception {file} {found} ({reason}) is no longer one"));
        }
    }
    report(tallies);
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is wrong with the answer to one recorded call, and with the requests to integrations during the call.
async fn differences(group: &Group, recorded: &'static Recorded, file: &str, text: &str) -> Vec<String> {
    let mut replica = setup::arrange(recorded, file).await;
    (group.arrange)(&mut replica, file).await;
    let (mut request, answer) = recording::exchange(text);
    request.first = translate(&request.first, &replica.names);
    request.body = translate(&request.body, &replica.names);
    if let Some(token) = request.headers.get_mut("authorization") {
        *token = translate(token.to_str().unwrap(), &replica.names).parse().unwrap();
    }
    let ours = replica.mm.respond(request.request()).await.unwrap();
    let mut wrong = judge::judge(&answer, &ours, &replica.names);
    wrong.extend(replica.sent.wrong.lock().unwrap().iter().cloned());
    wrong
}

#[test]
fn every_recording_belongs_to_a_group_and_every_group_has_recordings() {
    let mut empty: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
    for recorded in RECORDED {
        for (file, _) in recording::folder(&format!("{}/rest", recorded.folder)).iter() {
            let group = group_of(file).unwrap_or_else(|| panic!("{file} belongs to no group"));
            empty.retain(|name| *name != group.name);
        }
    }
    assert_eq!(empty, Vec::<&str>::new());
}
