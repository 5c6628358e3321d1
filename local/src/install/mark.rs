//! How the things of an app are marked and recognised on a server that keeps no labels: by their descriptions and by the
//! addresses that they call. People who look at them in Mattermost also read there where they come from.

use crate::mattermost::{Bot, Command, NewCommand, NewWebhook, OutgoingWebhook, Token};
use cloud_apps_protocol::{AppId, ChannelId, InstallId, SiteUrl, install::AppView};

/// The most characters of a display name (`Command.IsValid`, `OutgoingWebhook.IsValid`).
const TITLE: usize = 64;
/// The most characters of a bot's description (`model/bot.go`).
const BOT_DESCRIPTION: usize = 1024;
/// How the mark of a bot begins. The mark is the end of its description.
const BOT: &str = "(Cloud App ";

/// The bundle and the install that such an address names: `{bundle}/hooks/{install}/…`.
pub fn place(url: &str) -> Option<(SiteUrl, InstallId)> {
    let (bundle, rest) = url.rsplit_once("/hooks/")?;
    let (install, _) = rest.split_once('/')?;
    Some((SiteUrl::new(bundle).ok()?, InstallId::new(install).ok()?))
}

/// The app of a bot, and its bundle if the description names it: `… (Cloud App hello of https://bundle.example.com)`.
pub fn bot_mark(description: &str) -> Option<(&str, Option<SiteUrl>)> {
    let (_, mark) = description.rsplit_once(BOT)?;
    let mark = mark.strip_suffix(')')?;
    match mark.split_once(" of ") {
        Some((app, bundle)) => Some((app, Some(SiteUrl::new(bundle).ok()?))),
        None => Some((mark, None)),
    }
}

/// The app of a slash command or an outgoing webhook that `cloud-apps` made.
pub fn app_of(description: &str) -> Option<AppId> {
    let (app, _) = description.strip_prefix("Cloud App ")?.split_once(". ")?;
    app.parse().ok()
}

fn made_by(app: &AppId) -> String {
    format!("Cloud App {app}. Made by cloud-apps; `cloud-apps sync` keeps it right.")
}

/// The description of the bot.
pub fn bot_description(app: &AppView, bundle: &SiteUrl) -> String {
    let mark = format!("{BOT}{} of {bundle})", app.id);
    let room = BOT_DESCRIPTION.saturating_sub(mark.chars().count() + 1);
    let about: String = app.description.chars().take(room).collect();
    format!("{about} {mark}").trim_start().to_owned()
}

/// The display name of the bot.
pub fn bot_title(app: &AppView) -> String {
    let title = if app.bot.display_name.is_empty() { &app.display_name } else { &app.bot.display_name };
    title.chars().take(TITLE).collect()
}

/// Whether the description says that the bot belongs to this app, at any bundle.
pub fn is_bot(app: &AppId, bot: &Bot) -> bool {
    bot_mark(&bot.description).is_some_and(|(marked, _)| marked == app.as_str())
}

/// The description of a token of the bot.
pub fn token_description(app: &AppId, run: &str) -> String {
    format!("Cloud App {app}, made by cloud-apps, run {run}")
}

/// Whether the token was made for this app, by any run.
pub fn is_token(app: &AppId, token: &Token) -> bool {
    token.description.starts_with(&format!("Cloud App {app}, made by cloud-apps, run "))
}

/// Whether the description says that the command belongs to this app, at any bundle.
pub fn is_command(app: &AppId, command: &Command) -> bool {
    app_of(&command.description).as_ref() == Some(app)
}

/// Whether the description says that the webhook belongs to this app, at any bundle.
pub fn is_webhook(app: &AppId, webhook: &OutgoingWebhook) -> bool {
    app_of(&webhook.description).as_ref() == Some(app)
}

/// The slash command that a team should have.
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

/// The outgoing webhook that a channel should have.
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
