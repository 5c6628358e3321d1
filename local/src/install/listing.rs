//! Lists what stands in the teams of a server.

use super::{runner::Runner, stop::Stop};
use crate::mattermost::{CallError, Command, Mattermost, OutgoingWebhook, Team};

/// The commands and webhooks of some teams, also those that others made.
#[derive(Default)]
pub struct Listing {
    /// Slash commands, each with the name of its team.
    pub commands: Vec<(String, Command)>,
    /// Outgoing webhooks, each with the name of its team.
    pub webhooks: Vec<(String, OutgoingWebhook)>,
    /// Slash commands are switched off on the server.
    pub commands_off: bool,
    /// Outgoing webhooks are switched off on the server.
    pub webhooks_off: bool,
    /// What the server did not show.
    pub hidden: Vec<String>,
}

impl Listing {
    /// Lists the commands and webhooks of every team. What is switched off is asked for once.
    pub async fn of(runner: &Runner<'_>, server: &Mattermost, teams: &[Team]) -> Result<Self, Stop> {
        let (mut all, mut runner) = (Self::default(), runner.clone());
        for team in teams {
            if !all.commands_off {
                let list = runner.quietly(async || Ok(server.commands(team.id.as_str()).await?)).await;
                let what = "slash commands";
                all.commands_off =
                    all.note(&mut runner, server, (team, what), list, |all| &mut all.commands).await?;
            }
            if !all.webhooks_off {
                let list = runner.quietly(async || Ok(server.webhooks(team.id.as_str()).await?)).await;
                let what = "outgoing webhooks";
                all.webhooks_off =
                    all.note(&mut runner, server, (team, what), list, |all| &mut all.webhooks).await?;
            }
        }
        Ok(all)
    }

    /// Keeps the list of one team; whether the feature is switched off. A list that the server does not show counts as not
    /// looked at, and does not keep the others from being removed.
    async fn note<T>(
        &mut self,
        runner: &mut Runner<'_>,
        server: &Mattermost,
        (team, what): (&Team, &str),
        list: Result<Vec<T>, Stop>,
        of: impl FnOnce(&mut Self) -> &mut Vec<(String, T)>,
    ) -> Result<bool, Stop> {
        match list.map_err(Unlisted::of) {
            Ok(list) => of(self).extend(list.into_iter().map(|one| (team.name.clone(), one))),
            Err(Unlisted::Off) => return Ok(true),
            Err(Unlisted::Hidden(error)) => {
                still_there(runner, server, &error).await?;
                self.hidden.push(format!("the {what} of the team {}: {error}", team.name));
            }
            Err(Unlisted::Ends(stop)) => return Err(stop),
        }
        Ok(false)
    }
}

/// Why a list is not there.
enum Unlisted {
    /// The feature is switched off (`api.command.disabled`, `api.outgoing_webhook.disabled`).
    Off,
    /// The server does not show it to this admin, has no such team, shows more than is read, or fails each time.
    Hidden(CallError),
    /// The token is not valid any more, or somebody wants to stop.
    Ends(Stop),
}

impl Unlisted {
    fn of(stop: Stop) -> Self {
        match stop {
            Stop::Server(trouble) if trouble.status() == Some(501) && trouble.id().contains("disabled") => {
                Self::Off
            }
            Stop::Server(trouble) if trouble.transient() => Self::Hidden(trouble),
            Stop::Server(trouble) if trouble.status().is_some_and(|status| status != 401) => {
                Self::Hidden(trouble)
            }
            stop => Self::Ends(stop),
        }
    }
}

/// Fails if the server answers nothing at all: then it is not about one list. If the server does answer, the next lists are
/// tried only once.
async fn still_there(runner: &mut Runner<'_>, server: &Mattermost, trouble: &CallError) -> Result<(), Stop> {
    if trouble.transient() {
        server.me().await?;
        runner.patience.tries = 1;
    }
    Ok(())
}
