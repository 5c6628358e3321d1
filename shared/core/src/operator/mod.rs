//! What operators ask: a direct invocation of the install function with `{"operator":{…}}`, or the local bundle's
//! socket. AWS IAM, or the socket's mode, says who may; there is no admin route and no admin token.
//!
//! `words` has what may be asked and what is answered.

mod apps;
mod conflict;
mod dead_letters;
mod handler;
pub(crate) mod key_rings;
mod words;

pub use apps::GRACE;
pub use handler::{handle, is_operator};
pub use words::{KeyView, LetterView, Listed, OperatorAnswer, OperatorRequest, Patch};
