//! The folder of a local bundle, and whether its files can be trusted.
//!
//! If nobody names a folder, it is `.cloud-apps` in the current folder, which may have come with somebody's project. Somebody who
//! wrote its key rings knows every secret of the bundle, and its `demo.json` may name any address. So the default folder is used only
//! if `cloud-apps serve` made it. A record of the folders that it made stands outside of them, among the user's own files, where no
//! project writes. A folder that is named with `--data` is the user's own decision.

use crate::{
    failure::{Failure, file},
    store::files::{self, Kind},
};
use clap::Args;
use cloud_apps_core::store::model::Sha256;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// The folder, if none is named.
const DEFAULT: &str = ".cloud-apps";

/// Where the local bundle keeps its files.
#[derive(Debug, Clone, Args)]
pub struct Data {
    /// Folder of the local bundle: its database, key rings, socket and demo credentials. By default `.cloud-apps`, if
    /// `cloud-apps serve` made it.
    #[arg(long = "data", value_name = "DIR", env = "CLOUD_APPS_DATA", global = true)]
    pub dir: Option<PathBuf>,
}

impl Data {
    fn path(&self) -> &Path {
        self.dir.as_deref().unwrap_or(Path::new(DEFAULT))
    }

    /// The files in the folder, for commands that read what `serve` keeps there. A folder that cannot be trusted is refused.
    pub fn files(&self) -> Result<Files, Failure> {
        if self.dir.is_none() && holds_anything()? && !on_record()? {
            return Err(not_on_record());
        }
        let files = Files(self.path().to_owned());
        files.check()?;
        Ok(files)
    }

    /// The files in the folder, for `serve`. A new folder is made for its owner only. The mode of an existing one is not changed: it
    /// may be somebody's home. If others may read it, they see names and no content, so a note says how to close it.
    pub fn make(&self) -> Result<(Files, Option<String>), Failure> {
        let folder = self.path();
        let fresh = self.dir.is_none() && !holds_anything()?;
        if fresh {
            // Before the folder is made: without a place for the record, no folder is made.
            record()?;
        }
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(file("make", folder))?;
        let files = self.files()?;
        if fresh {
            put_on_record().map_err(|failure| {
                failure.hint(format!(
                    "this file records that the folder {DEFAULT} is yours; if it cannot be written, name the folder: --data {DEFAULT}"
                ))
            })?;
        } else if self.dir.is_some() && is_default(folder) {
            // The user says that the folder is theirs. If that cannot be written down, they have to say it each time.
            let _ = put_on_record();
        }
        let mode = fs::metadata(folder).map_err(file("read", folder))?.mode();
        let path = folder.display();
        let note = (mode & 0o055 != 0).then(|| {
            format!(
                "Note: others may look into the folder {path}. The files that hold secrets are yours only (mode 0600); \
                 `chmod 700 {path}` closes the folder too."
            )
        });
        Ok((files, note))
    }
}

/// The files of a local bundle.
#[derive(Debug, Clone)]
pub struct Files(PathBuf);

impl Files {
    /// Refuses a folder in which others may write, because they could put their own keys and databases there. Also refuses links in
    /// it.
    fn check(&self) -> Result<(), Failure> {
        let folder = &self.0;
        let path = folder.display();
        match fs::metadata(folder) {
            Ok(found) if found.mode() & 0o022 != 0 => {
                return Err(Failure::new(format!(
                    "others may write in the folder {path}, where keys are kept"
                ))
                .hint(format!(
                    "`chmod 700 {path}`, or name another folder with --data; its mode was not changed"
                )));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(file("read", folder)(error)),
        }
        let database = self.database();
        let journals = ["-wal", "-shm", "-journal"].map(|end| {
            let mut name = database.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        });
        for path in [self.lock_file(), self.demo(), database].iter().chain(&journals) {
            files::refuse_other(path, Kind::File)?;
        }
        files::refuse_other(&self.socket(), Kind::Socket)?;
        for folder in [self.keys(), self.journals(), self.rotations()] {
            files::refuse_other(&folder, Kind::Folder)?;
            for entry in entries(&folder)? {
                files::refuse_other(&entry, Kind::File)?;
            }
        }
        Ok(())
    }

    /// Locks the folder for this process. The system releases the lock when the process ends, however it ends, so a killed process
    /// blocks nobody.
    pub fn lock(&self) -> Result<File, Failure> {
        let path = self.lock_file();
        let lock = files::open_or_make(&path)?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => {
                Err(Failure::new(format!("another `cloud-apps serve` uses the folder {}", self.0.display()))
                    .hint("use that one, stop it, or give this one its own folder and ports: --data DIR --port 0 --mattermost-port 0"))
            }
            Err(TryLockError::Error(error)) => Err(file("lock", &path)(error)),
        }
    }

    /// Removes what a killed process left. Only while the lock is held.
    pub fn clear(&self) -> Result<(), Failure> {
        for path in [self.socket(), self.demo()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(file("remove", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn lock_file(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.0.join("bundle.db")
    }

    /// The folder of key rings.
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// The folder of the journals of installations.
    pub fn journals(&self) -> PathBuf {
        self.0.join("installing")
    }

    /// The folder of the ids of rotations that were begun.
    pub fn rotations(&self) -> PathBuf {
        self.0.join("rotating")
    }

    /// The operators' socket.
    pub fn socket(&self) -> PathBuf {
        self.0.join("operator.sock")
    }

    /// The credentials of the demo, for `cloud-apps run`.
    pub fn demo(&self) -> PathBuf {
        self.0.join("demo.json")
    }
}

/// The record of a folder.
#[derive(Serialize, Deserialize)]
struct Record {
    v: u32,
    /// Which folder, for people.
    folder: String,
    identity: Identity,
}

/// By what a folder is recognised. A folder that replaced another has another number; and if the system uses the number of a removed
/// folder again, it was made at another time. The number of the device is needed only if there is no such time: on some file systems
/// it changes with each start of the machine.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    inode: u64,
    /// Unix nanoseconds.
    made_at: Option<u64>,
    device: Option<u64>,
}

impl Identity {
    fn of(folder: &Path) -> Result<Self, Failure> {
        let found = fs::symlink_metadata(folder).map_err(file("read", folder))?;
        let made_at = found.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let made_at = made_at.and_then(|at| u64::try_from(at.as_nanos()).ok());
        Ok(Self { inode: found.ino(), made_at, device: made_at.is_none().then(|| found.dev()) })
    }
}

/// The folder for what belongs to the user and to no bundle (XDG Base Directory Specification), if the environment names it. A
/// relative path does not count: it would be inside the current folder.
pub fn state() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(state.join("cloud-apps"))
}

/// Whether the default folder holds anything. If it is not a folder, it is refused.
fn holds_anything() -> Result<bool, Failure> {
    let folder = Path::new(DEFAULT);
    files::refuse_other(folder, Kind::Folder)?;
    Ok(!entries(folder)?.is_empty())
}

/// Whether a folder is the default one, under any name.
fn is_default(folder: &Path) -> bool {
    let (named, default) = (fs::metadata(folder), fs::symlink_metadata(DEFAULT));
    matches!((named, default), (Ok(a), Ok(b)) if (a.dev(), a.ino()) == (b.dev(), b.ino()))
}

/// The file that records that the default folder is the user's own, and the folder's whole path.
fn record() -> Result<(PathBuf, PathBuf), Failure> {
    let state = state().ok_or_else(|| {
        Failure::usage(format!(
            "nothing says whether the folder {DEFAULT} is yours: neither HOME nor XDG_STATE_HOME is set"
        ))
        .hint(format!("set one of them, or name the folder: --data {DEFAULT}"))
    })?;
    let here = Path::new(".");
    let whole = here.canonicalize().map_err(file("read", here))?.join(DEFAULT);
    let name = Sha256::of(&whole.to_string_lossy());
    Ok((state.join("folders").join(name.as_str()), whole))
}

/// Whether the record says that the default folder is the user's own, and not one that replaced it.
fn on_record() -> Result<bool, Failure> {
    let (path, whole) = record()?;
    files::check_private(&path)?;
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(file("read", &path)(error)),
    };
    let identity = Identity::of(&whole)?;
    let record = serde_json::from_slice::<Record>(&text);
    Ok(record.is_ok_and(|record| record.v == 1 && record.identity == identity))
}

fn put_on_record() -> Result<(), Failure> {
    let (path, whole) = record()?;
    let record =
        Record { v: 1, folder: whole.to_string_lossy().into_owned(), identity: Identity::of(&whole)? };
    let text = serde_json::to_vec(&record).map_err(|error| Failure::new(error.to_string()))?;
    if let Some(records) = path.parent() {
        files::private_folder(records)?;
    }
    Ok(files::replace(&path, &text)?)
}

fn not_on_record() -> Failure {
    Failure::new(format!(
        "`cloud-apps serve` did not make the folder {DEFAULT}, or it was moved or replaced since: it may have come with \
         somebody's project, so nothing in it is used"
    ))
    .hint(format!("if it is not yours, remove it: rm -r {DEFAULT}"))
    .hint(format!(
        "if it is yours, name it: `cloud-apps serve --data {DEFAULT}` remembers that; other commands need the option each time"
    ))
}

/// The entries of a folder; none if the folder does not exist.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(file("read", folder)(error)),
    };
    listed.map(|entry| entry.map(|entry| entry.path()).map_err(file("read", folder))).collect()
}
