//! An app in its own Lambda function: it is registered, installed, called by the install function and by the command
//! function, and removed.

use crate::{
    Outcome, Stage,
    server::{CHANNEL, answer},
    test,
};
use libtest_mimic::Trial;
use reqwest::{StatusCode, header};
use serde_json::{Value, json};
use stack_tests::{canary, show};
use std::{error::Error, io::Write, sync::Arc};

const APP: &str = "greeter";
const FUNCTION: &str = "cloud-app-greeter";
/// The app's code. It answers with what it was asked, in the form that adapters of web frameworks use.
const CODE: &str = r#"
import json
def handler(event, context):
    authorized = event["headers"]["authorization"].startswith("Bearer ")
    request = json.loads(event["body"])
    name = request["command"].get("encoded", {}).get("name", "nobody")
    if event["rawPath"] == "/offer":
        take = {"type": "button", "label": "Take", "function": "take", "once": True, "state": "x" * 3000}
        answer = {"type": "message", "text": "Offer", "blocks": [{"type": "actions", "items": [take]}]}
        return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(answer)}
    if event["rawPath"] == "/take":
        taken = {"type": "message", "text": f"taken, {len(request['context']['state'])}"}
        refused = {"type": "error", "text": "Not yours."}
        answer = refused if request["context"]["acting_user"]["id"].startswith("bob") else taken
        return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(answer)}
    answer = {"type": "message", "text": f"{event['rawPath']} {name} {authorized}"}
    if event["rawPath"] == "/on_install":
        answer = {"type": "done"}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(answer)}
"#;

pub fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    vec![
        test(stage, "an app in a Lambda function is registered, installed, called and removed", whole),
        test(stage, "a function of another name, or of the bundle itself, is not registered", others),
    ]
}

fn manifest(function: &str) -> Value {
    json!({
        "protocol": 2, "id": APP, "version": "1.0.0", "display_name": "Greeter",
        "locations": ["message_box", "post_action"],
        "upstream": {"type": "aws_lambda", "function": function},
        "commands": [{"function": "offer"}, {"function": "take"}, {"function": "greet", "summary": "Greets.", "fields": [{"name": "name", "type": "text"}]}],
        "lifecycle": {"install": "on_install"},
    })
}

/// Runs `cloud-apps operator apps add` with this manifest: exit code, standard output, standard error.
fn add(stage: &Stage, manifest: &Value) -> Result<(Option<i32>, String, String), Box<dyn Error>> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(manifest.to_string().as_bytes())?;
    let mut command =
        stage.stack.command(&["operator", "apps", "add", "--stack", stage.stack.name(), "--json"]);
    let done = command.arg(file.path()).output()?;
    show("operator apps add", &done.stderr);
    Ok((done.status.code(), String::from_utf8(done.stdout)?, String::from_utf8(done.stderr)?))
}

async fn whole(stage: Arc<Stage>) -> Outcome {
    let (stack, server) = (&stage.stack, &stage.today);
    stack.create_function(FUNCTION, CODE).await?;
    let (code, out, err) = add(&stage, &manifest(FUNCTION))?;
    assert_eq!(code, Some(0), "{err}");
    let added: Value = serde_json::from_str(&out)?;
    assert_eq!(added["kid"], "greeter.1.upstream.1");
    canary(added["upstream_secret"].as_str().ok_or("no secret")?)?;

    let code = json!({"do": "code", "app": APP, "site_url": server.site(), "base_url": stack.url()});
    let code = stage.stack.operate(code).await?["code"].as_str().ok_or("no code")?.to_owned();
    canary(&code)?;
    let body = json!({
        "app_id": APP,
        "server": {"site_url": server.site(), "version": "11.6.0"},
        "bot": {"user_id": server.user("hello"), "username": APP, "access_token": "a-token-that-nothing-comes-of"},
        "installed_by": server.user("admin"),
        "static_token": true,
        "granted": {"locations": ["message_box", "post_action"]},
    });
    let begun = server.coded(stack, "/install", &code, &body).await?;
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.body);
    let id = begun.body["install_id"].as_str().ok_or("no id")?.to_owned();
    let token = begun.body["static_token"].as_str().ok_or("no token")?.to_owned();
    canary(&token)?;
    // The install function calls the app.
    let path = format!("/install/{id}/complete");
    let completed = server.coded(stack, &path, &code, &json!({ "registered": [] })).await?;
    assert_eq!(completed.status, StatusCode::OK, "{}", completed.body);

    let body = json!({"command": {"namespace": APP, "function": "greet", "encoded": {"name": "bob"}},
        "context": {"source": {"id": "message_box"}}});
    let request = stack.http.post(format!("{}/command", stack.url())).json(&body);
    let answered = answer(request.header(header::AUTHORIZATION, format!("Token {token}"))).await?;
    assert_eq!((answered.status, &answered.body["text"]), (StatusCode::OK, &"/greet bob True".into()));

    buttons(&stage, &token).await?;

    let removed = stage.stack.operate(json!({"do": "remove", "install_id": id})).await?;
    assert_eq!(removed["removed"]["state"], "removed", "{removed}");
    let apps = stage.stack.operate(json!({"do": "remove_app", "app": APP})).await?;
    assert_eq!(apps["apps"].as_array().map(Vec::len), Some(1), "{apps}");
    Ok(())
}

/// A button that counts once, and whose seal has no room for its content.
async fn buttons(stage: &Stage, token: &str) -> Outcome {
    let (stack, server) = (&stage.stack, &stage.today);
    let authorization = format!("Token {token}");
    let offer = async |user: &str| -> Result<(String, Value), Box<dyn Error>> {
        let body = json!({"command": {"namespace": APP, "function": "offer"},
            "context": {"source": {"id": "message_box"}, "acting_user": {"id": user}}});
        let request = stack.http.post(format!("{}/command", stack.url())).json(&body);
        let offered = answer(request.header(header::AUTHORIZATION, &authorization)).await?;
        let integration = &offered.body["attachments"][0]["actions"][0]["integration"];
        let url = integration["url"].as_str().ok_or_else(|| offered.body.to_string())?;
        let seal = integration["context"]["seal"].as_str().ok_or("no seal")?;
        canary(seal)?;
        Ok((url.to_owned(), integration["context"].clone()))
    };
    let click = async |(url, context): &(String, Value), user: &str| -> Result<String, Box<dyn Error>> {
        let channel = server.mattermost.channel_id("demo", CHANNEL)?;
        let body = json!({"user_id": user, "user_name": "somebody", "channel_id": channel, "team_id": "",
            "post_id": "", "trigger_id": "", "type": "button", "context": context});
        let clicked = answer(stack.http.post(url).json(&body)).await?;
        assert_eq!(clicked.status, StatusCode::OK, "{}", clicked.body);
        Ok(clicked.body["ephemeral_text"].as_str().ok_or("no text")?.to_owned())
    };
    let (alice, bob) = (server.user("alice"), format!("bob{}", "b".repeat(23)));
    let button = offer(&alice).await?;
    assert!(click(&button, &bob).await?.contains("somebody else"));
    assert_eq!(click(&button, &alice).await?, "taken, 3000");
    assert_eq!(click(&button, &alice).await?, "Already done by @somebody.");
    // What the app refuses does not count.
    let button = offer(&bob).await?;
    assert_eq!(click(&button, &bob).await?, "Not yours.");
    assert_eq!(click(&button, &bob).await?, "Not yours.");
    Ok(())
}

async fn others(stage: Arc<Stage>) -> Outcome {
    let own = stage.stack.output("InstallFunctionName").to_owned();
    for (function, words) in
        [("other", "whose name begins with cloud-app-"), (own.as_str(), "InstallFunction")]
    {
        let (code, _, err) = add(&stage, &manifest(function))?;
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains(words) && err.contains("nothing was changed"), "{err}");
    }
    Ok(())
}
