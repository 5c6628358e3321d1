//! Reads every answer that the command line gets over HTTP. If a bundle, a server or an app streams for ever, or gives page after
//! page without end, that costs a bounded amount of memory and time, and the user reads what happened.

use cloud_apps_protocol::json;
use std::time::{Duration, Instant};

/// The longest answer that is read. The commands of a big team fit in it many times.
pub const LARGEST: usize = 8 << 20;
/// The most values and keys of one answer: enough for the commands of a team of thousands. The smallest values, `{}`, become
/// structs of hundreds of bytes each.
pub const VALUES: usize = 200_000;
/// The most pages of one list. With 200 entries each, as Mattermost gives them, that is more than any server has.
const PAGES: usize = 500;
/// The most bytes of all pages of one list.
const LIST: usize = 64 << 20;
/// The longest that one list may take.
const LIST_TIME: Duration = Duration::from_mins(10);

/// Why an answer was not read to its end.
#[derive(Debug)]
pub enum Unread {
    /// It is longer than [`LARGEST`], or holds more values than [`VALUES`].
    TooLong,
    /// The connection ended, or the time ran out.
    Lost(reqwest::Error),
}

/// The whole body of an answer. The client's timeout counts until the last byte.
pub async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Unread::Lost)? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(Unread::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    if json::values(&bytes) > VALUES {
        return Err(Unread::TooLong);
    }
    Ok(bytes)
}

/// What the user reads of [`Unread::TooLong`].
pub const TOO_LONG: &str = "the answer is longer than 8 MiB, or holds more than 200,000 values";

/// How much of one list was read, page by page.
#[derive(Debug)]
pub struct Pages {
    read: usize,
    bytes: usize,
    since: Instant,
}

/// A list whose end was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the list does not end: {PAGES} pages, 64 MiB or 10 minutes of it were read")]
pub struct Endless;

impl Pages {
    /// Before the first page.
    pub fn new() -> Self {
        Self { read: 0, bytes: 0, since: Instant::now() }
    }

    /// One more page of so many bytes was read. `Ok` if another one may be asked for.
    pub fn read(&mut self, bytes: usize) -> Result<(), Endless> {
        self.read += 1;
        self.bytes += bytes;
        let more = self.read < PAGES && self.bytes < LIST && self.since.elapsed() < LIST_TIME;
        if more { Ok(()) } else { Err(Endless) }
    }

    /// How many pages were read.
    pub fn count(&self) -> usize {
        self.read
    }
}

impl Default for Pages {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_by_its_pages_or_by_their_size() {
        let mut pages = Pages::new();
        let read = (0..=PAGES).take_while(|_| pages.read(1).is_ok()).count();
        assert_eq!(read, PAGES - 1);
        let mut pages = Pages::new();
        assert_eq!((pages.read(LARGEST), pages.count()), (Ok(()), 1));
        assert_eq!((0..=PAGES).take_while(|_| pages.read(LARGEST).is_ok()).count(), LIST / LARGEST - 2);
    }
}
