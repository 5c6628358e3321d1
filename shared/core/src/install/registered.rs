//! What a caller says that it registered on the server: slash commands and outgoing webhooks that the install asked for.
//! Tokens are hashed here and not used anywhere else.

use super::{plan, problems::Reader};
use crate::{
    http::Refusal,
    store::model::{Install, OutgoingWebhook, Sha256, SlashCommand, Team},
};
use cloud_apps_protocol::{ChannelId, Manifest, PostId, TeamId, install::Wanted};
use serde_json::Value;
use std::collections::BTreeMap;

/// How many entries a request may have (section 12).
pub(crate) const MAX_ENTRIES: usize = 90;
/// How many registrations an install may have: twice as many as the largest servers need, with a command in each team.
pub(crate) const MAX_REGISTERED: usize = 1_500;

/// Reads the list at the pointer `list` of a body, by team.
pub(crate) fn read(
    body: &Value,
    list: &str,
    manifest: &Manifest,
    install: &Install,
) -> Result<BTreeMap<TeamId, Team>, Refusal> {
    let mut reader = Reader::new(body);
    if !body.is_object() {
        reader.problem(
            "",
            format!("the body is not an object: send {{\"{}\":[…]}}", list.trim_start_matches('/')),
        );
    }
    let entries = reader.list(list);
    if entries.len() > MAX_ENTRIES {
        let message =
            format!("has {} entries, and {MAX_ENTRIES} fit in one request: send fewer teams", entries.len());
        reader.problem(list, message);
        return reader.finish(None);
    }
    let wanted = plan::register(manifest, install);
    let mut teams: BTreeMap<TeamId, Team> = BTreeMap::new();
    for n in 0..entries.len() {
        let at = format!("{list}/{n}");
        match reader.text(&format!("{at}/kind")) {
            Some("slash_command") => slash_command(&mut reader, &at, &wanted, &mut teams),
            Some("outgoing_webhook") => outgoing_webhook(&mut reader, &at, &wanted, &mut teams),
            Some(_) => reader.problem(
                format!("{at}/kind"),
                "is not something that this install asked to register: register what the answer to POST /install lists",
            ),
            None => {}
        }
    }
    reader.finish(Some(teams))
}

fn slash_command(reader: &mut Reader<'_>, at: &str, wanted: &[Wanted], teams: &mut BTreeMap<TeamId, Team>) {
    let team: Option<TeamId> = reader.parsed(&format!("{at}/team_id"));
    // The id and the token of a command have the form of a Mattermost id.
    let id: Option<PostId> = reader.parsed(&format!("{at}/id"));
    let token = token(reader, at, "slash command", "command");
    let trigger = reader.text(&format!("{at}/trigger"));
    let asked = |trigger: &str| {
        wanted.iter().any(|wanted| matches!(wanted, Wanted::SlashCommand { trigger: t, .. } if t == trigger))
    };
    let trigger = trigger.filter(|trigger| {
        let good = asked(trigger);
        if !good {
            let message = "is not the trigger that this install asked to register: register what the answer to \
                           POST /install lists";
            reader.problem(format!("{at}/trigger"), message);
        }
        good
    });
    let (Some(team), Some(id), Some(token), Some(trigger)) = (team, id, token, trigger) else { return };
    let command = SlashCommand { id: id.to_string(), token_sha256: Sha256::of(token), by_code: None };
    let commands = &mut teams.entry(team.clone()).or_default().commands;
    if commands.insert(trigger.to_owned(), command).is_some() {
        reader.problem(at, format!("repeats /{trigger} of team {team}: send each command once"));
    }
}

fn outgoing_webhook(
    reader: &mut Reader<'_>,
    at: &str,
    wanted: &[Wanted],
    teams: &mut BTreeMap<TeamId, Team>,
) {
    let team: Option<TeamId> = reader.parsed(&format!("{at}/team_id"));
    let id: Option<PostId> = reader.parsed(&format!("{at}/id"));
    let token = token(reader, at, "outgoing webhook", "webhook");
    let channel: Option<ChannelId> = reader.parsed(&format!("{at}/channel_id"));
    let asked = |channel: &ChannelId| {
        wanted.iter().any(|w| matches!(w, Wanted::OutgoingWebhook { channel_id } if channel_id == channel))
    };
    let channel = channel.filter(|channel| {
        let good = asked(channel);
        if !good {
            let message = "is not a channel that this install asked to be told of: register what the answer to POST \
                           /install lists";
            reader.problem(format!("{at}/channel_id"), message);
        }
        good
    });
    let (Some(team), Some(id), Some(token), Some(channel)) = (team, id, token, channel) else { return };
    let webhooks = &mut teams.entry(team).or_default().webhooks;
    if webhooks.values().any(|other| other.channel == channel) {
        reader
            .problem(at, format!("is a second webhook of channel {channel}: each post would be told twice"));
        return;
    }
    webhooks
        .insert(id.to_string(), OutgoingWebhook { channel, token_sha256: Sha256::of(token), by_code: None });
}

fn token<'a>(reader: &mut Reader<'a>, at: &str, of: &str, thing: &str) -> Option<&'a str> {
    let token = reader.text(&format!("{at}/token"))?;
    if PostId::new(token).is_ok() {
        return Some(token);
    }
    let article = if of.starts_with('o') { "an" } else { "a" };
    let message = format!(
        "is not the token of {article} {of} (26 characters of a-z and 0-9): send the one that Mattermost showed when the \
         {thing} was made"
    );
    reader.problem(format!("{at}/token"), message);
    None
}
