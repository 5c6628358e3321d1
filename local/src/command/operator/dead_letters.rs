//! `cloud-apps operator dead-letters`: jobs that failed for good.

use crate::{
    command::{
        installs::install_ids,
        shared::{
            operator_client::ask,
            options::OperatorOptions,
            output::{date, print},
        },
    },
    failure::Failure,
    install::bundle::Bundle,
    terminal::Line,
};
use clap::{Args, Subcommand};
use cloud_apps_core::operator::{LetterView, OperatorAnswer, OperatorRequest};
use cloud_apps_protocol::InstallId;
use std::process::ExitCode;

/// `operator dead-letters`.
#[derive(Debug, Args)]
pub struct DeadLetters {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List dead letters.
    List {
        /// Only those of this install. Without it, all are listed.
        #[arg(long, value_name = "ID")]
        install: Option<InstallId>,
    },
    /// Queue a job again, from its first attempt.
    SendBack(Letter),
    /// Delete a job.
    Discard(Letter),
}

#[derive(Debug, Args)]
struct Letter {
    /// The job's id, as `list` shows it.
    id: String,
    /// The install that the job belongs to. Without it, the job belongs to none.
    #[arg(long, value_name = "ID")]
    install: Option<InstallId>,
}

/// Lists dead letters, sends one back or discards one.
pub async fn run(at: &OperatorOptions, arguments: DeadLetters) -> Result<ExitCode, Failure> {
    let letters = match arguments.command {
        Command::List { install } => list(&at.bundle().await?, install).await?,
        Command::SendBack(Letter { id, install }) => {
            one(at, OperatorRequest::SendBack { install_id: install, id }).await?
        }
        Command::Discard(Letter { id, install }) => {
            one(at, OperatorRequest::Discard { install_id: install, id }).await?
        }
    };
    print(at.json, &letters, || {
        let lines: Vec<_> = letters.iter().map(line).collect();
        if lines.is_empty() { vec!["There are no dead letters.".into()] } else { Line::all(lines) }
    })
}

async fn list(bundle: &Bundle, install: Option<InstallId>) -> Result<Vec<LetterView>, Failure> {
    let of = match install {
        Some(install) => vec![Some(install)],
        // Those that belong to no install, and those of each.
        None => [None].into_iter().chain(install_ids(bundle, None).await?.into_iter().map(Some)).collect(),
    };
    let mut letters = Vec::new();
    for install_id in of {
        let page = async |cursor| {
            let request = OperatorRequest::DeadLetters { install_id: install_id.clone(), cursor };
            match bundle.operator("listing dead letters", &request).await? {
                OperatorAnswer::DeadLetters { dead_letters, cursor } => Ok((dead_letters, cursor)),
                _ => Ok((Vec::new(), None)),
            }
        };
        let all = bundle.pages(page).await;
        letters.extend(all.map_err(|trouble| trouble.failure(bundle.base_url()))?);
    }
    Ok(letters)
}

async fn one(at: &OperatorOptions, request: OperatorRequest) -> Result<Vec<LetterView>, Failure> {
    match ask(&at.client().await?, &request).await? {
        OperatorAnswer::DeadLetter { dead_letter } => Ok(vec![dead_letter]),
        _ => Ok(Vec::new()),
    }
}

fn line(letter: &LetterView) -> String {
    let kind = letter.kind.as_deref().unwrap_or("(unreadable)");
    let tries = letter.attempts;
    let install = letter.install_id.as_ref().map_or("(no install)", |install| install.as_str());
    format!(
        "{}  {install}  {kind:<8} given up {} after {tries} tries: {}",
        letter.id,
        date(letter.at),
        letter.reason
    )
}
