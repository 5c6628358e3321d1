//! What a server tells of its version and configuration, and how it moves to another version.

use crate::client::{call, demo, done};
use bytes::Bytes;
use cloud_apps_standin::{Standin, Version};
use http::Request;
use serde_json::{Value, json};

const CONFIG: &str = "/api/v4/config/client?format=old";

/// The header of an answer.
async fn version_id(mm: &Standin, path: &str) -> String {
    let answer = mm.respond(Request::get(path).body(Bytes::new()).unwrap()).await.unwrap();
    answer.headers()["x-version-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_answer_names_the_version_and_changes_with_the_configuration() {
    for version in Version::ALL {
        let (mm, _) = demo(version);
        let before = version_id(&mm, "/api/v4/system/ping").await;
        assert!(before.starts_with(&format!("{}.", version.number())), "{before}");
        let license = before.rsplit_once('.').unwrap().1;
        assert_eq!(license, "false");
        // An answer that refuses says it too, and it stays the same while nothing changes.
        assert_eq!(version_id(&mm, "/api/v4/users/me").await, before);
        mm.configure(|settings| settings.enable_commands = false);
        assert_ne!(version_id(&mm, "/api/v4/system/ping").await, before);
        mm.configure(|settings| settings.enable_commands = true);
        assert_eq!(version_id(&mm, "/api/v4/system/ping").await, before);
    }
}

#[tokio::test]
async fn the_configuration_has_what_came_with_each_version() {
    for version in Version::ALL {
        let (mm, admin) = demo(version);
        mm.configure(|settings| {
            settings.maximum_personal_access_token_lifetime_days = 30;
            settings.mm_blocks_enabled = false;
        });
        let all = done(&mm, &admin, "GET", CONFIG, &Value::Null).await;
        let anonymous = done(&mm, "", "GET", CONFIG, &Value::Null).await;
        let (days, blocks) = ("MaximumPersonalAccessTokenLifetimeDays", "FeatureFlagMmBlocksEnabled");
        let since = |first: Version, value: &str| if version >= first { json!(value) } else { Value::Null };
        assert_eq!(all[days], since(Version::V11_9, "30"));
        assert_eq!(anonymous[days], Value::Null);
        assert_eq!(all[blocks], since(Version::V11_10, "false"));
        assert_eq!(anonymous[blocks], since(Version::V11_10, "false"));
        let size = if version >= Version::V12 { "262144" } else { "16383" };
        assert_eq!((&all["MaxPostSize"], &anonymous["MaxPostSize"]), (&json!(size), &Value::Null));
        let config = done(&mm, &admin, "GET", "/api/v4/config", &Value::Null).await;
        let wanted = if version >= Version::V11_9 { json!(30) } else { Value::Null };
        assert_eq!(config["ServiceSettings"][days], wanted);
    }
}

#[tokio::test]
async fn a_server_moves_to_another_version_and_back_with_all_that_it_stores() {
    let (mm, admin) = demo(Version::V5_37);
    mm.add_command("demo", "hello", "http://app.test/slash").unwrap();
    let before = (mm.snapshot(), version_id(&mm, "/api/v4/system/ping").await);
    let root_id = |mm: &Standin| {
        mm.plug("http://app.test/", |request: Request<Bytes>| async move {
            let form = url::form_urlencoded::parse(request.body());
            let has = form.into_owned().any(|(key, _)| key == "root_id");
            http::Response::new(has.to_string().into())
        });
    };
    root_id(&mm);
    for (version, knows_threads) in
        [(Version::V11, "true"), (Version::V12, "true"), (Version::V11, "true"), (Version::V5_37, "false")]
    {
        mm.set_version(version);
        assert_eq!(mm.version(), version);
        assert_eq!(mm.snapshot(), before.0);
        let config = done(&mm, &admin, "GET", CONFIG, &Value::Null).await;
        assert_eq!(config["Version"], version.number());
        let seen = mm.execute("alice", "town-square", "/hello").await.unwrap();
        assert_eq!(seen.texts(), [knows_threads]);
    }
    assert_eq!(version_id(&mm, "/api/v4/system/ping").await, before.1);
}

#[tokio::test]
async fn an_upgrade_makes_room_for_longer_messages_and_keeps_a_size_that_was_set() {
    let (mm, admin) = demo(Version::V11);
    let body =
        json!({"channel_id": mm.channel_id("demo", "town-square").unwrap(), "message": "x".repeat(16_384)});
    let post = async || call(&mm, &admin, "POST", "/api/v4/posts", &body).await.0;
    assert_eq!(post().await, 400);
    mm.set_version(Version::V12);
    assert_eq!(post().await, 201);
    mm.configure(|settings| settings.max_post_size = 4_000);
    mm.set_version(Version::V11);
    assert_eq!((post().await, mm.settings().max_post_size), (400, 4_000));
}
