//! `cloud-apps rotate`: replaces a credential of an install.
//!
//! The bot's token is made on the server with the admin's rights and handed to the bundle. Only then the tokens before it are
//! revoked. Wherever that is cut off, the bot has a token that works, and the same command ends it.

use crate::{
    command::{
        connect::{MANAGE_CODE, installer, settle},
        options::{BundleOptions, InstallOptions},
        output::{print, print_json},
    },
    failure::Failure,
    install::{
        self, ADMIN_TOKEN, Stop, bundle::Bundle, interrupt, person::Terminal, rotation_id::BegunRotation,
    },
    terminal,
};
use clap::{Args, Subcommand};
use cloud_apps_core::http::system_now;
use cloud_apps_protocol::install::{InstallChanged, InstallPatch, InstallView, Rotation};
use std::{process::ExitCode, sync::Arc};

/// `rotate`.
#[derive(Debug, Args)]
pub struct Rotate {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct At {
    #[command(flatten)]
    which: InstallOptions,
    #[command(flatten)]
    at: BundleOptions,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Replace the bot's token: a new one is made on the server, and all others are revoked.
    #[command(after_help = format!("{ADMIN_TOKEN}: see `cloud-apps install --help`."))]
    BotToken(At),
    /// Replace the secret that the bundle shares with a server that speaks V2 (the project's signed protocol). The old one stays
    /// valid for 24 hours for what users and the bot do. Operators only.
    SharedSecret {
        #[command(flatten)]
        at: At,
        /// End the old secret at once, because somebody else knows it. The server is refused until it has the new one.
        #[arg(long)]
        now: bool,
    },
    /// Replace the static token of an install that has one. The old one ends at once. Operators only.
    StaticToken(At),
    /// Replace the secret of a vendor's webhook. The old one stays valid for 24 hours. Operators only.
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
    let (at, rotation) = match arguments.command {
        Command::BotToken(at) => return bot_token(at).await,
        Command::SharedSecret { at, now } => return shared_secret(at, now).await,
        Command::StaticToken(at) => (at, Rotation::StaticToken),
        Command::Webhook { at, path } => (at, Rotation::Webhook { path }),
    };
    let (bundle, view) = at.find().await?;
    let changed = bundle.change(&view.install_id, &InstallPatch::Rotate(rotation)).await;
    let changed = changed.map_err(|trouble| trouble.failure(bundle.base_url()))?;
    at.done(&changed)
}

impl At {
    /// The bundle and the install, for an operator: the new credential would outlive a manage code.
    async fn find(&self) -> Result<(Bundle, InstallView), Failure> {
        let bundle = self.at.operator("replacing this credential").await?;
        let view = self.which.install(&bundle).await?;
        Ok((bundle, view))
    }

    fn done(&self, changed: &InstallChanged) -> Result<ExitCode, Failure> {
        if self.json {
            return print_json(changed);
        }
        show(changed);
        Ok(ExitCode::SUCCESS)
    }
}

/// The id of the rotation stays on this machine until the answer is shown, so that the same command can get it again.
async fn shared_secret(at: At, now: bool) -> Result<ExitCode, Failure> {
    let (bundle, view) = at.find().await?;
    let begun = BegunRotation::open(&at.at.rotations()?, &view.install_id, system_now())?;
    let patch = InstallPatch::Rotate(Rotation::SharedSecret { rotation: begun.id().clone(), now });
    match bundle.change(&view.install_id, &patch).await {
        Ok(changed) => {
            let code = at.done(&changed)?;
            begun.close()?;
            if !at.json {
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

async fn bot_token(at: At) -> Result<ExitCode, Failure> {
    let person: Arc<Terminal> = Arc::default();
    let on = "The bot has a token that works. Run `cloud-apps rotate bot-token` again to end what was begun.";
    let interrupt = interrupt::on_signals(person.clone(), on.to_owned());
    let bundle = at.at.bundle(MANAGE_CODE).await?;
    let view = at.which.install(&bundle).await?;
    let site = at.which.site(&bundle, &view)?.clone();
    let installer = installer(&at.at, bundle, &site, &*person, interrupt)?;
    let outcome = install::rotate_bot_token(&installer, &view).await;
    if matches!(outcome, Err(Stop::Interrupted)) {
        return Ok(ExitCode::from(130));
    }
    let rotated = settle(&installer, outcome)?;
    print(at.json, &rotated, || {
        let who = format!("@{} of {}", rotated.bot, rotated.install_id);
        vec![format!("{who} has a new token. Old tokens revoked: {}.", rotated.revoked).into()]
    })
}
