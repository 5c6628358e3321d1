//! Everything that a server has, as text that can be compared: what an installation created, and what an
//! uninstallation left behind.
//!
//! Posts are not listed, because nobody installs them. Secrets are not listed either: neither tokens, nor the ids of
//! incoming webhooks. A real server never deletes bots and conversations; [`Snapshot::in_use`] leaves out what is
//! disabled, and what depends only on that.

use crate::database::Database;
use crate::model::{ChannelKind, User};
use crate::standin::Standin;
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

/// What a server had at one moment, as sorted lines, one for each thing. It can be printed.
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
    /// The same without what is disabled or archived, without the memberships of disabled users, and without the
    /// conversations with them. The tokens of a disabled bot stay, because they work again when it is enabled.
    #[must_use]
    pub fn in_use(&self) -> Snapshot {
        Snapshot { lines: self.lines.iter().filter(|line| line.in_use).cloned().collect() }
    }

    /// Only the things of one kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Snapshot {
        Snapshot { lines: self.lines.iter().filter(|line| line.kind == kind).cloned().collect() }
    }

    /// How many things there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no thing.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What is gone (`- …`) and what is new (`+ …`) in a later snapshot. What was changed is listed as both.
    pub fn difference(&self, later: &Snapshot) -> Vec<String> {
        let without = |mine: &[Line], theirs: &[Line]| {
            let mut theirs = theirs.to_vec();
            let mut rest = mine.to_vec();
            // Of two equal lines, one may be gone, so each line of theirs counts once.
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
    /// The same text as `Display`, so that people can read an assertion that fails.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Standin {
    /// What the server has now: users, bots, tokens, sessions, teams, channels, members, commands, webhooks, OAuth apps.
    pub fn snapshot(&self) -> Snapshot {
        let db = self.db();
        let mut lines: Vec<Line> = Vec::new();
        let mut add = |kind, in_use, text: String| lines.push(Line { kind, text, in_use });
        for user in &db.users {
            let (kind, text) = account(&db, user);
            add(kind, user.delete_at == 0, text);
        }
        accesses(&db, &mut add);
        places(&db, &mut add);
        integrations(&db, &mut add);
        lines.sort();
        Snapshot { lines }
    }
}

/// The name of a user, or the id if there is no such user.
fn user<'a>(db: &'a Database, id: &'a str) -> &'a str {
    db.user(id).map_or(id, |user| &user.username)
}

fn team<'a>(db: &'a Database, id: &'a str) -> &'a str {
    db.team(id).map_or(id, |team| &team.name)
}

/// `demo/town-square`, or the members of a conversation.
fn channel(db: &Database, id: &str) -> String {
    let Some(channel) = db.channel(id) else { return id.to_owned() };
    if !channel.kind.is_conversation() {
        return format!("{}/{}", team(db, &channel.team_id), channel.name);
    }
    let members = db.channel_members.iter().filter(|member| member.channel_id == id);
    let mut names: Vec<&str> = members.map(|member| user(db, &member.user_id)).collect();
    names.sort_unstable();
    names.join(" and ")
}

fn active(db: &Database, user_id: &str) -> bool {
    db.user(user_id).is_some_and(|user| user.delete_at == 0)
}

/// Whether a channel is not archived, and is not a conversation with a disabled user.
fn open(db: &Database, id: &str) -> bool {
    let Some(channel) = db.channel(id) else { return false };
    let mut members = db.channel_members.iter().filter(|member| member.channel_id == id);
    channel.delete_at == 0
        && (channel.kind != ChannelKind::Direct || members.all(|member| active(db, &member.user_id)))
}

fn account(db: &Database, account: &User) -> (Kind, String) {
    let state = if account.delete_at == 0 { "enabled" } else { "disabled" };
    let User { id, username, roles, .. } = account;
    match &account.bot {
        None => (Kind::Person, format!("{username}: {state}, {roles} [{id}]")),
        Some(bot) => {
            let owner = user(db, &bot.owner_id);
            let (shown, text) = (&account.first_name, &bot.description);
            (Kind::Bot, format!("{username}: {state}, of {owner:?}, {roles}, {shown:?}, {text:?} [{id}]"))
        }
    }
}

fn accesses(db: &Database, add: &mut impl FnMut(Kind, bool, String)) {
    for token in &db.tokens {
        let state = if token.active { "active" } else { "inactive" };
        let mut text = format!("of {}: {state}, {:?}", user(db, &token.user_id), token.description);
        if token.expires_at != 0 {
            text = format!("{text}, until {}", token.expires_at);
        }
        let text = format!("{text} [{}]", token.id);
        add(Kind::Token, token.active, text);
    }
    for session in db.sessions.iter().filter(|session| session.expires_at > db.now) {
        add(Kind::Session, true, format!("of {} [{}]", user(db, &session.user_id), session.id));
    }
}

fn places(db: &Database, add: &mut impl FnMut(Kind, bool, String)) {
    for team in &db.teams {
        let state = if team.delete_at == 0 { "open" } else { "archived" };
        let text = format!("{}: {:?}, {state} [{}]", team.name, team.display_name, team.id);
        add(Kind::Team, team.delete_at == 0, text);
    }
    for member in &db.team_members {
        let role = if member.admin { "admin" } else { "member" };
        let text = format!("{} in {}: {role}", user(db, &member.user_id), team(db, &member.team_id));
        add(Kind::TeamMember, active(db, &member.user_id), text);
    }
    for one in &db.channels {
        let state = if one.delete_at == 0 { "open" } else { "archived" };
        let text = format!("{}: {}, {state} [{}]", channel(db, &one.id), one.kind.letter(), one.id);
        add(Kind::Channel, open(db, &one.id), text);
    }
    for member in &db.channel_members {
        let role = if member.admin { "admin" } else { "member" };
        let text = format!("{} in {}: {role}", user(db, &member.user_id), channel(db, &member.channel_id));
        add(Kind::ChannelMember, active(db, &member.user_id) && open(db, &member.channel_id), text);
    }
}

fn integrations(db: &Database, add: &mut impl FnMut(Kind, bool, String)) {
    for command in &db.commands {
        let text = format!(
            "/{} in {}: {} {}, by {}, {:?} {:?} {:?} [{}]",
            command.trigger,
            team(db, &command.team_id),
            if command.method == "G" { "GET" } else { "POST" },
            without_query(&command.url),
            user(db, &command.creator_id),
            command.display_name,
            command.auto_complete_hint,
            command.auto_complete_desc,
            command.id,
        );
        add(Kind::Command, true, text);
    }
    for hook in &db.outgoing_webhooks {
        let place = if hook.channel_id.is_empty() {
            team(db, &hook.team_id).to_owned()
        } else {
            channel(db, &hook.channel_id)
        };
        let urls: Vec<&str> = hook.callback_urls.iter().map(|url| without_query(url)).collect();
        let text = format!(
            "of {place}: to {}, words {:?}, {:?}, by {}, {:?} [{}]",
            urls.join(" and "),
            hook.trigger_words,
            hook.content_type,
            user(db, &hook.creator_id),
            hook.display_name,
            hook.id,
        );
        add(Kind::OutgoingWebhook, true, text);
    }
    for hook in &db.incoming_webhooks {
        let (place, maker) = (channel(db, &hook.channel_id), user(db, &hook.user_id));
        add(Kind::IncomingWebhook, true, format!("to {place}: by {maker}, {:?}", hook.display_name));
    }
    for app in &db.oauth_apps {
        let trusted = if app.is_trusted { "trusted" } else { "not trusted" };
        let secret = if app.client_secret.is_empty() { "public" } else { "with a secret" };
        let urls: Vec<&str> = app.callback_urls.iter().map(|url| without_query(url)).collect();
        let text = format!(
            "{:?}: back to {}, {trusted}, {secret}, by {} [{}]",
            app.name,
            urls.join(" and "),
            user(db, &app.creator_id),
            app.id,
        );
        add(Kind::OAuthApp, true, text);
    }
}

/// An address without its query, which can hold a key.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
