//! [`Keys`] and [`KeyMaker`] with Secrets Manager: one secret for each app, `<stack>/app/<app>/keys`.
//!
//! Only the bundle writes this value; people do not edit it (the `credentials` of an app are another secret). A deleted
//! secret keeps its name during its recovery window; an attempt to create it again then fails with an error that says so.

use crate::{
    clients::Clients,
    failure::{AwsError, failed, named},
};
use async_trait::async_trait;
use aws_sdk_secretsmanager::operation::{
    create_secret::CreateSecretError, get_secret_value::GetSecretValueError,
};
use cloud_apps_core::store::{
    model::Ring,
    ports::{KeyMaker, Keys, StoreError, Stored},
};
use cloud_apps_protocol::AppId;
use std::sync::Arc;

/// The key rings of a stack. Clones share the client.
#[derive(Clone, Debug)]
pub struct Secrets {
    clients: Arc<Clients>,
    stack: Arc<str>,
}

impl Secrets {
    /// The secrets of this stack. The client is built when it is first needed.
    pub fn new(clients: Arc<Clients>, stack: &str) -> Self {
        Self { clients, stack: stack.into() }
    }

    fn name(&self, app: &AppId) -> String {
        format!("{}/app/{app}/keys", self.stack)
    }

    async fn read(&self, what: &'static str, app: &AppId) -> Stored<Option<Ring>> {
        let read = self.clients.secrets().get_secret_value().secret_id(self.name(app));
        match read.send().await {
            Ok(secret) => {
                let text = secret.secret_string().ok_or_else(|| StoreError::Corrupt {
                    what,
                    detail: format!("the secret {} holds bytes instead of text", self.name(app)),
                })?;
                Ring::from_json(what, app, text).map(Some)
            }
            Err(error) => match error.as_service_error() {
                Some(GetSecretValueError::ResourceNotFoundException(_)) => Ok(None),
                _ => Err(failed(what, &error)),
            },
        }
    }
}

#[async_trait]
impl Keys for Secrets {
    async fn ring(&self, app: &AppId) -> Stored<Option<Ring>> {
        self.read("Keys.ring", app).await
    }
}

#[async_trait]
impl KeyMaker for Secrets {
    async fn make(&self, ring: &Ring) -> Stored<Ring> {
        const WHAT: &str = "KeyMaker.make";
        let json = ring.to_json(WHAT)?;
        let make = self
            .clients
            .secrets()
            .create_secret()
            .name(self.name(&ring.app))
            .description(format!(
                "Key ring of the app {}. Written and read by the bundle; do not edit.",
                ring.app
            ))
            .secret_string(json.as_str());
        let Err(error) = make.send().await else { return Ok(ring.clone()) };
        match error.as_service_error() {
            Some(CreateSecretError::ResourceExistsException(_)) => {
                let gone = AwsError::GivenUp(
                    "a secret of this name exists and cannot be read: if it is scheduled for deletion, restore it",
                );
                self.read(WHAT, &ring.app).await?.ok_or_else(|| named(WHAT, false, gone))
            }
            _ => Err(failed(WHAT, &error)),
        }
    }

    async fn replace(&self, ring: &Ring) -> Stored<()> {
        const WHAT: &str = "KeyMaker.replace";
        let json = ring.to_json(WHAT)?;
        let put = self.clients.secrets().put_secret_value().secret_id(self.name(&ring.app));
        match put.secret_string(json.as_str()).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(WHAT, &error)),
        }
    }
}
