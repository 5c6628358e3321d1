//! What an author is told of a manifest.

use cloud_apps_protocol::{Manifest, manifest::Problem};
use expect_test::{expect, expect_file};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write;

const EXAMPLE: &str = include_str!("../golden/manifest.json");

fn render(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |mut out, p| {
        writeln!(out, "{}:{}+{} {}: {} {}", p.line, p.column, p.length, p.pointer, p.message, p.hint)
            .unwrap();
        out
    })
}

fn problems(text: &str) -> Vec<Problem> {
    Manifest::parse(text).map(|_| ()).unwrap_err()
}

/// The example with one value replaced or, where the parent lacks it, added.
fn example_with(pointer: &str, value: Value) -> String {
    let mut manifest: Value = serde_json::from_str(EXAMPLE).unwrap();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match manifest.pointer_mut(parent).unwrap() {
        Value::Object(entries) => drop(entries.insert(key.to_owned(), value)),
        Value::Array(elements) => match key.parse::<usize>() {
            Ok(i) => elements[i] = value,
            Err(_) => elements.push(value),
        },
        _ => panic!("{parent} holds nothing"),
    }
    serde_json::to_string_pretty(&manifest).unwrap()
}

#[test]
fn the_example_of_the_protocol_is_valid_and_prints_as_it_stands() {
    let manifest = Manifest::parse(EXAMPLE).unwrap_or_else(|p| panic!("{}", render(&p)));
    assert!(manifest.check().is_empty());
    let printed = serde_json::to_string_pretty(&manifest).unwrap();
    expect_file!["../golden/manifest.json"].assert_eq(&format!("{printed}\n"));
    assert_eq!(Manifest::parse(&printed).unwrap(), manifest);
}

#[test]
fn every_problem_is_told_at_once_in_the_order_of_the_text() {
    let told = problems(include_str!("../golden/broken.json"));
    expect_file!["../golden/broken.txt"].assert_eq(&render(&told));
    assert!(told.is_sorted_by_key(|p| (p.line, p.column)));
}

#[test]
fn what_is_no_json_is_one_problem_with_its_place() {
    for (text, expected) in [
        (
            "{\"ä\": 1,}",
            expect!["1:9+1 : This is not JSON: trailing comma. Remove the comma before the closing bracket."],
        ),
        (
            "{\n  // no\n}",
            expect![
                "2:3+1 : This is not JSON: key must be a string. Write the key in double quotes. JSON has no comments."
            ],
        ),
        (
            "{\"id\": “greeter”}",
            expect![[
                r#"1:8+1 : This is not JSON: expected value. Write straight quotes ("). Word processors and web pages make curly ones of them."#
            ]],
        ),
        (
            "{“id”: \"greeter\"}",
            expect![[
                r#"1:2+1 : This is not JSON: key must be a string. Write straight quotes ("). Word processors and web pages make curly ones of them."#
            ]],
        ),
        (
            "{\"id\": \"greeter”,\n\"version\": \"1.0.0\"}",
            expect![[
                r#"2:1+1 : This is not JSON: control character (\u0000-\u001F) found while parsing a string. Write straight quotes ("). Word processors and web pages make curly ones of them."#
            ]],
        ),
        (
            "{\"id\": \"greeter”}",
            expect![[
                r#"1:17+1 : This is not JSON: EOF while parsing a string. Write straight quotes ("). Word processors and web pages make curly ones of them."#
            ]],
        ),
        (
            "{\"id\": \"greeter,\n\"version\": \"1.0.0\"}",
            expect![[
                r"2:1+1 : This is not JSON: control character (\u0000-\u001F) found while parsing a string. Close the quote before the end of the line. In a text, \n stands for a new line and \t for a tab."
            ]],
        ),
        (
            "{\u{a0}\"id\": \"greeter\"}",
            expect![
                "1:2+1 : This is not JSON: key must be a string. Replace this character, which nobody sees, by a plain space. It may come from a web page."
            ],
        ),
        (
            "{\"id\":\u{200b} \"greeter\"}",
            expect![
                "1:7+1 : This is not JSON: expected value. Replace this character, which nobody sees, by a plain space. It may come from a web page."
            ],
        ),
        ("", expect!["1:1+1 : This is not JSON: EOF while parsing a value. Close every bracket and quote."]),
        (
            "{\"id\": \"jira\"",
            expect!["1:13+1 : This is not JSON: EOF while parsing an object. Close every bracket and quote."],
        ),
        (
            "\u{feff}{}",
            expect!["1:1+1 : This is not JSON: expected value. Save the file without a byte order mark."],
        ),
    ] {
        expected.assert_eq(render(&problems(text)).trim_end());
    }
}

#[test]
fn a_trigger_word_is_what_a_message_can_begin_with() {
    for (words, told) in [
        (json!([""]), Some("/events/1/trigger_words/0")),
        (json!(["MM-", " "]), Some("/events/1/trigger_words/1")),
        (json!(["play\nbot"]), Some("/events/1/trigger_words/0")),
        (json!(["play "]), Some("/events/1/trigger_words/0")),
        (json!(["play bot", "MM-"]), None),
    ] {
        let found = Manifest::parse(&example_with("/events/1/trigger_words", words));
        let found = found.map_or_else(|problems| problems, |_| Vec::new());
        let pointers: Vec<&str> = found.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, told.into_iter().collect::<Vec<_>>(), "{}", render(&found));
    }
}

#[test]
fn an_address_that_is_none_is_one_problem() {
    for url in ["jira.example.com", "jira", "", "//jira.example.com/", "ftp://jira.example.com/"] {
        let found = problems(&example_with("/upstream", json!({"type": "http", "url": url})));
        assert_eq!(found.len(), 1, "{url}: {}", render(&found));
        assert_eq!(found[0].pointer, "/upstream/url");
    }
}

/// `apps/manifest.go` of the plugin, with every key set.
const APPS_FRAMEWORK: &str = include_str!("../golden/apps_framework.json");

#[test]
fn a_manifest_of_the_apps_framework_is_one_problem_that_says_what_to_write_instead() {
    let told = problems(APPS_FRAMEWORK);
    assert_eq!(told.len(), 1, "{}", render(&told));
    expect_file!["../golden/apps_framework.txt"].assert_eq(&render(&told));
    let every: serde_json::Map<String, Value> = serde_json::from_str(APPS_FRAMEWORK).unwrap();
    for key in every.keys() {
        assert!(told[0].hint.contains(&format!("\n  {key}: ")), "nothing is said of {key}");
    }
}

#[test]
fn only_the_keys_that_the_old_manifest_has_are_told() {
    // https://github.com/mattermost/mattermost-plugin-apps/issues/475
    let told = problems(
        r#"{
  "app_id": "hello-serverless",
  "version": "v1.2.0",
  "requested_permissions": ["act_as_bot"],
  "aws_lambda": {"functions": [{"path": "/", "name": "hello-serverless", "handler": "hello-serverless", "runtime": "go1.x"}]}
}"#,
    );
    assert_eq!((told.len(), told[0].line, told[0].column, told[0].length), (1, 2, 3, 8));
    assert_eq!(told[0].hint.lines().count(), 5, "{}", told[0].hint);
}

#[test]
fn a_manifest_that_says_its_protocol_is_checked_as_one_of_a_cloud_app() {
    let found = problems(&example_with("/app_id", json!("jira")));
    assert_eq!(found[0].pointer, "/app_id");
    assert!(!found[0].message.contains("Apps framework"), "{}", render(&found));
    // Without any key of the other framework, a missing protocol is just that.
    assert!(problems(r#"{"id": "jira"}"#).iter().all(|p| !p.message.contains("Apps framework")));
}

#[test]
fn each_rule_is_told_at_the_place_that_breaks_it() {
    let long = "x".repeat(70);
    let field = |extra: Value| {
        let mut field = json!({"name": "extra", "type": "text"});
        field.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        field
    };
    let options: Vec<_> = (0..201).map(|i| json!({"value": i.to_string()})).collect();
    let fields: Vec<_> = (0..51).map(|i| json!({"name": format!("f{i}"), "type": "text"})).collect();
    let commands: Vec<_> = (0..101).map(|i| json!({"function": format!("f{i}")})).collect();
    // What is set where, and the pointer that is told, from the root or behind the first.
    let cases = [
        ("/protocol", json!(1), "/protocol"),
        ("/version", json!("1.0"), "/version"),
        ("/display_name", json!(" "), "/display_name"),
        ("/homepage_url", json!("ftp://x"), "/homepage_url"),
        ("/homepage_url", json!("http://x.example"), "/homepage_url"),
        ("/icon", json!("https://user@x.example/i.png"), "/icon"),
        ("/namespace", json!("Jira"), "/namespace"),
        ("/bot/username", json!("Jira"), "/bot/username"),
        ("/bot/username", json!("all"), "/bot/username"),
        ("/bot/username", json!("here"), "/bot/username"),
        ("/bot/username", json!(long), "/bot/username"),
        ("/bot/display_name", json!(long), "/bot/display_name"),
        ("/permissions/1", json!("act_as_bot"), "/permissions/1"),
        ("/locations/1", json!("message_box"), "/locations/1"),
        ("/upstream/url", json!("http://jira.example.com"), "/upstream/url"),
        ("/upstream/url", json!("https://jira.example.com/"), "/upstream/url"),
        ("/upstream/url", json!("https://jira.example.com?a=b"), "/upstream/url"),
        ("/upstream", json!({"type": "aws_lambda", "function": "a b"}), "/upstream/function"),
        ("/upstream", json!({"type": "aws_lambda", "function": "a", "url": "x"}), "/upstream/url"),
        ("/accounts/authorize_url", json!("{settings.channel}/x"), "/accounts/authorize_url"),
        ("/accounts", json!({"type": "oauth2", "token_url": "https://x.example"}), "/accounts/authorize_url"),
        ("/accounts", json!({"type": "mattermost", "token_url": "https://x.example"}), "/accounts/token_url"),
        ("/settings/1/name", json!("site"), "/settings/1/name"),
        ("/settings/2/default", json!("s3cret"), "/settings/2/default"),
        ("/settings/1/positional", json!(true), "/settings/1/positional"),
        ("/settings/1/type", json!("user"), "/events/1/channel_id"),
        ("/settings/2/subtype", json!("line"), "/webhooks/0/secret_setting"),
        ("/commands", json!(commands), "/commands"),
        ("/commands/1/fields", json!(fields), "/commands/1/fields"),
        ("/commands/1/function", json!("create_issue"), "/commands/1/function"),
        ("/commands/1/function", json!("connect"), "/commands/1/function"),
        ("/commands/1/function", json!("bug"), "/presets/0/name"),
        ("/commands/1/function", json!("on_issue"), "/webhooks/0/function"),
        ("/commands/1/expand", json!({"chanel": "id"}), "/commands/1/expand/chanel"),
        ("/commands/1/expand", json!({"post": "most"}), "/commands/1/expand/post"),
        ("/commands/1/locations", json!(["main_menu"]), "/commands/1/locations/0"),
        ("/permissions", json!(["act_as_bot"]), "/commands/0/post_as_user"),
        ("/accounts", Value::Null, "/commands/0/account"),
        ("/commands/0/fields/1/name", json!("summary"), "/commands/0/fields/1/name"),
        ("/commands/0/fields/1/default", json!("Epic"), "/commands/0/fields/1/default"),
        ("/commands/0/fields/1/options", json!([]), "/commands/0/fields/1/options"),
        ("/commands/0/fields/1/options", json!(options), "/commands/0/fields/1/options"),
        ("/commands/0/fields/1/lookup", json!(true), "/commands/0/fields/1/lookup"),
        ("/commands/0/fields/1/options/0/value", json!("a,b"), "/commands/0/fields/1/options/0/value"),
        ("/commands/0/fields/1/options/0/value", json!("Task"), "/commands/0/fields/1/options/1/value"),
        ("/commands/0/fields/3/min", json!(101), "/commands/0/fields/3/min"),
        ("/commands/0/fields/3/min", json!("1"), "/commands/0/fields/3/min"),
        ("/commands/0/fields/4/max", json!("2019-12-31"), "/commands/0/fields/4/min"),
        ("/commands/0/fields/4/max", json!("soon"), "/commands/0/fields/4/max"),
        ("/commands/0/fields/-", field(json!({"pattern": "(?=a)"})), "/commands/0/fields/5/pattern"),
        ("/commands/0/fields/-", field(json!({"min": 1})), "/commands/0/fields/5/min"),
        ("/commands/0/fields/-", field(json!({"max_length": 0})), "/commands/0/fields/5/max_length"),
        (
            "/commands/0/fields/-",
            field(json!({"type": "markdown", "required": true})),
            "/commands/0/fields/5/required",
        ),
        ("/commands/0/fields/0/required", json!(false), ""),
        ("/presets/0/name", json!("help"), "/presets/0/name"),
        ("/presets/0/function", json!("creat_issue"), "/presets/0/function"),
        ("/presets/0/values/kind", json!("x"), "/presets/0/values/kind"),
        ("/presets/0/values/type", json!("x"), "/presets/0/values/type"),
        ("/events/0/name", json!("mentions"), "/events/1/name"),
        ("/events/0/user_id", json!("$settings.channel"), "/events/0/user_id"),
        ("/events/0/team_id", json!("ops"), "/events/0/team_id"),
        ("/events/0/trigger_words", json!(["a"]), "/events/0/trigger_words"),
        ("/events/1/channel_id", Value::Null, "/events/1"),
        ("/events/1/channel_id", json!("$settings.chanel"), "/events/1/channel_id"),
        ("/webhooks/0/path", json!("a/b"), "/webhooks/0/path"),
        ("/webhooks/0/id_header", json!("a b"), "/webhooks/0/id_header"),
        ("/webhooks/0/headers", json!(["A", "a"]), "/webhooks/0/headers/1"),
        ("/webhooks/0/challenge/query", json!(""), "/webhooks/0/challenge/query"),
        ("/webhooks/0/verify/hash", json!("md5"), "/webhooks/0/verify/hash"),
        ("/webhooks/0/verify/encoding", json!("hxe"), "/webhooks/0/verify/encoding"),
        ("/webhooks/0/verify/signed", json!("{timestamp}:{body}"), "/webhooks/0/verify/signed"),
        ("/webhooks/0/verify/signed", json!("{url}{body}"), "/webhooks/0/verify/signed"),
        ("/webhooks/0/verify/timestamp_header", json!("X-Time"), "/webhooks/0/verify/timestamp_header"),
        ("/webhooks/0/secret_setting", json!("secert"), "/webhooks/0/secret_setting"),
        ("/lifecycle/install", json!("search"), "/lifecycle/install"),
        ("/lifecycle/install", json!("disconnect"), "/lifecycle/install"),
        ("/translations", json!({"deutsch": {}}), "/translations/deutsch"),
    ];
    for (set, value, told) in cases {
        let found = Manifest::parse(&example_with(set, value.clone())).map_or_else(|p| p, |_| Vec::new());
        let hit = if told.is_empty() { found.is_empty() } else { found.iter().any(|p| p.pointer == told) };
        assert!(hit, "{set} = {value} should be told at {told:?}:\n{}", render(&found));
    }
}

#[test]
fn characters_that_nobody_sees_are_told_wherever_they_stand() {
    let forged = "Jira\n\npermissions: none";
    for (set, value, told) in [
        ("/display_name", json!("Jira\u{1b}[2J"), "/display_name"),
        ("/display_name", json!(forged), "/display_name"),
        ("/display_name", json!("Ji\u{202e}ra"), "/display_name"),
        ("/display_name", json!("Jira\u{200b}"), "/display_name"),
        ("/display_name", json!("Jira\u{9b}2J"), "/display_name"),
        ("/version", json!("1.0.0\u{7}"), "/version"),
        ("/description", json!("One\u{1b}]8;;https://evil.example\u{7}two"), "/description"),
        ("/description", json!("One\u{2028}two"), "/description"),
        ("/homepage_url", json!("https://jira.example.com/\u{202e}x"), "/homepage_url"),
        ("/bot/display_name", json!(forged), "/bot/display_name"),
        ("/accounts/scopes/0", json!("read\nall"), "/accounts/scopes/0"),
        ("/commands/0/summary", json!(forged), "/commands/0/summary"),
        ("/commands/0/description", json!("a\u{0}"), "/commands/0/description"),
        ("/commands/0/fields/0/label", json!("a\rb"), "/commands/0/fields/0/label"),
        ("/commands/0/fields/0/hint", json!("\u{2066}x"), "/commands/0/fields/0/hint"),
        ("/commands/0/fields/1/options/0/label", json!("a\tb"), "/commands/0/fields/1/options/0/label"),
        ("/presets/0/label", json!(forged), "/presets/0/label"),
        ("/translations", json!({"de": {"Create\u{1b}": "x"}}), "/translations/de/Create\u{1b}"),
        ("/translations", json!({"de": {"Create": "\u{feff}x"}}), "/translations/de/Create"),
    ] {
        let text = example_with(set, value.clone());
        let found = problems(&text);
        let told = found.iter().find(|p| p.pointer == told && !p.hint.is_empty() && p.line > 0);
        assert!(told.is_some_and(|p| !p.message.contains(char::is_control)), "{value}: {}", render(&found));
        // A linked app's definition is held to the same.
        if let Ok(manifest) = serde_json::from_str::<Manifest>(&text) {
            assert!(!manifest.check().is_empty(), "{value}");
        }
    }
}

#[test]
fn descriptions_may_have_lines_and_every_script_is_written_as_it_is() {
    for (set, value) in [
        ("/description", json!("One.\n\nTwo:\n\t* three")),
        ("/commands/0/description", json!("One.\r\nTwo.")),
        ("/commands/0/fields/0/description", json!("One.\nTwo.")),
        ("/commands/0/fields/0/default", json!("One.\nTwo.")),
        ("/display_name", json!("جيرا می\u{200c}خواهم")),
        ("/display_name", json!("Jira 👩\u{200d}💻❤\u{fe0f}")),
        ("/translations", json!({"de": {"One.\nTwo.": "Eins.\nZwei."}})),
    ] {
        let text = example_with(set, value);
        Manifest::parse(&text).unwrap_or_else(|p| panic!("{}", render(&p)));
    }
}

#[test]
fn of_many_problems_the_first_are_told_and_how_many_more() {
    let keys: Vec<_> = (0..8_000).map(|i| format!("\"unknown{i:05}\":1,")).collect();
    let unknown = format!("{{{}{}", keys.concat(), &EXAMPLE[1..]);
    let doubled = format!("{{{}{}", "\"id\":\"jira\",".repeat(8_000), &EXAMPLE[1..]);
    let locations = example_with("/locations", json!(vec!["Not A Word"; 8_000]));
    for text in [unknown, doubled, locations] {
        let told = problems(&text);
        assert_eq!(told.len(), 51, "{}", render(&told));
        let last = &told[50].message;
        let more: usize = last.split(' ').nth(2).unwrap().parse().unwrap();
        assert!(last.ends_with("more problems.") && more > 100, "{last}");
        assert!(serde_json::to_vec(&told).unwrap().len() < 64 * 1024);
    }
}

#[test]
fn what_an_author_wrote_is_repeated_only_to_recognise_it() {
    let key = "k".repeat(60_000);
    let children: Vec<_> = (0..10_000).map(|i| format!("\"{i}\":1,")).collect();
    let children = children.concat();
    let text = format!("{{\"translations\":{{\"{key}\":{{{children}\"x\":\"\"}}}},\"id\":\"{key}\"}}");
    let told = problems(&text);
    assert!(told.iter().any(|p| p.message == "This key has more than 64 bytes."), "{}", render(&told));
    assert!(serde_json::to_vec(&told).unwrap().len() < 64 * 1024);
    assert!(told.iter().all(|p| p.pointer.len() < 400 && p.message.len() < 1_000));
}

#[test]
fn patterns_have_a_size_together() {
    let field = |i| json!({"name": format!("f{i}"), "type": "text", "pattern": format!("a{{30}}b{{{i}}}")});
    let command = |c| {
        let fields: Vec<_> = (1..=50).map(field).collect();
        json!({"function": format!("c{c}"), "fields": fields})
    };
    // The same patterns again cost nothing.
    let text = example_with("/commands/-", command(0));
    Manifest::parse(&text).unwrap_or_else(|p| panic!("{}", render(&p)));
    let heavy = |i| {
        let pattern = format!("(?:a{{900}}){{2}}b{{{i}}}");
        json!({"name": format!("f{i}"), "type": "text", "pattern": pattern})
    };
    let fields: Vec<_> = (1..=50).map(heavy).collect();
    let text = example_with("/commands/-", json!({"function": "heavy", "fields": fields}));
    let told = problems(&text);
    assert!(told.iter().all(|p| p.pointer.ends_with("/pattern")), "{}", render(&told));
    assert!(told.iter().any(|p| p.message.contains("too large together")), "{}", render(&told));
}

#[test]
fn a_required_field_by_place_cannot_follow_an_optional_one() {
    let field = json!({"name": "extra", "type": "text", "positional": true, "required": true});
    let mut manifest: Value = serde_json::from_str(EXAMPLE).unwrap();
    manifest["commands"][0]["fields"][0]["required"] = json!(false);
    manifest["commands"][0]["fields"].as_array_mut().unwrap().push(field);
    let found = problems(&manifest.to_string());
    assert_eq!(found.len(), 1, "{}", render(&found));
    assert_eq!(found[0].pointer, "/commands/0/fields/5/required");
}

#[test]
fn this_machine_may_be_reached_without_tls() {
    for url in ["http://localhost:8080/x", "http://127.0.0.1:1", "http://[::1]/x"] {
        Manifest::parse(&example_with("/upstream/url", json!(url))).unwrap();
    }
}

#[test]
fn too_large_a_manifest_is_not_read() {
    let text = example_with("/description", json!("x".repeat(256 * 1024)));
    assert_eq!(problems(&text).len(), 1);
    let manifest: Manifest = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest.check().len(), 1);
}

#[test]
fn the_schema_in_the_repository_is_that_of_the_types() {
    let text = serde_json::to_string_pretty(&cloud_apps_protocol::manifest::schema()).unwrap();
    // Stale? UPDATE_EXPECT=1 cargo test -p cloud-apps-protocol
    expect_file!["../../../../schema/mattermost-cloud-app.schema.json"].assert_eq(&format!("{text}\n"));
}

/// Any JSON, with keys and words that a manifest knows.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "commands",
        "fields",
        "function",
        "name",
        "type",
        "select",
        "text",
        "verify",
        "scheme",
        "hmac",
        "upstream",
        "http",
        "options",
        "value",
        "$settings.x",
        "{settings.",
        "default",
        "number",
        "ä",
        "/~",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..5).prop_map(|entries| Value::Object(
                entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

/// Every pointer of the example.
fn pointers() -> Vec<String> {
    fn walk(value: &Value, at: &str, out: &mut Vec<String>) {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(entries) => {
                entries.iter().map(|(k, v)| (k.replace('~', "~0").replace('/', "~1"), v)).collect()
            }
            Value::Array(elements) => elements.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
            _ => Vec::new(),
        };
        for (key, value) in children {
            let at = format!("{at}/{key}");
            walk(value, &at, out);
            out.push(at);
        }
    }
    let mut out = Vec::new();
    walk(&serde_json::from_str(EXAMPLE).unwrap(), "", &mut out);
    out
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = Manifest::parse(&text);
    }

    #[test]
    fn no_cut_or_torn_manifest_panics(at in 0..EXAMPLE.len(), with in "\\PC{0,3}") {
        let _ = Manifest::parse(&EXAMPLE[..at]);
        let _ = Manifest::parse(&format!("{}{with}{}", &EXAMPLE[..at], &EXAMPLE[at..]));
    }

    #[test]
    fn whatever_is_accepted_prints_and_reads_back(
        edits in prop::collection::vec((prop::sample::select(pointers()), any_json()), 0..4),
    ) {
        let mut manifest: Value = serde_json::from_str(EXAMPLE).unwrap();
        for (pointer, value) in edits {
            if let Some(place) = manifest.pointer_mut(&pointer) {
                *place = value;
            }
        }
        let text = serde_json::to_string_pretty(&manifest).unwrap();
        match Manifest::parse(&text) {
            Ok(manifest) => {
                let printed = serde_json::to_string(&manifest).unwrap();
                prop_assert_eq!(Manifest::parse(&printed), Ok(manifest));
            }
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                let lines = text.lines().count();
                for problem in problems {
                    prop_assert!((1..=lines).contains(&(problem.line as usize)) && problem.column > 0, "{problem:?}");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn the_schema_and_the_types_take_the_same_names(
        text in prop_oneof!["[a-z][a-z0-9_-]{0,70}", "[A-Za-z0-9_ -]{0,4}"],
    ) {
        let schema = cloud_apps_protocol::manifest::schema();
        let takes = |name: &str| {
            let pattern = schema["$defs"][name]["pattern"].as_str().unwrap();
            regex_lite::Regex::new(pattern).unwrap().is_match(&text)
        };
        prop_assert_eq!(takes("AppId"), cloud_apps_protocol::AppId::new(&*text).is_ok());
        prop_assert_eq!(takes("Namespace"), cloud_apps_protocol::Namespace::new(&*text).is_ok());
        prop_assert_eq!(takes("FunctionName"), cloud_apps_protocol::FunctionName::new(&*text).is_ok());
    }
}
