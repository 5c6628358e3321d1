//! HTTP requests as they arrive, and the responses to them.

pub mod arrival;
pub mod etag;
pub mod log_line;
pub mod refusal;
pub mod response;
pub mod route;
pub mod trace;

pub use arrival::{Arrival, MAX_BODY, system_now};
pub use log_line::LogLine;
pub use refusal::Refusal;
pub use response::Responder;
pub use route::{Handler, Route};
