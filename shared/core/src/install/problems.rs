//! Everything that is wrong with a request, said at once: each problem with its JSON pointer, so that whoever
//! filled in a dialog does not learn of the second after fixing the first.

use crate::http::Refusal;
use cloud_apps_protocol::Code;
use serde_json::{Value, json};
use std::{fmt::Display, str::FromStr};

/// How many problems are told; the rest are counted. A body of a mebibyte may have half a million.
const MAX_PROBLEMS: usize = 50;

/// Reads a body, and remembers what it could not read. Never what stood there where that may be a secret.
pub struct Reader<'a> {
    body: &'a Value,
    problems: Vec<(String, String)>,
    more: usize,
}

impl<'a> Reader<'a> {
    /// Of this body.
    pub fn new(body: &'a Value) -> Self {
        Self { body, problems: Vec::new(), more: 0 }
    }

    /// Something is wrong at a pointer.
    pub fn problem(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push((pointer.into(), message.into()));
        } else {
            self.more += 1;
        }
    }

    /// What stands at a pointer; `null` is absent.
    pub fn at(&self, pointer: &str) -> Option<&'a Value> {
        self.body.pointer(pointer).filter(|value| !value.is_null())
    }

    /// A text that must be there.
    pub fn text(&mut self, pointer: &str) -> Option<&'a str> {
        match self.at(pointer) {
            None => self.problem(pointer, "is missing"),
            Some(Value::String(text)) => return Some(text),
            Some(_) => self.problem(pointer, "is not text"),
        }
        None
    }

    /// A text that must be there and parse.
    pub fn parsed<T: FromStr<Err: Display>>(&mut self, pointer: &str) -> Option<T> {
        match self.text(pointer)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(pointer, error.to_string());
                None
            }
        }
    }

    /// A truth that is false where it is absent.
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

    /// A list that is empty where it is absent.
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

    /// The value, if it could be made and nothing was wrong.
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
