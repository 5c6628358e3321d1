//! The calls of Mattermost's REST API that the upkeep makes as the bot, and what a failure means for it.

use crate::{http::Refusal, services::Management};
use cloud_app::{
    Mattermost,
    mattermost::{Credential, Error, Post},
};
use cloud_apps_protocol::{ChannelId, Code, Millis, TokenId, UserId};
use http::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How many tokens a page has. The server gives no more.
const PAGE: usize = 200;
/// How many pages are read at most. No bot has so many tokens, so a server that goes on is broken.
const PAGES: usize = 50;

/// A token of the bot, as the server lists it.
#[derive(Deserialize)]
pub(super) struct Token {
    pub id: TokenId,
    #[serde(default)]
    pub description: String,
}

/// The answer that made a token. It alone has the token itself.
#[derive(Deserialize)]
pub(super) struct NewToken {
    pub id: TokenId,
    #[serde(deserialize_with = "secret")]
    pub token: SecretString,
    #[serde(default)]
    pub expires_at: Millis,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// The posts of a channel.
#[derive(Deserialize)]
struct PostList {
    #[serde(default)]
    posts: BTreeMap<String, Post>,
}

/// The bot's client, with this token.
pub(super) fn client(management: &Management, credential: Credential) -> Mattermost {
    Mattermost::user(management.services.http.clone(), credential)
}

/// All tokens of the bot.
pub(super) async fn tokens(mattermost: &Mattermost, bot: &UserId) -> Result<Vec<Token>, Error> {
    let mut all = Vec::new();
    for page in 0..PAGES {
        let some: Vec<Token> =
            mattermost.get(&format!("/users/{bot}/tokens?page={page}&per_page={PAGE}")).await?;
        let last = some.len() < PAGE;
        all.extend(some);
        if last {
            break;
        }
    }
    Ok(all)
}

/// How many days a token may live at most. `None`: there is no limit.
pub(super) async fn longest_life(mattermost: &Mattermost) -> Result<Option<u64>, Error> {
    let config: Value = mattermost.get("/config/client?format=old").await?;
    let days = config.get("MaximumPersonalAccessTokenLifetimeDays").and_then(Value::as_str);
    Ok(days.and_then(|days| days.parse().ok()).filter(|days| *days > 0))
}

/// Makes a token for the bot. `expires_at`: when it ends, if it must end.
pub(super) async fn make_token(
    mattermost: &Mattermost,
    bot: &UserId,
    description: &str,
    expires_at: Option<Millis>,
) -> Result<NewToken, Error> {
    let mut body = json!({ "description": description });
    if let (Some(end), Some(body)) = (expires_at, body.as_object_mut()) {
        body.insert("expires_at".to_owned(), end.into());
    }
    mattermost.post(&format!("/users/{bot}/tokens"), &body).await
}

/// Revokes a token. It is no error if it is gone already.
pub(super) async fn revoke(mattermost: &Mattermost, token: &TokenId) -> Result<(), Error> {
    let revoked: Result<Value, Error> =
        mattermost.post("/users/tokens/revoke", &json!({ "token_id": token })).await;
    match revoked {
        Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(()),
        revoked => revoked.map(drop),
    }
}

/// The posts of a channel that were made or changed after this time.
pub(super) async fn posts_since(
    mattermost: &Mattermost,
    channel: &ChannelId,
    since: Millis,
) -> Result<impl Iterator<Item = Post> + use<>, Error> {
    let list: PostList = mattermost.get(&format!("/channels/{channel}/posts?since={since}")).await?;
    Ok(list.posts.into_values())
}

/// Tells apart whether the server said no (`Ok`), or whether another try may work (`Err`).
pub(super) fn said_no(doing: &str, error: Error) -> Result<Error, Refusal> {
    let busy = match &error {
        Error::Unreachable(_) | Error::TooMany { .. } => true,
        other => other
            .status()
            .is_some_and(|status| status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT),
    };
    if !busy {
        return Ok(error);
    }
    let retry_after = match &error {
        Error::TooMany { retry_after } => u32::try_from(*retry_after).ok(),
        _ => None,
    };
    let message = format!("The server could not be asked to {doing}.");
    Err(Refusal { retry_after, ..Refusal::new(Code::Unavailable, message).because(error) })
}

/// A refusal for an error that another try does not change, or that it may change.
pub(super) fn refusal(doing: &str, error: Error) -> Refusal {
    match said_no(doing, error) {
        Ok(error) => {
            Refusal::new(Code::UpstreamRefused, format!("The server did not {doing}.")).because(error)
        }
        Err(refusal) => refusal,
    }
}
