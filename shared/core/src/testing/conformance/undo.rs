//! An undo that is interrupted, for stores that need several requests for an undo.

use crate::store::{
    model::State,
    ports::{Begun, Changed, Installs, Registry},
};
use crate::testing::sample;

/// Undoes an install on a store whose n-th request fails, for every n. Checks that what comes next finishes it: the same undo
/// again, or another install with the same code or on the same site.
///
/// `breaking(store, n)` is a view of `store` whose n-th request fails, with or without its effect, and so does every later one.
/// The second value that it returns says afterwards whether a request failed.
pub async fn interrupted_undo<S, B, T>(make: impl AsyncFn() -> S, breaking: impl Fn(&S, usize) -> (B, T))
where
    S: Installs + Registry,
    B: Registry,
    T: Fn() -> bool,
{
    let mut points = 0;
    loop {
        points += 1;
        let mut struck = false;
        for way in [Next::Undo, Next::Code, Next::Site] {
            let store = make().await;
            let install = begun(&store).await;
            let (broken, came_to_it) = breaking(&store, points);
            let outcome = broken.undo(&install, install.rev).await;
            struck |= came_to_it();
            assert!(
                outcome.is_err() || outcome.as_ref().unwrap() == &Changed::Yes,
                "point {points}: {outcome:?}"
            );
            recover(&store, way, points).await;
        }
        if !struck {
            assert!(points > 1, "no request was ever made to fail");
            return;
        }
    }
}

/// What comes next: the same undo, or an install with the same code, or on the same site.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Next {
    Undo,
    Code,
    Site,
}

async fn begun(store: &impl Registry) -> crate::store::model::Install {
    store.put_code(&sample::code(1, 1_000)).await.unwrap();
    let mut install = sample::pending(1, 1_000);
    install.static_token = Some(crate::store::model::Sha256::of("static 1"));
    assert_eq!(store.begin(&install, 0).await.unwrap(), Begun::Created);
    for team in 0..3 {
        store.put_team(&install.id, &sample::team_id(team), &sample::team("hello")).await.unwrap();
    }
    let completing = State::Completing { code: sample::code_hash(1), until: 1_000, lease: 10 };
    let completing = sample::step(&install, completing);
    assert_eq!(store.change(&completing, 1).await.unwrap(), Changed::Yes);
    completing
}

async fn recover<S: Installs + Registry>(store: &S, way: Next, point: usize) {
    let old = sample::step(&sample::pending(1, 1_000), sample::pending(1, 1_000).state);
    let mut expected = Vec::new();
    match way {
        Next::Undo => {
            // Two of those that come next, and one that comes late.
            for _ in 0..2 {
                assert_eq!(store.undo(&old, old.rev).await.unwrap(), Changed::Yes, "point {point}");
            }
        }
        Next::Code => {
            // Before the undo's first effect, the code still names the install.
            let again =
                crate::store::model::Install { id: sample::install_id(2), ..sample::pending(1, 1_000) };
            match store.begin(&again, 0).await.unwrap() {
                Begun::Created => {}
                Begun::Again(id) => {
                    assert_eq!(id, old.id, "point {point}");
                    assert_eq!(store.undo(&old, old.rev).await.unwrap(), Changed::Yes, "point {point}");
                    assert_eq!(store.begin(&again, 0).await.unwrap(), Begun::Created, "point {point}");
                }
                other => panic!("point {point}: {other:?}"),
            }
            expected.push(again.id);
        }
        Next::Site => {
            // After everything expired, another code is used on the same site.
            let mut code = sample::code(2, 9_000);
            code.site = sample::site(1);
            store.put_code(&code).await.unwrap();
            let other = crate::store::model::Install { site: sample::site(1), ..sample::pending(2, 9_000) };
            assert_eq!(store.begin(&other, 1_000).await.unwrap(), Begun::Created, "point {point}");
            assert_eq!(store.undo(&old, old.rev).await.unwrap(), Changed::Yes, "a late undo harms nobody");
            expected.push(other.id);
        }
    }
    assert_eq!(Installs::find(store, &old.id).await.unwrap(), None, "point {point}, {way:?}");
    assert!(store.teams(&old.id).await.unwrap().is_empty(), "point {point}, {way:?}");
    let token = crate::store::model::Sha256::of("static 1");
    assert_eq!(store.find_static_token(&token).await.unwrap(), None, "point {point}, {way:?}");
    let listed = store.list(&sample::app(), 10, None).await.unwrap().items;
    assert_eq!(
        listed.into_iter().map(|entry| entry.install).collect::<Vec<_>>(),
        expected,
        "point {point}, {way:?}"
    );
    let code = store.code(&sample::code_hash(1)).await.unwrap().unwrap();
    let bound = if way == Next::Code { expected.first() } else { None };
    assert_eq!((code.spent, code.install.as_ref()), (false, bound), "point {point}, {way:?}");
}
