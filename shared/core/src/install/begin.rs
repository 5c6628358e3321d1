//! `POST /install`: makes a pending install for a code, a server and a bot. The answer says what to register.
//!
//! The answer is made from stored and derived data, so the same code gets it again if it was lost. With another body, the
//! code replaces the data of its own pending install, because nothing is active yet.

use super::{
    RequestInfo, apps, codes,
    date::date,
    plan, remove, request,
    state::{OnBegin, on_begin},
    static_token, stored, wait,
    watch::LOOK,
};
use crate::{
    http::{Arrival, LogLine, Refusal},
    keys::sealed::{keep_settings, seal_bot_token},
    services::Management,
    store::{
        job::{Job, JobKind},
        model::{Cleanup, Install, InstallCode, Key, Sha256, SiteEntry, State, TokenUpkeep},
        ports::{Begun, Changed, Stored, TRIES},
        rules::{SiteSays, code_of, next, site_says},
    },
};
use cloud_apps_protocol::{
    Code, Generation, InstallId, Manifest, Millis, Values,
    command::Bot,
    install::{InstallCreated, InstallRequest},
    secret::Secret,
    server::ServerFacts,
    token::Kid,
};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::collections::BTreeMap;

/// Begins an install, or gives the answer again.
pub async fn begin(
    management: &Management,
    arrival: &Arrival,
    line: &mut LogLine,
) -> Result<InstallCreated, Refusal> {
    let mut code = codes::presented(management, arrival).await?;
    codes::unused(&code, arrival.now)?;
    line.app = Some(code.app.to_string());
    let body: Value = arrival.json()?;
    // The answer does not tell for which app the code is.
    if body.get("app_id").and_then(Value::as_str).is_some_and(|app| app != code.app.as_str()) {
        return Err(codes::refused());
    }
    let app = apps::to_install(management, &code.app, arrival.now).await?;
    let manifest = app.manifest();
    let request = request::read(&body, manifest, &code.site)?;
    let sha256 = app.sha256();
    let key = current_key(management, &code, arrival.now).await?;

    for _ in 0..TRIES {
        let begun = match &code.install {
            Some(id) => stored::find(management, id, arrival.now).await?,
            None => None,
        };
        match on_begin(begun.as_deref(), &code.sha256, arrival.now) {
            OnBegin::Refuse => return Err(codes::refused()),
            OnBegin::Busy(lease) => return Err(wait::for_completion(lease, arrival.now)),
            OnBegin::Begin => {
                let install = described(management, &request, (manifest, &sha256), &code, &key, arrival.now);
                possible(manifest, &install)?;
                // The site is checked before anything is stored or queued, so a request that is refused leaves nothing.
                match held(management, &code, arrival.now).await? {
                    Site::Free => {}
                    Site::Ours(id) => {
                        code.install = Some(id);
                        continue;
                    }
                    Site::Held(entry) => {
                        make_room(management, &entry, &code, arrival, line).await?;
                        continue;
                    }
                }
                apps::keep_manifest(management, &app).await?;
                watch(management, &install, &code, arrival, line).await?;
                match management.registry.begin(&install, arrival.now).await? {
                    Begun::Created => return Ok(answer(&install, manifest, &key.root, line)),
                    Begun::Again(id) => code.install = Some(id),
                    Begun::CodeRefused => return Err(codes::refused()),
                    Begun::AlreadyInstalled(entry) => {
                        make_room(management, &entry, &code, arrival, line).await?;
                    }
                }
            }
            OnBegin::Replace => {
                let Some(begun) = begun else { return Err(codes::refused()) };
                let (install, root) =
                    replaced(management, &begun, &request, (manifest, &sha256), &code, &key, arrival.now)
                        .await?;
                possible(manifest, &install)?;
                if install == *begun {
                    return Ok(answer(&install, manifest, &root, line));
                }
                apps::keep_manifest(management, &app).await?;
                let changed = management.registry.change(&install, begun.rev).await?;
                management.services.installs.forget(&begun.id);
                if changed == Changed::Yes {
                    let install = Install { rev: next(begun.rev), ..install };
                    return Ok(answer(&install, manifest, &root, line));
                }
            }
        }
    }
    Err(wait::for_completion(arrival.now, arrival.now))
}

/// What is on a code's site.
enum Site {
    /// Nothing, or something that a new install may replace.
    Free,
    /// An install that this code began a moment ago.
    Ours(InstallId),
    /// Another install.
    Held(SiteEntry),
}

async fn held(management: &Management, code: &InstallCode, now: Millis) -> Stored<Site> {
    let Some(entry) = management.registry.site(&code.app, &code.site).await? else { return Ok(Site::Free) };
    let holder = stored::find(management, &entry.install, now).await?;
    Ok(match site_says(Some(&entry), holder.as_deref(), now) {
        SiteSays::Free | SiteSays::Abandoned(_) => Site::Free,
        SiteSays::Held(entry) => {
            let began = holder.as_deref().and_then(code_of);
            if began.is_some_and(|began| began.is(&code.sha256)) {
                Site::Ours(entry.install)
            } else {
                Site::Held(entry)
            }
        }
    })
}

/// Removes the install that is on the site, if the code allows that. Otherwise refuses.
async fn make_room(
    management: &Management,
    entry: &SiteEntry,
    code: &InstallCode,
    arrival: &Arrival,
    line: &mut LogLine,
) -> Result<(), Refusal> {
    let there = stored::find(management, &entry.install, arrival.now).await?;
    match there.filter(|there| code.replace && replaceable(there)) {
        Some(old) => {
            // Its server was rebuilt and knows nothing of it, so the app has nothing to clean up there.
            remove::remove(management, RequestInfo::of(arrival), old, false, line).await?;
            Ok(())
        }
        None => Err(taken(management, entry, code, arrival.now).await?),
    }
}

/// Queues a job that looks after the install until its code expires, whatever happens to this request. It comes before the
/// install. If the install is gone when the job looks first, the job ends, so an install that was begun and removed leaves
/// nothing behind.
async fn watch(
    management: &Management,
    install: &Install,
    code: &InstallCode,
    arrival: &Arrival,
    line: &LogLine,
) -> Result<(), Refusal> {
    let work = JobKind::Watch { install: install.id.clone(), rev: install.rev };
    let left = code.exp.saturating_sub(arrival.now).clamp(1, LOOK);
    let job = Job::new(work, left, Some(line.trace().to_owned()), arrival.now);
    Ok(management.queue.send(&job, arrival.now).await?)
}

/// Whether a code with `replace` may replace an install. It may not while somebody is making that install.
fn replaceable(install: &Install) -> bool {
    matches!(install.state, State::Active | State::Disabled | State::Removing)
}

/// The key from which a new install's secrets are derived.
async fn current_key(management: &Management, code: &InstallCode, now: Millis) -> Result<Key, Refusal> {
    management.services.keys.current(&code.app, now).await?.ok_or_else(|| {
        let message = format!(
            "{} has no key ring. An operator makes one with `cloud-apps operator register`; then try again.",
            code.app
        );
        Refusal { retry_after: Some(30), ..Refusal::new(Code::Unavailable, message) }
    })
}

/// The install that a request describes.
fn described(
    management: &Management,
    request: &InstallRequest,
    (manifest, sha256): (&Manifest, &Sha256),
    code: &InstallCode,
    key: &Key,
    now: Millis,
) -> Install {
    let mut install = Install {
        id: management.services.random.install_id(),
        app: code.app.clone(),
        version: manifest.version.clone(),
        manifest: Some(sha256.clone()),
        site: code.site.clone(),
        state: State::Pending { code: code.sha256.clone(), until: code.exp },
        rev: 1,
        generation: Generation(u32::from(request.v2)),
        previous_until: None,
        key: key.id.clone(),
        previous_key: None,
        rotation: None,
        bot: Bot { id: request.bot.user_id.clone(), username: request.bot.username.clone() },
        bot_token: String::new(),
        bot_token_id: request.bot.token_id.clone(),
        bot_token_expires_at: request.bot.expires_at,
        token_upkeep: TokenUpkeep::default(),
        static_token: None,
        static_generation: 0,
        webhooks: BTreeMap::new(),
        codes_void_until: None,
        cleanup: Cleanup::default(),
        settings: Values::new(),
        passwords: BTreeMap::new(),
        presets: Vec::new(),
        granted: request.granted.clone(),
        server_version: request.server.version.clone(),
        server: request.server.facts.clone().over(&ServerFacts::default(), now),
        base_url: code.base_url.clone(),
        installed_by: request.installed_by.clone(),
        created_at: now,
    };
    if request.static_token {
        install.static_token = Some(Sha256::of(&static_token::derive(&key.root, &install)));
    }
    let random = &*management.services.random;
    install.bot_token = seal_bot_token(key, &install, random.nonce(), &request.bot.access_token);
    keep_settings(key, &mut install, manifest, request.settings.clone(), random);
    install
}

/// The pending install with what the request says now. If nothing differs, it is equal to the stored one. Its id and key
/// stay, so that secrets which its caller has stay valid. Only if its key was revoked, it gets the current one.
async fn replaced(
    management: &Management,
    pending: &Install,
    request: &InstallRequest,
    (manifest, sha256): (&Manifest, &Sha256),
    code: &InstallCode,
    current: &Key,
    now: Millis,
) -> Result<(Install, Secret), Refusal> {
    let key = match management.services.keys.root(&pending.app, &pending.key, now).await? {
        Some(root) => Key { id: pending.key.clone(), root, ..current.clone() },
        None => current.clone(),
    };
    let wanted = described(management, request, (manifest, sha256), code, &key, now);
    let mut install = Install {
        id: pending.id.clone(),
        rev: pending.rev,
        created_at: pending.created_at,
        server: request.server.facts.clone().over(&pending.server, now),
        static_token: None,
        ..wanted
    };
    if request.static_token {
        install.static_token = Some(Sha256::of(&static_token::derive(&key.root, &install)));
    }
    // Two seals of the same token differ, so the tokens themselves are compared.
    let opened = management.services.keys.open_bot_token(pending, now).await;
    install.bot_token = match opened {
        Ok(held) if held.token.expose_secret() == request.bot.access_token => pending.bot_token.clone(),
        // A token that cannot be opened, because its key was revoked, is replaced.
        _ => seal_bot_token(&key, &install, management.services.random.nonce(), &request.bot.access_token),
    };
    keep_settings(&key, &mut install, manifest, request.settings.clone(), &*management.services.random);
    // A password is sealed for the other settings too.
    let same = install.settings == pending.settings;
    if let Ok(held) = management.services.keys.open_settings(pending, now).await {
        for (name, sealed) in &mut install.passwords {
            if let (Some(old), true) =
                (pending.passwords.get(name), same && held.get(name) == request.settings.get(name))
            {
                sealed.clone_from(old);
            }
        }
    }
    Ok((install, key.root))
}

/// Refuses the install if the app needs something that this server does not give.
fn possible(manifest: &Manifest, install: &Install) -> Result<(), Refusal> {
    let Some((kind, reason)) = plan::required(manifest, install) else { return Ok(()) };
    let message = format!(
        "{} cannot do without the event {kind}, and it would not get it: {reason}. Nothing was installed.",
        manifest.id
    );
    Err(Refusal::new(Code::InstallRefused, message).with("event", kind))
}

fn answer(install: &Install, manifest: &Manifest, root: &Secret, line: &mut LogLine) -> InstallCreated {
    line.install = Some(install.id.to_string());
    line.outcome("pending");
    let v2 = install.generation.0 != 0;
    let kid = Kid {
        app: install.app.clone(),
        key: install.key.clone(),
        install: install.id.clone(),
        generation: install.generation,
    };
    let shared = || root.shared(&install.app, &install.id, install.generation).to_base64url().to_string();
    InstallCreated {
        install_id: install.id.clone(),
        kid: v2.then(|| kid.to_string()),
        shared_secret: v2.then(shared),
        static_token: install.static_token.as_ref().map(|_| static_token::derive(root, install).to_string()),
        endpoints: plan::endpoints(&install.base_url, &install.id),
        register: plan::register(manifest, install),
        unavailable: plan::unavailable(manifest, install),
    }
}

/// The refusal that says which install is on the site, and what to do.
async fn taken(
    management: &Management,
    entry: &SiteEntry,
    code: &InstallCode,
    now: Millis,
) -> Result<Refusal, Refusal> {
    let (app, site, id) = (&code.app, &entry.site, &entry.install);
    let since = date(entry.created_at);
    let there = stored::find(management, id, now).await?;
    let who =
        there.as_deref().map_or_else(String::new, |install| format!(" by user {}", install.installed_by));
    let message = match there.as_deref().map(|install| &install.state) {
        Some(State::Pending { until, .. } | State::Completing { until, .. }) => format!(
            "An installation of {app} on {site} was begun{who} on {since} with another code and is not finished. Finish \
             it with that code, or try again after {}, when that code has expired.",
            date(*until)
        ),
        Some(State::Removing) => format!(
            "{app} is just being removed from {site}. Try again in a minute; `cloud-apps show {id}` says how far that is."
        ),
        Some(State::Disabled) => format!(
            "{app} was installed on {site}{who} on {since} and is switched off. Switch it on with `cloud-apps enable \
             {id}`, or remove it with `cloud-apps uninstall {id}`."
        ),
        _ => format!(
            "{app} was installed on {site}{who} on {since} and works. Remove it with `cloud-apps uninstall {id}` to make \
             room; where the server was rebuilt, ask the operator for a code with `--replace`."
        ),
    };
    Ok(Refusal::new(Code::AlreadyInstalled, message)
        .with("site_url", site.as_str())
        .with("since", entry.created_at)
        .with("install_id", id.as_str()))
}
