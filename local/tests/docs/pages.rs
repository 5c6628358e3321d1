//! The Markdown pages of the project, and its other files.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// A page.
pub struct Page {
    /// From the root of the project: `docs/protocol.md`.
    pub path: String,
    pub text: String,
    pub headings: Vec<Heading>,
    /// Destinations of links, with their lines.
    pub links: Vec<(String, usize)>,
    pub blocks: Vec<Block>,
    /// Code inside of sentences and tables, with its line.
    pub spans: Vec<(String, usize)>,
}

pub struct Heading {
    pub text: String,
    /// What stands after `#` in a link to it.
    pub anchor: String,
}

/// A block of code.
pub struct Block {
    /// `json`; empty where the fence names none, or there is no fence.
    pub language: String,
    /// What follows the language.
    pub about: String,
    pub text: String,
    /// Of the page, from 1.
    pub line: usize,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What `cloud-apps init` makes the page of a new workspace of.
const SKELETON: &str = "local/skeleton/README.md.in";

/// Every page that people read, that of a new workspace included. Expected output of tests is none.
pub fn pages() -> Vec<Page> {
    let pages = files(&["md"]).into_iter().chain([SKELETON.to_owned()]);
    pages.map(|path| Page::read(&path)).collect()
}

/// Files whose names end so, from the root of the project, in order. Nothing that tools made.
pub fn files(extensions: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = folder.join(&name);
            if entry.file_type().unwrap().is_dir() {
                if !name.starts_with('.') && !["target", "golden", "node_modules"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if name.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension)) {
                found.push(path.into_os_string().into_string().unwrap());
            }
        }
    }
    found.sort();
    found
}

/// Reads a file of the project.
pub fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

impl Page {
    pub fn read(path: &str) -> Self {
        let text = text(path).replace("{{name}}", "mine");
        let mut page = Self {
            path: path.to_owned(),
            text: text.clone(),
            headings: Vec::new(),
            links: Vec::new(),
            blocks: Vec::new(),
            spans: Vec::new(),
        };
        let mut taken = HashMap::new();
        let (mut in_heading, mut in_block) = (false, false);
        for (event, place) in Parser::new_ext(&text, Options::ENABLE_TABLES).into_offset_iter() {
            let line = text[..place.start].matches('\n').count() + 1;
            let is_code = matches!(event, Event::Code(_));
            match event {
                Event::Start(Tag::Heading { .. }) => {
                    in_heading = true;
                    page.headings.push(Heading { text: String::new(), anchor: String::new() });
                }
                Event::End(TagEnd::Heading(_)) => {
                    in_heading = false;
                    let heading = page.headings.last_mut().unwrap();
                    heading.anchor = anchor(&heading.text, &mut taken);
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    in_block = true;
                    let info = match &kind {
                        CodeBlockKind::Fenced(info) => info.trim(),
                        CodeBlockKind::Indented => "",
                    };
                    let (language, about) = info.split_once([' ', ',']).unwrap_or((info, ""));
                    page.blocks.push(Block {
                        language: language.to_owned(),
                        about: about.to_owned(),
                        text: String::new(),
                        line,
                    });
                }
                Event::End(TagEnd::CodeBlock) => in_block = false,
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push((dest_url.into_string(), line));
                }
                Event::Text(words) | Event::Code(words) => {
                    if is_code && !in_block {
                        page.spans.push((words.to_string(), line));
                    }
                    if in_heading {
                        page.headings.last_mut().unwrap().text.push_str(&words);
                    } else if in_block {
                        page.blocks.last_mut().unwrap().text.push_str(&words);
                    }
                }
                _ => {}
            }
        }
        page
    }

    /// The lines of the section with this heading, up to the next heading of any level.
    pub fn section(&self, heading: &str) -> Vec<&str> {
        let mut lines = self.text.lines().skip_while(|line| line.trim_start_matches('#').trim() != heading);
        assert!(lines.next().is_some(), "{} has no heading {heading:?}", self.path);
        lines.take_while(|line| !line.starts_with('#')).collect()
    }
}

/// As GitHub makes it: in lower case, without punctuation, `-` for spaces, and numbered where there are several.
fn anchor(heading: &str, taken: &mut HashMap<String, usize>) -> String {
    let plain = heading.to_lowercase().replace(' ', "-");
    let anchor: String = plain.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect();
    let before = taken.entry(anchor.clone()).and_modify(|count| *count += 1).or_insert(0);
    if *before == 0 { anchor } else { format!("{anchor}-{before}") }
}
