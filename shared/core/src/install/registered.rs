//! What a caller says it registered with the server: slash commands and outgoing webhooks, each one that the install
//! wants. All problems at once. Tokens are hashed here and go no further.

use super::{plan, problems::Reader};
use crate::{
    http::Refusal,
    log::chain,
    services::Management,
    store::model::{Install, OutgoingWebhook, Sha256, SlashCommand, Team},
};
use cloud_app::Mattermost;
use cloud_apps_protocol::{ChannelId, Manifest, Millis, PostId, TeamId, install::Wanted};
use futures_util::{StreamExt, stream};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a server may take to say which teams it has.
const PATIENCE: Duration = Duration::from_secs(8);
/// About how many teams it is asked at a time.
const AT_ONCE: usize = 8;

/// The most entries of one request (section 12).
pub(crate) const MAX_ENTRIES: usize = 90;
/// The most that an install may have registered in all: twice what the largest servers with a command in each team need.
pub(crate) const MAX_REGISTERED: usize = 1_500;

/// Reads the list at `list` of a body, by team.
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
                "is nothing that this install asked to register: register what the answer to POST /install lists",
            ),
            None => {}
        }
    }
    reader.finish(Some(teams))
}

/// Refuses what is registered in teams that the server does not have: somebody invented them. Teams that the install knows
/// already are not asked for, nor are commands, because a bot may not see them.
///
/// The server is asked with the bot's token. The bot's own teams come in one answer, and in those the installer puts it;
/// of any other it is told whether there is such a team, though not more (`403`), where it is no member. Where the server
/// cannot be asked now, the limit on their number is what stays.
pub(crate) async fn confirm(
    management: &Management,
    install: &Install,
    (body, list): (&Value, &str),
    new: Vec<TeamId>,
    now: Millis,
) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Own {
        id: TeamId,
    }
    if new.is_empty() {
        return Ok(());
    }
    let bot = management.services.bot(Arc::new(install.clone()), now);
    let server = Mattermost::bot(management.services.http.clone(), bot).until(Instant::now() + PATIENCE);
    let own: Vec<Own> = match server.get("/users/me/teams").await {
        Ok(own) => own,
        Err(error) => {
            let (install, error) = (install.id.as_str(), chain(&error));
            tracing::warn!(
                install,
                error,
                "the server was not asked whether it has the teams that were registered"
            );
            return Ok(());
        }
    };
    let own: BTreeSet<TeamId> = own.into_iter().map(|team| team.id).collect();
    let others = new.into_iter().filter(|team| !own.contains(team));
    let asked = others.map(|team| {
        let server = &server;
        async move {
            let absent =
                server.team(&team).await.is_err_and(|error| error.status() == Some(StatusCode::NOT_FOUND));
            absent.then_some(team)
        }
    });
    let invented: BTreeSet<TeamId> =
        stream::iter(asked).buffer_unordered(AT_ONCE).filter_map(async |team| team).collect().await;
    let mut reader = Reader::new(body);
    for (n, entry) in reader.list(list).iter().enumerate() {
        let team = entry.get("team_id").and_then(Value::as_str);
        if team.is_some_and(|team| invented.iter().any(|invented| invented.as_str() == team)) {
            let message = format!("is no team of {}: register what stands there", install.site);
            reader.problem(format!("{list}/{n}/team_id"), message);
        }
    }
    reader.finish(Some(()))
}

fn slash_command(reader: &mut Reader<'_>, at: &str, wanted: &[Wanted], teams: &mut BTreeMap<TeamId, Team>) {
    let team: Option<TeamId> = reader.parsed(&format!("{at}/team_id"));
    // A command's id and token have the shape of a Mattermost id.
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
