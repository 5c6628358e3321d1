//! `cloud-apps event`: a sample event for a function, for `sam local invoke -e -`.
//!
//! The files in `events/` are these events at a fixed time. A test compares them.

mod builder;
mod gateway;

use crate::{
    command::shared::output::print_json,
    failure::{Failure, file},
    terminal,
};
use builder::{EventBuilder, LINE};
use clap::Args;
use cloud_apps_core::{http::system_now, offline::Sample};
use cloud_apps_protocol::AppId;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// `event`.
#[derive(Debug, Args)]
pub struct Event {
    /// Which event. Without a name, all events are listed.
    name: Option<String>,
    /// The file of the sample: app, install, server and users of the event.
    #[arg(long, value_name = "FILE", default_value = "events/env.json")]
    env: PathBuf,
    /// The line of a command.
    #[arg(long, value_name = "LINE")]
    line: Option<String>,
    /// The event's time in Unix milliseconds. Without it: now.
    #[arg(long, value_name = "MS")]
    at: Option<u64>,
}

/// The time of the committed events: 2026-11-22T12:00:00Z, in Unix milliseconds.
const COMMITTED: u64 = 1_795_348_800_000;
/// One kind of event.
struct Kind {
    name: &'static str,
    function: &'static str,
    what: &'static str,
    make: fn(&EventBuilder<'_>) -> Result<Value, Failure>,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "slash",
        function: "CommandFunction",
        what: "a slash command of an unmodified Mattermost",
        make: |m| m.slash(),
    },
    Kind {
        name: "command",
        function: "CommandFunction",
        what: "the same as a signed V2 request",
        make: |m| m.command(),
    },
    Kind {
        name: "command-static",
        function: "CommandFunction",
        what: "the same with a static token",
        make: |m| m.command_static(),
    },
    Kind {
        name: "autocomplete",
        function: "AutocompleteFunction",
        what: "what may follow in the message box",
        make: |m| m.autocomplete(),
    },
    Kind { name: "event", function: "EventFunction", what: "bob joined a channel", make: |m| m.event() },
    Kind {
        name: "deliver",
        function: "DeliverFunction",
        what: "a message of a queue, of an unknown kind",
        make: |m| m.deliver(),
    },
    Kind {
        name: "upkeep",
        function: "DeliverFunction",
        what: "what the daily schedule sends",
        make: |_| Ok(json!({ "upkeep": true })),
    },
    Kind {
        name: "index",
        function: "InstallFunction",
        what: "GET /: which protocol, which bundle",
        make: |m| m.index(),
    },
    Kind {
        name: "install-get",
        function: "InstallFunction",
        what: "GET /install/{install}, signed",
        make: |m| m.install_get(),
    },
    Kind {
        name: "install-operator",
        function: "InstallFunction",
        what: "what `cloud-apps list` sends",
        make: |m| m.operator(),
    },
];

/// Prints an event, or the list of all.
pub fn run(arguments: &Event) -> Result<ExitCode, Failure> {
    let Some(name) = &arguments.name else {
        for kind in KINDS {
            terminal::out(format!("{:<18}{:<22}{}", kind.name, kind.function, kind.what));
        }
        return Ok(ExitCode::SUCCESS);
    };
    let kind = KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
        let near = KINDS
            .iter()
            .map(|kind| (strsim::jaro(kind.name, name), kind.name))
            .filter(|(likeness, _)| *likeness > 0.7)
            .max_by(|(one, _), (other, _)| one.total_cmp(other));
        let meant = near.map_or(String::new(), |(_, near)| format!("; did you mean {near}?"));
        Failure::usage(format!("there is no event {name:?}"))
            .hint(format!("`cloud-apps event` lists them{meant}"))
    })?;
    let sample = read(&arguments.env)?;
    let builder = EventBuilder {
        sample: &sample,
        at: arguments.at.unwrap_or_else(system_now),
        line: arguments.line.as_deref(),
    };
    print_json(&(kind.make)(&builder)?)
}

/// The files in `events/` of a workspace for an app: the sample and every event.
pub fn committed(app: &AppId) -> Result<Vec<(String, String)>, Failure> {
    let env = include_str!("../../../../../events/env.json");
    let mut env: Value = serde_json::from_str(env).map_err(|e| Failure::new(e.to_string()))?;
    let mut sample = inner(&env)?;
    for (pointer, text) in [
        ("/ring/app", app.as_str()),
        ("/install/app", app.as_str()),
        ("/install/trigger", app.as_str()),
        ("/install/bot/username", app.as_str()),
    ] {
        if let Some(place) = sample.pointer_mut(pointer) {
            *place = text.into();
        }
    }
    if let Some(place) = env.pointer_mut("/Parameters/CLOUD_APPS_SAMPLE") {
        *place = sample.to_string().into();
    }
    let sample = Sample::parse(&sample.to_string()).map_err(|e| Failure::new(e.to_string()))?;
    // Another app has other commands; every app has help.
    let line = if app.as_str() == "hello" { LINE } else { "help" };
    let builder = EventBuilder { sample: &sample, at: COMMITTED, line: Some(line) };
    let mut files = vec![("env.json".to_owned(), pretty(&env)? + "\n")];
    for kind in KINDS {
        files.push((format!("{}.json", kind.name), pretty(&(kind.make)(&builder)?)? + "\n"));
    }
    Ok(files)
}

fn pretty(value: &Value) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map_err(|e| Failure::new(e.to_string()))
}

fn read(path: &Path) -> Result<Sample, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        file("read", path)(error)
            .hint("run this in a workspace that has events/env.json, or name such a file with --env")
    })?;
    let env = serde_json::from_str(&text).map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
    Sample::parse(&inner(&env)?.to_string()).map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}

/// The sample inside `{"Parameters":{"CLOUD_APPS_SAMPLE":"…"}}`.
fn inner(env: &Value) -> Result<Value, Failure> {
    let text = env.pointer("/Parameters/CLOUD_APPS_SAMPLE").and_then(Value::as_str).unwrap_or_default();
    serde_json::from_str(text).map_err(|e| {
        Failure::new(format!("CLOUD_APPS_SAMPLE is not JSON in a string: {e}"))
            .hint("events/README.md describes it")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_EXPECT=1 cargo test -p cloud-apps` writes them.
    #[test]
    fn the_committed_events_are_what_this_command_makes() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
        let files = committed(&AppId::new("hello").expect("an id")).expect("made");
        for (name, text) in &files {
            expect_test::expect_file![folder.join(name)].assert_eq(text);
        }
        let on_disk = std::fs::read_dir(&folder).expect("events/").filter_map(Result::ok);
        let json = on_disk.filter(|f| f.path().extension().is_some_and(|e| e == "json")).count();
        assert_eq!(json, files.len(), "a file in events/ is not made by this command");
    }
}
