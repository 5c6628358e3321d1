//! Why an installation, a sync or a removal did not come to its end.

use super::{bundle::Bundle, bundle_error::BundleError};
use crate::{
    failure::Failure,
    mattermost::{CallError, Finding, Mattermost},
};
use std::time::Duration;

/// What ended it.
#[derive(Debug)]
pub enum Stop {
    /// The Mattermost server.
    Server(CallError),
    /// The bundle.
    Bundle(BundleError),
    /// What was found stands in the way: all of it.
    Found(Vec<Finding>),
    /// This machine, or the command line.
    Here(Failure),
    /// Ctrl-C.
    Interrupted,
    /// The admin does not agree.
    Declined,
    /// Whether the last step was done is not known, and nothing may be removed before it is.
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

    /// When the other side wants to be asked again.
    pub fn after(&self) -> Option<Duration> {
        match self {
            Self::Server(trouble) => trouble.after(),
            Self::Bundle(trouble) => trouble.after(),
            _ => None,
        }
    }

    /// In one line, while it goes on.
    pub fn line(&self) -> String {
        match self {
            Self::Server(trouble) => trouble.to_string(),
            Self::Bundle(trouble) => trouble.to_string(),
            Self::Found(findings) => {
                findings.iter().map(|finding| finding.what.as_str()).collect::<Vec<_>>().join("; ")
            }
            Self::Here(failure) => failure.to_string(),
            Self::Interrupted => "stopped by Ctrl-C".to_owned(),
            Self::Declined => "not agreed to: nothing was made".to_owned(),
            Self::Unsure(what) => what.clone(),
        }
    }

    /// For the terminal, where a bundle takes part.
    pub fn failure(self, server: &Mattermost, bundle: &Bundle) -> Failure {
        match self {
            Self::Bundle(trouble) => trouble.failure(bundle.base_url()),
            other => other.failure_at(server),
        }
    }

    /// For the terminal, where only the server takes part.
    pub fn failure_at(self, server: &Mattermost) -> Failure {
        match self {
            Self::Server(trouble) => {
                let finding = server.finding(&trouble);
                let lost = matches!(trouble, CallError::Lost { .. });
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
                    .hint("nothing was made; fix it and run the same again")
            }
            Self::Here(failure) => failure,
            Self::Unsure(_) => Failure::new(self.line())
                .hint("run the same again, with the same code where you have one: it looks and goes on"),
            Self::Interrupted => Failure::interrupted(self.line()),
            Self::Declined => Failure::new(self.line()),
        }
    }
}

fn count(n: usize) -> String {
    if n == 1 { "one thing is".to_owned() } else { format!("{n} things are") }
}
