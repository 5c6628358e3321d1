//! Requests to integrations of which only the request was recorded, and not the call that led to it: the same is
//! typed and clicked here, and the stand-in sends the same.

use crate::conformance::world::{RECORDED, Recorded, World, arrange};
use serde_json::json;

/// Those requests.
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

/// Channel and line of what alice typed.
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

/// The channels that the common world lacks: the group of 11, the direct channel of 5.37.
async fn channels(world: &mut World) {
    let recorded: &Recorded = world.recorded;
    let (alice, bob) = (recorded.user("alice"), recorded.user("bob"));
    if recorded.is_11() {
        let ids = json!([alice, bob, recorded.user("carol")]);
        let group = world.call("alice", "POST", "/api/v4/channels/group", &ids).await;
        world.name("jrciaz18nbrk9rcxmozxzwjc8o", group["id"].as_str().unwrap());
        world.name("6de365bf954dfccefec3e5ad7aac197015b43fca", group["name"].as_str().unwrap());
        return;
    }
    let direct = world.call("alice", "POST", "/api/v4/channels/direct", &json!([alice, bob])).await;
    world.name("a6t8x8g6fjgg8f35mtn9jcx43e", direct["id"].as_str().unwrap());
    // Its name is made of sorted ids, and must be found before them.
    world.names.insert(0, (format!("{alice}__{bob}"), direct["name"].as_str().unwrap().to_owned()));
}

#[tokio::test]
async fn what_was_typed_is_sent_as_recorded() {
    for recorded in RECORDED {
        let mut world = arrange(recorded, "").await;
        channels(&mut world).await;
        world.plug("");
        let typed = if recorded.is_11() { TYPED_IN_11 } else { TYPED_IN_5_37 };
        for (channel, line) in typed {
            world.mm.execute("alice", &world.ours(channel), line).await.unwrap();
        }
        assert_eq!(world.sent.forms.lock().unwrap().len(), typed.len());
        assert_eq!(*world.sent.wrong.lock().unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_click_in_an_ephemeral_post_is_sent_as_recorded() {
    let recorded = RECORDED.into_iter().find(|recorded| !recorded.is_11()).unwrap();
    let mut world = arrange(recorded, "").await;
    let action = json!({
        "id": "e1", "name": "E", "type": "button",
        "integration": {"url": "http://127.0.0.1:9000/action-ephemeral", "context": {"e": 1}},
    });
    let body = json!({
        "user_id": recorded.user("alice"),
        "post": {"channel_id": recorded.town_square, "message": "only you",
                 "props": {"attachments": [{"actions": [action]}]}},
    });
    world.call("sysadmin", "POST", "/api/v4/posts/ephemeral", &body).await;
    let post = world.mm.last_ephemeral("alice").unwrap().unwrap();
    world.name("gqajfaf3ojrxux8hba63ma4p8w", post.id.clone());
    world.plug("");
    world.mm.click("alice", &post.id, "E").await.unwrap();
    assert_eq!(world.sent.forms.lock().unwrap().len(), 1);
    assert_eq!(*world.sent.wrong.lock().unwrap(), Vec::<String>::new());
}
