//! Reading attributes: each key must be known, given once, and have a value of the right kind.

use proc_macro2::Span;
use std::collections::BTreeSet;
use syn::{Error, Expr, Ident, Lit, LitInt, LitStr, Result, meta::ParseNestedMeta};

/// The keys of an attribute, while they are read.
pub struct Keys {
    attribute: &'static str,
    known: &'static [&'static str],
    given: BTreeSet<String>,
}

impl Keys {
    /// The keys that `#[attribute(…)]` knows.
    pub fn new(attribute: &'static str, known: &'static [&'static str]) -> Self {
        Self { attribute, known, given: BTreeSet::new() }
    }

    /// The next key.
    pub fn next(&mut self, meta: &ParseNestedMeta) -> Result<String> {
        let key = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
        if !self.known.contains(&key.as_str()) {
            let known = self.known.join("`, `");
            return Err(
                meta.error(format!("#[{}] does not know this: write one of `{known}`", self.attribute))
            );
        }
        if !self.given.insert(key.clone()) {
            return Err(meta.error(format!("`{key}` is given twice: drop one")));
        }
        Ok(key)
    }
}

/// `key = "text"`.
pub fn text(meta: &ParseNestedMeta, example: &str) -> Result<LitStr> {
    let key = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
    let wanted = format!("`{key}` is a text: write {key} = {example:?}");
    let value = meta.value().map_err(|_| meta.error(&wanted))?;
    value.parse().map_err(|error| Error::new(error.span(), wanted))
}

/// `key = "word"`, where the word is one of these.
pub fn word(meta: &ParseNestedMeta, words: &[&str]) -> Result<String> {
    let found = text(meta, words.first().copied().unwrap_or_default())?;
    if words.contains(&found.value().as_str()) {
        return Ok(found.value());
    }
    Err(Error::new(found.span(), format!("write one of \"{}\"", words.join("\", \""))))
}

/// `key = 80`.
pub fn number(meta: &ParseNestedMeta) -> Result<u32> {
    let key = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
    let wanted = format!("`{key}` is a whole number: write {key} = 80");
    let value = meta.value().map_err(|_| meta.error(&wanted))?;
    let number: LitInt = value.parse().map_err(|error| Error::new(error.span(), &wanted))?;
    number.base10_parse().map_err(|_| Error::new(number.span(), wanted))
}

/// A default: a text, or an expression of the field's type.
pub enum Value {
    /// A text, which is used as JSON.
    Text(String),
    /// An expression of the field's type.
    Expr(Expr),
}

/// `key = …`.
pub fn value(meta: &ParseNestedMeta) -> Result<Value> {
    let expr: Expr = meta.value()?.parse()?;
    Ok(match &expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Value::Text(text.value()),
            _ => Value::Expr(expr),
        },
        _ => Value::Expr(expr),
    })
}

/// Checks the name of a function: its form, and that it is not a name of the bundle.
pub fn function_name(name: &str, span: Span, reserved: &[&str]) -> Result<()> {
    let good = (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !good {
        let message = format!(
            "{name:?} is no name: 1 to 64 characters of a-z, 0-9 and _, starting with a letter; write name = \"…\""
        );
        return Err(Error::new(span, message));
    }
    if reserved.contains(&name) {
        let words = reserved.join("`, `");
        let message = format!(
            "`{name}` is one of the bundle's own words `{words}`: choose another, or write name = \"…\""
        );
        return Err(Error::new(span, message));
    }
    Ok(())
}
