//! The `response_url` of a slash command: 30 minutes long, five messages can be sent to it.

use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};

/// The id of a `response_url`. Who has it can answer as the server's own command, so it is a credential.
#[derive(Debug, Clone)]
pub struct ReplyId(SecretString);

impl ReplyId {
    /// The id in a `response_url`: its last segment. The rest of the URL is not used, because it comes with the request.
    pub fn of_url(url: &str) -> Option<Self> {
        Self::new(url.rsplit('/').next()?)
    }

    /// An id that was kept.
    pub fn new(id: &str) -> Option<Self> {
        let good = id.len() == 26 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        good.then(|| Self(id.into()))
    }

    /// The id, for a seal or for the call.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Why a `response_url` took nothing.
#[derive(Debug, thiserror::Error)]
pub enum NoReply {
    /// It could not be reached.
    #[error("the response URL cannot be reached: {0}")]
    Unreachable(#[from] cloud_app::http::Error),
    /// It is used up, or too old.
    #[error("the response URL was answered {0}")]
    Refused(StatusCode),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_last_segment_and_nothing_else() {
        let id = "a1b2c3d4e5f6g7h8i9j0k1l2m3";
        for (url, found) in [
            ("https://chat.example.com/hooks/commands/a1b2c3d4e5f6g7h8i9j0k1l2m3", Some(id)),
            ("http://10.0.0.1:8065/hooks/commands/a1b2c3d4e5f6g7h8i9j0k1l2m3", Some(id)),
            (id, Some(id)),
            ("https://evil.example/../a1b2c3d4e5f6g7h8i9j0k1l2m3?x", None),
            ("https://chat.example.com/hooks/commands/", None),
            ("", None),
        ] {
            assert_eq!(ReplyId::of_url(url).as_ref().map(ReplyId::expose), found, "{url}");
        }
        assert!(!format!("{:?}", ReplyId::new(id)).contains(id));
    }
}
