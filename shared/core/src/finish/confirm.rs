//! Where the bot may act (protocol, section 2). A credential proves who sends a request; the channel that the request
//! names may still be anybody's. Before the bot posts or joins, the server confirms that the channel belongs to what the
//! credential proved.
//!
//! [`Confirmed`] is made here and nowhere else, and [`BotActions`], which alone acts with the bot's rights, takes nothing less.
//! What the server confirmed is remembered for some minutes, so a command that posts costs one call more, once.

use super::{
    blocks::ServerAbilities,
    response_url::{NoReply, ReplyId},
};
use crate::{
    keys::InstallBot,
    store::{model::Install, recent::Recent},
};
use cloud_app::{
    Mattermost,
    http::Outbound,
    mattermost::{Channel, Error, NewPost},
};
use cloud_apps_protocol::{ChannelId, InstallId, Millis, PostId, TeamId, UserId, command::Bot};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use std::{
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long what a server confirmed is believed, in ms.
const KEEP: Millis = 5 * 60_000;
/// How many channels, and how many members of direct and group channels, are remembered.
const KEPT: usize = 4_000;

/// Something that the server confirmed to belong to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed<T>(T);

impl<T> Confirmed<T> {
    /// What was confirmed.
    pub fn get(&self) -> &T {
        &self.0
    }
}

/// What the credential of a request proves of the channel that the request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelProof {
    /// The server signed the whole request, the channel included.
    Request,
    /// A slash command's token: the server sent it for this team.
    Team(TeamId),
    /// A static token: nothing but the install.
    Install,
}

/// Why a channel is not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum Unconfirmed {
    /// The server did not say.
    #[error("the server did not confirm the channel: {0}")]
    Unread(#[from] Error),
    /// The channel is of another team than the one that the credential proves.
    #[error("the channel is not of the team that the command was sent for")]
    OtherTeam,
    /// The user is no member of the channel, or nobody knows who the user is.
    #[error("the channel has no member that is the acting user")]
    NoMember,
}

/// What servers confirmed, for all installs. Bounded; forgotten after some minutes.
pub struct Confirmations(Mutex<Known>);

struct Known {
    /// What kind of channel it is.
    channels: Facts<(InstallId, ChannelId), ChannelKind>,
    /// Who is a member of it.
    members: Facts<(InstallId, ChannelId, UserId), ()>,
}

/// What decides about a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ChannelKind {
    /// A channel of this team.
    OfTeam(TeamId),
    /// A direct or group message.
    Direct,
}

/// The bot at work for one request: the only way in which the bundle itself acts with the bot's rights.
pub struct BotActions {
    bot: Arc<InstallBot>,
    mattermost: Mattermost,
    http: Outbound,
    until: Instant,
    confirmations: Arc<Confirmations>,
}

/// How long a `response_url` may take.
const REPLY: Duration = Duration::from_secs(8);

impl BotActions {
    /// The bot, whose calls of its server end at `until`.
    pub fn new(
        bot: Arc<InstallBot>,
        http: Outbound,
        confirmations: Arc<Confirmations>,
        until: Instant,
    ) -> Self {
        let mattermost = Mattermost::bot(http.clone(), Arc::clone(&bot) as _).until(until);
        Self { bot, mattermost, http, until, confirmations }
    }

    /// The install.
    pub fn install(&self) -> &Install {
        &self.bot.install
    }

    /// What the bot's server can show.
    pub fn server(&self) -> ServerAbilities {
        ServerAbilities::of(&self.bot.install)
    }

    /// The bot's account.
    pub fn account(&self) -> &Bot {
        &self.bot.install.bot
    }

    /// Confirms that a request with this proof may speak of this channel: a channel of the team that was proved, or a
    /// direct or group message that the acting user is a member of. One call at most, two for a group message.
    pub async fn confirm(
        &self,
        channel: &ChannelId,
        proof: &ChannelProof,
        user: Option<&UserId>,
    ) -> Result<Confirmed<ChannelId>, Unconfirmed> {
        let team = match proof {
            ChannelProof::Request => return Ok(Confirmed(channel.clone())),
            ChannelProof::Team(team) => Some(team),
            ChannelProof::Install => None,
        };
        match (self.kind(channel).await?, team) {
            (ChannelKind::OfTeam(of), Some(team)) if of == *team => {}
            (ChannelKind::OfTeam(_), Some(_)) => return Err(Unconfirmed::OtherTeam),
            (ChannelKind::Direct, _) | (ChannelKind::OfTeam(_), None) => self.member(channel, user).await?,
        }
        Ok(Confirmed(channel.clone()))
    }

    /// Posts into a channel, or into a thread of it. `props`: what the post carries beside its text.
    pub async fn post(
        &self,
        channel: &Confirmed<ChannelId>,
        root: Option<&PostId>,
        text: &str,
        props: Map<String, Value>,
    ) -> Result<(), Error> {
        let mut post = NewPost::new(channel.0.clone(), text);
        if let Some(root) = root {
            post = post.in_thread(root.clone());
        }
        post.props = props;
        self.mattermost.create_post(&post).await.map(drop)
    }

    /// The direct channel of the bot and a user, which is made if there is none. The bot may always write to a user of its app.
    pub async fn direct(&self, user: &UserId) -> Result<Confirmed<ChannelId>, Error> {
        let channel = self.mattermost.direct_channel(&self.account().id, user).await?;
        Ok(Confirmed(channel.id))
    }

    /// Sends to a `response_url` of the install's own server. No token goes with it.
    pub async fn reply(&self, to: &ReplyId, body: &impl Serialize) -> Result<(), NoReply> {
        let unwritten = |why: String| NoReply::Unreachable(cloud_app::http::Error::Address(why));
        let url = format!("{}/hooks/commands/{}", self.bot.install.site, to.expose());
        let body = serde_json::to_vec(body).map_err(|error| unwritten(error.to_string()))?;
        let request = http::Request::post(url)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(body.into())
            .map_err(|_| unwritten("it cannot be written".to_owned()))?;
        let left = self.until.saturating_duration_since(Instant::now()).min(REPLY);
        match self.http.send(request, left).await?.status() {
            StatusCode::OK => Ok(()),
            status => Err(NoReply::Refused(status)),
        }
    }

    /// Joins a channel.
    pub async fn join(&self, channel: &Confirmed<ChannelId>) -> Result<(), Error> {
        self.mattermost.add_channel_member(&channel.0, &self.account().id).await.map(drop)
    }

    async fn kind(&self, channel: &ChannelId) -> Result<ChannelKind, Error> {
        let key = (self.bot.install.id.clone(), channel.clone());
        if let Some(kind) = self.known().channels.get(&key, self.bot.now) {
            return Ok(kind);
        }
        let found = self.mattermost.channel(channel).await?;
        let kind = found.team_id.clone().map_or(ChannelKind::Direct, ChannelKind::OfTeam);
        let mut known = self.known();
        known.channels.put(key, kind.clone(), self.bot.now);
        for user in both(&found) {
            let key = (self.bot.install.id.clone(), channel.clone(), user);
            known.members.put(key, (), self.bot.now);
        }
        Ok(kind)
    }

    async fn member(&self, channel: &ChannelId, user: Option<&UserId>) -> Result<(), Unconfirmed> {
        let user = user.ok_or(Unconfirmed::NoMember)?;
        let key = (self.bot.install.id.clone(), channel.clone(), user.clone());
        if self.known().members.get(&key, self.bot.now).is_some() {
            return Ok(());
        }
        self.mattermost.channel_member(channel, user).await?.ok_or(Unconfirmed::NoMember)?;
        self.known().members.put(key, (), self.bot.now);
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change is one call; a panic elsewhere cannot leave half of one.
        self.confirmations.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A direct message's name is its two users' ids.
fn both(channel: &Channel) -> Vec<UserId> {
    let names = channel.name.split_once("__").filter(|_| channel.r#type == "D");
    names.into_iter().flat_map(|(one, other)| [one, other]).filter_map(|id| id.parse().ok()).collect()
}

impl Unconfirmed {
    /// Whether the server keeps the channel from the bot.
    pub fn is_outside(&self) -> bool {
        matches!(self, Self::Unread(error) if is_outside(error))
    }
}

/// Whether this is what Mattermost tells who is not in a channel.
pub fn is_outside(error: &Error) -> bool {
    matches!(error.status(), Some(StatusCode::FORBIDDEN | StatusCode::NOT_FOUND))
}

impl Default for Confirmations {
    fn default() -> Self {
        Self(Mutex::new(Known { channels: Facts::default(), members: Facts::default() }))
    }
}

/// Facts and until when each is believed.
struct Facts<K: Hash + Eq, V>(Recent<K, (V, Millis)>);

impl<K: Hash + Eq, V: Clone> Facts<K, V> {
    fn get(&mut self, key: &K, now: Millis) -> Option<V> {
        self.0.get(key).filter(|(_, until)| now < *until).map(|(fact, _)| fact.clone())
    }

    fn put(&mut self, key: K, fact: V, now: Millis) {
        self.0.put(key, (fact, now.saturating_add(KEEP)));
    }
}

impl<K: Hash + Eq, V> Default for Facts<K, V> {
    fn default() -> Self {
        Self(Recent::new(KEPT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_believed_for_some_minutes_and_few_are_kept() {
        let mut facts = Facts::default();
        facts.put(0, "a", 1_000);
        assert_eq!(facts.get(&0, 1_000 + KEEP - 1), Some("a"));
        assert_eq!(facts.get(&0, 1_000 + KEEP), None);
        for n in 1..=KEPT {
            facts.put(n, "b", 1_000);
        }
        assert_eq!((facts.get(&0, 1_000), facts.get(&1, 1_000)), (None, Some("b")));
    }
}
