//! How a command reaches the two sides: the bundle with an operator's rights or a code, the server with the admin's token.

use super::{
    operator_client::OperatorClient,
    options::{BundleOptions, OperatorOptions},
};
use crate::{
    certificates::Authorities,
    demo::Credentials,
    failure::Failure,
    install::{
        ADMIN_TOKEN, Admin, BundleError, Installer, Patience, Stop,
        bundle::{Bundle, Rights},
        journal,
        person::{Person, Terminal},
    },
    mattermost::{CallError, Mattermost, TIMEOUT},
};
use cloud_apps_protocol::SiteUrl;
use secrecy::SecretString;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// The variable that holds an install code or a manage code.
const CODE: &str = "CLOUD_APPS_CODE";
/// What is asked for where the bundle is reached with a manage code.
pub const MANAGE_CODE: &str = "A manage code of the install";

impl BundleOptions {
    /// The bundle. `code` says which code is asked for.
    pub async fn bundle(&self, code: &str) -> Result<Bundle, Failure> {
        let (base_url, rights) = if let Some(url) = &self.bundle {
            (url.clone(), Rights::Code(given_code(code).await?))
        } else {
            let client = OperatorClient::find(self.stack.as_deref(), self.region.clone(), &self.data).await?;
            (client.base_url().await?, Rights::Operator(Box::new(client)))
        };
        Bundle::new(base_url, rights, TIMEOUT, &self.authorities).map_err(|trouble| match trouble {
            CallError::Insecure { address } => Failure::usage(format!(
                "{address} does not begin with https, so the code would be sent unencrypted"
            ))
            .hint("give the bundle's https address"),
            other => Failure::new(other.to_string()),
        })
    }

    /// The bundle, for its operator. `what` says what needs an operator's rights.
    pub async fn operator(&self, what: &'static str) -> Result<Bundle, Failure> {
        match &self.bundle {
            Some(url) => Err(BundleError::NeedsOperator(what).failure(url)),
            None => self.bundle("").await,
        }
    }

    /// The token of the demo's admin, if the server is the demo of the local bundle. `serve` made that token up, so nobody
    /// could type it.
    fn demo_admin(&self, site: &SiteUrl) -> Option<SecretString> {
        if !self.is_local() {
            return None;
        }
        let demo = Credentials::read(&self.data.files().ok()?).ok()?;
        let admin = demo.users.get("admin").filter(|_| demo.site_url == site.as_str())?;
        Some(admin.token.clone().into())
    }

    /// The folder of the ids of rotations that were begun.
    pub fn rotations(&self) -> Result<PathBuf, Failure> {
        Ok(self.journals()?.with_file_name("rotating"))
    }

    /// The folder of the journals.
    fn journals(&self) -> Result<PathBuf, Failure> {
        if self.is_local() { Ok(self.data.files()?.journals()) } else { journal::folder() }
    }
}

impl OperatorOptions {
    /// The bundle, with its operator's rights.
    pub async fn bundle(&self) -> Result<Bundle, Failure> {
        BundleOptions::from(self).bundle("").await
    }

    /// The bundle's operator interface alone: it needs no address of the bundle.
    pub async fn client(&self) -> Result<OperatorClient, Failure> {
        OperatorClient::find(self.stack.as_deref(), self.region.clone(), &self.data).await
    }
}

async fn given_code(what: &str) -> Result<SecretString, Failure> {
    if let Some(code) = secret(CODE) {
        return Ok(code);
    }
    if !Terminal.answers() {
        return Err(Failure::usage(format!("{what} is missing"))
            .hint(format!("set {CODE}, or run this at a terminal to be asked")));
    }
    let typed = Terminal.ask_secretly(&format!("{what}, not shown:")).await;
    typed.map_err(|stop| match stop {
        Stop::Here(failure) => failure,
        stop => Failure::interrupted(stop.line()),
    })
}

/// The admin's personal access token, if the environment holds it.
pub fn given_admin_token() -> Option<SecretString> {
    secret(ADMIN_TOKEN)
}

/// A credential from the environment.
fn secret(name: &str) -> Option<SecretString> {
    let value = std::env::var(name).ok()?;
    let value = value.trim();
    (!value.is_empty()).then(|| SecretString::from(value))
}

/// A Mattermost server, before anybody has logged in.
pub fn server(site: &SiteUrl, authorities: &Authorities) -> Result<Mattermost, Failure> {
    Mattermost::new(site, TIMEOUT, authorities).map_err(|trouble| {
        Failure::usage(trouble.to_string()).hint("give the https address of the Mattermost server")
    })
}

/// What an installation, a sync or a removal is done with.
pub fn installer<'a>(
    options: &BundleOptions,
    bundle: Bundle,
    site: &SiteUrl,
    person: &'a dyn Person,
    interrupt: CancellationToken,
) -> Result<Installer<'a>, Failure> {
    let server = server(site, &options.authorities)?;
    let token = given_admin_token().or_else(|| {
        let token = options.demo_admin(site)?;
        person.tell(&format!("{site} is the demo, and you are its admin."));
        Some(token)
    });
    let admin = Admin { server, token, person, interrupt, patience: Patience::default() };
    Ok(Installer { admin, bundle, journals: options.journals()? })
}

/// What stopped the work, as a failure.
pub fn settle<T>(installer: &Installer<'_>, outcome: Result<T, Stop>) -> Result<T, Failure> {
    outcome.map_err(|stop| stop.failure(&installer.admin.server, &installer.bundle))
}
