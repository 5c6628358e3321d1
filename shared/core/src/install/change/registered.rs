//! Slash commands and webhooks that were added to the server, or removed from it, after the install was complete.

use super::{Change, Outcome};
use crate::{
    http::Refusal,
    install::{
        access::By,
        confirm_teams::confirm,
        problems::Reader,
        registered::{MAX_ENTRIES, MAX_REGISTERED, read},
    },
    store::{model::Team, ports::Stored},
};
use cloud_apps_protocol::{Code, TeamId, install::Registration, json::without_values};
use std::collections::BTreeMap;

/// `{"register":[…]}`: adds registrations. A new one replaces the one that has the same trigger or channel in its team. What
/// is registered with a manage code ends when the codes are revoked, because its token is known to the code's holder.
pub(super) async fn register(change: &Change<'_>) -> Result<Outcome, Refusal> {
    let given = read(change.body, "/register", change.manifest()?, change.install)?;
    let mut held = held(change).await?;
    let new = given.keys().filter(|team| !held.contains_key(*team)).cloned().collect();
    let asked = (change.body, "/register");
    confirm(change.management, change.install, asked, new, change.request_info.now).await?;
    let by_code = match change.by {
        By::Holder { made_at } => Some(made_at),
        By::Server | By::Operator => None,
    };
    let registered: usize = held.values().map(entries).sum();
    let mut teams = Vec::with_capacity(given.len());
    let mut more = 0;
    for (id, new) in given {
        let mut team = held.remove(&id).unwrap_or_default();
        let before = team.clone();
        // A registration that does not change keeps the code with which it was made.
        for (trigger, mut new) in new.commands {
            new.by_code = by_code;
            let old = team.commands.get(&trigger).filter(|old| old.stands(change.install));
            if !old.is_some_and(|old| old.id == new.id && old.token_sha256 == new.token_sha256) {
                team.commands.insert(trigger, new);
            }
        }
        for (id, mut new) in new.webhooks {
            new.by_code = by_code;
            let old = team.webhooks.get(&id).filter(|old| old.stands(change.install));
            if !old.is_some_and(|old| old.channel == new.channel && old.token_sha256 == new.token_sha256) {
                team.webhooks.retain(|_, old| old.channel != new.channel);
                team.webhooks.insert(id, new);
            }
        }
        if team != before {
            more += entries(&team).saturating_sub(entries(&before));
            teams.push((id, team));
        }
    }
    // A registration that replaces another is accepted, however many there are.
    if more > 0 && registered + more > MAX_REGISTERED {
        let message = format!(
            "This install has {registered} commands and webhooks registered, and with these it would have more than the \
             {MAX_REGISTERED} that there is room for. Nothing was registered: `unregister` what is not on the server any \
             more."
        );
        return Err(Refusal::new(Code::TooLarge, message).with("limit", MAX_REGISTERED));
    }
    Ok(Outcome { teams, ..Outcome::of(change.install.clone()) })
}

/// `{"unregister":[…]}`: removes registrations. One that is not stored is removed already.
pub(super) async fn unregister(change: &Change<'_>) -> Result<Outcome, Refusal> {
    let mut reader = Reader::new(change.body);
    let entries = reader.list("/unregister");
    if entries.len() > MAX_ENTRIES {
        let message = format!("has {} entries, and {} fit in one request", entries.len(), MAX_ENTRIES);
        reader.problem("/unregister", message);
        return reader.finish(None);
    }
    let mut gone: Vec<Registration> = Vec::with_capacity(entries.len());
    for (n, entry) in entries.iter().enumerate() {
        match serde_json::from_value(entry.clone()) {
            Ok(Registration::Bot { .. }) => {
                let message = "is the bot, which an install cannot be without: remove the install instead";
                reader.problem(format!("/unregister/{n}/kind"), message);
            }
            Ok(standing) => gone.push(standing),
            Err(error) => reader.problem(
                format!("/unregister/{n}"),
                format!("is none of what an install shows as registered ({})", without_values(&error)),
            ),
        }
    }
    let gone = reader.finish(Some(gone))?;
    let held = held(change).await?;
    let mut changed: BTreeMap<TeamId, Team> = BTreeMap::new();
    for standing in gone {
        let (Registration::SlashCommand { team_id, .. } | Registration::OutgoingWebhook { team_id, .. }) =
            &standing
        else {
            continue;
        };
        let Some(held) = held.get(team_id) else { continue };
        let team = changed.entry(team_id.clone()).or_insert_with(|| held.clone());
        match &standing {
            Registration::SlashCommand { id, trigger, .. } => {
                team.commands.retain(|other, command| other != trigger || command.id != *id);
            }
            Registration::OutgoingWebhook { id, .. } => {
                team.webhooks.remove(id);
            }
            Registration::Bot { .. } => {}
        }
    }
    changed.retain(|id, team| held.get(id) != Some(team));
    Ok(Outcome { teams: changed.into_iter().collect(), ..Outcome::of(change.install.clone()) })
}

/// How many registrations a team has.
fn entries(team: &Team) -> usize {
    team.commands.len() + team.webhooks.len()
}

async fn held(change: &Change<'_>) -> Stored<BTreeMap<TeamId, Team>> {
    Ok(change.management.registry.teams(&change.install.id).await?.into_iter().collect())
}
