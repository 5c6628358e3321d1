//! Reading the answer of an app that runs elsewhere. Only a 200 with JSON is an answer. Nothing of any other body is repeated
//! to a user or in the log, because it may have the token that the app got.

use super::no_answer::NoAnswer;
use bytes::Bytes;
use cloud_apps_protocol::{Answer, Code, answer::Kind, form::Form, limits};
use http::{Response, header};

/// What an app answered, over HTTP or through Lambda.
pub(super) struct Reply {
    pub status: u16,
    /// Its `Content-Type`.
    pub media: String,
    /// Its `Content-Encoding`.
    pub encoding: String,
    pub body: Bytes,
}

impl Reply {
    /// An HTTP response.
    pub fn of(response: &Response<Bytes>) -> Self {
        let text = |name| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        Self {
            status: response.status().as_u16(),
            media: text(header::CONTENT_TYPE),
            encoding: text(header::CONTENT_ENCODING),
            body: response.body().clone(),
        }
    }
}

/// Reads the answer of an app's service as the bundle does.
pub fn read_answer(response: &Response<Bytes>) -> Result<Answer, NoAnswer> {
    read(&Reply::of(response))
}

/// Reads the answer, if it is one.
pub(super) fn read(reply: &Reply) -> Result<Answer, NoAnswer> {
    match reply.status {
        200 => {}
        refused @ (401 | 403) => return Err(NoAnswer::Refused(refused)),
        moved @ 300..=399 => {
            return Err(NoAnswer::failed(format!("it answered {moved}, and redirects are not followed")));
        }
        404 => return Err(NoAnswer::failed("it answered 404: it does not have the function at its address")),
        other => return Err(NoAnswer::failed(format!("it answered {other}"))),
    }
    if reply.body.len() > limits::BODY {
        return Err(NoAnswer::TooLarge);
    }
    // The bundle did not ask for compression, and a compressed answer could become too large.
    if !matches!(reply.encoding.as_str(), "" | "identity") {
        return Err(NoAnswer::failed("its answer is compressed, which nobody asked for"));
    }
    let essence = reply.media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence != "application/json" && !essence.ends_with("+json") {
        return Err(NoAnswer::failed("its answer is not marked as JSON (Content-Type: application/json)"));
    }
    let answer = Answer::read(&reply.body).map_err(|error| match error.error.code {
        Code::BadJson => NoAnswer::failed(error.error.message),
        _ => NoAnswer::BadAnswer(error.error.message),
    })?;
    fits(&answer)?;
    Ok(answer)
}

/// Checks the limits of section 20.
fn fits(answer: &Answer) -> Result<(), NoAnswer> {
    let (Kind::Form { form } | Kind::Ask { form }) = &answer.kind else { return Ok(()) };
    let Form { fields, .. } = form;
    if fields.len() > limits::FIELDS {
        let message = format!("its form has {} fields, at most {} are allowed", fields.len(), limits::FIELDS);
        return Err(NoAnswer::BadAnswer(message));
    }
    if fields.iter().any(|field| field.options.len() > limits::OPTIONS) {
        let message = format!("a field of its form has more than {} options", limits::OPTIONS);
        return Err(NoAnswer::BadAnswer(message));
    }
    Ok(())
}
