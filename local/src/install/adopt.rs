//! Decides whether something that already stands on a server may become the app's own.
//!
//! Only what this installation's own journal made, or what the bundle has registered, is used as it is. Everything else is
//! less certain: anybody can write a description, and somebody who made a command or owns a bot knows its token and may read the
//! next one. So its maker or owner must be a system admin, who could do all of that anyway. It gets a new token, so nobody can
//! use the old one any more. And what belongs to another bundle is taken only if the admin agrees.

use super::{
    owner::{BundleIdentity, Owner},
    stop::Stop,
};
use crate::mattermost::{Bot, Command, Finding, Mattermost, Team, User};
use cloud_apps_protocol::{AppId, SiteUrl, install::InstallView};

/// What may be done with a thing that already stands.
#[derive(Debug)]
pub enum Adoption {
    /// It belongs to this app at this bundle. It is taken up, with a new token.
    TakenUp {
        /// What is taken up, and who made it, for people.
        what: String,
    },
    /// It belongs to this app at another bundle, which loses it. The admin has to agree.
    TakenOver {
        /// What is taken from whom, for people.
        what: String,
    },
    /// It may not be taken.
    Refused(Finding),
}

impl Adoption {
    /// What is taken, if it may be. What another bundle has is taken only with consent.
    pub fn with_consent(self, consent: bool) -> Result<String, Finding> {
        match self {
            Self::TakenUp { what } => Ok(what),
            Self::TakenOver { what } if consent => Ok(what),
            Self::TakenOver { what } => Err(not_agreed(&what)),
            Self::Refused(finding) => Err(finding),
        }
    }
}

/// What happens if another bundle's thing is taken.
pub fn loses(what: &str) -> String {
    format!("{what}: that bundle would stop serving it")
}

/// What the admin reads if another bundle's thing would be taken and nobody agreed.
pub fn not_agreed(what: &str) -> Finding {
    Finding::stop(
        loses(what),
        "If that is what you want, `cloud-apps install … --take-over` takes it; an install that this bundle already \
         has there is removed first. If you meant another bundle, check --stack, --bundle or --data. If that bundle is lost for \
         good: `cloud-apps cleanup --site URL`.",
    )
}

/// A slash command with the app's trigger.
pub async fn command(
    server: &Mattermost,
    (app, identity): (&AppId, &BundleIdentity),
    team: &Team,
    stands: &Command,
) -> Result<Adoption, Stop> {
    let whose = identity.command(app, stands);
    if matches!(whose, Owner::OtherApp | Owner::UnknownBundle) {
        return Ok(Adoption::Refused(clash(server, team, stands).await?));
    }
    let name = format!("/{} of the team {}", stands.trigger, team.name);
    let maker = person(server, &stands.creator_id).await?;
    if !trusted(maker.as_ref()) {
        return Ok(Adoption::Refused(Finding::stop(
            format!(
                "{name} looks like this app's, but {} made it, who is not a system admin and could read its token",
                who(maker.as_ref())
            ),
            "Delete that command (Integrations > Slash Commands), then run the same command again: it makes a new one.",
        )));
    }
    Ok(taken(&name, &format!("made by {}", who(maker.as_ref())), &whose))
}

/// An outgoing webhook of a channel. A channel may have several, so one that may not be taken is left alone.
pub async fn webhook(
    server: &Mattermost,
    (app, identity): (&AppId, &BundleIdentity),
    stands: &crate::mattermost::OutgoingWebhook,
) -> Result<Option<String>, Stop> {
    if identity.webhook(app, stands) != Owner::ThisBundle {
        return Ok(None);
    }
    let maker = person(server, &stands.creator_id).await?;
    Ok(trusted(maker.as_ref()).then(|| who(maker.as_ref())))
}

/// The bot that has the name that is wanted.
pub async fn bot(
    server: &Mattermost,
    (app, identity): (&AppId, &BundleIdentity),
    stands: &Bot,
) -> Result<Adoption, Stop> {
    const OTHER_NAME: &str = "Choose another name for the bot with --bot NAME.";
    let name = format!("the bot @{}", stands.username);
    let whose = match identity.bot(app, stands) {
        Owner::OtherApp => {
            let what = format!("@{} is a bot on this server that was not made for {app}", stands.username);
            return Ok(Adoption::Refused(Finding::stop(what, OTHER_NAME)));
        }
        // A disabled bot serves nothing, so nobody loses anything.
        Owner::UnknownBundle if stands.delete_at != 0 => Owner::ThisBundle,
        whose => whose,
    };
    let owner = person(server, &stands.owner_id).await?;
    if !trusted(owner.as_ref()) {
        return Ok(Adoption::Refused(Finding::stop(
            format!(
                "{name} looks like this app's, but belongs to {}, who is not a system admin and could make tokens for it",
                who(owner.as_ref())
            ),
            format!(
                "{OTHER_NAME} Or let a system admin take that bot over (`mmctl bot assign`), if it is this app's."
            ),
        )));
    }
    Ok(taken(&name, &format!("owned by {}", who(owner.as_ref())), &whose))
}

/// The bot that an install names does not exist.
pub fn gone(view: &InstallView) -> Finding {
    let (id, name) = (&view.install_id, &view.bot.username);
    Finding::stop(
        format!("the bot @{name} is gone from the server"),
        format!("Remove the install (`cloud-apps uninstall {id}`) and install the app again."),
    )
}

/// The bot of an install, whose token the bundle gets. The bundle says the id, so it might be the id of anybody: of an admin, or
/// of the bot of another bundle.
pub async fn own_bot(
    server: &Mattermost,
    identity: &BundleIdentity,
    view: &InstallView,
) -> Result<Bot, Stop> {
    let id = &view.install_id;
    let Some(bot) = server.bot(view.bot.id.as_str()).await? else { return Err(gone(view).into()) };
    let finding = match identity.bot(&view.app_id, &bot) {
        Owner::ThisBundle => return Ok(bot),
        Owner::UnknownBundle | Owner::OtherApp if identity.on_record() => return Ok(bot),
        Owner::OtherBundle(other) => Finding::stop(
            format!("@{} belongs to the bundle at {other}, as its description says", bot.username),
            format!(
                "Rotate its token at that bundle. If this bundle had that address before, its operator fixes the description with \
                 `cloud-apps sync {id}`."
            ),
        ),
        Owner::UnknownBundle | Owner::OtherApp => Finding::stop(
            format!("the description of @{} does not say that it is this bundle's bot", bot.username),
            format!("The bundle's operator can do it: `cloud-apps rotate bot-token {id}` without --bundle."),
        ),
    };
    Err(finding.into())
}

fn taken(name: &str, by: &str, whose: &Owner) -> Adoption {
    let other =
        |bundle: &str| Adoption::TakenOver { what: format!("{name} ({by}), which belongs to {bundle}") };
    match whose {
        Owner::ThisBundle => Adoption::TakenUp { what: format!("{name} ({by})") },
        Owner::OtherBundle(bundle) => other(&at(bundle)),
        Owner::UnknownBundle | Owner::OtherApp => other("a bundle that its description does not name"),
    }
}

fn at(bundle: &SiteUrl) -> String {
    format!("the bundle at {bundle}")
}

/// Whether a system admin made it.
pub async fn made_by_an_admin(server: &Mattermost, creator: &str) -> Result<bool, Stop> {
    Ok(trusted(person(server, creator).await?.as_ref()))
}

/// The user who made something. A plugin has no user id.
async fn person(server: &Mattermost, id: &str) -> Result<Option<User>, Stop> {
    if id.parse::<cloud_apps_protocol::UserId>().is_err() {
        return Ok(None);
    }
    Ok(server.user(id).await?)
}

fn trusted(maker: Option<&User>) -> bool {
    maker.is_some_and(|user| !user.is_bot && user.has_role("system_admin"))
}

fn who(maker: Option<&User>) -> String {
    maker.map_or_else(
        || "somebody who is not a user of this server".to_owned(),
        |user| format!("@{}", user.username),
    )
}

/// Another command has the trigger.
async fn clash(server: &Mattermost, team: &Team, command: &Command) -> Result<Finding, Stop> {
    let whose = server.user(&command.creator_id).await?;
    let whose =
        whose.map_or_else(|| "somebody who has left".to_owned(), |user| format!("@{}", user.username));
    let url = url::Url::parse(&command.url).ok();
    let host = url.as_ref().and_then(url::Url::host_str).unwrap_or_default();
    Ok(Finding::stop(
        format!(
            "/{} is taken in the team {}: a slash command of {whose}, which goes to {host}",
            command.trigger, team.name
        ),
        "Delete that command (Integrations > Slash Commands) or leave the team out.",
    ))
}
