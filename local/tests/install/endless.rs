//! A server that answers without end costs a bounded amount of memory and time, and is told.

use super::rig::Scripted;
use async_trait::async_trait;
use axum::{Router, body::Body, response::Response, routing::get};
use cloud_apps::{
    certificates::Authorities,
    failure::Failure,
    install::{
        Admin, Installer, Patience, Request, Stop, Teams,
        bundle::{Bundle, Operator, Rights},
        install,
    },
    mattermost::Mattermost,
};
use cloud_apps_core::operator::{OperatorAnswer, OperatorRequest};
use cloud_apps_protocol::{AppId, SiteUrl, Values};
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What nothing takes.
const LONG: Duration = Duration::from_mins(5);

/// A body without an end.
async fn stream() -> Response {
    let more = futures_util::stream::repeat_with(|| {
        Ok::<_, std::io::Error>(bytes::Bytes::from(vec![b' '; 1 << 16]))
    });
    Response::new(Body::from_stream(more))
}

/// A full page of teams, whichever page is asked for.
async fn page() -> axum::Json<serde_json::Value> {
    axum::Json((0..200).map(|n| json!({"id": "t".repeat(26), "name": format!("team-{n}")})).collect())
}

/// So many empty objects, each of which becomes a struct of hundreds of bytes.
fn crumbs(count: usize) -> String {
    format!("[{}]", vec!["{}"; count].join(","))
}

async fn listening() -> SiteUrl {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = SiteUrl::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let router = Router::new()
        .route("/api/v4/teams", get(page))
        .route("/api/v4/commands", get(async || crumbs(200_001)))
        .route("/api/v4/bots", get(async || crumbs(201)))
        .fallback(stream);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn a_server_that_does_not_end_is_given_up() {
    let site = listening().await;
    let server = Mattermost::new(&site, LONG, &Authorities::default()).unwrap();
    let pages = server.teams().await.expect_err("it gives page after page").to_string();
    assert!(pages.contains("the list does not end"), "{pages}");
    let streamed = server.me().await.expect_err("it streams for ever").to_string();
    assert!(streamed.contains("longer than 8 MiB"), "{streamed}");
    let many = server.commands("t").await.err().expect("it gives a great many").to_string();
    assert!(many.contains("more than 200,000 values"), "{many}");
    let page = server.bots().await.expect_err("it gives more than a page holds").to_string();
    assert!(page.contains("more than the 200 entries"), "{page}");
}

/// An operator's bundle whose lists go on for ever.
struct Endless;

#[async_trait]
impl Operator for Endless {
    async fn ask(&self, _: &OperatorRequest) -> Result<OperatorAnswer, Failure> {
        Ok(serde_json::from_value(json!({"installs": [], "cursor": "more"})).unwrap())
    }
}

#[tokio::test]
async fn a_bundle_that_does_not_end_is_given_up() {
    let url = listening().await;
    let app = AppId::new("hello").unwrap();
    let bundle =
        Bundle::new(url.clone(), Rights::Operator(Box::new(Endless)), LONG, &Authorities::default()).unwrap();
    let pages = bundle.find(&app, &url).await.expect_err("it gives page after page").to_string();
    assert!(pages.contains("the list does not end"), "{pages}");
    let streamed = bundle.index().await.expect_err("it streams for ever").to_string();
    assert!(streamed.contains("longer than 8 MiB"), "{streamed}");
    // And the same through a command.
    let (person, folder) = (Scripted::default(), tempfile::TempDir::new().unwrap());
    let admin = Admin {
        server: Mattermost::new(&url, LONG, &Authorities::default()).unwrap(),
        token: Some("abcdefghijklmnopqrstuvwxyz".to_owned().into()),
        person: &person,
        interrupt: CancellationToken::new(),
        patience: Patience::default(),
    };
    let bundle =
        Bundle::new(url.clone(), Rights::Code("A".repeat(43).into()), LONG, &Authorities::default()).unwrap();
    let installer = Installer { admin, bundle, journals: folder.path().to_owned() };
    let request = Request {
        app,
        site: url,
        teams: Teams::All,
        bot: None,
        set: Vec::new(),
        settings: Values::new(),
        agreed: true,
        keep: false,
        take_over: false,
    };
    assert!(matches!(install(&installer, &request).await, Err(Stop::Bundle(_))), "{}", person.text());
}
