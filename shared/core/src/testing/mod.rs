//! For tests of stores and handlers: a conformance suite for each port, ports that fail on command, and samples.

pub mod conformance;
pub mod faults;
pub mod sample;
