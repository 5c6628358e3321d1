//! The bundle on AWS: DynamoDB, Secrets Manager, SQS, and the events of Lambda. Of the crates that run in Lambda, only this
//! one uses an AWS SDK.

pub mod clients;
pub mod config;
pub mod dynamodb;
mod failure;
pub mod functions;
mod http;
pub mod lambda;
mod offline;
pub mod run;
pub mod secrets;
pub mod sqs;
#[cfg(feature = "operator")]
pub mod stack;
pub mod telemetry;

pub use config::{Config, Role};
