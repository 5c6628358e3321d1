//! Seals (section 14.3) and what is stored encrypted: opened where they belong, and nowhere else.

use crate::{INSTALL, OTHER_INSTALL, app, install, key, root};
use cloud_apps_protocol::{
    seal::{Content, MAX_SEAL, SealError, SealKind, Sealed, seal, store_key, store_open, store_seal},
    secret::Secret,
};
use proptest::prelude::*;
use serde_json::json;

const NOW: u64 = 1_795_348_800_000;
const KINDS: [SealKind; 4] = [SealKind::Action, SealKind::Dialog, SealKind::Link, SealKind::Reply];
const PLACE: [&str; 5] = ["bot_token", "jira", INSTALL, "access_token", "https://chat.example.com"];

fn content() -> Content {
    Content {
        values: json!({ "issue": "MM-1" }).as_object().unwrap().clone(),
        state: json!({ "step": 1 }),
        user: Some("aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap()),
        channel: Some("cccccccccccccccccccccccccc".parse().unwrap()),
        ..Content::new("a0".to_owned(), app("jira"), "assign".parse().unwrap())
    }
}

fn sealed(kind: SealKind) -> String {
    seal(&root(), &key("1"), &install(INSTALL), kind, [9; 12], &content()).unwrap()
}

fn open(text: &str, kind: SealKind) -> Result<Content, SealError> {
    Sealed::parse(text)?.open(&root(), kind, NOW)
}

#[test]
fn a_seal_opens_with_what_was_put_in_and_names_its_key() {
    for kind in KINDS {
        let text = sealed(kind);
        let outer = Sealed::parse(&text).unwrap();
        assert_eq!((outer.app, outer.key, outer.install), (app("jira"), key("1"), install(INSTALL)));
        assert_eq!(open(&text, kind).unwrap(), content());
        assert!(!text.contains("MM-1"));
    }
}

#[test]
fn a_seal_is_the_same_bytes_for_the_same_inputs() {
    let lines: Vec<String> = KINDS.into_iter().map(sealed).collect();
    expect_test::expect_file!["../golden/seals.txt"].assert_eq(&format!("{}\n", lines.join("\n")));
}

#[test]
fn one_kind_never_opens_as_another() {
    for made in KINDS {
        for read in KINDS {
            assert_eq!(open(&sealed(made), read).is_ok(), made == read, "{made:?} as {read:?}");
        }
    }
}

#[test]
fn a_seal_does_not_open_for_another_install_app_key_or_root() {
    let good = sealed(SealKind::Action);
    for changed in [
        good.replace(INSTALL, OTHER_INSTALL),
        good.replace("s1.jira.", "s1.hello."),
        good.replace("s1.jira.1.", "s1.jira.2."),
    ] {
        assert_ne!(changed, good);
        assert_eq!(open(&changed, SealKind::Action).unwrap_err(), SealError::Invalid, "{changed}");
    }
    let other = Sealed::parse(&good).unwrap().open(&Secret::new([8; 32]), SealKind::Action, NOW);
    assert_eq!(other.unwrap_err(), SealError::Invalid);
}

#[test]
fn a_seal_is_good_until_its_time_and_not_after() {
    let content = Content { exp: Some(NOW), ..content() };
    let text = seal(&root(), &key("1"), &install(INSTALL), SealKind::Link, [0; 12], &content).unwrap();
    let at = |now| Sealed::parse(&text).unwrap().open(&root(), SealKind::Link, now);
    assert_eq!(at(NOW - 1).unwrap(), content);
    assert_eq!(at(NOW).unwrap_err(), SealError::Expired);
    assert_eq!(at(u64::MAX).unwrap_err(), SealError::Expired);
}

#[test]
fn a_seal_over_four_kibibytes_is_neither_made_nor_read() {
    let with = |n: usize| {
        let content = Content { state: json!("x".repeat(n)), ..content() };
        seal(&root(), &key("1"), &install(INSTALL), SealKind::Action, [0; 12], &content)
    };
    assert!(with(2000).unwrap().len() <= MAX_SEAL);
    let error = with(4000).unwrap_err();
    assert_eq!(error, SealError::TooLarge);
    assert!(error.to_string().contains("keep less"), "{error}");
    let long = format!("{}{}", sealed(SealKind::Action), "A".repeat(MAX_SEAL));
    assert_eq!(Sealed::parse(&long).unwrap_err(), SealError::Invalid);
}

#[test]
fn what_is_not_a_seal_is_refused() {
    let good = sealed(SealKind::Action);
    let (outer, inner) = good.rsplit_once('.').unwrap();
    for text in [
        String::new(),
        "s1".to_owned(),
        outer.to_owned(),
        format!("{outer}."),
        format!("{outer}.AAAA"),
        format!("{outer}.{}", "A".repeat(16)),
        format!("{good}="),
        format!("{good}.x"),
        format!("s2{}", &good[2..]),
        format!("s1..1.{INSTALL}.{inner}"),
        format!("s1.jira.0.{INSTALL}.{inner}"),
        format!("s1.jira.1.short.{inner}"),
    ] {
        assert_eq!(open(&text, SealKind::Action).unwrap_err(), SealError::Invalid, "{text}");
    }
}

#[test]
fn debug_shows_no_ciphertext() {
    let good = sealed(SealKind::Action);
    let debug = format!("{:?}", Sealed::parse(&good).unwrap());
    assert!(!debug.contains(good.rsplit_once('.').unwrap().1), "{debug}");
}

#[test]
fn what_is_stored_opens_at_its_place_only() {
    let text = store_seal(&root(), &key("3"), &PLACE, [1; 12], b"canary");
    assert_eq!(store_key(&text), Some(key("3")));
    assert_eq!(store_open(&root(), &PLACE, &text).unwrap().as_slice(), b"canary");
    assert!(!text.contains("canary"));
    for i in 0..PLACE.len() {
        let mut other = PLACE;
        other[i] = "https://evil.example.com";
        assert_eq!(store_open(&root(), &other, &text).unwrap_err(), SealError::Invalid, "{other:?}");
    }
    assert!(store_open(&root(), &PLACE[..4], &text).is_err());
    assert!(store_open(&Secret::new([8; 32]), &PLACE, &text).is_err());
    assert!(store_open(&root(), &PLACE, &text.replace("k1.3.", "k1.4.")).is_err());
}

#[test]
fn places_are_compared_part_by_part() {
    let text = store_seal(&root(), &key("1"), &["ab", "c"], [1; 12], b"x");
    assert!(store_open(&root(), &["ab", "c"], &text).is_ok());
    assert!(store_open(&root(), &["a", "bc"], &text).is_err());
    assert!(store_open(&root(), &["abc"], &text).is_err());
}

#[test]
fn what_is_stored_is_the_same_bytes_for_the_same_inputs() {
    let text = store_seal(&root(), &key("3"), &PLACE, [1; 12], b"canary");
    expect_test::expect_file!["../golden/stored.txt"].assert_eq(&format!("{text}\n"));
}

#[test]
fn a_seal_never_opens_as_what_is_stored() {
    assert!(store_open(&root(), &PLACE, &sealed(SealKind::Action)).is_err());
    assert_eq!(store_key(&sealed(SealKind::Action)), None);
    assert_eq!(store_key("k1.x.AAAA"), None);
    assert_eq!(store_key(""), None);
}

proptest! {
    #[test]
    fn a_seal_changed_in_any_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut bytes = sealed(SealKind::Dialog).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let changed = String::from_utf8_lossy(&bytes).into_owned();
        prop_assert_eq!(open(&changed, SealKind::Dialog).unwrap_err(), SealError::Invalid);
    }

    #[test]
    fn what_was_sealed_is_opened(nonce in any::<[u8; 12]>(), id in any::<String>(), value in "\\PC{0,200}") {
        let content = Content { id: id.chars().take(100).collect(), state: json!({ "v": value }), ..content() };
        let text = seal(&root(), &key("1"), &install(INSTALL), SealKind::Reply, nonce, &content).unwrap();
        prop_assert_eq!(open(&text, SealKind::Reply).unwrap(), content);
    }

    #[test]
    fn what_was_stored_is_opened(plain in any::<Vec<u8>>(), nonce in any::<[u8; 12]>(), place in prop::collection::vec(any::<String>(), 0..6)) {
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let text = store_seal(&root(), &key("1"), &place, nonce, &plain);
        let opened = store_open(&root(), &place, &text).unwrap();
        prop_assert_eq!(opened.as_slice(), plain.as_slice());
    }

    #[test]
    fn what_is_stored_and_changed_in_any_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut bytes = store_seal(&root(), &key("1"), &PLACE, [1; 12], b"canary").into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(store_open(&root(), &PLACE, &String::from_utf8_lossy(&bytes)).is_err());
    }

    #[test]
    fn nothing_that_comes_back_panics(text in any::<String>()) {
        let _ = open(&text, SealKind::Action);
        let _ = open(&format!("s1.jira.1.{INSTALL}.{text}"), SealKind::Action);
        let _ = store_open(&root(), &PLACE, &text);
        let _ = store_open(&root(), &PLACE, &format!("k1.1.{text}"));
    }
}
