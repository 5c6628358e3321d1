//! What a function is given: the request, the Mattermost client, settings, the deadline.

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

/// The surroundings of one call. Cheap to clone.
#[derive(Clone)]
pub struct Cx(Arc<Surroundings>);

struct Surroundings {
    inner: Inner,
    ends: Instant,
}

/// What a [`Cx`] is made of; the bundle and tests build it.
pub struct Inner {
    /// The request as the protocol defines it, `context.app` and `context.config` filled.
    pub request: CommandRequest,
    /// Unix milliseconds when the request came in.
    pub now: Millis,
    /// Unix milliseconds after which nobody waits for the answer.
    pub deadline: Millis,
    /// The request's id, as it stands in log and errors.
    pub request_id: String,
    /// What the admin set, passwords included.
    pub settings: Values,
    /// The bot's token.
    pub bot: Arc<dyn BotTokens>,
    /// The acting user's token, where there is one.
    pub user: Option<Credential>,
    /// The client for outbound calls.
    pub http: Outbound,
}

impl Cx {
    /// Wraps the parts.
    pub fn new(inner: Inner) -> Self {
        let left = Duration::from_millis(inner.deadline.saturating_sub(inner.now));
        // Nobody waits for a day, and an instant far enough ahead does not exist.
        let ends = Instant::now() + left.min(Duration::from_hours(24));
        Self(Arc::new(Surroundings { inner, ends }))
    }

    /// For tests of functions: noon of 22 November 2026, 8 s, no settings, and a Mattermost on loopback where `bot`
    /// names one.
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

    /// Who runs the command. A failure that says so where nobody is known, as with a static token.
    pub fn acting_user(&self) -> Result<&UserId> {
        let user = self.request().context.acting_user.as_ref();
        user.map(|user| &user.id).ok_or_else(|| {
            Failure::say(
                "This command must know who runs it, and the request does not say. Run it in Mattermost.",
            )
        })
    }

    /// Where it was run.
    pub fn channel(&self) -> Option<&Channel> {
        self.request().context.channel.as_ref()
    }

    /// In which team; absent for clicks in direct messages.
    pub fn team(&self) -> Option<&Team> {
        self.request().context.team.as_ref()
    }

    /// Whom and what the line mentions.
    pub fn mentioned(&self) -> &Mentioned {
        &self.request().context.mentioned
    }

    /// A user's name without `@`. From the request where it stands there; else Mattermost is asked, with the acting
    /// user's own rights where there is a token of theirs.
    ///
    /// The bot sees more people than a guest does, and the id may be one that a guest typed. So with the bot's rights a
    /// guest, and a request of nobody known, gets the name of none but the members of a channel that both are in.
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

    /// Mattermost, with the bot's rights.
    ///
    /// What is posted here is posted as it is: `@channel` notifies everybody. Escape what the app did not write.
    pub fn bot(&self) -> Mattermost {
        Mattermost::bot(self.0.inner.http.clone(), Arc::clone(&self.0.inner.bot)).until(self.0.ends)
    }

    /// Mattermost, with the acting user's rights, where there is a token of theirs.
    pub fn user(&self) -> Option<Mattermost> {
        let credential = self.0.inner.user.clone()?;
        Some(Mattermost::user(self.0.inner.http.clone(), credential).until(self.0.ends))
    }

    /// What the admin set, passwords included.
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

    /// After this nobody waits for the answer.
    pub fn deadline(&self) -> Timestamp {
        timestamp(self.0.inner.deadline)
    }

    /// How long the function still has.
    pub fn remaining(&self) -> Duration {
        self.0.ends.saturating_duration_since(Instant::now())
    }

    /// The request's id, as it stands in the log and in errors.
    pub fn request_id(&self) -> &str {
        &self.0.inner.request_id
    }

    /// The user's language, `de`; `en` where it is not known.
    pub fn locale(&self) -> &str {
        self.request().context.locale.as_deref().unwrap_or("en")
    }

    /// The user's time zone; UTC where it is not known.
    pub fn time_zone(&self) -> TimeZone {
        let name = self.request().context.time_zone.as_deref();
        name.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC)
    }
}

/// Nobody by this id, or nobody that the acting user sees: one sentence, which tells neither.
fn unseen() -> Failure {
    Failure::say(
        "Nobody whom you can see here has this id. Mention the person instead: write @ and the user name.",
    )
}

/// Far beyond any date where the milliseconds are beyond what a [`Timestamp`] holds.
fn timestamp(millis: Millis) -> Timestamp {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}
