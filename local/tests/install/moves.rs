//! A server that moves to another version under a standing install: from 5.37 to 12 and back, with all that it stores.

use super::rig::Rig;
use cloud_app::prelude::*;
use cloud_apps_core::http::system_now;
use cloud_apps_standin::{Post, Version};
use serde_json::Value;

const HOUR: u64 = 60 * 60 * 1000;

/// Tells the channel how a build ended.
#[derive(Command)]
struct Build;

impl Run for Build {
    async fn run(self, _: Cx) -> Result<Answer> {
        Ok(Answer::public("Build 12 is green")
            .block(Block::facts([("Branch", "main"), ("Duration", "4 min")]))
            .block(Block::collapsible("Log", [Block::text("40 jobs passed")])))
    }
}

fn app() -> App {
    App::new("hello", "1.0.0", "Hello").permissions([Permission::ActAsBot]).command::<Build>()
}

/// The post of the bot after somebody typed the command. Each server shows the text and the attachments.
async fn built(rig: &Rig) -> Post {
    rig.mattermost.execute("alice", "town-square", "/hello build").await.unwrap();
    let post = rig.mattermost.posts("town-square").unwrap().pop().unwrap();
    assert_eq!((post.message.as_str(), post.attachments.len()), ("Build 12 is green", 2));
    post
}

#[tokio::test]
async fn what_is_shown_follows_the_server_within_the_hour_and_nobody_does_anything_for_it() {
    let rig = Rig::with(Version::V5_37, vec![app()]).await;
    let before = rig.mattermost.snapshot();
    rig.install().await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
    for version in [
        Version::V11,
        Version::V11_7,
        Version::V11_10,
        Version::V12,
        Version::V11_11,
        Version::V11,
        Version::V5_37,
    ] {
        rig.mattermost.set_version(version);
        rig.http.go_ahead(HOUR);
        // The first command after the move notices it, and a job looks at the server.
        built(&rig).await;
        rig.jobs(system_now() + rig.http.ahead()).await;
        let view = rig.install_at_the_bundle().await.unwrap();
        assert_eq!(view.server.unwrap().version, version.number());
        let post = built(&rig).await;
        let sent = post.props.get("mm_blocks").cloned().unwrap_or_default();
        assert_eq!(sent.is_array(), version >= Version::V11_10, "{version:?}");
        // A client draws everything that was sent: it would leave out a block that was made wrong.
        assert_eq!(
            Value::from(post.blocks()),
            if sent.is_null() { Value::from(Vec::<Value>::new()) } else { sent }
        );
    }
    rig.uninstall(false).await.unwrap_or_else(|stop| panic!("{stop:?}\n{}", rig.person.text()));
    rig.assert_nothing_is_left(&before, "uninstalled").await;
}
