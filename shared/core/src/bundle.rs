//! The whole bundle behind one door: each route to the handler of the function that serves it.
//!
//! On AWS each function links its own handler only; the local bundle and an author's tests serve all of them.

use crate::{
    autocomplete, command, deliver::Delivery, edge::Arrival, event, install, route::Function, world::Office,
};
use bytes::Bytes;
use http::Response;
use std::sync::Arc;

/// Every handler over one office. Cheap to clone.
#[derive(Clone)]
pub struct Bundle(Arc<Office>);

impl Bundle {
    /// A bundle over an office.
    pub fn new(office: Office) -> Self {
        Self(Arc::new(office))
    }

    /// What the handlers are given.
    pub fn office(&self) -> &Office {
        &self.0
    }

    /// What the consumer of the queues is given: the office does the jobs.
    pub fn delivery(&self) -> Delivery {
        Delivery::of(&self.0, self.0.clone())
    }

    /// Answers a request, whichever function's it is. What is nobody's gets the install function's `no_route`.
    pub async fn handle(&self, arrival: Arrival) -> Response<Bytes> {
        let world = &self.0.world;
        match arrival.route.function() {
            Some(Function::Command) => command::handle(world, arrival).await,
            Some(Function::Autocomplete) => autocomplete::handle(world, arrival).await,
            Some(Function::Event) => event::handle(world, arrival).await,
            Some(Function::Install) | None => install::handle(&self.0, arrival).await,
        }
    }
}
