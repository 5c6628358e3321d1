//! The rules of a manifest that types cannot express: names that must match, permissions that must be asked for, addresses and
//! limits.

use super::{
    Accounts, AccountsType, EXPANDABLE, Expansion, Manifest, Permission, Upstream,
    fields::{Of, word},
    rules::Rules,
};
use crate::{
    FieldType, PROTOCOL, form::Subtype, host::is_this_machine, ids::NO_USERNAMES, json::escaped, limits,
    shape::Findings,
};
use std::collections::BTreeMap;

/// Names that functions and presets cannot have, because the bundle itself answers them.
pub const RESERVED: [&str; 3] = ["help", "connect", "disconnect"];

/// Finds all problems of a manifest whose types are right.
pub(super) fn broken(manifest: &Manifest, blurred: &dyn Fn(&str) -> bool, findings: &mut Findings) {
    let mut rules = Rules::new(findings, blurred);
    rules.identity(manifest);
    rules.bot(manifest);
    rules.upstream(&manifest.upstream);
    if let Some(accounts) = &manifest.accounts {
        rules.accounts(accounts, manifest);
    }
    rules.fields(Of::Settings, &manifest.settings, "/settings");
    rules.entries(manifest);
    rules.commands(manifest);
    rules.presets(manifest);
    rules.events(manifest);
    rules.webhooks(manifest);
    rules.translations(manifest);
    rules.texts(manifest);
}

impl Rules<'_> {
    fn identity(&mut self, manifest: &Manifest) {
        if manifest.protocol != PROTOCOL {
            let message = format!("This is protocol {}, and {PROTOCOL} is spoken here.", manifest.protocol);
            self.say("/protocol", message, format!("Write {PROTOCOL}."));
        }
        if let Err(error) = semver::Version::parse(&manifest.version) {
            let message = format!("{:?} is not a semantic version: {error}.", manifest.version);
            self.say("/version", message, "Write three numbers, such as 1.0.0.");
        }
        self.filled(&manifest.display_name, "/display_name");
        if let Some(url) = &manifest.homepage_url {
            self.address(url, "/homepage_url");
        }
        if let Some(icon) = manifest.icon.as_ref().filter(|icon| !icon.starts_with("data:image/")) {
            self.address(icon, "/icon");
        }
        self.distinct(manifest.permissions.iter().copied().map(permission), "permission", |i| {
            format!("/permissions/{i}")
        });
        self.distinct(manifest.locations.iter().map(String::as_str), "location", |i| {
            format!("/locations/{i}")
        });
        for (i, location) in manifest.locations.iter().enumerate() {
            self.word(location, "location", &format!("/locations/{i}"));
        }
    }

    /// A word of an open set. Unknown words are accepted, but it must be a word.
    fn word(&mut self, word: &str, what: &str, pointer: &str) {
        if !is_word(word) {
            let message = format!("{word:?} is not the name of a {what}.");
            self.say(pointer, message, "Such names are words of a-z, 0-9 and _.");
        }
    }

    fn bot(&mut self, manifest: &Manifest) {
        let hint =
            "1 to 64 characters of a-z, 0-9, \".\", \"-\" and \"_\", and none of Mattermost's own names.";
        let Some(bot) = &manifest.bot else {
            if NO_USERNAMES.contains(&manifest.id.as_str()) {
                let message = format!("The bot cannot be called {:?} like the app.", manifest.id.as_str());
                self.say("/id", message, "Give it a name of its own in \"bot\".");
            }
            return;
        };
        let name = bot.username.as_str();
        let shaped = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b));
        if !shaped || NO_USERNAMES.contains(&name) {
            self.say("/bot/username", format!("{name:?} is not a user name for a bot."), hint);
        }
        if bot.display_name.chars().count() > 64 {
            self.say("/bot/display_name", "A bot's display name has at most 64 characters.", "");
        }
    }

    fn upstream(&mut self, upstream: &Upstream) {
        match upstream {
            Upstream::Linked => {}
            Upstream::Http { url } => {
                // What is no address has no path either.
                let usable = self.address(url, "/upstream/url");
                let pure = url::Url::parse(url).is_ok_and(|u| u.query().is_none() && u.fragment().is_none());
                if usable && (url.ends_with('/') || !pure) {
                    let message =
                        "Functions are called at {url}/{function}, so nothing may stand after its path.";
                    self.say("/upstream/url", message, "Leave out a trailing /, a query and a fragment.");
                }
            }
            Upstream::AwsLambda { function } => {
                if !is_lambda(function) {
                    let message = format!("{function:?} is not the name or ARN of a Lambda function.");
                    self.say("/upstream/function", message, "Write cloud-app-jira, or its ARN.");
                }
            }
        }
    }

    /// `https`, or `http` to this machine. Whether it is.
    fn address(&mut self, text: &str, pointer: &str) -> bool {
        let good = url::Url::parse(text).is_ok_and(|url| {
            let secure = match url.scheme() {
                "https" => url.has_host(),
                "http" => url.host().is_some_and(|host| is_this_machine(&host)),
                _ => false,
            };
            secure && url.username().is_empty() && url.password().is_none()
        });
        if !good {
            let message = "This is not an address that can be used here.";
            let hint = "Write https://… without user and password; http:// is for this machine only.";
            self.say(pointer, message, hint);
        }
        good
    }

    fn accounts(&mut self, accounts: &Accounts, manifest: &Manifest) {
        let urls = [
            ("authorize_url", &accounts.authorize_url, true),
            ("token_url", &accounts.token_url, true),
            ("revoke_url", &accounts.revoke_url, false),
        ];
        for (key, url, needed) in urls {
            let pointer = format!("/accounts/{key}");
            match (accounts.r#type, url) {
                (AccountsType::Oauth2, Some(url)) => self.template(url, &pointer, manifest),
                (AccountsType::Oauth2, None) if needed => {
                    self.say(&pointer, format!("OAuth 2.0 needs {key:?}."), "");
                }
                (AccountsType::Mattermost, Some(_)) => {
                    self.say(&pointer, "The Mattermost server knows its own addresses.", "Leave this out.");
                }
                _ => {}
            }
        }
    }

    /// An address that may have `{settings.x}`, a setting that is an address.
    fn template(&mut self, text: &str, pointer: &str, manifest: &Manifest) {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let (name, behind) = after.split_once('}').unwrap_or((after, ""));
            let setting = name.strip_prefix("settings.");
            let is_url = |name: &str| {
                manifest
                    .settings
                    .iter()
                    .any(|field| field.name.as_str() == name && field.subtype == Some(Subtype::Url))
            };
            if !setting.is_some_and(is_url) {
                let message = format!("{{{name}}} is not a setting of subtype url.");
                return self.say(pointer, message, "Write {settings.NAME}.");
            }
            filled.push_str(if filled.is_empty() { "https://setting.example" } else { "setting" });
            rest = behind;
        }
        filled.push_str(rest);
        self.address(&filled, pointer);
    }

    /// Every function is in one list of the manifest, and none has a reserved name.
    fn entries(&mut self, manifest: &Manifest) {
        let mut lists: BTreeMap<&str, &str> = BTreeMap::new();
        let commands = manifest.commands.iter().map(|e| &e.function);
        let events = manifest.events.iter().map(|e| &e.function);
        let webhooks = manifest.webhooks.iter().map(|e| &e.function);
        let lifecycle = &manifest.lifecycle;
        let hooks = [
            ("install", &lifecycle.install),
            ("uninstall", &lifecycle.uninstall),
            ("configure", &lifecycle.configure),
            ("upgrade", &lifecycle.upgrade),
        ];
        let at = |list: &'static str, i: usize| format!("/{list}/{i}/function");
        let named =
            commands
                .enumerate()
                .map(|(i, f)| ("commands", at("commands", i), f))
                .chain(events.enumerate().map(|(i, f)| ("events", at("events", i), f)))
                .chain(webhooks.enumerate().map(|(i, f)| ("webhooks", at("webhooks", i), f)))
                .chain(hooks.into_iter().filter_map(|(hook, f)| {
                    f.as_ref().map(|f| ("lifecycle", format!("/lifecycle/{hook}"), f))
                }));
        for (list, pointer, function) in named {
            let function = function.as_str();
            if RESERVED.contains(&function) {
                self.say(
                    &pointer,
                    format!("{function:?} is answered by the bundle itself."),
                    "Choose another name.",
                );
            }
            let first = *lists.entry(function).or_insert(list);
            if first != list {
                let message =
                    format!("{function:?} stands in {first:?} already: a function stands in one list.");
                self.say(&pointer, message, "Choose another name.");
            }
        }
    }

    fn commands(&mut self, manifest: &Manifest) {
        self.at_most(manifest.commands.len(), limits::COMMANDS, "commands", "/commands");
        self.distinct(manifest.commands.iter().map(|c| c.function.as_str()), "command", |i| {
            format!("/commands/{i}/function")
        });
        for (i, command) in manifest.commands.iter().enumerate() {
            let at = format!("/commands/{i}");
            self.fields(Of::Command, &command.fields, &format!("{at}/fields"));
            self.expansion(&command.expand, &at);
            self.places(&command.locations, manifest, &at);
            if command.post_as_user && !manifest.permissions.contains(&Permission::ActAsUser) {
                let hint = "Add \"act_as_user\" to \"permissions\".";
                self.say(&format!("{at}/post_as_user"), "To post as the user the app must ask for it.", hint);
            }
            if command.account.is_some() && manifest.accounts.is_none() {
                let message = "This app has no accounts that a command could use.";
                self.say(&format!("{at}/account"), message, "Describe them in \"accounts\".");
            }
        }
    }

    fn expansion(&mut self, expand: &Expansion, at: &str) {
        for item in expand.keys().filter(|item| !EXPANDABLE.contains(&item.as_str())) {
            let mut hint = self.did_you_mean(item, EXPANDABLE.into_iter());
            if hint.is_empty() {
                hint = format!("These can: {}.", EXPANDABLE.join(", "));
            }
            let pointer = format!("{at}/expand/{}", escaped(item));
            self.say_at_key(&pointer, format!("{item:?} cannot be expanded."), hint);
        }
    }

    /// Nothing appears in a location that the app does not ask for.
    fn places(&mut self, locations: &[String], manifest: &Manifest, at: &str) {
        self.distinct(locations.iter().map(String::as_str), "location", |i| format!("{at}/locations/{i}"));
        for (i, location) in locations.iter().enumerate() {
            if !manifest.locations.contains(location) {
                let message = format!("The app does not ask for the location {location:?}.");
                let mut hint = self.did_you_mean(location, manifest.locations.iter().map(String::as_str));
                if hint.is_empty() {
                    hint.push_str("Add it to the manifest's \"locations\".");
                }
                self.say(&format!("{at}/locations/{i}"), message, hint);
            }
        }
    }

    fn presets(&mut self, manifest: &Manifest) {
        let names = manifest.presets.iter().map(|p| p.name.as_str());
        self.distinct(names, "preset", |i| format!("/presets/{i}/name"));
        for (i, preset) in manifest.presets.iter().enumerate() {
            let at = format!("/presets/{i}");
            let name = preset.name.as_str();
            if RESERVED.contains(&name) {
                let message = format!("{name:?} is answered by the bundle itself.");
                self.say(&format!("{at}/name"), message, "Choose another name.");
            }
            if manifest.command(name).is_some() {
                let message = format!("There is a command {name:?}, so no preset can be called so.");
                self.say(&format!("{at}/name"), message, "Choose another name.");
            }
            self.filled(&preset.label, &format!("{at}/label"));
            self.places(&preset.locations, manifest, &at);
            match manifest.command(preset.function.as_str()) {
                None => {
                    let function = preset.function.as_str();
                    let hint =
                        self.did_you_mean(function, manifest.commands.iter().map(|c| c.function.as_str()));
                    self.say(&format!("{at}/function"), format!("There is no command {function:?}."), hint);
                }
                Some(command) => {
                    let of = format!("The command {:?}", command.function.as_str());
                    self.values(&command.fields, &preset.values, &of, &format!("{at}/values"));
                }
            }
        }
    }

    fn events(&mut self, manifest: &Manifest) {
        let names = manifest.events.iter().map(|e| e.name.as_str());
        self.distinct(names, "subscription", |i| format!("/events/{i}/name"));
        for (i, event) in manifest.events.iter().enumerate() {
            let at = format!("/events/{i}");
            self.word(&event.kind, "kind of event", &format!("{at}/kind"));
            self.expansion(&event.expand, &at);
            let ids = [
                ("user_id", &event.user_id, FieldType::User),
                ("channel_id", &event.channel_id, FieldType::Channel),
                ("team_id", &event.team_id, FieldType::Team),
            ];
            for (key, id, r#type) in ids {
                if let Some(id) = id {
                    self.reference(id, r#type, &format!("{at}/{key}"), manifest);
                }
            }
            if event.kind == "message_posted" {
                for (j, word) in event.trigger_words.iter().enumerate() {
                    self.trigger_word(word, &format!("{at}/trigger_words/{j}"));
                }
                if event.user_id.is_none() && event.channel_id.is_none() {
                    let message = "There is no subscription to all messages.";
                    self.say(&at, message, "Name a \"channel_id\", or the author's \"user_id\".");
                }
                continue;
            }
            if event.user_id.is_some() {
                let message = "Only message_posted is told by user.";
                self.say(&format!("{at}/user_id"), message, "Use \"team_id\" or \"channel_id\", or neither.");
            }
            if event.team_id.is_some() && event.channel_id.is_some() {
                let message = "A subscription names a team or a channel, not both.";
                self.say(&format!("{at}/team_id"), message, "Keep \"channel_id\".");
            }
            if !event.trigger_words.is_empty() {
                self.say(&format!("{at}/trigger_words"), "Only message_posted has trigger words.", "");
            }
        }
    }

    /// A word with which a message begins. Line breaks are found with those of other texts.
    fn trigger_word(&mut self, word: &str, pointer: &str) {
        let hint =
            "Write the word with which a message begins. For every message, leave \"trigger_words\" out.";
        if word.trim().is_empty() {
            self.say(pointer, "A trigger word is empty, which a server refuses.", hint);
        } else if word.trim() != word {
            let message = "A trigger word begins or ends with a space, and no first word of a message does.";
            self.say(pointer, message, hint);
        }
    }

    /// An id, or `$settings.x` if the setting `x` has that type.
    fn reference(&mut self, text: &str, r#type: FieldType, pointer: &str, manifest: &Manifest) {
        let Some(name) = text.strip_prefix("$settings.") else {
            // Ids of users, channels and teams have the same form.
            if crate::UserId::new(text).is_err() {
                let message = format!("{text:?} is not a Mattermost id.");
                self.say(pointer, message, "Write its 26 characters, or $settings.NAME.");
            }
            return;
        };
        let wanted = manifest.settings.iter().filter(|s| s.r#type == r#type && !s.multiple);
        match manifest.settings.iter().find(|setting| setting.name.as_str() == name) {
            None => {
                let hint = self.did_you_mean(name, wanted.map(|s| s.name.as_str()));
                self.say(pointer, format!("There is no setting {name:?}."), hint);
            }
            Some(setting) if setting.r#type != r#type || setting.multiple => {
                let kind = word(r#type);
                self.say(pointer, format!("The setting {name:?} does not hold one {kind}."), "");
            }
            Some(_) => {}
        }
    }

    fn translations(&mut self, manifest: &Manifest) {
        for (locale, texts) in &manifest.translations {
            let at = format!("/translations/{}", escaped(locale));
            if !is_locale(locale) {
                let message = format!("{locale:?} is not a locale.");
                self.say_at_key(&at, message, "Write de or pt-BR.");
            }
            for text in texts.keys().filter(|text| text.trim().is_empty()) {
                let pointer = format!("{at}/{}", escaped(text));
                self.say_at_key(&pointer, "An empty text cannot be translated.", "");
            }
        }
    }
}

fn permission(permission: Permission) -> &'static str {
    match permission {
        Permission::ActAsBot => "act_as_bot",
        Permission::ActAsUser => "act_as_user",
        Permission::ActAsAdmin => "act_as_admin",
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// `de`, `pt-BR`, `zh-Hant-TW`.
fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// A name or an ARN, possibly with a version or alias.
fn is_lambda(text: &str) -> bool {
    let name = |text: &str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let alias = |text: Option<&str>| text.is_none_or(|text| text == "$LATEST" || name(text));
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        ["arn", partition, "lambda", region, account, "function", function, rest @ ..] => {
            partition.starts_with("aws")
                && name(region)
                && account.len() == 12
                && account.bytes().all(|b| b.is_ascii_digit())
                && name(function)
                && rest.len() <= 1
                && alias(rest.first().copied())
        }
        [function, rest @ ..] => name(function) && rest.len() <= 1 && alias(rest.first().copied()),
        [] => false,
    }
}
