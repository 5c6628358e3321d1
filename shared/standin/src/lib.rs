//! A Mattermost in a box: what a server does around an integration, in two personalities, without a server.
//!
//! It holds a world (users, teams, channels, posts, bots, tokens, slash commands), answers the REST API v4 as
//! the recordings of 5.37 and 11.6 do, and executes slash commands: it sends the form that a server sends and
//! does with the answer what a server does. It is for tests, for `cloud-apps serve`, and for functions that
//! run on a laptop; it knows nothing of this project.
//!
//! Trade-offs: everything is in memory behind one lock. What it does not do it refuses by name (501,
//! `standin.not_served.app_error`), for a stand-in that agrees to what it does not do makes tests that lie.
//! There are no web sockets, post actions, dialogs, webhooks, OAuth and plugins yet; the recordings in
//! `tests/recordings` that it is held to, and the exceptions with their reasons, are listed in
//! `tests/it/conformance.rs`.
//!
//! ```
//! use cloud_apps_standin::{Standin, Version};
//! use http::Response;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let mm = Standin::new(Version::V11);
//! mm.demo()?;
//! mm.plug("http://app.test/", |_| async { Response::new("hello".into()) });
//! mm.add_command("demo", "hello", "http://app.test/slash")?;
//! let seen = mm.execute("alice", "town-square", "/hello greet @bob").await?;
//! assert_eq!(seen.texts(), ["hello"]);
//! # Ok::<(), cloud_apps_standin::StandinError>(()) }).unwrap();
//! ```

mod error;
mod fault;
mod ids;
mod rest;
mod serve;
mod shape;
mod slash;
mod tls;
mod version;
mod world;

pub use error::{ConnectionCut, StandinError};
pub use fault::Fault;
pub use rest::Call;
pub use serve::Server;
pub use slash::answer::{Action, Attachment, Field};
pub use version::Version;
pub use world::{Bot, ChannelKind, Millis, Post, User};

use bytes::Bytes;
use http::{Request, Response};
use ids::Ids;
use serde_json::Value;
use slash::outgoing::Outgoing;
use slash::trigger::TriggerKey;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use world::{Command, World};

type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// A Mattermost. Cheap to clone; all clones are the same server.
#[derive(Clone)]
pub struct Standin {
    inner: Arc<Inner>,
}

struct Inner {
    version: Version,
    world: Mutex<World>,
    clock: Mutex<Clock>,
    outgoing: Outgoing,
    trigger_key: TriggerKey,
}

/// What came of a command: what the client got, and what its user sees.
#[derive(Debug, Clone)]
pub struct Executed {
    /// The status of `POST /api/v4/commands/execute`.
    pub status: u16,
    /// Its body.
    pub body: Value,
    /// What appeared before the user while the command ran, in order.
    pub shown: Vec<Shown>,
}

/// Something that a user sees.
#[derive(Debug, Clone)]
pub enum Shown {
    /// A post in a channel that the user is in, whoever wrote it.
    Posted(Post),
    /// An ephemeral post: "Only visible to you".
    OnlyYou(Post),
    /// The client goes to this address.
    Goto(String),
    /// The red line under the input box, where the typed command stays.
    Error(String),
}

impl Executed {
    /// The texts of all that is shown, in order.
    pub fn texts(&self) -> Vec<&str> {
        self.shown.iter().map(Shown::text).collect()
    }
}

impl Shown {
    /// What can be read of it.
    pub fn text(&self) -> &str {
        match self {
            Shown::Posted(post) | Shown::OnlyYou(post) => &post.message,
            Shown::Goto(text) | Shown::Error(text) => text,
        }
    }
}

impl fmt::Debug for Standin {
    /// Counts only: the world is full of tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = self.world();
        f.debug_struct("Standin")
            .field("version", &world.version)
            .field("users", &world.users.len())
            .field("posts", &world.posts.len())
            .field("calls", &world.calls.len())
            .finish_non_exhaustive()
    }
}

/// Making one.
impl Standin {
    /// An empty server whose ids and tokens nobody can guess.
    pub fn new(version: Version) -> Standin {
        Standin::with_ids(version, Ids::random())
    }

    /// An empty server that gives the same ids and tokens for the same seed. Not for anything that listens
    /// beyond loopback.
    pub fn seeded(version: Version, seed: u64) -> Standin {
        Standin::with_ids(version, Ids::seeded(seed))
    }

    fn with_ids(version: Version, ids: Ids) -> Standin {
        let world = World {
            version,
            now: 0,
            ids,
            site_url: "http://localhost:8065".to_owned(),
            overrides: false,
            users: Vec::new(),
            teams: Vec::new(),
            channels: Vec::new(),
            team_members: Vec::new(),
            channel_members: Vec::new(),
            posts: Vec::new(),
            tokens: Vec::new(),
            commands: Vec::new(),
            hooks: Vec::new(),
            calls: Vec::new(),
            faults: fault::Faults::default(),
        };
        let inner = Inner {
            version,
            world: Mutex::new(world),
            clock: Mutex::new(Arc::new(system_clock)),
            outgoing: Outgoing::new(),
            trigger_key: TriggerKey::new(),
        };
        Standin { inner: Arc::new(inner) }
    }

    /// Which server this is.
    pub fn version(&self) -> Version {
        self.inner.version
    }

    /// Sets the clock, in milliseconds since 1970.
    pub fn set_clock(&self, clock: impl Fn() -> Millis + Send + Sync + 'static) {
        *self.inner.clock.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(clock);
    }

    /// `ServiceSettings.SiteURL`, without a slash at the end: where version 11 sends late answers. Serving
    /// sets it to where the stand-in listens.
    pub fn set_site_url(&self, url: &str) {
        url.trim_end_matches('/').clone_into(&mut self.world().site_url);
    }

    /// `ServiceSettings.SiteURL`.
    pub fn site_url(&self) -> String {
        self.world().site_url.clone()
    }

    /// `EnablePostUsernameOverride` and `EnablePostIconOverride`; off unless set.
    pub fn allow_overrides(&self, allow: bool) {
        self.world().overrides = allow;
    }

    /// `OutgoingIntegrationRequestsTimeout`: how long an integration may take; 30 seconds unless set.
    pub fn set_outgoing_timeout(&self, timeout: Duration) {
        self.inner.outgoing.set_timeout(timeout);
    }

    /// The demo world: team `demo`, its two channels, `admin` (system admin), `alice`, `bob`, `carol`.
    ///
    /// # Errors
    /// A part of it is already there.
    pub fn demo(&self) -> Result<(), StandinError> {
        self.add_team("demo")?;
        for name in ["admin", "alice", "bob", "carol"] {
            self.add_user(name)?;
            self.join_team(name, "demo")?;
        }
        self.add_role("admin", "system_admin")
    }
}

/// Filling the world. Users, teams and channels are named by their name or id.
impl Standin {
    /// A user; the id.
    pub fn add_user(&self, username: &str) -> Result<String, StandinError> {
        let mut world = self.world();
        if world.user_named(username).is_some() {
            return Err(StandinError::Taken { what: "user", name: username.to_owned() });
        }
        Ok(world.add_user(username, None).id.clone())
    }

    /// Gives a role, as `system_admin`, `system_post_all`, `system_user_access_token`.
    pub fn add_role(&self, user: &str, role: &str) -> Result<(), StandinError> {
        let mut world = self.world();
        let (id, now) = (user_id(&world, user)?, world.now);
        for user in world.users.iter_mut().filter(|user| user.id == id) {
            if !user.roles.split(' ').any(|known| known == role) {
                user.roles = format!("{} {role}", user.roles);
                user.update_at = now;
            }
        }
        Ok(())
    }

    /// A team with `town-square` and `off-topic`; the id.
    pub fn add_team(&self, name: &str) -> Result<String, StandinError> {
        let mut world = self.world();
        if world.team_named(name).is_some() {
            return Err(StandinError::Taken { what: "team", name: name.to_owned() });
        }
        Ok(world.add_team(name, name, ""))
    }

    /// Brings a user into a team and its default channels.
    pub fn join_team(&self, user: &str, team: &str) -> Result<(), StandinError> {
        let mut world = self.world();
        let (user, team) = (user_id(&world, user)?, team_id(&world, team)?);
        world.join_team(&team, &user);
        Ok(())
    }

    /// Makes a member of a team one of its admins.
    pub fn make_team_admin(&self, user: &str, team: &str) -> Result<(), StandinError> {
        self.join_team(user, team)?;
        let mut world = self.world();
        let (user, team) = (user_id(&world, user)?, team_id(&world, team)?);
        for member in world.team_members.iter_mut().filter(|m| m.team_id == team && m.user_id == user) {
            member.admin = true;
        }
        Ok(())
    }

    /// A channel of a team, with nobody in it; the id.
    pub fn add_channel(&self, team: &str, name: &str, kind: ChannelKind) -> Result<String, StandinError> {
        let mut world = self.world();
        let team = team_id(&world, team)?;
        if world.channel_named(&team, name).is_some() {
            return Err(StandinError::Taken { what: "channel", name: name.to_owned() });
        }
        Ok(world.add_channel(&team, name, name, kind, "").id)
    }

    /// Brings a user into a channel.
    pub fn join(&self, user: &str, channel: &str) -> Result<(), StandinError> {
        let mut world = self.world();
        let (user, channel) = (user_id(&world, user)?, channel_id(&world, None, channel)?);
        world.join(&channel, &user, false);
        Ok(())
    }

    /// Takes a user out of a channel.
    pub fn leave(&self, user: &str, channel: &str) -> Result<(), StandinError> {
        let mut world = self.world();
        let (user, channel) = (user_id(&world, user)?, channel_id(&world, None, channel)?);
        world.channel_members.retain(|member| member.user_id != user || member.channel_id != channel);
        Ok(())
    }

    /// The direct channel of two users; the id.
    pub fn direct_channel(&self, one: &str, other: &str) -> Result<String, StandinError> {
        let mut world = self.world();
        let (one, other) = (user_id(&world, one)?, user_id(&world, other)?);
        Ok(world.direct_channel(&one, &one, &other).id)
    }

    /// A bot, in no team yet; its user id and a token.
    pub fn add_bot(&self, username: &str, description: &str) -> Result<(String, String), StandinError> {
        let mut world = self.world();
        if world.user_named(username).is_some() {
            return Err(StandinError::Taken { what: "user", name: username.to_owned() });
        }
        let bot = Bot { description: description.to_owned(), owner_id: String::new() };
        let id = world.add_user(username, Some(bot)).id.clone();
        let token = world.add_token(&id, description).token.clone();
        Ok((id, token))
    }

    /// A personal access token of a user.
    pub fn add_token(&self, user: &str) -> Result<String, StandinError> {
        let mut world = self.world();
        let user = user_id(&world, user)?;
        Ok(world.add_token(&user, "stand-in").token.clone())
    }

    /// A slash command of a team, sent by `POST`; its id and token.
    pub fn add_command(
        &self,
        team: &str,
        trigger: &str,
        url: &str,
    ) -> Result<(String, String), StandinError> {
        let mut world = self.world();
        let team_id = team_id(&world, team)?;
        let trigger = trigger.trim_start_matches('/').to_lowercase();
        let taken = world.commands.iter().any(|known| known.team_id == team_id && known.trigger == trigger);
        if taken || rest::BUILT_IN.contains(&trigger.as_str()) {
            return Err(StandinError::Taken { what: "command", name: trigger });
        }
        let admin = world.users.iter().find(|user| world.is_admin(&user.id)).map(|user| user.id.clone());
        let command = Command {
            id: world.ids.next(),
            token: world.ids.next(),
            create_at: world.now,
            update_at: world.now,
            creator_id: admin.unwrap_or_default(),
            team_id,
            trigger,
            method: "P".to_owned(),
            username: String::new(),
            icon_url: String::new(),
            auto_complete: true,
            auto_complete_desc: String::new(),
            auto_complete_hint: String::new(),
            display_name: String::new(),
            description: String::new(),
            url: url.to_owned(),
        };
        let both = (command.id.clone(), command.token.clone());
        world.commands.push(command);
        Ok(both)
    }
}

/// Looking at the world.
impl Standin {
    /// A user by name or id.
    pub fn user(&self, user: &str) -> Result<User, StandinError> {
        let world = self.world();
        let id = user_id(&world, user)?;
        world.user(&id).cloned().ok_or_else(|| unknown("user", user))
    }

    /// The id of a team.
    pub fn team_id(&self, team: &str) -> Result<String, StandinError> {
        team_id(&self.world(), team)
    }

    /// The id of a channel of a team.
    pub fn channel_id(&self, team: &str, channel: &str) -> Result<String, StandinError> {
        let world = self.world();
        let team = team_id(&world, team)?;
        channel_id(&world, Some(&team), channel)
    }

    /// What was said in a channel, the oldest first.
    pub fn posts(&self, channel: &str) -> Result<Vec<Post>, StandinError> {
        let world = self.world();
        let id = channel_id(&world, None, channel)?;
        let said = world.posts.iter().filter(|post| post.channel_id == id && post.only_for.is_none());
        Ok(said.cloned().collect())
    }

    /// The last ephemeral post that a user got.
    pub fn last_ephemeral(&self, user: &str) -> Result<Option<Post>, StandinError> {
        let world = self.world();
        let id = user_id(&world, user)?;
        Ok(world.posts.iter().rev().find(|post| post.only_for.as_ref() == Some(&id)).cloned())
    }

    /// The REST calls that came in, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.world().calls.clone()
    }

    /// The public half of the key that signs trigger ids: an uncompressed point of P-256.
    pub fn trigger_public_key(&self) -> Vec<u8> {
        self.inner.trigger_key.public()
    }
}

/// Working.
impl Standin {
    /// Does what a client does when its user types a line: the same path as `POST /api/v4/commands/execute`.
    /// `user` is a name or id, `channel` an id or the name of a channel in one of the user's teams.
    ///
    /// # Errors
    /// The user or channel is unknown. What goes wrong with the command is in the result.
    pub async fn execute(&self, user: &str, channel: &str, line: &str) -> Result<Executed, StandinError> {
        let (ask, before) = {
            let world = self.world();
            let user = user_id(&world, user)?;
            let own = world.team_members.iter().filter(|member| member.user_id == user);
            let teams: Vec<&str> = own.map(|member| member.team_id.as_str()).collect();
            let found = teams.iter().find_map(|team| channel_id(&world, Some(team), channel).ok());
            let channel = found.map_or_else(|| channel_id(&world, None, channel), Ok)?;
            let here = world.channel(&channel).map_or("", |channel| channel.team_id.as_str());
            let team = if here.is_empty() { teams.first().copied().unwrap_or_default() } else { here };
            let body = serde_json::json!({"channel_id": channel, "team_id": team, "command": line});
            let ask = rest::Ask {
                user,
                path: Vec::new(),
                query: Vec::new(),
                content_type: Some("application/json".to_owned()),
                body: Bytes::from(body.to_string()),
                origin: None,
            };
            (ask, world.posts.len())
        };
        let answer = slash::execute(self, &ask).await;
        let mut world = self.world();
        let seen = world.posts.iter().skip(before).filter_map(|post| match &post.only_for {
            Some(one) => (*one == ask.user).then(|| Shown::OnlyYou(post.clone())),
            None => world.channel_member(&post.channel_id, &ask.user).map(|_| Shown::Posted(post.clone())),
        });
        let mut shown: Vec<Shown> = seen.collect();
        let (status, body) = match answer {
            Ok(rest::Reply::Json(status, body)) => {
                let goto = body.get("goto_location").and_then(Value::as_str).unwrap_or_default();
                if !goto.is_empty() {
                    shown.push(Shown::Goto(goto.to_owned()));
                }
                (status, body)
            }
            Ok(rest::Reply::Text(status, text)) => (status, text.into()),
            Err(error) => {
                shown.push(Shown::Error(error.message.clone()));
                let request_id = world.ids.next();
                (error.status, error.body(&request_id))
            }
        };
        Ok(Executed { status: status.as_u16(), body, shown })
    }

    /// Answers a request: the one entry, which serving wraps.
    ///
    /// # Errors
    /// [`ConnectionCut`] only when a [`Fault`] was ordered; without sockets the caller takes it for a
    /// connection that ended.
    pub async fn respond(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ConnectionCut> {
        let secure = request.uri().scheme_str() == Some("https");
        rest::respond(self, secure, request).await
    }

    /// Calls to addresses that begin with `prefix` go to `handler` and not to a socket. The longest prefix
    /// wins; plugging the same prefix again replaces the handler.
    pub fn plug<F, A>(&self, prefix: &str, handler: F)
    where
        F: Fn(Request<Bytes>) -> A + Send + Sync + 'static,
        A: Future<Output = Response<Bytes>> + Send + 'static,
    {
        self.inner.outgoing.plug(prefix, handler);
    }

    /// Trusts one more authority when calling integrations under TLS.
    ///
    /// # Errors
    /// The text is not a PEM certificate.
    pub fn trust(&self, ca_pem: &str) -> Result<(), StandinError> {
        Ok(self.inner.outgoing.trust(ca_pem)?)
    }

    /// Orders a failure of the `nth` REST call from now; the next one is 1.
    pub fn fault(&self, nth: usize, fault: Fault) {
        self.world().faults.order(nth, fault);
    }

    /// Listens for HTTP; port 0 takes a free one.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn serve_http(&self, address: SocketAddr) -> Result<Server, StandinError> {
        serve::serve(self.clone(), address, None).await
    }

    /// Listens for HTTPS under a new authority of its own. `names` are further host names or addresses that
    /// the certificate is for; `localhost` and the loopback addresses always are.
    ///
    /// # Errors
    /// The address cannot be had, or a name cannot stand in a certificate.
    pub async fn serve_https(&self, address: SocketAddr, names: &[&str]) -> Result<Server, StandinError> {
        serve::serve(self.clone(), address, Some(names)).await
    }
}

/// For the rooms within.
impl Standin {
    /// The world, at the present time.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        let clock = self.inner.clock.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut world = self.inner.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.now = clock();
        world
    }

    pub(crate) fn outgoing(&self) -> &Outgoing {
        &self.inner.outgoing
    }

    pub(crate) fn trigger_key(&self) -> &TriggerKey {
        &self.inner.trigger_key
    }
}

fn system_clock() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn unknown(what: &'static str, name: &str) -> StandinError {
    StandinError::Unknown { what, name: name.to_owned() }
}

fn user_id(world: &World, user: &str) -> Result<String, StandinError> {
    let found = world.user(user).or_else(|| world.user_named(user));
    found.map(|user| user.id.clone()).ok_or_else(|| unknown("user", user))
}

fn team_id(world: &World, team: &str) -> Result<String, StandinError> {
    let found = world.team(team).or_else(|| world.team_named(team));
    found.map(|team| team.id.clone()).ok_or_else(|| unknown("team", team))
}

/// By id, or by name: in the team if one is given, and else in the first team that has it.
fn channel_id(world: &World, team: Option<&str>, channel: &str) -> Result<String, StandinError> {
    let mut named = world.channels.iter().filter(|known| known.name == channel);
    let found =
        world.channel(channel).or_else(|| named.find(|known| team.is_none_or(|team| known.team_id == team)));
    found.map(|channel| channel.id.clone()).ok_or_else(|| unknown("channel", channel))
}
