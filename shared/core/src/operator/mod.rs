//! What operators ask: a direct invocation of the install function with `{"operator":{…}}`, or a request on the local
//! bundle's socket. AWS IAM, or the socket's mode, decides who may do this. There is no admin route and no admin token.
//!
//! `messages` has the requests and answers, and `handler` answers them.

mod apps;
mod catalogue;
mod codes;
mod dead_letters;
mod dependents;
mod handler;
mod installs;
mod key_rings;
mod manifests;
mod messages;
pub(crate) mod reseal;
mod walk;

pub use apps::GRACE;
pub use handler::{handle, is_operator};
pub use messages::{KeyView, LetterView, Listed, OperatorAnswer, OperatorRequest, Patch};
