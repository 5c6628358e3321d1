//! The functions as programs, with stubs of Lambda's runtime API and of the services that they call: what they log, and
//! what they answer to malformed events.
//!
//! A function is this program itself, started with the name of the function, or a bootstrap in the folder that
//! `CLOUD_APPS_FUNCTIONS` names (`.aws-sam/build`).

// All of this is tests. Clippy's exception for tests does not cover the functions that they share.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod logs;
mod odd;
mod stage;

use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;

/// The variable that says which function this process is, if it is one.
const FUNCTION: &str = "FUNCTION";

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Ok(name) = std::env::var(FUNCTION) {
        return runtime.block_on(function(&name)).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let _entered = runtime.enter();
    let trial = |name: &str, run: fn() -> Result<(), Failed>| Trial::test(name, run);
    let trials = vec![
        trial("no_function_logs_a_secret_at_any_level", || block(logs::of_functions())),
        trial("no_call_of_aws_logs_a_secret_at_any_level", || block(logs::of_calls())),
        trial("lines_of_apps_follow_the_level", || block(logs::of_apps())),
        trial("a_panic_is_told_without_what_it_repeats", || block(logs::of_panics())),
        trial("every_event_has_an_answer", || block(odd::events())),
        trial("a_batch_that_is_none_is_refused_without_its_content", || block(odd::batches())),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A runtime for one test, whose stubs end with it.
fn block(test: impl Future<Output = Result<(), String>>) -> Result<(), Failed> {
    tokio::runtime::Runtime::new().unwrap().block_on(test).map_err(Failed::from)
}

async fn function(name: &str) -> Result<(), lambda_runtime::Error> {
    use cloud_apps_aws::run;
    match name {
        "CommandFunction" => run::command(linked_apps::all()).await,
        "AutocompleteFunction" => run::autocomplete(linked_apps::all()).await,
        "EventFunction" => run::event().await,
        "DeliverFunction" => run::deliver(linked_apps::all()).await,
        "InstallFunction" => run::install(linked_apps::all()).await,
        "Calls" => {
            logs::call_everything().await;
            Ok(())
        }
        "App" => {
            logs::write_as_an_app();
            Ok(())
        }
        "Panic" => {
            logs::panic();
            Ok(())
        }
        _ => Err(format!("no function {name}").into()),
    }
}
