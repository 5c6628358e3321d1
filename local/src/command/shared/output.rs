//! How results are shown.

use crate::{
    failure::Failure,
    terminal::{self, Line},
};
use cloud_apps_core::{http::system_now, install::TokenEnd};
use cloud_apps_protocol::install::InstallView;
use serde::Serialize;
use serde_json::Value;
use std::process::ExitCode;

/// Shows a result as JSON, or in words, a line each.
pub fn print(
    json: bool,
    result: &impl Serialize,
    words: impl FnOnce() -> Vec<Line>,
) -> Result<ExitCode, Failure> {
    if json {
        return print_json(result);
    }
    words().into_iter().for_each(terminal::out);
    Ok(ExitCode::SUCCESS)
}

/// Shows a result as JSON.
pub fn print_json(result: &impl Serialize) -> Result<ExitCode, Failure> {
    terminal::json(result)
        .map_err(|error| Failure::new(format!("the result cannot be written as JSON: {error}")))?;
    Ok(ExitCode::SUCCESS)
}

/// Shows an install, an attribute a line.
pub fn show_install(install: &InstallView) {
    row("install", install.install_id.as_str());
    row("app", &format!("{} {}", install.app_id, install.version));
    row("server", install.site_url.as_str());
    row("state", &install.state);
    row("created", &date(install.created_at));
    row("bot", &format!("@{} ({})", install.bot.username, install.bot.id));
    if let Some(end) = install.bot_token_expires_at {
        row("bot's token", &TokenEnd(end).words(system_now()));
    }
    row("permissions", &words(&install.granted.permissions));
    row("locations", &words(&install.granted.locations));
    row("events", &words(&install.granted.events));
    row("webhooks", &words(&install.granted.webhooks));
    row("teams", &words(&install.teams));
    for (name, value) in &install.settings {
        row("setting", &format!("{name} = {value}"));
    }
    row("address", &install.endpoints.command);
    for missing in &install.unavailable {
        row("unavailable", &words([missing]));
    }
}

/// Shows an attribute, unless it is empty.
pub fn row(name: &str, value: &str) {
    if !value.is_empty() {
        terminal::out(format!("{name:<13}{value}"));
    }
}

/// The words of the protocol for these items, with commas between them.
pub fn words(items: impl IntoIterator<Item = impl Serialize>) -> String {
    let word = |item| match serde_json::to_value(item) {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    };
    items.into_iter().map(word).collect::<Vec<_>>().join(", ")
}

/// A time in Unix milliseconds, for people.
pub fn date(ms: u64) -> String {
    let date = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    date.map(|date| format!("{date:.0}")).unwrap_or_default()
}

/// `1 command`, `2 commands`.
pub fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
