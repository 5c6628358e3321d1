//! `#[derive(Choice)]`.

use crate::{
    attributes::{self, Keys},
    docs::Docs,
};
use heck::ToKebabCase;
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::BTreeSet;
use syn::{Data, DeriveInput, Error, Fields, Result, Variant, ext::IdentExt};

struct Choice {
    value: String,
    label: String,
    description: String,
}

pub fn choice(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(
            name,
            "a choice is an enum: write `enum Language { English, German }`",
        ));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "a choice has no generics: drop them"));
    }
    if data.variants.is_empty() {
        return Err(Error::new_spanned(name, "a choice needs something to choose from: add a variant"));
    }
    let mut seen = BTreeSet::new();
    let mut choices = Vec::new();
    for variant in &data.variants {
        let choice = read(variant)?;
        if !seen.insert(choice.value.clone()) {
            let message = format!(
                "{:?} is the value of another variant too: write #[choice(value = \"…\")]",
                choice.value
            );
            return Err(Error::new_spanned(variant, message));
        }
        choices.push(choice);
    }
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    let values: Vec<_> = choices.iter().map(|choice| &choice.value).collect();
    let labels = choices.iter().map(|choice| &choice.label);
    let descriptions = choices.iter().map(|choice| &choice.description);
    let expected = format!("one of {}", values.iter().map(|v| v.as_str()).collect::<Vec<_>>().join(", "));
    Ok(quote! {
        #[automatically_derived]
        impl ::cloud_app::field::FieldValue for #name {
            const TYPE: ::cloud_app::protocol::FieldType = ::cloud_app::protocol::FieldType::Select;
            fn options() -> ::std::vec::Vec<::cloud_app::protocol::form::SelectOption> {
                ::std::vec![#(::cloud_app::protocol::form::SelectOption {
                    value: #values.into(),
                    label: #labels.into(),
                    description: #descriptions.into(),
                }),*]
            }
            fn read(value: ::cloud_app::serde_json::Value) -> ::std::result::Result<Self, &'static str> {
                match value.as_str() {
                    #(::std::option::Option::Some(#values) => ::std::result::Result::Ok(Self::#variants),)*
                    _ => ::std::result::Result::Err(#expected),
                }
            }
            fn to_value(&self) -> ::cloud_app::serde_json::Value {
                ::cloud_app::serde_json::Value::from(match self { #(Self::#variants => #values,)* })
            }
        }
    })
}

fn read(variant: &Variant) -> Result<Choice> {
    if !matches!(variant.fields, Fields::Unit) {
        return Err(Error::new_spanned(
            &variant.fields,
            "an option holds nothing: drop the fields of this variant",
        ));
    }
    let mut value = None;
    let mut label = String::new();
    let mut keys = Keys::new("choice", &["value", "label"]);
    for attribute in variant.attrs.iter().filter(|a| a.path().is_ident("choice")) {
        attribute.parse_nested_meta(|meta| {
            match keys.next(&meta)?.as_str() {
                "value" => {
                    let text = attributes::text(&meta, "de")?;
                    if text.value().is_empty() || text.value().contains(',') {
                        return Err(Error::new(text.span(), "a value is not empty and holds no comma"));
                    }
                    value = Some(text.value());
                }
                _ => label = attributes::text(&meta, "German")?.value(),
            }
            Ok(())
        })?;
    }
    Ok(Choice {
        value: value.unwrap_or_else(|| variant.ident.unraw().to_string().to_kebab_case()),
        label,
        description: Docs::of(&variant.attrs).whole(),
    })
}
