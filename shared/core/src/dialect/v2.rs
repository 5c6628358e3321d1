//! V2: JSON in, JSON out (sections 3 and 4), from a server with a JWT or a caller with a static token.

use super::{Decoded, Dialect};
use crate::{
    authenticate::{self, Presented, Sender, SenderProof, jwt},
    finish::{Abilities, Surface, confirm::ChannelProof},
    http::{Arrival, Refusal, Responder},
};
use bytes::Bytes;
use cloud_apps_protocol::{Answer, Code, CommandRequest, Manifest, command::User, token::Credential};
use http::{Response, StatusCode};

/// `POST /command` and `POST /`.
pub(super) struct V2;

/// The caller shows forms itself.
const ABILITIES: Abilities = Abilities { forms: true };

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
        let surface = Surface::new(&request.context, proof, ABILITIES);
        Ok(Decoded { request, delivery_id: delivery_id.clone(), surface })
    }

    /// The answer as it stands in section 4.
    fn render(&self, responder: &Responder, answer: Result<&Answer, &Refusal>) -> Response<Bytes> {
        match answer {
            Ok(answer) => responder.json(StatusCode::OK, answer),
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
