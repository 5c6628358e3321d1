//! Looks an action up in the manifest: its function, its field, its values.

use super::{Click, Control, Entries, Kind};
use crate::finish::address::is_link;
use cloud_apps_protocol::{
    Field, FieldType, FunctionName, Manifest, Values,
    manifest::{CommandEntry, Preset},
    message::{Action, Button, Checkbox, Problem, Select, Style},
    values::check_value,
};
use serde_json::Value;

/// What an install offers: the app's functions and presets, and its admin's presets.
#[derive(Clone, Copy)]
pub struct Offer<'a> {
    /// The app's manifest, as the install's admin agreed to it.
    pub manifest: &'a Manifest,
    /// The admin's presets.
    pub presets: &'a [Preset],
}

type Found<T> = Result<T, Vec<Problem>>;

fn problem<T>(pointer: String, message: String) -> Found<T> {
    Err(vec![Problem::new(pointer, message)])
}

impl<'a> Offer<'a> {
    /// The control of an action, without its id.
    pub fn control(&self, action: &Action, at: &str) -> Found<Control> {
        match action {
            Action::Button(button) => self.button(button, at),
            Action::Select(select) => self.select(select, at),
            Action::Checkbox(checkbox) => self.checkbox(checkbox, at),
        }
    }

    /// The control of a command inside a text.
    pub fn link(&self, label: &str, function: &str, query: &str, at: &str) -> Found<Control> {
        let Ok(function) = FunctionName::new(function) else {
            return problem(at.to_owned(), format!("The link “{label}” names no function."));
        };
        let pairs = form_urlencoded::parse(query.as_bytes());
        let values =
            pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect();
        let entry = self.entry(&function, at)?;
        let values = checked(entry, &values, at)?;
        let kind = Kind::Button(Click { values, ..Click::of(function) });
        Ok(Control { label: label.to_owned(), ..Control::of(kind) })
    }

    fn button(&self, button: &Button, at: &str) -> Found<Control> {
        let Button { label, style, tooltip, disabled, state, once, expires_in, .. } = button;
        let (label, kind) = if let Some(url) = &button.url {
            if !is_link(url) {
                let message = "This is no address that may be opened. Write https://…, or a path on the Mattermost server.";
                return problem(format!("{at}/url"), message.to_owned());
            }
            (label, Kind::Open(url.clone()))
        } else {
            let (label, function, values) = if let Some(name) = &button.preset {
                let preset = self.preset(name, &format!("{at}/preset"))?;
                let label = if label.is_empty() { &preset.label } else { label };
                (label, preset.function.clone(), preset.values.clone())
            } else {
                // `Message::problems` has told of a button that does nothing.
                let Some(function) = &button.function else { return Err(Vec::new()) };
                let entry = self.entry(function, &format!("{at}/function"))?;
                (label, function.clone(), checked(entry, &button.values, &format!("{at}/values"))?)
            };
            let click = Click {
                values,
                state: state.clone(),
                once: *once,
                expires_in: *expires_in,
                ..Click::of(function)
            };
            (label, Kind::Button(click))
        };
        Ok(Control {
            label: label.clone(),
            style: *style,
            tooltip: tooltip.clone(),
            disabled: *disabled,
            ..Control::of(kind)
        })
    }

    fn select(&self, select: &Select, at: &str) -> Found<Control> {
        let Select { label, field, function, values, disabled, state, once, expires_in } = select;
        let entry = self.entry(function, &format!("{at}/function"))?;
        let field = of_entry(entry, field, &format!("{at}/field"))?;
        let mut values = checked(entry, values, &format!("{at}/values"))?;
        let label = named(label, field);
        let click = Click {
            state: state.clone(),
            once: *once,
            expires_in: *expires_in,
            ..Click::of(function.clone())
        };
        let entries = match field.r#type {
            FieldType::Select if field.lookup || field.multiple => None,
            FieldType::Select => Some(Entries::Options(field.options.clone())),
            FieldType::User if !field.multiple => Some(Entries::Users),
            FieldType::Channel if !field.multiple => Some(Entries::Channels),
            FieldType::User | FieldType::Channel => None,
            _ => {
                let message = "A menu needs a field of type select, user or channel.";
                return problem(format!("{at}/field"), message.to_owned());
            }
        };
        let kind = match entries {
            Some(entries) => {
                let chosen = values.remove(field.name.as_str());
                let chosen = chosen.and_then(|value| value.as_str().map(str::to_owned));
                let click = Click { values, field: Some(field.name.clone()), ..click };
                Kind::Menu { entries, chosen, click }
            }
            // No menu in a post asks the app for its entries, or takes several.
            None => Kind::Button(Click { values, opens_form: true, ..click }),
        };
        Ok(Control { label, disabled: *disabled, ..Control::of(kind) })
    }

    fn checkbox(&self, checkbox: &Checkbox, at: &str) -> Found<Control> {
        let Checkbox { label, field, value, function, values, tooltip, disabled, state, once, expires_in } =
            checkbox;
        let entry = self.entry(function, &format!("{at}/function"))?;
        let field = of_entry(entry, field, &format!("{at}/field"))?;
        if field.r#type != FieldType::Bool {
            return problem(format!("{at}/field"), "A checkbox needs a field of type bool.".to_owned());
        }
        let mut values = checked(entry, values, &format!("{at}/values"))?;
        values.insert(field.name.to_string(), Value::Bool(!value));
        let mark = if *value { '☑' } else { '☐' };
        let click = Click {
            values,
            state: state.clone(),
            once: *once,
            expires_in: *expires_in,
            ..Click::of(function.clone())
        };
        Ok(Control {
            label: format!("{mark} {}", named(label, field)),
            tooltip: tooltip.clone(),
            disabled: *disabled,
            ..Control::of(Kind::Button(click))
        })
    }

    fn entry(&self, function: &FunctionName, at: &str) -> Found<&'a CommandEntry> {
        match self.manifest.command(function.as_str()) {
            Some(entry) => Ok(entry),
            None => problem(at.to_owned(), format!("The app has no command {function}.")),
        }
    }

    fn preset(&self, name: &FunctionName, at: &str) -> Found<&'a Preset> {
        // An admin's preset has no name of the app's.
        let mut presets = self.manifest.presets.iter().chain(self.presets);
        match presets.find(|preset| preset.name == *name) {
            Some(preset) => Ok(preset),
            None => problem(at.to_owned(), format!("There is no preset {name}.")),
        }
    }
}

fn of_entry<'e>(entry: &'e CommandEntry, name: &FunctionName, at: &str) -> Found<&'e Field> {
    match entry.fields.iter().find(|field| field.name == *name) {
        Some(field) => Ok(field),
        None => problem(at.to_owned(), format!("{} has no field {name}.", entry.function)),
    }
}

fn named(label: &str, field: &Field) -> String {
    match (label.trim(), field.label.trim()) {
        ("", "") => field.name.as_str().replace('_', " "),
        ("", label) | (label, _) => label.to_owned(),
    }
}

/// The values as a function gets them; every one that is not its field's is a problem.
fn checked(entry: &CommandEntry, values: &Values, at: &str) -> Found<Values> {
    let mut problems = Vec::new();
    let mut checked = Values::new();
    for (name, value) in values {
        let at = format!("{at}/{}", cloud_apps_protocol::json::segment(name));
        let Some(field) = entry.fields.iter().find(|field| field.name.as_str() == name) else {
            problems.push(Problem::new(at, format!("{} has no such field.", entry.function)));
            continue;
        };
        match check_value(field, value) {
            Ok(value) => {
                checked.insert(name.clone(), value);
            }
            Err(why) if why.starts_with('"') => problems.push(Problem::new(at, format!("{why}."))),
            Err(why) => problems.push(Problem::new(at, format!("This {why}."))),
        }
    }
    if problems.is_empty() { Ok(checked) } else { Err(problems) }
}

impl Click {
    fn of(function: FunctionName) -> Self {
        Self {
            function,
            values: Values::new(),
            state: Value::Null,
            field: None,
            opens_form: false,
            once: false,
            once_id: None,
            expires_in: None,
            seal: String::new(),
        }
    }
}

impl Control {
    fn of(kind: Kind) -> Self {
        Self {
            id: String::new(),
            label: String::new(),
            style: Style::Default,
            tooltip: String::new(),
            disabled: false,
            kind,
        }
    }
}
