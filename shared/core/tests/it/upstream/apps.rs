//! The registry of apps, as an operator sees it, and `GET /apps`.

use super::*;
use cloud_app::http::{Outbound, Policy};
use cloud_apps_protocol::token::UpstreamKid;

#[tokio::test]
async fn an_app_is_registered_shown_and_removed() {
    let (yard, registered) = Yard::new().await;
    assert_eq!(registered.kid, "remote.1.upstream.1");
    assert_eq!(registered.secret.as_ref().map(String::len), Some(43));
    let again = yard.add(&yard.manifest()).await;
    assert_eq!((again.kid, again.secret), (registered.kid, None), "the secret is shown once");

    let shown = yard.operator(json!({"do": "app", "app": "remote"})).await;
    assert_eq!(shown["address"], yard.service.url);
    assert_eq!(shown["app"]["upstream"], "http");
    assert_eq!(shown["app"]["bot"], json!({"username": "remote", "display_name": "Remote"}));
    assert_eq!(shown["app"]["requests"]["permissions"], json!(["act_as_bot", "act_as_user", "act_as_admin"]));
    assert_eq!(shown.get("upstream_secret"), None);
    let listed = yard.operator(json!({"do": "apps"})).await;
    assert_eq!(listed["apps"][0]["id"], "remote");
    let linked = yard.operator(json!({"do": "app", "app": "jira"})).await;
    assert_eq!((&linked["app"]["upstream"], linked.get("kid")), (&json!("linked"), None));

    assert_eq!(yard.operator(json!({"do": "remove_app", "app": "remote"})).await, json!({"apps": []}));
    let gone = yard.operator(json!({"do": "app", "app": "remote"})).await;
    assert_eq!(
        gone["error"]["message"],
        "There is no app remote in this bundle; it has jira. Check the name, deploy a bundle that links it, or register \
         it with `cloud-apps operator apps add`."
    );
}

/// The key ring outlives an app. A secret that was replaced because somebody knows it must not come back with a second
/// registration.
#[tokio::test]
async fn no_secret_that_was_handed_out_is_one_again_after_a_removal() {
    let (yard, first) = Yard::new().await;
    let rotate = json!({"do": "rotate_upstream", "app": "remote", "at_once": true});
    let rotated = Registered::of(&yard.operator(rotate).await);
    let mut known = vec![(first.kid, first.secret), (rotated.kid, rotated.secret)];
    for _ in 0..3 {
        yard.later(1_000);
        assert_eq!(yard.operator(json!({"do": "remove_app", "app": "remote"})).await, json!({"apps": []}));
        let again = yard.add(&yard.manifest()).await;
        let again = (again.kid, again.secret);
        assert!(again.1.is_some());
        let kid: UpstreamKid = again.0.parse().expect("apps read it by the protocol's grammar");
        assert_eq!(kid.to_string(), again.0);
        for before in &known {
            assert_ne!(again.0, before.0);
            assert_ne!(again.1, before.1);
        }
        known.push(again);
    }
}

#[tokio::test]
async fn an_app_that_is_installed_stays_and_the_refusal_names_where() {
    let (yard, _, home) = Yard::installed().await;
    let refused = yard.operator(json!({"do": "remove_app", "app": "remote"})).await;
    assert_eq!(refused["error"]["code"], "already_installed");
    assert_eq!(
        refused["error"]["message"],
        format!(
            "remote is installed on {SITE} ({}), so it stays. Uninstall it there first (`cloud-apps uninstall ID`); then \
             try again.",
            home.id
        )
    );
    assert_eq!(refused["error"]["installs"], json!([home.id]));
    assert_eq!(yard.run(&home, "/remote look").await.status, 200);
}

#[tokio::test]
async fn an_app_stays_while_a_line_of_its_installs_cannot_be_read_and_a_version_is_added() {
    let (yard, ..) = Yard::installed().await;
    yard.memory.spoil_site("remote".parse().unwrap(), SITE.parse().unwrap());
    let remove = json!({"do": "remove_app", "app": "remote"});
    let refused = yard.operator(remove).await;
    assert_eq!(refused["error"]["code"], "already_installed");
    let said = format!("What is stored of the installs of remote on {SITE} cannot be read, so remote stays");
    assert!(refused["error"]["message"].as_str().unwrap().starts_with(&said), "{refused}");
    assert_eq!(refused["error"]["unread"], json!([SITE]));

    let mut next = yard.manifest();
    let former = next["version"].clone();
    next["version"] = "9.0.0".into();
    yard.add(&next).await;
    let shown = yard.operator(json!({"do": "app", "app": "remote"})).await;
    let kept = shown["versions"].to_string();
    assert!(kept.contains(&former.to_string()), "it may have any version: {shown}");
}

#[tokio::test]
async fn every_problem_of_a_manifest_is_told_with_its_line() {
    let yard = Yard::empty().await;
    let text = "{\n  \"protocol\": 2,\n  \"id\": \"remote\",\n  \"version\": \"1\",\n  \"dispaly_name\": \"Remote\",\n  \
                \"upstream\": {\"type\": \"http\", \"url\": \"ftp://x\"}\n}";
    let refused = yard.operator(json!({"do": "add_app", "manifest": text})).await;
    assert_eq!(refused["error"]["code"], "bad_manifest");
    let places: Vec<(&str, u64)> = refused["error"]["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (problem["pointer"].as_str().unwrap(), problem["line"].as_u64().unwrap()))
        .collect();
    assert_eq!(places, [("/display_name", 1), ("/version", 4), ("/dispaly_name", 5), ("/upstream/url", 6)]);
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("4 things are wrong with this manifest, and nothing was changed. "),
        "{message}"
    );
    assert!(yard.operator(json!({"do": "apps"})).await["apps"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn what_this_bundle_could_not_call_is_not_registered() {
    // As on AWS: https, and public addresses only.
    let yard = Yard::with(|build| build.http(Outbound::new(Policy::default()))).await;
    let with = |upstream: Value| manifest(&upstream);
    let mut linked = manifest(&json!({"type": "http", "url": "https://app.example.com"}));
    linked["id"] = "jira".into();
    let mut says_linked = manifest(&Value::Null);
    says_linked["upstream"] = json!({"type": "linked"});
    for (manifest, code, words) in [
        (linked, "bad_request", "There is an app jira linked into this bundle. Give yours another id"),
        (says_linked, "bad_manifest", "This says that the app's functions are linked into the bundle"),
        (
            with(json!({"type": "http", "url": "http://127.0.0.1:3000"})),
            "bad_manifest",
            "only https is, and in the local bundle http to this machine; change the site's address. Give the app an \
             https address.",
        ),
        (
            with(json!({"type": "http", "url": "https://169.254.169.254/x"})),
            "bad_manifest",
            "169.254.169.254 is not called: 169.254.169.254 is a link-local address",
        ),
        (
            with(json!({"type": "aws_lambda", "function": "cloud-app-x"})),
            "bad_manifest",
            "This bundle does not run on AWS, and Lambda functions are called from there only.",
        ),
    ] {
        let refused = yard.operator(json!({"do": "add_app", "manifest": manifest})).await;
        assert_eq!(refused["error"]["code"], code, "{refused}");
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    }
    assert!(yard.memory.dump().contains("apps: {}"), "nothing was kept: {}", yard.memory.dump());
}

#[tokio::test]
async fn what_is_linked_is_neither_removed_nor_rotated() {
    let yard = Yard::empty().await;
    for (what, words) in [
        ("remove_app", "jira is linked into this bundle. Deploy a bundle that does not link it"),
        ("rotate_upstream", "jira is linked into this bundle and has no upstream secret."),
    ] {
        let refused = yard.operator(json!({"do": what, "app": "jira"})).await;
        assert!(refused["error"]["message"].as_str().unwrap().starts_with(words), "{refused}");
        let unknown = yard.operator(json!({"do": what, "app": "nobody"})).await;
        assert!(
            unknown["error"]["message"].as_str().unwrap().starts_with("There is no app nobody"),
            "{unknown}"
        );
    }
}

#[tokio::test]
async fn the_catalogue_is_shown_to_who_holds_a_code_and_then_only_its_app() {
    let (yard, _) = Yard::new().await;
    let get = |code: Option<&str>| request(Method::GET, "/apps", None, code);
    assert_eq!(yard.send(get(None)).await.code(), "unauthorized");
    assert_eq!(yard.send(get(Some("x"))).await.code(), "unauthorized");
    let code = json!({"do": "code", "app": "remote", "site_url": SITE, "base_url": BASE});
    let code = yard.operator(code).await["code"].as_str().unwrap().to_owned();
    let seen = yard.send(get(Some(&code))).await;
    assert_eq!(seen.body["apps"].as_array().unwrap().len(), 1);
    assert_eq!(seen.body["apps"][0]["id"], "remote");
    assert!(!seen.body.to_string().contains(&yard.service.url), "where it runs is the operator's business");
    yard.later(15 * 60_000);
    let refused = yard.send(get(Some(&code))).await;
    assert_eq!(refused.code(), "unauthorized");
    assert_eq!(
        refused.message(),
        "This needs an install code or a manage code that is good here, because the catalogue of this bundle is not public. \
         Ask the operator of the bundle for one, and send it as Authorization: Bearer."
    );
    let home = yard.install(&[]).await;
    let manages = yard.operator(json!({"do": "manage_code", "install_id": home.id})).await;
    let manages = manages["code"].as_str().unwrap().to_owned();
    assert_eq!(yard.send(get(Some(&manages))).await.body["apps"][0]["id"], "remote");
    yard.operator(json!({"do": "revoke_manage_codes", "install_id": home.id})).await;
    assert_eq!(yard.send(get(Some(&manages))).await.code(), "unauthorized");
}

#[tokio::test]
async fn a_public_catalogue_is_shown_to_everybody_and_whole() {
    let (yard, _) = Yard::new().await;
    let bundle = Build::over(&yard.memory).public_catalogue().bundle();
    let get = request(Method::GET, "/apps", None, None);
    let seen = Answered::from(bundle.handle(arrival(get, NOW)).await);
    let ids: Vec<&str> =
        seen.body["apps"].as_array().unwrap().iter().map(|app| app["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["jira", "remote"]);
}
