//! Shows a problem of a file at its place, as compilers do.

use super::{
    clean::{clean, clean_lines},
    write_err,
};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use cloud_apps_protocol::manifest::Problem;
use std::ops::Range;

/// Shows a problem of a manifest, on standard error.
pub fn problem(name: &str, text: &str, problem: &Problem) {
    // Each character is replaced by one character, so no place moves.
    let text = clean_lines(&text.replace("\r\n", "\n"));
    let (name, message) = (clean(name), clean(&problem.message));
    // A hint may be a table.
    let hint = clean_lines(&problem.hint);
    let span = span(&text, problem);
    let at = if problem.pointer.is_empty() { "the manifest".to_owned() } else { clean(&problem.pointer) };
    let error = Level::ERROR.primary_title(&message).element(
        Snippet::source(&text).path(&name).annotation(AnnotationKind::Primary.span(span).label(&at)),
    );
    let mut report: Vec<Group<'_>> = vec![error];
    if !hint.is_empty() {
        report.push(Group::with_title(Level::HELP.secondary_title(&hint)));
    }
    write_err(&format!("{}\n\n", Renderer::styled().render(&report)));
}

/// The bytes of `text` that a problem is about.
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
