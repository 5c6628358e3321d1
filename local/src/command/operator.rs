//! `cloud-apps operator`: to the local bundle over its socket, to a stack by invoking its install function.

use crate::{
    arguments::{Operator, OperatorCommand},
    bounded::{self, Unread},
    failure::Failure,
    local::Whereabouts,
    terminal,
};
use cloud_apps_core::operator::{OperatorAnswer, OperatorRequest};
use cloud_apps_protocol::{BadId, SiteUrl, error::ErrorBody, install::InstallView};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{path::Path, process::ExitCode, str::FromStr, time::Duration};

/// Sends the request and shows the answer.
pub async fn run(arguments: Operator) -> Result<ExitCode, Failure> {
    let target = Target::find(&arguments).await?;
    let request = request(&arguments.what, &target).await?;
    let answer = target.ask(&request).await?;
    if arguments.json {
        terminal::json(&answer)?;
    } else {
        show(&request, &answer);
    }
    Ok(ExitCode::SUCCESS)
}

async fn request(what: &OperatorCommand, target: &Target) -> Result<OperatorRequest, Failure> {
    Ok(match what {
        OperatorCommand::Register => OperatorRequest::Register {},
        OperatorCommand::Code { app, site, base_url, valid, replace } => OperatorRequest::Code {
            app: id(app)?,
            site_url: url("--site", site)?,
            base_url: match base_url {
                Some(given) => url("--base-url", given)?,
                None => url("the bundle's address", &target.base_url().await?)?,
            },
            valid_seconds: valid * 60,
            replace: *replace,
        },
        OperatorCommand::ManageCode { install, valid } => {
            OperatorRequest::ManageCode { install_id: id(install)?, valid_seconds: valid * 60 }
        }
        OperatorCommand::RevokeCodes { install } => {
            OperatorRequest::RevokeManageCodes { install_id: id(install)? }
        }
    })
}

fn id<T: FromStr<Err = BadId>>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|e: BadId| {
        Failure::usage(e.to_string())
            .hint("`cloud-apps app list` shows the apps, `cloud-apps list` the installs")
    })
}

fn url(what: &str, text: &str) -> Result<SiteUrl, Failure> {
    SiteUrl::new(text).map_err(|e| Failure::usage(format!("{what}: {e}")))
}

fn show(request: &OperatorRequest, answer: &OperatorAnswer) {
    match answer {
        OperatorAnswer::Code { code, expires_at } => {
            // The code alone on standard output, so that a script can take it.
            if let OperatorRequest::Code { app, site_url, base_url, valid_seconds, .. } = request {
                terminal::err(format!(
                    "Install code for {app} on {site_url}. It is shown once, works once, and is good for {} minutes, until {}:",
                    valid_seconds / 60,
                    date(*expires_at)
                ));
                terminal::out(code);
                terminal::err(format!(
                    "Next: an admin of {site_url} installs with it: `cloud-apps install {app} --site {site_url} --bundle {base_url}` \
                     asks for it."
                ));
            }
            if let OperatorRequest::ManageCode { install_id, valid_seconds } = request {
                terminal::err(format!(
                    "Manage code for the install {install_id}. It is shown once, and good for {} minutes, until {}:",
                    valid_seconds / 60,
                    date(*expires_at)
                ));
                terminal::out(code);
                terminal::err(format!(
                    "Next: whoever holds it gives the install's id, --bundle with the bundle's address and --site with the server's to \
                     `cloud-apps show`, `configure`, `presets`, `sync`, `rotate bot-token`, `upgrade` or `uninstall`, and is \
                     asked for it. `cloud-apps operator revoke-codes {install_id}` takes it back."
                ));
            }
        }
        OperatorAnswer::Apps { apps } => {
            for app in apps {
                terminal::out(format!("{:<24}{:<12}{}", app.id.as_str(), app.version, app.display_name));
            }
            if apps.is_empty() {
                terminal::out(
                    "The bundle knows no app. `cloud-apps operator register` makes the linked ones known.",
                );
            }
        }
        OperatorAnswer::Install(install) => {
            show_install(install);
            if matches!(request, OperatorRequest::RevokeManageCodes { .. }) {
                terminal::err("No manage code that was made for it is good any more.");
            }
        }
        // `Target::ask` makes a failure of an error.
        OperatorAnswer::Error(_)
        | OperatorAnswer::App { .. }
        | OperatorAnswer::Changed { .. }
        | OperatorAnswer::Installs { .. }
        | OperatorAnswer::Keys { .. }
        | OperatorAnswer::DeadLetters { .. }
        | OperatorAnswer::DeadLetter { .. }
        | OperatorAnswer::Removed { .. } => {}
    }
}

pub(super) fn show_install(install: &InstallView) {
    let row = |name: &str, value: &str| {
        if !value.is_empty() {
            terminal::out(format!("{name:<13}{value}"));
        }
    };
    row("install", install.install_id.as_str());
    row("app", &format!("{} {}", install.app_id, install.version));
    row("server", install.site_url.as_str());
    row("state", &install.state);
    row("made", &date(install.created_at));
    row("bot", &format!("@{} ({})", install.bot.username, install.bot.id));
    row("permissions", &words(&install.granted.permissions));
    row("locations", &words(&install.granted.locations));
    row("events", &words(&install.granted.events));
    row("webhooks", &words(&install.granted.webhooks));
    row("teams", &words(&install.teams));
    for (name, value) in &install.settings {
        row("setting", &format!("{name} = {value}"));
    }
    row("address", &install.endpoints.command);
    for missing in &install.unavailable {
        row("unavailable", &words([missing]));
    }
}

/// As the protocol writes them, one after the other.
pub(super) fn words(items: impl IntoIterator<Item = impl Serialize>) -> String {
    let word = |item| match serde_json::to_value(item) {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    };
    items.into_iter().map(word).collect::<Vec<_>>().join(", ")
}

pub(super) fn date(ms: u64) -> String {
    let date = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    date.map(|date| format!("{date:.0}")).unwrap_or_default()
}

/// Where operator requests go.
pub(super) enum Target {
    Local(reqwest::Client),
    #[cfg(feature = "aws")]
    Stack(cloud_apps_aws::stack::Stack),
}

impl Target {
    async fn find(arguments: &Operator) -> Result<Self, Failure> {
        match &arguments.stack {
            None => Self::local(&arguments.data.files()?.socket()),
            Some(stack) => Self::stack(stack, arguments.region.clone()).await,
        }
    }

    pub(super) fn local(socket: &Path) -> Result<Self, Failure> {
        if !socket.exists() {
            return Err(Failure::unreachable(format!("no local bundle listens on {}", socket.display()))
                .hint("start it with `cloud-apps serve` in this folder, or name its folder with --data; --stack NAME reaches a deployed one"));
        }
        let client = reqwest::Client::builder()
            .unix_socket(socket)
            .timeout(OPERATING)
            .build()
            .map_err(|e| Failure::new(format!("no HTTP client: {e}")))?;
        Ok(Self::Local(client))
    }

    #[cfg(feature = "aws")]
    pub(super) async fn stack(name: &str, region: Option<String>) -> Result<Self, Failure> {
        let found = cloud_apps_aws::stack::Stack::find(name, region).await;
        found.map(Self::Stack).map_err(|e| {
            Failure::unreachable(e.to_string())
                .hint("check the name, --region and your AWS credentials (`aws sts get-caller-identity`)")
        })
    }

    #[cfg(not(feature = "aws"))]
    #[allow(clippy::unused_async)] // The shape of its twin.
    pub(super) async fn stack(_: &str, _: Option<String>) -> Result<Self, Failure> {
        Err(Failure::usage("this cloud-apps was built without AWS")
            .hint("build it with `cargo build -p cloud-apps`"))
    }

    /// The bundle's address, from itself.
    pub(super) async fn base_url(&self) -> Result<String, Failure> {
        match self {
            Self::Local(client) => {
                let answer: Whereabouts = over_socket(client.get(SOCKET_URL)).await?;
                Ok(answer.base_url)
            }
            #[cfg(feature = "aws")]
            Self::Stack(stack) => {
                stack.base_url().map(str::to_owned).map_err(|e| Failure::new(e.to_string()))
            }
        }
    }

    /// Sends one request; what the bundle refuses is a failure in its words.
    async fn ask(&self, request: &OperatorRequest) -> Result<OperatorAnswer, Failure> {
        match self.answer(request).await? {
            OperatorAnswer::Error(ErrorBody { error }) => {
                Err(Failure::new(format!("{} ({})", error.message, words([&error.code]))))
            }
            answer => Ok(answer),
        }
    }

    /// Sends one request; what the bundle refuses is an answer too.
    pub(super) async fn answer(&self, request: &OperatorRequest) -> Result<OperatorAnswer, Failure> {
        let payload = request.payload();
        let answer: Value = match self {
            Self::Local(client) => over_socket(client.post(SOCKET_URL).json(&payload)).await?,
            #[cfg(feature = "aws")]
            Self::Stack(stack) => {
                stack.operate(&payload).await.map_err(|e| Failure::unreachable(e.to_string()))?
            }
        };
        serde_json::from_value(answer).map_err(|e| {
            Failure::new(format!("the bundle's answer cannot be read: {e}"))
                .hint("use the `cloud-apps` of the version that is deployed")
        })
    }
}

/// How long one request of an operator may take: longer than an app's part in it, which has 20 s.
const OPERATING: Duration = Duration::from_mins(1);

/// The socket is the address; a URL needs some host.
const SOCKET_URL: &str = "http://operator/";

async fn over_socket<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, Failure> {
    let response = request.send().await.map_err(|_| {
        Failure::unreachable("the local bundle does not answer on its socket")
            .hint("it may have been killed: start it again with `cloud-apps serve`")
    })?;
    let body = bounded::read(response).await.map_err(|unread| match unread {
        Unread::TooLong => Failure::new(bounded::TOO_LONG),
        Unread::Lost(_) => Failure::unreachable("the local bundle's answer broke off"),
    })?;
    serde_json::from_slice(&body).map_err(|e| Failure::new(format!("the answer cannot be read: {e}")))
}
