//! The domain of the bundle: what an install is, the ports through which it is kept, and every handler as a
//! function from an HTTP request to an HTTP response.
//!
//! A request walks one way: [`edge`] (decode) → authenticate → one [`protocol::CommandRequest`] → dispatch to the
//! app → answer → render in the caller's dialect. Past the edge nothing knows which dialect it was.
//!
//! [`protocol::CommandRequest`]: cloud_apps_protocol::CommandRequest

pub mod authenticate;
pub mod autocomplete;
pub mod bot;
pub mod bundle;
pub mod cache;
pub mod catalogue;
pub mod command;
pub mod confirm;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod deliver;
pub mod dialect;
pub mod dispatch;
pub mod edge;
pub mod event;
pub mod expand;
#[cfg(any(test, feature = "conformance"))]
pub mod faults;
pub mod install;
pub mod job;
pub mod keys;
pub mod log;
pub mod memory;
pub mod model;
pub mod offline;
pub mod ports;
mod recent;
pub mod refusal;
pub mod resolve;
pub mod respond;
pub mod ring;
pub mod route;
pub mod rules;
pub mod sealed;
pub mod settle;
pub mod trace;
pub mod upstream;
pub mod world;
