//! The modules of a crate and the names that they use, read from its source.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use syn::{
    Attribute, ImplItem, Item, Meta, Type, UseTree,
    spanned::Spanned,
    visit::{self, Visit},
};

/// Names from the crate's root to a module. The root is empty.
pub type ModulePath = Vec<String>;

/// The source of a crate: the text of the file at a path, if there is one.
pub type Files<'f> = &'f dyn Fn(&Path) -> Option<String>;

/// All modules of a crate, without those that only tests have.
#[derive(Default)]
pub struct Crate {
    pub modules: BTreeMap<ModulePath, Module>,
    pub references: Vec<Reference>,
}

/// What a module defines and imports.
#[derive(Default)]
pub struct Module {
    pub children: BTreeSet<String>,
    pub items: BTreeSet<String>,
    /// Items whose methods stand in this module.
    pub methods: BTreeSet<String>,
    /// The name that a `use` gives, and the path that it names.
    pub imports: BTreeMap<String, Vec<String>>,
    /// Paths of `use …::*`.
    pub globs: Vec<Vec<String>>,
}

/// A path that stands in code.
pub struct Reference {
    pub module: ModulePath,
    /// The item of the module that holds the path.
    pub item: String,
    pub path: Vec<String>,
    /// File, line and text of the line.
    pub place: String,
}

/// Reads a crate from its root file on.
pub fn read(root: &Path, files: Files<'_>) -> Crate {
    let mut found = Crate::default();
    let folder = root.parent().unwrap();
    Reader { files, found: &mut found }.file(root, folder, Vec::new());
    found
}

struct Reader<'f, 'c> {
    files: Files<'f>,
    found: &'c mut Crate,
}

impl Reader<'_, '_> {
    /// Reads a module's file. `folder` has the files of its children.
    fn file(&mut self, file: &Path, folder: &Path, module: ModulePath) {
        let text = (self.files)(file).unwrap_or_else(|| panic!("{} cannot be read", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let lines: Vec<&str> = text.lines().collect();
        self.items(&parsed.items, &Source { file, lines: &lines }, folder, module);
    }

    fn items(&mut self, items: &[Item], source: &Source<'_>, folder: &Path, module: ModulePath) {
        let mut defined = Module::default();
        for item in items.iter().filter(|item| !only_for_tests(attributes(item))) {
            defined.methods.extend(implemented(item));
            let Some(name) = name(item) else { continue };
            match item {
                Item::Mod(_) => defined.children.insert(name),
                _ => defined.items.insert(name),
            };
        }
        for item in items.iter().filter(|item| !only_for_tests(attributes(item))) {
            if let Item::Mod(child) = item {
                let name = child.ident.to_string();
                let inner = folder.join(&name);
                let path = [module.as_slice(), &[name]].concat();
                match &child.content {
                    Some((_, items)) => self.items(items, source, &inner, path),
                    None => self.file(&self.file_of(&child.attrs, source, &inner), &inner, path),
                }
                continue;
            }
            let mut visitor =
                Paths { source, found: Vec::new(), bound: BTreeSet::new(), module: &mut defined };
            visitor.visit_item(item);
            let Paths { found, bound, .. } = visitor;
            let owner = owner(item);
            // A single name may be a variable.
            for (path, place) in
                found.into_iter().filter(|(path, _)| path.len() > 1 || !bound.contains(&path[0]))
            {
                let (module, item) = (module.clone(), owner.clone());
                self.found.references.push(Reference { module, item, path, place });
            }
        }
        self.found.modules.insert(module, defined);
    }

    /// The file of a module that is declared by `mod name;`.
    fn file_of(&self, attributes: &[Attribute], source: &Source<'_>, inner: &Path) -> PathBuf {
        let named = attributes.iter().find_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) => Some(path.value()),
                _ => None,
            },
            _ => None,
        });
        if let Some(named) = named {
            return source.file.parent().unwrap().join(named);
        }
        let beside = inner.with_extension("rs");
        if (self.files)(&beside).is_some() { beside } else { inner.join("mod.rs") }
    }
}

/// A file, for messages.
struct Source<'s> {
    file: &'s Path,
    lines: &'s [&'s str],
}

impl Source<'_> {
    fn place(&self, span: proc_macro2::Span) -> String {
        let line = span.start().line;
        let text = self.lines.get(line.saturating_sub(1)).map_or("", |text| text.trim());
        format!("{}:{line}: {text}", self.file.display())
    }
}

/// Finds the paths of an item.
struct Paths<'s> {
    source: &'s Source<'s>,
    found: Vec<(Vec<String>, String)>,
    /// Variables.
    bound: BTreeSet<String>,
    module: &'s mut Module,
}

impl Paths<'_> {
    fn found(&mut self, path: Vec<String>, span: proc_macro2::Span) {
        let place = self.source.place(span);
        self.found.push((path, place));
    }

    fn import(&mut self, tree: &UseTree, before: &[String]) {
        match tree {
            UseTree::Path(path) => {
                self.import(&path.tree, &[before, &[path.ident.to_string()]].concat());
            }
            UseTree::Name(name) if name.ident == "self" => self.imported(before, before.last(), name.span()),
            UseTree::Name(name) => {
                let path = [before, &[name.ident.to_string()]].concat();
                self.imported(&path, path.last(), name.span());
            }
            UseTree::Rename(renamed) => {
                let path = [before, &[renamed.ident.to_string()]].concat();
                self.imported(&path, Some(&renamed.rename.to_string()), renamed.span());
            }
            UseTree::Glob(glob) => {
                self.module.globs.push(before.to_vec());
                self.found(before.to_vec(), glob.span());
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, before)),
        }
    }

    fn imported(&mut self, path: &[String], name: Option<&String>, span: proc_macro2::Span) {
        if let Some(name) = name {
            self.module.imports.insert(name.clone(), path.to_vec());
        }
        self.found(path.to_vec(), span);
    }

    /// What looks like a path in a macro's arguments. A small letter alone may be anything, so it does not count.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut start = None;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.written(std::mem::take(&mut path), start);
                        start = Some(ident.span());
                    }
                    path.push(ident.to_string());
                }
                TokenTree::Group(group)
                    if group.delimiter() != Delimiter::None || !group.stream().is_empty() =>
                {
                    self.written(std::mem::take(&mut path), start);
                    self.tokens(group.stream());
                }
                _ => self.written(std::mem::take(&mut path), start),
            }
            colons = 0;
        }
        self.written(path, start);
    }

    fn written(&mut self, path: Vec<String>, start: Option<proc_macro2::Span>) {
        let type_like = path.first().is_some_and(|name| name.starts_with(char::is_uppercase));
        if let Some(start) = start.filter(|_| path.len() > 1 || type_like) {
            self.found(path, start);
        }
    }
}

impl<'a> Visit<'a> for Paths<'_> {
    fn visit_path(&mut self, path: &'a syn::Path) {
        if path.leading_colon.is_none() {
            self.found(path.segments.iter().map(|segment| segment.ident.to_string()).collect(), path.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, &[]);
        }
    }

    fn visit_pat_ident(&mut self, pattern: &'a syn::PatIdent) {
        self.bound.insert(pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_impl_item(&mut self, item: &'a ImplItem) {
        let attributes = match item {
            ImplItem::Fn(function) => &function.attrs,
            ImplItem::Const(constant) => &constant.attrs,
            _ => return visit::visit_impl_item(self, item),
        };
        if !only_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    // Neither uses a module.
    fn visit_attribute(&mut self, _: &'a Attribute) {}
    fn visit_visibility(&mut self, _: &'a syn::Visibility) {}
}

/// The name by which code refers to an item.
fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

/// The item whose code this is. Nothing refers to a `use` or to an `impl` of another module's type.
fn owner(item: &Item) -> String {
    match (name(item), implemented(item)) {
        (Some(name), _) => name,
        (None, Some(type_name)) => methods_of(&type_name),
        (None, None) => "use".into(),
    }
}

/// The type whose methods an item has.
fn implemented(item: &Item) -> Option<String> {
    let Item::Impl(syn::ItemImpl { self_ty, .. }) = item else { return None };
    let Type::Path(path) = &**self_ty else { return None };
    path.path.get_ident().map(ToString::to_string)
}

/// A type's methods are a member of their own: who uses a type does not use all that its methods do.
pub fn methods_of(type_name: &str) -> String {
    format!("impl {type_name}")
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether this is `#[cfg(test)]`, or `#[test]`.
fn only_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            condition == "test" || condition.starts_with("all (test ,") || condition.starts_with("all(test,")
        }
        _ => false,
    })
}
