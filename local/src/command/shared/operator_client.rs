//! How an operator's requests reach a bundle: the local one over its socket, a stack by invoking its install function.

use super::output::words;
use crate::{
    bounded::{self, Unread},
    failure::Failure,
    folder::Data,
    install::bundle::Operator,
    local::Whereabouts,
};
use async_trait::async_trait;
use cloud_apps_core::operator::{OperatorAnswer, OperatorRequest};
use cloud_apps_protocol::{SiteUrl, error::ErrorBody};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{path::Path, time::Duration};

/// How long one request may take: longer than the part of an app in it, which has 20 s.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The socket is the address; a URL needs some host.
const SOCKET_URL: &str = "http://operator/";

/// Where an operator's requests go.
pub enum OperatorClient {
    /// To the socket of the local bundle.
    Local(reqwest::Client),
    /// To the install function of a stack.
    #[cfg(feature = "aws")]
    Stack(cloud_apps_aws::stack::Stack),
}

impl OperatorClient {
    /// The bundle of a stack, or else the local one.
    pub async fn find(stack: Option<&str>, region: Option<String>, data: &Data) -> Result<Self, Failure> {
        match stack {
            Some(stack) => Self::stack(stack, region).await,
            None => Self::local(&data.files()?.socket()),
        }
    }

    fn local(socket: &Path) -> Result<Self, Failure> {
        if !socket.exists() {
            return Err(Failure::unreachable(format!("no local bundle listens on {}", socket.display())).hint(
                "start it with `cloud-apps serve` in this folder, or name its folder with --data; --stack NAME names a \
                 deployed bundle",
            ));
        }
        let client = reqwest::Client::builder()
            .unix_socket(socket)
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| Failure::new(format!("cannot make an HTTP client: {error}")))?;
        Ok(Self::Local(client))
    }

    #[cfg(feature = "aws")]
    async fn stack(name: &str, region: Option<String>) -> Result<Self, Failure> {
        let found = cloud_apps_aws::stack::Stack::find(name, region).await;
        found.map(Self::Stack).map_err(|error| {
            Failure::unreachable(error.to_string())
                .hint("check the name, --region and your AWS credentials (`aws sts get-caller-identity`)")
        })
    }

    #[cfg(not(feature = "aws"))]
    #[allow(clippy::unused_async)] // The signature is the same with the feature.
    async fn stack(_: &str, _: Option<String>) -> Result<Self, Failure> {
        Err(Failure::usage("this cloud-apps was built without AWS")
            .hint("build it with `cargo build -p cloud-apps`"))
    }

    /// The bundle's address, as the bundle or the stack says it.
    pub async fn base_url(&self) -> Result<SiteUrl, Failure> {
        let address = match self {
            Self::Local(client) => over_socket::<Whereabouts>(client.get(SOCKET_URL)).await?.base_url,
            #[cfg(feature = "aws")]
            Self::Stack(stack) => {
                stack.base_url().map(str::to_owned).map_err(|error| Failure::new(error.to_string()))?
            }
        };
        SiteUrl::new(&address)
            .map_err(|error| Failure::new(format!("the bundle gives a wrong address for itself: {error}")))
    }
}

#[async_trait]
impl Operator for OperatorClient {
    async fn ask(&self, request: &OperatorRequest) -> Result<OperatorAnswer, Failure> {
        let payload = request.payload();
        let answer: Value = match self {
            Self::Local(client) => over_socket(client.post(SOCKET_URL).json(&payload)).await?,
            #[cfg(feature = "aws")]
            Self::Stack(stack) => {
                stack.operate(&payload).await.map_err(|error| Failure::unreachable(error.to_string()))?
            }
        };
        serde_json::from_value(answer).map_err(|error| {
            Failure::new(format!("the bundle's answer cannot be read: {error}"))
                .hint("use the `cloud-apps` of the version that is deployed")
        })
    }
}

/// Sends one request. A refusal is a failure, in the bundle's words.
pub async fn ask(client: &OperatorClient, request: &OperatorRequest) -> Result<OperatorAnswer, Failure> {
    match client.ask(request).await? {
        OperatorAnswer::Error(body) => Err(refused(&body)),
        answer => Ok(answer),
    }
}

/// A refusal of the bundle, as a failure.
pub fn refused(body: &ErrorBody) -> Failure {
    Failure::new(format!("{} ({})", body.error.message, words([&body.error.code])))
}

async fn over_socket<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, Failure> {
    let response = request.send().await.map_err(|_| {
        Failure::unreachable("the local bundle does not answer on its socket")
            .hint("it may have been killed: start it again with `cloud-apps serve`")
    })?;
    let body = bounded::read(response).await.map_err(|unread| match unread {
        Unread::TooLong => Failure::new(bounded::TOO_LONG),
        Unread::Lost(_) => Failure::unreachable("the connection broke off during the local bundle's answer"),
    })?;
    serde_json::from_slice(&body)
        .map_err(|error| Failure::new(format!("the local bundle's answer cannot be read: {error}")))
}
