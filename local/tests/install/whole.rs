//! The way as it should go.

use super::rig::Rig;
use cloud_apps::install;
use cloud_apps_standin::Version;

#[tokio::test]
async fn an_app_is_installed_and_answers_on_both_generations() {
    for version in [Version::V5_37, Version::V11, Version::V12] {
        let rig = Rig::new(version).await;
        let before = rig.mattermost.snapshot();
        let installed = rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
        rig.assert_it_is_whole(&before, "installed").await;
        assert_eq!((installed.bot.as_str(), installed.state.as_str()), ("hello", "active"));
        assert_eq!(installed.r#try, ["/hello help"]);
    }
}

#[tokio::test]
async fn a_dry_run_shows_every_call_and_makes_none() {
    let rig = Rig::new(Version::V11).await;
    let before = rig.mattermost.snapshot();
    let (plan, calls) = install::plan(&rig.installer(), &rig.request()).await.unwrap();
    assert_eq!(plan.bot, "hello");
    let calls = calls.join("\n");
    for part in ["/api/v4/bots", "/tokens", "/members", "/api/v4/commands", "/install", "/complete"] {
        assert!(calls.contains(part), "{part}: {calls}");
    }
    let changed = rig.mattermost.calls().into_iter().filter(|call| call.method != http::Method::GET).count();
    assert_eq!(changed, 0);
    rig.assert_nothing_is_left(&before, "a dry run").await;
}
