//! The table of hops in docs/architecture.md, held to the code.

use super::pages::{root, text};

#[test]
fn each_function_of_the_way_of_a_request_is_in_its_file_and_the_way_has_eight_hops_at_most() {
    let page = text("docs/architecture.md");
    let hops: Vec<&str> =
        page.lines().filter(|line| line.strip_prefix("| ").is_some_and(starts_with_a_digit)).collect();
    assert!((6..=8).contains(&hops.len()), "{hops:?}");
    let mut functions = 0;
    for hop in hops {
        let codes: Vec<&str> = hop.split('`').skip(1).step_by(2).collect();
        for (file, function) in codes.iter().zip(codes.iter().skip(1)) {
            if std::path::Path::new(file).extension().is_none_or(|end| end != "rs") {
                continue;
            }
            let path = root().join("shared/core/src").join(file);
            let code = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
            let is_function = function.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if is_function {
                functions += 1;
                let found = [format!("fn {function}("), format!("fn {function}<")];
                assert!(found.iter().any(|found| code.contains(found)), "{file} has no function {function}");
            }
        }
    }
    assert!(functions >= 10, "only {functions} functions are named");
}

fn starts_with_a_digit(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_digit())
}
