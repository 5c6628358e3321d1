//! From what was asked to a function and its values (section 3): `encoded` wins, else the line is read.

use crate::http::Refusal;
use cloud_apps_protocol::{
    CommandRequest, FunctionName, Manifest, Millis, SiteUrl,
    command::function_name,
    line::{Grammar, Invocation, Line},
    manifest::Preset,
    text::is_ignorable,
};

/// Reads the request against an app and its presets; `site` is the server whose permalinks it may hold.
pub fn resolve(
    manifest: &Manifest,
    presets: &[Preset],
    request: &CommandRequest,
    site: Option<&SiteUrl>,
    now: Millis,
) -> Result<Line, Refusal> {
    let grammar = Grammar {
        manifest,
        presets,
        mentioned: &request.context.mentioned,
        now,
        time_zone: request.context.time_zone.as_deref(),
        site,
    };
    let command = &request.command;
    let function = match command.function.trim() {
        "" => None,
        name => Some(name),
    };
    match (function, &command.encoded) {
        (None, Some(_)) => Err(Refusal::bad_request(
            "/command/function",
            "Name the function: with `encoded` values the line is not read.",
        )),
        (Some(name), Some(values)) => {
            let name = function_name(name)
                .map_err(|error| Refusal::bad_request("/command/function", format!("{error}.")))?;
            Ok(Line::Run(grammar.encoded(name.as_str(), values)?))
        }
        (None, None) => Ok(grammar.line(&command.raw)?),
        (Some(name), None) => {
            let name = function_name(name)
                .map_err(|error| Refusal::bad_request("/command/function", format!("{error}.")))?;
            let unseen = |c: char| c.is_whitespace() || is_ignorable(c);
            if !command.raw.trim_start_matches(unseen).starts_with('/') {
                return Ok(grammar.arguments(name.as_str(), &command.raw)?);
            }
            let line = grammar.line(&command.raw)?;
            agrees(&line, &name, manifest, presets)?;
            Ok(line)
        }
    }
}

/// A sender that names a function and sends the line of another has made a mistake; neither is guessed.
fn agrees(line: &Line, name: &FunctionName, manifest: &Manifest, presets: &[Preset]) -> Result<(), Refusal> {
    let Line::Run(Invocation { function, .. }) = line else { return Ok(()) };
    let preset = presets.iter().chain(&manifest.presets).any(|p| p.name == *name && p.function == *function);
    if function == name || preset {
        return Ok(());
    }
    Err(Refusal::bad_request(
        "/command/function",
        format!("The function is {name}, but the line runs {function}."),
    ))
}
