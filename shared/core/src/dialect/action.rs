//! A click on a button or a menu in a post (section 14).
//!
//! Nothing makes buttons yet. A seal that the bundle made is verified, and the person who clicked is told.

use super::{Decoded, Dialect};
use crate::{
    authenticate::{Presented, Sender, seal::SealCredential},
    http::{Arrival, Refusal, Responder, Route},
    not_served::NotServed,
};
use bytes::Bytes;
use cloud_apps_protocol::{Answer, Code, Manifest, seal::SealKind};
use http::{Response, StatusCode};
use serde_json::json;

/// `POST /hooks/{install}/action`.
pub(super) struct Action;

impl Dialect for Action {
    fn presented<'a>(&self, arrival: &'a Arrival) -> Result<Presented<'a>, Refusal> {
        let Route::Action { install } = &arrival.route else { return Err(Refusal::no_route()) };
        Ok(Presented::Seal(SealCredential::of(arrival, install, SealKind::Action)?))
    }

    fn decode(&self, _: &Arrival, _: &Sender, _: &Manifest) -> Result<Decoded, Refusal> {
        Err(NotServed::Actions.refusal("Use the slash command instead."))
    }

    /// The table of section 14.2, column `action`. Everything but a forged seal is a 200, because Mattermost shows its user
    /// nothing of any other answer.
    fn render(&self, responder: &Responder, answer: Result<&Answer, &Refusal>) -> Response<Bytes> {
        let body = match answer {
            Ok(_) => json!({}),
            Err(refusal) if refusal.code == Code::Unauthorized => return responder.refuse(refusal),
            Err(refusal) => json!({ "ephemeral_text": refusal.message }),
        };
        responder.json(StatusCode::OK, &body)
    }
}
