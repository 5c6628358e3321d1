//! The Lambda functions in which apps may run, and functions of this process that replace them in tests.

use crate::store::ports::{Functions, InvokeError, Invoked};
use async_trait::async_trait;
use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};

/// The Lambda functions that this bundle invokes: those whose name begins with a prefix, and never its own.
///
/// IAM has the same rule. Here it is checked before a call, so that the operator gets a message.
#[derive(Clone)]
pub struct Lambdas {
    functions: Arc<dyn Functions>,
    prefix: String,
    stack: String,
}

impl Lambdas {
    /// Functions whose name begins with `prefix` and that are not the stack's.
    pub fn new(functions: Arc<dyn Functions>, prefix: &str, stack: &str) -> Self {
        Self { functions, prefix: prefix.to_owned(), stack: stack.to_owned() }
    }

    /// Why a function with this name or ARN is not invoked, and what to do.
    pub fn refuses(&self, function: &str) -> Option<String> {
        let name = name(function);
        if name.starts_with(&format!("{}-", self.stack)) {
            return Some(format!("{name} is a function of the bundle itself. Name the app's own function."));
        }
        (!name.starts_with(&self.prefix)).then(|| {
            format!(
                "This bundle invokes functions whose name begins with {}, and {name} does not. Rename the function, or \
                 change the parameter UpstreamFunctionPrefix.",
                self.prefix
            )
        })
    }

    /// Invokes a function, if it is permitted.
    pub(super) async fn invoke(
        &self,
        function: &str,
        payload: Vec<u8>,
        left: Duration,
    ) -> Result<Invoked, InvokeError> {
        match self.refuses(function) {
            Some(why) => Err(InvokeError::Refused(why)),
            None => self.functions.invoke(function, payload, left).await,
        }
    }
}

/// The name in `name`, `name:alias`, `arn:…:function:name` or `arn:…:function:name:alias`.
fn name(function: &str) -> &str {
    let mut parts = function.split(':');
    match parts.next() {
        Some("arn") => parts.nth(5).unwrap_or_default(),
        name => name.unwrap_or_default(),
    }
}

/// A function of this process. It returns for a payload what a Lambda function would return.
pub type Function = Arc<dyn Fn(Vec<u8>) -> Pin<Box<dyn Future<Output = Invoked> + Send>> + Send + Sync>;

/// Functions of this process, by name: for tests, and for an author who has no AWS.
#[derive(Clone, Default)]
pub struct InProcess(BTreeMap<String, Function>);

impl InProcess {
    /// Adds a function.
    #[must_use]
    pub fn with<F, Done>(mut self, name: &str, function: F) -> Self
    where
        F: Fn(Vec<u8>) -> Done + Send + Sync + 'static,
        Done: Future<Output = Invoked> + Send + 'static,
    {
        self.0.insert(name.to_owned(), Arc::new(move |payload| Box::pin(function(payload))));
        self
    }
}

#[async_trait]
impl Functions for InProcess {
    async fn invoke(&self, function: &str, payload: Vec<u8>, left: Duration) -> Result<Invoked, InvokeError> {
        let Some(run) = self.0.get(name(function)) else {
            return Err(InvokeError::Refused(format!("there is no function {function}")));
        };
        tokio::time::timeout(left, run(payload)).await.map_err(|_| InvokeError::TimedOut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::conformance::functions::{ECHO, FAILS, HANGS};

    #[tokio::test]
    async fn functions_of_this_process_hold_to_the_suite() {
        let gives = |failed: bool, payload: Vec<u8>| std::future::ready(Invoked { failed, payload });
        let functions = InProcess::default()
            .with(ECHO, move |payload| gives(false, payload))
            .with(FAILS, move |_| gives(true, br#"{"errorMessage":"no"}"#.to_vec()))
            .with(HANGS, |_| std::future::pending());
        crate::testing::conformance::functions(async || functions.clone()).await;
    }

    #[test]
    fn only_functions_of_apps_are_invoked() {
        let lambdas = Lambdas::new(Arc::new(InProcess::default()), "cloud-app-", "cloud-app-bundle");
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function";
        for (function, permitted) in [
            ("cloud-app-jira".to_owned(), true),
            ("cloud-app-jira:live".to_owned(), true),
            (format!("{arn}:cloud-app-jira"), true),
            (format!("{arn}:cloud-app-jira:7"), true),
            ("jira".to_owned(), false),
            (format!("{arn}:jira"), false),
            (format!("{arn}:jira:cloud-app-jira"), false),
            ("cloud-app-bundle-InstallFunction-AbC".to_owned(), false),
            (format!("{arn}:cloud-app-bundle-InstallFunction-AbC"), false),
            ("arn:cloud-app-jira".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(lambdas.refuses(&function).is_none(), permitted, "{function}");
        }
    }
}
