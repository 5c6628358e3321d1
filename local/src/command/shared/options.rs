//! Options that several commands share, so that the same option has the same name everywhere.

use crate::{certificates::Authorities, folder::Data};
use clap::Args;
use cloud_apps_protocol::{AppId, InstallId, SiteUrl};

/// Which bundle, for its operator. These stand before or after the command.
#[derive(Debug, Clone, Args)]
pub struct OperatorOptions {
    /// A deployed stack. The request goes to its install function, with the AWS credentials of your environment.
    #[arg(long, value_name = "NAME", global = true)]
    pub stack: Option<String>,
    /// AWS region of the stack.
    #[arg(long, value_name = "REGION", global = true, env = "AWS_REGION")]
    pub region: Option<String>,
    /// The local bundle, if --stack is not given.
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub authorities: Authorities,
    /// Print the answer as JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// Which bundle, for its operator or for somebody with a code.
#[derive(Debug, Clone, Args)]
pub struct BundleOptions {
    /// A deployed stack, with the AWS credentials of your environment.
    #[arg(long, value_name = "NAME", conflicts_with = "bundle")]
    pub stack: Option<String>,
    /// AWS region of the stack.
    #[arg(long, value_name = "REGION", env = "AWS_REGION")]
    pub region: Option<String>,
    /// A bundle by its base URL, with a code that its operator gave you: `CLOUD_APPS_CODE` holds it, or you are asked.
    #[arg(long, value_name = "URL")]
    pub bundle: Option<SiteUrl>,
    /// The local bundle, if neither --stack nor --bundle is given.
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub authorities: Authorities,
}

impl BundleOptions {
    /// Whether it is the local bundle.
    pub fn is_local(&self) -> bool {
        self.stack.is_none() && self.bundle.is_none()
    }
}

impl From<&OperatorOptions> for BundleOptions {
    fn from(options: &OperatorOptions) -> Self {
        let OperatorOptions { stack, region, data, authorities, .. } = options.clone();
        Self { stack, region, bundle: None, data, authorities }
    }
}

/// Which install: by its id, or by app and server.
#[derive(Debug, Clone, Args)]
pub struct InstallOptions {
    /// The install's id; or the app's id, with --site.
    #[arg(value_name = "INSTALL|APP")]
    pub name: String,
    /// The Mattermost server. Needed if you name the app; and with --bundle, if your admin token is sent to that server.
    #[arg(long, value_name = "URL")]
    pub site: Option<SiteUrl>,
}

impl InstallOptions {
    /// App and server, if that is how the install is named.
    pub fn app_and_site(&self) -> Option<(AppId, SiteUrl)> {
        Some((self.name.parse().ok()?, self.site.clone()?))
    }

    /// The install's id, if that is how it is named. The id of an app can look the same.
    pub fn id(&self) -> Option<InstallId> {
        InstallId::new(&self.name).ok()
    }
}
