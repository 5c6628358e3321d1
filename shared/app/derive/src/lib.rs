//! `#[derive(Command)]`, `#[derive(Settings)]` and `#[derive(Choice)]` of `cloud-app`.
//!
//! Mistakes that can be seen when an app is compiled are errors of the compiler, at the wrong word and with what to write
//! instead. Mistakes that only the whole app shows (two functions with one name, a default that is not an option) are found
//! by `App::check`. The macros do not look at types: the traits of `cloud_app::field` say what a field's type means.

mod attributes;
mod choice;
mod docs;
mod fields;
mod structs;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct a command: its name in `snake_case` is the function's, its documentation the help (the first
/// paragraph is the summary), and its fields are the grammar.
///
/// On the struct, `#[command(…)]` takes
///
/// * `name = "create_issue"`: another name;
/// * `safe`: it changes nothing, so a repeated request does no harm;
/// * `deferred`: it is answered at once and runs from the queue;
/// * `confirm`: it asks first when it comes from a button;
/// * `account = "required"` or `"optional"`: it needs the user's account at the app's own service;
/// * `post_as_user`: its message goes out as the user;
/// * `locations(message_box, post_menu)`: where it appears;
/// * `expand(channel = "summary", post = "all!")`: what it needs to know; with `!` if it is required.
///
/// On a field, `#[field(…)]` takes
///
/// * `positional`: it may be given by place; the last one, if it is a text, takes the rest of the line as it was typed;
/// * `default = …`: a text, or an expression of the field's type; `default` alone is the type's own;
/// * `name`, `label`, `hint`: texts;
/// * `min`, `max`: of a number, or of a date as text;
/// * `max_length`, `pattern`, `subtype = "line"`, `"textarea"`, `"email"`, `"url"` or `"password"`: of a text;
/// * `style = "menu"` or `"radio"`: of a choice;
/// * `required`: of a list, at least one.
///
/// A field is a `String`, a `bool`, a number, an id (`UserId`, `ChannelId`, `PostId`, `TeamId`), a `jiff::civil::Date`, a
/// `jiff::Timestamp`, a `serde_json::Value`, an enum with `#[derive(Choice)]`, or an `Option` or a `Vec` of these. It is
/// required unless it is an `Option`, a `Vec`, a `bool`, or has a default.
#[proc_macro_derive(Command, attributes(command, field))]
pub fn command(input: TokenStream) -> TokenStream {
    expand(structs::command, &parse_macro_input!(input as DeriveInput))
}

/// Makes a struct the settings of an app: an admin sets its fields. `#[field(…)]` is the same as on a command.
#[proc_macro_derive(Settings, attributes(field))]
pub fn settings(input: TokenStream) -> TokenStream {
    expand(structs::settings, &parse_macro_input!(input as DeriveInput))
}

/// Makes an enum a choice: each variant is an option, its name in `kebab-case` the value, its documentation the
/// description. `#[choice(value = "de", label = "German")]` on a variant changes these.
#[proc_macro_derive(Choice, attributes(choice))]
pub fn choice(input: TokenStream) -> TokenStream {
    expand(choice::choice, &parse_macro_input!(input as DeriveInput))
}

fn expand(
    make: fn(&DeriveInput) -> syn::Result<proc_macro2::TokenStream>,
    input: &DeriveInput,
) -> TokenStream {
    make(input).unwrap_or_else(syn::Error::into_compile_error).into()
}
