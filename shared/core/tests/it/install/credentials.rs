//! Who obtains which credential, tried by those who must not: a thief with the secret that was replaced, the holder of a
//! manage code, a stranger.

use super::{bad_manage_code, managed, ok, serving, unauthorized};

use crate::desk::{Answered, COMMAND, Desk, NEXT_TOKEN, NOW, SLASH_TOKEN, TEAM, request, rotation};
use http::{Method, StatusCode};
use serde_json::{Value, json};

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

/// A generation of an install's shared secret: its kid, and the secret.
type Held = (String, String);

fn held(changed: &Value) -> Held {
    let text = |key: &str| changed[key].as_str().unwrap_or_else(|| panic!("no {key}: {changed}")).to_owned();
    (text("kid"), text("shared_secret"))
}

async fn signed(desk: &Desk, id: &str, method: Method, body: &str, with: &Held, scope: &str) -> Answered {
    desk.send(desk.signed(method, &format!("/install/{id}"), body, &with.0, &with.1, scope)).await
}

async fn patch(desk: &Desk, id: &str, body: &Value, with: &Held) -> Answered {
    signed(desk, id, Method::PATCH, &body.to_string(), with, "admin").await
}

/// An install, and its first secret.
async fn installed(desk: &Desk) -> (String, Held) {
    let (id, kid, secret) = serving(desk).await;
    (id, (kid, secret))
}

fn at_once(mut rotation: Value) -> Value {
    rotation["now"] = true.into();
    rotation
}

/// Everything that is asked of an install, with the secret that was replaced: all of it is the same refusal, and nothing
/// changes.
async fn gets_nothing(desk: &Desk, id: &str, stolen: &Held) {
    let rev = desk.stored(id).await.unwrap().rev;
    let guess = rotation(99);
    for patched in [
        guess.clone(),
        at_once(guess),
        json!({"rotate": "shared_secret"}),
        json!({"rotate": "shared_secret", "rotation": ""}),
        json!({"rotate": "shared_secret", "rotation": null}),
        json!({"rotate": "static_token"}),
        json!({"rotate": "bot_token", "access_token": NEXT_TOKEN}),
        json!({"rotate": "webhook:tickets"}),
        json!({"rebase": "https://evil.example.com"}),
        json!({"enabled": false}),
        json!({"settings": {"site": "https://evil.example.com"}}),
        json!({}),
        json!([]),
    ] {
        unauthorized(&patch(desk, id, &patched, stolen).await);
    }
    unauthorized(&signed(desk, id, Method::PATCH, "no JSON", stolen, "admin").await);
    unauthorized(&signed(desk, id, Method::DELETE, "", stolen, "admin").await);
    for scope in ["user", "bot", "admin"] {
        unauthorized(&signed(desk, id, Method::GET, "", stolen, scope).await);
    }
    assert_eq!(desk.stored(id).await.unwrap().rev, rev);
}

#[tokio::test]
async fn a_thief_with_the_secret_that_was_replaced_gets_nothing() {
    let mut desk = Desk::new().await;
    let (id, first) = installed(&desk).await;
    let second = held(&desk.change(&id, &rotation(1)).await);
    assert!(second.0.ends_with(".2") && second.1 != first.1);
    gets_nothing(&desk, &id, &first).await;
    ok(signed(&desk, &id, Method::GET, "", &second, "bot").await);

    // Two rotations on, and when its day is over.
    let third = held(&patch(&desk, &id, &rotation(2), &second).await.body);
    gets_nothing(&desk, &id, &first).await;
    gets_nothing(&desk, &id, &second).await;
    desk.now += DAY;
    gets_nothing(&desk, &id, &second).await;
    ok(signed(&desk, &id, Method::GET, "", &third, "bot").await);
}

/// The documented way out of a leak: another key, then other secrets from it.
#[tokio::test]
async fn a_new_key_is_out_of_a_thiefs_reach() {
    let mut desk = Desk::new().await;
    let (id, first) = installed(&desk).await;
    desk.operator(json!({"do": "rotate_keys", "app": "hello"})).await;
    desk.now += 15 * MINUTE;
    let rotated = held(&desk.change(&id, &rotation(1)).await);
    assert!(rotated.0.starts_with("hello.2.") && rotated.0.ends_with(".2"), "{}", rotated.0);
    gets_nothing(&desk, &id, &first).await;
    ok(signed(&desk, &id, Method::GET, "", &rotated, "bot").await);
    desk.operator(json!({"do": "revoke_key", "app": "hello", "key": "1", "force": true})).await;
    gets_nothing(&desk, &id, &first).await;
    ok(signed(&desk, &id, Method::GET, "", &rotated, "bot").await);
}

#[tokio::test]
async fn a_lost_answer_is_got_again_by_its_rotation_for_ten_minutes_with_either_secret() {
    for wanted in [rotation(1), at_once(rotation(1))] {
        let mut desk = Desk::new().await;
        let (id, first) = installed(&desk).await;
        let mut request = desk.signed(
            Method::PATCH,
            &format!("/install/{id}"),
            &wanted.to_string(),
            &first.0,
            &first.1,
            "admin",
        );
        // The answer is given again although the rotation has changed what it built on.
        request.headers_mut().insert(http::header::IF_MATCH, "3".parse().unwrap());
        let answered = ok(desk.send(request).await);
        let second = held(&answered);
        desk.now += 10 * MINUTE - 1;
        for with in [&first, &second] {
            let again = ok(patch(&desk, &id, &wanted, with).await);
            assert_eq!((&held(&again), &again["rev"]), (&second, &answered["rev"]));
        }
        assert_eq!(held(&desk.change(&id, &wanted).await), second, "an operator's, too");
        desk.now += 1;
        unauthorized(&patch(&desk, &id, &wanted, &first).await);
        let late = patch(&desk, &id, &wanted, &second).await;
        assert_eq!((late.status, late.code()), (StatusCode::CONFLICT, "version_conflict"));
        assert!(late.message().contains("send another `rotation`"), "{}", late.message());
        assert_eq!(desk.stored(&id).await.unwrap().generation.0, 2, "it is not rotated once more");
    }
}

#[tokio::test]
async fn a_rotation_that_was_followed_by_another_is_told_to_nobody() {
    let desk = Desk::new().await;
    let (id, first) = installed(&desk).await;
    let second = held(&ok(patch(&desk, &id, &rotation(1), &first).await));
    desk.change(&id, &rotation(2)).await;
    unauthorized(&patch(&desk, &id, &rotation(1), &first).await);
    unauthorized(&patch(&desk, &id, &rotation(1), &second).await);
}

/// Of two that rotate at once one is told; with its own id the other learns nothing of what was made.
#[tokio::test]
async fn whoever_was_slower_does_not_get_the_others_secret() {
    let desk = Desk::new().await;
    let (id, first) = installed(&desk).await;
    let path = format!("/install/{id}");
    let mut slow = desk.signed(Method::PATCH, &path, &rotation(2).to_string(), &first.0, &first.1, "admin");
    slow.headers_mut().insert(http::header::IF_MATCH, "3".parse().unwrap());
    ok(patch(&desk, &id, &rotation(1), &first).await);
    unauthorized(&desk.send(slow).await);
    unauthorized(&patch(&desk, &id, &rotation(2), &first).await);
}

#[tokio::test]
async fn the_secret_before_ends_after_a_day_or_at_once() {
    let desk = Desk::new().await;
    let (id, _) = installed(&desk).await;
    desk.change(&id, &rotation(1)).await;
    assert_eq!(desk.stored(&id).await.unwrap().previous_until, Some(NOW + DAY));
    // The same rotation again, once the leak is known.
    desk.change(&id, &at_once(rotation(1))).await;
    let install = desk.stored(&id).await.unwrap();
    assert_eq!((install.previous_until, install.generation.0), (None, 2));
    desk.change(&id, &at_once(rotation(2))).await;
    let install = desk.stored(&id).await.unwrap();
    assert_eq!((install.previous_until, install.generation.0), (None, 3));
}

#[tokio::test]
async fn a_rotation_is_named_by_128_bits_and_the_name_is_not_kept() {
    let desk = Desk::new().await;
    let (id, _) = installed(&desk).await;
    let name = rotation(1)["rotation"].as_str().unwrap().to_owned();
    for bad in [
        json!(null),
        json!(7),
        json!(""),
        json!(name[1..]),
        json!(format!("{name}A")),
        json!(format!("{name}==")),
        json!(name.replace('A', "+")),
        // The last character has four bits that count for nothing: one spelling for each name.
        json!(format!("{}B", &name[..21])),
    ] {
        let body = json!({"rotate": "shared_secret", "rotation": bad});
        let refused = desk.refused_change(&id, &body).await;
        assert!(refused.contains("22 characters of base64url"), "{bad}: {refused}");
        assert!(bad.as_str().is_none_or(|bad| bad.is_empty() || !refused.contains(bad)), "{refused}");
    }
    let neither = json!({"rotate": "shared_secret", "rotation": name, "now": "yes"});
    assert!(desk.refused_change(&id, &neither).await.contains("now is neither true nor false"));
    assert_eq!(desk.stored(&id).await.unwrap().generation.0, 1);
    desk.change(&id, &rotation(1)).await;
    assert!(!desk.memory.dump().contains(&name));
}

#[tokio::test]
async fn a_manage_code_obtains_nothing_that_outlives_it_and_moves_nothing() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let mut install = desk.stored(&id).await.unwrap();
    install.granted.webhooks.insert("tickets".into());
    desk.memory.put_install(install.clone());
    // Not even of a rotation whose name it knows.
    desk.change(&id, &rotation(1)).await;
    let before = desk.stored(&id).await.unwrap();
    for (patch, command) in [
        (rotation(1), "cloud-apps rotate shared-secret"),
        (rotation(2), "cloud-apps rotate shared-secret"),
        (json!({"rotate": "shared_secret"}), "cloud-apps rotate shared-secret"),
        (json!({"rotate": "static_token"}), "cloud-apps rotate static-token"),
        (json!({"rotate": "webhook:tickets"}), "cloud-apps rotate webhook"),
        (json!({"rotate": "webhook:sales"}), "cloud-apps rotate webhook"),
        (json!({"rebase": "https://evil.example.com"}), "cloud-apps sync --base-url URL"),
        (json!({"rebase": 7}), "cloud-apps sync --base-url URL"),
    ] {
        let refused = desk.patch(&id, &code, &patch).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "forbidden"), "{patch}");
        assert!(refused.message().contains(command), "{}", refused.message());
    }
    assert_eq!(desk.stored(&id).await.unwrap(), before);
    let credentials = ["shared_secret", "static_token", "webhook_secret", "kid"];
    let shown = ok(desk.send(request(Method::GET, &format!("/install/{id}"), None, Some(&code))).await);
    let changed = ok(desk.patch(&id, &code, &json!({"enabled": false})).await);
    for answer in [shown, changed] {
        assert!(credentials.iter().all(|key| answer.get(key).is_none()), "{answer}");
    }
}

/// A manage code registers slash commands, and its holder may choose their tokens. What it registered ends when the
/// operator revokes the codes; what others registered goes on.
#[tokio::test]
async fn a_token_that_a_manage_code_registered_ends_when_the_codes_are_revoked() {
    const CHOSEN: &str = "ch7osen5inzfn75kzmgg8cozbg";
    let command = |token: &str| {
        json!({"register": [
            {"kind": "slash_command", "team_id": TEAM, "id": COMMAND, "trigger": "hello", "token": token},
        ]})
    };
    let mut desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    assert_eq!(desk.slash(&id, SLASH_TOKEN).await.body["text"], "Hello!", "registered with the install");

    // A registration that does not change stays the installer's, also if somebody else sends it again.
    ok(desk.patch(&id, &code, &command(SLASH_TOKEN)).await);
    desk.operator(json!({"do": "revoke_manage_codes", "install_id": id})).await;
    assert_eq!(desk.slash(&id, SLASH_TOKEN).await.body["text"], "Hello!");

    desk.now += 1;
    let code = desk.manage_code(&id).await;
    ok(desk.patch(&id, &code, &command(CHOSEN)).await);
    assert_eq!(desk.slash(&id, CHOSEN).await.body["text"], "Hello!", "while the code stands");
    let shown = desk.operator(json!({"do": "revoke_manage_codes", "install_id": id})).await;
    unauthorized(&desk.slash(&id, CHOSEN).await);
    unauthorized(&desk.slash(&id, SLASH_TOKEN).await);
    // It is shown as what is to be removed and registered again.
    assert!(shown["install_id"].is_string() && shown.get("registered").is_none(), "{shown}");
    assert_eq!(shown["leftovers"][0]["id"], COMMAND, "{shown}");

    desk.change(&id, &command(SLASH_TOKEN)).await;
    assert_eq!(desk.slash(&id, SLASH_TOKEN).await.body["text"], "Hello!");
    unauthorized(&desk.slash(&id, CHOSEN).await);
}

/// Whatever the body is, and however deep: who proves nothing reads one and the same.
#[tokio::test]
async fn a_stranger_is_answered_alike_whatever_the_body_of_a_change_is() {
    let desk = Desk::new().await;
    let (id, first) = installed(&desk).await;
    let forged = (first.0.clone(), "A".repeat(43));
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", "{", "null", "[]", "{\"enabled\":false}", "\u{0}", &nested] {
        unauthorized(&signed(&desk, &id, Method::PATCH, body, &forged, "admin").await);
        for token in [None, Some("short")] {
            let mut bare = request(Method::PATCH, &format!("/install/{id}"), None, token);
            *bare.body_mut() = body.as_bytes().to_vec().into();
            let answered = desk.send(bare).await;
            assert_eq!((answered.status, answered.code()), (StatusCode::UNAUTHORIZED, "unauthorized"));
        }
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_spends_the_token_that_is_good_for_it_alone() {
    let desk = Desk::new().await;
    let (id, (kid, secret)) = installed(&desk).await;
    let path = format!("/install/{id}");
    let token = desk.signed(Method::PATCH, &path, "{\"enabled\":", &kid, &secret, "admin");
    let first = desk.send(token.clone()).await;
    assert_eq!((first.status, first.code()), (StatusCode::BAD_REQUEST, "bad_json"));
    let mut fixed = token.clone();
    *fixed.body_mut() = "{\"enabled\":false}".into();
    assert_eq!(desk.send(fixed).await.code(), "body_mismatch", "it is good for no other body");
    assert_eq!(desk.send(token).await.code(), "duplicate");
    let code = desk.manage_code(&id).await;
    let mut by_code = request(Method::PATCH, &path, None, Some(&code));
    *by_code.body_mut() = "{\"enabled\":".into();
    assert_eq!(desk.send(by_code).await.code(), "bad_json");
    ok(desk.patch(&id, &code, &json!({"enabled": false})).await);
}

/// What is left on the server is told to who might have removed the install, and to nobody whose credential was over before.
#[tokio::test]
async fn of_a_removed_install_nothing_is_told_for_a_credential_that_was_over_before() {
    let mut desk = Desk::new().await;
    let (id, first) = installed(&desk).await;
    let second = held(&desk.change(&id, &rotation(1)).await);
    let third = held(&desk.change(&id, &rotation(2)).await);
    let revoked = desk.manage_code(&id).await;
    desk.now += MINUTE;
    desk.operator(json!({"do": "revoke_manage_codes", "install_id": id})).await;
    desk.now += MINUTE;
    let code = desk.manage_code(&id).await;
    let removed = ok(signed(&desk, &id, Method::DELETE, "", &third, "admin").await);
    for over in [&first, &second] {
        unauthorized(&signed(&desk, &id, Method::DELETE, "", over, "admin").await);
    }
    bad_manage_code(&desk.delete(&id, &revoked).await);
    assert_eq!(ok(signed(&desk, &id, Method::DELETE, "", &third, "admin").await), removed);
    assert_eq!(ok(desk.delete(&id, &code).await), removed);
}
