//! What a snapshot shows, and what it does not.

use crate::client::{VERSIONS, demo, done};
use cloud_apps_standin::{Kind, Standin, Version};
use serde_json::{Value, json};

/// Adds one of each thing that an integration can leave behind; returns their paths.
async fn install(mm: &Standin, admin: &str) -> Vec<String> {
    let bot = done(mm, admin, "POST", "/api/v4/bots", &json!({"username": "helper"})).await;
    let bot = bot["user_id"].as_str().unwrap();
    let tokens = format!("/api/v4/users/{bot}/tokens");
    let token = done(mm, admin, "POST", &tokens, &json!({"description": "the app"})).await;
    let team = mm.team_id("demo").unwrap();
    let members = format!("/api/v4/teams/{team}/members");
    done(mm, admin, "POST", &members, &json!({"team_id": team, "user_id": bot})).await;
    let channel = mm.channel_id("demo", "town-square").unwrap();
    let mut paths = Vec::new();
    for (path, body) in [
        (
            "commands",
            json!({"team_id": team, "trigger": "hi", "method": "P", "url": "http://a.test/c?key=hidden"}),
        ),
        (
            "hooks/outgoing",
            json!({"team_id": team, "channel_id": channel, "callback_urls": ["http://a.test/h?key=hidden"]}),
        ),
        ("hooks/incoming", json!({"channel_id": channel, "display_name": "in"})),
        (
            "oauth/apps",
            json!({"name": "Hello", "homepage": "http://a.test/", "callback_urls": ["http://a.test/b"]}),
        ),
    ] {
        let made = done(mm, admin, "POST", &format!("/api/v4/{path}"), &body).await;
        paths.push(format!("/api/v4/{path}/{}", made["id"].as_str().unwrap()));
    }
    paths.push(format!("/api/v4/users/tokens/revoke {}", token["id"].as_str().unwrap()));
    paths.push(format!("/api/v4/bots/{bot}/disable"));
    paths
}

async fn uninstall(mm: &Standin, admin: &str, paths: &[String]) {
    for path in paths {
        if let Some((revoke, id)) = path.split_once(' ') {
            done(mm, admin, "POST", revoke, &json!({"token_id": id})).await;
        } else if path.ends_with("/disable") {
            done(mm, admin, "POST", path, &Value::Null).await;
        } else {
            done(mm, admin, "DELETE", path, &Value::Null).await;
        }
    }
}

fn installed(version: Version) -> (Standin, String) {
    let (mm, admin) = demo(version);
    mm.configure(|settings| settings.enable_oauth_service_provider = true);
    (mm, admin)
}

#[tokio::test]
async fn after_an_uninstallation_nothing_is_in_use_that_was_not_before() {
    for version in VERSIONS {
        let (mm, admin) = installed(version);
        let before = mm.snapshot();
        let paths = install(&mm, &admin).await;
        for kind in [Kind::Bot, Kind::Command, Kind::OutgoingWebhook, Kind::IncomingWebhook, Kind::OAuthApp] {
            assert_eq!(mm.snapshot().of(kind).len(), 1, "{kind:?}");
        }
        uninstall(&mm, &admin, &paths).await;
        assert_eq!(before.in_use().difference(&mm.snapshot().in_use()), Vec::<String>::new());
        // The bot itself can only be disabled.
        assert_eq!(mm.snapshot().of(Kind::Bot).len(), 1);
    }
}

#[tokio::test]
async fn each_thing_that_is_left_is_named() {
    let (mm, admin) = installed(Version::V11);
    let before = mm.snapshot().in_use();
    let paths = install(&mm, &admin).await;
    for (left, words) in [
        (0, "+ command /hi in demo: POST http://a.test/c, by admin"),
        (1, "+ outgoing webhook of demo/town-square: to http://a.test/h, words []"),
        (2, "+ incoming webhook to demo/town-square: by admin, \"in\""),
        (3, "+ OAuth app \"Hello\": back to http://a.test/b, not trusted, with a secret, by admin"),
        (4, "+ token of helper: active, \"the app\""),
        (5, "+ bot helper: enabled, of \"admin\", system_user"),
    ] {
        let (mm, admin) = installed(Version::V11);
        let mut removed = install(&mm, &admin).await;
        assert_eq!(removed, paths, "the same seed makes the same ids");
        removed.remove(left);
        uninstall(&mm, &admin, &removed).await;
        let difference = before.difference(&mm.snapshot().in_use());
        assert!(difference.iter().any(|line| line.starts_with(words)), "{words}: {difference:#?}");
    }
}

#[tokio::test]
async fn what_was_changed_is_gone_and_new() {
    let (mm, admin) = installed(Version::V11);
    let before = mm.snapshot();
    let alice = mm.user("alice").unwrap().id;
    let path = format!("/api/v4/users/{alice}/roles");
    done(&mm, &admin, "PUT", &path, &json!({"roles": "system_user system_post_all"})).await;
    let wanted = [
        format!("- person alice: enabled, system_user [{alice}]"),
        format!("+ person alice: enabled, system_user system_post_all [{alice}]"),
    ];
    let mut found = before.difference(&mm.snapshot());
    found.sort_by(|one, other| other.cmp(one));
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn a_snapshot_holds_no_secret() {
    let (mm, admin) = installed(Version::V11);
    let paths = install(&mm, &admin).await;
    mm.set_password("alice", "passphrase").unwrap();
    let shown = format!("{0} {0:?}", mm.snapshot());
    let mut secrets = vec![admin.clone(), "passphrase".to_owned(), "hidden".to_owned()];
    for path in &paths[..4] {
        let made = done(&mm, &admin, "GET", path, &Value::Null).await;
        let keys = ["token", "client_secret"];
        secrets.extend(keys.iter().filter_map(|key| made[key].as_str()).map(str::to_owned));
    }
    // Who knows the id of an incoming webhook can use it.
    secrets.push(paths[2].rsplit('/').next().unwrap().to_owned());
    assert_eq!(secrets.len(), 7);
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        assert!(!shown.contains(secret.as_str()), "{secret}");
    }
}
