//! What the bundle knows of a server: the installer, `sync`, `doctor` and the bundle itself read it.

use super::rig::Rig;
use cloud_app::Mattermost;
use cloud_apps::{doctor, install::Teams};
use cloud_apps_core::{http::system_now, store::cache::Freshness};
use cloud_apps_protocol::{Millis, install::Server};
use cloud_apps_standin::Version;
use std::time::Duration;

impl Rig {
    async fn known(&self) -> Server {
        self.install_at_the_bundle().await.unwrap().server.unwrap()
    }

    /// A call of the bot at this time, and the jobs that come of it.
    async fn look(&self, now: Millis) {
        let services = &self.management().services;
        let id = self.install_at_the_bundle().await.unwrap().install_id;
        services.installs.forget(&id);
        let install = services.installs.find(&id, Freshness::Cached, now).await.unwrap().unwrap();
        let bot = Mattermost::bot(services.http.clone(), services.bot(install, now));
        bot.me().await.unwrap();
        self.upkeep(now).await;
    }

    /// What the doctor notes.
    async fn notes(&self) -> String {
        let view = self.install_at_the_bundle().await.unwrap();
        let installer = self.installer();
        let at_base = installer.bundle.index().await.map(|(index, _)| index);
        let admin = self.admin();
        let facts = doctor::gather(view, &installer.bundle, at_base, &admin, Some(&admin), 0).await;
        let notes = doctor::check(&facts).notes;
        notes.iter().flat_map(|note| note.lines("!")).collect::<Vec<_>>().join("\n")
    }
}

#[tokio::test]
async fn the_installer_tells_the_bundle_what_the_server_is_and_sync_what_it_became() {
    let rig = Rig::new(Version::V5_37).await;
    rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}"));
    let known = rig.known().await;
    assert_eq!((known.version.as_str(), known.facts.mm_blocks), ("5.37.0", Some(false)));
    assert!(known.facts.max_post_size.is_some() && known.facts.version_id.is_some(), "{known:?}");
    for version in [Version::V11, Version::V12, Version::V5_37] {
        rig.mattermost.set_version(version);
        assert!(rig.notes().await.contains("the bundle knows this server as Mattermost"), "{version:?}");
        let synced = rig.sync(Teams::Named(Vec::new())).await.unwrap_or_else(|stop| panic!("{stop:?}"));
        let told = format!("told the bundle what Mattermost {} can do", version.number());
        assert_eq!(synced.changed, [told]);
        let known = rig.known().await;
        assert_eq!(known.version, version.number());
        assert_eq!(known.facts.mm_blocks, Some(version == Version::V12));
        assert!(!rig.notes().await.contains("the bundle knows"), "{version:?}");
        assert!(rig.sync(Teams::Named(Vec::new())).await.unwrap().changed.is_empty());
    }
}

#[tokio::test]
async fn a_server_that_waits_for_less_than_an_app_may_take_is_noted_and_told() {
    let rig = Rig::new(Version::V11).await;
    rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}"));
    assert_eq!(rig.known().await.facts.integration_timeout, Some(30));
    assert!(!rig.notes().await.contains("OutgoingIntegrationRequestsTimeout"));
    rig.mattermost.set_outgoing_timeout(Duration::from_secs(3));
    let notes = rig.notes().await;
    for part in [
        "waits for an integration for 3 s",
        "an app may take 8 s",
        "cloud-apps sync",
        "OutgoingIntegrationRequestsTimeout",
    ] {
        assert!(notes.contains(part), "{part} is missing in\n{notes}");
    }
    rig.sync(Teams::Named(Vec::new())).await.unwrap_or_else(|stop| panic!("{stop:?}"));
    assert_eq!(rig.known().await.facts.integration_timeout, Some(3));
    assert!(rig.notes().await.contains("stops an app sooner"));
}

#[tokio::test]
async fn the_bundle_follows_a_server_by_itself() {
    let rig = Rig::new(Version::V5_37).await;
    rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}"));
    let mut now = system_now();
    for version in [Version::V11, Version::V12, Version::V5_37] {
        rig.mattermost.set_version(version);
        // Each is another hour's change: the jobs of one hour are one.
        now += 3_600_000;
        rig.look(now).await;
        let known = rig.known().await;
        assert_eq!(known.version, version.number());
        assert_eq!(known.facts.mm_blocks, Some(version == Version::V12), "{known:?}");
    }
}
