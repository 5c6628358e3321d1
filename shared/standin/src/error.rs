//! The errors that a user of this crate gets.

/// Why the stand-in could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StandinError {
    /// The stand-in has nothing with this name or id.
    #[error("the stand-in has no {what} \"{name}\"; add it first")]
    Unknown {
        /// What was looked for: a user, a team, a channel.
        what: &'static str,
        /// The name or id as given.
        name: String,
    },
    /// The button or menu is disabled, so no client lets its user click it.
    #[error("\"{name}\" is disabled; enable it in the post")]
    Disabled {
        /// Its label.
        name: String,
    },
    /// No client lets its user enter this value.
    #[error("{value} cannot be entered in the field \"{field}\"; give what its type and limits allow")]
    Impossible {
        /// The name of the field.
        field: String,
        /// The value, as JSON.
        value: String,
    },
    /// The name is taken.
    #[error("the stand-in already has a {what} \"{name}\"; choose another name")]
    Taken {
        /// What was to be added.
        what: &'static str,
        /// The name as given.
        name: String,
    },
    /// The stand-in cannot listen on the address.
    #[error("the stand-in cannot listen on {address}: {source}")]
    Listen {
        /// The address as given.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The certificates could not be made.
    #[error("the stand-in cannot make its certificates: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A text that was given as a certificate is not one.
    #[error("the stand-in cannot read the certificate to trust: {0}; give it as PEM")]
    Trust(#[from] reqwest::Error),
    /// TLS refuses the certificates that were made.
    #[error("the stand-in cannot serve TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl StandinError {
    pub(crate) fn unknown(what: &'static str, name: &str) -> StandinError {
        StandinError::Unknown { what, name: name.to_owned() }
    }

    pub(crate) fn taken(what: &'static str, name: &str) -> StandinError {
        StandinError::Taken { what, name: name.to_owned() }
    }
}

/// The connection ended before the answer, because a [`Fault`](crate::Fault) was ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stand-in closed the connection without an answer, as ordered")]
pub struct ConnectionCut;
