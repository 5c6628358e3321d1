//! The JWT profile (section 2): a good token is read, and every flaw is refused in the words that belong to it.

use crate::{INSTALL, app, install, key, root};
use cloud_apps_protocol::{
    Code, Generation,
    secret::Secret,
    token::{
        Claims, Credential, Direction, Expected, Kid, Refused, Scope, Unverified, UpstreamClaims,
        UpstreamKid, body_sha256, sign,
    },
};
use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use serde_json::{Value, json};

/// 2026-11-22T12:00:00Z.
const NOW: u64 = 1_795_348_800;
const BODY: &[u8] = br#"{"command":{"raw":"/jira create issue"}}"#;
const KID: &str = "jira.1.abcdefghijklmnopqrstuvwxyz.1";

fn kid() -> Kid {
    Kid { app: app("jira"), key: key("1"), install: install(INSTALL), generation: Generation(1) }
}

fn secret() -> Secret {
    root().shared(&app("jira"), &install(INSTALL), Generation(1))
}

fn expected() -> Expected<'static> {
    Expected { method: "POST", route: "/command", body: BODY, now: NOW * 1000 + 999 }
}

fn claims() -> Claims {
    Claims {
        iss: "https://chat.example.com".to_owned(),
        aud: "jira".to_owned(),
        sub: "aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned(),
        iat: NOW,
        exp: NOW + 60,
        jti: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        htm: "POST".to_owned(),
        htp: "/command".to_owned(),
        scope: Scope::User,
        mattermost_token: None,
        body_sha256: body_sha256(BODY),
    }
}

/// A token of any header and payload with a good MAC, made here and not by the code under test.
fn token(header: &str, payload: &str) -> String {
    let message = format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(header.as_bytes()),
        BASE64URL_NOPAD.encode(payload.as_bytes())
    );
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret().expose());
    let mac = aws_lc_rs::hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", BASE64URL_NOPAD.encode(mac.as_ref()))
}

fn header() -> String {
    format!(r#"{{"alg":"HS256","typ":"cloud-apps+jwt","kid":"{KID}"}}"#)
}

fn with_header(header: &Value) -> String {
    token(&header.to_string(), &serde_json::to_string(&claims()).unwrap())
}

/// The good claims with one changed, or dropped where `value` is null.
fn with_claim(name: &str, value: Value) -> String {
    let mut payload = serde_json::to_value(claims()).unwrap();
    match value {
        Value::Null => drop(payload.as_object_mut().unwrap().remove(name)),
        value => payload[name] = value,
    }
    token(&header(), &payload.to_string())
}

fn read(token: &str) -> Result<Claims, Refused> {
    Unverified::parse(token, Direction::Server)?.verify(&secret(), expected())
}

fn refused(what: &str, token: &str) -> Refused {
    read(token).err().unwrap_or_else(|| panic!("accepted: {what}"))
}

#[test]
fn a_good_token_is_read_with_its_kid_and_claims() {
    let token = sign(Direction::Server, &kid(), &secret(), &claims());
    assert_eq!(Unverified::parse(&token, Direction::Server).unwrap().kid, kid());
    assert!(read(&token).unwrap() == claims());
}

#[test]
fn the_rest_token_of_a_claim_is_handed_over_and_never_printed() {
    let claims = Claims { mattermost_token: Some("rest-canary".to_owned()), ..claims() };
    let token = sign(Direction::Server, &kid(), &secret(), &claims);
    let unverified = Unverified::parse(&token, Direction::Server).unwrap();
    let read = unverified.verify(&secret(), expected()).unwrap();
    assert_eq!(read.mattermost_token.as_deref(), Some("rest-canary"));
    assert!(!format!("{read:?}").contains("rest-canary"));
    let signature = token.rsplit('.').next().unwrap();
    let credential = Credential::from_headers([format!("Bearer {token}").as_bytes()]).unwrap();
    for debug in [format!("{unverified:?}"), format!("{credential:?}"), format!("{:?}", secret())] {
        assert!(!debug.contains(signature) && !debug.contains("eyJ"), "{debug}");
    }
}

#[test]
fn a_token_is_the_same_bytes_for_the_same_inputs() {
    let token = sign(Direction::Server, &kid(), &secret(), &claims());
    expect_test::expect_file!["../golden/token.txt"].assert_eq(&token.replace('.', "\n.\n"));
}

#[test]
fn the_mac_is_the_hmac_of_rfc_7515() {
    // RFC 7515, A.1.
    let key = BASE64URL_NOPAD
        .decode(b"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
        .unwrap();
    let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                   cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let key = jsonwebtoken::DecodingKey::from_secret(&key);
    let verify = |signature: &str| {
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256)
            .unwrap()
    };
    assert!(verify("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    assert!(!verify("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXg"));
}

#[test]
fn what_fails_before_the_mac_is_one_and_the_same_answer() {
    let good = sign(Direction::Server, &kid(), &secret(), &claims());
    let h = |alg: &str, typ: &str, kid: &str| json!({ "alg": alg, "typ": typ, "kid": kid });
    let part = |i: usize| good.split('.').nth(i).unwrap();
    let claims_of = |change: fn(&mut Claims)| {
        let mut claims = claims();
        change(&mut claims);
        claims
    };
    let flaws: Vec<(&str, String)> = vec![
        ("alg none", with_header(&h("none", "cloud-apps+jwt", KID))),
        ("alg none without a signature", {
            let token = with_header(&h("none", "cloud-apps+jwt", KID));
            format!("{}.", token.rsplit_once('.').unwrap().0)
        }),
        ("alg RS256", with_header(&h("RS256", "cloud-apps+jwt", KID))),
        ("alg HS512", with_header(&h("HS512", "cloud-apps+jwt", KID))),
        ("alg HS384", with_header(&h("HS384", "cloud-apps+jwt", KID))),
        ("alg in lower case", with_header(&h("hs256", "cloud-apps+jwt", KID))),
        ("no alg", with_header(&json!({ "typ": "cloud-apps+jwt", "kid": KID }))),
        ("alg not a text", with_header(&json!({ "alg": ["HS256"], "typ": "cloud-apps+jwt", "kid": KID }))),
        ("typ JWT", with_header(&h("HS256", "JWT", KID))),
        ("typ of the upstream", with_header(&h("HS256", "cloud-apps-upstream+jwt", KID))),
        ("typ of an app", with_header(&h("HS256", "cloud-apps-app+jwt", KID))),
        ("no typ", with_header(&json!({ "alg": "HS256", "kid": KID }))),
        (
            "crit",
            with_header(&json!({ "alg": "HS256", "typ": "cloud-apps+jwt", "kid": KID, "crit": ["exp"] })),
        ),
        (
            "empty crit",
            with_header(&json!({ "alg": "HS256", "typ": "cloud-apps+jwt", "kid": KID, "crit": [] })),
        ),
        ("no kid", with_header(&json!({ "alg": "HS256", "typ": "cloud-apps+jwt" }))),
        (
            "kid of three parts",
            with_header(&h("HS256", "cloud-apps+jwt", "jira.1.abcdefghijklmnopqrstuvwxyz")),
        ),
        ("kid of five parts", with_header(&h("HS256", "cloud-apps+jwt", &format!("{KID}.1")))),
        (
            "kid of generation 0",
            with_header(&h("HS256", "cloud-apps+jwt", "jira.1.abcdefghijklmnopqrstuvwxyz.0")),
        ),
        ("kid of an upstream", with_header(&h("HS256", "cloud-apps+jwt", "jira.1.upstream.1"))),
        (
            "kid that climbs",
            with_header(&h("HS256", "cloud-apps+jwt", "../../x.1.abcdefghijklmnopqrstuvwxyz.1")),
        ),
        ("doubled alg", token(&format!(r#"{{"alg":"none",{}"#, &header()[1..]), "{}")),
        ("doubled kid", token(&format!(r#"{{"kid":"{KID}",{}"#, &header()[1..]), "{}")),
        ("header that is no object", token("[]", "{}")),
        ("header that is no JSON", token("{", "{}")),
        ("header with something behind it", token(&format!("{} {{}}", header()), "{}")),
        ("another install's key", {
            let theirs = root().shared(&app("jira"), &install(crate::OTHER_INSTALL), Generation(1));
            sign(Direction::Server, &kid(), &theirs, &claims())
        }),
        ("another generation's key", {
            let next = root().shared(&app("jira"), &install(INSTALL), Generation(2));
            sign(Direction::Server, &kid(), &next, &claims())
        }),
        ("another app's key", {
            let theirs = root().shared(&app("hello"), &install(INSTALL), Generation(1));
            sign(Direction::Server, &kid(), &theirs, &claims())
        }),
        ("no signature", format!("{}.{}.", part(0), part(1))),
        ("two parts", format!("{}.{}", part(0), part(1))),
        ("four parts", format!("{good}.{}", part(2))),
        ("padded signature", format!("{good}=")),
        ("another payload under the MAC", {
            let other = sign(Direction::Server, &kid(), &secret(), &claims_of(|c| c.scope = Scope::Admin));
            format!("{}.{}.{}", part(0), other.split('.').nth(1).unwrap(), part(2))
        }),
        ("an expired token under a wrong MAC", {
            let old = with_claim("exp", json!(1));
            format!("{}A", &old[..old.len() - 1])
        }),
        ("5 KiB", with_claim("mattermost_token", json!("a".repeat(5 * 1024)))),
        ("nothing", String::new()),
    ];
    for (what, token) in flaws {
        assert_eq!(refused(what, &token), Refused::unauthorized(), "{what}");
    }
}

#[test]
fn each_direction_takes_its_own_tokens_only() {
    let all = [Direction::Server, Direction::Upstream, Direction::App];
    for made in all {
        for read in all {
            let token = sign(made, &kid(), &secret(), &claims());
            let result = Unverified::parse(&token, read).and_then(|t| t.verify(&secret(), expected()));
            assert_eq!(result.is_ok(), made == read, "{made:?} read as {read:?}");
        }
    }
}

#[test]
fn other_header_parameters_are_ignored() {
    let token =
        with_header(&json!({ "alg": "HS256", "typ": "cloud-apps+jwt", "kid": KID, "x": 1, "cty": "json" }));
    assert!(read(&token).is_ok());
}

#[test]
fn claims_that_nobody_knows_are_ignored() {
    assert!(read(&with_claim("nonce", json!({ "a": [1] }))).is_ok());
}

#[test]
fn every_claim_must_be_there_once_and_of_its_type() {
    let all = ["iss", "aud", "sub", "iat", "exp", "jti", "htm", "htp", "scope", "body_sha256"];
    let good = serde_json::to_string(&claims()).unwrap();
    for claim in all {
        let value = serde_json::to_value(claims()).unwrap()[claim].clone();
        let doubled = format!(r#"{{"{claim}":{value},{}"#, &good[1..]);
        let wrong = if value.is_string() { json!(7) } else { json!("7") };
        let mut flaws = vec![
            ("missing", with_claim(claim, Value::Null)),
            ("doubled", token(&header(), &doubled)),
            ("of another type", with_claim(claim, wrong)),
            (
                "null",
                token(
                    &header(),
                    &good.replacen(&format!(r#""{claim}":{value}"#), &format!(r#""{claim}":null"#), 1),
                ),
            ),
            ("a list", with_claim(claim, json!([value]))),
        ];
        if value.is_string() {
            flaws.push(("empty", with_claim(claim, json!(""))));
        } else {
            flaws.extend([
                ("negative", with_claim(claim, json!(-1))),
                ("broken", with_claim(claim, json!(1.5))),
            ]);
        }
        for (how, token) in flaws {
            let refused = refused(&format!("{claim} {how}"), &token);
            assert_eq!((refused.code, refused.claim), (Code::BadToken, Some(claim)), "{claim} {how}");
            assert!(refused.message.contains(&format!("`{claim}`")), "{}", refused.message);
        }
    }
}

#[test]
fn a_rest_token_that_is_there_must_be_a_text_and_there_once() {
    let good = serde_json::to_string(&claims()).unwrap();
    let doubled =
        token(&header(), &format!(r#"{{"mattermost_token":"a","mattermost_token":"b",{}"#, &good[1..]));
    for token in
        [with_claim("mattermost_token", json!(1)), with_claim("mattermost_token", json!("")), doubled]
    {
        let refused = refused("mattermost_token", &token);
        assert_eq!((refused.code, refused.claim), (Code::BadToken, Some("mattermost_token")));
    }
}

#[test]
fn a_known_sender_is_told_which_claim_does_not_fit() {
    let long = "A".repeat(129);
    for (claim, value) in [
        ("exp", json!(NOW + 301)),
        ("exp", json!(NOW)),
        ("exp", json!(NOW - 1)),
        ("exp", json!(u64::MAX)),
        ("htm", json!("GET")),
        ("htm", json!("post")),
        ("htp", json!("/event")),
        ("htp", json!("/command/")),
        ("htp", json!("/prod/command")),
        ("jti", json!("AAAAAAAAAAAAAAAAAAAAA")),
        ("jti", json!("AAAAAAAAAAAAAAAAAAAAA#")),
        ("jti", json!(long)),
        ("scope", json!("root")),
    ] {
        let refused = refused(&format!("{claim}={value}"), &with_claim(claim, value.clone()));
        assert_eq!((refused.code, refused.claim), (Code::BadToken, Some(claim)), "{claim}={value}");
    }
    let refused = refused("a payload that is a list", &token(&header(), "[]"));
    assert_eq!((refused.code, refused.claim), (Code::BadToken, Some("payload")));
}

#[test]
fn times_have_thirty_seconds_of_leeway_and_no_more() {
    let at = |iat: u64, exp: u64| {
        let claims = Claims { iat, exp, ..claims() };
        read(&sign(Direction::Server, &kid(), &secret(), &claims)).map_err(|refused| refused.code)
    };
    assert!(at(NOW - 90, NOW - 30).is_ok());
    assert_eq!(at(NOW - 91, NOW - 31).err(), Some(Code::TokenExpired));
    assert!(at(NOW + 30, NOW + 90).is_ok());
    assert_eq!(at(NOW + 31, NOW + 91).err(), Some(Code::ClockSkew));
    assert!(at(NOW, NOW + 300).is_ok());
    assert_eq!(at(u64::MAX - 60, u64::MAX).err(), Some(Code::ClockSkew));
}

#[test]
fn a_sender_whose_clock_is_fast_learns_our_time() {
    let claims = Claims { iat: NOW + 3600, exp: NOW + 3660, ..claims() };
    let refused = refused("from the future", &sign(Direction::Server, &kid(), &secret(), &claims));
    assert_eq!(refused.code, Code::ClockSkew);
    assert!(refused.message.contains(&NOW.to_string()), "{}", refused.message);
}

#[test]
fn a_body_changed_in_one_byte_is_another_body() {
    let token = sign(Direction::Server, &kid(), &secret(), &claims());
    let unverified = Unverified::parse(&token, Direction::Server).unwrap();
    for changed in [&BODY[1..], b"", &[BODY, b" "].concat()] {
        let refused = unverified.verify(&secret(), Expected { body: changed, ..expected() }).err().unwrap();
        assert_eq!(refused.code, Code::BodyMismatch);
    }
}

#[test]
fn of_several_flaws_the_first_in_the_written_order_is_told() {
    let mut all =
        Claims { exp: NOW + 400, htm: "GET".into(), htp: "/".into(), body_sha256: "x".into(), ..claims() };
    let told = |claims: &Claims| {
        let refused = refused("several", &sign(Direction::Server, &kid(), &secret(), claims));
        (refused.code, refused.claim)
    };
    all.iat = NOW + 50;
    assert_eq!(told(&all), (Code::BadToken, Some("exp")));
    all.exp = all.iat + 60;
    assert_eq!(told(&all), (Code::BadToken, Some("htm")));
    all.htm = "POST".into();
    assert_eq!(told(&all), (Code::BadToken, Some("htp")));
    all.htp = "/command".into();
    assert_eq!(told(&all), (Code::ClockSkew, None));
    (all.iat, all.exp) = (NOW - 200, NOW - 100);
    assert_eq!(told(&all), (Code::TokenExpired, None));
    all.exp = NOW;
    assert_eq!(told(&all), (Code::BodyMismatch, None));
}

#[test]
fn a_refusal_says_what_to_do() {
    for (claim, value, words) in [
        ("exp", json!(NOW - 100), "after its `iat`"),
        ("htm", json!("GET"), "POST"),
        ("htp", json!("/x"), "/command"),
        ("scope", json!("x"), "user, bot or admin"),
        ("jti", json!("x"), "128 random bits"),
        ("iss", Value::Null, "send it once"),
    ] {
        let message = refused(claim, &with_claim(claim, value)).message;
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_kid_has_exactly_four_parts_of_their_shapes() {
    for good in [KID, "a-b.999999.abcdefghijklmnopqrstuvwxyz.999999999"] {
        assert_eq!(good.parse::<Kid>().unwrap().to_string(), good);
    }
    for part in [
        "",
        "jira",
        "jira.1",
        "jira.1.abcdefghijklmnopqrstuvwxyz",
        "jira.1.abcdefghijklmnopqrstuvwxyz.",
        "jira.1.abcdefghijklmnopqrstuvwxyz.0",
        "jira.1.abcdefghijklmnopqrstuvwxyz.01",
        "jira.1.abcdefghijklmnopqrstuvwxyz.+1",
        "jira.1.abcdefghijklmnopqrstuvwxyz.-1",
        "jira.1.abcdefghijklmnopqrstuvwxyz.1000000000",
        "jira.1.abcdefghijklmnopqrstuvwxyz.1.1",
        "jira.1.abcdefghijklmnopqrstuvwxyz.1 ",
        "jira.0.abcdefghijklmnopqrstuvwxyz.1",
        "jira.01.abcdefghijklmnopqrstuvwxyz.1",
        "jira.1000000.abcdefghijklmnopqrstuvwxyz.1",
        "jira.1.ABCDEFGHIJKLMNOPQRSTUVWXYZ.1",
        "jira.1.abcdefghijklmnopqrstuvwxy.1",
        "jira.1.abcdefghijklmnopqrstuvwxy1.1",
        "Jira.1.abcdefghijklmnopqrstuvwxyz.1",
        "j.1.abcdefghijklmnopqrstuvwxyz.1",
        "jira.1.abcdefghijklmnopqrstuvwxyz.٣",
    ] {
        assert_eq!(part.parse::<Kid>().unwrap_err(), Refused::unauthorized(), "{part}");
    }
}

#[test]
fn one_authorization_header_of_scheme_bearer_or_token_is_read() {
    let opaque = Credential::Opaque("nezum4kpu3faiec7r7c5zt6tfy".to_owned());
    for scheme in ["Token", "token", "TOKEN", "Bearer", "bearer", "bEaReR"] {
        let value = format!("{scheme} nezum4kpu3faiec7r7c5zt6tfy");
        assert!(Credential::from_headers([value.as_bytes()]).unwrap() == opaque, "{value}");
    }
    let jwt = Credential::from_headers([b"Token aa.bb.cc".as_slice()]).unwrap();
    assert!(jwt == Credential::Jwt("aa.bb.cc".to_owned()));
    let longest = format!("Bearer {}", "a".repeat(4096 - 7));
    assert!(Credential::from_headers([longest.as_bytes()]).is_ok());
}

#[test]
fn other_authorization_headers_are_refused_alike() {
    let five = format!("Bearer {}", "a".repeat(5 * 1024));
    let over = format!("Bearer {}", "a".repeat(4096 - 6));
    let wrong: Vec<Vec<&[u8]>> = vec![
        vec![],
        vec![b"Bearer a", b"Bearer a"],
        vec![b"Bearer a,Bearer b"],
        vec![b"Bearer a, Bearer b"],
        vec![b"Basic YTpi"],
        vec![b"Bearer"],
        vec![b"Bearer "],
        vec![b""],
        vec![b"a.b.c"],
        vec![b" Bearer a"],
        vec![b"Bearer a b"],
        vec![b"Bearer\ta"],
        vec![b"Bearer \xff\xfe"],
        vec!["Bearer ä".as_bytes()],
        vec![b"Bearer a\r\nX: y"],
        vec![five.as_bytes()],
        vec![over.as_bytes()],
    ];
    for headers in wrong {
        let shown: Vec<_> = headers.iter().map(|h| String::from_utf8_lossy(h).into_owned()).collect();
        assert_eq!(Credential::from_headers(headers).unwrap_err(), Refused::unauthorized(), "{shown:?}");
    }
}

proptest! {
    #[test]
    fn a_token_changed_in_any_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let good = sign(Direction::Server, &kid(), &secret(), &claims());
        let mut bytes = good.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let changed = String::from_utf8_lossy(&bytes).into_owned();
        prop_assert_eq!(read(&changed).err(), Some(Refused::unauthorized()));
    }

    #[test]
    fn what_was_signed_is_read(sub in "[a-z0-9]{26}", jti in "[A-Za-z0-9_-]{22,128}", life in 1..=300u64, age in 0..=30u64) {
        let claims = Claims { sub, jti, iat: NOW - age, exp: NOW - age + life, ..claims() };
        prop_assert!(read(&sign(Direction::Server, &kid(), &secret(), &claims)).unwrap() == claims);
    }

    #[test]
    fn nothing_that_a_stranger_sends_panics(text in any::<String>(), bytes in any::<Vec<u8>>()) {
        let _ = Unverified::parse(&text, Direction::Server);
        let _ = text.parse::<Kid>();
        let _ = Credential::from_headers([bytes.as_slice()]);
        let _ = read(&token(&header(), &text));
        let _ = read(&token(&text, "{}"));
    }
}

#[test]
fn the_kid_of_an_upstream_secret_is_told_from_that_of_an_install() {
    let good = "jira.1.upstream.7";
    let kid: UpstreamKid = good.parse().unwrap();
    assert_eq!((kid.to_string().as_str(), kid.generation), (good, Generation(7)));
    assert_eq!(good.parse::<Kid>().unwrap_err(), Refused::unauthorized());
    let install = format!("jira.1.{INSTALL}.7");
    for bad in [
        install.as_str(),
        "jira.1.upstream",
        "jira.1.upstream.0",
        "jira.1.upstream.07",
        "jira.1.upstream.1.1",
        "jira.0.upstream.1",
        "Jira.1.upstream.1",
        "jira.1.Upstream.1",
        "",
    ] {
        assert_eq!(bad.parse::<UpstreamKid>().unwrap_err(), Refused::unauthorized(), "{bad}");
    }
}

#[test]
fn the_claims_to_an_app_leave_out_what_is_not_granted_and_print_no_token() {
    let bare = UpstreamClaims {
        iss: UpstreamClaims::ISSUER.into(),
        aud: "jira".into(),
        sub: None,
        proof: None,
        install: install(INSTALL),
        site_url: "https://chat.example.com".into(),
        iat: 1,
        exp: 61,
        jti: "j".repeat(26),
        htm: "POST".into(),
        htp: "/greet".into(),
        bot_token: None,
        user_token: None,
        body_sha256: body_sha256(b"{}"),
    };
    let written = serde_json::to_value(&bare).unwrap();
    for absent in ["sub", "proof", "bot_token", "user_token"] {
        assert_eq!(written.get(absent), None);
    }
    let whole =
        UpstreamClaims { bot_token: Some("the bot's".into()), user_token: Some("the user's".into()), ..bare };
    let printed = format!("{whole:?}");
    assert!(!printed.contains("the bot's") && !printed.contains("the user's"), "{printed}");
}

#[test]
fn every_app_and_generation_has_an_upstream_secret_of_its_own_and_none_is_a_servers() {
    let root = Secret::new([7; 32]);
    let of = |id: &str, generation| *root.upstream(&app(id), Generation(generation)).expose();
    let one = of("jira", 1);
    for other in [of("hello", 1), of("jira", 2), of("jira", 11)] {
        assert_ne!(one, other);
    }
    assert_ne!(one, *root.shared(&app("jira"), &install(INSTALL), Generation(1)).expose());
}
