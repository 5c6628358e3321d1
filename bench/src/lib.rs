//! Functions as Lambda runs them, without Lambda: a stub of its runtime API, stubs of the services that functions call,
//! and a sample install that they answer for. `bench` measures with it; `tests/tests/functions` attacks with it.

pub mod aws;
pub mod runtime;
pub mod sample;
