//! `cloud-apps cleanup`: what the apps of a lost bundle left on a Mattermost server.
//!
//! Nobody can ask such a bundle, so all that there is to go by is what stands on the server. It is shown by bundle, and removed
//! only for a bundle that somebody named and that does not answer any more.

use super::{
    admin::Admin,
    listing::Listing,
    mark,
    removal::{Belongings, Uninstalled, bot_words, rights, take_away},
    runner::Runner,
    stop::Stop,
};
use crate::mattermost::{Bot, Mattermost};
use cloud_apps_protocol::{AppId, SiteUrl};
use serde::Serialize;
use std::collections::BTreeMap;

/// What stands on a server, by bundle and app.
#[derive(Default)]
pub struct Survey {
    found: BTreeMap<(SiteUrl, AppId), Belongings>,
    /// Bots whose description does not say to which bundle they belong.
    unsaid: Vec<(AppId, Bot)>,
    not_looked_at: Vec<String>,
}

/// What is left of one app of one bundle, for people and scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remains {
    /// The bundle's address, if it is known.
    pub bundle: Option<SiteUrl>,
    /// The app.
    pub app: AppId,
    /// What stands on the server, in words.
    pub stands: Vec<String>,
}

/// What a cleanup did, for each app.
#[derive(Debug, Clone, Serialize)]
pub struct Cleaned {
    /// The app.
    pub app: AppId,
    /// What was done.
    pub done: Uninstalled,
}

impl Survey {
    /// All that was found, in words.
    pub fn left(&self) -> Vec<Remains> {
        let found = self.found.iter().map(|((bundle, app), belongings)| Remains {
            bundle: Some(bundle.clone()),
            app: app.clone(),
            stands: belongings.words(),
        });
        let unsaid = self.unsaid.iter().map(|(app, bot)| Remains {
            bundle: None,
            app: app.clone(),
            stands: vec![bot_words(bot)],
        });
        found.chain(unsaid).collect()
    }

    /// What could not be looked at.
    pub fn not_looked_at(&self) -> &[String] {
        &self.not_looked_at
    }
}

/// Looks at the whole server and changes nothing.
pub async fn survey(admin: &Admin<'_>) -> Result<Survey, Stop> {
    admin.logged_in(async |server| look(&admin.runner(), server).await).await
}

/// Removes what belongs to one bundle, for one app or for all; and the bot of a name, if its description does not say to which
/// bundle it belongs.
pub async fn cleanup(
    admin: &Admin<'_>,
    bundle: &SiteUrl,
    app: Option<&AppId>,
    bot: Option<&str>,
    agrees: impl AsyncFnOnce(&[Remains]) -> Result<bool, Stop>,
) -> Result<Vec<Cleaned>, Stop> {
    admin
        .logged_in(async |server| {
            let mut survey = look(&admin.runner(), server).await?;
            let named: Vec<(AppId, Bot)> =
                survey.unsaid.extract_if(.., |(_, stands)| Some(stands.username.as_str()) == bot).collect();
            for (of, bot) in named {
                survey.found.entry((bundle.clone(), of)).or_default().bots.push(bot);
            }
            survey.found.retain(|(of, name), _| of == bundle && app.is_none_or(|app| app == name));
            survey.unsaid.clear();
            let left = survey.left();
            if left.is_empty() {
                return Ok(Vec::new());
            }
            if !agrees(&left).await? {
                return Err(Stop::Declined);
            }
            let mut cleaned = Vec::new();
            for ((_, app), belongings) in &survey.found {
                let mut done =
                    Uninstalled { not_looked_at: survey.not_looked_at.clone(), ..Uninstalled::default() };
                take_away(&admin.runner(), server, (app, belongings), false, &mut done).await?;
                cleaned.push(Cleaned { app: app.clone(), done });
            }
            Ok(cleaned)
        })
        .await
}

async fn look(runner: &Runner<'_>, server: &Mattermost) -> Result<Survey, Stop> {
    let admin = runner.step("looked who asks", async || Ok(server.me().await?)).await?;
    rights(server, &admin)?;
    let teams = runner.step("listed the teams", async || Ok(server.teams().await?)).await?;
    let all = runner.step("looked at every team", async || Listing::of(runner, server, &teams).await).await?;
    let bots = runner.step("looked at every bot", async || Ok(server.bots().await?)).await?;
    Ok(sorted(all, bots))
}

fn sorted(seen: Listing, bots: Vec<Bot>) -> Survey {
    let mut survey = Survey { not_looked_at: seen.hidden, ..Survey::default() };
    for (off, what) in [(seen.commands_off, "slash commands"), (seen.webhooks_off, "outgoing webhooks")] {
        if off {
            survey.not_looked_at.push(format!("{what}: they are switched off on this server"));
        }
    }
    for (team, command) in seen.commands {
        let app = mark::app_of(&command.description);
        if let (Some(app), Some((bundle, _))) = (app, mark::place(&command.url)) {
            survey.found.entry((bundle, app)).or_default().commands.push((team, command));
        }
    }
    for (team, webhook) in seen.webhooks {
        let app = mark::app_of(&webhook.description);
        let place = webhook.callback_urls.first().and_then(|url| mark::place(url));
        if let (Some(app), Some((bundle, _))) = (app, place) {
            survey.found.entry((bundle, app)).or_default().webhooks.push((team, webhook));
        }
    }
    for bot in bots {
        let Some((app, bundle)) = mark::bot_mark(&bot.description) else { continue };
        let Ok(app) = app.parse::<AppId>() else { continue };
        match bundle.or_else(|| survey.only_bundle_of(&app)) {
            Some(bundle) => survey.found.entry((bundle, app)).or_default().bots.push(bot),
            None => survey.unsaid.push((app, bot)),
        }
    }
    survey
}

impl Survey {
    /// The bundle of all commands of an app, if it is only one.
    fn only_bundle_of(&self, app: &AppId) -> Option<SiteUrl> {
        let mut bundles = self.found.keys().filter(|(_, of)| of == app).map(|(bundle, _)| bundle);
        let only = bundles.next()?;
        bundles.next().is_none().then(|| only.clone())
    }
}
