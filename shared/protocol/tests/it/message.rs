//! Messages: what stands on the wire, and what is wrong with one.

use cloud_apps_protocol::{
    Answer, Block, Code, Message,
    answer::{self, Kind},
    message::{Accent, Attachment, Columns, Container, Image, ImageSize, Text, TextSize},
};
use expect_test::expect_file;
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(answer: &Value) -> Result<Answer, cloud_apps_protocol::ErrorBody> {
    Answer::read(answer.to_string().as_bytes())
}

/// `pointer: message` of each problem.
fn refusal(answer: &Value) -> String {
    let error = read(answer).unwrap_err().error;
    assert_eq!(error.code, Code::BadAnswer);
    let problems = error.more["problems"].as_array().unwrap();
    let text = |problem: &Value, key: &str| problem[key].as_str().unwrap().to_owned();
    lines(
        problems.iter().map(|problem| format!("{}: {}", text(problem, "pointer"), text(problem, "message"))),
    )
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

fn message(answer: Answer) -> Message {
    match answer.kind {
        Kind::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

/// One block of each type, with every key.
fn every_block() -> Value {
    json!([
        {"type": "text", "text": "**Build 12** is green", "subtle": true, "size": "small"},
        {"type": "facts", "items": [{"title": "Branch", "text": "main", "short": true},
            {"title": "Duration", "text": "4 min"}]},
        {"type": "image", "url": "https://ci.example.com/12.png", "alt_text": "The times of the last builds",
            "title": "Times", "size": "large"},
        {"type": "divider"},
        {"type": "container", "content": [{"type": "text", "text": "inside"}], "accent": "good", "border": true,
            "background": "gray", "gap": "small"},
        {"type": "collapsible", "header": [{"type": "text", "text": "Log"}],
            "content": [{"type": "text", "text": "ok"}], "collapsed": true},
        {"type": "columns", "columns": [[{"type": "text", "text": "left"}], [{"type": "text", "text": "right"}]]},
    ])
}

fn with_blocks(blocks: &Value) -> Value {
    json!({"type": "message", "text": "Build 12 is green", "blocks": blocks})
}

#[test]
fn every_block_is_read_and_written_with_every_key() {
    let answer = read(&with_blocks(&every_block())).unwrap();
    let written = serde_json::to_value(&answer).unwrap();
    assert_eq!(written["blocks"], every_block());
    expect_file!["../golden/blocks.json"].assert_eq(&format!("{written:#}\n"));
    assert_eq!(message(answer).problems(), []);
}

#[test]
fn what_an_app_writes_in_two_lines_is_what_stands_on_the_wire() {
    let answer = Answer::public("Build 12 is green")
        .block(Block::facts([("Branch", "main"), ("Duration", "4 min")]))
        .block(Container::new([Block::text("a"), Block::divider()]).accent(Accent::Color(28, 88, 217)))
        .block(Block::collapsible("Log", [Block::text("ok")]))
        .blocks([Block::columns([[Block::text("l")], [Block::text("r")]]), Block::image("https://x/y", "z")]);
    let wire = json!({"type": "message", "text": "Build 12 is green", "to": "channel", "blocks": [
        {"type": "facts", "items": [{"title": "Branch", "text": "main", "short": true},
            {"title": "Duration", "text": "4 min", "short": true}]},
        {"type": "container", "accent": "#1C58D9", "content": [{"type": "text", "text": "a"}, {"type": "divider"}]},
        {"type": "collapsible", "header": [{"type": "text", "text": "Log"}],
            "content": [{"type": "text", "text": "ok"}], "collapsed": true},
        {"type": "columns", "columns": [[{"type": "text", "text": "l"}], [{"type": "text", "text": "r"}]]},
        {"type": "image", "url": "https://x/y", "alt_text": "z"},
    ]});
    assert_eq!(serde_json::to_value(&answer).unwrap(), wire);
    assert_eq!(read(&wire), Ok(answer));
}

#[test]
fn a_block_on_an_answer_that_is_no_message_is_not_lost_in_silence() {
    let answer = Answer::done().block(Block::divider());
    assert_eq!((answer.kind, answer.warnings.len()), (Kind::Done, 1));
}

#[test]
fn every_problem_of_a_message_is_told_at_once_with_its_pointer() {
    let wrong = refusal(&with_blocks(&json!([
        {"text": "no type"},
        {"type": "txet", "text": "a"},
        {"type": "text"},
        {"type": "text", "text": 7, "subtel": true, "size": "huge"},
        {"type": "facts", "items": [{"title": "a", "value": "b"}, "c"]},
        {"type": "image", "url": "https://example.com/x.png", "title": ["x"]},
        {"type": "container", "content": {"type": "text"}, "accent": "#12", "border": "yes", "gap": null},
        {"type": "collapsible", "header": "Log", "content": [{"type": "container", "content": [{"type": "image"}]}]},
        {"type": "columns", "columns": [{"type": "text", "text": "a"}]},
        "text",
        {"type": 7},
        {"type": "actions", "items": []},
        {"type": "form", "form": {}},
    ])));
    expect_file!["../golden/message-problems.txt"].assert_eq(&wrong);
}

#[test]
fn an_attachment_keeps_what_is_not_known_and_refuses_what_has_a_wrong_type() {
    let attachment = json!({"title": "MM-1", "callback_id": "x", "fields": [
        {"title": "Votes", "value": 7, "short": true, "odd": 1}, {"title": "Open", "value": true}]});
    let answer = read(&json!({"type": "message", "attachments": [attachment, {"text": null}]})).unwrap();
    let attachments = message(answer).attachments;
    assert_eq!(attachments[0].more["callback_id"], "x");
    assert_eq!(attachments[0].fields[0].more["odd"], 1);
    assert_eq!((&*attachments[0].fields[0].value, &*attachments[0].fields[1].value), ("7", "true"));
    assert_eq!(attachments[1], Attachment::default());
    let wrong = refusal(&json!({"type": "message", "attachments": [
        {"text": 7, "fields": [{"value": [1]}, 0], "actions": {}}, "x"]}));
    expect_file!["../golden/attachment-problems.txt"].assert_eq(&wrong);
}

/// What is read may be a token in the wrong place, and what is said of it stands in a log.
#[test]
fn no_problem_repeats_a_value_or_a_key_that_may_be_a_secret() {
    let secret = "s3cr\"e`t, expected `x`, Sup3rS3cret";
    for blocks in [
        json!(secret),
        json!([secret]),
        json!([{"type": secret}]),
        json!([{"type": "text", "text": [secret]}]),
        json!([{"type": "text", "text": "", "size": secret}]),
        json!([{"type": "text", "text": "", secret: secret}]),
        json!([{"type": "container", "content": [], "accent": secret}]),
        json!([{"type": "container", "content": [{secret: {"type": secret}}]}]),
    ] {
        let error = read(&with_blocks(&blocks)).unwrap_err();
        let said = serde_json::to_string(&error).unwrap();
        for part in ["s3cr", "e`t", "Sup3r", "`x`"] {
            assert!(!said.contains(part), "{said}");
        }
    }
}

#[test]
fn so_many_problems_are_told_and_no_more() {
    let error = read(&with_blocks(&json!(vec![json!({"type": "x"}); 200]))).unwrap_err().error;
    assert_eq!(error.more["problems"].as_array().unwrap().len(), 51);
    assert!(error.message.ends_with("There are 46 more problems."), "{}", error.message);
    assert!(refusal(&with_blocks(&json!(vec![json!({"type": "divider"}); 300]))).contains("at most 256"));
}

#[test]
fn what_no_type_can_say_of_a_message_is_said_with_its_pointer() {
    let deep = (0..40).fold(Block::divider(), |inner, _| Block::container([inner]));
    let wrong = Message {
        attachments: vec![Attachment::default()],
        blocks: vec![
            Block::facts(Vec::<(String, String)>::new()),
            Block::container(Vec::<Block>::new()),
            Block::collapsible("", [Block::image("x", " ")]),
            Block::columns([vec![], vec![Block::text("")]]),
            Columns::default().into(),
            deep,
        ],
        ..Message::default()
    };
    let problems = lines(wrong.problems().iter().map(ToString::to_string));
    expect_file!["../golden/message-rules.txt"].assert_eq(&problems);
}

#[test]
fn the_schema_in_the_repository_is_that_of_the_types() {
    let schema = serde_json::to_string_pretty(&answer::schema()).unwrap();
    // Stale? UPDATE_EXPECT=1 cargo test -p cloud-apps-protocol
    expect_file!["../../../../schema/mattermost-cloud-app-answer.schema.json"]
        .assert_eq(&format!("{schema}\n"));
}

fn any_block() -> impl Strategy<Value = Block> {
    let text = || "\\PC{0,8}";
    let leaf = prop_oneof![
        (text(), any::<bool>())
            .prop_map(|(text, subtle)| Text { text, subtle, size: TextSize::Small }.into()),
        prop::collection::vec((text(), text()), 0..3).prop_map(Block::facts),
        (text(), text(), text()).prop_map(|(url, alt_text, title)| {
            Image { url, alt_text, title, size: ImageSize::Small }.into()
        }),
        Just(Block::divider()),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let some = || prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            (some(), any::<[u8; 3]>()).prop_map(|(content, [r, g, b])| Container::new(content)
                .accent(Accent::Color(r, g, b))
                .into()),
            (text(), some()).prop_map(|(header, content)| Block::collapsible(header, content)),
            prop::collection::vec(some(), 0..3).prop_map(Block::columns),
        ]
    })
}

proptest! {
    #[test]
    fn every_tree_reads_back_as_it_was_written(blocks in prop::collection::vec(any_block(), 0..5)) {
        let answer = Answer::text("x").blocks(blocks);
        let text = serde_json::to_vec(&answer).unwrap();
        prop_assert_eq!(Answer::read(&text), Ok(answer));
    }

    #[test]
    fn an_accent_is_a_word_or_a_color(text in prop_oneof!["[a-z]{0,8}", "#[0-9A-Fa-f]{0,8}", "good|danger|default"]) {
        let schema = answer::schema();
        let pattern = schema["$defs"]["Accent"]["pattern"].as_str().unwrap();
        let taken = regex_lite::Regex::new(pattern).unwrap().is_match(&text);
        let accent = text.parse::<Accent>();
        prop_assert_eq!(taken, accent.is_ok());
        if let Ok(accent) = accent {
            prop_assert!(accent.to_string().eq_ignore_ascii_case(&text));
        }
    }
}
