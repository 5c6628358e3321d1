//! Login and logout, and the tokens of people.

use crate::client::{VERSIONS, call, demo, done, refusal};
use bytes::Bytes;
use cloud_apps_standin::{Kind, Standin};
use http::{Request, Response};
use serde_json::{Value, json};

async fn login(mm: &Standin, body: &Value) -> Response<Bytes> {
    let request = Request::post("/api/v4/users/login").body(Bytes::from(body.to_string())).unwrap();
    mm.respond(request).await.unwrap()
}

fn token(answer: &Response<Bytes>) -> String {
    answer.headers()["token"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_login_works_until_the_logout_and_leaves_nothing() {
    for version in VERSIONS {
        let (mm, _) = demo(version);
        mm.configure(|settings| settings.enable_user_access_tokens = false);
        mm.set_password("admin", "secret").unwrap();
        let before = mm.snapshot();
        for name in ["admin", "ADMIN", "admin@example.com"] {
            let answer = login(&mm, &json!({"login_id": name, "password": "secret"})).await;
            assert_eq!(answer.status(), 200);
            let token = token(&answer);
            assert_eq!(mm.snapshot().of(Kind::Session).len(), 1);
            assert_eq!(call(&mm, &token, "GET", "/api/v4/users/me", &Value::Null).await.0, 200);
            done(&mm, &token, "POST", "/api/v4/users/logout", &Value::Null).await;
            assert_eq!(call(&mm, &token, "GET", "/api/v4/users/me", &Value::Null).await.0, 401);
        }
        assert_eq!(before.difference(&mm.snapshot()), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_logout_with_a_personal_token_ends_nothing() {
    let (mm, admin) = demo(VERSIONS[1]);
    done(&mm, &admin, "POST", "/api/v4/users/logout", &Value::Null).await;
    assert_eq!(call(&mm, &admin, "GET", "/api/v4/users/me", &Value::Null).await.0, 200);
}

#[tokio::test]
async fn a_session_ends_after_thirty_days() {
    let (mm, _) = demo(VERSIONS[1]);
    mm.set_password("alice", "secret").unwrap();
    mm.set_clock(|| 1_000);
    let token = token(&login(&mm, &json!({"login_id": "alice", "password": "secret"})).await);
    for (day, status) in [(29, 200), (31, 401)] {
        mm.set_clock(move || day * 24 * 60 * 60 * 1000);
        assert_eq!(call(&mm, &token, "GET", "/api/v4/users/me", &Value::Null).await.0, status);
    }
}

#[tokio::test]
async fn a_refused_login_says_why_only_where_the_server_does() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        mm.configure(|settings| settings.enable_multifactor_authentication = true);
        for name in ["alice", "bob", "carol"] {
            mm.set_password(name, "secret").unwrap();
        }
        mm.set_mfa_code("bob", "123456").unwrap();
        mm.add_bot("helper", "helps").unwrap();
        let carol = format!("/api/v4/users/{}", mm.user("carol").unwrap().id);
        done(&mm, &admin, "DELETE", &carol, &Value::Null).await;
        let path = "/api/v4/users/login";
        for (body, status, id) in [
            (
                json!({"login_id": "alice", "password": "wrong"}),
                401,
                "api.user.login.invalid_credentials_email_username",
            ),
            (
                json!({"login_id": "nobody", "password": "x"}),
                401,
                "api.user.login.invalid_credentials_email_username",
            ),
            (json!({"login_id": "alice"}), 400, "api.user.login.blank_pwd.app_error"),
            (
                json!({"login_id": "helper", "password": "x"}),
                401,
                "api.user.login.bot_login_forbidden.app_error",
            ),
            (json!({"login_id": "carol", "password": "secret"}), 401, "api.user.login.inactive.app_error"),
            (
                json!({"login_id": "bob", "password": "secret"}),
                401,
                "mfa.validate_token.authenticate.app_error",
            ),
            (
                json!({"login_id": "bob", "password": "secret", "token": "000000"}),
                401,
                "api.user.check_user_mfa.bad_code.app_error",
            ),
        ] {
            let (was, why, _) = refusal(&mm, "", "POST", path, &body).await;
            assert_eq!((was, why.as_str()), (status, id), "{body}");
        }
        let right = json!({"login_id": "bob", "password": "secret", "token": "123456"});
        assert_eq!(login(&mm, &right).await.status(), 200);
    }
}

#[tokio::test]
async fn too_many_wrong_passwords_lock_an_account() {
    let (mm, _) = demo(VERSIONS[1]);
    mm.configure(|settings| settings.maximum_login_attempts = 2);
    mm.set_password("alice", "secret").unwrap();
    for _ in 0..2 {
        login(&mm, &json!({"login_id": "alice", "password": "wrong"})).await;
    }
    let body = json!({"login_id": "alice", "password": "secret"});
    let (status, id, _) = refusal(&mm, "", "POST", "/api/v4/users/login", &body).await;
    assert_eq!((status, id.as_str()), (401, "api.user.check_user_login_attempts.too_many.app_error"));
}

#[tokio::test]
async fn sessions_are_listed_without_their_tokens_and_can_be_ended() {
    let (mm, admin) = demo(VERSIONS[1]);
    mm.set_password("alice", "secret").unwrap();
    let body = json!({"login_id": "alice", "password": "secret"});
    let (first, second) = (token(&login(&mm, &body).await), token(&login(&mm, &body).await));
    let list = done(&mm, &first, "GET", "/api/v4/users/me/sessions", &Value::Null).await;
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert!(!list.to_string().contains(&first) && !list.to_string().contains(&second));
    let path = format!("/api/v4/users/{}/sessions/revoke", mm.user("alice").unwrap().id);
    let bob = mm.add_token("bob").unwrap();
    let first_id = json!({"session_id": list[0]["id"]});
    assert_eq!(call(&mm, &bob, "POST", &path, &first_id).await.0, 403);
    done(&mm, &admin, "POST", &path, &first_id).await;
    assert_eq!(call(&mm, &first, "GET", "/api/v4/users/me", &Value::Null).await.0, 401);
    done(&mm, &second, "POST", &format!("{path}/all"), &Value::Null).await;
    assert_eq!(mm.snapshot().of(Kind::Session).len(), 0);
}

#[tokio::test]
async fn personal_tokens_of_people_need_the_setting_and_those_of_bots_do_not() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        let (_, bot) = mm.add_bot("helper", "helps").unwrap();
        mm.configure(|settings| settings.enable_user_access_tokens = false);
        assert_eq!(call(&mm, &admin, "GET", "/api/v4/users/me", &Value::Null).await.0, 401);
        assert_eq!(call(&mm, &bot, "GET", "/api/v4/users/me", &Value::Null).await.0, 200);
    }
}

#[tokio::test]
async fn a_token_is_made_found_disabled_enabled_and_revoked_by_those_who_may() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        let alice = mm.add_token("alice").unwrap();
        let id = mm.user("alice").unwrap().id;
        let tokens = format!("/api/v4/users/{id}/tokens");
        let body = json!({"description": "mine"});
        assert_eq!(call(&mm, &alice, "POST", &tokens, &body).await.0, 403);
        mm.add_role("alice", "system_user_access_token").unwrap();
        let made = done(&mm, &alice, "POST", &tokens, &body).await;
        let secret = made["token"].as_str().unwrap().to_owned();
        assert_eq!(call(&mm, &alice, "POST", &tokens, &json!({})).await.0, 400);
        let named = json!({"token_id": made["id"]});
        for path in [tokens, "/api/v4/users/tokens".to_owned()] {
            let list = done(&mm, &admin, "GET", &path, &Value::Null).await;
            assert!(list.as_array().unwrap().iter().any(|token| token["id"] == made["id"]));
            assert!(!list.to_string().contains(&secret));
        }
        let search = "/api/v4/users/tokens/search";
        let found = done(&mm, &admin, "POST", search, &json!({"term": "ali"})).await;
        assert_eq!(found.as_array().unwrap().len(), 2);
        assert_eq!(call(&mm, &alice, "POST", search, &json!({"term": "ali"})).await.0, 403);
        for (step, status) in [("disable", 401), ("enable", 200), ("revoke", 401)] {
            let bob = mm.add_token("bob").unwrap();
            let path = format!("/api/v4/users/tokens/{step}");
            assert_eq!(call(&mm, &bob, "POST", &path, &named).await.0, 403);
            done(&mm, &admin, "POST", &path, &named).await;
            assert_eq!(call(&mm, &secret, "GET", "/api/v4/users/me", &Value::Null).await.0, status, "{step}");
        }
        let gone = refusal(&mm, &admin, "POST", "/api/v4/users/tokens/revoke", &named).await;
        assert_eq!((gone.0, gone.1.as_str()), (404, "app.user_access_token.get_by_user.app_error"));
    }
}
