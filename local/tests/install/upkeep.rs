//! `sync` and `uninstall`.

use super::rig::{Rig, To};
use cloud_apps::install::{self, Removal, Synced, Teams, Uninstalled};
use cloud_apps_core::operator::{OperatorRequest, Patch};
use cloud_apps_protocol::AppId;
use cloud_apps_standin::{Fault, Snapshot, Version};

const EFFECTS: [Fault; 2] = [Fault::Cut, Fault::CutAfter];
const TO: [To; 2] = [To::Mattermost, To::Operator];

impl Rig {
    pub async fn sync(&self, teams: Teams) -> Result<Synced, install::Stop> {
        let view = self.install_at_the_bundle().await.expect("it is installed");
        install::sync(&self.installer(), &view, &teams, false).await
    }

    /// As the command does it: what the bundle has, or what is left of it.
    pub async fn uninstall(&self, keep_bot: bool) -> Result<Uninstalled, install::Stop> {
        let install = self.install_at_the_bundle().await;
        let app = AppId::new("hello").unwrap();
        let bot = "hello".to_owned();
        let removal =
            Removal { app, install, bot, named_bot: None, addresses: Vec::new(), hears: false, keep_bot };
        install::uninstall(&self.installer(), &removal).await
    }

    pub async fn answers(&self, channel: &str) -> bool {
        let seen = self.mattermost.execute("alice", channel, "/hello help").await;
        seen.is_ok_and(|seen| seen.texts().concat().contains("greet"))
    }

    pub async fn installed() -> (Self, Snapshot) {
        Self::installed_on(Version::V11).await
    }

    async fn installed_on(version: Version) -> (Self, Snapshot) {
        let rig = Self::new(version).await;
        let before = rig.mattermost.snapshot();
        rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}"));
        (rig, before)
    }
}

fn named(names: &[&str]) -> Teams {
    Teams::Named(names.iter().map(|&name| name.to_owned()).collect())
}

#[tokio::test]
async fn a_sync_where_all_is_right_changes_nothing() {
    for version in [Version::V5_37, Version::V11, Version::V12] {
        let (rig, _) = Rig::installed_on(version).await;
        let before = rig.mattermost.snapshot();
        let synced = rig.sync(named(&[])).await.unwrap_or_else(|stop| panic!("{stop:?}"));
        assert!(synced.changed.is_empty(), "{:?}", synced.changed);
        assert_eq!(synced.teams, ["demo"]);
        assert!(before.difference(&rig.mattermost.snapshot()).is_empty());
        assert!(rig.answers("town-square").await);
    }
}

#[tokio::test]
async fn a_team_that_came_later_is_brought_in() {
    let (rig, _) = Rig::installed().await;
    rig.mattermost.add_team("ops").unwrap();
    rig.mattermost.join_team("alice", "ops").unwrap();
    let synced = rig.sync(named(&["ops"])).await.unwrap();
    assert_eq!(synced.changed.len(), 2, "{:?}", synced.changed);
    let view = rig.install_at_the_bundle().await.unwrap();
    assert_eq!(view.teams.len(), 2);
    let there = rig.mattermost.channel_id("ops", "town-square").unwrap();
    assert!(rig.answers(&there).await, "{}", rig.person.text());
    assert!(rig.sync(Teams::All).await.unwrap().changed.is_empty());
    let nowhere = rig.sync(named(&["nowhere"])).await.expect_err("there is no such team");
    let installer = rig.installer();
    assert!(nowhere.failure(&installer.admin.server, &installer.bundle).text().contains("there is no team"));
}

/// The slash command of the demo's team, changed or deleted by somebody.
async fn command(
    rig: &Rig,
    change: impl AsyncFn(&cloud_apps::mattermost::Mattermost, cloud_apps::mattermost::Command),
) {
    let token = rig.token.clone().unwrap().into();
    let server = rig.installer().admin.server.with_token(token);
    let team = rig.mattermost.team_id("demo").unwrap();
    for command in server.commands(&team).await.unwrap() {
        change(&server, command).await;
    }
}

#[tokio::test]
async fn a_command_that_is_gone_or_was_altered_is_put_right() {
    let (rig, before) = Rig::installed().await;
    command(&rig, async |server, command| server.delete_command(&command.id).await.unwrap()).await;
    assert!(!rig.answers("town-square").await);
    let synced = rig.sync(named(&[])).await.unwrap_or_else(|stop| panic!("{stop:?}"));
    assert!(synced.changed.iter().any(|one| one.contains("made /hello in demo")), "{:?}", synced.changed);
    rig.assert_it_is_whole(&before, "rebuilt").await;
    assert!(rig.install_at_the_bundle().await.unwrap().leftovers.is_empty());

    command(&rig, async |server, command| {
        let wrong = cloud_apps::mattermost::NewCommand {
            team_id: command.team_id.clone(),
            trigger: command.trigger.clone(),
            method: "G",
            url: "https://elsewhere.example.com/".to_owned(),
            auto_complete: false,
            auto_complete_desc: String::new(),
            auto_complete_hint: String::new(),
            display_name: String::new(),
            description: command.description.clone(),
        };
        server.update_command(&command, &wrong).await.unwrap();
    })
    .await;
    assert!(!rig.answers("town-square").await);
    let altered = rig.mattermost.snapshot();
    let refused = rig.sync(named(&[])).await.expect_err("nobody agrees to another host");
    let installer = rig.installer();
    let text = refused.failure(&installer.admin.server, &installer.bundle).text();
    assert!(text.contains("nobody is at the terminal to agree that they go to http://127.0.0.1"), "{text}");
    assert!(text.contains("--yes agrees"), "{text}");
    rig.person.will_say(&["n"]);
    assert!(matches!(rig.sync(named(&[])).await, Err(install::Stop::Declined)));
    assert!(altered.difference(&rig.mattermost.snapshot()).is_empty(), "nothing was changed");
    assert!(rig.person.text().contains("/hello in demo goes to https://elsewhere.example.com"));

    rig.person.will_say(&["y"]);
    let synced = rig.sync(named(&[])).await.unwrap();
    assert_eq!(synced.changed, ["put right /hello in demo"]);
    rig.assert_it_is_whole(&before, "put right").await;
}

/// Somebody wrote another address into the install: what people type goes on to the bundle until somebody agrees.
#[tokio::test]
async fn an_install_that_was_moved_takes_no_command_with_it_unasked() {
    let (rig, _) = Rig::installed().await;
    let install_id = rig.install_at_the_bundle().await.unwrap().install_id;
    let patch = Patch(serde_json::json!({"rebase": "https://evil.example.com"}));
    rig.operate(OperatorRequest::Change { install_id, patch, if_match: None }).await;
    let before = rig.mattermost.snapshot();
    let stop = rig.sync(named(&[])).await.expect_err("nobody agrees");
    let installer = rig.installer();
    let text = stop.failure(&installer.admin.server, &installer.bundle).text();
    assert!(
        text.contains("nobody is at the terminal to agree that they go to https://evil.example.com"),
        "{text}"
    );
    assert!(before.difference(&rig.mattermost.snapshot()).is_empty());
    assert!(rig.answers("town-square").await);
}

#[tokio::test]
async fn whatever_call_of_a_sync_fails_the_next_one_makes_it_right() {
    let broken = async || {
        let (rig, before) = Rig::installed().await;
        rig.mattermost.add_team("ops").unwrap();
        rig.mattermost.join_team("alice", "ops").unwrap();
        command(&rig, async |server, command| server.delete_command(&command.id).await.unwrap()).await;
        (rig, before)
    };
    for to in TO {
        let (rig, _) = broken().await;
        let start = rig.calls_to(to);
        rig.sync(named(&["ops"])).await.unwrap();
        for nth in 1..=rig.calls_to(to) - start {
            for fault in EFFECTS {
                let case = format!("call {nth} to {to:?}, {fault:?}");
                let (rig, _) = broken().await;
                rig.order(to, nth, fault);
                let _ = rig.sync(named(&["ops"])).await;
                rig.clear();
                rig.sync(named(&["ops"])).await.unwrap_or_else(|stop| panic!("{case}: {stop:?}"));
                let there = rig.mattermost.channel_id("ops", "town-square").unwrap();
                assert!(rig.answers("town-square").await && rig.answers(&there).await, "{case}");
                let again = rig.sync(named(&[])).await.unwrap();
                assert!(again.changed.is_empty(), "{case}: {:?}", again.changed);
                let commands = rig.mattermost.snapshot().of(cloud_apps_standin::Kind::Command);
                assert_eq!(commands.len(), 2, "{case}: {commands:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_uninstall_leaves_nothing_and_says_what_stays() {
    for version in [Version::V5_37, Version::V11, Version::V12] {
        let (rig, before) = Rig::installed_on(version).await;
        let gone =
            rig.uninstall(false).await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
        assert!(gone.install_id.is_some());
        assert!(gone.stays.iter().any(|one| one.contains("cannot delete a bot")), "{gone:?}");
        rig.assert_nothing_is_left(&before, "uninstalled").await;
        assert!(!rig.answers("town-square").await);
        let again = rig.uninstall(false).await.unwrap();
        assert!(again.install_id.is_none() && again.removed.is_empty(), "{again:?}");
        // The bot that stays is taken up again.
        rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}"));
        rig.assert_it_is_whole(&before, "installed again").await;
    }
}

#[tokio::test]
async fn a_bot_is_kept_on_demand_without_its_token() {
    let (rig, before) = Rig::installed().await;
    let gone = rig.uninstall(true).await.unwrap();
    assert!(gone.stays.iter().any(|one| one.contains("--keep-bot")), "{gone:?}");
    let left = before.in_use().difference(&rig.mattermost.snapshot().in_use());
    assert!(left.iter().any(|line| line.starts_with("+ bot hello: enabled")), "{left:?}");
    assert!(!left.iter().any(|line| line.contains("token") || line.contains("command")), "{left:?}");
}

#[tokio::test]
async fn whatever_call_of_an_uninstall_fails_the_next_one_leaves_nothing() {
    for to in TO {
        let (rig, _) = Rig::installed().await;
        let start = rig.calls_to(to);
        rig.uninstall(false).await.unwrap();
        for nth in 1..=rig.calls_to(to) - start {
            for fault in EFFECTS {
                let case = format!("call {nth} to {to:?}, {fault:?}");
                let (rig, before) = Rig::installed().await;
                rig.order(to, nth, fault);
                let _ = rig.uninstall(false).await;
                rig.clear();
                rig.uninstall(false).await.unwrap_or_else(|stop| panic!("{case}: {stop:?}"));
                rig.assert_nothing_is_left(&before, &case).await;
            }
        }
    }
}

#[tokio::test]
async fn whatever_call_of_a_rotation_fails_the_bot_goes_on_and_the_next_one_leaves_one_token() {
    let rotate = async |rig: &Rig| {
        let view = rig.install_at_the_bundle().await.expect("it is installed");
        install::rotate_bot_token(&rig.installer(), &view).await
    };
    let works = async |rig: &Rig| {
        let seen = rig.mattermost.execute("alice", "town-square", "/hello whoami").await;
        seen.is_ok_and(|seen| seen.texts().concat().starts_with("You are @alice"))
    };
    for to in TO {
        let (rig, _) = Rig::installed().await;
        let start = rig.calls_to(to);
        rotate(&rig).await.unwrap_or_else(|stop| panic!("{stop:?}"));
        for nth in 1..=rig.calls_to(to) - start {
            for fault in [Fault::Status(403), Fault::Status(500), Fault::Cut, Fault::CutAfter] {
                let case = format!("call {nth} to {to:?}, {fault:?}");
                let (rig, before) = Rig::installed().await;
                rig.order(to, nth, fault);
                let _ = rotate(&rig).await;
                rig.clear();
                assert!(works(&rig).await, "{case}: between");
                rotate(&rig).await.unwrap_or_else(|stop| panic!("{case}: {stop:?}"));
                assert!(works(&rig).await, "{case}: after");
                rig.assert_it_is_whole(&before, &case).await;
            }
        }
    }
}
