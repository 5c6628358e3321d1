//! The database under the conformance suite, and what only it has: files, versions, later programs.

use super::{OpenError, Sqlite};
use async_trait::async_trait;
use cloud_apps_core::store::ports::{Apps, Changed, Installs, Registry, StoreError};
use cloud_apps_core::testing::{
    conformance,
    faults::{Fault, Faults, Faulty},
    sample,
};
use rusqlite::Transaction;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A new database per call, in one folder.
struct Folder(tempfile::TempDir, AtomicUsize);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap(), AtomicUsize::new(0))
    }
    fn next(&self) -> Sqlite {
        let n = self.1.fetch_add(1, Ordering::SeqCst);
        Sqlite::open(&self.0.path().join(format!("{n}.db"))).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_keeps_installs_and_the_registry() {
    let folder = Folder::new();
    conformance::installs_and_registry(async || folder.next()).await;
}

#[tokio::test]
async fn sqlite_lists_the_installs_beside_a_line_that_cannot_be_read() {
    let store = Folder::new().next();
    conformance::unread_sites(store.clone(), async |site| {
        let later = move |tx: &Transaction<'_>| {
            Ok(tx.execute("UPDATE sites SET v = 2 WHERE site = ?1", [site.as_str()])?)
        };
        assert_eq!(store.run("a test", later).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn sqlite_lists_and_removes_a_manifest_that_cannot_be_read() {
    let store = Folder::new().next();
    conformance::unread_manifests(store.clone(), async |sha256| {
        let later = move |tx: &Transaction<'_>| {
            Ok(tx.execute("UPDATE manifests SET v = 2 WHERE sha256 = ?1", [sha256.as_str()])?)
        };
        assert_eq!(store.run("a test", later).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_line_of_the_list_that_has_another_shape_is_named_and_hides_no_other() {
    let store = Folder::new().next();
    for n in 1..=2 {
        store.put_code(&sample::code(n, 1_000)).await.unwrap();
        store.begin(&sample::pending(n, 1_000), 0).await.unwrap();
    }
    let spoil = |tx: &Transaction<'_>| {
        let sql = "UPDATE sites SET document = '\"the secret\"', site = 'no site' WHERE site = ?1";
        Ok(tx.execute(sql, [sample::site(1).as_str()])?)
    };
    store.run("a test", spoil).await.unwrap();
    let page = store.list(&sample::app(), 2, None).await.unwrap();
    assert_eq!((page.items.len(), page.cursor), (1, None));
    assert_eq!(page.unread[0].site, "no site");
    assert!(!page.unread[0].why.contains("secret"), "{:?}", page.unread);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_keeps_apps_and_manage_codes() {
    let folder = Folder::new();
    conformance::apps_and_manage_codes(async || folder.next()).await;
}

#[async_trait]
impl conformance::Drained for Sqlite {
    async fn drain(&self) -> Vec<String> {
        conformance::drain(self).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_keeps_the_queue() {
    let folder = Folder::new();
    conformance::queue(async || folder.next()).await;
    conformance::consumer(async || folder.next()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_keeps_dead_letters() {
    let folder = Folder::new();
    conformance::dead_letters(async || folder.next()).await;
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_forward_and_keeps_what_it_has() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("bundle.db");
    let store = Sqlite::open(&path).unwrap();
    store.put_code(&sample::code(1, 1_000)).await.unwrap();
    let back = |tx: &Transaction<'_>| {
        let drop =
            "DROP TABLE manage_codes; DROP TABLE queue; DROP TABLE dead_letters; DROP TABLE manifests;";
        Ok(tx.execute_batch(&format!("{drop} PRAGMA user_version = 1"))?)
    };
    store.run("a test", back).await.unwrap();
    drop(store);
    let store = Sqlite::open(&path).unwrap();
    assert!(store.code(&sample::code_hash(1)).await.unwrap().is_some());
    assert!(Registry::manage_code(&store, &sample::code_hash(1)).await.unwrap().is_none());
    assert!(conformance::drain(&store).await.is_empty());
}

/// As an app was kept before its manifests were kept by their hashes.
const FORMER: &str = r#"{"rev":3,"manifest":{"protocol":2,"id":"jira","version":"1.0.0","display_name":"Jira",
    "upstream":{"type":"http","url":"https://app.example.com"}},"upstream_key":"1","upstream_generation":2}"#;

#[tokio::test]
async fn a_database_of_the_second_version_keeps_its_apps_and_they_are_replaced_or_removed() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("bundle.db");
    for removed in [false, true] {
        let store = Sqlite::open(&path).unwrap();
        let back = |tx: &Transaction<'_>| {
            tx.execute_batch("DROP TABLE manifests; DELETE FROM apps; PRAGMA user_version = 2")?;
            Ok(tx.execute("INSERT INTO apps (app, v, document) VALUES ('jira', 1, ?1)", [FORMER])?)
        };
        store.run("a test", back).await.unwrap();
        drop(store);
        let store = Sqlite::open(&path).unwrap();
        let app = sample::app_id("jira");
        let former = Apps::find(&store, &app).await.unwrap().unwrap();
        assert_eq!((&former.id, former.rev, former.version.as_str()), (&app, 3, "1.0.0"));
        assert!(former.versions.is_empty() && former.binding.is_none());
        if removed {
            assert_eq!(store.remove_app(&app, 3).await.unwrap(), Changed::Yes);
        } else {
            assert_eq!(store.put_app(&former, 3).await.unwrap(), Changed::Yes);
            assert_eq!(Apps::find(&store, &app).await.unwrap().unwrap().rev, 4);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_keeps_the_ledger() {
    let folder = Folder::new();
    conformance::ledger(async || folder.next()).await;
}

#[tokio::test]
async fn sqlite_finishes_an_undo_that_was_cut_off() {
    let folder = Folder::new();
    for fault in [Fault::Before, Fault::After] {
        conformance::interrupted_undo(
            async || folder.next(),
            |store, n| {
                let faults = Faults::at(n, fault);
                (Faulty::new(store.clone(), faults.clone()), move || faults.struck())
            },
        )
        .await;
    }
}

#[tokio::test]
async fn what_was_kept_is_there_after_a_restart_and_for_a_second_process() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("folder").join("bundle.db");
    let first = Sqlite::open(&path).unwrap();
    first.put_code(&sample::code(1, 1_000)).await.unwrap();
    let second = Sqlite::open(&path).unwrap();
    second.begin(&sample::pending(1, 1_000), 0).await.unwrap();
    assert!(Installs::find(&first, &sample::install_id(1)).await.unwrap().is_some());
    drop((first, second));
    let third = Sqlite::open(&path).unwrap();
    assert!(Installs::find(&third, &sample::install_id(1)).await.unwrap().is_some());
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_for_their_owner_only() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("folder");
    let store = Sqlite::open(&folder.join("bundle.db")).unwrap();
    store.put_code(&sample::code(1, 1_000)).await.unwrap();
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let mut names = Vec::new();
    for file in fs::read_dir(&folder).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        names.push(file.file_name().into_string().unwrap());
    }
    assert!(
        names.contains(&"bundle.db".to_owned()) && names.contains(&"bundle.db-wal".to_owned()),
        "{names:?}"
    );
}

#[tokio::test]
async fn an_item_of_a_later_version_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&root.path().join("bundle.db")).unwrap();
    store.put_code(&sample::code(1, 1_000)).await.unwrap();
    store.begin(&sample::pending(1, 1_000), 0).await.unwrap();
    let later =
        |tx: &Transaction<'_>| Ok(tx.execute_batch("UPDATE installs SET v = 2; UPDATE codes SET v = 2")?);
    store.run("a test", later).await.unwrap();
    let install = Installs::find(&store, &sample::install_id(1)).await.unwrap_err();
    let code = store.code(&sample::code_hash(1)).await.unwrap_err();
    for error in [install, code] {
        assert!(
            matches!(error, StoreError::Corrupt { .. }) && error.to_string().contains("version 2"),
            "{error}"
        );
    }
    assert!(store.undo(&sample::pending(1, 1_000), 1).await.is_err(), "and not removed either");
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_named_without_its_content() {
    let root = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&root.path().join("bundle.db")).unwrap();
    store.put_code(&sample::code(1, 1_000)).await.unwrap();
    let spoil = |tx: &Transaction<'_>| Ok(tx.execute_batch("UPDATE codes SET document = '\"the secret\"'")?);
    store.run("a test", spoil).await.unwrap();
    let error = store.code(&sample::code_hash(1)).await.unwrap_err();
    assert!(
        matches!(error, StoreError::Corrupt { .. }) && !format!("{error:?}").contains("secret"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_no_database_or_a_later_one_is_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("bundle.db");
    crate::store::files::private_file(&path).unwrap();
    std::fs::write(&path, "not a database, but long enough to be looked at by SQLite ".repeat(50)).unwrap();
    let error = Sqlite::open(&path).err().unwrap();
    assert!(error.to_string().contains("bundle.db"), "{error}");
    let later = root.path().join("later.db");
    crate::store::files::private_file(&later).unwrap();
    rusqlite::Connection::open(&later).unwrap().pragma_update(None, "user_version", 7).unwrap();
    assert!(matches!(Sqlite::open(&later), Err(OpenError::Later { found: 7, .. })));
}
