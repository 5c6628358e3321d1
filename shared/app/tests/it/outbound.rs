//! Calls that leave the bundle, over real sockets.

use crate::server::{Server, closes_once, raw, tls};
use async_trait::async_trait;
use axum::{body::Body, http::StatusCode, response::Response};
use bytes::Bytes;
use cloud_app::http::{Error, MAX_ANSWER, Names, Outbound, Policy, address::Class};
use http::Request;
use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

const LIMIT: Duration = Duration::from_secs(20);

fn laptop() -> Outbound {
    Outbound::new(Policy { loopback: true, ..Policy::default() })
}

fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

/// Names that point where a test says; each look-up takes the next answer.
struct Told(Mutex<Vec<Vec<IpAddr>>>);

impl Told {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |addresses: &&[&str]| addresses.iter().map(|a| a.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parse).collect())))
    }
}

#[async_trait]
impl Names for Told {
    async fn look_up(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let mut answers = self.0.lock().unwrap();
        if answers.is_empty() { Err(io::Error::other("no such host")) } else { Ok(answers.remove(0)) }
    }
}

/// A call that changes something, with this idempotency key.
fn with_key(url: &str, key: Option<&str>) -> Request<Bytes> {
    let mut request = Request::post(url).header("content-length", "0");
    if let Some(key) = key {
        request = request.header("cloud-apps-delivery", key);
    }
    request.body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn a_call_whose_connection_was_closed_unanswered_is_sent_once_more_where_that_is_safe() {
    let cases = [
        (get as fn(&str) -> Request<Bytes>, true),
        (|url| with_key(url, Some("5c3b")), true),
        (|url| with_key(url, Some("")), false),
        (|url| with_key(url, None), false),
    ];
    for (request, repeated) in cases {
        let (site, came) = closes_once().await;
        match laptop().send(request(&format!("{site}/x")), LIMIT).await {
            Ok(answer) => assert!(repeated && answer.body() == "ok"),
            Err(error) => {
                let broken = matches!(error, Error::Broken { .. });
                assert!(!repeated && broken && error.is_doubtful(), "{error}");
            }
        }
        assert_eq!(*came.lock().unwrap(), if repeated { 2 } else { 1 });
    }
}

#[tokio::test]
async fn an_answer_is_read_whole_whatever_its_status() {
    let server = Server::start(|request| {
        let body = format!("you sent {}", String::from_utf8_lossy(request.body()));
        Response::builder().status(418).header("x-kind", "tea").body(Body::from(body)).unwrap()
    })
    .await;
    let request = Request::post(format!("{}/pot", server.site)).body(Bytes::from("leaves")).unwrap();
    let answer = laptop().send(request, LIMIT).await.unwrap();
    assert_eq!(answer.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(answer.headers()["x-kind"], "tea");
    assert_eq!(answer.body(), "you sent leaves");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let server = Server::start(|_| {
        Response::builder().status(302).header("location", "/elsewhere").body(Body::empty()).unwrap()
    })
    .await;
    let answer = laptop().send(get(&format!("{}/here", server.site)), LIMIT).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FOUND);
    assert_eq!(server.asked(), ["GET /here"]);
}

#[tokio::test]
async fn a_body_that_never_ends_runs_into_the_limit() {
    let site = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_vec()).await;
    let limit = Duration::from_millis(100);
    let error = laptop().send(get(&format!("{site}/")), limit).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("{site} did not answer within 100 ms"));
}

#[tokio::test]
async fn an_announced_answer_over_the_limit_is_not_read() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", MAX_ANSWER + 1);
    let site = raw(head.into_bytes()).await;
    let error = laptop().send(get(&format!("{site}/")), LIMIT).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn an_endless_answer_is_cut_at_the_limit() {
    let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..=MAX_ANSWER / 0x10000 {
        bytes.extend_from_slice(b"10000\r\n");
        bytes.extend_from_slice(&vec![b'x'; 0x10000]);
        bytes.extend_from_slice(b"\r\n");
    }
    let site = raw(bytes).await;
    let error = laptop().send(get(&format!("{site}/")), LIMIT).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_of_exactly_the_limit_is_read() {
    let server = Server::start(|_| Response::new(Body::from(vec![b'x'; MAX_ANSWER]))).await;
    let answer = laptop().send(get(&format!("{}/", server.site)), LIMIT).await.unwrap();
    assert_eq!(answer.body().len(), MAX_ANSWER);
}

#[tokio::test]
async fn addresses_in_a_url_are_checked_however_they_are_written() {
    let deployed = Outbound::new(Policy::default());
    for (url, expected) in [
        ("https://169.254.169.254/latest", Class::LinkLocal),
        ("https://127.0.0.1:9001/2018-06-01/runtime", Class::Loopback),
        ("https://0x7f.1/", Class::Loopback),
        ("https://2130706433/", Class::Loopback),
        ("https://[::1]/", Class::Loopback),
        ("https://[::ffff:127.0.0.1]/", Class::Ipv4Mapped),
        ("https://[64:ff9b::a00:1]/", Class::Nat64),
        ("https://10.0.0.1/", Class::Private),
        ("https://100.64.0.1/", Class::CarrierGradeNat),
    ] {
        let error = deployed.send(get(url), LIMIT).await.unwrap_err();
        assert!(matches!(error, Error::Refused { class, .. } if class == expected), "{url}: {error:?}");
        assert!(error.to_string().contains("AllowedNetworks"), "{error}");
    }
}

#[tokio::test]
async fn nothing_but_https_leaves_the_bundle() {
    for (policy, url) in [
        (Policy::default(), "http://chat.example.com/"),
        (Policy::default(), "http://127.0.0.1:8065/"),
        (Policy { loopback: true, ..Policy::default() }, "http://chat.example.com/"),
        (Policy { loopback: true, ..Policy::default() }, "http://192.168.1.5/"),
    ] {
        let error = Outbound::new(policy).send(get(url), LIMIT).await.unwrap_err();
        assert!(matches!(error, Error::Scheme { .. }), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn a_name_of_an_inner_address_is_refused_when_it_is_connected_to() {
    let names = Told::new(&[&["10.0.0.5", "fe80::1"]]);
    let error = Outbound::with_names(Policy::default(), names)
        .send(get("https://chat.example.com/hooks/secret"), LIMIT)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "chat.example.com is not called: fe80::1 is a link-local address; if it is yours, add its network to \
         AllowedNetworks"
    );
}

#[tokio::test]
async fn a_name_that_moves_inside_after_the_first_call_is_refused_at_the_second() {
    let (port, pem) = tls(&["chat.example.com"]).await;
    let policy = Policy {
        allowed_networks: vec!["127.0.0.1/32".parse().unwrap()],
        extra_certificates: Some(pem),
        loopback: false,
    };
    let outbound = Outbound::with_names(policy, Told::new(&[&["127.0.0.1"], &["127.0.0.2"]]));
    let url = format!("https://chat.example.com:{port}/");
    assert_eq!(outbound.send(get(&url), LIMIT).await.unwrap().body(), "ok");
    let error = outbound.send(get(&url), LIMIT).await.unwrap_err();
    assert!(matches!(error, Error::Refused { class: Class::Loopback, .. }), "{error:?}");
}

#[tokio::test]
async fn of_several_addresses_only_permitted_ones_are_connected_to() {
    let (port, pem) = tls(&["chat.example.com"]).await;
    let policy = Policy {
        allowed_networks: vec!["127.0.0.1/32".parse().unwrap()],
        extra_certificates: Some(pem),
        loopback: false,
    };
    let outbound = Outbound::with_names(policy, Told::new(&[&["10.0.0.5", "127.0.0.1"]]));
    let answer = outbound.send(get(&format!("https://chat.example.com:{port}/")), LIMIT).await.unwrap();
    assert_eq!(answer.body(), "ok");
}

#[tokio::test]
async fn localhost_by_http_is_this_machine_or_nothing() {
    let policy =
        Policy { allowed_networks: vec!["10.0.0.0/8".parse().unwrap()], loopback: true, ..Policy::default() };
    let outbound = Outbound::with_names(policy, Told::new(&[&["10.0.0.5"]]));
    let error = outbound.send(get("http://localhost:8065/"), LIMIT).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_names_the_parameter_that_would_trust_it() {
    let (port, _) = tls(&["chat.example.com"]).await;
    let policy = Policy { allowed_networks: vec!["127.0.0.1/32".parse().unwrap()], ..Policy::default() };
    let outbound = Outbound::with_names(policy, Told::new(&[&["127.0.0.1"]]));
    let error = outbound
        .send(get(&format!("https://chat.example.com:{port}/hooks/secret")), LIMIT)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Certificate { .. }), "{error:?}");
    assert!(error.to_string().contains("ExtraCertificates"), "{error}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let (port, pem) = tls(&["other.example.com"]).await;
    let policy = Policy {
        allowed_networks: vec!["127.0.0.1/32".parse().unwrap()],
        extra_certificates: Some(pem),
        loopback: false,
    };
    let outbound = Outbound::with_names(policy, Told::new(&[&["127.0.0.1"]]));
    let error = outbound.send(get(&format!("https://chat.example.com:{port}/")), LIMIT).await.unwrap_err();
    assert!(matches!(error, Error::Certificate { .. }), "{error:?}");
}

#[tokio::test]
async fn certificates_that_cannot_be_read_are_told_before_any_call() {
    let policy = Policy { extra_certificates: Some("not PEM".into()), ..Policy::default() };
    let error = Outbound::new(policy).ready().unwrap_err();
    assert!(error.to_string().contains("ExtraCertificates"), "{error}");
}

#[tokio::test]
async fn an_error_names_the_site_and_never_the_path() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let unknown = Outbound::with_names(Policy::default(), Told::new(&[]));
    let errors = [
        laptop().send(get(&format!("http://{address}/hooks/canary")), LIMIT).await.unwrap_err(),
        unknown.send(get("https://chat.example.com/hooks/canary"), LIMIT).await.unwrap_err(),
    ];
    assert!(matches!(errors[0], Error::Connect { .. }), "{:?}", errors[0]);
    assert!(matches!(errors[1], Error::NotFound { .. }), "{:?}", errors[1]);
    for error in errors {
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}
