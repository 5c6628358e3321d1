//! Cases of what operators store in [`Registry`]: registered apps, and manage codes.

use super::{race, run_cases};
use crate::testing::sample;
use crate::{
    apps::ServedAppError,
    random::SystemRandom,
    services::{Services, Stores},
    store::{
        cache::Freshness,
        document,
        memory::Memory,
        model::{Binding, ManageCode, RegisteredApp, Sha256},
        ports::{Apps, Changed, Registry, StoreError},
        rules,
    },
};
use cloud_app::http::{Outbound, Policy};
use cloud_apps_protocol::{AppId, Generation, Manifest};
use std::sync::Arc;

/// Runs all cases of registered apps and manage codes; `make` makes an empty store.
pub async fn apps_and_manage_codes<S: Apps + Registry + Clone + 'static>(make: impl AsyncFn() -> S) {
    run_cases!(
        "apps and manage codes",
        make,
        [
            an_app_comes_back_as_it_was_registered,
            an_app_is_replaced_by_revision,
            an_app_is_removed_by_revision_and_may_be_removed_again,
            of_many_registrations_of_one_app_one_is_kept,
            of_many_replacements_of_one_revision_one_counts,
            an_app_is_removed_or_replaced_and_never_both,
            an_app_that_is_too_large_is_refused_and_changes_nothing,
            a_manifest_comes_back_as_it_was_put_and_may_be_put_and_removed_again,
            manifests_are_apart_from_apps_and_from_each_other,
            a_manifest_that_is_too_large_is_refused,
            what_was_changed_in_the_table_is_not_believed,
            a_manage_code_comes_back_as_it_was_put,
            manage_codes_and_install_codes_are_apart,
            of_many_manage_codes_at_once_all_are_kept,
        ]
    );
}

/// A registered app. Two with different numbers are not equal.
fn app(id: &str, n: u64) -> RegisteredApp {
    let version = format!("1.0.{n}");
    RegisteredApp {
        rev: 0,
        id: sample::app_id(id),
        versions: [(version.clone(), Sha256::of(&format!("the {n}th")))].into(),
        version,
        upstream_key: "1".parse().unwrap(),
        upstream_generation: Generation(1),
        upstream_previous: None,
        binding: Some(Binding { key: "1".parse().unwrap(), mac: "A".repeat(43) }),
    }
}

async fn find(store: &impl Apps, id: &AppId) -> Option<RegisteredApp> {
    Apps::find(store, id).await.unwrap()
}

/// The app as it is stored after a change that builds on `expected`.
fn stored(app: &RegisteredApp, expected: u64) -> RegisteredApp {
    RegisteredApp { rev: rules::next(expected), ..app.clone() }
}

async fn an_app_comes_back_as_it_was_registered(store: impl Apps + Registry) {
    let (jira, other) = (app("jira", 1), app("jira-2", 2));
    let (id, other_id) = (sample::app_id("jira"), sample::app_id("jira-2"));
    assert_eq!(Registry::put_app(&store, &jira, 0).await.unwrap(), Changed::Yes);
    assert_eq!(find(&store, &id).await, Some(stored(&jira, 0)));
    assert_eq!(find(&store, &other_id).await, None);
    assert_eq!(Registry::put_app(&store, &other, 0).await.unwrap(), Changed::Yes);
    assert_eq!(find(&store, &other_id).await, Some(stored(&other, 0)));
    assert_eq!(find(&store, &id).await, Some(stored(&jira, 0)));
}

async fn an_app_is_replaced_by_revision(store: impl Apps + Registry) {
    let id = sample::app_id("jira");
    assert_eq!(
        Registry::put_app(&store, &app("jira", 1), 1).await.unwrap(),
        Changed::Conflict,
        "none is there"
    );
    assert_eq!(find(&store, &id).await, None);
    Registry::put_app(&store, &app("jira", 1), 0).await.unwrap();
    assert_eq!(Registry::put_app(&store, &app("jira", 2), 0).await.unwrap(), Changed::Conflict);
    assert_eq!(Registry::put_app(&store, &app("jira", 2), 1).await.unwrap(), Changed::Yes);
    assert_eq!(Registry::put_app(&store, &app("jira", 3), 1).await.unwrap(), Changed::Conflict);
    assert_eq!(find(&store, &id).await, Some(stored(&app("jira", 2), 1)));
}

async fn an_app_is_removed_by_revision_and_may_be_removed_again(store: impl Apps + Registry) {
    let id = sample::app_id("jira");
    Registry::put_app(&store, &app("jira", 1), 0).await.unwrap();
    for stale in [0, 2] {
        assert_eq!(store.remove_app(&id, stale).await.unwrap(), Changed::Conflict);
    }
    assert!(find(&store, &id).await.is_some());
    for _ in 0..2 {
        assert_eq!(store.remove_app(&id, 1).await.unwrap(), Changed::Yes);
        assert_eq!(find(&store, &id).await, None);
    }
    assert_eq!(
        Registry::put_app(&store, &app("jira", 2), 0).await.unwrap(),
        Changed::Yes,
        "from the beginning"
    );
}

async fn of_many_registrations_of_one_app_one_is_kept<S: Apps + Registry + Clone + 'static>(store: S) {
    one_of_many(store, 0).await;
}

async fn of_many_replacements_of_one_revision_one_counts<S: Apps + Registry + Clone + 'static>(store: S) {
    Registry::put_app(&store, &app("jira", 100), 0).await.unwrap();
    one_of_many(store, 1).await;
}

async fn one_of_many<S: Apps + Registry + Clone + 'static>(store: S, expected: u64) {
    let changes = race(|n| {
        let (store, app) = (store.clone(), app("jira", n as u64));
        async move { (Registry::put_app(&store, &app, expected).await.unwrap(), app) }
    })
    .await;
    let mut kept = changes.iter().filter(|(changed, _)| *changed == Changed::Yes);
    let (_, app) = kept.next().unwrap();
    assert_eq!(kept.count(), 0);
    assert_eq!(find(&store, &sample::app_id("jira")).await, Some(stored(app, expected)));
}

async fn an_app_is_removed_or_replaced_and_never_both<S: Apps + Registry + Clone + 'static>(store: S) {
    Registry::put_app(&store, &app("jira", 1), 0).await.unwrap();
    let changes = race(|n| {
        let store = store.clone();
        async move {
            let id = sample::app_id("jira");
            let removes = n % 2 == 0;
            let changed = if removes {
                store.remove_app(&id, 1).await
            } else {
                Registry::put_app(&store, &app("jira", 2), 1).await
            };
            (removes, changed.unwrap())
        }
    })
    .await;
    let replaced = changes.iter().filter(|(removes, changed)| !removes && *changed == Changed::Yes).count();
    let removed = changes.iter().filter(|(removes, changed)| *removes && *changed == Changed::Yes).count();
    match find(&store, &sample::app_id("jira")).await {
        Some(left) => assert_eq!((left, replaced, removed), (stored(&app("jira", 2), 1), 1, 0)),
        None => assert!(replaced == 0 && removed > 0, "{changes:?}"),
    }
}

async fn an_app_that_is_too_large_is_refused_and_changes_nothing(store: impl Apps + Registry) {
    let small = app("jira", 1);
    Registry::put_app(&store, &small, 0).await.unwrap();
    let mut large = app("jira", 2);
    large.version = "x".repeat(document::MAX_DOCUMENT);
    let error = Registry::put_app(&store, &large, 1).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
    assert_eq!(find(&store, &sample::app_id("jira")).await, Some(stored(&small, 0)));
}

async fn a_manifest_comes_back_as_it_was_put_and_may_be_put_and_removed_again(store: impl Apps + Registry) {
    let jira = sample::app_id("jira");
    // As large as a manifest may be, with what JSON would escape.
    let text = r#""é\\\u0000 ""#.repeat(256 * 1024 / 12);
    let sha256 = Sha256::of(&text);
    assert_eq!(Apps::manifest(&store, &jira, &sha256).await.unwrap(), None);
    assert_eq!(store.manifests(&jira).await.unwrap(), []);
    for _ in 0..2 {
        store.put_manifest(&jira, &sha256, &text).await.unwrap();
        assert_eq!(Apps::manifest(&store, &jira, &sha256).await.unwrap().as_deref(), Some(text.as_str()));
        assert_eq!(store.manifests(&jira).await.unwrap(), std::slice::from_ref(&sha256));
    }
    for _ in 0..2 {
        store.remove_manifest(&jira, &sha256).await.unwrap();
        assert_eq!(Apps::manifest(&store, &jira, &sha256).await.unwrap(), None);
        assert_eq!(store.manifests(&jira).await.unwrap(), []);
    }
}

/// A manifest that cannot be read is listed and removed like the others: one line stops no registration and no removal of an
/// app. `spoil` makes that of a hash one that a later version wrote.
pub async fn unread_manifests(store: impl Apps + Registry, spoil: impl AsyncFn(Sha256)) {
    let app = sample::app();
    let mut hashes = ["a", "b", "c"].map(Sha256::of);
    for sha256 in &hashes {
        store.put_manifest(&app, sha256, "{}").await.unwrap();
    }
    hashes.sort();
    spoil(hashes[1].clone()).await;
    let error = Apps::manifest(&store, &app, &hashes[1]).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert_eq!(store.manifests(&app).await.unwrap(), hashes);
    store.remove_manifest(&app, &hashes[1]).await.unwrap();
    assert_eq!(store.manifests(&app).await.unwrap(), [hashes[0].clone(), hashes[2].clone()]);
}

async fn manifests_are_apart_from_apps_and_from_each_other(store: impl Apps + Registry) {
    let (jira, other) = (sample::app_id("jira"), sample::app_id("jira-2"));
    Registry::put_app(&store, &app("jira", 1), 0).await.unwrap();
    let mut hashes: Vec<Sha256> = (0..20).map(|n| Sha256::of(&n.to_string())).collect();
    for (n, sha256) in hashes.iter().enumerate() {
        store.put_manifest(&jira, sha256, &n.to_string()).await.unwrap();
    }
    store.put_manifest(&other, &hashes[0], "of the other").await.unwrap();
    let of = async |app: &AppId, n: usize| Apps::manifest(&store, app, &hashes[n]).await.unwrap();
    assert_eq!(of(&jira, 0).await.as_deref(), Some("0"));
    assert_eq!(of(&other, 0).await.as_deref(), Some("of the other"));
    assert_eq!(of(&other, 1).await, None);
    assert_eq!(store.list(&jira, 100, None).await.unwrap().items, [], "no manifest is an install");
    store.remove_app(&jira, 1).await.unwrap();
    assert_eq!(of(&jira, 19).await.as_deref(), Some("19"), "each is removed for itself");
    store.remove_manifest(&jira, &hashes[19]).await.unwrap();
    hashes.truncate(19);
    hashes.sort();
    assert_eq!(store.manifests(&jira).await.unwrap(), hashes, "in their order");
    assert_eq!(store.manifests(&other).await.unwrap().len(), 1);
}

async fn what_was_changed_in_the_table_is_not_believed<S: Apps + Registry + Clone + 'static>(store: S) {
    let manifest = |url: &str| -> Manifest {
        let upstream = serde_json::json!({"type": "http", "url": url});
        let manifest = serde_json::json!({
            "protocol": 2, "id": "jira", "version": "1.0.0", "display_name": "Jira", "upstream": upstream,
        });
        serde_json::from_value(manifest).unwrap()
    };
    let (good, evil) = (manifest("https://jira.example.com"), manifest("https://evil.example.com"));
    let (good_hash, evil_hash) = (Sha256::of_manifest(&good), Sha256::of_manifest(&evil));
    let (id, ring) = (sample::app_id("jira"), sample::ring(&sample::app_id("jira"), 1));
    let mut bound = RegisteredApp {
        version: "1.0.0".into(),
        versions: [("1.0.0".to_owned(), good_hash.clone())].into(),
        ..app("jira", 1)
    };
    bound.binding = Some(Binding::new(&ring.keys[0].id, &ring.keys[0].root, &bound));
    let others = Memory::new();
    others.put_ring(ring);
    let others = Arc::new(others);
    let stores =
        Stores { apps: Arc::new(store.clone()), keep_installs: 0, ..Stores::new(others.clone(), others) };
    let services = Services::new([], stores, Outbound::new(Policy::default()), Arc::new(SystemRandom));
    let refused = async || {
        let known = services.apps.app(&id, Freshness::Cached, 0).await;
        assert!(matches!(known, Err(ServedAppError::Unbound(_))), "{:?}", known.map(|known| known.is_some()));
    };

    store.put_manifest(&id, &good_hash, &Sha256::text(&good)).await.unwrap();
    store.put_manifest(&id, &evil_hash, &Sha256::text(&evil)).await.unwrap();
    store.put_app(&bound, 0).await.unwrap();
    let known = services.apps.app(&id, Freshness::Cached, 0).await.unwrap().unwrap();
    assert_eq!(*known.manifest(), good);

    store.put_manifest(&id, &good_hash, &Sha256::text(&evil)).await.unwrap();
    refused().await;
    store.put_manifest(&id, &good_hash, &Sha256::text(&good)).await.unwrap();
    assert!(services.apps.app(&id, Freshness::Cached, 0).await.is_ok());
    let changed = RegisteredApp { versions: [("1.0.0".to_owned(), evil_hash)].into(), ..bound.clone() };
    store.put_app(&changed, 1).await.unwrap();
    refused().await;
    store.put_app(&RegisteredApp { binding: None, ..bound.clone() }, 2).await.unwrap();
    refused().await;
    store.put_app(&bound, 3).await.unwrap();
    assert!(services.apps.app(&id, Freshness::Cached, 0).await.is_ok());
}

async fn a_manifest_that_is_too_large_is_refused(store: impl Apps + Registry) {
    let (jira, text) = (sample::app_id("jira"), "x".repeat(document::MAX_DOCUMENT + 1));
    let error = store.put_manifest(&jira, &Sha256::of(&text), &text).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
    assert_eq!(store.manifests(&jira).await.unwrap(), []);
}

fn manage_code(n: usize) -> ManageCode {
    ManageCode { sha256: sample::code_hash(n), install: sample::install_id(n), created_at: 5, exp: 1_000 }
}

async fn a_manage_code_comes_back_as_it_was_put(store: impl Registry) {
    assert_eq!(store.manage_code(&sample::code_hash(1)).await.unwrap(), None);
    for n in 1..3 {
        store.put_manage_code(&manage_code(n)).await.unwrap();
    }
    for n in 1..3 {
        assert_eq!(store.manage_code(&sample::code_hash(n)).await.unwrap(), Some(manage_code(n)));
    }
    assert_eq!(store.manage_code(&Sha256::of("another")).await.unwrap(), None);
}

async fn manage_codes_and_install_codes_are_apart(store: impl Registry) {
    store.put_manage_code(&manage_code(1)).await.unwrap();
    assert_eq!(store.code(&sample::code_hash(1)).await.unwrap(), None);
    store.put_code(&sample::code(1, 2_000)).await.unwrap();
    store.put_code(&sample::code(2, 2_000)).await.unwrap();
    assert_eq!(store.manage_code(&sample::code_hash(1)).await.unwrap(), Some(manage_code(1)));
    assert_eq!(store.manage_code(&sample::code_hash(2)).await.unwrap(), None);
}

async fn of_many_manage_codes_at_once_all_are_kept<S: Registry + Clone + 'static>(store: S) {
    race(|n| {
        let store = store.clone();
        async move { store.put_manage_code(&manage_code(n)).await.unwrap() }
    })
    .await;
    for n in 0..super::RACERS {
        assert_eq!(store.manage_code(&sample::code_hash(n)).await.unwrap(), Some(manage_code(n)));
    }
}
