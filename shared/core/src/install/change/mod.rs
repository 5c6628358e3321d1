//! `PATCH /install/{install}`: one change of a complete install.
//!
//! Every change is read and checked completely before anything happens. It builds on the revision that was read, and its
//! answer shows the install after the change. Of two changes at the same time, one is made and the other is refused.

mod registered;
mod rotate;
mod server;
mod settings;
mod upgrade;

use super::{RequestInfo, access::By, address, apps, state::unchangeable, stored, view};
use crate::{
    apps::ServedApp,
    http::{LogLine, Refusal, etag},
    services::Management,
    store::{
        model::{Install, Team},
        ports::{Changed, StoreError},
        rules::{MAX_BULK, has_room, next},
    },
};
use cloud_apps_protocol::{
    Code, Manifest, Millis, SiteUrl, TeamId,
    install::{InstallChanged, InstallView},
};
use serde_json::Value;
use std::sync::Arc;

/// All changes.
const CHANGES: [&str; 9] =
    ["settings", "presets", "enabled", "rotate", "register", "unregister", "rebase", "server", "upgrade"];

/// How long a change in which the app is called keeps other changes out, in ms. The function that makes it does not live
/// longer.
const LEASE: Millis = 30_000;

/// A change of one install that is being made.
pub(crate) struct Change<'a> {
    pub management: &'a Management,
    pub request_info: RequestInfo<'a>,
    pub by: By,
    pub install: &'a Install,
    /// The app as the admin agreed to it, or why it cannot be used. An install can be switched off without its app.
    app: &'a Result<ServedApp<'a>, Refusal>,
    /// The version that an upgrade gives.
    offered: Option<&'a ServedApp<'a>>,
    /// The request's body.
    pub body: &'a Value,
}

impl<'a> Change<'a> {
    /// The app, for changes that need it.
    fn app(&self) -> Result<&'a ServedApp<'a>, Refusal> {
        self.app.as_ref().map_err(|refusal| Refusal::new(refusal.code, refusal.message.clone()))
    }

    fn manifest(&self) -> Result<&'a Manifest, Refusal> {
        Ok(self.app()?.manifest())
    }
}

/// What a change makes: the install after it, and the credentials for its caller.
struct Outcome {
    install: Install,
    /// Teams whose registrations are written after the install.
    teams: Vec<(TeamId, Team)>,
    kid: Option<String>,
    shared_secret: Option<String>,
    static_token: Option<String>,
    webhook_secret: Option<String>,
}

impl Outcome {
    fn of(install: Install) -> Self {
        Self {
            install,
            teams: Vec::new(),
            kid: None,
            shared_secret: None,
            static_token: None,
            webhook_secret: None,
        }
    }
}

/// The revision that a request builds on.
pub(crate) enum Match<'a> {
    /// The header `If-Match`.
    Header(Option<&'a str>),
    /// An operator's revision, if there is one.
    Rev(Option<u64>),
}

impl Match<'_> {
    /// Refuses a request that builds on another revision than the install has.
    pub fn check(&self, install: &Install, offered: Option<&ServedApp<'_>>) -> Result<(), Refusal> {
        let fits = match self {
            Self::Header(None) | Self::Rev(None) => true,
            Self::Rev(Some(rev)) => *rev == install.rev,
            Self::Header(Some(tags)) => {
                let revision = format!("\"{}\"", install.rev);
                let bare = tags.trim() == install.rev.to_string();
                bare || etag::matches(tags, &revision)
                    || offered.is_some_and(|app| etag::matches(tags, &etag::tag(&app.sha256(), install)))
            }
        };
        if fits {
            return Ok(());
        }
        let message = format!(
            "The install was changed since it was read: it is at revision {} now. Nothing was changed; read it again, \
             then decide.",
            install.rev
        );
        Err(Refusal::new(Code::VersionConflict, message).with("rev", install.rev))
    }
}

/// Changes an install.
pub(crate) async fn change(
    management: &Management,
    request_info: RequestInfo<'_>,
    (install, by): (Arc<Install>, By),
    if_match: Match<'_>,
    body: &Value,
    line: &mut LogLine,
) -> Result<InstallChanged, Refusal> {
    line.app = Some(install.app.to_string());
    line.install = Some(install.id.to_string());
    if let Some(message) = unchangeable(&install) {
        return Err(Refusal::new(Code::VersionConflict, message));
    }
    let what = which(body)?;
    let mut app = apps::agreed(management, &install, request_info.now).await;
    let mut offered = apps::offered(management, &install.app, request_info.now).await;
    if what == "enabled" {
        // This change needs no app, so it does not wait for stores from which the app is read.
        app = app.or_else(|refusal| Ok(Err(refusal)));
        offered = offered.or(Ok(None));
    }
    let (app, offered) = (app?, offered?);
    let change = Change {
        management,
        request_info,
        by,
        install: &install,
        app: &app,
        offered: offered.as_ref(),
        body,
    };
    // This comes before the revision is compared, because the rotation whose answer was lost has changed it.
    if let Some(again) = rotate::again(&change).await? {
        let changed = keep(&change, again).await?;
        line.outcome("repeated");
        return Ok(changed);
    }
    if_match.check(&install, offered.as_ref())?;
    let asks_app = matches!(what, "settings" | "upgrade");
    if asks_app {
        alone(&change).await?;
    }
    let outcome = make(&change, what, line).await;
    if asks_app {
        // If this fails, the lease ends by itself.
        let _ = management.services.ledger.take(&lease(&install), request_info.now).await;
    }
    let changed = outcome?;
    line.outcome("changed");
    Ok(changed)
}

/// Gives the lost answer to a rotation of the shared secret again, for a server that has the previous secret only. Any other
/// request is refused like a credential that is not valid.
pub(crate) async fn repeat(
    management: &Management,
    request_info: RequestInfo<'_>,
    install: Arc<Install>,
    body: &Value,
    line: &mut LogLine,
) -> Result<InstallChanged, Refusal> {
    if unchangeable(&install).is_some() || which(body).ok() != Some("rotate") {
        return Err(Refusal::unauthorized());
    }
    let app = apps::agreed(management, &install, request_info.now).await?;
    let offered = apps::offered(management, &install.app, request_info.now).await?;
    let change = Change {
        management,
        request_info,
        by: By::Server,
        install: &install,
        app: &app,
        offered: offered.as_ref(),
        body,
    };
    let again = rotate::again(&change).await?.ok_or_else(Refusal::unauthorized)?;
    let changed = keep(&change, again).await?;
    line.outcome("repeated");
    Ok(changed)
}

/// Makes the change and stores it.
async fn make(change: &Change<'_>, what: &str, line: &mut LogLine) -> Result<InstallChanged, Refusal> {
    let outcome = match what {
        "settings" => settings::settings(change, line).await?,
        "presets" => settings::presets(change)?,
        "enabled" => settings::enabled(change)?,
        "rotate" => rotate::rotate(change).await?,
        "register" => registered::register(change).await?,
        "unregister" => registered::unregister(change).await?,
        "rebase" => rebase(change)?,
        "server" => server::server(change)?,
        _ => upgrade::upgrade(change, line).await?,
    };
    keep(change, outcome).await
}

/// Takes the lease of the install, so that one request at a time calls its app. Otherwise the app's function could run for
/// settings that are not stored. A request that waited for the lease finds another revision.
async fn alone(change: &Change<'_>) -> Result<(), Refusal> {
    let (management, now) = (change.management, change.request_info.now);
    let name = lease(change.install);
    if !management.services.ledger.put(&name, "changing", now.saturating_add(LEASE), now).await? {
        let message = "This install is just being changed by another request, and nothing was changed by this one. Ask \
                       again in 30 s.";
        return Err(Refusal { retry_after: Some(30), ..Refusal::new(Code::Unavailable, message) });
    }
    let current = stored::find(management, &change.install.id, now).await;
    let unchanged = |install: &Arc<Install>| install.rev == change.install.rev;
    if current.as_ref().is_ok_and(|install| install.as_ref().is_some_and(unchanged)) {
        return Ok(());
    }
    let _ = management.services.ledger.take(&name, now).await;
    current?;
    Err(conflict())
}

fn lease(install: &Install) -> String {
    format!("CHANGE#{}", install.id)
}

fn full() -> Refusal {
    let message = format!(
        "With this change the install would hold more than the {MAX_BULK} bytes that an install has room for, so nothing \
         was changed. Send fewer or shorter presets and settings."
    );
    Refusal::new(Code::TooLarge, message).with("limit", MAX_BULK)
}

/// The caller must read the install again before it decides, so it is not told when to try again.
fn conflict() -> Refusal {
    Refusal { retry_after: None, ..Refusal::conflict("this install") }
}

/// The one change that a body names.
fn which(body: &Value) -> Result<&'static str, Refusal> {
    let all = CHANGES.join(", ");
    let Some(keys) = body.as_object() else {
        let message = format!("The body is not an object. Send one with exactly one of {all}.");
        return Err(Refusal::bad_request("", message));
    };
    let named: Vec<&'static str> = CHANGES.into_iter().filter(|name| keys.contains_key(*name)).collect();
    match named.as_slice() {
        [one] => Ok(one),
        [] => Err(Refusal::bad_request("", format!("The body names no change. Send exactly one of {all}."))),
        [_, other, ..] => {
            let message = format!("The body names {}. Send one at a time.", named.join(", "));
            Err(Refusal::bad_request(&format!("/{other}"), message))
        }
    }
}

/// Stores the change if anything differs, and answers with the install as it is now.
async fn keep(change: &Change<'_>, outcome: Outcome) -> Result<InstallChanged, Refusal> {
    let (management, before) = (change.management, change.install);
    let mut install = outcome.install;
    if !has_room(before, &install) {
        return Err(full());
    }
    if install != *before || !outcome.teams.is_empty() {
        let changed = management.registry.change(&install, before.rev).await?;
        management.services.installs.forget(&before.id);
        if changed == Changed::Conflict {
            return Err(conflict());
        }
        install.rev = next(before.rev);
    }
    for (team, registered) in &outcome.teams {
        management.registry.put_team(&install.id, team, registered).await?;
    }
    // The cached teams are out of date as well.
    management.services.installs.forget(&before.id);
    Ok(InstallChanged {
        install: seen(change, &install).await?,
        kid: outcome.kid,
        shared_secret: outcome.shared_secret,
        static_token: outcome.static_token,
        webhook_secret: outcome.webhook_secret,
    })
}

async fn seen(change: &Change<'_>, install: &Install) -> Result<InstallView, Refusal> {
    let teams = match change.management.registry.teams(&install.id).await {
        Ok(teams) => teams,
        // This error does not pass, and the change is made. If it were the answer, new credentials would be lost.
        Err(error @ StoreError::Corrupt { .. }) => {
            tracing::error!(install = install.id.as_str(), %error, "what is registered in a team cannot be read");
            let reason =
                "what is registered in its teams cannot be read: the bundle's operator finds why in its log";
            return Ok(view::view(Err(reason), change.offered, install, &[]));
        }
        Err(error) => return Err(error.into()),
    };
    // After an upgrade, this is its app.
    let offered = change.offered.filter(|offered| offered.is_agreed_by(install));
    let manifest = match (offered, change.app) {
        (Some(offered), _) => Ok(offered.manifest()),
        (None, Ok(app)) => Ok(app.manifest()),
        (None, Err(refusal)) => Err(refusal.message.as_str()),
    };
    Ok(view::view(manifest, change.offered, install, &teams))
}

/// `{"rebase":"https://…"}`: changes the bundle's address for this server.
fn rebase(change: &Change<'_>) -> Result<Outcome, Refusal> {
    const AT: &str = "/rebase";
    change.by.outlives("move an install to another address", "sync --base-url URL")?;
    let text = change.body.pointer(AT).and_then(Value::as_str);
    let text =
        text.ok_or_else(|| Refusal::bad_request(AT, "rebase is not text: send the bundle's address."))?;
    let address = SiteUrl::new(text)
        .map_err(|error| Refusal::bad_request(AT, format!("rebase is not an address: {error}.")))?;
    address::private(change.management, AT, &address)?;
    Ok(Outcome::of(Install { base_url: address.to_string(), ..change.install.clone() }))
}
