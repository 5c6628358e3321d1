//! `cloud-apps run`: a line as a user types it, and what the user sees.

mod http;
mod options;
mod show;
mod signed;
mod slash;

pub use options::Run;

use crate::{demo::Credentials, failure::Failure};
use std::process::ExitCode;

/// Sends the line and shows the answer.
pub async fn run(arguments: Run) -> Result<ExitCode, Failure> {
    let http = http::client(&arguments.authorities)?;
    if let Some(url) = &arguments.slash_url {
        return slash::elsewhere(&http, url, &arguments).await;
    }
    if let Some(url) = &arguments.bundle {
        return signed::send(&http, &signed::Sender::from_env(url, &arguments)?, &arguments).await;
    }
    if arguments.team.is_some() {
        return Err(Failure::usage("--team is only for a bundle elsewhere")
            .hint("leave it out, or add --bundle URL, or --slash --slash-url URL"));
    }
    let demo = Credentials::read(&arguments.data.files()?)?;
    if arguments.slash {
        slash::in_demo(&http, &demo, &arguments).await
    } else {
        signed::send(&http, &signed::Sender::of_demo(&demo, &arguments)?, &arguments).await
    }
}
