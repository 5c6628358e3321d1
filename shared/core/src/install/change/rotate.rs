//! The rotation of a credential. A credential that both sides can compute is derived again; one that the caller sends is
//! checked and sealed.
//!
//! The answer to most rotations has a credential. It is given to the server, if that has the current secret, or to an
//! operator. The holder of a manage code gets nothing that outlives the code.

use super::{Change, Outcome};
use crate::{
    http::Refusal,
    install::{
        access::By,
        problems::Reader,
        request::{self, is_token},
        static_token,
    },
    keys::sealed::seal_bot_token,
    services::Management,
    store::{
        model::{Install, Key, Rotated, Sha256, TokenUpkeep, WebhookSecret},
        rules::over,
    },
};
use cloud_app::{Mattermost, mattermost::Credential};
use cloud_apps_protocol::{AppId, Code, Generation, Millis, install::RotationId, secret::Secret, token::Kid};
use serde_json::Value;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long the previous credential is accepted, in ms (section 2).
const GRACE: Millis = 24 * 3_600_000;
/// How long a lost answer can be asked for again, in ms (section 12).
const REPEATED: Millis = 10 * 60_000;
/// How long the server has to say whose token it is.
const PATIENCE: Duration = Duration::from_secs(8);

/// `{"rotate":…}`.
pub(super) async fn rotate(change: &Change<'_>) -> Result<Outcome, Refusal> {
    match what(change.body) {
        Some("shared_secret") => {
            change.by.outlives("replace the shared secret", "rotate shared-secret")?;
            shared_secret(change).await
        }
        Some("bot_token") => bot_token(change).await,
        Some("static_token") => {
            change.by.outlives("replace the static token", "rotate static-token")?;
            new_static_token(change).await
        }
        Some(other) => match other.strip_prefix("webhook:") {
            Some(path) => {
                change.by.outlives("replace the secret of a webhook", "rotate webhook")?;
                webhook(change, path).await
            }
            None => Err(unknown()),
        },
        None => Err(unknown()),
    }
}

/// Which credential a body names.
fn what(body: &Value) -> Option<&str> {
    body.pointer("/rotate").and_then(Value::as_str)
}

fn unknown() -> Refusal {
    let message = "rotate must be one of shared_secret, bot_token, static_token, webhook:PATH.";
    Refusal::bad_request("/rotate", message)
}

/// A request with `"rotate":"shared_secret"`.
struct Asked {
    /// SHA-256 of the rotation's id.
    id: Sha256,
    /// Whether the previous secret ends at once.
    at_once: bool,
}

impl Asked {
    fn read(body: &Value) -> Result<Self, Refusal> {
        const ROTATION: &str = "/rotation";
        let id = body.pointer(ROTATION).and_then(Value::as_str).and_then(|text| text.parse().ok());
        let id: RotationId = id.ok_or_else(|| {
            let message = "rotation is missing, or not a name for a rotation. Make 128 random bits for this rotation alone, send \
                           them as 22 characters of base64url without padding, and send the same again if the answer is lost.";
            Refusal::bad_request(ROTATION, message)
        })?;
        let at_once = match body.pointer("/now") {
            None => false,
            Some(Value::Bool(now)) => *now,
            Some(_) => return Err(Refusal::bad_request("/now", "now is neither true nor false.")),
        };
        Ok(Self { id: Sha256::of(id.as_str()), at_once })
    }
}

/// The answer to the rotation that made the current secret, again, for a caller that knows the rotation's id. `None`: this is
/// another request. The id alone decides, because others may know the previous secret: that may be why it was replaced.
pub(super) async fn again(change: &Change<'_>) -> Result<Option<Outcome>, Refusal> {
    let (install, now) = (change.install, change.request_info.now);
    if what(change.body) != Some("shared_secret") || matches!(change.by, By::Holder { .. }) {
        return Ok(None);
    }
    let (Ok(asked), Some(made)) = (Asked::read(change.body), &install.rotation) else { return Ok(None) };
    if !made.id.is(&asked.id) || over(made.until, now) {
        return Ok(None);
    }
    let root = change.management.services.keys.root(&install.app, &install.key, now).await?;
    let root = root.ok_or_else(|| missing_key(&install.app))?;
    let mut same = install.clone();
    if asked.at_once {
        same.previous_until = None;
    }
    Ok(Some(handed_over(same, &root)))
}

/// Makes the next generation, derived from the current key.
async fn shared_secret(change: &Change<'_>) -> Result<Outcome, Refusal> {
    let (management, install, now) = (change.management, change.install, change.request_info.now);
    let Generation(generation) = install.generation;
    if generation == 0 {
        let message = "This install has no shared secret to rotate: its server does not speak V2. What it has are a bot's \
                       token, and the tokens of its slash commands, which the server replaces.";
        return Err(Refusal::bad_request("/rotate", message));
    }
    let asked = Asked::read(change.body)?;
    if install.rotation.as_ref().is_some_and(|made| made.id.is(&asked.id)) {
        // A second rotation would end the secret that the server has, if this rotation's answer never arrived.
        let message = "This rotation was made, and its answer is given again for 10 minutes only. To replace the secret once \
                       more, send another `rotation`.";
        return Err(Refusal::new(Code::VersionConflict, message).with("pointer", "/rotation"));
    }
    let key = current_key(management, &install.app, now).await?;
    let mut rotated = install.clone();
    rotated.previous_until = (!asked.at_once).then(|| now.saturating_add(GRACE));
    // It is stored also if the secret ends at once: a server that lost the answer proves with it who it is.
    rotated.previous_key = (install.key != key.id).then(|| install.key.clone());
    rotated.rotation = Some(Rotated { id: asked.id, until: now.saturating_add(REPEATED) });
    rotated.key = key.id.clone();
    rotated.generation = Generation(generation.saturating_add(1));
    // A static token is stored as a hash, so the new key does not change it.
    Ok(handed_over(rotated, &key.root))
}

/// The install with its shared secret, derived from this root.
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

/// Takes a new token of the bot. The server must know it as this bot's token.
async fn bot_token(change: &Change<'_>) -> Result<Outcome, Refusal> {
    const AT: &str = "/access_token";
    let (management, install, now) = (change.management, change.install, change.request_info.now);
    let token = change.body.pointer(AT).and_then(Value::as_str).map(str::to_owned).map(Zeroizing::new);
    let token = token.filter(|token| is_token(token)).ok_or_else(|| {
        let message =
            "access_token is not an access token: make one for the bot, and send it without spaces.";
        Refusal::bad_request(AT, message)
    })?;
    let mut reader = Reader::new(change.body);
    let token_id = request::token_id(&mut reader, "/token_id");
    let expires_at = request::expires_at(&mut reader, "/expires_at");
    reader.finish(Some(()))?;
    let credential = Credential { origin: install.site.clone(), token: token.as_str().into() };
    let me = Mattermost::user(management.services.http.clone(), credential)
        .until(Instant::now() + PATIENCE)
        .me()
        .await;
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
    let key = current_key(management, &install.app, now).await?;
    let bot_token = seal_bot_token(&key, install, management.services.random.nonce(), &token);
    Ok(Outcome::of(Install {
        bot_token,
        bot_token_id: token_id,
        bot_token_expires_at: expires_at,
        token_upkeep: TokenUpkeep::default(),
        ..install.clone()
    }))
}

/// Makes another static token, for an install that has one.
async fn new_static_token(change: &Change<'_>) -> Result<Outcome, Refusal> {
    let install = change.install;
    if install.static_token.is_none() {
        let message = "This install has no static token: it is asked for when the app is installed.";
        return Err(Refusal::bad_request("/rotate", message));
    }
    let key = current_key(change.management, &install.app, change.request_info.now).await?;
    let mut rotated = install.clone();
    rotated.static_generation = install.static_generation.saturating_add(1);
    let token = static_token::derive(&key.root, &rotated);
    rotated.static_token = Some(Sha256::of(&token));
    Ok(Outcome { static_token: Some(token.to_string()), ..Outcome::of(rotated) })
}

/// Makes another secret for a vendor's webhook.
async fn webhook(change: &Change<'_>, path: &str) -> Result<Outcome, Refusal> {
    let (install, now) = (change.install, change.request_info.now);
    if !install.granted.webhooks.contains(path) {
        let has: Vec<&str> = install.granted.webhooks.iter().map(String::as_str).collect();
        let has = if has.is_empty() { "none".to_owned() } else { has.join(", ") };
        let message = format!("This install has no webhook of that path; it has: {has}.");
        return Err(Refusal::bad_request("/rotate", message));
    }
    let key = current_key(change.management, &install.app, now).await?;
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
pub(super) async fn current_key(management: &Management, app: &AppId, now: Millis) -> Result<Key, Refusal> {
    management.services.keys.current(app, now).await?.ok_or_else(|| missing_key(app))
}

fn missing_key(app: &AppId) -> Refusal {
    let message = format!(
        "The key ring of {app} cannot be used, so nothing was changed. Its operator looks at it with `cloud-apps operator keys list \
         {app}`."
    );
    Refusal { retry_after: Some(30), ..Refusal::new(Code::Unavailable, message) }
}
