//! The commands of the pages. What can be run without AWS and without the network is run, against a bundle on this
//! machine with its demo; of the rest of `cloud-apps` the names and options are checked; everything else is listed.

use super::pages::{Block, pages, root, text};
use crate::{Said, Serving, program, said};

/// Commands that are not run, by the page and how they begin, and why.
const NOT_RUN: [(&str, &str, &str); 14] = [
    ("README.md", "sam build", "it needs the AWS SAM CLI; `make test` builds the same template"),
    (
        "README.md",
        "sam deploy",
        "it needs AWS credentials; `make test` deploys the same template to an emulator",
    ),
    ("docs/operate.md", "sam build", "it needs the AWS SAM CLI; `make test` builds the same template"),
    (
        "docs/operate.md",
        "sam deploy",
        "it needs AWS credentials; `make test` deploys the same template to an emulator",
    ),
    ("events/README.md", "sam build", "it needs the AWS SAM CLI; `make test` builds the same template"),
    ("events/README.md", "sam local invoke", "it needs Docker; `make test` does it for each event"),
    (
        "docs/other-languages.md",
        "export ",
        "the test `the_examples_are_registered_…` sets the same variables",
    ),
    ("docs/other-languages.md", "cd ", "it is for the commands after it"),
    (
        "docs/other-languages.md",
        "python3 app.py",
        "the test `the_examples_are_registered_…` starts the same program",
    ),
    ("docs/other-languages.md", "cargo run -p cloud-apps -- serve", "this test serves already"),
    ("docs/other-languages.md", "cloud-apps ", "the test `the_examples_are_registered_…` goes the same way"),
    ("local/skeleton/README.md.in", "cargo ", "`make test` makes a workspace and tries it"),
    ("local/skeleton/README.md.in", "sam build", "it needs the AWS SAM CLI"),
    ("local/skeleton/README.md.in", "sam deploy", "it needs AWS credentials"),
];

/// Commands that are refused in the demo, because installs depend on the key.
const REFUSED: [&str; 1] = ["keys revoke"];

/// One command of a page.
struct Command {
    page: String,
    line: usize,
    text: String,
}

/// What is done with a command.
enum Plan {
    /// Run with these arguments; what it is piped into is not.
    Run(Vec<String>),
    /// The program knows these names and options.
    Known(Vec<String>),
    /// The Makefile has this target.
    Make(String),
    Listed,
}

/// The commands of a block: of a console what follows `$`, of a script every line. Notes after `  #` are no part of them.
fn commands(page: &str, block: &Block) -> Vec<Command> {
    let mut found = Vec::new();
    for (n, line) in block.text.lines().enumerate() {
        let line = match block.language.as_str() {
            "console" => line.strip_prefix("$ ").unwrap_or_default(),
            _ => line,
        };
        for part in line.split("  #").next().unwrap_or_default().split("&&") {
            let text = part.trim();
            if !text.is_empty() && !text.starts_with('#') {
                found.push(Command {
                    page: page.to_owned(),
                    line: block.line + n + 1,
                    text: text.to_owned(),
                });
            }
        }
    }
    found
}

/// Words as a shell splits them, with double quotes and no other sign.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (n, part) in text.split('"').enumerate() {
        if n % 2 == 1 {
            // `--line "…"` is a word of its own, and so is an empty one.
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The arguments, where this is the program of this project.
fn arguments(text: &str) -> Option<Vec<String>> {
    let text = text.split('|').next().unwrap_or_default();
    ["cloud-apps ", "target/debug/cloud-apps ", "cargo run -p cloud-apps -- ", "cargo run -p local -- "]
        .iter()
        .find_map(|program| text.strip_prefix(program))
        .map(words)
}

fn plan(command: &Command) -> Result<Plan, String> {
    let listed =
        NOT_RUN.iter().any(|(page, start, _)| *page == command.page && command.text.starts_with(start));
    match arguments(&command.text) {
        // A stack is in AWS.
        Some(arguments) if listed || arguments.iter().any(|word| word == "--stack") => {
            Ok(Plan::Known(arguments))
        }
        Some(arguments) => Ok(Plan::Run(arguments)),
        None if listed => Ok(Plan::Listed),
        None => match command.text.strip_prefix("make ") {
            Some(target) => Ok(Plan::Make(target.split(' ').next().unwrap_or_default().to_owned())),
            None => Err("run this here, or list it with the reason why not".to_owned()),
        },
    }
}

/// The arguments in the demo: its server and its team for those of the page, and yes to what is asked.
fn in_the_demo(arguments: &[String], site: &str) -> Vec<String> {
    let mut words: Vec<String> = arguments
        .iter()
        .map(|word| match word.as_str() {
            "https://chat.example.com" => site.to_owned(),
            "ops" | "another-team" => "demo".to_owned(),
            other => other.to_owned(),
        })
        .collect();
    if let Some("install" | "uninstall") = words.first().map(String::as_str) {
        words.push("--yes".to_owned());
    }
    words
}

/// Runs a command beside a bundle that serves.
fn run(bundle: &Serving, site: &str, arguments: &[String]) -> Said {
    let mut command = program();
    command.env("CLOUD_APPS_DATA", bundle.data()).current_dir(root()).args(in_the_demo(arguments, site));
    said(command.output().unwrap())
}

/// The program knows the command: asked for its help, it reads what stands before that.
fn known(arguments: &[String]) -> Result<(), String> {
    // The file after --ca is read before anything else.
    let files = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");
    let told = said(program().current_dir(files).args(arguments).arg("--help").output().unwrap());
    (told.code == 0).then_some(()).ok_or(told.err)
}

fn check(command: &Command, bundle: &Serving, site: &str) -> Result<(), String> {
    match plan(command)? {
        Plan::Listed => Ok(()),
        Plan::Known(arguments) => known(&arguments),
        Plan::Make(target) => {
            let has = text("Makefile").lines().any(|line| line.starts_with(&format!("{target}:")));
            has.then_some(()).ok_or_else(|| format!("the Makefile has no target {target}"))
        }
        Plan::Run(arguments) => {
            if arguments.first().is_some_and(|word| word == "install") {
                // The demo has its apps installed.
                let uninstall = ["uninstall", "hello", "--site", site].map(str::to_owned);
                run(bundle, site, &uninstall);
            }
            let refused = REFUSED.iter().any(|refused| command.text.contains(refused));
            let told = run(bundle, site, &arguments);
            (told.code == i32::from(refused))
                .then_some(())
                .ok_or_else(|| format!("it ended with {}: {}{}", told.code, told.out, told.err))
        }
    }
}

#[test]
fn every_command_of_every_page_runs_or_is_listed() {
    let mut wrong = Vec::new();
    let mut found = 0;
    let mut listed: Vec<_> = NOT_RUN.iter().collect();
    for page in pages() {
        let shells = page.blocks.iter().filter(|block| ["console", "sh"].contains(&block.language.as_str()));
        let commands: Vec<Command> = shells.flat_map(|block| commands(&page.path, block)).collect();
        if commands.is_empty() {
            continue;
        }
        // Each page begins with the demo as it is when it starts.
        let bundle = Serving::start();
        let site = bundle.demo()["site_url"].as_str().unwrap().to_owned();
        for command in commands {
            found += 1;
            listed.retain(|(page, start, _)| *page != command.page || !command.text.starts_with(start));
            if let Err(why) = check(&command, &bundle, &site) {
                wrong.push(format!("{}:{}: `{}`: {why}", command.page, command.line, command.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(listed.is_empty(), "listed, and on no page: {listed:?}");
    assert!(found > 25, "only {found} commands were found");
}

#[test]
fn a_command_that_nobody_planned_for_is_not_passed_over() {
    let block = Block {
        language: "console".into(),
        about: String::new(),
        text: "$ curl https://example.com\nwhat it answers\n$ cloud-apps frobnicate --stack s   # a note\n"
            .into(),
        line: 7,
    };
    let found = commands("README.md", &block);
    assert_eq!(found.iter().map(|command| command.line).collect::<Vec<_>>(), [8, 10]);
    assert!(plan(&found[0]).is_err());
    let Ok(Plan::Known(arguments)) = plan(&found[1]) else { panic!("a stack is in AWS") };
    assert_eq!(arguments, ["frobnicate", "--stack", "s"]);
    assert!(known(&arguments).is_err());
}
