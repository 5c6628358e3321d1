//! The app of these tests: it does what its command says, and remembers that it was called.

use cloud_app::{App, Command, Cx, Failure, Result, Run};
use cloud_apps_protocol::{
    Answer, ChannelId, CommandRequest, InstallId, PostId, UserId, Values, manifest::Permission,
};
use jiff::Timestamp;
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

/// Remembers a call. `values` is what the command's struct holds; what was not given is not there.
fn remember(cx: &Cx, values: Value) {
    let Value::Object(mut values) = values else { panic!("{values} is no object") };
    values.retain(|_, value| !value.is_null());
    let request = cx.request().clone();
    let install = request.context.app.as_ref().unwrap().install_id.clone();
    let deadline = cx.deadline().as_millisecond();
    let call = Call { request, values, deadline, as_user: cx.user().is_some() };
    CALLS.lock().unwrap().entry(install).or_default().push(call);
}

/// What a command without fields does.
macro_rules! runs {
    ($command:ident, $answer:expr) => {
        impl Run for $command {
            async fn run(self, cx: Cx) -> Result<Answer> {
                remember(&cx, json!({}));
                $answer
            }
        }
    };
}

/// Creates an issue.
#[derive(Command)]
struct CreateIssue {
    /// In which project.
    #[field(hint = "MM")]
    project: String,
    /// What it is about.
    #[field(positional)]
    summary: Option<String>,
    /// Who works on it.
    #[field(positional)]
    assignee: Option<UserId>,
    /// Where it is told.
    #[field(positional)]
    channel: Option<ChannelId>,
}

impl Run for CreateIssue {
    async fn run(self, cx: Cx) -> Result<Answer> {
        let Self { project, summary, assignee, channel } = self;
        let answer = Answer::text(format!("Created an issue in {project}."));
        remember(
            &cx,
            json!({"project": project, "summary": summary, "assignee": assignee, "channel": channel}),
        );
        Ok(answer)
    }
}

/// Finds issues.
#[derive(Command)]
#[command(safe)]
struct Search;

runs!(Search, Ok(Answer::text("Nothing found.")));

/// Quotes a post.
#[derive(Command)]
#[command(safe)]
struct Quote {
    /// Which.
    post: Option<PostId>,
    /// When it is due.
    due: Option<Timestamp>,
}

impl Run for Quote {
    async fn run(self, cx: Cx) -> Result<Answer> {
        remember(&cx, json!({"post": self.post, "due": self.due.map(|due| due.to_string())}));
        Ok(Answer::text("Quoted."))
    }
}

/// Answers what it is told to.
#[derive(Command)]
#[command(safe)]
struct Say {
    /// The answer.
    answer: Value,
}

impl Run for Say {
    async fn run(self, cx: Cx) -> Result<Answer> {
        remember(&cx, json!({"answer": self.answer}));
        Ok(serde_json::from_value(self.answer)?)
    }
}

/// Talks and talks.
#[derive(Command)]
#[command(safe)]
struct Long;

runs!(Long, Ok(Answer::text("é".repeat(20_000))));

/// Talks to everybody, at length.
#[derive(Command)]
#[command(safe)]
struct Shout;

runs!(Shout, Ok(Answer::public(format!("{}\n\n{}", "é".repeat(12_000), "è".repeat(8_000)))));

/// Answers more than anybody reads.
#[derive(Command)]
#[command(safe)]
struct Flood;

runs!(Flood, Err(Failure::say("No.").at("field", "x".repeat(1024 * 1024))));

/// Never ends.
#[derive(Command)]
struct Hang;

runs!(Hang, std::future::pending().await);

/// Panics and repeats what a request brought.
#[derive(Command)]
struct Panics;

runs!(Panics, {
    let asker = "CANARY".to_owned();
    panic!("there is nothing for {asker}")
});

/// Fails for a reason that is not its user's.
#[derive(Command)]
struct Fails;

runs!(Fails, Err("not a number".parse::<u32>().unwrap_err().into()));

/// Says what is wrong.
#[derive(Command)]
struct Refuses;

runs!(Refuses, Err(Failure::say("There is no such project.").at("project", "Choose another.")));

/// Needs to know its channel.
#[derive(Command)]
#[command(expand(channel = "summary!", acting_user = "summary"))]
struct Needs;

runs!(Needs, Ok(Answer::done()));

/// Runs from the queue.
#[derive(Command)]
#[command(deferred)]
struct Later;

runs!(Later, Ok(Answer::done()));

/// Posts as its user.
#[derive(Command)]
#[command(post_as_user)]
struct AsUser;

runs!(AsUser, Ok(Answer::done()));

/// Needs an account.
#[derive(Command)]
#[command(account = "required")]
struct WithAccount;

runs!(WithAccount, Ok(Answer::done()));

/// Wants to see everything.
#[derive(Command)]
#[command(expand(
    acting_user = "all",
    channel = "all",
    team = "all",
    post = "all",
    parent_post = "all",
    root_post = "all",
    mentioned = "all"
))]
struct Mirror {
    /// Anything.
    #[field(positional)]
    text: Option<String>,
}

impl Run for Mirror {
    async fn run(self, cx: Cx) -> Result<Answer> {
        remember(&cx, json!({"text": self.text}));
        Ok(Answer::done())
    }
}

/// Imports issues.
#[derive(Command)]
struct Import {
    /// The issues.
    issues: Option<Value>,
    /// Into which project.
    project: String,
}

impl Run for Import {
    async fn run(self, cx: Cx) -> Result<Answer> {
        remember(&cx, json!({"issues": self.issues, "project": self.project}));
        Ok(Answer::done())
    }
}

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
