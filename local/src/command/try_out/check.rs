//! `cloud-apps check`.

use crate::{
    certificates::{Authorities, CertificateFault},
    check::{self, Outcome},
    command::shared::{
        manifest_file::ManifestFile,
        output::{count, print_json},
    },
    failure::Failure,
    mattermost::{self, TIMEOUT},
    terminal::{self, Line},
};
use anstyle::{AnsiColor, Style};
use clap::Args;
use cloud_app::http::Error;
use cloud_apps_core::{
    http::system_now,
    random::{Random, SystemRandom},
};
use cloud_apps_protocol::{Generation, KeyId, Manifest, secret::Secret, token::UpstreamKid};
use std::{path::PathBuf, process::ExitCode};

const KID: &str = "CLOUD_APPS_UPSTREAM_KID";
const SECRET: &str = "CLOUD_APPS_UPSTREAM_SECRET";

/// `check`.
#[derive(Debug, Args)]
#[command(after_help = "\
CLOUD_APPS_UPSTREAM_KID and CLOUD_APPS_UPSTREAM_SECRET hold the app's secret, as `cloud-apps operator apps add` showed it. If they are \
not set, this command makes up a pair and shows it; start the app with it, and run the check again.\n\n\
Every function of the app runs, with made-up values and for an install that does not exist. Check only a service where that does no \
harm.\n\n\
The exit code is 0 if the app does all that it must, and 1 if it does not.")]
pub struct Check {
    /// Where the app runs: `http://127.0.0.1:3000`. Its functions are at URL/function.
    url: String,
    /// Its manifest, usually `mattermost-cloud-app.json`; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    #[command(flatten)]
    authorities: Authorities,
    /// Print the results as JSON.
    #[arg(long)]
    json: bool,
}

/// Checks an app.
pub async fn run(arguments: Check) -> Result<ExitCode, Failure> {
    let file = ManifestFile::read(&arguments.manifest)?;
    let manifest = Manifest::parse(&file.text)
        .map_err(|problems| Failure::new(format!("{} has {}", file.name, file.show_problems(&problems))))?;
    let (kid, secret) = credentials(&manifest)?;
    let url = arguments.url.trim_end_matches('/').to_owned();
    let app = check::Check { url, manifest, kid, secret, more_authorities: arguments.authorities.pem() };
    let outcomes = match app.run(system_now).await {
        Ok(outcomes) => outcomes,
        Err(error) => return Err(unreachable(&app.url, &error, &arguments.authorities).await),
    };
    let failed = outcomes.iter().filter(|outcome| outcome.required && !outcome.ok).count();
    if arguments.json {
        print_json(&serde_json::json!({ "ok": failed == 0, "checks": outcomes }))?;
    } else {
        for outcome in &outcomes {
            lines(outcome).into_iter().for_each(terminal::out);
        }
        let passed = outcomes.iter().filter(|outcome| outcome.ok).count();
        terminal::out("");
        terminal::out(format!("{passed} of {} passed.", count(outcomes.len(), "check")));
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Nothing can be asked there. What is wrong with a certificate is seen by the client that knows who issued it.
async fn unreachable(url: &str, error: &Error, authorities: &Authorities) -> Failure {
    let failure = Failure::unreachable(error.to_string());
    if !matches!(error, Error::Certificate { .. }) {
        return failure.hint("start the app, or correct its address");
    }
    let Ok(client) = mattermost::client(url, TIMEOUT, authorities) else { return failure };
    let Err(trouble) = client.head(url).send().await else { return failure };
    match CertificateFault::behind(&trouble) {
        Some(fault) => Failure::unreachable(format!("{url}: {fault}")).hint(fault.fix()),
        None => failure,
    }
}

fn lines(outcome: &Outcome) -> Vec<Line> {
    let colour = |colour: AnsiColor| Style::new().bold().fg_color(Some(colour.into()));
    let (word, style) = match (outcome.ok, outcome.required) {
        (true, _) => ("ok  ", colour(AnsiColor::Green)),
        (false, true) => ("FAIL", colour(AnsiColor::Red)),
        (false, false) => ("note", colour(AnsiColor::Yellow)),
    };
    let mut lines = vec![Line::new().styled(style, word).text(&format!(" {}", outcome.check))];
    if outcome.ok {
        return lines;
    }
    let should = if outcome.required { "expected" } else { "better:" };
    lines.push(format!("       {}; {should} {}", outcome.got, outcome.expected).into());
    lines
}

/// The app's secret, from the environment.
fn credentials(manifest: &Manifest) -> Result<(UpstreamKid, Secret), Failure> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let (kid, secret) = match (variable(KID), variable(SECRET)) {
        (Some(kid), Some(secret)) => (kid, secret),
        (None, None) => return Err(made_up(manifest)),
        _ => return Err(Failure::usage(format!("{KID} and {SECRET} are set together or not at all"))),
    };
    let kid: UpstreamKid = kid.trim().parse().map_err(|_| {
        Failure::usage(format!("{KID} is not the name of an upstream secret"))
            .hint(format!("write what `cloud-apps operator apps add` showed: {}.1.upstream.1", manifest.id))
    })?;
    if kid.app != manifest.id {
        return Err(Failure::usage(format!(
            "{KID} belongs to {}, and the manifest to {}",
            kid.app, manifest.id
        )));
    }
    let secret = Secret::from_base64url(secret.trim()).ok_or_else(|| {
        Failure::usage(format!("{SECRET} is not a secret"))
            .hint("write what `cloud-apps operator apps add` showed: 43 characters of base64url")
    })?;
    Ok((kid, secret))
}

/// Shows a new pair to start the app with.
fn made_up(manifest: &Manifest) -> Failure {
    let mut bytes = [0; 32];
    SystemRandom.fill(&mut bytes);
    let secret = Secret::new(bytes);
    let kid = KeyId::new("1")
        .map(|key| UpstreamKid { app: manifest.id.clone(), key, generation: Generation(1) }.to_string())
        .unwrap_or_default();
    Failure::usage(format!("{KID} and {SECRET} are not set"))
        .hint(
            "`cloud-apps operator apps add` shows them. If the app is not registered with a bundle, start it with this new pair, \
             and run the check with the same pair:",
        )
        .hint("")
        .hint(format!("export {KID}={kid}"))
        .hint(format!("export {SECRET}={}", secret.to_base64url().as_str()))
}
