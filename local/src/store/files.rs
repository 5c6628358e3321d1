//! Files that only their owner may read, and that are written completely or not at all.

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

/// Makes a folder for its owner only. An existing one is not changed.
pub(crate) fn private_folder(path: &Path) -> Result<(), FileError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(at(path))
}

/// What this program makes at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Socket,
}

impl Kind {
    /// In words, with the article.
    fn words(self) -> &'static str {
        match self {
            Self::File => "a file",
            Self::Folder => "a folder",
            Self::Socket => "a socket",
        }
    }

    /// What stands there, if it is one of these.
    fn of(found: fs::FileType) -> Option<Self> {
        #[cfg(unix)]
        if std::os::unix::fs::FileTypeExt::is_socket(&found) {
            return Some(Self::Socket);
        }
        if found.is_file() { Some(Self::File) } else { found.is_dir().then_some(Self::Folder) }
    }
}

/// Refuses what stands at a path if it is not what this program makes there, and above all a link: it may lead to something that
/// does not belong to the bundle, because the folder may have come with somebody's project.
pub(crate) fn refuse_other(path: &Path, kind: Kind) -> Result<(), FileError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at(path)(error)),
    };
    if Kind::of(found) == Some(kind) {
        return Ok(());
    }
    let what =
        if found.is_symlink() { "a link" } else { Kind::of(found).map_or("something else", Kind::words) };
    let refusal = format!("this is {what}, and cloud-apps makes {} here: remove it", kind.words());
    Err(at(path)(io::Error::other(refusal)))
}

/// Refuses what this user's bundle did not write here: a link, and a file that others may read. Somebody who wrote a key ring knows
/// every secret that is derived from it.
pub(crate) fn check_private(path: &Path) -> Result<(), FileError> {
    refuse_other(path, Kind::File)?;
    #[cfg(unix)]
    match fs::symlink_metadata(path) {
        Ok(found) if std::os::unix::fs::MetadataExt::mode(&found) & 0o077 != 0 => {
            return Err(at(path)(io::Error::other(
                "others may read this, and cloud-apps makes it for its owner only: close it if it is yours (chmod 600), \
                 else remove it",
            )));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(path)(error)),
        _ => {}
    }
    Ok(())
}

/// Opens a file to lock it or to append to it. If it does not exist, it is made for its owner only. A link in its place is refused,
/// and nothing is made where it leads: the file is made only if its name is free.
pub(crate) fn open_or_make(path: &Path) -> Result<fs::File, FileError> {
    let mut options = fs::OpenOptions::new();
    options.append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.clone().create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            refuse_other(path, Kind::File)?;
            options.open(path)
        }
        outcome => outcome,
    }
    .map_err(at(path))
}

/// Makes an empty file for its owner only, if it does not exist.
pub(super) fn private_file(path: &Path) -> Result<(), FileError> {
    check_private(path)?;
    open_or_make(path).map(drop)
}

/// Writes a draft and then links it to `path`, unless that exists: the first writer wins, and nobody ever reads half of a file.
/// `true` if this is the first writer.
pub(crate) fn write_once(path: &Path, content: &[u8]) -> Result<bool, FileError> {
    write(path, content, |draft| {
        // Linking fails if the name is taken; renaming would replace the file.
        match fs::hard_link(draft, path) {
            Ok(()) => fs::remove_file(draft).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::remove_file(draft).map(|()| false)
            }
            Err(error) => Err(error),
        }
    })
}

/// Writes a draft and then renames it to `path`, in place of what is there: the last writer wins, and nobody ever reads half of a
/// file.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), FileError> {
    write(path, content, |draft| fs::rename(draft, path))
}

/// Writes a draft beside `path`, for its owner only. `name` then gives it its name.
fn write<T>(path: &Path, content: &[u8], name: impl FnOnce(&Path) -> io::Result<T>) -> Result<T, FileError> {
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
        let named = name(&draft)?;
        fs::File::open(folder)?.sync_all()?;
        Ok(named)
    })();
    if outcome.is_err() {
        // The draft may not exist. The first error is the one to report.
        let _ = fs::remove_file(&draft);
    }
    outcome.map_err(at(path))
}

/// Numbers the drafts of this process.
fn next() -> u64 {
    static DRAFTS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    DRAFTS.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}
