//! A deployed stack, as its operator reaches it: with the AWS credentials of the terminal, the operator invokes the
//! install function directly. IAM decides who may do this, and no HTTP request can look like it.

use aws_config::{BehaviorVersion, Region};
use aws_sdk_cloudformation::error::DisplayErrorContext;
use aws_sdk_lambda::primitives::Blob;
use serde_json::Value;

/// The output of the template that names the install function.
const INSTALL_FUNCTION: &str = "InstallFunctionName";
/// The output of the template with the address of the bundle.
const BASE_URL: &str = "BaseUrl";

/// Why a stack was not reached.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// `CloudFormation` does not show the stack.
    #[error("CloudFormation does not show the stack {stack}: {why}")]
    Unknown {
        /// The stack.
        stack: String,
        /// What AWS said.
        why: String,
    },
    /// The stack has no such output.
    #[error("the stack {stack} has no output {output}: is it a stack of this project's template?")]
    NoOutput {
        /// The stack.
        stack: String,
        /// The output.
        output: &'static str,
    },
    /// Lambda did not run the function.
    #[error("the install function {function} cannot be invoked: {why}")]
    Invoke {
        /// The function.
        function: String,
        /// What AWS said.
        why: String,
    },
    /// The function failed.
    #[error("the install function failed; its log group has the reason")]
    Failed,
}

/// A stack that was found.
pub struct Stack {
    name: String,
    lambda: aws_sdk_lambda::Client,
    outputs: Vec<(String, String)>,
}

impl Stack {
    /// Finds a stack by its name.
    pub async fn find(name: &str, region: Option<String>) -> Result<Self, StackError> {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
        if let Some(region) = region {
            loader = loader.region(Region::new(region));
        }
        let config = loader.load().await;
        let unknown = |why: String| StackError::Unknown { stack: name.to_owned(), why };
        let found = aws_sdk_cloudformation::Client::new(&config)
            .describe_stacks()
            .stack_name(name)
            .send()
            .await
            .map_err(|e| unknown(DisplayErrorContext(e).to_string()))?;
        let stack = found
            .stacks
            .unwrap_or_default()
            .into_iter()
            .next()
            .ok_or_else(|| unknown("there is none".to_owned()))?;
        let outputs = stack
            .outputs
            .unwrap_or_default()
            .into_iter()
            .filter_map(|o| Some((o.output_key?, o.output_value?)));
        Ok(Self {
            name: name.to_owned(),
            lambda: aws_sdk_lambda::Client::new(&config),
            outputs: outputs.collect(),
        })
    }

    /// The bundle's address.
    pub fn base_url(&self) -> Result<&str, StackError> {
        self.output(BASE_URL)
    }

    /// Invokes the install function with an operator's request.
    pub async fn operate(&self, request: &Value) -> Result<Value, StackError> {
        let function = self.output(INSTALL_FUNCTION)?;
        let failed = |why: String| StackError::Invoke { function: function.to_owned(), why };
        let answer = self
            .lambda
            .invoke()
            .function_name(function)
            .payload(Blob::new(request.to_string()))
            .send()
            .await
            .map_err(|e| failed(DisplayErrorContext(e).to_string()))?;
        if answer.function_error.is_some() {
            return Err(StackError::Failed);
        }
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        serde_json::from_slice(&payload).map_err(|e| failed(format!("its answer is not JSON: {e}")))
    }

    fn output(&self, output: &'static str) -> Result<&str, StackError> {
        self.outputs
            .iter()
            .find(|(key, _)| key == output)
            .map(|(_, value)| value.as_str())
            .ok_or_else(|| StackError::NoOutput { stack: self.name.clone(), output })
    }
}
