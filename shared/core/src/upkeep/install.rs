//! The upkeep of one install.

use super::token;
use crate::{
    http::{LogLine, Refusal},
    install::{RequestInfo, server, stored},
    jobs::Next,
    services::Management,
    store::model::{Install, State},
};
use cloud_apps_protocol::InstallId;

/// Looks after one install: reads what its server says of itself now, then looks after the bot's token. It may be called again,
/// and a part may be done already.
pub(crate) async fn look_after(
    management: &Management,
    id: &InstallId,
    request_info: RequestInfo<'_>,
    line: &mut LogLine,
) -> Result<Next, Refusal> {
    server::look(management, id, request_info.now, line).await?;
    let Some(install) = stored::find(management, id, request_info.now).await? else { return Ok(Next::Done) };
    if !is_complete(&install) {
        return Ok(Next::Done);
    }
    token::look_after(management, &install, request_info.now).await
}

/// Whether the install was completed and is not being removed. A disabled install keeps its token for the day on which it is
/// enabled again.
pub(super) fn is_complete(install: &Install) -> bool {
    matches!(install.state, State::Active | State::Disabled)
}
