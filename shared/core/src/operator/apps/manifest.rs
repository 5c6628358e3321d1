//! The manifest that an operator registers.

use crate::{http::Refusal, services::Services};
use cloud_app::http::Error as CallError;
use cloud_apps_protocol::{
    Code, Manifest,
    manifest::{Problem, Upstream},
};
use serde_json::Value;

/// Reads a manifest, and checks that this bundle can call its app. `given` is its author's text, so that each problem has its
/// line, or its JSON.
pub(super) fn read(services: &Services, given: &Value) -> Result<Manifest, Refusal> {
    let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
    let manifest = Manifest::parse(&text).map_err(|problems| bad_manifest(&problems))?;
    let problem = unreachable(services, &manifest.upstream)
        .map(|(pointer, message, hint)| Problem::in_text(&text, pointer, message, hint));
    match problem {
        Some(problem) => Err(bad_manifest(&[problem])),
        None => Ok(manifest),
    }
}

/// Why this bundle cannot call an upstream: pointer, what is wrong, what to do.
fn unreachable(services: &Services, upstream: &Upstream) -> Option<(&'static str, String, String)> {
    match upstream {
        Upstream::Linked => Some((
            "/upstream",
            "This says that the app's functions are linked into the bundle, and only its build can do that.".into(),
            r#"Say where they run: {"type": "http", "url": "https://…"} or {"type": "aws_lambda", "function": "…"}."#
                .into(),
        )),
        Upstream::Http { url } => {
            let error = services.http.permits(url).err()?;
            let hint = match error {
                CallError::Scheme { .. } => "Give the app an https address.",
                _ => "Give the app a public address, or list its network in AllowedNetworks.",
            };
            Some(("/upstream/url", format!("{error}."), hint.into()))
        }
        Upstream::AwsLambda { function } => {
            let why = match &services.app_client.lambdas {
                Some(lambdas) => lambdas.refuses(function)?,
                None => "This bundle does not run on AWS, and Lambda functions are called from there only.".into(),
            };
            Some(("/upstream/function", why, String::new()))
        }
    }
}

fn bad_manifest(problems: &[Problem]) -> Refusal {
    let sentences = problems.iter().map(|problem| {
        let at = if problem.pointer.is_empty() { "The manifest" } else { &problem.pointer };
        let sentence =
            format!("{at} (line {}, column {}): {}", problem.line, problem.column, problem.message);
        if problem.hint.is_empty() { sentence } else { format!("{sentence} {}", problem.hint) }
    });
    let sentences = sentences.collect::<Vec<_>>().join(" ");
    let message = match problems.len() {
        1 => format!("Something is wrong with this manifest, and nothing was changed. {sentences}"),
        n => format!("{n} things are wrong with this manifest, and nothing was changed. {sentences}"),
    };
    let problems = serde_json::to_value(problems).unwrap_or_default();
    Refusal::new(Code::BadManifest, message).with("problems", problems)
}
