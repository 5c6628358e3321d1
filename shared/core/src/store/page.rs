//! Lists that are read page by page: their cursors, and how a page is made.

use crate::store::{
    model::{Dead, Page, SiteEntry, Sites, UnreadSite},
    ports::{StoreError, Stored},
};
use cloud_apps_protocol::SiteUrl;

/// How many entries a page has at most.
pub const MAX_PAGE: usize = 100;
/// How many teams of an install are read at most.
pub const MAX_TEAMS: usize = 2_000;

/// The cursor of a page that ended with `last`.
pub fn cursor_after(last: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(format!("1 {last}").as_bytes())
}

/// The name of the entry after which the page of a cursor begins.
fn name_in_cursor(what: &'static str, cursor: &str) -> Stored<String> {
    let bad = || StoreError::BadCursor { what };
    let bytes = data_encoding::BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| bad())?;
    let text = String::from_utf8(bytes).map_err(|_| bad())?;
    text.strip_prefix("1 ").map(str::to_owned).ok_or_else(bad)
}

/// Whether a dead letter may have this id. Stores limit the length of keys, so they are not asked for any other.
pub fn is_letter_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The dead letter after which the page of a cursor begins.
pub fn letter_of_cursor(what: &'static str, cursor: &str) -> Stored<String> {
    let id = name_in_cursor(what, cursor)?;
    if is_letter_id(&id) { Ok(id) } else { Err(StoreError::BadCursor { what }) }
}

/// The site after which the page of a cursor begins.
pub fn site_of_cursor(what: &'static str, cursor: &str) -> Stored<SiteUrl> {
    SiteUrl::new(&name_in_cursor(what, cursor)?).map_err(|_| StoreError::BadCursor { what })
}

/// A page of `limit` items, made from up to one more: then there is a next page, and the page has a cursor.
pub fn page<T>(mut items: Vec<T>, limit: usize, name: impl Fn(&T) -> &str) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let cursor = if more { items.last().map(|item| cursor_after(name(item))) } else { None };
    Page { items, cursor }
}

/// A page of `limit` sites, made from up to one line more. Each line is the site in its key and what was read of it.
pub fn of_sites(
    what: &'static str,
    mut lines: Vec<(String, Stored<SiteEntry>)>,
    limit: usize,
) -> Stored<Sites> {
    let mut cursor = None;
    if lines.len() > limit {
        lines.truncate(limit);
        // The next page begins after a site, so this page cannot end with a line whose key is no site.
        let is_site = |text: &str| SiteUrl::new(text).is_ok_and(|site| site.as_str() == text);
        let last = lines.iter().rposition(|(site, _)| is_site(site));
        let last = last.ok_or_else(|| StoreError::Corrupt {
            what,
            detail: format!("the keys of {limit} lines in a row name no site"),
        })?;
        lines.truncate(last + 1);
        cursor = lines.last().map(|(site, _)| cursor_after(site));
    }
    let mut page = Sites { items: Vec::new(), unread: Vec::new(), cursor };
    for (site, read) in lines {
        match read {
            Ok(entry) => page.items.push(entry),
            Err(error @ StoreError::Corrupt { .. }) => {
                page.unread.push(UnreadSite { site, why: error.to_string() });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}

/// A page of dead letters.
pub fn of_letters(letters: Vec<Dead>, limit: usize) -> Page<Dead> {
    page(letters, limit, |letter| &letter.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_names_the_site_after_which_its_page_begins(n in 0_usize..1_000_000, path in "(/[a-z0-9]{1,8}){0,2}") {
            let site = SiteUrl::new(&format!("{}{path}", sample::site(n))).unwrap();
            prop_assert_eq!(site_of_cursor("a test", &cursor_after(site.as_str())).unwrap(), site);
        }

        #[test]
        fn no_text_panics_as_a_cursor(text in ".{0,60}") {
            let _ = site_of_cursor("a test", &text);
            let _ = site_of_cursor("a test", &data_encoding::BASE64URL_NOPAD.encode(format!("1 {text}").as_bytes()));
        }
    }
}
