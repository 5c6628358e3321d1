//! Replacing a credential. What both sides can compute is derived anew, what is presented is checked and sealed.

use super::{Change, Outcome};
use crate::{
    install::access::By,
    model::{Install, Key, Sha256, WebhookSecret},
    refusal::Refusal,
    sealed::seal_bot_token,
    world::Office,
};
use cloud_app::{Mattermost, cx::Credential};
use cloud_apps_protocol::{AppId, Code, Generation, Millis, secret::Secret, token::Kid};
use serde_json::Value;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long what was replaced goes on being good, in ms (section 2).
const GRACE: Millis = 24 * 3_600_000;
/// How long a server may take to say whose a token is.
const PATIENCE: Duration = Duration::from_secs(8);

/// `{"rotate":…}`.
pub(super) async fn rotate(change: &Change<'_>) -> Result<Outcome, Refusal> {
    match change.body.pointer("/rotate").and_then(Value::as_str) {
        Some("shared_secret") => shared_secret(change).await,
        Some("bot_token") => bot_token(change).await,
        Some("static_token") => static_token(change).await,
        Some(other) => match other.strip_prefix("webhook:") {
            Some(path) => webhook(change, path).await,
            None => Err(unknown()),
        },
        None => Err(unknown()),
    }
}

fn unknown() -> Refusal {
    let message = "rotate is none of shared_secret, bot_token, static_token, webhook:PATH.";
    Refusal::bad_request("/rotate", message)
}

/// The next generation, derived from the key that is current now. Whoever asks with the generation before gets the
/// same answer: he may not have read the first one.
async fn shared_secret(change: &Change<'_>) -> Result<Outcome, Refusal> {
    let (office, install, now) = (change.office, change.install, change.moment.now);
    let Generation(generation) = install.generation;
    if generation == 0 {
        let message = "This install has no shared secret to rotate: its server does not speak V2. What it has are a bot's \
                       token, and the tokens of its slash commands, which the server replaces.";
        return Err(Refusal::bad_request("/rotate", message));
    }
    if matches!(change.by, By::Server(Generation(signed)) if signed != generation) {
        let root = office.world.keys.root(&install.app, &install.key, now).await?;
        let root = root.ok_or_else(|| missing_key(&install.app))?;
        return Ok(handed_over(install.clone(), &root));
    }
    let key = current_key(office, &install.app, now).await?;
    let mut rotated = install.clone();
    rotated.previous_until = Some(now.saturating_add(GRACE));
    rotated.previous_key = (install.key != key.id).then(|| install.key.clone());
    rotated.key = key.id.clone();
    rotated.generation = Generation(generation.saturating_add(1));
    // A static token is kept as a hash, so another key under it changes nothing.
    Ok(handed_over(rotated, &key.root))
}

/// The secret of the install's generation, whose key has this root.
fn handed_over(install: Install, root: &Secret) -> Outcome {
    let kid = Kid {
        app: install.app.clone(),
        key: install.key.clone(),
        install: install.id.clone(),
        generation: install.generation,
    };
    let secret = root.shared(&install.app, &install.id, install.generation).to_base64url().to_string();
    Outcome { kid: Some(kid.to_string()), shared_secret: Some(secret), ..Outcome::of(install) }
}

/// A new token of the bot: its server must know it, and as this bot's.
async fn bot_token(change: &Change<'_>) -> Result<Outcome, Refusal> {
    const AT: &str = "/access_token";
    let (office, install, now) = (change.office, change.install, change.moment.now);
    let token = change.body.pointer(AT).and_then(Value::as_str).map(str::to_owned).map(Zeroizing::new);
    let token = token.filter(|token| crate::install::request::is_token(token)).ok_or_else(|| {
        let message =
            "access_token is not an access token: make one for the bot, and send it without spaces.";
        Refusal::bad_request(AT, message)
    })?;
    let credential = Credential { origin: install.site.clone(), token: token.as_str().into() };
    let me =
        Mattermost::user(office.world.http.clone(), credential).until(Instant::now() + PATIENCE).me().await;
    let me = me.map_err(|error| {
        let site = &install.site;
        let (code, message) = match error.status().map(|status| status.as_u16()) {
            Some(401 | 403) => (
                Code::BadRequest,
                format!("{site} does not know this token. Make one for @{}, and send that.", install.bot.username),
            ),
            _ => (
                Code::Unavailable,
                format!(
                    "{site} could not be asked whose token this is, so nothing was changed. Try again; if it happens \
                     again, look whether the bundle reaches the server."
                ),
            ),
        };
        Refusal::new(code, message).with("pointer", AT).because(error)
    })?;
    if me.id != install.bot.id {
        let message = format!(
            "This is a token of @{}, and the bot of this install is @{}. Make one for the bot.",
            me.username, install.bot.username
        );
        return Err(Refusal::bad_request(AT, message));
    }
    let key = current_key(office, &install.app, now).await?;
    let bot_token = seal_bot_token(&key, install, office.world.random.nonce(), &token);
    Ok(Outcome::of(Install { bot_token, ..install.clone() }))
}

/// Another static token, for an install that has one.
async fn static_token(change: &Change<'_>) -> Result<Outcome, Refusal> {
    let install = change.install;
    if install.static_token.is_none() {
        let message = "This install has no static token: it is asked for when the app is installed.";
        return Err(Refusal::bad_request("/rotate", message));
    }
    let key = current_key(change.office, &install.app, change.moment.now).await?;
    let mut rotated = install.clone();
    rotated.static_generation = install.static_generation.saturating_add(1);
    let token = crate::install::begin::static_token(&key.root, &rotated);
    rotated.static_token = Some(Sha256::of(&token));
    Ok(Outcome { static_token: Some(token.to_string()), ..Outcome::of(rotated) })
}

/// Another secret for a vendor's webhook.
async fn webhook(change: &Change<'_>, path: &str) -> Result<Outcome, Refusal> {
    let (install, now) = (change.install, change.moment.now);
    if !install.granted.webhooks.contains(path) {
        let has: Vec<&str> = install.granted.webhooks.iter().map(String::as_str).collect();
        let has = if has.is_empty() { "none".to_owned() } else { has.join(", ") };
        let message = format!("This install has no webhook of that path; it has: {has}.");
        return Err(Refusal::bad_request("/rotate", message));
    }
    let key = current_key(change.office, &install.app, now).await?;
    let generation = install.webhooks.get(path).map_or(0, |secret| secret.generation).saturating_add(1);
    let secret = webhook_secret(&key.root, install, path, generation).to_base64url().to_string();
    let mut rotated = install.clone();
    let previous_until = now.saturating_add(GRACE);
    rotated.webhooks.insert(path.to_owned(), WebhookSecret { key: key.id, generation, previous_until });
    Ok(Outcome { webhook_secret: Some(secret), ..Outcome::of(rotated) })
}

/// The secret of a vendor's webhook.
fn webhook_secret(root: &Secret, install: &Install, path: &str, generation: u32) -> Secret {
    root.derive(&[
        b"webhook",
        install.app.as_str().as_bytes(),
        install.id.as_str().as_bytes(),
        path.as_bytes(),
        generation.to_string().as_bytes(),
    ])
}

/// The key that new things are made with.
pub(super) async fn current_key(office: &Office, app: &AppId, now: Millis) -> Result<Key, Refusal> {
    office.world.keys.current(app, now).await?.ok_or_else(|| missing_key(app))
}

fn missing_key(app: &AppId) -> Refusal {
    let message = format!(
        "The key ring of {app} cannot be used, so nothing was changed. Its operator looks at it with `cloud-apps keys list \
         {app}`."
    );
    Refusal { retry_after: Some(30), ..Refusal::new(Code::Unavailable, message) }
}
