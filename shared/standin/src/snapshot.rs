//! Everything that a server has, as text that can be compared: what an installation made, and what an
//! uninstallation left.
//!
//! Posts are left out, for they are said and not installed. So are all secrets: tokens, and the ids of incoming
//! webhooks, which are as good as tokens. Real servers delete neither bots nor conversations; [`Snapshot::in_use`]
//! leaves out what is disabled, and what only hangs on that.

use crate::Standin;
use crate::world::{ChannelKind, User, World};
use std::fmt;

/// What a line of a snapshot is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the words of Mattermost")]
pub enum Kind {
    Person,
    Bot,
    Token,
    Session,
    Team,
    TeamMember,
    Channel,
    ChannelMember,
    Command,
    OutgoingWebhook,
    IncomingWebhook,
    OAuthApp,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Person => "person",
            Kind::Bot => "bot",
            Kind::Token => "token",
            Kind::Session => "session",
            Kind::Team => "team",
            Kind::TeamMember => "team member",
            Kind::Channel => "channel",
            Kind::ChannelMember => "channel member",
            Kind::Command => "command",
            Kind::OutgoingWebhook => "outgoing webhook",
            Kind::IncomingWebhook => "incoming webhook",
            Kind::OAuthApp => "OAuth app",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    kind: Kind,
    text: String,
    in_use: bool,
}

/// What there was at a moment, a line for each thing, sorted. Prints itself.
///
/// ```
/// # use cloud_apps_standin::{Standin, Version};
/// let mm = Standin::new(Version::V11);
/// mm.demo().unwrap();
/// let before = mm.snapshot();
/// mm.add_bot("hello", "greets").unwrap();
/// let difference = before.difference(&mm.snapshot());
/// assert!(difference[0].starts_with("+ bot hello: enabled"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    lines: Vec<Line>,
}

impl Snapshot {
    /// Without what is disabled or archived, the memberships of disabled users, and conversations with them.
    /// The tokens of a disabled bot stay, for they work again when it is enabled.
    #[must_use]
    pub fn in_use(&self) -> Snapshot {
        Snapshot { lines: self.lines.iter().filter(|line| line.in_use).cloned().collect() }
    }

    /// The things of one kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Snapshot {
        Snapshot { lines: self.lines.iter().filter(|line| line.kind == kind).cloned().collect() }
    }

    /// How many things there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What is gone (`- …`) and what is new (`+ …`) in a later snapshot. What was changed is both.
    pub fn difference(&self, later: &Snapshot) -> Vec<String> {
        let without = |mine: &[Line], theirs: &[Line]| {
            let mut theirs = theirs.to_vec();
            let mut rest = mine.to_vec();
            // Of two equal lines one may have gone.
            rest.retain(|line| {
                let at = theirs.iter().position(|other| other == line);
                at.map(|at| theirs.swap_remove(at)).is_none()
            });
            rest
        };
        let mut all: Vec<(Line, char)> =
            without(&self.lines, &later.lines).into_iter().map(|line| (line, '-')).collect();
        all.extend(without(&later.lines, &self.lines).into_iter().map(|line| (line, '+')));
        all.sort();
        all.into_iter().map(|(line, sign)| format!("{sign} {line}")).collect()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.text)
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Debug for Snapshot {
    /// As it prints itself: an assertion that fails is to be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Standin {
    /// What there is now: users, bots, tokens, sessions, teams, channels, members, commands, webhooks, OAuth apps.
    pub fn snapshot(&self) -> Snapshot {
        let world = self.world();
        let mut lines: Vec<Line> = Vec::new();
        let mut add = |kind, in_use, text: String| lines.push(Line { kind, text, in_use });
        for user in &world.users {
            let (kind, text) = account(&world, user);
            add(kind, user.delete_at == 0, text);
        }
        accesses(&world, &mut add);
        places(&world, &mut add);
        integrations(&world, &mut add);
        lines.sort();
        Snapshot { lines }
    }
}

/// A name where there is one.
fn user<'a>(world: &'a World, id: &'a str) -> &'a str {
    world.user(id).map_or(id, |user| &user.username)
}

fn team<'a>(world: &'a World, id: &'a str) -> &'a str {
    world.team(id).map_or(id, |team| &team.name)
}

/// `demo/town-square`, or who talks to whom.
fn channel(world: &World, id: &str) -> String {
    let Some(channel) = world.channel(id) else { return id.to_owned() };
    if !channel.kind.is_conversation() {
        return format!("{}/{}", team(world, &channel.team_id), channel.name);
    }
    let members = world.channel_members.iter().filter(|member| member.channel_id == id);
    let mut names: Vec<&str> = members.map(|member| user(world, &member.user_id)).collect();
    names.sort_unstable();
    names.join(" and ")
}

fn active(world: &World, user_id: &str) -> bool {
    world.user(user_id).is_some_and(|user| user.delete_at == 0)
}

/// A channel that is not archived, and not a conversation with somebody who is disabled.
fn open(world: &World, id: &str) -> bool {
    let Some(channel) = world.channel(id) else { return false };
    let mut members = world.channel_members.iter().filter(|member| member.channel_id == id);
    channel.delete_at == 0
        && (channel.kind != ChannelKind::Direct || members.all(|member| active(world, &member.user_id)))
}

fn account(world: &World, account: &User) -> (Kind, String) {
    let state = if account.delete_at == 0 { "enabled" } else { "disabled" };
    let User { id, username, roles, .. } = account;
    match &account.bot {
        None => (Kind::Person, format!("{username}: {state}, {roles} [{id}]")),
        Some(bot) => {
            let owner = user(world, &bot.owner_id);
            let (shown, text) = (&account.first_name, &bot.description);
            (Kind::Bot, format!("{username}: {state}, of {owner:?}, {roles}, {shown:?}, {text:?} [{id}]"))
        }
    }
}

fn accesses(world: &World, add: &mut impl FnMut(Kind, bool, String)) {
    for token in &world.tokens {
        let state = if token.active { "active" } else { "inactive" };
        let text =
            format!("of {}: {state}, {:?} [{}]", user(world, &token.user_id), token.description, token.id);
        add(Kind::Token, token.active, text);
    }
    for session in world.sessions.iter().filter(|session| session.expires_at > world.now) {
        add(Kind::Session, true, format!("of {} [{}]", user(world, &session.user_id), session.id));
    }
}

fn places(world: &World, add: &mut impl FnMut(Kind, bool, String)) {
    for team in &world.teams {
        let state = if team.delete_at == 0 { "open" } else { "archived" };
        let text = format!("{}: {:?}, {state} [{}]", team.name, team.display_name, team.id);
        add(Kind::Team, team.delete_at == 0, text);
    }
    for member in &world.team_members {
        let role = if member.admin { "admin" } else { "member" };
        let text = format!("{} in {}: {role}", user(world, &member.user_id), team(world, &member.team_id));
        add(Kind::TeamMember, active(world, &member.user_id), text);
    }
    for one in &world.channels {
        let state = if one.delete_at == 0 { "open" } else { "archived" };
        let text = format!("{}: {}, {state} [{}]", channel(world, &one.id), one.kind.letter(), one.id);
        add(Kind::Channel, open(world, &one.id), text);
    }
    for member in &world.channel_members {
        let role = if member.admin { "admin" } else { "member" };
        let text =
            format!("{} in {}: {role}", user(world, &member.user_id), channel(world, &member.channel_id));
        add(Kind::ChannelMember, active(world, &member.user_id) && open(world, &member.channel_id), text);
    }
}

fn integrations(world: &World, add: &mut impl FnMut(Kind, bool, String)) {
    for command in &world.commands {
        let text = format!(
            "/{} in {}: {} {}, by {}, {:?} {:?} {:?} [{}]",
            command.trigger,
            team(world, &command.team_id),
            if command.method == "G" { "GET" } else { "POST" },
            without_query(&command.url),
            user(world, &command.creator_id),
            command.display_name,
            command.auto_complete_hint,
            command.auto_complete_desc,
            command.id,
        );
        add(Kind::Command, true, text);
    }
    for hook in &world.outgoing_webhooks {
        let place = if hook.channel_id.is_empty() {
            team(world, &hook.team_id).to_owned()
        } else {
            channel(world, &hook.channel_id)
        };
        let urls: Vec<&str> = hook.callback_urls.iter().map(|url| without_query(url)).collect();
        let text = format!(
            "of {place}: to {}, words {:?}, {:?}, by {}, {:?} [{}]",
            urls.join(" and "),
            hook.trigger_words,
            hook.content_type,
            user(world, &hook.creator_id),
            hook.display_name,
            hook.id,
        );
        add(Kind::OutgoingWebhook, true, text);
    }
    for hook in &world.incoming_webhooks {
        let (place, maker) = (channel(world, &hook.channel_id), user(world, &hook.user_id));
        add(Kind::IncomingWebhook, true, format!("to {place}: by {maker}, {:?}", hook.display_name));
    }
    for app in &world.oauth_apps {
        let trusted = if app.is_trusted { "trusted" } else { "not trusted" };
        let secret = if app.client_secret.is_empty() { "public" } else { "with a secret" };
        let urls: Vec<&str> = app.callback_urls.iter().map(|url| without_query(url)).collect();
        let text = format!(
            "{:?}: back to {}, {trusted}, {secret}, by {} [{}]",
            app.name,
            urls.join(" and "),
            user(world, &app.creator_id),
            app.id,
        );
        add(Kind::OAuthApp, true, text);
    }
}

/// An address may carry a key in its query.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
