//! What people do with an install from a terminal once it stands: the program itself.

use crate::{Said, Serving, install::program::Site};
use cloud_apps_standin::Fault;
use expect_test::expect;
use serde_json::{Value, json};
use std::{fs::Permissions, io::Write, os::unix::fs::PermissionsExt};

/// A fault that is made on the server, and what is read then.
type Made = (&'static str, fn(&Site), &'static [&'static str]);

fn json(said: &Said) -> Value {
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.out))
}

/// The demo's install.
fn install(bundle: &Serving) -> String {
    json(&bundle.say(&["list", "hello", "--json"]))[0]["install_id"].as_str().unwrap().to_owned()
}

fn greeted(bundle: &Serving, line: &str) -> String {
    bundle.say(&["run", "--slash", line]).out
}

#[test]
fn installs_are_listed_with_their_state_and_shown_by_id_or_by_app_and_site() {
    let bundle = Serving::start();
    let rows = json(&bundle.say(&["list", "--json"]));
    let row = &rows[0];
    assert_eq!((&row["app_id"], &row["state"]), (&json!("hello"), &json!("active")));
    let text = bundle.say(&["list"]).out;
    assert!(text.contains("hello") && text.contains("active"), "{text}");
    let site = row["site_url"].as_str().unwrap();
    for which in [vec![row["install_id"].as_str().unwrap()], vec!["hello", "--site", site]] {
        let shown = json(&bundle.say(&[&["show"][..], &which, &["--json"]].concat()));
        assert_eq!(shown["install_id"], row["install_id"]);
    }
    let neither = bundle.say(&["show", "hello"]);
    assert!(neither.err.contains("name the install's id, or the app and --site"), "{}", neither.err);
    assert_eq!(neither.code, 2);
}

#[test]
fn settings_are_set_unset_and_read_from_a_file_and_the_next_command_has_them() {
    let bundle = Serving::start();
    let id = install(&bundle);
    assert!(greeted(&bundle, "/hello greet @bob").contains("Hello, @bob!"));
    let changed = json(&bundle.say(&["configure", &id, "--set", "language=fr", "--json"]));
    assert_eq!(changed["settings"]["language"], "fr");
    assert!(greeted(&bundle, "/hello greet @bob").contains("Bonjour @bob !"));
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(br#"{"motto": "Be kind."}"#).unwrap();
    let path = file.path().to_str().unwrap();
    let changed = json(&bundle.say(&["configure", &id, "--settings", path, "--unset", "language", "--json"]));
    assert_eq!(changed["settings"], json!({"language": "en", "motto": "Be kind."}));
    let shown = bundle.say(&["configure", &id]).out;
    assert!(shown.contains("language") && shown.contains("Be kind."), "{shown}");

    for (arguments, code, words) in [
        (["--set", "colour=red"], 2, "it has: language, motto"),
        (["--set", "language"], 2, "write NAME=VALUE"),
        (["--set", "language=xx"], 1, "/settings/language"),
        (["--settings", "/nowhere.json"], 2, "cannot read /nowhere.json"),
    ] {
        let said = bundle.say(&[&["configure", &id][..], &arguments].concat());
        assert_eq!(said.code, code, "{}", said.err);
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    // What editors make of a file. The hints are those that manifests get.
    for (content, hint) in [
        (&b"\xef\xbb\xbf{\"motto\": \"secret\"}"[..], "without a byte order mark"),
        ("{“motto”: \"secret\"}".as_bytes(), "straight quotes"),
        (b"\xff\xfe{\0}\0", "save the file as UTF-8"),
        (b"{\"motto\": \"secret\",}", "Remove the comma"),
    ] {
        let edited = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(edited.path(), content).unwrap();
        let said = bundle.say(&["configure", &id, "--settings", edited.path().to_str().unwrap()]);
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(said.err.contains(hint) && !said.err.contains("secret"), "{hint}: {}", said.err);
    }
    let mut lines = tempfile::NamedTempFile::new().unwrap();
    lines.write_all(br#"{"motto": "one\ntwo"}"#).unwrap();
    let refused = bundle.say(&["configure", &id, "--settings", lines.path().to_str().unwrap()]);
    assert!(refused.err.contains("hello refused the settings, and nothing was changed"), "{}", refused.err);
}

#[test]
fn presets_are_added_listed_run_and_removed() {
    let bundle = Serving::start();
    let id = install(&bundle);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let preset = json!({"name": "hallo", "label": "In German", "function": "greet", "values": {"language": "de"}, "locations": ["message_box"]});
    file.write_all(preset.to_string().as_bytes()).unwrap();
    let path = file.path().to_str().unwrap();
    let added = json(&bundle.say(&["presets", "add", &id, "--file", path, "--json"]));
    assert_eq!(added["own_presets"].as_array().unwrap().len(), 1);
    assert!(greeted(&bundle, "/hello hallo @bob").contains("Hallo, @bob!"));
    let list = bundle.say(&["presets", "list", &id]).out;
    assert!(list.contains("the app's") && list.contains("the admin's"), "{list}");
    let unknown = bundle.say(&["presets", "remove", &id, "--preset", "shout"]);
    assert!(unknown.err.contains("those of the app itself stay"), "{}", unknown.err);
    let removed = json(&bundle.say(&["presets", "remove", &id, "--preset", "hallo", "--json"]));
    assert!(removed.get("own_presets").is_none());
}

#[test]
fn an_install_is_switched_off_and_on_and_says_how_fast() {
    let bundle = Serving::start();
    let id = install(&bundle);
    let off = bundle.say(&["disable", &id]);
    assert!(off.out.contains("state        disabled"), "{}", off.out);
    assert!(
        off.err.contains("is refused") && off.err.contains("everywhere when caches have expired"),
        "{}",
        off.err
    );
    assert!(greeted(&bundle, "/hello greet @bob").contains("switched off on this server"));
    assert!(bundle.say(&["enable", &id]).out.contains("state        active"));
    assert!(greeted(&bundle, "/hello greet @bob").contains("Hello, @bob!"));
}

#[test]
fn what_is_up_to_date_is_not_upgraded_and_a_shared_secret_stands_alone_on_standard_output() {
    let bundle = Serving::start();
    let id = install(&bundle);
    let same = bundle.say(&["upgrade", &id]);
    assert!(same.out.contains("there is nothing to upgrade to"), "{}{}", same.out, same.err);
    let rotated = bundle.say(&["rotate", "shared-secret", &id]);
    assert_eq!(rotated.out.trim_end().len(), 43, "{}{}", rotated.out, rotated.err);
    assert!(rotated.err.contains("shown once") && rotated.err.contains(".2)"), "{}", rotated.err);
    let none = bundle.say(&["rotate", "static-token", &id]);
    assert!(none.err.contains("no static token"), "{}", none.err);
}

/// What a command left that was cut off before it showed the answer: the same command goes on with that rotation.
#[test]
fn a_rotation_whose_answer_was_lost_is_gone_on_with_by_the_same_command() {
    let bundle = Serving::start();
    let id = install(&bundle);
    let file = std::path::Path::new(bundle.data()).join("rotating").join(format!("{id}.json"));
    assert!(bundle.say(&["rotate", "shared-secret", &id]).err.contains(".2)"));
    assert!(!file.exists(), "the answer has arrived");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let begun = json!({"v": 1, "rotation": "A".repeat(22), "at": u64::try_from(now).unwrap()}).to_string();
    let mut told = Vec::new();
    for more in [None, None, Some("--now")] {
        std::fs::write(&file, &begun).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let foreign = bundle.say(&["rotate", "shared-secret", &id]);
        assert!(foreign.code == 1 && foreign.out.is_empty(), "{}{}", foreign.out, foreign.err);
        assert!(foreign.err.contains("others may read this"), "{}", foreign.err);
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let rotated = bundle.say(&[&["rotate", "shared-secret", &id][..], more.as_slice()].concat());
        assert!(rotated.err.contains(".3)"), "one rotation: {}", rotated.err);
        assert!(!file.exists());
        told.push(rotated.out);
    }
    assert!(told[0].trim_end().len() == 43 && told.iter().all(|secret| *secret == told[0]));
    assert!(bundle.say(&["rotate", "shared-secret", &id, "--now"]).err.contains(".4)"), "another rotation");
}

#[test]
fn a_manage_code_is_refused_what_outlives_it_before_anything_is_asked() {
    let bundle = Serving::start();
    let id = install(&bundle);
    let demo = bundle.demo();
    let base = demo["base_url"].as_str().unwrap();
    let code =
        json(&bundle.say(&["operator", "manage-code", &id, "--json"]))["code"].as_str().unwrap().to_owned();
    let by_code = |arguments: &[&str]| {
        let mut program = crate::program();
        program.env("CLOUD_APPS_CODE", &code).args(arguments).args(["--bundle", base]);
        crate::said(program.output().unwrap())
    };
    for arguments in [
        &["rotate", "shared-secret", &id][..],
        &["rotate", "static-token", &id],
        &["rotate", "webhook", &id, "--path", "tickets"],
        &["sync", &id, "--base-url", "https://elsewhere.example.com"],
        &["uninstall", &id, "--base-url", "https://elsewhere.example.com"],
    ] {
        let refused = by_code(arguments);
        assert_eq!(refused.code, 2, "{arguments:?}: {}", refused.err);
        assert!(refused.err.contains("needs the rights of an operator"), "{arguments:?}: {}", refused.err);
    }
    assert_eq!(by_code(&["disable", &id]).code, 0, "what ends with it is the code's");
}

#[test]
fn a_sync_sends_commands_to_another_host_only_when_somebody_agrees() {
    let (site, bundle) = (Site::new(), Serving::without_demo());
    assert_eq!(site.install(&bundle, &["--yes"]).code, 0);
    let right = site.hello()["url"].clone();
    site.alter_command(|command| command["url"] = "https://elsewhere.example.com/x".into());
    let sync = ["sync", "hello", "--site", site.url()];
    let asked = site.say(&bundle, &sync);
    assert_eq!(asked.code, 2, "{}{}", asked.out, asked.err);
    assert!(asked.err.contains("/hello in demo goes to https://elsewhere.example.com\n"), "{}", asked.err);
    assert!(asked.err.contains("--yes agrees"), "{}", asked.err);
    assert_eq!(site.hello()["url"], "https://elsewhere.example.com/x");
    let agreed = site.say(&bundle, &[&sync[..], &["--yes"]].concat());
    assert_eq!(agreed.code, 0, "{}{}", agreed.out, agreed.err);
    assert_eq!(site.hello()["url"], right);
}

#[test]
fn keys_are_listed_rotated_and_revoked_with_what_depends_on_them() {
    let bundle = Serving::start();
    let list = bundle.say(&["operator", "keys", "list", "hello"]).out;
    assert!(list.contains("live") && list.lines().nth(1).unwrap().ends_with('1'), "{list}");
    let rotated = bundle.say(&["operator", "keys", "rotate", "hello"]).out;
    assert!(rotated.contains("waiting") && rotated.contains("Key 2 is used from"), "{rotated}");
    let refused = bundle.say(&["operator", "keys", "revoke", "hello", "1"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("--force"), "{}", refused.err);
    let keys = json(&bundle.say(&["operator", "keys", "list", "hello", "--json"]));
    assert_eq!(keys.as_array().unwrap().len(), 2);
}

#[test]
fn nothing_was_given_up() {
    let bundle = Serving::start();
    expect![["There are no dead letters.\n"]]
        .assert_eq(&bundle.say(&["operator", "dead-letters", "list"]).out);
    let unknown = bundle.say(&["operator", "dead-letters", "send-back", "nothing"]);
    assert_eq!(unknown.code, 1, "{}{}", unknown.out, unknown.err);
}

#[test]
fn a_bots_token_is_replaced_and_the_ones_before_are_revoked() {
    let (site, bundle) = (Site::new(), Serving::without_demo());
    assert_eq!(site.install(&bundle, &["--yes"]).code, 0);
    let tokens = || site.mattermost.snapshot().to_string().matches("token of hello: active").count();
    assert_eq!(tokens(), 1);
    for _ in 0..2 {
        let rotated = site.say(&bundle, &["rotate", "bot-token", "hello", "--site", site.url()]);
        assert_eq!(rotated.code, 0, "{}{}", rotated.out, rotated.err);
        assert!(rotated.out.contains("has a new token. Old tokens revoked: 1."), "{}", rotated.out);
        assert_eq!(tokens(), 1);
        assert!(site.typed("/hello whoami").starts_with("You are @alice"));
    }
}

#[test]
fn a_doctor_finds_nothing_wrong_with_what_was_just_installed_and_names_the_fix_of_each_fault() {
    let (site, bundle) = (Site::new(), Serving::without_demo());
    assert_eq!(site.install(&bundle, &["--yes"]).code, 0);
    let look = || site.say(&bundle, &["doctor", "hello", "--site", site.url()]);
    let well = look();
    assert_eq!(well.code, 0, "{}{}", well.out, well.err);
    for part in [
        "the install is active",
        "/hello is there in demo",
        "@hello is there and enabled",
        "Nothing is wrong.",
    ] {
        assert!(well.out.contains(part), "{part}: {}", well.out);
    }
    let blind = bundle.say(&["doctor", "hello", "--site", site.url()]);
    assert!(
        blind.out.contains("? bot, tokens, commands and webhooks on the server: set CLOUD_APPS_ADMIN_TOKEN"),
        "{}",
        blind.out
    );

    let faults: [Made; 6] = [
        (
            "commands off",
            |site| site.mattermost.configure(|s| s.enable_commands = false),
            &["slash commands are switched off", "ServiceSettings.EnableCommands"],
        ),
        (
            "commands on",
            |site| site.mattermost.configure(|s| s.enable_commands = true),
            &["Nothing is wrong."],
        ),
        (
            "method GET",
            |site| site.alter_command(|command| command["method"] = "G".into()),
            &["sends GET, and the bundle takes POST", "cloud-apps sync"],
        ),
        (
            "another address",
            |site| site.alter_command(|command| command["url"] = "http://127.0.0.1:1/x".into()),
            &["calls another address", "cloud-apps sync"],
        ),
        (
            "command gone",
            |site| site.delete_command(),
            &["/hello is gone from the team demo", "cloud-apps sync"],
        ),
        (
            "bot disabled",
            |site| site.disable_bot(),
            &["the bot @hello is disabled", "Integrations > Bot Accounts"],
        ),
    ];
    for (fault, make, parts) in faults {
        make(&site);
        let seen = look();
        for part in parts {
            assert!(seen.out.contains(part), "{fault}: {part}: {}", seen.out);
        }
        assert_eq!(seen.code, i32::from(!seen.out.contains("Nothing is wrong.")), "{fault}");
    }
    let id = json(&bundle.say(&["list", "--json"]))[0]["install_id"].as_str().unwrap().to_owned();
    bundle.say(&["disable", &id]);
    let report = site.say(&bundle, &["doctor", &id, "--json"]);
    let report: Value = serde_json::from_str(&report.out).unwrap();
    let wrong: Vec<&str> =
        report["wrong"].as_array().unwrap().iter().map(|w| w["what"].as_str().unwrap()).collect();
    assert!(wrong.contains(&"the install is switched off"), "{wrong:?}");
    for finding in report["wrong"].as_array().unwrap() {
        assert!(!finding["fix"].as_str().unwrap().is_empty(), "{finding}");
    }
}

#[test]
fn a_bundle_that_moved_is_called_at_its_new_address() {
    let (site, bundle) = (Site::new(), Serving::without_demo());
    assert_eq!(site.install(&bundle, &["--yes"]).code, 0);
    let old = site.hello()["url"].as_str().unwrap().to_owned();
    let moved = old.replace("127.0.0.1", "localhost");
    let base = moved.split("/hooks/").next().unwrap();
    let synced = site.say(&bundle, &["sync", "hello", "--site", site.url(), "--base-url", base]);
    assert_eq!(synced.code, 0, "{}{}", synced.out, synced.err);
    assert_eq!(site.hello()["url"], moved);
    assert!(site.typed("/hello greet @bob").contains("Hello, @bob!"));
    // From nothing, its things are known by that address.
    let uninstall = ["uninstall", "hello", "--site", site.url(), "--yes"];
    site.mattermost.fault_on(http::Method::POST, "/api/v4/users/tokens/revoke", 1, Fault::Status(403));
    let cut_off = site.say(&bundle, &uninstall);
    assert_eq!(cut_off.code, 1, "{}{}", cut_off.out, cut_off.err);
    assert!(cut_off.out.contains(&format!("--bot hello --base-url {base}`")), "{}", cut_off.out);
    let gone = site.say(&bundle, &[&uninstall[..], &["--base-url", base]].concat());
    assert_eq!(gone.code, 0, "{}{}", gone.out, gone.err);
    assert!(gone.out.contains("removed the token of @hello"), "{}", gone.out);
}

#[test]
fn an_uninstall_by_id_removes_that_install_also_where_the_server_is_named() {
    let (site, bundle) = (Site::new(), Serving::without_demo());
    let before = site.mattermost.snapshot();
    assert_eq!(site.install(&bundle, &["--yes"]).code, 0);
    let id = install(&bundle);
    // The id of no install may be the name of an app, too.
    let nobodys = "a".repeat(26);
    let unknown = site.say(&bundle, &["uninstall", &nobodys, "--site", site.url(), "--yes"]);
    assert_eq!(unknown.code, 1, "{}{}", unknown.out, unknown.err);
    assert!(unknown.err.contains(&format!("the bundle has no install {nobodys}")), "{}", unknown.err);
    assert!(unknown.err.contains("cloud-apps uninstall APP --site URL"), "{}", unknown.err);
    let elsewhere = site.say(&bundle, &["uninstall", &id, "--site", "https://chat.example.com", "--yes"]);
    assert_eq!(elsewhere.code, 2, "{}{}", elsewhere.out, elsewhere.err);
    assert!(site.typed("/hello greet @bob").contains("Hello, @bob!"), "nothing was touched");

    let gone = site.say(&bundle, &["uninstall", &id, "--site", site.url(), "--yes"]);
    assert_eq!(gone.code, 0, "{}{}", gone.out, gone.err);
    assert!(gone.out.contains("removed the token of @hello"), "{}", gone.out);
    assert!(site.left(&before).is_empty(), "{:?}", site.left(&before));
    assert_eq!(json(&bundle.say(&["list", "--json"])), json!([]));
}

/// A manage code ends with its install, and what is left on the server is the most dangerous part.
#[test]
fn who_had_a_manage_code_goes_on_from_nothing() {
    let (site, bundle) = (Site::new(), Serving::without_demo());
    let before = site.mattermost.snapshot();
    assert_eq!(site.install(&bundle, &["--yes"]).code, 0);
    let id = install(&bundle);
    let called = site.hello()["url"].as_str().unwrap().to_owned();
    let base = called.split("/hooks/").next().unwrap();
    let code = json(&bundle.say(&["operator", "manage-code", &id, "--json"]));
    let by_code = (base, code["code"].as_str().unwrap());
    let uninstall =
        |name: &str| site.say_by_code(by_code, &["uninstall", name, "--site", site.url(), "--yes"]);

    site.mattermost.fault_on(http::Method::POST, "/api/v4/users/tokens/revoke", 1, Fault::Status(403));
    site.mattermost.configure(|settings| settings.enable_commands = false);
    let cut_off = uninstall(&id);
    assert_eq!(cut_off.code, 1, "{}{}", cut_off.out, cut_off.err);
    assert!(
        cut_off.out.contains(&format!("cloud-apps uninstall hello --site {}", site.url())),
        "{}",
        cut_off.out
    );
    assert!(site.mattermost.snapshot().to_string().contains("token of hello: active"));
    site.mattermost.configure(|settings| settings.enable_commands = true);

    let again = uninstall(&id);
    assert_eq!(again.code, 1, "{}{}", again.out, again.err);
    assert!(again.err.contains("cloud-apps uninstall APP --site URL"), "{}", again.err);
    let gone = uninstall("hello");
    assert_eq!(gone.code, 0, "{}{}", gone.out, gone.err);
    for part in ["removed the token of @hello", "removed /hello of the team demo"] {
        assert!(gone.out.contains(part), "{part}: {}", gone.out);
    }
    assert!(site.left(&before).is_empty(), "{:?}", site.left(&before));
}
