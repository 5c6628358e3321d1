//! Which modules of a folder use which, and the circles among them.

use crate::source::{Crate, Module, ModulePath, Reference, methods_of};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// A member of a folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// A module, with all code below it.
    Module(String),
    /// An item that stands in the folder's `mod.rs` itself.
    Item(String),
}

/// For each member, what it uses of its siblings and where one reads it.
pub type Uses = BTreeMap<Node, BTreeMap<Node, String>>;

/// What a path leads to.
struct Target {
    module: ModulePath,
    /// None is the module itself.
    item: Option<String>,
    /// Modules that only pass the name on.
    by: Vec<ModulePath>,
}

/// The folders of a crate.
pub fn folders(read: &Crate) -> BTreeMap<ModulePath, Uses> {
    let mut folders = BTreeMap::new();
    for reference in &read.references {
        let Some(Target { module, item, by }) = resolve(read, &reference.module, &reference.path, 0) else {
            continue;
        };
        let passing = by.into_iter().filter(|by| !module.starts_with(by)).map(|by| (by, None));
        let targets: Vec<_> = passing.chain([(module.clone(), item)]).collect();
        for (module, item) in targets {
            note(&mut folders, reference, &module, item);
        }
    }
    folders
}

/// Notes a use in the one folder in which it leads from one member to another.
fn note(folders: &mut BTreeMap<ModulePath, Uses>, from: &Reference, module: &[String], item: Option<String>) {
    let shared = from.module.iter().zip(module).take_while(|(one, other)| one == other).count();
    let member = |path: &[String], item: Option<String>| match path.get(shared) {
        Some(name) => Some(Node::Module(name.clone())),
        None => item.map(Node::Item),
    };
    let Some(user) = member(&from.module, Some(from.item.clone())) else { return };
    if let Some(used) = member(module, item).filter(|used| *used != user) {
        let folder = folders.entry(from.module[..shared].to_vec()).or_default();
        folder.entry(user).or_default().entry(used).or_insert_with(|| from.place.clone());
    }
}

/// Follows a path that stands in a module. None is another crate's, or a variable.
fn resolve(read: &Crate, start: &[String], path: &[String], depth: u8) -> Option<Target> {
    // `use name::name` would go on forever.
    if depth > 8 {
        return None;
    }
    let mut module = start.to_vec();
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        match first.as_str() {
            "crate" => module.clear(),
            "super" => drop(module.pop()?),
            "self" => {}
            _ => break,
        }
        rest = after;
    }
    // Only the start of a path may be a name of another crate.
    let mut certain = rest.len() < path.len();
    loop {
        let Some((name, after)) = rest.split_first() else {
            return certain.then_some(Target { module, item: None, by: Vec::new() });
        };
        let here: &Module = read.modules.get(&module)?;
        if here.children.contains(name) && (!after.is_empty() || !here.items.contains(name)) {
            module.push(name.clone());
            (rest, certain) = (after, true);
            continue;
        }
        if here.items.contains(name) {
            let method = after.first().is_some_and(|name| name.starts_with(char::is_lowercase));
            let item = if method && here.methods.contains(name) { methods_of(name) } else { name.clone() };
            return Some(Target { module, item: Some(item), by: Vec::new() });
        }
        let imported = here.imports.get(name).map(|path| [path.as_slice(), after].concat());
        let globs = here.globs.iter().map(|glob| [glob, rest].concat());
        for path in imported.into_iter().chain(globs) {
            if let Some(mut target) = resolve(read, &module, &path, depth + 1)
                // A glob that does not have the name leads to its module only.
                && (target.item.is_some() || here.imports.contains_key(name))
            {
                target.by.push(module);
                return Some(target);
            }
        }
        // A macro made the name.
        return certain.then(|| Target { module, item: None, by: Vec::new() });
    }
}

/// The circles of a folder: modules of which each uses each, directly or by others.
pub fn circles(uses: &Uses) -> Vec<BTreeSet<&Node>> {
    let mut circles: Vec<BTreeSet<&Node>> = Vec::new();
    for node in uses.keys() {
        if circles.iter().any(|circle| circle.contains(node)) {
            continue;
        }
        let circle: BTreeSet<_> =
            reached(uses, node).into_iter().filter(|other| reached(uses, other).contains(node)).collect();
        // Items of one file may use each other.
        if circle.len() > 1 && circle.iter().any(|node| matches!(node, Node::Module(_))) {
            circles.push(circle);
        }
    }
    circles
}

/// All that a member uses, directly or by others.
fn reached<'u>(uses: &'u Uses, from: &Node) -> BTreeSet<&'u Node> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Node> = uses.get(from).into_iter().flat_map(BTreeMap::keys).collect();
    while let Some(node) = next.pop() {
        if reached.insert(node) {
            next.extend(uses.get(node).into_iter().flat_map(BTreeMap::keys));
        }
    }
    reached
}

/// The circles of a crate, each with a line of code for each of its uses.
pub fn report(name: &str, read: &Crate) -> String {
    let mut report = String::new();
    for (folder, uses) in folders(read) {
        for circle in circles(&uses) {
            let names: Vec<_> = circle.iter().map(|node| shown(node)).collect();
            let folder = [&[name.to_owned()], folder.as_slice()].concat().join("::");
            writeln!(report, "{folder} has a circle of {}:", names.join(", ")).unwrap();
            for user in &circle {
                for (used, place) in uses[user].iter().filter(|(used, _)| circle.contains(used)) {
                    writeln!(report, "  {} → {}   {place}", shown(user), shown(used)).unwrap();
                }
            }
        }
    }
    report
}

fn shown(node: &Node) -> String {
    match node {
        Node::Module(name) => name.clone(),
        Node::Item(name) => format!("own {name}"),
    }
}
