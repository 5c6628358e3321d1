//! A click on a button, or a choice from a menu.

use super::response::{ActionResponse, Place};
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::go;
use crate::keys::{Cookie, KeptProps};
use crate::model::{Action, ClientState, Post};
use crate::standin::Standin;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The body of a click. A body that cannot be read counts as empty.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Click {
    selected_option: String,
    cookie: String,
}

/// `PostActionIntegrationRequest`, in the order of Go's struct: `inbound/006-action.http`.
#[derive(Serialize)]
struct Payload<'a> {
    user_id: &'a str,
    user_name: &'a str,
    channel_id: &'a str,
    channel_name: &'a str,
    team_id: &'a str,
    team_domain: &'a str,
    post_id: &'a str,
    trigger_id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    data_source: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    context: Map<String, Value>,
}

/// What is needed to call the integration, and to use its answer.
struct Prepared {
    post_id: String,
    place: Place,
    url: String,
    body: String,
    client_trigger: String,
}

/// `POST /api/v4/posts/{post_id}/actions/{action_id}`
pub(crate) async fn click(standin: &Standin, request: &ApiRequest) -> ApiResult {
    // The route of a real server accepts only letters and digits: `post-action-hyphen.http`.
    let action_id = request.path("action_id")?;
    if !action_id.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        let post_id = request.path("post_id")?;
        return Ok(Reply::NoPage { path: format!("/api/v4/posts/{post_id}/actions/{action_id}") });
    }
    let prepared = prepare(standin, request)?;
    let answer = standin.outbound().call_action(standin.version(), &prepared.url, prepared.body).await?;
    let mut db = standin.db();
    let response = ActionResponse::read(db.version, &answer).map_err(|error| {
        tracing::info!(%error, "the answer to a post action cannot be read");
        AppError::integration_failed()
    })?;
    response.apply(&mut db, &request.user, &prepared.post_id, &prepared.place)?;
    let channel_id = prepared.place.channel_id;
    // A conversation has no team, but its client still shows one of the user's teams.
    let here = db.channel(&channel_id).map(|channel| channel.team_id.clone()).filter(|team| !team.is_empty());
    let some = || db.team_members.iter().find(|member| member.user_id == request.user);
    let team_id = here.or_else(|| some().map(|member| member.team_id.clone())).unwrap_or_default();
    let trigger_id = prepared.client_trigger.clone();
    db.set_client_state(ClientState { user_id: request.user.clone(), trigger_id, channel_id, team_id });
    Reply::ok(json!({"status": "OK", "trigger_id": prepared.client_trigger}))
}

fn prepare(standin: &Standin, request: &ApiRequest) -> Result<Prepared, AppError> {
    let mut db = standin.db();
    let post_id = request.id("post_id")?.to_owned();
    let click: Click = serde_json::from_slice(&request.body).unwrap_or_default();
    let cookie = match click.cookie.as_str() {
        "" => None,
        sealed => Some(db.cookie_key.open(sealed).ok_or_else(AppError::integration_failed)?),
    };
    let reads = match &cookie {
        Some(cookie) => reads_channel(&db, &request.user, &cookie.channel_id),
        None => reads_post(&db, &request.user, &post_id),
    };
    if !reads {
        return Err(AppError::forbidden());
    }
    let (place, action) = match db.post(&post_id).cloned() {
        Some(post) => stored_action(&post, request.path("action_id")?)?,
        None => sealed_action(cookie, &post_id)?,
    };
    let client_trigger = db.ids.next();
    let trigger_id = standin.trigger_key().sign(&client_trigger, &request.user, db.now);
    let integration = action.integration.unwrap_or_default();
    let mut context = integration.get("context").and_then(Value::as_object).cloned().unwrap_or_default();
    let chosen = action.kind == "select" && !click.selected_option.is_empty();
    if chosen {
        context.insert("selected_option".to_owned(), click.selected_option.into());
    }
    let channel = db.channel(&place.channel_id);
    let team = channel.and_then(|channel| db.team(&channel.team_id));
    let body = go::json(&Payload {
        user_id: &request.user,
        user_name: db.user(&request.user).map_or("", |user| &user.username),
        channel_id: &place.channel_id,
        channel_name: channel.map_or("", |channel| &channel.name),
        team_id: channel.map_or("", |channel| &channel.team_id),
        team_domain: team.map_or("", |team| &team.name),
        post_id: &post_id,
        trigger_id: &trigger_id,
        kind: &action.kind,
        data_source: if chosen { &action.data_source } else { "" },
        context,
    });
    let url = integration.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Prepared { post_id, place, url, body, client_trigger })
}

/// The action in a stored post.
fn stored_action(post: &Post, action_id: &str) -> Result<(Place, Action), AppError> {
    let mut actions = post.attachments.iter().flat_map(|card| card.actions.iter().flatten());
    let action = actions.find(|action| action.id == action_id).filter(|action| action.integration.is_some());
    let action = action
        .ok_or_else(|| AppError::missing("api.post.do_action.action_id.app_error", "Invalid action id."))?;
    let (channel_id, root_id) = (post.channel_id.clone(), post.thread_root().to_owned());
    let place = Place { channel_id, root_id, kept: KeptProps::of(&post.props) };
    Ok((place, action.clone()))
}

/// The action in a cookie, for a post that is not stored.
fn sealed_action(cookie: Option<Cookie>, post_id: &str) -> Result<(Place, Action), AppError> {
    let cookie = cookie.ok_or_else(AppError::no_post)?;
    if cookie.integration.is_none() || cookie.post_id != post_id {
        return Err(AppError::integration_failed());
    }
    let action = Action {
        kind: cookie.kind,
        data_source: cookie.data_source,
        integration: cookie.integration,
        ..Action::default()
    };
    let place = Place { channel_id: cookie.channel_id, root_id: cookie.root_post_id, kept: cookie.kept };
    Ok((place, action))
}

/// In 5.37 only members of the channel can click; in 11 also those who may see a public channel.
fn reads_channel(db: &Database, user: &str, channel_id: &str) -> bool {
    if !db.version.since_11() {
        return db.may_read(user, channel_id);
    }
    db.channel(channel_id).is_some_and(|channel| db.may_see_channel(user, channel))
}

/// A post that does not exist counts as readable for system admins.
fn reads_post(db: &Database, user: &str, post_id: &str) -> bool {
    let post = db.posts.iter().find(|post| post.id == post_id && post.only_for.is_none());
    post.map_or_else(|| db.is_admin(user), |post| reads_channel(db, user, &post.channel_id))
}
