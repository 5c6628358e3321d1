//! How the things of an app are recognised on a server that keeps no labels: by their descriptions and by the addresses
//! that they call. People who look at them in Mattermost read there where they come from, too.
//!
//! A description is no proof: anybody who may make a command can write one. What it is good for is to say which app, and
//! an address says which bundle and which install. Whether a thing may be changed is decided in [`adopt`](super::adopt).

use super::bundle::Bundle;
use crate::mattermost::{Bot, Command, NewCommand, NewWebhook, OutgoingWebhook, Token};
use cloud_apps_protocol::{
    AppId, ChannelId, InstallId, SiteUrl,
    install::{AppView, InstallView},
};

/// The most characters of a display name (`Command.IsValid`, `OutgoingWebhook.IsValid`).
const TITLE: usize = 64;
/// The most characters of a bot's description (`model/bot.go`).
const BOT_DESCRIPTION: usize = 1024;
/// How the mark of a bot begins; it is the end of its description.
const BOT: &str = "(Cloud App ";

/// What belongs to one bundle, and to one install where it is known.
#[derive(Debug, Clone)]
pub struct Home {
    addresses: Vec<SiteUrl>,
    install: Option<InstallId>,
    /// What the bundle has on record is believed: its operator asks.
    on_record: bool,
}

/// Whose a thing is, by what stands on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// This app's, at this bundle.
    Ours,
    /// This app's, at the bundle of this address.
    OtherBundle(SiteUrl),
    /// This app's; of which bundle is not said. Older versions wrote such marks.
    Unsaid,
    /// Not this app's.
    NotTheApp,
}

impl Home {
    /// A bundle has the address at which it is reached now, and the one that an install has of it. Whoever has a code
    /// knows only the former: by what it says of an install, a bundle could claim what another one has.
    pub fn of(bundle: &Bundle, view: Option<&InstallView>) -> Self {
        let on_record = bundle.is_operator();
        let view = view.filter(|_| on_record);
        let mut addresses = vec![bundle.base_url().clone()];
        addresses.extend(view.and_then(base_of));
        Self { addresses, install: view.map(|view| view.install_id.clone()), on_record }
    }

    /// The same bundle at more addresses: its operator says which it has or had. Whoever has a code only cannot say it.
    #[must_use]
    pub fn also_at(mut self, addresses: &[SiteUrl]) -> Self {
        if self.on_record {
            self.addresses.extend_from_slice(addresses);
        }
        self
    }

    /// The bundle that has an install, by the address that the install has of it. To look only.
    pub fn of_install(view: &InstallView) -> Self {
        let addresses = base_of(view).into_iter().collect();
        Self { addresses, install: Some(view.install_id.clone()), on_record: false }
    }

    /// Whether an id that the bundle has on record is believed to be the id of its own thing.
    pub fn on_record(&self) -> bool {
        self.on_record
    }

    /// Whose a slash command is.
    pub fn command(&self, app: &AppId, command: &Command) -> Whose {
        self.whose(is_command(app, command), &command.url)
    }

    /// Whose an outgoing webhook is.
    pub fn webhook(&self, app: &AppId, webhook: &OutgoingWebhook) -> Whose {
        let url = webhook.callback_urls.first().map_or("", String::as_str);
        self.whose(is_webhook(app, webhook), url)
    }

    /// Whose a bot is. Which install it is of, its description does not say: a bundle has one of an app on a site.
    pub fn bot(&self, app: &AppId, bot: &Bot) -> Whose {
        match bot_mark(&bot.description) {
            Some((marked, _)) if marked != app.as_str() => Whose::NotTheApp,
            Some((_, Some(bundle))) => self.at_bundle(bundle),
            Some((_, None)) => Whose::Unsaid,
            None => Whose::NotTheApp,
        }
    }

    /// The address of this very install, or of this bundle.
    fn whose(&self, marked: bool, url: &str) -> Whose {
        match place(url) {
            Some((_, install)) if self.install.as_ref() == Some(&install) => Whose::Ours,
            _ if !marked => Whose::NotTheApp,
            Some((bundle, _)) => self.at_bundle(bundle),
            None => Whose::Unsaid,
        }
    }

    fn at_bundle(&self, bundle: SiteUrl) -> Whose {
        if self.addresses.contains(&bundle) { Whose::Ours } else { Whose::OtherBundle(bundle) }
    }
}

/// The bundle and the install that an address of ours names: `{bundle}/hooks/{install}/…`.
pub fn place(url: &str) -> Option<(SiteUrl, InstallId)> {
    let (bundle, rest) = url.rsplit_once("/hooks/")?;
    let (install, _) = rest.split_once('/')?;
    Some((SiteUrl::new(bundle).ok()?, InstallId::new(install).ok()?))
}

/// The address that an install has of its bundle: its commands go there.
pub fn base_of(view: &InstallView) -> Option<SiteUrl> {
    place(&view.endpoints.slash).map(|(base, _)| base)
}

/// The app of a bot, and its bundle where that is said: `… (Cloud App hello of https://bundle.example.com)`.
pub fn bot_mark(description: &str) -> Option<(&str, Option<SiteUrl>)> {
    let (_, mark) = description.rsplit_once(BOT)?;
    let mark = mark.strip_suffix(')')?;
    match mark.split_once(" of ") {
        Some((app, bundle)) => Some((app, Some(SiteUrl::new(bundle).ok()?))),
        None => Some((mark, None)),
    }
}

/// The app of a slash command or an outgoing webhook that some `cloud-apps` made.
pub fn app_of(description: &str) -> Option<AppId> {
    let (app, _) = description.strip_prefix("Cloud App ")?.split_once(". ")?;
    app.parse().ok()
}

fn made_by(app: &AppId) -> String {
    format!("Cloud App {app}. Made by cloud-apps; `cloud-apps sync` keeps it right.")
}

/// What stands in the bot's profile.
pub fn bot_description(app: &AppView, bundle: &SiteUrl) -> String {
    let mark = format!("{BOT}{} of {bundle})", app.id);
    let room = BOT_DESCRIPTION.saturating_sub(mark.chars().count() + 1);
    let about: String = app.description.chars().take(room).collect();
    format!("{about} {mark}").trim_start().to_owned()
}

/// How the bot is called.
pub fn bot_title(app: &AppView) -> String {
    let title = if app.bot.display_name.is_empty() { &app.display_name } else { &app.bot.display_name };
    title.chars().take(TITLE).collect()
}

/// The description says that the bot is this app's, at whichever bundle.
pub fn is_bot(app: &AppId, bot: &Bot) -> bool {
    bot_mark(&bot.description).is_some_and(|(marked, _)| marked == app.as_str())
}

/// What a token of the bot is for.
pub fn token_description(app: &AppId, run: &str) -> String {
    format!("Cloud App {app}, made by cloud-apps, run {run}")
}

/// The token was made for this app, by any run.
pub fn is_token(app: &AppId, token: &Token) -> bool {
    token.description.starts_with(&format!("Cloud App {app}, made by cloud-apps, run "))
}

/// The description says that the command is this app's, at whichever bundle.
pub fn is_command(app: &AppId, command: &Command) -> bool {
    app_of(&command.description).as_ref() == Some(app)
}

/// The description says that the webhook is this app's, at whichever bundle.
pub fn is_webhook(app: &AppId, webhook: &OutgoingWebhook) -> bool {
    app_of(&webhook.description).as_ref() == Some(app)
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
