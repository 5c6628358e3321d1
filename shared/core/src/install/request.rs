//! The body of `POST /install`. It is checked against the app's manifest and the code's site.

use super::{problems::Reader, settings};
use crate::http::Refusal;
use cloud_apps_protocol::{
    Manifest, Millis, SiteUrl, TokenId, Username,
    install::{BotCredentials, Granted, InstallRequest, Server},
    manifest::Permission,
    server::{ServerFacts, ServerVersion},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// The longest token that is accepted. Mattermost's have 26 characters, and a proxy's may have more.
const MAX_TOKEN: usize = 512;

/// Where a request says which server it is about.
pub(crate) const SITE_URL: &str = "/server/site_url";

/// Reads and checks the body.
pub fn read(body: &Value, manifest: &Manifest, site: &SiteUrl) -> Result<InstallRequest, Refusal> {
    let mut reader = Reader::new(body);
    let app_id = reader.parsed("/app_id");
    let site_url: Option<SiteUrl> = reader.parsed(SITE_URL);
    if let Some(found) = site_url.as_ref().filter(|found| *found != site) {
        let message =
            format!("is {found}, and this code is for {site}: ask the operator for one for {found}");
        reader.problem(SITE_URL, message);
    }
    let version = server_version(&mut reader);
    let facts = server_facts(&mut reader);
    let bot_id = reader.parsed("/bot/user_id");
    let username = username(&mut reader);
    let access_token = access_token(&mut reader);
    let token_id = token_id(&mut reader, "/bot/token_id");
    let expires_at = expires_at(&mut reader, "/bot/expires_at");
    let installed_by = reader.parsed("/installed_by");
    let v2 = reader.flag("/v2");
    let static_token = reader.flag("/static_token");
    let granted = granted(&mut reader, "/granted", manifest);
    let settings = settings::read(&mut reader, manifest);
    let request = (|| {
        Some(InstallRequest {
            app_id: app_id?,
            server: Server { site_url: site_url?, version: version?, facts },
            bot: BotCredentials {
                user_id: bot_id?,
                username: username?,
                access_token: access_token?,
                token_id,
                expires_at,
            },
            installed_by: installed_by?,
            v2,
            static_token,
            granted,
            settings,
        })
    })();
    reader.finish(request)
}

/// A version such as `11.6.0`, possibly with a build's suffix.
pub(crate) fn server_version(reader: &mut Reader<'_>) -> Option<String> {
    const AT: &str = "/server/version";
    let text = reader.text(AT)?;
    if ServerVersion::is_version(text) {
        return Some(text.to_owned());
    }
    reader.problem(
        AT,
        "is not a version of Mattermost, such as 11.6.0: send what its api/v4/config/client says",
    );
    None
}

/// What else the server says of itself. Everything may be absent.
pub(crate) fn server_facts(reader: &mut Reader<'_>) -> ServerFacts {
    const VERSION_ID: &str = "/server/version_id";
    let version_id =
        reader.at(VERSION_ID).and_then(Value::as_str).filter(|text| ServerFacts::is_version_id(text));
    if version_id.is_none() && reader.at(VERSION_ID).is_some() {
        reader.problem(VERSION_ID, "is not the text of the server's header X-Version-Id");
    }
    ServerFacts {
        mm_blocks: reader.at("/server/mm_blocks").map(|_| reader.flag("/server/mm_blocks")),
        max_post_size: count(reader, "/server/max_post_size"),
        integration_timeout: count(reader, "/server/integration_timeout"),
        version_id: version_id.map(str::to_owned),
        looked_at: None,
    }
}

/// A positive number, if there is one.
fn count(reader: &mut Reader<'_>, at: &str) -> Option<u32> {
    let number =
        reader.at(at)?.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
    if number.is_none() {
        reader.problem(at, "is not a positive number");
    }
    number
}

/// A username that Mattermost may give.
fn username(reader: &mut Reader<'_>) -> Option<String> {
    const AT: &str = "/bot/username";
    let text = reader.text(AT)?;
    // A name with a colon belongs to a user of another, connected server.
    if !text.contains(':') && Username::new(text).is_ok() {
        return Some(text.to_owned());
    }
    reader.problem(AT, "is not the name of a bot account: a-z, 0-9, '.', '-' and '_', without @");
    None
}

/// A token that can be sent in a header. It is never repeated in a problem.
fn access_token(reader: &mut Reader<'_>) -> Option<String> {
    const AT: &str = "/bot/access_token";
    let text = reader.text(AT)?;
    if is_token(text) {
        return Some(text.to_owned());
    }
    reader.problem(AT, "is not an access token: make one for the bot and send it without spaces");
    None
}

/// Whether a text can be an access token.
pub(crate) fn is_token(text: &str) -> bool {
    (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// The id of a token, if the caller sends it.
pub(crate) fn token_id(reader: &mut Reader<'_>, at: &str) -> Option<TokenId> {
    reader.at(at)?;
    reader.parsed(at)
}

/// When a token ends, if the caller sends it. Mattermost writes 0 for a token that does not end.
pub(crate) fn expires_at(reader: &mut Reader<'_>, at: &str) -> Option<Millis> {
    let Some(expires_at) = reader.at(at)?.as_u64() else {
        reader.problem(at, "is not a time in Unix milliseconds, as the server's answer has it (0: never)");
        return None;
    };
    Some(expires_at).filter(|expires_at| *expires_at > 0)
}

/// What the admin grants: a part of what the manifest asks for.
pub(crate) fn granted(reader: &mut Reader<'_>, at: &str, manifest: &Manifest) -> Granted {
    if reader.at(at).is_some_and(|granted| !granted.is_object()) {
        reader.problem(at, "is not an object of lists");
        return Granted::default();
    }
    let named = |permission: &Permission| serde_json::to_value(permission).ok()?.as_str().map(str::to_owned);
    let permissions = manifest.permissions.iter().filter_map(named).collect();
    let permissions = part(reader, at, manifest, "permissions", &permissions);
    let granted = Granted {
        permissions: manifest
            .permissions
            .iter()
            .filter(|p| named(p).is_some_and(|name| permissions.contains(&name)))
            .copied()
            .collect(),
        locations: part(reader, at, manifest, "locations", &manifest.locations.iter().cloned().collect()),
        events: part(
            reader,
            at,
            manifest,
            "events",
            &manifest.events.iter().map(|e| e.kind.clone()).collect(),
        ),
        webhooks: part(
            reader,
            at,
            manifest,
            "webhooks",
            &manifest.webhooks.iter().map(|w| w.path.clone()).collect(),
        ),
    };
    for event in manifest.events.iter().filter(|event| event.required) {
        if !granted.events.contains(&event.kind) {
            let message =
                format!("does not have {:?}, and {} cannot do without: grant it", event.kind, manifest.id);
            reader.problem(format!("{at}/events"), message);
        }
    }
    granted
}

fn part(
    reader: &mut Reader<'_>,
    at: &str,
    manifest: &Manifest,
    what: &str,
    asked: &BTreeSet<String>,
) -> BTreeSet<String> {
    let pointer = format!("{at}/{what}");
    let mut granted = BTreeSet::new();
    for (n, item) in reader.list(&pointer).iter().enumerate() {
        let name = item.as_str().unwrap_or_default();
        if asked.contains(name) {
            granted.insert(name.to_owned());
            continue;
        }
        let asks: Vec<&str> = asked.iter().map(String::as_str).collect();
        let asks = if asks.is_empty() { "none".to_owned() } else { asks.join(", ") };
        let shown: String = name.chars().take(40).collect();
        let message = format!("({shown:?}) is none of the {what} that {} asks for: {asks}", manifest.id);
        reader.problem(format!("{pointer}/{n}"), message);
    }
    granted
}
