//! Cases of [`Keys`] and [`KeyMaker`].

use super::{race, run_cases};
use crate::store::{
    model::{Key, Ring},
    ports::{KeyMaker, Keys},
};
use crate::testing::sample;
use cloud_apps_protocol::KeyId;

/// Runs all cases of [`Keys`] and [`KeyMaker`]; `make` makes a store without rings.
pub async fn keys<S: Keys + KeyMaker + Clone + 'static>(make: impl AsyncFn() -> S) {
    run_cases!(
        "keys",
        make,
        [
            an_app_without_a_ring_has_none,
            a_ring_comes_back_as_it_was_made,
            the_first_ring_of_an_app_stays,
            rings_of_two_apps_are_apart,
            of_many_at_once_one_ring_is_kept_and_all_are_told_which,
            a_ring_is_replaced_whole_and_no_other_with_it,
            of_many_replacements_at_once_one_is_kept_whole,
        ]
    );
}

fn text(ring: &Ring) -> String {
    ring.to_json("conformance").unwrap().to_string()
}

async fn an_app_without_a_ring_has_none(store: impl Keys) {
    assert!(store.ring(&sample::app()).await.unwrap().is_none());
}

async fn a_ring_comes_back_as_it_was_made(store: impl Keys + KeyMaker) {
    let ring = sample::ring(&sample::app(), 1);
    assert!(text(&store.make(&ring).await.unwrap()) == text(&ring));
    let read = store.ring(&sample::app()).await.unwrap().unwrap();
    // Not `assert_eq`: a failure must not print a root.
    assert!(text(&read) == text(&ring));
}

async fn the_first_ring_of_an_app_stays(store: impl Keys + KeyMaker) {
    let first = sample::ring(&sample::app(), 1);
    store.make(&first).await.unwrap();
    let told = store.make(&sample::ring(&sample::app(), 2)).await.unwrap();
    assert!(text(&told) == text(&first));
    assert!(text(&store.ring(&sample::app()).await.unwrap().unwrap()) == text(&first));
}

async fn rings_of_two_apps_are_apart(store: impl Keys + KeyMaker) {
    let other = sample::app_id("hello-2");
    store.make(&sample::ring(&sample::app(), 1)).await.unwrap();
    assert!(store.ring(&other).await.unwrap().is_none());
    store.make(&sample::ring(&other, 2)).await.unwrap();
    assert!(text(&store.ring(&other).await.unwrap().unwrap()) == text(&sample::ring(&other, 2)));
    assert!(
        text(&store.ring(&sample::app()).await.unwrap().unwrap()) == text(&sample::ring(&sample::app(), 1))
    );
}

async fn of_many_at_once_one_ring_is_kept_and_all_are_told_which<S: Keys + KeyMaker + Clone + 'static>(
    store: S,
) {
    let told = race(|n| {
        let store = store.clone();
        let ring = sample::ring(&sample::app(), u8::try_from(n).unwrap());
        async move { store.make(&ring).await.unwrap() }
    })
    .await;
    let kept = text(&store.ring(&sample::app()).await.unwrap().unwrap());
    assert!(told.iter().all(|ring| text(ring) == kept));
}

async fn a_ring_is_replaced_whole_and_no_other_with_it(store: impl Keys + KeyMaker) {
    let (app, other) = (sample::app(), sample::app_id("hello-2"));
    for app in [&app, &other] {
        store.make(&sample::ring(app, 1)).await.unwrap();
    }
    let mut rotated = sample::ring(&app, 1);
    rotated.keys.extend(
        sample::ring(&app, 2).keys.into_iter().map(|key| Key { id: KeyId::new("2").unwrap(), ..key }),
    );
    for ring in [&rotated, &sample::ring(&app, 3)] {
        store.replace(ring).await.unwrap();
        assert!(text(&store.ring(&app).await.unwrap().unwrap()) == text(ring));
    }
    assert!(text(&store.make(&rotated).await.unwrap()) == text(&sample::ring(&app, 3)), "it stands");
    assert!(text(&store.ring(&other).await.unwrap().unwrap()) == text(&sample::ring(&other, 1)));
}

async fn of_many_replacements_at_once_one_is_kept_whole<S: Keys + KeyMaker + Clone + 'static>(store: S) {
    store.make(&sample::ring(&sample::app(), 100)).await.unwrap();
    let rings = race(|n| {
        let store = store.clone();
        let ring = sample::ring(&sample::app(), u8::try_from(n).unwrap());
        async move {
            store.replace(&ring).await.unwrap();
            ring
        }
    })
    .await;
    let kept = text(&store.ring(&sample::app()).await.unwrap().unwrap());
    assert!(rings.iter().any(|ring| text(ring) == kept));
}
