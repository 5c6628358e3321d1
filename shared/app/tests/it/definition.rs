//! What an author's definition becomes: the manifest, and typed values.

use cloud_app::{
    field::{Command as _, Fields as _},
    prelude::*,
    protocol::{
        CommandRequest, Values,
        answer::Kind,
        command::LOCATIONS,
        line::FLAGS,
        manifest::{Accounts, AccountsType, EXPANDABLE, RESERVED},
    },
};
use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

/// Creates an issue.
///
/// In the project's tracker, with *you* as
/// its author.
#[derive(Command, Debug, PartialEq)]
#[command(confirm, account = "required", locations(message_box, post_menu))]
#[command(expand(channel = "summary", post = "all!"))]
struct CreateIssue {
    /// In which project.
    #[field(positional, hint = "MM", label = "Project", pattern = "[A-Z]+", max_length = 10)]
    project: String,
    /// What kind of
    /// issue.
    #[field(default = Kinds::Bug, style = "radio")]
    r#type: Kinds,
    /// Who is to know.
    watchers: Vec<UserId>,
    /// When it is due.
    #[field(min = "2026-01-01")]
    due: Option<Date>,
    /// When to remind.
    remind: Option<Timestamp>,
    /// How hard it is.
    #[field(default = 3, min = 1, max = 13, name = "points")]
    story_points: u8,
    /// How sure one is.
    #[field(default = 0.5)]
    chance: f64,
    /// Whom to write to.
    #[field(subtype = "email", default = "ops@example.com")]
    mail: String,
    /// More of it.
    extra: Option<Value>,
    /// Where to tell.
    channel: Option<ChannelId>,
    /// At which post.
    post: Option<PostId>,
    /// In which team.
    team: Option<TeamId>,
    /// Says nothing.
    quiet: bool,
}

#[derive(Choice, Debug, PartialEq)]
enum Kinds {
    /// Something is broken.
    Bug,
    /// Something is wished for.
    #[choice(label = "Feature")]
    FeatureRequest,
    #[choice(value = "?")]
    Unknown,
}

impl Run for CreateIssue {
    async fn run(self, _: Cx) -> Result<Answer> {
        Ok(Answer::text(format!("{self:?}")))
    }
}

/// Says nothing.
#[derive(Command)]
#[command(name = "hush", safe, deferred, post_as_user)]
struct Silence;

impl Run for Silence {
    async fn run(self, _: Cx) -> Result<Answer> {
        Ok(Answer::done())
    }
}

#[derive(Settings, Debug, PartialEq)]
struct Tracker {
    /// Where the tracker is.
    #[field(subtype = "url")]
    site: String,
    /// Its key.
    #[field(subtype = "password")]
    key: Option<String>,
    /// Where to welcome.
    channel: Option<ChannelId>,
}

async fn on_install(cx: Cx) -> Result<Answer> {
    cx.settings::<Tracker>()?;
    Ok(Answer::done())
}

async fn welcome(_: Cx, event: Event) -> Result<()> {
    let user = event.user_id.ok_or_else(|| Failure::say("An event without a user."))?;
    Err(Failure::say(format!("{} {user} {}", event.kind, event.data["x"])))
}

fn app() -> App {
    App::new("tracker", "1.2.0", "Tracker")
        .description("Tracks.")
        .homepage("https://example.com/tracker")
        .icon("https://example.com/icon.png")
        .namespace("track")
        .bot("tracker-bot", "Tracker Bot")
        .permissions([Permission::ActAsUser, Permission::ActAsBot, Permission::ActAsUser])
        .locations([Location::MessageBox, Location::PostMenu])
        .accounts(Accounts {
            r#type: AccountsType::Mattermost,
            authorize_url: None,
            token_url: None,
            revoke_url: None,
            scopes: vec![],
        })
        .settings::<Tracker>()
        .command::<CreateIssue>()
        .command::<Silence>()
        .preset::<CreateIssue>("bug", "File a bug", json!({"type": "bug"}), [Location::PostMenu])
        .event(
            EventKind::UserJoinedChannel.named("welcome").in_channel("$settings.channel").required(),
            welcome,
        )
        .on_install(on_install)
        .on_uninstall(|_| async { Ok(Answer::done()) })
        .on_configure(|_| async { Ok(Answer::done()) })
        .on_upgrade(|_| async { Ok(Answer::done()) })
}

fn object(value: Value) -> Values {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

async fn call(function: &str, values: Value) -> Result<Answer> {
    let cx = Cx::for_tests(CommandRequest::default(), None);
    app().call(function, cx, object(values)).unwrap().await
}

#[test]
fn the_manifest_says_all_that_the_definition_says() {
    let golden: Value = serde_json::from_str(include_str!("manifest.json")).unwrap();
    let made = serde_json::to_value(app().manifest()).unwrap();
    assert_eq!(made, golden, "made: {}", serde_json::to_string_pretty(&made).unwrap());
}

#[test]
fn the_same_definition_is_the_same_manifest_to_the_byte() {
    let text = || serde_json::to_string(app().manifest()).unwrap();
    assert_eq!(text(), text());
}

#[test]
fn whatever_the_definition_holds_can_be_called() {
    for entry in &app().manifest().commands {
        assert!(app().has(entry.function.as_str()), "{}", entry.function);
    }
    for name in ["welcome", "on_install", "on_uninstall", "on_configure", "on_upgrade"] {
        assert!(app().has(name), "{name}");
    }
    assert!(!app().has("bug"), "a preset is no function");
    assert!(app().call("nothing", Cx::for_tests(CommandRequest::default(), None), Values::new()).is_none());
}

#[test]
fn given_values_become_typed() {
    let id = "alicealicealicealicealicea";
    let issue = CreateIssue::from_values(object(json!({
        "project": "MM", "type": "feature-request", "watchers": [id], "due": "2026-11-22",
        "remind": "2026-11-22T09:00:00Z", "points": 8, "chance": 1, "mail": "a@b.c", "extra": {"x": [null]},
        "channel": id, "post": id, "team": id, "quiet": true,
    })))
    .unwrap();
    assert_eq!(
        issue,
        CreateIssue {
            project: "MM".into(),
            r#type: Kinds::FeatureRequest,
            watchers: vec![id.parse().unwrap()],
            due: Some("2026-11-22".parse().unwrap()),
            remind: Some("2026-11-22T09:00:00Z".parse().unwrap()),
            story_points: 8,
            chance: 1.0,
            mail: "a@b.c".into(),
            extra: Some(json!({"x": [null]})),
            channel: Some(id.parse().unwrap()),
            post: Some(id.parse().unwrap()),
            team: Some(id.parse().unwrap()),
            quiet: true,
        }
    );
}

#[test]
fn what_is_not_given_is_its_default_or_nothing() {
    let issue = CreateIssue::from_values(object(json!({"project": "MM", "due": null}))).unwrap();
    assert_eq!(
        issue,
        CreateIssue {
            project: "MM".into(),
            r#type: Kinds::Bug,
            watchers: vec![],
            due: None,
            remind: None,
            story_points: 3,
            chance: 0.5,
            mail: "ops@example.com".into(),
            extra: None,
            channel: None,
            post: None,
            team: None,
            quiet: false,
        }
    );
}

#[tokio::test]
async fn every_value_that_cannot_be_used_is_named() {
    let failure = call(
        "create_issue",
        json!({"type": "wish", "watchers": ["@bob"], "due": "soon", "points": 300, "chance": "x", "quiet": "y"}),
    )
    .await
    .unwrap_err();
    let told: Vec<_> = failure.fields.iter().map(|(field, text)| (field.as_str(), text.as_str())).collect();
    assert_eq!(
        told,
        [
            ("chance", "Write a number."),
            ("due", "Write a date, such as 2026-11-22."),
            ("points", "Write a whole number that is not too great."),
            ("project", "This is required."),
            ("quiet", "Write yes or no."),
            ("type", "Write one of bug, feature-request, ?."),
            ("watchers", "Write a user, such as @bob."),
        ]
    );
}

#[test]
fn a_whole_number_may_come_as_3_0_and_not_as_3_5() {
    for (points, good) in [(json!(3.0), true), (json!(3.5), false), (json!(-1), false), (json!("3"), false)] {
        let values = object(json!({"project": "MM", "points": points}));
        assert_eq!(CreateIssue::from_values(values).is_ok(), good, "{points}");
    }
}

#[tokio::test]
async fn a_unit_struct_is_a_command_without_fields() {
    assert_eq!(Silence::FUNCTION, "hush");
    assert_eq!(call("hush", json!({})).await.unwrap(), Answer::done());
}

#[tokio::test]
async fn settings_that_are_missing_are_told_at_their_field() {
    let failure = call("on_install", json!({})).await.unwrap_err();
    assert_eq!(
        failure.text.as_deref(),
        Some("The settings of this app are not complete: an admin must set them.")
    );
    assert_eq!(failure.fields.keys().collect::<Vec<_>>(), ["site"]);
}

#[tokio::test]
async fn an_event_reaches_its_function_typed() {
    let event = json!({"id": "e1", "kind": "user_joined_channel", "at": 5, "team_id": "",
        "user_id": "alicealicealicealicealicea", "data": {"x": 1}, "context": {}});
    let failure = call("welcome", event).await.unwrap_err();
    assert_eq!(failure.text.as_deref(), Some("user_joined_channel alicealicealicealicealicea 1"));
}

#[test]
fn a_bad_definition_panics_nowhere_and_every_problem_is_kept() {
    let app = App::new("Not An Id", "1.0.0", "X")
        .namespace("ALSO BAD")
        .command::<Silence>()
        .command::<Silence>()
        .preset::<Silence>("loud", "Loud", json!(3), [])
        .event(EventKind::UserUpdated.named("Not a name"), welcome);
    let problems = app.check();
    for pointer in ["/id", "/namespace", "/commands/1", "/presets/0/values", "/events/0"] {
        assert!(
            problems.iter().any(|problem| problem.pointer.starts_with(pointer)),
            "{pointer} in {problems:#?}"
        );
    }
}

#[test]
fn a_valid_app_has_no_problem() {
    app().assert_valid();
}

#[tokio::test]
async fn a_function_knows_its_surroundings() {
    let mut request = CommandRequest::default();
    assert!(Cx::for_tests(request.clone(), None).acting_user().is_err());
    request.context.time_zone = Some("Asia/Tokyo".into());
    request.context.locale = Some("ja".into());
    let cx = Cx::for_tests(request, None);
    assert_eq!(cx.now().to_string(), "2026-11-22T12:00:00Z");
    assert_eq!(cx.deadline().to_string(), "2026-11-22T12:00:08Z");
    assert!(cx.remaining().as_millis() <= 8_000 && !cx.remaining().is_zero());
    assert_eq!((cx.locale(), cx.time_zone().iana_name()), ("ja", Some("Asia/Tokyo")));
    assert_eq!(cx.request_id(), "test");
    assert!(cx.user().is_none() && cx.channel().is_none() && cx.team().is_none());
}

#[tokio::test]
async fn any_error_becomes_a_failure_that_only_the_log_sees() {
    fn fails() -> Result<u32> {
        Ok("x".parse::<u32>()?)
    }
    let failure = fails().unwrap_err();
    assert_eq!(failure.text, None);
    assert_eq!(failure.source.unwrap().to_string(), "invalid digit found in string");
    assert!(matches!(call("create_issue", json!({"project": "MM"})).await.unwrap().kind, Kind::Message(_)));
}

#[test]
fn the_derive_knows_the_words_of_the_protocol() {
    let listed = |words: &[&str]| format!("write one of `{}`\n", words.join("`, `"));
    // What the compiler says, which the derive's own tests hold it to.
    let mistakes = include_str!("../../derive/tests/mistakes/an_unknown_key.stderr");
    let expanded = format!("this cannot be expanded: {}", listed(&EXPANDABLE));
    assert!(mistakes.contains(&expanded), "{expanded}");
    // A vendor's webhook brings events: no command appears there.
    let places: Vec<_> = LOCATIONS.into_iter().filter(|location| *location != "webhook").collect();
    let location = format!("no such location: {}", listed(&places));
    assert!(mistakes.contains(&location), "{location}");
    let mistakes = include_str!("../../derive/tests/mistakes/a_name_of_the_bundle.stderr");
    for words in [&RESERVED[..], &FLAGS] {
        let reserved = format!("is one of the bundle's own words `{}`: choose", words.join("`, `"));
        assert!(mistakes.contains(&reserved), "{reserved}");
    }
}

#[test]
fn every_location_of_the_protocol_has_a_variant() {
    use Location::{ChannelHeader, Conversation, Dialog, MainMenu, MessageBox, PostAction, PostMenu};
    let variants = [
        MessageBox,
        PostMenu,
        ChannelHeader,
        MainMenu,
        PostAction,
        Dialog,
        Conversation,
        Location::Other("webhook"),
    ];
    assert_eq!(variants.map(|location| location.to_string()), LOCATIONS);
}
