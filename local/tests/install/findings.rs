//! What stands in the way is told before anything is made, all of it, with the place where it is set.

use super::rig::{Rig, To};
use cloud_apps::install::{self, Teams};
use cloud_apps_standin::{Fault, Version};
use http::Method;

/// Everything that an installation which cannot be says.
async fn refused(rig: &Rig, change: impl FnOnce(&mut install::Request)) -> String {
    let before = rig.mattermost.snapshot();
    let mut request = rig.request();
    change(&mut request);
    let installer = rig.installer();
    let stop = install::install(&installer, &request).await.expect_err("it cannot be installed");
    rig.assert_nothing_is_left(&before, "refused").await;
    stop.failure(&installer.admin.server, &installer.bundle).text()
}

#[tokio::test]
async fn all_that_stands_in_the_way_is_told_at_once_with_its_setting_and_the_fix() {
    for version in [Version::V5_37, Version::V11, Version::V12] {
        let rig = Rig::new(version).await;
        rig.mattermost.configure(|settings| {
            settings.enable_bot_account_creation = false;
            settings.enable_commands = false;
            settings.site_url = "https://chat.example.com".to_owned();
        });
        let text = refused(&rig, |request| {
            request.teams = Teams::Named(vec!["demo".to_owned(), "nowhere".to_owned()]);
        })
        .await;
        for part in [
            "ServiceSettings.EnableBotAccountCreation",
            "System Console > Integrations > Bot Accounts > Enable Bot Account Creation",
            "ServiceSettings.EnableCommands",
            "ServiceSettings.SiteURL",
            "https://chat.example.com",
            "there is no team \"nowhere\"",
            "4 things are to be fixed",
        ] {
            assert!(text.contains(part), "{version:?}: {part} is missing in\n{text}");
        }
    }
}

#[tokio::test]
async fn a_trigger_that_is_taken_is_told_with_whose_it_is() {
    let rig = Rig::new(Version::V11).await;
    rig.mattermost.add_command("demo", "hello", "https://elsewhere.example.com/x?key=secret").unwrap();
    let text = refused(&rig, |_| {}).await;
    for part in ["/hello is taken in the team demo", "@admin", "elsewhere.example.com"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn a_person_or_a_strangers_bot_of_that_name_is_left_alone() {
    let rig = Rig::new(Version::V11).await;
    rig.mattermost.add_user("hello").unwrap();
    let text = refused(&rig, |_| {}).await;
    assert!(text.contains("@hello is a user") && text.contains("--bot NAME"), "{text}");

    let rig = Rig::new(Version::V11).await;
    rig.mattermost.add_bot("hello", "somebody's own").unwrap();
    let text = refused(&rig, |_| {}).await;
    assert!(text.contains("was not made for hello") && text.contains("--bot NAME"), "{text}");
    let mut request = rig.request();
    request.bot = Some("greeter".to_owned());
    let installed = install::install(&rig.installer(), &request).await.unwrap();
    assert_eq!(installed.bot, "greeter");
}

#[tokio::test]
async fn a_token_that_is_no_system_admins_or_no_token_at_all_is_told() {
    let mut rig = Rig::new(Version::V11).await;
    rig.token = Some(rig.mattermost.add_token("alice").unwrap());
    let text = refused(&rig, |_| {}).await;
    assert!(text.contains("@alice is not a system admin"), "{text}");

    rig.token = Some("abcdefghijklmnopqrstuvwxyz".to_owned());
    let text = refused(&rig, |_| {}).await;
    for part in
        ["401", "CLOUD_APPS_ADMIN_TOKEN", "log in at the prompt", "ServiceSettings.EnableUserAccessTokens"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("abcdefghijklmnopqrstuvwxyz"), "{text}");
}

#[tokio::test]
async fn an_admin_must_choose_where_a_server_has_several_teams() {
    let rig = Rig::new(Version::V11).await;
    rig.mattermost.add_team("ops").unwrap();
    let text = refused(&rig, |request| request.teams = Teams::Named(Vec::new())).await;
    for part in ["2 teams", "demo", "ops", "--team NAME", "--all-teams"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let mut request = rig.request();
    request.teams = Teams::All;
    let installed = install::install(&rig.installer(), &request).await.unwrap();
    assert_eq!(installed.teams.len(), 2);
}

#[tokio::test]
async fn each_call_that_is_refused_names_the_permission_it_takes() {
    let calls = [
        (Method::POST, "/api/v4/bots", "`create_bot`"),
        (Method::POST, "/api/v4/users/{user_id}/tokens", "`create_user_access_token`"),
        (Method::GET, "/api/v4/users/{user_id}/tokens", "`read_user_access_token`"),
        (Method::POST, "/api/v4/teams/{team_id}/members", "`add_user_to_team`"),
        (Method::POST, "/api/v4/commands", "`manage_own_slash_commands`"),
    ];
    for (method, path, permission) in calls {
        let rig = Rig::new(Version::V11).await;
        rig.mattermost.fault_on(method.clone(), path, 1, Fault::Status(403));
        let mut request = rig.request();
        request.keep = true;
        let installer = rig.installer();
        let stop = install::install(&installer, &request).await.expect_err(path);
        let text = stop.failure(&installer.admin.server, &installer.bundle).text();
        assert!(text.contains(permission), "{method} {path}: {permission} is missing in\n{text}");
        assert!(text.contains("403"), "{text}");
    }
}

#[tokio::test]
async fn a_server_in_hardened_mode_hides_why_it_fails_and_is_installed_on_like_any_other() {
    for version in [Version::V5_37, Version::V11, Version::V12] {
        let rig = Rig::new(version).await;
        let before = rig.mattermost.snapshot();
        rig.mattermost.configure(|settings| settings.enable_hardened_mode = true);
        rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
        rig.assert_it_is_whole(&before, "in hardened mode").await;
    }
    let rig = Rig::new(Version::V12).await;
    rig.mattermost.configure(|settings| settings.enable_hardened_mode = true);
    rig.mattermost.fault_on(Method::POST, "/api/v4/commands", 1, Fault::Status(500));
    let text = refused(&rig, |_| {}).await;
    for part in ["Internal Server Error (500)", "ServiceSettings.EnableHardenedMode", "Its own log says it"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn something_that_is_no_mattermost_is_told_apart() {
    for (fault, part) in [
        (Fault::Html(200), "what a Mattermost server sends"),
        (Fault::Html(502), "A proxy answers"),
        (Fault::Hang, "no answer came in time"),
        (Fault::Cut, "the connection broke off"),
    ] {
        let rig = Rig::new(Version::V11).await;
        rig.order(To::Mattermost, 1, fault);
        let text = refused(&rig, |_| {}).await;
        assert!(text.contains(part), "{fault:?}: {text}");
    }
}

#[tokio::test]
async fn an_app_that_stands_there_already_goes_on_working() {
    let rig = Rig::new(Version::V11).await;
    let before = rig.mattermost.snapshot();
    let first = rig.install().await.unwrap();
    let installer = rig.installer();
    let stop = install::install(&installer, &rig.request()).await.expect_err("it is there");
    let text = stop.failure(&installer.admin.server, &installer.bundle).text();
    assert!(text.contains(first.install_id.as_str()) && text.contains("cloud-apps sync"), "{text}");
    rig.assert_it_is_whole(&before, "after a second try").await;
}

#[tokio::test]
async fn an_admin_without_tokens_logs_in_and_is_logged_out_whatever_happens() {
    for (answers, fails) in [
        (&["", "admin", "Password-1!"][..], false),
        (&["", "admin", "wrong", "admin", "Password-1!"][..], false),
        (&["", "admin", "Password-1!"][..], true),
    ] {
        let mut rig = Rig::new(Version::V11).await;
        let before = rig.mattermost.snapshot();
        rig.mattermost.configure(|settings| settings.enable_user_access_tokens = false);
        rig.token = None;
        rig.person.will_say(answers);
        if fails {
            rig.mattermost.fault_on(Method::POST, "/api/v4/commands", 1, Fault::Status(500));
        }
        assert_eq!(rig.install().await.is_err(), fails, "{}", rig.person.text());
        let sessions = rig.mattermost.snapshot().of(cloud_apps_standin::Kind::Session);
        assert!(sessions.is_empty(), "{sessions:?}");
        if !fails {
            rig.assert_it_is_whole(&before, "by a login").await;
        }
    }
}

#[tokio::test]
async fn a_login_asks_for_the_code_of_an_authenticator_where_the_server_does() {
    let mut rig = Rig::new(Version::V11).await;
    rig.mattermost.configure(|settings| {
        settings.enable_user_access_tokens = false;
        settings.enable_multifactor_authentication = true;
    });
    rig.mattermost.set_mfa_code("admin", "123456").unwrap();
    rig.token = None;
    rig.person.will_say(&["", "admin", "Password-1!", "123456"]);
    rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
}
