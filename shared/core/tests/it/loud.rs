//! No answer mentions everybody, by Mattermost's own rules.
//!
//! The rules are written down here a second time, as the server has them (its Markdown's inlines, then its words), to be
//! the judge of what the bundle makes quiet.

use crate::stage::{Stage, command_body};
use cloud_app::markdown::escape;
use cloud_apps_core::finish::{
    mentions::Mentions,
    text::{Parts, cut, split, with_note},
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What the server takes for text: the runs in which it looks for words. `joined`: a run goes on after a reference or an
/// escape, which depends on the server's version.
fn runs(markdown: &str, joined: bool) -> Vec<String> {
    let chars: Vec<char> = markdown.chars().collect();
    let mut runs = vec![String::new()];
    let mut at = 0;
    while at < chars.len() {
        if (at == 0 || !chars[at - 1].is_ascii_alphanumeric()) && begins_address(&chars[at..]) {
            runs.push(String::new());
        }
        let (text, taken) = match chars[at] {
            '\n' | '\r' => {
                runs.push(String::new());
                at += 1;
                continue;
            }
            '\\' if chars.get(at + 1).is_some_and(char::is_ascii_punctuation) => {
                (chars[at + 1].to_string(), 2)
            }
            '&' => reference(&chars[at + 1..]).map_or(("&".to_owned(), 1), |(text, n)| (text, n + 2)),
            c => (c.to_string(), 1),
        };
        if taken > 1 && !joined {
            runs.extend([text, String::new()]);
        } else {
            runs.last_mut().unwrap().push_str(&text);
        }
        at += taken;
    }
    runs
}

/// Whether an address begins here: the text before it ends, and this is no part of it.
fn begins_address(chars: &[char]) -> bool {
    let text: String = chars.iter().take(9).collect::<String>().to_lowercase();
    ["http", "https", "ftp", "mailto", "tel"].iter().any(|scheme| text.starts_with(&format!("{scheme}://")))
}

/// The text without what the server loses of it: where a paragraph begins with so many vertical tabs or form feeds, it
/// takes as many bytes from the end of its first line, the line's end included. Here each line may begin a paragraph.
fn shortened(markdown: &str) -> String {
    let odd = |c: char| matches!(c, '\u{b}' | '\u{c}');
    let lines = markdown.split_inclusive('\n').map(|line| {
        let text = line.trim_start_matches([' ', '\t', '>', '-', '*', '+', '.', '1']);
        let lost = text.chars().take_while(|c| odd(*c)).count();
        let kept = line.chars().count() - lost;
        line.chars().take(kept).collect::<String>()
    });
    lines.collect()
}

/// What a character reference stands for, and how long its name is: up to 8 digits, or a name of HTML's table.
fn reference(after: &[char]) -> Option<(String, usize)> {
    let length = after.iter().position(|c| *c == ';')?;
    let name: String = after[..length].iter().collect();
    let number = |digits: &str, radix| {
        let good = (1..=8).contains(&digits.len()) && digits.chars().all(|c| c.is_digit(radix));
        good.then(|| {
            u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string()
        })
    };
    let text = if let Some(code) = name.strip_prefix('#') {
        match code.strip_prefix(['x', 'X']) {
            Some(digits) => number(digits, 16)?,
            None => number(code, 10)?,
        }
    } else {
        let whole = format!("&{name};");
        let known = entities::ENTITIES.iter().find(|entity| entity.entity == whole)?;
        known.characters.to_owned()
    };
    Some((text, length))
}

/// Whether a word is a mention of everybody. Group and user names do not count.
fn is_loud(word: &str) -> bool {
    matches!(word.to_lowercase().as_str(), "@all" | "@channel" | "@here")
}

/// Whether the server finds a mention of everybody in a run of text.
fn notifies(text: &str) -> bool {
    let in_word = |c: char| ":.-_@".contains(c) || c.is_alphabetic() || c.is_numeric();
    text.split(|c| !in_word(c)).filter(|word| !word.is_empty()).any(|word| {
        let word = word.trim_start_matches([':', '.', '-', '_']);
        let mut shorter = word;
        loop {
            if is_loud(shorter) {
                return true;
            }
            match shorter.strip_suffix(['.', '-', ':', '_']) {
                Some(rest) => shorter = rest,
                None => break,
            }
        }
        // Whatever the word begins with: more is taken for loud here than the server does.
        word.split(['.', '-', ':']).any(is_loud)
    })
}

/// Whether a post with this text notifies everybody, on any server.
pub fn loud(markdown: &str) -> bool {
    [markdown.to_owned(), shortened(markdown)].iter().any(|markdown| {
        [true, false].iter().any(|joined| runs(markdown, *joined).iter().any(|run| notifies(run)))
    })
}

/// Texts in which mentions of everybody are likely, however they are written.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "@",
        "@",
        "@",
        "all",
        "All",
        "channel",
        "here",
        "al",
        "l",
        "&#64;",
        "&#x40;",
        "&#X00040;",
        "&commat;",
        "&#108;",
        "&#x61;",
        "&#65;",
        "&#00000064;",
        "&amp;",
        "&",
        "#64;",
        ";",
        "&period;",
        "&#120;",
        "\\",
        "x",
        "son",
        ".",
        "_",
        "-",
        ":",
        " ",
        "\n",
        "\n\n",
        "`",
        "*",
        "(",
        "é",
        "\u{93e}",
        "\u{200b}",
        "4",
        "\u{b}",
        "\u{c}",
        "https://x",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

#[test]
fn the_judge_knows_what_is_loud() {
    for text in [
        "@all",
        "@All!",
        "hi @here.",
        "@channel:",
        "(@all)",
        "\\@all",
        "@al&#108;",
        "&#64;all",
        "&commat;channel",
        "x.@all",
        "@all_",
        "-@here-",
        "&#x40;h&#101;re",
        "*@all*",
        "@al&#108;https://example.com",
        "\u{b}\u{c}\u{b}\u{b}@allies\n",
        "\u{c}@\nall",
    ] {
        assert!(loud(text), "{text}");
    }
    for text in [
        "@allison",
        "a@all",
        "@all_the",
        "&#64all",
        "&amp;#64;all",
        "@\u{200b}all",
        "@ all",
        "@a\nll",
        "all",
        "@allhttps://example.com",
        "@\u{b}allison",
    ] {
        assert!(!loud(text), "{text}");
    }
}

/// All texts of a value, keys included.
fn texts_of(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts_of(value, found)),
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            found.push(key.clone());
            texts_of(value, found);
        }),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn nothing_anywhere_in_an_answer_becomes_a_loud_mention(
        kind in "message|blocks|error|accepted|done", t in prop::collection::vec(texts(), 16),
    ) {
        let answer = json!({
            "type": kind, "text": t[0], "warnings": [t[1], t[2]], "to": "user",
            "fields": {&t[3]: t[4], &t[5]: "x"},
            "attachments": [
                {"fallback": t[6], "color": t[7], "pretext": t[8], "author_name": t[9], "title": t[10], "text": t[11],
                    "footer": t[12], "fields": [{"title": t[13], "value": t[14], &t[15]: 1}], &t[5]: {&t[3]: t[4]}},
                {&t[15]: t[0], "@all": "@all", "&#64;all": 1},
            ],
        });
        let image = json!({"type": "image", "url": "https://x.example/y.png", "alt_text": format!("x{}", t[8]), "title": t[9]});
        let blocks = json!({
            "type": "message", "text": t[0], "warnings": [t[1], t[2]],
            "blocks": [
                {"type": "text", "text": t[3]}, {"type": "text", "text": t[4]}, image, image,
                {"type": "facts", "items": [{"title": t[5], "text": t[6]}]},
                {"type": "collapsible", "header": [{"type": "text", "text": t[7]}], "content": [{"type": "text", "text": t[10]}]},
                {"type": "columns", "columns": [[{"type": "text", "text": t[11]}], [{"type": "container", "content": [image]}]]},
            ],
        });
        let answer = if kind == "blocks" { blocks } else { answer };
        let stage = Stage::new();
        let mut body = command_body("");
        body["command"]["function"] = "say".into();
        body["command"]["encoded"] = json!({ "answer": answer });
        let quoted = answer.to_string().replace('\\', "\\\\").replace('"', "\\\"");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (v2, slash) = runtime.block_on(async {
            (stage.send(stage.v2("/command", &body)).await, stage.type_(&format!("say --answer=\"{quoted}\"")).await)
        });
        prop_assert_eq!(stage.calls().len(), 2, "{:?} {:?}", v2, slash);
        let mut shown = Vec::new();
        texts_of(&v2.body, &mut shown);
        texts_of(&slash.body, &mut shown);
        for text in shown {
            prop_assert!(!loud(&text), "{answer} became {text:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_becomes_a_loud_mention(text in texts(), limit in 40_usize..80) {
        let Parts { parts, .. } = split(&text, limit, 3, Mentions::Quiet);
        for shown in parts.iter().chain([
            &cut(&text, limit, Mentions::Quiet),
            &with_note(&text, "_Invite @jira to post here._", limit + 40, Mentions::Quiet),
            &Mentions::Quiet.shown(&text).into_owned(),
        ]) {
            prop_assert!(!loud(shown), "{text:?} became {shown:?}");
        }
    }

    #[test]
    fn the_same_glyphs_are_seen(text in texts()) {
        let shown = |text: &str| text.replace('\u{200b}', "").replace(['\u{b}', '\u{c}'], " ");
        prop_assert_eq!(shown(&Mentions::Quiet.shown(&text)), shown(&text));
    }

    #[test]
    fn what_is_escaped_mentions_nobody_even_where_the_app_may_notify(text in texts()) {
        let escaped = escape(&text);
        prop_assert!(!loud(&escaped), "{text:?} became {escaped:?}");
    }
}
