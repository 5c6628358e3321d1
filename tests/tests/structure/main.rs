//! No circles between the modules of a crate.
//!
//! The modules of a folder are siblings. One uses another if any code below it names something below the other: by `use`,
//! or by a path in the code. A name that a `mod.rs` passes on counts as a use of the module that defines it. What stands
//! in a `mod.rs` itself belongs to the folder as a member of its own, item by item: a child may use an item of its parent,
//! but not one whose code needs the child again. The methods of a type of the parent are a member beside the type:
//! `Type::new(…)` in a child is a use of them, `value.method()` is not seen. Code for tests does not count.

// All of this is tests; clippy's own exception for tests does not reach what they share.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod graph;
mod source;

use std::{
    path::Path,
    process::{Command, Output},
};

/// The name and the root file of each crate of the workspace: libraries, programs, tests.
fn crates() -> Vec<(String, String)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let Output { stdout, .. } = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(stack_tests::root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let targets = packages.iter().flat_map(|package| {
        let targets = package["targets"].as_array().unwrap();
        targets.iter().map(|target| (text(&package["name"]), text(&target["src_path"])))
    });
    targets.collect()
}

#[test]
fn no_crate_has_a_circle_of_modules() {
    let crates = crates();
    assert!(crates.len() > 20, "{crates:?}");
    let root = stack_tests::root().canonicalize().unwrap();
    let mut report = String::new();
    for (package, file) in &crates {
        let file = Path::new(file).strip_prefix(&root).unwrap();
        let read = source::read(file, &|path| std::fs::read_to_string(root.join(path)).ok());
        report += &graph::report(package, &read);
    }
    assert!(report.is_empty(), "\n{report}");
}

/// The circles of a crate that is made of these files. Its root is `lib.rs`.
fn circles(files: &[(&str, &str)]) -> String {
    let text = |path: &Path| {
        let found = files.iter().find(|(name, _)| Path::new(name) == path);
        found.map(|(_, text)| (*text).to_owned())
    };
    graph::report("it", &source::read(Path::new("lib.rs"), &text))
}

#[test]
fn two_modules_that_use_each_other_are_a_circle() {
    let found = circles(&[
        ("lib.rs", "mod one; mod two;"),
        ("one.rs", "use crate::two::Two;\npub struct One(Two);"),
        ("two.rs", "pub struct Two;\n\nfn f() { super::one::g() }"),
    ]);
    assert_eq!(
        found,
        "it has a circle of one, two:\n  one → two   one.rs:1: use crate::two::Two;\n  \
         two → one   two.rs:3: fn f() { super::one::g() }\n"
    );
}

#[test]
fn a_circle_may_be_long_and_lie_deep() {
    let found = circles(&[
        ("lib.rs", "mod folder;"),
        ("folder/mod.rs", "pub mod a; mod b; mod c; mod d;"),
        ("folder/a.rs", "use super::b;\nfn f() { b::f() }"),
        ("folder/b.rs", "use crate::folder::{c::{self, C}, d};"),
        ("folder/c/mod.rs", "mod inner;"),
        ("folder/c/inner.rs", "fn f() { assert!(crate::folder::a::f()) }"),
        ("folder/d.rs", "fn alone() {}"),
    ]);
    assert!(found.starts_with("it::folder has a circle of a, b, c:\n"), "{found}");
    assert_eq!(found.lines().count(), 4, "{found}");
    assert!(
        found.contains("c → a   folder/c/inner.rs:1: fn f() { assert!(crate::folder::a::f()) }"),
        "{found}"
    );
}

#[test]
fn a_name_that_a_folder_passes_on_is_its_childs() {
    let passed = ("folder/mod.rs", "mod a; mod b; pub use a::A; pub use b::*;");
    let found = circles(&[
        ("lib.rs", "mod folder;"),
        passed,
        ("folder/a.rs", "pub struct A(super::B);"),
        ("folder/b.rs", "use super::A;\npub struct B;"),
    ]);
    assert!(found.starts_with("it::folder has a circle of a, b:\n"), "{found}");
    let found = circles(&[
        ("lib.rs", "mod folder;"),
        passed,
        ("folder/a.rs", "pub struct A;"),
        ("folder/b.rs", "use super::A;\npub struct B;"),
    ]);
    assert_eq!(found, "");
}

#[test]
fn a_module_that_passes_on_its_siblings_name_uses_the_sibling() {
    let found = circles(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "pub use crate::b::B;"),
        ("b.rs", "use crate::c::C;\npub struct B;"),
        ("c.rs", "use crate::a::B;\npub struct C;"),
    ]);
    assert!(found.starts_with("it has a circle of a, b, c:\n"), "{found}");
}

#[test]
fn an_item_of_the_folder_counts_by_what_its_own_code_uses() {
    let found = circles(&[
        ("lib.rs", "mod folder;"),
        ("folder/mod.rs", "mod a;\npub struct Plan;\nfn all() { a::f() }"),
        ("folder/a.rs", "use super::Plan;"),
    ]);
    assert_eq!(found, "", "a child may use what its parent defines");
    let found = circles(&[
        ("lib.rs", "mod folder;"),
        ("folder/mod.rs", "mod a;\npub struct Plan;\nimpl Plan { fn all() { a::f() } }"),
        ("folder/a.rs", "use super::Plan;\nfn f() { Plan }"),
    ]);
    assert_eq!(found, "", "a child may use a type whose methods use the child");
    for (parent, child, circle) in [
        ("fn all() { a::f() }", "fn f() { super::all() }", "a, own all"),
        ("struct Plan(a::A);", "struct A(super::Plan);", "a, own Plan"),
        (
            "struct Plan; impl Plan { fn all() { a::f() } }",
            "fn f() { super::Plan::all() }",
            "a, own impl Plan",
        ),
    ] {
        let parent = format!("mod a; {parent}");
        let found = circles(&[("lib.rs", "mod folder;"), ("folder/mod.rs", &parent), ("folder/a.rs", child)]);
        assert!(found.starts_with(&format!("it::folder has a circle of {circle}:\n")), "{found}");
    }
}

#[test]
fn what_is_no_use_makes_no_circle() {
    let found = circles(&[
        ("lib.rs", "mod one; mod two; mod three; use three::log;"),
        ("one.rs", "use crate::two::Two;\npub struct One;\nstruct Holds { two: Two }"),
        // Tests, a doc link, another crate's name, a variable, a field and a word in a macro.
        (
            "two.rs",
            "pub struct Two;\n/// See [`crate::one`].\nfn f(one: u8) { let _ = one; ::one::f(); std::one::f(); json!({ one: one }) }\n\
             #[cfg(test)]\nmod tests { use crate::one::One; }\n#[cfg(test)]\nuse crate::one::One;",
        ),
        ("three.rs", "pub fn log() {}"),
    ]);
    assert_eq!(found, "");
}
