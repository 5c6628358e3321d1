//! Links between pages, and what code says of pages.

use super::pages::{Page, files, pages, root, text};
use std::{
    collections::{BTreeSet, HashMap},
    path::{Component, Path, PathBuf},
};

/// How the names of files end in which a page or a section may be named, beside pages themselves.
const SOURCES: [&str; 7] = ["rs", "py", "sh", "toml", "yaml", "json", "in"];

/// Page → its anchors.
fn anchors() -> HashMap<String, BTreeSet<String>> {
    let anchors = |page: Page| page.headings.into_iter().map(|heading| heading.anchor).collect();
    pages().into_iter().map(|page| (page.path.clone(), anchors(page))).collect()
}

/// What is wrong with a link to `path#anchor`, from the root of the project.
fn dead(path: &str, anchor: Option<&str>, anchors: &HashMap<String, BTreeSet<String>>) -> Option<String> {
    if !root().join(path).exists() {
        return Some(format!("there is no {path}"));
    }
    let anchor = anchor?;
    let known = anchors.get(path).is_some_and(|known| known.contains(anchor));
    (!known).then(|| format!("{path} has no heading #{anchor}"))
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> String {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop(), "{} leads out of the project", path.display()),
            Component::Normal(name) => plain.push(name),
            _ => {}
        }
    }
    plain.into_os_string().into_string().unwrap()
}

#[test]
fn every_link_of_a_page_leads_to_a_file_and_a_heading() {
    let anchors = anchors();
    let mut wrong = Vec::new();
    for page in pages() {
        for (link, line) in &page.links {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = match link.split_once('#') {
                Some((path, anchor)) => (path, Some(anchor)),
                None => (link.as_str(), None),
            };
            let target = if path.is_empty() {
                page.path.clone()
            } else {
                plain(&Path::new(&page.path).parent().unwrap().join(path))
            };
            wrong.extend(
                dead(&target, anchor, &anchors).map(|why| format!("{}:{line}: ({link}) {why}", page.path)),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Folders from which pages name files.
const BASES: [&str; 3] = ["", "shared", "shared/core/src"];

#[test]
fn every_file_that_a_page_names_is_there() {
    let mut wrong = Vec::new();
    let mut found = 0;
    for page in pages() {
        for (span, line) in &page.spans {
            let is_path = span.chars().all(|c| c.is_ascii_alphanumeric() || "-_/.".contains(c));
            let is_file = [".rs", ".toml", ".yaml", ".py", ".sh"].iter().any(|end| span.ends_with(end));
            if !is_path || !is_file || !span.contains('/') {
                continue;
            }
            found += 1;
            let beside = Path::new(&page.path).parent().unwrap();
            let there =
                BASES.iter().map(Path::new).chain([beside]).any(|base| root().join(base).join(span).exists());
            if !there {
                wrong.push(format!("{}:{line}: there is no {span}", page.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found > 10, "only {found} were found");
}

/// `docs/architecture.md#secrets` in a comment or a message: where it leads.
fn named_pages(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.match_indices("docs/").filter_map(|(at, _)| {
        let rest = &text[at..];
        let end = rest.find(".md")? + ".md".len();
        let path = &rest[..end];
        let is_path = |c: char| c.is_ascii_alphanumeric() || "-_/.".contains(c);
        if !path.chars().all(is_path) {
            return None;
        }
        let anchor = rest[end..].strip_prefix('#').map(|rest| {
            let end = rest.find(|c: char| !c.is_alphanumeric() && !"-_".contains(c)).unwrap_or(rest.len());
            &rest[..end]
        });
        Some((path, anchor))
    })
}

#[test]
fn every_page_that_code_names_is_there() {
    let anchors = anchors();
    let mut wrong = Vec::new();
    for file in files(&SOURCES) {
        for (path, anchor) in named_pages(&text(&file)) {
            wrong.extend(dead(path, anchor, &anchors).map(|why| format!("{file}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The numbers after each "section" or "sections" of a text. Sections of RFCs are others.
fn sections(text: &str) -> Vec<String> {
    const COMMENT: [&str; 5] = ["//", "///", "//!", "#", "*"];
    let words: Vec<&str> = text.split_whitespace().filter(|word| !COMMENT.contains(word)).collect();
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let word = word.trim_start_matches(['(', '[', '"', '`', '*']).to_lowercase();
        if !["section", "sections"].contains(&word.as_str()) {
            continue;
        }
        if words[at.saturating_sub(3)..at].iter().any(|word| word.contains("RFC")) {
            continue;
        }
        for next in &words[at + 1..] {
            let number: String = next.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            let number = number.trim_end_matches('.');
            if number.starts_with(|c: char| c.is_ascii_digit()) {
                found.push(number.to_owned());
                // "sections 3, 4 and 5" goes on; "section 3)" ends.
                if next.len() == number.len() || next.trim_start_matches(number) == "," {
                    continue;
                }
                break;
            }
            if !["and", "to", "or"].contains(next) {
                break;
            }
        }
    }
    found
}

#[test]
fn a_section_is_found_wherever_a_comment_names_it() {
    let text = "//! Values (sections 6 and 9); the\n//! check of (protocol, section\n//! 14.3). RFC 6761, section 6.3.";
    assert_eq!(sections(text), ["6", "9", "14.3"]);
    assert_eq!(sections("In section 2, 3 things; this section is short."), ["2", "3"]);
}

#[test]
fn every_section_that_code_or_a_page_names_is_one_of_the_protocol() {
    let protocol = Page::read("docs/protocol.md");
    let numbers: BTreeSet<&str> = protocol
        .headings
        .iter()
        .filter_map(|heading| heading.text.split(' ').next())
        .map(|number| number.trim_end_matches('.'))
        .filter(|number| number.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    let mut wrong = Vec::new();
    let mut found = 0;
    let pages = files(&["md"]).into_iter();
    for file in files(&SOURCES).into_iter().chain(pages) {
        if file.ends_with("tests/docs/links.rs") {
            continue;
        }
        for number in sections(&text(&file)) {
            found += 1;
            if !numbers.contains(number.as_str()) {
                wrong.push(format!("{file}: docs/protocol.md has no section {number}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found > 50, "only {found} were found: does the test still look at the sources?");
}
