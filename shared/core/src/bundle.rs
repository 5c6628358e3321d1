//! The whole bundle: each request goes to the handler of the function that serves its route.
//!
//! On AWS each function links its own handler only. The local bundle and the tests of app authors serve all of them.

use crate::{
    functions::{autocomplete, command, deliver, event, install},
    http::{Arrival, Handler},
    jobs::JobRunner,
    services::Management,
};
use bytes::Bytes;
use http::Response;
use std::sync::Arc;

/// All handlers with the same services. It is cheap to clone.
#[derive(Clone)]
pub struct Bundle(Arc<Management>);

impl Bundle {
    /// A bundle over these services.
    pub fn new(management: Management) -> Self {
        Self(Arc::new(management))
    }

    /// What the handlers work with.
    pub fn management(&self) -> &Management {
        &self.0
    }

    /// Does the jobs of the queues.
    pub fn job_runner(&self) -> JobRunner {
        deliver::job_runner(&self.0, self.0.clone())
    }

    /// Answers a request. If no function serves its route, it gets the install function's `no_route`.
    pub async fn handle(&self, arrival: Arrival) -> Response<Bytes> {
        let services = &self.0.services;
        match arrival.route.handler() {
            Some(Handler::Command) => command::handle(services, arrival).await,
            Some(Handler::Autocomplete) => autocomplete::handle(services, arrival).await,
            Some(Handler::Event) => event::handle(services, arrival).await,
            Some(Handler::Install) | None => install::handle(&self.0, arrival).await,
        }
    }
}
