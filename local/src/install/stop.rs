//! Why an installation, a sync or a removal ended early.

use super::{bundle::Bundle, bundle_error::BundleError};
use crate::{
    failure::Failure,
    mattermost::{CallError, Finding, Mattermost},
};
use std::time::Duration;

/// What ended the work.
#[derive(Debug)]
pub enum Stop {
    /// An error of the Mattermost server.
    Server(CallError),
    /// An error of the bundle.
    Bundle(BundleError),
    /// All that stands in the way.
    Found(Vec<Finding>),
    /// An error on this machine, or of the command line.
    Here(Failure),
    /// Ctrl-C.
    Interrupted,
    /// The admin does not agree.
    Declined,
    /// It is not known whether the last step was done, so nothing may be removed.
    Unsure(String),
}

impl From<CallError> for Stop {
    fn from(trouble: CallError) -> Self {
        Self::Server(trouble)
    }
}

impl From<BundleError> for Stop {
    fn from(trouble: BundleError) -> Self {
        Self::Bundle(trouble)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Here(failure)
    }
}

impl From<Finding> for Stop {
    fn from(finding: Finding) -> Self {
        Self::Found(vec![finding])
    }
}

impl Stop {
    /// Whether the same step may work in a moment.
    pub fn transient(&self) -> bool {
        match self {
            Self::Server(trouble) => trouble.transient(),
            Self::Bundle(trouble) => trouble.transient(),
            _ => false,
        }
    }

    /// When the other side may be asked again.
    pub fn after(&self) -> Option<Duration> {
        match self {
            Self::Server(trouble) => trouble.after(),
            Self::Bundle(trouble) => trouble.after(),
            _ => None,
        }
    }

    /// In one line, while the work continues.
    pub fn line(&self) -> String {
        match self {
            Self::Server(trouble) => trouble.to_string(),
            Self::Bundle(trouble) => trouble.to_string(),
            Self::Found(findings) => {
                findings.iter().map(|finding| finding.what.as_str()).collect::<Vec<_>>().join("; ")
            }
            Self::Here(failure) => failure.to_string(),
            Self::Interrupted => "stopped by Ctrl-C".to_owned(),
            Self::Declined => "you did not agree, so nothing was changed".to_owned(),
            Self::Unsure(what) => what.clone(),
        }
    }

    /// For the terminal, if a bundle takes part.
    pub fn failure(self, server: &Mattermost, bundle: &Bundle) -> Failure {
        match self {
            Self::Bundle(trouble) => trouble.failure(bundle.base_url()),
            other => other.failure_at(server),
        }
    }

    /// For the terminal, if only the server takes part.
    pub fn failure_at(self, server: &Mattermost) -> Failure {
        match self {
            Self::Server(trouble) => {
                let finding = server.finding(&trouble);
                let lost = matches!(trouble, CallError::Lost { .. } | CallError::Certificate { .. });
                let failure =
                    if lost { Failure::unreachable(finding.what) } else { Failure::new(finding.what) };
                let place = finding
                    .setting
                    .map(|setting| format!("System Console > {} ({}). ", setting.console, setting.key));
                failure.hint(format!("{}{}", place.unwrap_or_default(), finding.fix))
            }
            Self::Bundle(trouble) => Failure::new(trouble.to_string()),
            Self::Found(findings) => {
                let stops: Vec<&Finding> = findings.iter().filter(|finding| finding.stops).collect();
                Failure::new(format!("{} to be fixed first:", count(stops.len())))
                    .more(stops.iter().flat_map(|finding| finding.lines("✗")))
                    .hint("nothing was made; fix it and run the same command again")
            }
            Self::Here(failure) => failure,
            Self::Unsure(_) => Failure::new(self.line())
                .hint("run the same command again, with the same code if you have one: it continues"),
            Self::Interrupted => Failure::interrupted(self.line()),
            Self::Declined => Failure::new(self.line()),
        }
    }
}

fn count(n: usize) -> String {
    if n == 1 { "one thing is".to_owned() } else { format!("{n} things are") }
}
