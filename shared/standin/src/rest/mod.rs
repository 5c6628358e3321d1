//! The REST API: a table of routes, and a module with the handlers of each resource.
//!
//! A call that is not in [`routes`] is refused by name with 501, so that no app believes that the stand-in did
//! something that it does not do. To add a call: write its handler in the module of its resource, and name it in the
//! table.

mod bots;
mod channels;
mod commands;
mod login;
mod oauth_apps;
mod posts;
mod reactions;
mod respond;
mod roles;
mod router;
mod routes;
mod system;
mod teams;
mod tokens;
mod users;
mod webhooks;

pub(crate) use respond::respond;
