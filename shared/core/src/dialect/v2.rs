//! V2: JSON in, JSON out (sections 3 and 4), from a server with a JWT or a caller with a static token.

use super::{Decoded, Dialect};
use crate::{
    authenticate::{self, Presented, Sender, SenderProof, jwt},
    finish::{Finished, Surface, confirm::ChannelProof, surface::Private},
    http::{Arrival, Refusal, Responder},
};
use bytes::Bytes;
use cloud_apps_protocol::{Answer, Code, CommandRequest, Manifest, command::User, token::Credential};
use http::{Response, StatusCode};

/// `POST /command` and `POST /`.
pub(super) struct V2;

impl Dialect for V2 {
    fn presented<'a>(&self, arrival: &'a Arrival) -> Result<Presented<'a>, Refusal> {
        Ok(match authenticate::credential(arrival)? {
            Credential::Jwt(token) => Presented::Jwt(token),
            Credential::Opaque(token) => Presented::StaticToken(token),
        })
    }

    fn decode(&self, arrival: &Arrival, sender: &Sender, _: &Manifest) -> Result<Decoded, Refusal> {
        let mut request: CommandRequest = arrival.json()?;
        let (proof, delivery_id) = match &sender.proof {
            SenderProof::Server { sub, jti, .. } => {
                acts(&mut request, sub)?;
                (ChannelProof::Request, jti)
            }
            SenderProof::StaticToken | SenderProof::Slash { .. } | SenderProof::Seal { .. } => {
                (ChannelProof::Install, &arrival.request_id)
            }
        };
        // The caller is the server itself: it shows forms, and keeps actions from its clients.
        let private = Private::InAnswer { actions: true };
        let surface = Surface { forms: true, ..Surface::new(&request.context, proof, private) };
        let once = sender.proof.once().cloned();
        Ok(Decoded { request, delivery_id: delivery_id.clone(), surface, once })
    }

    /// The answer as it stands in section 4.
    fn render(&self, responder: &Responder, answer: Result<&Finished, &Refusal>) -> Response<Bytes> {
        match answer {
            Ok(Finished::Answer(answer)) => responder.json(StatusCode::OK, answer),
            // Nothing was clicked here that could change.
            Ok(Finished::Update { .. }) => responder.json(StatusCode::OK, &Answer::done()),
            Err(refusal) => responder.refuse(refusal),
        }
    }

    /// Also on a refusal: a server that asks for what is gone learns that it must fetch the install again.
    fn tells_manifest(&self) -> bool {
        true
    }
}

/// The acting user is the token's subject, whether or not the body names one.
fn acts(request: &mut CommandRequest, sub: &str) -> Result<(), Refusal> {
    let acting = &mut request.context.acting_user;
    jwt::acts_as(sub, acting.as_ref().map(|user| user.id.as_str()))?;
    if acting.is_none() {
        let id = sub.parse().map_err(|_| {
            Refusal::new(Code::BadToken, "The token's sub is not a Mattermost user id.").with("claim", "sub")
        })?;
        *acting = Some(User::of(id));
    }
    Ok(())
}
