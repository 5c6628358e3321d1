//! Why a server's certificate is not trusted, and what to do.

use super::name;
use rustls::{CertificateError, pki_types::CertificateDer};
use std::error::Error;
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

/// Why a server's certificate is not trusted. Nothing was sent to the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// No trusted authority issued it.
    #[error("its certificate comes from {issuer}, an authority that this machine does not trust")]
    UnknownIssuer {
        /// The name of the authority, as the server's certificates have it.
        issuer: String,
    },
    /// An authority issued it that has the name of a trusted one, and another key.
    #[error(
        "its certificate comes from {issuer}, and not from the authority of that name that is trusted here"
    )]
    OtherKey {
        /// The name of the authority.
        issuer: String,
    },
    /// No authority issued it.
    #[error("its certificate is signed by itself ({subject}), and by no authority")]
    SelfSigned {
        /// The name in the certificate.
        subject: String,
    },
    /// A server may not use the certificate of an authority.
    #[error("its certificate is that of an authority ({subject}), which a server may not use")]
    Authority {
        /// The name in the certificate.
        subject: String,
    },
    /// It is too old.
    #[error("its certificate has expired")]
    Expired,
    /// It is too new.
    #[error("its certificate is not valid yet")]
    NotYetValid,
    /// It belongs to another host.
    #[error("its certificate is for other names than this one")]
    OtherName,
    /// Something else.
    #[error("its certificate is not valid ({0})")]
    Invalid(String),
}

impl CertificateFault {
    /// What is wrong with the certificates that a server sent.
    pub(super) fn of(
        error: &CertificateError,
        server: &CertificateDer<'_>,
        more: &[CertificateDer<'_>],
    ) -> Self {
        let own = X509Certificate::from_der(server).ok().map(|(_, certificate)| certificate);
        // The authority whose certificate the server need not send: it issued the last one of the chain.
        let issuer = || match X509Certificate::from_der(more.last().unwrap_or(server)) {
            Ok((_, last)) => name(last.issuer()),
            Err(_) => "an authority whose name cannot be read".to_owned(),
        };
        match error {
            CertificateError::UnknownIssuer => match (&own, more.is_empty()) {
                (Some(own), true) if own.issuer().as_raw() == own.subject().as_raw() => {
                    Self::SelfSigned { subject: name(own.subject()) }
                }
                _ => Self::UnknownIssuer { issuer: issuer() },
            },
            CertificateError::BadSignature => Self::OtherKey { issuer: issuer() },
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::OtherName
            }
            other => match own.filter(|own| own.is_ca()) {
                Some(own) => Self::Authority { subject: name(own.subject()) },
                None => Self::Invalid(format!("{other:?}")),
            },
        }
    }

    /// The fault for which a call failed, if it was one.
    pub fn behind<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(rustls::Error::InvalidCertificate(CertificateError::Other(other))) =
                error.downcast_ref()
            {
                return other.0.downcast_ref();
            }
            // An `io::Error` is not the source of itself: what it wraps is.
            let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            if let Some(wrapped) = wrapped {
                return Self::behind(wrapped);
            }
            next = error.source();
        }
        None
    }

    /// What to do.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::UnknownIssuer { .. } => {
                "If that is your own authority, name the file with its certificate: --ca FILE, or CLOUD_APPS_CA. If it is a \
                 public one, the server does not send its intermediate certificates: add them to the server's certificate file."
            }
            Self::OtherKey { .. } => {
                "That authority may have a new certificate: name the file that holds it, with --ca FILE or CLOUD_APPS_CA."
            }
            Self::SelfSigned { .. } => {
                "If it is your server's certificate, name the file that holds it: --ca FILE, or CLOUD_APPS_CA."
            }
            Self::Authority { .. } => {
                "Make a certificate for the server that is not an authority's (CA:FALSE), and issue it with that authority."
            }
            Self::Expired => {
                "Renew the server's certificate. If it was renewed, compare the clock of this machine."
            }
            Self::NotYetValid => "Compare the clock of this machine with the right time.",
            Self::OtherName => "Check the address: write the name that the certificate is for.",
            Self::Invalid(_) => {
                "Check the server's certificate, for example with `openssl s_client -connect HOST:443`."
            }
        }
    }
}
