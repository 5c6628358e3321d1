//! The apps of the bundle: which there are, what an install may use of them, and how their functions are called.

mod agreed;
mod answer;
mod cache;
mod call;
mod catalogue;
mod client;
mod http;
mod lambda;
mod lambdas;
mod linked;
mod lookup;
mod no_answer;
mod served;
mod signed_request;

pub use answer::read_answer;
pub use cache::AppCache;
pub use call::{Call, Called};
pub use catalogue::CatalogueCache;
pub use client::AppClient;
pub use lambdas::{InProcess, Lambdas};
pub use lookup::Apps;
pub use no_answer::NoAnswer;
pub use served::{Registered, ServedApp, ServedAppError};
