//! One command, whatever dialect it came in: from an authenticated request to an answer.
//!
//! Before the function runs: the namespace is the app's → the line is read → what the install was granted → what is
//! missing is said → the context is filled and cut → the token is spent. Then the function runs, cancelled at the
//! deadline, its panic caught; and its answer is settled ([`crate::settle`]).

use crate::{
    bot::InstallBot, cache::Freshness, edge::Arrival, expand, log::LogLine, model::Install, refusal::Refusal,
    resolve::resolve, settle, world::World,
};
use cloud_app::{
    App, Cx, Failure, Mattermost,
    cx::{Credential, Inner},
};
use cloud_apps_protocol::{
    Answer, Code, CommandRequest, Millis, Values,
    answer::Kind,
    command::{AppContext, Delivery},
    form::Subtype,
    line::{Grammar, Invocation, Line},
    manifest::{AccountUse, CommandEntry, Permission},
};
use futures_util::FutureExt;
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a function may take, in ms (section 3).
pub const FUNCTION_TIME: Millis = 8_000;

/// What is kept of the platform's time for settling and writing the answer, in ms.
const MARGIN: Millis = 1_000;

/// A command whose sender is known.
pub struct Command {
    /// For which install.
    pub install: Arc<Install>,
    /// What was asked; the context as the sender gave it.
    pub request: CommandRequest,
    /// How the sender was authenticated, and what comes of it.
    pub caller: Caller,
    /// The app's idempotency key.
    pub delivery_id: String,
}

/// How a command's sender was authenticated.
pub enum Caller {
    /// A V2 server with a JWT.
    Server {
        /// A REST token of the acting user, if one came.
        user_token: Option<UserToken>,
        /// The token's `jti` in the ledger, where it was not spent while the install was read.
        unspent: Option<Spend>,
    },
    /// A static token.
    StaticToken,
    /// The token of a slash command.
    Slash,
}

/// A REST token that came with a request.
pub struct UserToken {
    /// The token; dropped with the request.
    pub token: SecretString,
    /// Whether its user is a system admin.
    pub admin: bool,
}

/// What is to be spent before anything runs.
#[derive(Debug, Clone)]
pub struct Spend {
    /// The ledger's key.
    pub key: String,
    /// Unix milliseconds until which it stays spent.
    pub until: Millis,
}

impl Spend {
    /// Spends it; of any number at once, one succeeds.
    pub async fn spend(&self, world: &World, now: Millis) -> Result<(), Refusal> {
        match world.ledger.once(&self.key, self.until, now).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(Refusal::new(Code::Duplicate, "This token was used before. Nothing was done again."))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a request runs, as far as the app's own definition says, a command that must not run twice.
pub fn must_spend(app: &App, request: &CommandRequest, now: Millis) -> bool {
    match resolve(app.manifest(), &[], request, now) {
        Ok(Line::Run(invocation)) => {
            app.manifest().command(invocation.function.as_str()).is_some_and(|c| !c.safe)
        }
        Ok(Line::Help(_)) | Err(_) => false,
    }
}

/// Runs a command and settles its answer.
pub async fn run(
    world: &Arc<World>,
    arrival: &Arrival,
    mut command: Command,
    line: &mut LogLine,
) -> Result<Answer, Refusal> {
    line.user = command.request.context.acting_user.as_ref().map(|user| user.id.to_string());
    line.delivery_id = Some(command.delivery_id.clone());
    let app = linked(world, &command.install)?;
    in_namespace(app, &command)?;
    let invocation = match resolve(app.manifest(), &command.install.presets, &command.request, arrival.now)? {
        Line::Run(invocation) => invocation,
        Line::Help(text) => return Ok(Answer::text(text)),
    };
    line.function = Some(invocation.function.to_string());
    let entry = app.manifest().command(invocation.function.as_str()).ok_or_else(|| {
        Refusal::new(
            Code::UnknownFunction,
            format!("{} has no command {}.", app.manifest().id, invocation.function),
        )
    })?;
    if allowed(entry, &command).is_err() {
        // An admin may have granted it a moment ago.
        if let Some(install) =
            world.installs.find(&command.install.id, Freshness::Reread, arrival.now).await?
        {
            command.install = install;
        }
        allowed(entry, &command)?;
    }
    if let Some(answer) = incomplete(app, &command, &invocation) {
        return Ok(answer);
    }
    let (cx, place) = surroundings(world, arrival, app, entry, command).await?;
    let mut answer = call(app, &cx, invocation.function.as_str(), invocation.values, arrival, line).await?;
    answer.warnings.splice(0..0, invocation.warnings);
    Ok(settle::settle(answer, &place, line).await)
}

/// The app of an install, where it is linked into this bundle.
fn linked<'w>(world: &'w World, install: &Install) -> Result<&'w App, Refusal> {
    world.linked.get(&install.app).ok_or_else(|| {
        let message = format!(
            "{} is not linked into this bundle, and other upstreams are not called yet.",
            install.app
        );
        Refusal::new(Code::UpstreamFailed, message)
    })
}

fn in_namespace(app: &App, command: &Command) -> Result<(), Refusal> {
    let namespace = command
        .request
        .namespace()
        .map_err(|error| Refusal::bad_request("/command/namespace", format!("The namespace {error}.")))?;
    let own = app.manifest().namespace();
    if namespace.as_str() == own {
        return Ok(());
    }
    let message =
        format!("/{namespace} is not a command of {}: its commands begin with /{own}.", app.manifest().id);
    Err(match command.caller {
        // A static token is good for one app's namespace and no other.
        Caller::StaticToken => Refusal::new(Code::Forbidden, message),
        _ => Refusal::new(Code::UnknownFunction, message),
    })
}

/// What the install was granted, and what its sender may.
fn allowed(entry: &CommandEntry, command: &Command) -> Result<(), Refusal> {
    let granted = &command.install.granted;
    let (location, _) = command.request.context.source.location();
    // Locations are an open set: one that this version does not know is passed on, and nothing rests on it.
    if location != "other" && !granted.locations.contains(location) {
        let message =
            format!("{} was not allowed to appear in {location} on this server.", command.install.app);
        return Err(Refusal::new(Code::NotGranted, message).with("location", location));
    }
    let as_user = entry.post_as_user || entry.account.is_some();
    if as_user && matches!(command.caller, Caller::StaticToken) {
        let message = format!("{} acts for a user, and a static token proves none.", entry.function);
        return Err(Refusal::new(Code::Forbidden, message));
    }
    if entry.post_as_user && !granted.permissions.contains(&Permission::ActAsUser) {
        let message = format!("{} was not allowed to act as its users on this server.", command.install.app);
        return Err(Refusal::new(Code::NotGranted, message).with("permission", "act_as_user"));
    }
    let later = if entry.deferred {
        "Commands that run from a queue are"
    } else if entry.account == Some(AccountUse::Required) {
        "Commands that need an account of the user elsewhere are"
    } else if entry.post_as_user {
        "Commands that post as the user are"
    } else {
        return Ok(());
    };
    Err(Refusal::not_served(later, &format!("{} was not run.", entry.function)))
}

/// What a form would ask. This version opens none, so it says what to add to the line.
fn incomplete(app: &App, command: &Command, invocation: &Invocation) -> Option<Answer> {
    if invocation.missing.is_empty() && !invocation.form {
        return None;
    }
    let grammar = Grammar {
        manifest: app.manifest(),
        presets: &command.install.presets,
        mentioned: &command.request.context.mentioned,
        now: 0,
        time_zone: None,
    };
    let usage = grammar.help(&[invocation.function.as_str()]);
    let lead = if invocation.missing.is_empty() {
        "This version of the bundle opens no forms. Give the values on the line."
    } else {
        "Something is missing. Give it on the line."
    };
    let missing = invocation.missing.iter().map(|name| (name.to_string(), "This is required.".to_owned()));
    let fields: BTreeMap<String, String> = missing.collect();
    let kind = Kind::Error { text: format!("{lead}\n\n{usage}"), fields };
    Some(Answer { kind, warnings: invocation.warnings.clone() })
}

/// Fills the context, spends the token, and hands over what the function is given.
async fn surroundings(
    world: &Arc<World>,
    arrival: &Arrival,
    app: &App,
    entry: &CommandEntry,
    command: Command,
) -> Result<(Cx, settle::Place), Refusal> {
    let Command { install, mut request, caller, delivery_id } = command;
    // Opens dialogs: a credential, and not an app's.
    request.security.trigger_id = None;
    request.delivery = Some(Delivery { id: delivery_id, attempt: 1 });
    request.command.function = entry.function.to_string();
    let context = &mut request.context;
    if !is_nothing(&context.state) {
        return Err(Refusal::bad_request(
            "/context/state",
            "This state is not one that the bundle has sealed.",
        ));
    }
    context.state = serde_json::Value::Null;
    context.config.site_url = install.site.to_string();
    context.config.version.clone_from(&install.server_version);
    context.app = Some(AppContext {
        id: install.app.clone(),
        version: app.manifest().version.clone(),
        install_id: install.id.clone(),
        bot: install.bot.clone(),
        settings: without_passwords(app, &install.settings),
    });
    expand::cut(context, &entry.expand)?;
    let permissions = &install.granted.permissions;
    let mut user = None;
    if let Caller::Server { user_token, unspent } = caller {
        if let (false, Some(spend)) = (entry.safe, unspent) {
            spend.spend(world, arrival.now).await?;
        }
        user = user_token
            .filter(|user| {
                permissions.contains(&Permission::ActAsUser)
                    && (!user.admin || permissions.contains(&Permission::ActAsAdmin))
            })
            .map(|user| Credential { origin: install.site.clone(), token: user.token });
    }
    let settings = install.settings.clone();
    let bot =
        Arc::new(InstallBot { world: Arc::clone(world), install: Arc::clone(&install), now: arrival.now });
    let ends =
        Instant::now() + Duration::from_millis(arrival.deadline.saturating_sub(arrival.now + MARGIN / 2));
    let mattermost = Mattermost::bot(world.http.clone(), bot.clone()).until(ends);
    let place = settle::Place::new(&request.context, &install.bot, mattermost);
    let cx = Cx::new(Inner {
        request,
        now: arrival.now,
        deadline: deadline(arrival),
        request_id: arrival.request_id.clone(),
        settings,
        bot,
        user,
        http: world.http.clone(),
    });
    Ok((cx, place))
}

/// Absent, `null`, `""` and `{}` are no state.
fn is_nothing(state: &serde_json::Value) -> bool {
    match state {
        serde_json::Value::Null => true,
        serde_json::Value::String(text) => text.is_empty(),
        serde_json::Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Settings as a request carries them; a linked app reads passwords through its [`Cx`], where no log sees them.
fn without_passwords(app: &App, settings: &Values) -> Values {
    let mut shown = settings.clone();
    for field in app.manifest().settings.iter().filter(|f| f.subtype == Some(Subtype::Password)) {
        shown.remove(field.name.as_str());
    }
    shown
}

/// Unix milliseconds after which nobody waits for the function.
fn deadline(arrival: &Arrival) -> Millis {
    arrival.deadline.saturating_sub(MARGIN).min(arrival.now.saturating_add(FUNCTION_TIME))
}

/// Calls the function: cancelled at the deadline, its panic caught, its failure an answer.
async fn call(
    app: &App,
    cx: &Cx,
    function: &str,
    values: Values,
    arrival: &Arrival,
    line: &mut LogLine,
) -> Result<Answer, Refusal> {
    let id = &app.manifest().id;
    let Some(running) = app.call(function, cx.clone(), values) else {
        return Err(Refusal::new(
            Code::UnknownFunction,
            format!("{id} does not have the function {function}."),
        ));
    };
    let since_arrival = line.elapsed_ms();
    let left = deadline(arrival).saturating_sub(arrival.now.saturating_add(since_arrival));
    let caught = AssertUnwindSafe(running).catch_unwind();
    let outcome = tokio::time::timeout(Duration::from_millis(left), caught).await;
    line.upstream_ms = Some(line.elapsed_ms().saturating_sub(since_arrival));
    match outcome {
        Err(_) => Err(Refusal::new(Code::Deadline, format!("{id} took too long and was stopped."))),
        Ok(Err(panic)) => Err(Refusal::new(Code::UpstreamFailed, format!("{id} could not do that."))
            .because(format!("the function panicked: {}", panic_text(&*panic)))),
        Ok(Ok(Ok(answer))) => Ok(answer),
        Ok(Ok(Err(failure))) => Ok(failed(id.as_str(), failure, arrival, line)),
    }
}

/// What an app could not do, as its user reads it; the cause goes to the log.
fn failed(app: &str, failure: Failure, arrival: &Arrival, line: &mut LogLine) -> Answer {
    if let Some(source) = &failure.source {
        line.failed(source.as_ref());
    }
    let text =
        failure.text.unwrap_or_else(|| format!("{app} could not do that. (request {})", arrival.request_id));
    Kind::Error { text, fields: failure.fields }.into()
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no text)")
}
