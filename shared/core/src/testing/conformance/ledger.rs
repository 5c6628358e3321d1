//! Cases of [`Ledger`].

use super::{RACERS, race, run_cases};
use crate::store::{
    document,
    ports::{ClaimAnswer, Ledger, StoreError},
};

/// Runs all cases of [`Ledger`]; `make` makes an empty one.
pub async fn ledger<S: Ledger + Clone + 'static>(make: impl AsyncFn() -> S) {
    run_cases!(
        "ledger",
        make,
        [
            a_key_is_free_once_until_it_expires,
            of_many_replays_one_gets_through,
            of_many_replays_of_an_expired_key_one_gets_through,
            a_first_claim_is_mine_and_a_second_is_told_who_runs,
            a_claim_whose_lease_is_over_is_taken_over_by_the_same_and_later_attempts_only,
            a_job_that_is_done_stays_done_until_it_is_forgotten,
            a_failed_attempt_gives_way_to_the_next_one,
            copies_of_an_attempt_start_no_second_chain,
            only_the_attempt_that_runs_may_end_it,
            the_end_of_a_job_may_be_told_twice,
            of_many_claims_one_is_mine,
            of_many_claims_after_a_crash_one_is_mine,
            of_done_and_again_at_once_one_counts,
            a_job_that_is_done_can_be_forgotten_and_done_once_more,
            what_is_not_done_is_not_forgotten,
            a_value_is_taken_once,
            a_value_that_is_looked_at_stays_until_it_expires,
            an_expired_value_is_gone,
            a_key_holds_one_value_until_it_expires,
            of_many_puts_one_is_kept_and_of_many_takes_one_gets_it,
            a_value_of_64_kib_is_kept_and_a_larger_one_is_refused,
            the_verbs_do_not_mix,
        ]
    );
}

async fn a_key_is_free_once_until_it_expires(store: impl Ledger) {
    assert!(store.once("JTI#a", 100, 0).await.unwrap());
    for now in [0, 99] {
        assert!(!store.once("JTI#a", 500, now).await.unwrap());
    }
    assert!(store.once("JTI#b", 100, 0).await.unwrap(), "another key is free");
    assert!(store.once("JTI#a", 200, 100).await.unwrap(), "at the very millisecond it is over");
    assert!(!store.once("JTI#a", 300, 199).await.unwrap());
}

async fn of_many_replays_one_gets_through<S: Ledger + Clone + 'static>(store: S) {
    let through = race(|_| {
        let store = store.clone();
        async move { store.once("JTI#a", 100, 0).await.unwrap() }
    });
    assert_eq!(through.await.into_iter().filter(|through| *through).count(), 1);
}

async fn of_many_replays_of_an_expired_key_one_gets_through<S: Ledger + Clone + 'static>(store: S) {
    store.once("JTI#a", 100, 0).await.unwrap();
    let through = race(|_| {
        let store = store.clone();
        async move { store.once("JTI#a", 300, 200).await.unwrap() }
    });
    assert_eq!(through.await.into_iter().filter(|through| *through).count(), 1);
}

async fn a_first_claim_is_mine_and_a_second_is_told_who_runs(store: impl Ledger) {
    assert_eq!(store.claim("DO#a", 1, 50, 1_000, 100).await.unwrap(), ClaimAnswer::Mine);
    assert_eq!(store.claim("DO#a", 1, 50, 1_000, 149).await.unwrap(), ClaimAnswer::Running(150));
    assert_eq!(store.claim("DO#a", 2, 50, 1_000, 149).await.unwrap(), ClaimAnswer::Running(150));
    assert_eq!(store.claim("DO#b", 1, 50, 1_000, 100).await.unwrap(), ClaimAnswer::Mine);
}

async fn a_claim_whose_lease_is_over_is_taken_over_by_the_same_and_later_attempts_only(store: impl Ledger) {
    store.claim("DO#a", 2, 50, 1_000, 100).await.unwrap();
    assert_eq!(store.claim("DO#a", 1, 50, 1_000, 150).await.unwrap(), ClaimAnswer::Superseded);
    assert_eq!(store.claim("DO#a", 2, 50, 1_000, 150).await.unwrap(), ClaimAnswer::Mine);
    assert_eq!(
        store.claim("DO#a", 2, 50, 1_000, 199).await.unwrap(),
        ClaimAnswer::Running(200),
        "with a lease of its own"
    );
    assert_eq!(store.claim("DO#a", 3, 50, 1_000, 200).await.unwrap(), ClaimAnswer::Mine);
    assert_eq!(store.claim("DO#a", 2, 50, 1_000, 900).await.unwrap(), ClaimAnswer::Superseded);
}

async fn a_job_that_is_done_stays_done_until_it_is_forgotten(store: impl Ledger) {
    store.claim("DO#a", 1, 50, 1_000, 0).await.unwrap();
    assert!(store.done("DO#a", 1, 2_000, 10).await.unwrap());
    for (attempt, now) in [(1, 20), (2, 60), (1, 1_500), (3, 1_999)] {
        assert_eq!(store.claim("DO#a", attempt, 50, 9_000, now).await.unwrap(), ClaimAnswer::Done);
    }
    assert_eq!(store.claim("DO#a", 1, 50, 9_000, 2_000).await.unwrap(), ClaimAnswer::Mine);
}

async fn a_failed_attempt_gives_way_to_the_next_one(store: impl Ledger) {
    store.claim("DO#a", 1, 50, 1_000, 0).await.unwrap();
    assert!(store.again("DO#a", 1, 1_000, 10).await.unwrap());
    assert_eq!(store.claim("DO#a", 1, 50, 1_000, 11).await.unwrap(), ClaimAnswer::Superseded);
    assert_eq!(
        store.claim("DO#a", 2, 50, 1_000, 11).await.unwrap(),
        ClaimAnswer::Mine,
        "with no wait for the lease"
    );
    assert_eq!(store.claim("DO#a", 1, 50, 1_000, 12).await.unwrap(), ClaimAnswer::Superseded);
}

async fn copies_of_an_attempt_start_no_second_chain(store: impl Ledger) {
    // Attempt 1 sent attempt 2 and died before it could say so. Its own message comes back as a copy.
    store.claim("DO#a", 1, 50, 9_000, 0).await.unwrap();
    assert_eq!(store.claim("DO#a", 2, 50, 9_000, 60).await.unwrap(), ClaimAnswer::Mine);
    assert_eq!(store.claim("DO#a", 1, 50, 9_000, 61).await.unwrap(), ClaimAnswer::Superseded);
    assert!(store.again("DO#a", 2, 9_000, 70).await.unwrap());
    for copy in [1, 2] {
        assert_eq!(store.claim("DO#a", copy, 50, 9_000, 200).await.unwrap(), ClaimAnswer::Superseded);
    }
    // Attempt 3 was sent twice, for instance by two copies of attempt 2: one of them runs.
    assert_eq!(store.claim("DO#a", 3, 50, 9_000, 200).await.unwrap(), ClaimAnswer::Mine);
    assert_eq!(store.claim("DO#a", 3, 50, 9_000, 201).await.unwrap(), ClaimAnswer::Running(250));
    assert!(store.done("DO#a", 3, 9_000, 210).await.unwrap());
    assert_eq!(store.claim("DO#a", 3, 50, 9_000, 300).await.unwrap(), ClaimAnswer::Done);
}

async fn only_the_attempt_that_runs_may_end_it(store: impl Ledger) {
    assert!(!store.done("DO#a", 1, 1_000, 0).await.unwrap(), "nothing was claimed");
    assert!(!store.again("DO#a", 1, 1_000, 0).await.unwrap());
    store.claim("DO#a", 1, 50, 1_000, 0).await.unwrap();
    store.claim("DO#a", 2, 50, 1_000, 50).await.unwrap();
    assert!(!store.done("DO#a", 1, 1_000, 60).await.unwrap(), "a later attempt took over");
    assert!(!store.again("DO#a", 1, 1_000, 60).await.unwrap());
    assert!(!store.done("DO#a", 3, 1_000, 60).await.unwrap(), "that attempt never began");
    assert_eq!(
        store.claim("DO#a", 2, 50, 1_000, 60).await.unwrap(),
        ClaimAnswer::Running(100),
        "and nothing changed"
    );
    assert!(!store.done("DO#a", 2, 2_000, 1_000).await.unwrap(), "the claim is forgotten");
}

async fn the_end_of_a_job_may_be_told_twice(store: impl Ledger) {
    store.claim("DO#a", 1, 50, 1_000, 0).await.unwrap();
    assert!(store.again("DO#a", 1, 1_000, 1).await.unwrap());
    assert!(store.again("DO#a", 1, 1_000, 2).await.unwrap());
    assert!(!store.done("DO#a", 1, 1_000, 3).await.unwrap(), "but not both ways");
    store.claim("DO#a", 2, 50, 1_000, 4).await.unwrap();
    assert!(store.done("DO#a", 2, 1_000, 5).await.unwrap());
    assert!(store.done("DO#a", 2, 1_000, 6).await.unwrap());
    assert!(!store.again("DO#a", 2, 1_000, 7).await.unwrap());
}

async fn of_many_claims_one_is_mine<S: Ledger + Clone + 'static>(store: S) {
    let claims = race(|_| {
        let store = store.clone();
        async move { store.claim("DO#a", 1, 50, 1_000, 0).await.unwrap() }
    })
    .await;
    assert_eq!(claims.iter().filter(|claim| **claim == ClaimAnswer::Mine).count(), 1);
    assert_eq!(claims.iter().filter(|claim| **claim == ClaimAnswer::Running(50)).count(), RACERS - 1);
}

async fn of_many_claims_after_a_crash_one_is_mine<S: Ledger + Clone + 'static>(store: S) {
    store.claim("DO#a", 1, 50, 1_000, 0).await.unwrap();
    let claims = race(|_| {
        let store = store.clone();
        async move { store.claim("DO#a", 1, 50, 1_000, 60).await.unwrap() }
    })
    .await;
    assert_eq!(claims.iter().filter(|claim| **claim == ClaimAnswer::Mine).count(), 1);
    assert_eq!(claims.iter().filter(|claim| **claim == ClaimAnswer::Running(110)).count(), RACERS - 1);
}

async fn of_done_and_again_at_once_one_counts<S: Ledger + Clone + 'static>(store: S) {
    store.claim("DO#a", 1, 50, 1_000, 0).await.unwrap();
    let ends = race(|n| {
        let store = store.clone();
        async move {
            if n % 2 == 0 {
                ("done", store.done("DO#a", 1, 1_000, 10).await.unwrap())
            } else {
                ("again", store.again("DO#a", 1, 1_000, 10).await.unwrap())
            }
        }
    })
    .await;
    let counted: std::collections::BTreeSet<_> =
        ends.iter().filter(|(_, counts)| *counts).map(|(end, _)| end).collect();
    assert_eq!(counted.len(), 1, "{ends:?}");
}

async fn a_job_that_is_done_can_be_forgotten_and_done_once_more(store: impl Ledger) {
    store.claim("DO#a", 3, 50, 1_000, 0).await.unwrap();
    assert!(store.done("DO#a", 3, 1_000, 10).await.unwrap());
    assert!(store.forget("DO#a", 20).await.unwrap());
    assert!(!store.forget("DO#a", 20).await.unwrap());
    assert_eq!(
        store.claim("DO#a", 1, 50, 1_000, 20).await.unwrap(),
        ClaimAnswer::Mine,
        "from its first attempt"
    );
}

async fn what_is_not_done_is_not_forgotten(store: impl Ledger) {
    assert!(!store.forget("DO#a", 0).await.unwrap());
    store.claim("DO#a", 1, 50, 1_000, 0).await.unwrap();
    for now in [10, 60] {
        assert!(!store.forget("DO#a", now).await.unwrap(), "a process works on it, or died");
    }
    store.again("DO#a", 1, 1_000, 70).await.unwrap();
    assert!(!store.forget("DO#a", 80).await.unwrap(), "the next attempt is under way");
    store.once("JTI#a", 1_000, 0).await.unwrap();
    store.put("TALK#a", "value", 1_000, 0).await.unwrap();
    for other in ["JTI#a", "TALK#a"] {
        assert!(!store.forget(other, 80).await.unwrap(), "no job is kept there");
    }
    assert_eq!(store.take("TALK#a", 80).await.unwrap().as_deref(), Some("value"));
}

async fn a_value_that_is_looked_at_stays_until_it_expires(store: impl Ledger) {
    assert_eq!(store.look("GONE#a", 0).await.unwrap(), None);
    assert!(store.put("GONE#a", "value", 100, 0).await.unwrap());
    for now in [1, 99] {
        assert_eq!(store.look("GONE#a", now).await.unwrap().as_deref(), Some("value"));
    }
    assert_eq!(store.look("GONE#a", 100).await.unwrap(), None, "at the very millisecond it is over");
    store.once("JTI#a", 100, 0).await.unwrap();
    assert_eq!(store.look("JTI#a", 1).await.unwrap(), None, "what is spent holds no value");
}

async fn a_value_is_taken_once(store: impl Ledger) {
    for value in ["", "{\"url\":\"https://chat.example.com/hooks/…\"}"] {
        assert!(store.put("TALK#a", value, 100, 0).await.unwrap());
        assert_eq!(store.take("TALK#a", 50).await.unwrap().as_deref(), Some(value));
        assert_eq!(store.take("TALK#a", 50).await.unwrap(), None);
    }
    assert_eq!(store.take("TALK#never", 50).await.unwrap(), None);
}

async fn an_expired_value_is_gone(store: impl Ledger) {
    store.put("TALK#a", "value", 100, 0).await.unwrap();
    assert_eq!(store.take("TALK#a", 100).await.unwrap(), None);
}

async fn a_key_holds_one_value_until_it_expires(store: impl Ledger) {
    assert!(store.put("TALK#a", "first", 100, 0).await.unwrap());
    assert!(!store.put("TALK#a", "second", 300, 99).await.unwrap());
    assert!(store.put("TALK#a", "third", 300, 100).await.unwrap());
    assert_eq!(store.take("TALK#a", 100).await.unwrap().as_deref(), Some("third"));
}

async fn of_many_puts_one_is_kept_and_of_many_takes_one_gets_it<S: Ledger + Clone + 'static>(store: S) {
    let kept = race(|n| {
        let store = store.clone();
        async move { store.put("TALK#a", &n.to_string(), 100, 0).await.unwrap().then(|| n.to_string()) }
    });
    let kept: Vec<_> = kept.await.into_iter().flatten().collect();
    let taken = race(|_| {
        let store = store.clone();
        async move { store.take("TALK#a", 0).await.unwrap() }
    });
    let taken: Vec<_> = taken.await.into_iter().flatten().collect();
    assert_eq!((kept.len(), &kept), (1, &taken));
}

async fn a_value_of_64_kib_is_kept_and_a_larger_one_is_refused(store: impl Ledger) {
    let value = "ä".repeat(document::MAX_VALUE / 2);
    assert!(store.put("TALK#a", &value, 100, 0).await.unwrap());
    assert!(store.take("TALK#a", 0).await.unwrap() == Some(value.clone()));
    let error = store.put("TALK#a", &(value + "x"), 100, 0).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { limit: document::MAX_VALUE, .. }), "{error}");
    assert_eq!(store.take("TALK#a", 0).await.unwrap(), None);
}

async fn the_verbs_do_not_mix(store: impl Ledger) {
    store.once("a", 100, 0).await.unwrap();
    assert_eq!(store.take("a", 0).await.unwrap(), None);
    assert!(!store.put("a", "value", 100, 0).await.unwrap());
    assert!(!store.done("a", 1, 100, 0).await.unwrap());
    assert!(matches!(store.claim("a", 1, 50, 100, 0).await.unwrap_err(), StoreError::Corrupt { .. }));
    assert!(!store.once("a", 100, 50).await.unwrap(), "and it stays taken");
}
