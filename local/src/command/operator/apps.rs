//! `cloud-apps operator apps`: the apps of a bundle, linked and external.

use crate::{
    command::shared::{
        manifest_file::ManifestFile,
        operator_client::refused,
        options::OperatorOptions,
        output::{date, print_json, row, words},
    },
    failure::Failure,
    install::bundle::Operator,
    terminal,
};
use clap::{Args, Subcommand};
use cloud_apps_core::operator::{OperatorAnswer, OperatorRequest};
use cloud_apps_protocol::{AppId, error::ErrorBody, install::AppView, manifest::Problem};
use std::{path::PathBuf, process::ExitCode};

/// `operator apps`.
#[derive(Debug, Args)]
pub struct Apps {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Register an external app (over HTTPS, or a Lambda function), or give it a new manifest.
    Add {
        /// Its manifest, usually `mattermost-cloud-app.json`; `-` reads standard input.
        file: PathBuf,
    },
    /// List the apps of the bundle.
    List,
    /// Show an app, and all that it asks for.
    Show {
        /// The app's id.
        app: AppId,
    },
    /// Remove an external app that is not installed anywhere.
    Remove {
        /// The app's id.
        app: AppId,
    },
    /// Make the next secret of an external app. For 24 hours the bundle still signs with the current one.
    Rotate {
        /// The app's id.
        app: AppId,
        /// Sign with the new secret at once: the app has it already, or somebody else knows the old one.
        #[arg(long)]
        now: bool,
    },
}

/// Sends the request and shows the answer.
pub async fn run(at: &OperatorOptions, arguments: Apps) -> Result<ExitCode, Failure> {
    // The manifest is read before the bundle is looked for, because a file that cannot be read needs no bundle.
    let (request, file) = request(&arguments.command)?;
    let answer = match at.client().await?.ask(&request).await? {
        OperatorAnswer::Error(body) => return Err(not_added(&body, file.as_ref())),
        answer => answer,
    };
    if at.json {
        return print_json(&answer);
    }
    show(&arguments.command, &answer);
    Ok(ExitCode::SUCCESS)
}

/// The request, and the manifest where there is one.
fn request(command: &Command) -> Result<(OperatorRequest, Option<ManifestFile>), Failure> {
    Ok(match command {
        Command::Add { file } => {
            let file = ManifestFile::read(file)?;
            (OperatorRequest::AddApp { manifest: file.text.clone().into() }, Some(file))
        }
        Command::List => (OperatorRequest::Apps {}, None),
        Command::Show { app } => (OperatorRequest::App { app: app.clone() }, None),
        Command::Remove { app } => (OperatorRequest::RemoveApp { app: app.clone() }, None),
        Command::Rotate { app, now } => {
            (OperatorRequest::RotateUpstream { app: app.clone(), at_once: *now }, None)
        }
    })
}

/// What the bundle refused. The problems of a manifest are shown at their places first.
fn not_added(body: &ErrorBody, file: Option<&ManifestFile>) -> Failure {
    let problems = body.error.more.get("problems").cloned().unwrap_or_default();
    let problems: Vec<Problem> = serde_json::from_value(problems).unwrap_or_default();
    let Some(file) = file.filter(|_| !problems.is_empty()) else { return refused(body) };
    let found = file.show_problems(&problems);
    Failure::new(format!("{} has {found}, and nothing was changed", file.name))
}

fn show(what: &Command, answer: &OperatorAnswer) {
    match answer {
        OperatorAnswer::Apps { apps } => {
            if let Command::Remove { app } = what {
                terminal::out(format!("{app} is removed."));
                return;
            }
            for app in apps {
                let kind = if app.linked { "linked" } else { "external" };
                terminal::out(format!(
                    "{:<24}{:<12}{kind:<12}{}",
                    app.id.as_str(),
                    app.version,
                    app.display_name
                ));
            }
            if apps.is_empty() {
                terminal::out(
                    "The bundle has no app. `cloud-apps operator register` registers the linked ones.",
                );
            }
        }
        OperatorAnswer::App { app, versions, address, kid, upstream_secret, previous_until } => {
            match what {
                Command::Show { .. } => {
                    describe(app, versions, address.as_deref(), kid.as_deref(), *previous_until);
                }
                _ if upstream_secret.is_none() => {
                    let what = format!("{} {} is registered", app.id, app.version);
                    terminal::out(format!("{what}; its secret stays the same."));
                }
                _ => terminal::err(format!("{} {} is registered.", app.id, app.version)),
            }
            if let (Some(kid), Some(secret)) = (kid, upstream_secret) {
                hand_over(what, app, kid, secret, *previous_until);
            }
        }
        _ => {}
    }
}

fn describe(
    app: &AppView,
    versions: &[String],
    address: Option<&str>,
    kid: Option<&str>,
    previous_until: Option<u64>,
) {
    row("app", &format!("{} {}", app.id, app.version));
    if versions.len() > 1 {
        row("versions", &format!("{}; an install keeps its version until it is upgraded", words(versions)));
    }
    row("name", &app.display_name);
    row("about", &app.description);
    row("runs", &address.map_or_else(|| app.upstream.clone(), |at| format!("{} {at}", app.upstream)));
    row("commands", &format!("/{}", app.namespace));
    row("bot", &format!("@{}", app.bot.username));
    row("permissions", &words(&app.requests.permissions));
    row("locations", &words(&app.requests.locations));
    row("events", &words(&app.requests.events));
    row("webhooks", &words(&app.requests.webhooks));
    row("settings", &words(app.settings.iter().map(|field| field.name.as_str())));
    row("secret", kid.unwrap_or_default());
    if let Some(until) = previous_until {
        row("", &format!("calls are signed with the previous one until {}", date(until)));
    }
}

/// Shows the secret alone on standard output, in two lines that a shell or an environment file takes.
fn hand_over(what: &Command, app: &AppView, kid: &str, secret: &str, previous_until: Option<u64>) {
    let id = &app.id;
    match (what, previous_until) {
        (Command::Rotate { .. }, Some(until)) => terminal::err(format!(
            "This is the next secret of {id}. It is shown again until the rotation ends. Give it to the app beside the current one \
             (the examples read it from CLOUD_APPS_UPSTREAM_NEXT_KID and CLOUD_APPS_UPSTREAM_NEXT_SECRET). The bundle signs with \
             the current one until {}, and then with this one. When the app has both, `cloud-apps operator apps rotate {id} --now` \
             ends the rotation:",
            date(until)
        )),
        (Command::Rotate { .. }, None) => terminal::err(format!(
            "The bundle signs with this secret of {id} from now on (within a minute everywhere). Give it to the app:"
        )),
        _ => terminal::err(
            "This is its secret: with it, the app recognises the bundle. It is shown once. Put both lines into the app's environment.",
        ),
    }
    terminal::out(format!("CLOUD_APPS_UPSTREAM_KID={kid}"));
    terminal::out(format!("CLOUD_APPS_UPSTREAM_SECRET={secret}"));
    terminal::err(
        "Next: set both in your environment and run `cloud-apps check URL --manifest FILE`. It tests whether the app answers correctly.",
    );
}
