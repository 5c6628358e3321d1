//! For tests of stores and handlers: a conformance suite for each port, ports that fail when they are told to, samples.

pub mod conformance;
pub mod faults;
pub mod sample;
