//! Values against their fields (sections 6 and 9): one form comes out, however a client writes it.

use cloud_apps_protocol::{
    Field, FieldType,
    form::{SelectOption, Subtype},
    values::{MAX_TEXT, check_value},
};
use proptest::prelude::*;
use serde_json::{Value, json};

const ID: &str = "abcdefghijklmnopqrstuvwxyz";

fn field(kind: FieldType) -> Field {
    Field::new("x".parse().unwrap(), kind)
}

fn options() -> Field {
    let option = |value: &str, label: &str| SelectOption {
        value: value.to_owned(),
        label: label.to_owned(),
        description: String::new(),
    };
    Field {
        options: vec![option("bug", "A Bug"), option("Task", ""), option("task", "")],
        ..field(FieldType::Select)
    }
}

#[track_caller]
#[allow(clippy::needless_pass_by_value)] // So that `json!` stands at the caller without `&`.
fn gives(field: &Field, value: Value, expected: Value) {
    assert_eq!(check_value(field, &value), Ok(expected), "{value}");
}

#[track_caller]
#[allow(clippy::needless_pass_by_value)]
fn refuses(field: &Field, value: Value, words: &[&str]) {
    let Err(message) = check_value(field, &value) else { panic!("accepted {value}") };
    for word in words {
        assert!(message.contains(word), "{value}: {message:?} does not say {word:?}");
    }
}

#[test]
fn text_has_a_length_in_characters() {
    let short = Field { max_length: Some(3), ..field(FieldType::Text) };
    gives(&short, json!("äöü"), json!("äöü"));
    refuses(&short, json!("abcd"), &["4 characters", "at most 3"]);
    gives(&field(FieldType::Text), json!("x".repeat(MAX_TEXT)), json!("x".repeat(MAX_TEXT)));
    refuses(&field(FieldType::Text), json!("x".repeat(MAX_TEXT + 1)), &["at most 16383"]);
    refuses(&field(FieldType::Text), json!(7), &["7", "text"]);
}

#[test]
fn text_of_a_subtype_is_what_the_subtype_says() {
    let of = |subtype| Field { subtype: Some(subtype), ..field(FieldType::Text) };
    gives(&of(Subtype::Email), json!("a+b@example.com"), json!("a+b@example.com"));
    for bad in ["a", "@example.com", "a@", "a@b@c", "a b@example.com", "a@example..com"] {
        refuses(&of(Subtype::Email), json!(bad), &[bad, "email"]);
    }
    gives(&of(Subtype::Url), json!("https://example.com/a?b"), json!("https://example.com/a?b"));
    for bad in ["example.com", "javascript:alert(1)", "file:///etc/passwd", "https://"] {
        refuses(&of(Subtype::Url), json!(bad), &[bad, "URL", "https://"]);
    }
    gives(&of(Subtype::Textarea), json!("a\nb"), json!("a\nb"));
    refuses(&of(Subtype::Line), json!("a\nb"), &["one"]);
}

#[test]
fn a_pattern_holds_for_the_whole_text() {
    let project = Field { pattern: Some("[A-Z]+|x".into()), hint: "MM".into(), ..field(FieldType::Text) };
    gives(&project, json!("MM"), json!("MM"));
    for bad in ["MM1", " MM", "MM\n", "xx"] {
        refuses(&project, json!(bad), &["[A-Z]+|x", "such as MM"]);
    }
}

#[test]
fn a_password_is_never_repeated() {
    let secret =
        Field { subtype: Some(Subtype::Password), pattern: Some("[a-z]+".into()), ..field(FieldType::Text) };
    let message = check_value(&secret, &json!("CANARY-7")).unwrap_err();
    assert!(!message.contains("CANARY"), "{message}");
}

#[test]
fn a_number_may_come_as_text() {
    let number = field(FieldType::Number);
    for (value, expected) in [
        (json!(5), json!(5)),
        (json!("5"), json!(5)),
        (json!(" +5 "), json!(5)),
        (json!("-1.5"), json!(-1.5)),
        (json!("1e3"), json!(1000.0)),
    ] {
        gives(&number, value, expected);
    }
    for bad in ["many", "", "1,5", "NaN", "inf", "1e999", "0x10"] {
        refuses(&number, json!(bad), &["number"]);
    }
    refuses(&number, json!(true), &["true", "number"]);
    let small = Field { min: Some(json!(1)), max: Some(json!(5)), ..field(FieldType::Number) };
    gives(&small, json!(1), json!(1));
    gives(&small, json!("5"), json!(5));
    refuses(&small, json!(0), &["0", "1"]);
    refuses(&small, json!(5.01), &["5.01", "5"]);
}

#[test]
fn yes_and_no_may_come_as_text() {
    for (value, expected) in
        [(json!(true), true), (json!("true"), true), (json!("TRUE"), true), (json!("no"), false)]
    {
        gives(&field(FieldType::Bool), value, json!(expected));
    }
    refuses(&field(FieldType::Bool), json!("maybe"), &["maybe", "yes or no"]);
    refuses(&field(FieldType::Bool), json!(1), &["1", "yes or no"]);
}

#[test]
fn an_option_is_found_by_value_or_label_in_any_case() {
    for text in ["bug", "BUG", "a bug"] {
        gives(&options(), json!(text), json!("bug"));
    }
    gives(&options(), json!("Task"), json!("Task"));
    gives(&options(), json!("task"), json!("task"));
    gives(&options(), json!({ "value": "bug", "label": "x" }), json!("bug"));
    refuses(&options(), json!("bgu"), &["bgu", "did you mean bug?"]);
    refuses(&options(), json!("zzzzzz"), &["zzzzzz", "choose one of bug, Task, task"]);
    refuses(&options(), json!(""), &["choose one of"]);
    refuses(&options(), json!(1), &["1", "options"]);
}

#[test]
fn several_options_come_as_a_list_or_joined_by_commas() {
    let several = Field { multiple: true, ..options() };
    gives(&several, json!(["bug", "task"]), json!(["bug", "task"]));
    gives(&several, json!("bug, task"), json!(["bug", "task"]));
    gives(&several, json!("bug"), json!(["bug"]));
    gives(&several, json!(["", null, "bug"]), json!(["bug"]));
    gives(&several, json!(""), json!([]));
    refuses(&several, json!(["bug", "epoc"]), &["epoc"]);
    refuses(&several, json!(["bug,task"]), &["bug,task"]);
    let users = Field { multiple: true, ..field(FieldType::User) };
    gives(&users, json!(format!("{ID},{ID}")), json!([ID, ID]));
    let words = Field { multiple: true, ..field(FieldType::Text) };
    gives(&words, json!(["a, b", "c"]), json!(["a, b", "c"]));
    gives(&words, json!("a, b"), json!(["a, b"]));
}

#[test]
fn an_option_that_the_app_offers_is_taken_as_it_is() {
    let lookup = Field { lookup: true, ..field(FieldType::Select) };
    gives(&lookup, json!(" MM-1 "), json!("MM-1"));
    gives(&lookup, json!({ "value": "MM-1" }), json!("MM-1"));
    refuses(&lookup, json!("a,b"), &["comma"]);
    refuses(&lookup, json!(" "), &["empty", "choose"]);
    gives(&Field { multiple: true, ..lookup }, json!("MM-1,MM-2"), json!(["MM-1", "MM-2"]));
}

#[test]
fn ids_have_their_shape() {
    for kind in [FieldType::User, FieldType::Channel, FieldType::Post, FieldType::Team] {
        gives(&field(kind), json!(ID), json!(ID));
        for bad in ["bob", "", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "../../../../../../../../xx"] {
            refuses(&field(kind), json!(bad), &[bad, "is not"]);
        }
    }
    refuses(&field(FieldType::User), json!("bob"), &["@name"]);
    refuses(&field(FieldType::Channel), json!("x"), &["~name"]);
    refuses(&field(FieldType::Post), json!("x"), &["permalink"]);
}

#[test]
fn times_come_out_in_utc() {
    let datetime = field(FieldType::Datetime);
    for text in
        ["2026-11-22T10:00:00+01:00", "2026-11-22T09:00:00Z", "2026-11-22T09:00:00.000Z", "2026-11-22t09:00z"]
    {
        gives(&datetime, json!(text), json!("2026-11-22T09:00:00Z"));
    }
    for bad in ["2026-11-22T09:00:00", "soon", "2026-13-01T00:00:00Z", ""] {
        refuses(&datetime, json!(bad), &["date and time"]);
    }
    gives(&field(FieldType::Date), json!("2026-11-22"), json!("2026-11-22"));
    for bad in ["2026-02-30", "22.11.2026", "soon", ""] {
        refuses(&field(FieldType::Date), json!(bad), &["date"]);
    }
}

#[test]
fn times_stay_between_min_and_max() {
    let day =
        Field { min: Some(json!("2026-11-01")), max: Some(json!("2026-11-30")), ..field(FieldType::Date) };
    gives(&day, json!("2026-11-01"), json!("2026-11-01"));
    gives(&day, json!("2026-11-30"), json!("2026-11-30"));
    refuses(&day, json!("2026-10-31"), &["2026-10-31", "before 2026-11-01"]);
    refuses(&day, json!("2026-12-01"), &["after 2026-11-30"]);
    let time = Field {
        min: Some(json!("2026-11-22T10:00:00+01:00")),
        max: Some(json!("2026-11-22T10:00:00Z")),
        ..field(FieldType::Datetime)
    };
    gives(&time, json!("2026-11-22T09:00:00Z"), json!("2026-11-22T09:00:00Z"));
    gives(&time, json!("2026-11-22T09:00:00.5Z"), json!("2026-11-22T09:00:00.5Z"));
    refuses(&time, json!("2026-11-22T08:59:59Z"), &["before"]);
    refuses(&time, json!("2026-11-22T10:00:00.5Z"), &["after"]);
}

#[test]
fn files_are_ids_in_a_list() {
    gives(&field(FieldType::File), json!([ID]), json!([ID]));
    gives(&field(FieldType::File), json!(ID), json!([ID]));
    refuses(&field(FieldType::File), json!(["x"]), &["x", "file"]);
    refuses(&field(FieldType::File), json!({}), &["files"]);
}

#[test]
fn json_is_anything_and_what_is_shown_takes_nothing() {
    gives(&field(FieldType::Json), json!({ "a": [1, null] }), json!({ "a": [1, null] }));
    refuses(&field(FieldType::Markdown), json!("x"), &["shown"]);
}

#[test]
fn a_long_value_is_cut_in_the_message() {
    let message = check_value(&field(FieldType::Number), &json!("ä".repeat(5000))).unwrap_err();
    assert!(message.chars().count() < 120, "{message}");
}

#[test]
fn a_field_that_takes_several_takes_no_flood() {
    for kind in [FieldType::Text, FieldType::User, FieldType::File] {
        let field = Field { multiple: true, ..field(kind) };
        gives(&field, json!(vec![ID; 1_000]), json!(vec![ID; 1_000]));
        refuses(&field, json!(vec![ID; 1_001]), &["has 1001 values, at most 1000"]);
    }
}

#[test]
fn a_pattern_that_would_take_long_is_no_pattern() {
    let of = |pattern: &str| Field { pattern: Some(pattern.to_owned()), ..field(FieldType::Text) };
    let text = json!("a".repeat(1_000));
    gives(&of("[a-z]{1,1000}"), text.clone(), text.clone());
    refuses(&of("(?:a{1,1000}){1,1000}"), text, &["pattern in the manifest that cannot be read"]);
}

#[test]
fn what_patterns_match_is_bounded_for_all_items_together() {
    let of =
        |pattern: &str| Field { pattern: Some(pattern.to_owned()), multiple: true, ..field(FieldType::Text) };
    let heavy = of("(?:[a-z]{1,20} ?){1,30}");
    let item = "word ".repeat(30);
    gives(&heavy, json!([item]), json!([item]));
    refuses(&heavy, json!(vec![item; 200]), &["more text than its pattern can check"]);
    let light = of("[a-z ]+");
    gives(&light, json!(vec!["word ".repeat(40); 100]), json!(vec!["word ".repeat(40); 100]));
}

proptest! {
    #[test]
    fn a_checked_value_checks_to_itself(text in "\\PC{0,30}|[0-9.eE+-]{1,8}|(true|no|bug|A Bug|2026-11-2[0-9])", kind in 0..13usize, multiple in any::<bool>()) {
        use FieldType::*;
        let kind = [Text, Number, Bool, Select, User, Channel, Post, Team, Date, Datetime, Json, File, Markdown][kind];
        let field = Field { multiple, r#type: kind, ..options() };
        if let Ok(once) = check_value(&field, &json!(text)) {
            prop_assert_eq!(check_value(&field, &once), Ok(once));
        }
    }
}
