//! `#[derive(Command)]` and `#[derive(Settings)]`.

use crate::{
    attributes::{self, Keys},
    docs::Docs,
    fields,
};
use heck::ToSnakeCase;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DeriveInput, Error, Ident, Result, ext::IdentExt, meta::ParseNestedMeta};

/// Commands that every app has. The list is the protocol's, like those below.
const RESERVED: [&str; 3] = ["help", "connect", "disconnect"];

// These lists are the protocol's. Macros cannot read them there, so a test of `cloud-app` compares them.
const LOCATIONS: [&str; 7] =
    ["message_box", "post_menu", "channel_header", "main_menu", "post_action", "dialog", "conversation"];

const ITEMS: [&str; 8] =
    ["acting_user", "user", "mentioned", "channel", "team", "post", "root_post", "parent_post"];

const KEYS: [&str; 8] =
    ["name", "safe", "deferred", "confirm", "account", "post_as_user", "locations", "expand"];

pub fn settings(input: &DeriveInput) -> Result<TokenStream> {
    fields::implementation(input, "an app's settings")
}

pub fn command(input: &DeriveInput) -> Result<TokenStream> {
    let fields = fields::implementation(input, "a command")?;
    let docs = Docs::of(&input.attrs);
    if docs.summary.is_empty() {
        let message = "say what this command does, in a `///` comment above it: it is the help";
        return Err(Error::new_spanned(&input.ident, message));
    }
    let mut name = (input.ident.unraw().to_string().to_snake_case(), input.ident.span());
    let mut changes = Vec::new();
    let mut keys = Keys::new("command", &KEYS);
    for attribute in input.attrs.iter().filter(|a| a.path().is_ident("command")) {
        attribute.parse_nested_meta(|meta| {
            match keys.next(&meta)?.as_str() {
                "name" => {
                    let text = attributes::text(&meta, "create_issue")?;
                    name = (text.value(), text.span());
                }
                "account" => {
                    let word = attributes::word(&meta, &["required", "optional"])?;
                    let word = if word == "required" { quote!(Required) } else { quote!(Optional) };
                    changes.push(quote! {
                        entry.account = ::std::option::Option::Some(::cloud_app::protocol::manifest::AccountUse::#word);
                    });
                }
                "locations" => {
                    let locations = locations(&meta)?;
                    changes.push(quote!(entry.locations = ::std::vec![#(#locations.into()),*];));
                }
                "expand" => changes.extend(expansion(&meta)?),
                flag => {
                    let flag = format_ident!("{flag}");
                    changes.push(quote!(entry.#flag = true;));
                }
            }
            Ok(())
        })?;
    }
    let (name, span) = name;
    attributes::function_name(&name, span, &RESERVED)?;
    let (ident, summary, description) = (&input.ident, docs.summary, docs.rest);
    Ok(quote! {
        #fields

        #[automatically_derived]
        impl ::cloud_app::field::Command for #ident {
            const FUNCTION: &'static str = #name;

            fn entry() -> ::std::result::Result<
                ::cloud_app::protocol::manifest::CommandEntry,
                ::cloud_app::protocol::BadId,
            > {
                #[allow(unused_mut)]
                let mut entry = ::cloud_app::protocol::manifest::CommandEntry {
                    function: ::cloud_app::protocol::FunctionName::new(#name)?,
                    summary: #summary.into(),
                    description: #description.into(),
                    fields: <Self as ::cloud_app::field::Fields>::fields()?,
                    expand: ::cloud_app::protocol::manifest::Expansion::new(),
                    locations: ::std::vec::Vec::new(),
                    safe: false,
                    deferred: false,
                    confirm: false,
                    post_as_user: false,
                    account: ::std::option::Option::None,
                };
                #(#changes)*
                ::std::result::Result::Ok(entry)
            }
        }
    })
}

fn locations(meta: &ParseNestedMeta) -> Result<Vec<String>> {
    let mut locations = Vec::new();
    meta.parse_nested_meta(|location| {
        let name = location.path.get_ident().map(Ident::to_string).unwrap_or_default();
        if !LOCATIONS.contains(&name.as_str()) {
            return Err(
                location.error(format!("no such location: write one of `{}`", LOCATIONS.join("`, `")))
            );
        }
        locations.push(name);
        Ok(())
    })?;
    Ok(locations)
}

fn expansion(meta: &ParseNestedMeta) -> Result<Vec<TokenStream>> {
    let mut items = Vec::new();
    meta.parse_nested_meta(|item| {
        let name = item.path.get_ident().map(Ident::to_string).unwrap_or_default();
        if !ITEMS.contains(&name.as_str()) {
            return Err(item.error(format!("this cannot be expanded: write one of `{}`", ITEMS.join("`, `"))));
        }
        let level = attributes::word(&item, &["id", "summary", "all", "id!", "summary!", "all!"])?;
        let (level, required) =
            level.strip_suffix('!').map_or((level.as_str(), false), |level| (level, true));
        let level = match level {
            "id" => quote!(Id),
            "summary" => quote!(Summary),
            _ => quote!(All),
        };
        items.push(quote! {
            entry.expand.insert(#name.into(), ::cloud_app::protocol::manifest::Expand {
                level: ::cloud_app::protocol::manifest::Level::#level,
                required: #required,
            });
        });
        Ok(())
    })?;
    Ok(items)
}
