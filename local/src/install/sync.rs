//! `cloud-apps sync`: brings an install and its server together again. Teams that came later, commands and webhooks
//! that are missing or were altered, and leftovers; what is right stays as it is, so it may be run at any time.

use super::{
    Means, Teams, as_admin,
    mark::{self, Home, Whose},
    preflight,
    register::{self, Change, Ground, Wanted},
    steps::ENTRIES,
    stop::Stop,
    unless_interrupted,
    work::Work,
};
use crate::{
    failure::Failure,
    mattermost::{Command, Mattermost, OutgoingWebhook, Team, tame},
};
use cloud_apps_protocol::{
    InstallId,
    install::{InstallPatch, InstallView, Registered, Standing},
};
use serde::Serialize;

/// What a sync did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Synced {
    /// The install.
    pub install_id: String,
    /// In which teams it answers now.
    pub teams: Vec<String>,
    /// What was done, in words. Empty: all was right.
    pub changed: Vec<String>,
    /// What somebody has to register by hand.
    pub by_hand: Vec<String>,
}

/// Brings the server to what the install wants, in the install's teams and in `more`. `agreed`: commands and webhooks may
/// go to another host than they do, without asking.
pub async fn sync(means: &Means<'_>, view: &InstallView, more: &Teams, agreed: bool) -> Result<Synced, Stop> {
    let app = means.app(&view.app_id).await?;
    as_admin(means, async |server| {
        let work = means.work(server, &app);
        let look = work.step("looked at the teams", async || teams(server, view, more).await);
        let teams = unless_interrupted(means, look).await?;
        let look = work.step("looked where its commands go", async || moving(&work, view, &teams).await);
        let moving = unless_interrupted(means, look).await?;
        if !moving.is_empty() && !agreed {
            agree(means, view, &moving).await?;
        }
        run(&work, view, &teams).await
    })
    .await
}

/// The admin agrees that what people type goes to another host from now on. The address is the bundle's word; whoever
/// got hold of the bundle, or of the install, would have written another.
async fn agree(means: &Means<'_>, view: &InstallView, moving: &[String]) -> Result<(), Stop> {
    let host = host(&view.endpoints.slash);
    means.person.tell(&format!("{} is to be served from another host than it is now:", view.app_id));
    for one in moving {
        means.person.tell(&format!("  {one}"));
    }
    if !means.person.answers() {
        return Err(Failure::usage(format!("nobody is here to agree that they go to {host}"))
            .hint("check with the bundle's operator that this is its address; --yes agrees")
            .into());
    }
    if means.agrees(&format!("Send them to {host}?")).await? { Ok(()) } else { Err(Stop::Declined) }
}

/// Commands and webhooks that a sync takes for the install's own and that go to another host than the install's, in words.
async fn moving(work: &Work<'_>, view: &InstallView, teams: &[Team]) -> Result<Vec<String>, Stop> {
    let (app, to) = (&view.app_id, &view.endpoints);
    let home = Home::of(work.bundle, Some(view));
    let wanted = Wanted::of(&view.register, &[]);
    let channels = channels(view, &wanted);
    let mut found = Vec::new();
    for team in teams {
        if !wanted.commands.is_empty() {
            for command in work.server.commands(&team.id).await? {
                let ours = knows(view, &home, &command) || home.command(app, &command) == Whose::Ours;
                let stays = wanted.commands.iter().any(|wish| wish.trigger == command.trigger);
                if ours && stays && host(&command.url) != host(&to.slash) {
                    let (trigger, from) = (tame(&command.trigger), host(&command.url));
                    found.push(format!("/{trigger} in {} goes to {from}", tame(&team.name)));
                }
            }
        }
        if !channels.is_empty() {
            for webhook in work.server.webhooks(&team.id).await? {
                let ours = knows_webhook(view, &home, &webhook) || home.webhook(app, &webhook) == Whose::Ours;
                let elsewhere = webhook.callback_urls.iter().find(|url| host(url) != host(&to.webhook));
                if let (true, Some(url)) = (ours, elsewhere) {
                    let (channel, from) = (tame(&webhook.channel_id), host(url));
                    found.push(format!("the webhook of channel {channel} goes to {from}"));
                }
            }
        }
    }
    Ok(found)
}

/// Scheme, host and port of an address; of what is none, the text.
fn host(address: &str) -> String {
    match url::Url::parse(address) {
        Ok(url) if url.has_host() => url.origin().ascii_serialization(),
        _ => tame(address),
    }
}

async fn run(work: &Work<'_>, view: &InstallView, teams: &[Team]) -> Result<Synced, Stop> {
    let bot = view.bot.id.as_str();
    let mut synced = Synced {
        install_id: view.install_id.to_string(),
        teams: teams.iter().map(|team| team.name.clone()).collect(),
        ..Synced::default()
    };
    let wanted = Wanted::of(&view.register, &[]);
    synced.by_hand.clone_from(&wanted.by_hand);
    let home = Home::of(work.bundle, Some(view));
    let ground = Ground {
        server: work.server,
        app: work.app,
        endpoints: &view.endpoints,
        home: &home,
        take_over: false,
    };
    let describe = async || describe(work, view, &home).await;
    let told = work.step(&format!("@{} is described", view.bot.username), describe).await?;
    synced.changed.extend(told);
    let mut registered = Vec::new();
    for team in teams {
        let join = async || {
            let missing = !work.server.is_member(&team.id, bot).await?;
            if missing {
                work.server.add_member(&team.id, bot).await?;
            }
            Ok(missing)
        };
        if work.step(&format!("@{} in {}", view.bot.username, team.name), join).await? {
            synced.changed.push(format!("added @{} to the team {}", view.bot.username, team.name));
        }
        for wish in &wanted.commands {
            let name = format!("/{} in {}", wish.trigger, team.name);
            let known = |stands: &Command| knows(view, &home, stands);
            let command = async || register::command(ground, team, wish, known, |_| Ok(())).await;
            let (one, change) = work.step(&name, command).await?;
            synced.note(&change, &name);
            registered.push(one);
        }
    }
    for channel in &channels(view, &wanted) {
        let name = format!("the webhook of channel {channel}");
        let known = |stands: &OutgoingWebhook| knows_webhook(view, &home, stands);
        let webhook = async || register::webhook(ground, channel, known, |_, _| Ok(())).await;
        let (one, change) = work.step(&name, webhook).await?;
        synced.note(&change, &name);
        registered.push(one);
    }
    // All of it, also what stood: a token that was made anew on the server can be seen nowhere else.
    let install = &view.install_id;
    work.step("told the bundle", async || register(work, install, &registered).await).await?;
    let gone = leftovers(view, &registered);
    for one in &gone {
        work.step(&format!("removed {}", words(one)), async || remove(work.server, one).await).await?;
        synced.changed.push(format!("removed {}", words(one)));
    }
    if !gone.is_empty() {
        let unregister = async || unregister(work, install, &gone).await;
        work.step("told the bundle what is gone", unregister).await?;
    }
    Ok(synced)
}

/// The bundle has it registered, and it does not point to another bundle since.
fn knows(view: &InstallView, home: &Home, stands: &Command) -> bool {
    let registered = view
        .registered
        .iter()
        .any(|known| matches!(known, Standing::SlashCommand { id, .. } if *id == stands.id));
    registered && !matches!(home.command(&view.app_id, stands), Whose::OtherBundle(_))
}

fn knows_webhook(view: &InstallView, home: &Home, stands: &OutgoingWebhook) -> bool {
    let registered = view
        .registered
        .iter()
        .any(|known| matches!(known, Standing::OutgoingWebhook { id, .. } if *id == stands.id));
    registered && !matches!(home.webhook(&view.app_id, stands), Whose::OtherBundle(_))
}

/// The bot of the install says whose it is: older versions did not write which bundle, and a bundle may have moved.
async fn describe(work: &Work<'_>, view: &InstallView, home: &Home) -> Result<Option<String>, Stop> {
    let Some(bot) = work.server.bot(view.bot.id.as_str()).await? else { return Ok(None) };
    let name = &view.bot.username;
    let about = mark::bot_description(work.app, work.bundle.base_url());
    match home.bot(&view.app_id, &bot) {
        Whose::Unsaid => {
            work.server.update_bot(&bot, &mark::bot_title(work.app), &about).await?;
            Ok(Some(format!("wrote into the description of @{name} of which bundle it is")))
        }
        Whose::OtherBundle(other) => {
            for team in &view.teams {
                let commands = work.server.commands(team.as_str()).await?;
                let theirs = |command: &Command| {
                    home.command(&view.app_id, command) == Whose::OtherBundle(other.clone())
                };
                if commands.iter().any(theirs) {
                    work.tell(&format!(
                        "  ! @{name} belongs to the bundle at {other} now: it was left as it is"
                    ));
                    return Ok(None);
                }
            }
            work.server.update_bot(&bot, &mark::bot_title(work.app), &about).await?;
            Ok(Some(format!(
                "wrote into the description of @{name} that its bundle is not at {other} any more"
            )))
        }
        Whose::Ours | Whose::NotTheApp => Ok(None),
    }
}

impl Synced {
    fn note(&mut self, change: &Change, name: &str) {
        match change {
            Change::None => {}
            Change::Adopted { what } => self.changed.push(format!("took up {what}, with a new token")),
            Change::Made => self.changed.push(format!("made {name}")),
            Change::Mended => self.changed.push(format!("put right {name}")),
        }
    }
}

/// The install's teams that still stand, and more.
async fn teams(server: &Mattermost, view: &InstallView, more: &Teams) -> Result<Vec<Team>, Stop> {
    let names = match more {
        Teams::All => return Ok(preflight::standing(server.teams().await?)),
        Teams::Named(names) => names,
    };
    let mut found = Vec::new();
    let mut teams = preflight::named(server, names, &mut found).await?;
    if !found.is_empty() {
        return Err(Stop::Found(found));
    }
    for id in &view.teams {
        if teams.iter().any(|team| team.id == id.as_str()) {
            continue;
        }
        teams.extend(server.team(id.as_str()).await?.filter(|team| team.delete_at == 0));
    }
    Ok(teams)
}

/// Channels that have a webhook and want it, and those that lack one.
fn channels(view: &InstallView, wanted: &Wanted) -> Vec<cloud_apps_protocol::ChannelId> {
    let mut channels = wanted.channels.clone();
    for standing in &view.registered {
        if let Standing::OutgoingWebhook { channel_id, .. } = standing
            && !channels.contains(channel_id)
        {
            channels.push(channel_id.clone());
        }
    }
    channels
}

/// What is registered and not wanted any more: what the bundle says, and what was made anew under another id.
fn leftovers(view: &InstallView, registered: &[Registered]) -> Vec<Standing> {
    let stands = |standing: &Standing| {
        registered.iter().any(|one| match (one, standing) {
            (Registered::SlashCommand { id, .. }, Standing::SlashCommand { id: known, .. })
            | (Registered::OutgoingWebhook { id, .. }, Standing::OutgoingWebhook { id: known, .. }) => {
                id == known
            }
            _ => false,
        })
    };
    let bot = |standing: &Standing| matches!(standing, Standing::Bot { .. });
    let mut gone: Vec<Standing> = view.leftovers.iter().chain(&view.registered).cloned().collect();
    gone.retain(|standing| !stands(standing) && !bot(standing));
    gone.sort();
    gone.dedup();
    gone
}

/// Removes one thing from the server, if it stands.
pub async fn remove(server: &Mattermost, standing: &Standing) -> Result<(), Stop> {
    match standing {
        Standing::SlashCommand { id, .. } => server.delete_command(id).await?,
        Standing::OutgoingWebhook { id, .. } => server.delete_webhook(id).await?,
        Standing::Bot { id, .. } => server.disable_bot(id.as_str()).await?,
    }
    Ok(())
}

/// In words.
pub fn words(standing: &Standing) -> String {
    match standing {
        Standing::SlashCommand { trigger, team_id, .. } => format!("/{trigger} of the team {team_id}"),
        Standing::OutgoingWebhook { channel_id, .. } => format!("the webhook of channel {channel_id}"),
        Standing::Bot { username, .. } => format!("the bot @{username}"),
    }
}

/// Tells the bundle what was registered, as much at a time as a request takes.
pub async fn register(work: &Work<'_>, install: &InstallId, registered: &[Registered]) -> Result<(), Stop> {
    for some in registered.chunks(ENTRIES) {
        work.bundle.change(install, &InstallPatch::Register(some.to_vec())).await?;
    }
    Ok(())
}

async fn unregister(work: &Work<'_>, install: &InstallId, gone: &[Standing]) -> Result<(), Stop> {
    for some in gone.chunks(ENTRIES) {
        work.bundle.change(install, &InstallPatch::Unregister(some.to_vec())).await?;
    }
    Ok(())
}

/// What stands on the server for an install of which only the id is known: its addresses hold it.
pub async fn standing(
    server: &Mattermost,
    teams: impl IntoIterator<Item = &str>,
    install: &InstallId,
) -> Result<Vec<Registered>, Stop> {
    let place = format!("/hooks/{install}/");
    let bad =
        |e: cloud_apps_protocol::BadId| crate::failure::Failure::new(format!("the server's answer: {e}"));
    let mut all = Vec::new();
    for team in teams {
        let team_id: cloud_apps_protocol::TeamId = team.parse().map_err(bad)?;
        for command in server.commands(team).await? {
            if command.url.contains(&place) {
                let (team_id, trigger) = (team_id.clone(), command.trigger);
                all.push(Registered::SlashCommand { team_id, id: command.id, trigger, token: command.token });
            }
        }
        for webhook in server.webhooks(team).await? {
            if webhook.callback_urls.iter().any(|url| url.contains(&place)) {
                let (team_id, channel_id) = (team_id.clone(), webhook.channel_id.parse().map_err(bad)?);
                all.push(Registered::OutgoingWebhook {
                    team_id,
                    id: webhook.id,
                    channel_id,
                    token: webhook.token,
                });
            }
        }
    }
    Ok(all)
}
