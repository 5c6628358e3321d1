//! Tables of `docs/protocol.md` against the code.

use super::pages::Page;
use cloud_apps_core::http::route::ROUTES;
use cloud_apps_protocol::{Code, limits};
use std::collections::BTreeSet;

/// The cells of the rows of tables, without their heads.
fn rows<'l>(lines: &[&'l str]) -> Vec<Vec<&'l str>> {
    let cells = |line: &'l str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    let mut rows = Vec::new();
    let mut in_body = false;
    for line in lines {
        if line.starts_with("|---") {
            in_body = true;
        } else if !line.starts_with('|') {
            in_body = false;
        } else if in_body {
            rows.push(cells(line));
        }
    }
    rows
}

/// What stands between backquotes.
fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_page_has_the_twenty_sections_and_says_of_each_whether_it_is_served() {
    let page = Page::read("docs/protocol.md");
    let numbered = page.headings.iter().filter(|heading| heading.text.split_once(". ").is_some());
    let mut count = 0;
    for heading in numbered {
        count += 1;
        assert!(heading.text.starts_with(&format!("{count}. ")), "{} is not number {count}", heading.text);
        let lines = page.section(&heading.text);
        let first = lines.iter().find(|line| !line.is_empty()).copied().unwrap_or_default();
        // Section 14 says it of each of its parts.
        let says = first.starts_with('*') && first.contains("erved");
        assert!(says || count == 14, "{} does not begin with what is served: {first}", heading.text);
    }
    assert_eq!(count, 20);
}

#[test]
fn the_page_has_every_route_of_the_bundle_and_no_other() {
    let page = Page::read("docs/protocol.md");
    let lines = page.section("Routes");
    let listed: Vec<&str> = rows(&lines).iter().flat_map(|cells| code(cells[0])).collect();
    let served: BTreeSet<String> =
        ROUTES.iter().map(|entry| format!("{} {}", entry.method, entry.pattern)).collect();
    assert_eq!(listed.iter().map(|route| (*route).to_owned()).collect::<BTreeSet<_>>(), served);
    assert_eq!(listed.len(), served.len(), "a route stands there twice");
}

#[test]
fn the_page_has_every_code_of_an_error_with_its_status() {
    let page = Page::read("docs/protocol.md");
    let lines = page.section("Errors");
    let listed: BTreeSet<(String, String)> = rows(&lines)
        .iter()
        .flat_map(|cells| code(cells[1]).map(|code| (cells[0].to_owned(), code.to_owned())))
        .collect();
    let name = |code: Code| serde_json::to_value(code).unwrap().as_str().unwrap().to_owned();
    let known = Code::ALL.into_iter().map(|code| (code.status().to_string(), name(code))).collect();
    assert_eq!(listed, known);
}

#[test]
fn the_page_has_the_limits_of_the_code() {
    const KIB: usize = 1024;
    let page = Page::read("docs/protocol.md");
    let lines = page.section("20. Limits");
    let listed: BTreeSet<(&str, &str)> = rows(&lines).iter().map(|cells| (cells[0], cells[1])).collect();
    let size = |bytes: usize| {
        if bytes.is_multiple_of(KIB * KIB) {
            format!("{} MiB", bytes / KIB / KIB)
        } else {
            format!("{} KiB", bytes / KIB)
        }
    };
    let number = |count: usize| format!("{},{:03}", count / 1000, count % 1000);
    let known = [
        ("request body, answer", size(limits::BODY)),
        ("values and keys in JSON from outside, all together", number(limits::VALUES)),
        ("manifest", size(limits::MANIFEST)),
        ("commands of an app", limits::COMMANDS.to_string()),
        ("fields of a form", limits::FIELDS.to_string()),
        ("static options of a field", limits::OPTIONS.to_string()),
        ("attachments of a message", limits::ATTACHMENTS.to_string()),
        ("actions of a message", limits::ACTIONS.to_string()),
        ("blocks of a message as rendered, nested ones included", limits::BLOCKS.to_string()),
        ("levels of nested blocks", limits::BLOCK_DEPTH.to_string()),
        (
            "texts of a message's blocks, all together",
            format!("{} characters (UTF-16)", number(limits::BLOCK_TEXT)),
        ),
        ("an app's `state`", size(limits::STATE)),
        ("an install's `settings`", size(limits::SETTINGS)),
        ("events of a request", limits::EVENTS.to_string()),
        ("one event", size(limits::EVENT)),
        ("a vendor's webhook", size(limits::WEBHOOK)),
    ];
    assert_eq!(listed, known.iter().map(|(thing, limit)| (*thing, limit.as_str())).collect());
}
