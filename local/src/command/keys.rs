//! `cloud-apps keys`: the key ring of an app.

use super::{install::print, operator::date, reach::Reach};
use crate::{failure::Failure, terminal::Line};
use clap::{Args, Subcommand};
use cloud_apps_core::{
    http::system_now,
    operator::{OperatorAnswer, OperatorRequest},
};
use cloud_apps_protocol::{AppId, KeyId};
use std::process::ExitCode;

/// `keys`.
#[derive(Debug, Args)]
pub struct Keys {
    /// What to do.
    #[command(subcommand)]
    what: KeysCommand,
}

#[derive(Debug, Args)]
struct On {
    /// The app's id.
    app: AppId,
    /// Where the bundle is.
    #[command(flatten)]
    reach: Reach,
    /// Print the keys as JSON.
    #[arg(long)]
    json: bool,
}

/// What is done with a ring.
#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Show the keys of an app's ring, and how many installs depend on each.
    List(On),
    /// Add a key. It is used 15 minutes later; what installs keep is then sealed again.
    Rotate(On),
    /// Revoke a key at once: what was made with it neither verifies nor opens any more.
    Revoke {
        #[command(flatten)]
        on: On,
        /// The key's id.
        key: KeyId,
        /// Although installs still depend on it.
        #[arg(long)]
        force: bool,
    },
}

/// For what an operator's rights are needed.
const LOOKING: &str = "looking after keys";

/// Looks after a key ring.
pub async fn run(arguments: Keys) -> Result<ExitCode, Failure> {
    let (on, request) = match arguments.what {
        KeysCommand::List(on) => {
            let request = OperatorRequest::Keys { app: on.app.clone() };
            (on, request)
        }
        KeysCommand::Rotate(on) => {
            let request = OperatorRequest::RotateKeys { app: on.app.clone() };
            (on, request)
        }
        KeysCommand::Revoke { on, key, force } => {
            let request = OperatorRequest::RevokeKey { app: on.app.clone(), key, force };
            (on, request)
        }
    };
    let bundle = on.reach.operator(LOOKING).await?;
    let answer = bundle.operator(LOOKING, &request).await;
    let OperatorAnswer::Keys { keys } = answer.map_err(|trouble| trouble.failure(bundle.base_url()))? else {
        return Err(Failure::new("the bundle answers something that is no key ring"));
    };
    let now = system_now();
    print(on.json, &keys, || {
        let mut lines =
            vec![format!("{:<8} {:<10} {:<22} {:<22} installs", "key", "state", "made", "used from")];
        for key in &keys {
            let state =
                if key.state == "live" && key.use_from > now { "waiting" } else { key.state.as_str() };
            let from =
                if key.use_from <= key.created_at { "the beginning".to_owned() } else { date(key.use_from) };
            let (id, made) = (key.id.as_str(), date(key.created_at));
            lines.push(format!("{id:<8} {state:<10} {made:<22} {from:<22} {}", key.installs));
        }
        if let Some(next) = keys.iter().find(|key| key.state == "live" && key.use_from > now) {
            lines.push(format!(
                "Key {} is used from {} on. Then the installs move to it one after the other: look again with `keys list`.",
                next.id,
                date(next.use_from)
            ));
        }
        Line::all(lines)
    })
}
