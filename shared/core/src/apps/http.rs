//! Apps that are HTTPS services: `POST {url}/{function}`, through the client of section 19. It follows no redirects.

use super::{answer::Reply, no_answer::NoAnswer, signed_request::SignedRequest};
use cloud_app::http::{Error, Outbound};
use std::time::Duration;

pub(super) async fn post(
    client: &Outbound,
    url: &str,
    signed: SignedRequest,
    left: Duration,
) -> Result<Reply, NoAnswer> {
    let answer = client.send(signed.request(url)?, left).await.map_err(|error| match error {
        Error::TooLarge { .. } => NoAnswer::TooLarge,
        // A shorter limit is the one for connecting, so nothing has begun then.
        Error::Timeout { limit, .. } if limit >= left => NoAnswer::TookTooLong,
        error => NoAnswer::because("its service gave no answer", error),
    })?;
    Ok(Reply::of(&answer))
}
