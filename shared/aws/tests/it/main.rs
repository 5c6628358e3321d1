//! The stores on AWS, held to the suites of their ports on two emulators: Amazon's DynamoDB Local, which is strict, and
//! the emulator that the deployed stack is tested on.

// Clippy knows tests by their attribute, and what they call has none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod attack;
mod dynamodb;
mod emulators;
mod functions;
mod letters;
mod queue;
mod secrets;
mod wire;
