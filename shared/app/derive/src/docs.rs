//! Documentation comments as help.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The first paragraph on one line, and the rest as Markdown.
pub struct Docs {
    /// The first paragraph, on one line.
    pub summary: String,
    /// The rest. It may be empty.
    pub rest: String,
}

impl Docs {
    /// Reads `///` and `#[doc = "…"]`.
    pub fn of(attributes: &[Attribute]) -> Self {
        let lines: Vec<String> = attributes.iter().filter_map(line).collect();
        let text = lines.join("\n");
        let text = text.trim();
        let (first, rest) = text.split_once("\n\n").unwrap_or((text, ""));
        Self { summary: one_line(first), rest: rest.trim().to_owned() }
    }

    /// Everything on one line, where there is no room for paragraphs.
    pub fn whole(&self) -> String {
        let rest = one_line(&self.rest);
        if rest.is_empty() { self.summary.clone() } else { format!("{} {rest}", self.summary) }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    if !pair.path.is_ident("doc") {
        return None;
    }
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { return None };
    // `/// text` is " text". Text that is indented further keeps its indentation.
    let text = text.value();
    Some(text.strip_prefix(' ').unwrap_or(&text).trim_end().to_owned())
}
