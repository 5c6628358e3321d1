//! The upkeep of one install.

use super::token;
use crate::{
    http::{LogLine, Refusal},
    install::{RequestInfo, stored},
    jobs::Next,
    services::Management,
    store::model::{Install, State},
};
use cloud_apps_protocol::{InstallId, Millis};

/// Whether an install needs a job of its own today.
pub(super) fn needs_a_look(install: &Install, now: Millis) -> bool {
    is_complete(install) && token::needs_a_look(install, now)
}

/// Looks after one install. It may be called again, and a part may be done already.
pub(crate) async fn look_after(
    management: &Management,
    id: &InstallId,
    request_info: RequestInfo<'_>,
    line: &mut LogLine,
) -> Result<Next, Refusal> {
    line.install = Some(id.to_string());
    let Some(install) = stored::find(management, id, request_info.now).await? else { return Ok(Next::Done) };
    line.app = Some(install.app.to_string());
    if !is_complete(&install) {
        return Ok(Next::Done);
    }
    token::look_after(management, &install, request_info.now).await
}

/// Whether the install was completed and is not being removed. A disabled install keeps its token for the day on which it is
/// enabled again.
fn is_complete(install: &Install) -> bool {
    matches!(install.state, State::Active | State::Disabled)
}
