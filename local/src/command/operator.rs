//! `cloud-apps operator`: to the local bundle over its socket, to a stack by invoking its install function.

use crate::{
    arguments::{Operator, OperatorCommand},
    failure::Failure,
    local::Files,
};
use serde_json::{Value, json};
use std::{path::Path, process::ExitCode};

/// Sends the request and shows the answer.
pub async fn run(arguments: Operator) -> Result<ExitCode, Failure> {
    let target = Target::find(&arguments).await?;
    let request = json!({ "operator": request(&arguments.what, &target)? });
    let answer = target.send(&request).await?;
    if let Some(error) = answer.get("error") {
        let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
        return Err(Failure::new(format!("{} ({})", text("message"), text("code"))));
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&answer).map_err(|e| Failure::new(e.to_string()))?;
        anstream::println!("{text}");
    } else {
        show(&arguments.what, &answer);
    }
    Ok(ExitCode::SUCCESS)
}

fn request(what: &OperatorCommand, target: &Target) -> Result<Value, Failure> {
    Ok(match what {
        OperatorCommand::Register => json!({ "do": "register" }),
        OperatorCommand::Apps => json!({ "do": "apps" }),
        OperatorCommand::Code { app, site, base_url, valid } => json!({
            "do": "code",
            "app": app,
            "site_url": site,
            "base_url": base_url.clone().map_or_else(|| target.base_url(), Ok)?,
            "valid_seconds": valid * 60,
        }),
        OperatorCommand::List { app } => json!({ "do": "list", "app": app }),
        OperatorCommand::Show { install } => json!({ "do": "show", "install_id": install }),
        OperatorCommand::Disable { install } => json!({ "do": "disable", "install_id": install }),
        OperatorCommand::Enable { install } => json!({ "do": "enable", "install_id": install }),
    })
}

fn show(what: &OperatorCommand, answer: &Value) {
    let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let rows = |key: &str| answer.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let of = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    match what {
        OperatorCommand::Code { app, site, .. } => {
            // The code alone on standard output, so that a script can take it.
            anstream::eprintln!("Install code for {app} on {site}. It is shown once, and works once:");
            anstream::println!("{}", text("code"));
        }
        OperatorCommand::Register | OperatorCommand::Apps => {
            for app in rows("apps") {
                anstream::println!(
                    "{:<24}{:<12}{}",
                    of(&app, "id"),
                    of(&app, "version"),
                    of(&app, "display_name")
                );
            }
        }
        OperatorCommand::List { app } => {
            let installs = rows("installs");
            if installs.is_empty() {
                anstream::println!("{app} is installed nowhere.");
            }
            for install in installs {
                anstream::println!("{}  {}", of(&install, "install_id"), of(&install, "site_url"));
            }
        }
        OperatorCommand::Show { .. } | OperatorCommand::Disable { .. } | OperatorCommand::Enable { .. } => {
            anstream::println!("{}", serde_json::to_string_pretty(answer).unwrap_or_default());
        }
    }
}

/// Where operator requests go.
enum Target {
    Local(reqwest::Client),
    #[cfg(feature = "aws")]
    Stack(cloud_apps_aws::stack::Stack),
}

impl Target {
    async fn find(arguments: &Operator) -> Result<Self, Failure> {
        match &arguments.stack {
            None => Self::local(&Files::below(&arguments.dir).socket()),
            Some(stack) => Self::stack(stack, arguments.region.clone()).await,
        }
    }

    fn local(socket: &Path) -> Result<Self, Failure> {
        if !socket.exists() {
            return Err(Failure::unreachable(format!("no local bundle listens on {}", socket.display()))
                .hint("start it with `cloud-apps serve` in this folder, or name its folder with --data; --stack NAME reaches a deployed one"));
        }
        let client = reqwest::Client::builder()
            .unix_socket(socket)
            .build()
            .map_err(|e| Failure::new(format!("no HTTP client: {e}")))?;
        Ok(Self::Local(client))
    }

    #[cfg(feature = "aws")]
    async fn stack(name: &str, region: Option<String>) -> Result<Self, Failure> {
        let found = cloud_apps_aws::stack::Stack::find(name, region).await;
        found.map(Self::Stack).map_err(|e| {
            Failure::unreachable(e.to_string())
                .hint("check the name, --region and your AWS credentials (`aws sts get-caller-identity`)")
        })
    }

    #[cfg(not(feature = "aws"))]
    #[allow(clippy::unused_async)] // The shape of its twin.
    async fn stack(_: &str, _: Option<String>) -> Result<Self, Failure> {
        Err(Failure::usage("this cloud-apps was built without AWS")
            .hint("build it with `cargo build -p cloud-apps`"))
    }

    fn base_url(&self) -> Result<String, Failure> {
        match self {
            Self::Local(_) => Ok("http://127.0.0.1:8080".to_owned()),
            #[cfg(feature = "aws")]
            Self::Stack(stack) => {
                stack.base_url().map(str::to_owned).map_err(|e| Failure::new(e.to_string()))
            }
        }
    }

    async fn send(&self, request: &Value) -> Result<Value, Failure> {
        match self {
            Self::Local(client) => {
                let response = client.post("http://operator/").json(request).send().await;
                let response = response.map_err(|_| {
                    Failure::unreachable("the local bundle does not answer on its socket")
                        .hint("it may have been killed: start it again with `cloud-apps serve`")
                })?;
                response.json().await.map_err(|e| Failure::new(format!("the answer cannot be read: {e}")))
            }
            #[cfg(feature = "aws")]
            Self::Stack(stack) => {
                stack.operate(request).await.map_err(|e| Failure::unreachable(e.to_string()))
            }
        }
    }
}
