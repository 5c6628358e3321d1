//! The app of these tests: it does what its command says, and remembers that it was called.

use cloud_app::{App, Command, Cx, Failure, Fields, Result, Run};
use cloud_apps_protocol::{
    Answer, BadId, CommandRequest, Field, InstallId, Values,
    manifest::{CommandEntry, Permission},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex},
};

/// What was called, by install: each test has an install of its own.
static CALLS: LazyLock<Mutex<BTreeMap<InstallId, Vec<Call>>>> = LazyLock::new(Mutex::default);

/// One call of a function.
#[derive(Debug, Clone)]
pub struct Call {
    pub request: CommandRequest,
    pub values: Values,
    pub deadline: i64,
    /// Whether there was a client with the user's rights.
    pub as_user: bool,
}

/// The calls of an install so far.
pub fn calls(install: &InstallId) -> Vec<Call> {
    CALLS.lock().unwrap().get(install).cloned().unwrap_or_default()
}

fn remember(cx: &Cx, values: &Values) {
    let request = cx.request().clone();
    let install = request.context.app.as_ref().unwrap().install_id.clone();
    let call = Call {
        request,
        values: values.clone(),
        deadline: cx.deadline().as_millisecond(),
        as_user: cx.user().is_some(),
    };
    CALLS.lock().unwrap().entry(install).or_default().push(call);
}

macro_rules! command {
    ($name:ident, $function:literal, $entry:tt, |$cx:ident, $values:ident| $run:expr) => {
        struct $name(Values);
        impl Fields for $name {
            fn fields() -> Result<Vec<Field>, BadId> {
                Ok(Self::entry()?.fields)
            }
            fn from_values(values: Values) -> Result<Self, Failure> {
                Ok(Self(values))
            }
        }
        impl Command for $name {
            const FUNCTION: &'static str = $function;
            fn entry() -> Result<CommandEntry, BadId> {
                let mut entry = json!($entry);
                entry["function"] = $function.into();
                Ok(serde_json::from_value(entry).unwrap())
            }
        }
        impl Run for $name {
            async fn run(self, $cx: Cx) -> Result<Answer> {
                let $values = self.0;
                remember(&$cx, &$values);
                $run
            }
        }
    };
}

command!(CreateIssue, "create_issue", {"summary": "Creates an issue.",
    "fields": [
        {"name": "project", "type": "text", "required": true, "hint": "MM"},
        {"name": "summary", "type": "text", "positional": true},
        {"name": "assignee", "type": "user", "positional": true},
        {"name": "channel", "type": "channel", "positional": true},
    ],
}, |_cx, values| {
    Ok(Answer::text(format!("Created an issue in {}.", values["project"].as_str().unwrap())))
});

command!(Search, "search", {"summary": "Finds issues.", "safe": true},
    |_cx, _values| Ok(Answer::text("Nothing found.")));

command!(Quote, "quote", {"summary": "Quotes a post.",
    "safe": true,
    "fields": [{"name": "post", "type": "post"}, {"name": "due", "type": "datetime"}],
}, |_cx, _values| Ok(Answer::text("Quoted.")));

command!(Say, "say", {"summary": "Answers what it is told to.",
    "safe": true,
    "fields": [{"name": "answer", "type": "json", "required": true}],
}, |_cx, values| Ok(serde_json::from_value(values["answer"].clone())?));

command!(Long, "long", {"summary": "Talks and talks.", "safe": true},
    |_cx, _values| Ok(Answer::text("é".repeat(20_000))));

command!(Shout, "shout", {"summary": "Talks to everybody, at length.", "safe": true},
    |_cx, _values| Ok(Answer::public(format!("{}\n\n{}", "é".repeat(12_000), "è".repeat(8_000)))));

command!(Flood, "flood", {"summary": "Answers more than anybody reads.", "safe": true}, |_cx, _values| {
    Err(Failure::say("No.").at("field", "x".repeat(1024 * 1024)))
});

command!(Hang, "hang", {"summary": "Never ends."}, |_cx, _values| std::future::pending().await);

command!(Panics, "panics", {"summary": "Panics and repeats what a request brought."}, |_cx, values| {
    let nothing: Option<&Value> = values.get("nothing");
    let asker = "CANARY".to_owned();
    Ok(Answer::text(nothing.unwrap_or_else(|| panic!("there is nothing for {asker}")).to_string()))
});

command!(Fails, "fails", {"summary": "Fails for a reason that is not its user's."},
    |_cx, _values| Err("not a number".parse::<u32>().unwrap_err().into()));

command!(Refuses, "refuses", {"summary": "Says what is wrong."},
    |_cx, _values| Err(Failure::say("There is no such project.").at("project", "Choose another.")));

command!(Needs, "needs", {"summary": "Needs to know its channel.",
    "expand": {"channel": "summary!", "acting_user": "summary"},
}, |_cx, _values| Ok(Answer::done()));

command!(Later, "later", {"summary": "Runs from the queue.", "deferred": true},
    |_cx, _values| Ok(Answer::done()));

command!(AsUser, "as_user", {"summary": "Posts as its user.", "post_as_user": true},
    |_cx, _values| Ok(Answer::done()));

command!(WithAccount, "with_account", {"summary": "Needs an account.", "account": "required"},
    |_cx, _values| Ok(Answer::done()));

command!(Mirror, "mirror", {"summary": "Wants to see everything.",
    "expand": {"acting_user": "all", "channel": "all", "team": "all", "post": "all", "parent_post": "all",
        "root_post": "all", "mentioned": "all"},
    "fields": [{"name": "text", "type": "text", "positional": true}],
}, |_cx, _values| Ok(Answer::done()));

command!(Import, "import", {"summary": "Imports issues.",
    "fields": [{"name": "issues", "type": "json"}, {"name": "project", "type": "text", "required": true}],
}, |_cx, _values| Ok(Answer::done()));

/// An app that takes much in one value.
pub fn importer() -> App {
    App::new("jira", "1.2.0", "Jira").command::<Import>()
}

/// An app that wants to see everything.
pub fn curious() -> App {
    App::new("jira", "1.2.0", "Jira").command::<Mirror>()
}

/// The app.
pub fn app() -> App {
    App::new("jira", "1.2.0", "Jira")
        .permissions([Permission::ActAsBot, Permission::ActAsUser, Permission::ActAsAdmin])
        .command::<CreateIssue>()
        .command::<Search>()
        .command::<Quote>()
        .command::<Say>()
        .command::<Long>()
        .command::<Shout>()
        .command::<Flood>()
        .command::<Hang>()
        .command::<Panics>()
        .command::<Fails>()
        .command::<Refuses>()
        .command::<Needs>()
        .command::<Later>()
        .command::<AsUser>()
        .command::<WithAccount>()
}
