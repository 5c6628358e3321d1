//! The SDK clients, which are configured here from Lambda's environment and built when they are first needed.
//!
//! `aws-config` would bring sixty crates, and would look for credentials where a function has none: Lambda puts region
//! and credentials into the environment, where they stay valid as long as the process lives. `AWS_ENDPOINT_URL` is read
//! here too, for emulators. The user agent of every client names the function.

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{
    AppName, BehaviorVersion, Region, SharedCredentialsProvider, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_types::SdkConfig;
use std::{fmt, sync::OnceLock, time::Duration};

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How long a call may take with all its attempts.
const OPERATION: Duration = Duration::from_secs(5);
/// How many attempts a call has.
const ATTEMPTS: u32 = 3;

/// The variables that the environment lacks.
#[derive(Debug, thiserror::Error)]
#[error("{} not set: Lambda sets these; elsewhere, set them or run `aws configure export-credentials --format env`", .missing.join(", "))]
pub struct ClientsError {
    missing: Vec<&'static str>,
}

/// The clients of one process.
pub struct Clients {
    config: SdkConfig,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    secrets: OnceLock<aws_sdk_secretsmanager::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    lambda: OnceLock<aws_sdk_lambda::Client>,
}

/// Leaves the credentials out.
impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients")
            .field("region", &self.config.region())
            .field("endpoint", &self.config.endpoint_url())
            .finish_non_exhaustive()
    }
}

impl Clients {
    /// Reads this process's environment. `app_name` is the function's logical name in the template; without one it is
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub fn from_env(app_name: Option<&str>) -> Result<Self, ClientsError> {
        Self::from_variables(app_name, |name| std::env::var(name).ok())
    }

    /// Reads variables. An empty variable counts as absent.
    pub fn from_variables(
        app_name: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ClientsError> {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        let region = given("AWS_REGION").or_else(|| given("AWS_DEFAULT_REGION"));
        let (id, secret) = (given("AWS_ACCESS_KEY_ID"), given("AWS_SECRET_ACCESS_KEY"));
        let (Some(region), Some(id), Some(secret)) = (&region, &id, &secret) else {
            let all =
                [("AWS_REGION", &region), ("AWS_ACCESS_KEY_ID", &id), ("AWS_SECRET_ACCESS_KEY", &secret)];
            let missing = all.into_iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name);
            return Err(ClientsError { missing: missing.collect() });
        };
        let token = given("AWS_SESSION_TOKEN");
        let credentials = Credentials::new(id, secret, token, None, "environment");
        let name = app_name.map(str::to_owned).or_else(|| given("AWS_LAMBDA_FUNCTION_NAME"));
        let mut config = SdkConfig::builder()
            .behavior_version(behavior())
            .region(Region::new(region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(crate::http::client())
            .timeout_config(timeouts())
            .retry_config(retries());
        // A name that cannot be in a header is left out, so that it does not stop the function.
        config
            .set_endpoint_url(given("AWS_ENDPOINT_URL"))
            .set_app_name(name.and_then(|n| AppName::new(n).ok()));
        Ok(Self {
            config: config.build(),
            dynamodb: OnceLock::new(),
            secrets: OnceLock::new(),
            sqs: OnceLock::new(),
            lambda: OnceLock::new(),
        })
    }

    /// DynamoDB.
    pub fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| aws_sdk_dynamodb::Client::new(&self.config))
    }

    /// Secrets Manager.
    pub fn secrets(&self) -> &aws_sdk_secretsmanager::Client {
        self.secrets.get_or_init(|| aws_sdk_secretsmanager::Client::new(&self.config))
    }

    /// SQS.
    pub fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| aws_sdk_sqs::Client::new(&self.config))
    }

    /// Lambda. A function may run for long and must not be called twice, so there are no timeouts and retries here: the
    /// caller sets how long it waits.
    pub fn lambda(&self) -> &aws_sdk_lambda::Client {
        self.lambda.get_or_init(|| {
            let config = aws_sdk_lambda::config::Builder::from(&self.config)
                .timeout_config(TimeoutConfig::disabled())
                .retry_config(RetryConfig::disabled());
            aws_sdk_lambda::Client::from_conf(config.build())
        })
    }

    /// The configuration of DynamoDB's client, for a test that adds to it.
    pub fn dynamodb_config(&self) -> aws_sdk_dynamodb::config::Builder {
        aws_sdk_dynamodb::config::Builder::from(&self.config)
    }

    /// Uses this client of DynamoDB, unless one was built before.
    #[must_use]
    pub fn with_dynamodb(self, client: aws_sdk_dynamodb::Client) -> Self {
        self.dynamodb.get_or_init(|| client);
        self
    }
}

/// The version has a date, because `latest()` would change retries and timeouts with an upgrade of the SDK.
fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(OPERATION).build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(Duration::from_millis(50))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(name: Option<&str>, variables: &[(&str, &str)]) -> Result<Clients, ClientsError> {
        let find =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        Clients::from_variables(name, find)
    }

    const WHOLE: [(&str, &str); 5] = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "the id"),
        ("AWS_SECRET_ACCESS_KEY", "the secret"),
        ("AWS_ENDPOINT_URL", ""),
        ("AWS_LAMBDA_FUNCTION_NAME", "stack-CommandFunction-1x2y"),
    ];

    #[test]
    fn everything_that_is_missing_is_named() {
        let error = clients(None, &[("AWS_REGION", "")]).unwrap_err().to_string();
        for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            assert!(error.contains(name), "{error}");
        }
        assert!(!clients(None, &WHOLE[..2]).unwrap_err().to_string().contains("AWS_REGION"));
    }

    #[test]
    fn a_client_is_built_once_and_prints_no_credentials() {
        let clients = clients(None, &WHOLE).unwrap();
        assert!(clients.dynamodb.get().is_none() && clients.secrets.get().is_none());
        assert!(std::ptr::eq(clients.dynamodb(), clients.dynamodb()));
        assert!(std::ptr::eq(clients.secrets(), clients.secrets()));
        assert!(std::ptr::eq(clients.sqs(), clients.sqs()));
        let text = format!("{clients:?} {:?}", clients.dynamodb().config());
        assert!(!text.contains("the secret"), "{text}");
    }

    #[test]
    fn the_functions_own_name_goes_before_lambdas() {
        let name = |given| clients(given, &WHOLE).unwrap().config.app_name().map(ToString::to_string);
        assert_eq!(name(Some("CommandFunction")).as_deref(), Some("CommandFunction"));
        assert_eq!(name(None).as_deref(), Some("stack-CommandFunction-1x2y"));
        assert_eq!(clients(None, &WHOLE[..4]).unwrap().config.app_name(), None);
    }
}
