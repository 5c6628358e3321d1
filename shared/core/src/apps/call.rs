//! One way to call a function of an app (section 15).
//!
//! An app is linked into the bundle, an HTTPS service, or a Lambda function. Whoever calls one of its functions says
//! so with one [`Call`] and gets one [`Called`]: the same request, and the same answers, whatever is behind it. What a
//! linked function reads through its [`Cx`](cloud_app::Cx) travels to the others in the body and in the claims of a
//! JWT. A linked app costs no read and no copy of its manifest.

use super::{
    answer,
    functions::Lambdas,
    http, lambda, linked,
    no_answer::NoAnswer,
    served::{Registered, ServedApp},
    signed_request::SignedRequest,
};
use crate::{
    keys::{InstallBot, KeyCache},
    random::Random,
};
use cloud_app::{Failure, cx::Credential, http::Outbound};
use cloud_apps_protocol::{
    Answer, CommandRequest, FunctionName, Millis, Values, manifest::Upstream, token::Proof,
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// What calls go through.
pub struct AppClient {
    /// To apps that are HTTPS services.
    pub http: Outbound,
    /// Lambda functions that apps run in; none outside AWS.
    pub lambdas: Option<Lambdas>,
    /// What requests are signed with.
    pub keys: Arc<KeyCache>,
    /// Names each request.
    pub random: Arc<dyn Random>,
}

/// One call of a function.
pub struct Call<'a> {
    /// Which.
    pub function: &'a FunctionName,
    /// The request of section 3, filled and cut; settings without passwords.
    pub request: CommandRequest,
    /// What it is called with; checked against its fields.
    pub values: Values,
    /// What the admin set, passwords included.
    pub settings: Values,
    /// The install, and its bot's token.
    pub bot: Arc<InstallBot>,
    /// How the request proved that its acting user is who it says; `None`: it did not.
    pub proof: Option<Proof>,
    /// The acting user's token, as granted.
    pub user: Option<Credential>,
    /// Unix milliseconds when the request came in.
    pub now: Millis,
    /// Unix milliseconds after which nobody waits.
    pub deadline: Millis,
    /// How long that is from now.
    pub left: Duration,
    /// The request's id, as it stands in log and errors.
    pub request_id: &'a str,
    /// The trace that the request belongs to: 32 characters of hex.
    pub trace: &'a str,
}

/// How a call went.
#[derive(Debug)]
pub enum Called {
    /// It answered.
    Answered(Answer),
    /// The function says itself why it has no answer.
    Failed(Failure),
    /// There is no answer; the cause is for the log.
    Broken(NoAnswer),
}

impl AppClient {
    /// Calls a function, for at most [`Call::left`]. Never repeated.
    pub async fn call(&self, app: &ServedApp<'_>, call: Call<'_>) -> Called {
        match app {
            ServedApp::Linked { app, .. } => linked::call(app, self.http.clone(), call).await,
            // Boxed, so that a call of a linked app does not carry the room of this one.
            ServedApp::Registered(app) => match Box::pin(self.elsewhere(app, call)).await {
                Ok(answer) => Called::Answered(answer),
                Err(trouble) => Called::Broken(trouble),
            },
        }
    }

    /// Calls a function that runs outside the bundle. Whoever made a [`Registered`] has checked that its address is the one
    /// that was registered.
    async fn elsewhere(&self, app: &Registered, call: Call<'_>) -> Result<Answer, NoAnswer> {
        let ends = Instant::now() + call.left;
        let signed = SignedRequest::write(&self.keys, &*self.random, app, call).await?;
        let left = ends.saturating_duration_since(Instant::now());
        let reply = match &app.manifest.upstream {
            Upstream::Http { url } => http::post(&self.http, url, signed, left).await?,
            Upstream::AwsLambda { function } => {
                lambda::invoke(self.lambdas.as_ref(), function, &signed, left).await?
            }
            Upstream::Linked => return Err(NoAnswer::failed("a registered app names no upstream")),
        };
        answer::read(&reply)
    }
}
