//! How `install`, `sync` and `uninstall` reach the two sides: the bundle with an operator's rights or a code, the
//! server with the admin's token.

use super::operator::Target;
use crate::{
    demo::Credentials,
    failure::Failure,
    folder::Data,
    install::{
        ADMIN_TOKEN, Means, Patience, Stop,
        bundle::{Bundle, BundleTrouble, Operator, Rights},
        interrupt::Interrupt,
        journal,
        person::{Person, Terminal},
    },
    mattermost::{Mattermost, TIMEOUT, Trouble},
};
use async_trait::async_trait;
use clap::Args;
use cloud_apps_core::operator::{OperatorAnswer, OperatorRequest};
use cloud_apps_protocol::{AppId, InstallId, SiteUrl, install::InstallView};
use secrecy::SecretString;
use std::path::PathBuf;

/// The variable that holds an install code or a manage code.
const CODE: &str = "CLOUD_APPS_CODE";

/// Where the bundle is.
#[derive(Debug, Clone, Args)]
pub struct Reach {
    /// A deployed stack, operated with the AWS credentials of your environment.
    #[arg(long, value_name = "NAME", conflicts_with = "bundle")]
    pub stack: Option<String>,
    /// AWS region of the stack.
    #[arg(long, value_name = "REGION", env = "AWS_REGION")]
    pub region: Option<String>,
    /// A bundle anywhere, by its base URL, with a code of its operator (`CLOUD_APPS_CODE`, or you are asked for it).
    #[arg(long, value_name = "URL")]
    pub bundle: Option<SiteUrl>,
    /// The local bundle, where neither --stack nor --bundle is given.
    #[command(flatten)]
    pub data: Data,
}

impl Reach {
    /// The bundle. `code` says which code is asked for.
    pub async fn bundle(&self, code: &str) -> Result<Bundle, Failure> {
        let (base_url, rights) = if let Some(url) = &self.bundle {
            (url.clone(), Rights::Code(given_code(code).await?))
        } else {
            let target = match &self.stack {
                Some(stack) => Target::stack(stack, self.region.clone()).await?,
                None => Target::local(&self.data.files()?.socket())?,
            };
            let url = target.base_url().await?;
            let url = SiteUrl::new(&url).map_err(|e| Failure::new(format!("the bundle's address: {e}")))?;
            (url, Rights::Operator(Box::new(target)))
        };
        Bundle::new(base_url, rights, TIMEOUT).map_err(|trouble| match trouble {
            Trouble::Insecure { address } => Failure::usage(format!(
                "{address} does not begin with https, and the code would travel in clear"
            ))
            .hint("give the bundle's https address"),
            other => Failure::new(other.to_string()),
        })
    }

    /// The bundle, for its operator alone; `what` says what takes an operator's rights.
    pub async fn operator(&self, what: &'static str) -> Result<Bundle, Failure> {
        match &self.bundle {
            Some(url) => Err(BundleTrouble::NeedsOperator(what).failure(url)),
            None => self.bundle("").await,
        }
    }

    /// The token of the demo's admin, where the server is the demo beside the local bundle: nobody knows it who could
    /// type it.
    fn demo_admin(&self, site: &SiteUrl) -> Option<SecretString> {
        if self.bundle.is_some() || self.stack.is_some() {
            return None;
        }
        let demo = Credentials::read(&self.data.files().ok()?).ok()?;
        let admin = demo.users.get("admin").filter(|_| demo.site_url == site.as_str())?;
        Some(admin.token.clone().into())
    }

    /// Where the ids of rotations stand while they are under way.
    pub fn rotations(&self) -> Result<PathBuf, Failure> {
        Ok(self.journals()?.with_file_name("rotating"))
    }

    /// Where journals stand.
    fn journals(&self) -> Result<PathBuf, Failure> {
        let local = self.bundle.is_none() && self.stack.is_none();
        if local { Ok(self.data.files()?.journals()) } else { journal::folder() }
    }
}

async fn given_code(what: &str) -> Result<SecretString, Failure> {
    if let Some(code) = secret(CODE) {
        return Ok(code);
    }
    if !Terminal.answers() {
        return Err(Failure::usage(format!("{what} is missing"))
            .hint(format!("set {CODE}, or run it at a terminal to be asked")));
    }
    let typed = Terminal.ask_secretly(&format!("{what}, not shown:")).await;
    typed.map_err(|stop| match stop {
        Stop::Here(failure) => failure,
        stop => Failure::interrupted(stop.line()),
    })
}

/// The admin's personal access token, where the environment holds it.
pub fn given_admin_token() -> Option<SecretString> {
    secret(ADMIN_TOKEN)
}

/// A credential of the environment.
fn secret(name: &str) -> Option<SecretString> {
    let value = std::env::var(name).ok()?;
    let value = value.trim();
    (!value.is_empty()).then(|| SecretString::from(value))
}

#[async_trait]
impl Operator for Target {
    async fn ask(&self, request: &OperatorRequest) -> Result<OperatorAnswer, Failure> {
        self.answer(request).await
    }
}

/// Which install: by its id, or by app and site.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// The install's id, or with --site the app's.
    #[arg(value_name = "INSTALL|APP")]
    pub name: String,
    /// The Mattermost server: needed where an app is named, and with --bundle wherever the admin's token is to go there.
    #[arg(long, value_name = "URL")]
    pub site: Option<SiteUrl>,
}

impl Which {
    /// App and site, if that is how it is named.
    pub fn app_and_site(&self) -> Option<(AppId, SiteUrl)> {
        Some((self.name.parse().ok()?, self.site.clone()?))
    }

    /// The install's id, if that is how it is named. An app may have such a name, too.
    pub fn id(&self) -> Option<InstallId> {
        InstallId::new(&self.name).ok()
    }

    /// The install, if the bundle has it. An id goes first: whoever gives --site beside it means that install all the same.
    pub async fn find(&self, bundle: &Bundle) -> Result<Option<InstallView>, Failure> {
        let failure = |trouble: BundleTrouble| trouble.failure(bundle.base_url());
        let by_app = self.app_and_site().filter(|_| bundle.is_operator());
        let id = self.id();
        if id.is_none() && by_app.is_none() {
            let why = if bundle.is_operator() {
                "name the install's id, or the app and --site"
            } else {
                "a manage code is for one install: name its id"
            };
            return Err(Failure::usage(format!("{} names no install", self.name)).hint(why));
        }
        if let Some(id) = id
            && let Some(install) = bundle.show(&id).await.map_err(failure)?
        {
            return Ok(Some(install));
        }
        let Some((app, site)) = by_app else { return Ok(None) };
        bundle.find(&app, &site).await.map_err(failure)
    }

    /// The install.
    pub async fn install(&self, bundle: &Bundle) -> Result<InstallView, Failure> {
        self.find(bundle).await?.ok_or_else(|| self.unknown().hint("`cloud-apps list` shows the installs"))
    }

    /// The server of an install, to which the admin's token goes. Who has a code only does not know who runs the bundle, and
    /// by its word the token of a system admin could go anywhere: so the admin says which server it is for.
    pub fn site<'a>(&self, bundle: &Bundle, view: &'a InstallView) -> Result<&'a SiteUrl, Failure> {
        let (id, site) = (&view.install_id, &view.site_url);
        match &self.site {
            Some(named) if named == site => Ok(site),
            Some(named) => Err(Failure::usage(format!(
                "the bundle says that install {id} is on {site}, and not on {named}"
            ))
            .hint("nothing was sent there; check the install's id and --site")),
            None if bundle.is_operator() => Ok(site),
            None => Err(Failure::usage(format!(
                "the bundle says that install {id} is on {site}, and your token would go there"
            ))
            .hint(format!("if that is your server, say so: --site {site}"))),
        }
    }

    /// That there is none.
    pub fn unknown(&self) -> Failure {
        let site = self.site.as_ref().map(|site| format!(" on {site}")).unwrap_or_default();
        Failure::new(format!("the bundle has no install {}{site}", self.name))
    }
}

/// What an installation, a sync or a removal is done with.
pub fn means<'a>(
    reach: &Reach,
    bundle: Bundle,
    site: &SiteUrl,
    person: &'a dyn Person,
    interrupt: Interrupt,
) -> Result<Means<'a>, Failure> {
    let server = Mattermost::new(site, TIMEOUT).map_err(|trouble| {
        Failure::usage(trouble.to_string()).hint("give the https address of the Mattermost server")
    })?;
    let token = secret(ADMIN_TOKEN).or_else(|| {
        let token = reach.demo_admin(site)?;
        person.tell(&format!("{site} is the demo, and you are its admin."));
        Some(token)
    });
    let (patience, journals) = (Patience::default(), reach.journals()?);
    Ok(Means { server, bundle, token, person, interrupt, patience, journals })
}

/// What kept somebody from typing, as a failure.
pub fn unanswered(stop: Stop) -> Failure {
    match stop {
        Stop::Here(failure) => failure,
        _ => Failure::new("nothing was changed"),
    }
}

/// What stopped it, as a failure.
pub fn settle<T>(means: &Means<'_>, outcome: Result<T, Stop>) -> Result<T, Failure> {
    outcome.map_err(|stop| stop.failure(&means.server, &means.bundle))
}
