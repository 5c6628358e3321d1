//! Calls the functions of apps (section 15).
//!
//! An app is linked into the bundle, an HTTPS service, or a Lambda function. A function of any of these is called with a
//! [`Call`], and the result is a [`Called`]. What a linked function reads through its [`Cx`](cloud_app::Cx), the others get in
//! the body and in the claims of a JWT. The call of a linked app needs no read and no copy of its manifest.

use super::{
    answer,
    call::{Call, Called},
    http, lambda,
    lambdas::Lambdas,
    linked,
    no_answer::NoAnswer,
    served::{Registered, ServedApp},
    signed_request::SignedRequest,
};
use crate::{keys::KeyCache, random::Random};
use cloud_app::http::Outbound;
use cloud_apps_protocol::{Answer, manifest::Upstream};
use std::sync::Arc;
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

impl AppClient {
    /// Calls a function, for at most [`Call::left`]. Repeated only if its connection was closed unanswered.
    pub async fn call(&self, app: &ServedApp<'_>, call: Call<'_>) -> Called {
        match app {
            ServedApp::Linked { app, .. } => linked::call(app, self.http.clone(), call).await,
            // It is boxed, so that the future of a linked call does not have room for this one.
            ServedApp::Registered(app) => match Box::pin(self.elsewhere(app, call)).await {
                Ok(answer) => Called::Answered(answer),
                Err(trouble) => Called::Broken(trouble),
            },
        }
    }

    /// Calls a function that runs outside the bundle. A [`Registered`] has the address that was registered: its MAC was
    /// checked.
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
