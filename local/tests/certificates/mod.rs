//! Servers and bundles whose certificate comes from a private authority: reached with `--ca`, and refused without it, in words
//! that say what to do.

use crate::{Said, Serving, install::program::Site, private_folder, program, said, serve};
use std::process::Stdio;
use tempfile::NamedTempFile;

/// The name of the stand-in's authority.
const AUTHORITY: &str = "\"Mattermost stand-in\"";

fn file(content: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

/// A local bundle that trusts an authority.
fn serving(ca: &NamedTempFile) -> Serving {
    let folder = private_folder();
    let mut command = serve(folder.path());
    command.args(["--no-demo", "--ca", path(ca)]);
    Serving::of(command, folder)
}

/// The command without the authority, with `--ca`, and with the variable.
fn thrice(site: &Site, bundle: &Serving, ca: &NamedTempFile, arguments: &[&str]) -> [Said; 3] {
    let without = site.say(bundle, arguments);
    let option = site.say(bundle, &[arguments, &["--ca", path(ca)]].concat());
    let variable = said(site.command(bundle, arguments).env("CLOUD_APPS_CA", ca.path()).output().unwrap());
    [without, option, variable]
}

fn refused(said: &Said) {
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    assert!(said.err.contains(&format!("comes from {AUTHORITY}")), "{}", said.err);
    assert!(said.err.contains("--ca FILE, or CLOUD_APPS_CA"), "{}", said.err);
    assert!(!said.err.contains("again in"), "it is not tried again: {}", said.err);
}

#[test]
fn the_whole_life_of_an_install_on_a_server_of_a_private_authority() {
    let site = Site::of_a_private_authority();
    let ca = file(site.ca_pem());
    let bundle = serving(&ca);

    let install = ["install", "hello", "--site", site.url(), "--team", "demo", "--yes"];
    refused(&site.say(&bundle, &install));
    let installed = site.say(&bundle, &[&install[..], &["--ca", path(&ca)]].concat());
    assert_eq!(installed.code, 0, "{}{}", installed.out, installed.err);
    // The bundle itself calls the server: with the bot's token it posts.
    assert!(site.typed("/hello greet @bob --public").contains("@bob"));

    let of = |command: &'static str| [command, "hello", "--site", site.url()];
    let [without, option, variable] = thrice(&site, &bundle, &ca, &of("sync"));
    refused(&without);
    for right in [option, variable] {
        assert_eq!(right.code, 0, "{}{}", right.out, right.err);
    }
    let [without, option, variable] = thrice(&site, &bundle, &ca, &of("doctor"));
    assert_eq!(without.code, 1, "{}", without.out);
    assert!(without.out.contains(AUTHORITY) && without.out.contains("--ca FILE"), "{}", without.out);
    for right in [option, variable] {
        assert_eq!(right.code, 0, "{}{}", right.out, right.err);
    }
    let uninstall = ["uninstall", "hello", "--site", site.url(), "--yes"];
    let [without, option, _] = thrice(&site, &bundle, &ca, &uninstall);
    refused(&without);
    assert_eq!(option.code, 0, "{}{}", option.out, option.err);
}

#[test]
fn the_log_of_a_local_bundle_without_the_authority_says_which_option_it_needs() {
    let site = Site::of_a_private_authority();
    let (ca, bundle) = (file(site.ca_pem()), Serving::without_demo());
    let install = ["install", "hello", "--site", site.url(), "--team", "demo", "--yes", "--ca", path(&ca)];
    let installed = site.say(&bundle, &install);
    assert_eq!(installed.code, 0, "{}{}", installed.out, installed.err);
    site.typed("/hello greet @bob --public");
    let (_folder, log, _) = bundle.end("-TERM");
    assert!(log.contains("its authority is unknown"), "{log}");
    assert!(log.contains("--ca of `cloud-apps`"), "{log}");
}

/// The stand-in listens where a bundle should, so an answer that is not a bundle's shows that the certificate was trusted.
#[test]
fn bundles_and_apps_of_a_private_authority_are_reached_with_it_alone() {
    let site = Site::of_a_private_authority();
    let ca = file(site.ca_pem());
    let manifest =
        file(r#"{ "protocol": 2, "id": "elsewhere", "version": "1.0.0", "display_name": "Elsewhere" }"#);
    let user = "u".repeat(26);
    let run = ["run", "/hello help", "--bundle", site.url(), "--site", site.url(), "--user", &user];
    let list = ["show", &"i".repeat(26), "--bundle", site.url()];
    let check = ["check", site.url(), "--manifest", path(&manifest)];
    let cleanup = ["cleanup", "--site", site.url(), "--bundle", site.url(), "--yes"];
    let call = |arguments: &[&str], ca: Option<&NamedTempFile>| {
        let mut command = program();
        command.args(arguments).stdin(Stdio::null());
        command.env("CLOUD_APPS_KID", format!("hello.1.{}.1", "i".repeat(26)));
        command.env("CLOUD_APPS_UPSTREAM_KID", "elsewhere.1.upstream.1");
        for secret in ["CLOUD_APPS_SECRET", "CLOUD_APPS_UPSTREAM_SECRET", "CLOUD_APPS_CODE"] {
            command.env(secret, "A".repeat(43));
        }
        command.env("CLOUD_APPS_ADMIN_TOKEN", "t".repeat(26));
        command.args(ca.into_iter().flat_map(|ca| ["--ca", path(ca)]));
        said(command.output().unwrap())
    };
    for arguments in [&run[..], &list, &check, &cleanup] {
        refused(&call(arguments, None));
        let trusted = call(arguments, Some(&ca));
        assert!(!trusted.err.contains("certificate"), "{}", trusted.err);
        assert_eq!(trusted.code, 1, "{arguments:?}: {}{}", trusted.out, trusted.err);
    }
}

/// As after an authority got a new key.
#[test]
fn another_authority_of_the_same_name_is_no_help() {
    let (site, other) = (Site::of_a_private_authority(), Site::of_a_private_authority());
    let (ca, bundle) = (file(other.ca_pem()), Serving::without_demo());
    let install = ["install", "hello", "--site", site.url(), "--team", "demo", "--yes", "--ca", path(&ca)];
    let refused = site.say(&bundle, &install);
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(
        refused.err.contains(&format!("{AUTHORITY}, and not from the authority of that name")),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("may have a new certificate"), "{}", refused.err);
}

#[test]
fn a_file_that_is_no_authority_is_refused_before_anything_is_called() {
    let key = rcgen::KeyPair::generate().unwrap();
    let key = file(&key.serialize_pem());
    let empty = file("");
    for (ca, says) in [
        (path(&key), "a private key, and no certificate"),
        (path(&empty), "the file is empty"),
        ("/nowhere/ca.pem", "the file cannot be read"),
        ("", "no file is named"),
    ] {
        for refused in [
            said(program().args(["list", "--ca", ca]).output().unwrap()),
            said(program().args(["list"]).env("CLOUD_APPS_CA", ca).output().unwrap()),
        ] {
            assert_eq!(refused.code, 2, "{}", refused.err);
            assert!(refused.err.contains(says), "{says}: {}", refused.err);
        }
    }
}
