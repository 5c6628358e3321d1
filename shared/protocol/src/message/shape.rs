//! The shape of a message's blocks and attachments as a table.

use super::{
    Problem,
    action::Style,
    attachment::Shown,
    block::{Accent, Background, Gap, ImageSize, TextSize},
};
use crate::FunctionName;
use crate::shape::{
    ENTRIES, Fit, Key,
    Shape::{self, Any, List, Object, Open, Tagged},
    Variant::{self, Keys, NotServed},
    leaf, may, must,
};
use serde_json::Value;

static TEXT: Shape = leaf::<String>("\"\"");
static FLAG: Shape = leaf::<bool>("false");
static BLOCKS: Shape = List(&BLOCK);
static COLUMNS: Shape = List(&BLOCKS);
static BLOCK: Shape = Tagged("type", &BLOCK_TYPES);

/// What of a message is checked here; serde reads the rest.
pub(super) static MESSAGE: Shape =
    Open(&[may("blocks", &BLOCKS), may("attachments", &List(&Open(ATTACHMENT)))]);

static BLOCK_TYPES: [(&str, Variant); 9] = [
    (
        "text",
        Keys(&[must("text", &TEXT), may("subtle", &FLAG), may("size", &leaf::<TextSize>("\"default\""))]),
    ),
    ("facts", Keys(&[must("items", &List(&Object(FACT)))])),
    (
        "image",
        Keys(&[
            must("url", &TEXT),
            must("alt_text", &TEXT),
            may("title", &TEXT),
            may("size", &leaf::<ImageSize>("\"auto\"")),
        ]),
    ),
    ("divider", Keys(&[])),
    (
        "container",
        Keys(&[
            must("content", &BLOCKS),
            may("accent", &leaf::<Accent>("\"good\"")),
            may("border", &FLAG),
            may("background", &leaf::<Background>("\"none\"")),
            may("gap", &leaf::<Gap>("\"none\"")),
        ]),
    ),
    ("collapsible", Keys(&[must("header", &BLOCKS), must("content", &BLOCKS), may("collapsed", &FLAG)])),
    ("columns", Keys(&[must("columns", &COLUMNS)])),
    ("actions", Keys(&[must("items", &List(&Tagged("type", &ACTION_TYPES)))])),
    ("form", NotServed("Blocks with a form are not served yet. Leave this block out.")),
];

static NAME: Shape = leaf::<FunctionName>("\"name\"");
static VALUES: Shape = Shape::Map(ENTRIES, &Any);
static SECONDS: Shape = leaf::<u32>("1");

static ACTION_TYPES: [(&str, Variant); 3] = [
    (
        "button",
        Keys(&[
            may("label", &TEXT),
            may("function", &NAME),
            may("values", &VALUES),
            may("url", &TEXT),
            may("preset", &NAME),
            may("style", &leaf::<Style>("\"default\"")),
            may("tooltip", &TEXT),
            may("disabled", &FLAG),
            may("state", &Any),
            may("once", &FLAG),
            may("expires_in", &SECONDS),
        ]),
    ),
    (
        "select",
        Keys(&[
            may("label", &TEXT),
            must("field", &NAME),
            must("function", &NAME),
            may("values", &VALUES),
            may("disabled", &FLAG),
            may("state", &Any),
            may("once", &FLAG),
            may("expires_in", &SECONDS),
        ]),
    ),
    (
        "checkbox",
        Keys(&[
            may("label", &TEXT),
            must("field", &NAME),
            must("value", &FLAG),
            must("function", &NAME),
            may("values", &VALUES),
            may("tooltip", &TEXT),
            may("disabled", &FLAG),
            may("state", &Any),
            may("once", &FLAG),
            may("expires_in", &SECONDS),
        ]),
    ),
];

const FACT: &[Key] = &[must("title", &TEXT), must("text", &TEXT), may("short", &FLAG)];

const ATTACHMENT: &[Key] = &[
    may("fallback", &TEXT),
    may("color", &TEXT),
    may("pretext", &TEXT),
    may("author_name", &TEXT),
    may("author_link", &TEXT),
    may("author_icon", &TEXT),
    may("title", &TEXT),
    may("title_link", &TEXT),
    may("text", &TEXT),
    may("fields", &List(&Open(FIELD))),
    may("image_url", &TEXT),
    may("thumb_url", &TEXT),
    may("footer", &TEXT),
    may("footer_icon", &TEXT),
    may("actions", &List(&Any)),
];

const FIELD: &[Key] = &[may("title", &TEXT), may("value", &leaf::<Shown>("\"\"")), may("short", &FLAG)];

/// Finds everything that has a wrong shape, and takes out what is `null`. No value is repeated.
pub(crate) fn misfits(message: &mut Value) -> Vec<Problem> {
    let mut fit = Fit::confidential();
    fit.fit(&MESSAGE, message, "");
    let mut problems: Vec<_> = fit
        .findings
        .found
        .into_iter()
        .map(|found| {
            let hint = if found.hint.is_empty() { String::new() } else { format!(" {}", found.hint) };
            Problem::new(found.pointer, found.message + &hint)
        })
        .collect();
    if fit.findings.more > 0 {
        let rest = format!("There are {} more problems.", fit.findings.more);
        problems.push(Problem::new("", rest));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::schema::assert_agrees;

    #[test]
    fn the_checker_and_the_json_schema_agree_on_every_key() {
        let schema = crate::answer::schema();
        for (name, shape) in
            [("Block", &BLOCK), ("Action", &Tagged("type", &ACTION_TYPES)), ("Attachment", &Open(ATTACHMENT))]
        {
            let compared = assert_agrees(shape, &schema, &schema["$defs"][name]);
            assert!(compared > 15, "only {compared} keys of {name} were compared");
        }
    }
}
