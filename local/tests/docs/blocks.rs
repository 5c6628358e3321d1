//! Every block of code on a page is run, read as what it is, or listed here with the reason why not. A new block that is
//! nothing of that fails.

use super::pages::{Block, Page, files, pages, text};
use cloud_apps_protocol::{
    Answer, CommandRequest, ErrorBody, Form, Manifest, PROTOCOL, Values,
    answer::Kind,
    command::AppContext,
    install::{
        AppView, CompleteRequest, InstallCompleted, InstallCreated, InstallRemoved, InstallRequest,
        InstallView, Registered, Registration, RotationId, Upgrade,
    },
    manifest::{Expansion, Preset, Problem, Verify},
    token::UpstreamClaims,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Drawings, and what travels and is no JSON: the page, how the block begins, and what it is.
const TEXTS: [(&str, &str, &str); 6] = [
    ("README.md", " Mattermost   ", "a drawing"),
    ("docs/security.md", " admin's machine", "a drawing"),
    (
        "docs/other-languages.md",
        "POST /greet HTTP/1.1",
        "a request, with … for what is long; tests/elsewhere makes it",
    ),
    ("docs/protocol.md", "/namespace function", "a grammar"),
    ("docs/protocol.md", "s1.<app>", "the shape of a seal"),
    (
        "docs/protocol.md",
        "POST /hooks/",
        "a form, with … for credentials; recordings of servers are replayed",
    ),
];

#[test]
fn every_block_of_every_page_is_run_or_read_or_listed() {
    let doctests = text("shared/testkit/src/lib.rs");
    let mut wrong = Vec::new();
    let mut read = 0;
    for page in pages() {
        for block in &page.blocks {
            read += 1;
            if let Err(why) = held(&page, block, &doctests) {
                wrong.push(format!("{}:{}: {why}", page.path, block.line));
            }
        }
    }
    for (path, start, what) in TEXTS {
        let there = Page::read(path).blocks.iter().any(|block| block.text.starts_with(start));
        if !there {
            wrong.push(format!("{path}: {what} that begins with {start:?} is listed and not there"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(read > 50, "only {read} blocks were found");
}

/// Why a block is held to nothing, if it is.
fn held(page: &Page, block: &Block, doctests: &str) -> Result<(), String> {
    match block.language.as_str() {
        // `shell` has a line for each of their commands.
        "console" | "sh" => Ok(()),
        "rust" => {
            let include = format!("include_str!(\"../../../{}\")", page.path);
            let run = doctests.contains(&include) && block.about == "test_harness";
            run.then_some(()).ok_or_else(|| {
                format!(
                    "say `rust,test_harness`, with a test in it, and add {include} to the testkit's doctests"
                )
            })
        }
        "json" if block.about.is_empty() => is_example(block),
        "json" => is_of_its_type(page, block),
        // `python` runs it.
        "python" if page.path == "docs/protocol.md" => Ok(()),
        "python" | "js" => is_example(block),
        "text" => {
            let listed =
                TEXTS.iter().any(|(path, start, _)| *path == page.path && block.text.starts_with(start));
            listed.then_some(()).ok_or_else(|| "list this text here, and say what it is".to_owned())
        }
        "" => Err("say in a fence which language this is".into()),
        other => Err(format!("nothing here runs or reads {other}")),
    }
}

/// The examples are run by `elsewhere`; a page shows them as they are.
fn is_example(block: &Block) -> Result<(), String> {
    let found = files(&["py", "mjs", "json"])
        .into_iter()
        .any(|file| file.starts_with("examples/") && text(&file) == block.text);
    found.then_some(()).ok_or_else(|| "no file of examples/ has this text".to_owned())
}

/// `json manifest`, `json answer`: the second word says which type of the protocol this is.
fn is_of_its_type(page: &Page, block: &Block) -> Result<(), String> {
    let value: Value = serde_json::from_str(&block.text).map_err(|error| format!("no JSON: {error}"))?;
    match block.about.as_str() {
        "index" => {
            let known = json!({"protocol": [PROTOCOL], "bundle": env!("CARGO_PKG_VERSION")});
            (value == known).then_some(()).ok_or_else(|| format!("GET / answers {known}"))
        }
        "error" => same::<ErrorBody>(&value),
        "request" => same::<CommandRequest>(&value),
        "call" => call(value),
        "answer" => {
            let read = Answer::read(block.text.as_bytes()).map_err(|refused| refused.error.message)?;
            let problems = match &read.kind {
                Kind::Message(message) => message.problems(),
                _ => Vec::new(),
            };
            problems.first().map_or(Ok(()), |problem| Err(problem.to_string()))?;
            same::<Answer>(&value)
        }
        "block" => same::<cloud_apps_protocol::Block>(&value),
        "form" => same::<Form>(&value),
        "expand" => same::<Expansion>(&value),
        "install-request" => same::<InstallRequest>(&value),
        "install-created" => same::<InstallCreated>(&value),
        "install-complete" => same::<CompleteRequest>(&value),
        "install-completed" => same::<InstallCompleted>(&value),
        "install-view" => same::<InstallView>(&value),
        "install-removed" => same::<InstallRemoved>(&value),
        "patch" => patch(&value),
        "manifest" => Manifest::parse(&block.text).map(|_| ()).map_err(|problems| told(&problems)),
        "manifest-part" => manifest_part(&value),
        "verify" => same::<Verify>(&value),
        "upstream-claims" => same::<UpstreamClaims>(&value),
        "apps" => same::<Vec<AppView>>(&value["apps"]),
        "slash-answer" => {
            const KEYS: [&str; 5] =
                ["response_type", "text", "attachments", "goto_location", "skip_slack_parsing"];
            let keys = value.as_object().ok_or("no object")?.keys();
            let unknown: Vec<&String> = keys.filter(|key| !KEYS.contains(&key.as_str())).collect();
            unknown.is_empty().then_some(()).ok_or_else(|| format!("a slash answer has no {unknown:?}"))
        }
        // There is no type yet. The section says so.
        "unserved" if page.path == "docs/protocol.md" => Ok(()),
        other => Err(format!("nothing here reads `json {other}`")),
    }
}

/// It is one of these, and nothing of it is unknown.
fn same<T: Serialize + DeserializeOwned>(value: &Value) -> Result<(), String> {
    let read: T = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
    let written = serde_json::to_value(&read).map_err(|error| error.to_string())?;
    kept(value, &written, "")
}

/// Everything of `value` is in `written`, but for what means the same as nothing.
fn kept(value: &Value, written: &Value, at: &str) -> Result<(), String> {
    match (value, written) {
        (Value::Object(value), Value::Object(written)) => value.iter().try_for_each(|(key, value)| {
            let at = format!("{at}/{key}");
            match written.get(key) {
                Some(written) => kept(value, written, &at),
                None if is_nothing(value) => Ok(()),
                None => Err(format!("{at} is no key of this type")),
            }
        }),
        (Value::Array(value), Value::Array(written)) if value.len() == written.len() => {
            value.iter().zip(written).enumerate().try_for_each(|(n, (a, b))| kept(a, b, &format!("{at}/{n}")))
        }
        _ if value == written => Ok(()),
        _ => Err(format!("{at} is read as {written}")),
    }
}

fn is_nothing(value: &Value) -> bool {
    [json!(null), json!(false), json!(""), json!([]), json!({})].contains(value)
}

/// A request as an app gets it: `context.app` is written by the bundle, and read by nobody but apps.
fn call(mut value: Value) -> Result<(), String> {
    let app = value.pointer_mut("/context/app").map(Value::take).ok_or("an app is told of its install")?;
    same::<AppContext>(&app)?;
    let delivered = value.get("delivery").is_some() && value.pointer("/command/encoded").is_some();
    if !delivered {
        return Err("a call has values and a delivery id".into());
    }
    same::<CommandRequest>(&value)
}

/// One change of an install.
fn patch(value: &Value) -> Result<(), String> {
    let body = value.as_object().ok_or("no object")?;
    let (name, change) =
        body.iter().find(|(name, _)| *name != "rotation" && *name != "now").ok_or("no change")?;
    match name.as_str() {
        "settings" => same::<Values>(change),
        "presets" => same::<Vec<Preset>>(change),
        "enabled" => same::<bool>(change),
        "register" => same::<Vec<Registered>>(change),
        "unregister" => same::<Vec<Registration>>(change),
        "rebase" => same::<cloud_apps_protocol::SiteUrl>(change),
        "server" => same::<cloud_apps_protocol::install::Server>(change),
        "upgrade" => same::<Upgrade>(change),
        "access_token" if body["rotate"] == "bot_token" => Ok(()),
        "rotate" if change == "shared_secret" => {
            let rotation = body.get("rotation").and_then(Value::as_str).unwrap_or_default();
            rotation.parse::<RotationId>().map(|_| ()).map_err(|error| format!("rotation: {error}"))
        }
        other => Err(format!("{other} is no change of an install")),
    }
}

/// A part of a manifest, in the least that is one.
fn manifest_part(part: &Value) -> Result<(), String> {
    let mut manifest = json!({"protocol": 2, "id": "part", "version": "1.0.0", "display_name": "Part"});
    let part = part.as_object().ok_or("no object")?;
    manifest.as_object_mut().unwrap().extend(part.clone());
    Manifest::parse(&manifest.to_string()).map(|_| ()).map_err(|problems| told(&problems))
}

fn told(problems: &[Problem]) -> String {
    let one = |problem: &Problem| format!("{} {} {}", problem.pointer, problem.message, problem.hint);
    problems.iter().map(one).collect::<Vec<_>>().join("; ")
}
