//! [`Keys`] and [`KeyMaker`] over a folder: `<folder>/<app>.json`, mode 0600, in the shape that Secrets Manager holds.

use super::files::{self, FileError, Kind};
use async_trait::async_trait;
use cloud_apps_core::store::{
    model::Ring,
    ports::{KeyMaker, Keys, StoreError, Stored},
};
use cloud_apps_protocol::AppId;
use secrecy::zeroize::Zeroizing;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Key rings in files.
#[derive(Debug, Clone)]
pub struct KeyFiles {
    folder: PathBuf,
}

impl KeyFiles {
    /// Uses a folder, and makes it if it does not exist. Key rings in it that this user did not make are refused.
    pub fn open(folder: &Path) -> Result<Self, FileError> {
        files::refuse_other(folder, Kind::Folder)?;
        files::private_folder(folder)?;
        for entry in fs::read_dir(folder).map_err(files::at(folder))? {
            files::check_private(&entry.map_err(files::at(folder))?.path())?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    fn path(&self, app: &AppId) -> PathBuf {
        // An app's id is `[a-z][a-z0-9-]*`: it names no other folder.
        self.folder.join(format!("{app}.json"))
    }
}

fn unavailable(what: &'static str) -> impl FnOnce(FileError) -> StoreError {
    move |error| StoreError::Unavailable { what, source: Box::new(error) }
}

fn read(what: &'static str, app: &AppId, path: &Path) -> Stored<Option<Ring>> {
    match fs::read_to_string(path).map(Zeroizing::new) {
        Ok(json) => Ring::from_json(what, app, &json).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unavailable(what)(files::at(path)(error))),
    }
}

#[async_trait]
impl Keys for KeyFiles {
    async fn ring(&self, app: &AppId) -> Stored<Option<Ring>> {
        // The file has a few hundred bytes and is cached, so a thread for it is not worthwhile.
        read("Keys.ring", app, &self.path(app))
    }
}

#[async_trait]
impl KeyMaker for KeyFiles {
    async fn make(&self, ring: &Ring) -> Stored<Ring> {
        const WHAT: &str = "KeyMaker.make";
        let path = self.path(&ring.app);
        let json = ring.to_json(WHAT)?;
        if files::write_once(&path, json.as_bytes()).map_err(unavailable(WHAT))? {
            return Ok(ring.clone());
        }
        let gone =
            || StoreError::Unavailable { what: WHAT, source: "the key file was removed meanwhile".into() };
        read(WHAT, &ring.app, &path)?.ok_or_else(gone)
    }

    async fn replace(&self, ring: &Ring) -> Stored<()> {
        const WHAT: &str = "KeyMaker.replace";
        files::replace(&self.path(&ring.app), ring.to_json(WHAT)?.as_bytes()).map_err(unavailable(WHAT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloud_apps_core::testing::{conformance, sample};

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn files_keep_keys() {
        let root = tempfile::tempdir().unwrap();
        let mut n = 0;
        let folders: Vec<_> = std::iter::repeat_with(|| {
            n += 1;
            root.path().join(n.to_string())
        })
        .take(20)
        .collect();
        let folders = std::sync::Mutex::new(folders);
        conformance::keys(async || KeyFiles::open(&folders.lock().unwrap().pop().unwrap()).unwrap()).await;
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_key_file_is_for_its_owner_and_alone_in_its_folder() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("keys");
        let keys = KeyFiles::open(&folder).unwrap();
        for n in 1..3 {
            keys.make(&sample::ring(&sample::app(), n)).await.unwrap();
            keys.replace(&sample::ring(&sample::app(), n)).await.unwrap();
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("hello.json"))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left");
    }

    #[tokio::test]
    async fn a_key_file_that_cannot_be_read_is_named_without_its_content() {
        let root = tempfile::tempdir().unwrap();
        let keys = KeyFiles::open(root.path()).unwrap();
        fs::write(root.path().join("hello.json"), r#"{"v":1,"app":"hello","keys":"the secret"}"#).unwrap();
        for error in [
            keys.ring(&sample::app()).await.unwrap_err(),
            keys.make(&sample::ring(&sample::app(), 1)).await.unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
            assert!(!format!("{error:?}").contains("the secret"));
        }
    }
}
