//! Installing from a bundle that one has no rights at but a code.

use super::rig::{Rig, To};
use cloud_apps::install::{self, bundle::Rights};
use cloud_apps_standin::{Fault, Version};

/// How many calls go to each side.
async fn calls() -> (usize, usize) {
    let rig = Rig::new(Version::V11).await;
    let installer = rig.installer_by(Rights::Code(rig.code().await));
    install::install(&installer, &rig.request()).await.unwrap();
    (rig.mattermost.calls().len(), rig.http.calls())
}

#[tokio::test]
async fn an_install_code_is_enough() {
    for version in [Version::V5_37, Version::V11, Version::V12] {
        let rig = Rig::new(version).await;
        let before = rig.mattermost.snapshot();
        let installer = rig.installer_by(Rights::Code(rig.code().await));
        install::install(&installer, &rig.request()).await.unwrap_or_else(|stop| panic!("{stop:?}"));
        rig.assert_it_is_whole(&before, "by a code").await;
        assert_eq!(rig.operator.calls(), 0);
    }
}

#[tokio::test]
async fn a_code_that_is_not_good_is_told_before_anything_is_made() {
    let rig = Rig::new(Version::V11).await;
    let before = rig.mattermost.snapshot();
    let installer = rig.installer_by(Rights::Code("A".repeat(43).into()));
    let stop = install::install(&installer, &rig.request()).await.expect_err("the code is nobody's");
    let text = stop.failure(&installer.admin.server, &installer.bundle).text();
    assert!(text.contains("This needs an install code or a manage code that is good here"), "{text}");
    rig.assert_nothing_is_left(&before, "a bad code").await;
}

/// Whatever fails: with the same code the next run makes it whole. What was taken back on the server is taken back;
/// what is pending at the bundle serves nothing and goes with its code.
#[tokio::test]
async fn whatever_fails_the_same_code_makes_it_whole() {
    let faults = [Fault::Status(500), Fault::Cut, Fault::CutAfter];
    let (server, bundle) = calls().await;
    let server = (1..=server).map(|nth| (To::Mattermost, nth));
    for (to, nth) in server.chain((1..=bundle).map(|nth| (To::Bundle, nth))) {
        for fault in faults {
            for keep in [true, false] {
                let case = format!("call {nth} to {to:?}, {fault:?}, keep {keep}");
                let rig = Rig::new(Version::V11).await;
                let before = rig.mattermost.snapshot();
                let code = rig.code().await;
                rig.order(to, nth, fault);
                let mut request = rig.request();
                request.keep = keep;
                let installer = rig.installer_by(Rights::Code(code.clone()));
                let failed = install::install(&installer, &request).await.is_err();
                if failed && !rig.unfinished() {
                    let left = before.in_use().difference(&rig.mattermost.snapshot().in_use());
                    assert!(left.is_empty(), "{case}: {left:#?}\n{}", rig.person.text());
                }
                rig.clear();
                if failed {
                    let installer = rig.installer_by(Rights::Code(code));
                    install::install(&installer, &request)
                        .await
                        .unwrap_or_else(|stop| panic!("{case}: {stop:?}\n{}", rig.person.text()));
                }
                rig.assert_it_is_whole(&before, &case).await;
            }
        }
    }
}
