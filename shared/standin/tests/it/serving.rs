//! The stand-in on sockets, called by an ordinary HTTP client.

use cloud_apps_standin::{Fault, Standin, Version};
use std::net::{Ipv4Addr, SocketAddr};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn demo() -> Standin {
    let mm = Standin::new(Version::V11);
    mm.demo().unwrap();
    mm
}

fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy()
}

#[tokio::test]
async fn it_serves_http_and_frees_the_port_at_the_end() {
    let mm = demo();
    let token = mm.add_token("alice").unwrap();
    let site = mm.serve_http(ANY).await.unwrap();
    let me = format!("{}/api/v4/users/me", site.url());
    let client = client().build().unwrap();
    let answer = client.get(&me).bearer_auth(&token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    let me_json: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(me_json["username"], "alice");
    site.shutdown().await;
    assert!(client.get(&me).send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn it_serves_https_for_those_who_trust_its_authority() {
    let site = demo().serve_https(ANY, &["mattermost.test"]).await.unwrap();
    let ca = reqwest::Certificate::from_pem(site.ca_pem().unwrap().as_bytes()).unwrap();
    let trusting = client().tls_certs_only([ca.clone()]).build().unwrap();
    let ping = format!("{}/api/v4/system/ping", site.url());
    assert_eq!(trusting.get(&ping).send().await.unwrap().status(), 200);
    assert!(client().build().unwrap().get(&ping).send().await.is_err());
    // The additional name is in the certificate too.
    let port = site.url().rsplit(':').next().unwrap().to_owned();
    let address = SocketAddr::new(ANY.ip(), port.parse().unwrap());
    let named = client().tls_certs_only([ca]).resolve("mattermost.test", address).build().unwrap();
    let ping = format!("https://mattermost.test:{port}/api/v4/system/ping");
    assert_eq!(named.get(&ping).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_cut_connection_is_cut_on_the_wire_and_the_next_call_works() {
    let mm = demo();
    let site = mm.serve_http(ANY).await.unwrap();
    let ping = format!("{}/api/v4/system/ping", site.url());
    let client = client().pool_max_idle_per_host(0).build().unwrap();
    mm.fault(1, Fault::Cut);
    assert!(client.get(&ping).send().await.is_err());
    assert_eq!(client.get(&ping).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_command_reaches_an_integration_over_tls_that_was_made_to_be_trusted() {
    // A second stand-in is the integration. It answers 501, and the first one shows the reason phrase.
    let other = demo().serve_https(ANY, &[]).await.unwrap();
    let mm = demo();
    mm.add_command("demo", "hello", &format!("{}/app", other.url())).unwrap();
    let distrusted = mm.execute("alice", "town-square", "/hello").await.unwrap();
    assert_eq!(distrusted.texts(), ["Command with a trigger of 'hello' failed."]);
    mm.trust(other.ca_pem().unwrap()).unwrap();
    let trusted = mm.execute("alice", "town-square", "/hello").await.unwrap();
    assert_eq!(trusted.texts(), ["Command with a trigger of 'hello' returned response 501 Not Implemented."]);
}

#[tokio::test]
async fn serving_sets_where_late_answers_go() {
    let mm = demo();
    let site = mm.serve_http(ANY).await.unwrap();
    let ask = format!("{}/api/v4/config/client?format=old", site.url());
    let config = client().build().unwrap().get(ask).send().await.unwrap().text().await.unwrap();
    assert!(config.contains(&format!("\"SiteURL\":\"{}\"", site.url())), "{config}");
}

#[tokio::test]
async fn an_answer_can_be_lost_on_the_wire_after_the_call_took_effect() {
    let mm = demo();
    let token = mm.add_token("alice").unwrap();
    let site = mm.serve_http(ANY).await.unwrap();
    let channel = mm.channel_id("demo", "town-square").unwrap();
    let client = client().build().unwrap();
    let post = || {
        let body = format!(r#"{{"channel_id":"{channel}","message":"m"}}"#);
        client.post(format!("{}/api/v4/posts", site.url())).bearer_auth(&token).body(body).send()
    };
    assert_eq!(post().await.unwrap().status(), 201);
    mm.fault_on(http::Method::POST, "/api/v4/posts", 1, Fault::CutAfter);
    assert!(post().await.is_err());
    assert_eq!(mm.posts("town-square").unwrap().len(), 2, "once, and not again by the client itself");
    assert_eq!(post().await.unwrap().status(), 201);
}
