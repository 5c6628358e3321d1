//! Files that only their owner may read, written whole or not at all.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

/// A file or folder that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}; check that the folder is yours and has room", path.display())]
pub struct FileError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Names the path in an error.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> FileError {
    |source| FileError { path: path.to_owned(), source }
}

/// Makes a folder for its owner only; one that is there stays as it is.
pub(super) fn private_folder(path: &Path) -> Result<(), FileError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(at(path))
}

/// Makes a file for its owner only, empty if it was not there; one that is there is closed to others.
pub(super) fn private_file(path: &Path) -> Result<(), FileError> {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(at(path))?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)).map_err(at(path))?;
    drop(file);
    Ok(())
}

/// Writes a new file under a name of its own and then gives it `path`, unless there is one: the first writer wins, and
/// nobody ever reads half of it. `true` if it is this one.
pub(super) fn write_once(path: &Path, content: &[u8]) -> Result<bool, FileError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let draft = folder.join(format!(".draft-{}-{}", std::process::id(), next()));
    let outcome = (|| {
        let mut options = fs::OpenOptions::new();
        options.create_new(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        file.write_all(content)?;
        file.sync_all()?;
        // Linking fails where the name is taken; renaming would replace it.
        match fs::hard_link(&draft, path) {
            Ok(()) => fs::File::open(folder)?.sync_all().map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    })();
    let cleaned = fs::remove_file(&draft);
    let written = outcome.map_err(at(path))?;
    cleaned.map_err(at(&draft))?;
    Ok(written)
}

/// Numbers the drafts of this process.
fn next() -> u64 {
    static DRAFTS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    DRAFTS.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}
