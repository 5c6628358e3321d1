//! The whole bundle behind one door: each route to the handler of the function that serves it.
//!
//! On AWS each function links its own handler only; the local bundle and an author's tests serve all of them.

use crate::{
    functions::{autocomplete, command, deliver, event, install},
    http::{Arrival, Function},
    jobs::Delivery,
    services::Management,
};
use bytes::Bytes;
use http::Response;
use std::sync::Arc;

/// Every handler over the same services. Cheap to clone.
#[derive(Clone)]
pub struct Bundle(Arc<Management>);

impl Bundle {
    /// A bundle over these services.
    pub fn new(management: Management) -> Self {
        Self(Arc::new(management))
    }

    /// What the handlers are given.
    pub fn management(&self) -> &Management {
        &self.0
    }

    /// What the consumer of the queues is given.
    pub fn delivery(&self) -> Delivery {
        deliver::delivery(&self.0, self.0.clone())
    }

    /// Answers a request, whichever function's it is. What is nobody's gets the install function's `no_route`.
    pub async fn handle(&self, arrival: Arrival) -> Response<Bytes> {
        let services = &self.0.services;
        match arrival.route.function() {
            Some(Function::Command) => command::handle(services, arrival).await,
            Some(Function::Autocomplete) => autocomplete::handle(services, arrival).await,
            Some(Function::Event) => event::handle(services, arrival).await,
            Some(Function::Install) | None => install::handle(&self.0, arrival).await,
        }
    }
}
