//! Cases of [`DeadLetters`].

use super::{race, run_cases};
use crate::store::{
    document,
    model::Dead,
    ports::{DeadLetters, StoreError},
};
use crate::testing::sample;
use cloud_apps_protocol::InstallId;

/// Runs all cases of [`DeadLetters`]; `make` makes an empty store.
pub async fn dead_letters<S: DeadLetters + Clone + 'static>(make: impl AsyncFn() -> S) {
    run_cases!(
        "dead letters",
        make,
        [
            a_letter_comes_back_as_it_was_parked,
            the_same_letter_parked_again_is_one_and_the_first_stands,
            letters_of_two_installs_and_of_none_are_apart,
            letters_are_listed_in_pages_the_oldest_first,
            a_letter_is_taken_once,
            of_many_takers_one_gets_the_letter,
            of_many_that_park_the_same_letter_one_stands,
            an_id_that_no_letter_has_is_not_there,
            a_cursor_that_no_list_gave_is_refused,
            a_letter_that_is_too_large_is_refused,
            all_letters_of_an_install_are_thrown_away_and_no_others,
        ]
    );
}

fn id(n: usize) -> String {
    format!("{n:014}-0123456789abcdef")
}

/// The n-th letter of an install.
fn letter(install: Option<usize>, n: usize) -> Dead {
    Dead {
        id: id(n),
        install: install.map(sample::install_id),
        body: format!("the body {n}, \"grüß\""),
        reason: "it failed".to_owned(),
        attempts: 5,
        function: Some("watch".to_owned()),
        first_at: n as u64,
        at: n as u64 + 5,
        trace: Some("a trace".to_owned()),
    }
}

async fn ids(store: &impl DeadLetters, install: Option<&InstallId>) -> Vec<String> {
    let page = store.list(install, 100, None).await.unwrap();
    assert_eq!(page.cursor, None);
    page.items.into_iter().map(|letter| letter.id).collect()
}

async fn a_letter_comes_back_as_it_was_parked(store: impl DeadLetters) {
    let (full, bare) =
        (letter(Some(1), 1), Dead { function: None, trace: None, body: String::new(), ..letter(None, 2) });
    for parked in [&full, &bare] {
        let install = parked.install.as_ref();
        assert_eq!(store.find(install, &parked.id).await.unwrap(), None);
        store.park(parked).await.unwrap();
        assert_eq!(store.find(install, &parked.id).await.unwrap().as_ref(), Some(parked));
        assert_eq!(store.list(install, 100, None).await.unwrap().items, std::slice::from_ref(parked));
    }
}

async fn the_same_letter_parked_again_is_one_and_the_first_stands(store: impl DeadLetters) {
    store.park(&letter(Some(1), 1)).await.unwrap();
    store.park(&Dead { reason: "again".to_owned(), ..letter(Some(1), 1) }).await.unwrap();
    let all = store.list(Some(&sample::install_id(1)), 100, None).await.unwrap().items;
    assert_eq!(all, [letter(Some(1), 1)]);
}

async fn letters_of_two_installs_and_of_none_are_apart(store: impl DeadLetters) {
    for install in [Some(1), Some(2), None] {
        store.park(&letter(install, 1)).await.unwrap();
    }
    store.park(&letter(Some(2), 2)).await.unwrap();
    let (one, two) = (sample::install_id(1), sample::install_id(2));
    assert_eq!(ids(&store, Some(&one)).await, [id(1)]);
    assert_eq!(ids(&store, Some(&two)).await, [id(1), id(2)]);
    assert_eq!(ids(&store, None).await, [id(1)]);
    assert_eq!(store.take(Some(&one), &id(2)).await.unwrap(), None, "it is another's");
    assert!(store.take(None, &id(1)).await.unwrap().is_some());
    assert_eq!((ids(&store, Some(&one)).await.len(), ids(&store, None).await.len()), (1, 0));
}

async fn letters_are_listed_in_pages_the_oldest_first(store: impl DeadLetters) {
    let install = sample::install_id(1);
    for n in [3, 1, 5, 2, 4] {
        store.park(&letter(Some(1), n)).await.unwrap();
    }
    for limit in 1..7 {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = store.list(Some(&install), limit, cursor.as_deref()).await.unwrap();
            assert!(page.items.len() <= limit);
            seen.extend(page.items.into_iter().map(|letter| letter.id));
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, [1, 2, 3, 4, 5].map(id), "{limit} a page");
    }
}

async fn a_letter_is_taken_once(store: impl DeadLetters) {
    let install = sample::install_id(1);
    store.park(&letter(Some(1), 1)).await.unwrap();
    assert_eq!(store.take(Some(&install), &id(1)).await.unwrap(), Some(letter(Some(1), 1)));
    assert_eq!(store.take(Some(&install), &id(1)).await.unwrap(), None);
    assert_eq!(store.find(Some(&install), &id(1)).await.unwrap(), None);
    store.park(&letter(Some(1), 1)).await.unwrap();
    assert_eq!(ids(&store, Some(&install)).await, [id(1)], "it may come to that once more");
}

async fn of_many_takers_one_gets_the_letter<S: DeadLetters + Clone + 'static>(store: S) {
    store.park(&letter(Some(1), 1)).await.unwrap();
    let taken = race(|_| {
        let store = store.clone();
        async move { store.take(Some(&sample::install_id(1)), &id(1)).await.unwrap() }
    })
    .await;
    assert_eq!(taken.into_iter().flatten().count(), 1);
}

async fn of_many_that_park_the_same_letter_one_stands<S: DeadLetters + Clone + 'static>(store: S) {
    race(|n| {
        let store = store.clone();
        let letter = Dead { attempts: u32::try_from(n).unwrap(), ..letter(Some(1), 1) };
        async move { store.park(&letter).await.unwrap() }
    })
    .await;
    assert_eq!(ids(&store, Some(&sample::install_id(1))).await, [id(1)]);
}

/// Ids that no letter has, and that a store must not take for those of anything else, or for more than it can ask for.
const NOBODYS: [&str; 7] = ["", "#", "../DATA#a", "grüß", "a b", "\0", LONG];
/// Longer than any key of a store.
const LONG: &str = match std::str::from_utf8(&[b'x'; 5_000]) {
    Ok(text) => text,
    Err(_) => "",
};

async fn an_id_that_no_letter_has_is_not_there(store: impl DeadLetters) {
    for install in [None, Some(1)] {
        store.park(&letter(install, 1)).await.unwrap();
        let install = install.map(sample::install_id);
        for id in NOBODYS {
            assert_eq!(store.find(install.as_ref(), id).await.unwrap(), None, "{id:?}");
            assert_eq!(store.take(install.as_ref(), id).await.unwrap(), None, "{id:?}");
        }
        assert_eq!(ids(&store, install.as_ref()).await, [id(1)]);
    }
}

async fn a_cursor_that_no_list_gave_is_refused(store: impl DeadLetters) {
    let forged = |id: &str| data_encoding::BASE64URL_NOPAD.encode(format!("1 {id}").as_bytes());
    let forged = NOBODYS.map(forged);
    for cursor in ["", "x", "bm90IGEgY3Vyc29y"].into_iter().chain(forged.iter().map(String::as_str)) {
        let error = store.list(None, 10, Some(cursor)).await.unwrap_err();
        assert!(matches!(error, StoreError::BadCursor { .. }), "{cursor:?}: {error}");
    }
}

async fn a_letter_that_is_too_large_is_refused(store: impl DeadLetters) {
    let large = Dead { body: "x".repeat(document::MAX_DOCUMENT), ..letter(None, 1) };
    let error = store.park(&large).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
    assert!(ids(&store, None).await.is_empty());
}

async fn all_letters_of_an_install_are_thrown_away_and_no_others(store: impl DeadLetters) {
    let (one, two) = (sample::install_id(1), sample::install_id(2));
    for n in 0..120 {
        store.park(&letter(Some(1), n)).await.unwrap();
    }
    for install in [Some(2), None] {
        store.park(&letter(install, 1)).await.unwrap();
    }
    for _ in 0..2 {
        store.clear(&one).await.unwrap();
        assert!(ids(&store, Some(&one)).await.is_empty());
    }
    assert_eq!((ids(&store, Some(&two)).await, ids(&store, None).await), (vec![id(1)], vec![id(1)]));
}
