//! `cloud-apps validate`: like a compiler, every problem with its line, a caret and a hint.

use crate::{
    arguments::Validate,
    failure::{Failure, file},
};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use cloud_apps_protocol::{Manifest, manifest::Problem};
use std::{io::Read, ops::Range, path::Path, process::ExitCode};

/// Checks a manifest.
pub fn run(arguments: &Validate) -> Result<ExitCode, Failure> {
    let (name, text) = read(&arguments.file)?;
    match Manifest::parse(&text) {
        Ok(manifest) => {
            anstream::println!(
                "{name}: {} {} is valid: {}, {}, {}.",
                manifest.id,
                manifest.version,
                count(manifest.commands.len(), "command"),
                count(manifest.events.len(), "event"),
                count(manifest.settings.len(), "setting"),
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            for problem in &problems {
                anstream::eprintln!("{}\n", render(&name, &text, problem));
            }
            anstream::eprintln!("{name}: {}.", count(problems.len(), "problem"));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// A manifest's name for people, and its text.
pub(super) fn read(path: &Path) -> Result<(String, String), Failure> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|e| Failure::new(format!("cannot read standard input: {e}")))?;
        return Ok(("standard input".to_owned(), text));
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        file("read", path)(error)
            .hint("`cloud-apps validate mattermost-cloud-app.json`, or `-` for standard input")
    })?;
    Ok((path.display().to_string(), text))
}

pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A problem as a compiler shows one.
pub(super) fn render(name: &str, text: &str, problem: &Problem) -> String {
    let span = span(text, problem);
    let at = if problem.pointer.is_empty() { "the manifest" } else { &problem.pointer };
    let error = Level::ERROR
        .primary_title(&problem.message)
        .element(Snippet::source(text).path(name).annotation(AnnotationKind::Primary.span(span).label(at)));
    let mut report: Vec<Group<'_>> = vec![error];
    if !problem.hint.is_empty() {
        report.push(Group::with_title(Level::HELP.secondary_title(&problem.hint)));
    }
    Renderer::styled().render(&report)
}

/// The bytes of `text` that a problem means.
fn span(text: &str, problem: &Problem) -> Range<usize> {
    let line_start = text
        .split_inclusive('\n')
        .take((problem.line as usize).saturating_sub(1))
        .map(str::len)
        .sum::<usize>()
        .min(text.len());
    let line = text.get(line_start..).unwrap_or_default();
    let offset = |chars: usize| line.char_indices().nth(chars).map_or(line.len(), |(at, _)| at);
    let first = (problem.column as usize).saturating_sub(1);
    let start = line_start + offset(first);
    let end = line_start + offset(first + problem.length.max(1) as usize);
    start..end.max(start)
}
