//! To which bundle something on a server belongs, by what stands on it.
//!
//! A description is no proof: anybody who may make a command can write one. It says which app something is for, and an address
//! says which bundle and which install. Whether a thing may be changed is decided in [`adopt`](super::adopt).

use super::{bundle::Bundle, mark};
use crate::mattermost::{Bot, Command, OutgoingWebhook};
use cloud_apps_protocol::{AppId, InstallId, SiteUrl, install::InstallView};

/// By what the things of one bundle, and of one install if it is known, are recognised.
#[derive(Debug, Clone)]
pub struct BundleIdentity {
    addresses: Vec<SiteUrl>,
    install: Option<InstallId>,
    /// The operator asks, so what the bundle has on record is believed.
    on_record: bool,
}

/// The owner of a thing, by what stands on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// It belongs to this app at this bundle.
    ThisBundle,
    /// It belongs to this app at the bundle of this address.
    OtherBundle(SiteUrl),
    /// It belongs to this app, and does not say at which bundle. Older versions wrote such descriptions.
    UnknownBundle,
    /// It does not belong to this app.
    OtherApp,
}

impl BundleIdentity {
    /// A bundle has the address at which it is reached now, and the one that an install has of it. Somebody with a code knows
    /// only the first one: if the second counted too, a bundle could claim what another one has.
    pub fn of(bundle: &Bundle, view: Option<&InstallView>) -> Self {
        let on_record = bundle.is_operator();
        let view = view.filter(|_| on_record);
        let mut addresses = vec![bundle.base_url().clone()];
        addresses.extend(view.and_then(base_of));
        Self { addresses, install: view.map(|view| view.install_id.clone()), on_record }
    }

    /// The same bundle at more addresses that it has or had. Only its operator can say so, not somebody with a code.
    #[must_use]
    pub fn also_at(mut self, addresses: &[SiteUrl]) -> Self {
        if self.on_record {
            self.addresses.extend_from_slice(addresses);
        }
        self
    }

    /// The bundle that has an install, by the address that the install has of it. Only for looking.
    pub fn of_install(view: &InstallView) -> Self {
        let addresses = base_of(view).into_iter().collect();
        Self { addresses, install: Some(view.install_id.clone()), on_record: false }
    }

    /// Whether an id that the bundle has on record counts as the id of its own thing.
    pub fn on_record(&self) -> bool {
        self.on_record
    }

    /// The owner of a slash command.
    pub fn command(&self, app: &AppId, command: &Command) -> Owner {
        self.of_thing(mark::is_command(app, command), &command.url)
    }

    /// The owner of an outgoing webhook.
    pub fn webhook(&self, app: &AppId, webhook: &OutgoingWebhook) -> Owner {
        let url = webhook.callback_urls.first().map_or("", String::as_str);
        self.of_thing(mark::is_webhook(app, webhook), url)
    }

    /// The owner of a bot. Its description names no install: a bundle has one install of an app on a site.
    pub fn bot(&self, app: &AppId, bot: &Bot) -> Owner {
        match mark::bot_mark(&bot.description) {
            Some((marked, _)) if marked != app.as_str() => Owner::OtherApp,
            Some((_, Some(bundle))) => self.at_bundle(bundle),
            Some((_, None)) => Owner::UnknownBundle,
            None => Owner::OtherApp,
        }
    }

    /// By the address that it calls: the address of this install, or of this bundle.
    fn of_thing(&self, marked: bool, url: &str) -> Owner {
        match mark::place(url) {
            Some((_, install)) if self.install.as_ref() == Some(&install) => Owner::ThisBundle,
            _ if !marked => Owner::OtherApp,
            Some((bundle, _)) => self.at_bundle(bundle),
            None => Owner::UnknownBundle,
        }
    }

    fn at_bundle(&self, bundle: SiteUrl) -> Owner {
        if self.addresses.contains(&bundle) { Owner::ThisBundle } else { Owner::OtherBundle(bundle) }
    }
}

/// The address that an install has of its bundle. Its commands call it.
pub fn base_of(view: &InstallView) -> Option<SiteUrl> {
    mark::place(&view.endpoints.slash).map(|(base, _)| base)
}
