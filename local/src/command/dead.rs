//! `cloud-apps dead`: jobs that were given up.

use super::{install::print, list::installs, operator::date, reach::Reach};
use crate::{failure::Failure, terminal::Line};
use clap::{Args, Subcommand};
use cloud_apps_core::operator::{LetterView, OperatorAnswer, OperatorRequest};
use cloud_apps_protocol::InstallId;
use std::process::ExitCode;

/// `dead`.
#[derive(Debug, Args)]
pub struct Dead {
    /// What to do.
    #[command(subcommand)]
    what: DeadCommand,
}

#[derive(Debug, Args)]
struct On {
    /// Of this install; without it, all are listed, and send-back and discard mean one of no install.
    #[arg(long, value_name = "ID")]
    install: Option<InstallId>,
    /// Where the bundle is.
    #[command(flatten)]
    reach: Reach,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum DeadCommand {
    /// List the jobs that were given up.
    List(On),
    /// Queue such a job again, from its first attempt.
    SendBack {
        /// The job's id, as `list` shows it.
        id: String,
        #[command(flatten)]
        on: On,
    },
    /// Throw such a job away.
    Discard {
        /// The job's id, as `list` shows it.
        id: String,
        #[command(flatten)]
        on: On,
    },
}

/// For what an operator's rights are needed.
const LOOKING: &str = "looking after jobs that were given up";

/// Looks after jobs that were given up.
pub async fn run(arguments: Dead) -> Result<ExitCode, Failure> {
    let (DeadCommand::List(on) | DeadCommand::SendBack { on, .. } | DeadCommand::Discard { on, .. }) =
        &arguments.what;
    let bundle = on.reach.operator(LOOKING).await?;
    let install = on.install.clone();
    let ask = async |request: OperatorRequest| {
        let answer = bundle.operator(LOOKING, &request).await;
        answer.map_err(|trouble| trouble.failure(bundle.base_url()))
    };
    let letters = match &arguments.what {
        DeadCommand::List(_) => {
            // Without one: what is of no install, and what is of any.
            let of = match &install {
                Some(install) => vec![Some(install.clone())],
                None => {
                    [None].into_iter().chain(installs(&bundle, None).await?.into_iter().map(Some)).collect()
                }
            };
            let mut letters = Vec::new();
            for install_id in of {
                let page = async |cursor| {
                    let request = OperatorRequest::DeadLetters { install_id: install_id.clone(), cursor };
                    match bundle.operator(LOOKING, &request).await? {
                        OperatorAnswer::DeadLetters { dead_letters, cursor } => Ok((dead_letters, cursor)),
                        _ => Ok((Vec::new(), None)),
                    }
                };
                let all = bundle.pages(page).await;
                letters.extend(all.map_err(|trouble| trouble.failure(bundle.base_url()))?);
            }
            letters
        }
        DeadCommand::SendBack { id, .. } => {
            one(ask(OperatorRequest::SendBack { install_id: install, id: id.clone() }).await?)
        }
        DeadCommand::Discard { id, .. } => {
            one(ask(OperatorRequest::Discard { install_id: install, id: id.clone() }).await?)
        }
    };
    print(on.json, &letters, || {
        let line = |letter: &LetterView| {
            let kind = letter.kind.as_deref().unwrap_or("(unreadable)");
            let tries = letter.attempts;
            let install = letter.install_id.as_ref().map_or("(no install)", |install| install.as_str());
            format!(
                "{}  {install}  {kind:<8} given up {} after {tries} tries: {}",
                letter.id,
                date(letter.at),
                letter.reason
            )
        };
        let lines: Vec<_> = letters.iter().map(line).collect();
        if lines.is_empty() { vec!["There is none.".into()] } else { Line::all(lines) }
    })
}

fn one(answer: OperatorAnswer) -> Vec<LetterView> {
    match answer {
        OperatorAnswer::DeadLetter { dead_letter } => vec![dead_letter],
        _ => Vec::new(),
    }
}
