//! Registering and removing an app while every call of a store may fail before it, after it, or kill the process.

use super::*;
use cloud_apps_core::testing::faults::Fault;

/// Asks in a process of its own whose `n`-th call of a store goes wrong; whether there was one.
async fn struck(memory: &Memory, request: &Value, n: usize, fault: Fault) -> bool {
    let faults = Faults::at(n, fault);
    let management = Build::over(memory).faults(&faults).management();
    let request = json!({ "operator": request });
    // A killed process never answers.
    let _ = faults.until_killed(operator::handle(&management, request, NOW, "request-1")).await;
    faults.struck()
}

async fn ask(memory: &Memory, request: &Value) -> Value {
    let management = Build::over(memory).management();
    operator::handle(&management, json!({ "operator": request }), NOW, "request-1").await
}

#[tokio::test]
async fn a_registration_that_was_cut_off_anywhere_is_finished_by_repeating_it() {
    let add = json!({"do": "add_app", "manifest": manifest(&json!({"type": "http", "url": "https://app.example.com"}))});
    let mut cut = 0;
    for fault in Fault::ALL {
        for n in 1.. {
            let memory = Memory::new();
            if !struck(&memory, &add, n, fault).await {
                break;
            }
            cut += 1;
            let again = ask(&memory, &add).await;
            // A secret of its own, where nobody knows what the first request came to.
            let kid = again["kid"].as_str().unwrap();
            assert!(kid.starts_with("remote.1.upstream."), "{fault:?} at {n}: {again}");
            assert!(kid.ends_with(".1") || again["upstream_secret"].is_string(), "{fault:?} at {n}: {again}");
            let listed = ask(&memory, &json!({"do": "apps"})).await;
            assert_eq!(listed["apps"][0]["id"], "remote", "{fault:?} at {n}");
            let rotated = ask(&memory, &json!({"do": "rotate_upstream", "app": "remote"})).await;
            assert!(rotated["upstream_secret"].is_string(), "{rotated}");
        }
    }
    assert!(cut >= 20, "{cut}");
}

#[tokio::test]
async fn a_removal_that_was_cut_off_anywhere_is_finished_by_repeating_it() {
    let add = json!({"do": "add_app", "manifest": manifest(&json!({"type": "http", "url": "https://app.example.com"}))});
    let remove = json!({"do": "remove_app", "app": "remote"});
    let mut cut = 0;
    for fault in Fault::ALL {
        for n in 1.. {
            let memory = Memory::new();
            ask(&memory, &add).await;
            if !struck(&memory, &remove, n, fault).await {
                break;
            }
            cut += 1;
            let again = ask(&memory, &remove).await;
            // It is gone, or was gone already.
            let gone = again == json!({"apps": []})
                || again["error"]["message"]
                    .as_str()
                    .is_some_and(|text| text.starts_with("There is no app remote"));
            assert!(gone, "{fault:?} at {n}: {again}");
            assert_eq!(ask(&memory, &json!({"do": "apps"})).await, json!({"apps": []}));
            assert!(ask(&memory, &json!({"do": "app", "app": "remote"})).await.get("error").is_some());
        }
    }
    assert!(cut >= 12, "{cut}");
}
