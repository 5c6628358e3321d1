//! A slash command: the form that an unmodified Mattermost sends, made here or by the demo.

use super::{http, options::Run, show};
use crate::{demo::Credentials, failure::Failure, terminal};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Sends the form to a slash command's request URL.
pub async fn elsewhere(http: &reqwest::Client, url: &str, arguments: &Run) -> Result<ExitCode, Failure> {
    let token = http::variable(
        "CLOUD_APPS_SLASH_TOKEN",
        "it is the token that Mattermost shows for the slash command; --slash-url takes its request URL",
    )?;
    let team = http::given(arguments.team.as_ref(), "--team", "a slash command belongs to one team: its id")?;
    let channel = http::given(arguments.channel.as_ref(), "--channel", "where it is typed: a channel's id")?;
    let user = http::given(arguments.user.as_ref(), "--user", http::WHO)?;
    let (command, text) = arguments.line.split_once(char::is_whitespace).unwrap_or((&arguments.line, ""));
    let pairs = [
        ("channel_id", channel),
        ("channel_name", "cloud-apps-run"),
        ("command", command),
        ("team_id", team),
        ("team_domain", "cloud-apps-run"),
        ("text", text.trim_start()),
        ("token", &token),
        ("user_id", user),
        ("user_name", "cloud-apps-run"),
    ];
    let response = http
        .post(url)
        .header("accept", "application/json")
        .header("authorization", format!("Token {token}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
        .send()
        .await
        .map_err(|error| http::unreachable(url, &error, false))?;
    let (status, text) = http::read(response).await?;
    if arguments.json {
        terminal::json_as_it_came(&text);
    }
    if status != 200 {
        return Err(http::refused(url, status, &text));
    }
    let shown: Value = serde_json::from_str(&text).map_err(|_| {
        Failure::new(format!("{url} does not answer as a bundle does"))
            .hint("--slash-url is the request URL of the slash command, as Mattermost shows it")
    })?;
    if !arguments.json {
        show::slash_answer(&command.trim_start_matches('/').to_lowercase(), &shown);
    }
    Ok(ExitCode::SUCCESS)
}

/// Lets the demo Mattermost run the line as one of its users. It does with the answer what a server does.
pub async fn in_demo(
    http: &reqwest::Client,
    demo: &Credentials,
    arguments: &Run,
) -> Result<ExitCode, Failure> {
    let (username, channel_name) = arguments.in_the_demo();
    let user = demo.user(username)?;
    let channel = demo.channel(channel_name)?;
    let watch = show::Watch::new(user, channel, channel_name);
    let response = http
        .post(format!("{}/api/v4/commands/execute", demo.site_url))
        .bearer_auth(&user.token)
        .json(&json!({ "channel_id": channel, "team_id": demo.team, "command": arguments.line }))
        .send()
        .await
        .map_err(|error| http::unreachable(&demo.site_url, &error, true))?;
    let (status, text) = http::read(response).await?;
    if arguments.json {
        terminal::json_as_it_came(&text);
    }
    let shown: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if status != 200 {
        let message =
            shown.get("message").and_then(Value::as_str).unwrap_or("the demo Mattermost refuses the command");
        return Err(Failure::new(message).hint(if status == 404 {
            "no app has this command in the demo's team: `cloud-apps list` shows what is installed"
        } else {
            "the bundle's log has the request: look at the terminal of `cloud-apps serve`"
        }));
    }
    if !arguments.json {
        let app = arguments.line.trim_start_matches('/').split_whitespace().next().unwrap_or("app");
        show::slash_answer(&app.to_lowercase(), &shown);
        show::posts(http, &demo.site_url, &watch).await?;
    }
    Ok(ExitCode::SUCCESS)
}
