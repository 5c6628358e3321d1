//! The command line of chat (section 9): from a typed line to a function and its values, and help.
//!
//! `/namespace function [positional …] [--flag=value | --flag value | --bool | --no-bool]`. A line is read in three
//! steps: [`lexer`] makes words with their places, [`find`] takes the longest sequence of words that names a function or a
//! preset, and [`bind`] gives the other words to the command's fields. An error names the place, what was found, what was
//! expected, and a similar word, and ends with where to find help.

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
use lexer::{Opening, Source};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use typed::Written;

/// The longest line that is read, in characters: as long as a message may be.
pub const MAX_LINE: usize = 16_383;

/// Flags that every command has.
pub const FLAGS: [&str; 2] = ["help", "form"];

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
    /// The preset by whose name it was called, if it was.
    pub preset: Option<FunctionName>,
    /// The values, checked against the command's fields.
    pub values: Values,
    /// Required fields that were not given, in their order. The command's form should be opened.
    pub missing: Vec<FunctionName>,
    /// `--form`: the form should be opened even if nothing is missing.
    pub form: bool,
    /// What was left out and why (names in `encoded` that the command does not have), and what may have been meant as a flag
    /// and is text.
    pub warnings: Vec<String>,
}

/// Why a line cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LineError {
    /// The place in the raw line, in characters from 0.
    pub position: usize,
    /// The word at that place. It may be empty.
    pub found: String,
    /// What is possible there.
    pub expected: String,
    /// The message for people, in Markdown: all of the above, a similar word, and where to find help.
    pub message: String,
    /// Whether no function was recognised. Then the code is `unknown_function` instead of `bad_command_line`.
    pub unknown_function: bool,
    /// Messages that belong to fields, for forms and `encoded`.
    pub fields: BTreeMap<String, String>,
}

/// What is needed to read a line.
pub struct Grammar<'a> {
    /// The app.
    pub manifest: &'a Manifest,
    /// The presets of the install. The manifest's presets are added.
    pub presets: &'a [Preset],
    /// The users and channels that the server found for the mentions.
    pub mentioned: &'a Mentioned,
    /// The time in Unix milliseconds, for relative dates.
    pub now: crate::Millis,
    /// The user's IANA time zone. If it is not known, UTC.
    pub time_zone: Option<&'a str>,
    /// The server whose permalinks are accepted. If it is not known, those of any server are.
    pub site: Option<&'a SiteUrl>,
}

/// What a name means: a command, with the values of a preset if the name is a preset's.
#[derive(Clone, Copy)]
struct Target<'g> {
    command: &'g CommandEntry,
    preset: Option<&'g Preset>,
}

impl<'g> Target<'g> {
    /// The name that was typed: the function's or the preset's.
    fn name(&self) -> &'g FunctionName {
        self.preset.map_or(&self.command.function, |preset| &preset.name)
    }
}

impl<'a> Grammar<'a> {
    /// Reads a whole line, `/jira create issue --project=MM`, with or without the leading `/namespace`.
    pub fn line(&self, raw: &str) -> Result<Line, LineError> {
        let source = Source::of(raw).map_err(|e| self.explain(e, None))?;
        let words = source.words(0, source.end(), Opening::Everywhere);
        let mut words = words.as_slice();
        if let Some((first, rest)) = words.split_first()
            && let Some(namespace) = first.plain().and_then(|text| text.strip_prefix('/'))
        {
            if !namespace.eq_ignore_ascii_case(self.manifest.namespace()) {
                let expected = format!("`/{}`", self.manifest.namespace());
                let fault = Fault::new(first.start, first.shown(), expected, "is another app's command");
                return Err(self.explain(fault, None));
            }
            words = rest;
        }
        if let Some(help) = self.asked_for_help(words) {
            return Ok(Line::Help(help));
        }
        let Some((target, rest)) = find::longest(self, words) else {
            let stem = find::joined(words);
            // After `/jira create`, with `create_issue` and `create_epic`, the error says how it may go on.
            if self.goes_on(&stem) && (find::bare(words).count() == words.len() || asks_for_help(words)) {
                return Ok(Line::Help(self.help_below(&stem)));
            }
            return Err(self.unknown(words));
        };
        let named = words.len() - rest.len();
        let from = words.get(..named).and_then(<[_]>::last).map_or(0, |name| name.end);
        self.bind(target, &source, from)
    }

    /// Reads `rest` as the arguments of this function.
    pub fn arguments(&self, function: &str, rest: &str) -> Result<Line, LineError> {
        let source = Source::of(rest).map_err(|e| self.explain(e, None))?;
        let name = crate::command::function_name(function).map_err(|_| self.no_function(function))?;
        let target = self.target(name.as_str()).ok_or_else(|| self.no_function(function))?;
        self.bind(target, &source, 0)
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
            // Dialogs of Mattermost 5.37 send `null` for an empty field. Later versions send nothing.
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
                message: format!("{} {}", list.join(" "), self.see_help(Some(target))),
                unknown_function: false,
                fields,
            });
        }
        let mut warnings = Vec::new();
        if !dropped.is_empty() {
            let more = dropped.len().saturating_sub(MAX_NAMED);
            dropped.truncate(MAX_NAMED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let command = code(&find::spoken(target.name().as_str()));
            warnings
                .push(format!("Left out, for {command} has no such fields: {}{more}.", dropped.join(", ")));
        }
        Ok(self.invocation(target, given, false, warnings))
    }

    /// Help for the app, or for the command that `words` name.
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

    /// Whether a name begins with these words and has more words.
    fn goes_on(&self, stem: &str) -> bool {
        !stem.is_empty() && self.names().any(|name| next_word(name, stem).is_some())
    }

    /// The most similar name, as it is typed. It may have fewer words.
    fn nearest(&self, stem: &str) -> Option<String> {
        let stem: String = stem.chars().take(MAX_NAME).collect();
        let mut stems = find::stems(&stem).take(MAX_NAMED);
        let near = stems.find_map(|stem| crate::values::nearest(stem, self.names()))?;
        Some(format!("/{} {}", self.manifest.namespace(), find::spoken(near)))
    }

    /// All presets. The install's are first, because they win over the manifest's with the same name.
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

    /// All names that can be called.
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

    /// Whether `help` is the first word, or the only one. Then nothing else on the line counts.
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

    /// Completes what was given: with the preset's values, then with the defaults. Fields that are still missing are named.
    /// `null` in `given` clears a field, which then stays empty.
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
                    // The value is from a manifest or preset that is older than this manifest.
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
        let (function, preset) = (target.command.function.clone(), target.preset.map(|p| p.name.clone()));
        Invocation { function, preset, values, missing, form, warnings }
    }
}

/// Whether `--help` is among the flags.
fn asks_for_help(words: &[lexer::Word]) -> bool {
    words.iter().take_while(|word| !word.is_two_dashes()).any(|word| {
        word.flag_value().is_none() && word.flag().is_some_and(|flag| flag.eq_ignore_ascii_case("help"))
    })
}

/// The next word of a name after `stem`: `issue` for `create_issue` after `create`.
fn next_word<'n>(name: &'n str, stem: &str) -> Option<&'n str> {
    name.strip_prefix(stem)?.strip_prefix('_')?.split('_').next()
}
