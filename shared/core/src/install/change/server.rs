//! What an admin's program read from the server: its version, and what else it says of itself.

use super::{Change, Outcome};
use crate::{
    http::Refusal,
    install::{problems::Reader, request, server::with_server},
};
use cloud_apps_protocol::SiteUrl;

/// `{"server":{…}}`: what the server says of itself now. What is left out stays as it was known.
pub(super) fn server(change: &Change<'_>) -> Result<Outcome, Refusal> {
    let mut reader = Reader::new(change.body);
    let site: Option<SiteUrl> = reader.parsed(request::SITE_URL);
    if site.is_some_and(|site| site != change.install.site) {
        reader.problem(
            request::SITE_URL,
            format!("is not {}, the server of this install", change.install.site),
        );
    }
    let version = request::server_version(&mut reader);
    let facts = request::server_facts(&mut reader);
    let (version, facts) = reader.finish(version.map(|version| (version, facts)))?;
    Ok(Outcome::of(with_server(change.install, &version, facts, change.request_info.now)))
}
