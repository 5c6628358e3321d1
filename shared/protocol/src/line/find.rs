//! Finds the function that a line names: the longest sequence of its first words that is a function or a preset.

use super::{
    Grammar, Target,
    lexer::{Word, is_dash},
};
use crate::{Field, text::without_ignorable};

/// How many words a name can have: it has 64 characters, and each word has one and a separator.
pub(super) const MAX_WORDS: usize = 32;

/// The words before the first flag or literal.
pub(super) fn bare(words: &[Word]) -> impl Iterator<Item = &str> {
    words.iter().map_while(|word| word.plain().filter(|text| !text.starts_with("--"))).take(MAX_WORDS)
}

/// The words without flags as one name.
pub(super) fn joined(words: &[Word]) -> String {
    normal(&bare(words).collect::<Vec<_>>().join("_"))
}

/// The name and its beginnings, longest first, down to one word.
pub(super) fn stems(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.rsplit_once('_').map(|(head, _)| head))
}

/// A name in its standard form: spaces, dashes and `_` are the same.
pub(super) fn normal(text: &str) -> String {
    without_ignorable(text).to_lowercase().replace(|c| c == ' ' || is_dash(c), "_")
}

/// A name as people write it.
pub(super) fn spoken(name: &str) -> String {
    name.replace('_', " ")
}

/// A field's name as a flag.
pub(super) fn flag(field: &Field) -> String {
    format!("--{}", field.name.as_str().replace('_', "-"))
}

/// The target that the most words name, and the words after them.
pub(super) fn longest<'g, 'w>(grammar: &Grammar<'g>, words: &'w [Word]) -> Option<(Target<'g>, &'w [Word])> {
    let bare: Vec<String> = bare(words).map(normal).collect();
    (1..=bare.len()).rev().find_map(|n| {
        let target = grammar.target(&bare.get(..n)?.join("_"))?;
        Some((target, words.get(n..)?))
    })
}
