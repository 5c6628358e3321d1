//! An app as it serves an install: linked, or registered at run time; with the manifest that its admin agreed to.

use crate::{
    http::Refusal,
    store::{
        model::{RegisteredApp, Sha256},
        ports::StoreError,
    },
};
use cloud_app::App;
use cloud_apps_protocol::{AppId, Code, Manifest};
use std::sync::Arc;

/// An app of the bundle, with a manifest of it.
#[derive(Clone)]
pub enum ServedApp<'w> {
    /// Linked into it.
    Linked {
        /// The app as it was built.
        app: &'w App,
        /// What of its manifest an install agreed to, where that is not all.
        agreed: Option<Arc<Manifest>>,
    },
    /// Reached over HTTPS or as a Lambda function.
    Registered(Registered),
}

/// A registered app, vouched for, with one of its manifests.
#[derive(Debug, Clone)]
pub struct Registered {
    /// As it is kept.
    pub app: Arc<RegisteredApp>,
    /// One version's manifest; its upstream is where that version runs.
    pub manifest: Arc<Manifest>,
    /// Its hash.
    pub sha256: Sha256,
}

impl ServedApp<'_> {
    /// What it is, and may be asked.
    pub fn manifest(&self) -> &Manifest {
        match self {
            Self::Linked { app, agreed } => agreed.as_deref().unwrap_or_else(|| app.manifest()),
            Self::Registered(known) => &known.manifest,
        }
    }

    /// Its id.
    pub fn id(&self) -> &AppId {
        &self.manifest().id
    }

    /// The hash of its manifest: what an install names that agrees to it.
    pub fn sha256(&self) -> Sha256 {
        match self {
            Self::Linked { .. } => Sha256::of_manifest(self.manifest()),
            Self::Registered(known) => known.sha256.clone(),
        }
    }
}

/// Why nothing is asked of an app that the bundle has.
#[derive(Debug, thiserror::Error)]
pub enum ServedAppError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing vouches for what stands in the table.
    #[error(
        "Nothing vouches for what the bundle has stored of {0}, so nothing was sent to the app. An earlier version of the \
         bundle wrote it, or the key that vouched for it was revoked, or somebody else wrote it. An operator registers the \
         app again with `cloud-apps operator apps add`; unless one of the former is so, find out first who else can write the bundle's \
         tables."
    )]
    Unbound(AppId),
    /// The manifest that the install agreed to is not kept.
    #[error(
        "The bundle does not have {app} {version} any more, which is what was agreed to on this server, so nothing was done. \
         An admin moves the install to the version that the bundle has: `cloud-apps upgrade`."
    )]
    NotKept {
        /// Of which app.
        app: AppId,
        /// The version that the install is at.
        version: String,
    },
}

impl ServedAppError {
    /// Whether it may pass: the store did not answer. What else is wrong stays so until somebody does something about it, and
    /// keeps nobody from what needs no app, such as switching an install off.
    pub fn passes(&self) -> bool {
        match self {
            Self::Store(error) => !matches!(error, StoreError::Corrupt { .. }),
            Self::Unbound(_) | Self::NotKept { .. } => false,
        }
    }
}

impl From<ServedAppError> for Refusal {
    fn from(error: ServedAppError) -> Self {
        match error {
            ServedAppError::Store(error) => error.into(),
            ServedAppError::Unbound(_) | ServedAppError::NotKept { .. } => {
                Self::new(Code::UpstreamFailed, error.to_string()).because(error)
            }
        }
    }
}
