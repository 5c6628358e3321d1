//! Requests to integrations that were recorded without the REST call that caused them. The same text is typed here and the
//! same button clicked, and the stand-in sends the same request.

use super::setup::{RECORDED, Recorded, Replica, arrange};
use serde_json::json;

/// The recorded requests.
pub const ALONE: &[&str] = &[
    "mattermost-11/015-command.http",
    "mattermost-11/016-command.http",
    "mattermost-11/045-command.http",
    "mattermost-11/183-command.http",
    "mattermost-5.37/007-command.http",
    "mattermost-5.37/010-command-get.http",
    "mattermost-5.37/011-command.http",
    "mattermost-5.37/014-action-ephemeral.http",
];

/// The channel and the line that alice typed.
const TYPED_IN_11: &[(&str, &str)] = &[
    ("jrciaz18nbrk9rcxmozxzwjc8o", "/jira help"),
    ("e4oho7f5kbn5mrih1jf54ta3ne", "/jira help ~secret ~town-square"),
    ("ijgemn8fuprnx87bx6kak5yx5r", "/jira later"),
    ("ijgemn8fuprnx87bx6kak5yx5r", "/jira create_issue"),
];

const TYPED_IN_5_37: &[(&str, &str)] = &[
    ("gwxicenmy7gsjk7q1odjrc8eye", "/jira search"),
    ("gwxicenmy7gsjk7q1odjrc8eye", "/jiraget list  a=b&c"),
    ("a6t8x8g6fjgg8f35mtn9jcx43e", "/jira help"),
];

/// Adds the channels that the common setup does not have: the group of 11, the direct channel of 5.37.
async fn channels(replica: &mut Replica) {
    let recorded: &Recorded = replica.recorded;
    let (alice, bob) = (recorded.user("alice"), recorded.user("bob"));
    if recorded.since_11() {
        let ids = json!([alice, bob, recorded.user("carol")]);
        let group = replica.call("alice", "POST", "/api/v4/channels/group", &ids).await;
        replica.name("jrciaz18nbrk9rcxmozxzwjc8o", group["id"].as_str().unwrap());
        replica.name("6de365bf954dfccefec3e5ad7aac197015b43fca", group["name"].as_str().unwrap());
        return;
    }
    let direct = replica.call("alice", "POST", "/api/v4/channels/direct", &json!([alice, bob])).await;
    replica.name("a6t8x8g6fjgg8f35mtn9jcx43e", direct["id"].as_str().unwrap());
    // Its name consists of sorted ids, and must be translated before them.
    replica.names.insert(0, (format!("{alice}__{bob}"), direct["name"].as_str().unwrap().to_owned()));
}

#[tokio::test]
async fn what_was_typed_is_sent_as_recorded() {
    for recorded in RECORDED {
        let mut replica = arrange(recorded, "").await;
        channels(&mut replica).await;
        replica.plug("");
        let typed = if recorded.since_11() { TYPED_IN_11 } else { TYPED_IN_5_37 };
        for (channel, line) in typed {
            replica.mm.execute("alice", &replica.ours(channel), line).await.unwrap();
        }
        assert_eq!(replica.sent.forms.lock().unwrap().len(), typed.len());
        assert_eq!(*replica.sent.wrong.lock().unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_click_in_an_ephemeral_post_is_sent_as_recorded() {
    let recorded = RECORDED.into_iter().find(|recorded| !recorded.since_11()).unwrap();
    let mut replica = arrange(recorded, "").await;
    let action = json!({
        "id": "e1", "name": "E", "type": "button",
        "integration": {"url": "http://127.0.0.1:9000/action-ephemeral", "context": {"e": 1}},
    });
    let body = json!({
        "user_id": recorded.user("alice"),
        "post": {"channel_id": recorded.town_square, "message": "only you",
                 "props": {"attachments": [{"actions": [action]}]}},
    });
    replica.call("sysadmin", "POST", "/api/v4/posts/ephemeral", &body).await;
    let post = replica.mm.last_ephemeral("alice").unwrap().unwrap();
    replica.name("gqajfaf3ojrxux8hba63ma4p8w", post.id.clone());
    replica.plug("");
    replica.mm.click("alice", &post.id, "E").await.unwrap();
    assert_eq!(replica.sent.forms.lock().unwrap().len(), 1);
    assert_eq!(*replica.sent.wrong.lock().unwrap(), Vec::<String>::new());
}
