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
    install::{self, ADMIN_TOKEN, Stop, bundle::Bundle, interrupt::Interrupt, person::Terminal, rotation},
    terminal,
};
use clap::{Args, Subcommand};
use cloud_apps_core::http::system_now;
use cloud_apps_protocol::install::{InstallChanged, InstallPatch, InstallView, Rotation};
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
    /// The secret that the bundle shares with a server that speaks V2. The one before is good for another day, for what
    /// users and the bot do. An operator's.
    SharedSecret {
        #[command(flatten)]
        at: At,
        /// End the secret before it at once: somebody else knows it. The server is refused until it has the new one.
        #[arg(long)]
        now: bool,
    },
    /// The static token of an install that has one. The one before is over at once. An operator's.
    StaticToken(At),
    /// The secret of a vendor's webhook. The one before is good for another day. An operator's.
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
        What::SharedSecret { at, now } => return shared_secret(at, now).await,
        What::StaticToken(at) => (at, Rotation::StaticToken),
        What::Webhook { at, path } => (at, Rotation::Webhook { path }),
    };
    let (bundle, view) = at.find().await?;
    let changed = bundle.change(&view.install_id, &InstallPatch::Rotate(rotation)).await;
    let changed = changed.map_err(|trouble| trouble.failure(bundle.base_url()))?;
    at.done(&changed)
}

impl At {
    /// The bundle and the install, for an operator: what is handed over would outlive a manage code.
    async fn find(&self) -> Result<(Bundle, InstallView), Failure> {
        let bundle = self.reach.operator("replacing this credential").await?;
        let view = self.which.install(&bundle).await?;
        Ok((bundle, view))
    }

    fn done(&self, changed: &InstallChanged) -> Result<ExitCode, Failure> {
        if self.json {
            return print(true, changed, Vec::new);
        }
        show(changed);
        Ok(ExitCode::SUCCESS)
    }
}

/// The id of the rotation stays on this machine until its answer is shown, so that the same command gets it again.
async fn shared_secret(at: At, now: bool) -> Result<ExitCode, Failure> {
    let (bundle, view) = at.find().await?;
    let begun = rotation::Begun::open(&at.reach.rotations()?, &view.install_id, system_now())?;
    let patch = InstallPatch::Rotate(Rotation::SharedSecret { rotation: begun.id().clone(), now });
    match bundle.change(&view.install_id, &patch).await {
        Ok(changed) => {
            let code = at.done(&changed)?;
            begun.close()?;
            if !at.json {
                terminal::err(if now {
                    "The one before is over: the server is refused until it has this one."
                } else {
                    "Give it to the server. The one before is good for 24 hours, for what users and the bot do; if somebody else \
                     knows that one, rotate again with --now."
                });
            }
            Ok(code)
        }
        Err(trouble) if trouble.transient() => Err(trouble
            .failure(bundle.base_url())
            .hint("the secret may have been replaced: run the same again within 10 minutes to get it")),
        Err(trouble) => {
            begun.close()?;
            Err(trouble.failure(bundle.base_url()))
        }
    }
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
    let site = at.which.site(&bundle, &view)?.clone();
    let means = means(&at.reach, bundle, &site, &*person, interrupt)?;
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
