//! `cloud-apps rotate`: replaces a credential of an install.
//!
//! The bot's token is made on the server with the admin's rights, handed over, and only then the ones before it are
//! revoked: cut off anywhere the bot has a token that works, and the same again ends it.

use super::{
    install::print,
    reach::{Reach, Which, means, settle},
};
use crate::{
    failure::Failure,
    install::{self, ADMIN_TOKEN, Stop, interrupt::Interrupt, person::Terminal},
    terminal,
};
use clap::{Args, Subcommand};
use cloud_apps_protocol::install::{InstallChanged, InstallPatch, Rotation};
use std::{process::ExitCode, sync::Arc};

/// `rotate`.
#[derive(Debug, Args)]
#[command(after_help = format!("{ADMIN_TOKEN} is as for `install`: `cloud-apps install --help`; bot-token needs it."))]
pub struct Rotate {
    /// What to replace.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Args)]
struct At {
    /// Which install.
    #[command(flatten)]
    which: Which,
    /// Where the bundle is.
    #[command(flatten)]
    reach: Reach,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The bot's token: a new one is made on the server, the old ones are revoked.
    BotToken(At),
    /// The secret that the bundle shares with a server that speaks V2. The one before is good for another day.
    SharedSecret(At),
    /// The static token of an install that has one. The one before is over at once.
    StaticToken(At),
    /// The secret of a vendor's webhook. The one before is good for another day.
    Webhook {
        #[command(flatten)]
        at: At,
        /// The webhook's path.
        #[arg(long, value_name = "PATH")]
        path: String,
    },
}

/// Replaces a credential.
pub async fn run(arguments: Rotate) -> Result<ExitCode, Failure> {
    let (at, rotation) = match arguments.what {
        What::BotToken(at) => return bot_token(at).await,
        What::SharedSecret(at) => (at, Rotation::SharedSecret),
        What::StaticToken(at) => (at, Rotation::StaticToken),
        What::Webhook { at, path } => (at, Rotation::Webhook { path }),
    };
    let bundle = at.reach.bundle("A manage code of the install").await?;
    let view = at.which.install(&bundle).await?;
    let changed = bundle.change(&view.install_id, &InstallPatch::Rotate(rotation)).await;
    let changed = changed.map_err(|trouble| trouble.failure(bundle.base_url()))?;
    if at.json {
        return print(true, &changed, Vec::new);
    }
    show(&changed);
    Ok(ExitCode::SUCCESS)
}

/// The secret alone on standard output, so that a script can take it; what to do with it beside it.
fn show(changed: &InstallChanged) {
    let id = &changed.install.install_id;
    let shown = [
        (&changed.shared_secret, "The shared secret of the server's side, shown once"),
        (&changed.static_token, "The static token, shown once"),
        (&changed.webhook_secret, "The webhook's secret, shown once"),
    ];
    for (secret, what) in shown {
        if let Some(secret) = secret {
            let kid = changed.kid.as_deref().map(|kid| format!(" (kid {kid})")).unwrap_or_default();
            terminal::err(format!("{what}{kid}, of install {id}:"));
            terminal::out(secret);
        }
    }
}

async fn bot_token(at: At) -> Result<ExitCode, Failure> {
    let person: Arc<Terminal> = Arc::default();
    let on = "The bot has a token that works. `cloud-apps rotate bot-token` again ends what was begun.";
    let interrupt = Interrupt::listen(person.clone(), on.to_owned());
    let bundle = at.reach.bundle("A manage code of the install").await?;
    let view = at.which.install(&bundle).await?;
    let means = means(&at.reach, bundle, &view.site_url, &*person, interrupt)?;
    let outcome = install::rotate_bot_token(&means, &view).await;
    if matches!(outcome, Err(Stop::Interrupted)) {
        return Ok(ExitCode::from(130));
    }
    let rotated = settle(&means, outcome)?;
    print(at.json, &rotated, || {
        let who = format!("@{} of {}", rotated.bot, rotated.install_id);
        vec![format!("{who} has a new token; {} before it revoked.", rotated.revoked).into()]
    })
}
