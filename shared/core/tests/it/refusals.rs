//! Refusals, generated: route × flaw. Each has its status and code as the protocol writes them, no function is called,
//! nothing is written, and nothing is read where nothing needs to be.

use crate::stage::{
    ALICE, Answered, BOB, SLASH_TOKEN, STATIC_TOKEN, Stage, TEAM, command_body, craft, form, request,
};
use bytes::Bytes;
use cloud_apps_core::{store::model::State, testing::sample};
use cloud_apps_protocol::{
    Generation,
    seal::{Content, SealKind, seal},
};
use http::{HeaderValue, Request, header};
use serde_json::{Value, json};

/// How many reads of an install a refusal may cost.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Reads {
    /// It is refused before anything is read.
    None,
    /// It rests on the install.
    Install,
    /// It rests on the install, which is read again because the cache would refuse.
    Again,
}

struct Flaw {
    name: &'static str,
    status: u16,
    code: &'static str,
    claim: Option<&'static str>,
    reads: Reads,
    make: Box<Make>,
}

/// Makes the request from a stage, a path and a body.
type Make = dyn Fn(&Stage, &str, &str) -> Request<Bytes>;

/// With these headers `Authorization`.
fn authorized(path: &str, body: &str, values: &[&str]) -> Request<Bytes> {
    let headers: Vec<_> = values.iter().map(|value| (header::AUTHORIZATION, *value)).collect();
    request(path, body, &headers)
}

fn bearer(path: &str, body: &str, token: &str) -> Request<Bytes> {
    authorized(path, body, &[&format!("Bearer {token}")])
}

/// A flaw that is refused before the MAC verifies: one and the same `unauthorized`, and no read.
fn before(name: &'static str, make: impl Fn(&Stage, &str, &str) -> Request<Bytes> + 'static) -> Flaw {
    Flaw { name, status: 401, code: "unauthorized", claim: None, reads: Reads::None, make: Box::new(make) }
}

/// A flaw of the token's header.
fn of_header(name: &'static str, change: impl Fn(&mut Value, &Stage) + 'static) -> Flaw {
    before(name, move |stage, path, body| {
        let mut header = json!({"alg": "HS256", "typ": "cloud-apps+jwt", "kid": stage.kid()});
        change(&mut header, stage);
        let claims = stage.claims(path, body).to_string();
        bearer(path, body, &craft(&header.to_string(), &claims, &stage.secret(1)))
    })
}

/// A flaw of the claims of a token with a good MAC.
fn of_claims(
    name: &'static str,
    code: &'static str,
    claim: Option<&'static str>,
    change: impl Fn(&mut Value, &Stage) + 'static,
) -> Flaw {
    let make = move |stage: &Stage, path: &str, body: &str| {
        let mut claims = stage.claims(path, body);
        change(&mut claims, stage);
        bearer(path, body, &stage.token(&claims))
    };
    Flaw { name, status: 401, code, claim, reads: Reads::None, make: Box::new(make) }
}

#[allow(clippy::too_many_lines)] // A table.
fn flaws() -> Vec<Flaw> {
    let mut flaws = vec![
        before("no Authorization", |_, path, body| authorized(path, body, &[])),
        before("an empty one", |_, path, body| authorized(path, body, &[""])),
        before("a scheme of another world", |stage, path, body| {
            let token = stage.token(&stage.claims(path, body));
            authorized(path, body, &[&format!("Basic {token}")])
        }),
        before("a good token twice", |stage, path, body| {
            let value = format!("Bearer {}", stage.token(&stage.claims(path, body)));
            authorized(path, body, &[&value, &value])
        }),
        before("a good token twice, joined by a comma as API Gateway does", |stage, path, body| {
            let value = format!("Bearer {}", stage.token(&stage.claims(path, body)));
            authorized(path, body, &[&format!("{value},{value}")])
        }),
        before("a token of 5 KiB", |stage, path, body| {
            let mut claims = stage.claims(path, body);
            claims["padding"] = "x".repeat(5 * 1024).into();
            bearer(path, body, &stage.token(&claims))
        }),
        before("bytes that are no text", |_, path, body| {
            let mut request = authorized(path, body, &[]);
            let value = HeaderValue::from_bytes(b"Bearer \xff.\xff.\xff").unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, value);
            request
        }),
        before("two dots and nothing else", |_, path, body| bearer(path, body, "..")),
        before("alg none, unsigned", |stage, path, body| {
            let header = json!({"alg": "none", "typ": "cloud-apps+jwt", "kid": stage.kid()}).to_string();
            let token = craft(&header, &stage.claims(path, body).to_string(), &stage.secret(1));
            let unsigned = token.rsplit_once('.').unwrap().0;
            bearer(path, body, &format!("{unsigned}."))
        }),
        of_header("alg none, signed", |header, _| header["alg"] = "none".into()),
        of_header("alg RS256", |header, _| header["alg"] = "RS256".into()),
        of_header("alg HS512", |header, _| header["alg"] = "HS512".into()),
        of_header("no alg", |header, _| drop(header.as_object_mut().unwrap().remove("alg"))),
        of_header("typ JWT", |header, _| header["typ"] = "JWT".into()),
        of_header("no typ", |header, _| drop(header.as_object_mut().unwrap().remove("typ"))),
        of_header("typ of bundle to app", |header, _| header["typ"] = "cloud-apps-upstream+jwt".into()),
        of_header("typ of app to bundle", |header, _| header["typ"] = "cloud-apps-app+jwt".into()),
        of_header("crit", |header, _| header["crit"] = json!(["exp"])),
        of_header("no kid", |header, _| drop(header.as_object_mut().unwrap().remove("kid"))),
        of_header("a kid of three parts", |header, s| {
            header["kid"] = format!("jira.1.{}", s.install.id).into();
        }),
        of_header("a kid of five parts", |header, s| header["kid"] = format!("{}.1", s.kid()).into()),
        of_header("generation 0", |header, s| header["kid"] = format!("jira.1.{}.0", s.install.id).into()),
        of_header("generation 01", |header, s| header["kid"] = format!("jira.1.{}.01", s.install.id).into()),
        of_header("a malformed install", |header, _| header["kid"] = "jira.1.install.1".into()),
        of_header("an unknown app", |header, s| {
            header["kid"] = format!("nobody.1.{}.1", s.install.id).into();
        }),
        of_header("an unknown key", |header, s| header["kid"] = format!("jira.2.{}.1", s.install.id).into()),
        of_header("another install's kid", |header, _| {
            header["kid"] = format!("jira.1.{}.1", sample::install_id(99_999)).into();
        }),
        of_header("another generation's kid", |header, s| {
            header["kid"] = format!("jira.1.{}.2", s.install.id).into();
        }),
        before("another install's secret", |stage, path, body| {
            let header = json!({"alg": "HS256", "typ": "cloud-apps+jwt", "kid": stage.kid()}).to_string();
            let secret = sample::ring(&stage.install.app, 1).keys[0].root.shared(
                &stage.install.app,
                &sample::install_id(99_999),
                Generation(1),
            );
            bearer(path, body, &craft(&header, &stage.claims(path, body).to_string(), &secret))
        }),
        before("one bit of the signature", |stage, path, body| {
            let token = stage.token(&stage.claims(path, body));
            let (head, mac) = token.rsplit_once('.').unwrap();
            let mut mac = data_encoding::BASE64URL_NOPAD.decode(mac.as_bytes()).unwrap();
            mac[7] ^= 1;
            bearer(path, body, &format!("{head}.{}", data_encoding::BASE64URL_NOPAD.encode(&mac)))
        }),
        before("half of the signature", |stage, path, body| {
            let token = stage.token(&stage.claims(path, body));
            bearer(path, body, &token[..token.len() - 22])
        }),
        before("claims that were changed after signing", |stage, path, body| {
            let good = stage.token(&stage.claims(path, body));
            let other = stage.token(&json!({"sub": BOB}));
            let parts: Vec<_> = good.split('.').collect();
            let claims = other.split('.').nth(1).unwrap();
            bearer(path, body, &format!("{}.{claims}.{}", parts[0], parts[2]))
        }),
        of_claims("exp as text", "bad_token", Some("exp"), |c, _| c["exp"] = "soon".into()),
        of_claims("a scope that is none", "bad_token", Some("scope"), |c, _| c["scope"] = "root".into()),
        of_claims("a short jti", "bad_token", Some("jti"), |c, _| c["jti"] = "1".into()),
        of_claims("a life of 301 s", "bad_token", Some("exp"), |c, s| c["exp"] = (s.now / 1000 + 301).into()),
        of_claims("another method", "bad_token", Some("htm"), |c, _| c["htm"] = "PUT".into()),
        of_claims("another route", "bad_token", Some("htp"), |c, _| c["htp"] = "/install".into()),
        of_claims("expired", "token_expired", None, |c, s| {
            c["iat"] = (s.now / 1000 - 120).into();
            c["exp"] = (s.now / 1000 - 31).into();
        }),
        of_claims("from the future", "clock_skew", None, |c, s| {
            c["iat"] = (s.now / 1000 + 31).into();
            c["exp"] = (s.now / 1000 + 60).into();
        }),
        of_claims("another body's hash", "body_mismatch", None, |c, _| {
            c["body_sha256"] = cloud_apps_protocol::token::body_sha256(b"{}").into();
        }),
        of_claims("another app", "wrong_audience", Some("aud"), |c, _| c["aud"] = "gitlab".into()),
        Flaw {
            reads: Reads::Install,
            ..of_claims("another server", "wrong_audience", Some("iss"), |c, _| {
                c["iss"] = "https://evil.example.com".into();
            })
        },
        before("one byte of the body", |stage, path, body| {
            let token = stage.token(&stage.claims(path, body));
            bearer(path, &format!("{body} "), &token)
        }),
        before("a doubled claim", |stage, path, body| {
            let claims = stage.claims(path, body).to_string();
            let doubled = claims.replacen('{', "{\"sub\":\"x\",", 1);
            let header = json!({"alg": "HS256", "typ": "cloud-apps+jwt", "kid": stage.kid()}).to_string();
            bearer(path, body, &craft(&header, &doubled, &stage.secret(1)))
        }),
    ];
    for flaw in &mut flaws {
        match flaw.name {
            "one byte of the body" => flaw.code = "body_mismatch",
            "a doubled claim" => (flaw.code, flaw.claim) = ("bad_token", Some("sub")),
            _ => {}
        }
    }
    for claim in ["iss", "aud", "sub", "iat", "exp", "jti", "htm", "htp", "scope", "body_sha256"] {
        flaws.push(of_claims("a missing claim", "bad_token", Some(claim), move |c, _| {
            c.as_object_mut().unwrap().remove(claim);
        }));
    }
    flaws
}

const ROUTES: [&str; 4] = ["/", "/command", "/autocomplete", "/event"];

fn body(path: &str) -> String {
    match path {
        "/event" => json!({"events": []}).to_string(),
        "/autocomplete" => {
            json!({"query": {"kind": "suggest"}, "context": {"acting_user": {"id": ALICE}}}).to_string()
        }
        _ => command_body("/jira create_issue --project=MM").to_string(),
    }
}

/// Sends what is flawed, and asserts that nothing came of it.
async fn refused(stage: &Stage, request: Request<Bytes>, reads: Reads, what: &str) -> Answered {
    let before = stage.memory.counts();
    let answered = stage.send(request).await;
    let after = stage.memory.counts();
    assert!(stage.calls().is_empty(), "{what} called a function");
    let most = match reads {
        Reads::None => 0,
        Reads::Install => 1,
        Reads::Again => 2,
    };
    assert!(after.reads() - before.reads() <= most, "{what} read {:?}", after.reads);
    assert_eq!(after.writes() - before.writes(), 0, "{what} wrote {:?}", after.writes);
    answered
}

/// Caches as they are after a stranger's first knock: the catalogue and the ring were read.
async fn warmed() -> Stage {
    let stage = Stage::new();
    let header =
        json!({"alg": "HS256", "typ": "cloud-apps+jwt", "kid": format!("nobody.1.{}.1", stage.install.id)});
    for header in [header, json!({"alg": "HS256", "typ": "cloud-apps+jwt", "kid": stage.kid()})] {
        let token = craft(&header.to_string(), "{}", &stage.secret(9));
        assert_eq!(stage.send(bearer("/command", "{}", &token)).await.code(), "unauthorized");
    }
    stage.memory.reset_counts();
    stage
}

#[tokio::test]
async fn every_flaw_of_a_token_is_refused_on_every_v2_route_with_its_code_and_without_effect() {
    let flaws = flaws();
    assert!(flaws.len() >= 25);
    for path in ROUTES {
        for flaw in &flaws {
            let stage = warmed().await;
            let what = format!("{path}: {} {:?}", flaw.name, flaw.claim);
            let request = (flaw.make)(&stage, path, &body(path));
            let answered = refused(&stage, request, flaw.reads, &what).await;
            assert_eq!(
                (answered.status.as_u16(), answered.code()),
                (flaw.status, flaw.code),
                "{what}: {answered:?}"
            );
            if let Some(claim) = flaw.claim {
                assert_eq!(answered.body["error"]["claim"], claim, "{what}");
            }
            assert_eq!(stage.memory.counts().secrets(), 0, "{what} fetched a secret");
        }
    }
}

#[tokio::test]
async fn what_fails_before_the_mac_is_one_and_the_same_answer() {
    let stage = warmed().await;
    let mut bodies = Vec::new();
    for flaw in flaws().iter().filter(|flaw| flaw.code == "unauthorized") {
        bodies.push(stage.send((flaw.make)(&stage, "/command", &body("/command"))).await.body);
    }
    assert!(bodies.len() >= 25);
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:#?}");
}

#[tokio::test]
async fn a_good_token_passes_every_v2_route() {
    for (path, status) in [("/", 200), ("/command", 200), ("/autocomplete", 404), ("/event", 404)] {
        let stage = Stage::new();
        let answered = stage.send(stage.v2(path, &serde_json::from_str(&body(path)).unwrap())).await;
        assert_eq!(answered.status.as_u16(), status, "{path}: {answered:?}");
        if status == 404 {
            assert_eq!(answered.code(), "no_route");
            assert!(answered.text().contains("not served by this version"), "{}", answered.text());
        }
    }
}

#[tokio::test]
async fn a_token_of_somebody_else_than_the_acting_user_is_bad() {
    for path in ["/command", "/autocomplete"] {
        let stage = warmed().await;
        let body = body(path).replace(ALICE, BOB);
        let token = stage.token(&stage.claims(path, &body));
        let answered = refused(&stage, bearer(path, &body, &token), Reads::Install, path).await;
        assert_eq!((answered.status.as_u16(), answered.code()), (401, "bad_token"));
        assert_eq!(answered.body["error"]["claim"], "sub");
    }
}

#[tokio::test]
async fn events_come_from_the_bot_with_its_scope() {
    let stage = warmed().await;
    for (claim, value, status, code) in
        [("sub", ALICE, 401, "bad_token"), ("scope", "user", 403, "forbidden")]
    {
        let body = body("/event");
        let mut claims = stage.claims("/event", &body);
        claims[claim] = value.into();
        let answered = stage.send(bearer("/event", &body, &stage.token(&claims))).await;
        assert_eq!((answered.status.as_u16(), answered.code()), (status, code));
    }
}

#[tokio::test]
async fn a_retired_generation_and_a_removed_install_are_unauthorized_and_a_previous_one_has_its_grace() {
    let rotated = |until| {
        Stage::with(move |install| {
            install.generation = Generation(3);
            install.previous_until = until;
        })
    };
    let send = async |stage: &Stage, generation: u32| {
        let body = body("/command");
        let header = json!({
            "alg": "HS256", "typ": "cloud-apps+jwt", "kid": format!("jira.1.{}.{generation}", stage.install.id),
        });
        let claims = stage.claims("/command", &body).to_string();
        let token = craft(&header.to_string(), &claims, &stage.secret(generation));
        stage.send(bearer("/command", &body, &token)).await.status.as_u16()
    };
    let grace = Some(crate::stage::NOW + 1);
    for (until, generation, status) in [
        (grace, 3, 200),
        (grace, 2, 200),
        (grace, 1, 401),
        (grace, 4, 401),
        (Some(crate::stage::NOW), 2, 401),
        (None, 2, 401),
        (None, 3, 200),
    ] {
        assert_eq!(send(&rotated(until), generation).await, status, "{until:?} {generation}");
    }
    let nobody = Stage::with(|install| install.generation = Generation(0));
    assert_eq!(send(&nobody, 1).await, 401);
    let removed = Stage::with(|install| install.state = State::Removing);
    assert_eq!(send(&removed, 1).await, 401);
}

/// The secret before the current one is good for what is under way, and for nothing with an admin's rights.
#[tokio::test]
async fn the_secret_before_the_current_one_is_good_for_users_and_the_bot_only() {
    for path in ROUTES {
        for (scope, generation, known) in [
            ("user", 2, true),
            ("bot", 2, true),
            ("admin", 2, false),
            ("user", 3, true),
            ("bot", 3, true),
            ("admin", 3, true),
        ] {
            let stage = Stage::with(|install| {
                install.generation = Generation(3);
                install.previous_until = Some(crate::stage::NOW + 1);
            });
            let body = body(path);
            let header = json!({
                "alg": "HS256", "typ": "cloud-apps+jwt", "kid": format!("jira.1.{}.{generation}", stage.install.id),
            });
            let mut claims = stage.claims(path, &body);
            claims["scope"] = scope.into();
            let token = craft(&header.to_string(), &claims.to_string(), &stage.secret(generation));
            let answered = stage.send(bearer(path, &body, &token)).await;
            let what = format!("{path} {scope} {generation}: {answered:?}");
            assert_eq!(answered.code() != "unauthorized", known, "{what}");
        }
    }
}

#[tokio::test]
async fn an_install_that_does_not_serve_says_so_to_who_may_know() {
    let code = sample::code_hash(1);
    for (state, sentence) in [
        (State::Disabled, "switched off"),
        (State::Pending { code: code.clone(), until: u64::MAX }, "not installed completely"),
        (State::Completing { code, until: u64::MAX, lease: u64::MAX }, "not installed completely"),
    ] {
        let stage = Stage::with(|install| install.state = state.clone());
        let v2 = stage.run("/jira search").await;
        assert_eq!((v2.status.as_u16(), v2.code()), (403, "disabled"));
        assert!(v2.text().contains(sentence), "{}", v2.text());
        let slash = stage.type_("search").await;
        assert_eq!(slash.status, 200);
        assert!(slash.text().contains(sentence), "{}", slash.text());
        assert!(stage.calls().is_empty());
        assert_eq!(stage.memory.counts().writes(), 0);
    }
}

#[tokio::test]
async fn a_refusal_that_rests_on_a_cached_install_reads_it_again_first() {
    let mut stage = Stage::with(|install| install.state = State::Disabled);
    assert_eq!(stage.run("/jira search").await.code(), "disabled");
    stage.install.state = State::Active;
    stage.put(&stage.install);
    stage.now += 1_000;
    assert_eq!(stage.run("/jira search").await.code(), "message");
    stage.install.granted.locations.clear();
    stage.put(&stage.install);
    stage.now += 60_000;
    assert_eq!(stage.run("/jira search").await.code(), "not_granted");
    stage.install.granted.locations.insert("message_box".into());
    stage.put(&stage.install);
    stage.now += 1_000;
    assert_eq!(stage.run("/jira search").await.code(), "message");
}

#[tokio::test]
async fn a_static_token_opens_the_command_route_only_and_no_other_token_opens_anything() {
    for path in ["/autocomplete", "/event", "/app/embed", "/app/answers"] {
        let stage = warmed().await;
        let request = authorized(path, "{}", &[&format!("Token {STATIC_TOKEN}")]);
        let answered = refused(&stage, request, Reads::None, path).await;
        assert_eq!((answered.status.as_u16(), answered.code()), (401, "unauthorized"), "{path}");
    }
    for token in
        ["short", "NEZUM4KPU3FAIEC7R7C5ZT6TFY", "nezum4kpu3faiec7r7c5zt6tf1", "nezum4kpu3faiec7r7c5zt6tfz"]
    {
        let stage = warmed().await;
        let request = authorized("/command", &body("/command"), &[&format!("Token {token}")]);
        let answered = refused(&stage, request, Reads::Install, token).await;
        assert_eq!((answered.status.as_u16(), answered.code()), (401, "unauthorized"), "{token}");
    }
    let without = Stage::with(|install| install.static_token = None);
    let request = authorized("/command", &body("/command"), &[&format!("Token {STATIC_TOKEN}")]);
    assert_eq!(refused(&without, request, Reads::Install, "none").await.code(), "unauthorized");
}

#[tokio::test]
async fn forged_seals_and_upstream_tokens_are_unauthorized() {
    let stage = warmed().await;
    let id = stage.install.id.to_string();
    let seal = format!("s1.jira.1.{id}.{}", "A".repeat(64));
    let bodies =
        [json!({}), json!({"state": seal, "context": {"seal": seal}}), json!({"state": 7}), json!([])];
    for path in ["action", "dialog", "refresh", "lookup/create_issue/project"] {
        for body in &bodies {
            let request = request(&format!("/hooks/{id}/{path}"), &body.to_string(), &[]);
            let answered = refused(&stage, request, Reads::None, path).await;
            assert_eq!((answered.status.as_u16(), answered.code()), (401, "unauthorized"), "{path} {body}");
        }
    }
    let header = json!({"alg": "HS256", "typ": "cloud-apps-app+jwt", "kid": stage.kid()});
    let token = craft(&header.to_string(), &stage.claims("/app/embed", "{}").to_string(), &stage.secret(1));
    for path in ["/app/embed", "/app/answers"] {
        let answered = refused(&stage, bearer(path, "{}", &token), Reads::None, path).await;
        assert_eq!((answered.status.as_u16(), answered.code()), (401, "unauthorized"), "{path}");
    }
}

/// A seal of this install, made as the bundle makes them.
fn sealed(stage: &Stage, kind: SealKind, exp: Option<u64>) -> String {
    let function = "create_issue".parse().unwrap();
    let content = Content { exp, ..Content::new("seal-1".into(), stage.install.app.clone(), function) };
    let ring = sample::ring(&stage.install.app, 1);
    seal(&ring.keys[0].root, &ring.keys[0].id, &stage.install.id, kind, [3; 12], &content).unwrap()
}

#[tokio::test]
async fn a_good_seal_is_told_what_is_not_served_yet_where_its_person_reads_it() {
    let stage = warmed().await;
    let id = &stage.install.id;
    let dialog = json!({"state": sealed(&stage, SealKind::Dialog, None)}).to_string();
    for (path, body, key) in [("dialog", &dialog, "error")] {
        let answered =
            refused(&stage, request(&format!("/hooks/{id}/{path}"), body, &[]), Reads::Install, path).await;
        assert_eq!(answered.status, 200);
        assert!(answered.body[key].as_str().unwrap().contains("not served by this version"), "{answered:?}");
    }
    for path in ["refresh", "lookup/create_issue/project"] {
        let answered =
            refused(&stage, request(&format!("/hooks/{id}/{path}"), &dialog, &[]), Reads::Install, path)
                .await;
        assert_eq!((answered.status.as_u16(), answered.code()), (404, "no_route"), "{path}");
    }
}

#[tokio::test]
async fn a_seal_of_an_install_that_is_switched_off_is_told_so() {
    let stage = Stage::with(|install| install.state = State::Disabled);
    let body = json!({"context": {"seal": sealed(&stage, SealKind::Action, None)}}).to_string();
    let path = format!("/hooks/{}/action", stage.install.id);
    let answered = refused(&stage, request(&path, &body, &[]), Reads::Again, "switched off").await;
    assert_eq!(answered.status, 200);
    assert!(answered.body["ephemeral_text"].as_str().unwrap().contains("switched off"), "{answered:?}");
}

#[tokio::test]
async fn a_seal_is_good_for_its_kind_its_install_and_its_time_only() {
    let stage = warmed().await;
    let id = stage.install.id.to_string();
    let other = sample::install_id(66_666).to_string();
    let action = sealed(&stage, SealKind::Action, None);
    let (head, last) = action.split_at(action.len() - 1);
    let changed = format!("{head}{}", if last == "A" { "Q" } else { "A" });
    let elsewhere = action.replace(&id, &other);
    for (name, path, seal) in [
        ("another kind", format!("/hooks/{id}/dialog"), &action),
        ("another install's path", format!("/hooks/{other}/action"), &action),
        ("another install's name", format!("/hooks/{other}/action"), &elsewhere),
        ("a changed bit", format!("/hooks/{id}/action"), &changed),
    ] {
        let body = json!({"state": seal, "context": {"seal": seal}}).to_string();
        let answered = refused(&stage, request(&path, &body, &[]), Reads::None, name).await;
        assert_eq!((answered.status.as_u16(), answered.code()), (401, "unauthorized"), "{name}");
    }
    let expired = sealed(&stage, SealKind::Action, Some(stage.now - 1));
    let body = json!({"context": {"seal": expired}}).to_string();
    let answered = stage.send(request(&format!("/hooks/{id}/action"), &body, &[])).await;
    assert_eq!(answered.status, 200, "its person is told");
    assert!(answered.body["ephemeral_text"].as_str().unwrap().contains("expired"));
}

/// A form with one value changed; an empty one is left out.
fn changed<'a>(key: &str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut form = form("create_issue --project=MM");
    form.retain(|(name, _)| *name != key);
    if !value.is_empty() {
        let name = ["token", "team_id", "command"].into_iter().find(|name| *name == key).unwrap();
        form.push((name, value));
    }
    form
}

#[tokio::test]
async fn every_flaw_of_a_slash_command_is_the_same_refusal_after_the_same_work() {
    let other = "x".repeat(26);
    let mut answers = Vec::new();
    for (name, key, value, reads) in [
        ("no token", "token", "", 0),
        ("a wrong token", "token", "hr75w5inzfn75kzmgg8cozbgmz", 1),
        ("no team", "team_id", "", 0),
        ("a malformed team", "team_id", "ops", 0),
        ("another team", "team_id", &*other, 1),
        ("another command", "command", "/gitlab", 1),
    ] {
        let stage = Stage::new();
        let request = stage.slash(&changed(key, value));
        answers.push((name, refused(&stage, request, Reads::Install, name).await));
        assert_eq!(stage.memory.counts().reads(), reads, "{name}");
    }
    for (name, install, reads) in [
        ("an unknown install", sample::install_id(88_888).to_string(), 1),
        ("a malformed install", "install".into(), 0),
    ] {
        let stage = Stage::new();
        let mut request = stage.slash(&form("search"));
        *request.uri_mut() = format!("/hooks/{install}/slash").parse().unwrap();
        answers.push((name, refused(&stage, request, Reads::Install, name).await));
        assert_eq!(stage.memory.counts().reads(), reads, "{name}");
    }
    let stage = Stage::new();
    let neighbour = sample::install(77_777);
    stage.put(&neighbour);
    let mut request = stage.slash(&form("search"));
    *request.uri_mut() = format!("/hooks/{}/slash", neighbour.id).parse().unwrap();
    answers.push(("another install's token", refused(&stage, request, Reads::Install, "neighbour").await));
    let mut request = stage.slash(&form("search"));
    let value = HeaderValue::from_static("Token hr75w5inzfn75kzmgg8cozbgmz");
    request.headers_mut().insert(header::AUTHORIZATION, value);
    answers.push(("a header that disagrees", refused(&stage, request, Reads::None, "header").await));
    for (name, answered) in &answers {
        assert_eq!((answered.status.as_u16(), answered.code()), (401, "unauthorized"), "{name}");
        assert_eq!(answered.body, answers[0].1.body, "{name}");
    }
}

#[tokio::test]
async fn an_unknown_install_and_a_wrong_token_cost_at_most_one_read_a_second() {
    let mut stage = Stage::new();
    let wrong = changed("token", "hr75w5inzfn75kzmgg8cozbgmz");
    for _ in 0..50 {
        stage.send(stage.slash(&wrong)).await;
    }
    assert_eq!(stage.memory.counts().reads(), 1);
    stage.now += 1_000;
    for _ in 0..50 {
        stage.send(stage.slash(&wrong)).await;
    }
    assert_eq!(stage.memory.counts().reads(), 2);
}

#[tokio::test]
async fn a_token_that_was_registered_a_moment_ago_is_seen() {
    let mut stage = Stage::new();
    let mut form = form("search");
    form.retain(|(key, _)| *key != "token");
    form.push(("token", "newtoken4kpu3faiec7r7c5zt6"));
    assert_eq!(stage.send(stage.slash(&form)).await.status, 401);
    stage.register(TEAM, "jira", "newtoken4kpu3faiec7r7c5zt6");
    stage.now += 1_000;
    assert_eq!(stage.send(stage.slash(&form)).await.text(), "Nothing found.");
}

#[tokio::test]
async fn bodies_that_no_handler_reads_are_refused_at_the_edge() {
    let stage = warmed().await;
    let id = &stage.install.id;
    for path in
        ["/".into(), "/command".into(), "/autocomplete".into(), "/event".into(), format!("/hooks/{id}/slash")]
    {
        let large = request(&path, &"x".repeat(1024 * 1024 + 1), &[]);
        let encoded = request(&path, "{}", &[(header::CONTENT_ENCODING, "gzip")]);
        let mut media = request(&path, "{}", &[]);
        media.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        for (request, status, code) in [
            (large, 413, "too_large"),
            (encoded, 415, "unsupported_media_type"),
            (media, 415, "unsupported_media_type"),
        ] {
            let answered = refused(&stage, request, Reads::None, &path).await;
            assert_eq!((answered.status.as_u16(), answered.code()), (status, code), "{path}");
        }
    }
    let wrong = request(&format!("/hooks/{id}/slash"), &format!("token={SLASH_TOKEN}"), &[]);
    assert_eq!(stage.send(wrong).await.code(), "unsupported_media_type");
}

#[tokio::test]
async fn no_body_of_any_kind_is_answered_before_its_credential_in_either_dialect() {
    let stage = warmed().await;
    let known = command_body("/jira search").to_string();
    let texts = [
        "",
        "{",
        "null",
        "[]",
        &known,
        &known.replace("message_box", "\u{0}"),
        &"[".repeat(200_000),
        &format!("{{{}\"x\":1}}", r#""a":{},"#.repeat(60_000)),
        &"x".repeat(1024 * 1024),
        "token=&token=x&team_id=&root_id=%ff&channel_id=1&channel_id=2",
    ];
    let forged = {
        let claims = stage.claims("/command", "x");
        let header = json!({"alg": "HS256", "typ": "cloud-apps+jwt", "kid": stage.kid()});
        craft(&header.to_string(), &claims.to_string(), &stage.secret(2))
    };
    let bodies = texts.iter().map(|text| text.as_bytes().to_vec()).chain([vec![0xff; 64], vec![0; 64]]);
    let mut told = Vec::new();
    for body in bodies {
        let mut requests = Vec::new();
        for path in ["/", "/command"] {
            requests.push(request(path, "", &[]));
            for credential in
                ["Bearer x", "Token isepw4368fr8pb3xm4wus8rbho", "", &format!("Bearer {forged}")]
            {
                requests.push(request(path, "", &[(header::AUTHORIZATION, credential)]));
            }
        }
        requests.push(stage.slash(&[]));
        for mut request in requests {
            *request.body_mut() = body.clone().into();
            let answered = stage.send(request).await;
            assert_eq!(answered.status, 401, "{answered:?}");
            told.push(answered.body);
        }
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(stage.calls().is_empty() || stage.memory.counts().writes() == 0);
}
