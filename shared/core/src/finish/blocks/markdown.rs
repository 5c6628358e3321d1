//! Texts as both renderings write them.

/// Takes the place of a text that is blank: nobody sees it, and it is not empty.
pub const UNSEEN: &str = "\u{200b}";

/// In bold, if Markdown can say that of the whole text: one line, which is no heading, list, quote or table.
pub fn bold(text: &str) -> String {
    let line = !text.contains(['\n', '*']) && text.trim() == text && !text.is_empty();
    if line && !text.starts_with(['#', '>', '|', '-', '+']) { format!("**{text}**") } else { text.to_owned() }
}
