//! A dialog that was submitted or cancelled (section 14).
//!
//! Nothing opens dialogs yet. A seal that the bundle made is verified, and the person is told.

use super::{Decoded, Dialect};
use crate::{
    authenticate::{Presented, Sender, seal::SealCredential},
    finish::Finished,
    http::{Arrival, Refusal, Responder, Route},
    not_served::NotServed,
};
use bytes::Bytes;
use cloud_apps_protocol::{Code, Manifest, seal::SealKind};
use http::{Response, StatusCode};
use serde_json::json;

/// `POST /hooks/{install}/dialog`.
pub(super) struct Dialog;

impl Dialect for Dialog {
    fn presented<'a>(&self, arrival: &'a Arrival) -> Result<Presented<'a>, Refusal> {
        let Route::Dialog { install } = &arrival.route else { return Err(Refusal::no_route()) };
        Ok(Presented::Seal(SealCredential::of(arrival, install, SealKind::Dialog)?))
    }

    fn decode(&self, _: &Arrival, _: &Sender, _: &Manifest) -> Result<Decoded, Refusal> {
        Err(NotServed::Dialogs.refusal("Use the slash command instead."))
    }

    /// The table of section 14.2, column `dialog submit`. Only a forged seal is not a 200, because Mattermost shows its
    /// user nothing else.
    fn render(&self, responder: &Responder, answer: Result<&Finished, &Refusal>) -> Response<Bytes> {
        let body = match answer {
            Ok(_) => json!({}),
            Err(refusal) if refusal.code == Code::Unauthorized => return responder.refuse(refusal),
            Err(refusal) => json!({ "error": refusal.message }),
        };
        responder.json(StatusCode::OK, &body)
    }
}
