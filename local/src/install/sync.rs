//! `cloud-apps sync`: brings an install and its server together again. Teams that came later, commands and webhooks
//! that are missing or were altered, and leftovers; what is right stays as it is, so it may be run at any time.

use super::{
    Means, Teams, adopt, as_admin,
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
    AppId, InstallId, TeamId,
    install::{InstallPatch, InstallView, Registered, Standing},
};
use serde::Serialize;
use std::collections::{BTreeMap, btree_map::Entry};

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
    let look = async || shown_to_be_ours(work.server, (&view.app_id, &home), &gone).await;
    let ours = if gone.is_empty() {
        Vec::new()
    } else {
        work.step("looked at what is not wanted any more", look).await?
    };
    for one in &gone {
        match ours.iter().find(|(standing, _)| *standing == one) {
            Some((_, Stands::Ours)) => {
                work.step(&format!("removed {}", words(one)), async || remove(work.server, one).await)
                    .await?;
                synced.changed.push(format!("removed {}", words(one)));
            }
            Some((_, Stands::NotOurs)) => {
                work.tell(&format!("  ! {} is not this install's: it was left as it is", words(one)));
            }
            None => {}
        }
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
    registered && believed(home, &home.command(&view.app_id, stands))
}

fn knows_webhook(view: &InstallView, home: &Home, stands: &OutgoingWebhook) -> bool {
    let registered = view
        .registered
        .iter()
        .any(|known| matches!(known, Standing::OutgoingWebhook { id, .. } if *id == stands.id));
    registered && believed(home, &home.webhook(&view.app_id, stands))
}

/// That something is registered is the bundle's word. With a code it counts for what is shown to be the bundle's.
fn believed(home: &Home, whose: &Whose) -> bool {
    match whose {
        Whose::Ours => true,
        Whose::Unsaid | Whose::NotTheApp => home.on_record(),
        Whose::OtherBundle(_) => false,
    }
}

/// The bot of the install says whose it is: older versions did not write which bundle, and a bundle may have moved.
async fn describe(work: &Work<'_>, view: &InstallView, home: &Home) -> Result<Option<String>, Stop> {
    let Some(bot) = work.server.bot(view.bot.id.as_str()).await? else {
        return Err(adopt::gone(view).into());
    };
    let name = &view.bot.username;
    // Where the commands go: a bundle may have more than one address, and is recognised by this one.
    let base = mark::base_of(view).unwrap_or_else(|| work.bundle.base_url().clone());
    let about = mark::bot_description(work.app, &base);
    let described = mark::bot_mark(&bot.description).and_then(|(_, bundle)| bundle);
    match home.bot(&view.app_id, &bot) {
        Whose::Ours if home.on_record() && described.as_ref() != Some(&base) => {
            work.server.update_bot(&bot, &mark::bot_title(work.app), &about).await?;
            Ok(Some(format!("wrote into the description of @{name} that its bundle is at {base}")))
        }
        Whose::Unsaid if home.on_record() => {
            work.server.update_bot(&bot, &mark::bot_title(work.app), &about).await?;
            Ok(Some(format!("wrote into the description of @{name} of which bundle it is")))
        }
        Whose::OtherBundle(other) if home.on_record() => {
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
        Whose::Ours | Whose::NotTheApp | Whose::Unsaid | Whose::OtherBundle(_) => Ok(None),
    }
}

impl Synced {
    fn note(&mut self, change: &Change, name: &str) {
        match change {
            Change::None => {}
            Change::Adopted { what } => self.changed.push(format!("took up {what}, with a new token")),
            Change::Made => self.changed.push(format!("made {name}")),
            Change::Fixed => self.changed.push(format!("put right {name}")),
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

/// Whose something is that stands under an id which the bundle names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    Ours,
    NotOurs,
}

/// Of what the bundle names, what stands on the server, and whether it is this install's. An id is only the bundle's
/// word: it may be the one of anybody's command, or no id at all.
async fn shown_to_be_ours<'a>(
    server: &Mattermost,
    (app, home): (&AppId, &Home),
    named: &'a [Standing],
) -> Result<Vec<(&'a Standing, Stands)>, Stop> {
    let mut commands: BTreeMap<&TeamId, Vec<Command>> = BTreeMap::new();
    let mut webhooks: BTreeMap<&TeamId, Vec<OutgoingWebhook>> = BTreeMap::new();
    let mut standing = Vec::new();
    for one in named {
        let whose = match one {
            Standing::SlashCommand { team_id, id, .. } => {
                let there = match commands.entry(team_id) {
                    Entry::Occupied(seen) => seen.into_mut(),
                    Entry::Vacant(place) => place.insert(server.commands(team_id.as_str()).await?),
                };
                there.iter().find(|command| command.id == *id).map(|command| home.command(app, command))
            }
            Standing::OutgoingWebhook { team_id, id, .. } => {
                let there = match webhooks.entry(team_id) {
                    Entry::Occupied(seen) => seen.into_mut(),
                    Entry::Vacant(place) => place.insert(server.webhooks(team_id.as_str()).await?),
                };
                there.iter().find(|webhook| webhook.id == *id).map(|webhook| home.webhook(app, webhook))
            }
            Standing::Bot { .. } => None,
        };
        let ours = |whose: Whose| match whose {
            Whose::Ours => Stands::Ours,
            Whose::Unsaid if home.on_record() => Stands::Ours,
            _ => Stands::NotOurs,
        };
        standing.extend(whose.map(|whose| (one, ours(whose))));
    }
    Ok(standing)
}

/// Removes one thing from the server, if it stands. Its id is one that the server showed.
async fn remove(server: &Mattermost, standing: &Standing) -> Result<(), Stop> {
    match standing {
        Standing::SlashCommand { id, .. } => server.delete_command(id).await?,
        Standing::OutgoingWebhook { id, .. } => server.delete_webhook(id).await?,
        // A bot is no leftover of a sync.
        Standing::Bot { .. } => {}
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

/// What stands on the server for an install of which only the id is known: its addresses hold it, and a system admin made
/// it. Anybody else who may make commands can write that address, and knows the token.
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
            if command.url.contains(&place) && adopt::made_by_an_admin(server, &command.creator_id).await? {
                let (team_id, trigger) = (team_id.clone(), command.trigger);
                all.push(Registered::SlashCommand { team_id, id: command.id, trigger, token: command.token });
            }
        }
        for webhook in server.webhooks(team).await? {
            let calls_it = webhook.callback_urls.iter().any(|url| url.contains(&place));
            if calls_it && adopt::made_by_an_admin(server, &webhook.creator_id).await? {
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
