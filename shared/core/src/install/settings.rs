//! The settings of an install: how they are read from a request, and which are shown.

use super::problems::Reader;
use cloud_apps_protocol::{
    Manifest, Values,
    form::{Field, FieldType, Subtype},
    limits,
    values::check_value,
};
use serde_json::Value;

/// Reads `/settings` of a request's body: each value in its standard form, and defaults for settings that were left out.
pub(crate) fn read(reader: &mut Reader<'_>, manifest: &Manifest) -> Values {
    let empty = Values::new();
    let given = match reader.at("/settings") {
        None => &empty,
        Some(Value::Object(given)) => given,
        Some(_) => {
            reader.problem("/settings", "is not an object");
            &empty
        }
    };
    if serde_json::to_vec(given).is_ok_and(|json| json.len() > limits::SETTINGS) {
        reader.problem(
            "/settings",
            format!("has more than the {} bytes that settings may have", limits::SETTINGS),
        );
        return empty;
    }
    let fields = || manifest.settings.iter().filter(|field| field.r#type != FieldType::Markdown);
    for name in given.keys().filter(|name| !fields().any(|field| field.name.as_str() == name.as_str())) {
        let known: Vec<&str> = fields().map(|field| field.name.as_str()).collect();
        let known = if known.is_empty() { "it has none".to_owned() } else { known.join(", ") };
        let message = format!("is no setting of {}: {known}", manifest.id);
        reader.problem(pointer_to(name), message);
    }
    let mut settings = Values::new();
    for field in fields() {
        let name = field.name.as_str();
        match given.get(name).filter(|value| !value.is_null()) {
            Some(value) => match check_value(field, value) {
                Ok(value) => {
                    settings.insert(name.to_owned(), value);
                }
                Err(message) => reader.problem(pointer_to(name), without_password(field, message)),
            },
            None => match &field.default {
                Some(default) => {
                    settings.insert(name.to_owned(), default.clone());
                }
                None if field.required => reader.problem(pointer_to(name), "is required"),
                None => {}
            },
        }
    }
    settings
}

fn pointer_to(setting: &str) -> String {
    let setting: String = setting.chars().take(64).collect();
    format!("/settings/{}", setting.replace('~', "~0").replace('/', "~1"))
}

/// The message of a check may repeat the value, so a password's message is replaced.
fn without_password(field: &Field, message: String) -> String {
    if field.subtype == Some(Subtype::Password) {
        "is not what this setting takes (it is a password, so it is not shown)".to_owned()
    } else {
        message
    }
}

/// The settings that may be shown: those that the manifest has and that are not passwords. A setting that the manifest no
/// longer has may have been a password.
pub fn shown(manifest: &Manifest, settings: &Values) -> Values {
    let open = |name: &str| {
        let field = manifest.settings.iter().find(|field| field.name.as_str() == name);
        field.is_some_and(|field| field.subtype != Some(Subtype::Password))
    };
    settings
        .iter()
        .filter(|(name, _)| open(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
