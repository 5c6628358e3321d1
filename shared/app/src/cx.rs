//! What a function gets: the request, the Mattermost client, the settings and the deadline.

use crate::{
    Failure, Fields, Mattermost, Result,
    http::{Outbound, Policy},
    mattermost::{self, BotTokens, Credential},
};
use async_trait::async_trait;
use cloud_apps_protocol::{
    CommandRequest, Millis, UserId, Username, Values,
    command::{Channel, Mentioned, Team},
};
use jiff::{Timestamp, tz::TimeZone};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// The context of one call. It is cheap to clone.
#[derive(Clone)]
pub struct Cx(Arc<Surroundings>);

struct Surroundings {
    inner: Inner,
    ends: Instant,
}

/// The parts of a [`Cx`]. The bundle and tests build it.
pub struct Inner {
    /// The request of the protocol, with `context.app` and `context.config`.
    pub request: CommandRequest,
    /// Unix milliseconds when the request came in.
    pub now: Millis,
    /// Unix milliseconds after which nobody waits for the answer.
    pub deadline: Millis,
    /// The request's id in the log and in errors.
    pub request_id: String,
    /// The settings, including passwords.
    pub settings: Values,
    /// The bot's token.
    pub bot: Arc<dyn BotTokens>,
    /// The acting user's token, if there is one.
    pub user: Option<Credential>,
    /// The client for outgoing calls.
    pub http: Outbound,
}

impl Cx {
    /// A context of these parts.
    pub fn new(inner: Inner) -> Self {
        let left = Duration::from_millis(inner.deadline.saturating_sub(inner.now));
        // Nobody waits for a day, and an `Instant` cannot be very far in the future.
        let ends = Instant::now() + left.min(Duration::from_hours(24));
        Self(Arc::new(Surroundings { inner, ends }))
    }

    /// For tests of functions: it is noon of 22 November 2026, there are 8 s and no settings, and Mattermost is the loopback
    /// address that `bot` names, if there is one.
    pub fn for_tests(request: CommandRequest, bot: Option<Credential>) -> Self {
        const NOON: Millis = 1_795_348_800_000;
        struct NoMattermost;
        #[async_trait]
        impl BotTokens for NoMattermost {
            async fn bot(&self, _: bool) -> Result<Credential, mattermost::Error> {
                Err(mattermost::Error::no_token(
                    "This test has no Mattermost: hand a Credential to Cx::for_tests.",
                ))
            }
        }
        Self::new(Inner {
            request,
            now: NOON,
            deadline: NOON + 8_000,
            request_id: "test".to_owned(),
            settings: Values::new(),
            bot: bot.map_or(Arc::new(NoMattermost) as Arc<dyn BotTokens>, |bot| Arc::new(bot)),
            user: None,
            http: Outbound::new(Policy { loopback: true, ..Policy::default() }),
        })
    }

    /// The request.
    pub fn request(&self) -> &CommandRequest {
        &self.0.inner.request
    }

    /// The user who runs the command. Fails with a sentence if there is no known user, as with a static token.
    pub fn acting_user(&self) -> Result<&UserId> {
        let user = self.request().context.acting_user.as_ref();
        user.map(|user| &user.id).ok_or_else(|| {
            Failure::say(
                "This command must know who runs it, and the request does not say. Run it in Mattermost.",
            )
        })
    }

    /// The channel in which it was run.
    pub fn channel(&self) -> Option<&Channel> {
        self.request().context.channel.as_ref()
    }

    /// The team. Absent for clicks in direct messages.
    pub fn team(&self) -> Option<&Team> {
        self.request().context.team.as_ref()
    }

    /// The users and channels that the line mentions.
    pub fn mentioned(&self) -> &Mentioned {
        &self.request().context.mentioned
    }

    /// A user's name without `@`. If the request does not have it, Mattermost is asked, with the acting user's rights if there is
    /// a token of that user.
    ///
    /// The bot sees more users than a guest does, and a guest may have typed the id. So with the bot's rights, a guest or an
    /// unknown user only gets the names of members of the request's channel.
    pub async fn username(&self, user: &UserId) -> Result<Username> {
        let context = &self.request().context;
        if let Some((name, _)) = context.mentioned.users.iter().find(|(_, mentioned)| mentioned.id == *user) {
            return Ok(name.clone());
        }
        let acting = self.acting_user().map_err(|_| unseen())?;
        let own = context.acting_user.as_ref().filter(|_| acting == user);
        if let Some(name) = own.and_then(|own| own.username.clone()) {
            return Ok(name);
        }
        if let Some(mattermost) = self.user() {
            return Ok(mattermost.user_by_id(user).await?.username);
        }
        let bot = self.bot();
        let found = bot.users_by_ids(&[acting, user]).await?;
        let named = |id: &UserId| found.iter().find(|found| found.id == *id).ok_or_else(unseen);
        if acting != user && named(acting)?.is_guest() && !self.meets(&bot, acting, user).await? {
            return Err(unseen());
        }
        Ok(named(user)?.username.clone())
    }

    /// Whether two users are members of the request's channel.
    async fn meets(&self, bot: &Mattermost, one: &UserId, other: &UserId) -> Result<bool> {
        let Some(channel) = self.channel() else { return Ok(false) };
        Ok(bot.channel_member(&channel.id, one).await?.is_some()
            && bot.channel_member(&channel.id, other).await?.is_some())
    }

    /// The Mattermost client with the bot's rights.
    ///
    /// Texts are posted unchanged: `@channel` notifies everybody. Escape text that the app did not write.
    pub fn bot(&self) -> Mattermost {
        Mattermost::bot(self.0.inner.http.clone(), Arc::clone(&self.0.inner.bot)).until(self.0.ends)
    }

    /// The Mattermost client with the acting user's rights, if there is a token of that user.
    pub fn user(&self) -> Option<Mattermost> {
        let credential = self.0.inner.user.clone()?;
        Some(Mattermost::user(self.0.inner.http.clone(), credential).until(self.0.ends))
    }

    /// The settings, including passwords.
    pub fn settings<T: Fields>(&self) -> Result<T> {
        T::from_values(self.0.inner.settings.clone()).map_err(|mut failure| {
            failure.text =
                Some("The settings of this app are not complete: an admin must set them.".to_owned());
            failure
        })
    }

    /// When the request came in.
    pub fn now(&self) -> Timestamp {
        timestamp(self.0.inner.now)
    }

    /// The time after which nobody waits for the answer.
    pub fn deadline(&self) -> Timestamp {
        timestamp(self.0.inner.deadline)
    }

    /// How much time the function has left.
    pub fn remaining(&self) -> Duration {
        self.0.ends.saturating_duration_since(Instant::now())
    }

    /// The request's id in the log and in errors.
    pub fn request_id(&self) -> &str {
        &self.0.inner.request_id
    }

    /// The user's language, such as `de`. If it is not known, `en`.
    pub fn locale(&self) -> &str {
        self.request().context.locale.as_deref().unwrap_or("en")
    }

    /// The user's time zone. If it is not known, UTC.
    pub fn time_zone(&self) -> TimeZone {
        let name = self.request().context.time_zone.as_deref();
        name.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC)
    }
}

/// There is no such user, or the acting user cannot see them. The sentence does not tell which.
fn unseen() -> Failure {
    Failure::say(
        "Nobody whom you can see here has this id. Mention the person instead: write @ and the user name.",
    )
}

/// The time. It is the last possible one if a [`Timestamp`] cannot have these milliseconds.
fn timestamp(millis: Millis) -> Timestamp {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}
