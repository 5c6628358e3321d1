//! What an install means for its server: the addresses to which the server sends requests, what must be registered there, and
//! what will not work and why. All of this follows from the manifest and the install, so it is never stored.

use super::registrations;
use crate::{
    not_served::{EVENTS_NOT_DELIVERED, NotServed},
    store::model::{Install, State},
};
use cloud_apps_protocol::{
    AppId, ChannelId, InstallId, Manifest, SiteUrl,
    install::{Endpoints, Granted, Registration, Unavailable, Wanted},
    text::shortened,
};
use std::collections::BTreeSet;

/// How many characters of a hint or a description Mattermost's clients show on one line.
const LINE: usize = 128;

/// The addresses of an install.
pub fn endpoints(base_url: &str, install: &InstallId) -> Endpoints {
    let base = base_url.trim_end_matches('/');
    let hook = |name: &str| format!("{base}/hooks/{install}/{name}");
    Endpoints {
        command: format!("{base}/command"),
        autocomplete: format!("{base}/autocomplete"),
        event: format!("{base}/event"),
        slash: hook("slash"),
        action: hook("action"),
        dialog: hook("dialog"),
        webhook: hook("webhook"),
        complete: format!("{base}/install/{install}/complete"),
    }
}

/// What must be registered on the server: a slash command in each team, and, on a server that does not send events itself, an
/// outgoing webhook for each channel whose messages the app wants.
pub fn register(manifest: &Manifest, install: &Install) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    if install.granted.locations.contains("message_box") {
        let description =
            if manifest.description.is_empty() { &manifest.display_name } else { &manifest.description };
        wanted.push(Wanted::SlashCommand {
            trigger: manifest.namespace().to_owned(),
            per: "team".into(),
            auto_complete_desc: one_line(description),
            auto_complete_hint: hint(manifest),
        });
    }
    let webhooks = channels(manifest, install).into_iter();
    wanted.extend(webhooks.map(|channel_id| Wanted::OutgoingWebhook { channel_id }));
    wanted
}

/// The channels whose messages an unmodified server must send, each once. A V2 server sends events itself.
fn channels(manifest: &Manifest, install: &Install) -> BTreeSet<ChannelId> {
    const KIND: &str = "message_posted";
    if install.generation.0 != 0 || !install.granted.events.contains(KIND) {
        return BTreeSet::new();
    }
    let named = manifest.events.iter().filter(|event| event.kind == KIND).filter_map(|event| {
        let channel = event.channel_id.as_deref()?;
        match channel.strip_prefix("$settings.") {
            Some(setting) => install.settings.get(setting)?.as_str(),
            None => Some(channel),
        }
    });
    named.filter_map(|channel| channel.parse().ok()).collect()
}

/// `[greet | time | help]`, or `[function] [--flags]` if that would be too long.
fn hint(manifest: &Manifest) -> String {
    let names = manifest.commands.iter().map(|command| command.function.as_str()).chain(["help"]);
    let all = format!("[{}]", names.collect::<Vec<_>>().join(" | "));
    if all.len() <= LINE { all } else { "[function] [--flags]".into() }
}

fn one_line(text: &str) -> String {
    shortened(&text.split_whitespace().collect::<Vec<_>>().join(" "), LINE).into_owned()
}

/// What a user can type to see that the app works.
pub fn try_it(manifest: &Manifest, granted: &Granted) -> Vec<String> {
    let typed = granted.locations.contains("message_box");
    if typed { vec![format!("/{} help", manifest.namespace())] } else { Vec::new() }
}

/// What was granted, or belongs to the app, and does not work on this server with this version of the bundle.
pub fn unavailable(manifest: &Manifest, install: &Install) -> Vec<Unavailable> {
    // A server that has a shared secret speaks V2.
    let v2 = install.generation.0 != 0;
    let granted = &install.granted;
    let mut list = Vec::new();
    let mut add = |kind: &str, name: &str, reason: String| {
        list.push(Unavailable { kind: kind.into(), name: name.into(), reason });
    };
    for event in manifest.events.iter().filter(|event| granted.events.contains(&event.kind)) {
        add("event", event.name.as_str(), event_reason(&event.kind, v2, &install.site));
    }
    for location in &granted.locations {
        if let Some(reason) = location_reason(location, v2) {
            add("location", location, reason);
        }
    }
    for command in &manifest.commands {
        if let Some(part) = NotServed::of(command) {
            add("command", command.function.as_str(), part.reason());
        }
    }
    for path in &granted.webhooks {
        add("webhook", path, NotServed::VendorWebhooks.reason());
    }
    list
}

/// What will work after it is registered on the server. `cloud-apps sync` registers it.
pub fn needs_sync(install: &Install, wanted: &[Wanted], registered: &[Registration]) -> Vec<Unavailable> {
    if !matches!(install.state, State::Active | State::Disabled) {
        return Vec::new();
    }
    let missing =
        wanted.iter().filter(|wanted| !registered.iter().any(|there| registrations::is(there, wanted)));
    missing
        .filter_map(|wanted| match wanted {
            // A V2 server needs no slash command, because its plugin handles the message box.
            Wanted::SlashCommand { .. } if install.generation.0 != 0 => None,
            Wanted::SlashCommand { trigger, .. } => Some(("location", format!("/{trigger}"))),
            Wanted::OutgoingWebhook { channel_id } => {
                Some(("event", format!("message_posted in {channel_id}")))
            }
            Wanted::OauthApp { .. } => None,
        })
        .map(|(kind, name)| Unavailable {
            kind: kind.into(),
            name,
            reason: "needs sync: run `cloud-apps sync`".into(),
        })
        .collect()
}

/// Says that nothing of an app works, and why.
pub fn not_here(app: &AppId, reason: &str) -> Unavailable {
    Unavailable { kind: "app".into(), name: app.to_string(), reason: reason.to_owned() }
}

/// A required event that the app will not get, with the reason.
pub fn required(manifest: &Manifest, install: &Install) -> Option<(String, String)> {
    let v2 = install.generation.0 != 0;
    let event = manifest.events.iter().find(|event| event.required)?;
    Some((event.kind.clone(), event_reason(&event.kind, v2, &install.site)))
}

fn event_reason(kind: &str, v2: bool, site: &SiteUrl) -> String {
    if v2 || kind == "message_posted" {
        EVENTS_NOT_DELIVERED.into()
    } else {
        format!("{site} is an unmodified Mattermost, which does not send {kind}: that needs the plugin")
    }
}

fn location_reason(location: &str, v2: bool) -> Option<String> {
    match location {
        "post_menu" | "channel_header" | "main_menu" if !v2 => Some(
            "an unmodified Mattermost has no apps in its menus: run the command in the message box".into(),
        ),
        "dialog" | "conversation" => Some(NotServed::Interactions.reason()),
        _ => None,
    }
}
