//! The call to an integration that clicks and dialogs share: `DoActionRequest`.

use super::{LARGEST_ANSWER, Outbound, post};
use crate::Version;
use crate::app_error::AppError;
use bytes::Bytes;
use http::StatusCode;
use std::fmt::Display;

/// What a server without plugins answers for a plugin.
const NO_PLUGIN: &[u8] = b"404 page not found\n";

impl Outbound {
    /// Sends JSON, and returns the body of an answer with status 200. 5.37 reads a body of any size.
    pub(crate) async fn call_action(
        &self,
        version: Version,
        url: &str,
        body: String,
    ) -> Result<Bytes, AppError> {
        // The server calls plugins within itself, and does not look at the status that they answer.
        if url.starts_with("/plugins/") || url.starts_with("plugins/") {
            return Ok(Bytes::from_static(NO_PLUGIN));
        }
        let failed = |error: &dyn Display| {
            tracing::info!(%error, "the integration gave no answer");
            AppError::integration_failed()
        };
        let request = post(url, "application/json", body.into()).map_err(|error| failed(&error))?;
        let largest = if version.since_11() { LARGEST_ANSWER } else { usize::MAX };
        let answer = self.call_within(request, largest).await.map_err(|error| failed(&error))?;
        if answer.status() != StatusCode::OK {
            return Err(failed(&answer.status()));
        }
        Ok(answer.into_body())
    }
}
