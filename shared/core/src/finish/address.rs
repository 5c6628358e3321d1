//! Addresses that an app gives a client to follow or to load. Never a script.

use url::Url;

/// Schemes that Mattermost's clients make a link of.
const LINKS: [&str; 6] = ["http", "https", "ftp", "mailto", "tel", "mattermost"];

/// Schemes from which they load a picture.
const PICTURES: [&str; 2] = ["http", "https"];

/// Characters of an address; longer ones are none that a browser or a server takes.
const LONGEST: usize = 8 * 1024;

/// Whether a person may be sent there: an absolute address, or a path on the Mattermost server.
pub fn is_link(address: &str) -> bool {
    is_of(address, &LINKS)
}

/// Whether a picture may be loaded from there.
pub fn is_picture(address: &str) -> bool {
    is_of(address, &PICTURES)
}

fn is_of(address: &str, schemes: &[&str]) -> bool {
    if address.len() > LONGEST {
        return false;
    }
    // Read as a browser reads it, which drops line breaks and tabs from `java\nscript:`.
    address.starts_with('/') || Url::parse(address).is_ok_and(|url| schemes.contains(&url.scheme()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_are_gone_to() {
        for (address, link, picture) in [
            ("https://example.com/x", true, true),
            ("/ops/channels/town-square", true, true),
            ("mattermost://chat.example.com", true, false),
            ("mailto:alice@example.com", true, false),
            ("tel:+49301234", true, false),
            ("javascript:alert(1)", false, false),
            ("JavaScript:alert(1)", false, false),
            (" java\nscript:alert(1)", false, false),
            ("\u{1}javascript:alert(1)", false, false),
            ("vbscript:x", false, false),
            ("data:text/html,x", false, false),
            ("data:image/svg+xml,x", false, false),
            ("file:///etc/passwd", false, false),
            ("example.com", false, false),
            ("", false, false),
        ] {
            assert_eq!((is_link(address), is_picture(address)), (link, picture), "{address:?}");
        }
        assert!(!is_link(&format!("https://example.com/{}", "x".repeat(LONGEST))));
    }
}
