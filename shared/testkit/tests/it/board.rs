//! An app with every kind of action.

use cloud_app::{
    message::{Action, Button, Checkbox, Select, Style},
    prelude::*,
    protocol::{FunctionName, Values},
};

pub fn app() -> App {
    App::new("board", "1.0.0", "Board")
        .permissions([Permission::ActAsBot])
        .locations([Location::MessageBox, Location::PostAction, Location::Dialog])
        .command::<Show>()
        .command::<Mine>()
        .command::<Assign>()
        .command::<Move>()
        .command::<Watch>()
        .command::<Once>()
        .command::<Remove>()
        .command::<Go>()
        .preset::<Move>("finish", "Finish", json!({"status": "done"}), [])
}

fn name(function: &str) -> FunctionName {
    function.parse().unwrap()
}

fn values(values: &serde_json::Value) -> Values {
    values.as_object().unwrap().clone()
}

/// The message of a task: its buttons, and what they have done.
fn task(issue: &str, said: &str) -> Vec<Block> {
    let issue = values(&json!({ "issue": issue }));
    let actions: [Action; 6] = [
        Button { style: Style::Primary, ..Button::run("Assign to me", name("assign"), issue.clone()) }.into(),
        Button { once: true, ..Button::run("Take once", name("once"), issue.clone()) }.into(),
        Button::run("Delete", name("remove"), issue.clone()).into(),
        Button::run("Go", name("go"), Values::new()).into(),
        Button { disabled: true, ..Button::run("Never", name("remove"), issue.clone()) }.into(),
        Button::preset(name("finish")).into(),
    ];
    let status = Select {
        label: "Status".into(),
        field: name("status"),
        function: name("move"),
        values: issue.clone(),
        disabled: false,
        state: json!({"from": "menu"}),
        once: false,
        expires_in: None,
    };
    let watch = Checkbox {
        label: String::new(),
        field: name("on"),
        value: false,
        function: name("watch"),
        values: issue,
        tooltip: String::new(),
        disabled: false,
        state: json!(null),
        once: false,
        expires_in: None,
    };
    vec![
        Block::text(said),
        Block::actions(actions),
        Block::actions([Action::from(status), Action::from(watch)]),
    ]
}

/// Shows a task to everybody.
#[derive(Command)]
struct Show {
    /// Which task.
    #[field(positional)]
    issue: String,
}

impl Run for Show {
    async fn run(self, _: Cx) -> Result<Answer> {
        Ok(Answer::public(format!("Task {}", self.issue)).blocks(task(&self.issue, "Nobody has it.")))
    }
}

/// Shows a task to the user alone.
#[derive(Command)]
struct Mine {
    /// Which task.
    #[field(positional)]
    issue: String,
}

impl Run for Mine {
    async fn run(self, _: Cx) -> Result<Answer> {
        Ok(Answer::text(format!("Your task {}", self.issue)).blocks(task(&self.issue, "Nobody has it.")))
    }
}

/// The message in place of the one that was clicked.
fn replaced(text: String, said: &str) -> Answer {
    let mut answer = Answer::public(text).blocks(task("MM-1", said));
    if let cloud_app::protocol::answer::Kind::Message(message) = &mut answer.kind {
        message.replace = true;
    }
    answer
}

/// Assigns a task.
#[derive(Command)]
struct Assign {
    /// Which task.
    issue: String,
}

impl Run for Assign {
    async fn run(self, cx: Cx) -> Result<Answer> {
        let who = cx.username(&cx.acting_user()?.clone()).await?;
        Ok(replaced(format!("Task {}", self.issue), &format!("@{who} has it.")))
    }
}

/// Changes the status.
#[derive(Command)]
struct Move {
    /// Which task.
    issue: Option<String>,
    /// Which status.
    status: Status,
}

#[derive(Choice)]
enum Status {
    /// Open
    Open,
    /// Done
    Done,
}

impl Run for Move {
    async fn run(self, _: Cx) -> Result<Answer> {
        let status = match self.status {
            Status::Open => "open",
            Status::Done => "done",
        };
        Ok(Answer::text(format!("{} is {status}.", self.issue.unwrap_or_default())))
    }
}

/// Watches a task.
#[derive(Command)]
struct Watch {
    /// Which task.
    issue: String,
    /// Whether to watch it.
    on: bool,
}

impl Run for Watch {
    async fn run(self, _: Cx) -> Result<Answer> {
        Ok(Answer::text(format!("watched {}: {}", self.issue, self.on)))
    }
}

/// Is run once.
#[derive(Command)]
struct Once {
    /// Which task.
    issue: String,
}

impl Run for Once {
    async fn run(self, cx: Cx) -> Result<Answer> {
        if cx.username(&cx.acting_user()?.clone()).await?.as_str() == "carol" {
            return Err(Failure::say("Carol may not."));
        }
        Ok(Answer::text(format!("{} is yours.", self.issue)))
    }
}

/// Removes a task.
#[derive(Command)]
#[command(confirm)]
struct Remove {
    /// Which task.
    issue: String,
}

impl Run for Remove {
    async fn run(self, _: Cx) -> Result<Answer> {
        Ok(Answer::public(format!("{} was removed.", self.issue)))
    }
}

/// Goes somewhere.
#[derive(Command)]
struct Go;

impl Run for Go {
    async fn run(self, _: Cx) -> Result<Answer> {
        Ok(Answer::navigate("https://jira.example.com/MM-1"))
    }
}
