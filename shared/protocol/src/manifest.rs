//! The manifest (section 13): what an app is, asks for and offers.

mod apps_framework;
mod check;
mod fields;
mod problem;
mod rules;
mod shape;
mod source;
mod texts;
mod webhooks;

pub use check::RESERVED;
pub use problem::Problem;

use crate::{
    AppId, Field, FunctionName, Namespace, Values, limits,
    shape::{Findings, Fit, Found},
};
use problem::told;
use serde::{Deserialize, Serialize};
use source::Source;
use std::collections::BTreeMap;

/// `mattermost-cloud-app.json`. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Manifest {
    /// Where the schema is, for editors.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Always 2.
    pub protocol: u32,
    /// `^[a-z][a-z0-9-]{1,31}$`.
    pub id: AppId,
    /// Semantic version.
    pub version: String,
    /// Shown to people.
    pub display_name: String,
    /// In a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage_url: Option<String>,
    /// An absolute `https` URL or a `data:` URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// The first word of its commands; by default the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Namespace>,
    /// Its bot account; by default named like the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<BotAccount>,
    /// What it asks to be allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<Permission>,
    /// Where it wants to appear. An open set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<String>,
    /// Where its functions run; by default linked into the bundle.
    #[serde(default, skip_serializing_if = "Upstream::is_linked")]
    pub upstream: Upstream,
    /// Upstream accounts of its users (OAuth 2.0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Accounts>,
    /// What an admin sets per install.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Field>,
    /// What it does when asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandEntry>,
    /// Pre-configured commands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub presets: Vec<Preset>,
    /// What it is told of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventEntry>,
    /// What vendors may tell it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<WebhookEntry>,
    /// Called in the life of an install.
    #[serde(default, skip_serializing_if = "Lifecycle::is_empty")]
    pub lifecycle: Lifecycle,
    /// Locale → text → translation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub translations: BTreeMap<String, BTreeMap<String, String>>,
}

impl Manifest {
    /// The first word of the app's commands.
    pub fn namespace(&self) -> &str {
        self.namespace.as_ref().map_or(self.id.as_str(), Namespace::as_str)
    }

    /// The command of this name.
    pub fn command(&self, function: &str) -> Option<&CommandEntry> {
        self.commands.iter().find(|c| c.function.as_str() == function)
    }
}

/// The bot account of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BotAccount {
    /// 1 to 64 characters of `[a-z0-9._-]`, as Mattermost's user names; not `all`, `channel`, `matterbot` or `system`.
    pub username: String,
    /// Shown to people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
}

/// What an app may be allowed. `granted` at install is a part of what the manifest asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Permission {
    /// Call Mattermost with the bot's token.
    ActAsBot,
    /// Call Mattermost as the acting user.
    ActAsUser,
    /// Call Mattermost as an acting user who is a system admin.
    ActAsAdmin,
}

/// Where an app's functions run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Upstream {
    /// Rust functions in the bundle.
    #[default]
    Linked,
    /// An HTTPS service: `POST {url}/{function}`.
    Http {
        /// Without a trailing `/`.
        url: String,
    },
    /// Another Lambda function.
    AwsLambda {
        /// Name or ARN.
        function: String,
    },
}

impl Upstream {
    /// Whether the functions are linked into the bundle.
    pub fn is_linked(&self) -> bool {
        *self == Self::Linked
    }
}

/// OAuth 2.0 at the app's own service. Types only: accounts are not served yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Accounts {
    /// `oauth2` or `mattermost`.
    pub r#type: AccountsType,
    /// May hold `{settings.x}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorize_url: Option<String>,
    /// May hold `{settings.x}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_url: Option<String>,
    /// RFC 7009.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke_url: Option<String>,
    /// What is asked of the service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// Whose OAuth 2.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum AccountsType {
    /// The app's own service.
    Oauth2,
    /// The Mattermost server.
    Mattermost,
}

/// Whether a command needs the user's upstream account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum AccountUse {
    /// Without one the user gets a link to connect.
    Required,
    /// Handed over where there is one.
    Optional,
}

/// How much of an object is wanted (section 8): `id`, `summary` or `all`, with `!` after it when required.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct Expand {
    /// How much.
    pub level: Level,
    /// Whether the function cannot run without.
    pub required: bool,
}

/// How much of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // The words of the protocol.
pub enum Level {
    Id,
    Summary,
    All,
}

impl TryFrom<String> for Expand {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let (level, required) = text.strip_suffix('!').map_or((text.as_str(), false), |level| (level, true));
        let level = match level {
            "id" => Level::Id,
            "summary" => Level::Summary,
            "all" => Level::All,
            _ => {
                return Err(format!(
                    "{text:?} is no level: write id, summary or all, with ! after it when required"
                ));
            }
        };
        Ok(Self { level, required })
    }
}

impl From<Expand> for String {
    fn from(expand: Expand) -> String {
        let level = match expand.level {
            Level::Id => "id",
            Level::Summary => "summary",
            Level::All => "all",
        };
        format!("{level}{}", if expand.required { "!" } else { "" })
    }
}

/// Items that can be expanded in a command.
pub const EXPANDABLE: [&str; 8] =
    ["acting_user", "user", "mentioned", "channel", "team", "post", "root_post", "parent_post"];

/// Item → how much of it.
pub type Expansion = BTreeMap<String, Expand>;

/// Something an app does when asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(clippy::struct_excessive_bools)] // Each is a key of the wire.
pub struct CommandEntry {
    /// Its name.
    pub function: FunctionName,
    /// What it does, in a line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// What it does, at length; Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// What it needs to know.
    #[serde(default, skip_serializing_if = "Expansion::is_empty")]
    pub expand: Expansion,
    /// Where it appears.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<String>,
    /// Changes nothing, so a repeated token does no harm.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub safe: bool,
    /// Answered `accepted` at once, run from the queue.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deferred: bool,
    /// Asks first when it comes from an action.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirm: bool,
    /// Its message goes out as the user; needs `act_as_user`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub post_as_user: bool,
    /// Whether it needs the user's upstream account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountUse>,
}

/// A pre-configured command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Preset {
    /// Of the functions' grammar, and none of them.
    pub name: FunctionName,
    /// Shown to people.
    pub label: String,
    /// What it runs.
    pub function: FunctionName,
    /// With what; given values win.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
    /// Where it appears.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<String>,
}

/// A function that is told of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventEntry {
    /// The subscription's name.
    pub name: FunctionName,
    /// `user_joined_channel`. An open set.
    pub kind: String,
    /// What is called.
    pub function: FunctionName,
    /// What it needs to know.
    #[serde(default, skip_serializing_if = "Expansion::is_empty")]
    pub expand: Expansion,
    /// The author, for `message_posted`; may be `$settings.<name>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// May be `$settings.<name>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    /// May be `$settings.<name>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Only messages that start with one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trigger_words: Vec<String>,
    /// A server that cannot deliver the kind refuses the install.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

/// A vendor's webhook (section 17).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WebhookEntry {
    /// The last part of its address, of the functions' grammar with `-`.
    pub path: String,
    /// What is called.
    pub function: FunctionName,
    /// How a delivery is proved. There is no `none`.
    pub verify: Verify,
    /// The header that names a delivery; else the body's hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_header: Option<String>,
    /// What is echoed to prove the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
    /// Headers that the function gets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// The `password` setting that holds the secret; else one is made at install.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_setting: Option<FunctionName>,
}

/// How a vendor proves a delivery. A closed set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Verify {
    /// Standard Webhooks.
    Standard,
    /// A MAC in a header.
    Hmac {
        /// Only `sha256` (default), `sha512` or, for old vendors, `sha1`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hash: Option<String>,
        /// `X-Hub-Signature`.
        header: String,
        /// `sha256=`.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        prefix: String,
        /// `hex` (default) or `base64`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        encoding: Option<String>,
        /// What is signed; `{body}` (default), `v0:{timestamp}:{body}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed: Option<String>,
        /// The header with the time; may differ by 300 s.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timestamp_header: Option<String>,
    },
    /// A token in a header.
    Token {
        /// `X-Gitlab-Token`.
        header: String,
    },
}

/// What is echoed to a vendor that probes an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Challenge {
    /// The value of this key of the body.
    Json(String),
    /// The value of this query parameter.
    Query(String),
}

/// Functions called in the life of an install.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lifecycle {
    /// Before an install becomes active; may refuse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<FunctionName>,
    /// Before it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uninstall: Option<FunctionName>,
    /// When settings change; may refuse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configure: Option<FunctionName>,
    /// When the version changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<FunctionName>,
}

impl Lifecycle {
    /// Whether none is named.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Manifest {
    /// Reads and checks a manifest. Reports every problem at once, in the order of the text; of many the first 50, and
    /// how many more there are.
    ///
    /// ```
    /// use cloud_apps_protocol::Manifest;
    ///
    /// let problems = Manifest::parse(r#"{"protocol":2,"id":"jira","version":"1.0","dispaly_name":"Jira"}"#).unwrap_err();
    /// let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
    /// assert_eq!(pointers, ["/display_name", "/version", "/dispaly_name"]);
    /// assert_eq!((problems[1].line, problems[1].column), (1, 37));
    /// assert_eq!(problems[2].hint, "Did you mean \"display_name\"?");
    /// ```
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        if text.len() > limits::MANIFEST {
            return Err(vec![too_large(text.len()).without_place()]);
        }
        let (source, mut value) = Source::read(text).map_err(|problem| vec![problem])?;
        if let Some(found) = apps_framework::recognised(&value) {
            // This hint is longer than others, and nothing in it was written by the author.
            let hint = found.hint.clone();
            return Err(vec![Problem { hint, ..source.locate(found) }]);
        }
        let mut fit = Fit::default();
        fit.fit(&shape::MANIFEST, &mut value, "");
        let mut findings = std::mem::take(&mut fit.findings);
        let manifest = if findings.is_full() { None } else { checked(value, &fit, &mut findings) };
        let (mut problems, doubled) = source.doubled();
        let Findings { found, more } = findings;
        problems.extend(found.into_iter().map(|found| source.locate(found)));
        match manifest {
            Some(manifest) if problems.is_empty() => Ok(manifest),
            _ => {
                problems.sort_by_key(|problem| (problem.line, problem.column));
                Err(told(problems, more + doubled))
            }
        }
    }

    /// Checks a manifest that was not read from a text, such as a linked app's (pointers, but line and column 0).
    pub fn check(&self) -> Vec<Problem> {
        let size = serde_json::to_vec(self).map_or(0, |bytes| bytes.len());
        let mut findings = Findings::default();
        check::broken(self, &|_| false, &mut findings);
        if size > limits::MANIFEST {
            findings.add(too_large(size));
        }
        told(findings.found.into_iter().map(Found::without_place).collect(), findings.more)
    }
}

/// Reads what fits now, and checks the rules on it.
fn checked(value: serde_json::Value, fit: &Fit, findings: &mut Findings) -> Option<Manifest> {
    match serde_json::from_value::<Manifest>(value) {
        Ok(manifest) => {
            check::broken(&manifest, &|pointer| fit.blurs(pointer), findings);
            Some(manifest)
        }
        // A shape that the table lets through and the types do not; a test holds them together.
        Err(error) => {
            findings.add(Found::new("", format!("{error}."), ""));
            None
        }
    }
}

fn too_large(bytes: usize) -> Found {
    let message = format!("This manifest has {bytes} bytes, at most {} are allowed.", limits::MANIFEST);
    Found::new("", message, "")
}

/// The JSON Schema of a manifest (draft 2020-12), made from these types.
#[cfg(feature = "schema")]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Manifest).to_value();
    texts::say_in_schema(&mut schema, false);
    if let Some(object) = schema.as_object_mut() {
        let id = "urn:cloud-apps:manifest:2";
        object.insert("$id".to_owned(), id.into());
        object.insert("title".to_owned(), "mattermost-cloud-app.json".into());
        object.insert(
            "description".to_owned(),
            "The manifest of a Cloud App for Mattermost, protocol 2.".into(),
        );
    }
    schema
}
