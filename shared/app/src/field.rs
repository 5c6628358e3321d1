//! The Rust types that a field of a command or of settings may have, and their types in the protocol (section 9).
//!
//! The type decides what the manifest says: an `Option` is optional, a `Vec` takes no, one or several values, a `bool` is a
//! switch. The derive macros do not read the names of types, so an alias works like its type.
//!
//! A type that no field can have does not compile, and the compiler says what to write:
//!
//! ```compile_fail
//! # use cloud_app::prelude::*;
//! enum Language { English, German } // misses #[derive(Choice)]
//!
//! /// Speaks.
//! #[derive(Command)]
//! struct Speak {
//!     /// In which language.
//!     language: Language,
//! }
//! ```
//!
//! ```
//! # use cloud_app::prelude::*;
//! #[derive(Choice)]
//! enum Language { English, German }
//!
//! /// Speaks.
//! #[derive(Command)]
//! struct Speak {
//!     /// In which language.
//!     language: Language,
//! }
//! ```
//!
//! An attribute that belongs to another type does not compile either:
//!
//! ```compile_fail
//! # use cloud_app::prelude::*;
//! /// Counts.
//! #[derive(Command)]
//! struct Count {
//!     /// To what.
//!     #[field(pattern = "[0-9]+")] // is for text
//!     to: u32,
//! }
//! ```
//!
//! ```
//! # use cloud_app::prelude::*;
//! /// Counts.
//! #[derive(Command)]
//! struct Count {
//!     /// To what.
//!     #[field(max = 100)]
//!     to: u32,
//! }
//! ```

use crate::Failure;
use cloud_apps_protocol::{
    BadId, ChannelId, FieldType, FunctionName, PostId, TeamId, UserId, Values,
    form::{Field, SelectOption},
    manifest::CommandEntry,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// A struct whose documented fields are a list of fields. `#[derive(Command)]` and `#[derive(Settings)]` make it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no fields that a form could ask",
    note = "write `#[derive(Command)]` above a command, `#[derive(Settings)]` above an app's settings"
)]
pub trait Fields: Sized + Send + 'static {
    /// The fields in their order. The error is a name that is not valid.
    fn fields() -> Result<Vec<Field>, BadId>;

    /// Makes the struct from values. The failure names each field whose value is not right.
    fn from_values(values: Values) -> Result<Self, Failure>;
}

/// A struct that is a command. `#[derive(Command)]` makes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no command",
    note = "write `#[derive(Command)]` above the struct, and `impl Run for {Self}`"
)]
pub trait Command: Fields {
    /// The function's name.
    const FUNCTION: &'static str;

    /// The command as the manifest shows it.
    fn entry() -> Result<CommandEntry, BadId>;
}

/// A type that a field can have.
#[diagnostic::on_unimplemented(
    message = "a field cannot be of type `{Self}`",
    note = "write String, bool, a number, UserId, ChannelId, PostId, TeamId, cloud_app::jiff::civil::Date, cloud_app::jiff::Timestamp, cloud_app::serde_json::Value, an enum with #[derive(Choice)], or an Option or Vec of these"
)]
pub trait FieldValue: Sized {
    /// Its type in the protocol.
    const TYPE: FieldType;
    /// Whether a value is required.
    const REQUIRED: bool = true;
    /// Whether several values are allowed.
    const MULTIPLE: bool = false;

    /// The options of a select.
    fn options() -> Vec<SelectOption> {
        Vec::new()
    }

    /// The least and the greatest value of the type, if a JSON number can be smaller or larger.
    fn bounds() -> (Option<Value>, Option<Value>) {
        (None, None)
    }

    /// Reads a value. The error completes the sentence "Write …".
    fn read(value: Value) -> Result<Self, &'static str>;

    /// The value of a field that is not given. `None`: there is none.
    fn absent() -> Option<Self> {
        None
    }

    /// The value in JSON.
    fn to_value(&self) -> Value;
}

/// Types that `pattern`, `max_length` and `subtype` belong to.
#[diagnostic::on_unimplemented(
    message = "`pattern`, `max_length` and `subtype` are for text, and this field is `{Self}`",
    note = "drop it, or make the field a String"
)]
pub trait Text {}

/// Types that `min` and `max` belong to.
#[diagnostic::on_unimplemented(
    message = "`min` and `max` are for numbers and dates, and this field is `{Self}`",
    note = "drop it, or make the field a number, a jiff::civil::Date or a jiff::Timestamp"
)]
pub trait Ordered {}

impl FieldValue for String {
    const TYPE: FieldType = FieldType::Text;
    fn read(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::String(text) => Ok(text),
            _ => Err("a text"),
        }
    }
    fn to_value(&self) -> Value {
        Value::from(self.as_str())
    }
}
impl Text for String {}

impl FieldValue for bool {
    const TYPE: FieldType = FieldType::Bool;
    const REQUIRED: bool = false;
    fn read(value: Value) -> Result<Self, &'static str> {
        value.as_bool().ok_or("yes or no")
    }
    fn absent() -> Option<Self> {
        Some(false)
    }
    fn to_value(&self) -> Value {
        Value::from(*self)
    }
}

impl FieldValue for f64 {
    const TYPE: FieldType = FieldType::Number;
    fn read(value: Value) -> Result<Self, &'static str> {
        value.as_f64().ok_or("a number")
    }
    fn to_value(&self) -> Value {
        Value::from(*self)
    }
}
impl Ordered for f64 {}

/// The whole number in a JSON number. `3.0` is one too, because some clients write 3 like that.
fn whole(value: &Value) -> Option<i128> {
    let Value::Number(number) = value else { return None };
    let exact = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    #[allow(clippy::cast_possible_truncation)] // Below 2^53 every whole f64 is exact.
    exact.or_else(|| number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9e15).map(|f| f as i128))
}

macro_rules! whole_numbers {
    ($($type:ty: $least:expr, $greatest:expr;)*) => {$(
        impl FieldValue for $type {
            const TYPE: FieldType = FieldType::Number;
            fn bounds() -> (Option<Value>, Option<Value>) {
                ($least, $greatest)
            }
            fn read(value: Value) -> Result<Self, &'static str> {
                whole(&value).and_then(|n| Self::try_from(n).ok()).ok_or("a whole number that is not too great")
            }
            fn to_value(&self) -> Value {
                Value::from(*self)
            }
        }
        impl Ordered for $type {}
    )*};
}
whole_numbers! {
    u8: Some(0.into()), Some(Self::MAX.into());
    u16: Some(0.into()), Some(Self::MAX.into());
    u32: Some(0.into()), Some(Self::MAX.into());
    u64: Some(0.into()), None;
    usize: Some(0.into()), None;
    i8: Some(Self::MIN.into()), Some(Self::MAX.into());
    i16: Some(Self::MIN.into()), Some(Self::MAX.into());
    i32: Some(Self::MIN.into()), Some(Self::MAX.into());
    i64: None, None;
}

macro_rules! parsed {
    ($($type:ty: $field:ident, $expected:literal $(, $ordered:ident)?;)*) => {$(
        impl FieldValue for $type {
            const TYPE: FieldType = FieldType::$field;
            fn read(value: Value) -> Result<Self, &'static str> {
                value.as_str().and_then(|text| text.parse().ok()).ok_or($expected)
            }
            fn to_value(&self) -> Value {
                Value::from(self.to_string())
            }
        }
        $(impl $ordered for $type {})?
    )*};
}
parsed! {
    UserId: User, "a user, such as @bob";
    ChannelId: Channel, "a channel, such as ~town-square";
    PostId: Post, "a post's permalink";
    TeamId: Team, "a team";
    jiff::civil::Date: Date, "a date, such as 2026-11-22", Ordered;
    jiff::Timestamp: Datetime, "a time, such as 2026-11-22T09:00:00Z", Ordered;
}

impl FieldValue for Value {
    const TYPE: FieldType = FieldType::Json;
    fn read(value: Value) -> Result<Self, &'static str> {
        Ok(value)
    }
    fn to_value(&self) -> Value {
        self.clone()
    }
}

impl<T: FieldValue> FieldValue for Option<T> {
    const TYPE: FieldType = T::TYPE;
    const REQUIRED: bool = false;
    const MULTIPLE: bool = T::MULTIPLE;
    fn options() -> Vec<SelectOption> {
        T::options()
    }
    fn bounds() -> (Option<Value>, Option<Value>) {
        T::bounds()
    }
    fn read(value: Value) -> Result<Self, &'static str> {
        T::read(value).map(Some)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }
}
impl<T: Text> Text for Option<T> {}
impl<T: Ordered> Ordered for Option<T> {}

impl<T: FieldValue> FieldValue for Vec<T> {
    const TYPE: FieldType = T::TYPE;
    const REQUIRED: bool = false;
    const MULTIPLE: bool = true;
    fn options() -> Vec<SelectOption> {
        T::options()
    }
    fn bounds() -> (Option<Value>, Option<Value>) {
        T::bounds()
    }
    fn read(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::Array(values) => values.into_iter().map(T::read).collect(),
            value => T::read(value).map(|one| vec![one]),
        }
    }
    fn absent() -> Option<Self> {
        Some(Vec::new())
    }
    fn to_value(&self) -> Value {
        self.iter().map(T::to_value).collect()
    }
}
impl<T: Text> Text for Vec<T> {}
impl<T: Ordered> Ordered for Vec<T> {}

/// Reads the values of a struct and collects what cannot be read. The derive macros use it.
#[doc(hidden)]
pub struct Reader {
    values: Values,
    wrong: BTreeMap<String, String>,
}

impl Reader {
    pub fn new(values: Values) -> Self {
        Self { values, wrong: BTreeMap::new() }
    }

    /// The value of a field. If it is `None`, [`Reader::failure`] names the field.
    pub fn read<T: FieldValue>(&mut self, name: &str, default: impl FnOnce() -> Option<Value>) -> Option<T> {
        let given = self.values.remove(name).filter(|value| T::TYPE == FieldType::Json || !value.is_null());
        let problem = match given.or_else(default).map(T::read) {
            Some(Ok(value)) => return Some(value),
            Some(Err(expected)) => format!("Write {expected}."),
            None => match T::absent() {
                Some(value) => return Some(value),
                None => "This is required.".to_owned(),
            },
        };
        self.wrong.insert(name.to_owned(), problem);
        None
    }

    pub fn failure(self) -> Failure {
        Failure { text: Some("Some values cannot be used.".to_owned()), fields: self.wrong, source: None }
    }
}

/// A field of this type. The derive macros add what the attributes say.
#[doc(hidden)]
pub fn of_type<T: FieldValue>(name: &str, default: Option<Value>) -> Result<Field, BadId> {
    let (min, max) = T::bounds();
    Ok(Field {
        required: T::REQUIRED && default.is_none(),
        default,
        multiple: T::MULTIPLE,
        options: T::options(),
        min,
        max,
        ..Field::new(FunctionName::new(name)?, T::TYPE)
    })
}

/// Refuses, when the app is compiled, attributes that do not belong to a type.
#[doc(hidden)]
pub const fn is_text<T: Text>() {}
/// Refuses, when the app is compiled, attributes that do not belong to a type.
#[doc(hidden)]
pub const fn is_ordered<T: Ordered>() {}
