//! The command line. What stands here is also what `--help` says.

use crate::folder::Data;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::IpAddr, path::PathBuf};

/// Apps for Mattermost that run as a serverless bundle: serve them here, try them, check them, operate them.
#[derive(Debug, Parser)]
#[command(
    name = "cloud-apps",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 done · 1 refused or failed · 2 the command line is wrong · 3 nothing answers there.\n\
                  NO_COLOR=1 switches colours off."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the whole bundle on this machine, with a demo Mattermost and the apps installed in it.
    Serve(Serve),
    /// Run a command as a person would type it, and show what the person would see.
    Run(Run),
    /// Check an app's manifest, like a compiler: every problem with its line.
    Validate(Validate),
    /// Print the JSON Schema of a manifest.
    Schema,
    /// Print a fresh sample event of a function, for `sam local invoke -e -`.
    Event(Event),
    /// Make a workspace of one's own: an app, the functions, a template, events and a test.
    Init(Init),
    /// Install an app on a Mattermost server, 5.37 or newer, as it is.
    Install(Box<crate::command::install::Install>),
    /// Bring an install and its server together again: teams, commands and webhooks that came later or were altered.
    Sync(crate::command::sync::Sync),
    /// Remove an install from the bundle and from its server.
    Uninstall(crate::command::uninstall::Uninstall),
    /// Remove what the apps of a bundle that is lost for good left on a Mattermost server.
    Cleanup(crate::command::cleanup::Cleanup),
    /// List installs.
    List(crate::command::list::List),
    /// Show an install.
    Show(crate::command::list::Show),
    /// Set what an admin sets of an app.
    Configure(crate::command::change::Configure),
    /// Pre-configured commands of an install's admin.
    Presets(crate::command::change::Presets),
    /// Serve an install again.
    Enable(crate::command::change::Switch),
    /// Stop serving an install; what it keeps stays.
    Disable(crate::command::change::Switch),
    /// Replace a credential of an install.
    Rotate(crate::command::rotate::Rotate),
    /// Move an install to the version of the app that the bundle has.
    Upgrade(crate::command::change::UpgradeTo),
    /// The key ring of an app: list, rotate, revoke.
    Keys(crate::command::keys::Keys),
    /// Look at an install from both ends, and name the fix of each fault.
    Doctor(crate::command::doctor::Doctor),
    /// Jobs that were given up: list, send back, discard.
    Dead(crate::command::dead::Dead),
    /// Apps that run outside the bundle, in any language: register, show, remove, rotate their secret.
    App(crate::command::app::App),
    /// Ask an app that runs outside the bundle what a bundle would ask it, and what nobody may.
    Check(crate::command::check::Check),
    /// What operators alone do: make the linked apps known, hand out install codes and manage codes.
    Operator(Operator),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where the local bundle keeps its files.
    #[command(flatten)]
    pub data: Data,
    /// Port of the bundle; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Port of the demo Mattermost; 0 takes a free one.
    #[arg(long, default_value_t = 8065)]
    pub mattermost_port: u16,
    /// Address to listen on. Anything but loopback shows the bundle to your network.
    #[arg(long, default_value = "127.0.0.1")]
    pub listen: IpAddr,
    /// The bundle's address as a Mattermost server reaches it; by default `http://<listen>:<port>`.
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Do not start the demo Mattermost.
    #[arg(long)]
    pub no_demo: bool,
    /// How log lines look.
    #[arg(long, value_enum, default_value_t = LogFormat::Readable)]
    pub log: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Readable,
    /// As on Lambda: a JSON object a line.
    Json,
}

/// `run`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --url the line goes to the local bundle (`cloud-apps serve`), as alice of its demo Mattermost.\n\
With --url, credentials come from the environment:\n  \
CLOUD_APPS_KID and CLOUD_APPS_SECRET   what `POST /install` answered: kid and shared_secret\n  \
CLOUD_APPS_SLASH_TOKEN                 with --slash: the token of the slash command\n\n\
Exit codes: 0 answered · 1 refused, or the app's answer is an error · 2 the command line or the environment is wrong · 3 nothing answers there."
)]
pub struct Run {
    /// The line as typed: "/hello greet @bob".
    pub line: String,
    /// Send what an unmodified Mattermost sends for a slash command, instead of a signed V2 request.
    #[arg(long)]
    pub slash: bool,
    /// A bundle elsewhere: its base URL; with --slash the request URL of the slash command.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The Mattermost server that the install is for, with --url.
    #[arg(long, value_name = "URL", requires = "url")]
    pub site: Option<String>,
    /// Who types: a name of the demo Mattermost (by default alice); with --url an id.
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Where: a channel's name in the demo Mattermost (by default town-square); with --url an id.
    #[arg(long, value_name = "CHANNEL")]
    pub channel: Option<String>,
    /// The team's id, with --url; --slash cannot do without.
    #[arg(long, value_name = "ID", requires = "url")]
    pub team: Option<String>,
    /// Print the answer as it came.
    #[arg(long)]
    pub json: bool,
    /// Where the local bundle keeps its files.
    #[command(flatten)]
    pub data: Data,
}

/// `validate`.
#[derive(Debug, Args)]
pub struct Validate {
    /// The manifest, usually `mattermost-cloud-app.json`; `-` reads standard input.
    pub file: PathBuf,
}

/// `event`.
#[derive(Debug, Args)]
pub struct Event {
    /// Which event; without a name they are listed.
    pub name: Option<String>,
    /// The sample install that the event is for.
    #[arg(long, value_name = "FILE", default_value = "events/env.json")]
    pub env: PathBuf,
    /// The line of a command.
    #[arg(long, value_name = "LINE")]
    pub line: Option<String>,
    /// The event's time, Unix milliseconds; by default now.
    #[arg(long, value_name = "MS")]
    pub at: Option<u64>,
}

/// `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The app's id, and the new folder's name.
    pub name: String,
    /// Where the folder is made.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub into: PathBuf,
    /// A checkout of Cloud Apps to build against; by default the one that this command was built from.
    #[arg(long, value_name = "DIR")]
    pub path: Option<PathBuf>,
}

/// `operator`.
#[derive(Debug, Args)]
pub struct Operator {
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
    pub what: OperatorCommand,
}

/// What an operator does.
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Register the apps that are linked into the bundle, and make their key rings.
    Register,
    /// Make an install code: it lets one app be installed on one Mattermost server, once.
    Code {
        /// The app's id.
        app: String,
        /// The Mattermost server: `https://chat.example.com`
        #[arg(long, value_name = "URL")]
        site: String,
        /// The bundle's address as that server reaches it; by default what the local bundle serves, or the
        /// stack's output `BaseUrl`.
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
        /// How many minutes the code is good for (at most 1440).
        #[arg(long, value_name = "MINUTES", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=1440))]
        valid: u64,
        /// It may supersede the install that stands there: for a server that was rebuilt.
        #[arg(long)]
        replace: bool,
    },
    /// Make a manage code: for a while its holder does with one install what its admin may, without AWS rights.
    ManageCode {
        /// The install's id.
        install: String,
        /// How many minutes the code is good for (at most 1440).
        #[arg(long, value_name = "MINUTES", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=1440))]
        valid: u64,
    },
    /// Revoke all manage codes of an install, and the slash commands and webhooks that were registered with them.
    RevokeCodes {
        /// The install's id.
        install: String,
    },
}
