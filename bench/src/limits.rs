//! The limits that are promised. Each is a ratio within one run, a size, or a count.

use crate::linear;
use serde_json::Value;

/// Checks the report against all limits, and prints those that are exceeded.
pub fn check(report: &Value) -> bool {
    let at = |pointer: String| report.pointer(&pointer).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let mut passed = 0;
    let mut failed = 0;
    let mut limit = |what: String, value: f64, most: f64| {
        // NaN fails too.
        if value <= most {
            passed += 1;
        } else {
            failed += 1;
            println!("FAILED: {what} is {value:.2}, at most {most} is promised");
        }
    };
    for function in ["command", "autocomplete", "event", "deliver", "install"] {
        let of = |key: &str| at(format!("/functions/{function}/{key}"));
        limit(format!("{function}: start over an empty runtime's"), of("init_over_hello"), 3.5);
        // Most of it is the program's own file, of which the kernel maps what is in its page cache around each fault: one
        // binary had 9.2 to 9.9 MB, by how its file had been written. Memory of its own is 1.1 MB.
        let resident = if function == "command" { 11.0 } else { 10.0 };
        limit(format!("{function}: resident memory in MB"), of("rss_mb"), resident);
        // The install function may be larger: only it writes installs, apps and key rings, reads what servers say of themselves,
        // and answers operators, and no command waits for it.
        let zip = if function == "install" { 4.3 } else { 4.0 };
        limit(format!("{function}: zip in MB"), of("zip_mb"), zip);
    }
    let warm = |key: &str| at(format!("/warm/{key}"));
    limit("a warm slash over an echo".to_owned(), warm("slash_over_echo"), 2.5);
    limit("a warm V2 over one PutItem".to_owned(), warm("v2_over_put"), 1.5);
    for (request, reads, writes) in [("slash", 0.0, 0.0), ("v2", 0.0, 1.0)] {
        let calls = |kind: &str| at(format!("/calls/{request}/{kind}"));
        limit(format!("{request}: reads"), calls("reads"), reads);
        limit(format!("{request}: writes"), calls("writes"), writes);
        limit(format!("{request}: fewest writes"), writes - calls("writes"), 0.0);
        limit(format!("{request}: secrets"), calls("secrets"), 0.0);
    }
    for name in linear::NAMES {
        // A factor of four is linear; sixteen would be quadratic.
        limit(format!("{name}: four times as long over once"), at(format!("/linear/{name}/ratio")), 7.0);
    }
    println!("bench: {passed} passed, {failed} failed");
    failed == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A report in which all values are exactly at their limits.
    fn exact() -> Value {
        let function = json!({ "init_over_hello": 3.5, "rss_mb": 10.0, "zip_mb": 4.0 });
        let mut functions = serde_json::Map::new();
        for name in ["command", "autocomplete", "event", "deliver", "install"] {
            functions.insert(name.to_owned(), function.clone());
        }
        let linear: serde_json::Map<_, _> =
            linear::NAMES.iter().map(|name| ((*name).to_owned(), json!({ "ratio": 7.0 }))).collect();
        json!({
            "linear": linear,
            "functions": functions,
            "warm": { "slash_over_echo": 2.5, "v2_over_put": 1.5 },
            "calls": {
                "slash": { "reads": 0, "writes": 0, "secrets": 0 },
                "v2": { "reads": 0, "writes": 1, "secrets": 0 },
            },
        })
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut report = exact();
        *report.pointer_mut(pointer).unwrap_or(&mut Value::Null) = value;
        assert_ne!(report, exact(), "{pointer} is in the report");
        report
    }

    #[test]
    fn what_stands_exactly_at_its_limit_is_kept() {
        assert!(check(&exact()));
    }

    #[test]
    fn each_value_over_its_limit_fails() {
        for (pointer, over) in [
            ("/functions/event/init_over_hello", json!(3.51)),
            ("/functions/install/rss_mb", json!(10.01)),
            ("/functions/deliver/zip_mb", json!(4.01)),
            ("/warm/slash_over_echo", json!(2.51)),
            ("/warm/v2_over_put", json!(1.51)),
            ("/linear/doubled keys/ratio", json!(7.01)),
            ("/calls/slash/reads", json!(1)),
            ("/calls/slash/writes", json!(1)),
            ("/calls/v2/reads", json!(1)),
            ("/calls/v2/writes", json!(2)),
            ("/calls/v2/secrets", json!(1)),
        ] {
            assert!(!check(&with(pointer, over)), "{pointer}");
        }
    }

    #[test]
    fn a_v2_request_that_no_longer_writes_fails() {
        assert!(!check(&with("/calls/v2/writes", json!(0))), "its token could be replayed");
    }

    #[test]
    fn what_was_not_measured_fails() {
        for (pointer, value) in [
            ("/functions/command", json!({})),
            ("/warm/slash_over_echo", Value::Null),
            ("/calls/v2", Value::Null),
            ("/functions/command/zip_mb", json!("small")),
        ] {
            assert!(!check(&with(pointer, value)), "{pointer}");
        }
        assert!(!check(&json!({})));
        let nothing = json!({ "slash_over_echo": null, "v2_over_put": null });
        assert!(!check(&with("/warm", nothing)), "no number is no measure");
    }
}
