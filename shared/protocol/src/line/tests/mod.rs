//! Behaviour of the command line of chat.

mod properties;
mod prose;

use super::*;
use crate::{
    Field, FieldType,
    command::{Channel, User},
    form::{SelectOption, Subtype},
};
use expect_test::expect_file;
use serde_json::{Value, json};
use std::fmt::Write;

fn name(text: &str) -> FunctionName {
    FunctionName::new(text).unwrap()
}

fn field(text: &str, kind: FieldType) -> Field {
    Field::new(name(text), kind)
}

fn command(function: &str, summary: &str, fields: Vec<Field>) -> CommandEntry {
    let mut entry: CommandEntry =
        serde_json::from_value(json!({ "function": function, "summary": summary })).unwrap();
    entry.fields = fields;
    entry
}

fn jira() -> Manifest {
    let mut manifest: Manifest = serde_json::from_value(
        json!({ "protocol": 2, "id": "jira", "version": "1.0.0", "display_name": "Jira",
            "description": "Issues without leaving the channel." }),
    )
    .unwrap();
    let option = |value: &str, label: &str| SelectOption {
        value: value.into(),
        label: label.into(),
        description: String::new(),
    };
    manifest.commands = vec![
        command(
            "create_issue",
            "Creates an issue.",
            vec![
                Field {
                    positional: true,
                    required: true,
                    description: "What is wrong.".into(),
                    ..field("summary", FieldType::Text)
                },
                Field {
                    required: true,
                    hint: "MM".into(),
                    pattern: Some("[A-Z]+".into()),
                    ..field("project", FieldType::Text)
                },
                Field {
                    options: vec![option("bug", "Bug"), option("task", "Task")],
                    default: Some(json!("task")),
                    ..field("type", FieldType::Select)
                },
                Field { multiple: true, ..field("label", FieldType::Text) },
                field("watch", FieldType::Bool),
                Field { min: Some(json!(1)), max: Some(json!(5)), ..field("priority", FieldType::Number) },
                field("due", FieldType::Date),
                field("remind", FieldType::Datetime),
                field("extra", FieldType::Json),
                Field {
                    subtype: Some(Subtype::Password),
                    pattern: Some("[a-z]+".into()),
                    ..field("key", FieldType::Text)
                },
            ],
        ),
        command("create_epic", "Creates an epic.", vec![]),
        command(
            "assign",
            "Gives an issue to somebody.",
            vec![
                Field { positional: true, required: true, ..field("user", FieldType::User) },
                Field { positional: true, ..field("channel", FieldType::Channel) },
                field("post", FieldType::Post),
            ],
        ),
    ];
    manifest.presets = vec![
        serde_json::from_value(json!({ "name": "bug", "label": "File a bug", "function": "create_issue", "values": { "type": "bug", "project": "MM" } })).unwrap(),
    ];
    manifest
}

fn mentioned() -> Mentioned {
    let id = |c: &str| c.repeat(26);
    let mut mentioned = Mentioned::default();
    mentioned.users.insert("bob".parse().unwrap(), User::of(id("b").parse().unwrap()));
    mentioned.channels.insert("town-square".parse().unwrap(), Channel::of(id("t").parse().unwrap()));
    mentioned
}

/// 2026-11-22T12:00:00Z: 21:00 in Tokyo.
const NOW: crate::Millis = 1_795_348_800_000;

fn with<T>(run: impl FnOnce(&Grammar<'_>) -> T) -> T {
    let (manifest, mentioned) = (jira(), mentioned());
    run(&Grammar {
        manifest: &manifest,
        presets: &[],
        mentioned: &mentioned,
        now: NOW,
        time_zone: Some("Asia/Tokyo"),
        site: None,
    })
}

fn read(line: &str) -> Result<Line, LineError> {
    with(|grammar| grammar.line(line))
}

fn values(line: &str) -> Value {
    match read(line) {
        Ok(Line::Run(invocation)) => Value::Object(invocation.values),
        other => panic!("{line} gives {other:?}"),
    }
}

#[test]
fn words_quotes_flags_and_defaults_become_values() {
    assert_eq!(
        values(
            r#"/jira create issue "Fix the build" --project=MM --type Bug --label a --label "b c" --watch --priority=3"#
        ),
        json!({ "summary": "Fix the build", "project": "MM", "type": "bug", "label": ["a", "b c"], "watch": true, "priority": 3 })
    );
}

#[test]
fn spaces_dashes_and_underscores_join_a_functions_name_in_any_case() {
    for line in [
        "/jira create issue x --project=MM",
        "/JIRA Create-Issue x --project=MM",
        "create_issue x --project=MM",
    ] {
        assert_eq!(values(line)["summary"], "x", "{line}");
    }
}

#[test]
fn what_phones_make_of_quotes_and_dashes_counts_as_the_plain_ones() {
    assert_eq!(values("/jira create issue “Fix it” —project=MM")["summary"], "Fix it");
    assert_eq!(values("/jira create issue –project=MM «Fix it»")["project"], "MM");
    assert_eq!(values("/jira create issue ––project=“MM” don’t")["summary"], "don’t");
}

#[test]
fn the_last_text_takes_the_rest_of_the_line() {
    assert_eq!(values("/jira create issue it doesn't work --project MM")["summary"], "it doesn't work");
}

#[test]
fn a_sentence_keeps_its_own_quotes_and_white_space() {
    let summary = |text: &str| values(&format!("/jira create issue {text} --project=MM"))["summary"].clone();
    assert_eq!(summary("he said “hi  you” and\n\nleft"), "he said “hi  you” and\n\nleft");
    assert_eq!(summary("\"a  b\""), "a  b");
    assert_eq!(summary("\"a\" b"), "\"a\" b");
    assert_eq!(summary("5 -3 = 2"), "5 -3 = 2");
}

#[test]
fn quotes_hold_other_quotes_and_a_backslash_takes_punctuation_as_it_is() {
    let summary =
        |text: &str| values(&format!("/jira create issue --project=MM --summary={text}"))["summary"].clone();
    assert_eq!(summary("\"he said “hi”\""), "he said “hi”");
    assert_eq!(summary("“he said 'hi'”"), "he said 'hi'");
    assert_eq!(summary("‘it’s’"), "it’s");
    assert_eq!(summary("'it's'"), "it's");
    assert_eq!(summary(r#""a \"b\" \\""#), r#"a "b" \"#);
    assert_eq!(summary(r"C:\temp\d+"), r"C:\temp\d+");
    assert_eq!(summary(r"a\ b"), "a b");
    assert_eq!(summary(r"\"), r"\");
}

#[test]
fn an_empty_value_clears_what_would_be_filled_in() {
    assert!(values("/jira create issue x --project=MM --type=").get("type").is_none());
    assert!(values("/jira bug x --type=\"\"").get("type").is_none());
    let Ok(Line::Run(invocation)) = read("/jira bug x --project=") else { panic!("not run") };
    assert_eq!(invocation.missing, [name("project")]);
    let cleared = json!({ "summary": "", "project": "MM", "type": "", "label": [] });
    let invocation = with(|grammar| grammar.encoded("create_issue", cleared.as_object().unwrap())).unwrap();
    assert_eq!(Value::Object(invocation.values.clone()), json!({ "project": "MM" }));
    assert_eq!(invocation.missing, [name("summary")]);
    assert_eq!(read(&with(|grammar| grammar.print(&invocation))), Ok(Line::Run(invocation)));
}

#[test]
fn what_a_dialog_sends_as_text_is_understood_as_on_a_line() {
    let sent = json!({ "user": "@Bob", "channel": "~town-square", "post": "https://x.example.com/t/pl/pppppppppppppppppppppppppp/" });
    let seen = with(|grammar| grammar.encoded("assign", sent.as_object().unwrap())).unwrap();
    let expected = json!({ "user": "b".repeat(26), "channel": "t".repeat(26), "post": "p".repeat(26) });
    assert_eq!(Value::Object(seen.values), expected);
    let sent = json!({ "summary": "x", "project": "MM", "due": "tomorrow", "remind": "2026-11-22 21:00" });
    let seen = with(|grammar| grammar.encoded("create_issue", sent.as_object().unwrap())).unwrap();
    assert_eq!(seen.values["due"], "2026-11-23");
    assert_eq!(seen.values["remind"], "2026-11-22T12:00:00Z");
}

#[test]
fn an_error_of_a_value_belongs_to_its_field_and_stands_at_the_value() {
    let error = read("/jira create issue x --project=MM --priority=many").unwrap_err();
    assert_eq!((error.position, error.found.as_str()), (45, "many"));
    assert_eq!(error.fields["priority"], "\"many\" is not a number");
    let error = read("/jira create issue x --project=MM --priority many").unwrap_err();
    assert_eq!((error.position, error.found.as_str()), (45, "many"));
}

#[test]
fn a_preset_whose_command_is_gone_is_neither_run_nor_offered() {
    let (mut manifest, mentioned) = (jira(), mentioned());
    manifest.commands.retain(|c| c.function.as_str() != "create_issue");
    let grammar = Grammar {
        manifest: &manifest,
        presets: &[],
        mentioned: &mentioned,
        now: NOW,
        time_zone: None,
        site: None,
    };
    assert!(grammar.line("/jira bug x").unwrap_err().unknown_function);
    assert!(!grammar.help(&[]).contains("bug"));
}

#[test]
fn an_installs_preset_wins_over_the_manifests_and_is_listed_once() {
    let (manifest, mentioned) = (jira(), mentioned());
    let own = [serde_json::from_value(json!({ "name": "bug", "label": "Ours", "function": "create_issue", "values": { "project": "OPS", "priority": 99 } })).unwrap()];
    let grammar = Grammar {
        manifest: &manifest,
        presets: &own,
        mentioned: &mentioned,
        now: NOW,
        time_zone: None,
        site: None,
    };
    let Ok(Line::Run(invocation)) = grammar.line("/jira bug x") else { panic!("not run") };
    assert_eq!(invocation.values["project"], "OPS");
    assert_eq!(invocation.warnings, ["The preset's value of `priority` was left out: 99 is more than 5."]);
    assert_eq!(grammar.help(&[]).matches("/jira bug").count(), 1);
}

#[test]
fn what_is_echoed_is_not_markdown() {
    let error = read("/jira create issue x --project=MM --type=**[a](http://b)**").unwrap_err();
    assert!(error.message.contains(r"\*\*\[a\]"), "{}", error.message);
    let error = read("/jira ``x``` y").unwrap_err();
    assert!(error.message.starts_with("```` ``x``` ````"), "{}", error.message);
}

#[test]
fn a_long_line_of_nothing_is_answered_briefly() {
    for line in ["a_".repeat(8000), "a ".repeat(8000), "-".repeat(16_000), "\"a\"".repeat(4000)] {
        let error = read(&line).unwrap_err();
        assert!(error.message.chars().count() < 400, "{}", error.message);
    }
}

#[test]
fn many_unknown_names_are_one_warning() {
    let many: Values = (0..1000).map(|i| (format!("x{i}{}", "y".repeat(100)), json!(1))).collect();
    let seen = with(|grammar| grammar.encoded("create epic", &many)).unwrap();
    assert_eq!(seen.warnings.len(), 1);
    assert!(seen.warnings[0].ends_with("and 990 more."), "{}", seen.warnings[0]);
}

#[test]
fn two_dashes_alone_end_the_flags() {
    assert_eq!(values("/jira create issue --project=MM -- --not a flag")["summary"], "--not a flag");
}

#[test]
fn a_permalink_leads_to_the_grammars_own_server() {
    let (manifest, mentioned) = (jira(), mentioned());
    let site = crate::SiteUrl::new("https://chat.example.com/mm").unwrap();
    let post = "p".repeat(26);
    for (link, good) in [
        (format!("https://chat.example.com/mm/ops/pl/{post}"), true),
        (format!("<HTTPS://Chat.Example.com:443/mm/ops/pl/{post}>"), true),
        (format!("https://chat.example.com/ops/pl/{post}"), false),
        (format!("https://chat.example.com/mmx/ops/pl/{post}"), false),
        (format!("https://chat.example.com.evil.example/mm/ops/pl/{post}"), false),
        (format!("https://chat.example.com@evil.example/mm/ops/pl/{post}"), false),
        (format!("http://chat.example.com/mm/ops/pl/{post}"), false),
        (post.clone(), true),
    ] {
        let grammar = Grammar {
            manifest: &manifest,
            presets: &[],
            mentioned: &mentioned,
            now: NOW,
            time_zone: None,
            site: Some(&site),
        };
        let read = grammar.line(&format!("/jira assign @bob --post={link}"));
        assert_eq!(read.is_ok(), good, "{link}: {read:?}");
        let said = read.err().map(|error| error.message).unwrap_or_default();
        assert!(good || said.contains("of another server"), "{said}");
    }
}

#[test]
fn mentions_and_permalinks_become_ids() {
    let seen = values(
        "/jira assign @bob, ~town-square --post=https://chat.example.com/ops/pl/pppppppppppppppppppppppppp",
    );
    assert_eq!(seen, json!({ "user": "b".repeat(26), "channel": "t".repeat(26), "post": "p".repeat(26) }));
}

#[test]
fn dates_are_those_of_the_users_zone() {
    let dates =
        |text: &str| values(&format!("/jira create issue x --project=MM --due={text}"))["due"].clone();
    assert_eq!(dates("today"), "2026-11-22");
    assert_eq!(dates("tomorrow"), "2026-11-23");
    assert_eq!(dates("+2d"), "2026-11-24");
    assert_eq!(dates("-1w"), "2026-11-15");
    // 2026-11-22 is a Sunday.
    assert_eq!(dates("monday"), "2026-11-23");
    assert_eq!(dates("\"next sunday\""), "2026-11-29");
    let times = |text: &str| {
        values(&format!("/jira create issue x --project=MM --remind=\"{text}\""))["remind"].clone()
    };
    assert_eq!(times("tomorrow 9:00"), "2026-11-23T00:00:00Z");
    assert_eq!(times("2026-11-22 9pm"), "2026-11-22T12:00:00Z");
    assert_eq!(times("2026-11-22T09:00:00+01:00"), "2026-11-22T08:00:00Z");
    assert_eq!(times("next monday 9:00"), "2026-11-23T00:00:00Z");
    assert_eq!(times("today 9:30 pm"), "2026-11-22T12:30:00Z");
    assert_eq!(times("tomorrow"), "2026-11-22T15:00:00Z");
    assert_eq!(times("+2h"), "2026-11-22T14:00:00Z");
    assert_eq!(times("0:30"), "2026-11-21T15:30:00Z");
}

#[test]
fn a_preset_fills_in_and_given_values_win() {
    assert_eq!(
        values("/jira bug it broke"),
        json!({ "summary": "it broke", "project": "MM", "type": "bug" })
    );
    assert_eq!(values("/jira bug it broke --project=OPS")["project"], "OPS");
}

#[test]
fn a_missing_required_field_is_named_and_the_form_can_be_asked_for() {
    let Ok(Line::Run(invocation)) = read("/jira create issue --form") else { panic!("not run") };
    assert_eq!(invocation.missing, [name("summary"), name("project")]);
    assert!(invocation.form);
}

#[test]
fn encoded_values_are_checked_and_unknown_names_dropped_with_a_warning() {
    let values = |value: Value| value.as_object().cloned().unwrap();
    with(|grammar| {
        let seen = grammar
            .encoded(
                "create issue",
                &values(
                    json!({ "summary": "x", "project": "MM", "...": "...", "priority": "4", "label": null }),
                ),
            )
            .unwrap();
        assert_eq!(
            Value::Object(seen.values),
            json!({ "summary": "x", "project": "MM", "priority": 4, "type": "task" })
        );
        assert_eq!(seen.warnings.len(), 1);
        let error =
            grammar.encoded("create_issue", &values(json!({ "project": "mm", "priority": 9 }))).unwrap_err();
        assert_eq!(error.fields.keys().collect::<Vec<_>>(), ["priority", "project"]);
    });
}

#[test]
fn help_reads_well() {
    let help = |line: &str| match read(line) {
        Ok(Line::Help(help)) => help,
        other => panic!("{line} gives {other:?}"),
    };
    for same in ["/jira", "/jira --help", "/jira HELP", "help", "—help", ""] {
        assert_eq!(help(same), help("/jira help"), "{same}");
    }
    assert_eq!(help("/jira help create issue"), help("/jira create-issue --project=MM --help"));
    let golden = |name: &str, line: &str| {
        expect_file![format!("{}/tests/golden/line/{name}.md", env!("CARGO_MANIFEST_DIR"))]
            .assert_eq(&help(line));
    };
    golden("help", "/jira help");
    golden("help-command", "/jira help create issue");
    golden("help-preset", "/jira help bug");
    golden("help-below", "/jira create");
    golden("help-assign", "/jira assign --help");
    golden("help-unknown", "/jira help crate issue");
    assert_eq!(help("/jira create --help"), help("/jira create"));
}

/// Lines that nobody can understand, and what is said of them.
const WRONG: &[&str] = &[
    "/jria help",
    "/jira craete issue x",
    "/jira nonsense",
    "/jira create isue x",
    "/jira \"\"",
    "/jira “” x",
    "/jira create epic \"\"",
    "/jira create issue x --project=\"MM",
    "/jira create issue --projct=MM x",
    "/jira create issue \"x\" --projct=MM",
    "/jira create issue \"x\" --project=MM y",
    "/jira create issue -project=MM x",
    "/jira bug --projct=MM x",
    "/jira bug x --priority=9",
    "/jira create\u{200b} isue x",
    "/jira assign @carol\u{200b}",
    "/jira assign @bob,@bob~secret,@carol",
    "/jira assign ~town-square",
    "/jira create issue x --project",
    "/jira create issue x --project --watch",
    "/jira create issue x --project=mm",
    "/jira create issue x --project=MM --project=OPS",
    "/jira create issue x --project=MM --type=buk",
    "/jira create issue x --project=MM --priority=many",
    "/jira create issue x --project=MM --priority=9",
    "/jira create issue x --project=MM --due=someday",
    "/jira create issue x --project=MM --remind=25:00",
    "/jira create issue x --project=MM --extra={",
    "/jira create issue x --project=MM --watch=perhaps",
    "/jira create issue x --project=MM --no-watch=1",
    "/jira create issue x --project=MM --key=SECRET",
    "/jira assign bob@example.com",
    "/jira assign @carol",
    "/jira assign @bob ~secret",
    "/jira assign @bob ~town-square more",
    "/jira create epic x",
    "/jira create epic --`tick`",
    "/jira create epic --again",
    "/jira create --project=MM",
    "/jira create issue --no-wach --project=MM x",
    "/jira proj",
];

#[test]
fn every_error_says_where_what_and_what_to_do() {
    let mut table = String::from("| line | position | answer |\n|---|---|---|\n");
    for line in WRONG {
        let error = read(line).expect_err(line);
        assert!(error.position <= line.chars().count(), "{line}");
        assert!(!error.message.contains("SECRET"), "{}", error.message);
        writeln!(table, "| `{line}` | {} | {} |", error.position, error.message).unwrap();
    }
    expect_file![concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/line/errors.md")].assert_eq(&table);
}

#[test]
fn a_line_longer_than_a_message_is_refused() {
    let error = read(&"x".repeat(MAX_LINE + 1)).unwrap_err();
    assert_eq!(error.position, MAX_LINE);
}
