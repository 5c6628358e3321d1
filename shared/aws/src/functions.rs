//! [`Functions`] with Lambda: apps that run in their own Lambda functions.
//!
//! A call is made only once, because nobody knows whether a function that did not answer had an effect. When Lambda
//! refuses a call, the log gets the function and the reason.

use crate::{
    clients::Clients,
    failure::{AwsError, is_throttled, reason},
};
use async_trait::async_trait;
use aws_sdk_lambda::primitives::Blob;
use cloud_apps_core::store::ports::{Functions, InvokeError, Invoked};
use std::{sync::Arc, time::Duration};

/// Lambda functions of this account and region. Clones share the client.
#[derive(Clone, Debug)]
pub struct Lambda {
    clients: Arc<Clients>,
}

impl Lambda {
    /// The client is built when it is first needed.
    pub fn new(clients: Arc<Clients>) -> Self {
        Self { clients }
    }
}

/// Codes that mean that Lambda will never run this function.
const REFUSED: [&str; 4] = [
    "AccessDeniedException",
    "InvalidParameterValueException",
    "ResourceNotFoundException",
    "ValidationException",
];

#[async_trait]
impl Functions for Lambda {
    async fn invoke(&self, function: &str, payload: Vec<u8>, left: Duration) -> Result<Invoked, InvokeError> {
        let call = self.clients.lambda().invoke().function_name(function).payload(Blob::new(payload)).send();
        let answer = tokio::time::timeout(left, call).await.map_err(|_| InvokeError::TimedOut)?;
        let answer = answer.map_err(|error| match reason(&error) {
            AwsError::Timeout => InvokeError::TimedOut,
            AwsError::Service { code, .. } if is_throttled(&code) => InvokeError::Busy,
            AwsError::Service { code, message } if REFUSED.contains(&code.as_str()) => {
                InvokeError::Refused(format!("{function}: {code}: {message}"))
            }
            error => InvokeError::Failed(Box::new(error)),
        })?;
        Ok(Invoked {
            failed: answer.function_error.is_some(),
            payload: answer.payload.map(Blob::into_inner).unwrap_or_default(),
        })
    }
}
