//! Requests as a bundle sends them to an app (section 3), with a value for every field.

use cloud_apps_core::random::{Random, SystemRandom};
use cloud_apps_protocol::{
    AppId, CommandRequest, FunctionName, InstallId, Manifest, Values,
    command::{AppContext, Bot, Channel, Context, Delivery, Mentioned, ServerConfig, Source, Team, User},
    form::{Field, FieldType, Subtype},
    manifest::CommandEntry,
    token::{Proof, UpstreamClaims, body_sha256},
};
use serde_json::{Value, json};

const SITE: &str = "https://mattermost.example.com";
const INSTALL: &str = "checkcheckcheckcheckcheckc";
const ID: &str = "checkidcheckidcheckidcheck";
/// The length of a line that no person types, and that a server accepts.
const HUGE: usize = 16_000;
/// How long a token lives, in seconds.
const LIFE: u64 = 60;

/// One request, for an install that does not exist and without tokens of a Mattermost server. So an app that calls Mattermost
/// answers that it could not.
#[derive(Clone)]
pub struct Sample {
    function: String,
    request: CommandRequest,
    /// With keys that this version of the protocol does not have.
    unknown: bool,
    /// How the acting user was proved. `None`: the body may name a user, and the token proves none.
    proof: Option<Proof>,
    delivery: String,
}

impl Sample {
    /// A command with a value for each of its fields.
    pub fn command(manifest: &Manifest, command: &CommandEntry) -> Self {
        let mut sample = Self::new(manifest, command.function.as_str());
        let values: Values = fields(command).map(|field| (field.name.to_string(), value(field))).collect();
        sample.request.command.raw =
            format!("/{} {}", manifest.namespace(), command.function.as_str().replace('_', " "));
        sample.request.command.encoded = Some(values);
        sample
    }

    /// A function of the lifecycle.
    pub fn lifecycle(manifest: &Manifest, function: &FunctionName) -> Self {
        let mut sample = Self::new(manifest, function.as_str());
        sample.request.context.channel = None;
        sample.request.context.team = None;
        sample.request.context.source = Source::default();
        // The user who installs is named, and not proved.
        sample.proof = None;
        sample
    }

    /// One for each function.
    pub fn each(manifest: &Manifest) -> Vec<Self> {
        let commands = manifest.commands.iter().map(|command| Self::command(manifest, command));
        let lifecycle = lifecycle(manifest).map(|function| Self::lifecycle(manifest, function));
        commands.chain(lifecycle).collect()
    }

    /// One for a function that the app does not have.
    pub fn unknown(manifest: &Manifest) -> Self {
        Self::new(manifest, "no_such_function")
    }

    fn new(manifest: &Manifest, function: &str) -> Self {
        let mut request = CommandRequest::default();
        manifest.namespace().clone_into(&mut request.command.namespace);
        function.clone_into(&mut request.command.function);
        let settings = manifest.settings.iter().filter(|field| field.r#type != FieldType::Markdown);
        let settings = settings.map(|field| (field.name.to_string(), value(field))).collect();
        request.context = Context {
            source: Source { id: "message_box".to_owned(), ..Source::default() },
            config: ServerConfig { site_url: SITE.to_owned(), version: "11.6.0".to_owned() },
            acting_user: ID.parse().ok().map(User::of),
            channel: ID.parse().ok().map(Channel::of),
            team: ID.parse().ok().map(Team::of),
            app: INSTALL.parse().ok().zip(ID.parse().ok()).map(|(install_id, id)| AppContext {
                id: manifest.id.clone(),
                version: manifest.version.clone(),
                install_id,
                bot: Bot { id, username: manifest.id.to_string() },
                settings,
            }),
            ..Context::default()
        };
        let delivery = (&SystemRandom as &dyn Random).base32();
        request.delivery = Some(Delivery { id: delivery.clone(), attempt: 1 });
        Self { function: function.to_owned(), request, unknown: false, proof: Some(Proof::Slash), delivery }
    }

    /// As from a caller with a static token that names a user: the token proves none.
    #[must_use]
    pub fn unproved(mut self) -> Self {
        self.proof = None;
        self
    }

    /// Without everything optional, as from a caller with a static token.
    #[must_use]
    pub fn bare(mut self, command: &CommandEntry) -> Self {
        let required = fields(command).filter(|field| field.required);
        self.request.command.encoded =
            Some(required.map(|field| (field.name.to_string(), value(field))).collect());
        let context = &mut self.request.context;
        context.acting_user = None;
        context.channel = None;
        context.team = None;
        context.mentioned = Mentioned::default();
        context.source = Source::default();
        if let Some(app) = &mut context.app {
            app.settings = Values::new();
        }
        self
    }

    /// With a line, and texts, as long as allowed.
    #[must_use]
    pub fn huge(mut self, command: &CommandEntry) -> Self {
        let long = "ü".repeat(HUGE);
        if let Some(values) = &mut self.request.command.encoded {
            let free = fields(command).filter(|field| {
                field.r#type == FieldType::Text && field.subtype.is_none() && field.pattern.is_none()
            });
            for field in free {
                let most = field.max_length.and_then(|most| usize::try_from(most).ok()).unwrap_or(HUGE);
                let text: String = long.chars().take(most.min(HUGE)).collect();
                values.insert(field.name.to_string(), text.into());
            }
        }
        self.request.command.raw.push(' ');
        self.request.command.raw.push_str(&long);
        self
    }

    /// With keys and a location that a later version may have.
    #[must_use]
    pub fn from_the_future(mut self) -> Self {
        self.unknown = true;
        "a_place_of_tomorrow".clone_into(&mut self.request.context.source.id);
        self
    }

    /// The function's name.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// The id of its delivery.
    pub fn delivery(&self) -> String {
        self.delivery.clone()
    }

    /// The body's bytes.
    pub fn body(&self, seconds: u64) -> Vec<u8> {
        let mut body = serde_json::to_value(&self.request).unwrap_or_default();
        if let (true, Some(members)) = (self.unknown, body.as_object_mut()) {
            members.insert("tomorrow".to_owned(), json!({ "at": seconds, "more": [null, true, {}] }));
        }
        body.to_string().into_bytes()
    }

    /// The claims of its token.
    pub fn claims(&self, app: &AppId, body: &[u8], seconds: u64) -> UpstreamClaims {
        let install = InstallId::new(INSTALL);
        let acting = self.request.context.acting_user.as_ref();
        UpstreamClaims {
            iss: UpstreamClaims::ISSUER.to_owned(),
            aud: app.to_string(),
            sub: self.proof.and(acting).map(|user| user.id.to_string()),
            proof: self.proof.filter(|_| acting.is_some()),
            install: install.unwrap_or_else(|_| (&SystemRandom as &dyn Random).install_id()),
            site_url: SITE.to_owned(),
            iat: seconds,
            exp: seconds.saturating_add(LIFE),
            jti: (&SystemRandom as &dyn Random).base32(),
            htm: "POST".to_owned(),
            htp: format!("/{}", self.function),
            bot_token: None,
            user_token: None,
            body_sha256: body_sha256(body),
        }
    }
}

/// The functions of an app's lifecycle, in their order.
pub fn lifecycle(manifest: &Manifest) -> impl Iterator<Item = &FunctionName> {
    let of = &manifest.lifecycle;
    [&of.install, &of.configure, &of.upgrade, &of.uninstall].into_iter().flatten()
}

/// The fields that can have a value.
fn fields(command: &CommandEntry) -> impl Iterator<Item = &Field> {
    command.fields.iter().filter(|field| field.r#type != FieldType::Markdown)
}

/// A value that the field takes.
fn value(field: &Field) -> Value {
    if let Some(default) = &field.default {
        return default.clone();
    }
    let one = match field.r#type {
        FieldType::Text => text(field),
        FieldType::Number => field.min.clone().map_or_else(|| json!(1), |min| json!(min)),
        FieldType::Bool => true.into(),
        FieldType::Select => {
            field.options.first().map_or_else(|| json!("an-option"), |option| json!(option.value))
        }
        FieldType::User | FieldType::Channel | FieldType::Post | FieldType::Team => ID.into(),
        FieldType::Date => "2026-11-22".into(),
        FieldType::Datetime => "2026-11-22T12:00:00Z".into(),
        FieldType::Json => json!({ "a": 1 }),
        FieldType::File => return json!([ID]),
        FieldType::Markdown => Value::Null,
    };
    if field.multiple { json!([one]) } else { one }
}

fn text(field: &Field) -> Value {
    let text = match field.subtype {
        Some(Subtype::Email) => "alice@example.com",
        Some(Subtype::Url) => "https://example.com",
        _ if field.pattern.is_some() && !field.hint.is_empty() => return field.hint.clone().into(),
        _ => "a text",
    };
    let most = field.max_length.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    text.chars().take(most).collect::<String>().into()
}
