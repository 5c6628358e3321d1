//! Compares the template and the documentation with the code. `tests/template` tests all else in the template.

// All of this is tests. Clippy's exception for tests does not cover the functions that they share.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use cloud_apps_aws::config::{Role, VARIABLES};
use cloud_apps_core::http::{Handler, route::ROUTES};
use serde_norway::Value;
use std::{collections::BTreeSet, fmt::Write};

const ROLES: [Role; 5] = [Role::Command, Role::Autocomplete, Role::Event, Role::Deliver, Role::Install];

/// The logical id and properties of each function. Tags such as `!Ref` stay at their values.
fn functions() -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(stack_tests::root().join("template.yaml")).unwrap();
    let template: Value = serde_norway::from_str(&text).unwrap();
    let resources = template["Resources"].as_mapping().unwrap();
    let functions = resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
    functions
        .map(|(id, resource)| (id.as_str().unwrap().to_owned(), resource["Properties"].clone()))
        .collect()
}

/// The names of a function's variables.
fn variables(properties: &Value) -> BTreeSet<String> {
    let given = properties["Environment"]["Variables"].as_mapping();
    given.into_iter().flatten().map(|(name, _)| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_template_has_every_route_of_the_protocol_at_its_function_and_no_other() {
    let mut declared = Vec::new();
    for (function, properties) in functions() {
        for (_, event) in properties["Events"].as_mapping().into_iter().flatten() {
            let text = |key: &str| event["Properties"][key].as_str().unwrap().to_owned();
            declared.push((text("Method").to_uppercase(), text("Path"), function.clone()));
        }
    }
    let mut served: Vec<_> = ROUTES
        .iter()
        .map(|entry| {
            let function = match entry.handler {
                Handler::Command => "CommandFunction",
                Handler::Autocomplete => "AutocompleteFunction",
                Handler::Event => "EventFunction",
                Handler::Install => "InstallFunction",
            };
            (entry.method.to_string(), entry.pattern.to_owned(), function.to_owned())
        })
        .collect();
    declared.sort();
    served.sort();
    assert_eq!(declared, served);
}

#[test]
fn the_template_declares_the_variables_that_functions_read_and_no_other() {
    let functions = functions();
    let declared: BTreeSet<String> =
        functions.iter().flat_map(|(_, properties)| variables(properties)).collect();
    let read: BTreeSet<String> = VARIABLES.iter().map(|variable| variable.name.to_owned()).collect();
    assert_eq!(declared, read);
}

#[test]
fn a_function_is_given_every_variable_without_which_it_does_not_start() {
    let functions = functions();
    assert_eq!(functions.len(), ROLES.len());
    for role in ROLES {
        let (_, properties) = functions.iter().find(|(id, _)| id == role.name()).unwrap();
        let given = variables(properties);
        for variable in VARIABLES.iter().filter(|variable| variable.required.contains(&role)) {
            assert!(given.contains(variable.name), "{} lacks {}", role.name(), variable.name);
        }
    }
}

#[test]
fn the_documentation_has_the_table_of_all_variables() {
    let mut table = String::from("| variable | needed by | meaning |\n|---|---|---|\n");
    for variable in VARIABLES {
        let needed: Vec<_> =
            variable.required.iter().map(|role| role.name().trim_end_matches("Function")).collect();
        let needed = if needed.is_empty() { "–".to_owned() } else { needed.join(", ") };
        writeln!(table, "| `{}` | {needed} | {} |", variable.name, variable.meaning).unwrap();
    }
    let page = std::fs::read_to_string(stack_tests::root().join("docs/configuration.md")).unwrap();
    assert!(page.contains(&table), "docs/configuration.md does not have this table:\n{table}");
}
