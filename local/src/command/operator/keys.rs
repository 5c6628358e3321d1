//! `cloud-apps operator keys`: the key ring of an app.

use crate::{
    command::shared::{
        operator_client::ask,
        options::OperatorOptions,
        output::{date, print},
    },
    failure::Failure,
    terminal::Line,
};
use clap::{Args, Subcommand};
use cloud_apps_core::{
    http::system_now,
    operator::{OperatorAnswer, OperatorRequest},
};
use cloud_apps_protocol::{AppId, KeyId};
use std::process::ExitCode;

/// `operator keys`.
#[derive(Debug, Args)]
pub struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the keys of an app, and how many installs depend on each.
    List {
        /// The app's id.
        app: AppId,
    },
    /// Add a key. It is used after 15 minutes; then what the installs keep is sealed again with it.
    Rotate {
        /// The app's id.
        app: AppId,
    },
    /// Revoke a key at once: what was made with it cannot be verified or opened any more.
    Revoke {
        /// The app's id.
        app: AppId,
        /// The key's id.
        key: KeyId,
        /// Revoke it even if installs still depend on it.
        #[arg(long)]
        force: bool,
    },
}

/// Lists and changes the keys of an app.
pub async fn run(at: &OperatorOptions, arguments: Keys) -> Result<ExitCode, Failure> {
    let (app, request) = match arguments.command {
        Command::List { app } => (app.clone(), OperatorRequest::Keys { app }),
        Command::Rotate { app } => (app.clone(), OperatorRequest::RotateKeys { app }),
        Command::Revoke { app, key, force } => (app.clone(), OperatorRequest::RevokeKey { app, key, force }),
    };
    let OperatorAnswer::Keys { keys } = ask(&at.client().await?, &request).await? else {
        return Err(Failure::new("the bundle's answer is not a key ring")
            .hint("use the `cloud-apps` of the version that is deployed"));
    };
    let now = system_now();
    print(at.json, &keys, || {
        let mut lines =
            vec![format!("{:<8} {:<10} {:<22} {:<22} installs", "key", "state", "created", "used from")];
        for key in &keys {
            let state =
                if key.state == "live" && key.use_from > now { "waiting" } else { key.state.as_str() };
            let from =
                if key.use_from <= key.created_at { "the beginning".to_owned() } else { date(key.use_from) };
            let (id, created) = (key.id.as_str(), date(key.created_at));
            let installs = key.installs.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
            lines.push(format!("{id:<8} {state:<10} {created:<22} {from:<22} {installs}"));
        }
        if let Some(next) = keys.iter().find(|key| key.state == "live" && key.use_from > now) {
            lines.push(format!(
                "Key {} is used from {} on. Then the installs move to it one after the other: `cloud-apps operator keys list \
                 {app}` shows how far they are.",
                next.id,
                date(next.use_from)
            ));
        }
        Line::all(lines)
    })
}
