//! The form of a command, with what was given filled in: for what is missing, or where the form is wanted.

use super::AuthenticatedCommand;
use crate::{finish::Draft, not_served};
use cloud_apps_protocol::{
    Answer, FunctionName, Manifest, Values,
    answer::Kind,
    form::{Form, FunctionRef, Subtype},
    line::{Grammar, Invocation},
    manifest::CommandEntry,
};

/// The form, and, where none can be shown, what to add to the line.
pub(super) fn asking(
    manifest: &Manifest,
    entry: &CommandEntry,
    command: &AuthenticatedCommand,
    invocation: Invocation,
) -> Draft {
    let Invocation { preset, values, missing, warnings, .. } = invocation;
    let usage = usage(manifest, command, preset.as_ref().unwrap_or(&entry.function), &missing);
    Draft {
        answer: Answer { kind: Kind::Form { form: filled(entry, &values) }, warnings },
        without_form: Some(usage.into()),
    }
}

/// The question whether a command may run that an action runs. A yes is a form without fields, which is submitted.
pub(super) fn confirming(entry: &CommandEntry, invocation: &Invocation) -> Draft {
    let title = title(&entry.function);
    let form = Form {
        introduction: entry.summary.clone(),
        submit_label: title.clone(),
        fields: Vec::new(),
        ..filled(entry, &invocation.values)
    };
    let text = format!(
        "“{title}” asks before it runs, which this version of the bundle cannot do from a button. Use the command."
    );
    Draft {
        answer: Answer { kind: Kind::Form { form }, warnings: invocation.warnings.clone() },
        without_form: Some(Answer::error(text)),
    }
}

/// The command's fields as a form, whose submission runs the command.
fn filled(entry: &CommandEntry, values: &Values) -> Form {
    let mut fields = entry.fields.clone();
    for field in &mut fields {
        // Nobody is shown a password again, not even who typed it.
        let given = values.get(field.name.as_str()).filter(|_| field.subtype != Some(Subtype::Password));
        if let Some(given) = given {
            field.default = Some(given.clone());
        }
    }
    Form {
        title: title(&entry.function),
        introduction: entry.summary.clone(),
        submit_label: String::new(),
        submit: FunctionRef { function: entry.function.clone() },
        cancel: None,
        state: serde_json::Value::Null,
        fields,
    }
}

/// `Create issue` for `create_issue`.
fn title(function: &FunctionName) -> String {
    let words = function.as_str().replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What to add to the line. `name`: what was typed, the function's name or a preset's.
fn usage(
    manifest: &Manifest,
    command: &AuthenticatedCommand,
    name: &FunctionName,
    missing: &[FunctionName],
) -> Kind {
    let grammar = Grammar {
        manifest,
        presets: &command.sender.install.presets,
        mentioned: &command.request.context.mentioned,
        now: 0,
        time_zone: None,
        site: None,
    };
    let usage = grammar.help(&[name.as_str()]);
    let lead = if missing.is_empty() {
        not_served::FORM_OF_COMMAND
    } else {
        "Something is missing. Add it to the command."
    };
    let fields = missing.iter().map(|name| (name.to_string(), "This is required.".to_owned()));
    Kind::Error { text: format!("{lead}\n\n{}", usage.trim_end()), fields: fields.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_functions_name_in_words() {
        for (function, expected) in [("create_issue", "Create issue"), ("a", "A")] {
            assert_eq!(title(&FunctionName::new(function).unwrap()), expected);
        }
    }
}
