//! The checks: each goes from facts to what it found, with the fix.

use super::{Admin, Facts, Report, TeamFacts};
use crate::{
    certificates::CertificateFault,
    install::{BundleError, BundleIdentity, Owner, is_token},
    mattermost::{CallError, Command, Finding, Setting, Token},
};
use cloud_apps_core::dispatch::FUNCTION_TIME;
use cloud_apps_core::install::TokenEnd;
use cloud_apps_protocol::{
    InstallId, SiteUrl,
    host::is_this_machine,
    install::{Registration, Wanted},
};
use url::{Host, Url};

/// How far apart two clocks may be, in seconds: as much as a signed request allows (protocol, section 2).
const SKEW: i64 = 30;

/// Runs all checks.
pub fn check(facts: &Facts) -> Report {
    let mut report =
        Report { right: Vec::new(), wrong: Vec::new(), notes: Vec::new(), not_looked_at: Vec::new() };
    install(facts, &mut report);
    bundle(facts, &mut report);
    server(facts, &mut report);
    match &facts.admin {
        None => report.not_looked_at.push(
            "bot, tokens, commands and webhooks on the server: set CLOUD_APPS_ADMIN_TOKEN to a personal access token of a \
             system admin"
                .to_owned(),
        ),
        Some(Err(trouble)) => report.wrong.push(Finding::stop(
            format!("the server cannot be checked as its admin: {trouble}"),
            "Give a token of a system admin of that server that was not revoked.",
        )),
        Some(Ok(admin)) => {
            settings(admin, facts, &mut report);
            known(admin, facts, &mut report);
            bot(admin, facts, &mut report);
            for team in &admin.teams {
                commands(team, facts, &mut report);
                webhooks(team, facts, &mut report);
            }
        }
    }
    report
}

/// Checks the install at the bundle.
fn install(facts: &Facts, report: &mut Report) {
    let view = &facts.view;
    let id = &view.install_id;
    match view.state.as_str() {
        "active" => report.right.push(format!("the install is active: {} {}", view.app_id, view.version)),
        "disabled" => report.wrong.push(Finding::stop(
            "the install is switched off",
            format!("Switch it on: `cloud-apps enable {id}`."),
        )),
        "removing" => report.wrong.push(Finding::stop(
            "the install is being removed",
            format!("Run the removal again to end it: `cloud-apps uninstall {id}`."),
        )),
        state => report.wrong.push(Finding::stop(
            format!("the install is {state}: it was never completed"),
            format!(
                "Run `cloud-apps install {}` again with the code that began it, or remove it.",
                view.app_id
            ),
        )),
    }
    if let Some(end) = view.bot_token_expires_at {
        token_end(TokenEnd(end), facts, report);
    }
    if let Some(offered) = &view.offered {
        report.notes.push(Finding::note(
            format!(
                "the bundle offers {} {}, and the install is at {}",
                view.app_id, offered.version, view.version
            ),
            format!("`cloud-apps upgrade {id}` moves it, and asks if the new version wants more."),
        ));
    }
    match facts.given_up {
        Some(0) => {}
        Some(jobs) => report.wrong.push(Finding::stop(
            format!("{jobs} of its jobs failed for good"),
            format!("`cloud-apps operator dead-letters list --install {id}` says why; `send-back` runs a job again when the cause is fixed."),
        )),
        None => report.not_looked_at.push(
            "jobs that failed for good: only an operator is told (--stack, or --data for the local bundle)"
                .to_owned(),
        ),
    }
    for left in &view.leftovers {
        report.wrong.push(Finding::stop(
            format!("{} is registered and not needed any more", words(left)),
            format!("`cloud-apps sync {id}` removes it."),
        ));
    }
    for missing in view.unavailable.iter().filter(|one| one.reason.starts_with("needs sync")) {
        report.wrong.push(Finding::stop(
            format!("{} is not registered", missing.name),
            format!("`cloud-apps sync {id}` registers it."),
        ));
    }
}

/// Checks how long the bot's token still works.
fn token_end(end: TokenEnd, facts: &Facts, report: &mut Report) {
    let now = now_ms(facts);
    let what = format!("the token of @{} {}", facts.view.bot.username, end.words(now));
    let id = &facts.view.install_id;
    if end.days_left(now) == 0 {
        let fix = format!(
            "Make another one: `cloud-apps rotate bot-token {id}`. Until then, the server refuses every call."
        );
        report.wrong.push(Finding::stop(what, fix));
    } else if end.warning(now).is_some() {
        let fix = format!(
            "`cloud-apps rotate bot-token {id}` makes the next one, if the bundle has not renewed it by itself."
        );
        report.notes.push(Finding::note(what, fix));
    } else {
        report.right.push(what);
    }
}

/// Checks whether the bundle answers, and whether the install has its address.
fn bundle(facts: &Facts, report: &mut Report) {
    match &facts.bundle {
        Ok((index, date)) => {
            report.right.push(format!("the bundle answers: version {}", index.bundle));
            clock("the bundle", *date, facts.now, report);
        }
        Err(why) => report.wrong.push(Finding::stop(
            format!("the bundle does not answer over HTTP: {why}"),
            fix(why, "Check that it is deployed, and that this machine can reach it."),
        )),
    }
    match &facts.at_base {
        Ok(_) => {
            report.right.push(format!("the address that the install has of the bundle answers: {}", facts.base_url));
        }
        Err(why) => report.wrong.push(Finding::stop(
            format!(
                "nothing answers as a bundle at {}, the address that the install has: {why}",
                facts.base_url
            ),
            fix(
                why,
                "If the bundle has another address now, its operator changes the install and the server with `cloud-apps \
                 sync --base-url URL`. If the address is private, run this on a machine that can reach it.",
            ),
        )),
    }
}

/// What to do about a bundle that does not answer: what its certificate needs, or else the usual.
fn fix(trouble: &BundleError, usual: &'static str) -> &'static str {
    trouble.certificate().map_or(usual, CertificateFault::fix)
}

/// Checks the server as anybody sees it.
fn server(facts: &Facts, report: &mut Report) {
    let site = &facts.view.site_url;
    let (config, date) = match &facts.server {
        Ok(seen) => seen,
        Err(trouble) => {
            let fix = match trouble {
                CallError::Certificate { fault, .. } => fault.fix(),
                CallError::Lost { .. } => "Check that the server runs, and that this machine can reach it.",
                _ => "Check that a Mattermost server answers at that address, and not a proxy before it.",
            };
            report.wrong.push(Finding::stop(format!("{site} cannot be checked: {trouble}"), fix));
            return;
        }
    };
    let secure = if site.as_str().starts_with("https") { ", with a certificate that is valid" } else { "" };
    report.right.push(format!("{site} answers{secure}: Mattermost {}", config.version));
    clock("the server", *date, facts.now, report);
    address(&config.site_url, facts, report);
}

/// Checks the address that the server has of itself.
fn address(known_by: &str, facts: &Facts, report: &mut Report) {
    let site = &facts.view.site_url;
    // Some versions do not tell it without a session.
    if known_by.is_empty() || SiteUrl::new(known_by).is_ok_and(|url| url == *site) {
        return;
    }
    report.wrong.push(
        Finding::stop(
            format!("the server calls itself {known_by}, and the install is for {site}"),
            format!("Set the Site URL to {site}, or install the app for the other address."),
        )
        .at(Setting::SITE_URL),
    );
}

fn clock(whose: &str, date: Option<i64>, now: i64, report: &mut Report) {
    let Some(date) = date else { return };
    let apart = (now - date).abs();
    if apart <= SKEW {
        report.right.push(format!("{whose}'s clock is right"));
    } else {
        report.wrong.push(Finding::stop(
            format!("the clocks of {whose} and of this machine are {apart} s apart"),
            "Set both with NTP: signed requests are refused if clocks differ by more than 30 s.",
        ));
    }
}

/// Checks the settings of the server.
fn settings(admin: &Admin, facts: &Facts, report: &mut Report) {
    if !admin.me.has_role("system_admin") {
        report.notes.push(Finding::note(
            format!("@{} is not a system admin, and does not see everything", admin.me.username),
            "Run this again with the token of a system admin.",
        ));
    }
    // If anybody is told the address, it was checked already.
    if facts.server.as_ref().is_ok_and(|(seen, _)| seen.site_url.is_empty()) {
        address(&admin.config.site_url, facts, report);
    }
    let off = |value: &Option<String>| value.as_deref() == Some("false");
    if off(&admin.config.enable_commands) {
        report
            .wrong
            .push(Finding::stop("slash commands are switched off", "Switch them on.").at(Setting::COMMANDS));
    }
    let hears = facts.view.register.iter().any(|wanted| matches!(wanted, Wanted::OutgoingWebhook { .. }));
    if hears && off(&admin.config.enable_outgoing_webhooks) {
        report.wrong.push(
            Finding::stop("outgoing webhooks are switched off", "Switch them on.").at(Setting::WEBHOOKS),
        );
    }
    let bundle = Url::parse(&facts.base_url).ok();
    if let (Some(allowed), Some(host)) = (&admin.allowed, bundle.as_ref().and_then(Url::host))
        && private(&host)
        && !allowed.split([' ', ',']).any(|entry| covers(entry.trim(), &host.to_string()))
    {
        report.wrong.push(
            Finding::stop(
                format!("the bundle is at {host}, which is private, and the server may not call it"),
                format!("Add {host} to the setting."),
            )
            .at(Setting::INTERNAL),
        );
    }
}

/// Checks what the bundle knows of the server, and how long the server waits for the bundle.
fn known(admin: &Admin, facts: &Facts, report: &mut Report) {
    let Some(known) = &facts.view.server else { return };
    let (is, id) = (&admin.is, &facts.view.install_id);
    let sync = format!(
        "`cloud-apps sync {id}` tells it now. By itself it notices within the hour in which its bot calls the server."
    );
    if is.version != known.version {
        let what =
            format!("the bundle knows this server as Mattermost {}, and it is {}", known.version, is.version);
        report.notes.push(Finding::note(what, sync));
    } else if (is.facts.mm_blocks, is.facts.max_post_size)
        != (known.facts.mm_blocks, known.facts.max_post_size)
    {
        let what = "the bundle does not know yet whether this server shows blocks, or how long a post may be";
        report.notes.push(Finding::note(what, sync));
    }
    let Some(seconds) = is.facts.integration_timeout else { return };
    let needed = FUNCTION_TIME.div_ceil(1_000) + 1;
    if u64::from(seconds) >= needed {
        return;
    }
    let what = format!(
        "the server waits for an integration for {seconds} s, and an app may take {} s",
        FUNCTION_TIME / 1_000
    );
    report.notes.push(if known.facts.integration_timeout == Some(seconds) {
        let fix = format!("Set it to {needed} s or more. Until then the bundle stops an app sooner, and says so to its user.");
        Finding::note(what, fix).at(Setting::PATIENCE)
    } else {
        let fix = format!("Set it to {needed} s or more, or tell the bundle with `cloud-apps sync {id}`, so that it stops an app sooner.");
        Finding::note(what, fix).at(Setting::PATIENCE)
    });
}

/// Whether a server calls this host only if its settings allow it. Names are not looked up, because the server may resolve them
/// to other addresses.
fn private(host: &Host<&str>) -> bool {
    is_this_machine(host)
        || match host {
            Host::Ipv4(address) => address.is_private() || address.is_link_local(),
            Host::Ipv6(address) => address.is_unique_local() || address.is_unicast_link_local(),
            Host::Domain(_) => false,
        }
}

/// Whether one entry of the setting allows the host: the same name or address, or a network that has it.
fn covers(entry: &str, host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    entry == host
        || entry.parse::<ipnet::IpNet>().is_ok_and(|net| address.is_ok_and(|address| net.contains(&address)))
}

/// Checks the bot and its tokens.
fn bot(admin: &Admin, facts: &Facts, report: &mut Report) {
    let (view, id) = (&facts.view, &facts.view.install_id);
    let name = &view.bot.username;
    match &admin.bot {
        None => report.wrong.push(Finding::stop(
            format!("the bot @{name} is gone from the server"),
            format!("Remove the install (`cloud-apps uninstall {id}`) and install the app again."),
        )),
        Some(bot) if bot.delete_at != 0 => report.wrong.push(Finding::stop(
            format!("the bot @{name} is disabled"),
            "Enable it: Integrations > Bot Accounts on the server.",
        )),
        Some(_) => report.right.push(format!("the bot @{name} is there and enabled")),
    }
    unknown_end(admin, facts, report);
    let ours = admin.tokens.iter().filter(|token| is_token(&view.app_id, token)).count();
    match (admin.tokens.len(), ours) {
        (0, _) if admin.bot.is_some() => report.wrong.push(Finding::stop(
            format!("@{name} has no access token: the server refuses every call of the app"),
            format!("`cloud-apps rotate bot-token {id}` makes one and hands it over."),
        )),
        (all, ours) if all > ours => report.notes.push(Finding::note(
            format!(
                "@{name} has a token that cloud-apps did not make: anybody who has it can act as the bot"
            ),
            format!("`cloud-apps rotate bot-token {id}` makes a new one and revokes all others."),
        )),
        (_, ours) if ours > 1 => report.notes.push(Finding::note(
            format!("@{name} has {ours} tokens of cloud-apps: one is enough"),
            format!("`cloud-apps rotate bot-token {id}` makes a new one and revokes the others."),
        )),
        _ => {}
    }
}

/// Checks whether the server may end a token without the bundle's knowledge. Nobody would be warned.
fn unknown_end(admin: &Admin, facts: &Facts, report: &mut Report) {
    if facts.view.bot_token_expires_at.is_some() || admin.tokens.is_empty() {
        return;
    }
    let (name, id) = (&facts.view.bot.username, &facts.view.install_id);
    let ends: Option<Vec<u64>> = admin.tokens.iter().map(Token::end).collect();
    if let Some(last) = ends.and_then(|ends| ends.into_iter().max()) {
        report.notes.push(Finding::note(
            format!(
                "the token of @{name} {}, and the bundle does not know it",
                TokenEnd(last).words(now_ms(facts))
            ),
            format!("`cloud-apps rotate bot-token {id}` makes one whose end the bundle knows."),
        ));
    } else if let Some(days) = admin.config.bot_token_days() {
        report.notes.push(
            Finding::note(
                format!(
                    "the server lets new tokens live for {days} days at most, and the token of @{name} has no end: an admin may \
                     revoke it together with all such tokens"
                ),
                format!("`cloud-apps rotate bot-token {id}` makes one that fits."),
            )
            .at(Setting::TOKEN_LIFE),
        );
    }
}

/// The time of the check in Unix milliseconds.
fn now_ms(facts: &Facts) -> u64 {
    u64::try_from(facts.now).unwrap_or_default().saturating_mul(1_000)
}

/// What to do about a command or webhook that does not call the install's address. Either of the two addresses may be wrong, so
/// the admin checks before it is changed.
fn moved(facts: &Facts) -> String {
    format!(
        "Ask the bundle's operator whether {} is its address. If it is, `cloud-apps sync {}` sends it there, and asks first if \
         the host is another one. If it is not, the operator fixes the install with `cloud-apps sync {} --base-url URL`.",
        facts.base_url, facts.view.install_id, facts.view.install_id
    )
}

/// What to do about a command that calls an install of the app at another bundle.
fn taken_over(id: &InstallId, other: &SiteUrl) -> String {
    format!(
        "The bundle at {other} took the app over. If that is right, `cloud-apps uninstall {id}` removes the install here, and \
         leaves that bundle alone. If it is not right, do that, and then install the app again with --take-over."
    )
}

/// Checks the slash commands of one team.
fn commands(team: &TeamFacts, facts: &Facts, report: &mut Report) {
    let (view, id) = (&facts.view, &facts.view.install_id);
    let sync = format!("`cloud-apps sync {id}` fixes it.");
    let registered = view.registered.iter().filter_map(|standing| match standing {
        Registration::SlashCommand { team_id, id, trigger } if team_id.as_str() == team.id => {
            Some((id, trigger))
        }
        _ => None,
    });
    let Some(place) = &team.team else {
        if registered.count() > 0 {
            report.wrong.push(Finding::stop(
                format!("the team {} is gone or archived, and the app is registered in it", team.id),
                sync,
            ));
        }
        return;
    };
    let name = &place.name;
    let Some(there) = &team.commands else {
        report.not_looked_at.push(format!(
            "the slash commands of {name}: the server does not list them. Switch commands on, and look as a system admin"
        ));
        return;
    };
    for (command, trigger) in registered {
        let Some(stands) = there.iter().find(|stands| stands.id == *command) else {
            report
                .wrong
                .push(Finding::stop(format!("/{trigger} is gone from the team {name}"), sync.clone()));
            continue;
        };
        let before = report.wrong.len();
        if stands.url != view.endpoints.slash {
            report.wrong.push(Finding::stop(
                format!("/{trigger} of {name} calls another address than the install's: {}", stands.url),
                match BundleIdentity::of_install(view).command(&view.app_id, stands) {
                    Owner::OtherBundle(other) => taken_over(id, &other),
                    _ => moved(facts),
                },
            ));
        }
        if stands.method != "P" {
            report.wrong.push(Finding::stop(
                format!("/{trigger} of {name} sends GET, and the bundle takes POST"),
                sync.clone(),
            ));
        }
        if stands.trigger != *trigger {
            report.wrong.push(Finding::stop(
                format!("/{trigger} of {name} was renamed to /{}", stands.trigger),
                sync.clone(),
            ));
        }
        if report.wrong.len() == before {
            report.right.push(format!("/{trigger} is there in {name}, with the right address and method"));
        }
    }
    let known = |id: &str| {
        let all = view.registered.iter().chain(&view.leftovers);
        all.clone().any(|s| matches!(s, Registration::SlashCommand { id: known, .. } if known == id))
    };
    // What belongs to another bundle on the same server is left to that bundle.
    let identity = BundleIdentity::of_install(view);
    let ours = |command: &Command| identity.command(&view.app_id, command) == Owner::ThisBundle;
    for stray in there.iter().filter(|command| ours(command) && !known(&command.id)) {
        report.wrong.push(Finding::stop(
            format!("/{} of {name} was made for this app, and the bundle does not know it", stray.trigger),
            sync.clone(),
        ));
    }
    if !team.bot_is_member {
        report.wrong.push(Finding::stop(format!("@{} is not in the team {name}", view.bot.username), sync));
    }
}

/// Checks the outgoing webhooks of one team.
fn webhooks(team: &TeamFacts, facts: &Facts, report: &mut Report) {
    let (view, id) = (&facts.view, &facts.view.install_id);
    let Some(place) = &team.team else { return };
    let told = view.registered.iter().any(|s| matches!(s, Registration::OutgoingWebhook { .. }));
    let Some(there) = &team.webhooks else {
        if !told {
            return;
        }
        report.not_looked_at.push(format!(
            "the outgoing webhooks of {}: the server does not list them. Switch them on, and look as a system admin",
            place.name
        ));
        return;
    };
    let sync = format!("`cloud-apps sync {id}` fixes it.");
    for standing in &view.registered {
        let Registration::OutgoingWebhook { team_id, id: webhook, channel_id } = standing else { continue };
        if team_id.as_str() != team.id {
            continue;
        }
        match there.iter().find(|stands| stands.id == *webhook) {
            None => report.wrong.push(Finding::stop(
                format!("the outgoing webhook of channel {channel_id} in {} is gone", place.name),
                sync.clone(),
            )),
            Some(stands) if stands.callback_urls != [view.endpoints.webhook.clone()] => {
                report.wrong.push(Finding::stop(
                    format!(
                        "the outgoing webhook of channel {channel_id} in {} calls another address",
                        place.name
                    ),
                    moved(facts),
                ));
            }
            Some(_) => report.right.push(format!("the outgoing webhook of channel {channel_id} is there")),
        }
        let same = there.iter().filter(|stands| {
            stands.channel_id == channel_id.as_str()
                && (stands.callback_urls.contains(&view.endpoints.webhook)
                    || BundleIdentity::of_install(view).webhook(&view.app_id, stands) == Owner::ThisBundle)
        });
        if same.count() > 1 {
            report.wrong.push(Finding::stop(
                format!(
                    "channel {channel_id} of {} has two outgoing webhooks: each post is told twice",
                    place.name
                ),
                sync.clone(),
            ));
        }
    }
}

fn words(standing: &Registration) -> String {
    match standing {
        Registration::SlashCommand { team_id, trigger, .. } => format!("/{trigger} of the team {team_id}"),
        Registration::OutgoingWebhook { channel_id, .. } => {
            format!("the outgoing webhook of channel {channel_id}")
        }
        Registration::Bot { username, .. } => format!("the bot @{username}"),
    }
}
