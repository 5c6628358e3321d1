//! `cloud-apps sync`: makes the server match what the install wants: teams that came later, commands and webhooks that are
//! missing or were altered, and leftovers. What is right stays as it is, so it may be run at any time.

use super::{
    adopt,
    bundle::ENTRIES,
    context::Context,
    installer::Installer,
    mark,
    owner::{self, BundleIdentity, Owner},
    register::{self, Change, Registrar, Wanted},
    request::Teams,
    stop::Stop,
    teams,
};
use crate::{
    failure::Failure,
    mattermost::{Command, Mattermost, OutgoingWebhook, Team, one_line},
};
use cloud_apps_protocol::{
    AppId, InstallId, TeamId,
    install::{InstallPatch, InstallView, Registered, Registration},
};
use serde::Serialize;
use std::collections::{BTreeMap, btree_map::Entry};

/// What a sync did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Synced {
    /// The install.
    pub install_id: String,
    /// The teams in which the app answers now.
    pub teams: Vec<String>,
    /// What was done, in words. Empty if everything was right.
    pub changed: Vec<String>,
    /// What the admin has to register by hand.
    pub by_hand: Vec<String>,
}

/// Makes the server match what the install wants, in the install's teams and in `more`. `agreed`: commands and webhooks may go to
/// another host than before without asking.
pub async fn sync(
    installer: &Installer<'_>,
    view: &InstallView,
    more: &Teams,
    agreed: bool,
) -> Result<Synced, Stop> {
    let app = installer.app(&view.app_id).await?;
    installer
        .admin
        .logged_in(async |server| {
            let cx = installer.context(server, &app);
            let look = cx.step("looked at the teams", async || teams_of(server, view, more).await);
            let teams = installer.admin.unless_interrupted(look).await?;
            let look = cx.step("looked where its commands go", async || moving(&cx, view, &teams).await);
            let moving = installer.admin.unless_interrupted(look).await?;
            if !moving.is_empty() && !agreed {
                agree(installer, view, &moving).await?;
            }
            run(&cx, view, &teams).await
        })
        .await
}

/// Asks the admin whether what users type may go to another host from now on. The bundle says the address, and somebody who took
/// over the bundle or the install would have written another one.
async fn agree(installer: &Installer<'_>, view: &InstallView, moving: &[String]) -> Result<(), Stop> {
    let host = host(&view.endpoints.slash);
    installer.admin.person.tell(&format!("{} would be served from another host than now:", view.app_id));
    for one in moving {
        installer.admin.person.tell(&format!("  {one}"));
    }
    if !installer.admin.person.answers() {
        return Err(Failure::usage(format!("nobody is at the terminal to agree that they go to {host}"))
            .hint("check with the bundle's operator that this is its address; --yes agrees")
            .into());
    }
    if installer.admin.agrees(&format!("Send them to {host}?")).await? { Ok(()) } else { Err(Stop::Declined) }
}

/// Commands and webhooks of the install that go to another host than the install's address, in words.
async fn moving(cx: &Context<'_>, view: &InstallView, teams: &[Team]) -> Result<Vec<String>, Stop> {
    let (app, to) = (&view.app_id, &view.endpoints);
    let identity = BundleIdentity::of(cx.bundle, Some(view));
    let wanted = Wanted::of(&view.register, &[]);
    let channels = channels(view, &wanted);
    let mut found = Vec::new();
    for team in teams {
        if !wanted.commands.is_empty() {
            for command in cx.server.commands(team.id.as_str()).await? {
                let ours =
                    knows(view, &identity, &command) || identity.command(app, &command) == Owner::ThisBundle;
                let stays = wanted.commands.iter().any(|wish| wish.trigger == command.trigger);
                if ours && stays && host(&command.url) != host(&to.slash) {
                    let (trigger, from) = (one_line(&command.trigger), host(&command.url));
                    found.push(format!("/{trigger} in {} goes to {from}", one_line(&team.name)));
                }
            }
        }
        if !channels.is_empty() {
            for webhook in cx.server.webhooks(team.id.as_str()).await? {
                let ours = knows_webhook(view, &identity, &webhook)
                    || identity.webhook(app, &webhook) == Owner::ThisBundle;
                let elsewhere = webhook.callback_urls.iter().find(|url| host(url) != host(&to.webhook));
                if let (true, Some(url)) = (ours, elsewhere) {
                    let (channel, from) = (one_line(&webhook.channel_id), host(url));
                    found.push(format!("the webhook of channel {channel} goes to {from}"));
                }
            }
        }
    }
    Ok(found)
}

/// Scheme, host and port of an address; the text itself if it is not an address.
fn host(address: &str) -> String {
    match url::Url::parse(address) {
        Ok(url) if url.has_host() => url.origin().ascii_serialization(),
        _ => one_line(address),
    }
}

async fn run(cx: &Context<'_>, view: &InstallView, teams: &[Team]) -> Result<Synced, Stop> {
    let bot = view.bot.id.as_str();
    let mut synced = Synced {
        install_id: view.install_id.to_string(),
        teams: teams.iter().map(|team| team.name.clone()).collect(),
        ..Synced::default()
    };
    let wanted = Wanted::of(&view.register, &[]);
    synced.by_hand.clone_from(&wanted.by_hand);
    let identity = BundleIdentity::of(cx.bundle, Some(view));
    let registrar = Registrar {
        server: cx.server,
        app: cx.app,
        endpoints: &view.endpoints,
        identity: &identity,
        take_over: false,
    };
    let describe = async || describe(cx, view, &identity).await;
    let told = cx.step(&format!("@{} is described", view.bot.username), describe).await?;
    synced.changed.extend(told);
    let mut registered = Vec::new();
    for team in teams {
        let join = async || {
            let missing = !cx.server.is_member(team.id.as_str(), bot).await?;
            if missing {
                cx.server.add_member(team.id.as_str(), bot).await?;
            }
            Ok(missing)
        };
        if cx.step(&format!("@{} in {}", view.bot.username, team.name), join).await? {
            synced.changed.push(format!("added @{} to the team {}", view.bot.username, team.name));
        }
        for wish in &wanted.commands {
            let name = format!("/{} in {}", wish.trigger, team.name);
            let known = |stands: &Command| knows(view, &identity, stands);
            let command = async || register::command(registrar, team, wish, known, |_| Ok(())).await;
            let (one, change) = cx.step(&name, command).await?;
            synced.note(&change, &name);
            registered.push(one);
        }
    }
    for channel in &channels(view, &wanted) {
        let name = format!("the webhook of channel {channel}");
        let known = |stands: &OutgoingWebhook| knows_webhook(view, &identity, stands);
        let webhook = async || register::webhook(registrar, channel, known, |_, _| Ok(())).await;
        let (one, change) = cx.step(&name, webhook).await?;
        synced.note(&change, &name);
        registered.push(one);
    }
    // Everything, also what stood: nothing else shows that a token was regenerated on the server.
    let install = &view.install_id;
    cx.step("told the bundle", async || register(cx, install, &registered).await).await?;
    let tell = async || tell_server(cx, view).await;
    synced.changed.extend(cx.step("told the bundle what the server is", tell).await?);
    let gone = leftovers(view, &registered);
    let look = async || shown_to_be_ours(cx.server, (&view.app_id, &identity), &gone).await;
    let ours = if gone.is_empty() {
        Vec::new()
    } else {
        cx.step("looked at what is not needed any more", look).await?
    };
    for one in &gone {
        match ours.iter().find(|(standing, _)| *standing == one) {
            Some((_, Stands::Ours)) => {
                cx.step(&format!("removed {}", words(one)), async || remove(cx.server, one).await).await?;
                synced.changed.push(format!("removed {}", words(one)));
            }
            Some((_, Stands::NotOurs)) => {
                cx.tell(&format!("  ! {} is not this install's: it was left as it is", words(one)));
            }
            None => {}
        }
    }
    if !gone.is_empty() {
        let unregister = async || unregister(cx, install, &gone).await;
        cx.step("told the bundle what is gone", unregister).await?;
    }
    Ok(synced)
}

/// Tells the bundle what the server says of itself, if it knows something else. What is said of that, if people see a difference.
async fn tell_server(cx: &Context<'_>, view: &InstallView) -> Result<Option<String>, Stop> {
    // An older bundle keeps the version only.
    let Some(known) = &view.server else { return Ok(None) };
    let admin_settings = cx.server.admin_settings().await.ok();
    let server = cx.server.server(admin_settings.as_ref()).await?;
    let now = server.facts.clone().over(&known.facts, 0);
    if server.version == known.version && now == known.facts {
        return Ok(None);
    }
    let (before, after) = (&known.facts, &now);
    let seen = server.version != known.version
        || (before.mm_blocks, before.max_post_size, before.integration_timeout)
            != (after.mm_blocks, after.max_post_size, after.integration_timeout);
    let told = format!("told the bundle what Mattermost {} can do", server.version);
    cx.bundle.change(&view.install_id, &InstallPatch::Server(server)).await?;
    Ok(seen.then_some(told))
}

/// The bundle has it registered, and it does not point to another bundle since.
fn knows(view: &InstallView, identity: &BundleIdentity, stands: &Command) -> bool {
    is_registered(view, &stands.id) && believed(identity, &identity.command(&view.app_id, stands))
}

fn knows_webhook(view: &InstallView, identity: &BundleIdentity, stands: &OutgoingWebhook) -> bool {
    is_registered(view, &stands.id) && believed(identity, &identity.webhook(&view.app_id, stands))
}

/// The bundle has a command or a webhook registered under this id.
fn is_registered(view: &InstallView, id: &str) -> bool {
    view.registered.iter().any(|known| match known {
        Registration::SlashCommand { id: known, .. } | Registration::OutgoingWebhook { id: known, .. } => {
            known == id
        }
        Registration::Bot { .. } => false,
    })
}

/// The bundle says that something is registered. With a code that counts only if the thing is shown to be the bundle's.
fn believed(identity: &BundleIdentity, whose: &Owner) -> bool {
    match whose {
        Owner::ThisBundle => true,
        Owner::UnknownBundle | Owner::OtherApp => identity.on_record(),
        Owner::OtherBundle(_) => false,
    }
}

/// Fixes the description of the bot: older versions did not write which bundle, and a bundle may have moved.
async fn describe(
    cx: &Context<'_>,
    view: &InstallView,
    identity: &BundleIdentity,
) -> Result<Option<String>, Stop> {
    let Some(bot) = cx.server.bot(view.bot.id.as_str()).await? else {
        return Err(adopt::gone(view).into());
    };
    let name = &view.bot.username;
    // The address that the commands call: a bundle may have several, and is recognised by this one.
    let base = owner::base_of(view).unwrap_or_else(|| cx.bundle.base_url().clone());
    let about = mark::bot_description(cx.app, &base);
    let described = mark::bot_mark(&bot.description).and_then(|(_, bundle)| bundle);
    match identity.bot(&view.app_id, &bot) {
        Owner::ThisBundle if identity.on_record() && described.as_ref() != Some(&base) => {
            cx.server.update_bot(&bot, &mark::bot_title(cx.app), &about).await?;
            Ok(Some(format!("wrote into the description of @{name} that its bundle is at {base}")))
        }
        Owner::UnknownBundle if identity.on_record() => {
            cx.server.update_bot(&bot, &mark::bot_title(cx.app), &about).await?;
            Ok(Some(format!("wrote into the description of @{name} to which bundle it belongs")))
        }
        Owner::OtherBundle(other) if identity.on_record() => {
            for team in &view.teams {
                let commands = cx.server.commands(team.as_str()).await?;
                let theirs = |command: &Command| {
                    identity.command(&view.app_id, command) == Owner::OtherBundle(other.clone())
                };
                if commands.iter().any(theirs) {
                    cx.tell(&format!(
                        "  ! @{name} belongs to the bundle at {other} now: it was left as it is"
                    ));
                    return Ok(None);
                }
            }
            cx.server.update_bot(&bot, &mark::bot_title(cx.app), &about).await?;
            Ok(Some(format!(
                "wrote into the description of @{name} that its bundle is not at {other} any more"
            )))
        }
        Owner::ThisBundle | Owner::OtherApp | Owner::UnknownBundle | Owner::OtherBundle(_) => Ok(None),
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

/// The install's teams that still exist, and more.
async fn teams_of(server: &Mattermost, view: &InstallView, more: &Teams) -> Result<Vec<Team>, Stop> {
    let names = match more {
        Teams::All => return Ok(teams::not_archived(server.teams().await?)),
        Teams::Named(names) => names,
    };
    let mut found = Vec::new();
    let mut teams = teams::named(server, names, &mut found).await?;
    if !found.is_empty() {
        return Err(Stop::Found(found));
    }
    for id in &view.teams {
        if teams.iter().any(|team| team.id == *id) {
            continue;
        }
        teams.extend(server.team(id.as_str()).await?.filter(|team| team.delete_at == 0));
    }
    Ok(teams)
}

/// Channels that have a webhook, and those that need one.
fn channels(view: &InstallView, wanted: &Wanted) -> Vec<cloud_apps_protocol::ChannelId> {
    let mut channels = wanted.channels.clone();
    for standing in &view.registered {
        if let Registration::OutgoingWebhook { channel_id, .. } = standing
            && !channels.contains(channel_id)
        {
            channels.push(channel_id.clone());
        }
    }
    channels
}

/// What is registered and not needed any more: what the bundle says, and what was made again under another id.
fn leftovers(view: &InstallView, registered: &[Registered]) -> Vec<Registration> {
    let stands = |standing: &Registration| {
        registered.iter().any(|one| match (one, standing) {
            (Registered::SlashCommand { id, .. }, Registration::SlashCommand { id: known, .. })
            | (Registered::OutgoingWebhook { id, .. }, Registration::OutgoingWebhook { id: known, .. }) => {
                id == known
            }
            _ => false,
        })
    };
    let bot = |standing: &Registration| matches!(standing, Registration::Bot { .. });
    let mut gone: Vec<Registration> = view.leftovers.iter().chain(&view.registered).cloned().collect();
    gone.retain(|standing| !stands(standing) && !bot(standing));
    gone.sort();
    gone.dedup();
    gone
}

/// Whether something under an id that the bundle names belongs to the install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    Ours,
    NotOurs,
}

/// What of the things that the bundle names stands on the server, and whether it belongs to this install. Only the bundle says
/// the id: it may be the id of anybody's command, or no id at all.
async fn shown_to_be_ours<'a>(
    server: &Mattermost,
    (app, identity): (&AppId, &BundleIdentity),
    named: &'a [Registration],
) -> Result<Vec<(&'a Registration, Stands)>, Stop> {
    let mut commands: BTreeMap<&TeamId, Vec<Command>> = BTreeMap::new();
    let mut webhooks: BTreeMap<&TeamId, Vec<OutgoingWebhook>> = BTreeMap::new();
    let mut standing = Vec::new();
    for one in named {
        let whose = match one {
            Registration::SlashCommand { team_id, id, .. } => {
                let there = match commands.entry(team_id) {
                    Entry::Occupied(seen) => seen.into_mut(),
                    Entry::Vacant(place) => place.insert(server.commands(team_id.as_str()).await?),
                };
                there.iter().find(|command| command.id == *id).map(|command| identity.command(app, command))
            }
            Registration::OutgoingWebhook { team_id, id, .. } => {
                let there = match webhooks.entry(team_id) {
                    Entry::Occupied(seen) => seen.into_mut(),
                    Entry::Vacant(place) => place.insert(server.webhooks(team_id.as_str()).await?),
                };
                there.iter().find(|webhook| webhook.id == *id).map(|webhook| identity.webhook(app, webhook))
            }
            Registration::Bot { .. } => None,
        };
        let ours = |whose: Owner| match whose {
            Owner::ThisBundle => Stands::Ours,
            Owner::UnknownBundle if identity.on_record() => Stands::Ours,
            _ => Stands::NotOurs,
        };
        standing.extend(whose.map(|whose| (one, ours(whose))));
    }
    Ok(standing)
}

/// Removes one thing from the server, if it stands there. The server showed its id.
async fn remove(server: &Mattermost, standing: &Registration) -> Result<(), Stop> {
    match standing {
        Registration::SlashCommand { id, .. } => server.delete_command(id).await?,
        Registration::OutgoingWebhook { id, .. } => server.delete_webhook(id).await?,
        // A sync removes no bot.
        Registration::Bot { .. } => {}
    }
    Ok(())
}

/// What stands, in words.
pub fn words(standing: &Registration) -> String {
    match standing {
        Registration::SlashCommand { trigger, team_id, .. } => format!("/{trigger} of the team {team_id}"),
        Registration::OutgoingWebhook { channel_id, .. } => format!("the webhook of channel {channel_id}"),
        Registration::Bot { username, .. } => format!("the bot @{username}"),
    }
}

/// Tells the bundle what was registered, as much as fits into each request.
pub async fn register(cx: &Context<'_>, install: &InstallId, registered: &[Registered]) -> Result<(), Stop> {
    for some in registered.chunks(ENTRIES) {
        cx.bundle.change(install, &InstallPatch::Register(some.to_vec())).await?;
    }
    Ok(())
}

async fn unregister(cx: &Context<'_>, install: &InstallId, gone: &[Registration]) -> Result<(), Stop> {
    for some in gone.chunks(ENTRIES) {
        cx.bundle.change(install, &InstallPatch::Unregister(some.to_vec())).await?;
    }
    Ok(())
}
