//! What others made on the same server, before or beside: it is neither believed nor touched.

use super::rig::{Rig, To};
use cloud_apps::{
    certificates::Authorities,
    install::{self, Admin, Removal, Stop, Teams, bundle::Rights},
    mattermost::{Command, Mattermost, NewCommand},
};
use cloud_apps_core::operator::{OperatorAnswer, OperatorRequest, Patch};
use cloud_apps_protocol::{
    AppId, SiteUrl,
    install::{InstallPatch, InstallView, Registration},
};
use cloud_apps_standin::{Fault, Kind, Version};
use http::Method;

/// An install id that nobody has.
const NOBODYS: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A slash command as `cloud-apps` of this bundle makes one.
fn forged(rig: &Rig, team: &str, bundle: &SiteUrl) -> NewCommand {
    NewCommand {
        team_id: rig.mattermost.team_id(team).unwrap(),
        trigger: "hello".to_owned(),
        method: "P",
        url: format!("{bundle}/hooks/{NOBODYS}/slash"),
        auto_complete: true,
        auto_complete_desc: String::new(),
        auto_complete_hint: String::new(),
        display_name: "Hello".to_owned(),
        description: "Cloud App hello. Made by cloud-apps; `cloud-apps sync` keeps it right.".to_owned(),
    }
}

/// The command of a team, as its admin sees it.
async fn standing(rig: &Rig, team: &str) -> Option<Command> {
    let team = rig.mattermost.team_id(team).unwrap();
    rig.admin().commands(&team).await.unwrap().into_iter().find(|command| command.trigger == "hello")
}

/// Another system admin, as the server knows them.
fn another_admin(rig: &Rig) -> Mattermost {
    rig.mattermost.add_role("carol", "system_admin").unwrap();
    rig.server_as("carol")
}

/// What an installation that cannot be says.
fn refusal(rig: &Rig, stop: Stop) -> String {
    let installer = rig.installer();
    stop.failure(&installer.admin.server, &installer.bundle).text()
}

#[tokio::test]
async fn a_command_that_a_member_made_beforehand_is_never_taken() {
    for version in [Version::V5_37, Version::V11, Version::V12] {
        let rig = Rig::new(version).await;
        rig.mattermost.configure(|settings| settings.enable_only_admin_integrations = false);
        let made =
            rig.server_as("alice").create_command(&forged(&rig, "demo", rig.base_url())).await.unwrap();
        let before = rig.mattermost.snapshot();
        let text = refusal(&rig, rig.install().await.expect_err("alice knows its token"));
        for part in ["/hello of the team demo", "@alice", "not a system admin", "Delete that command"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        rig.assert_nothing_is_left(&before, "refused").await;
        assert!(standing(&rig, "demo").await.unwrap() == made, "it was not touched");
    }
}

#[tokio::test]
async fn a_command_that_an_admin_made_beforehand_gets_a_new_token_and_is_told() {
    for version in [Version::V5_37, Version::V11, Version::V12] {
        let rig = Rig::new(version).await;
        let carol = another_admin(&rig);
        let before = rig.mattermost.snapshot();
        let made = carol.create_command(&forged(&rig, "demo", rig.base_url())).await.unwrap();
        rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
        let stands = standing(&rig, "demo").await.unwrap();
        assert_eq!(stands.id, made.id);
        assert!(stands.token != made.token, "somebody who had the old token could speak as any user");
        let told = rig.person.text();
        assert!(told.contains("took up /hello of the team demo (made by @carol)"), "{told}");
        rig.assert_it_is_whole(&before, "taken up").await;
    }
}

#[tokio::test]
async fn a_sync_takes_up_a_command_only_with_a_new_token() {
    let (rig, _) = Rig::installed().await;
    rig.mattermost.add_team("ops").unwrap();
    rig.mattermost.join_team("alice", "ops").unwrap();
    let made = another_admin(&rig).create_command(&forged(&rig, "ops", rig.base_url())).await.unwrap();
    let synced =
        rig.sync(Teams::Named(vec!["ops".to_owned()])).await.unwrap_or_else(|stop| panic!("{stop:?}"));
    assert!(synced.changed.iter().any(|one| one.contains("made by @carol")), "{:?}", synced.changed);
    assert!(standing(&rig, "ops").await.unwrap().token != made.token);
    let there = rig.mattermost.channel_id("ops", "town-square").unwrap();
    assert!(rig.answers(&there).await);
    assert!(rig.sync(Teams::Named(Vec::new())).await.unwrap().changed.is_empty());
}

/// A bot of the app's name, made by an admin, with a token that its maker keeps.
async fn bot(rig: &Rig, description: &str, owner: &str) -> (String, String) {
    let carol = another_admin(rig);
    let bot = carol.create_bot("hello", "Hello", description).await.unwrap().user_id;
    let token = carol.create_token(&bot, "mine").await.unwrap().token;
    if owner != "carol" {
        let admin = rig.token.clone().unwrap();
        let owner = rig.mattermost.user(owner).unwrap().id;
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(format!("/api/v4/bots/{bot}/assign/{owner}"))
            .header("authorization", format!("Bearer {admin}"))
            .body(bytes::Bytes::new())
            .unwrap();
        assert!(rig.mattermost.respond(request).await.unwrap().status().is_success());
    }
    (bot, token)
}

async fn works(rig: &Rig, token: &str) -> bool {
    let site = SiteUrl::new(&rig.mattermost.site_url()).unwrap();
    let server = Mattermost::new(&site, std::time::Duration::from_mins(1), &Authorities::default()).unwrap();
    server.with_token(token.to_owned().into()).me().await.is_ok()
}

#[tokio::test]
async fn a_bot_that_belongs_to_no_admin_is_never_taken() {
    for marked in ["(Cloud App hello)".to_owned(), String::new()] {
        let rig = Rig::new(Version::V11).await;
        let marked =
            if marked.is_empty() { format!("(Cloud App hello of {})", rig.base_url()) } else { marked };
        bot(&rig, &marked, "alice").await;
        let before = rig.mattermost.snapshot();
        let text = refusal(&rig, rig.install().await.expect_err("alice may make tokens for it"));
        for part in ["@hello", "@alice", "not a system admin", "--bot NAME"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        rig.assert_nothing_is_left(&before, "refused").await;
    }
}

#[tokio::test]
async fn a_bot_that_an_admin_made_beforehand_loses_every_other_token() {
    let rig = Rig::new(Version::V11).await;
    another_admin(&rig);
    let before = rig.mattermost.snapshot();
    let (_, kept) = bot(&rig, &format!("Hi (Cloud App hello of {})", rig.base_url()), "carol").await;
    assert!(works(&rig, &kept).await);
    rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
    assert!(!works(&rig, &kept).await, "somebody who kept the old token speaks as the bot");
    let told = rig.person.text();
    assert!(told.contains("takes up the bot @hello (owned by @carol)"), "{told}");
    rig.assert_it_is_whole(&before, "taken up").await;
}

#[tokio::test]
async fn a_bot_of_an_older_version_is_taken_up_where_nothing_works_by_it_and_else_with_consent() {
    let rig = Rig::new(Version::V11).await;
    another_admin(&rig);
    let before = rig.mattermost.snapshot();
    let (_, kept) = bot(&rig, "Hi (Cloud App hello)", "carol").await;
    let text = refusal(&rig, rig.install().await.expect_err("it may be another bundle's"));
    for part in ["a bundle that its description does not name", "--take-over"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(works(&rig, &kept).await, "it was not touched");
    let mut request = rig.request();
    request.take_over = true;
    install::install(&rig.installer(), &request).await.unwrap_or_else(|stop| panic!("{stop:?}"));
    assert!(!works(&rig, &kept).await);
    rig.assert_it_is_whole(&before, "taken over").await;

    let rig = Rig::new(Version::V11).await;
    let (id, _) = bot(&rig, "Hi (Cloud App hello)", "carol").await;
    rig.admin().disable_bot(&id).await.unwrap();
    rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
    let described = rig.admin().bot(&id).await.unwrap().unwrap().description;
    assert!(described.ends_with(&format!("(Cloud App hello of {})", rig.base_url())), "{described}");
}

#[tokio::test]
async fn an_uninstall_goes_to_its_end_whatever_is_switched_off_and_goes_on_later() {
    for version in [Version::V5_37, Version::V11, Version::V12] {
        for commands in [true, false] {
            let rig = Rig::new(version).await;
            let before = rig.mattermost.snapshot();
            rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}"));
            rig.mattermost.configure(|settings| {
                settings.enable_outgoing_webhooks = false;
                settings.enable_commands = commands;
            });
            let gone = rig.uninstall(false).await.unwrap_or_else(|stop| panic!("{stop:?}"));
            assert!(gone.install_id.is_some() && gone.failed.is_empty(), "{gone:?}");
            assert_eq!(gone.is_whole(), commands, "{gone:?}");
            let left = rig.mattermost.snapshot();
            assert!(!left.to_string().contains("token of hello"), "{left}");
            let used = before.in_use().difference(&left.in_use());
            assert!(!used.iter().any(|line| line.starts_with("+ bot")), "the bot is disabled: {used:?}");
            let named = gone.not_looked_at.iter().chain(&gone.stays).cloned().collect::<Vec<_>>().join("\n");
            assert!(named.contains("ServiceSettings.EnableOutgoingWebhooks"), "{named}");
            if !commands {
                assert!(gone.not_looked_at.concat().contains("ServiceSettings.EnableCommands"), "{gone:?}");
                assert_eq!(rig.mattermost.snapshot().of(Kind::Command).len(), 1);
                rig.mattermost.configure(|settings| settings.enable_commands = true);
                // The bundle has no install any more.
                let again = rig.uninstall(false).await.unwrap_or_else(|stop| panic!("{stop:?}"));
                assert!(again.is_whole() && again.removed == ["/hello of the team demo"], "{again:?}");
            }
            rig.assert_nothing_is_left(&before, "uninstalled").await;
        }
    }
}

#[tokio::test]
async fn one_thing_that_cannot_be_removed_keeps_nothing_else() {
    let (rig, _) = Rig::installed().await;
    rig.mattermost.fault_on(Method::POST, "/api/v4/users/tokens/revoke", 1, Fault::Status(500));
    rig.mattermost.fault_on(Method::POST, "/api/v4/bots/{bot_user_id}/disable", 1, Fault::Status(500));
    let gone = rig.uninstall(false).await.unwrap();
    assert!(!gone.is_whole() && gone.failed.len() == 2, "{gone:?}");
    assert_eq!(gone.removed, ["/hello of the team demo"]);
    rig.clear();
    let again = rig.uninstall(false).await.unwrap();
    assert!(again.is_whole() && again.removed == ["the token of @hello"], "{again:?}");
}

#[tokio::test]
async fn an_uninstall_at_the_wrong_bundle_touches_nothing_and_says_whose_it_is() {
    let (a, before) = Rig::installed().await;
    let b = a.beside().await;
    let whole = a.mattermost.snapshot();
    let gone = b.uninstall(false).await.unwrap();
    assert!(!gone.is_whole() && gone.removed.is_empty(), "{gone:?}");
    let told = gone.not_touched.join("\n");
    for part in ["/hello of the team demo", "the bot @hello", a.base_url().as_str()] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(whole.difference(&a.mattermost.snapshot()).is_empty());
    a.assert_it_is_whole(&before, "after the wrong bundle").await;
}

#[tokio::test]
async fn an_install_from_another_bundle_takes_nothing_without_consent() {
    let (a, before) = Rig::installed().await;
    let b = a.beside().await;
    let text = refusal(&b, b.install().await.expect_err("it is another bundle's"));
    for part in ["/hello of the team demo", "the bot @hello", a.base_url().as_str(), "--take-over", "cleanup"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    a.assert_it_is_whole(&before, "after a refused install").await;

    // An admin who is asked and says no changes nothing; --yes is no answer to it.
    b.person.will_say(&["n"]);
    assert!(matches!(b.install().await, Err(Stop::Declined)));
    a.assert_it_is_whole(&before, "after a no").await;

    // With consent it is the other bundle's, whole; and the first one does not take it back by itself.
    b.person.will_say(&["y"]);
    b.install().await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", b.person.text()));
    b.assert_it_is_whole(&before, "taken over").await;
    let text = refusal(&a, a.sync(Teams::Named(Vec::new())).await.expect_err("it is b's now"));
    assert!(text.contains(b.base_url().as_str()), "{text}");
    let gone = a.uninstall(false).await.unwrap();
    assert!(gone.not_touched.len() == 2 && gone.removed.is_empty(), "{gone:?}");
    b.assert_it_is_whole(&before, "after the first one went").await;
}

/// Only the commands tell a bot that was taken over from one whose description is older than an address.
#[tokio::test]
async fn an_uninstall_that_does_not_see_the_commands_takes_no_bot_that_another_bundle_took_over() {
    for off in [false, true] {
        let (a, before) = Rig::installed().await;
        let b = a.beside().await;
        let mut request = b.request();
        request.take_over = true;
        install::install(&b.installer(), &request).await.unwrap_or_else(|stop| panic!("{stop:?}"));
        if off {
            a.mattermost.configure(|settings| settings.enable_commands = false);
        } else {
            a.mattermost.fault_on(Method::GET, "/api/v4/commands", 1, Fault::Status(500));
        }
        let gone = a.uninstall(false).await.unwrap();
        assert!(!gone.is_whole() && gone.removed.is_empty(), "{gone:?}");
        a.mattermost.configure(|settings| settings.enable_commands = true);
        b.assert_it_is_whole(&before, "after the first one went").await;
    }
}

#[tokio::test]
async fn a_take_over_that_fails_gives_back_what_it_did_not_take() {
    let (a, _) = Rig::installed().await;
    let b = a.beside().await;
    let command = standing(&a, "demo").await.unwrap();
    b.mattermost.fault_on(Method::PUT, "/api/v4/commands/{command_id}/regen_token", 1, Fault::Status(403));
    let mut request = b.request();
    request.take_over = true;
    install::install(&b.installer(), &request).await.expect_err("the server refuses");
    assert!(standing(&a, "demo").await.unwrap() == command, "it is the first bundle's still");
    let described = described(&a).await;
    assert!(described.contains(a.base_url().as_str()), "{described}\n{}", b.person.text());
}

/// What stands in the profile of the app's bot.
async fn described(rig: &Rig) -> String {
    let id = rig.mattermost.user("hello").unwrap().id;
    rig.admin().bot(&id).await.unwrap().unwrap().description
}

/// The call to the bundle by which an install is begun; the one by which it is completed is the next.
async fn begin_call(by_code: bool) -> usize {
    let rig = Rig::new(Version::V11).await;
    let installer = if by_code { rig.installer_by(Rights::Code(rig.code().await)) } else { rig.installer() };
    install::install(&installer, &rig.request()).await.unwrap();
    rig.http.calls() - 1
}

#[tokio::test]
async fn a_take_over_that_is_refused_leaves_the_other_bundle_its_bot() {
    let begin = begin_call(false).await;
    for keep in [false, true] {
        let (a, before) = Rig::installed().await;
        let b = a.beside().await;
        b.order(To::Bundle, begin, Fault::Status(400));
        let mut request = b.request();
        (request.take_over, request.keep) = (true, keep);
        install::install(&b.installer(), &request).await.expect_err("the bundle refuses");
        b.clear();
        let described = described(&a).await;
        assert!(described.contains(a.base_url().as_str()), "{described}");
        if keep {
            assert!(install::undo(&b.installer(), &request).await.unwrap());
        }
        a.assert_it_is_whole(&before, "a take-over was refused").await;
        let gone = b.uninstall(false).await.unwrap();
        assert!(gone.removed.is_empty() && !gone.is_whole(), "{gone:?}");
        a.assert_it_is_whole(&before, "after an uninstall of the bundle that was refused").await;
    }
}

/// How the first of two admins ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// The process was killed when the slash command was made.
    Command,
    /// The answer that names the install was lost.
    Begin,
}

/// Of two admins of one bundle the first one's run was cut off, and the second one removed what it left and installed the
/// app, with the same bot. Whatever the first one does then, the second one's install serves.
#[tokio::test]
async fn what_a_colleague_installed_since_is_not_taken_back() {
    for end in [End::Command, End::Begin] {
        for by_code in [false, true] {
            for undo in [false, true] {
                let case = format!("{end:?}, by a code: {by_code}, --undo: {undo}");
                let rig = Rig::new(Version::V11).await;
                let before = rig.mattermost.snapshot();
                let first = Rights::Code(rig.code().await);
                match end {
                    End::Command => {
                        rig.mattermost.fault_on(Method::POST, "/api/v4/commands", 1, Fault::CutAfter);
                    }
                    End::Begin => rig.order(To::Bundle, begin_call(by_code).await, Fault::CutAfter),
                }
                let mut request = rig.request();
                request.keep = true;
                let installer = if by_code { rig.installer_by(first) } else { rig.installer() };
                install::install(&installer, &request).await.expect_err("cut off");
                rig.clear();
                assert!(rig.unfinished(), "{case}: {}", rig.person.text());

                let elsewhere = tempfile::TempDir::new().unwrap();
                let mut colleague = rig.installer();
                colleague.journals = elsewhere.path().to_owned();
                rig.uninstall(false).await.unwrap_or_else(|stop| panic!("{case}: {stop:?}"));
                let outcome = install::install(&colleague, &rig.request()).await;
                let theirs = outcome.unwrap_or_else(|stop| panic!("{case}: {stop:?}"));
                let whole = rig.mattermost.snapshot();

                request.keep = false;
                let later = Rights::Code(rig.code().await);
                let installer = if by_code { rig.installer_by(later) } else { rig.installer() };
                if undo {
                    let undone = install::undo(&installer, &request).await;
                    assert!(undone.unwrap_or_else(|stop| panic!("{case}: {stop:?}")), "{case}");
                } else {
                    install::install(&installer, &request).await.expect_err("somebody else installed it");
                }
                assert_eq!(shown(&rig).await.install_id, theirs.install_id, "{case}");
                let differs = whole.difference(&rig.mattermost.snapshot());
                assert!(differs.is_empty(), "{case}: {differs:#?}\n{}", rig.person.text());
                rig.assert_it_is_whole(&before, &case).await;
                let told = "another installation has made a token for it since";
                assert!(rig.person.text().contains(told), "{case}\n{}", rig.person.text());
            }
        }
    }
}

/// The colleague is not done yet: what is pending with the same bot is not the install whose name was lost.
#[tokio::test]
async fn what_a_colleague_has_begun_since_is_not_taken_for_an_install_whose_name_was_lost() {
    let begin = begin_call(false).await;
    let rig = Rig::new(Version::V11).await;
    let mut request = rig.request();
    request.keep = true;
    rig.order(To::Bundle, begin, Fault::CutAfter);
    install::install(&rig.installer(), &request).await.expect_err("cut off");
    rig.clear();
    rig.uninstall(false).await.unwrap();
    let elsewhere = tempfile::TempDir::new().unwrap();
    let colleague = || install::Installer { journals: elsewhere.path().to_owned(), ..rig.installer() };
    rig.mattermost.fault_on(Method::POST, "/api/v4/commands", 1, Fault::CutAfter);
    install::install(&colleague(), &request).await.expect_err("cut off");
    let pending = shown(&rig).await;
    assert_eq!(pending.state, "pending");
    let before = rig.mattermost.snapshot();
    assert!(install::undo(&rig.installer(), &request).await.unwrap());
    assert_eq!(shown(&rig).await.install_id, pending.install_id);
    let differs = before.difference(&rig.mattermost.snapshot());
    assert!(differs.is_empty(), "{differs:#?}\n{}", rig.person.text());
    install::install(&colleague(), &request).await.unwrap_or_else(|stop| panic!("{stop:?}"));
    assert_eq!(shown(&rig).await.state, "active");
}

fn cleaning(rig: &Rig) -> Admin<'_> {
    rig.installer().admin
}

#[tokio::test]
async fn what_a_lost_bundle_left_is_shown_and_removed_and_what_another_has_stays() {
    for older in [false, true] {
        let (lost, before) = Rig::installed().await;
        let id = lost.mattermost.user("hello").unwrap().id;
        if older {
            let bot = lost.admin().bot(&id).await.unwrap().unwrap();
            lost.admin().update_bot(&bot, "Hello", "Hi (Cloud App hello)").await.unwrap();
        }
        lost.mattermost.add_team("ops").unwrap();
        lost.mattermost.join_team("alice", "ops").unwrap();
        let alive = lost.beside().await;
        let mut other = alive.request();
        other.teams = Teams::Named(vec!["ops".to_owned()]);
        other.bot = Some("greeter".to_owned());
        let installed = install::install(&alive.installer(), &other).await;
        installed.unwrap_or_else(|stop| panic!("{stop:?}\n{}", alive.person.text()));

        let survey = install::survey(&cleaning(&lost)).await.unwrap();
        let bundles: Vec<_> = survey.left().into_iter().filter_map(|left| left.bundle).collect();
        assert!(bundles.contains(lost.base_url()) && bundles.contains(alive.base_url()), "{bundles:?}");
        let app = AppId::new("hello").unwrap();
        // Of two bundles the older description does not say which: somebody names the bot.
        let bot = older.then_some("hello");
        let agree = async |left: &[install::Remains]| {
            assert!(left.iter().all(|one| one.bundle.as_ref() == Some(lost.base_url())), "{left:?}");
            Ok(true)
        };
        let cleaned =
            install::cleanup(&cleaning(&lost), lost.base_url(), Some(&app), bot, agree).await.unwrap();
        let removed = cleaned.iter().flat_map(|one| one.done.removed.clone()).collect::<Vec<_>>();
        assert_eq!(removed, ["the token of @hello", "/hello of the team demo"]);
        let left = before.in_use().difference(&lost.mattermost.snapshot().in_use());
        let count = |what: &str| left.iter().filter(|line| line.starts_with(what)).count();
        assert_eq!((count("+ bot greeter"), count("+ bot"), count("+ command")), (1, 1, 1), "{left:#?}");
        assert!(alive.answers(&lost.mattermost.channel_id("ops", "town-square").unwrap()).await);
    }
}

/// A command of somebody's that has nothing to do with any bundle.
async fn foreign(rig: &Rig) -> Command {
    let foreign = NewCommand {
        trigger: "deploy".to_owned(),
        url: "https://ci.example.com/deploy".to_owned(),
        description: "Deploys".to_owned(),
        ..forged(rig, "demo", rig.base_url())
    };
    rig.admin().create_command(&foreign).await.unwrap()
}

/// A code with which the bundle lets its holder manage an install.
async fn manage_code(rig: &Rig) -> Rights {
    let install_id = rig.install_at_the_bundle().await.unwrap().install_id;
    let request = OperatorRequest::ManageCode { install_id, valid_seconds: 900 };
    let OperatorAnswer::Code { code, .. } = rig.operate(request).await else { panic!("no code") };
    Rights::Code(code.into())
}

async fn shown(rig: &Rig) -> InstallView {
    rig.install_at_the_bundle().await.expect("it is installed")
}

/// The holder of a manage code may register what they like, and a bundle may say what it likes.
#[tokio::test]
async fn a_sync_deletes_nothing_on_a_bundles_word() {
    let (rig, before) = Rig::installed().await;
    let deploy = foreign(&rig).await;
    let alice = rig.mattermost.user("alice").unwrap().id;
    let mut view = shown(&rig).await;
    let team_id = view.teams.first().unwrap().clone();
    for id in [deploy.id.clone(), format!("../users/{alice}")] {
        let trigger = "hello".to_owned();
        view.leftovers.push(Registration::SlashCommand { team_id: team_id.clone(), id, trigger });
    }
    let calls = rig.mattermost.calls().len();
    let none = Teams::Named(Vec::new());
    let synced = install::sync(&rig.installer(), &view, &none, false).await;
    let synced = synced.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
    assert!(synced.changed.is_empty(), "{:?}", synced.changed);
    assert!(
        rig.person.text().contains("is not this install's: it was left as it is"),
        "{}",
        rig.person.text()
    );
    let deleted = rig.mattermost.calls()[calls..].iter().filter(|call| call.method == Method::DELETE).count();
    assert_eq!(deleted, 0);
    rig.admin().delete_command(&deploy.id).await.unwrap();
    rig.assert_it_is_whole(&before, "synced").await;
}

#[tokio::test]
async fn a_token_is_made_and_handed_over_for_no_one_but_the_bundles_own_bot() {
    let (a, _) = Rig::installed().await;
    let b = a.beside().await;
    let honest = shown(&a).await;
    let before = a.mattermost.snapshot();
    let admin = a.mattermost.user("admin").unwrap().id;
    let mut forged = honest.clone();
    forged.bot.id = admin.parse().unwrap();
    for (rig, rights, view, told) in [
        (&a, manage_code(&a).await, &forged, "is gone from the server"),
        (&b, Rights::Code("A".repeat(43).into()), &forged, "is gone from the server"),
        // Another bundle's bot, claimed with that bundle's address and install.
        (&b, Rights::Code("A".repeat(43).into()), &honest, a.base_url().as_str()),
    ] {
        let calls = rig.http.calls();
        let text = refusal(
            rig,
            install::rotate_bot_token(&rig.installer_by(rights), view).await.expect_err("it is not its bot"),
        );
        assert!(text.contains(told), "{told}: {text}");
        assert_eq!(rig.http.calls(), calls, "nothing was handed over");
    }
    let text =
        refusal(&a, install::rotate_bot_token(&a.installer(), &forged).await.expect_err("it is no bot"));
    assert!(text.contains("is gone from the server"), "{text}");
    assert!(before.difference(&a.mattermost.snapshot()).is_empty());
}

/// With a code nobody knows who runs a bundle: what it says of an install is no proof that another bundle's things are its
/// own.
#[tokio::test]
async fn a_bundle_that_claims_what_another_has_is_given_nothing() {
    let (a, before) = Rig::installed().await;
    let b = a.beside().await;
    let claimed = shown(&a).await;
    let whole = a.mattermost.snapshot();
    let by_code = || b.installer_by(Rights::Code("A".repeat(43).into()));
    let removal = Removal {
        app: claimed.app_id.clone(),
        install: Some(claimed.clone()),
        bot: "hello".to_owned(),
        named_bot: None,
        addresses: Vec::new(),
        hears: false,
        keep_bot: false,
    };
    // The bundle itself would have said that all went well.
    let _ = install::uninstall(&by_code(), &removal).await;
    let _ = install::sync(&by_code(), &claimed, &Teams::Named(Vec::new()), true).await;
    assert!(whole.difference(&a.mattermost.snapshot()).is_empty(), "{}", b.person.text());
    a.assert_it_is_whole(&before, "claimed by another").await;
}

/// Somebody who names a bot means the one of that name, and not the one that the bundle calls so.
#[tokio::test]
async fn a_bundle_that_calls_a_strangers_bot_by_the_name_that_was_typed_removes_nothing_of_it() {
    for described in ["Hi (Cloud App hello)", "Our friendly greeter"] {
        let (rig, _) = Rig::installed().await;
        let carol = another_admin(&rig);
        let victim = carol.create_bot("victim", "Victim", described).await.unwrap().user_id;
        let token = carol.create_token(&victim, "Cloud App hello, made by cloud-apps, run x").await.unwrap();
        let mut claimed = shown(&rig).await;
        claimed.bot.id = victim.parse().unwrap();
        let removal = Removal {
            app: claimed.app_id.clone(),
            bot: "hello".to_owned(),
            install: Some(claimed),
            named_bot: Some("hello".to_owned()),
            addresses: Vec::new(),
            hears: false,
            keep_bot: false,
        };
        let gone = install::uninstall(&rig.installer_by(manage_code(&rig).await), &removal).await.unwrap();
        assert!(works(&rig, &token.token).await, "{described}: {gone:?}");
        assert!(!gone.is_whole(), "{described}: {gone:?}");
        assert!(rig.admin().bot(&victim).await.unwrap().unwrap().delete_at == 0, "{described}");
    }
}

/// Somebody who made a token of the bot acts as the bot: a rotation leaves the one that it made.
#[tokio::test]
async fn a_rotation_revokes_every_token_of_the_bot_whoever_made_it() {
    let (rig, before) = Rig::installed().await;
    let view = shown(&rig).await;
    let foreign = rig.admin().create_token(view.bot.id.as_str(), "made by hand").await.unwrap().token;
    assert!(works(&rig, &foreign).await);
    let rotated = install::rotate_bot_token(&rig.installer(), &view).await.unwrap();
    assert_eq!(rotated.revoked, 2);
    assert!(!works(&rig, &foreign).await);
    rig.assert_it_is_whole(&before, "rotated").await;
}

#[tokio::test]
async fn a_manage_code_is_enough_for_what_is_the_bundles_own() {
    let (rig, before) = Rig::installed().await;
    let code = manage_code(&rig).await;
    let Rights::Code(code) = &code else { unreachable!() };
    let by_code = || rig.installer_by(Rights::Code(code.clone()));
    let none = Teams::Named(Vec::new());
    let synced = install::sync(&by_code(), &shown(&rig).await, &none, false).await.unwrap();
    assert!(synced.changed.is_empty(), "{:?}", synced.changed);
    let rotated = install::rotate_bot_token(&by_code(), &shown(&rig).await).await.unwrap();
    assert_eq!(rotated.revoked, 1);
    rig.assert_it_is_whole(&before, "rotated by a code").await;
    let view = shown(&rig).await;
    let removal = Removal {
        app: view.app_id.clone(),
        bot: view.bot.username.clone(),
        install: Some(view),
        named_bot: None,
        addresses: Vec::new(),
        hears: false,
        keep_bot: false,
    };
    let gone = install::uninstall(&by_code(), &removal).await.unwrap();
    assert!(gone.is_whole(), "{gone:?}");
    rig.assert_nothing_is_left(&before, "removed by a code").await;
}

#[tokio::test]
async fn a_bot_with_another_description_loses_its_token_all_the_same() {
    for by_code in [false, true] {
        let (rig, before) = Rig::installed().await;
        let view = shown(&rig).await;
        let bot = rig.admin().bot(view.bot.id.as_str()).await.unwrap().unwrap();
        rig.admin().update_bot(&bot, "Hello", "Our friendly greeter").await.unwrap();
        let rights = manage_code(&rig).await;
        let installer = if by_code { rig.installer_by(rights) } else { rig.installer() };
        let mut removal = Removal {
            app: view.app_id.clone(),
            bot: view.bot.username.clone(),
            install: Some(view),
            named_bot: None,
            addresses: Vec::new(),
            hears: false,
            keep_bot: false,
        };
        let gone = install::uninstall(&installer, &removal).await.unwrap();
        assert_eq!(gone.is_whole(), !by_code, "{gone:?}");
        if by_code {
            // A code is no proof that the bot is the bundle's; from nothing, somebody names it.
            assert!(gone.failed.concat().contains("--bot hello"), "{gone:?}");
            removal.install = None;
            removal.named_bot = Some("hello".to_owned());
            let again = install::uninstall(&rig.installer(), &removal).await.unwrap();
            assert!(again.is_whole() && again.removed == ["the token of @hello"], "{again:?}");
        }
        rig.assert_nothing_is_left(&before, "uninstalled").await;
    }
}

/// The last step was cut off, and somebody who may make commands wrote the install's address into one.
#[tokio::test]
async fn what_a_member_made_is_not_handed_over_when_an_install_goes_on() {
    let rig = Rig::new(Version::V11).await;
    rig.mattermost.configure(|settings| settings.enable_only_admin_integrations = false);
    let before = rig.mattermost.snapshot();
    let code = rig.code().await;
    let mut request = rig.request();
    request.keep = true;
    let complete = {
        let other = Rig::new(Version::V11).await;
        let installer = other.installer_by(Rights::Code(other.code().await));
        install::install(&installer, &other.request()).await.unwrap();
        other.http.calls()
    };
    rig.order(To::Bundle, complete, Fault::Cut);
    install::install(&rig.installer_by(Rights::Code(code.clone())), &request).await.expect_err("cut off");
    rig.clear();
    let id = shown(&rig).await.install_id;
    let made = NewCommand {
        trigger: "hullo".to_owned(),
        url: format!("{}/hooks/{id}/slash", rig.base_url()),
        ..forged(&rig, "demo", rig.base_url())
    };
    let made = rig.server_as("alice").create_command(&made).await.unwrap();
    let installer = rig.installer_by(Rights::Code(code));
    install::install(&installer, &request)
        .await
        .unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
    rig.admin().delete_command(&made.id).await.unwrap();
    rig.assert_it_is_whole(&before, "gone on with").await;
}

/// A team admin may fill a team's list until it is longer than what is read, or than what the server can read.
#[tokio::test]
async fn an_uninstall_goes_on_where_a_teams_commands_cannot_be_listed() {
    for fault in [Fault::Status(400), Fault::Status(500), Fault::Cut] {
        let (rig, before) = Rig::installed().await;
        rig.mattermost.fault_on(Method::GET, "/api/v4/commands", 1, fault);
        let gone = rig.uninstall(false).await.unwrap_or_else(|stop| panic!("{stop:?}"));
        assert!(!gone.is_whole() && gone.not_looked_at.concat().contains("the team demo"), "{gone:?}");
        assert_eq!(gone.removed, ["the token of @hello"]);
        let again = rig.uninstall(false).await.unwrap();
        assert!(again.is_whole() && again.removed == ["/hello of the team demo"], "{again:?}");
        rig.assert_nothing_is_left(&before, "uninstalled").await;
    }
}

/// Another address of the rig's bundle.
fn other_address(rig: &Rig) -> SiteUrl {
    SiteUrl::new(&rig.base_url().as_str().replace("127.0.0.1", "localhost")).unwrap()
}

/// What is left of hello, where the bundle has no install.
fn from_nothing(addresses: Vec<SiteUrl>) -> Removal {
    Removal {
        app: AppId::new("hello").unwrap(),
        install: None,
        bot: "hello".to_owned(),
        named_bot: None,
        addresses,
        hears: false,
        keep_bot: false,
    }
}

#[tokio::test]
async fn a_bundle_with_two_addresses_knows_its_own_things_by_each() {
    let (rig, before) = Rig::installed().await;
    let other = other_address(&rig);
    let install_id = shown(&rig).await.install_id;
    let rebase = Patch(InstallPatch::Rebase(other.to_string()).body());
    let change = OperatorRequest::Change { install_id: install_id.clone(), patch: rebase, if_match: None };
    assert!(matches!(rig.operate(change).await, OperatorAnswer::Changed { .. }));
    let none = Teams::Named(Vec::new());
    let sync = async || install::sync(&rig.installer(), &shown(&rig).await, &none, true).await.unwrap();
    assert!(!sync().await.changed.is_empty());
    let bot = rig.mattermost.user("hello").unwrap().id;
    let described = rig.admin().bot(&bot).await.unwrap().unwrap().description;
    assert!(described.ends_with(&format!("(Cloud App hello of {other})")), "{described}");
    assert!(sync().await.changed.is_empty());

    // The bundle has forgotten the install, and with it the address.
    rig.operate(OperatorRequest::Remove { install_id, if_match: None }).await;
    let gone = install::uninstall(&rig.installer(), &from_nothing(Vec::new())).await.unwrap();
    assert!(!gone.is_whole() && gone.removed.is_empty(), "{gone:?}");
    let code = || Rights::Code("A".repeat(43).into());
    let by_code =
        install::uninstall(&rig.installer_by(code()), &from_nothing(vec![other.clone()])).await.unwrap();
    assert!(by_code.removed.is_empty(), "a caller with a code only cannot say it: {by_code:?}");
    let gone = install::uninstall(&rig.installer(), &from_nothing(vec![other])).await.unwrap();
    assert!(gone.is_whole(), "{gone:?}");
    assert_eq!(gone.removed, ["the token of @hello", "/hello of the team demo"]);
    rig.assert_nothing_is_left(&before, "removed by its other address").await;
}

#[tokio::test]
async fn an_uninstall_that_leaves_the_installs_own_bot_is_not_whole() {
    let (rig, before) = Rig::installed().await;
    let (view, other) = (shown(&rig).await, other_address(&rig));
    let bot = rig.admin().bot(view.bot.id.as_str()).await.unwrap().unwrap();
    rig.admin().update_bot(&bot, "Hello", &format!("Hi (Cloud App hello of {other})")).await.unwrap();
    let removal = Removal { install: Some(view), ..from_nothing(Vec::new()) };
    let gone = install::uninstall(&rig.installer_by(manage_code(&rig).await), &removal).await.unwrap();
    assert!(gone.not_touched.concat().contains("the bot @hello"), "{gone:?}");
    assert!(!gone.is_whole(), "its token works on: {gone:?}");
    let again = install::uninstall(&rig.installer(), &from_nothing(vec![other])).await.unwrap();
    assert!(again.is_whole() && again.removed == ["the token of @hello"], "{again:?}");
    rig.assert_nothing_is_left(&before, "uninstalled").await;
}
