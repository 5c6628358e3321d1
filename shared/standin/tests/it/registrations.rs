//! Bots, commands, webhooks and OAuth apps: what an installer creates, finds, changes and removes.

use crate::client::{VERSIONS, call, demo, done, refusal};
use cloud_apps_standin::{ChannelKind, Standin, Version};
use serde_json::{Value, json};

fn hook(mm: &Standin, channel: &str, urls: &[&str], words: &[&str]) -> Value {
    let channel = mm.channel_id("demo", channel).unwrap();
    json!({
        "team_id": mm.team_id("demo").unwrap(), "channel_id": channel, "callback_urls": urls,
        "trigger_words": words, "display_name": "events",
    })
}

#[tokio::test]
async fn a_bot_is_made_once_and_lives_on_disabled() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        let body = json!({"username": "Helper", "display_name": "Helper", "description": "helps"});
        let bot = done(&mm, &admin, "POST", "/api/v4/bots", &body).await;
        assert_eq!(
            (bot["username"].as_str(), &bot["owner_id"]),
            (Some("helper"), &json!(mm.user("admin").unwrap().id))
        );
        let path = format!("/api/v4/bots/{}", bot["user_id"].as_str().unwrap());
        done(&mm, &admin, "POST", &format!("{path}/disable"), &Value::Null).await;
        let again = refusal(&mm, &admin, "POST", "/api/v4/bots", &body).await;
        assert_eq!((again.0, again.1.as_str()), (400, "app.user.save.username_exists.app_error"));
        assert_eq!(call(&mm, &admin, "GET", &path, &Value::Null).await.0, 404);
        let all = done(&mm, &admin, "GET", "/api/v4/bots?include_deleted=true", &Value::Null).await;
        assert_eq!(all.as_array().unwrap().len(), 1);
        assert_eq!(done(&mm, &admin, "GET", "/api/v4/bots", &Value::Null).await, json!([]));
        done(&mm, &admin, "POST", &format!("{path}/enable"), &Value::Null).await;
        assert_eq!(call(&mm, &admin, "GET", &path, &Value::Null).await.0, 200);
        let alice = mm.add_token("alice").unwrap();
        assert_eq!(call(&mm, &alice, "GET", &path, &Value::Null).await.0, 404);
    }
}

#[tokio::test]
async fn a_new_bot_writes_to_its_owner_that_it_is_in_no_team() {
    let (mm, admin) = demo(Version::V11);
    let bot = done(&mm, &admin, "POST", "/api/v4/bots", &json!({"username": "helper"})).await;
    let channel = mm.direct_channel("admin", "helper").unwrap();
    let posts = mm.posts(&channel).unwrap();
    assert_eq!((posts.len(), posts[0].kind.as_str()), (1, "system_add_bot_teams_channels"));
    let teams = format!("/api/v4/users/{}/teams", bot["user_id"].as_str().unwrap());
    assert_eq!(done(&mm, &admin, "GET", &teams, &Value::Null).await, json!([]));
}

#[tokio::test]
async fn a_bot_makes_no_bots_and_owns_none() {
    let (mm, admin) = demo(Version::V11);
    let (helper, token) = mm.add_bot("helper", "helps").unwrap();
    let (other, _) = mm.add_bot("other", "helps too").unwrap();
    mm.add_role("helper", "system_admin").unwrap();
    assert_eq!(call(&mm, &token, "POST", "/api/v4/bots", &json!({"username": "third"})).await.0, 403);
    let assign = |to: &str| format!("/api/v4/bots/{other}/assign/{to}");
    assert_eq!(call(&mm, &admin, "POST", &assign(&helper), &Value::Null).await.0, 403);
    let alice = mm.user("alice").unwrap().id;
    let bot = done(&mm, &admin, "POST", &assign(&alice), &Value::Null).await;
    assert_eq!(bot["owner_id"], alice);
    // If the owner is deactivated, so are the bots.
    done(&mm, &admin, "DELETE", &format!("/api/v4/users/{alice}"), &Value::Null).await;
    let orphans =
        done(&mm, &admin, "GET", "/api/v4/bots?only_orphaned=true&include_deleted=true", &Value::Null).await;
    assert_eq!(orphans[0]["user_id"], other);
    assert!(orphans[0]["delete_at"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_command_takes_no_trigger_that_is_in_use_or_built_in() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        let other = mm.add_team("other").unwrap();
        let team = mm.team_id("demo").unwrap();
        let command = |team: &str, trigger: &str| json!({"team_id": team, "trigger": trigger, "method": "P", "url": "http://a.test/"});
        let path = "/api/v4/commands";
        let mut hi = done(&mm, &admin, "POST", path, &command(&team, "Hi")).await;
        assert_eq!(hi["trigger"], "hi");
        for trigger in ["hi", "HI", "away"] {
            let (status, id, _) = refusal(&mm, &admin, "POST", path, &command(&team, trigger)).await;
            assert_eq!((status, id.as_str()), (400, "api.command.duplicate_trigger.app_error"));
        }
        let there = done(&mm, &admin, "POST", path, &command(&other, "ho")).await;
        let moving = format!("{path}/{}/move", there["id"].as_str().unwrap());
        done(&mm, &admin, "PUT", &moving, &json!({"team_id": team})).await;
        // 5.37 looks for duplicates only when a command is created.
        hi["trigger"] = "ho".into();
        let one = format!("{path}/{}", hi["id"].as_str().unwrap());
        let status = call(&mm, &admin, "PUT", &one, &hi).await.0;
        assert_eq!(status, if version >= Version::V11 { 400 } else { 200 });
        let list =
            done(&mm, &admin, "GET", &format!("{path}?custom_only=true&team_id={team}"), &Value::Null).await;
        assert_eq!(list.as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_webhook_is_for_a_public_channel_of_its_team() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        mm.add_channel("demo", "secret", ChannelKind::Private).unwrap();
        let path = "/api/v4/hooks/outgoing";
        let private =
            refusal(&mm, &admin, "POST", path, &hook(&mm, "secret", &["http://a.test/"], &[])).await;
        // The id does not fit the case, but it is what the server answers.
        assert_eq!((private.0, private.1.as_str()), (403, "api.outgoing_webhook.disabled.app_error"));
        let mut elsewhere = hook(&mm, "town-square", &["http://a.test/"], &[]);
        elsewhere["team_id"] = mm.add_team("other").unwrap().into();
        let elsewhere = refusal(&mm, &admin, "POST", path, &elsewhere).await;
        assert_eq!(
            (elsewhere.0, elsewhere.1.as_str()),
            (403, "api.webhook.create_outgoing.permissions.app_error")
        );
        let mut nowhere = hook(&mm, "town-square", &["http://a.test/"], &[]);
        nowhere["channel_id"] = "".into();
        let nowhere = refusal(&mm, &admin, "POST", path, &nowhere).await;
        assert_eq!((nowhere.0, nowhere.1.as_str()), (400, "api.webhook.create_outgoing.triggers.app_error"));
        let bad =
            refusal(&mm, &admin, "POST", path, &hook(&mm, "town-square", &["ftp://a.test/"], &[])).await;
        assert_eq!((bad.0, bad.1.as_str()), (400, "model.outgoing_hook.is_valid.url.app_error"));
    }
}

#[tokio::test]
async fn two_webhooks_clash_by_word_and_address_but_never_without_words() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        let path = "/api/v4/hooks/outgoing";
        let mut made = Vec::new();
        for words in [&[][..], &[], &["one"], &["two"]] {
            made.push(
                done(&mm, &admin, "POST", path, &hook(&mm, "town-square", &["http://a.test/"], words)).await,
            );
        }
        let again = hook(&mm, "town-square", &["http://a.test/", "http://b.test/"], &["one"]);
        let clash = refusal(&mm, &admin, "POST", path, &again).await;
        assert_eq!((clash.0, clash.1.as_str()), (500, "api.webhook.create_outgoing.intersect.app_error"));
        let mut changed = made[3].clone();
        changed["trigger_words"] = json!(["one"]);
        let one = format!("{path}/{}", changed["id"].as_str().unwrap());
        let clash = refusal(&mm, &admin, "PUT", &one, &changed).await;
        assert_eq!((clash.0, clash.1.as_str()), (400, "api.webhook.update_outgoing.intersect.app_error"));
        changed["trigger_words"] = json!(["three"]);
        assert_eq!(done(&mm, &admin, "PUT", &one, &changed).await["token"], made[3]["token"]);
    }
}

#[tokio::test]
async fn lists_of_webhooks_come_in_pages() {
    let (mm, admin) = demo(Version::V11);
    for number in 0..5 {
        let url = format!("http://a.test/{number}");
        done(&mm, &admin, "POST", "/api/v4/hooks/outgoing", &hook(&mm, "town-square", &[&url], &[])).await;
    }
    let team = mm.team_id("demo").unwrap();
    let mut sizes = Vec::new();
    for page in 0..4 {
        let path = format!("/api/v4/hooks/outgoing?team_id={team}&per_page=2&page={page}");
        sizes.push(done(&mm, &admin, "GET", &path, &Value::Null).await.as_array().unwrap().len());
    }
    assert_eq!(sizes, [2, 2, 1, 0]);
}

#[tokio::test]
async fn a_new_token_of_a_webhook_replaces_the_old_one() {
    let (mm, admin) = demo(Version::V11);
    let body = hook(&mm, "town-square", &["http://a.test/"], &[]);
    let made = done(&mm, &admin, "POST", "/api/v4/hooks/outgoing", &body).await;
    let path = format!("/api/v4/hooks/outgoing/{}", made["id"].as_str().unwrap());
    let new = done(&mm, &admin, "POST", &format!("{path}/regen_token"), &Value::Null).await;
    assert_ne!(new["token"], made["token"]);
    assert_eq!(done(&mm, &admin, "GET", &path, &Value::Null).await["token"], new["token"]);
    done(&mm, &admin, "DELETE", &path, &Value::Null).await;
    assert_eq!(call(&mm, &admin, "GET", &path, &Value::Null).await.0, 404);
}

#[tokio::test]
async fn an_update_without_the_token_takes_it_from_a_webhook() {
    let (mm, admin) = demo(Version::V11);
    let body = hook(&mm, "town-square", &["http://a.test/"], &[]);
    let mut made = done(&mm, &admin, "POST", "/api/v4/hooks/outgoing", &body).await;
    made.as_object_mut().unwrap().remove("token");
    let path = format!("/api/v4/hooks/outgoing/{}", made["id"].as_str().unwrap());
    assert_eq!(done(&mm, &admin, "PUT", &path, &made).await["token"], "");
}

#[tokio::test]
async fn an_oauth_app_is_made_told_changed_and_removed() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        mm.configure(|settings| settings.enable_oauth_service_provider = true);
        let body =
            json!({"name": "Hello", "homepage": "http://a.test/", "callback_urls": ["http://a.test/back"]});
        let mut app = done(&mm, &admin, "POST", "/api/v4/oauth/apps", &body).await;
        let path = format!("/api/v4/oauth/apps/{}", app["id"].as_str().unwrap());
        let alice = mm.add_token("alice").unwrap();
        assert_eq!(call(&mm, &alice, "GET", &path, &Value::Null).await.0, 403);
        let info = done(&mm, &alice, "GET", &format!("{path}/info"), &Value::Null).await;
        assert_eq!((&info["name"], &info["client_secret"]), (&json!("Hello"), &json!("")));
        app["name"] = "Hello 2".into();
        assert_eq!(done(&mm, &admin, "PUT", &path, &app).await["client_secret"], app["client_secret"]);
        let new = done(&mm, &admin, "POST", &format!("{path}/regen_secret"), &Value::Null).await;
        assert_ne!(new["client_secret"], app["client_secret"]);
        done(&mm, &admin, "DELETE", &path, &Value::Null).await;
        assert_eq!(call(&mm, &admin, "GET", &path, &Value::Null).await.0, 404);
        for (key, wrong) in [("name", json!("")), ("callback_urls", json!([])), ("homepage", json!("a.test"))]
        {
            let mut bad = body.clone();
            bad[key] = wrong;
            let (status, id, _) = refusal(&mm, &admin, "POST", "/api/v4/oauth/apps", &bad).await;
            assert_eq!(status, 400);
            assert!(id.starts_with("model.oauth.is_valid."), "{id}");
        }
    }
}

#[tokio::test]
async fn roles_name_the_permissions_that_the_version_has() {
    for (version, own) in
        [(Version::V5_37, "manage_slash_commands"), (Version::V11, "manage_own_slash_commands")]
    {
        let (mm, admin) = demo(version);
        let names = json!(["team_admin", "team_user", "nonsense"]);
        let roles = done(&mm, &admin, "POST", "/api/v4/roles/names", &names).await;
        let may = |role: &Value| role["permissions"].as_array().unwrap().contains(&own.into());
        let list = roles.as_array().unwrap();
        let seen: Vec<(&str, bool)> =
            list.iter().map(|role| (role["name"].as_str().unwrap(), may(role))).collect();
        assert_eq!(seen, [("team_user", false), ("team_admin", true)]);
        let one = done(&mm, &admin, "GET", "/api/v4/roles/name/system_admin", &Value::Null).await;
        assert!(may(&one));
    }
}

#[tokio::test]
async fn teams_and_members_are_told_to_those_who_may_see_them() {
    let (mm, admin) = demo(Version::V11);
    mm.add_team("other").unwrap();
    let alice = mm.add_token("alice").unwrap();
    let names = |list: &Value| {
        let list = list.as_array().unwrap();
        list.iter().map(|team| team["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        names(&done(&mm, &admin, "GET", "/api/v4/teams?per_page=1&page=1", &Value::Null).await),
        ["other"]
    );
    assert_eq!(done(&mm, &alice, "GET", "/api/v4/teams", &Value::Null).await, json!([]));
    let team = mm.team_id("demo").unwrap();
    let stats = done(&mm, &alice, "GET", &format!("/api/v4/teams/{team}/stats"), &Value::Null).await;
    assert_eq!((&stats["total_member_count"], &stats["active_member_count"]), (&json!(4), &json!(4)));
    let members =
        done(&mm, &alice, "GET", &format!("/api/v4/teams/{team}/members?per_page=3"), &Value::Null).await;
    assert_eq!(members.as_array().unwrap().len(), 3);
    let path = format!("/api/v4/teams/{team}/members/{}", mm.user("bob").unwrap().id);
    assert_eq!(call(&mm, &alice, "DELETE", &path, &Value::Null).await.0, 403);
    done(&mm, &admin, "DELETE", &path, &Value::Null).await;
    let again = refusal(&mm, &admin, "DELETE", &path, &Value::Null).await;
    assert_eq!((again.0, again.1.as_str()), (400, "api.team.remove_user_from_team.missing.app_error"));
}

#[tokio::test]
async fn an_archived_team_is_told_to_admins_and_no_longer_to_its_members() {
    let (mm, admin) = demo(Version::V11);
    let alice = mm.add_token("alice").unwrap();
    let path = format!("/api/v4/teams/{}", mm.team_id("demo").unwrap());
    assert_eq!(call(&mm, &alice, "DELETE", &path, &Value::Null).await.0, 403);
    done(&mm, &admin, "DELETE", &path, &Value::Null).await;
    let all = done(&mm, &admin, "GET", "/api/v4/teams", &Value::Null).await;
    assert!(all[0]["delete_at"].as_u64().unwrap() > 0);
    assert_eq!(done(&mm, &alice, "GET", "/api/v4/users/me/teams", &Value::Null).await, json!([]));
    done(&mm, &admin, "POST", &format!("{path}/restore"), &Value::Null).await;
    let own = done(&mm, &alice, "GET", "/api/v4/users/me/teams", &Value::Null).await;
    assert_eq!(own.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_command_belongs_to_a_team() {
    let (mm, admin) = demo(Version::V11);
    for (team, status) in [("", 403), ("demo", 400)] {
        let body = json!({"team_id": team, "trigger": "hi", "method": "P", "url": "http://a.test/"});
        assert_eq!(call(&mm, &admin, "POST", "/api/v4/commands", &body).await.0, status, "{team:?}");
    }
}

#[tokio::test]
async fn people_are_given_roles_that_exist_and_do_not_leave_by_themselves() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        let alice = mm.add_token("alice").unwrap();
        let path = format!("/api/v4/users/{}", mm.user("alice").unwrap().id);
        let roles = format!("{path}/roles");
        let post_all = json!({"roles": "system_user system_post_all"});
        assert_eq!(call(&mm, &alice, "PUT", &roles, &post_all).await.0, 403);
        done(&mm, &admin, "PUT", &roles, &post_all).await;
        assert_eq!(mm.user("alice").unwrap().roles, "system_user system_post_all");
        let unknown = refusal(&mm, &admin, "PUT", &roles, &json!({"roles": "system_user king"})).await;
        assert_eq!((unknown.0, unknown.1.as_str()), (400, "app.role.check_roles_exist.role_not_found"));
        let own = format!("/api/v4/users/{}/roles", mm.user("admin").unwrap().id);
        let (status, body) = call(&mm, &admin, "PUT", &own, &json!({"roles": "system_user"})).await;
        // In 5.37 the last admin can lose the role.
        assert_eq!(status, if version >= Version::V11 { 400 } else { 200 }, "{body}");
        let leaving = refusal(&mm, &alice, "DELETE", &path, &Value::Null).await;
        assert_eq!((leaving.0, leaving.1.as_str()), (401, "api.user.update_active.not_enable.app_error"));
    }
}

#[tokio::test]
async fn posts_are_changed_pinned_and_deleted_by_their_authors() {
    let (mm, admin) = demo(Version::V11);
    let (alice, bob) = (mm.add_token("alice").unwrap(), mm.add_token("bob").unwrap());
    let channel = mm.channel_id("demo", "town-square").unwrap();
    let post =
        done(&mm, &alice, "POST", "/api/v4/posts", &json!({"channel_id": channel, "message": "a"})).await;
    let id = post["id"].as_str().unwrap();
    let reply = json!({"channel_id": channel, "message": "b", "root_id": id});
    done(&mm, &bob, "POST", "/api/v4/posts", &reply).await;
    let path = format!("/api/v4/posts/{id}");
    let change = json!({"message": "changed", "props": {"key": "value"}});
    assert_eq!(call(&mm, &bob, "PUT", &format!("{path}/patch"), &change).await.0, 403);
    let changed = done(&mm, &alice, "PUT", &format!("{path}/patch"), &change).await;
    assert_eq!((&changed["message"], &changed["props"]["key"]), (&json!("changed"), &json!("value")));
    assert!(changed["edit_at"].as_u64().unwrap() > 0);
    done(&mm, &bob, "POST", &format!("{path}/pin"), &Value::Null).await;
    let pinned = done(&mm, &bob, "GET", &format!("/api/v4/channels/{channel}/pinned"), &Value::Null).await;
    assert_eq!(pinned["order"], json!([id]));
    let thread = done(&mm, &bob, "GET", &format!("{path}/thread"), &Value::Null).await;
    assert_eq!(thread["order"].as_array().unwrap().len(), 2);
    assert_eq!(call(&mm, &bob, "DELETE", &path, &Value::Null).await.0, 403);
    done(&mm, &admin, "DELETE", &path, &Value::Null).await;
    assert_eq!(call(&mm, &alice, "GET", &path, &Value::Null).await.0, 404);
    let left = done(&mm, &alice, "GET", &format!("/api/v4/channels/{channel}/posts"), &Value::Null).await;
    assert_eq!(left["order"], json!([]), "the reply went along");
}

#[tokio::test]
async fn an_archived_channel_takes_its_webhooks_along_and_no_posts() {
    let (mm, admin) = demo(Version::V11);
    let channel = mm.add_channel("demo", "incident", ChannelKind::Public).unwrap();
    mm.join("alice", "incident").unwrap();
    let alice = mm.add_token("alice").unwrap();
    let body = hook(&mm, "incident", &["http://a.test/"], &[]);
    let made = done(&mm, &admin, "POST", "/api/v4/hooks/outgoing", &body).await;
    let path = format!("/api/v4/channels/{channel}");
    done(&mm, &alice, "DELETE", &path, &Value::Null).await;
    let one = format!("/api/v4/hooks/outgoing/{}", made["id"].as_str().unwrap());
    assert_eq!(call(&mm, &admin, "GET", &one, &Value::Null).await.0, 404);
    let say = json!({"channel_id": channel, "message": "m"});
    let late = refusal(&mm, &alice, "POST", "/api/v4/posts", &say).await;
    assert_eq!((late.0, late.1.as_str()), (400, "api.post.create_post.can_not_post_to_deleted.error"));
    assert_eq!(call(&mm, &alice, "POST", &format!("{path}/restore"), &Value::Null).await.0, 403);
    done(&mm, &admin, "POST", &format!("{path}/restore"), &Value::Null).await;
    assert_eq!(call(&mm, &alice, "POST", "/api/v4/posts", &say).await.0, 201);
}

#[tokio::test]
async fn what_is_suggested_of_commands_holds_no_secret() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        let (id, token) = mm.add_command("demo", "hi", "http://a.test/hook").unwrap();
        let alice = mm.add_token("alice").unwrap();
        let team = mm.team_id("demo").unwrap();
        for caller in [&admin, &alice] {
            for path in [
                format!("/api/v4/commands?team_id={team}"),
                format!("/api/v4/teams/{team}/commands/autocomplete"),
            ] {
                let list = done(&mm, caller, "GET", &path, &Value::Null).await;
                let named = |trigger: &str| {
                    list.as_array().unwrap().iter().find(|one| one["trigger"] == trigger).cloned()
                };
                assert!(named("away").is_some());
                assert_eq!(named("hi").unwrap()["id"], id);
                assert!(!list.to_string().contains(&token) && !list.to_string().contains("a.test"));
            }
        }
        let path = format!("/api/v4/teams/{team}/commands/autocomplete_suggestions?user_input=/h");
        let list = done(&mm, &alice, "GET", &path, &Value::Null).await;
        let found: Vec<&str> =
            list.as_array().unwrap().iter().map(|one| one["Complete"].as_str().unwrap()).collect();
        assert_eq!(found, ["header", "help", "hi"]);
        let mine = format!("/api/v4/commands?custom_only=true&team_id={team}");
        assert_eq!(call(&mm, &alice, "GET", &mine, &Value::Null).await.0, 403);
        assert_eq!(done(&mm, &admin, "GET", &mine, &Value::Null).await[0]["token"], token);
    }
}
