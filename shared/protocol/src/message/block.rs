//! Blocks: the parts of a message's layout.

use super::action::{Action, Actions, is_default};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A part of a message's layout. Blocks with a form are not served yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Block {
    /// A text.
    Text(Text),
    /// A table of titles and texts.
    Facts(Facts),
    /// A picture.
    Image(Image),
    /// A line across.
    Divider(Divider),
    /// Blocks that belong together.
    Container(Container),
    /// Blocks that a reader folds and unfolds.
    Collapsible(Collapsible),
    /// Blocks side by side.
    Columns(Columns),
    /// Buttons, menus and checkboxes in a row.
    Actions(Actions),
    // `form` comes here. Until then `shape.rs` refuses it with a sentence.
}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Text {
    /// Mattermost Markdown. An app escapes what it did not write.
    pub text: String,
    /// In a paler color, where the server has blocks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub subtle: bool,
    /// How large it is, where the server has blocks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub size: TextSize,
}

/// How large a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum TextSize {
    /// As the text of a message.
    #[default]
    Default,
    /// Smaller.
    Small,
}

/// A table of titles and texts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Facts {
    /// At least one.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub items: Vec<Fact>,
}

/// A title and a text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fact {
    /// In bold above the text.
    pub title: String,
    /// Mattermost Markdown.
    pub text: String,
    /// Whether two such facts stand side by side.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub short: bool,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Image {
    /// Where clients load it from: `https` or `http`, or a path on the Mattermost server.
    pub url: String,
    /// What it shows, for readers who do not see it. Required.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub alt_text: String,
    /// In bold above it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// How large it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub size: ImageSize,
}

/// How large a picture is. As an attachment `xsmall` and `small` stand at the right of the text, all others under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(missing_docs)] // The words of Mattermost Blocks.
pub enum ImageSize {
    Auto,
    Xsmall,
    Small,
    Medium,
    Large,
    /// As wide as there is room.
    #[default]
    Stretch,
}

/// A line across.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Divider {}

/// Blocks that belong together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Container {
    /// At least one.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub content: Vec<Block>,
    /// The color of the line at the left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accent: Option<Accent>,
    /// A line around it, where the server has blocks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub border: bool,
    /// The color behind it, where the server has blocks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub background: Background,
    /// The room between its blocks, where the server has blocks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub gap: Gap,
}

/// The color behind a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(missing_docs)] // The words of Mattermost Blocks.
pub enum Background {
    #[default]
    None,
    Gray,
}

/// The room between the blocks of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(missing_docs)] // The words of Mattermost Blocks.
pub enum Gap {
    #[default]
    None,
    Small,
    Medium,
    Large,
    Xlarge,
}

/// Blocks that a reader folds and unfolds. As attachments they stand unfolded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Collapsible {
    /// What is always seen; as attachments its texts are bold. At least one.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub header: Vec<Block>,
    /// What is folded. At least one.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub content: Vec<Block>,
    /// Whether it is folded at first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub collapsed: bool,
}

/// Blocks side by side. As attachments the columns stand one below the other.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Columns {
    /// The blocks of each column. At least one column, each with at least one block.
    #[cfg_attr(feature = "schema", schemars(length(min = 1), inner(length(min = 1))))]
    pub columns: Vec<Vec<Block>>,
}

/// A color with a meaning, or any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(with = "String", extend("pattern" = "^(default|primary|good|warning|danger|#[0-9A-Fa-f]{6})$"))
)]
pub enum Accent {
    /// The server's own.
    Default,
    /// That of its main buttons.
    Primary,
    /// Green.
    Good,
    /// Yellow.
    Warning,
    /// Red.
    Danger,
    /// Red, green and blue.
    Color(u8, u8, u8),
}

/// A word that is no accent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is none of default, primary, good, warning, danger, and no color such as #1C58D9")]
pub struct BadAccent;

impl FromStr for Accent {
    type Err = BadAccent;

    fn from_str(text: &str) -> Result<Self, BadAccent> {
        Ok(match text {
            "default" => Self::Default,
            "primary" => Self::Primary,
            "good" => Self::Good,
            "warning" => Self::Warning,
            "danger" => Self::Danger,
            color => {
                let digits = color.strip_prefix('#').ok_or(BadAccent)?.as_bytes();
                let [red, green, blue]: [u8; 3] = data_encoding::HEXLOWER_PERMISSIVE
                    .decode(digits)
                    .ok()
                    .and_then(|bytes| bytes.try_into().ok())
                    .ok_or(BadAccent)?;
                Self::Color(red, green, blue)
            }
        })
    }
}

impl TryFrom<String> for Accent {
    type Error = BadAccent;

    fn try_from(text: String) -> Result<Self, BadAccent> {
        text.parse()
    }
}

impl From<Accent> for String {
    fn from(accent: Accent) -> String {
        accent.to_string()
    }
}

impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Primary => f.write_str("primary"),
            Self::Good => f.write_str("good"),
            Self::Warning => f.write_str("warning"),
            Self::Danger => f.write_str("danger"),
            Self::Color(red, green, blue) => write!(f, "#{red:02X}{green:02X}{blue:02X}"),
        }
    }
}

fn all(blocks: impl IntoIterator<Item = impl Into<Block>>) -> Vec<Block> {
    blocks.into_iter().map(Into::into).collect()
}

/// The usual ones. A block that looks otherwise is made from its struct:
///
/// ```
/// use cloud_apps_protocol::message::{Accent, Block, Container};
///
/// let failed = Container::new([
///     Block::text("**Build 13 failed.**"),
///     Block::facts([("Branch", "main"), ("Step", "test")]),
///     Block::collapsible("Log", [Block::text("```\nassertion failed\n```")]),
/// ])
/// .accent(Accent::Danger);
/// assert_eq!(serde_json::to_value(Block::from(failed)).unwrap()["accent"], "danger");
/// ```
impl Block {
    /// A text in Mattermost Markdown. Escape what the app did not write.
    pub fn text(text: impl Into<String>) -> Self {
        Text { text: text.into(), ..Text::default() }.into()
    }

    /// A table of titles and texts, two side by side.
    pub fn facts<T: Into<String>, U: Into<String>>(facts: impl IntoIterator<Item = (T, U)>) -> Self {
        let fact = |(title, text): (T, U)| Fact { title: title.into(), text: text.into(), short: true };
        Facts { items: facts.into_iter().map(fact).collect() }.into()
    }

    /// A picture, and what it shows.
    pub fn image(url: impl Into<String>, alt_text: impl Into<String>) -> Self {
        Image { url: url.into(), alt_text: alt_text.into(), ..Image::default() }.into()
    }

    /// A line across.
    pub fn divider() -> Self {
        Divider {}.into()
    }

    /// Blocks that belong together.
    pub fn container(content: impl IntoIterator<Item = impl Into<Block>>) -> Self {
        Container::new(content).into()
    }

    /// Blocks that a reader unfolds, under a header in Markdown.
    pub fn collapsible(
        header: impl Into<String>,
        content: impl IntoIterator<Item = impl Into<Block>>,
    ) -> Self {
        Collapsible { header: vec![Self::text(header)], content: all(content), collapsed: true }.into()
    }

    /// Columns of blocks. Write columns of different lengths as `Vec`s:
    ///
    /// ```
    /// # use cloud_apps_protocol::Block;
    /// Block::columns([vec![Block::text("left")], vec![Block::text("right"), Block::divider()]]);
    /// ```
    pub fn columns(columns: impl IntoIterator<Item = impl IntoIterator<Item = impl Into<Block>>>) -> Self {
        Columns { columns: columns.into_iter().map(all).collect() }.into()
    }

    /// Buttons, menus and checkboxes in a row.
    pub fn actions(items: impl IntoIterator<Item = impl Into<Action>>) -> Self {
        Actions { items: items.into_iter().map(Into::into).collect() }.into()
    }
}

impl Container {
    /// Blocks that belong together.
    pub fn new(content: impl IntoIterator<Item = impl Into<Block>>) -> Self {
        Self { content: all(content), ..Self::default() }
    }

    /// With a line in this color at the left.
    #[must_use]
    pub fn accent(mut self, accent: Accent) -> Self {
        self.accent = Some(accent);
        self
    }
}

macro_rules! into_block {
    ($($name:ident),*) => {$(
        impl From<$name> for Block {
            fn from(block: $name) -> Self {
                Self::$name(block)
            }
        }
    )*};
}

into_block!(Text, Facts, Image, Divider, Container, Collapsible, Columns, Actions);
