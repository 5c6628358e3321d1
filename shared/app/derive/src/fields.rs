//! The fields of a struct, as `cloud_app::field::Fields` has them.

use crate::{
    attributes::{self, Keys, Value},
    docs::Docs,
};
use heck::ToPascalCase;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Data, DeriveInput, Error, Fields, Ident, Result, Type, ext::IdentExt, spanned::Spanned};

/// Flags that every command has. The list is the protocol's: a test of `cloud-app` compares the two.
const RESERVED: [&str; 2] = ["help", "form"];

const KEYS: [&str; 12] = [
    "positional",
    "default",
    "name",
    "label",
    "hint",
    "min",
    "max",
    "max_length",
    "pattern",
    "subtype",
    "style",
    "required",
];

/// A field with its attributes.
struct Field<'a> {
    ident: &'a Ident,
    ty: &'a Type,
    name: String,
    description: String,
    default: Option<Default>,
    /// Statements that change `field`.
    changes: Vec<TokenStream>,
}

enum Default {
    OfType,
    Given(Value),
}

/// `impl Fields`.
pub fn implementation(input: &DeriveInput, what: &str) -> Result<TokenStream> {
    let name = &input.ident;
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, format!("{what} has no generics: drop them")));
    }
    let Data::Struct(data) = &input.data else {
        let message = format!("{what} is a struct: write `struct {name} {{ … }}`; an enum can derive Choice");
        return Err(Error::new_spanned(name, message));
    };
    let fields: Vec<Field> = match &data.fields {
        Fields::Unit => Vec::new(),
        Fields::Named(fields) => {
            // All errors are reported at once.
            let mut good = Vec::new();
            let mut bad: Option<Error> = None;
            for field in &fields.named {
                match (read(field), &mut bad) {
                    (Ok(field), _) => good.extend(field),
                    (Err(error), Some(bad)) => bad.combine(error),
                    (Err(error), None) => bad = Some(error),
                }
            }
            if let Some(bad) = bad {
                return Err(bad);
            }
            good
        }
        Fields::Unnamed(fields) => {
            let message = format!("fields are asked by name: write `struct {name} {{ user: UserId }}`");
            return Err(Error::new_spanned(fields, message));
        }
    };
    let definitions = fields.iter().map(definition);
    let reads = fields.iter().map(|Field { ident, ty, name, default, .. }| {
        let default = default_value(ty, default.as_ref());
        quote!(let #ident = __reader.read::<#ty>(#name, || #default);)
    });
    let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
    // A struct literal without fields also makes a unit struct.
    Ok(quote! {
        #[automatically_derived]
        impl ::cloud_app::field::Fields for #name {
            fn fields() -> ::std::result::Result<
                ::std::vec::Vec<::cloud_app::protocol::Field>,
                ::cloud_app::protocol::BadId,
            > {
                ::std::result::Result::Ok(::std::vec![#(#definitions),*])
            }

            fn from_values(
                values: ::cloud_app::protocol::Values,
            ) -> ::std::result::Result<Self, ::cloud_app::Failure> {
                #[allow(unused_mut)]
                let mut __reader = ::cloud_app::field::Reader::new(values);
                #(#reads)*
                #[allow(irrefutable_let_patterns)]
                if let (#(::std::option::Option::Some(#idents),)*) = (#(#idents,)*) {
                    return ::std::result::Result::Ok(Self { #(#idents),* });
                }
                ::std::result::Result::Err(__reader.failure())
            }
        }
    })
}

fn read(field: &syn::Field) -> Result<Option<Field<'_>>> {
    let Some(ident) = &field.ident else { return Ok(None) };
    let ty = &field.ty;
    let docs = Docs::of(&field.attrs);
    if docs.summary.is_empty() {
        let message = format!("say what `{ident}` is for, in a `///` comment above it: it is the help");
        return Err(Error::new_spanned(ident, message));
    }
    let mut name = (ident.unraw().to_string(), ident.span());
    let mut default = None;
    let mut changes = Vec::new();
    let mut keys = Keys::new("field", &KEYS);
    for attribute in field.attrs.iter().filter(|a| a.path().is_ident("field")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("multiple") {
                return Err(meta.error("a list is of type Vec: write Vec<String> and drop `multiple`"));
            }
            let key = keys.next(&meta)?;
            let place = format_ident!("{key}");
            match key.as_str() {
                "name" => {
                    let text = attributes::text(&meta, "issue")?;
                    name = (text.value(), text.span());
                }
                "positional" | "required" => changes.push(quote!(field.#place = true;)),
                "label" | "hint" => {
                    let text = attributes::text(&meta, "Issue")?;
                    changes.push(quote!(field.#place = #text.into();));
                }
                "default" if meta.input.peek(syn::Token![=]) => {
                    default = Some(Default::Given(attributes::value(&meta)?));
                }
                "default" => default = Some(Default::OfType),
                "min" | "max" => {
                    let value = match attributes::value(&meta)? {
                        Value::Text(text) => quote!(#text),
                        Value::Expr(expr) => quote!(#expr),
                    };
                    changes.push(belongs(ty, "is_ordered", meta.path.span()));
                    changes.push(quote!(field.#place = ::std::option::Option::Some((#value).into());));
                }
                "max_length" => {
                    let number = attributes::number(&meta)?;
                    changes.push(belongs(ty, "is_text", meta.path.span()));
                    changes.push(quote!(field.max_length = ::std::option::Option::Some(#number);));
                }
                "pattern" => {
                    let text = attributes::text(&meta, "[A-Z]+-[0-9]+")?;
                    changes.push(belongs(ty, "is_text", meta.path.span()));
                    changes.push(quote!(field.pattern = ::std::option::Option::Some(#text.into());));
                }
                "subtype" => {
                    let word = attributes::word(&meta, &["line", "textarea", "email", "url", "password"])?;
                    let word = variant(&word);
                    changes.push(belongs(ty, "is_text", meta.path.span()));
                    changes.push(quote! {
                        field.subtype = ::std::option::Option::Some(::cloud_app::protocol::form::Subtype::#word);
                    });
                }
                _ => {
                    let word = variant(&attributes::word(&meta, &["menu", "radio"])?);
                    changes.push(quote! {
                        field.style = ::std::option::Option::Some(::cloud_app::protocol::form::SelectStyle::#word);
                    });
                }
            }
            Ok(())
        })?;
    }
    attributes::function_name(&name.0, name.1, &RESERVED)?;
    Ok(Some(Field { ident, ty, name: name.0, description: docs.whole(), default, changes }))
}

fn variant(word: &str) -> Ident {
    format_ident!("{}", word.to_pascal_case())
}

/// Code that does not compile if the attribute does not belong to the type. The error is at the attribute.
fn belongs(ty: &Type, check: &str, span: Span) -> TokenStream {
    let check = Ident::new(check, span);
    quote_spanned!(span=> ::cloud_app::field::#check::<#ty>();)
}

fn default_value(ty: &Type, default: Option<&Default>) -> TokenStream {
    let of_type = |expr: TokenStream| {
        quote! {{
            let value: #ty = #expr;
            ::std::option::Option::Some(::cloud_app::field::FieldValue::to_value(&value))
        }}
    };
    match default {
        None => quote!(::std::option::Option::None),
        Some(Default::OfType) => of_type(quote!(::std::default::Default::default())),
        Some(Default::Given(Value::Text(text))) => {
            quote!(::std::option::Option::Some(::cloud_app::serde_json::Value::from(#text)))
        }
        Some(Default::Given(Value::Expr(expr))) => of_type(quote!(#expr)),
    }
}

fn definition(field: &Field) -> TokenStream {
    let Field { ty, name, description, default, changes, .. } = field;
    let default = default_value(ty, default.as_ref());
    // It has the type's span, so that the error is at a type that no field can have.
    let of_type = quote_spanned!(ty.span()=> ::cloud_app::field::of_type::<#ty>);
    quote! {{
        let mut field = #of_type(#name, #default)?;
        field.description = #description.into();
        #(#changes)*
        field
    }}
}
