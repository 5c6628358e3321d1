//! What an installation is about to make, written down before it is made. Whatever ends the process, the next one can continue
//! the installation or take it back.
//!
//! The journal names things and holds no credential: not the admin's token, not the bot's, not the install code. Whether a thing
//! was made is looked up on the server. The journal only says that this installation may make and remove it. There is one file for
//! each app and site, with mode 0600, and it is replaced as a whole.

use crate::{
    failure::{Failure, file},
    folder,
    store::files,
};
use cloud_apps_core::store::model::Sha256;
use cloud_apps_protocol::{AppId, InstallId, Millis, SiteUrl};
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// One thing that an installation makes or changes, on one of the two sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Made {
    /// The bot account, which did not exist.
    Bot {
        /// Its name.
        username: String,
    },
    /// The bot account, which already existed.
    FoundBot {
        /// Its user id.
        user: String,
        /// Its display name before.
        title: String,
        /// Its description before.
        about: String,
        /// The ids of the tokens that it had. They are not secret. A token that comes later belongs to another installation.
        tokens: Vec<String>,
    },
    /// The bot account of an earlier install was disabled and got enabled.
    EnabledBot {
        /// Its user id.
        user: String,
    },
    /// A token of the bot. It is recognised by its description, which names the run.
    BotToken {
        /// The bot's user id.
        user: String,
    },
    /// The bot's membership in a team.
    Member {
        /// The team's id.
        team: String,
        /// The bot's user id.
        user: String,
    },
    /// The install at the bundle.
    Install,
    /// A slash command.
    Command {
        /// The team's id.
        team: String,
        /// Without `/`.
        trigger: String,
    },
    /// A slash command that already existed and was taken up.
    AdoptedCommand {
        /// The team's id.
        team: String,
        /// Without `/`.
        trigger: String,
    },
    /// An outgoing webhook.
    Webhook {
        /// The team's id.
        team: String,
        /// The channel's id.
        channel: String,
    },
    /// An outgoing webhook that already existed and was taken up.
    AdoptedWebhook {
        /// The team's id.
        team: String,
        /// The channel's id.
        channel: String,
    },
    /// The last step was begun, so the install may serve.
    Completion {
        /// The bot's name.
        bot: String,
        /// The names of its teams.
        teams: Vec<String>,
    },
}

/// What stands in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    v: u32,
    app: AppId,
    site: SiteUrl,
    /// Which bundle, for people.
    bundle: String,
    /// The name of the run, by which the bot's token is recognised.
    run: String,
    started_at: Millis,
    /// The install's id, if the bundle said it.
    install: Option<InstallId>,
    /// Installs of earlier tries, which the bundle does not have any more. What was registered for them may still stand.
    #[serde(default)]
    earlier: Vec<InstallId>,
    made: Vec<Made>,
}

/// The journal of one installation, for one process at a time.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    record: Record,
    /// The file exists.
    stands: bool,
    _lock: File,
}

impl Journal {
    /// The journal of an app on a site: the one that an earlier run left, or a new one. The file of a new one is made with the
    /// first entry.
    pub fn open(
        folder: &Path,
        (app, site): (&AppId, &SiteUrl),
        bundle: &str,
        run: &str,
        now: Millis,
    ) -> Result<Self, Failure> {
        let failure = |error: files::FileError| Failure::new(error.to_string());
        files::private_folder(folder).map_err(failure)?;
        let name = name(app, site);
        let lock_path = folder.join(format!("{name}.lock"));
        let lock = files::open_or_make(&lock_path).map_err(failure)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::new(format!("another `cloud-apps` is installing {app} on {site}"))
                    .hint("wait until it ends; then `cloud-apps list` shows whether the app is installed"));
            }
            Err(TryLockError::Error(error)) => return Err(file("lock", &lock_path)(error)),
        }
        let path = folder.join(format!("{name}.json"));
        let left = match read(&path)? {
            Some(left) if left.app != *app || left.site != *site => {
                let message = format!(
                    "{} is the journal of {} on {}, but it has the name of the journal of {app} on {site}",
                    path.display(),
                    left.app,
                    left.site
                );
                return Err(
                    Failure::new(message).hint("somebody moved it: give it its old name again, or remove it")
                );
            }
            Some(left) => Some(left),
            None => adopt_older(folder, &path, (app, site))?,
        };
        let stands = left.is_some();
        let record = left.unwrap_or_else(|| Record {
            v: 1,
            app: app.clone(),
            site: site.clone(),
            bundle: bundle.to_owned(),
            run: run.to_owned(),
            started_at: now,
            install: None,
            earlier: Vec::new(),
            made: Vec::new(),
        });
        if record.bundle != bundle {
            let message = format!(
                "an earlier installation of {app} on {site}, into the bundle {}, was not finished ({})",
                record.bundle,
                path.display()
            );
            return Err(Failure::new(message).hint(
                "finish it, or remove what it made with --undo, with that bundle first; if that bundle is lost for good, remove \
                 the file",
            ));
        }
        Ok(Self { path, record, stands, _lock: lock })
    }

    /// Whether an earlier run left something.
    pub fn unfinished(&self) -> bool {
        self.stands
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the run, by which the bot's token is recognised.
    pub fn run(&self) -> &str {
        &self.record.run
    }

    /// When the first run began.
    pub fn started_at(&self) -> Millis {
        self.record.started_at
    }

    /// The install, if the bundle has named it.
    pub fn install(&self) -> Option<&InstallId> {
        self.record.install.as_ref()
    }

    /// Whether the install belongs to this journal, from this try or an earlier one.
    pub fn named(&self, install: &InstallId) -> bool {
        self.record.install.iter().chain(&self.record.earlier).any(|known| known == install)
    }

    /// Whether anything was planned for this bot.
    pub fn knows_bot(&self, username: &str, id: &str) -> bool {
        self.record.made.iter().any(|made| match made {
            Made::Bot { username: known } => known == username,
            Made::FoundBot { user, .. }
            | Made::EnabledBot { user }
            | Made::BotToken { user }
            | Made::Member { user, .. } => user == id,
            _ => false,
        })
    }

    /// The ids of the tokens that a bot had before this installation changed it.
    pub fn tokens_before(&self, id: &str) -> &[String] {
        let found = self.record.made.iter().find_map(|made| match made {
            Made::FoundBot { user, tokens, .. } if user == id => Some(tokens.as_slice()),
            _ => None,
        });
        found.unwrap_or_default()
    }

    /// What was planned, the latest last.
    pub fn made(&self) -> &[Made] {
        &self.record.made
    }

    /// Whether this was planned.
    pub fn has(&self, made: &Made) -> bool {
        self.record.made.contains(made)
    }

    /// If the last step was begun: the bot's name, and the names of its teams.
    pub fn completion(&self) -> Option<(&str, &[String])> {
        self.record.made.iter().find_map(|made| match made {
            Made::Completion { bot, teams } => Some((bot.as_str(), teams.as_slice())),
            _ => None,
        })
    }

    /// Removes the entry of the last step, because it was not done.
    pub fn strike_completion(&mut self) -> Result<(), Failure> {
        self.record.made.retain(|made| !matches!(made, Made::Completion { .. }));
        self.write()
    }

    /// The ids of the teams in which commands or webhooks were planned.
    pub fn teams(&self) -> std::collections::BTreeSet<&str> {
        let mut teams = std::collections::BTreeSet::new();
        for made in &self.record.made {
            match made {
                Made::Command { team, .. }
                | Made::AdoptedCommand { team, .. }
                | Made::Webhook { team, .. }
                | Made::AdoptedWebhook { team, .. } => {
                    teams.insert(team.as_str());
                }
                _ => {}
            }
        }
        teams
    }

    /// Writes down what is about to be made, unless it stands there already.
    pub fn intend(&mut self, made: Made) -> Result<(), Failure> {
        if self.has(&made) {
            return Ok(());
        }
        self.record.made.push(made);
        self.write()
    }

    /// Removes the entry of what is gone, or was never made.
    pub fn strike(&mut self, made: &Made) -> Result<(), Failure> {
        self.record.made.retain(|entry| entry != made);
        self.write()
    }

    /// Writes down the install's id; `None` if the install is gone.
    pub fn name_install(&mut self, install: Option<InstallId>) -> Result<(), Failure> {
        if self.record.install == install {
            return Ok(());
        }
        self.record.earlier.extend(std::mem::replace(&mut self.record.install, install));
        self.write()
    }

    /// Removes the file: everything is made, or everything is gone.
    pub fn close(self) -> Result<(), Failure> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(file("remove", &self.path)(error)),
            _ => Ok(()),
        }
    }

    fn write(&mut self) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(&self.record).map_err(|e| Failure::new(e.to_string()))?;
        files::replace(&self.path, text.as_bytes()).map_err(|error| Failure::new(error.to_string()))?;
        self.stands = true;
        Ok(())
    }
}

/// Reads a journal. The folder may have come with somebody's project, and what a journal names gets removed. So it is trusted only
/// if it is as this program writes it.
fn read(path: &Path) -> Result<Option<Record>, Failure> {
    files::check_private(path).map_err(|error| Failure::new(error.to_string()))?;
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file("read", path)(error)),
    };
    serde_json::from_str(&text).map(Some).map_err(|e| {
        Failure::new(format!("{} cannot be read: {e}", path.display())).hint(
            "use the `cloud-apps` that wrote it; if that is gone, look for what it names and remove the file",
        )
    })
}

/// The most characters of an address in a file's name.
const READABLE: usize = 100;

/// `hello@chat.example.com_8443-3f9a…`: the app's id, the readable address and its hash. The hash makes the names of two sites
/// different (`https://h:8443` and `https://h/8443` look the same).
fn name(app: &AppId, site: &SiteUrl) -> String {
    let hash = Sha256::of(site.as_str());
    let readable: String = older_name(app, site).chars().take(READABLE).collect();
    format!("{readable}-{}", hash.as_str().get(..16).unwrap_or_default())
}

/// The name that older versions gave it.
fn older_name(app: &AppId, site: &SiteUrl) -> String {
    let place = site.as_str().split_once("://").map_or(site.as_str(), |(_, place)| place);
    let place: String =
        place.chars().map(|c| if c.is_ascii_alphanumeric() || ".-".contains(c) { c } else { '_' }).collect();
    format!("{app}@{place}")
}

/// The journal that an older version left for this app and site. The journal of another site may have the same older name; it
/// stays where it is.
fn adopt_older(
    folder: &Path,
    path: &Path,
    (app, site): (&AppId, &SiteUrl),
) -> Result<Option<Record>, Failure> {
    let older = folder.join(format!("{}.json", older_name(app, site)));
    let Some(left) = read(&older)?.filter(|left| left.app == *app && left.site == *site) else {
        return Ok(None);
    };
    std::fs::rename(&older, path).map_err(file("rename", &older))?;
    Ok(Some(left))
}

/// Where the journals of bundles elsewhere stand. Those of a local bundle stand beside its other files.
pub fn folder() -> Result<PathBuf, Failure> {
    folder::state().map(|state| state.join("installing")).ok_or_else(|| {
        Failure::usage("there is no place to write down what an installation makes")
            .hint("set HOME or XDG_STATE_HOME")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn site(text: &str) -> SiteUrl {
        SiteUrl::new(text).unwrap()
    }

    fn open(folder: &TempDir, site: &SiteUrl) -> Result<Journal, Failure> {
        let app = AppId::new("hello").unwrap();
        Journal::open(folder.path(), (&app, site), "https://bundle.example.com", "abc", 1)
    }

    #[test]
    fn of_two_sites_no_journals_have_one_name() {
        let folder = TempDir::new().unwrap();
        let sites =
            ["https://h:8443", "https://h/8443", "https://h_8443", "http://h:8443", "https://h/84_43"];
        let sites = sites.map(site);
        let mut journals: Vec<Journal> = sites.iter().map(|site| open(&folder, site).unwrap()).collect();
        for journal in &mut journals {
            assert!(!journal.unfinished());
            journal.intend(Made::Install).unwrap();
        }
        drop(journals);
        for site in &sites {
            let journal = open(&folder, site).unwrap();
            assert!(journal.unfinished() && journal.record.site == *site, "{site}");
        }
    }

    #[test]
    fn a_journal_of_an_older_version_is_gone_on_with_and_anothers_is_left_alone() {
        let folder = TempDir::new().unwrap();
        let (ours, other) = (site("https://h:8443"), site("https://h/8443"));
        let mut journal = open(&folder, &ours).unwrap();
        journal.intend(Made::Install).unwrap();
        let older = folder.path().join("hello@h_8443.json");
        std::fs::rename(journal.path(), &older).unwrap();
        drop(journal);
        assert!(!open(&folder, &other).unwrap().unfinished());
        assert!(older.exists(), "it is of another site");
        assert!(open(&folder, &ours).unwrap().unfinished());
        assert!(!older.exists());
    }

    #[test]
    fn what_came_into_the_folder_with_a_project_is_neither_followed_nor_believed() {
        let (folder, site) = (TempDir::new().unwrap(), site("https://chat.example.com"));
        let precious = folder.path().join("precious");
        std::fs::write(&precious, "precious").unwrap();
        let path = open(&folder, &site).unwrap().path().to_owned();
        let lock = path.with_extension("lock");
        std::fs::remove_file(&lock).unwrap();
        std::os::unix::fs::symlink(&precious, &lock).unwrap();
        assert!(open(&folder, &site).unwrap_err().text().contains("this is a link"));
        std::fs::remove_file(&lock).unwrap();
        std::os::unix::fs::symlink(&precious, path.with_extension("new")).unwrap();
        std::os::unix::fs::symlink(&precious, &path).unwrap();
        assert!(open(&folder, &site).unwrap_err().text().contains("this is a link"));
        std::fs::remove_file(&path).unwrap();
        let mut journal = open(&folder, &site).unwrap();
        journal.intend(Made::Install).unwrap();
        drop(journal);
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious");
        // As a checkout makes it.
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(&path, readable).unwrap();
        assert!(open(&folder, &site).unwrap_err().text().contains("others may read this"));
    }

    #[test]
    fn a_journal_in_the_place_of_another_is_refused() {
        let folder = TempDir::new().unwrap();
        let mut journal = open(&folder, &site("https://a.example.com")).unwrap();
        journal.intend(Made::Install).unwrap();
        let place = open(&folder, &site("https://b.example.com")).unwrap().path().to_owned();
        std::fs::copy(journal.path(), place).unwrap();
        let refused = open(&folder, &site("https://b.example.com")).unwrap_err().text();
        assert!(
            refused.contains("https://a.example.com") && refused.contains("https://b.example.com"),
            "{refused}"
        );
    }
}
