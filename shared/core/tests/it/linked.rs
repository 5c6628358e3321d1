//! A linked app has one version in a build. An install of an older one gets no function that its admin did not agree to,
//! and none of them sees more than was agreed.

use crate::{
    jira,
    stage::{Stage, command_body},
};
use cloud_apps_core::{http::etag::etag, store::model::Sha256};
use cloud_apps_protocol::Manifest;
use serde_json::json;

/// A stage whose install agreed to this part of what the build has.
fn agreed(change: impl FnOnce(&mut Manifest)) -> Stage {
    let mut manifest = jira::app().manifest().clone();
    manifest.version = "1.0.0".into();
    change(&mut manifest);
    let sha256 = Sha256::of_manifest(&manifest);
    let named = sha256.clone();
    let stage = Stage::with(|install| {
        install.version = "1.0.0".into();
        install.manifest = Some(named);
    });
    stage.memory.put_text(manifest.id.clone(), sha256, Sha256::text(&manifest));
    stage
}

#[tokio::test]
async fn a_function_that_came_with_a_build_waits_for_the_upgrade() {
    let stage = agreed(|manifest| manifest.commands.retain(|command| command.function.as_str() != "search"));
    assert_eq!(stage.run("/jira search").await.body["error"]["code"], "unknown_function");
    let typed = stage.type_("search").await;
    assert!(typed.body["text"].as_str().unwrap().contains("search"), "{typed:?}");
    assert!(stage.calls().is_empty());
    let help = stage.run("/jira help").await;
    assert!(!help.body["text"].as_str().unwrap().contains("search"), "{help:?}");
    // What was agreed to goes on, without its version being in the build.
    assert_eq!(stage.run("/jira quote").await.body["text"], "Quoted.");
    assert_eq!(stage.calls()[0].request.context.app.as_ref().unwrap().version, "1.0.0");

    let mut upgraded = stage.install.clone();
    upgraded.version = jira::app().manifest().version.clone();
    upgraded.manifest = Some(Sha256::of_manifest(jira::app().manifest()));
    upgraded.rev += 1;
    stage.put(&upgraded);
    let later = Stage { now: stage.now + 1_000, ..stage };
    assert_eq!(later.run("/jira search").await.body["text"], "Nothing found.", "at once");
}

#[tokio::test]
async fn a_function_that_wants_more_in_a_new_build_sees_what_was_agreed() {
    let mut body = command_body("/jira needs");
    body["context"]["channel"]["header"] = "in all".into();
    body["context"]["channel"]["name"] = "town-square".into();
    body["context"]["acting_user"]["username"] = "alice".into();
    body["context"]["acting_user"]["email"] = "alice@example.com".into();
    for (expand, name, username) in [
        (json!({"channel": "all!", "acting_user": "all"}), Some("town-square"), Some("alice")),
        (json!({"channel": "id", "acting_user": "summary"}), None, Some("alice")),
        (json!({"channel": "summary"}), Some("town-square"), None),
        (json!({}), None, None),
    ] {
        let stage = agreed(|manifest| {
            let needs = manifest.commands.iter_mut().find(|command| command.function.as_str() == "needs");
            needs.unwrap().expand = serde_json::from_value(expand.clone()).unwrap();
        });
        let answered = stage.send(stage.v2("/command", &body)).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        let seen = serde_json::to_value(&stage.calls()[0].request.context).unwrap();
        assert_eq!(seen["channel"]["name"].as_str(), name, "{expand}");
        assert_eq!(seen["acting_user"]["username"].as_str(), username, "{expand}");
        assert!(
            !seen.to_string().contains("alice@example.com") && !seen.to_string().contains("in all"),
            "{expand}"
        );
    }
}

#[tokio::test]
async fn an_agreement_that_is_not_kept_or_was_changed_gives_nothing() {
    let stage = agreed(|_| {});
    let mut install = stage.install.clone();
    install.manifest = None;
    stage.put(&install);
    let refused = stage.run("/jira search").await;
    assert_eq!(
        refused.body["error"]["message"],
        "The bundle does not have jira 1.0.0 any more, which is what was agreed to on this server, so nothing was done. An \
         admin moves the install to the version that the bundle has: `cloud-apps upgrade`."
    );
    let stage = agreed(|manifest| manifest.commands.clear());
    let all = Sha256::text(jira::app().manifest());
    stage.memory.put_text("jira".parse().unwrap(), stage.install.manifest.clone().unwrap(), all);
    assert_eq!(stage.run("/jira search").await.body["error"]["code"], "upstream_failed");
    assert!(stage.calls().is_empty());
}

#[tokio::test]
async fn an_install_of_the_version_that_was_built_costs_no_read_of_its_manifest() {
    let stage = Stage::with(|install| install.manifest = Some(Sha256::of_manifest(jira::app().manifest())));
    let answered = stage.run("/jira search").await;
    assert_eq!(answered.body["text"], "Nothing found.");
    assert_eq!(stage.memory.counts().reads.get("Apps.manifest"), None);
    let expected = etag(jira::app().manifest(), &stage.install);
    assert_eq!(answered.headers["cloud-apps-manifest"], expected.as_str());
    let older = agreed(|_| {});
    for _ in 0..3 {
        assert_eq!(older.run("/jira search").await.body["text"], "Nothing found.");
    }
    assert_eq!(older.memory.counts().reads.get("Apps.manifest"), Some(&1), "another one is read once");
    let [one, other] = [
        older.services.apps.app_of(&older.install, older.now).await,
        older.services.apps.app_of(&older.install, older.now).await,
    ]
    .map(|known| known.unwrap().unwrap());
    assert!(std::ptr::eq(one.manifest(), other.manifest()), "what both versions have is made once");
}
