//! The folder of a local bundle: what came with somebody's project is neither followed nor believed.

use super::{Said, Serving, program, said, serve};
use serde_json::Value;
use std::{
    fs,
    io::ErrorKind,
    net::TcpListener,
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A project in which the program is used, and a user with a state folder.
struct Project {
    root: TempDir,
    user: TempDir,
}

impl Project {
    fn new() -> Self {
        Self { root: super::private_folder(), user: TempDir::new().unwrap() }
    }

    /// The default folder.
    fn folder(&self) -> PathBuf {
        self.root.path().join(".cloud-apps")
    }

    /// The program in the project, without a name for the folder.
    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(arguments).current_dir(self.root.path()).env("XDG_STATE_HOME", self.user.path());
        command
    }

    fn say(&self, arguments: &[&str]) -> Said {
        said(self.program(arguments).output().unwrap())
    }

    /// Serves and ends it.
    fn serve(&self, more: &[&str]) {
        self.serving(more).end("-TERM");
    }

    fn serving(&self, more: &[&str]) -> Serving {
        Serving::of(self.program(&[&SERVE, more].concat()), TempDir::new().unwrap())
    }

    /// The files that say which folders are the user's.
    fn records(&self) -> Vec<PathBuf> {
        let Ok(listed) = fs::read_dir(self.user.path().join("cloud-apps/folders")) else { return Vec::new() };
        listed.map(|entry| entry.unwrap().path()).collect()
    }

    /// Every command that reads the folder says that it came with somebody else's project, and leaves it as it is.
    fn refuses(&self) {
        let before = listing(&self.folder());
        for arguments in EACH {
            let refused = self.say(arguments);
            assert_eq!(refused.code, 1, "{arguments:?}: {}{}", refused.out, refused.err);
            for words in ["did not make the folder .cloud-apps", "rm -r .cloud-apps", "--data .cloud-apps"] {
                assert!(refused.err.contains(words), "{arguments:?}: {}", refused.err);
            }
        }
        assert_eq!(listing(&self.folder()), before);
    }
}

const SERVE: [&str; 5] = ["serve", "--port", "0", "--mattermost-port", "0"];

const INSTALL: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Every command that uses the folder of a local bundle.
const EACH: [&[&str]; 21] = [
    &SERVE,
    &["run", "/hello help"],
    &["run", "--slash", "/hello help"],
    &["install", "hello", "--site", "https://chat.example.com", "--yes"],
    &["install", "hello", "--site", "https://chat.example.com", "--undo"],
    &["sync", INSTALL],
    &["uninstall", INSTALL, "--yes"],
    &["list"],
    &["show", INSTALL],
    &["configure", INSTALL, "--set", "a=b"],
    &["presets", "list", INSTALL],
    &["enable", INSTALL],
    &["disable", INSTALL],
    &["rotate", "bot-token", INSTALL],
    &["rotate", "shared-secret", INSTALL],
    &["upgrade", INSTALL],
    &["operator", "keys", "list", "hello"],
    &["doctor", INSTALL],
    &["operator", "dead-letters", "list"],
    &["operator", "apps", "list"],
    &["operator", "register"],
];

/// What stands below a folder, with its content.
fn listing(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(listing(&entry.path()));
        } else {
            found.push((entry.path(), fs::read(entry.path()).unwrap_or_default()));
        }
    }
    found.sort();
    found
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn shell(folder: &Path, script: &str) {
    assert!(Command::new("sh").args(["-ec", script]).current_dir(folder).status().unwrap().success());
}

/// A key ring whose roots its author knows.
fn ring() -> String {
    format!(
        r#"{{"v":1,"app":"hello","keys":[{{"id":"1","root":"{}","created_at":0,"use_from":0,"state":"live"}}]}}"#,
        "A".repeat(43)
    )
}

#[test]
fn the_folder_that_serve_made_is_used_again_without_a_name() {
    let project = Project::new();
    for start in ["new", "again"] {
        let serving = project.serving(&[]);
        for arguments in [&["run", "/hello help"][..], &["list"], &["operator", "register"]] {
            let done = project.say(arguments);
            assert_eq!(done.code, 0, "{start}, {arguments:?}: {}", done.err);
        }
        serving.end("-TERM");
    }
    let records = project.records();
    assert_eq!(records.len(), 1);
    assert_eq!((mode(&records[0]), mode(records[0].parent().unwrap())), (0o600, 0o700));
}

#[test]
fn a_clone_under_a_strict_umask_and_an_archive_are_refused_by_every_command() {
    let upstream = TempDir::new().unwrap();
    fs::create_dir_all(upstream.path().join(".cloud-apps/keys")).unwrap();
    fs::write(upstream.path().join(".cloud-apps/keys/hello.json"), ring()).unwrap();
    let from = upstream.path().to_str().unwrap();
    for unpack in [
        // As git writes files, which have the mode that the umask leaves.
        format!(
            "umask 077; mkdir -p .cloud-apps/keys; cat '{from}/.cloud-apps/keys/hello.json' > .cloud-apps/keys/hello.json"
        ),
        // With the modes of its author.
        format!("chmod -R go= '{from}/.cloud-apps'; tar -C '{from}' -c .cloud-apps | tar -xp"),
    ] {
        let project = Project::new();
        shell(project.root.path(), &unpack);
        let key = project.folder().join("keys/hello.json");
        assert_eq!((mode(&key), mode(&project.folder())), (0o600, 0o700), "{unpack}");
        project.refuses();
        assert!(project.records().is_empty());
        // Removed, as the refusal says, the folder is made, with a key ring that nobody knows.
        fs::remove_dir_all(project.folder()).unwrap();
        project.serve(&[]);
        assert_ne!(fs::read_to_string(&key).unwrap(), ring());
    }
}

#[test]
fn a_demo_and_a_socket_that_came_along_lead_no_command_to_their_author() {
    let project = Project::new();
    let authors = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", authors.local_addr().unwrap());
    // Such as a real demo writes it, for an address of its author.
    let serving = Serving::start();
    let mut demo = serving.demo();
    demo["base_url"] = Value::from(url.clone());
    demo["site_url"] = Value::from(url.clone());
    demo["apps"]["hello"]["slash_url"] = Value::from(url);
    shell(project.root.path(), "umask 077; mkdir .cloud-apps");
    fs::write(project.folder().join("demo.json"), demo.to_string()).unwrap();
    shell(project.root.path(), "chmod 600 .cloud-apps/demo.json");
    let operators = UnixListener::bind(project.folder().join("operator.sock")).unwrap();
    project.refuses();
    authors.set_nonblocking(true).unwrap();
    operators.set_nonblocking(true).unwrap();
    assert_eq!(authors.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nothing was sent to the author");
    assert_eq!(operators.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nor over the socket");
}

#[test]
fn a_demo_that_others_may_read_is_not_believed_in_a_folder_that_was_named() {
    let bundle = Serving::start();
    let demo = bundle.folder.path().join("demo.json");
    fs::set_permissions(&demo, PermissionsExt::from_mode(0o644)).unwrap();
    let refused = bundle.say(&["run", "/hello help"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("others may read this"), "{}", refused.err);
}

#[test]
fn a_folder_in_the_place_of_the_one_on_record_is_refused() {
    let project = Project::new();
    project.serve(&[]);
    shell(project.root.path(), "mv .cloud-apps before; cp -Rp before .cloud-apps");
    project.refuses();
    shell(project.root.path(), "rm -r .cloud-apps; mv before .cloud-apps");
    project.serve(&[]);
}

#[test]
fn the_record_of_another_folder_is_none_of_this_one() {
    let (project, other) = (Project::new(), Project::new());
    project.serve(&[]);
    other.serve(&[]);
    let ours = &project.records()[0];
    let kept = fs::read(ours).unwrap();
    fs::copy(&other.records()[0], ours).unwrap();
    project.refuses();
    fs::write(ours, "half a rec").unwrap();
    project.refuses();
    fs::write(ours, kept).unwrap();
    project.serve(&[]);
    // A record that others could have written says nothing.
    fs::set_permissions(ours, PermissionsExt::from_mode(0o644)).unwrap();
    let refused = project.say(&["list"]);
    assert!(refused.code == 1 && refused.err.contains("others may read this"), "{}", refused.err);
}

#[test]
fn a_folder_that_is_named_is_the_users_own_and_serve_remembers_the_default_one() {
    let project = Project::new();
    shell(project.root.path(), "umask 077; mkdir -p .cloud-apps/keys elsewhere");
    fs::write(project.folder().join("keys/hello.json"), ring()).unwrap();
    shell(project.root.path(), "chmod 600 .cloud-apps/keys/hello.json");
    project.refuses();
    // To read it is no word on whose it is.
    let named = project.say(&["list", "--data", ".cloud-apps"]);
    assert_eq!(named.code, 3, "{}", named.err);
    project.serve(&["--data", "elsewhere"]);
    assert!(project.records().is_empty());
    project.refuses();
    project.serve(&["--data", project.folder().to_str().unwrap()]);
    assert_eq!(project.records().len(), 1);
    assert_eq!(fs::read_to_string(project.folder().join("keys/hello.json")).unwrap(), ring());
    project.serve(&[]);
}

#[test]
fn an_empty_folder_holds_nothing_to_believe_and_is_taken() {
    let project = Project::new();
    shell(project.root.path(), "umask 077; mkdir .cloud-apps");
    assert_eq!(project.say(&["list"]).code, 3);
    assert!(project.records().is_empty());
    project.serve(&[]);
    project.serve(&[]);
}

#[test]
fn without_a_place_for_the_record_the_folder_has_to_be_named() {
    let project = Project::new();
    let homeless = |arguments: &[&str]| {
        let mut command = project.program(arguments);
        // A relative path leads into the project.
        command.env("XDG_STATE_HOME", "state").env_remove("HOME");
        command
    };
    let refused = said(homeless(&SERVE).output().unwrap());
    assert_eq!(refused.code, 2, "{}", refused.err);
    for words in ["HOME", "XDG_STATE_HOME", "--data .cloud-apps"] {
        assert!(refused.err.contains(words), "{}", refused.err);
    }
    assert!(!project.folder().exists());
    let full = said(project.program(&SERVE).env("XDG_STATE_HOME", "/dev/null").output().unwrap());
    assert_eq!(full.code, 1, "{}", full.err);
    assert!(full.err.contains("/dev/null") && full.err.contains("--data .cloud-apps"), "{}", full.err);
    let named = [&SERVE[..], &["--data", ".cloud-apps"]].concat();
    Serving::of(homeless(&named), TempDir::new().unwrap()).end("-TERM");
    let refused = said(homeless(&["list"]).output().unwrap());
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert_eq!(said(homeless(&["list", "--data", ".cloud-apps"]).output().unwrap()).code, 3);
    assert_eq!(fs::read_dir(project.root.path()).unwrap().count(), 1, "nothing else was made");
}

/// The names of what a bundle keeps in its folder.
const NAMES: [&str; 12] = [
    "lock",
    "bundle.db",
    "bundle.db-wal",
    "bundle.db-shm",
    "bundle.db-journal",
    "keys",
    "keys/hello.json",
    "installing",
    "installing/hello@chat.example.com.json",
    "rotating",
    "demo.json",
    "operator.sock",
];

#[test]
fn links_are_refused_and_what_they_lead_to_is_neither_read_nor_changed_nor_made() {
    let outside = TempDir::new().unwrap();
    let folder = outside.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("hello.json"), ring()).unwrap();
    let nowhere = outside.path().join("nowhere");
    let before = listing(outside.path());
    for name in NAMES {
        for target in [&folder.join("hello.json"), &folder, &nowhere] {
            let data = super::private_folder();
            let link = data.path().join(name);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(target, &link).unwrap();
            let mut list = program();
            list.args(["list", "--data"]).arg(data.path());
            for mut command in [serve(data.path()), list] {
                let refused = said(command.output().unwrap());
                assert_eq!(refused.code, 1, "{name} → {target:?}: {}", refused.err);
                assert!(
                    refused.err.contains(name) && refused.err.contains("this is a link"),
                    "{}",
                    refused.err
                );
            }
            assert_eq!(fs::read_link(&link).unwrap(), *target);
            assert_eq!(listing(outside.path()), before, "{name} → {target:?}");
        }
    }
}

#[test]
fn the_default_folder_is_no_link() {
    let project = Project::new();
    project.serve(&[]);
    shell(project.root.path(), "mv .cloud-apps real");
    for target in ["real", "nowhere"] {
        symlink(target, project.folder()).unwrap();
        for arguments in EACH {
            let refused = project.say(arguments);
            assert_eq!(refused.code, 1, "{arguments:?}: {}{}", refused.out, refused.err);
            assert!(refused.err.contains("this is a link"), "{arguments:?}: {}", refused.err);
        }
        assert!(!project.root.path().join("nowhere").exists());
        fs::remove_file(project.folder()).unwrap();
    }
    // A link to one's own data may be named.
    symlink("real", project.folder()).unwrap();
    project.serve(&["--data", ".cloud-apps"]);
}

#[test]
fn files_that_others_may_read_are_not_believed_in_a_folder_that_was_named() {
    for name in ["keys/hello.json", "bundle.db"] {
        let folder = super::private_folder();
        fs::create_dir(folder.path().join("keys")).unwrap();
        fs::write(folder.path().join(name), ring()).unwrap();
        fs::set_permissions(folder.path().join(name), PermissionsExt::from_mode(0o644)).unwrap();
        let refused = said(serve(folder.path()).output().unwrap());
        assert_eq!(refused.code, 1, "{name}: {}", refused.err);
        assert!(
            refused.err.contains(name) && refused.err.contains("others may read this"),
            "{}",
            refused.err
        );
    }
}
