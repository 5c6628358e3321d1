//! The failure that a function returns instead of an answer.

use crate::mattermost;
use std::{any::Any, collections::BTreeMap, error::Error};

/// The result of an app's function.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a function has no answer. The user reads `text`; the log gets `source` as well.
///
/// Every error converts with `?`. Then the user reads one sentence and the request id, and the cause is in the log only. An
/// error of Mattermost is the exception: the user reads Mattermost's text and what to do.
#[derive(Debug)]
pub struct Failure {
    /// What the user reads. `None`: "hello could not do that", what to do, and the request id.
    pub text: Option<String>,
    /// Messages that belong to fields.
    pub fields: BTreeMap<String, String>,
    /// The cause, for the log.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// Tells the user what happened and what to do.
    pub fn say(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), fields: BTreeMap::new(), source: None }
    }

    /// Tells the user what is wrong with a field.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>, text: impl Into<String>) -> Self {
        self.fields.insert(field.into(), text.into());
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(source: E) -> Self {
        let refused = (&source as &dyn Any).downcast_ref::<mattermost::Error>();
        Self {
            text: refused.and_then(mattermost::Error::for_user),
            fields: BTreeMap::new(),
            source: Some(Box::new(source)),
        }
    }
}
