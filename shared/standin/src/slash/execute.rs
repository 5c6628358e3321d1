//! The execution of a slash command. The database is locked before and after the call to the integration, and free
//! during it.

use super::mentions;
use super::post::{Place, post_all};
use super::response::CommandResponse;
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::go;
use crate::ids::is_id;
use crate::model::{ClientState, Command, ResponseHook};
use crate::outbound;
use crate::standin::Standin;
use crate::version::is_built_in;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, StatusCode};
use serde::Deserialize;

/// The body of `POST /api/v4/commands/execute`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arguments {
    channel_id: String,
    team_id: String,
    root_id: String,
    command: String,
}

/// What is needed to call the integration, and to post its answer.
struct Prepared {
    command: Command,
    arguments: Arguments,
    user_id: String,
    client_trigger: String,
    outbound: Request<Bytes>,
}

/// `POST /api/v4/commands/execute`
pub(crate) async fn execute(standin: &Standin, request: &ApiRequest) -> ApiResult {
    let prepared = {
        let mut db = standin.db();
        prepare(standin, &mut db, request)?
    };
    let trigger = prepared.command.trigger.clone();
    let answer = standin.outbound().call(prepared.outbound).await.map_err(|error| {
        tracing::info!(%error, trigger, "the integration gave no answer");
        failed(&trigger)
    })?;
    if answer.status() != StatusCode::OK {
        let status = answer.status();
        let reason = status.canonical_reason().unwrap_or_default();
        return Err(AppError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "api.command.execute_command.failed_resp.app_error",
            format!("Command with a trigger of '{trigger}' returned response {} {reason}.", status.as_u16())
                .replace(" .", "."),
        ));
    }
    let content_type = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let mut response = CommandResponse::read(content_type, answer.body()).map_err(|error| {
        tracing::info!(%error, trigger, "the integration's answer cannot be read");
        failed(&trigger)
    })?;
    let mut db = standin.db();
    let arguments = prepared.arguments;
    let place = Place { user: &prepared.user_id, channel: &arguments.channel_id, root: &arguments.root_id };
    post_all(&mut db, &prepared.command, &place, &trigger, &mut response)?;
    response.trigger_id.clone_from(&prepared.client_trigger);
    db.set_client_state(ClientState {
        user_id: prepared.user_id,
        trigger_id: prepared.client_trigger,
        channel_id: arguments.channel_id,
        team_id: arguments.team_id,
    });
    Reply::ok(response.shape(db.version))
}

/// The integration gave no answer that can be read.
fn failed(trigger: &str) -> AppError {
    AppError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "api.command.execute_command.failed.app_error",
        format!("Command with a trigger of '{trigger}' failed."),
    )
}

/// Checks the caller, finds the command, and builds the request.
fn prepare(standin: &Standin, db: &mut Database, request: &ApiRequest) -> Result<Prepared, AppError> {
    let mut arguments: Arguments = request.body("command_args")?;
    let line = arguments.command.as_str();
    if line.len() <= 1 || !line.starts_with('/') || !is_id(&arguments.channel_id) {
        return Err(AppError::bad(
            "api.command.execute_command.start.app_error",
            "No command trigger found.",
        ));
    }
    if !db.may_post(&request.user, &arguments.channel_id) {
        return Err(AppError::forbidden());
    }
    let channel = db.channel(&arguments.channel_id).ok_or_else(AppError::forbidden)?.clone();
    if db.version.since_11() && channel.delete_at > 0 {
        return Err(AppError::bad(
            "api.command.execute_command.deleted.error",
            "Can not run command in deleted channel.",
        ));
    }
    if channel.kind.is_conversation() {
        // A conversation has no team, so the client says which team it shows; the user must be in it.
        if !db.may_see_team(&request.user, &arguments.team_id) {
            return Err(AppError::forbidden());
        }
    } else {
        arguments.team_id.clone_from(&channel.team_id);
    }
    let (name, text) = match line.find(char::is_whitespace) {
        Some(at) => {
            let (name, rest) = line.split_at(at);
            let mut rest = rest.chars();
            rest.next();
            (name, rest.as_str())
        }
        None => (line, ""),
    };
    let trigger = name.trim_start_matches('/').to_lowercase();
    if !db.settings.enable_commands {
        return Err(AppError::commands_disabled());
    }
    let command = db
        .commands
        .iter()
        .find(|command| command.team_id == arguments.team_id && command.trigger == trigger)
        .cloned();
    let Some(command) = command else {
        if is_built_in(db.version, &trigger) {
            return Err(AppError::not_served(&format!("the built-in command /{trigger}")));
        }
        return Err(AppError::missing(
            "api.command.execute_command.not_found.app_error",
            format!(
                "Command with a trigger of '{trigger}' not found. To send a message beginning with \"/\", try \
                 adding an empty space at the beginning of the message."
            ),
        ));
    };
    if db.version.since_11() && db.settings.site_url.is_empty() {
        return Err(AppError::bad(
            "api.command.execute_command.site_url_required.app_error",
            "SiteURL must be configured to use slash commands",
        ));
    }
    let hook = ResponseHook {
        id: db.ids.next(),
        create_at: db.now,
        command_id: command.id.clone(),
        user_id: request.user.clone(),
        channel_id: arguments.channel_id.clone(),
        root_id: arguments.root_id.clone(),
        uses: 0,
    };
    // 5.37 builds the URL from the host that the client used, 11 from the site URL.
    let site = match &request.origin {
        Some(origin) if !db.version.since_11() => origin.clone(),
        _ => db.settings.site_url.clone(),
    };
    let response_url = format!("{site}/hooks/commands/{}", hook.id);
    super::response_url::add(db, hook);
    let client_trigger = db.ids.next();
    let trigger_id = standin.trigger_key().sign(&client_trigger, &request.user, db.now);
    let form = form(db, &command, &arguments, &request.user, text, &trigger_id, &response_url);
    let outbound = outbound_request(&command, &form).map_err(|error| {
        tracing::info!(%error, trigger, "the command's URL cannot be called");
        failed(&trigger)
    })?;
    Ok(Prepared { command, arguments, user_id: request.user.clone(), client_trigger, outbound })
}

/// The form that is sent: `inbound/001-command.http`.
fn form(
    db: &Database,
    command: &Command,
    arguments: &Arguments,
    user_id: &str,
    text: &str,
    trigger_id: &str,
    response_url: &str,
) -> String {
    let team = db.team(&arguments.team_id);
    let channel = db.channel(&arguments.channel_id);
    let user = db.user(user_id);
    let line = format!("/{}", command.trigger);
    let users = mentions::users(db, &arguments.team_id, text);
    let channels = mentions::channels(db, &arguments.team_id, text);
    let mut pairs = vec![
        ("token", command.token.as_str()),
        ("team_id", &arguments.team_id),
        ("team_domain", team.map_or("", |team| &team.name)),
        ("channel_id", &arguments.channel_id),
        ("channel_name", channel.map_or("", |channel| &channel.name)),
        ("user_id", user_id),
        ("user_name", user.map_or("", |user| &user.username)),
        ("command", &line),
        ("text", text),
        ("trigger_id", trigger_id),
        ("response_url", response_url),
    ];
    if db.version.since_11() {
        pairs.push(("root_id", &arguments.root_id));
    }
    for (name, id) in &users {
        pairs.extend([("user_mentions", name.as_str()), ("user_mentions_ids", id)]);
    }
    for (name, id) in &channels {
        pairs.extend([("channel_mentions", name.as_str()), ("channel_mentions_ids", id)]);
    }
    go::form(pairs)
}

fn outbound_request(command: &Command, form: &str) -> Result<Request<Bytes>, http::Error> {
    let mut request = if command.method == "G" {
        let joint = if command.url.contains('?') { '&' } else { '?' };
        outbound::get(&format!("{}{joint}{form}", command.url))?
    } else {
        let body = Bytes::copy_from_slice(form.as_bytes());
        outbound::post(&command.url, "application/x-www-form-urlencoded", body)?
    };
    let mut token = HeaderValue::try_from(format!("Token {}", command.token))?;
    token.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, token);
    Ok(request)
}
