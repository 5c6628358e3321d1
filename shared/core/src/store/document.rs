//! The JSON documents that stores keep: how large they may be, and how they are written and read.

use crate::store::ports::{StoreError, Stored};
use serde::{Deserialize, Serialize};

/// The largest document of one item, in bytes of JSON. DynamoDB allows 400 KiB for an item with all its attributes.
pub const MAX_DOCUMENT: usize = 390 * 1024;
/// The largest value that the ledger keeps, in bytes.
pub const MAX_VALUE: usize = 64 * 1024;
/// The version of every stored item. A reader accepts this version and refuses any other.
pub const ITEM_VERSION: u64 = 1;

/// Writes a document, if it fits.
pub fn write<T: Serialize>(what: &'static str, value: &T) -> Stored<String> {
    // The model has text keys and finite numbers, so it always serialises.
    let json = serde_json::to_string(value)
        .map_err(|error| StoreError::Unavailable { what, source: Box::new(error) })?;
    if json.len() > MAX_DOCUMENT { Err(StoreError::TooLarge { what, limit: MAX_DOCUMENT }) } else { Ok(json) }
}

/// Refuses a text that is too large for a document.
pub fn check_text(what: &'static str, text: &str) -> Stored<()> {
    if text.len() > MAX_DOCUMENT { Err(StoreError::TooLarge { what, limit: MAX_DOCUMENT }) } else { Ok(()) }
}

/// Reads a document. The error says where it is wrong, and never repeats its content.
pub fn read<T: for<'de> Deserialize<'de>>(what: &'static str, version: u64, json: &str) -> Stored<T> {
    check_version(what, version)?;
    serde_json::from_str(json).map_err(|error| StoreError::Corrupt { what, detail: without_content(&error) })
}

/// Refuses an item of another version.
pub fn check_version(what: &'static str, version: u64) -> Stored<()> {
    if version == ITEM_VERSION {
        return Ok(());
    }
    let detail = format!(
        "it has version {version}, and this program reads {ITEM_VERSION}: run the version that wrote it, or a later one"
    );
    Err(StoreError::Corrupt { what, detail })
}

/// Refuses a value that is too large for the ledger.
pub fn check_value(what: &'static str, value: &str) -> Stored<()> {
    if value.len() > MAX_VALUE { Err(StoreError::TooLarge { what, limit: MAX_VALUE }) } else { Ok(()) }
}

/// What is wrong with a JSON text, and where. Serde's own message may quote the text, so it is not used.
pub fn without_content(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Io => "could not be read",
        serde_json::error::Category::Syntax => "is not JSON",
        serde_json::error::Category::Data => "does not have the expected shape",
        serde_json::error::Category::Eof => "ends too early",
    };
    format!("the JSON {kind} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_a_later_version_says_what_to_do() {
        let error = read::<u64>("a test", ITEM_VERSION + 1, "1").unwrap_err().to_string();
        assert!(error.contains("version 2") && error.contains("run the version that wrote it"), "{error}");
    }
}
