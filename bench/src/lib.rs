//! Runs functions as Lambda does, without Lambda: a stub of its runtime API, stubs of the services that functions call,
//! and a sample install that they serve. `bench` uses it to measure, and `tests/tests/functions` to attack.

pub mod aws;
pub mod runtime;
pub mod sample;
