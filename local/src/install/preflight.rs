//! Looks at both sides before anything is made, and finds all that stands in the way at once.

use super::{
    adopt::{self, Adoption},
    bundle::Bundle,
    journal::{Journal, Made},
    mark,
    owner::{BundleIdentity, Owner},
    plan::{BotIs, Plan, days_in_words},
    request::Request,
    stop::Stop,
    teams,
};
use crate::mattermost::{ClientConfig, Finding, Mattermost, Setting, Team, User, loopback};
use cloud_apps_protocol::{PROTOCOL, SiteUrl, install::AppView};

/// The oldest server that is supported: [`cloud_apps_protocol`]'s first.
const OLDEST: (u32, u32) = (5, 37);
/// How far apart two clocks may be, in seconds, before the admin is told.
const DRIFT: u64 = 60;

/// Looks at everything. `Err` with all that stands in the way.
pub async fn check(
    server: &Mattermost,
    bundle: &Bundle,
    app: &AppView,
    request: &Request,
    journal: &Journal,
) -> Result<Plan, Stop> {
    let mut found = Vec::new();
    let mut taken = Taken { identity: BundleIdentity::of(bundle, None), up: Vec::new(), over: Vec::new() };
    // Without an answer of both sides there is nothing to look at.
    let server_clock = server.ping().await?;
    let (index, bundle_clock) = bundle.index().await?;
    let admin = server.me().await?;
    let config = server.client_config().await?;

    if !index.protocol.contains(&PROTOCOL) {
        found.push(Finding::stop(
            format!("the bundle {} does not speak protocol {PROTOCOL}", bundle.base_url()),
            "Use the `cloud-apps` of the version that is deployed.",
        ));
    }
    clocks(server_clock, bundle_clock, &mut found);
    version(&config, &mut found);
    token_life(&config, &mut found);
    site_url(&request.site, &config, &mut found);
    settings(app, &config, &mut found);
    reachable(server, bundle, &mut found).await?;
    if !admin.has_role("system_admin") {
        found.push(Finding::stop(
            format!("@{} is not a system admin of {}, and only a system admin can make a bot", admin.username, request.site),
            "Use the token of a system admin, or ask a system admin to make you one (System Console > User Management > Users).",
        ));
    }
    let is_there =
        bundle.is_operator() && !journal.unfinished() && installed(bundle, app, request, &mut found).await?;
    let name = request.bot.clone().unwrap_or_else(|| app.bot.username.clone());
    let ours = Ours { journal, admin: &admin };
    let looked = bot(server, app, &name, &config, ours, &mut taken, &mut found).await;
    let bot_is = told(server, looked, &mut found)?.unwrap_or(BotIs::Absent);
    let looked = teams::wanted(server, &request.teams, &mut found).await;
    let teams = told(server, looked, &mut found)?.unwrap_or_default();
    // The commands of an install that is there are its own, and no clash.
    if app.requests.locations.contains("message_box") && !is_there {
        let looked = triggers(server, app, &teams, ours, &mut taken, &mut found).await;
        told(server, looked, &mut found)?;
    }

    if found.iter().any(|finding| finding.stops) {
        return Err(Stop::Found(found));
    }
    let admin_settings = server.admin_settings().await.ok();
    Ok(Plan {
        server: server.server(admin_settings.as_ref()).await?,
        app: app.id.to_string(),
        site: request.site.clone(),
        token_days: config.bot_token_days(),
        server_version: config.version,
        bundle_version: index.bundle,
        admin,
        bot: name,
        bot_is,
        teams,
        notes: found,
        takes_up: taken.up,
        takes_over: taken.over,
        take_over: request.take_over,
    })
}

/// What already stands and would be taken.
struct Taken {
    identity: BundleIdentity,
    up: Vec<String>,
    over: Vec<String>,
}

impl Taken {
    fn note(&mut self, adoption: Adoption, found: &mut Vec<Finding>) {
        match adoption {
            Adoption::TakenUp { what } => self.up.push(what),
            Adoption::TakenOver { what } => self.over.push(what),
            Adoption::Refused(finding) => found.push(finding),
        }
    }
}

/// By what the work of an earlier run of the same admin is recognised.
#[derive(Clone, Copy)]
struct Ours<'a> {
    journal: &'a Journal,
    admin: &'a User,
}

/// If the server refuses one check, that is a finding, and the other checks continue.
fn told<T>(
    server: &Mattermost,
    looked: Result<T, Stop>,
    found: &mut Vec<Finding>,
) -> Result<Option<T>, Stop> {
    match looked {
        Ok(seen) => Ok(Some(seen)),
        Err(Stop::Server(trouble)) if trouble.status().is_some() && !trouble.transient() => {
            let finding = server.finding(&trouble);
            let known = |other: &Finding| other.setting.is_some() && other.setting == finding.setting;
            if !found.iter().any(known) {
                found.push(finding);
            }
            Ok(None)
        }
        Err(stop) => Err(stop),
    }
}

fn clocks(server: Option<i64>, bundle: Option<i64>, found: &mut Vec<Finding>) {
    let here = jiff::Timestamp::now().as_second();
    for (whose, clock) in [("the Mattermost server", server), ("the bundle", bundle)] {
        let Some(clock) = clock.filter(|clock| clock.abs_diff(here) > DRIFT) else { continue };
        found.push(Finding::note(
            format!("the clocks of {whose} and of this machine are {} s apart", clock.abs_diff(here)),
            "Set the wrong one with NTP: codes, dialogs and tokens depend on the time.",
        ));
    }
}

fn version(config: &ClientConfig, found: &mut Vec<Finding>) {
    let version = &config.version;
    match config.major_minor() {
        Some(given) if given >= OLDEST => {}
        Some(_) => found.push(Finding::stop(
            format!("Mattermost {version} is older than {}.{}", OLDEST.0, OLDEST.1),
            "Upgrade the server.",
        )),
        None => found.push(Finding::stop(
            format!("the server does not say which version it is ({version:?})"),
            "Check --site: is it a Mattermost server?",
        )),
    }
}

/// A limit on the life of tokens stands in the way of nothing, but somebody has to replace the bot's token in time.
fn token_life(config: &ClientConfig, found: &mut Vec<Finding>) {
    let Some(days) = config.bot_token_days() else { return };
    found.push(
        Finding::note(
            format!(
                "this server ends each token {} after it was made, those of bots too",
                days_in_words(days)
            ),
            "The bot gets a token with the longest life that is allowed. The bundle renews it where the server lets it, and \
             otherwise warns you before it ends: docs/operate.md says more.",
        )
        .at(Setting::TOKEN_LIFE),
    );
}

fn site_url(site: &SiteUrl, config: &ClientConfig, found: &mut Vec<Finding>) {
    let Ok(own) = SiteUrl::new(&config.site_url) else {
        found.push(
            Finding::stop(
                "the server has no site URL, which late answers and dialogs need",
                format!("Set it to {site}."),
            )
            .at(Setting::SITE_URL),
        );
        return;
    };
    if own != *site {
        found.push(
            Finding::stop(
                format!("the server calls itself {own}, but --site says {site}"),
                format!("Give --site {own}, or set the server's site URL to {site} if that is right."),
            )
            .at(Setting::SITE_URL),
        );
    }
}

fn settings(app: &AppView, config: &ClientConfig, found: &mut Vec<Finding>) {
    let off = |setting: &Option<String>| setting.as_deref() == Some("false");
    if app.requests.locations.contains("message_box") && off(&config.enable_commands) {
        found.push(
            Finding::stop("custom slash commands are switched off", "Switch them on.").at(Setting::COMMANDS),
        );
    }
    if app.requests.events.contains("message_posted") && off(&config.enable_outgoing_webhooks) {
        found.push(
            Finding::stop(
                "outgoing webhooks are switched off, and the app needs them to watch channels",
                "Switch them on.",
            )
            .at(Setting::WEBHOOKS),
        );
    }
}

/// Whether the server may call the bundle. It calls private addresses only if its settings allow them.
async fn reachable(server: &Mattermost, bundle: &Bundle, found: &mut Vec<Finding>) -> Result<(), Stop> {
    let address = bundle.base_url().as_str();
    if !loopback(address) {
        return Ok(());
    }
    let url = url::Url::parse(address).ok();
    let host = url.as_ref().and_then(url::Url::host_str).unwrap_or_default().trim_matches(['[', ']']);
    let allowed = match server.admin_settings().await {
        Ok(settings) => settings.allowed_connections,
        // Another check reports that this admin may not read the configuration.
        Err(trouble) if matches!(trouble.status(), Some(403 | 501)) => return Ok(()),
        Err(trouble) => return Err(trouble.into()),
    };
    let named = |word: &str| word == host || word.starts_with("127.") || word == "::1" || word == "localhost";
    if !allowed.split([' ', ',', '\t', '\n']).any(named) {
        found.push(
            Finding::note(
                format!("the bundle is at {address}, and Mattermost calls such an address only if its settings allow it"),
                format!("Add {host} there."),
            )
            .at(Setting::INTERNAL),
        );
    }
    Ok(())
}

async fn installed(
    bundle: &Bundle,
    app: &AppView,
    request: &Request,
    found: &mut Vec<Finding>,
) -> Result<bool, Stop> {
    let Some(install) = bundle.find(&app.id, &request.site).await? else { return Ok(false) };
    let (id, state) = (&install.install_id, &install.state);
    let fix = match state.as_str() {
        "active" | "disabled" => format!(
            "`cloud-apps sync {id}` adds teams and fixes what is missing; `cloud-apps uninstall {id}` removes the install."
        ),
        "removing" => format!("`cloud-apps uninstall {id}` ends the removal; then install again."),
        _ => format!(
            "Somebody else began it and did not finish. It is removed when its code expires, or now with `cloud-apps uninstall {id}`."
        ),
    };
    let what = format!("{} is already on {}: install {id}, {state}", app.id, request.site);
    found.push(Finding::stop(what, fix));
    Ok(true)
}

async fn bot(
    server: &Mattermost,
    app: &AppView,
    name: &str,
    config: &ClientConfig,
    ours: Ours<'_>,
    taken: &mut Taken,
    found: &mut Vec<Finding>,
) -> Result<BotIs, Stop> {
    let other = "Choose another name for the bot with --bot NAME.";
    let Some(user) = server.user_named(name).await? else {
        if config.enable_bot_account_creation.as_deref() == Some("false") {
            found.push(
                Finding::stop("this server does not allow new bots", "Switch it on.").at(Setting::BOTS),
            );
        }
        return Ok(BotIs::Absent);
    };
    if !user.is_bot {
        found.push(Finding::stop(format!("@{name} is a user on this server, and not a bot"), other));
        return Ok(BotIs::Absent);
    }
    let Some(bot) = server.bot(&user.id).await? else {
        found.push(Finding::stop(format!("@{name} is not a bot that can be read"), other));
        return Ok(BotIs::Absent);
    };
    let made = ours.journal.has(&Made::Bot { username: name.to_owned() });
    if !(made && bot.owner_id == ours.admin.id && mark::is_bot(&app.id, &bot)) {
        let adoption = adopt::bot(server, (&app.id, &taken.identity), &bot).await?;
        taken.note(adoption, found);
    }
    Ok(if bot.delete_at == 0 { BotIs::Active } else { BotIs::Disabled })
}

async fn triggers(
    server: &Mattermost,
    app: &AppView,
    teams: &[Team],
    ours: Ours<'_>,
    taken: &mut Taken,
    found: &mut Vec<Finding>,
) -> Result<(), Stop> {
    for team in teams {
        let commands = server.commands(team.id.as_str()).await?;
        let Some(command) = commands.iter().find(|command| command.trigger == app.namespace) else {
            continue;
        };
        let made = Made::Command { team: team.id.to_string(), trigger: command.trigger.clone() };
        let made_here = ours.journal.has(&made)
            && command.creator_id == ours.admin.id
            && taken.identity.command(&app.id, command) == Owner::ThisBundle;
        if !made_here {
            let adoption = adopt::command(server, (&app.id, &taken.identity), team, command).await?;
            taken.note(adoption, found);
        }
    }
    Ok(())
}
