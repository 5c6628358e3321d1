//! Prose: what is typed into the last text of a command. And what nobody sees in a line.

use super::*;

/// An app whose commands end with prose.
fn news() -> Manifest {
    let positional = |name: &str, kind| Field { positional: true, ..field(name, kind) };
    let mut manifest: Manifest = serde_json::from_value(
        json!({ "protocol": 2, "id": "news", "version": "1.0.0", "display_name": "News" }),
    )
    .unwrap();
    manifest.commands = vec![
        command(
            "announce",
            "",
            vec![
                Field { required: true, ..positional("text", FieldType::Text) },
                field("loud", FieldType::Bool),
                field("channel", FieldType::Channel),
                Field { multiple: true, ..field("label", FieldType::Text) },
            ],
        ),
        command("tell", "", vec![positional("user", FieldType::User), positional("text", FieldType::Text)]),
        command("tag", "", vec![Field { multiple: true, ..positional("labels", FieldType::Text) }]),
        command("put", "", vec![positional("key", FieldType::Text), positional("value", FieldType::Json)]),
        command(
            "login",
            "",
            vec![Field { subtype: Some(Subtype::Password), ..positional("password", FieldType::Text) }],
        ),
        command(
            "invite",
            "",
            vec![Field { subtype: Some(Subtype::Email), ..positional("email", FieldType::Text) }],
        ),
        command("greet", "", vec![Field { multiple: true, ..positional("users", FieldType::User) }]),
    ];
    manifest.presets = vec![
        serde_json::from_value(
            json!({ "name": "shout", "label": "Shout", "function": "announce", "values": { "loud": true } }),
        )
        .unwrap(),
    ];
    manifest
}

fn read(line: &str) -> Result<Line, LineError> {
    let (manifest, mut mentioned) = (news(), mentioned());
    for (name, id) in [("carol", "c"), ("carol.", "d")] {
        mentioned.users.insert(name.parse().unwrap(), User::of(id.repeat(26).parse().unwrap()));
    }
    let grammar = Grammar {
        manifest: &manifest,
        presets: &[],
        mentioned: &mentioned,
        now: NOW,
        time_zone: None,
        site: None,
    };
    grammar.line(line)
}

fn run(line: &str) -> Invocation {
    match read(line) {
        Ok(Line::Run(invocation)) => invocation,
        other => panic!("{line} gives {other:?}"),
    }
}

fn values(line: &str) -> Value {
    Value::Object(run(line).values)
}

/// What people write, and what an app must get.
const PROSE: &[&str] = &[
    "Coffee is ready — come now",
    "— come now",
    "– eins – zwei",
    "Coffee -- come now",
    "well--known",
    "- one\n- two\r\n\t- three",
    "---",
    "--> this way",
    r"^foo\.bar$",
    r"¯\_(ツ)_/¯",
    r"\o/",
    r"C:\temp\ and a\ b \",
    "the ’90s",
    "’90s music",
    "'tis late",
    "‘tis the boys' night",
    "\"Hello\" she said",
    "\"Hello\", she said",
    "\"Hello\" — she said",
    "\"Hello\" -- she said",
    "“Hello” she said “bye”",
    "“Hello",
    "\"a\"b",
    "6\" pipe, 5' long",
    "don't",
    "use `app --loud --channel=~x`",
    "```\ncargo run -- --loud\n```\n--\nend",
    "he said \"use --loud\"",
    "he said “use --channel=~x”",
    "(see --loud)",
    "the --loud flag",
    "Best\n-- \nAlice",
    "a --> b",
    "a  b\u{a0}\u{a0}c\td",
    "@bob- and ~nowhere and @nobody",
    "👩\u{200d}👩\u{200d}👧 ☕\u{fe0f}",
    "\u{200f}שלום --",
    "\u{2067}مرحبا\u{2069} — ok",
    "e\u{301}te\u{301}",
    "\u{200b}\u{200b}x\u{200b}",
    "/news announce help",
    "= a == b",
    "＂full width＂ － ok",
];

#[test]
fn prose_is_taken_as_it_was_typed() {
    for text in PROSE {
        assert_eq!(values(&format!("/news announce {text}")), json!({ "text": text }), "{text}");
        assert_eq!(
            values(&format!(
                "/news announce \t--loud --label=a  {text}\n\n  --channel=~town-square --label 'b c' "
            )),
            json!({ "text": text, "loud": true, "label": ["a", "b c"], "channel": "t".repeat(26) }),
            "{text}"
        );
        assert_eq!(values(&format!("/news shout {text}")), json!({ "text": text, "loud": true }), "{text}");
        assert_eq!(values(&format!("/news announce -- {text} --loud"))["text"], format!("{text} --loud"));
        assert_eq!(
            values(&format!("/news tell @bob {text}")),
            json!({ "user": "b".repeat(26), "text": text })
        );
        assert_eq!(values(&format!("/news login {text}")), json!({ "password": text }));
    }
}

#[test]
fn a_text_that_is_all_in_quotes_is_read_without_them() {
    for (line, text) in [
        ("\"Coffee\"", "Coffee"),
        ("“Coffee — now”", "Coffee — now"),
        ("'it's'", "it's"),
        ("\u{200e}\"Coffee\"\u{200b} ", "Coffee"),
        ("\"Coffee\" --loud", "Coffee"),
        ("--loud \"Coffee\" --label=a", "Coffee"),
        ("\"--loud\"", "--loud"),
        ("-- \"Coffee\"", "Coffee"),
        (r#""a \"b\" \\""#, r#"a "b" \"#),
    ] {
        assert_eq!(values(&format!("/news announce {line}"))["text"], text, "{line}");
    }
    assert_eq!(run("/news announce \"\"").missing, [name("text")]);
    assert_eq!(run("/news announce \u{200b}").missing, [name("text")]);
}

#[test]
fn the_commands_own_flags_count_before_prose_and_at_the_end() {
    assert_eq!(values("/news announce --loud Coffee"), json!({ "text": "Coffee", "loud": true }));
    assert_eq!(
        values("/news announce —loud Coffee –no-loud is it"),
        json!({ "text": "Coffee –no-loud is it", "loud": true })
    );
    assert_eq!(
        values("/news announce Coffee --label a ––label=b"),
        json!({ "text": "Coffee", "label": ["a", "b"] })
    );
    assert_eq!(values("/news announce Coffee --loud now"), json!({ "text": "Coffee --loud now" }));
    assert_eq!(
        values("/news tell hello there --user=@bob"),
        json!({ "user": "b".repeat(26), "text": "hello there" })
    );
    assert!(run("/news announce Coffee --form").form);
    assert!(!run("/news announce Coffee --form now").form);
    assert!(matches!(read("/news announce Coffee --help"), Ok(Line::Help(_))));
    assert!(matches!(read("/news announce --help Coffee"), Ok(Line::Help(_))));
    assert_eq!(values("/news announce git --help shows it"), json!({ "text": "git --help shows it" }));
    assert_eq!(values("/news announce -- git --help"), json!({ "text": "git --help" }));
}

#[test]
fn what_may_have_been_meant_as_a_flag_is_text_and_a_warning_says_so() {
    let invocation = run("/news announce Coffee --channl=~town-square");
    assert_eq!(invocation.values["text"], "Coffee --channl=~town-square");
    assert_eq!(
        invocation.warnings,
        ["`--channl` is text here, because it is no flag of `announce`. Did you mean `--channel`?"]
    );
    let invocation = run("/news shout --verbose is broken");
    assert_eq!(invocation.values["text"], "--verbose is broken");
    assert_eq!(invocation.warnings, ["`--verbose` is text here, because it is no flag of `shout`."]);
    for quiet in
        ["—verbose is broken", "-- --verbose --channl", "--> this", "a --> --", "he said \"--channl\""]
    {
        assert_eq!(run(&format!("/news announce {quiet}")).warnings, Vec::<String>::new(), "{quiet}");
    }
    let slip = read("/news announce \"Coffee\" --channl=~town-square").unwrap_err();
    assert!(slip.message.contains("Did you mean `--channel`?"), "{}", slip.message);
    let unclosed = read("/news announce Coffee --label=\"a b").unwrap_err();
    assert!(unclosed.message.starts_with("`\"` opens a quote that is never closed"), "{}", unclosed.message);
    // A password may look like a flag, and is not repeated.
    assert_eq!(run("/news login --passwor").warnings, Vec::<String>::new());
    assert_eq!(values("/news login --passwor"), json!({ "password": "--passwor" }));
}

#[test]
fn json_is_prose_too() {
    let value = |text: &str| values(&format!("/news put key {text}"))["value"].clone();
    assert_eq!(
        value(r#"{"a": "it's — \"ok\" \\", "b": [1, 2]}"#),
        json!({ "a": "it's — \"ok\" \\", "b": [1, 2] })
    );
    assert_eq!(value("{\"a\":\n\t\"👩\u{200d}👧\"}\u{feff}"), json!({ "a": "👩\u{200d}👧" }));
    assert_eq!(value("'{\"a\": 1}'"), json!({ "a": 1 }));
    assert!(read("/news put key {").unwrap_err().message.contains("is not JSON"));
}

#[test]
fn a_list_of_texts_is_no_prose() {
    assert_eq!(values("/news tag a \"b c\" d"), json!({ "labels": ["a", "b c", "d"] }));
    assert!(read("/news tag a \"b c").unwrap_err().message.contains("never closed"));
}

#[test]
fn what_nobody_sees_takes_no_part() {
    for unseen in [
        "\u{200b}",
        "\u{feff}",
        "\u{200e}",
        "\u{200d}",
        "\u{fe0f}",
        "\u{ad}",
        "\u{2060}",
        "\u{1}",
        "\u{e0020}",
    ] {
        let u = unseen;
        assert_eq!(
            values(&format!(
                "{u}/ne{u}ws{u} ann{u}ounce{u} {u}-{u}-lo{u}ud{u} --chan{u}nel{u}={u}~town-square{u} Cof{u}fee"
            )),
            json!({ "text": format!("Cof{u}fee"), "loud": true, "channel": "t".repeat(26) }),
            "{unseen:?}"
        );
        assert_eq!(
            values(&format!("/news greet {u}@bob{u}")),
            json!({ "users": ["b".repeat(26)] }),
            "{unseen:?}"
        );
        assert_eq!(
            values(&format!("/news invite bob@example.com{u}"))["email"],
            "bob@example.com",
            "{unseen:?}"
        );
        assert_eq!(
            super::values(&format!(
                "/jira create issue --project=MM{u} --type=b{u}ug --priority={u}3 --due=to{u}day --watch=y{u}es x"
            )),
            json!({ "summary": "x", "project": "MM", "type": "bug", "priority": 3, "due": "2026-11-22", "watch": true }),
            "{unseen:?}"
        );
        assert!(matches!(read(&format!("/news{u} {u}help{u}")), Ok(Line::Help(_))), "{unseen:?}");
        assert_eq!(
            values(&format!("/news announce {u}--{u} --loud")),
            json!({ "text": "--loud" }),
            "{unseen:?}"
        );
        // No error repeats what nobody sees, so no two words in it look the same.
        for wrong in
            [format!("/news an{u}nouce x"), format!("/news announce --lo{u}udd x"), format!("/ne{u}w x")]
        {
            let error = read(&wrong).unwrap_err();
            assert!(!error.message.contains(u) && !error.found.contains(u), "{unseen:?}: {}", error.message);
        }
    }
}

#[test]
fn the_hyphens_and_minus_signs_of_other_writers_count_as_plain_ones() {
    for dashes in ["‑‑", "‐‐", "－－", "﹣﹣", "−−", "—", "–", "―"] {
        assert_eq!(values(&format!("/news announce {dashes}loud x"))["loud"], true, "{dashes}");
        assert_eq!(
            values(&format!("/news announce {dashes}channel＝~town-square x"))["channel"],
            "t".repeat(26)
        );
    }
    assert_eq!(super::values("/jira create‑issue --project=MM --due=−1w x")["due"], "2026-11-15");
}

#[test]
fn whoever_the_server_found_is_meant_whatever_stands_beside_the_name() {
    for word in [
        "@bob",
        "@Bob",
        "@bob,",
        "@bob-",
        "@bob_",
        "@bob.",
        "@bob...",
        "@bob。",
        "@bob、",
        "@bob:",
        "@bob!?",
        "(@bob)",
        "<@bob>",
        "**@bob**",
        "@bob's",
        "@bob’s",
        "“@bob”",
        "@bob—",
        "@bob）",
        "@bobさん",
        "@bob\u{301}",
        "bob",
        "Bob,",
        "@bob@bob",
    ] {
        assert_eq!(values(&format!("/news greet {word}"))["users"][0], "b".repeat(26), "{word}");
    }
    assert_eq!(values("/news greet @bob,@carol")["users"], json!(["b".repeat(26), "c".repeat(26)]));
    assert_eq!(
        values("/news greet @bob、@carol @carol.")["users"],
        json!(["b".repeat(26), "c".repeat(26), "d".repeat(26)])
    );
    for nobody in ["bob@example.com", "@bobby", "@bob-by", "@dave,@bob", "\"@bob and me\"", "@", "@-bob"] {
        assert!(
            read(&format!("/news greet {nobody}")).unwrap_err().message.contains("is nobody in this team"),
            "{nobody}"
        );
    }
    let several = read("/news tell @bob/@carol hi").unwrap_err();
    assert_eq!(several.fields["user"], "\"@bob/@carol\" names several users; write one");
    for channel in ["~town-square", "~Town-Square.", "(~town-square)", "~town-square。", "~town-square-"] {
        assert_eq!(
            super::values(&format!("/jira assign @bob {channel}"))["channel"],
            "t".repeat(26),
            "{channel}"
        );
    }
}

#[test]
fn what_was_typed_is_what_is_explained() {
    for line in ["/jira bug x --priority=9", "/jira bug --projct=OPS x", "/jira bug \"x\" --project=OPS y"] {
        let error = super::read(line).unwrap_err();
        assert!(error.message.ends_with("See `/jira help bug`."), "{}", error.message);
        assert!(!error.message.contains("create issue"), "{}", error.message);
    }
    let Ok(Line::Run(invocation)) = super::read("/jira bug") else { panic!("not run") };
    assert_eq!(invocation.preset, Some(name("bug")));
    assert_eq!(invocation.missing, [name("summary")]);
}

#[test]
fn no_number_of_characters_that_nobody_sees_hides_a_flag() {
    for count in [1, 5, 6, 7, 8, 100] {
        let hidden = "\u{200b}".repeat(count);
        for flag in [format!("-{hidden}-label=x"), format!("--{hidden}la{hidden}bel=x")] {
            for line in [format!("{flag} Hello"), format!("Hello {flag}"), format!("{hidden}{flag} Hello")] {
                let expected = json!({"label": ["x"], "text": "Hello"});
                assert_eq!(values(&format!("/news announce {line}")), expected, "{count}: {line}");
            }
        }
    }
}
