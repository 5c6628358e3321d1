//! Whether something that stands on a server already may be taken for the app's own.
//!
//! Only what this installation's own journal made, or what the bundle has registered, is taken as it is. For everything
//! else a description is what anybody can write, and whoever made a command or owns a bot knows its token and may read
//! the next one. So its maker or owner must be a system admin, who could do all of it anyway; it gets a new token, so
//! that nobody goes on with an old one; and what belongs to another bundle is taken only by who agreed to that.

use super::{
    owner::{BundleIdentity, Owner},
    stop::Stop,
};
use crate::mattermost::{Bot, Command, Finding, Mattermost, Team, User};
use cloud_apps_protocol::{AppId, SiteUrl, install::InstallView};

/// What may be done with a thing that stands already.
#[derive(Debug)]
pub enum Adoption {
    /// It is this app's, at this bundle: it is taken up, with a new token.
    TakenUp {
        /// What is taken up, and who made it, for people.
        what: String,
    },
    /// It is this app's, at another bundle, which loses it: that takes somebody's consent.
    TakenOver {
        /// What is taken from whom, for people.
        what: String,
    },
    /// It may not be taken.
    Refused(Finding),
}

impl Adoption {
    /// What is taken, if it may be: what another bundle has only with consent.
    pub fn with_consent(self, consent: bool) -> Result<String, Finding> {
        match self {
            Self::TakenUp { what } => Ok(what),
            Self::TakenOver { what } if consent => Ok(what),
            Self::TakenOver { what } => Err(not_agreed(&what)),
            Self::Refused(finding) => Err(finding),
        }
    }
}

/// What comes of taking another bundle's thing.
pub fn loses(what: &str) -> String {
    format!("{what}: that bundle would stop serving it")
}

/// What is told of another bundle's thing that nobody agreed to take.
pub fn not_agreed(what: &str) -> Finding {
    Finding::stop(
        loses(what),
        "If that is what you want, `cloud-apps install … --take-over` takes it; an install that this bundle has there \
         already is removed first. If you meant another bundle, check --stack, --bundle or --data. For a bundle that is \
         lost for good: `cloud-apps cleanup --site URL`.",
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
                "{name} looks like this app's, and {} made it, who is no system admin and could read its token",
                who(maker.as_ref())
            ),
            "Delete that command (Integrations > Slash Commands), then run the same again: it is made again.",
        )));
    }
    Ok(taken(&name, &format!("made by {}", who(maker.as_ref())), &whose))
}

/// An outgoing webhook of a channel. Others may stand beside it, so one that may not be taken is left alone.
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

/// The account of the bot's name, which is a bot.
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
        // Nothing works by a bot that is disabled: nobody loses anything.
        Owner::UnknownBundle if stands.delete_at != 0 => Owner::ThisBundle,
        whose => whose,
    };
    let owner = person(server, &stands.owner_id).await?;
    if !trusted(owner.as_ref()) {
        return Ok(Adoption::Refused(Finding::stop(
            format!(
                "{name} looks like this app's, and belongs to {}, who is no system admin and could make tokens for it",
                who(owner.as_ref())
            ),
            format!(
                "{OTHER_NAME} Or let a system admin take that bot over (`mmctl bot assign`), if it is this app's."
            ),
        )));
    }
    Ok(taken(&name, &format!("owned by {}", who(owner.as_ref())), &whose))
}

/// What an install says is its bot is none.
pub fn gone(view: &InstallView) -> Finding {
    let (id, name) = (&view.install_id, &view.bot.username);
    Finding::stop(
        format!("the bot @{name} is gone from the server"),
        format!("Remove the install (`cloud-apps uninstall {id}`) and install the app again."),
    )
}

/// The bot of an install, whose tokens the bundle is to have. Its id is the bundle's word, and might be anybody's: an
/// admin's, or the one of a bot that another bundle has.
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
                "Rotate its token at that bundle. If that is the address that this bundle had before, its operator puts the \
                 description right with `cloud-apps sync {id}`."
            ),
        ),
        Owner::UnknownBundle | Owner::OtherApp => Finding::stop(
            format!("the description of @{} does not say that it is this bundle's bot", bot.username),
            format!("The bundle's operator does it: `cloud-apps rotate bot-token {id}` without --bundle."),
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

/// Whether a system admin made something.
pub async fn made_by_an_admin(server: &Mattermost, creator: &str) -> Result<bool, Stop> {
    Ok(trusted(person(server, creator).await?.as_ref()))
}

/// Who made something. A plugin has no id of a user.
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
        || "somebody who is no user of this server".to_owned(),
        |user| format!("@{}", user.username),
    )
}

/// Another command has the trigger.
async fn clash(server: &Mattermost, team: &Team, command: &Command) -> Result<Finding, Stop> {
    let whose = server.user(&command.creator_id).await?;
    let whose = whose.map_or_else(|| "somebody who is gone".to_owned(), |user| format!("@{}", user.username));
    let host = command
        .url
        .parse::<http::Uri>()
        .ok()
        .and_then(|uri| uri.host().map(str::to_owned))
        .unwrap_or_default();
    Ok(Finding::stop(
        format!(
            "/{} is taken in the team {}: a slash command of {whose}, which goes to {host}",
            command.trigger, team.name
        ),
        "Delete that command (Integrations > Slash Commands) or leave the team out.",
    ))
}
