//! The address of a call.

use cloud_apps_protocol::SiteUrl;
use url::Url;

/// Where a call goes: segments of a path below `/api/v4`, and a query. Ids and names in it come from bundles, journals and command
/// lines. Each stays one segment: `..` or `/` in an id would make another call of it, with an admin's rights.
#[derive(Debug, Clone)]
pub struct Endpoint<'a> {
    segments: Vec<&'a str>,
    query: Vec<(&'static str, String)>,
}

impl<'a> Endpoint<'a> {
    /// A path of these segments.
    pub fn new(segments: &[&'a str]) -> Self {
        Self { segments: segments.to_vec(), query: Vec::new() }
    }

    /// With one more pair in the query.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// The address on this site; `None` if a segment cannot stay one.
    pub fn url(&self, site: &SiteUrl) -> Option<Url> {
        let mut url = Url::parse(site.as_str()).ok()?;
        // An escaped dot or slash may become a dot or a slash again behind a proxy.
        let odd = |c: char| matches!(c, '/' | '\\' | '%' | '?' | '#') || c.is_ascii_control();
        if self.segments.iter().any(|segment| matches!(*segment, "" | "." | "..") || segment.contains(odd)) {
            return None;
        }
        url.path_segments_mut().ok()?.pop_if_empty().extend(["api", "v4"]).extend(&self.segments);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_or_id_makes_another_call() {
        let site = SiteUrl::new("https://chat.example.com/team").unwrap();
        let ids =
            ["", "..", ".", "../users/x", "a/../x", "..\\users", ".\t.", "%2e%2e", "a#", "a?b", ".\n./x"];
        for id in ids {
            assert!(Endpoint::new(&["commands", id]).url(&site).is_none(), "{id:?}");
        }
        let named = Endpoint::new(&["users", "username", "a.b_c-d:e"]).url(&site).unwrap();
        assert_eq!(named.as_str(), "https://chat.example.com/team/api/v4/users/username/a.b_c-d:e");
        let query = Endpoint::new(&["commands"])
            .query("team_id", "x&y")
            .query("custom_only", "true")
            .url(&site)
            .unwrap();
        assert_eq!(
            query.as_str(),
            "https://chat.example.com/team/api/v4/commands?team_id=x%26y&custom_only=true"
        );
    }
}
