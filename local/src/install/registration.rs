//! Registers what a new install wants: slash commands in its teams, and outgoing webhooks for the channels that the app watches.

use super::{
    context::Context,
    journal::Made,
    owner::{BundleIdentity, Owner},
    plan::Plan,
    register::{self, Change, Registrar},
    steps::{BegunInstall, SharedJournal, intend},
    stop::Stop,
};
use crate::mattermost::{Command, OutgoingWebhook};
use cloud_apps_protocol::install::Registered;

/// Registers what a new install wants.
pub struct RegistrationStep<'a, 'j> {
    cx: &'a Context<'a>,
    log: &'a SharedJournal<'j>,
    plan: &'a Plan,
    begun: &'a BegunInstall,
    identity: BundleIdentity,
}

impl<'a, 'j> RegistrationStep<'a, 'j> {
    /// For an install that was begun.
    pub fn new(
        cx: &'a Context<'a>,
        log: &'a SharedJournal<'j>,
        plan: &'a Plan,
        begun: &'a BegunInstall,
    ) -> Self {
        Self { cx, log, plan, begun, identity: BundleIdentity::of(cx.bundle, None) }
    }

    /// The slash commands in the teams.
    pub async fn commands(&self) -> Result<Vec<Registered>, Stop> {
        let mut all = Vec::new();
        for wish in &self.begun.wanted.commands {
            for team in &self.plan.teams {
                let (team_id, trigger) = (team.id.to_string(), wish.trigger.clone());
                let made = Made::Command { team: team_id.clone(), trigger: trigger.clone() };
                let planned = self.log.borrow().has(&made);
                let known = |stands: &Command| {
                    let owner = self.identity.command(&self.cx.app.id, stands);
                    planned && self.made_here(&stands.creator_id, &owner)
                };
                let intent = |made_here: bool| {
                    let adopted = Made::AdoptedCommand { team: team_id, trigger };
                    intend(self.log, if made_here { made } else { adopted })
                };
                let done = register::command(self.registrar(), team, wish, known, intent).await?;
                all.push(self.shown(done));
            }
        }
        Ok(all)
    }

    /// The outgoing webhooks of the channels.
    pub async fn webhooks(&self) -> Result<Vec<Registered>, Stop> {
        let mut all = Vec::new();
        for channel in &self.begun.wanted.channels {
            let made = |team: &str| Made::Webhook { team: team.to_owned(), channel: channel.to_string() };
            let known = |stands: &OutgoingWebhook| {
                let owner = self.identity.webhook(&self.cx.app.id, stands);
                let planned = self.log.borrow().has(&made(&stands.team_id));
                planned && self.made_here(&stands.creator_id, &owner)
            };
            let intent = |team: &str, made_here: bool| {
                let adopted = Made::AdoptedWebhook { team: team.to_owned(), channel: channel.to_string() };
                intend(self.log, if made_here { made(team) } else { adopted })
            };
            let done = register::webhook(self.registrar(), channel, known, intent).await?;
            all.push(self.shown(done));
        }
        Ok(all)
    }

    fn registrar(&self) -> Registrar<'_> {
        Registrar {
            server: self.cx.server,
            app: self.cx.app,
            endpoints: &self.begun.created.endpoints,
            identity: &self.identity,
            take_over: self.plan.take_over,
        }
    }

    /// Whether this admin made a thing for this bundle. If the journal planned it too, an earlier run made it.
    fn made_here(&self, creator: &str, owner: &Owner) -> bool {
        creator == self.plan.admin.id && *owner == Owner::ThisBundle
    }

    /// Tells what was taken up, and not made here.
    fn shown(&self, (one, change): (Registered, Change)) -> Registered {
        if let Change::Adopted { what } = change {
            self.cx.tell(&format!("    took up {what}: it has a new token"));
        }
        one
    }
}
