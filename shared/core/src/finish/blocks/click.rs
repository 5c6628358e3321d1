//! Controls as both renderings write them.

use crate::finish::{
    actions::{Click, Control, Controls, Entries, Kind},
    mentions::Mentions,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What a click brings back to the bundle: the seal and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Context {
    #[serde(skip_serializing_if = "String::is_empty")]
    seal: String,
}

impl Context {
    /// The context of a click that was sealed; without a seal it is empty, and no click with it is served.
    pub fn of(click: &Click) -> Self {
        Self { seal: click.seal.clone() }
    }
}

/// An entry of a menu.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MenuOption {
    text: String,
    value: String,
}

/// The entries that the message itself names.
pub fn menu_options(entries: &Entries) -> Vec<MenuOption> {
    let Entries::Options(options) = entries else { return Vec::new() };
    let option = |option: &cloud_apps_protocol::form::SelectOption| {
        let text = if option.label.is_empty() { &option.value } else { &option.label };
        MenuOption { text: text.clone(), value: option.value.clone() }
    };
    options.iter().map(option).collect()
}

/// Where a client finds the entries that the message does not name.
pub fn data_source(entries: &Entries) -> Option<&'static str> {
    match entries {
        Entries::Options(_) => None,
        Entries::Users => Some("users"),
        Entries::Channels => Some("channels"),
    }
}

/// The control as an action of an attachment. `None` for a link, which attachments cannot have.
pub fn attachment_action(control: &Control, controls: &Controls, mentions: Mentions) -> Option<Value> {
    let (kind, click) = match &control.kind {
        Kind::Button(click) => ("button", click),
        Kind::Menu { click, .. } => ("select", click),
        Kind::Open(_) => return None,
    };
    let mut action = Map::new();
    let mut put = |key: &str, value: Value| action.insert(key.to_owned(), value);
    put("id", control.id.as_str().into());
    put("type", kind.into());
    put("name", mentions.shown(&control.label).into());
    put("integration", json!({"url": controls.url(), "context": Context::of(click)}));
    if let Kind::Menu { entries, chosen, .. } = &control.kind {
        match data_source(entries) {
            Some(source) => put("data_source", source.into()),
            None => put("options", json!(menu_options(entries))),
        };
        if let Some(chosen) = chosen {
            put("default_option", chosen.as_str().into());
        }
    }
    if control.style != cloud_apps_protocol::message::Style::Default {
        put("style", json!(control.style));
    }
    if !control.tooltip.is_empty() {
        put("tooltip", mentions.shown(&control.tooltip).into());
    }
    if control.disabled {
        put("disabled", true.into());
    }
    Some(Value::Object(action))
}
