//! The database: one file, and one connection with a lock. Every operation is one transaction on a blocking thread.
//!
//! SQLite has only one writer at a time. With `WAL`, another process (an operator's, or a second `serve` by mistake) can read
//! meanwhile, and writes wait for each other for up to five seconds. All decisions are made by
//! [`rules`](cloud_apps_core::store::rules) inside the transaction.

use super::files;
use cloud_apps_core::store::{
    document,
    ports::{StoreError, Stored},
};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The version of the tables, in the file as `user_version`.
const SCHEMA_VERSION: i64 = 3;

/// What each version adds to the previous one. A file is updated when it is opened. `v` is the version of the document in the same
/// row. Times are Unix milliseconds.
const STEPS: [(i64, &str); 3] = [(1, FIRST), (2, SECOND), (3, THIRD)];

const FIRST: &str = "
CREATE TABLE catalogue (one INTEGER PRIMARY KEY CHECK (one = 1), v INTEGER NOT NULL, rev INTEGER NOT NULL,
    document TEXT NOT NULL) STRICT;
CREATE TABLE apps (app TEXT PRIMARY KEY, v INTEGER NOT NULL, document TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE codes (sha256 TEXT PRIMARY KEY, v INTEGER NOT NULL, exp INTEGER NOT NULL, document TEXT NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE INDEX codes_by_expiry ON codes (exp);
CREATE TABLE installs (id TEXT PRIMARY KEY, v INTEGER NOT NULL, document TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE teams (install TEXT NOT NULL, team TEXT NOT NULL, v INTEGER NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (install, team)) STRICT, WITHOUT ROWID;
CREATE TABLE sites (app TEXT NOT NULL, site TEXT NOT NULL, v INTEGER NOT NULL, install TEXT NOT NULL,
    document TEXT NOT NULL, PRIMARY KEY (app, site)) STRICT, WITHOUT ROWID;
CREATE TABLE tokens (sha256 TEXT PRIMARY KEY, v INTEGER NOT NULL, install TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE ledger (key TEXT PRIMARY KEY, v INTEGER NOT NULL, exp INTEGER NOT NULL, attempt INTEGER, work TEXT,
    lease INTEGER, value TEXT) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_by_expiry ON ledger (exp);
";

/// Manage codes; the queue, whose numbers are never used twice; dead letters, with an empty `install` if they belong to none.
const SECOND: &str = "
CREATE TABLE manage_codes (sha256 TEXT PRIMARY KEY, v INTEGER NOT NULL, exp INTEGER NOT NULL, document TEXT NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE INDEX manage_codes_by_expiry ON manage_codes (exp);
CREATE TABLE queue (number INTEGER PRIMARY KEY AUTOINCREMENT, lane TEXT NOT NULL, owner TEXT NOT NULL,
    body TEXT NOT NULL, sent_at INTEGER NOT NULL, visible_at INTEGER NOT NULL, receives INTEGER NOT NULL) STRICT;
CREATE INDEX queue_by_time ON queue (lane, visible_at);
CREATE INDEX queue_by_owner ON queue (lane, owner, visible_at);
CREATE TABLE dead_letters (install TEXT NOT NULL, id TEXT NOT NULL, v INTEGER NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (install, id)) STRICT, WITHOUT ROWID;
";

/// Manifests by their hash.
const THIRD: &str = "
CREATE TABLE manifests (app TEXT NOT NULL, sha256 TEXT NOT NULL, v INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (app, sha256)) STRICT, WITHOUT ROWID;
";

/// The database of a local bundle. Clones share it.
#[derive(Clone)]
pub struct Sqlite(Arc<Mutex<Connection>>);

/// Why a database does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An error of the file system.
    #[error(transparent)]
    File(#[from] files::FileError),
    /// An error of SQLite.
    #[error("{}: this is not a database of a local bundle, or another process keeps it locked: {source}", path.display())]
    Database {
        /// Which file.
        path: PathBuf,
        /// SQLite's error.
        #[source]
        source: rusqlite::Error,
    },
    /// A later program made it.
    #[error("{}: a later version of cloud-apps made this (tables {found}, this program knows {SCHEMA_VERSION}); use that version, or move the file away", path.display())]
    Later {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
}

/// An error inside a transaction.
pub(super) enum TransactionError {
    Sql(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for TransactionError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for TransactionError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl TransactionError {
    fn named(self, what: &'static str) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sql(source) => match source.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    StoreError::Busy { what, source: Box::new(source) }
                }
                _ => StoreError::Unavailable { what, source: Box::new(source) },
            },
        }
    }
}

impl Sqlite {
    /// Opens the file. It is made, with its folder, if it does not exist.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            files::private_folder(folder)?;
        }
        // SQLite gives its journals the mode of the file, and uses those that it finds.
        for journal in ["-wal", "-shm", "-journal"] {
            let mut name = path.as_os_str().to_owned();
            name.push(journal);
            files::check_private(Path::new(&name))?;
        }
        files::private_file(path)?;
        let refused = |source| OpenError::Database { path: path.to_owned(), source };
        let mut connection = Connection::open(path).map_err(refused)?;
        let found = prepare(&mut connection).map_err(refused)?;
        if found > SCHEMA_VERSION {
            return Err(OpenError::Later { path: path.to_owned(), found });
        }
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Runs one transaction. An error rolls it back.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, TransactionError> + Send + 'static,
    ) -> Stored<T> {
        let shared = Arc::clone(&self.0);
        let task = tokio::task::spawn_blocking(move || {
            // A panic drops the transaction, which rolls it back.
            let mut connection = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let outcome = work(&transaction)?;
            transaction.commit()?;
            Ok(outcome)
        });
        match task.await {
            Ok(outcome) => outcome.map_err(|trouble: TransactionError| trouble.named(what)),
            Err(source) => Err(StoreError::Unavailable { what, source: Box::new(source) }),
        }
    }
}

/// Sets the connection up and makes or updates the tables. Returns the version of the file.
fn prepare(connection: &mut Connection) -> rusqlite::Result<i64> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Without this, a power cut could lose the last transactions (never the file), and a spent token could be used again.
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (version, step) in STEPS.into_iter().filter(|(version, _)| *version > found) {
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version)?;
    }
    transaction.commit()?;
    Ok(found.max(SCHEMA_VERSION))
}

/// A number for SQLite. A time or count beyond 2^63 never comes.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number from SQLite.
pub(super) fn number(what: &'static str, stored: i64) -> Stored<u64> {
    u64::try_from(stored).map_err(|_| StoreError::Corrupt { what, detail: "a number is negative".to_owned() })
}

/// The document of one row, if the row is there.
pub(super) fn document<T: for<'de> serde::Deserialize<'de>>(
    what: &'static str,
    row: rusqlite::Result<(i64, String)>,
) -> Result<Option<T>, TransactionError> {
    match row {
        Ok((v, document)) => Ok(Some(document::read(what, number(what, v)?, &document)?)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
