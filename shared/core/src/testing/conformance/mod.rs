//! What every implementation of a port must do, as cases whose names are sentences. A store's test passes a function that makes
//! an empty store. Each case gets its own store.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use cloud_apps_core::{testing::{conformance}, store::{memory::{Memory}}};
//! conformance::ledger(async || Memory::new()).await;
//! # }
//! ```

// This is test code that several crates share; a broken expectation has to panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc
)]

mod apps;
mod dead_letters;
pub mod functions;
mod keys;
mod ledger;
mod queue;
mod registry;
mod undo;

pub use apps::{apps_and_manage_codes, unread_manifests};
pub use dead_letters::dead_letters;
pub use functions::functions;
pub use keys::keys;
pub use ledger::ledger;
pub use queue::{Drained, consumer, drain, queue};
pub use registry::{installs_and_registry, unread_sites};
pub use undo::interrupted_undo;

use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc};
use tokio::sync::Barrier;

/// How many tasks run at the same time.
const RACERS: usize = 16;

/// Outcomes of the cases of one suite.
struct Cases {
    suite: &'static str,
    passed: usize,
    failed: Vec<&'static str>,
}

impl Cases {
    fn of(suite: &'static str) -> Self {
        Self { suite, passed: 0, failed: Vec::new() }
    }

    /// Runs a case. If it fails, the others run all the same.
    async fn run(&mut self, name: &'static str, case: impl Future<Output = ()>) {
        if AssertUnwindSafe(case).catch_unwind().await.is_ok() {
            self.passed += 1;
        } else {
            eprintln!("{}: failed: {}", self.suite, name.replace('_', " "));
            self.failed.push(name);
        }
    }

    fn end(self) {
        println!("{}: {} cases passed, {} failed", self.suite, self.passed, self.failed.len());
        assert!(self.failed.is_empty(), "{}: {}", self.suite, self.failed.join(", "));
    }
}

/// Keeps a case on the heap. Without optimization, the stack of a suite would otherwise hold every one of its cases at the same time.
#[inline(never)]
fn on_the_heap<F: Future<Output = ()>>(case: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(case())
}

/// Runs every case of a suite on a store of its own, each under its own name.
macro_rules! run_cases {
    ($suite:literal, $make:expr, [$($case:ident),* $(,)?]) => {
        let mut cases = $crate::testing::conformance::Cases::of($suite);
        $(cases.run(stringify!($case), $crate::testing::conformance::on_the_heap(|| async { $case($make().await).await })).await;)*
        cases.end();
    };
}
use run_cases;

/// Runs the same in 16 tasks that start at the same time, and collects their results.
async fn race<T, R>(racer: impl Fn(usize) -> R) -> Vec<T>
where
    T: Send + 'static,
    R: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(RACERS));
    let tasks: Vec<_> = (0..RACERS)
        .map(|n| {
            let (start, run) = (start.clone(), racer(n));
            tokio::spawn(async move {
                start.wait().await;
                run.await
            })
        })
        .collect();
    let mut outcomes = Vec::with_capacity(RACERS);
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use crate::{
        store::memory::Memory,
        testing::faults::{Fault, Faults, Faulty},
    };

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn memory_keeps_installs_and_the_registry() {
        installs_and_registry(async || Memory::new()).await;
    }

    #[tokio::test]
    async fn memory_lists_the_installs_beside_a_line_that_cannot_be_read() {
        let memory = Memory::new();
        unread_sites(memory.clone(), async |site| memory.spoil_site(sample::app(), site)).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn memory_keeps_apps_and_manage_codes() {
        apps_and_manage_codes(async || Memory::new()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn memory_keeps_the_ledger() {
        ledger(async || Memory::new()).await;
    }

    #[async_trait::async_trait]
    impl Drained for Memory {
        async fn drain(&self) -> Vec<String> {
            drain(self).await
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn memory_keeps_the_queue() {
        queue(async || Memory::new()).await;
        consumer(async || Memory::new()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn memory_keeps_dead_letters() {
        dead_letters(async || Memory::new()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn memory_keeps_keys() {
        keys(async || Memory::new()).await;
    }

    #[tokio::test]
    async fn memory_finishes_an_undo_that_was_cut_off() {
        for fault in [Fault::Before, Fault::After] {
            interrupted_undo(
                async || Memory::new(),
                |memory, n| {
                    let faults = Faults::at(n, fault);
                    (Faulty::new(memory.clone(), faults.clone()), move || faults.struck())
                },
            )
            .await;
        }
    }

    #[tokio::test]
    #[should_panic(expected = "a test: it_is_broken")]
    async fn a_broken_case_breaks_its_suite() {
        let mut cases = Cases::of("a test");
        cases.run("it_is_broken", async { panic!("as expected") }).await;
        cases.run("it_holds", async {}).await;
        assert_eq!((cases.passed, cases.failed.len()), (1, 1));
        cases.end();
    }
}
