//! The upkeep of a bot's token that the server ends.
//!
//! From two weeks before its end, the bundle tries every day to renew the token ([`renewal`]). If the server does not let the
//! bot do that, the person who installed the app is warned by a message of the bot ([`warning`]), and a line in the log raises
//! an alarm (docs/operate.md#alarms).

use super::{
    renewal::{self, Renewed},
    warning,
};
use crate::{
    http::Refusal,
    install::{TokenEnd, WARNINGS},
    jobs::Next,
    services::Management,
    store::model::{Install, Renewal},
};
use cloud_apps_protocol::Millis;

/// How long the token before works beside the new one, in ms. By then no request is under way that was begun with it.
const BOTH: Millis = 15 * 60_000;

/// Whether the token ends soon or has ended, or its renewal is not finished.
fn needs_a_look(install: &Install, now: Millis) -> bool {
    let soon = |end| TokenEnd(end).days_left(now) <= u64::from(WARNINGS[0]);
    install.bot_token_expires_at.is_some_and(soon) || install.token_upkeep.renewal.is_some()
}

/// Renews the token, or warns of its end.
pub(super) async fn look_after(
    management: &Management,
    install: &Install,
    now: Millis,
) -> Result<Next, Refusal> {
    if let Some(Renewal::Stored { replaces }) = &install.token_upkeep.renewal {
        renewal::finish(management, install, replaces.as_ref(), now).await?;
        return Ok(Next::Done);
    }
    let Some(end) = install.bot_token_expires_at.map(TokenEnd) else { return Ok(Next::Done) };
    if !needs_a_look(install, now) {
        return Ok(Next::Done);
    }
    if end.days_left(now) == 0 {
        alarm(install, end, "it has ended, so the server refuses every call of the bot", now);
        return Ok(Next::Done);
    }
    match renewal::renew(management, install, end, now).await? {
        Renewed::Yes => Ok(Next::same(BOTH)),
        Renewed::NotYet => Ok(Next::Done),
        Renewed::No(why) => {
            alarm(install, end, &why.to_string(), now);
            warning::give(management, &install.id, end, &why, now).await?;
            Ok(Next::Done)
        }
    }
}

/// Writes the line that raises the alarm: the template counts lines with this field. It is an error, so that every log level
/// has it.
fn alarm(install: &Install, end: TokenEnd, why: &str, now: Millis) {
    tracing::error!(
        alarm = "bot_token_ends",
        app = install.app.as_str(),
        install = install.id.as_str(),
        site = install.site.as_str(),
        days_left = end.days_left(now),
        why,
        "the bundle cannot renew the token of a bot: a system admin of that server runs `cloud-apps rotate bot-token`"
    );
}
