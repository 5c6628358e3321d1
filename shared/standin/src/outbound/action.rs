//! The call to an integration that clicks and dialogs share: `DoActionRequest`.

use super::{LARGEST_ANSWER, Outbound, post};
use crate::Version;
use crate::app_error::AppError;
use crate::version::Ability;
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
        let status = answer.status();
        if status != StatusCode::OK {
            let error = failed(&status);
            return Err(if version.has(Ability::UpstreamStatus) {
                AppError { status: passed_on(status), ..error }
            } else {
                error
            });
        }
        Ok(answer.into_body())
    }
}

/// The status that a client gets for one of the integration: since 11.10 it learns that the integration is too busy, or
/// that it fails.
fn passed_on(status: StatusCode) -> StatusCode {
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => status,
        status if status.is_server_error() => StatusCode::BAD_GATEWAY,
        _ => StatusCode::BAD_REQUEST,
    }
}
