//! Clicks on buttons and menus, and posts after them.

use super::setup::{Replica, card};
use super::{Arranging, Group};
use http::{HeaderValue, Response};
use serde_json::{Value, json};

pub const GROUP: Group =
    Group { name: "actions", files: &["post-action-", "posts-get-after-update"], arrange, exceptions: &[] };

/// The ephemeral posts of both versions, to alice.
const EPHEMERAL: [&str; 2] = ["43e8tfwhoifa5neurbcbs1fsdc", "gqajfaf3ojrxux8hba63ma4p8w"];

fn arrange<'a>(replica: &'a mut Replica, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        if file.contains("ephemeral") {
            ephemeral(replica, file).await;
        }
        if replica.recorded.since_11() {
            eleven(replica, file).await;
        }
        replica.plug(file);
        // Several recorded requests are equal, and their answers differ.
        *replica.sent.like.lock().unwrap() = match file {
            "post-action-ephemeral-update.http" => Some("050-action-ephemeral.http".to_owned()),
            _ => None,
        };
        if file == "post-action-ephemeral.http" && !replica.recorded.since_11() {
            updating(replica);
        }
        let after = match file {
            "posts-get-after-update.http" => "s799ttmctinrmxfm1yz5udqrjy",
            "posts-get-after-update-no-message.http" => "55gf6pu1qbbs8fm4ax56asj6mr",
            _ => return,
        };
        let click = format!("/api/v4/posts/{after}/actions/assign");
        replica.call("alice", "POST", &click, &json!({"selected_option": ""})).await;
    })
}

/// The recorded integration of 5.37 answered this click with an update.
fn updating(replica: &Replica) {
    replica.mm.plug("http://127.0.0.1:9000/", |_| async {
        let mut answer = Response::new(r#"{"update": {"message": "changed"}}"#.into());
        answer.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        answer
    });
}

async fn ephemeral(replica: &mut Replica, file: &str) {
    let integration = |e: u8| json!({"url": "http://127.0.0.1:9000/action-ephemeral", "context": {"e": e}});
    let body = json!({
        "user_id": replica.recorded.user("alice"),
        "post": {"channel_id": replica.recorded.town_square, "message": "only you", "props": {"attachments": [{"actions": [
            {"id": "e1", "name": "E", "type": "button", "integration": integration(1)},
            {"id": "e2", "name": "S", "type": "select", "data_source": "users", "integration": integration(2)},
        ]}]}},
    });
    replica.call("sysadmin", "POST", "/api/v4/posts/ephemeral", &body).await;
    let post = replica.mm.last_ephemeral("alice").unwrap().unwrap();
    for recorded in EPHEMERAL {
        replica.name(recorded, post.id.clone());
    }
    // The recorded cookie is replaced by that of this post.
    let text = crate::recording::folder(&format!("{}/rest", replica.recorded.folder));
    let (_, text) = text.iter().find(|(name, _)| name == file).unwrap();
    let sent: Value = serde_json::from_str(&crate::recording::exchange(text).0.body).unwrap();
    let cookie = sent["cookie"].as_str().unwrap_or_default();
    let at = usize::from(file.contains("select"));
    if cookie.len() > 4 {
        replica.name(cookie, post.attachments[0].actions.as_ref().unwrap()[at].cookie.clone());
    }
}

async fn eleven(replica: &mut Replica, file: &str) {
    let at = |channel: &str, message: &str| json!({"channel_id": channel, "message": message, "props": {"attachments": card()}});
    let square = replica.recorded.town_square;
    let (author, body, name) = match file {
        "post-action-dm.http" => {
            ("jira", at("ju7dzij4tbnkte8swiwdmtke1e", "card"), "tjkornb4utnibjt6hxwp4zfxdc")
        }
        "post-action-forbidden.http" => {
            ("alice", at("e4oho7f5kbn5mrih1jf54ta3ne", "private card"), "y1itmbxaeibazdgsbfcxdce6nh")
        }
        "post-action-hyphen.http" => {
            let mut body = at(square, "bot card 2");
            body["props"]["attachments"][0]["actions"][0]["id"] = json!("a-b");
            ("jira", body, "ocacnqks8prrtgnkrbsdjr5dry")
        }
        _ => ("jira", at(square, "bot card 3"), "55gf6pu1qbbs8fm4ax56asj6mr"),
    };
    let post = replica.call(author, "POST", "/api/v4/posts", &body).await;
    replica.name(name, post["id"].as_str().unwrap());
}
