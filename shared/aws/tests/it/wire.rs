//! A connection to an emulator that makes requests fail, loses or replaces answers, and remembers all that was sent.

use crate::emulators::Tables;
use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut},
        retry::RetryConfig,
    },
    error::BoxError,
};
use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use cloud_apps_aws::dynamodb::Dynamo;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// What happens to requests. They are counted from 1.
#[derive(Debug, Default)]
pub struct Wire {
    /// This request and all later ones fail before they are sent.
    cut_before: Option<usize>,
    /// The answer to this request is lost, and all later requests fail before they are sent.
    cut_after: Option<usize>,
    /// These answers (status and body) replace the real ones. The requests had their effect.
    replaced: BTreeMap<usize, (u16, String)>,
    seen: Mutex<Seen>,
}

/// What was sent over a connection.
#[derive(Debug, Default)]
pub struct Seen {
    /// Whether a request was made to fail.
    pub struck: bool,
    /// The operations in their order, with repeated ones.
    pub operations: Vec<String>,
    /// The bodies of the requests.
    pub bodies: Vec<String>,
    /// The user agents.
    pub agents: Vec<String>,
}

impl Wire {
    /// A connection that is cut at the n-th request, which never arrives.
    pub fn cut_before(n: usize) -> Self {
        Self { cut_before: Some(n), ..Self::default() }
    }

    /// A connection that is cut after the n-th request: the request arrives, and its answer does not.
    pub fn cut_after(n: usize) -> Self {
        Self { cut_after: Some(n), ..Self::default() }
    }

    /// A connection that returns these answers instead of the real ones.
    pub fn replacing<const N: usize>(answers: [(usize, u16, &str); N]) -> Self {
        let replaced = answers.into_iter().map(|(n, status, body)| (n, (status, body.to_owned()))).collect();
        Self { replaced, ..Self::default() }
    }

    /// What was sent since the last call of this function.
    pub fn take(&self) -> Seen {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    /// Whether a request was made to fail.
    pub fn struck(&self) -> bool {
        self.seen.lock().unwrap().struck
    }
}

#[derive(Debug)]
struct Tap(Arc<Wire>);

impl Intercept for Tap {
    fn name(&self) -> &'static str {
        "tap"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let header = |name: &str| request.headers().get(name).unwrap_or_default().to_owned();
        let mut seen = self.0.seen.lock().unwrap();
        seen.operations.push(header("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned());
        seen.bodies.push(String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned());
        seen.agents.push(header("user-agent"));
        let n = seen.operations.len();
        if self.0.cut_before.is_some_and(|cut| n >= cut) || self.0.cut_after.is_some_and(|cut| n > cut) {
            seen.struck = true;
            return Err("the wire is cut".into());
        }
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut seen = self.0.seen.lock().unwrap();
        let n = seen.operations.len();
        if let Some((status, body)) = self.0.replaced.get(&n) {
            seen.struck = true;
            *context.response_mut() =
                Response::new(StatusCode::try_from(*status)?, SdkBody::from(body.as_str()));
        }
        if self.0.cut_after == Some(n) {
            seen.struck = true;
            return Err("the answer was lost".into());
        }
        Ok(())
    }
}

impl Tables {
    /// The same tables over such a connection, with the retries of the functions.
    pub fn over(&self, wire: Wire) -> (Dynamo, Arc<Wire>) {
        self.over_with(wire, |config| config)
    }

    /// The same tables over such a connection, without retries.
    pub fn once_over(&self, wire: Wire) -> (Dynamo, Arc<Wire>) {
        self.over_with(wire, |config| config.retry_config(RetryConfig::disabled()))
    }

    fn over_with(
        &self,
        wire: Wire,
        more: impl FnOnce(aws_sdk_dynamodb::config::Builder) -> aws_sdk_dynamodb::config::Builder,
    ) -> (Dynamo, Arc<Wire>) {
        let wire = Arc::new(wire);
        let config = self.clients.dynamodb_config().interceptor(Tap(Arc::clone(&wire)));
        let client = aws_sdk_dynamodb::Client::from_conf(more(config).build());
        let clients = self.emulator.clients().with_dynamodb(client);
        (Dynamo::new(Arc::new(clients), &self.installs, &self.ledger), wire)
    }
}
