//! The options of `run`.

use crate::{certificates::Authorities, folder::Data};
use clap::Args;

/// `run`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --bundle and --slash-url, the line goes to the local bundle (`cloud-apps serve`), as alice of its demo \
Mattermost. With one of them, credentials come from the environment:\n  \
CLOUD_APPS_KID, CLOUD_APPS_SECRET  for --bundle: kid and shared_secret in the answer of `POST /install`\n  \
CLOUD_APPS_SLASH_TOKEN             for --slash-url: the token of the slash command\n\n\
The exit code is 1 if the app's answer is an error. With --slash it is 0 then, because a slash command's answer does not say that it is one."
)]
pub struct Run {
    /// The line as typed: "/hello greet @bob".
    pub line: String,
    /// Send what an unmodified Mattermost sends for a slash command, instead of a signed V2 request (the project's own protocol).
    #[arg(long)]
    pub slash: bool,
    /// A bundle elsewhere, by its base URL.
    #[arg(long, value_name = "URL", conflicts_with_all = ["slash", "slash_url"])]
    pub bundle: Option<String>,
    /// A slash command elsewhere, by its request URL.
    #[arg(long, value_name = "URL", requires = "slash")]
    pub slash_url: Option<String>,
    /// The Mattermost server of the install, with --bundle.
    #[arg(long, value_name = "URL", requires = "bundle")]
    pub site: Option<String>,
    /// Who types: a name in the demo Mattermost, or a user's id if the bundle is elsewhere. Without it, in the demo: alice.
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Where: a channel's name in the demo Mattermost, or its id if the bundle is elsewhere. Without it, in the demo:
    /// town-square.
    #[arg(long, value_name = "CHANNEL")]
    pub channel: Option<String>,
    /// The team's id, if the bundle is elsewhere. A slash command needs it.
    #[arg(long, value_name = "ID")]
    pub team: Option<String>,
    /// Print the answer as it came.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub authorities: Authorities,
}

impl Run {
    /// Who types in the demo, and in which channel.
    pub fn in_the_demo(&self) -> (&str, &str) {
        let user = self.user.as_deref().unwrap_or("alice");
        (user, self.channel.as_deref().unwrap_or("town-square"))
    }
}
