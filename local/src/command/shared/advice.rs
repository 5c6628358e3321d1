//! Every `cloud-apps …` that a source or a page of this repository advises is a command line that exists.

use crate::command::command_line;
use clap::error::ErrorKind;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The kinds of files that people read, or whose messages people read.
const KINDS: [&str; 11] = ["rs", "md", "in", "py", "mjs", "yaml", "toml", "json", "rb", "go", "sh"];
/// Words that stand for any options.
const ANY: [&str; 2] = ["…", "{options}"];

/// The files of the repository, without what is built or fetched.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name().into_string().unwrap();
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if entry.file_type().unwrap().is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                files(&path, found);
            }
        } else if KINDS.contains(&kind) || name == "Makefile" {
            found.push(path);
        }
    }
}

/// The text with each statement on one line: the lines of a comment, of a paragraph and of a long string belong
/// together.
fn joined(text: &str) -> String {
    let mut joined = String::new();
    for line in text.lines() {
        let line = line.trim();
        let comment = line.trim_start_matches(['/', '!', '#']).trim_start();
        joined.push_str(if line.starts_with("//") { comment } else { line.trim_end_matches('\\') });
        // A line ends where a word ends.
        joined.push(' ');
    }
    joined.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The command lines of a text: what stands between backticks, and whole lines. In a source a whole line may be prose
/// (`cloud-apps makes it …`), so there only a line counts that begins with a command.
fn advised(text: &str, source: bool) -> Vec<String> {
    let joined = joined(text);
    let quoted =
        joined.split("`cloud-apps ").skip(1).filter_map(|rest| rest.split_once('`')).map(|(line, _)| line);
    let commands = command_line(None);
    let whole = text.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches("$ ");
        let line =
            line.strip_prefix("cargo run -p local -- ").or_else(|| line.strip_prefix("cloud-apps "))?;
        let line =
            line.trim_end_matches('\\').trim_end().trim_end_matches("\\n").trim_end_matches(['"', ')']);
        let first = line.split_whitespace().next()?;
        let counts = !source || commands.find_subcommand(first).is_some();
        counts.then_some(line)
    });
    let words = quoted.chain(whole).filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    // What comes after a pipe, or is a comment, is not of this program.
    words.map(|line| line.split(['|', '#']).next().unwrap_or(line).trim().to_owned()).collect()
}

/// A value that stands for a placeholder.
fn filled(word: &str, before: &str) -> String {
    if before == "--ca" {
        // This file is read with the command line.
        return concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates/company-ca.pem").to_owned();
    }
    let placeholder =
        word.contains('{') || (word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c == '|'));
    if !placeholder {
        return word.to_owned();
    }
    match before {
        "--site" | "--bundle" | "--base-url" | "--slash-url" => "https://chat.example.com",
        "--set" => "name=value",
        _ if word.contains("URL") => "https://chat.example.com",
        _ if word == "MINUTES" => "15",
        // An app, an install and a file can have this name.
        _ => "aaaaaaaaaaaaaaaaaaaaaaaaaa",
    }
    .to_owned()
}

fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut quoted = false;
    let mut word = String::new();
    for c in line.chars().chain([' ']) {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => {
                let before = words.last().map_or("", String::as_str);
                let whole = filled(&word, before);
                if !word.is_empty() && !ANY.contains(&word.as_str()) {
                    words.push(whole);
                }
                word.clear();
            }
            c => word.push(c),
        }
    }
    words
}

#[test]
fn every_advised_command_line_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut all = Vec::new();
    files(&root, &mut all);
    let (mut checked, mut wrong) = (0, Vec::new());
    for path in all {
        // What this program was called before is the subject there.
        if path.ends_with("CHANGELOG.md") || path.ends_with("advice.rs") {
            continue;
        }
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let source = path.extension().is_some_and(|kind| kind != "md" && kind != "in");
        for line in advised(&text, source) {
            checked += 1;
            let words = words(&line);
            let parsed = command_line(Some(80))
                .try_get_matches_from([&["cloud-apps".to_owned()][..], &words].concat());
            match parsed.map_err(|error| error.kind()) {
                Ok(_)
                // A line may name a command and leave its arguments to the reader.
                | Err(
                    ErrorKind::MissingRequiredArgument
                    | ErrorKind::MissingSubcommand
                    | ErrorKind::DisplayHelp
                    | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                    | ErrorKind::DisplayVersion,
                ) => {}
                Err(kind) => wrong.push(format!("{}: cloud-apps {line} ({kind:?})", path.display())),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {checked} advised command lines do not exist:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(checked > 150, "{checked} advised command lines were found");
}
