//! Post actions: from the button or menu that a user clicks to the integration, and from its answer to the post.
//!
//! `doPostAction` in mattermost-server `api4/integration_action.go`, `DoPostActionWithCookie` in
//! `app/integration_action.go`; checked against the recordings of both versions. An integration is known from the
//! stored post, or, as an ephemeral post is stored nowhere, from the cookie that the post brought along.

pub(crate) mod answer;
pub(crate) mod attachment;
mod clicking;
pub(crate) mod cookie;
pub(crate) mod upstream;

use crate::Standin;
use crate::dialog::{self, Told};
use crate::error::AppError;
use crate::outgoing::go_json;
use crate::rest::{Answer, Ask, Reply};
use crate::world::{Post, World};
use answer::Response;
use attachment::Action;
use cookie::{Cookie, Kept};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The body of a click. What cannot be read is as if it were empty.
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

/// A click on its way: all that the second half needs.
struct Prepared {
    post_id: String,
    /// What it was clicked in.
    place: Place,
    url: String,
    body: String,
    client_trigger: String,
}

/// Where the answer goes.
pub(crate) struct Place {
    pub channel_id: String,
    pub root_id: String,
    pub kept: Kept,
}

/// `POST /api/v4/posts/{post_id}/actions/{action_id}`
pub(crate) async fn run(standin: &Standin, ask: &Ask) -> Answer {
    // The route of a real server takes letters and digits only: `post-action-hyphen.http`.
    let action_id = ask.path("action_id")?;
    if !action_id.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        let post_id = ask.path("post_id")?;
        return Ok(Reply::NoPage { path: format!("/api/v4/posts/{post_id}/actions/{action_id}") });
    }
    let prepared = prepare(standin, ask)?;
    let answer = upstream::send(standin, &prepared.url, prepared.body).await?;
    let mut world = standin.world();
    let response = Response::read(world.version, &answer).map_err(|error| {
        tracing::info!(%error, "the answer to a post action cannot be read");
        AppError::integration()
    })?;
    response.apply(&mut world, &ask.user, &prepared.post_id, &prepared.place)?;
    let channel_id = prepared.place.channel_id;
    // In a conversation the client is in some team of its user's all the same.
    let here =
        world.channel(&channel_id).map(|channel| channel.team_id.clone()).filter(|team| !team.is_empty());
    let some = || world.team_members.iter().find(|member| member.user_id == ask.user);
    let team_id = here.or_else(|| some().map(|member| member.team_id.clone())).unwrap_or_default();
    let trigger_id = prepared.client_trigger.clone();
    dialog::tell(&mut world, Told { user_id: ask.user.clone(), trigger_id, channel_id, team_id });
    Reply::ok(json!({"status": "OK", "trigger_id": prepared.client_trigger}))
}

fn prepare(standin: &Standin, ask: &Ask) -> Result<Prepared, AppError> {
    let mut world = standin.world();
    let post_id = ask.id("post_id")?.to_owned();
    let click: Click = serde_json::from_slice(&ask.body).unwrap_or_default();
    let cookie = match click.cookie.as_str() {
        "" => None,
        sealed => Some(world.cookie_key.open(sealed).ok_or_else(AppError::integration)?),
    };
    let reads = match &cookie {
        Some(cookie) => reads_channel(&world, &ask.user, &cookie.channel_id),
        None => reads_post(&world, &ask.user, &post_id),
    };
    if !reads {
        return Err(AppError::forbidden());
    }
    let (place, action) = match world.post(&post_id).cloned() {
        Some(post) => stored(&post, ask.path("action_id")?)?,
        None => sealed(cookie, &post_id)?,
    };
    let client_trigger = world.ids.next();
    let trigger_id = standin.trigger_key().sign(&client_trigger, &ask.user, world.now);
    let integration = action.integration.unwrap_or_default();
    let mut context = integration.get("context").and_then(Value::as_object).cloned().unwrap_or_default();
    let chosen = action.kind == "select" && !click.selected_option.is_empty();
    if chosen {
        context.insert("selected_option".to_owned(), click.selected_option.into());
    }
    let channel = world.channel(&place.channel_id);
    let team = channel.and_then(|channel| world.team(&channel.team_id));
    let body = go_json(&Payload {
        user_id: &ask.user,
        user_name: world.user(&ask.user).map_or("", |user| &user.username),
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

/// The action of a stored post.
fn stored(post: &Post, action_id: &str) -> Result<(Place, Action), AppError> {
    let mut actions = post.attachments.iter().flat_map(|card| card.actions.iter().flatten());
    let action = actions.find(|action| action.id == action_id).filter(|action| action.integration.is_some());
    let action = action
        .ok_or_else(|| AppError::missing("api.post.do_action.action_id.app_error", "Invalid action id."))?;
    let root_id = if post.root_id.is_empty() { &post.id } else { &post.root_id };
    let place =
        Place { channel_id: post.channel_id.clone(), root_id: root_id.clone(), kept: Kept::of(&post.props) };
    Ok((place, action.clone()))
}

/// The action in a cookie.
fn sealed(cookie: Option<Cookie>, post_id: &str) -> Result<(Place, Action), AppError> {
    let no_post = || AppError::missing("app.post.get.app_error", "Unable to get the post.");
    let cookie = cookie.ok_or_else(no_post)?;
    if cookie.integration.is_none() || cookie.post_id != post_id {
        return Err(AppError::integration());
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

/// 5.37 lets members of the channel click, 11 also those who may see a public channel.
fn reads_channel(world: &World, user: &str, channel_id: &str) -> bool {
    if !world.version.is_11() {
        return world.may_read(user, channel_id);
    }
    world.channel(channel_id).is_some_and(|channel| world.may_see_channel(user, channel))
}

/// A post that there is not may be seen by system admins.
fn reads_post(world: &World, user: &str, post_id: &str) -> bool {
    let post = world.posts.iter().find(|post| post.id == post_id && post.only_for.is_none());
    post.map_or_else(|| world.is_admin(user), |post| reads_channel(world, user, &post.channel_id))
}

impl AppError {
    /// Whatever an integration does wrong: `fail-action-500.http`. No cause reaches the user.
    pub(crate) fn integration() -> AppError {
        AppError::new(
            StatusCode::BAD_REQUEST,
            "api.post.do_action.action_integration.app_error",
            "Action integration error.",
        )
    }
}
