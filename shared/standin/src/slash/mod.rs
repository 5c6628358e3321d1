//! Slash commands: from the line that a user typed to the integration, and from its answer to the channel.
//!
//! `ExecuteCommand`, `tryExecuteCustomCommand` and `HandleCommandResponse` in mattermost-server `app/command.go`;
//! checked against the recordings of both versions. The world is locked before and after the call to the
//! integration, never during it: an integration calls back while it answers. Answers that come later have a module
//! of their own, [`late`].

pub(crate) mod answer;
mod late;
mod mentions;

pub(crate) use late::respond_later;

use crate::dialog::Told;
use crate::error::AppError;
use crate::ids::is_id;
use crate::rest::{Answer, Ask, Reply};
use crate::world::{Command, Post, ResponseHook, World};
use crate::{Standin, dialog, markup, outgoing};
use answer::CommandResponse;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, StatusCode};
use serde::Deserialize;

/// The body of `POST /api/v4/commands/execute`.
#[derive(Debug, Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Arguments {
    channel_id: String,
    team_id: String,
    root_id: String,
    command: String,
}

/// A command on its way: all that the second half needs.
struct Prepared {
    command: Command,
    arguments: Arguments,
    user_id: String,
    client_trigger: String,
    request: Request<Bytes>,
}

/// `POST /api/v4/commands/execute`
pub(crate) async fn execute(standin: &Standin, ask: &Ask) -> Answer {
    let prepared = {
        let mut world = standin.world();
        prepare(standin, &mut world, ask)?
    };
    let trigger = prepared.command.trigger.clone();
    let failed = || {
        AppError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "api.command.execute_command.failed.app_error",
            format!("Command with a trigger of '{trigger}' failed."),
        )
    };
    let answer = standin.outgoing().call(prepared.request).await.map_err(|error| {
        tracing::info!(%error, trigger, "the integration gave no answer");
        failed()
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
        failed()
    })?;
    let mut world = standin.world();
    let arguments = prepared.arguments;
    let place = Place { user: &prepared.user_id, channel: &arguments.channel_id, root: &arguments.root_id };
    show(&mut world, &prepared.command, &place, &trigger, &mut response)?;
    response.trigger_id.clone_from(&prepared.client_trigger);
    let told = Told {
        user_id: prepared.user_id,
        trigger_id: prepared.client_trigger,
        channel_id: arguments.channel_id,
        team_id: arguments.team_id,
    };
    dialog::tell(&mut world, told);
    Ok(Reply::json(StatusCode::OK, response.shape(world.version)))
}

/// Checks the caller, finds the command, writes the request.
fn prepare(standin: &Standin, world: &mut World, ask: &Ask) -> Result<Prepared, AppError> {
    let mut arguments: Arguments = ask.body("command_args")?;
    let line = arguments.command.as_str();
    if line.len() <= 1 || !line.starts_with('/') || !is_id(&arguments.channel_id) {
        return Err(AppError::bad(
            "api.command.execute_command.start.app_error",
            "No command trigger found.",
        ));
    }
    if !world.may_post(&ask.user, &arguments.channel_id) {
        return Err(AppError::forbidden());
    }
    let channel = world.channel(&arguments.channel_id).ok_or_else(AppError::forbidden)?.clone();
    if world.version.is_11() && channel.delete_at > 0 {
        return Err(AppError::bad(
            "api.command.execute_command.deleted.error",
            "Can not run command in deleted channel.",
        ));
    }
    if channel.kind.is_conversation() {
        // The client says from which team it comes; the user must be in it.
        if !world.may_see_team(&ask.user, &arguments.team_id) {
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
    if !world.settings.enable_commands {
        return Err(AppError::commands_disabled());
    }
    let command = world
        .commands
        .iter()
        .find(|command| command.team_id == arguments.team_id && command.trigger == trigger)
        .cloned();
    let Some(command) = command else {
        if crate::rest::is_built_in(world.version, &trigger) {
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
    if world.version.is_11() && world.settings.site_url.is_empty() {
        return Err(AppError::bad(
            "api.command.execute_command.site_url_required.app_error",
            "SiteURL must be configured to use slash commands",
        ));
    }
    let hook = ResponseHook {
        id: world.ids.next(),
        create_at: world.now,
        command_id: command.id.clone(),
        user_id: ask.user.clone(),
        channel_id: arguments.channel_id.clone(),
        root_id: arguments.root_id.clone(),
        uses: 0,
    };
    // 5.37 builds the URL from the host that the client used, 11 from the configuration.
    let site = match &ask.origin {
        Some(origin) if !world.version.is_11() => origin.clone(),
        _ => world.settings.site_url.clone(),
    };
    let response_url = format!("{site}/hooks/commands/{}", hook.id);
    late::keep(world, hook);
    let client_trigger = world.ids.next();
    let trigger_id = standin.trigger_key().sign(&client_trigger, &ask.user, world.now);
    let form = form(world, &command, &arguments, &ask.user, text, &trigger_id, &response_url);
    let request = request(&command, &form).map_err(|error| {
        tracing::info!(%error, trigger, "the command's URL cannot be called");
        AppError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "api.command.execute_command.failed.app_error",
            format!("Command with a trigger of '{trigger}' failed."),
        )
    })?;
    Ok(Prepared { command, arguments, user_id: ask.user.clone(), client_trigger, request })
}

/// The pairs: `inbound/001-command.http`.
fn form(
    world: &World,
    command: &Command,
    arguments: &Arguments,
    user_id: &str,
    text: &str,
    trigger_id: &str,
    response_url: &str,
) -> String {
    let team = world.team(&arguments.team_id);
    let channel = world.channel(&arguments.channel_id);
    let user = world.user(user_id);
    let line = format!("/{}", command.trigger);
    let users = mentions::users(world, &arguments.team_id, text);
    let channels = mentions::channels(world, &arguments.team_id, text);
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
    if world.version.is_11() {
        pairs.push(("root_id", &arguments.root_id));
    }
    for (name, id) in &users {
        pairs.extend([("user_mentions", name.as_str()), ("user_mentions_ids", id)]);
    }
    for (name, id) in &channels {
        pairs.extend([("channel_mentions", name.as_str()), ("channel_mentions_ids", id)]);
    }
    outgoing::go_form(pairs)
}

fn request(command: &Command, form: &str) -> Result<Request<Bytes>, http::Error> {
    let mut request = if command.method == "G" {
        let joint = if command.url.contains('?') { '&' } else { '?' };
        outgoing::get(&format!("{}{joint}{form}", command.url))?
    } else {
        let body = Bytes::copy_from_slice(form.as_bytes());
        outgoing::post(&command.url, "application/x-www-form-urlencoded", body)?
    };
    let mut token = HeaderValue::try_from(format!("Token {}", command.token))?;
    token.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, token);
    Ok(request)
}

/// Where an answer goes when it does not say otherwise.
struct Place<'a> {
    user: &'a str,
    channel: &'a str,
    root: &'a str,
}

/// `HandleCommandResponse`: the answer and its extra answers; one that fails does not stop the others.
fn show(
    world: &mut World,
    command: &Command,
    place: &Place<'_>,
    trigger: &str,
    response: &mut CommandResponse,
) -> Result<(), AppError> {
    let mut result = show_one(world, command, place, response);
    for extra in response.extra_responses.iter_mut().flatten() {
        result = show_one(world, command, place, extra).and(result);
    }
    result.map_err(|cause| {
        tracing::info!(cause = cause.id, trigger, "the answer could not be posted");
        AppError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "api.command.execute_command.create_post_failed.app_error",
            format!("Command '{trigger}' failed to post response. Please contact your System Administrator."),
        )
    })
}

/// `HandleCommandResponsePost` and `CreateCommandPost`.
fn show_one(
    world: &mut World,
    command: &Command,
    place: &Place<'_>,
    response: &mut CommandResponse,
) -> Result<(), AppError> {
    let mut post = Post::draft(place.user, place.channel, place.root, "");
    post.kind.clone_from(&response.kind);
    post.props = response.props.clone().unwrap_or_default();
    if !response.channel_id.is_empty() {
        if world.channel_member(&response.channel_id, place.user).is_none() {
            return Err(AppError::new(
                StatusCode::FORBIDDEN,
                "api.command.command_post.forbidden.app_error",
                "Specified user is not a member of specified channel.",
            ));
        }
        post.channel_id.clone_from(&response.channel_id);
    }
    let first = |mine: &str, theirs: &str| if mine.is_empty() { theirs.into() } else { String::from(mine) };
    if world.settings.enable_post_username_override {
        let name = first(&command.username, &response.username);
        if !name.is_empty() {
            post.props.insert("override_username".to_owned(), name.into());
        }
    }
    if world.settings.enable_post_icon_override {
        let icon = first(&command.icon_url, &response.icon_url);
        if !icon.is_empty() || world.version.is_11() {
            post.props.insert("override_icon_url".to_owned(), icon.into());
        }
    }
    post.props.insert("from_webhook".to_owned(), "true".into());
    if !response.skip_slack_parsing {
        response.text = markup::to_markdown(world, &response.text);
        let attachments = response.attachments.take();
        response.attachments = attachments.map(|list| markup::in_attachments(world, list));
    }
    // Not asked whether.
    markup::links_in_attachments(response.attachments.as_deref_mut().unwrap_or_default());
    post.message.clone_from(&response.text);
    if post.kind.starts_with("system_") {
        return Err(AppError::bad("api.context.invalid_param.app_error", "Invalid type parameter."));
    }
    let in_channel = response.is_in_channel();
    if let Some(attachments) = response.attachments.as_mut() {
        for attachment in attachments.iter_mut() {
            attachment.complete(&mut world.ids);
        }
        if post.kind.is_empty() {
            "slack_attachment".clone_into(&mut post.kind);
        }
        post.attachments.clone_from(attachments);
    }
    let empty = post.message.is_empty() && post.attachments.is_empty();
    if empty {
        return Ok(());
    }
    if in_channel {
        world.say(post)?;
    } else if response.response_type.is_empty() || response.response_type == "ephemeral" {
        let shown = world.add_ephemeral(place.user, post);
        // The user's client reads the answer, where the cookies are too: `commands-execute-ephemeral.http`.
        if let Some(attachments) = response.attachments.as_mut() {
            *attachments = shown.attachments;
        }
    }
    Ok(())
}
