//! `cloud-apps init`: a new workspace. It depends on the crates of Cloud Apps. Only the template, its settings and the sample
//! events are copied, so that the author can change them.

use super::event;
use crate::{
    failure::{Failure, file},
    terminal,
};
use clap::Args;
use cloud_apps_protocol::{AppId, Manifest, PROTOCOL};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The app's id, and the name of the new folder.
    name: String,
    /// The folder in which the new folder is made.
    #[arg(long, value_name = "DIR", default_value = ".")]
    into: PathBuf,
    /// A checkout of Cloud Apps to build against. Without it: the one that this command was built from.
    #[arg(long, value_name = "DIR")]
    checkout: Option<PathBuf>,
}

macro_rules! skeleton {
    ($($to:literal from $from:literal),* $(,)?) => {
        &[$(($to, include_str!(concat!("../../../skeleton/", $from)))),*]
    };
}

/// Files with `{{…}}` to fill in.
const SKELETON: &[(&str, &str)] = skeleton![
    "Cargo.toml" from "Cargo.toml.in",
    ".cargo/config.toml" from ".cargo/config.toml.in",
    ".gitignore" from "gitignore.in",
    "README.md" from "README.md.in",
    "app/Cargo.toml" from "app/Cargo.toml.in",
    "app/src/lib.rs" from "app/src/lib.rs.in",
    "app/tests/hello.rs" from "app/tests/hello.rs.in",
    "functions/command/Cargo.toml" from "functions/command/Cargo.toml.in",
    "functions/command/src/main.rs" from "functions/command/src/main.rs.in",
    "functions/autocomplete/Cargo.toml" from "functions/autocomplete/Cargo.toml.in",
    "functions/autocomplete/src/main.rs" from "functions/autocomplete/src/main.rs.in",
    "functions/event/Cargo.toml" from "functions/event/Cargo.toml.in",
    "functions/event/src/event.rs" from "functions/event/src/event.rs.in",
    "functions/event/src/deliver.rs" from "functions/event/src/deliver.rs.in",
    "functions/install/Cargo.toml" from "functions/install/Cargo.toml.in",
    "functions/install/src/main.rs" from "functions/install/src/main.rs.in",
    "local/Cargo.toml" from "local/Cargo.toml.in",
    "local/src/main.rs" from "local/src/main.rs.in",
];

/// The crates that a workspace depends on, and their folders in a checkout.
const CRATES: [(&str, &str); 4] = [
    ("cloud-app", "shared/app"),
    ("cloud-app-testkit", "shared/testkit"),
    ("cloud-apps", "local"),
    ("cloud-apps-aws", "shared/aws"),
];

/// Files that differ only in the app's name.
const COPIED: &[(&str, &str)] = &[
    ("template.yaml", include_str!("../../../../template.yaml")),
    ("samconfig.toml", include_str!("../../../../samconfig.toml")),
];

/// Creates the workspace.
pub fn run(arguments: &Init) -> Result<ExitCode, Failure> {
    let name = AppId::new(arguments.name.clone())
        .map_err(|e| Failure::usage(e.to_string()).hint("`cloud-apps init mine`"))?;
    takes_any_server(&name)?;
    let root = arguments.into.join(name.as_str());
    if root.exists() {
        return Err(Failure::new(format!("{} already exists", root.display()))
            .hint("choose another name, or remove it; nothing was changed"));
    }
    let checkout = checkout(arguments.checkout.as_deref())?;
    for (path, text) in SKELETON {
        write(&root.join(path), &fill(text, &name, &checkout))?;
    }
    for (path, text) in COPIED {
        write(&root.join(path), &rename(text, &name))?;
    }
    for (path, text) in event::committed(&name)? {
        write(&root.join("events").join(path), &text)?;
    }
    let here = root.display();
    for line in [
        format!("Created {here}: an app, its functions, a template, sample events and a test."),
        String::new(),
        "Next:".to_owned(),
        format!("  cd {here}"),
        "  cargo run -p local -- serve".to_owned(),
        format!("  cargo run -p local -- run \"/{name} hello @bob\"   # in another terminal"),
        "  cargo test".to_owned(),
    ] {
        terminal::out(line);
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses names that no server takes for a command or a bot. Names of crates and keywords are no trouble: the crate is
/// called `app` whatever the app's id is.
fn takes_any_server(name: &AppId) -> Result<(), Failure> {
    let manifest =
        serde_json::json!({ "protocol": PROTOCOL, "id": name, "version": "0.1.0", "display_name": name });
    let Err(problems) = Manifest::parse(&manifest.to_string()) else { return Ok(()) };
    let why = problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join(" ");
    Err(Failure::usage(format!("an app cannot be called {name}. {why}")).hint("choose another name"))
}

/// The checkout to build against: the one that is named, else the one that this command was built from.
fn checkout(path: Option<&Path>) -> Result<String, Failure> {
    let built_from = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let root = path.unwrap_or(built_from).canonicalize().map_err(|error| {
        file("find the checkout", path.unwrap_or(built_from))(error)
            .hint("name a checkout of Cloud Apps with --checkout")
    })?;
    if !root.join("shared/app/Cargo.toml").exists() {
        return Err(Failure::usage(format!("{} is not a checkout of Cloud Apps", root.display()))
            .hint("--checkout names the folder that holds shared/ and template.yaml"));
    }
    root.to_str().map(str::to_owned).ok_or_else(|| Failure::usage(format!("{} is not UTF-8", root.display())))
}

fn fill(text: &str, name: &AppId, checkout: &str) -> String {
    let mut text = text.replace("{{name}}", name.as_str());
    for (package, folder) in CRATES {
        let source = format!("{{ path = {:?} }}", format!("{checkout}/{folder}"));
        text = text.replace(&format!("{{{{{package}}}}}"), &source);
    }
    text
}

/// The stack is named after the app.
fn rename(text: &str, name: &AppId) -> String {
    text.replace("stack_name = \"cloud-apps\"", &format!("stack_name = \"{name}\""))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(file("make", folder))?;
    }
    fs::write(path, text).map_err(file("write", path))
}
