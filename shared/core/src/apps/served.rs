//! An app as it serves an install: linked or registered, with the manifest that the install's admin agreed to.

use crate::{
    http::Refusal,
    store::{
        model::{Install, RegisteredApp, Sha256},
        ports::StoreError,
    },
};
use cloud_app::App;
use cloud_apps_protocol::{AppId, Code, Manifest};
use std::sync::Arc;

/// An app of the bundle, with one of its manifests.
#[derive(Clone)]
pub enum ServedApp<'w> {
    /// It is linked into the bundle.
    Linked {
        /// The app as it was built.
        app: &'w App,
        /// The part of its manifest that an install's admin agreed to, if that is not all.
        agreed: Option<Arc<Manifest>>,
    },
    /// It is reached over HTTPS or as a Lambda function.
    Registered(Registered),
}

/// A registered app with one of its manifests. Its MAC was checked.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The app as it is stored.
    pub app: Arc<RegisteredApp>,
    /// The manifest of one version. It says where that version runs.
    pub manifest: Arc<Manifest>,
    /// The manifest's hash.
    pub sha256: Sha256,
}

impl ServedApp<'_> {
    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        match self {
            Self::Linked { app, agreed } => agreed.as_deref().unwrap_or_else(|| app.manifest()),
            Self::Registered(app) => &app.manifest,
        }
    }

    /// Its id.
    pub fn id(&self) -> &AppId {
        &self.manifest().id
    }

    /// The hash of its manifest. An install stores it when its admin agrees to the manifest.
    pub fn sha256(&self) -> Sha256 {
        match self {
            Self::Linked { .. } => Sha256::of_manifest(self.manifest()),
            Self::Registered(app) => app.sha256.clone(),
        }
    }

    /// Whether an install's admin agreed to this very manifest.
    pub fn is_agreed_by(&self, install: &Install) -> bool {
        install.version == self.manifest().version
            && install.manifest.as_ref().is_none_or(|sha256| *sha256 == self.sha256())
    }
}

/// Why an app cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ServedAppError {
    /// The bundle does not have the app.
    #[error(
        "{0} is not an app of this bundle: it is neither linked into it nor registered. Deploy a bundle that links it, or \
         register it with `cloud-apps operator apps add`, then try again."
    )]
    Absent(AppId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored of the app has no MAC, or a wrong one.
    #[error(
        "Nothing vouches for what the bundle has stored of {0}, so nothing was sent to the app. An earlier version of the \
         bundle wrote it, or the key that vouched for it was revoked, or somebody else wrote it. An operator registers the \
         app again with `cloud-apps operator apps add`; unless one of the former is so, find out first who else can write the bundle's \
         tables."
    )]
    Unbound(AppId),
    /// The manifest that the install's admin agreed to is not stored any more.
    #[error(
        "The bundle does not have {app} {version} any more, which is what was agreed to on this server, so nothing was done. \
         An admin moves the install to the version that the bundle has: `cloud-apps upgrade`."
    )]
    NotKept {
        /// The app.
        app: AppId,
        /// The install's version.
        version: String,
    },
}

impl ServedAppError {
    /// Whether it may pass with time, because a store did not answer. Any other error stays until somebody fixes it, and must
    /// not stop what needs no app, such as switching an install off.
    pub fn passes(&self) -> bool {
        match self {
            Self::Store(error) => error.passes(),
            Self::Absent(_) | Self::Unbound(_) | Self::NotKept { .. } => false,
        }
    }
}

impl From<ServedAppError> for Refusal {
    fn from(error: ServedAppError) -> Self {
        match error {
            ServedAppError::Store(error) => error.into(),
            ServedAppError::Absent(_) => Self::new(Code::UpstreamFailed, error.to_string()),
            ServedAppError::Unbound(_) | ServedAppError::NotKept { .. } => {
                Self::new(Code::UpstreamFailed, error.to_string()).because(error)
            }
        }
    }
}
