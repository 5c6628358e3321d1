//! The command line of chat (section 9): from a typed line to a function and its values, and help.
//!
//! `/namespace function [positional …] [--flag=value | --flag value | --bool | --no-bool]`. A line is read in three
//! steps: [`lexer`] makes words with their places, [`find`] takes the longest run of words that names a function or a
//! preset, [`bind`] gives the other words to the command's fields. Errors name the place, what was found, what was
//! expected, and the nearest word; every one ends with where help is.

mod bind;
mod dates;
mod explain;
mod fault;
mod find;
mod help;
mod lexer;
mod print;
#[cfg(test)]
mod tests;
mod typed;

use crate::{
    FunctionName, Manifest, SiteUrl, Values,
    command::Mentioned,
    manifest::{CommandEntry, Preset},
    values::Checker,
};
use explain::{code, sentence};
use fault::{Fault, cut};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use typed::Written;

/// The longest line that is read, in characters: as long as a message may be.
pub const MAX_LINE: usize = 16_383;

/// The longest name, in characters.
const MAX_NAME: usize = 64;
/// How many names one message lists.
const MAX_NAMED: usize = 10;

/// What a line asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// Run this function with these values.
    Run(Invocation),
    /// Show this help (Markdown).
    Help(String),
}

/// A function and what it was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// The function.
    pub function: FunctionName,
    /// Checked against the command's fields.
    pub values: Values,
    /// Required fields that were not given, in their order: the command's form is to be opened.
    pub missing: Vec<FunctionName>,
    /// `--form`: the form is wanted even if nothing is missing.
    pub form: bool,
    /// What was left out and why (names in `encoded` that the command does not have).
    pub warnings: Vec<String>,
}

/// A line that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LineError {
    /// In characters from 0, into the raw line.
    pub position: usize,
    /// The word at that place; may be empty.
    pub found: String,
    /// What could stand there.
    pub expected: String,
    /// For people, Markdown: all of the above, the nearest word, where help is.
    pub message: String,
    /// Whether no function was recognised: `unknown_function` instead of `bad_command_line`.
    pub unknown_function: bool,
    /// Messages that belong to fields, for forms and `encoded`.
    pub fields: BTreeMap<String, String>,
}

/// What a line is read against.
pub struct Grammar<'a> {
    /// The app.
    pub manifest: &'a Manifest,
    /// Presets of the install; the manifest's own are added.
    pub presets: &'a [Preset],
    /// Whom and what the server resolved.
    pub mentioned: &'a Mentioned,
    /// Unix milliseconds, for relative dates.
    pub now: crate::Millis,
    /// The user's IANA time zone; UTC where unknown.
    pub time_zone: Option<&'a str>,
    /// The server whose permalinks name its posts; where it is not known, any server's are read.
    pub site: Option<&'a SiteUrl>,
}

/// What a name stands for: a command, with the values of the preset that named it.
#[derive(Clone, Copy)]
struct Target<'g> {
    command: &'g CommandEntry,
    preset: Option<&'g Preset>,
}

impl<'a> Grammar<'a> {
    /// Reads a whole line, `/jira create issue --project=MM`, with or without the leading `/namespace`.
    pub fn line(&self, raw: &str) -> Result<Line, LineError> {
        let words = lexer::words(raw).map_err(|e| self.explain(e, None))?;
        let mut words = words.as_slice();
        if let Some((first, rest)) = words.split_first()
            && let Some(namespace) = first.plain().and_then(|text| text.strip_prefix('/'))
        {
            if !namespace.eq_ignore_ascii_case(self.manifest.namespace()) {
                let expected = format!("`/{}`", self.manifest.namespace());
                let fault = Fault::new(first.start, &first.text, expected, "is another app's command");
                return Err(self.explain(fault, None));
            }
            words = rest;
        }
        if let Some(help) = self.asked_for_help(words) {
            return Ok(Line::Help(help));
        }
        let Some((target, rest)) = find::longest(self, words) else {
            let stem = find::joined(words);
            // `/jira create` with `create_issue` and `create_epic`: say how it may go on.
            if self.goes_on(&stem) && (find::bare(words).count() == words.len() || asks_for_help(words)) {
                return Ok(Line::Help(self.help_below(&stem)));
            }
            return Err(self.unknown(words));
        };
        self.bind(target, rest)
    }

    /// Reads `rest` as the arguments of a function that is known already.
    pub fn arguments(&self, function: &str, rest: &str) -> Result<Line, LineError> {
        let words = lexer::words(rest).map_err(|e| self.explain(e, None))?;
        let name = crate::command::function_name(function).map_err(|_| self.no_function(function))?;
        let target = self.target(name.as_str()).ok_or_else(|| self.no_function(function))?;
        self.bind(target, &words)
    }

    /// Checks values that came encoded, from a form or an action. `function` may be a preset.
    pub fn encoded(&self, function: &str, values: &Values) -> Result<Invocation, LineError> {
        let name = crate::command::function_name(function).map_err(|_| self.no_function(function))?;
        let target = self.target(name.as_str()).ok_or_else(|| self.no_function(function))?;
        let command = target.command;
        let field = |name: &str| {
            command.fields.iter().find(|f| f.name.as_str() == name && f.r#type != crate::FieldType::Markdown)
        };
        let mut checker = Checker::default();
        let mut given = Values::new();
        let mut dropped = Vec::new();
        let mut fields = BTreeMap::new();
        for (name, value) in values {
            // Dialogs of 5.37 send `null` for what was left empty, later ones nothing.
            match field(name).map(|field| self.meaning(&mut checker, field, value, Written::Encoded)) {
                _ if value.is_null() => {}
                None => dropped.push(code(&cut(name))),
                Some(Ok(value)) => drop(given.insert(name.clone(), value)),
                Some(Err(why)) => drop(fields.insert(name.clone(), why)),
            }
        }
        if !fields.is_empty() {
            let list: Vec<String> =
                fields.iter().map(|(name, why)| format!("{}: {}", code(name), sentence(why))).collect();
            return Err(LineError {
                position: 0,
                found: String::new(),
                expected: "values that fit their fields".to_owned(),
                message: format!("{} {}", list.join(" "), self.see_help(Some(command))),
                unknown_function: false,
                fields,
            });
        }
        let mut warnings = Vec::new();
        if !dropped.is_empty() {
            let more = dropped.len().saturating_sub(MAX_NAMED);
            dropped.truncate(MAX_NAMED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let command = code(&find::spoken(command.function.as_str()));
            warnings
                .push(format!("Left out, for {command} has no such fields: {}{more}.", dropped.join(", ")));
        }
        Ok(self.invocation(target, given, false, warnings))
    }

    /// Help for the app, or for what `words` name.
    pub fn help(&self, words: &[&str]) -> String {
        let words: Vec<&str> =
            words.iter().flat_map(|word| word.split_whitespace()).take(find::MAX_WORDS).collect();
        let stem = find::normal(&words.join("_"));
        if let Some(target) = self.target(&stem) {
            return self.help_of(target);
        }
        if self.goes_on(&stem) {
            return self.help_below(&stem);
        }
        if stem.is_empty() {
            return self.help_of_app();
        }
        let near = self.nearest(&stem).map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
        format!("{} is no command.{near}\n\n{}", code(&cut(&words.join(" "))), self.help_of_app())
    }

    /// Whether some name begins with these words and has more of them.
    fn goes_on(&self, stem: &str) -> bool {
        !stem.is_empty() && self.names().any(|name| next_word(name, stem).is_some())
    }

    /// The nearest name, as it is typed. It may have fewer words than what was.
    fn nearest(&self, stem: &str) -> Option<String> {
        let stem: String = stem.chars().take(MAX_NAME).collect();
        let mut stems = find::stems(&stem).take(MAX_NAMED);
        let near = stems.find_map(|stem| crate::values::nearest(stem, self.names()))?;
        Some(format!("/{} {}", self.manifest.namespace(), find::spoken(near)))
    }

    /// Every preset: the install's own first, because they win over the manifest's of the same name.
    fn all_presets(&self) -> impl Iterator<Item = &'a Preset> {
        self.presets.iter().chain(&self.manifest.presets)
    }

    /// The presets that can be called, each name once.
    fn presets(&self) -> impl Iterator<Item = &'a Preset> {
        let mut seen = BTreeSet::new();
        self.all_presets().filter(move |preset| {
            let (name, function) = (preset.name.as_str(), preset.function.as_str());
            let reached = self.manifest.command(name).is_none() && self.manifest.command(function).is_some();
            reached && seen.insert(name)
        })
    }

    /// Every name that can be called.
    fn names(&self) -> impl Iterator<Item = &'a str> {
        let functions = self.manifest.commands.iter().map(|c| c.function.as_str());
        functions.chain(self.presets().map(|p| p.name.as_str()))
    }

    fn target(&self, name: &str) -> Option<Target<'a>> {
        if let Some(command) = self.manifest.command(name) {
            return Some(Target { command, preset: None });
        }
        self.all_presets().filter(|preset| preset.name.as_str() == name).find_map(|preset| {
            Some(Target { command: self.manifest.command(preset.function.as_str())?, preset: Some(preset) })
        })
    }

    /// `help` first, or alone: nothing else on the line counts.
    fn asked_for_help(&self, words: &[lexer::Word]) -> Option<String> {
        let bare: Vec<&str> = find::bare(words).collect();
        match bare.split_first() {
            None if words.is_empty() || asks_for_help(words) => Some(self.help_of_app()),
            Some((first, rest)) if first.eq_ignore_ascii_case("help") && self.target("help").is_none() => {
                Some(self.help(rest))
            }
            _ => None,
        }
    }

    /// Fills in what was not given: the preset's values, then the defaults. What is still missing is named.
    /// `null` in `given` clears a field, which then is not filled.
    fn invocation(
        &self,
        target: Target<'_>,
        mut given: Values,
        form: bool,
        mut warnings: Vec<String>,
    ) -> Invocation {
        let mut checker = Checker::default();
        let mut values = Values::new();
        let mut missing = Vec::new();
        for field in &target.command.fields {
            let name = field.name.as_str();
            let value = given.remove(name).unwrap_or_else(|| {
                let preset = target.preset.and_then(|p| p.values.get(name));
                let Some(value) = preset.or(field.default.as_ref()) else { return Value::Null };
                self.meaning(&mut checker, field, value, Written::Encoded).unwrap_or_else(|why| {
                    // Of a manifest or preset that is older than what it is read against.
                    let whose = if preset.is_some() { "preset's value" } else { "default" };
                    warnings.push(format!("The {whose} of {} was left out: {}", code(name), sentence(&why)));
                    Value::Null
                })
            });
            if !value.is_null() {
                values.insert(name.to_owned(), value);
            } else if field.required {
                missing.push(field.name.clone());
            }
        }
        Invocation { function: target.command.function.clone(), values, missing, form, warnings }
    }
}

/// Whether `--help` stands among the flags.
fn asks_for_help(words: &[lexer::Word]) -> bool {
    let mut flags = words.iter().map_while(|word| (word.plain() != Some("--")).then(|| word.flag()));
    flags.any(|flag| flag.is_some_and(|flag| flag.eq_ignore_ascii_case("help")))
}

/// The word by which a name goes on after `stem`: `issue` for `create_issue` after `create`.
fn next_word<'n>(name: &'n str, stem: &str) -> Option<&'n str> {
    name.strip_prefix(stem)?.strip_prefix('_')?.split('_').next()
}
