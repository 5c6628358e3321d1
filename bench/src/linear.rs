//! Texts from strangers and apps must take time in proportion to their length. Each kind of text is read with a length
//! and with four times that length, in one run. Four times the time is linear; sixteen times would be quadratic.

use bench::sample::best_us;
use cloud_apps_core::finish::{mentions::Mentions, text};
use cloud_apps_protocol::{
    CommandRequest, Field, FieldType, Manifest,
    command::Mentioned,
    form::SelectOption,
    json,
    line::{Grammar, MAX_LINE},
    values::check_value,
};
use serde_json::{Map, Value, json};
use std::hint::black_box;

/// How often each is run; the best run counts.
const RUNS: usize = 30;

/// A kind of text: its name, and a function that reads a text of this length.
type Case = (&'static str, Box<dyn Fn(usize)>);

/// For each kind of text, the times in µs for a length and for four times that length, and their ratio.
pub fn measure() -> Result<Value, String> {
    let mut report = Map::new();
    for (name, read) in cases()? {
        // Both lengths run in turn, so that they have the same load.
        let (mut short, mut long) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..RUNS {
            short = short.min(best_us(1, || read(MAX_LINE / 4)));
            long = long.min(best_us(1, || read(MAX_LINE)));
        }
        report.insert(name.to_owned(), json!({ "n_us": short, "4n_us": long, "ratio": long / short }));
    }
    Ok(Value::Object(report))
}

/// The names of all kinds of texts, for the limits.
pub const NAMES: [&str; 14] = [
    "a line of quotes",
    "a line of words with a dash",
    "a line of flags",
    "a line of words",
    "a line of one word",
    "doubled keys",
    "unknown keys",
    "a long key above many",
    "problems in lists",
    "mentions",
    "references",
    "items of a list",
    "items with a pattern",
    "a key in the wrong place",
];

fn cases() -> Result<Vec<Case>, String> {
    let manifest = manifest()?;
    let mut cases: Vec<Case> = Vec::new();
    for (name, piece) in NAMES.into_iter().zip(["\"'a’ \"", "-zz ", "--label=a ", "creat issue ", "x"]) {
        let manifest = manifest.clone();
        cases
            .push((name, Box::new(move |n| line(&manifest, &format!("/xx say {}", repeated(piece, n - 9))))));
    }
    let manifests: [fn(usize) -> String; 4] = [
        |n| format!("{{{}\"x\":1}}", repeated("\"x\":1,", n)),
        |n| {
            let keys = (0..n / 12).map(|i| format!("\"key{i:05}\":1,"));
            format!("{{{}\"x\":1}}", keys.collect::<String>())
        },
        |n| {
            let children = (0..n / 12).map(|i| format!("\"key{i:05}\":1,"));
            let children: String = children.collect();
            format!("{{\"translations\":{{\"{}\":{{{children}\"x\":1}}}}}}", repeated("k", n))
        },
        |n| {
            let rights = repeated("{\"function\":\"x\",\"locations\":[\"main_mneu\"]},", n);
            format!("{{\"commands\":[{rights}{{\"function\":\"x\"}}]}}")
        },
    ];
    for (name, text) in NAMES.into_iter().skip(5).zip(manifests) {
        cases.push((
            name,
            Box::new(move |n| {
                black_box(Manifest::parse(&text(n)).is_ok());
            }),
        ));
    }
    for (name, piece) in NAMES.into_iter().skip(9).zip(["@all @allison ", "@al&#108; &amp"]) {
        cases.push((
            name,
            Box::new(move |n| {
                black_box(text::split(&repeated(piece, n), 1_000, usize::MAX, Mentions::Quiet));
            }),
        ));
    }
    cases.extend(lists()?);
    let [.., key] = NAMES;
    cases.push((
        key,
        Box::new(|n| {
            let text = format!("{{\"command\":{{\"{}\":1,\"raw\":7}}}}", repeated("k", n));
            black_box(json::read::<CommandRequest>(text.as_bytes()).is_ok());
        }),
    ));
    Ok(cases)
}

/// Values of fields that take several values.
fn lists() -> Result<[Case; 2], String> {
    let name = "label".parse().map_err(|_| "no name")?;
    let option = |i: usize| SelectOption {
        value: format!("option{i}"),
        label: format!("Option {i}"),
        description: String::new(),
    };
    let select = Field {
        multiple: true,
        options: (0..200).map(option).collect(),
        ..Field::new(name, FieldType::Select)
    };
    let pattern = Field {
        r#type: FieldType::Text,
        options: Vec::new(),
        pattern: Some("(?:[a-z]{1,20} ?){1,40}".to_owned()),
        ..select.clone()
    };
    let [.., options, patterns, _] = NAMES;
    Ok([
        (
            options,
            Box::new(move |n| {
                let items = vec![Value::from("OPTION199"); n / 17];
                black_box(check_value(&select, &items.into()).is_ok());
            }),
        ),
        (
            patterns,
            Box::new(move |n| {
                let items = vec![Value::from("word ".repeat(5)); n / 170];
                black_box(check_value(&pattern, &items.into()).is_ok());
            }),
        ),
    ])
}

fn repeated(piece: &str, length: usize) -> String {
    piece.repeat(length / piece.len())
}

fn line(manifest: &Manifest, line: &str) {
    let mentioned = Mentioned::default();
    let grammar =
        Grammar { manifest, presets: &[], mentioned: &mentioned, now: 0, time_zone: None, site: None };
    black_box(grammar.line(line).is_ok());
}

fn manifest() -> Result<Manifest, String> {
    let fields = json!([
        {"name": "label", "type": "text", "multiple": true},
        {"name": "project", "type": "text", "positional": true, "multiple": true},
    ]);
    let text = json!({
        "protocol": 2, "id": "xx", "version": "1.0.0", "display_name": "X", "namespace": "xx",
        "commands": [{"function": "say", "fields": fields}, {"function": "create_issue"}],
    });
    Manifest::parse(&text.to_string()).map_err(|problems| format!("the bench's own manifest: {problems:?}"))
}
