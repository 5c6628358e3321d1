//! Runs the suites of the ports with the stores on AWS, on two emulators: Amazon's DynamoDB Local, which is strict, and the
//! emulator that is used to test the deployed stack.

// Clippy recognizes tests by their attribute, which the functions that they call do not have.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod attack;
mod dynamodb;
mod emulators;
mod functions;
mod letters;
mod queue;
mod secrets;
mod wire;
