//! Why a bundle did not do what it was asked.

use crate::{certificates::CertificateFault, failure::Failure};
use cloud_apps_protocol::{Code, InstallId, SiteUrl};
use std::time::Duration;

/// Why a bundle did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// It refused, in its own words.
    #[error("{message}")]
    Refused {
        /// Which refusal.
        code: Code,
        /// What happened and what to do.
        message: String,
        /// The install that stands in the way.
        install: Option<InstallId>,
        /// When to try again.
        after: Option<Duration>,
    },
    /// It does not answer as a bundle does.
    #[error("{address} does not answer as a bundle does (status {status})")]
    Unlike {
        /// Its address.
        address: String,
        /// The HTTP status.
        status: u16,
    },
    /// Nothing answered. It is not known whether the request took effect.
    #[error("{what}")]
    Lost {
        /// What happened.
        what: String,
    },
    /// Its certificate is not trusted, so it could be anybody. Nothing was sent.
    #[error("{address}: {fault}")]
    Certificate {
        /// Its address.
        address: String,
        /// What is wrong with the certificate.
        fault: CertificateFault,
    },
    /// A code is for one install and does not allow this.
    #[error("{0} needs the rights of an operator")]
    NeedsOperator(&'static str),
}

impl BundleError {
    /// Whether the same request may work in a moment.
    pub fn transient(&self) -> bool {
        match self {
            Self::Lost { .. } => true,
            Self::Refused { code, .. } => {
                matches!(code, Code::Busy | Code::Unavailable | Code::Internal | Code::Deadline)
            }
            Self::Unlike { status, .. } => *status >= 500 || *status == 429,
            Self::Certificate { .. } | Self::NeedsOperator(_) => false,
        }
    }

    /// When to try again.
    pub fn after(&self) -> Option<Duration> {
        match self {
            Self::Refused { after, .. } => *after,
            _ => None,
        }
    }

    /// Which refusal.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// What is wrong with its certificate, if that is the error.
    pub fn certificate(&self) -> Option<&CertificateFault> {
        match self {
            Self::Certificate { fault, .. } => Some(fault),
            _ => None,
        }
    }

    /// For the terminal.
    pub fn failure(&self, base_url: &SiteUrl) -> Failure {
        match self {
            Self::Refused { .. } => Failure::new(self.to_string()),
            Self::Unlike { .. } => Failure::new(self.to_string())
                .hint("is it the address of a bundle? compare it with the stack's output BaseUrl"),
            Self::Lost { .. } => Failure::unreachable(self.to_string())
                .hint(format!("check that this machine can reach {base_url}, then run the same command again")),
            Self::Certificate { fault, .. } => Failure::unreachable(self.to_string()).hint(fault.fix()),
            Self::NeedsOperator(_) => Failure::usage(self.to_string()).hint(
                "an operator of the bundle can do it, with --stack NAME, or with --data DIR for a local bundle",
            ),
        }
    }
}
