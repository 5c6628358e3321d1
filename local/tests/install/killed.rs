//! What becomes of an installation whose process ends before it does.

use super::program::{Site, command_call, waiting};
use crate::Serving;
use cloud_apps_standin::Fault;
use std::process::Command;

#[test]
fn a_killed_install_goes_on_or_is_taken_back() {
    let nth = command_call();
    for (fault, undo) in
        [(Fault::Hang, false), (Fault::HangAfter, false), (Fault::Hang, true), (Fault::HangAfter, true)]
    {
        let (site, bundle) = (Site::new(), Serving::without_demo());
        let before = site.mattermost.snapshot();
        let mut child = waiting(&site, &bundle, nth, fault);
        child.kill().unwrap();
        child.wait().unwrap();
        if undo {
            let undone = site.install(&bundle, &["--undo"]);
            assert_eq!(undone.code, 0, "{}{}", undone.out, undone.err);
            assert!(site.left(&before).is_empty(), "{:?}", site.left(&before));
        } else {
            let again = site.install(&bundle, &["--yes"]);
            assert_eq!(again.code, 0, "{}{}", again.out, again.err);
            assert!(site.help().contains("greet"));
        }
    }
}

#[test]
fn ctrl_c_takes_back_what_was_made_and_a_second_one_stops_at_once() {
    let nth = command_call();
    let (site, bundle) = (Site::new(), Serving::without_demo());
    let before = site.mattermost.snapshot();
    let mut child = waiting(&site, &bundle, nth, Fault::Hang);
    let id = child.id().to_string();
    let interrupt = || assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    interrupt();
    let mut err = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("Ctrl-C again stops at once.") {
        assert!(std::io::BufRead::read_line(&mut err, &mut said).unwrap() > 0, "{said}");
    }
    interrupt();
    std::io::Read::read_to_string(&mut err, &mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(said.contains("continues it") && said.contains("--undo"), "{said}");
    assert!(!site.left(&before).is_empty(), "it stopped at once");
    assert_eq!(site.install(&bundle, &["--undo"]).code, 0);
    assert!(site.left(&before).is_empty(), "{:?}", site.left(&before));
}
