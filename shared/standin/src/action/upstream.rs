//! The call to an integration that clicks and dialogs share: `DoActionRequest`.

use crate::Standin;
use crate::error::AppError;
use crate::outgoing::{self, LARGEST};
use bytes::Bytes;
use http::StatusCode;

/// What a server without plugins answers in place of one.
const NO_PLUGIN: &[u8] = b"404 page not found\n";

/// Sends JSON, and gives the body of what is answered with 200. 5.37 reads as much as there is.
pub(crate) async fn send(standin: &Standin, url: &str, body: String) -> Result<Bytes, AppError> {
    // Plugins are asked within the server, where nobody looks at the status.
    if url.starts_with("/plugins/") || url.starts_with("plugins/") {
        return Ok(Bytes::from_static(NO_PLUGIN));
    }
    let failed = |error: &dyn std::fmt::Display| {
        tracing::info!(%error, "the integration gave no answer");
        AppError::integration()
    };
    let request = outgoing::post(url, "application/json", body.into()).map_err(|error| failed(&error))?;
    let largest = if standin.version().is_11() { LARGEST } else { usize::MAX };
    let answer = standin.outgoing().call_within(request, largest).await.map_err(|error| failed(&error))?;
    if answer.status() != StatusCode::OK {
        return Err(failed(&answer.status()));
    }
    Ok(answer.into_body())
}
