//! The domain of the bundle: what an install is, the ports through which it is kept, and every handler as a
//! function from an HTTP request to an HTTP response.
//!
//! A request walks one way: [`edge`] (decode) → authenticate → one [`protocol::CommandRequest`] → dispatch to the
//! app → answer → render in the caller's dialect. Past the edge nothing knows which dialect it was.
//!
//! [`protocol::CommandRequest`]: cloud_apps_protocol::CommandRequest

pub mod cache;
pub mod edge;
pub mod keys;
pub mod memory;
pub mod model;
pub mod ports;
pub mod world;
