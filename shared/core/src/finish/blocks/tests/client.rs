//! What Mattermost's clients do with a post's attachments and blocks, written a second time: as the mobile app does in
//! `block_renderer/translation` (2.43). The web app does the same.

use serde_json::{Value, json};

/// What a client draws.
#[derive(Debug, Default)]
pub struct Drawn {
    pub blocks: usize,
    pub text: usize,
    pub depth: usize,
    /// Whether no block was left out because it is empty.
    pub nothing_left_out: bool,
}

impl Drawn {
    pub fn of_blocks(blocks: &Value) -> Self {
        let mut drawn = Self { nothing_left_out: true, ..Self::default() };
        drawn.list(blocks, 1);
        drawn
    }

    pub fn of_attachments(attachments: &Value) -> Self {
        Self::of_blocks(&as_blocks(attachments))
    }

    fn list(&mut self, blocks: &Value, depth: usize) {
        let blocks = blocks.as_array().unwrap();
        self.nothing_left_out &= !blocks.is_empty() || depth == 1;
        for block in blocks {
            self.blocks += 1;
            self.depth = self.depth.max(depth);
            match block["type"].as_str().unwrap() {
                "text" => {
                    let text = block["text"].as_str().unwrap();
                    self.nothing_left_out &= !text.is_empty();
                    self.text += text.encode_utf16().count();
                }
                "image" => assert!(block["alt_text"].is_string()),
                "divider" => {}
                "button" => self.text += block["text"].as_str().unwrap().encode_utf16().count(),
                "static_select" => assert!(!block["placeholder"].as_str().unwrap().trim().is_empty()),
                "container" => self.list(&block["content"], depth + 1),
                "column" => self.list(&block["items"], depth + 1),
                "column_set" => {
                    let columns = block["columns"].as_array().unwrap();
                    assert!(columns.iter().all(|column| column["type"] == "column"));
                    self.list(&block["columns"], depth + 1);
                }
                "collapsible" => {
                    self.list(&block["header"], depth + 1);
                    self.list(&block["content"], depth + 1);
                }
                unknown => panic!("a client draws no {unknown}"),
            }
        }
    }
}

/// The text at a key, if there is one that is not empty.
fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value[key].as_str().filter(|text| !text.is_empty())
}

fn as_blocks(attachments: &Value) -> Value {
    attachments.as_array().unwrap().iter().filter_map(as_block).collect()
}

fn as_block(attachment: &Value) -> Option<Value> {
    let mut body = Vec::new();
    body.extend(text(attachment, "text").map(|text| json!({"type": "text", "text": text})));
    body.extend(text(attachment, "image_url").map(picture));
    body.extend(attachment["fields"].as_array().and_then(|fields| table(fields)));
    let mut items = Vec::new();
    match text(attachment, "thumb_url") {
        Some(thumb) => {
            if body.is_empty() {
                body.push(json!({"type": "text", "text": "\u{200b}"}));
            }
            items.push(json!({"type": "column_set", "columns": [{"type": "column", "items": body},
                {"type": "column", "items": [picture(thumb)]}]}));
        }
        None => items.append(&mut body),
    }
    if let Some(actions) = attachment["actions"].as_array() {
        let button = |action: &Value| json!({"type": "button", "text": action["name"]});
        items.push(json!({"type": "container", "content": actions.iter().map(button).collect::<Value>()}));
    }
    (!items.is_empty()).then(|| json!({"type": "container", "content": items}))
}

fn picture(url: &str) -> Value {
    json!({"type": "image", "url": url, "alt_text": "Attachment image"})
}

fn table(fields: &[Value]) -> Option<Value> {
    let blocks = |field: &Value| {
        let title =
            text(field, "title").map(|title| json!({"type": "text", "text": format!("**{title}:**")}));
        let value = json!({"type": "text", "text": field["value"]});
        title.into_iter().chain([value]).collect::<Value>()
    };
    let alone = |field: &Value| json!({"type": "container", "content": blocks(field)});
    let mut content = Vec::new();
    let mut pending: Option<&Value> = None;
    for field in fields.iter().filter(|field| text(field, "value").is_some()) {
        if field["short"] != true {
            content.extend(pending.take().map(alone));
            content.push(alone(field));
            continue;
        }
        match pending.take() {
            Some(left) => content.push(json!({"type": "column_set", "columns": [
                {"type": "column", "items": blocks(left)}, {"type": "column", "items": blocks(field)}]})),
            None => pending = Some(field),
        }
    }
    content.extend(pending.map(alone));
    (!content.is_empty()).then(|| json!({"type": "container", "content": content}))
}

/// Characters of a post's props as a server writes them.
pub fn stored(props: &Value) -> usize {
    let mut props = props.clone();
    for attachment in props["attachments"].as_array_mut().unwrap() {
        for key in [
            "fallback",
            "color",
            "pretext",
            "author_name",
            "author_link",
            "author_icon",
            "title",
            "title_link",
            "text",
            "image_url",
            "thumb_url",
            "footer",
            "footer_icon",
        ] {
            if attachment[key].is_null() {
                attachment[key] = "".into();
            }
        }
        attachment["id"] = 0.into();
        attachment["ts"] = Value::Null;
        for action in attachment["actions"].as_array_mut().into_iter().flatten() {
            for key in ["style", "tooltip", "data_source", "default_option", "cookie"] {
                if action[key].is_null() {
                    action[key] = "".into();
                }
            }
            if action["disabled"].is_null() {
                action["disabled"] = false.into();
            }
        }
        if attachment["fields"].is_null() {
            attachment["fields"] = Value::Null;
        }
    }
    let escaped = |c: char| if matches!(c, '<' | '>' | '&') { 6 } else { 1 };
    props.to_string().chars().map(escaped).sum()
}
