//! Tokens that end, from 11.9 on.

use crate::client::{call, demo, done};
use cloud_apps_standin::{Standin, Version};
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000_000;
const DAY: u64 = 24 * 60 * 60 * 1000;

/// A server with a limit of 30 days; its admin's token, a bot's id, and the id and secret of the bot's token, which never
/// ends.
struct Site {
    mm: Standin,
    admin: String,
    bot: String,
    id: String,
    secret: String,
}

impl Site {
    async fn new(version: Version) -> Site {
        let (mm, admin) = demo(version);
        mm.set_clock(|| NOW);
        let (bot, secret) = mm.add_bot("robot", "works").unwrap();
        let path = format!("/api/v4/users/{bot}/tokens");
        let list = done(&mm, &admin, "GET", &path, &Value::Null).await;
        let id = list[0]["id"].as_str().unwrap().to_owned();
        mm.configure(|settings| settings.maximum_personal_access_token_lifetime_days = 30);
        Site { mm, admin, bot, id, secret }
    }

    /// Creates a token of the user; returns the status, and the id of the error or the end.
    async fn create(&self, user: &str, expires_at: Value) -> (u16, Value) {
        let path = format!("/api/v4/users/{user}/tokens");
        let body = json!({"description": "x", "expires_at": expires_at});
        let (status, body) = call(&self.mm, &self.admin, "POST", &path, &body).await;
        (status, if status == 200 { body["expires_at"].clone() } else { body["id"].clone() })
    }

    async fn rotate(&self, token: &str, body: Value) -> (u16, Value) {
        call(&self.mm, token, "POST", "/api/v4/users/tokens/rotate", &body).await
    }

    /// The status that the bearer of a token gets.
    async fn works(&self, token: &str) -> u16 {
        call(&self.mm, token, "GET", "/api/v4/users/me", &Value::Null).await.0
    }
}

fn error(name: &str) -> (u16, Value) {
    (400, json!(format!("app.user_access_token.{name}.app_error")))
}

#[tokio::test]
async fn a_limit_holds_for_people_since_11_9_and_for_bots_since_12() {
    for version in Version::ALL {
        let site = Site::new(version).await;
        let alice = site.mm.user("alice").unwrap().id;
        for (user, limited) in [(&alice, version >= Version::V11_9), (&site.bot, version >= Version::V12)] {
            let latest = NOW + 30 * DAY;
            let made = |end: u64| (200, if version >= Version::V11_9 { json!(end) } else { Value::Null });
            for (expires_at, refused) in [
                (json!(0), Some("expires_at_required")),
                (Value::Null, Some("expires_at_required")),
                (json!(NOW), Some("expires_at_in_past")),
                (json!(-1), Some("expires_at_in_past")),
                (json!(latest + 1), Some("expires_at_too_far")),
                (json!(NOW + 1), None),
                (json!(latest), None),
            ] {
                let answer = site.create(user, expires_at.clone()).await;
                match refused.filter(|_| limited) {
                    Some(name) => assert_eq!(answer, error(name), "{version:?} {expires_at}"),
                    None if expires_at == json!(-1) => assert_eq!(answer.0, 200),
                    None => assert_eq!(answer, made(expires_at.as_u64().unwrap_or(0)), "{version:?}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn without_a_limit_a_token_may_end_and_need_not() {
    let site = Site::new(Version::V12).await;
    site.mm.configure(|settings| settings.maximum_personal_access_token_lifetime_days = 0);
    assert_eq!(site.create(&site.bot, json!(0)).await, (200, json!(0)));
    let far = NOW + 4_000 * DAY;
    assert_eq!(site.create(&site.bot, json!(far)).await, (200, json!(far)));
    assert_eq!(site.create(&site.bot, json!(NOW)).await, error("expires_at_in_past"));
}

#[tokio::test]
async fn a_token_that_has_ended_is_none() {
    let site = Site::new(Version::V12).await;
    let body = json!({"description": "x", "expires_at": NOW + DAY});
    let path = format!("/api/v4/users/{}/tokens", site.bot);
    let token = done(&site.mm, &site.admin, "POST", &path, &body).await;
    let token = token["token"].as_str().unwrap();
    site.mm.set_clock(|| NOW + DAY - 1);
    assert_eq!(site.works(token).await, 200);
    site.mm.set_clock(|| NOW + DAY);
    let (status, body) = call(&site.mm, token, "GET", "/api/v4/users/me", &Value::Null).await;
    assert_eq!((status, &body["id"]), (401, &json!("api.context.session_expired.app_error")));
    // It is still listed, with its end and without its secret, and 11.6 does not know that it has one.
    let list = done(&site.mm, &site.admin, "GET", &path, &Value::Null).await;
    assert_eq!((&list[1]["expires_at"], &list[1]["token"]), (&json!(NOW + DAY), &Value::Null));
    site.mm.set_version(Version::V11);
    assert_eq!(site.works(token).await, 200);
    let list = done(&site.mm, &site.admin, "GET", &path, &Value::Null).await;
    assert_eq!(list[1].get("expires_at"), None);
}

#[tokio::test]
async fn a_rotation_replaces_the_secret_at_once_and_its_end_too() {
    for version in [Version::V11_10, Version::V12] {
        let site = Site::new(version).await;
        let end = NOW + 7 * DAY;
        let (status, new) = site.rotate(&site.admin, json!({"token_id": site.id, "expires_at": end})).await;
        assert_eq!((status, &new["expires_at"], &new["id"]), (200, &json!(end), &json!(site.id)));
        let secret = new["token"].as_str().unwrap();
        assert_eq!((site.works(&site.secret).await, site.works(secret).await), (401, 200));
        // Without `expires_at` it has no end, which 12 then refuses, and the token stays as it was.
        let (status, again) = site.rotate(&site.admin, json!({"token_id": site.id})).await;
        if version >= Version::V12 {
            let (wanted, id) = error("expires_at_required");
            assert_eq!((status, &again["id"]), (wanted, &id));
            assert_eq!(site.works(secret).await, 200);
        } else {
            assert_eq!((status, &again["expires_at"]), (200, &json!(0)));
        }
    }
}

#[tokio::test]
async fn what_cannot_be_rotated() {
    let site = Site::new(Version::V12).await;
    let end = NOW + DAY;
    for (body, status, id) in [
        (json!({}), 400, "api.context.invalid_body_param.app_error"),
        (json!({"token_id": 1}), 400, "api.context.invalid_body_param.app_error"),
        (
            json!({"token_id": "abcdefghijklmnopqrstuvwxyz", "expires_at": end}),
            404,
            "app.user_access_token.get_by_user.app_error",
        ),
    ] {
        let (found, answer) = site.rotate(&site.admin, body.clone()).await;
        assert_eq!((found, &answer["id"]), (status, &json!(id)), "{body}");
    }
    let body = json!({"token_id": site.id, "expires_at": end});
    done(&site.mm, &site.admin, "POST", "/api/v4/users/tokens/disable", &body).await;
    let (status, answer) = site.rotate(&site.admin, body.clone()).await;
    let disabled = "api.user.rotate_user_access_token.disabled_token.app_error";
    assert_eq!((status, &answer["id"]), (400, &json!(disabled)));
    site.mm.set_version(Version::V11_9);
    let (status, answer) = site.rotate(&site.admin, body).await;
    assert_eq!((status, &answer["id"]), (404, &json!("api.context.404.app_error")));
}

#[tokio::test]
async fn a_bot_renews_its_own_token_only_as_a_system_admin() {
    let site = Site::new(Version::V12).await;
    let body = json!({"token_id": site.id, "expires_at": NOW + DAY});
    assert_eq!(site.rotate(&site.secret, body.clone()).await.0, 403);
    site.mm.add_role("robot", "system_user_access_token").unwrap();
    assert_eq!(site.rotate(&site.secret, body.clone()).await.0, 403);
    let path = format!("/api/v4/users/{}/tokens", site.bot);
    let new = json!({"description": "x", "expires_at": NOW + DAY});
    assert_eq!(call(&site.mm, &site.secret, "POST", &path, &new).await.0, 403);
    site.mm.add_role("robot", "system_admin").unwrap();
    assert_eq!(site.rotate(&site.secret, body).await.0, 200);
}

#[tokio::test]
async fn an_admin_revokes_the_tokens_that_live_too_long() {
    for version in [Version::V11_9, Version::V12] {
        let site = Site::new(version).await;
        site.mm.configure(|settings| settings.maximum_personal_access_token_lifetime_days = 0);
        let revoke = async || {
            call(&site.mm, &site.admin, "POST", "/api/v4/users/tokens/non_compliant/revoke", &Value::Null)
                .await
        };
        let no_policy = "app.user_access_token.revoke_non_compliant.no_policy.app_error";
        let (status, answer) = revoke().await;
        assert_eq!((status, &answer["id"]), (400, &json!(no_policy)));
        site.mm.configure(|settings| settings.maximum_personal_access_token_lifetime_days = 30);
        // The admin's own token never ends either.
        let count = if version >= Version::V12 { 2 } else { 1 };
        let path = "/api/v4/users/tokens/non_compliant/count";
        let counted = done(&site.mm, &site.admin, "GET", path, &Value::Null).await;
        assert_eq!(counted, json!({"count": count}));
        assert_eq!(revoke().await.1, json!({"count": count}));
        assert_eq!(site.works(&site.admin).await, 401);
        assert_eq!(site.works(&site.secret).await, if version >= Version::V12 { 401 } else { 200 });
    }
}
