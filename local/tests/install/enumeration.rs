//! Every call of an installation failing in every way, by counting the calls: a step that is added is covered.

use super::rig::{Rig, To};
use cloud_apps::install::{self, Patience, Stop};
use cloud_apps_standin::{Fault, Version};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What can happen to a call to the server.
const FAULTS: [Fault; 8] = [
    Fault::Status(403),
    Fault::Status(501),
    Fault::Status(500),
    Fault::Status(429),
    Fault::Html(502),
    Fault::HangAfter,
    Fault::Cut,
    Fault::CutAfter,
];

const TO: [To; 3] = [To::Mattermost, To::Bundle, To::Operator];

/// The calls of a run that goes well.
async fn calls(version: Version, to: To) -> usize {
    let rig = Rig::new(version).await;
    let before = rig.calls_to(to);
    rig.install().await.unwrap();
    rig.calls_to(to) - before
}

/// What is over when the call is made again.
const PASSING: [Fault; 4] = [Fault::Status(500), Fault::Html(502), Fault::TooMany(0), Fault::CutAfter];

/// A call that had its effect, and one that had none: all that the next run can find.
const EFFECTS: [Fault; 2] = [Fault::Cut, Fault::CutAfter];

/// Runs `case` for every call, every place and every fault.
async fn for_every_call(version: Version, faults: &[Fault], case: impl AsyncFn(&Rig, &str)) {
    for to in TO {
        for nth in 1..=calls(version, to).await {
            for fault in faults {
                let rig = Rig::new(version).await;
                rig.order(to, nth, *fault);
                case(&rig, &format!("call {nth} to {to:?}, {fault:?}")).await;
            }
        }
    }
}

#[tokio::test]
async fn a_run_that_fails_leaves_nothing_and_the_next_one_is_whole() {
    for_every_call(Version::V11, &FAULTS, async |rig, case| {
        let before = rig.mattermost.snapshot();
        if rig.install().await.is_err() && !rig.unfinished() {
            rig.assert_nothing_is_left(&before, case).await;
        }
        rig.clear();
        if rig.install_at_the_bundle().await.is_none_or(|install| install.state != "active") {
            rig.install().await.unwrap_or_else(|stop| panic!("{case}: {stop:?}\n{}", rig.person.text()));
        }
        rig.assert_it_is_whole(&before, case).await;
    })
    .await;
}

#[tokio::test]
async fn a_run_that_is_kept_goes_on_where_it_was() {
    for_every_call(Version::V5_37, &EFFECTS, async |rig, case| {
        let before = rig.mattermost.snapshot();
        let mut request = rig.request();
        request.keep = true;
        let failed = install::install(&rig.installer(), &request).await.is_err();
        rig.clear();
        if failed {
            rig.install().await.unwrap_or_else(|stop| panic!("{case}: {stop:?}\n{}", rig.person.text()));
        }
        rig.assert_it_is_whole(&before, case).await;
    })
    .await;
}

#[tokio::test]
async fn a_run_that_is_kept_is_taken_back() {
    for_every_call(Version::V11, &EFFECTS, async |rig, case| {
        let before = rig.mattermost.snapshot();
        let mut request = rig.request();
        request.keep = true;
        let failed = install::install(&rig.installer(), &request).await.is_err();
        rig.clear();
        if failed {
            install::undo(&rig.installer(), &request)
                .await
                .unwrap_or_else(|stop| panic!("{case}: {stop:?}\n{}", rig.person.text()));
            rig.assert_nothing_is_left(&before, case).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_trouble_that_passes_is_ridden_out() {
    for_every_call(Version::V5_37, &PASSING, async |rig, case| {
        let before = rig.mattermost.snapshot();
        let mut installer = rig.installer();
        installer.admin.patience = Patience { tries: 2, pause: Duration::ZERO };
        let outcome = install::install(&installer, &rig.request()).await;
        outcome.unwrap_or_else(|stop| panic!("{case}: {stop:?}\n{}", rig.person.text()));
        rig.assert_it_is_whole(&before, case).await;
    })
    .await;
}

#[tokio::test]
async fn ctrl_c_at_any_call_leaves_nothing_or_all() {
    for nth in 1..=calls(Version::V11, To::Mattermost).await {
        let rig = Rig::new(Version::V11).await;
        let before = rig.mattermost.snapshot();
        let interrupt = CancellationToken::new();
        let mut installer = rig.installer();
        installer.admin.interrupt = interrupt.clone();
        let pressing = async {
            while rig.calls_to(To::Mattermost) < nth {
                tokio::task::yield_now().await;
            }
            interrupt.cancel();
        };
        let request = rig.request();
        match tokio::join!(install::install(&installer, &request), pressing).0 {
            Ok(_) => rig.assert_it_is_whole(&before, &format!("Ctrl-C at call {nth}")).await,
            Err(Stop::Interrupted) => {
                rig.assert_nothing_is_left(&before, &format!("Ctrl-C at call {nth}")).await;
            }
            Err(other) => panic!("Ctrl-C at call {nth}: {other:?}"),
        }
    }
}
