//! Behaviour of the command line of chat.

use super::*;
use crate::{
    Field, FieldType,
    command::{Channel, User},
    form::{SelectOption, Subtype},
};
use expect_test::expect_file;
use proptest::prelude::*;
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
    mentioned.users.insert("bob".into(), User::of(id("b").parse().unwrap()));
    mentioned.channels.insert("town-square".into(), Channel::of(id("t").parse().unwrap()));
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
fn two_dashes_alone_end_the_flags() {
    assert_eq!(values("/jira create issue --project=MM -- --not a flag")["summary"], "--not a flag");
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
    let times = |text: &str| {
        values(&format!("/jira create issue x --project=MM --remind=\"{text}\""))["remind"].clone()
    };
    assert_eq!(times("tomorrow 9:00"), "2026-11-23T00:00:00Z");
    assert_eq!(times("2026-11-22 9pm"), "2026-11-22T12:00:00Z");
    assert_eq!(times("2026-11-22T09:00:00+01:00"), "2026-11-22T08:00:00Z");
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
    for same in ["/jira", "/jira --help", "/jira HELP", "help", "/jira help nonsense"] {
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
}

/// Lines that nobody can understand, and what is said of them.
const WRONG: &[&str] = &[
    "/jria help",
    "/jira craete issue x",
    "/jira nonsense",
    "/jira create isue x",
    "/jira create issue \"Fix the build",
    "/jira create issue x --projct=MM",
    "/jira create issue x -project=MM",
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

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,12}", "[-–—“”'\"\\\\= @~+0-9a-z]{0,16}", "[a-z]{1,8}"]
}

fn any_value(field: &Field) -> BoxedStrategy<Value> {
    let one = match field.r#type {
        FieldType::Text if field.pattern.is_some() => "[A-Z]{1,6}".prop_map(Value::from).boxed(),
        FieldType::Text => any_text().prop_map(Value::from).boxed(),
        FieldType::Number => (1..=5).prop_map(Value::from).boxed(),
        FieldType::Bool => any::<bool>().prop_map(Value::from).boxed(),
        FieldType::Select => prop_oneof!["bug", "task"].prop_map(Value::from).boxed(),
        FieldType::User | FieldType::Channel | FieldType::Post => {
            "[a-z0-9]{26}".prop_map(Value::from).boxed()
        }
        FieldType::Date => (1..=28).prop_map(|d| json!(format!("2026-02-{d:02}"))).boxed(),
        FieldType::Datetime => (0..24).prop_map(|h| json!(format!("2026-02-03T{h:02}:00:00Z"))).boxed(),
        _ => any_text().prop_map(|text| json!({ "text": text, "list": [1, null, true] })).boxed(),
    };
    if field.multiple { prop::collection::vec(one, 1..4).prop_map(Value::from).boxed() } else { one }
}

/// Values for some of a command's fields.
fn any_values(command: &CommandEntry) -> BoxedStrategy<Values> {
    let fields: Vec<_> = command
        .fields
        .iter()
        .filter(|f| f.subtype != Some(Subtype::Password))
        .map(|f| (Just(f.name.to_string()), prop::option::of(any_value(f))))
        .collect();
    fields
        .prop_map(|fields| fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
        .boxed()
}

proptest! {
    #[test]
    fn nothing_that_is_typed_panics_and_every_error_is_on_the_line(line in prop_oneof![
        any_text(),
        any_text().prop_map(|t| format!("/jira create issue {t}")),
        prop::collection::vec(any_text(), 0..6).prop_map(|words| format!("/jira bug {}", words.join(" --"))),
    ]) {
        if let Err(error) = read(&line) {
            prop_assert!(error.position <= line.chars().count());
            prop_assert!(!error.message.is_empty());
        }
    }

    #[test]
    fn what_is_printed_reads_back((function, values) in prop::sample::select(jira().commands)
        .prop_flat_map(|c| (Just(c.function.clone()), any_values(&c))), form in any::<bool>())
    {
        with(|grammar| {
            let mut invocation = grammar.encoded(function.as_str(), &values).unwrap();
            invocation.form = form;
            let line = grammar.print(&invocation);
            prop_assert_eq!(grammar.line(&line).map_err(|e| TestCaseError::fail(format!("{line}: {e}")))?, Line::Run(invocation));
            Ok(())
        })?;
    }

    #[test]
    fn an_id_without_a_mention_is_taken_as_it_is(id in "[a-z0-9]{26}") {
        prop_assert_eq!(&values(&format!("/jira assign {id}"))["user"], &json!(id));
    }
}
