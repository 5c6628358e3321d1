//! A click on a button, or a choice from a menu.

use super::response::{ActionResponse, Place};
use crate::Version;
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::blocks::{self, ACTIONS, Target, Unusable};
use crate::database::Database;
use crate::go;
use crate::keys::{BlocksCookie, Cookie, KeptProps, Opened};
use crate::model::{Action, ClientState, Post};
use crate::standin::Standin;
use crate::version::Ability;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The body of a click. A body that cannot be read counts as empty.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Click {
    selected_option: String,
    cookie: String,
    /// Since 11.9: what the client adds to the address of an action of the registry.
    query: BTreeMap<String, String>,
    /// Since 11.10: in which format the post has the action.
    integration_format: String,
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

/// What a click leads to.
enum Prepared {
    /// A call to the integration, whose answer is used.
    Call(Box<Call>),
    /// The client opens this address.
    Goto(String),
}

struct Call {
    post_id: String,
    place: Place,
    url: String,
    body: String,
    client_trigger: String,
}

/// What was clicked.
enum Clicked {
    Integration(Integration),
    OpenUrl(String),
}

/// An action that calls an integration.
struct Integration {
    place: Place,
    url: String,
    kind: String,
    data_source: String,
    context: Map<String, Value>,
    /// Whether what was chosen is sent along.
    takes_choice: bool,
}

/// `POST /api/v4/posts/{post_id}/actions/{action_id}`
pub(crate) async fn click(standin: &Standin, request: &ApiRequest) -> ApiResult {
    let version = standin.version();
    let action_id = request.path("action_id")?;
    if !fits_route(version, action_id) {
        let post_id = request.path("post_id")?;
        return Ok(Reply::NoPage { path: format!("/api/v4/posts/{post_id}/actions/{action_id}") });
    }
    let call = match prepare(standin, request)? {
        Prepared::Call(call) => call,
        Prepared::Goto(url) => {
            return Reply::ok(json!({"status": "OK", "trigger_id": "", "goto_location": url}));
        }
    };
    let answer = standin.outbound().call_action(version, &call.url, call.body).await?;
    let mut db = standin.db();
    let response = ActionResponse::read(db.version, &answer).map_err(|error| {
        tracing::info!(%error, "the answer to a post action cannot be read");
        AppError::integration_failed()
    })?;
    let goto_location = response.apply(&mut db, &request.user, &call.post_id, &call.place)?;
    let channel_id = call.place.channel_id;
    // A conversation has no team, but its client still shows one of the user's teams.
    let here = db.channel(&channel_id).map(|channel| channel.team_id.clone()).filter(|team| !team.is_empty());
    let some = || db.team_members.iter().find(|member| member.user_id == request.user);
    let team_id = here.or_else(|| some().map(|member| member.team_id.clone())).unwrap_or_default();
    let trigger_id = call.client_trigger.clone();
    db.set_client_state(ClientState { user_id: request.user.clone(), trigger_id, channel_id, team_id });
    let mut body = json!({"status": "OK", "trigger_id": call.client_trigger});
    if let Some(body) = body.as_object_mut().filter(|_| !goto_location.is_empty()) {
        body.insert("goto_location".to_owned(), goto_location.into());
    }
    Reply::ok(body)
}

/// Before 11.10 the route of a real server accepts only letters and digits: `post-action-hyphen.http`.
fn fits_route(version: Version, action_id: &str) -> bool {
    let more = |letter| version.has(Ability::Blocks) && matches!(letter, '_' | '-');
    action_id.chars().all(|letter| letter.is_ascii_alphanumeric() || more(letter))
}

/// Reads the body. Since 11.9 nothing may follow it, and its query has limits.
fn read(version: Version, body: &[u8]) -> Result<Click, AppError> {
    if !version.has(Ability::BlockActions) {
        return Ok(serde_json::from_slice(body).unwrap_or_default());
    }
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
    let click = values.next().and_then(Result::ok).unwrap_or_default();
    if values.next().is_some() {
        return Err(AppError::bad_body("body"));
    }
    let click: Click = serde_json::from_value(click).unwrap_or_default();
    if !blocks::check_query(&click.query) {
        let text = "The query of an action has too many or too long entries.";
        return Err(AppError::bad("api.post.do_action.query.app_error", text));
    }
    Ok(click)
}

fn prepare(standin: &Standin, request: &ApiRequest) -> Result<Prepared, AppError> {
    let mut db = standin.db();
    let post_id = request.id("post_id")?.to_owned();
    let click = read(db.version, &request.body)?;
    let cookie = match click.cookie.as_str() {
        "" => None,
        sealed => Some(db.cookie_key.open(sealed).ok_or_else(AppError::integration_failed)?),
    };
    let reads = match &cookie {
        Some(
            Opened::Attachment(Cookie { channel_id, .. }) | Opened::Blocks(BlocksCookie { channel_id, .. }),
        ) => reads_channel(&db, &request.user, channel_id),
        None => reads_post(&db, &request.user, &post_id),
    };
    if !reads {
        return Err(AppError::forbidden());
    }
    let action_id = request.path("action_id")?;
    let clicked = match db.post(&post_id) {
        Some(post) => stored_action(&db, post, action_id, &click)?,
        None => match cookie.ok_or_else(AppError::no_post)? {
            Opened::Attachment(cookie) => Clicked::Integration(sealed_action(cookie, &post_id)?),
            Opened::Blocks(cookie) => sealed_block_action(cookie, &post_id, action_id, &click)?,
        },
    };
    let integration = match clicked {
        Clicked::Integration(integration) => integration,
        Clicked::OpenUrl(url) => return Ok(Prepared::Goto(url)),
    };
    let client_trigger = db.ids.next();
    let trigger_id = standin.trigger_key().sign(&client_trigger, &request.user, db.now);
    let Integration { place, url, kind, data_source, mut context, takes_choice } = integration;
    let chosen = takes_choice && !click.selected_option.is_empty();
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
        kind: &kind,
        data_source: if chosen { &data_source } else { "" },
        context,
    });
    Ok(Prepared::Call(Box::new(Call { post_id, place, url, body, client_trigger })))
}

/// The action in a stored post. A click that names a format of blocks finds only actions of the registry. Any other finds
/// those of attachments first.
fn stored_action(db: &Database, post: &Post, action_id: &str, click: &Click) -> Result<Clicked, AppError> {
    let place = Place {
        channel_id: post.channel_id.clone(),
        root_id: post.thread_root().to_owned(),
        kept: KeptProps::of(db.version, &post.props),
        ephemeral: false,
    };
    let registry = post.props.get(ACTIONS).filter(|_| db.version.has(Ability::BlockActions));
    match click.integration_format.as_str() {
        "mm_block" | "block" | "card" if db.version.has(Ability::Blocks) => {
            if !db.settings.mm_blocks_enabled {
                return Err(AppError::integration_failed());
            }
            return block_action(registry.unwrap_or(&Value::Null), action_id, click, place);
        }
        "apps_binding" if db.version.has(Ability::Blocks) => {
            return Err(AppError::bad("api.post.do_action.action_id.app_error", NO_ACTION));
        }
        _ => {}
    }
    let mut actions = post.attachments.iter().flat_map(|card| card.actions.iter().flatten());
    let action = actions.find(|action| action.id == action_id).filter(|action| action.integration.is_some());
    match (action, registry) {
        (Some(action), _) => Ok(Clicked::Integration(attachment_action(action.clone(), place))),
        (None, Some(registry)) => block_action(registry, action_id, click, place),
        (None, None) => Err(no_action()),
    }
}

const NO_ACTION: &str = "Invalid action id.";

fn no_action() -> AppError {
    AppError::missing("api.post.do_action.action_id.app_error", NO_ACTION)
}

/// The action of an attachment in a cookie, for a post that is not stored.
fn sealed_action(cookie: Cookie, post_id: &str) -> Result<Integration, AppError> {
    if cookie.integration.is_none() || cookie.post_id != post_id {
        return Err(AppError::integration_failed());
    }
    let action = Action {
        kind: cookie.kind,
        data_source: cookie.data_source,
        integration: cookie.integration,
        ..Action::default()
    };
    let (channel_id, root_id) = (cookie.channel_id, cookie.root_post_id);
    Ok(attachment_action(action, Place { channel_id, root_id, kept: cookie.kept, ephemeral: true }))
}

/// The action of the registry in a cookie.
fn sealed_block_action(
    cookie: BlocksCookie,
    post_id: &str,
    action_id: &str,
    click: &Click,
) -> Result<Clicked, AppError> {
    if cookie.post_id != post_id {
        return Err(AppError::integration_failed());
    }
    let (channel_id, root_id) = (cookie.channel_id, cookie.root_post_id);
    let place = Place { channel_id, root_id, kept: cookie.kept, ephemeral: true };
    block_action(&cookie.actions.into(), action_id, click, place)
}

fn attachment_action(action: Action, place: Place) -> Integration {
    let integration = action.integration.unwrap_or_default();
    Integration {
        place,
        url: integration.get("url").and_then(Value::as_str).unwrap_or_default().to_owned(),
        context: integration.get("context").and_then(Value::as_object).cloned().unwrap_or_default(),
        takes_choice: action.kind == "select",
        kind: action.kind,
        data_source: action.data_source,
    }
}

/// An action of the registry. To the integration it is a button, also if it was a menu.
fn block_action(registry: &Value, action_id: &str, click: &Click, place: Place) -> Result<Clicked, AppError> {
    match blocks::resolve(registry, action_id, &click.query) {
        Ok(Target::External { url, context }) => Ok(Clicked::Integration(Integration {
            place,
            url,
            context,
            takes_choice: true,
            kind: "button".to_owned(),
            data_source: String::new(),
        })),
        Ok(Target::OpenUrl(url)) => Ok(Clicked::OpenUrl(url)),
        Err(Unusable::Unknown) => Err(no_action()),
        Err(Unusable::Address) => Err(AppError::integration_failed()),
    }
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
