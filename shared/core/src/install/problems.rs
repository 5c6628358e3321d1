//! All problems of a request at once, each with its JSON pointer. So somebody who filled in a dialog does not fix the first
//! problem only to be told of the second.

use crate::http::Refusal;
use cloud_apps_protocol::Code;
use serde_json::{Value, json};
use std::{fmt::Display, str::FromStr};

/// How many problems are listed. The others are counted, because a body of 1 MiB may have half a million.
const MAX_PROBLEMS: usize = 50;

/// Reads a body and collects its problems. A problem never repeats a value that may be a secret.
pub struct Reader<'a> {
    body: &'a Value,
    problems: Vec<(String, String)>,
    more: usize,
}

impl<'a> Reader<'a> {
    /// A reader of this body.
    pub fn new(body: &'a Value) -> Self {
        Self { body, problems: Vec::new(), more: 0 }
    }

    /// Adds a problem at a pointer.
    pub fn problem(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push((pointer.into(), message.into()));
        } else {
            self.more += 1;
        }
    }

    /// The value at a pointer. `null` counts as absent.
    pub fn at(&self, pointer: &str) -> Option<&'a Value> {
        self.body.pointer(pointer).filter(|value| !value.is_null())
    }

    /// A required text.
    pub fn text(&mut self, pointer: &str) -> Option<&'a str> {
        match self.at(pointer) {
            None => self.problem(pointer, "is missing"),
            Some(Value::String(text)) => return Some(text),
            Some(_) => self.problem(pointer, "is not text"),
        }
        None
    }

    /// A required text of this type.
    pub fn parsed<T: FromStr<Err: Display>>(&mut self, pointer: &str) -> Option<T> {
        match self.text(pointer)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(pointer, error.to_string());
                None
            }
        }
    }

    /// A boolean, `false` if it is absent.
    pub fn flag(&mut self, pointer: &str) -> bool {
        match self.at(pointer) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.problem(pointer, "is neither true nor false");
                false
            }
        }
    }

    /// A list, empty if it is absent.
    pub fn list(&mut self, pointer: &str) -> &'a [Value] {
        match self.at(pointer) {
            None => &[],
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.problem(pointer, "is not a list");
                &[]
            }
        }
    }

    /// The value, if there was no problem.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Refusal> {
        let clean = self.problems.is_empty();
        value.filter(|_| clean).ok_or_else(|| self.refusal())
    }

    fn refusal(self) -> Refusal {
        let sentences: Vec<String> = self
            .problems
            .iter()
            .map(|(pointer, message)| format!("{pointer} {message}").trim_start().to_owned())
            .collect();
        let lead = match sentences.len() {
            0 | 1 => "Something is wrong with this request".to_owned(),
            n if self.more == 0 => format!("{n} things are wrong with this request"),
            n => format!(
                "{} things are wrong with this request, of which these are the first {n}",
                n + self.more
            ),
        };
        let message = format!("{lead}: {}. Fix it and send it again.", sentences.join("; "));
        let first = self.problems.first().map(|(pointer, _)| pointer.clone()).unwrap_or_default();
        let problems: Vec<Value> = self
            .problems
            .into_iter()
            .map(|(pointer, message)| json!({ "pointer": pointer, "message": message }))
            .collect();
        Refusal::new(Code::BadRequest, message).with("pointer", first).with("problems", problems)
    }
}
