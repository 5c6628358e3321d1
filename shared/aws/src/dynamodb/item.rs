//! Items: how they are written and read.

use aws_sdk_dynamodb::types::AttributeValue;
use cloud_apps_core::store::{
    document,
    model::{Catalogue, Install, InstallCode, ManageCode, RegisteredApp, Sha256, SiteEntry, State, Team},
    ports::{StoreError, Stored},
    rules,
};
use cloud_apps_protocol::{AppId, InstallId, Millis, SiteUrl, TeamId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Attributes by name.
pub(super) type Item = HashMap<String, AttributeValue>;

/// How long after `exp` DynamoDB may delete an item, in seconds.
const DELETE_AFTER: u64 = 24 * 3_600;

/// A text attribute.
pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number attribute.
pub(super) fn n(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The keys of an item of the installs table.
pub(super) struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    pub fn catalogue() -> Self {
        Self { pk: "APPS".into(), sk: "APPS".into() }
    }
    pub fn app(app: &AppId) -> Self {
        Self { pk: format!("APP#{app}"), sk: "APP".into() }
    }
    pub fn manifest(app: &AppId, sha256: &Sha256) -> Self {
        Self { pk: format!("APP#{app}"), sk: format!("{MANIFEST}{}", sha256.as_str()) }
    }
    pub fn site(app: &AppId, site: &SiteUrl) -> Self {
        Self { pk: format!("APP#{app}"), sk: format!("{SITE}{site}") }
    }
    pub fn install(install: &InstallId) -> Self {
        Self { pk: format!("INSTALL#{install}"), sk: INSTALL.into() }
    }
    pub fn team(install: &InstallId, team: &TeamId) -> Self {
        Self { pk: format!("INSTALL#{install}"), sk: format!("{TEAM}{team}") }
    }
    pub fn token(token: &Sha256) -> Self {
        Self { pk: format!("TOKEN#{}", token.as_str()), sk: "TOKEN".into() }
    }

    /// The attributes.
    pub fn item(self) -> Item {
        Item::from([("pk".to_owned(), s(self.pk)), ("sk".to_owned(), s(self.sk))])
    }
}

/// The prefix of the sort key of a site.
pub(super) const SITE: &str = "SITE#";
/// The prefix of the sort key of a manifest.
pub(super) const MANIFEST: &str = "MANIFEST#";
/// The prefix of the sort key of a team.
pub(super) const TEAM: &str = "TEAM#";
/// The sort key of an install.
pub(super) const INSTALL: &str = "INSTALL";
/// The phase of an install whose undo has begun.
pub(super) const UNDOING: &str = "undoing";

/// The key of a code in the ledger.
pub(super) fn code_key(code: &Sha256) -> String {
    format!("CODE#{}", code.as_str())
}

/// The key of a manage code in the ledger.
pub(super) fn manage_key(code: &Sha256) -> String {
    format!("MANAGE#{}", code.as_str())
}

/// The phase of an install: its state, for conditions.
pub(super) fn phase(install: &Install) -> &'static str {
    match install.state {
        _ if rules::given_up(install) => UNDOING,
        State::Pending { .. } => "pending",
        State::Completing { .. } => "completing",
        State::Active => "active",
        State::Disabled => "disabled",
        State::Removing => "removing",
    }
}

fn with(mut item: Item, attributes: impl IntoIterator<Item = (&'static str, AttributeValue)>) -> Item {
    item.insert("v".to_owned(), n(document::ITEM_VERSION));
    item.extend(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)));
    item
}

pub(super) fn of_install(what: &'static str, install: &Install) -> Stored<Item> {
    let mut item = with(
        Key::install(&install.id).item(),
        [
            ("rev", n(install.rev)),
            ("phase", s(phase(install))),
            ("document", s(document::write(what, install)?)),
        ],
    );
    if let Some(token) = &install.static_token {
        item.insert("static_token".to_owned(), s(token.as_str()));
    }
    Ok(item)
}

pub(super) fn of_team(what: &'static str, install: &InstallId, id: &TeamId, team: &Team) -> Stored<Item> {
    Ok(with(Key::team(install, id).item(), [("document", s(document::write(what, team)?))]))
}

pub(super) fn of_site(install: &Install) -> Item {
    let key = Key::site(&install.app, &install.site).item();
    with(key, [("install", s(install.id.as_str())), ("created_at", n(install.created_at))])
}

pub(super) fn of_token(token: &Sha256, install: &InstallId) -> Item {
    with(Key::token(token).item(), [("install", s(install.as_str()))])
}

pub(super) fn of_catalogue(what: &'static str, catalogue: &Catalogue) -> Stored<Item> {
    let document = s(document::write(what, catalogue)?);
    Ok(with(Key::catalogue().item(), [("rev", n(catalogue.rev)), ("document", document)]))
}

pub(super) fn of_app(what: &'static str, app: &RegisteredApp) -> Stored<Item> {
    let document = s(document::write(what, app)?);
    Ok(with(Key::app(&app.id).item(), [("rev", n(app.rev)), ("document", document)]))
}

pub(super) fn of_manifest(what: &'static str, app: &AppId, sha256: &Sha256, text: &str) -> Stored<Item> {
    document::check_text(what, text)?;
    Ok(with(Key::manifest(app, sha256).item(), [("text", s(text))]))
}

/// The attributes that all items of the ledger have.
pub(super) fn of_ledger(key: &str, exp: Millis) -> Item {
    with(Item::from([("pk".to_owned(), s(key))]), [("exp", n(exp)), ("ttl", n(ttl(exp)))])
}

/// When DynamoDB may delete an item that expires at `exp`, in seconds.
pub(super) fn ttl(exp: Millis) -> u64 {
    (exp / 1_000).saturating_add(DELETE_AFTER)
}

pub(super) fn of_code(code: &InstallCode) -> Item {
    let mut item = of_ledger(&code_key(&code.sha256), code.exp);
    let attributes = [
        ("app", s(code.app.as_str())),
        ("site", s(code.site.as_str())),
        ("base_url", s(&code.base_url)),
        ("spent", AttributeValue::Bool(code.spent)),
        ("replace", AttributeValue::Bool(code.replace)),
    ];
    item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    if let Some(install) = &code.install {
        item.insert("install".to_owned(), s(install.as_str()));
    }
    item
}

pub(super) fn of_manage_code(code: &ManageCode) -> Item {
    let mut item = of_ledger(&manage_key(&code.sha256), code.exp);
    item.insert("install".to_owned(), s(code.install.as_str()));
    item.insert("created_at".to_owned(), n(code.created_at));
    item
}

/// The site in the sort key of an item; empty if there is none.
pub(super) fn site_of_key(item: &Item) -> &str {
    let key = item.get("sk").and_then(|sk| sk.as_s().ok());
    key.and_then(|key| key.strip_prefix(SITE)).unwrap_or_default()
}

/// The hash in the key of a manifest, whatever the rest of the item is.
pub(super) fn manifest_of_key(item: &Item) -> Option<Sha256> {
    let key = item.get("sk").and_then(|sk| sk.as_s().ok())?;
    serde_json::from_value(key.strip_prefix(MANIFEST)?.into()).ok()
}

/// An item that was read.
pub(super) struct Read<'a> {
    what: &'static str,
    item: &'a Item,
}

impl<'a> Read<'a> {
    /// Refuses an item of another version.
    pub fn new(what: &'static str, item: &'a Item) -> Stored<Self> {
        let read = Self { what, item };
        document::check_version(what, read.number("v")?)?;
        Ok(read)
    }

    fn corrupt(&self, name: &str) -> StoreError {
        StoreError::Corrupt {
            what: self.what,
            detail: format!("the attribute {name} is missing or of another kind"),
        }
    }

    /// A number.
    pub fn number(&self, name: &str) -> Stored<u64> {
        let text = self.item.get(name).and_then(|value| value.as_n().ok());
        text.and_then(|text| text.parse().ok()).ok_or_else(|| self.corrupt(name))
    }

    /// A text, if it is there.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
    }

    /// An id, which must be there.
    pub fn id<T: TryFrom<String>>(&self, name: &str) -> Stored<T> {
        let text = self.text(name).ok_or_else(|| self.corrupt(name))?;
        T::try_from(text.to_owned()).map_err(|_| self.corrupt(name))
    }

    /// The id after the prefix of the sort key.
    pub fn id_after<T: TryFrom<String>>(&self, prefix: &str) -> Stored<T> {
        let text =
            self.text("sk").and_then(|sk| sk.strip_prefix(prefix)).ok_or_else(|| self.corrupt("sk"))?;
        T::try_from(text.to_owned()).map_err(|_| self.corrupt("sk"))
    }

    /// The text of a manifest.
    pub fn manifest(&self) -> Stored<String> {
        self.text("text").map(str::to_owned).ok_or_else(|| self.corrupt("text"))
    }

    /// The document.
    pub fn document<T: for<'de> Deserialize<'de> + Serialize>(&self) -> Stored<T> {
        let json = self.text("document").ok_or_else(|| self.corrupt("document"))?;
        document::read(self.what, document::ITEM_VERSION, json)
    }

    /// The entry of a site.
    pub fn site_entry(&self) -> Stored<SiteEntry> {
        Ok(SiteEntry {
            site: self.id_after(SITE)?,
            install: self.id("install")?,
            created_at: self.number("created_at")?,
        })
    }

    /// A code.
    pub fn code(&self, sha256: &Sha256) -> Stored<InstallCode> {
        let spent = self.item.get("spent").and_then(|value| value.as_bool().ok());
        Ok(InstallCode {
            sha256: sha256.clone(),
            app: self.id("app")?,
            site: self.id("site")?,
            base_url: self.text("base_url").ok_or_else(|| self.corrupt("base_url"))?.to_owned(),
            exp: self.number("exp")?,
            install: self.item.get("install").map(|_| self.id("install")).transpose()?,
            spent: *spent.ok_or_else(|| self.corrupt("spent"))?,
            replace: self
                .item
                .get("replace")
                .and_then(|value| value.as_bool().ok())
                .copied()
                .unwrap_or_default(),
        })
    }

    /// A manage code.
    pub fn manage_code(&self, sha256: &Sha256) -> Stored<ManageCode> {
        Ok(ManageCode {
            sha256: sha256.clone(),
            install: self.id("install")?,
            created_at: self.number("created_at")?,
            exp: self.number("exp")?,
        })
    }
}
