//! The domain of the bundle: what an install is, the ports through which it is kept, and every handler as a
//! function from an HTTP request to an HTTP response.
//!
//! A request walks one way: [`edge`] (decode) → authenticate → one [`protocol::CommandRequest`] → dispatch to the
//! app → answer → render in the caller's dialect. Past the edge nothing knows which dialect it was.
//!
//! [`protocol::CommandRequest`]: cloud_apps_protocol::CommandRequest

pub mod cache;
pub mod catalogue;
pub mod edge;
#[cfg(any(test, feature = "conformance"))]
pub mod faults;
pub mod keys;
pub mod memory;
pub mod model;
pub mod ports;
pub mod refusal;
pub mod respond;
pub mod route;
pub mod rules;
pub mod world;
