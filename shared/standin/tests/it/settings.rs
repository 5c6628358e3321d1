//! The settings that can forbid the steps of an installation: each server answers with its status, id and text.

use crate::client::{VERSIONS, call, demo, done, refusal};
use bytes::Bytes;
use cloud_apps_standin::{ChannelKind, Standin, Version};
use http::Request;
use serde_json::{Value, json};

async fn refused(mm: &Standin, token: &str, method: &str, path: &str, body: &Value, as_: (u16, &str, &str)) {
    let (status, id, text) = refusal(mm, token, method, path, body).await;
    assert_eq!((status, id.as_str(), text.as_str()), as_, "{:?} {method} {path}", mm.version());
}

#[test]
fn a_fresh_server_has_its_own_defaults() {
    for version in VERSIONS {
        let settings = Standin::new(version).settings();
        let off = [
            settings.enable_bot_account_creation,
            settings.enable_user_access_tokens,
            settings.enable_post_username_override,
            settings.enable_post_icon_override,
            settings.restrict_direct_message_to_team,
        ];
        assert_eq!(off, [false; 5]);
        let on = [
            settings.enable_commands,
            settings.enable_incoming_webhooks,
            settings.enable_outgoing_webhooks,
            settings.enable_only_admin_integrations,
        ];
        assert_eq!(on, [true; 4]);
        assert_eq!(settings.enable_oauth_service_provider, version >= Version::V11);
    }
}

#[tokio::test]
async fn bots_need_enable_bot_account_creation() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        mm.configure(|settings| settings.enable_bot_account_creation = false);
        let body = json!({"username": "helper"});
        let error = (403, "api.bot.create_disabled", "Bot creation has been disabled.");
        refused(&mm, &admin, "POST", "/api/v4/bots", &body, error).await;
        assert!(mm.user("helper").is_err());
    }
}

#[tokio::test]
async fn tokens_of_people_need_enable_user_access_tokens() {
    for version in VERSIONS {
        let (mm, _) = demo(version);
        mm.configure(|settings| settings.enable_user_access_tokens = false);
        let (bot, _) = mm.add_bot("helper", "helps").unwrap();
        // The tokens of people do not work now, so a bot that is a system admin makes the calls.
        mm.add_role("helper", "system_admin").unwrap();
        let token = mm.add_token("helper").unwrap();
        let body = json!({"description": "x"});
        let path = format!("/api/v4/users/{}/tokens", mm.user("admin").unwrap().id);
        let error = (
            501,
            "app.user_access_token.disabled",
            "Personal access tokens are disabled on this server. Please contact your system administrator for details.",
        );
        refused(&mm, &token, "POST", &path, &body, error).await;
        done(&mm, &token, "POST", &format!("/api/v4/users/{bot}/tokens"), &body).await;
    }
}

#[tokio::test]
async fn in_hardened_mode_nobody_is_told_why_the_server_fails() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        mm.configure(|settings| {
            settings.enable_commands = false;
            settings.enable_hardened_mode = true;
        });
        let path = format!("/api/v4/commands?custom_only=true&team_id={}", mm.team_id("demo").unwrap());
        refused(&mm, &admin, "GET", &path, &Value::Null, (500, "", "Internal Server Error")).await;
        let (status, id, _) = refusal(&mm, &admin, "GET", "/api/v4/users/x", &Value::Null).await;
        assert_eq!((status, id.as_str()), (400, "api.context.invalid_url_param.app_error"));
        // What the stand-in does not do, it still says.
        let (status, id, _) = refusal(&mm, &admin, "GET", "/api/v4/emoji", &Value::Null).await;
        assert_eq!((status, id.as_str()), (501, "standin.not_served.app_error"));
        // Before 12 a person may not say in whose name a post was made; a bot or a token may.
        mm.set_password("alice", "secret").unwrap();
        let login = json!({"login_id": "alice", "password": "secret"}).to_string();
        let login = Request::post("/api/v4/users/login").body(Bytes::from(login)).unwrap();
        let session = mm.respond(login).await.unwrap().headers()["token"].to_str().unwrap().to_owned();
        let channel = mm.channel_id("demo", "town-square").unwrap();
        let body = json!({"channel_id": channel, "message": "m", "props": {"override_username": "boss"}});
        let status = call(&mm, &session, "POST", "/api/v4/posts", &body).await.0;
        assert_eq!(status, if version >= Version::V12 { 201 } else { 400 });
        assert_eq!(call(&mm, &admin, "POST", "/api/v4/posts", &body).await.0, 201);
    }
}

#[tokio::test]
async fn commands_need_enable_commands() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        let (id, _) = mm.add_command("demo", "hi", "http://a.test/").unwrap();
        mm.configure(|settings| settings.enable_commands = false);
        let team = mm.team_id("demo").unwrap();
        let error =
            (501, "api.command.disabled.app_error", "Commands have been disabled by the system admin.");
        let body = json!({"team_id": team, "trigger": "ho", "method": "P", "url": "http://a.test/"});
        refused(&mm, &admin, "POST", "/api/v4/commands", &body, error).await;
        let list = format!("/api/v4/commands?custom_only=true&team_id={team}");
        refused(&mm, &admin, "GET", &list, &Value::Null, error).await;
        let channel = mm.channel_id("demo", "town-square").unwrap();
        let line = json!({"channel_id": channel, "command": "/hi"});
        refused(&mm, &admin, "POST", "/api/v4/commands/execute", &line, error).await;
        // While commands are off, a single command is not found.
        assert_eq!(call(&mm, &admin, "DELETE", &format!("/api/v4/commands/{id}"), &Value::Null).await.0, 404);
    }
}

#[tokio::test]
async fn version_11_executes_commands_only_with_a_site_url() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        mm.add_command("demo", "hi", "http://a.test/").unwrap();
        mm.plug("http://a.test/", |_| async { http::Response::new("hello".into()) });
        mm.configure(|settings| settings.site_url.clear());
        let body = json!({"channel_id": mm.channel_id("demo", "town-square").unwrap(), "command": "/hi"});
        let path = "/api/v4/commands/execute";
        if version >= Version::V11 {
            let id = "api.command.execute_command.site_url_required.app_error";
            let error = (400, id, "SiteURL must be configured to use slash commands");
            refused(&mm, &admin, "POST", path, &body, error).await;
        } else {
            done(&mm, &admin, "POST", path, &body).await;
        }
    }
}

#[tokio::test]
async fn webhooks_need_their_settings() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        mm.configure(|settings| {
            settings.enable_outgoing_webhooks = false;
            settings.enable_incoming_webhooks = false;
        });
        let (team, channel) = (mm.team_id("demo").unwrap(), mm.channel_id("demo", "town-square").unwrap());
        let body = json!({"team_id": team, "channel_id": channel, "callback_urls": ["http://a.test/"]});
        let text = "Outgoing webhooks have been disabled by the system admin.";
        let error = (501, "api.outgoing_webhook.disabled.app_error", text);
        refused(&mm, &admin, "POST", "/api/v4/hooks/outgoing", &body, error).await;
        refused(&mm, &admin, "GET", "/api/v4/hooks/outgoing", &Value::Null, error).await;
        let text = "Incoming webhooks have been disabled by the system admin.";
        let error = (501, "api.incoming_webhook.disabled.app_error", text);
        refused(&mm, &admin, "POST", "/api/v4/hooks/incoming", &body, error).await;
    }
}

#[tokio::test]
async fn oauth_apps_need_enable_oauth_service_provider() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        mm.configure(|settings| settings.enable_oauth_service_provider = false);
        let body = json!({"name": "a", "homepage": "http://a.test/", "callback_urls": ["http://a.test/"]});
        let text = "The system admin has turned off OAuth2 Service Provider.";
        let error = (501, "api.oauth.register_oauth_app.turn_off.app_error", text);
        refused(&mm, &admin, "POST", "/api/v4/oauth/apps", &body, error).await;
        let error = (501, "api.oauth.allow_oauth.turn_off.app_error", text);
        refused(&mm, &admin, "GET", "/api/v4/oauth/apps", &Value::Null, error).await;
    }
}

#[tokio::test]
async fn members_make_integrations_of_their_own_where_these_are_not_for_admins_only() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        let (alice, bob) = (mm.add_token("alice").unwrap(), mm.add_token("bob").unwrap());
        let (team, channel) = (mm.team_id("demo").unwrap(), mm.channel_id("demo", "town-square").unwrap());
        let command = json!({"team_id": team, "trigger": "hi", "method": "P", "url": "http://a.test/"});
        let hook = json!({"team_id": team, "channel_id": channel, "callback_urls": ["http://a.test/"]});
        let app = json!({"name": "a", "homepage": "http://a.test/", "callback_urls": ["http://a.test/"], "is_trusted": true});
        mm.configure(|settings| settings.enable_oauth_service_provider = true);
        for (path, body) in [
            ("/api/v4/commands", &command),
            ("/api/v4/hooks/outgoing", &hook),
            ("/api/v4/hooks/incoming", &hook),
            ("/api/v4/oauth/apps", &app),
        ] {
            assert_eq!(call(&mm, &alice, "POST", path, body).await.0, 403, "{path}");
        }
        mm.configure(|settings| settings.enable_only_admin_integrations = false);
        let app = done(&mm, &alice, "POST", "/api/v4/oauth/apps", &app).await;
        assert_eq!(app["is_trusted"], false, "only a system admin makes an app trusted");
        for (path, body) in [
            ("/api/v4/commands", &command),
            ("/api/v4/hooks/outgoing", &hook),
            ("/api/v4/hooks/incoming", &hook),
        ] {
            let made = done(&mm, &alice, "POST", path, body).await;
            let one = format!("{path}/{}", made["id"].as_str().unwrap());
            assert_eq!(call(&mm, &bob, "DELETE", &one, &Value::Null).await.0, 403, "{one} of another");
            done(&mm, &admin, "DELETE", &one, &Value::Null).await;
        }
    }
}

#[tokio::test]
async fn a_direct_channel_may_need_a_common_team() {
    for version in VERSIONS {
        let (mm, _) = demo(version);
        let (bot, token) = mm.add_bot("helper", "helps").unwrap();
        let alice = mm.user("alice").unwrap().id;
        mm.configure(|settings| settings.restrict_direct_message_to_team = true);
        let (path, body) = ("/api/v4/channels/direct", json!([bot, alice]));
        let error = (
            403,
            "api.channel.create_channel.direct_channel.team_restricted_error",
            "A direct channel cannot be created between these users because they do not share a team in common.",
        );
        refused(&mm, &token, "POST", path, &body, error).await;
        mm.join_team("helper", "demo").unwrap();
        done(&mm, &token, "POST", path, &body).await;
    }
}

#[tokio::test]
async fn teams_and_their_channels_have_limits() {
    let (mm, admin) = demo(Version::V11);
    let (bot, _) = mm.add_bot("helper", "helps").unwrap();
    let team = mm.team_id("demo").unwrap();
    mm.configure(|settings| {
        settings.max_users_per_team = 4;
        settings.max_channels_per_team = 3;
    });
    let members = format!("/api/v4/teams/{team}/members");
    let body = json!({"team_id": team, "user_id": bot});
    let (status, id, _) = refusal(&mm, &admin, "POST", &members, &body).await;
    let wanted = (400, "app.team.join_user_to_team.save_member.max_accounts.app_error");
    assert_eq!((status, id.as_str()), wanted);
    mm.add_channel("demo", "third", ChannelKind::Public).unwrap();
    let body = json!({"team_id": team, "name": "fourth", "display_name": "Fourth", "type": "O"});
    let (status, id, _) = refusal(&mm, &admin, "POST", "/api/v4/channels", &body).await;
    assert_eq!((status, id.as_str()), (400, "store.sql_channel.save_channel.limit.app_error"));
}

#[tokio::test]
async fn an_override_is_shown_only_where_it_is_allowed() {
    for (name, icon) in [(false, false), (true, false), (false, true)] {
        let (mm, admin) = demo(Version::V11);
        mm.configure(|settings| {
            settings.enable_post_username_override = name;
            settings.enable_post_icon_override = icon;
        });
        let channel = mm.channel_id("demo", "town-square").unwrap();
        let hook = done(&mm, &admin, "POST", "/api/v4/hooks/incoming", &json!({"channel_id": channel})).await;
        let path = format!("/hooks/{}", hook["id"].as_str().unwrap());
        let body = json!({"text": "hello", "username": "hooky", "icon_url": "http://a.test/i.png"});
        assert_eq!(call(&mm, "", "POST", &path, &body).await.0, 200);
        let post = mm.posts("town-square").unwrap().pop().unwrap();
        assert_eq!(post.props.contains_key("override_username"), name);
        assert_eq!(post.props.contains_key("override_icon_url"), icon);
        assert_eq!(post.props["from_webhook"], "true");
    }
}

#[tokio::test]
async fn the_configuration_tells_what_was_set() {
    for version in VERSIONS {
        let (mm, admin) = demo(version);
        mm.configure(|settings| settings.enable_commands = false);
        let path = "/api/v4/config/client?format=old";
        let all = done(&mm, &admin, "GET", path, &Value::Null).await;
        assert_eq!(
            (&all["EnableCommands"], &all["EnableUserAccessTokens"]),
            (&json!("false"), &json!("true"))
        );
        let anonymous = done(&mm, "", "GET", path, &Value::Null).await;
        assert_eq!(anonymous["EnableCommands"], Value::Null);
        assert_eq!(anonymous["EnableBotAccountCreation"], "true");
        let config = done(&mm, &admin, "GET", "/api/v4/config", &Value::Null).await;
        assert_eq!(config["ServiceSettings"]["EnableCommands"], false);
        let alice = mm.add_token("alice").unwrap();
        assert_eq!(call(&mm, &alice, "GET", "/api/v4/config", &Value::Null).await.0, 403);
    }
}

#[tokio::test]
async fn who_may_sign_in_by_what_is_set() {
    let (mm, _) = demo(Version::V11);
    mm.set_password("alice", "secret").unwrap();
    for (email, name, by_email, by_name, id) in [
        (true, true, 200, 200, ""),
        (true, false, 200, 401, "api.user.login.invalid_credentials_email"),
        (false, true, 401, 200, "api.user.login.invalid_credentials_username"),
        (false, false, 401, 401, "api.user.login.invalid_credentials_email_username"),
    ] {
        mm.configure(|settings| {
            settings.enable_sign_in_with_email = email;
            settings.enable_sign_in_with_username = name;
        });
        for (login, status) in [("alice@example.com", by_email), ("alice", by_name)] {
            let body = json!({"login_id": login, "password": "secret"});
            let (was, body) = call(&mm, "", "POST", "/api/v4/users/login", &body).await;
            assert_eq!(was, status);
            assert!(was == 200 || body["id"] == id, "{body}");
        }
    }
}
