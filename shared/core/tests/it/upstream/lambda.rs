//! An app that is a Lambda function: the same request, the same answers.

use super::*;
use crate::log_line::Log;
use cloud_apps_core::{apps::InProcess, store::ports::Invoked};

type Event = Arc<Mutex<Option<Value>>>;

/// A yard whose app is a Lambda function that gives this back; and the event that it was handed last.
async fn yard(gives: impl Fn() -> Invoked + Send + Sync + 'static) -> (Yard, Registered, Home, Event) {
    let event: Event = Arc::default();
    let seen = Arc::clone(&event);
    let functions = InProcess::default().with("cloud-app-remote", move |payload| {
        *seen.lock().unwrap() = Some(serde_json::from_slice(&payload).unwrap());
        std::future::ready(gives())
    });
    let lambdas = Lambdas::new(Arc::new(functions), "cloud-app-", "bundle");
    let yard = Yard::with(|build| build.lambdas(lambdas)).await;
    let mut manifest = manifest(&json!({"type": "aws_lambda", "function": "cloud-app-remote"}));
    manifest["lifecycle"] = json!({});
    let registered = yard.add(&manifest).await;
    let home = yard.install(&["act_as_bot"]).await;
    (yard, registered, home, event)
}

fn gives(payload: &Value) -> impl Fn() -> Invoked + Send + Sync + 'static {
    let payload = payload.to_string().into_bytes();
    move || Invoked { failed: false, payload: payload.clone() }
}

#[tokio::test]
async fn a_function_is_handed_the_event_of_an_http_api() {
    let answer = json!({"type": "message", "text": "Hello, bob!"});
    let (yard, registered, home, event) = yard(gives(&json!({
        "statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": answer.to_string(),
    })))
    .await;
    assert_eq!(yard.run(&home, "/remote greet bob").await.body["text"], "Hello, bob!");
    let event = event.lock().unwrap().take().unwrap();
    assert_eq!(event["version"], "2.0");
    assert_eq!(
        (&event["rawPath"], &event["requestContext"]["http"]["path"]),
        (&json!("/greet"), &json!("/greet"))
    );
    assert_eq!(event["requestContext"]["http"]["method"], "POST");
    assert_eq!(event["requestContext"]["timeEpoch"], yard.now());
    assert_eq!(event["isBase64Encoded"], false);
    // The same headers and body as over HTTPS.
    let headers = event["headers"].as_object().unwrap();
    let asked = Asked {
        path: String::new(),
        headers: headers
            .iter()
            .map(|(name, value)| {
                assert_eq!(*name, name.to_lowercase());
                (name.parse().unwrap(), value.as_str().unwrap().parse().unwrap())
            })
            .collect(),
        body: event["body"].as_str().unwrap().into(),
    };
    assert!(registered.signed(&asked));
    let (_, claims) = opened(&asked);
    assert_eq!(
        (&claims["htp"], &claims["body_sha256"]),
        (&json!("/greet"), &json!(body_sha256(&asked.body)))
    );
    assert_eq!(claims["bot_token"], BOT_TOKEN);
    for name in ["cloud-apps-delivery", "cloud-apps-attempt", "cloud-apps-deadline", "traceparent"] {
        assert!(headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn every_shape_of_an_integrations_answer_is_read() {
    let answer = r#"{"type":"message","text":"Hello"}"#;
    let base64 = data_encoding::BASE64.encode(answer.as_bytes());
    for payload in [
        json!({"statusCode": 200, "body": answer}),
        json!({"statusCode": 200, "headers": {"content-type": "application/json"}, "body": base64, "isBase64Encoded": true}),
        json!({"statusCode": 200, "headers": {}, "cookies": [], "multiValueHeaders": {}, "body": answer, "isBase64Encoded": false}),
        // As Go writes what it leaves out.
        json!({"statusCode": 200, "headers": null, "multiValueHeaders": null, "body": answer, "cookies": null}),
        json!({"statusCode": 200, "headers": {"x": [{"y": 7}], "Content-Type": "application/json"}, "body": answer}),
        json!({"type": "message", "text": "Hello"}),
    ] {
        let (yard, _, home, _) = yard(gives(&payload)).await;
        assert_eq!(yard.run(&home, "/remote look").await.body["text"], "Hello", "{payload}");
    }
}

#[tokio::test]
async fn what_a_function_cannot_answer_with_is_refused_like_a_services() {
    let large = "x".repeat(2 << 20);
    let failed =
        Invoked { failed: true, payload: json!({"errorMessage": BOT_TOKEN}).to_string().into_bytes() };
    let with = |payload: Value| Invoked { failed: false, payload: payload.to_string().into_bytes() };
    for (invoked, code, cause) in [
        (failed, "upstream_failed", "FunctionError"),
        (with(json!({"statusCode": 401, "body": BOT_TOKEN})), "upstream_refused", "answered 401"),
        (with(json!({"statusCode": 500, "body": BOT_TOKEN})), "upstream_failed", "answered 500"),
        (
            with(json!({"statusCode": 302, "headers": {"location": "https://x"}})),
            "upstream_failed",
            "redirects",
        ),
        (
            with(json!({"statusCode": "200", "body": BOT_TOKEN})),
            "upstream_failed",
            "as an HTTP API's integration",
        ),
        (
            with(json!({"statusCode": 200, "body": "%", "isBase64Encoded": true})),
            "upstream_failed",
            "is base64, and it is not",
        ),
        (with(json!({"statusCode": 200, "headers": {"content-type": 7}})), "upstream_failed", "integration"),
        (with(json!([200, {}, r#"{"type":"done"}"#, false])), "bad_answer", "not one of the protocol"),
        (
            with(json!({"statusCode": 200, "body": format!("{{\"type\":\"{large}\"}}")})),
            "answer_too_large",
            "1 MiB",
        ),
        (with(json!({"type": BOT_TOKEN})), "bad_answer", "not one of the protocol"),
        (with(Value::Null), "bad_answer", "not one of the protocol"),
        (Invoked { failed: false, payload: b"<html>".to_vec() }, "upstream_failed", "integration"),
        (Invoked { failed: false, payload: vec![b' '; 4 << 20] }, "answer_too_large", "1 MiB"),
    ] {
        let (yard, _, home, _) = yard(move || invoked.clone()).await;
        let log = Log::begin();
        let answered = yard.run(&home, "/remote look").await;
        assert_eq!(answered.code(), code, "{cause}");
        assert!(log.text().contains(cause), "{cause}: {}", log.text());
        assert!(!log.text().contains(BOT_TOKEN) && !answered.body.to_string().contains(BOT_TOKEN));
    }
}

#[tokio::test]
async fn a_function_of_another_name_or_of_the_bundle_itself_is_not_registered() {
    let lambdas = Lambdas::new(Arc::new(InProcess::default()), "cloud-app-", "cloud-app-bundle");
    let yard = Yard::with(|build| build.lambdas(lambdas)).await;
    for (function, words) in [
        (
            "other",
            "/upstream/function (line 1, column 229): This bundle invokes functions whose name begins with cloud-app-, and \
             other does not. Rename the function, or change the parameter UpstreamFunctionPrefix.",
        ),
        (
            "cloud-app-bundle-InstallFunction-x1",
            "is a function of the bundle itself. Name the app's own function.",
        ),
    ] {
        let text = json!({"protocol": 2, "id": "remote", "version": "1.0.0", "display_name": "Remote",
            "upstream": {"type": "aws_lambda", "function": function}});
        let refused = yard.operator(json!({"do": "add_app", "manifest": text})).await;
        assert_eq!(refused["error"]["code"], "bad_manifest");
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains(words.split(": ").last().unwrap()), "{message}");
    }
}

#[tokio::test]
async fn a_function_that_is_gone_is_a_sentence_and_its_name_stands_in_the_log() {
    let (yard, _, home, _) = yard(gives(&json!({"type": "done"}))).await;
    let lambdas = Lambdas::new(Arc::new(InProcess::default()), "cloud-app-", "bundle");
    let bundle = Build::over(&yard.memory).lambdas(lambdas).bundle();
    let log = Log::begin();
    let request = yard.v2(&home, "/remote look", "user");
    let answered = Answered::from(bundle.handle(arrival(request, yard.now())).await);
    assert_eq!(answered.code(), "upstream_failed");
    assert!(log.text().contains("there is no function cloud-app-remote"), "{}", log.text());
}
