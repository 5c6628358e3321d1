//! Tests an external app for `cloud-apps check` (section 15): it should answer the requests that a bundle sends, and refuse
//! requests that no bundle sent.
//!
//! The same client sends the requests as in a bundle, and the same code reads the answers. So a bundle understands an app that
//! passes.

mod request;
mod token;

pub use request::Sample;

use bytes::Bytes;
use cloud_app::http::{Error, Outbound, Policy};
use cloud_apps_core::apps::{NoAnswer, read_answer};
use cloud_apps_protocol::{Manifest, secret::Secret, token::UpstreamKid};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use serde::Serialize;
use std::time::Duration;
use token::{FLAWS, Flaw};

/// How long a function may take, as in a bundle.
const PATIENCE: Duration = Duration::from_secs(8);

/// One request, and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// What was tried, in words.
    pub check: String,
    /// Whether the app did as it should.
    pub ok: bool,
    /// Whether it is a fault if the app did not. Otherwise it is only a recommendation.
    pub required: bool,
    /// What it should have done.
    pub expected: String,
    /// What it did. Never holds anything from a body.
    pub got: String,
}

/// What an app is checked with.
pub struct Check {
    /// Where it runs: its functions are at `{url}/{function}`.
    pub url: String,
    /// Its manifest.
    pub manifest: Manifest,
    /// The name of its secret.
    pub kid: UpstreamKid,
    /// The secret.
    pub secret: Secret,
    /// The PEM of authorities that are trusted besides the public ones.
    pub more_authorities: Option<String>,
}

/// What the app should do.
enum Expected {
    /// Answer with a 200 and an answer of the protocol.
    Answer,
    /// Answer 404: it does not have the function.
    Unknown,
    /// Refuse with 401 or 403.
    Refusal,
}

/// One request to send.
struct Trial {
    name: String,
    sample: Sample,
    flaw: Option<Flaw>,
    expected: Expected,
    required: bool,
}

impl Check {
    /// Sends all requests, one after the other. `Err` if nothing answers there at all.
    pub async fn run(&self, now: impl Fn() -> u64) -> Result<Vec<Outcome>, Error> {
        let everywhere = ["0.0.0.0/0", "::/0"].into_iter().filter_map(|net| net.parse().ok()).collect();
        let extra_certificates = self.more_authorities.clone();
        let http = Outbound::new(Policy { allowed_networks: everywhere, extra_certificates, loopback: true });
        let mut outcomes = Vec::new();
        for trial in self.trials() {
            let seconds = now() / 1000;
            let sent = self.written(&trial, seconds);
            let first = http.send(sent.clone(), PATIENCE).await;
            if let (
                true,
                Err(
                    Error::Connect { .. }
                    | Error::NotFound { .. }
                    | Error::Scheme { .. }
                    | Error::Certificate { .. },
                ),
            ) = (outcomes.is_empty(), &first)
            {
                first?;
                continue;
            }
            let answered =
                if trial.flaw == Some(Flaw::Replayed) { http.send(sent, PATIENCE).await } else { first };
            outcomes.push(trial.judge(answered));
        }
        Ok(outcomes)
    }

    fn trials(&self) -> Vec<Trial> {
        let manifest = &self.manifest;
        let mut trials = Vec::new();
        for command in &manifest.commands {
            let name = &command.function;
            let good = |name: String, sample| Trial {
                name,
                sample,
                flaw: None,
                expected: Expected::Answer,
                required: true,
            };
            trials.push(good(format!("{name}"), Sample::command(manifest, command)));
            trials.push(good(
                format!("{name} with nothing that is optional"),
                Sample::command(manifest, command).bare(command),
            ));
            trials.push(good(
                format!("{name} for a user whom nobody proved (no sub)"),
                Sample::command(manifest, command).unproved(),
            ));
            trials.push(good(
                format!("{name} with a line of 16,000 characters"),
                Sample::command(manifest, command).huge(command),
            ));
            trials.push(good(
                format!("{name} with keys that nobody knows yet"),
                Sample::command(manifest, command).from_the_future(),
            ));
        }
        for function in request::lifecycle(manifest) {
            trials.push(Trial {
                name: format!("{function} of the lifecycle"),
                sample: Sample::lifecycle(manifest, function),
                flaw: None,
                expected: Expected::Answer,
                required: true,
            });
        }
        trials.push(Trial {
            name: "a function that the app does not have".to_owned(),
            sample: Sample::unknown(manifest),
            flaw: None,
            expected: Expected::Unknown,
            required: true,
        });
        for sample in Sample::each(manifest) {
            trials.extend(FLAWS.into_iter().map(|flaw| Trial {
                name: format!("{}: {}", sample.function(), flaw.name()),
                sample: sample.clone(),
                flaw: Some(flaw),
                expected: Expected::Refusal,
                // A service of many processes needs a store to know this, and the bundle never sends a token twice.
                required: flaw != Flaw::Replayed,
            }));
        }
        trials
    }

    fn written(&self, trial: &Trial, seconds: u64) -> Request<Bytes> {
        let function = trial.sample.function();
        let body = trial.sample.body(seconds);
        let claims = trial.sample.claims(&self.manifest.id, &body, seconds);
        let authorization = token::authorization(trial.flaw, &self.kid, &self.secret, claims);
        let body = if trial.flaw == Some(Flaw::AlteredBody) { [&body[..], b" "].concat() } else { body };
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = http::Method::POST;
        // The client refuses a wrong address, and says why.
        *request.uri_mut() = format!("{}/{function}", self.url).parse().unwrap_or_default();
        *request.headers_mut() = headers(authorization, &trial.sample, seconds);
        request
    }
}

fn headers(authorization: Option<String>, sample: &Sample, seconds: u64) -> HeaderMap {
    let all = [
        ("authorization", authorization),
        ("content-type", Some("application/json".to_owned())),
        ("accept", Some("application/json".to_owned())),
        ("cloud-apps-delivery", Some(sample.delivery())),
        ("cloud-apps-attempt", Some("1".to_owned())),
        ("cloud-apps-deadline", Some(((seconds + PATIENCE.as_secs()) * 1000).to_string())),
        ("traceparent", Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned())),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in all {
        if let (name, Some(Ok(value))) = (HeaderName::from_static(name), value.map(HeaderValue::try_from)) {
            headers.insert(name, value);
        }
    }
    headers
}

impl Trial {
    fn judge(self, answered: Result<Response<Bytes>, Error>) -> Outcome {
        let expected = match self.expected {
            Expected::Answer => "a 200 with Content-Type: application/json and an answer (section 4)",
            Expected::Unknown => "a 404",
            Expected::Refusal => "a 401",
        };
        let (ok, got) = match answered {
            Err(error) => (false, error.to_string()),
            Ok(response) => {
                let status = response.status().as_u16();
                match (&self.expected, read_answer(&response)) {
                    (Expected::Answer, Ok(_)) => (true, "an answer".to_owned()),
                    (Expected::Answer, Err(NoAnswer::Refused(status))) => {
                        (false, format!("{status}: it did not accept the token"))
                    }
                    (Expected::Answer, Err(trouble)) => (false, trouble.to_string()),
                    (Expected::Unknown, _) => (status == 404, status.to_string()),
                    (Expected::Refusal, _) => (matches!(status, 401 | 403), status.to_string()),
                }
            }
        };
        Outcome { check: self.name, ok, required: self.required, expected: expected.to_owned(), got }
    }
}
