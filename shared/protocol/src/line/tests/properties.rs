//! What holds of any line, any command and any values.

use super::*;
use proptest::prelude::*;

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

/// What somebody may write, with more dashes, quotes and flags than most do.
fn any_prose() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::collection::vec(any_text(), 0..6).prop_map(|words| words.join(" --")),
        prop::collection::vec(
            "[-—“”'\"`\\\\= \n\u{200b}]| --[a-z]{1,3}| --(label|watch|form|help) so|[a-z]{1,3}",
            0..12
        )
        .prop_map(|words| words.concat()),
    ]
}

/// Whether the first character is one that people see, and no quote.
fn begins_visibly(text: &str) -> bool {
    let seen = |c: char| !c.is_whitespace() && !crate::text::is_ignorable(c);
    text.starts_with(seen) && !text.starts_with(['"', '“', '”', '„', '‟', '«', '»', '\'', '‘', '’', '‚', '‛'])
}

/// A field of any type, with names that a line could read otherwise.
fn any_field() -> impl Strategy<Value = Field> {
    let names = ["watch", "no_watch", "form", "help", "x", "a_b_c", "no"];
    let types = [
        FieldType::Text,
        FieldType::Number,
        FieldType::Bool,
        FieldType::Select,
        FieldType::User,
        FieldType::Channel,
        FieldType::Post,
        FieldType::Team,
        FieldType::Date,
        FieldType::Datetime,
        FieldType::Json,
        FieldType::File,
        FieldType::Markdown,
    ];
    let flags = any::<[bool; 4]>();
    (prop::sample::select(names.to_vec()), prop::sample::select(types.to_vec()), flags, any::<bool>())
        .prop_flat_map(|(text, kind, [required, positional, multiple, lookup], defaulted)| {
            let option = |value: &str| SelectOption {
                value: value.into(),
                label: String::new(),
                description: String::new(),
            };
            let options = vec![option("bug"), option("a b"), option("--x"), option("\"")];
            let field = Field {
                required,
                positional,
                multiple: multiple && kind != FieldType::Bool && kind != FieldType::Json,
                lookup: lookup && kind == FieldType::Select,
                options,
                ..field(text, kind)
            };
            let default =
                if defaulted { any_wild_value(&field).prop_map(Some).boxed() } else { Just(None).boxed() };
            default.prop_map(move |default| Field { default, ..field.clone() })
        })
}

/// A value that a client could send for a field; it may not fit.
fn any_wild_value(field: &Field) -> BoxedStrategy<Value> {
    let id = "[a-z0-9]{26}".prop_map(Value::from).boxed();
    let one = match field.r#type {
        FieldType::Text => any_text().prop_map(Value::from).boxed(),
        FieldType::Number => prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1_000_000..1_000_000i32).prop_map(|n| json!(f64::from(n) / 64.0)),
        ]
        .boxed(),
        FieldType::Bool => any::<bool>().prop_map(Value::from).boxed(),
        FieldType::Select if field.lookup => any_text().prop_map(Value::from).boxed(),
        FieldType::Select => {
            prop::sample::select(&["bug", "a b", "--x", "\""][..]).prop_map(Value::from).boxed()
        }
        FieldType::Date => (1..=28).prop_map(|d| json!(format!("2026-02-{d:02}"))).boxed(),
        FieldType::Datetime => (0..24).prop_map(|h| json!(format!("2026-02-03T{h:02}:00:00.25Z"))).boxed(),
        FieldType::Json => prop_oneof![
            any_text().prop_map(Value::from),
            any_text().prop_map(|text| json!({ "a": [text, null, 1.5] })),
            any::<bool>().prop_map(Value::from),
        ]
        .boxed(),
        _ => id,
    };
    if field.multiple { prop::collection::vec(one, 0..4).prop_map(Value::from).boxed() } else { one }
}

/// Any command with unlike fields, and values for some of them.
fn any_command() -> impl Strategy<Value = (CommandEntry, Values)> {
    prop::collection::vec(any_field(), 0..6).prop_flat_map(|mut fields| {
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        fields.dedup_by(|a, b| a.name == b.name);
        let one = |f: &Field| (Just(f.name.to_string()), prop::option::of(any_wild_value(f)));
        let values: Vec<_> = fields.iter().map(one).collect();
        (Just(command("run_it", "", fields)), values).prop_map(|(command, values)| {
            (command, values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
        })
    })
}

proptest! {
    #[test]
    fn any_commands_invocation_is_printed_as_a_line_that_reads_back((command, values) in any_command(), form in any::<bool>()) {
        let (mut manifest, mentioned) = (jira(), mentioned());
        let named_form = command.fields.iter().any(|f| f.name.as_str() == "form");
        manifest.commands.push(command);
        let grammar = Grammar { manifest: &manifest, presets: &[], mentioned: &mentioned, now: NOW, time_zone: None, site: None };
        // What does not fit its field is refused, and there is nothing to print.
        if let Ok(mut invocation) = grammar.encoded("run it", &values) {
            invocation.form = form && !named_form;
            invocation.warnings.clear();
            let line = grammar.print(&invocation);
            let read = grammar.line(&line).map_err(|e| TestCaseError::fail(format!("{line}: {e}")))?;
            let Line::Run(mut read) = read else { return Err(TestCaseError::fail(line)) };
            read.warnings.clear();
            prop_assert_eq!(read, invocation, "{}", line);
        }
    }

    #[test]
    fn help_of_any_command_is_made_and_nothing_panics((command, _) in any_command(), line in any_text()) {
        let (mut manifest, mentioned) = (jira(), mentioned());
        manifest.commands.push(command);
        let grammar = Grammar { manifest: &manifest, presets: &[], mentioned: &mentioned, now: u64::MAX, time_zone: Some("Mars/Base"), site: None };
        prop_assert!(grammar.help(&["run", "it"]).contains("run it"));
        let _ = grammar.help(&[&line]);
        for line in [format!("/jira run it {line}"), format!("/jira run it --x={line}"), format!("/jira run it --x {line}")] {
            if let Err(error) = grammar.line(&line) {
                prop_assert!(error.position <= line.chars().count());
            }
        }
        let _ = grammar.arguments(&line, &line);
        let _ = grammar.encoded(&line, &Values::new());
    }

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

    /// A prose begins with no quote and no flag, and ends with no flag of the command.
    #[test]
    fn prose_is_the_rest_of_the_line(start in any::<char>(), text in any_prose()) {
        let text = format!("{start}{text} so it ends");
        prop_assume!(begins_visibly(&text) && !"-\u{2010}\u{2011}‒–—―−".contains(start));
        let text = text.trim();
        prop_assert_eq!(&values(&format!("/jira bug {text}"))["summary"], &json!(text));
        let read = values(&format!("/jira bug  --watch {text}\n--label='x y'  --priority 3"));
        prop_assert_eq!(&read["summary"], &json!(text));
        prop_assert_eq!(&read["priority"], &json!(3));
    }

    #[test]
    fn prose_after_two_dashes_is_the_rest_of_the_line(text in any_prose()) {
        let text = text.trim();
        prop_assume!(begins_visibly(text));
        prop_assert_eq!(&values(&format!("/jira bug -- {text}"))["summary"], &json!(text));
    }

    #[test]
    fn an_id_without_a_mention_is_taken_as_it_is(id in "[a-z0-9]{26}") {
        prop_assert_eq!(&values(&format!("/jira assign {id}"))["user"], &json!(id));
    }
}
