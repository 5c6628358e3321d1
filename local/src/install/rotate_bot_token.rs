//! Replaces the token of an install's bot. A new token is made on the server and handed to the bundle, which tries it. Then every
//! other token is revoked, also those that others made. Wherever that is cut off, the bot has a token that works. A token that was made and
//! never handed over is revoked the next time.

use super::{adopt, installer::Installer, mark::token_description, owner::BundleIdentity, stop::Stop};
use cloud_apps_protocol::{
    InstallId, Millis,
    install::{InstallPatch, InstallView, Rotation},
};
use serde::Serialize;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rotated {
    /// The install.
    pub install_id: InstallId,
    /// The bot's name.
    pub bot: String,
    /// How many tokens were revoked.
    pub revoked: usize,
    /// When the server ends the new token. Absent: it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
}

/// Replaces the token of an install's bot.
pub async fn rotate_bot_token(installer: &Installer<'_>, view: &InstallView) -> Result<Rotated, Stop> {
    let runner = installer.admin.runner();
    let (bot, id) = (view.bot.id.as_str(), &view.install_id);
    installer
        .admin
        .logged_in(async |server| {
            let identity = BundleIdentity::of(&installer.bundle, Some(view));
            runner.step("looked for the bot", async || adopt::own_bot(server, &identity, view).await).await?;
            let before =
                runner.step("looked for the bot's tokens", async || Ok(server.tokens(bot).await?)).await?;
            let description = token_description(&view.app_id, &format!("rotate-{}", view.rev));
            let new = runner
                .step("made a new token", async || Ok(server.create_token(bot, &description).await?))
                .await?;
            let patch = InstallPatch::Rotate(Rotation::BotToken {
                access_token: new.token.clone(),
                token_id: new.id.parse().ok(),
                expires_at: new.end(),
            });
            runner
                .step("handed it to the bundle, which tried it", async || {
                    // If two run at once, only one hands over. The other must not revoke the token that the bundle then has.
                    Ok(installer.bundle.change_at(id, &patch, Some(view.rev)).await?)
                })
                .await?;
            let mut revoked = 0;
            // Also those that somebody made by hand: anybody who has one can act as the bot.
            for token in before.iter().filter(|token| token.id != new.id) {
                runner
                    .step("revoked a token before it", async || Ok(server.revoke_token(&token.id).await?))
                    .await?;
                revoked += 1;
            }
            Ok(Rotated {
                install_id: id.clone(),
                bot: view.bot.username.clone(),
                revoked,
                expires_at: new.end(),
            })
        })
        .await
}
