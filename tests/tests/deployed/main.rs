//! The stack as it is deployed: the built template, by `sam deploy`, on an emulator of AWS; two Mattermost servers
//! with a private certificate authority; operators with the `cloud-apps` command.
//!
//! One stack serves all of these tests, in their order, and each test leaves it as it was. The calls that the functions
//! make to AWS are recorded, and compared with their rights when this program ends. A function is started for each
//! request, so nothing here tests a cache.

// All of this is tests. Clippy's exception for tests does not cover the functions that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod commands;
mod elsewhere;
mod installs;
mod life;
mod operators;
mod queues;
mod refusals;
mod server;
mod stack;
mod stored;
mod upkeep;
mod upstream;

use libtest_mimic::{Arguments, Failed, Trial};
use server::Server;
use stack::Stack;
use std::{error::Error, process::ExitCode, sync::Arc};
use tokio::runtime::Handle;

type Outcome = Result<(), Box<dyn Error>>;

/// The deployed stack and its tenants.
struct Stage {
    stack: Stack,
    /// A current Mattermost that speaks V2; hello is installed in two of its teams.
    today: Server,
    /// An unmodified 5.37 with a static token.
    old: Server,
}

impl Stage {
    async fn new() -> Result<Self, Box<dyn Error>> {
        let mut today = Server::today().await?;
        let mut old = Server::old().await?;
        let stack = Stack::deploy(&[today.ca_pem(), old.ca_pem()])?;
        stack.operator(&["register"])?;
        today.install(&stack).await?;
        old.install(&stack).await?;
        Ok(Self { stack, today, old })
    }
}

/// A test with the stage.
fn test<F>(stage: &Arc<Stage>, name: &str, run: impl FnOnce(Arc<Stage>) -> F + Send + 'static) -> Trial
where
    F: Future<Output = Outcome>,
{
    let (stage, handle) = (Arc::clone(stage), Handle::current());
    let run = move || handle.block_on(run(stage)).map_err(|error| Failed::from(error.to_string()));
    Trial::test(name, run)
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // These tests share one install.
    arguments.test_threads = Some(1);
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let _inside = runtime.enter();
    if arguments.list {
        println!("the tests are known once a stack is deployed: run this by `tests/rig/run.py deployed`");
        return ExitCode::SUCCESS;
    }
    let stage = match runtime.block_on(Stage::new()) {
        Ok(stage) => Arc::new(stage),
        Err(error) => {
            eprintln!("the stack cannot be tested: {error}");
            return ExitCode::FAILURE;
        }
    };
    let tests = [
        installs::tests(&stage),
        commands::tests(&stage),
        refusals::tests(&stage),
        operators::tests(&stage),
        queues::tests(&stage),
        upkeep::tests(&stage),
        upstream::tests(&stage),
        elsewhere::tests(&stage),
        // These look at what all other tests left.
        stored::tests(&stage),
        // These are the last, because they end the installs.
        life::tests(&stage),
    ];
    let conclusion = libtest_mimic::run(&arguments, tests.into_iter().flatten().collect());
    let ended = Arc::into_inner(stage).map(|stage| stage.stack.end());
    match ended {
        Some(Ok(())) => conclusion.exit_code(),
        Some(Err(error)) => {
            eprintln!("the stack did not end well: {error}");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("a test still holds the stack");
            ExitCode::FAILURE
        }
    }
}
