//! The teams of a server in which an app gets its commands.

use super::{request::Teams, stop::Stop};
use crate::mattermost::{Finding, Mattermost, Team};

/// How many teams are named to an admin who must choose.
const NAMED: usize = 20;

/// The teams that are wanted. What stands in the way is added to `found`.
pub async fn wanted(
    server: &Mattermost,
    wanted: &Teams,
    found: &mut Vec<Finding>,
) -> Result<Vec<Team>, Stop> {
    match wanted {
        Teams::All => Ok(not_archived(server.teams().await?)),
        Teams::Named(names) if names.is_empty() => {
            let all = not_archived(server.teams().await?);
            if all.len() == 1 {
                return Ok(all);
            }
            let some: Vec<&str> = all.iter().take(NAMED).map(|team| team.name.as_str()).collect();
            let more = if all.len() > NAMED { ", …" } else { "" };
            found.push(Finding::stop(
                format!(
                    "the server has {} teams ({}{more}), and a slash command belongs to one",
                    all.len(),
                    some.join(", ")
                ),
                "Say in which: --team NAME, as often as needed, or --all-teams.",
            ));
            Ok(Vec::new())
        }
        Teams::Named(names) => named(server, names, found).await,
    }
}

/// Teams by their names; those that are not there are found.
pub async fn named(
    server: &Mattermost,
    names: &[String],
    found: &mut Vec<Finding>,
) -> Result<Vec<Team>, Stop> {
    let mut teams: Vec<Team> = Vec::new();
    for name in names {
        match server.team_named(name).await? {
            Some(team) if team.delete_at == 0 => {
                if !teams.iter().any(|known| known.id == team.id) {
                    teams.push(team);
                }
            }
            _ => found.push(Finding::stop(
                format!("there is no team {name:?}"),
                "Give its name as in its address (https://chat.example.com/NAME/channels/…), without spaces.",
            )),
        }
    }
    Ok(teams)
}

/// Leaves the archived ones out.
pub fn not_archived(mut teams: Vec<Team>) -> Vec<Team> {
    teams.retain(|team| team.delete_at == 0);
    teams
}
