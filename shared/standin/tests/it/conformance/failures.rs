//! What a client gets when an integration fails.

use super::setup::Replica;
use super::{Arranging, Group};
use serde_json::json;
use std::time::Duration;

pub const GROUP: Group = Group { name: "failures", files: &["fail-"], arrange, exceptions: &[] };

fn arrange<'a>(replica: &'a mut Replica, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        if let Some(case) = file.strip_prefix("fail-slash-").and_then(|rest| rest.strip_suffix(".http")) {
            replica.mm.add_command("ops", &format!("f{case}"), &address(case)).unwrap();
        }
        if let Some(case) = file.strip_prefix("fail-action-").and_then(|rest| rest.strip_suffix(".http")) {
            // The recorded posts have an action for each case.
            let action =
                json!({"id": case, "name": case, "type": "button", "integration": {"url": address(case)}});
            let body = json!({
                "channel_id": replica.recorded.town_square, "message": "failing",
                "props": {"attachments": [{"actions": [action]}]},
            });
            let post = replica.call("jira", "POST", "/api/v4/posts", &body).await;
            replica.name("7d78qeuqupdn9fm3zr1y3cigay", post["id"].as_str().unwrap());
            replica.name("tznk4bwdfprqbd7byyodoawoth", post["id"].as_str().unwrap());
            replica.plug(file);
        }
        if file.ends_with("-slow40.http") {
            replica.mm.set_outgoing_timeout(Duration::ZERO);
        }
    })
}

/// The address of the integration in a case.
fn address(case: &str) -> String {
    match case {
        "refused" => "http://127.0.0.1:1/".to_owned(),
        "forbidden" => "http://127.0.0.2:9000/x".to_owned(),
        "badhost" => "http://no-such-host.invalid/".to_owned(),
        _ => format!("http://127.0.0.1:9000/fail-{case}"),
    }
}
