//! An app: its manifest and its functions, from one definition.
//!
//! A definition never panics. Its problems are collected, and [`App::check`] returns all of them. A test of the app should call
//! [`App::assert_valid`]. A bundle refuses to start with an app that is not valid.

use crate::{Command, Cx, Fields, Result, event::Event, event::Subscription, location::Location};
use cloud_apps_protocol::{
    Answer, AppId, FunctionName, Manifest, Namespace, PROTOCOL, Values,
    manifest::{Accounts, BotAccount, EventEntry, Lifecycle, Permission, Preset, Problem, Upstream},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
};

/// What a command does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it does",
    note = "write `impl Run for {Self} {{ async fn run(self, cx: Cx) -> Result<Answer> {{ … }} }}`"
)]
pub trait Run: Command {
    /// Runs the command. It is cancelled at the deadline.
    fn run(self, cx: Cx) -> impl Future<Output = Result<Answer>> + Send;
}

/// A call of a function that is running.
pub type Running = Pin<Box<dyn Future<Output = Result<Answer>> + Send>>;

type Function = Arc<dyn Fn(Cx, Values) -> Running + Send + Sync>;

/// An app that is linked into the bundle.
#[derive(Clone)]
pub struct App {
    manifest: Manifest,
    functions: BTreeMap<FunctionName, Function>,
    crates: BTreeSet<&'static str>,
    problems: Vec<Problem>,
}

/// The definition of an app.
impl App {
    /// An app. By default it appears in the message box and asks for no permission.
    pub fn new(id: &str, version: &str, display_name: &str) -> Self {
        let mut problems = Vec::new();
        let id = AppId::new(id).unwrap_or_else(|bad| {
            problems.push(problem("/id", &bad));
            nameless()
        });
        let manifest = Manifest {
            schema: None,
            protocol: PROTOCOL,
            id,
            version: version.to_owned(),
            display_name: display_name.to_owned(),
            description: String::new(),
            homepage_url: None,
            icon: None,
            namespace: None,
            bot: None,
            permissions: Vec::new(),
            locations: vec![Location::MessageBox.to_string()],
            upstream: Upstream::Linked,
            accounts: None,
            settings: Vec::new(),
            commands: Vec::new(),
            presets: Vec::new(),
            events: Vec::new(),
            webhooks: Vec::new(),
            lifecycle: Lifecycle::default(),
            translations: BTreeMap::new(),
        };
        Self { manifest, functions: BTreeMap::new(), crates: BTreeSet::new(), problems }
    }

    /// What the app does, in a sentence.
    #[must_use]
    pub fn description(mut self, text: &str) -> Self {
        text.clone_into(&mut self.manifest.description);
        self
    }

    /// Where to read more.
    #[must_use]
    pub fn homepage(mut self, url: &str) -> Self {
        self.manifest.homepage_url = Some(url.to_owned());
        self
    }

    /// An absolute `https` URL or a `data:` URL.
    #[must_use]
    pub fn icon(mut self, url: &str) -> Self {
        self.manifest.icon = Some(url.to_owned());
        self
    }

    /// The first word of its commands. By default it is the app's id.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        match Namespace::new(namespace) {
            Ok(namespace) => self.manifest.namespace = Some(namespace),
            Err(bad) => self.problems.push(problem("/namespace", &bad)),
        }
        self
    }

    /// Its bot account. By default it has the app's name.
    #[must_use]
    pub fn bot(mut self, username: &str, display_name: &str) -> Self {
        self.manifest.bot =
            Some(BotAccount { username: username.to_owned(), display_name: display_name.to_owned() });
        self
    }

    /// The permissions that it asks for.
    #[must_use]
    pub fn permissions(mut self, permissions: impl IntoIterator<Item = Permission>) -> Self {
        // It is a set, so that the manifest does not depend on the order.
        self.manifest.permissions = permissions.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        self
    }

    /// Where it wants to appear. By default it is the message box.
    #[must_use]
    pub fn locations(mut self, locations: impl IntoIterator<Item = Location>) -> Self {
        self.manifest.locations = locations.into_iter().map(|location| location.to_string()).collect();
        self
    }

    /// Accounts that its users have elsewhere. The manifest describes them; the bundle does not serve them yet, and
    /// refuses commands that need one.
    #[must_use]
    pub fn accounts(mut self, accounts: Accounts) -> Self {
        self.manifest.accounts = Some(accounts);
        self
    }

    /// The settings of an install: a struct with `#[derive(Settings)]`, which functions read with
    /// [`Cx::settings`].
    #[must_use]
    pub fn settings<S: Fields>(mut self) -> Self {
        match S::fields() {
            Ok(fields) => self.manifest.settings = fields,
            Err(bad) => self.problems.push(problem("/settings", &bad)),
        }
        self
    }

    /// A command.
    #[must_use]
    pub fn command<C: Run>(mut self) -> Self {
        self.crates.extend(crate_of::<C>());
        let pointer = format!("/commands/{}", self.manifest.commands.len());
        match C::entry() {
            Ok(entry) => {
                let name = entry.function.clone();
                self.manifest.commands.push(entry);
                self.bind(name, |cx, values| match C::from_values(values) {
                    Ok(command) => Box::pin(command.run(cx)),
                    Err(failure) => Box::pin(std::future::ready(Err(failure))),
                });
            }
            Err(bad) => self.problems.push(problem(&pointer, &bad)),
        }
        self
    }

    /// A pre-configured command: `/jira bug` for `/jira create_issue --type=Bug`. `values` is an object.
    #[must_use]
    pub fn preset<C: Command>(
        mut self,
        name: &str,
        label: &str,
        values: Value,
        locations: impl IntoIterator<Item = Location>,
    ) -> Self {
        let pointer = format!("/presets/{}", self.manifest.presets.len());
        let preset = FunctionName::new(name).and_then(|name| Ok((name, FunctionName::new(C::FUNCTION)?)));
        match (preset, values) {
            (Ok((name, function)), Value::Object(values)) => self.manifest.presets.push(Preset {
                name,
                label: label.to_owned(),
                function,
                values,
                locations: locations.into_iter().map(|location| location.to_string()).collect(),
            }),
            (Err(bad), _) => self.problems.push(problem(&pointer, &bad)),
            (_, other) => self.problems.push(problem(
                &format!("{pointer}/values"),
                &format!("{other} is no object: write json!({{\"field\": value}})"),
            )),
        }
        self
    }

    /// A function that is called for events: `.event(EventKind::UserJoinedChannel.named("welcome"), welcome)`.
    #[must_use]
    pub fn event<F, Told>(mut self, subscription: Subscription, handler: F) -> Self
    where
        F: Fn(Cx, Event) -> Told + Send + Sync + 'static,
        Told: Future<Output = Result<()>> + Send + 'static,
    {
        self.crates.extend(crate_of::<F>());
        let pointer = format!("/events/{}", self.manifest.events.len());
        match FunctionName::new(subscription.name.as_str()) {
            Ok(name) => {
                self.manifest.events.push(EventEntry {
                    name: name.clone(),
                    kind: subscription.kind.as_str().to_owned(),
                    function: name.clone(),
                    expand: subscription.expand,
                    user_id: subscription.user_id,
                    channel_id: subscription.channel_id,
                    team_id: subscription.team_id,
                    trigger_words: subscription.trigger_words,
                    required: subscription.required,
                });
                self.bind(name, move |cx, values| {
                    let told = serde_json::from_value(Value::Object(values)).map(|event| handler(cx, event));
                    Box::pin(async move {
                        told?.await?;
                        Ok(Answer::done())
                    })
                });
            }
            Err(bad) => self.problems.push(problem(&pointer, &bad)),
        }
        self
    }

    /// Called before an install becomes active; an answer of kind `error`, or a failure, refuses the install.
    #[must_use]
    pub fn on_install<F, Done>(self, handler: F) -> Self
    where
        F: Fn(Cx) -> Done + Send + Sync + 'static,
        Done: Future<Output = Result<Answer>> + Send + 'static,
    {
        self.lifecycle("on_install", |lifecycle| &mut lifecycle.install, handler)
    }

    /// Called before an install is removed.
    #[must_use]
    pub fn on_uninstall<F, Done>(self, handler: F) -> Self
    where
        F: Fn(Cx) -> Done + Send + Sync + 'static,
        Done: Future<Output = Result<Answer>> + Send + 'static,
    {
        self.lifecycle("on_uninstall", |lifecycle| &mut lifecycle.uninstall, handler)
    }

    /// Called when an admin changes settings; an answer of kind `error`, or a failure, refuses the change.
    #[must_use]
    pub fn on_configure<F, Done>(self, handler: F) -> Self
    where
        F: Fn(Cx) -> Done + Send + Sync + 'static,
        Done: Future<Output = Result<Answer>> + Send + 'static,
    {
        self.lifecycle("on_configure", |lifecycle| &mut lifecycle.configure, handler)
    }

    /// Called when an install is upgraded to another version of the app.
    #[must_use]
    pub fn on_upgrade<F, Done>(self, handler: F) -> Self
    where
        F: Fn(Cx) -> Done + Send + Sync + 'static,
        Done: Future<Output = Result<Answer>> + Send + 'static,
    {
        self.lifecycle("on_upgrade", |lifecycle| &mut lifecycle.upgrade, handler)
    }

    fn lifecycle<F, Done>(
        mut self,
        name: &str,
        place: fn(&mut Lifecycle) -> &mut Option<FunctionName>,
        handler: F,
    ) -> Self
    where
        F: Fn(Cx) -> Done + Send + Sync + 'static,
        Done: Future<Output = Result<Answer>> + Send + 'static,
    {
        self.crates.extend(crate_of::<F>());
        // These names are constants of this module, so a wrong one would fail in the first test.
        if let Ok(name) = FunctionName::new(name) {
            *place(&mut self.manifest.lifecycle) = Some(name.clone());
            self.bind(name, move |cx, _| Box::pin(handler(cx)));
        }
        self
    }

    /// A name belongs to one function. The first function keeps it, and the manifest's check reports the second.
    fn bind(&mut self, name: FunctionName, function: impl Fn(Cx, Values) -> Running + Send + Sync + 'static) {
        self.functions.entry(name).or_insert_with(|| Arc::new(function));
    }
}

/// The crate in which a type is defined; `None` for one of the standard library.
fn crate_of<T>() -> Option<&'static str> {
    let (name, _) = std::any::type_name::<T>().split_once("::")?;
    let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (word && !matches!(name, "alloc" | "core" | "std")).then_some(name)
}

/// What the bundle does with an app.
impl App {
    /// The manifest of the definition. The same definition gives the same bytes.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether there is a function with this name.
    pub fn has(&self, function: &str) -> bool {
        self.functions.contains_key(function)
    }

    /// Calls a function: a command with its values, an event's function with the event, a lifecycle function with nothing.
    /// `None`: there is no function with this name.
    pub fn call(&self, function: &str, cx: Cx, values: Values) -> Option<Running> {
        self.functions.get(function).map(|run| run(cx, values))
    }

    /// The crates in which its functions are written. Their log lines are the app's, not those of a dependency.
    pub fn crates(&self) -> impl Iterator<Item = &'static str> {
        self.crates.iter().copied()
    }

    /// All problems of the definition. A valid app has none.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = self.problems.clone();
        problems.extend(self.manifest.check());
        problems
    }

    /// All problems of the apps of a bundle, one per line after the app's id. A bundle prints this when it refuses to start. Two
    /// apps with the same id are a problem too, because only one of them could be served.
    pub fn check_all(apps: &[Self]) -> Vec<String> {
        let mut ids = BTreeSet::new();
        let mut lines = Vec::new();
        for app in apps {
            let id = &app.manifest.id;
            if !ids.insert(id) {
                lines.push(format!("{id}: There are two apps of this id. Link one of them."));
            }
            lines.extend(app.check().into_iter().map(|p| format!("{id}{}: {}", p.pointer, p.message)));
        }
        lines
    }

    /// For a test of your app: panics with all problems.
    ///
    /// # Panics
    ///
    /// If [`App::check`] finds anything.
    #[allow(clippy::panic)] // This is an assertion.
    #[track_caller]
    pub fn assert_valid(&self) {
        let problems = self.check();
        let told = problems.iter().map(|p| format!("\n  {}: {} {}", p.pointer, p.message, p.hint));
        assert!(problems.is_empty(), "{} is not a valid app:{}", self.manifest.id, told.collect::<String>());
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let functions: Vec<_> = self.functions.keys().collect();
        f.debug_struct("App")
            .field("id", &self.manifest.id)
            .field("functions", &functions)
            .finish_non_exhaustive()
    }
}

fn problem(pointer: &str, message: &dyn fmt::Display) -> Problem {
    Problem {
        pointer: pointer.to_owned(),
        line: 0,
        column: 0,
        length: 1,
        message: message.to_string(),
        hint: String::new(),
    }
}

/// Replaces an id that is not valid, so that the other problems can be found too.
#[allow(clippy::expect_used)] // A literal of the right shape: a test holds it.
fn nameless() -> AppId {
    AppId::new("nameless").expect("the literal is an app id")
}
