//! What is promised. Each limit is a ratio within one run, a size, or a count.

use serde_json::Value;

/// Checks the report against every limit, and says each as it goes.
pub fn check(report: &Value) -> bool {
    let at = |pointer: String| report.pointer(&pointer).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let mut passed = 0;
    let mut failed = 0;
    let mut limit = |what: String, value: f64, most: f64| {
        // NaN is a failure too.
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
        limit(format!("{function}: resident memory in MB"), of("rss_mb"), 10.0);
        limit(format!("{function}: zip in MB"), of("zip_mb"), 4.0);
    }
    let warm = |key: &str| at(format!("/warm/{key}"));
    limit("a warm slash over an echo".to_owned(), warm("slash_us") / warm("echo_us"), 2.5);
    limit("a warm V2 over one PutItem".to_owned(), warm("v2_us") / warm("put_us"), 1.5);
    for (request, reads, writes) in [("slash", 0.0, 0.0), ("v2", 0.0, 1.0)] {
        let calls = |kind: &str| at(format!("/calls/{request}/{kind}"));
        limit(format!("{request}: reads"), calls("reads"), reads);
        limit(format!("{request}: writes"), calls("writes"), writes);
        limit(format!("{request}: fewest writes"), writes - calls("writes"), 0.0);
        limit(format!("{request}: secrets"), calls("secrets"), 0.0);
    }
    println!("bench: {passed} passed, {failed} failed");
    failed == 0
}
