//! What stands on the wire, byte for byte, and what it is read as.

use cloud_apps_protocol::{
    Answer, AppId, Code, CommandRequest, ErrorBody, Field, FieldType, Form, InstallId, Manifest, SiteUrl,
    command::{AppContext, Bot, Delivery, LOCATIONS, Source},
    form::SelectOption,
    install::{CompleteRequest, InstallCompleted, InstallCreated, InstallRequest, InstallView},
    json,
};
use expect_test::expect_file;
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Holds a value to its file, and the file to its value.
macro_rules! golden {
    ($name:literal, $value:expr) => {{
        let value = $value;
        let text = printed(&value);
        expect_file![concat!("../golden/", $name, ".json")].assert_eq(&text);
        reads_back(&value, &text);
    }};
}

fn printed(value: &impl Serialize) -> String {
    format!("{}\n", serde_json::to_string_pretty(value).unwrap())
}

fn reads_back<T: DeserializeOwned + Serialize + PartialEq>(value: &T, text: &str) {
    let read: T = serde_json::from_str(text).unwrap();
    assert!(read == *value, "{text} reads as {}", printed(&read));
}

fn id(letter: char) -> String {
    letter.to_string().repeat(26)
}

fn request(value: &Value) -> CommandRequest {
    json::read(value.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e:?}"))
}

fn full() -> CommandRequest {
    request(&json!({
        "command": {"namespace": "jira", "function": "create_issue", "raw": "/jira create issue --project=MM",
                    "encoded": {"project": "MM"}},
        "security": {"trigger_id": "a-trigger", "token": "never read"},
        "context": {
            "source": {"id": "post_menu_create", "client_id": "a-client", "props": {"a": 1}},
            "config": {"site_url": "https://chat.example.com", "version": "11.6.0", "settingX": "value"},
            "app": {"id": "forged"},
            "locale": "de", "time_zone": "Europe/Berlin",
            "acting_user": {"id": id('u'), "username": "alice"},
            "channel": {"id": id('c'), "team_id": id('t')},
            "team": {"id": id('t'), "name": "ops"},
            "post": {"id": id('p'), "channel_id": id('c'), "message": "broken"},
            "parent_post": {"id": id('q')}, "root_post": {"id": id('r')},
            "mentioned": {"users": {"bob": {"id": id('b')}}, "channels": {"town-square": {"id": id('s')}}},
            "state": {"step": 2}, "not_expanded": {"team": "no_token"}
        },
        "delivery": {"id": "d", "attempt": 1}, "unknown": true
    }))
}

#[test]
fn a_request_with_everything() {
    golden!("request", full());
}

#[test]
fn a_request_as_an_app_gets_it_names_the_app_and_its_install() {
    let mut request = full();
    request.context.app = Some(AppContext {
        id: AppId::new("jira").unwrap(),
        version: "1.0.0".into(),
        install_id: InstallId::new("abcdefghijklmnopqrstuvwxyz").unwrap(),
        bot: Bot { id: id('j').parse().unwrap(), username: "jira".into() },
        settings: serde_json::Map::new(),
    });
    request.delivery = Some(Delivery { id: "a-key".into(), attempt: 2 });
    // The bundle's alone.
    request.security.trigger_id = None;
    request.context.source.client_id.clear();
    expect_file!["../golden/request-to-app.json"].assert_eq(&printed(&request));
}

#[test]
fn the_least_request() {
    golden!("request-least", request(&json!({"command": {"namespace": "jira", "raw": "/jira"}})));
}

#[test]
fn the_request_of_the_architecture_document() {
    let text = include_str!("../golden/request-2020.json");
    let request: CommandRequest = json::read(text.as_bytes()).unwrap();
    assert_eq!(request.command.encoded.as_ref().unwrap()["project"], "MM");
    assert_eq!(request.context.source.location(), ("post_menu", "xxx"));
    assert_eq!(request.context.source.client_id, "xxx");
    assert_eq!(
        request.context.config,
        cloud_apps_protocol::command::ServerConfig::default(),
        "settings are the bundle's to say"
    );
    assert!(request.context.acting_user.is_none() && request.context.root_post.is_none());
    golden!("request-2020-read", request);
}

#[test]
fn what_is_absent_null_or_empty_is_not_there() {
    let least = request(&json!({"command": {"raw": "/jira"}}));
    let objects = [
        "acting_user",
        "channel",
        "team",
        "post",
        "parent_post",
        "root_post",
        "mentioned",
        "source",
        "config",
        "not_expanded",
        "state",
        "locale",
        "time_zone",
    ];
    for object in objects {
        let with = |value: Value| request(&json!({"command": {"raw": "/jira"}, "context": {object: value}}));
        assert_eq!(with(Value::Null), least, "{object}: null");
        if !matches!(object, "state" | "locale" | "time_zone") {
            assert_eq!(with(json!({})), least, "{object}: {{}}");
        }
    }
    for object in ["security", "context", "delivery"] {
        let with = |value: Value| request(&json!({"command": {"raw": "/jira"}, object: value}));
        assert_eq!(with(Value::Null), least, "{object}: null");
        if object != "delivery" {
            assert_eq!(with(json!({})), least, "{object}: {{}}");
        }
    }
}

#[test]
fn an_object_that_is_there_is_whole() {
    for object in ["acting_user", "channel", "team", "post"] {
        for value in [json!({"id": "short"}), json!({"name": "x"}), json!("x"), json!([])] {
            let text = json!({"context": {object: value}}).to_string();
            let refused = json::read::<CommandRequest>(text.as_bytes()).unwrap_err().error;
            assert_eq!(refused.code, Code::BadRequest, "{text}");
            assert_eq!(refused.more["pointer"], format!("/context/{object}"), "{text}");
        }
    }
}

#[test]
fn mentioned_may_be_a_list_of_users() {
    let list = request(&json!({"context": {"mentioned": [{"id": id('b'), "username": "bob"}]}}));
    let object =
        request(&json!({"context": {"mentioned": {"users": {"bob": {"id": id('b'), "username": "bob"}}}}}));
    assert_eq!(list, object);
}

/// An app may post the name of who is mentioned: nobody is called like what notifies everybody.
#[test]
fn nobody_is_called_all_channel_or_here() {
    for name in ["all", "channel", "here", "all.", "here-", "channel_", "all:", "*bob*", "bob](x)"] {
        for mentioned in [
            json!({"users": {name: {"id": id('b')}}}),
            json!({"users": {"bob": {"id": id('b'), "username": name}}}),
            json!([{"id": id('b'), "username": name}]),
        ] {
            let text = json!({"context": {"mentioned": mentioned}}).to_string();
            let refused = json::read::<CommandRequest>(text.as_bytes()).unwrap_err().error;
            assert_eq!(refused.code, Code::BadRequest, "{text}");
        }
    }
}

#[test]
fn an_app_in_a_request_is_never_believed() {
    assert_eq!(full().context.app, None);
}

#[test]
fn unknown_keys_are_ignored_in_requests_and_refused_in_manifests() {
    assert_eq!(request(&json!({"new": 1, "context": {"newer": {}}})), CommandRequest::default());
    assert!(Manifest::parse(r#"{"new":1}"#).unwrap_err().iter().any(|problem| problem.pointer == "/new"));
}

#[test]
fn the_longest_known_location_wins() {
    let location = |id: &str| {
        let source = Source { id: id.into(), ..Source::default() };
        let (location, element) = source.location();
        (location.to_owned(), element.to_owned())
    };
    let is = |location: &str, element: &str| (location.to_owned(), element.to_owned());
    for known in LOCATIONS {
        assert_eq!(location(known), is(known, ""));
        assert_eq!(location(&format!("{known}_a_b")), is(known, "a_b"));
        assert_eq!(location(&format!("{known}x")), is("other", &format!("{known}x")));
    }
    assert_eq!(location(""), is("other", ""));
    assert_eq!(location("post_create"), is("other", "post_create"));
}

#[test]
fn every_answer() {
    let form = json!({"title": "Create issue", "submit": {"function": "create_issue"}, "cancel": {"function": "forget"},
        "submit_label": "Create", "introduction": "Hi", "state": {"a": 1},
        "fields": [{"name": "summary", "label": "Summary", "type": "text", "required": true, "max_length": 100}]});
    let answers: Vec<Answer> = serde_json::from_value(json!([
        {"type": "message", "text": "Hi", "to": "user"},
        {"type": "message", "text": "Hi", "to": "channel", "replace": true, "notify": true, "attachments": [{"text": "a"}]},
        {"type": "form", "form": form},
        {"type": "navigate", "url": "https://example.com"},
        {"type": "ask", "form": form},
        {"type": "accepted", "text": "Working"},
        {"type": "error", "text": "No", "fields": {"summary": "is too short"}},
        {"type": "done", "warnings": ["color was left out"]},
    ]))
    .unwrap();
    golden!("answers", answers);
    assert_eq!(serde_json::to_value(Answer::text("Hi")).unwrap()["to"], "user");
}

#[test]
fn a_type_of_answer_that_is_not_known_is_refused() {
    assert!(serde_json::from_value::<Answer>(json!({"type": "dance"})).is_err());
    assert!(
        serde_json::from_value::<Form>(
            json!({"title": "a", "submit": {"function": "a"}, "fields": [], "x": 1})
        )
        .is_err()
    );
}

#[test]
fn every_error_has_its_status() {
    let errors: Vec<(u16, ErrorBody)> =
        Code::ALL.iter().map(|code| (code.status(), ErrorBody::new(*code, "What to do."))).collect();
    golden!("errors", errors);
    let body =
        ErrorBody::new(Code::BadCommandLine, "Here.").with("position", 3).with("expected", json!(["a"]));
    golden!("error", body);
}

#[test]
fn a_field_of_every_type() {
    let types: Vec<FieldType> = serde_json::from_value(json!([
        "text", "number", "bool", "select", "user", "channel", "post", "team", "date", "datetime", "json",
        "file", "markdown"
    ]))
    .unwrap();
    let mut fields: Vec<Field> = types.into_iter().map(|t| Field::new("name".parse().unwrap(), t)).collect();
    fields[1].min = Some(json!(1.5));
    fields[3].options =
        vec![SelectOption { value: "a".into(), label: "A".into(), description: "First".into() }];
    golden!("fields", fields);
}

#[test]
fn an_install() {
    golden!(
        "install-request",
        read::<InstallRequest>(json!({
            "app_id": "jira", "server": {"site_url": "https://Chat.Example.com:443/", "version": "11.6.0"},
            "bot": {"user_id": id('j'), "username": "jira", "access_token": "not-a-real-token"},
            "installed_by": id('u'), "v2": true,
            "granted": {"permissions": ["act_as_bot"], "locations": ["message_box"], "events": [], "webhooks": []},
            "settings": {"site": "https://jira.example.com"}
        }))
    );
    let endpoints = json!({"command": "/command", "autocomplete": "/autocomplete", "event": "/event", "slash": "/s",
        "action": "/a", "dialog": "/d", "webhook": "/w", "complete": "/c"});
    golden!(
        "install-created",
        read::<InstallCreated>(json!({
            "install_id": id('i'), "kid": "jira.1.x.1", "shared_secret": "not-a-real-secret", "endpoints": endpoints,
            "register": [
                {"kind": "slash_command", "trigger": "jira", "per": "team", "auto_complete_desc": "d", "auto_complete_hint": "h"},
                {"kind": "outgoing_webhook", "channel_id": id('c')},
                {"kind": "oauth_app", "callback_url": "https://b.example/oauth2/jira/callback"}],
            "unavailable": [{"kind": "event", "name": "user_joined_team", "reason": "needs the plugin"}]
        }))
    );
    golden!(
        "install-complete",
        read::<CompleteRequest>(json!({"registered": [
        {"kind": "slash_command", "team_id": id('t'), "id": "a", "trigger": "jira", "token": "not-a-real-token"},
        {"kind": "outgoing_webhook", "team_id": id('t'), "id": "b", "channel_id": id('c'), "token": "not-a-real-token"}]}))
    );
    golden!(
        "install-completed",
        read::<InstallCompleted>(json!({
        "install_id": id('i'), "app_id": "jira", "site_url": "https://chat.example.com", "state": "active",
        "try": ["/jira help"], "unavailable": []}))
    );
    golden!(
        "install-view",
        read::<InstallView>(json!({
        "install_id": id('i'), "app_id": "jira", "version": "1.0.0", "site_url": "https://chat.example.com",
        "state": "active", "rev": 3, "bot": {"id": id('j'), "username": "jira"}, "granted": {},
        "settings": {}, "commands": [{"function": "search"}], "presets": [], "teams": [id('t')],
        "endpoints": endpoints, "created_at": 1_700_000_000_000_u64}))
    );
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        Just(Value::from(id('a'))),
    ];
    let key = prop::sample::select(vec![
        "command",
        "context",
        "encoded",
        "raw",
        "acting_user",
        "id",
        "mentioned",
        "users",
        "source",
        "state",
        "config",
        "delivery",
        "attempt",
        "not_expanded",
        "security",
        "x",
    ]);
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|entries| Value::Object(
                entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_panics_and_what_is_read_as_a_request_prints_and_reads_back(value in any_json()) {
        if let Ok(request) = json::read::<CommandRequest>(value.to_string().as_bytes()) {
            let text = serde_json::to_string(&request).unwrap();
            prop_assert_eq!(json::read::<CommandRequest>(text.as_bytes()), Ok(request));
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = json::read::<CommandRequest>(&bytes);
    }
}

#[test]
fn an_address_is_no_longer_than_what_a_store_takes_as_a_key() {
    let long = |letter: &str, times: usize| format!("https://a.example/{}", letter.repeat(times));
    assert!(SiteUrl::new(&long("a", 494)).is_ok());
    assert!(SiteUrl::new(&long("a", 495)).is_err());
    // It is six bytes long once it is escaped.
    assert!(SiteUrl::new(&long("ü", 82)).is_ok());
    assert!(SiteUrl::new(&long("ü", 83)).is_err());
    assert!(SiteUrl::new(&long("a", 1 << 20)).unwrap_err().to_string().len() < 200);
}

#[test]
fn an_address_has_one_form_and_hides_nothing() {
    for (text, site) in [
        ("HTTPS://Chat.Example.COM:443/", Some("https://chat.example.com")),
        ("https://chat.example.com/company//", Some("https://chat.example.com/company")),
        ("https://chat.example.com/a/../b", Some("https://chat.example.com/b")),
        ("https://chat.example.com/a/%2e%2e/b", Some("https://chat.example.com/b")),
        ("https:\\\\chat.example.com\\x", Some("https://chat.example.com/x")),
        ("https://chat.exa\tmple.com", Some("https://chat.example.com")),
        // What looks like another name is shown as what it is.
        ("https://ch\u{430}t.example.com", Some("https://xn--cht-7cd.example.com")),
        ("https://0x7f.1", Some("https://127.0.0.1")),
        ("https://chat.example.com@evil.example", None),
        ("https://:secret@evil.example", None),
        ("https://chat.example.com?x", None),
        ("https://chat.example.com#x", None),
        ("https://", None),
        ("ftp://chat.example.com", None),
        ("javascript:alert(1)", None),
        ("chat.example.com", None),
        ("https://chat example.com", None),
        ("https://[::1%25eth0]", None),
    ] {
        let read = SiteUrl::new(text).ok();
        assert_eq!(read.as_ref().map(SiteUrl::as_str), site, "{text}");
        if let Some(site) = read {
            assert_eq!(SiteUrl::new(site.as_str()).unwrap(), site, "its form is its own form");
        }
    }
}
