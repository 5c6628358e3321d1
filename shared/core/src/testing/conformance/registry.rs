//! Cases of [`Installs`], [`Apps`] and [`Registry`].

use super::{RACERS, race, run_cases};
use crate::store::{
    document,
    model::{
        Catalogue, CatalogueEntry, Install, InstallCode, OutgoingWebhook, Sha256, State, Team, WebhookSecret,
    },
    ports::{Apps, Begun, Changed, Installs, Registry, StoreError},
    rules,
};
use crate::testing::sample;
use cloud_apps_protocol::{ChannelId, InstallId, SiteUrl};

/// A store with all three ports.
pub trait Store: Installs + Apps + Registry + Clone + 'static {}
impl<S: Installs + Apps + Registry + Clone + 'static> Store for S {}

/// Runs all cases of [`Installs`], [`Apps`] and [`Registry`]; `make` makes an empty store.
pub async fn installs_and_registry<S: Store>(make: impl AsyncFn() -> S) {
    run_cases!(
        "installs and registry",
        make,
        [
            an_install_comes_back_as_it_began,
            a_code_comes_back_as_it_was_put,
            an_install_is_found_with_its_team,
            the_same_code_again_names_the_install_that_it_began,
            a_code_that_is_not_good_is_refused_and_nothing_is_written,
            a_site_that_is_held_is_named_and_the_code_stays_unused,
            a_site_names_what_holds_it_for_each_app,
            a_pending_install_whose_code_expired_is_superseded,
            a_completing_install_is_superseded_only_when_its_lease_is_over_too,
            an_install_that_serves_is_never_superseded,
            of_many_begins_with_one_code_one_is_created_and_the_others_are_told_which,
            of_many_begins_on_one_site_one_is_created,
            of_many_that_supersede_one_is_created,
            an_id_that_is_taken_begins_nothing,
            a_change_counts_the_revision_and_a_stale_one_conflicts,
            of_many_changes_of_one_revision_one_counts,
            a_static_token_moves_with_its_install,
            a_static_token_of_another_install_is_not_taken,
            activation_spends_the_code_once,
            activation_is_refused_from_the_codes_expiry_on,
            activation_needs_the_code_that_began_the_install,
            activation_moves_the_static_token,
            of_activation_and_undo_at_once_one_counts,
            teams_are_written_and_overwritten_and_listed,
            a_team_without_anything_registered_is_not_kept,
            nothing_is_registered_for_an_install_that_is_gone,
            an_undo_leaves_nothing_and_frees_the_code,
            an_undo_may_be_repeated,
            an_undo_of_what_serves_or_was_changed_conflicts,
            an_undo_of_what_is_being_removed_removes_it,
            a_late_undo_leaves_the_next_install_alone,
            an_undo_removes_what_is_registered_meanwhile,
            of_many_undos_at_once_all_agree_and_nothing_is_left,
            installs_are_listed_in_pages_by_site,
            a_cursor_that_no_list_gave_is_refused,
            the_catalogue_is_replaced_by_revision,
            of_many_catalogues_one_is_kept,
            an_app_that_was_never_registered_is_absent,
            what_is_too_large_is_refused_and_changes_nothing,
            an_install_as_full_as_ever_changes_its_state_and_goes,
            an_install_of_many_teams_is_listed_and_goes,
        ]
    );
}

/// A pending install with its code.
async fn begun(store: &impl Store, n: usize, until: u64) -> Install {
    store.put_code(&sample::code(n, until)).await.unwrap();
    let install = sample::pending(n, until);
    assert_eq!(store.begin(&install, 0).await.unwrap(), Begun::Created);
    install
}

/// An active install.
async fn active(store: &impl Store, n: usize) -> Install {
    let pending = begun(store, n, 1_000).await;
    let active = sample::step(&pending, State::Active);
    assert_eq!(store.activate(&active, 1, &sample::code_hash(n), 0).await.unwrap(), Changed::Yes);
    active
}

async fn find(store: &impl Store, install: &InstallId) -> Option<Install> {
    Installs::find(store, install).await.unwrap()
}

async fn listed(store: &impl Store) -> Vec<InstallId> {
    let page = store.list(&sample::app(), 100, None).await.unwrap();
    page.items.into_iter().map(|entry| entry.install).collect()
}

/// Another install and code on the n-th site.
async fn rival(store: &impl Store, n: usize, site: usize, until: u64) -> Install {
    let code = InstallCode { site: sample::site(site), ..sample::code(n, until) };
    store.put_code(&code).await.unwrap();
    Install { site: sample::site(site), ..sample::pending(n, until) }
}

async fn an_install_comes_back_as_it_began(store: impl Store) {
    let code = sample::code(1, u64::from(u32::MAX) * 1_000);
    store.put_code(&code).await.unwrap();
    let mut install = sample::pending(1, code.exp);
    install.bot_token = "k1.1.c2VhbGVk".into();
    install.static_token = Some(Sha256::of("static"));
    install.previous_until = Some(1_700_000_000_000);
    install.created_at = 1_700_000_000_001;
    let settings = serde_json::json!({"text": "ä \"quoted\"\n \u{0}", "number": 0.1, "big": 9_007_199_254_740_993_u64, "list": [null, true]});
    install.settings = settings.as_object().unwrap().clone();
    assert_eq!(store.begin(&install, 0).await.unwrap(), Begun::Created);
    assert_eq!(find(&store, &install.id).await, Some(install.clone()));
    assert_eq!(store.find_static_token(&Sha256::of("static")).await.unwrap(), Some(install.id.clone()));
    assert_eq!(listed(&store).await, [install.id]);
}

async fn a_code_comes_back_as_it_was_put(store: impl Store) {
    assert_eq!(store.code(&sample::code_hash(1)).await.unwrap(), None);
    let code = InstallCode { replace: true, ..sample::code(1, 1_700_000_000_000) };
    store.put_code(&code).await.unwrap();
    assert_eq!(store.code(&code.sha256).await.unwrap(), Some(code.clone()));
    let mut bound = code;
    let install = sample::pending(1, bound.exp);
    store.begin(&install, 0).await.unwrap();
    bound.install = Some(install.id);
    assert_eq!(store.code(&bound.sha256).await.unwrap(), Some(bound));
}

async fn an_install_is_found_with_its_team(store: impl Store) {
    let install = begun(&store, 1, 1_000).await;
    let team = sample::team("hello");
    store.put_team(&install.id, &sample::team_id(1), &team).await.unwrap();
    let found = store.find_with_team(&install.id, &sample::team_id(1)).await.unwrap();
    assert_eq!(found, (Some(install.clone()), Some(team)));
    let found = store.find_with_team(&install.id, &sample::team_id(2)).await.unwrap();
    assert_eq!(found, (Some(install), None));
    let found = store.find_with_team(&sample::install_id(2), &sample::team_id(1)).await.unwrap();
    assert_eq!(found, (None, None), "a team is its install's own");
}

async fn the_same_code_again_names_the_install_that_it_began(store: impl Store) {
    let first = begun(&store, 1, 1_000).await;
    let second = Install { id: sample::install_id(2), ..first.clone() };
    for install in [&second, &first] {
        assert_eq!(store.begin(install, 999).await.unwrap(), Begun::Again(first.id.clone()));
    }
    assert_eq!(find(&store, &second.id).await, None);
    assert_eq!(find(&store, &first.id).await, Some(first));
}

async fn a_code_that_is_not_good_is_refused_and_nothing_is_written(store: impl Store) {
    let install = sample::pending(1, 1_000);
    assert_eq!(store.begin(&install, 0).await.unwrap(), Begun::CodeRefused, "unknown");
    store.put_code(&sample::code(1, 1_000)).await.unwrap();
    assert_eq!(store.begin(&install, 1_000).await.unwrap(), Begun::CodeRefused, "expired");
    let elsewhere = Install { site: sample::site(2), ..install.clone() };
    assert_eq!(store.begin(&elsewhere, 0).await.unwrap(), Begun::CodeRefused, "another site");
    let other = Install { app: sample::app_id("other"), ..install.clone() };
    assert_eq!(store.begin(&other, 0).await.unwrap(), Begun::CodeRefused, "another app");
    assert_eq!(find(&store, &install.id).await, None);
    assert!(listed(&store).await.is_empty());

    active(&store, 3).await;
    let again = Install { id: sample::install_id(4), ..sample::pending(3, 1_000) };
    assert_eq!(store.begin(&again, 0).await.unwrap(), Begun::CodeRefused, "spent");
    assert_eq!(find(&store, &again.id).await, None);
}

async fn a_site_that_is_held_is_named_and_the_code_stays_unused(store: impl Store) {
    let holder = begun(&store, 1, 1_000).await;
    let rival = rival(&store, 2, 1, 1_000).await;
    let entry = rules::site_entry(&holder);
    assert_eq!(store.begin(&rival, 999).await.unwrap(), Begun::AlreadyInstalled(entry.clone()));
    let active = sample::step(&holder, State::Active);
    store.activate(&active, 1, &sample::code_hash(1), 0).await.unwrap();
    assert_eq!(store.begin(&rival, 999).await.unwrap(), Begun::AlreadyInstalled(entry));
    assert_eq!(store.code(&sample::code_hash(2)).await.unwrap().unwrap().install, None);
    assert_eq!(find(&store, &rival.id).await, None);
}

async fn a_site_names_what_holds_it_for_each_app(store: impl Store) {
    let (app, other) = (sample::app(), sample::app_id("other"));
    let at = async |app, n| store.site(app, &sample::site(n)).await.unwrap();
    assert_eq!(at(&app, 1).await, None);
    let first = begun(&store, 1, 1_000).await;
    assert_eq!(at(&app, 1).await, Some(rules::site_entry(&first)));
    assert_eq!(at(&app, 2).await, None, "another site");
    assert_eq!(at(&other, 1).await, None, "another app");

    let code = InstallCode { app: other.clone(), site: sample::site(1), ..sample::code(2, 1_000) };
    store.put_code(&code).await.unwrap();
    let second = Install { app: other.clone(), site: sample::site(1), ..sample::pending(2, 1_000) };
    assert_eq!(store.begin(&second, 0).await.unwrap(), Begun::Created);
    assert_eq!(at(&app, 1).await, Some(rules::site_entry(&first)));
    assert_eq!(at(&other, 1).await, Some(rules::site_entry(&second)));
    store.undo(&first, first.rev).await.unwrap();
    assert_eq!(at(&app, 1).await, None);
    assert_eq!(at(&other, 1).await, Some(rules::site_entry(&second)));
}

async fn a_pending_install_whose_code_expired_is_superseded(store: impl Store) {
    store.put_code(&sample::code(1, 1_000)).await.unwrap();
    let old = Install { static_token: Some(Sha256::of("old")), ..sample::pending(1, 1_000) };
    store.begin(&old, 0).await.unwrap();
    store.put_team(&old.id, &sample::team_id(1), &sample::team("hello")).await.unwrap();
    let new = rival(&store, 2, 1, 5_000).await;
    assert_eq!(store.begin(&new, 1_000).await.unwrap(), Begun::Created);
    assert_eq!(find(&store, &old.id).await, None);
    assert!(store.teams(&old.id).await.unwrap().is_empty());
    assert_eq!(store.find_static_token(&Sha256::of("old")).await.unwrap(), None);
    assert_eq!(find(&store, &new.id).await, Some(new.clone()));
    assert_eq!(listed(&store).await, [new.id]);
}

async fn a_completing_install_is_superseded_only_when_its_lease_is_over_too(store: impl Store) {
    let old = begun(&store, 1, 1_000).await;
    let state = State::Completing { code: sample::code_hash(1), until: 1_000, lease: 1_020 };
    store.change(&sample::step(&old, state), 1).await.unwrap();
    let new = rival(&store, 2, 1, 5_000).await;
    assert_eq!(store.begin(&new, 1_019).await.unwrap(), Begun::AlreadyInstalled(rules::site_entry(&old)));
    assert_eq!(store.begin(&new, 1_020).await.unwrap(), Begun::Created);
    assert_eq!(find(&store, &old.id).await, None);
}

async fn an_install_that_serves_is_never_superseded(store: impl Store) {
    let mut install = active(&store, 1).await;
    let new = rival(&store, 2, 1, u64::MAX / 2).await;
    for state in [State::Active, State::Disabled, State::Removing] {
        let next = sample::step(&install, state);
        assert_eq!(store.change(&next, install.rev).await.unwrap(), Changed::Yes);
        install = next;
        let held = Begun::AlreadyInstalled(rules::site_entry(&install));
        assert_eq!(store.begin(&new, 1_000_000_000).await.unwrap(), held);
    }
    assert_eq!(find(&store, &install.id).await, Some(install));
}

async fn of_many_begins_with_one_code_one_is_created_and_the_others_are_told_which(store: impl Store) {
    store.put_code(&sample::code(1, 1_000)).await.unwrap();
    let outcomes =
        race(|n| {
            let (store, id) = (store.clone(), sample::install_id(100 + n));
            async move {
                (id.clone(), store.begin(&Install { id, ..sample::pending(1, 1_000) }, 0).await.unwrap())
            }
        })
        .await;
    let created: Vec<_> =
        outcomes.iter().filter(|(_, begun)| *begun == Begun::Created).map(|(id, _)| id).collect();
    assert_eq!(created.len(), 1, "{outcomes:?}");
    let told = outcomes.iter().filter(|(_, begun)| *begun == Begun::Again(created[0].clone())).count();
    assert_eq!(told, RACERS - 1, "{outcomes:?}");
    assert_eq!(listed(&store).await, [created[0].clone()]);
}

async fn of_many_begins_on_one_site_one_is_created(store: impl Store) {
    let mut rivals = Vec::new();
    for n in 0..RACERS {
        rivals.push(rival(&store, 100 + n, 1, 1_000).await);
    }
    one_is_created(&store, rivals, 0).await;
}

async fn of_many_that_supersede_one_is_created(store: impl Store) {
    let old = begun(&store, 1, 1_000).await;
    let mut rivals = Vec::new();
    for n in 0..RACERS {
        rivals.push(rival(&store, 100 + n, 1, 5_000).await);
    }
    one_is_created(&store, rivals, 1_000).await;
    assert_eq!(find(&store, &old.id).await, None);
}

async fn one_is_created(store: &impl Store, rivals: Vec<Install>, now: u64) {
    let outcomes = race(|n| {
        let (store, install) = (store.clone(), rivals[n].clone());
        async move { store.begin(&install, now).await.unwrap() }
    })
    .await;
    let created: Vec<_> = (0..RACERS).filter(|n| outcomes[*n] == Begun::Created).collect();
    assert_eq!(created.len(), 1, "{outcomes:?}");
    let winner = &rivals[created[0]];
    for (n, outcome) in outcomes.iter().enumerate().filter(|(n, _)| *n != created[0]) {
        assert_eq!(*outcome, Begun::AlreadyInstalled(rules::site_entry(winner)));
        assert_eq!(find(store, &rivals[n].id).await, None);
    }
    assert_eq!(listed(store).await, std::slice::from_ref(&winner.id));
}

async fn an_id_that_is_taken_begins_nothing(store: impl Store) {
    let first = begun(&store, 1, 1_000).await;
    store.put_code(&sample::code(2, 1_000)).await.unwrap();
    let second = Install { id: first.id.clone(), ..sample::pending(2, 1_000) };
    assert!(store.begin(&second, 0).await.is_err());
    assert_eq!(find(&store, &first.id).await, Some(first.clone()));
    assert_eq!(store.code(&sample::code_hash(2)).await.unwrap().unwrap().install, None);
    assert_eq!(listed(&store).await, [first.id]);
}

async fn a_change_counts_the_revision_and_a_stale_one_conflicts(store: impl Store) {
    let first = active(&store, 1).await;
    let second = Install { server_version: "11.7.0".into(), rev: 3, ..first.clone() };
    assert_eq!(store.change(&second, 2).await.unwrap(), Changed::Yes);
    assert_eq!(find(&store, &first.id).await, Some(second.clone()));
    for (stale, expected) in [(&second, 2), (&first, 1), (&second, 4)] {
        assert_eq!(store.change(stale, expected).await.unwrap(), Changed::Conflict);
    }
    assert_eq!(find(&store, &first.id).await, Some(second));
    assert_eq!(store.change(&sample::install(2), 1).await.unwrap(), Changed::Conflict, "it is not there");
    assert_eq!(find(&store, &sample::install_id(2)).await, None);
}

async fn of_many_changes_of_one_revision_one_counts(store: impl Store) {
    let install = active(&store, 1).await;
    let outcomes = race(|n| {
        let store = store.clone();
        let change = Install { server_version: format!("11.{n}.0"), rev: 3, ..install.clone() };
        async move { (change.server_version.clone(), store.change(&change, 2).await.unwrap()) }
    })
    .await;
    let winners: Vec<_> = outcomes.iter().filter(|(_, changed)| *changed == Changed::Yes).collect();
    assert_eq!(winners.len(), 1);
    let found = find(&store, &install.id).await.unwrap();
    assert_eq!((found.rev, &found.server_version), (3, &winners[0].0));
}

async fn a_static_token_moves_with_its_install(store: impl Store) {
    let mut install = active(&store, 1).await;
    let (a, b) = (Sha256::of("a"), Sha256::of("b"));
    let steps = [Some(&a), Some(&a), Some(&b), Some(&a), None, None, Some(&b)];
    for token in steps {
        let next = Install { static_token: token.cloned(), rev: install.rev + 1, ..install.clone() };
        assert_eq!(store.change(&next, install.rev).await.unwrap(), Changed::Yes);
        assert_eq!(store.change(&next, install.rev).await.unwrap(), Changed::Conflict);
        install = next;
        for known in [&a, &b] {
            let expected = (token == Some(known)).then(|| install.id.clone());
            assert_eq!(store.find_static_token(known).await.unwrap(), expected, "{token:?}");
        }
    }
}

async fn a_static_token_of_another_install_is_not_taken(store: impl Store) {
    let first = active(&store, 1).await;
    let first = Install { static_token: Some(Sha256::of("a")), rev: 3, ..first };
    store.change(&first, 2).await.unwrap();
    let second = active(&store, 2).await;
    let thief = Install { static_token: Some(Sha256::of("a")), rev: 3, ..second.clone() };
    assert!(store.change(&thief, 2).await.is_err());
    assert_eq!(store.find_static_token(&Sha256::of("a")).await.unwrap(), Some(first.id));
    assert_eq!(find(&store, &second.id).await, Some(second));
}

async fn activation_spends_the_code_once(store: impl Store) {
    let pending = begun(&store, 1, 1_000).await;
    let active = sample::step(&pending, State::Active);
    let outcomes = race(|_| {
        let (store, active) = (store.clone(), active.clone());
        async move { store.activate(&active, 1, &sample::code_hash(1), 0).await.unwrap() }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|changed| **changed == Changed::Yes).count(), 1);
    assert_eq!(find(&store, &active.id).await, Some(active.clone()));
    let code = store.code(&sample::code_hash(1)).await.unwrap().unwrap();
    assert!(code.spent);
    let again = sample::step(&active, State::Active);
    assert_eq!(store.activate(&again, 2, &sample::code_hash(1), 0).await.unwrap(), Changed::Conflict);
}

async fn activation_is_refused_from_the_codes_expiry_on(store: impl Store) {
    let pending = begun(&store, 1, 1_000).await;
    let active = sample::step(&pending, State::Active);
    assert_eq!(store.activate(&active, 1, &sample::code_hash(1), 1_000).await.unwrap(), Changed::Conflict);
    assert_eq!(find(&store, &pending.id).await, Some(pending));
    assert!(!store.code(&sample::code_hash(1)).await.unwrap().unwrap().spent);
    assert_eq!(store.activate(&active, 1, &sample::code_hash(1), 999).await.unwrap(), Changed::Yes);
}

async fn activation_needs_the_code_that_began_the_install(store: impl Store) {
    let pending = begun(&store, 1, 1_000).await;
    let active = sample::step(&pending, State::Active);
    assert_eq!(
        store.activate(&active, 1, &sample::code_hash(9), 0).await.unwrap(),
        Changed::Conflict,
        "unknown"
    );
    begun(&store, 2, 1_000).await;
    assert_eq!(
        store.activate(&active, 1, &sample::code_hash(2), 0).await.unwrap(),
        Changed::Conflict,
        "another's"
    );
    assert_eq!(
        store.activate(&active, 2, &sample::code_hash(1), 0).await.unwrap(),
        Changed::Conflict,
        "stale"
    );
    assert_eq!(find(&store, &pending.id).await, Some(pending));
    assert!(!store.code(&sample::code_hash(2)).await.unwrap().unwrap().spent);
}

async fn activation_moves_the_static_token(store: impl Store) {
    store.put_code(&sample::code(1, 1_000)).await.unwrap();
    let pending = Install { static_token: Some(Sha256::of("a")), ..sample::pending(1, 1_000) };
    store.begin(&pending, 0).await.unwrap();
    let active = Install { static_token: Some(Sha256::of("b")), ..sample::step(&pending, State::Active) };
    assert_eq!(store.activate(&active, 1, &sample::code_hash(1), 0).await.unwrap(), Changed::Yes);
    assert_eq!(store.find_static_token(&Sha256::of("a")).await.unwrap(), None);
    assert_eq!(store.find_static_token(&Sha256::of("b")).await.unwrap(), Some(active.id));
}

async fn of_activation_and_undo_at_once_one_counts(store: impl Store) {
    for round in 0..4 {
        let pending = begun(&store, round, 1_000).await;
        store.put_team(&pending.id, &sample::team_id(1), &sample::team("hello")).await.unwrap();
        let active = sample::step(&pending, State::Active);
        let outcomes = race(|n| {
            let (store, pending, active) = (store.clone(), pending.clone(), active.clone());
            async move {
                if n % 2 == 0 {
                    store.activate(&active, 1, &sample::code_hash(round), 0).await.unwrap()
                } else {
                    store.undo(&pending, 1).await.unwrap()
                }
            }
        })
        .await;
        let activated = (0..RACERS).any(|n| n % 2 == 0 && outcomes[n] == Changed::Yes);
        let undone = (0..RACERS).any(|n| n % 2 == 1 && outcomes[n] == Changed::Yes);
        assert!(activated != undone, "{outcomes:?}");
        assert_eq!(find(&store, &pending.id).await, activated.then_some(active));
        assert_eq!(store.teams(&pending.id).await.unwrap().len(), usize::from(activated));
        assert_eq!(listed(&store).await.contains(&pending.id), activated);
        assert_eq!(store.code(&sample::code_hash(round)).await.unwrap().unwrap().spent, activated);
    }
}

async fn teams_are_written_and_overwritten_and_listed(store: impl Store) {
    let install = active(&store, 1).await;
    let other = active(&store, 2).await;
    let mut expected: Vec<_> =
        (0..30).map(|n| (sample::team_id(n), sample::team(&format!("t{n}")))).collect();
    for (id, team) in &expected {
        store.put_team(&install.id, id, &sample::team("before")).await.unwrap();
        store.put_team(&install.id, id, team).await.unwrap();
    }
    let channel = ChannelId::new("c".repeat(26)).unwrap();
    let webhook = OutgoingWebhook { channel, token_sha256: Sha256::of("hook"), by_code: Some(7) };
    expected[0].1 = Team { webhooks: [("w".repeat(26), webhook)].into(), ..Team::default() };
    store.put_team(&install.id, &expected[0].0, &expected[0].1).await.unwrap();
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    let mut teams = store.teams(&install.id).await.unwrap();
    teams.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(teams, expected);
    assert!(store.teams(&other.id).await.unwrap().is_empty());
}

async fn a_team_without_anything_registered_is_not_kept(store: impl Store) {
    let install = begun(&store, 1, 1_000).await;
    let (first, second) = (sample::team_id(1), sample::team_id(2));
    store.put_team(&install.id, &first, &Team::default()).await.unwrap();
    assert_eq!(store.teams(&install.id).await.unwrap(), []);
    for team in [&first, &second] {
        store.put_team(&install.id, team, &sample::team("hello")).await.unwrap();
    }
    store.put_team(&install.id, &first, &Team::default()).await.unwrap();
    assert_eq!(store.teams(&install.id).await.unwrap(), [(second, sample::team("hello"))]);
    assert_eq!(store.find_with_team(&install.id, &first).await.unwrap().1, None);
}

async fn nothing_is_registered_for_an_install_that_is_gone(store: impl Store) {
    store.put_team(&sample::install_id(1), &sample::team_id(1), &sample::team("hello")).await.unwrap();
    assert!(store.teams(&sample::install_id(1)).await.unwrap().is_empty());
    let install = active(&store, 2).await;
    store.change(&sample::step(&install, State::Removing), 2).await.unwrap();
    store.put_team(&install.id, &sample::team_id(1), &sample::team("hello")).await.unwrap();
    assert!(store.teams(&install.id).await.unwrap().is_empty());
}

async fn an_undo_leaves_nothing_and_frees_the_code(store: impl Store) {
    store.put_code(&sample::code(1, 1_000)).await.unwrap();
    let install = Install { static_token: Some(Sha256::of("a")), ..sample::pending(1, 1_000) };
    store.begin(&install, 0).await.unwrap();
    for n in 0..30 {
        store.put_team(&install.id, &sample::team_id(n), &sample::team("hello")).await.unwrap();
    }
    assert_eq!(store.undo(&install, 1).await.unwrap(), Changed::Yes);
    assert_eq!(find(&store, &install.id).await, None);
    assert!(store.teams(&install.id).await.unwrap().is_empty());
    assert_eq!(store.find_static_token(&Sha256::of("a")).await.unwrap(), None);
    assert!(listed(&store).await.is_empty());
    let code = store.code(&sample::code_hash(1)).await.unwrap().unwrap();
    assert_eq!((code.install, code.spent), (None, false));
    let next = Install { id: sample::install_id(2), ..install };
    assert_eq!(store.begin(&next, 1).await.unwrap(), Begun::Created);
}

async fn an_undo_may_be_repeated(store: impl Store) {
    let install = begun(&store, 1, 1_000).await;
    for _ in 0..3 {
        assert_eq!(store.undo(&install, 1).await.unwrap(), Changed::Yes);
    }
    let next = Install { id: sample::install_id(2), ..install.clone() };
    store.begin(&next, 0).await.unwrap();
    assert_eq!(store.undo(&install, 1).await.unwrap(), Changed::Yes);
    assert_eq!(find(&store, &next.id).await, Some(next.clone()));
    assert_eq!(listed(&store).await, [next.id]);
}

async fn an_undo_of_what_serves_or_was_changed_conflicts(store: impl Store) {
    let serving = active(&store, 1).await;
    for expected in [1, 2, 3] {
        assert_eq!(store.undo(&serving, expected).await.unwrap(), Changed::Conflict);
    }
    assert_eq!(find(&store, &serving.id).await, Some(serving));
    let pending = begun(&store, 2, 1_000).await;
    let state = State::Completing { code: sample::code_hash(2), until: 1_000, lease: 50 };
    let completing = sample::step(&pending, state);
    store.change(&completing, 1).await.unwrap();
    assert_eq!(store.undo(&pending, 1).await.unwrap(), Changed::Conflict);
    assert_eq!(find(&store, &pending.id).await, Some(completing.clone()));
    assert_eq!(store.undo(&completing, 2).await.unwrap(), Changed::Yes);
}

async fn an_undo_of_what_is_being_removed_removes_it(store: impl Store) {
    let serving = active(&store, 1).await;
    let removing = sample::step(&serving, State::Removing);
    store.change(&removing, 2).await.unwrap();
    store.undo(&removing, 3).await.unwrap();
    assert_eq!(find(&store, &removing.id).await, None);
    assert!(listed(&store).await.is_empty());
    assert!(store.code(&sample::code_hash(1)).await.unwrap().unwrap().spent, "its code stays spent");
}

async fn a_late_undo_leaves_the_next_install_alone(store: impl Store) {
    let old = begun(&store, 1, 1_000).await;
    let new = rival(&store, 2, 1, 5_000).await;
    store.begin(&new, 1_000).await.unwrap();
    assert_eq!(store.undo(&old, 1).await.unwrap(), Changed::Yes);
    assert_eq!(find(&store, &new.id).await, Some(new.clone()));
    assert_eq!(listed(&store).await, [new.id]);
}

async fn an_undo_removes_what_is_registered_meanwhile(store: impl Store) {
    for round in 0..4 {
        let install = begun(&store, round, 1_000).await;
        race(|n| {
            let (store, install) = (store.clone(), install.clone());
            async move {
                if n == 0 {
                    assert_eq!(store.undo(&install, 1).await.unwrap(), Changed::Yes);
                } else {
                    store.put_team(&install.id, &sample::team_id(n), &sample::team("hello")).await.unwrap();
                }
            }
        })
        .await;
        assert!(store.teams(&install.id).await.unwrap().is_empty());
    }
}

async fn of_many_undos_at_once_all_agree_and_nothing_is_left(store: impl Store) {
    let install = begun(&store, 1, 1_000).await;
    store.put_team(&install.id, &sample::team_id(1), &sample::team("hello")).await.unwrap();
    let outcomes = race(|_| {
        let (store, install) = (store.clone(), install.clone());
        async move { store.undo(&install, 1).await.unwrap() }
    })
    .await;
    assert!(outcomes.iter().all(|changed| *changed == Changed::Yes), "{outcomes:?}");
    assert_eq!(find(&store, &install.id).await, None);
    assert!(listed(&store).await.is_empty() && store.teams(&install.id).await.unwrap().is_empty());
    assert_eq!(store.code(&sample::code_hash(1)).await.unwrap().unwrap().install, None);
}

async fn installs_are_listed_in_pages_by_site(store: impl Store) {
    let page = store.list(&sample::app(), 3, None).await.unwrap();
    assert!(page.items.is_empty() && page.cursor.is_none());
    for n in [5, 3, 1, 7, 2, 6, 4] {
        begun(&store, n, 1_000).await;
    }
    let other = Install { app: sample::app_id("other"), ..sample::pending(8, 1_000) };
    store.put_code(&InstallCode { app: other.app.clone(), ..sample::code(8, 1_000) }).await.unwrap();
    store.begin(&other, 0).await.unwrap();
    let (mut seen, mut cursor, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = store.list(&sample::app(), 3, cursor.as_deref()).await.unwrap();
        assert!(page.items.len() <= 3);
        seen.extend(page.items);
        pages += 1;
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(pages, 3);
    let expected: Vec<_> = (1..=7).map(|n| rules::site_entry(&sample::pending(n, 1_000))).collect();
    assert_eq!(seen, expected);
    assert_eq!(
        store.list(&sample::app(), 7, None).await.unwrap().cursor,
        None,
        "a full page that is the last"
    );
    assert_eq!(store.list(&sample::app(), 0, None).await.unwrap().items.len(), 1, "at least one");
}

/// A line of the list of installs that cannot be read hides no other, wherever on a page it stands. `spoil` makes that of a
/// site one that a later version wrote.
pub async fn unread_sites(store: impl Store, spoil: impl AsyncFn(SiteUrl)) {
    const SPOILT: [usize; 4] = [1, 3, 4, 7];
    for n in 1..=7 {
        begun(&store, n, 1_000).await;
    }
    for n in SPOILT {
        spoil(sample::site(n)).await;
    }
    let (mut items, mut unread, mut cursor, mut pages) = (Vec::new(), Vec::new(), None, 0);
    loop {
        let page = store.list(&sample::app(), 2, cursor.as_deref()).await.unwrap();
        assert!(page.items.len() + page.unread.len() <= 2, "{page:?}");
        items.extend(page.items);
        unread.extend(page.unread);
        pages += 1;
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(pages, 4);
    let readable: Vec<_> = [2, 5, 6].map(|n| rules::site_entry(&sample::pending(n, 1_000))).into();
    assert_eq!(items, readable);
    let named: Vec<&str> = unread.iter().map(|line| line.site.as_str()).collect();
    assert_eq!(named, SPOILT.map(|n| sample::site(n).to_string()));
    assert!(unread.iter().all(|line| line.why.contains("version 2")), "{unread:?}");
    let error = store.site(&sample::app(), &sample::site(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(store.site(&sample::app(), &sample::site(2)).await.unwrap().is_some());
}

async fn a_cursor_that_no_list_gave_is_refused(store: impl Store) {
    begun(&store, 1, 1_000).await;
    let text = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let garbage = [
        String::new(),
        "%".into(),
        "AAAA".into(),
        text("1 not a site"),
        text("2 https://a.example"),
        "\u{1F511}".into(),
    ];
    for cursor in garbage {
        let error = store.list(&sample::app(), 3, Some(&cursor)).await.unwrap_err();
        assert!(matches!(error, StoreError::BadCursor { .. }), "{cursor:?}: {error}");
    }
}

fn catalogue(names: &[&str], rev: u64) -> Catalogue {
    let entry = |name: &&str| CatalogueEntry {
        id: sample::app_id(name),
        version: "1.0.0".into(),
        display_name: format!("The app {name}"),
        icon: None,
        linked: true,
    };
    Catalogue { rev, apps: names.iter().map(entry).map(|entry| (entry.id.clone(), entry)).collect() }
}

async fn the_catalogue_is_replaced_by_revision(store: impl Store) {
    assert_eq!(store.all().await.unwrap(), Catalogue::default());
    let first = catalogue(&["hello"], 1);
    assert_eq!(store.put_catalogue(&first, 1).await.unwrap(), Changed::Conflict, "there is none yet");
    assert_eq!(store.put_catalogue(&first, 0).await.unwrap(), Changed::Yes);
    assert_eq!(store.all().await.unwrap(), first);
    let second = catalogue(&["hello", "jira"], 2);
    assert_eq!(store.put_catalogue(&second, 0).await.unwrap(), Changed::Conflict);
    assert_eq!(store.put_catalogue(&second, 1).await.unwrap(), Changed::Yes);
    assert_eq!(store.put_catalogue(&first, 1).await.unwrap(), Changed::Conflict);
    assert_eq!(store.all().await.unwrap(), second);
}

async fn of_many_catalogues_one_is_kept(store: impl Store) {
    for expected in [0, 1] {
        let outcomes = race(|n| {
            let store = store.clone();
            async move {
                let name = format!("app-{n}");
                store.put_catalogue(&catalogue(&[&name], expected + 1), expected).await.unwrap()
            }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|changed| **changed == Changed::Yes).count(), 1);
        assert_eq!(store.all().await.unwrap().rev, expected + 1);
    }
}

async fn an_app_that_was_never_registered_is_absent(store: impl Store) {
    assert_eq!(Apps::find(&store, &sample::app()).await.unwrap(), None);
}

async fn what_is_too_large_is_refused_and_changes_nothing(store: impl Store) {
    let install = active(&store, 1).await;
    let large = "x".repeat(document::MAX_DOCUMENT);
    let too_large = |error: StoreError| assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
    let change = Install { server_version: large.clone(), rev: 3, ..install.clone() };
    too_large(store.change(&change, 2).await.unwrap_err());
    let mut team = sample::team("hello");
    team.commands.insert(large, team.commands["hello"].clone());
    too_large(store.put_team(&install.id, &sample::team_id(1), &team).await.unwrap_err());
    assert_eq!(find(&store, &install.id).await, Some(install.clone()));
    assert!(store.teams(&install.id).await.unwrap().is_empty());
    // The largest that is kept fits a table's item with all its other attributes.
    let room = document::MAX_DOCUMENT - serde_json::to_string(&install).unwrap().len();
    let version = format!("{}{}", install.server_version, "x".repeat(room));
    let full = Install { server_version: version, rev: 3, ..install };
    assert_eq!(store.change(&full, 2).await.unwrap(), Changed::Yes);
}

/// Early versions of the bundle allowed 350 KiB, because they reserved no room for changes of an install's state.
async fn an_install_as_full_as_ever_changes_its_state_and_goes(store: impl Store) {
    let code = sample::code_hash(1);
    let cleanup = crate::store::model::Cleanup {
        tries: u32::MAX,
        until: u64::MAX,
        done: true,
        // The longest that is kept of what an app says.
        warning: Some("\u{1F511}".repeat(1_000)),
    };
    let mut install = active(&store, 1).await;
    install.webhooks = (0..100)
        .map(|n| {
            let secret = WebhookSecret { key: install.key.clone(), generation: 1, previous_until: 1_000 };
            (format!("webhook-{n}"), secret)
        })
        .collect();
    let room = 350 * 1024 - serde_json::to_string(&install).unwrap().len();
    install.settings.insert("x".to_owned(), "x".repeat(room - 20).into());
    for (rev, state, cleanup) in [
        (3, State::Active, crate::store::model::Cleanup::default()),
        (4, State::Disabled, crate::store::model::Cleanup::default()),
        (
            5,
            State::Completing { code, until: u64::MAX, lease: u64::MAX },
            crate::store::model::Cleanup::default(),
        ),
        (6, State::Removing, crate::store::model::Cleanup::default()),
        (7, State::Removing, cleanup),
    ] {
        install.codes_void_until = Some(u64::MAX);
        install.previous_until = Some(u64::MAX);
        install = Install { state, rev, cleanup, ..install };
        assert_eq!(store.change(&install, rev - 1).await.unwrap(), Changed::Yes, "{:?}", install.state);
        assert_eq!(find(&store, &install.id).await.as_ref(), Some(&install));
    }
    assert_eq!(store.undo(&install, install.rev).await.unwrap(), Changed::Yes);
    assert_eq!(find(&store, &install.id).await, None);
    assert!(listed(&store).await.is_empty());
}

async fn an_install_of_many_teams_is_listed_and_goes(store: impl Store) {
    const TEAMS: usize = 700;
    let install = active(&store, 1).await;
    let teams: Vec<_> = (0..TEAMS).map(|n| (sample::team_id(n), sample::team("hello"))).collect();
    for some in teams.chunks(50) {
        let puts = some.iter().map(|(id, team)| store.put_team(&install.id, id, team));
        futures_util::future::try_join_all(puts).await.unwrap();
    }
    let mut expected = teams;
    expected.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert_eq!(store.teams(&install.id).await.unwrap(), expected);
    let disabled = sample::step(&install, State::Disabled);
    assert_eq!(store.change(&disabled, 2).await.unwrap(), Changed::Yes);
    assert_eq!(store.undo(&disabled, 3).await.unwrap(), Changed::Yes);
    assert!(store.teams(&install.id).await.unwrap().is_empty());
    assert_eq!(find(&store, &install.id).await, None);
}
