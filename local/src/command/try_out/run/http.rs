//! The HTTP client of `run`, what was given for it, and what its errors say.

use crate::{
    bounded::{self, Unread},
    certificates::{Authorities, CertificateFault, client_config},
    failure::Failure,
};
use cloud_apps_protocol::error::ErrorBody;
use std::{env, time::Duration};

/// Who types, if the bundle is elsewhere.
pub const WHO: &str = "who types: the id of a Mattermost user";

/// A client that trusts the system's authorities and these.
pub fn client(authorities: &Authorities) -> Result<reqwest::Client, Failure> {
    let tls = client_config(authorities)
        .map_err(|_| Failure::new("no certificate authorities are installed on this machine"))?;
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| Failure::new(format!("cannot make an HTTP client: {error}")))
}

/// The status and the body of an answer.
pub async fn read(response: reqwest::Response) -> Result<(u16, String), Failure> {
    let status = response.status().as_u16();
    let body = bounded::read(response).await.map_err(|unread| match unread {
        Unread::TooLong => Failure::new(bounded::TOO_LONG),
        Unread::Lost(_) => Failure::unreachable(
            "the connection broke off during the answer, or the answer took longer than 30 s",
        ),
    })?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

/// Nothing answered. `demo`: the local bundle or its demo was asked.
pub fn unreachable(url: &str, error: &reqwest::Error, demo: bool) -> Failure {
    if let Some(fault) = CertificateFault::behind(error) {
        return Failure::unreachable(format!("{url}: {fault}")).hint(fault.fix());
    }
    let why = if error.is_timeout() { "does not answer within 30 s" } else { "cannot be reached" };
    let failure = Failure::unreachable(format!("{url} {why}"));
    if demo {
        failure.hint("start the local bundle in another terminal: `make run`, or `cloud-apps serve`")
    } else {
        failure.hint("compare the address with the stack's output BaseUrl")
    }
}

/// A bundle refused the request.
pub fn refused(url: &str, status: u16, text: &str) -> Failure {
    match serde_json::from_str::<ErrorBody>(text) {
        Ok(ErrorBody { error }) => {
            let code = serde_json::to_value(error.code)
                .ok()
                .and_then(|code| code.as_str().map(str::to_owned))
                .unwrap_or_default();
            Failure::new(format!("{} ({status} {code})", error.message))
                .hint(format!("the request's id in the log is {}", error.request_id))
        }
        Err(_) => Failure::new(format!("{url} answers {status}, and not as a bundle does"))
            .hint("is it the address of a bundle? compare it with the stack's output BaseUrl"),
    }
}

/// What was given on the command line, or a failure that says it is missing.
pub fn given<'a>(value: Option<&'a String>, name: &str, what: &str) -> Result<&'a str, Failure> {
    value.map(String::as_str).ok_or_else(|| Failure::usage(format!("{name} is missing")).hint(what))
}

/// A variable of the environment, or a failure that says it is missing. Its value is a credential and stands in no message.
pub fn variable(name: &str, what: &str) -> Result<String, Failure> {
    let set = env::var(name).ok().filter(|value| !value.is_empty());
    set.ok_or_else(|| Failure::usage(format!("{name} is not set")).hint(what))
}
