//! An app that is an HTTPS service: `POST {url}/{function}`, through the guarded client of section 19. No redirects, no
//! retries.

use super::{Trouble, answer::Reply, letter::Letter};
use crate::world::World;
use cloud_app::http::Error;
use std::time::Duration;

pub(super) async fn post(world: &World, url: &str, letter: Letter, left: Duration) -> Result<Reply, Trouble> {
    let answer = world.http.send(letter.request(url)?, left).await.map_err(|error| match error {
        Error::TooLarge { .. } => Trouble::TooLarge,
        // A shorter limit is the one for connecting: nothing has begun.
        Error::Timeout { limit, .. } if limit >= left => Trouble::TookTooLong,
        error => Trouble::because("its service gave no answer", error),
    })?;
    Ok(Reply::of(&answer))
}
