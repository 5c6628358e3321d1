//! Help, made from the manifest, in Mattermost's Markdown.

use super::{Grammar, Target, bind::expects, code, find::flag, find::spoken, print::quoted};
use crate::{Field, FieldType, form::Subtype};
use std::fmt::Write;

impl Grammar<'_> {
    /// What the app is, and its commands.
    pub(super) fn help_of_app(&self) -> String {
        let mut help = format!("#### {}\n", self.manifest.display_name);
        if !self.manifest.description.is_empty() {
            let _ = writeln!(help, "{}", self.manifest.description);
        }
        help.push('\n');
        for command in &self.manifest.commands {
            self.list(&mut help, command.function.as_str(), &command.summary);
        }
        for preset in self.presets() {
            self.list(&mut help, preset.name.as_str(), &preset.label);
        }
        if self.manifest.commands.is_empty() {
            help.push_str("It has no commands.\n");
        } else {
            let _ = write!(help, "\n`/{} help <command>` explains one of them.", self.manifest.namespace());
        }
        help
    }

    /// The commands whose names begin with these words.
    pub(super) fn help_below(&self, stem: &str) -> String {
        let mut help = format!("`/{} {}` goes on:\n\n", self.manifest.namespace(), spoken(stem));
        let prefix = format!("{stem}_");
        for command in self.manifest.commands.iter().filter(|c| c.function.as_str().starts_with(&prefix)) {
            self.list(&mut help, command.function.as_str(), &command.summary);
        }
        for preset in self.presets().filter(|p| p.name.as_str().starts_with(&prefix)) {
            self.list(&mut help, preset.name.as_str(), &preset.label);
        }
        help
    }

    fn list(&self, help: &mut String, name: &str, summary: &str) {
        let line = format!("/{} {}", self.manifest.namespace(), spoken(name));
        let dash = if summary.is_empty() { "" } else { " – " };
        let _ = writeln!(help, "- {}{dash}{summary}", code(&line));
    }

    /// One command: how it is typed, and what each field takes.
    pub(super) fn help_of(&self, target: Target<'_>) -> String {
        let command = target.command;
        let name = target.preset.map_or(command.function.as_str(), |p| p.name.as_str());
        let mut help = format!("#### /{} {}\n", self.manifest.namespace(), spoken(name));
        let summary = target.preset.map_or(&command.summary, |p| &p.label);
        for text in [summary, &command.description] {
            if !text.is_empty() {
                let _ = writeln!(help, "{text}\n");
            }
        }
        if let Some(preset) = target.preset {
            let function = format!("/{} {}", self.manifest.namespace(), spoken(preset.function.as_str()));
            let _ = writeln!(help, "Short for {} with other values filled in.\n", code(&function));
        }
        let fields: Vec<&Field> = command.fields.iter().filter(|f| f.r#type != FieldType::Markdown).collect();
        let filled = |field: &Field| {
            let preset = target.preset.and_then(|p| p.values.get(field.name.as_str()));
            preset.or(field.default.as_ref()).filter(|value| !value.is_null()).cloned()
        };
        let mut usage = format!("/{} {}", self.manifest.namespace(), spoken(name));
        let mut example = usage.clone();
        for field in &fields {
            let open = field.required && filled(field).is_none();
            let _ = write!(usage, " {}", shape(field, open));
            if open {
                let value = quoted(&sample(field));
                let name = if field.positional { String::new() } else { format!("{}=", flag(field)) };
                let _ = write!(example, " {name}{value}");
            }
        }
        let _ = writeln!(help, "Usage: {}", code(&usage));
        if fields.iter().any(|f| f.required && filled(f).is_none()) {
            let _ = writeln!(help, "Example: {}", code(&example));
        }
        if !fields.is_empty() {
            help.push_str("\n| field | takes | |\n|---|---|---|\n");
        }
        for field in &fields {
            let default = filled(field);
            let mut about =
                String::from(if field.required && default.is_none() { "**Required.** " } else { "" });
            about.push_str(&cell(if field.description.is_empty() {
                &field.label
            } else {
                &field.description
            }));
            for option in field.options.iter().filter(|o| !o.description.is_empty()) {
                let _ = write!(about, " {}: {}", cell(&code(&option.value)), cell(&option.description));
            }
            // A default of a password is not shown.
            if let Some(default) = default.filter(|_| field.subtype != Some(Subtype::Password)) {
                let text = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
                let _ = write!(about, " Default: {}.", cell(&code(&text)));
            }
            let _ =
                writeln!(help, "| {} | {} | {} |", code(&flag(field)), cell(&expects(field)), about.trim());
        }
        help
    }
}

/// A text inside a table, where a bar would end the cell and a line break the row.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// An example of a field's value, from the manifest.
fn sample(field: &Field) -> String {
    let default = match field.r#type {
        FieldType::Text => match field.subtype {
            Some(Subtype::Email) => "alice@example.com",
            Some(Subtype::Url) => "https://example.com",
            _ => "some text",
        },
        FieldType::Number => match field.min.as_ref().or(field.max.as_ref()) {
            Some(limit) => return limit.to_string(),
            None => "1",
        },
        FieldType::Bool => "yes",
        FieldType::Select => field.options.first().map_or("…", |option| option.value.as_str()),
        FieldType::User => "@alice",
        FieldType::Channel => "~town-square",
        FieldType::Date => "today",
        FieldType::Datetime => "tomorrow 9:00",
        FieldType::Json => "{}",
        FieldType::Post | FieldType::Team | FieldType::File | FieldType::Markdown => "…",
    };
    if field.hint.is_empty() { default.to_owned() } else { field.hint.clone() }
}

/// A field in the usage line. What may be left out is in brackets.
fn shape(field: &Field, required: bool) -> String {
    let name = field.name.as_str().replace('_', "-");
    let dots = if field.multiple { " …" } else { "" };
    let shape = match (field.positional, field.r#type) {
        (true, FieldType::User) => format!("@{name}"),
        (true, FieldType::Channel) => format!("~{name}"),
        (true, _) => format!("<{name}>"),
        (false, FieldType::Bool) => format!("--{name}"),
        (false, _) => {
            let value = if field.hint.is_empty() { "…" } else { &field.hint };
            format!("--{name}={value}")
        }
    };
    if required { format!("{shape}{dots}") } else { format!("[{shape}{dots}]") }
}
