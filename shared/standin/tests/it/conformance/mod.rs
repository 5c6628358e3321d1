//! Recorded REST calls, replayed: every file in `tests/recordings/*/rest` is sent to a stand-in whose world is
//! arranged as the recorded one was, and the answer has the recorded status, headers and shape; an error also
//! has the recorded id and text. Integrations are played by `integration.rs`, which holds the stand-in's
//! requests against what the real server sent.
//!
//! A group has a module: which files it covers, what they need beside the common world of `world.rs`, and where
//! the stand-in differs and why. A file that no group covers fails, and so does an exception that is not
//! needed. To add a group, copy its files, write its module, and name it in `groups!` below.
//! `cargo test -p cloud-apps-standin conformance:: -- --nocapture` prints what was replayed, group by group.

mod judge;
pub mod world;

mod accounts;
mod actions;
mod bots;
mod channels;
mod commands;
mod dialogs;
mod errors;
mod failures;
mod hooks;
mod oauth_apps;
mod outgoing_webhooks;
mod posts;
mod response_urls;
mod server;
mod teams;
mod tokens;

use crate::inbound::ALONE;
use crate::integration::{COMPARED, translate};
use crate::recording;
use std::pin::Pin;
use std::sync::Mutex;
use world::{RECORDED, Recorded, World};

/// A part of the recordings that belongs together.
pub struct Group {
    pub name: &'static str,
    /// The beginnings of its files' names. Of all groups the longest beginning wins.
    pub files: &'static [&'static str],
    /// Makes what a file of the group needs beside the common world.
    pub arrange: Arrange,
    pub exceptions: &'static [Exception],
}

/// `world` is the common one, `file` the name of the recording.
pub type Arrange = for<'a> fn(world: &'a mut World, file: &'a str) -> Arranging<'a>;
pub type Arranging<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Where the stand-in differs from a recording.
pub struct Exception {
    /// How the path of the recording begins: `mattermost-11/channel-posts.http`.
    pub file: &'static str,
    /// How the difference begins that is found.
    pub found: &'static str,
    pub reason: &'static str,
}

/// Nothing beside the common world.
pub fn nothing_more<'a>(_: &'a mut World, _: &'a str) -> Arranging<'a> {
    Box::pin(std::future::ready(()))
}

/// All groups, and a test for each.
macro_rules! groups {
    ($($group:ident),* $(,)?) => {
        const GROUPS: &[&Group] = &[$(&$group::GROUP),*];

        /// As it was recorded.
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

/// How many calls of a group there were.
#[derive(Clone, Copy)]
struct Tally {
    folder: &'static str,
    group: &'static str,
    replayed: usize,
    passed: usize,
    excepted: usize,
}

/// The tallies so far. Whichever group ends last prints them all.
static TALLIES: Mutex<Vec<Tally>> = Mutex::new(Vec::new());

fn report(tallies: [Tally; 2]) {
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

/// Prints how many of the recorded requests to integrations were sent here too, and fails if one was not. Some have
/// tests of their own: `inbound.rs`, `outgoing_webhooks.rs`.
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

/// Replays the calls of a group with both versions, and fails with all that differs.
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

/// What is wrong with the answer to one recorded call, and with what integrations were sent meanwhile.
async fn differences(group: &Group, recorded: &'static Recorded, file: &str, text: &str) -> Vec<String> {
    let mut world = world::arrange(recorded, file).await;
    (group.arrange)(&mut world, file).await;
    let (mut request, answer) = recording::exchange(text);
    request.first = translate(&request.first, &world.names);
    request.body = translate(&request.body, &world.names);
    if let Some(token) = request.headers.get_mut("authorization") {
        *token = translate(token.to_str().unwrap(), &world.names).parse().unwrap();
    }
    let ours = world.mm.respond(request.request()).await.unwrap();
    let mut wrong = judge::judge(&answer, &ours, &world.names);
    wrong.extend(world.sent.wrong.lock().unwrap().iter().cloned());
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
