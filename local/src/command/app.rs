//! `cloud-apps app`: the apps of a bundle, and those that run outside it.

use super::{
    operator::{Target, date, words},
    validate,
};
use crate::{failure::Failure, folder::Data, terminal};
use clap::{Args, Subcommand};
use cloud_apps_core::operator::{OperatorAnswer, OperatorRequest};
use cloud_apps_protocol::{AppId, error::ErrorBody, install::AppView, manifest::Problem};
use std::{path::PathBuf, process::ExitCode};

/// `app`.
#[derive(Debug, Args)]
pub struct App {
    /// A deployed stack: the request goes to its install function, with the AWS credentials of your environment.
    #[arg(long, value_name = "NAME", global = true)]
    pub stack: Option<String>,
    /// AWS region of the stack.
    #[arg(long, value_name = "REGION", global = true, env = "AWS_REGION")]
    pub region: Option<String>,
    /// Print the answer as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Where the local bundle keeps its files.
    #[command(flatten)]
    pub data: Data,
    /// What to do.
    #[command(subcommand)]
    pub what: AppCommand,
}

/// What is done with an app.
#[derive(Debug, Subcommand)]
pub enum AppCommand {
    /// Register an app that is reached over HTTPS or as a Lambda function, or give it another manifest.
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
    /// Forget a registered app that is installed nowhere.
    Remove {
        /// The app's id.
        app: AppId,
    },
    /// Make the next secret of a registered app. For a day the bundle goes on signing with the one that the app has.
    Rotate {
        /// The app's id.
        app: AppId,
        /// Sign with the new one from now on: the app has it, or the old one is known to others.
        #[arg(long)]
        now: bool,
    },
}

/// Sends the request and shows the answer.
pub async fn run(arguments: App) -> Result<ExitCode, Failure> {
    // The manifest before the bundle is looked for: what is wrong with it is wrong everywhere.
    let (request, source) = request(&arguments.what)?;
    let target = match &arguments.stack {
        None => Target::local(&arguments.data.files()?.socket())?,
        Some(stack) => Target::stack(stack, arguments.region.clone()).await?,
    };
    let answer = match target.answer(&request).await? {
        OperatorAnswer::Error(body) => return Err(refused(&body, source.as_ref())),
        answer => answer,
    };
    if arguments.json {
        terminal::json(&answer)?;
    } else {
        show(&arguments.what, &answer);
    }
    Ok(ExitCode::SUCCESS)
}

/// The request, and the manifest's name and text where there is one.
fn request(what: &AppCommand) -> Result<(OperatorRequest, Option<(String, String)>), Failure> {
    Ok(match what {
        AppCommand::Add { file } => {
            let (name, text) = validate::read(file)?;
            (OperatorRequest::AddApp { manifest: text.clone().into() }, Some((name, text)))
        }
        AppCommand::List => (OperatorRequest::Apps {}, None),
        AppCommand::Show { app } => (OperatorRequest::App { app: app.clone() }, None),
        AppCommand::Remove { app } => (OperatorRequest::RemoveApp { app: app.clone() }, None),
        AppCommand::Rotate { app, now } => {
            (OperatorRequest::RotateUpstream { app: app.clone(), at_once: *now }, None)
        }
    })
}

/// What the bundle refused. Problems of a manifest are shown at their places first.
fn refused(body: &ErrorBody, source: Option<&(String, String)>) -> Failure {
    let error = &body.error;
    let problems = error.more.get("problems").cloned().unwrap_or_default();
    let problems: Vec<Problem> = serde_json::from_value(problems).unwrap_or_default();
    let Some((name, text)) = source.filter(|_| !problems.is_empty()) else {
        return Failure::new(format!("{} ({})", error.message, words([&error.code])));
    };
    for problem in &problems {
        terminal::problem(name, text, problem);
    }
    let found = validate::count(problems.len(), "problem");
    Failure::new(format!("{name} has {found}, and nothing was changed"))
}

fn show(what: &AppCommand, answer: &OperatorAnswer) {
    match answer {
        OperatorAnswer::Apps { apps } => {
            if let AppCommand::Remove { app } = what {
                terminal::out(format!("{app} is forgotten."));
                return;
            }
            for app in apps {
                let kind = if app.linked { "linked" } else { "registered" };
                terminal::out(format!(
                    "{:<24}{:<12}{kind:<12}{}",
                    app.id.as_str(),
                    app.version,
                    app.display_name
                ));
            }
            if apps.is_empty() {
                terminal::out("The bundle knows no app.");
            }
        }
        OperatorAnswer::App { app, versions, address, kid, upstream_secret, previous_until } => {
            match what {
                AppCommand::Show { .. } => {
                    describe(app, versions, address.as_deref(), kid.as_deref(), *previous_until);
                }
                _ if upstream_secret.is_none() => {
                    let what = format!("{} {} is registered", app.id, app.version);
                    terminal::out(format!("{what}; its secret stays as it is."));
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
    let row = |name: &str, value: &str| {
        if !value.is_empty() {
            terminal::out(format!("{name:<13}{value}"));
        }
    };
    row("app", &format!("{} {}", app.id, app.version));
    if versions.len() > 1 {
        row("versions", &format!("{}; installs go on with theirs until they are upgraded", words(versions)));
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
        row("", &format!("calls are signed with the one before it until {}", date(until)));
    }
}

/// The secret alone on standard output, in two lines that a shell or an environment file takes.
fn hand_over(what: &AppCommand, app: &AppView, kid: &str, secret: &str, previous_until: Option<u64>) {
    let id = &app.id;
    match (what, previous_until) {
        (AppCommand::Rotate { .. }, Some(until)) => terminal::err(format!(
            "The next secret of {id}. It is shown while the rotation lasts. Give it to the app beside the one that it has \
             (the examples read it from CLOUD_APPS_UPSTREAM_NEXT_KID and CLOUD_APPS_UPSTREAM_NEXT_SECRET); the bundle signs with that one until {}, and then with this one. When the app has both, `cloud-apps app rotate {id} \
             --now` ends the rotation:",
            date(until)
        )),
        (AppCommand::Rotate { .. }, None) => terminal::err(format!(
            "The bundle signs with this secret of {id} from now on, everywhere within a minute. Give it to the app:"
        )),
        _ => terminal::err(
            "Its secret, by which it knows the bundle. It is shown once: put both lines into the app's environment.",
        ),
    }
    terminal::out(format!("CLOUD_APPS_UPSTREAM_KID={kid}"));
    terminal::out(format!("CLOUD_APPS_UPSTREAM_SECRET={secret}"));
    terminal::err(
        "Next: `cloud-apps check URL --manifest FILE` with these two in the environment says whether the app answers as it should.",
    );
}
