//! Each block in each rendering, and what holds for any tree.

mod client;

use super::{Rendered, ServerAbilities};
use crate::{
    finish::{
        actions::{Controls, Offer},
        text::POST_LIMIT,
    },
    store::model::Install,
    testing::sample,
};
use client::Drawn;
use cloud_apps_protocol::{
    Answer, Block, Manifest, Message,
    answer::Kind,
    limits,
    message::{
        Accent, Action, Background, Button, Collapsible, Columns, Container, Fact, Facts, Gap, Image,
        ImageSize, Text, TextSize,
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write;

const OLD: &str = "5.37.0";
const NEW: &str = "11.6.0";

/// What a server of this version can show.
fn server(version: &str) -> ServerAbilities {
    ServerAbilities::of(&Install { server_version: version.to_owned(), ..sample::install(1) })
}

/// A server that has Mattermost Blocks.
fn with_blocks() -> ServerAbilities {
    ServerAbilities { blocks: true, ..server("11.10.0") }
}

fn message(blocks: &Value) -> Message {
    let answer = json!({"type": "message", "text": "Build 12 is green", "blocks": blocks});
    match Answer::read(answer.to_string().as_bytes()).unwrap().kind {
        Kind::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

/// Blocks of each type, and how they stand together.
fn samples() -> Vec<(&'static str, Value)> {
    let text = |text: &str| json!({"type": "text", "text": text});
    let picture = |size: &str| {
        json!({"type": "image", "url": "https://ci.example.com/12.png",
        "alt_text": "The times of the last builds", "title": "Times", "size": size})
    };
    let facts = json!({"type": "facts", "items": [
        {"title": "Branch", "text": "main", "short": true}, {"title": "By", "text": "@bob", "short": true},
        {"title": "Message", "text": "Fix the *build*"}, {"title": "Log", "text": "", "short": true}]});
    vec![
        (
            "text",
            json!([text("**Build 12** is green"), {"type": "text", "text": "4 min", "subtle": true, "size": "small"}]),
        ),
        ("facts", json!([facts])),
        ("image", json!([picture("stretch")])),
        ("image, small", json!([text("Build 12"), picture("small"), text("is green")])),
        ("divider", json!([text("above"), {"type": "divider"}, text("below")])),
        (
            "container",
            json!([text("before"), {"type": "container", "accent": "good", "border": true, "background": "gray",
                "gap": "small", "content": [text("inside"), facts]}, text("after")]),
        ),
        (
            "containers in a container",
            json!([{"type": "container", "accent": "#1C58D9", "content": [text("outer"),
                {"type": "container", "content": [text("in its color")]},
                {"type": "container", "accent": "primary", "content": [text("in its own")]}, text("outer again")]}]),
        ),
        (
            "collapsible",
            json!([{"type": "collapsible", "collapsed": true, "header": [text("Log"), text("of *step* 3")],
                "content": [text("```\nok\n```")]}]),
        ),
        (
            "columns",
            json!([{"type": "columns", "columns": [[text("left"), {"type": "divider"}], [text("right"), facts]]}]),
        ),
        ("a picture before a table and a text", json!([picture("large"), facts, text("below")])),
        ("a blank text", json!([{"type": "collapsible", "header": [text("Log")], "content": [text(" ")]}])),
        (
            "mentions of everybody",
            json!([text("Hi @all &#64;here"),
            {"type": "facts", "items": [{"title": "@channel", "text": "@al&#108;"}]},
            {"type": "image", "url": "/x.png", "alt_text": "@here", "title": "@all"}]),
        ),
        (
            "a script for a picture",
            json!([{"type": "container", "content": [
            {"type": "image", "url": "javascript:alert(1)", "alt_text": "x"},
            {"type": "image", "url": "data:image/svg+xml,x", "alt_text": "x"}]}]),
        ),
        ("a text that a post on an old server has no room for", json!([text(&"<".repeat(1_300))])),
        (
            "buttons",
            json!([text("MM-1"), {"type": "actions", "items": [
                {"type": "button", "label": "Assign to me", "function": "edit", "values": {"issue": "MM-1"}, "style": "primary",
                    "tooltip": "Nobody has it"},
                {"type": "button", "label": "Open", "url": "https://jira.example.com/MM-1"},
                {"type": "button", "preset": "bug"},
                {"type": "button", "label": "Not now", "function": "edit", "disabled": true}]}, text("below")]),
        ),
        (
            "menus",
            json!([{"type": "actions", "items": [
                {"type": "select", "field": "status", "function": "edit", "values": {"issue": "MM-1", "status": "open"}},
                {"type": "select", "field": "who", "function": "edit"},
                {"type": "select", "label": "Move", "field": "where", "function": "edit"},
                {"type": "select", "label": "Project", "field": "project", "function": "edit", "values": {"issue": "MM-1"}}]}]),
        ),
        (
            "checkboxes",
            json!([{"type": "container", "accent": "good", "content": [{"type": "actions", "items": [
                {"type": "checkbox", "field": "watch", "value": true, "function": "edit"},
                {"type": "checkbox", "label": "Mine", "field": "watch", "value": false, "function": "edit"}]}]}]),
        ),
        (
            "commands in a text",
            json!([text("Do you [agree](command:edit?issue=MM-1&status=done), or [not](command:edit)? `[x](command:edit)`"),
                {"type": "actions", "items": [{"type": "button", "label": "Later", "function": "edit"}]}]),
        ),
        (
            "actions of what is not there",
            json!([{"type": "actions", "items": [
                {"type": "button", "label": "A", "function": "delete"},
                {"type": "button", "label": "B", "function": "edit", "values": {"isue": 1, "status": "new"}},
                {"type": "button", "preset": "nothing"},
                {"type": "button", "label": "C", "url": "javascript:alert(1)"},
                {"type": "select", "field": "issue", "function": "edit"},
                {"type": "checkbox", "field": "status", "value": true, "function": "edit"}]},
                text("[gone](command:gone) [?](command:No!)")]),
        ),
        (
            "buttons that are not complete",
            json!([{"type": "actions", "items": [{"type": "button", "label": "A"},
                {"type": "button", "label": "", "function": "edit", "url": "https://x"},
                {"type": "button", "label": "B", "url": "https://x", "once": true, "values": {"a": 1}}]},
                {"type": "actions", "items": []}]),
        ),
        ("an empty list", json!([{"type": "columns", "columns": [[], [text("right")]]}])),
    ]
}

/// What the app of these tests offers.
fn manifest() -> Manifest {
    let user = json!({"name": "who", "type": "user", "label": "Assignee"});
    let status = json!({"name": "status", "type": "select", "label": "Status", "options": [
        {"value": "open", "label": "Open"}, {"value": "done"}]});
    let fields = json!([{"name": "issue", "type": "text"}, user, status,
        {"name": "project", "type": "select", "lookup": true}, {"name": "where", "type": "channel"},
        {"name": "watch", "type": "bool", "label": "Watch"}]);
    let manifest = json!({"protocol": 2, "id": "jira", "version": "1.0.0", "display_name": "Jira",
        "commands": [{"function": "edit", "fields": fields}],
        "presets": [{"name": "bug", "label": "File a bug", "function": "edit", "values": {"status": "open"}}]});
    serde_json::from_value(manifest).unwrap()
}

/// Renders with seals that can be read.
fn rendered(message: &Message, abilities: ServerAbilities) -> Result<Rendered, super::Refused> {
    let manifest = manifest();
    let offer = Offer { manifest: &manifest, presets: &[] };
    let (mut controls, problems) = Controls::of(&message.blocks, &offer);
    if !problems.is_empty() {
        return Err(super::Refused { problems });
    }
    controls.url = "https://b.example/action".to_owned();
    for (_, click) in controls.clicks() {
        let field = click.field.as_ref().map(|field| format!(" {field}=?")).unwrap_or_default();
        let form = if click.opens_form { " form" } else { "" };
        click.seal = format!("{}{field}{form} {}", click.function, json!(click.values));
    }
    super::rendered(message, &controls, abilities)
}

fn shown(rendered: Result<Rendered, super::Refused>) -> String {
    match rendered {
        Err(refused) => {
            let problems: Vec<_> = refused.problems.iter().map(ToString::to_string).collect();
            format!("refused: {}", problems.join(" | "))
        }
        Ok(Rendered { attachments, blocks, .. }) if blocks.is_empty() => json!(attachments).to_string(),
        Ok(Rendered { blocks, registry, .. }) if registry.is_empty() => json!(blocks).to_string(),
        Ok(Rendered { blocks, registry, .. }) => format!("{}\n        {}", json!(blocks), json!(registry)),
    }
}

#[test]
fn every_block_looks_in_every_rendering_as_the_golden_file_says() {
    let mut golden = String::new();
    for (name, blocks) in samples() {
        let message = message(&blocks);
        let [old, new, native] =
            [server(OLD), server(NEW), with_blocks()].map(|abilities| shown(rendered(&message, abilities)));
        writeln!(golden, "# {name}\n\napp     {blocks}\n5.37    {old}\n11      {new}\n11.10+  {native}\n")
            .unwrap();
    }
    expect_test::expect_file!["../../../../tests/golden/blocks.txt"].assert_eq(&golden);
}

#[test]
fn attachments_are_sent_beside_blocks() {
    let message = message(&samples()[0].1);
    let alone = rendered(&message, server(NEW)).unwrap();
    let both = rendered(&message, with_blocks()).unwrap();
    assert!(alone.blocks.is_empty() && !both.blocks.is_empty());
    assert_eq!(alone.attachments, both.attachments);
    let keys = |rendered: &Rendered| {
        let props = super::props(rendered);
        props.keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!((keys(&alone), keys(&both)), ("attachments".into(), "attachments mm_blocks".into()));
    assert_eq!(keys(&Rendered::default()), "");
}

#[test]
fn each_limit_is_named_with_the_block_that_passes_it() {
    let many = |n: usize, block: Value| message(&vec![block; n].into());
    let text = json!({"type": "text", "text": "x".repeat(100)});
    let fact = json!({"title": "a", "text": "b"});
    let container = json!({"type": "container", "content": [text]});
    let deep = (0..30).fold(
        json!({"type": "facts", "items": [fact, fact]}),
        |inner, _| json!({"type": "columns", "columns": [[inner]]}),
    );
    let short = json!({"title": "a", "text": "b", "short": true});
    let nested = |levels: usize| {
        (0..levels).fold(
            json!({"type": "facts", "items": [short, short]}),
            |inner, _| json!({"type": "container", "content": [inner]}),
        )
    };
    for (message, abilities, pointer, limit) in [
        (many(21, container), server(NEW), "/blocks/20/content/0", "more than 20 attachments"),
        (
            message(&json!([{"type": "facts", "items": vec![fact.clone(); 33]}])),
            server(NEW),
            "/blocks/0/items/32",
            "more than 100 blocks as attachments",
        ),
        (
            many(101, json!({"type": "divider"})),
            with_blocks(),
            "/blocks/100",
            "more than 100 blocks as Mattermost Blocks",
        ),
        // Two characters stand between two texts.
        (
            many(158, text.clone()),
            server(NEW),
            "/blocks/156",
            "texts of more than 16000 characters as attachments",
        ),
        (many(74, text.clone()), server(OLD), "/blocks", "a post on this server has room for 7600"),
        (message(&json!([deep])), server(NEW), "/blocks/0/columns", "nested deeper than 32 levels"),
        (
            message(&json!([nested(30)])),
            with_blocks(),
            "/blocks/0/content",
            "more than 32 levels as Mattermost Blocks",
        ),
    ] {
        let refused = rendered(&message, abilities).unwrap_err();
        let problem = &refused.problems[0];
        assert!(
            problem.pointer.starts_with(pointer) && problem.message.contains(limit),
            "{pointer} {limit}: {refused}"
        );
        assert!(refused.to_string().contains(&problem.pointer), "{refused}");
    }
    for (message, abilities) in [
        (many(20, json!({"type": "container", "content": [text]})), server(NEW)),
        (message(&json!([{"type": "facts", "items": vec![fact; 32]}])), server(NEW)),
        (many(100, json!({"type": "divider"})), with_blocks()),
        (many(156, text.clone()), server(NEW)),
        (many(70, text.clone()), server(OLD)),
        (many(74, text), ServerAbilities::ephemeral()),
        (message(&json!([nested(29)])), with_blocks()),
    ] {
        assert!(rendered(&message, abilities).is_ok());
    }
}

#[test]
fn what_a_post_has_room_for_depends_on_the_version() {
    for (version, props) in [
        ("5.37.0", 7_600),
        ("5.9.1", 7_600),
        ("6.0.0", 760_000),
        ("10.11.2-rc1", 760_000),
        ("", 7_600),
        ("x", 7_600),
    ] {
        let abilities = server(version);
        assert_eq!(
            (abilities.blocks, abilities.props, abilities.post),
            (false, props, POST_LIMIT),
            "{version}"
        );
    }
}

#[test]
fn what_a_server_says_of_itself_decides_where_its_version_does_not() {
    let of = |version: &str, mm_blocks, max_post_size| {
        let mut install = Install { server_version: version.to_owned(), ..sample::install(1) };
        install.server.mm_blocks = mm_blocks;
        install.server.max_post_size = max_post_size;
        ServerAbilities::of(&install)
    };
    for (version, mm_blocks, blocks) in [
        ("11.10.0", Some(true), true),
        ("12.0.0", Some(true), true),
        ("12.0.0", Some(false), false),
        ("12.0.0", None, false),
        // The flag may be there before what it switches on.
        ("11.9.0", Some(true), false),
    ] {
        assert_eq!(of(version, mm_blocks, None).blocks, blocks, "{version} {mm_blocks:?}");
    }
    for (said, post) in [(None, POST_LIMIT), (Some(4_000), 4_000), (Some(16_383), 16_383), (Some(1), 4_000)] {
        assert_eq!(of("11.6.0", None, said).post, post);
    }
}

/// A text as apps write them.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z<>é\u{1f600}]{1,8}",
        "[a-z]{1,4}\n[a-z*]{1,4}",
        Just("@all".to_owned()),
        Just("&#64;here *x*".to_owned()),
        "[ -~]{0,12}",
        "x{0,900}",
    ]
}

fn any_size() -> impl Strategy<Value = ImageSize> {
    prop_oneof![
        Just(ImageSize::Small),
        Just(ImageSize::Xsmall),
        Just(ImageSize::Large),
        Just(ImageSize::Stretch)
    ]
}

fn any_accent() -> impl Strategy<Value = Option<Accent>> {
    prop_oneof![
        Just(None),
        Just(Some(Accent::Default)),
        Just(Some(Accent::Primary)),
        Just(Some(Accent::Danger)),
        any::<[u8; 3]>().prop_map(|[red, green, blue]| Some(Accent::Color(red, green, blue))),
    ]
}

fn any_block() -> impl Strategy<Value = Block> {
    let leaf = prop_oneof![
        3 => (any_text(), any::<bool>()).prop_map(|(text, subtle)| {
            let size = if subtle { TextSize::Small } else { TextSize::Default };
            Block::Text(Text { text, subtle, size })
        }),
        3 => prop::collection::vec((any_text(), any_text(), any::<bool>()), 1..6).prop_map(|facts| {
            let fact = |(title, text, short)| Fact { title, text, short };
            Block::Facts(Facts { items: facts.into_iter().map(fact).collect() })
        }),
        2 => (prop_oneof![30 => Just("https://x.example/y.png"), 1 => Just("javascript:x")], "[ a-z]{3,9}", any_text(), any_size())
            .prop_map(|(url, alt_text, title, size)| Image { url: url.into(), alt_text, title, size }.into()),
        1 => Just(Block::divider()),
        2 => prop::collection::vec(("[a-z@]{1,6}", any::<bool>()), 1..4).prop_map(|buttons| {
            let button = |(label, once): (String, bool)| {
                let function = "edit".parse().unwrap();
                Action::from(Button { once, ..Button::run(label, function, cloud_apps_protocol::Values::new()) })
            };
            Block::actions(buttons.into_iter().map(button))
        }),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        let some = move |most| prop::collection::vec(inner.clone(), 1..most);
        prop_oneof![
            (some(8), any_accent(), any::<bool>()).prop_map(|(content, accent, border)| {
                let (background, gap) =
                    if border { (Background::Gray, Gap::Large) } else { (Background::None, Gap::None) };
                Container { content, accent, border, background, gap }.into()
            }),
            (some(3), some(6), any::<bool>()).prop_map(|(header, content, collapsed)| Collapsible {
                header,
                content,
                collapsed
            }
            .into()),
            prop::collection::vec(some(4), 1..4).prop_map(|columns| Columns { columns }.into()),
        ]
    })
}

/// Every text of a tree.
fn texts(blocks: &[Block], found: &mut Vec<String>) {
    for block in blocks {
        match block {
            Block::Text(text) => found.push(text.text.clone()),
            Block::Facts(facts) => {
                found.extend(facts.items.iter().flat_map(|fact| [fact.title.clone(), fact.text.clone()]));
            }
            Block::Image(image) => {
                found.extend([image.title.clone(), image.alt_text.clone(), image.url.clone()]);
            }
            Block::Divider(_) => {}
            Block::Container(container) => texts(&container.content, found),
            Block::Collapsible(collapsible) => {
                texts(&collapsible.header, found);
                texts(&collapsible.content, found);
            }
            Block::Columns(columns) => columns.columns.iter().for_each(|column| texts(column, found)),
            Block::Actions(actions) => {
                for action in &actions.items {
                    let Action::Button(button) = action else { continue };
                    found.push(button.label.clone());
                }
            }
        }
    }
}

/// All texts of a rendering.
fn strings(value: &Value, found: &mut String) {
    match value {
        Value::String(text) => {
            found.push('\0');
            found.push_str(&text.replace('\u{200b}', ""));
        }
        Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        Value::Object(entries) => entries.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_is_shown_whole_within_the_limits_or_refused_with_the_block(
        blocks in prop::collection::vec(any_block(), 0..6), native in any::<bool>(), old in any::<bool>(),
    ) {
        let message = Message { blocks, ..Message::default() };
        let abilities = ServerAbilities { blocks: native, ..server(if old { OLD } else { NEW }) };
        match rendered(&message, abilities) {
            Ok(Rendered { attachments, blocks, registry }) => {
                prop_assert!(attachments.len() <= limits::ATTACHMENTS);
                prop_assert_eq!(blocks.is_empty(), !native || message.blocks.is_empty());
                let as_attachments = json!(attachments);
                let mut renderings = vec![(as_attachments.clone(), Drawn::of_attachments(&as_attachments))];
                if native {
                    renderings.push((json!(blocks), Drawn::of_blocks(&json!(blocks))));
                }
                let stored = client::stored(&json!({"attachments": as_attachments, "mm_blocks": blocks, "mm_blocks_actions": registry}));
                prop_assert!(stored <= abilities.props + 70, "{stored}");
                for (rendering, drawn) in renderings {
                    prop_assert!(drawn.blocks <= limits::BLOCKS && drawn.text <= limits::BLOCK_TEXT, "{drawn:?}");
                    prop_assert!(drawn.depth <= limits::BLOCK_DEPTH && drawn.nothing_left_out, "{drawn:?}");
                    prop_assert!(!rendering.to_string().contains("@all") && !rendering.to_string().contains("&#64;here"));
                    let (mut found, mut wanted) = (String::new(), Vec::new());
                    strings(&rendering, &mut found);
                    texts(&message.blocks, &mut wanted);
                    for text in wanted {
                        prop_assert!(found.contains(text.trim()), "{text:?} is not in {rendering}");
                    }
                }
            }
            Err(refused) => {
                prop_assert!(!refused.problems.is_empty());
                let tree = serde_json::to_value(&message).unwrap();
                for problem in &refused.problems {
                    prop_assert!(tree.pointer(&problem.pointer).is_some(), "{problem}");
                }
                let sentence = refused.to_string();
                let known = ["at most", "more than", "has room for", "is empty", "not the address of a picture"];
                prop_assert!(known.iter().any(|known| sentence.contains(known)), "{sentence}");
            }
        }
    }
}
