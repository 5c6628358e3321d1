//! Tests an external app for `cloud-apps check` (section 15): it should answer the requests that a bundle sends, and refuse
//! requests that no bundle sent.
//!
//! The same client sends the requests as in a bundle, and the same code reads the answers. So a bundle understands an app that
//! passes.

mod request;
mod token;

pub use request::Sample;

use crate::mattermost::one_line;
use bytes::Bytes;
use cloud_app::http::{Error, Outbound, Policy};
use cloud_apps_core::apps::{NoAnswer, read_answer};
use cloud_apps_protocol::{Manifest, secret::Secret, text::shortened, token::UpstreamKid};
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
    /// What it did. It has the app's own words only of an answer that refuses.
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

/// Clocks that an app must bear: two clocks may be 30 s apart (section 2), and the way takes some time. A token lives for 60 s, so
/// the last one has just expired.
const CLOCKS: [(i64, &str); 3] =
    [(10, "10 s ahead"), (-10, "10 s behind"), (-70, "70 s behind, so it expired 10 s ago")];

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
    /// How many seconds the bundle's clock is ahead of the app's.
    ahead: i64,
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
        let (mut with_token, mut without) = (None, None);
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
            match (trial.flaw, &trial.expected) {
                (None, Expected::Answer) if with_token.is_none() => with_token = refusal(&answered),
                (Some(Flaw::Missing), _) if without.is_none() => without = refusal(&answered),
                _ => {}
            }
            outcomes.push(trial.judge(answered, &self.secret));
        }
        if with_token.is_some() && with_token == without {
            outcomes.push(no_difference());
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
                ahead: 0,
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
            for (ahead, clock) in CLOCKS {
                let name = format!("{name} with a token whose clock is {clock}");
                trials.push(Trial { ahead, ..good(name, Sample::command(manifest, command)) });
            }
        }
        for function in request::lifecycle(manifest) {
            trials.push(Trial {
                name: format!("{function} of the lifecycle"),
                sample: Sample::lifecycle(manifest, function),
                flaw: None,
                ahead: 0,
                expected: Expected::Answer,
                required: true,
            });
        }
        trials.push(Trial {
            name: "a function that the app does not have".to_owned(),
            sample: Sample::unknown(manifest),
            flaw: None,
            ahead: 0,
            expected: Expected::Unknown,
            required: true,
        });
        for sample in Sample::each(manifest) {
            trials.extend(FLAWS.into_iter().map(|flaw| Trial {
                name: format!("{}: {}", sample.function(), flaw.name()),
                sample: sample.clone(),
                flaw: Some(flaw),
                ahead: 0,
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
        let signed_at = seconds.saturating_add_signed(trial.ahead);
        let claims = trial.sample.claims(&self.manifest.id, &body, signed_at);
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

/// The status and the body of an answer that refuses.
fn refusal(answered: &Result<Response<Bytes>, Error>) -> Option<(u16, Bytes)> {
    let response = answered.as_ref().ok()?;
    let status = response.status().as_u16();
    matches!(status, 401 | 403).then(|| (status, response.body().clone()))
}

/// The app cannot tell a good token from none.
fn no_difference() -> Outcome {
    Outcome {
        check: "the header Authorization arrives at the app".to_owned(),
        ok: false,
        required: true,
        expected: "different answers".to_owned(),
        got: "a good token and none are answered alike: does something on the way drop the header?"
            .to_owned(),
    }
}

/// What an app says to its refusal, in one line: the words for which its author looks in the code. An app that shows its secret
/// there is not repeated.
fn own_words(response: &Response<Bytes>, secret: &Secret) -> String {
    let text = one_line(&String::from_utf8_lossy(response.body()));
    if text.is_empty() || text.contains(secret.to_base64url().as_str()) {
        return String::new();
    }
    format!(", and says: {}", shortened(&text, 200))
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
    fn judge(self, answered: Result<Response<Bytes>, Error>, secret: &Secret) -> Outcome {
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
                    (Expected::Answer, Err(NoAnswer::Refused(status))) => (
                        false,
                        format!("{status}: it did not accept the token{}", own_words(&response, secret)),
                    ),
                    (Expected::Answer, Err(trouble)) => (false, trouble.to_string()),
                    (Expected::Unknown, _) => (status == 404, status.to_string()),
                    (Expected::Refusal, _) => (matches!(status, 401 | 403), status.to_string()),
                }
            }
        };
        Outcome { check: self.name, ok, required: self.required, expected: expected.to_owned(), got }
    }
}
