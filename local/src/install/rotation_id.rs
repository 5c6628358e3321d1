//! The id of a rotation of a shared secret, written down before it is sent. Whatever ends the process, the same command gets the
//! lost answer again. The id alone opens nothing; its file is for its owner only all the same.

use crate::{failure::Failure, store::files};
use cloud_apps_core::random::{Random, SystemRandom};
use cloud_apps_protocol::{InstallId, Millis, install::RotationId};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// For how long a bundle gives an answer again, in ms.
const REPEATED: Millis = 10 * 60_000;

/// What stands in the file.
#[derive(Serialize, Deserialize)]
struct Record {
    v: u32,
    rotation: String,
    at: Millis,
}

/// A rotation that was begun, by this command or by the one before it.
#[derive(Debug)]
pub struct BegunRotation {
    path: PathBuf,
    id: RotationId,
}

impl BegunRotation {
    /// The rotation of an install's secret that an earlier command began, if its answer can still be had; or else a new one. Two
    /// commands at once get the same one.
    pub fn open(folder: &Path, install: &InstallId, now: Millis) -> Result<Self, Failure> {
        let failure = |error: files::FileError| Failure::new(error.to_string());
        files::private_folder(folder).map_err(failure)?;
        let path = folder.join(format!("{install}.json"));
        let id = (&SystemRandom as &dyn Random).rotation_id();
        let record = Record { v: 1, rotation: id.as_str().to_owned(), at: now };
        let text = serde_json::to_vec(&record).map_err(|error| Failure::new(error.to_string()))?;
        if files::write_once(&path, &text).map_err(failure)? {
            return Ok(Self { path, id });
        }
        if let Some(id) = read(&path, now)? {
            return Ok(Self { path, id });
        }
        files::replace(&path, &text).map_err(failure)?;
        Ok(Self { path, id })
    }

    /// Its id.
    pub fn id(&self) -> &RotationId {
        &self.id
    }

    /// The answer has arrived, or it will never come.
    pub fn close(self) -> Result<(), Failure> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Failure::new(format!("cannot remove {}: {error}", self.path.display())))
            }
            _ => Ok(()),
        }
    }
}

/// What an earlier command left, if its answer can still be had. The folder may have come with somebody's project, and anybody who
/// knows the id of a rotation gets its answer. So a file is trusted only if it is as this program writes it.
fn read(path: &Path, now: Millis) -> Result<Option<RotationId>, Failure> {
    files::check_private(path).map_err(|error| Failure::new(error.to_string()))?;
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::new(format!("cannot read {}: {error}", path.display()))),
    };
    let Ok(record) = serde_json::from_slice::<Record>(&text) else { return Ok(None) };
    let good = record.v == 1 && record.at <= now && now - record.at < REPEATED;
    Ok(record.rotation.parse().ok().filter(|_| good))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloud_apps_core::testing::sample;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_rotation_that_was_begun_is_gone_on_with_while_its_answer_may_be_had() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("rotating");
        let at = |n, now| BegunRotation::open(&folder, &sample::install_id(n), now).unwrap();
        let first = at(1, 1_000);
        assert_eq!(at(1, 1_000 + REPEATED - 1).id(), first.id(), "the same command again");
        assert_ne!(at(2, 1_000).id(), first.id(), "another install");
        let late = at(1, 1_000 + REPEATED);
        assert_ne!(late.id(), first.id(), "nobody gets that answer any more");
        assert_ne!(at(1, 0).id(), late.id(), "a clock that was set back proves nothing");
        let path = first.path.clone();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "half a fi").unwrap();
        let again = at(1, 2_000);
        assert_eq!(at(1, 2_000).id(), again.id());
        again.close().unwrap();
        late.close().unwrap();
        assert!(!path.exists());
    }
}
