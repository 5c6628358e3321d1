//! By what the things of an app are known again on a server that keeps no labels: their descriptions. Whoever looks at
//! them in Mattermost reads there where they come from, too.

use crate::mattermost::{Bot, Command, NewCommand, NewWebhook, OutgoingWebhook, Token};
use cloud_apps_protocol::{AppId, ChannelId, install::AppView};

/// The most characters of a display name (`Command.IsValid`, `OutgoingWebhook.IsValid`).
const TITLE: usize = 64;
/// The most characters of a bot's description (`model/bot.go`).
const BOT_DESCRIPTION: usize = 1024;

fn tail(app: &AppId) -> String {
    format!("(Cloud App {app})")
}

fn made_by(app: &AppId) -> String {
    format!("Cloud App {app}. Made by cloud-apps; `cloud-apps sync` keeps it right.")
}

/// What stands in the bot's profile.
pub fn bot_description(app: &AppView) -> String {
    let tail = tail(&app.id);
    let room = BOT_DESCRIPTION - tail.chars().count() - 1;
    let about: String = app.description.chars().take(room).collect();
    format!("{about} {tail}").trim_start().to_owned()
}

/// How the bot is called.
pub fn bot_title(app: &AppView) -> String {
    let title = if app.bot.display_name.is_empty() { &app.display_name } else { &app.bot.display_name };
    title.chars().take(TITLE).collect()
}

/// The bot is this app's.
pub fn is_bot(app: &AppId, bot: &Bot) -> bool {
    bot.description.ends_with(&tail(app))
}

/// What a token of the bot is for.
pub fn token_description(app: &AppId, run: &str) -> String {
    format!("Cloud App {app}, made by cloud-apps, run {run}")
}

/// The token was made for this app, by any run.
pub fn is_token(app: &AppId, token: &Token) -> bool {
    token.description.starts_with(&format!("Cloud App {app}, made by cloud-apps, run "))
}

/// The command is this app's.
pub fn is_command(app: &AppId, command: &Command) -> bool {
    command.description.starts_with(&format!("Cloud App {app}. "))
}

/// The webhook is this app's.
pub fn is_webhook(app: &AppId, webhook: &OutgoingWebhook) -> bool {
    webhook.description.starts_with(&format!("Cloud App {app}. "))
}

/// A slash command as it is to stand in a team.
pub fn command(
    app: &AppView,
    team: &str,
    trigger: &str,
    (about, hint): (&str, &str),
    url: &str,
) -> NewCommand {
    NewCommand {
        team_id: team.to_owned(),
        trigger: trigger.to_owned(),
        method: "P",
        url: url.to_owned(),
        auto_complete: true,
        auto_complete_desc: about.to_owned(),
        auto_complete_hint: hint.to_owned(),
        display_name: title(app),
        description: made_by(&app.id),
    }
}

/// An outgoing webhook as it is to stand.
pub fn webhook(app: &AppView, team: &str, channel: &ChannelId, url: &str) -> NewWebhook {
    NewWebhook {
        team_id: team.to_owned(),
        channel_id: channel.to_string(),
        trigger_words: [],
        callback_urls: [url.to_owned()],
        display_name: title(app),
        description: made_by(&app.id),
        content_type: "application/json",
    }
}

fn title(app: &AppView) -> String {
    app.display_name.chars().take(TITLE).collect()
}
