//! The warning before a bot's token ends: a direct message of the bot to the person who installed the app.
//!
//! Each warning is given once. The post carries a mark, and the bot looks for it before it posts. So if the process dies after
//! the post, or the server's answer is lost, the next try finds the post and only stores that the warning was given.

use super::{
    mattermost::{client, posts_since, refusal},
    renewal::NotRenewed,
};
use crate::{
    http::Refusal,
    install::{DAY, TokenEnd, stored},
    services::Management,
    store::{
        model::{Install, TokenUpkeep},
        ports::{Changed, TRIES},
    },
};
use cloud_app::mattermost::NewPost;
use cloud_apps_protocol::{InstallId, Millis};
use serde_json::Value;
use std::sync::Arc;

/// The property of the post that has the mark.
const MARK: &str = "cloud_apps_warning";
/// How much earlier than the warning was due its post is looked for, in ms. The server's clock may be late by as much.
const SKEW: Millis = 3_600_000;

/// Gives the warning that is due, unless it was given.
pub(super) async fn give(
    management: &Management,
    id: &InstallId,
    end: TokenEnd,
    why: &NotRenewed,
    now: Millis,
) -> Result<(), Refusal> {
    let Some(days) = end.warning(now) else { return Ok(()) };
    let Some(install) = due(management, id, end, days, now).await? else { return Ok(()) };
    post(management, &install, end, days, why, now).await?;
    for _ in 0..TRIES {
        let Some(install) = due(management, id, end, days, now).await? else { return Ok(()) };
        let token_upkeep = TokenUpkeep { warned: Some(days), ..install.token_upkeep.clone() };
        let warned = Install { token_upkeep, ..(*install).clone() };
        let changed = management.registry.change(&warned, install.rev).await?;
        management.services.installs.forget(id);
        if changed == Changed::Yes {
            return Ok(());
        }
    }
    Err(Refusal::conflict(&format!("install {id}")))
}

/// The install, if it still has this token and the warning was not given.
async fn due(
    management: &Management,
    id: &InstallId,
    end: TokenEnd,
    days: u8,
    now: Millis,
) -> Result<Option<Arc<Install>>, Refusal> {
    let install = stored::find(management, id, now).await?;
    Ok(install.filter(|install| {
        install.bot_token_expires_at == Some(end.0)
            && install.token_upkeep.warned.is_none_or(|warned| warned > days)
    }))
}

/// Posts the warning, if it is not there.
async fn post(
    management: &Management,
    install: &Install,
    end: TokenEnd,
    days: u8,
    why: &NotRenewed,
    now: Millis,
) -> Result<(), Refusal> {
    const DOING: &str = "take a message to the person who installed the app";
    let credential = management.services.keys.open_bot_token(install, now).await?;
    let mattermost = client(management, credential);
    let channel = mattermost
        .direct_channel(&install.bot.id, &install.installed_by)
        .await
        .map_err(|error| refusal(DOING, error))?;
    let mark = Value::from(format!("{}-{}-{days}", install.id, end.0));
    let since = end.0.saturating_sub(Millis::from(days).saturating_mul(DAY)).saturating_sub(SKEW);
    let mut posts =
        posts_since(&mattermost, &channel.id, since).await.map_err(|error| refusal(DOING, error))?;
    let bot = Some(&install.bot.id);
    if posts.any(|post| post.user_id.as_ref() == bot && post.props.get(MARK) == Some(&mark)) {
        return Ok(());
    }
    let mut post = NewPost::new(channel.id, text(install, end, why, now));
    post.props.insert(MARK.to_owned(), mark);
    mattermost.create_post(&post).await.map_err(|error| refusal(DOING, error))?;
    Ok(())
}

fn text(install: &Install, end: TokenEnd, why: &NotRenewed, now: Millis) -> String {
    let Install { app, id, base_url, site, .. } = install;
    format!(
        "My access token on this server {}. After that, {app} does not work here any more.\n\nThe bundle could not renew the \
         token: {why}. A system admin of this server does it with `cloud-apps rotate bot-token {id} --bundle {base_url} \
         --site {site}`. That asks for a manage code, which the operator of the bundle makes with `cloud-apps operator manage-code {id}`.",
        end.words(now)
    )
}
