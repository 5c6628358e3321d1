//! Rotating an upstream secret: an app that has the previous one goes on working.

use super::*;
use crate::log_line::Log;
use cloud_apps_core::store::{
    model::{Key, Ring},
    ports::Keys,
};

const DAY: Millis = 24 * 60 * 60_000;

async fn rotate(yard: &Yard, at_once: bool) -> Registered {
    let request = json!({"do": "rotate_upstream", "app": "remote", "at_once": at_once});
    Registered::of(&yard.operator(request).await)
}

async fn signed_with(yard: &Yard, home: &Home) -> String {
    yard.run(home, "/remote look").await;
    opened(&yard.service.last()).0["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn calls_are_signed_with_the_previous_secret_for_a_day_and_then_with_the_new_one() {
    let (yard, first, home) = Yard::installed().await;
    let second = rotate(&yard, false).await;
    assert_eq!(second.kid, "remote.1.upstream.2");
    assert_eq!(second.previous_until, Some(yard.now() + DAY));
    assert_ne!(first.secret, second.secret);
    yard.later(DAY - 1);
    assert_eq!(signed_with(&yard, &home).await, first.kid);
    assert!(first.signed(&yard.service.last()) && !second.signed(&yard.service.last()));
    yard.later(1);
    assert_eq!(signed_with(&yard, &home).await, second.kid);
    assert!(second.signed(&yard.service.last()));
}

#[tokio::test]
async fn asking_again_while_a_rotation_is_under_way_shows_the_same_secret() {
    let (yard, _, _) = Yard::installed().await;
    let second = rotate(&yard, false).await;
    yard.later(1_000);
    let again = rotate(&yard, false).await;
    assert_eq!((&again.kid, &again.secret), (&second.kid, &second.secret));
    yard.later(DAY);
    assert_eq!(rotate(&yard, false).await.kid, "remote.1.upstream.3");
}

#[tokio::test]
async fn a_rotation_is_ended_when_the_app_has_the_new_secret_or_the_old_one_is_known_to_others() {
    let (yard, _, home) = Yard::installed().await;
    let second = rotate(&yard, false).await;
    let ended = rotate(&yard, true).await;
    assert_eq!((&ended.kid, ended.previous_until), (&second.kid, None));
    assert_eq!(signed_with(&yard, &home).await, second.kid);
    let third = rotate(&yard, true).await;
    assert_eq!((third.kid.as_str(), third.previous_until), ("remote.1.upstream.3", None));
    assert_eq!(signed_with(&yard, &home).await, third.kid);
}

#[tokio::test]
async fn a_revoked_key_stops_the_calls_and_the_log_says_what_to_do() {
    let (yard, _) = Yard::new().await;
    let app = "remote".parse().unwrap();
    let mut ring = Keys::ring(&yard.memory, &app).await.unwrap().unwrap();
    ring.keys.push(Key { id: "2".parse().unwrap(), root: Secret::new([2; 32]), ..ring.keys[0].clone() });
    yard.keep(&ring);
    super::binding::walk(&yard).await;
    // The install has the second key, which vouches for the app; the upstream secret comes of the first.
    let home = yard.install(&[]).await;
    ring.keys[0].revoked = true;
    yard.keep(&ring);
    let log = Log::begin();
    let answered = yard.run(&home, "/remote look").await;
    assert_eq!(answered.code(), "upstream_failed");
    let told = "the key 1 that its secret is derived from is gone or revoked: `cloud-apps operator apps rotate remote --now` makes \
                another secret";
    assert!(log.text().contains(told), "{}", log.text());
    let rotated = rotate(&yard, true).await;
    assert_eq!(rotated.kid, "remote.2.upstream.2");
    assert_eq!(signed_with(&yard, &home).await, rotated.kid);
}

#[tokio::test]
async fn a_key_that_an_upstream_secret_comes_of_is_not_revoked_by_accident() {
    let (yard, _) = Yard::new().await;
    yard.operator(json!({"do": "rotate_keys", "app": "remote"})).await;
    yard.later(15 * 60_000);
    let revoke = json!({"do": "revoke_key", "app": "remote", "key": "1"});
    let refused = yard.operator(revoke.clone()).await;
    assert_eq!(
        refused["error"]["message"],
        "The upstream secret of remote is derived from key 1: without it no call of the app could be signed. `cloud-apps \
         operator apps rotate remote` derives another from the current key; revoke this one when the rotation is over, or with \
         --force."
    );
    assert_eq!(rotate(&yard, false).await.kid, "remote.2.upstream.2");
    assert!(yard.operator(revoke.clone()).await.get("error").is_some(), "the app may still have the first");
    yard.later(DAY);
    assert_eq!(yard.operator(revoke).await["keys"][0]["state"], "revoked");
}

impl Yard {
    fn keep(&self, ring: &Ring) {
        self.memory.put_ring(ring.clone());
        self.bundle.management().services.keys.remember(ring.clone(), self.now());
    }
}
