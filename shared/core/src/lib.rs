//! The core of the bundle: installs, the ports through which they are stored, and all handlers as functions from an HTTP
//! request to an HTTP response.
//!
//! A request walks one way: [`http`] → [`functions`] → [`authenticate`] → [`dispatch`] → [`finish`] → rendered in its
//! [`dialect`]. No module uses one that uses it. From the bottom up: [`log`], [`random`], [`store`], [`http`], [`not_served`],
//! [`keys`], [`apps`], [`finish`], [`services`], [`authenticate`], [`dispatch`], [`dialect`], [`jobs`], [`install`], [`operator`],
//! [`upkeep`], [`functions`], [`bundle`].

pub mod apps;
pub mod authenticate;
pub mod bundle;
pub mod dialect;
pub mod dispatch;
pub mod finish;
pub mod functions;
pub mod http;
pub mod install;
pub mod jobs;
pub mod keys;
pub mod log;
pub mod not_served;
pub mod offline;
pub mod operator;
pub mod random;
pub mod services;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod upkeep;
