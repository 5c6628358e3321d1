//! `cloud-apps rotate`: replaces a credential of an install.
//!
//! The bot's token is made on the server with the admin's rights and handed to the bundle. Only then the tokens before it are
//! revoked. Wherever that is cut off, the bot has a token that works, and the same command ends it.

use crate::{
    command::shared::{
        connect::{installer, settle},
        managed::ManagedInstall,
        output::{print, print_json},
    },
    failure::Failure,
    install::{ADMIN_TOKEN, Stop, interrupt, person::Terminal, rotate_bot_token, rotation_id::BegunRotation},
    terminal,
};
use clap::{Args, Subcommand};
use cloud_apps_core::{http::system_now, install::TokenEnd};
use cloud_apps_protocol::install::{InstallChanged, InstallPatch, Rotation};
use std::{process::ExitCode, sync::Arc};

/// `rotate`.
#[derive(Debug, Args)]
pub struct Rotate {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Replace the bot's token: a new one is made on the server, and all others are revoked.
    #[command(after_help = format!("{ADMIN_TOKEN}: see `cloud-apps install --help`."))]
    BotToken(ManagedInstall),
    /// Replace the secret that the bundle shares with a server that speaks V2 (the project's signed protocol). The old one stays
    /// valid for 24 hours for what users and the bot do. Operators only.
    SharedSecret {
        #[command(flatten)]
        install: ManagedInstall,
        /// End the old secret at once, because somebody else knows it. The server is refused until it has the new one.
        #[arg(long)]
        now: bool,
    },
    /// Replace the static token of an install that has one. The old one ends at once. Operators only.
    StaticToken(ManagedInstall),
    /// Replace the secret of a vendor's webhook. The old one stays valid for 24 hours. Operators only.
    Webhook {
        #[command(flatten)]
        install: ManagedInstall,
        /// The webhook's path.
        #[arg(long, value_name = "PATH")]
        path: String,
    },
}

/// Replaces a credential.
pub async fn run(arguments: Rotate) -> Result<ExitCode, Failure> {
    let (install, rotation) = match arguments.command {
        Command::BotToken(install) => return bot_token(install).await,
        Command::SharedSecret { install, now } => return shared_secret(install, now).await,
        Command::StaticToken(install) => (install, Rotation::StaticToken),
        Command::Webhook { install, path } => (install, Rotation::Webhook { path }),
    };
    let (bundle, view) = install.find_as_operator(REPLACING).await?;
    let changed = bundle.change(&view.install_id, &InstallPatch::Rotate(rotation)).await;
    let changed = changed.map_err(|trouble| trouble.failure(bundle.base_url()))?;
    done(&install, &changed)
}

/// The new credential would outlive a manage code, so only an operator may replace it.
const REPLACING: &str = "replacing this credential";

/// The id of the rotation stays on this machine until the answer is shown, so that the same command can get it again.
async fn shared_secret(install: ManagedInstall, now: bool) -> Result<ExitCode, Failure> {
    let (bundle, view) = install.find_as_operator(REPLACING).await?;
    let begun = BegunRotation::open(&install.at.rotations()?, &view.install_id, system_now())?;
    let patch = InstallPatch::Rotate(Rotation::SharedSecret { rotation: begun.id().clone(), now });
    match bundle.change(&view.install_id, &patch).await {
        Ok(changed) => {
            let code = done(&install, &changed)?;
            begun.close()?;
            if !install.json {
                terminal::err(if now {
                    "The old one has ended: the server is refused until it has this one."
                } else {
                    "Give it to the server. The old one stays valid for 24 hours for what users and the bot do. If somebody else \
                     knows it, rotate again with --now."
                });
            }
            Ok(code)
        }
        Err(trouble) if trouble.transient() => Err(trouble.failure(bundle.base_url()).hint(
            "the secret may have been replaced: run the same command again within 10 minutes to get it",
        )),
        Err(trouble) => {
            begun.close()?;
            Err(trouble.failure(bundle.base_url()))
        }
    }
}

fn done(install: &ManagedInstall, changed: &InstallChanged) -> Result<ExitCode, Failure> {
    if install.json {
        return print_json(changed);
    }
    show(changed);
    Ok(ExitCode::SUCCESS)
}

/// Shows the secret alone on standard output, so that a script can take it, and on standard error what to do with it.
fn show(changed: &InstallChanged) {
    let id = &changed.install.install_id;
    let shown = [
        (&changed.shared_secret, "The new shared secret, shown once"),
        (&changed.static_token, "The new static token, shown once"),
        (&changed.webhook_secret, "The new secret of the webhook, shown once"),
    ];
    for (secret, what) in shown {
        if let Some(secret) = secret {
            let kid = changed.kid.as_deref().map(|kid| format!(" (kid {kid})")).unwrap_or_default();
            terminal::err(format!("{what}{kid}, of install {id}:"));
            terminal::out(secret);
        }
    }
}

async fn bot_token(install: ManagedInstall) -> Result<ExitCode, Failure> {
    let person: Arc<Terminal> = Arc::default();
    let on = "The bot has a token that works. Run `cloud-apps rotate bot-token` again to end what was begun.";
    let interrupt = interrupt::on_signals(person.clone(), on.to_owned());
    let (bundle, view) = install.find().await?;
    let site = install.which.site(&bundle, &view)?.clone();
    let installer = installer(&install.at, bundle, &site, &*person, interrupt)?;
    let outcome = rotate_bot_token(&installer, &view).await;
    if matches!(outcome, Err(Stop::Interrupted)) {
        return Ok(ExitCode::from(130));
    }
    let rotated = settle(&installer, outcome)?;
    print(install.json, &rotated, || {
        let who = format!("@{} of {}", rotated.bot, rotated.install_id);
        let end = rotated.expires_at.map(|end| format!(" It {}.", TokenEnd(end).words(system_now())));
        let end = end.unwrap_or_default();
        vec![format!("{who} has a new token.{end} Old tokens revoked: {}.", rotated.revoked).into()]
    })
}
