//! A server that ends tokens: what an admin is told before, what is asked for and kept, and how the upkeep of each day renews the
//! token or warns of its end. The time of each day is handed in.

use super::{
    program::Site,
    rig::{Rig, To},
};
use crate::Serving;
use cloud_apps::install::{self, rotate_bot_token};
use cloud_apps_core::{http::system_now, install::DAY};
use cloud_apps_protocol::{Millis, install::InstallView};
use cloud_apps_standin::{Fault, Snapshot, Version};
use serde_json::Value;

/// How many days the server lets tokens live.
const CAP: u32 = 30;

/// An install on a Mattermost 12 that ends tokens after 30 days, and what stood there before.
async fn installed() -> (Rig, Snapshot) {
    let rig = Rig::new(Version::V12).await;
    rig.mattermost.configure(|settings| settings.maximum_personal_access_token_lifetime_days = CAP);
    let before = rig.mattermost.snapshot();
    rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
    (rig, before)
}

async fn view(rig: &Rig) -> InstallView {
    rig.install_at_the_bundle().await.unwrap()
}

async fn end(rig: &Rig) -> Millis {
    view(rig).await.bot_token_expires_at.unwrap()
}

/// A day of the upkeep on both sides, when so many days are left of a token's life.
async fn day(rig: &Rig, end: Millis, left: u64) {
    let now = end - left * DAY;
    rig.mattermost.set_clock(move || now);
    rig.upkeep(now).await;
}

/// The messages of the bot to who installed the app.
fn warnings(rig: &Rig) -> Vec<String> {
    let channel = rig.mattermost.direct_channel("hello", "admin").unwrap();
    let posts = rig.mattermost.posts(&channel).unwrap();
    posts.into_iter().map(|post| post.message).filter(|text| text.starts_with("My access token")).collect()
}

async fn uninstall(rig: &Rig, before: &Snapshot) {
    rig.uninstall(false).await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
    rig.assert_nothing_is_left(before, "uninstalled").await;
    rig.assert_the_bundle_keeps_nothing("uninstalled");
}

#[tokio::test]
async fn the_limit_is_told_before_asked_for_and_kept() {
    let rig = Rig::new(Version::V12).await;
    rig.mattermost.configure(|settings| settings.maximum_personal_access_token_lifetime_days = CAP);
    let before = rig.mattermost.snapshot();
    let (plan, calls) = install::plan(&rig.installer(), &rig.request()).await.unwrap();
    assert_eq!(plan.token_days, Some(CAP));
    assert!(calls.iter().any(|call| call.starts_with("make a token for @hello that ends after 30 days")));
    let told = rig.person.text();
    for said in ["ends each token 30 days after it was made", "MaximumPersonalAccessTokenLifetimeDays"] {
        assert!(told.contains(said), "{told}");
    }

    let earliest = system_now() + u64::from(CAP) * DAY - 10_000;
    rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
    rig.assert_it_is_whole(&before, "installed").await;
    let view = view(&rig).await;
    let end = view.bot_token_expires_at.unwrap();
    assert!((earliest..=system_now() + u64::from(CAP) * DAY).contains(&end), "the longest life");
    let [token] = &rig.admin().tokens(view.bot.id.as_str()).await.unwrap()[..] else { panic!("one token") };
    assert_eq!(token.end(), Some(end));

    rotate_bot_token(&rig.installer(), &view).await.unwrap_or_else(|stop| panic!("{stop:?}"));
    let rotated = rig.install_at_the_bundle().await.unwrap().bot_token_expires_at.unwrap();
    assert!(rotated >= end);
    uninstall(&rig, &before).await;
}

#[tokio::test]
async fn where_no_limit_holds_for_bots_no_end_is_asked_for() {
    for (version, days) in [(Version::V12, 0), (Version::V11_11, CAP), (Version::V5_37, CAP)] {
        let rig = Rig::new(version).await;
        rig.mattermost.configure(|settings| settings.maximum_personal_access_token_lifetime_days = days);
        let before = rig.mattermost.snapshot();
        rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
        assert_eq!(view(&rig).await.bot_token_expires_at, None);
        uninstall(&rig, &before).await;
    }
}

#[tokio::test]
async fn who_installed_the_app_is_warned_and_a_new_token_ends_the_warnings() {
    let (rig, before) = installed().await;
    let first = end(&rig).await;
    let mut given = Vec::new();
    for left in (4..=30).rev() {
        day(&rig, first, left).await;
        given.push(warnings(&rig).len());
    }
    assert_eq!(given.iter().position(|warnings| *warnings == 1), Some(30 - 14));
    assert_eq!(given.iter().position(|warnings| *warnings == 2), Some(30 - 7));
    let all = warnings(&rig);
    assert!(all[0].contains("in 14 days") && all[1].contains("in 7 days"), "{all:?}");
    assert!(all[0].contains("the server does not let a bot make its own tokens"), "{all:?}");

    // The admin does what the message says. The server's answers have the date of today, so more days stand for those that
    // have passed.
    rig.mattermost.configure(|settings| settings.maximum_personal_access_token_lifetime_days = 2 * CAP);
    rotate_bot_token(&rig.installer(), &view(&rig).await).await.unwrap_or_else(|stop| panic!("{stop:?}"));
    for left in (1..=3).rev() {
        day(&rig, first, left).await;
    }
    assert_eq!(warnings(&rig).len(), 2);
    uninstall(&rig, &before).await;
}

#[tokio::test]
async fn a_bot_that_manages_bots_renews_its_token_and_answers_all_the_time() {
    let (rig, before) = installed().await;
    rig.mattermost.add_role("hello", "system_admin").unwrap();
    let first = end(&rig).await;
    for left in (0..=16).rev() {
        day(&rig, first, left).await;
        let seen = rig.mattermost.execute("alice", "town-square", "/hello whoami").await.unwrap();
        let said = seen.texts().concat();
        assert!(said.starts_with("You are @alice"), "{left} days left: {said}");
    }
    assert!(end(&rig).await > first + 14 * DAY);
    assert!(warnings(&rig).is_empty());
    let tokens = rig.admin().tokens(view(&rig).await.bot.id.as_str()).await.unwrap();
    assert_eq!(tokens.len(), 1, "the first one is revoked");
    uninstall(&rig, &before).await;
}

/// The upkeep's calls to the server fail one after the other, in each way, on the day of the renewal.
#[tokio::test]
async fn a_renewal_whose_calls_fail_leaves_one_token_that_works_and_uninstalls() {
    for fault in [Fault::Cut, Fault::CutAfter, Fault::Status(503)] {
        for nth in 1..=8 {
            let (rig, before) = installed().await;
            rig.mattermost.add_role("hello", "system_admin").unwrap();
            let first = end(&rig).await;
            rig.order(To::Mattermost, nth, fault);
            day(&rig, first, 14).await;
            rig.clear();
            day(&rig, first, 13).await;
            let case = format!("{fault:?} at {nth}");
            assert!(end(&rig).await > first, "{case}");
            let tokens = rig.admin().tokens(view(&rig).await.bot.id.as_str()).await.unwrap();
            assert_eq!(tokens.len(), 1, "{case}");
            let seen = rig.mattermost.execute("alice", "town-square", "/hello whoami").await.unwrap();
            assert!(seen.texts().concat().starts_with("You are @alice"), "{case}: {:?}", seen.texts());
            uninstall(&rig, &before).await;
        }
    }
}

#[test]
fn list_show_and_doctor_tell_the_days_that_are_left() {
    let site = Site::on(Version::V12);
    site.mattermost.configure(|settings| settings.maximum_personal_access_token_lifetime_days = CAP);
    let bundle = Serving::without_demo();
    let installed = site.install(&bundle, &["--yes", "--json"]);
    assert_eq!(installed.code, 0, "{}", installed.err);
    let id =
        serde_json::from_str::<Value>(&installed.out).unwrap()["install_id"].as_str().unwrap().to_owned();
    for arguments in [&["list"][..], &["show", &id], &["doctor", &id]] {
        let said = site.say(&bundle, arguments);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.out.contains("UTC, in 30 days"), "{arguments:?}: {}", said.out);
    }
    let shown: Value = serde_json::from_str(&site.say(&bundle, &["show", &id, "--json"]).out).unwrap();
    let end = shown["bot_token_expires_at"].as_u64().unwrap();
    let listed: Value = serde_json::from_str(&site.say(&bundle, &["list", "--json"]).out).unwrap();
    assert_eq!(listed[0]["bot_token_expires_at"], end);
    let rotated = site.say(&bundle, &["rotate", "bot-token", &id]);
    assert!(rotated.out.contains("has a new token. It ends on"), "{}{}", rotated.out, rotated.err);
}

#[test]
fn doctor_tells_of_a_token_that_was_made_before_the_server_had_a_limit() {
    let site = Site::on(Version::V12);
    let bundle = Serving::without_demo();
    let installed = site.install(&bundle, &["--yes", "--json"]);
    assert_eq!(installed.code, 0, "{}", installed.err);
    let id =
        serde_json::from_str::<Value>(&installed.out).unwrap()["install_id"].as_str().unwrap().to_owned();
    assert!(!site.say(&bundle, &["doctor", &id]).out.contains("has no end"));
    site.mattermost.configure(|settings| settings.maximum_personal_access_token_lifetime_days = CAP);
    let said = site.say(&bundle, &["doctor", &id]);
    let note = "lets new tokens live for 30 days at most, and the token of @hello has no end";
    assert!(said.code == 0 && said.out.contains(note), "{}{}", said.out, said.err);
    let rotated = site.say(&bundle, &["rotate", "bot-token", &id]);
    assert!(rotated.out.contains("has a new token. It ends on"), "{}{}", rotated.out, rotated.err);
}
