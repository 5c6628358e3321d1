//! Turns an SDK's error into a [`StoreError`] with the name of the operation. It keeps AWS's code and message, and never
//! the raw response, which can hold an item or a secret.

use aws_smithy_runtime_api::{client::result::SdkError, http::Response};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use cloud_apps_core::store::ports::StoreError;

/// An error of an AWS service or on the way to it.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// The service refused.
    #[error("{code}: {message}")]
    Service {
        /// AWS's code.
        code: String,
        /// AWS's message.
        message: String,
    },
    /// There was no answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The service was not reached.
    #[error("not reached: {0}")]
    Dispatch(String),
    /// The SDK could not send the request.
    #[error(
        "the SDK did not send the request: look at AWS_REGION, the credentials, and AWS_ENDPOINT_URL if it is set"
    )]
    NotSent,
    /// The answer could not be read.
    #[error("the answer could not be read")]
    Response,
    /// The request could not be made.
    #[error("the request could not be made")]
    Construction,
    /// All retries failed.
    #[error("{0}")]
    GivenUp(&'static str),
}

/// Codes that mean: try again later.
const THROTTLED: [&str; 9] = [
    "ProvisionedThroughputExceededException",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "ThrottlingException",
    "ThrottlingError",
    "Throttling",
    "TooManyRequestsException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// Whether a code of AWS means: try again later.
pub(crate) fn is_throttled(code: &str) -> bool {
    THROTTLED.contains(&code)
}

/// The error of an operation, named `what`.
pub(crate) fn failed<E: ProvideErrorMetadata>(
    what: &'static str,
    error: &SdkError<E, Response>,
) -> StoreError {
    let source = reason(error);
    let throttled = matches!(&source, AwsError::Service { code, .. } if is_throttled(code));
    named(what, throttled, source)
}

/// The part of an SDK's error that may be logged.
pub(crate) fn reason<E: ProvideErrorMetadata>(error: &SdkError<E, Response>) -> AwsError {
    match error {
        SdkError::ServiceError(context) => {
            let metadata = context.err().meta();
            AwsError::Service {
                code: metadata.code().unwrap_or("unknown").to_owned(),
                message: metadata.message().unwrap_or_default().to_owned(),
            }
        }
        SdkError::TimeoutError(_) => AwsError::Timeout,
        // An error of our own connector may be logged. An error of the SDK itself can repeat the whole request, and so a
        // key ring.
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(error) if !error.is_other() => AwsError::Dispatch(chain(error)),
            _ => AwsError::NotSent,
        },
        SdkError::ResponseError(_) => AwsError::Response,
        _ => AwsError::Construction,
    }
}

/// An error with the name of its operation.
pub(crate) fn named(what: &'static str, throttled: bool, source: AwsError) -> StoreError {
    let source = Box::new(source);
    if throttled { StoreError::Busy { what, source } } else { StoreError::Unavailable { what, source } }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
