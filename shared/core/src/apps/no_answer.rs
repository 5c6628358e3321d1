//! Why a call has no answer. It never has text of the app, because an error body may repeat a token.

use crate::store::ports::StoreError;
use cloud_apps_protocol::Code;
use std::error::Error;

/// Why a call has no answer. This is for the log.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// A linked function panicked.
    #[error("the function panicked: {0}")]
    Panicked(&'static str),
    /// It did not end in its time.
    #[error("the function did not end in its time")]
    TookTooLong,
    /// The linked app has no such function.
    #[error("the app does not have the function")]
    Unknown,
    /// The app does not accept the bundle's token.
    #[error(
        "the upstream answered {0}: does it have the secret that `cloud-apps operator apps add` or `rotate` showed, its clock \
         right, and this app's id as audience?"
    )]
    Refused(u16),
    /// It could not be reached, or failed.
    #[error("the upstream failed: {what}")]
    Failed {
        /// What happened, in the bundle's own words.
        what: String,
        /// Its cause.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// It answered with JSON that is not an answer of the protocol.
    #[error("the upstream's answer is not one of the protocol: {0}")]
    BadAnswer(String),
    /// Its answer is too large.
    #[error("the upstream answered more than 1 MiB")]
    TooLarge,
    /// The bundle could not make the call.
    #[error("the call could not be made")]
    Store(#[source] StoreError),
}

impl NoAnswer {
    /// It failed, for a reason that the bundle found.
    pub(super) fn failed(what: impl Into<String>) -> Self {
        Self::Failed { what: what.into(), source: None }
    }

    /// It failed, for a reason of the network or the platform, which is the source.
    pub(super) fn because(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed { what: what.into(), source: Some(source.into()) }
    }

    /// The code of the protocol.
    pub fn code(&self) -> Code {
        match self {
            Self::Panicked(_) | Self::Failed { .. } => Code::UpstreamFailed,
            Self::TookTooLong => Code::Deadline,
            Self::Unknown => Code::UnknownFunction,
            Self::Refused(_) => Code::UpstreamRefused,
            Self::BadAnswer(_) => Code::BadAnswer,
            Self::TooLarge => Code::AnswerTooLarge,
            Self::Store(StoreError::Busy { .. }) => Code::Busy,
            Self::Store(StoreError::Unavailable { .. }) => Code::Unavailable,
            Self::Store(_) => Code::Internal,
        }
    }

    /// The sentence for a person who ran something of `app` (section 15). The request's id is shown beside it.
    pub fn sentence(&self, app: &str) -> String {
        match self.code() {
            Code::Deadline => format!(
                "{app} took too long and was stopped. A part of it may be done: look before you try again."
            ),
            Code::UpstreamRefused => {
                format!(
                    "{app} did not accept the call, so nothing was done. Tell an admin: its secret may be an old one."
                )
            }
            Code::BadAnswer => {
                format!("{app} answered with something that this bundle cannot show. Tell an admin.")
            }
            Code::AnswerTooLarge => format!("{app} answered with more than a server reads (1 MiB)."),
            Code::Busy => "Too much is going on right now. Try again in a moment.".to_owned(),
            Code::Unavailable => "A store of the bundle cannot be reached. Try again in a moment.".to_owned(),
            Code::UnknownFunction => format!("{app} does not have this function."),
            _ => format!("{app} could not do that. If it happens again, tell an admin."),
        }
    }
}
