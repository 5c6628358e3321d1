//! Answers the requests of operators.

use super::{
    apps, catalogue, codes, dead_letters, installs, key_rings,
    messages::{OperatorAnswer, OperatorRequest, Patch},
};
use crate::{
    http::{LogLine, Refusal},
    install::{
        RequestInfo,
        access::By,
        change::{self, Match},
    },
    services::Management,
};
use cloud_apps_protocol::{Code, ErrorBody, Millis, error::ErrorDetail};
use serde::Deserialize;
use serde_json::Value;

/// Whether an invocation is an operator's request: it has one key, `operator`. An event of API Gateway has a dozen keys, and
/// what a stranger sends is below those, so no HTTP request can look like this.
pub fn is_operator(event: &Value) -> bool {
    event.as_object().is_some_and(|keys| keys.len() == 1 && keys.contains_key("operator"))
}

/// How long a request may take, in ms: the time limit of the install function.
const PATIENCE: Millis = 29_000;

/// Answers one invocation. It never fails, because an error is an answer too. `now` is in Unix milliseconds.
pub async fn handle(management: &Management, request: Value, now: Millis, request_id: &str) -> Value {
    let read = read(&request);
    let name = read.as_ref().map_or("unreadable", OperatorRequest::name);
    let mut line = LogLine::apart("operator", request_id, None);
    let request_info = RequestInfo { now, deadline: now.saturating_add(PATIENCE), request_id };
    let outcome = match read {
        Ok(request) => run(management, request, request_info, &mut line).await,
        Err(refusal) => Err(refusal),
    };
    line.function = Some(name.to_owned());
    match &outcome {
        Ok(_) => line.outcome("done"),
        Err(refusal) => line.refused(refusal),
    }
    line.write(None);
    let answer = outcome.unwrap_or_else(|refusal| OperatorAnswer::Error(error(refusal, request_id)));
    // It has text keys only, so it always serialises.
    serde_json::to_value(&answer).unwrap_or_default()
}

/// The error of a refusal. It has the cause that is otherwise in the log only: an operator may read the log, and must do
/// something if, for example, a secret is scheduled for deletion or a permission is missing.
fn error(refusal: Refusal, request_id: &str) -> ErrorBody {
    let said = refusal.chain().filter(|_| matches!(refusal.code, Code::Unavailable | Code::Internal));
    let Refusal { code, message, more, .. } = refusal;
    let message = said.map_or_else(|| message.clone(), |said| format!("{message} The cause: {said}."));
    ErrorBody { error: ErrorDetail { code, message, request_id: request_id.to_owned(), more } }
}

fn read(request: &Value) -> Result<OperatorRequest, Refusal> {
    if !is_operator(request) {
        return Err(Refusal::bad_request(
            "",
            "An operator's request is {\"operator\":{\"do\":…}} and nothing else.",
        ));
    }
    let inner = request.get("operator").unwrap_or(&Value::Null);
    OperatorRequest::deserialize(inner).map_err(|error| {
        let message = format!(
            "This operator's request cannot be read: {error}. Use the `cloud-apps` of the version that is deployed."
        );
        Refusal::bad_request("/operator", message)
    })
}

async fn run(
    management: &Management,
    request: OperatorRequest,
    request_info: RequestInfo<'_>,
    line: &mut LogLine,
) -> Result<OperatorAnswer, Refusal> {
    let now = request_info.now;
    match request {
        OperatorRequest::Register {} => catalogue::register(management, now).await,
        OperatorRequest::Apps {} => Ok(catalogue::listed(management.services.apps.store.all().await?)),
        OperatorRequest::Code { app, site_url, base_url, valid_seconds, replace } => {
            codes::install_code(management, app, site_url, &base_url, (valid_seconds, replace), now).await
        }
        OperatorRequest::Keys { app } => {
            Ok(OperatorAnswer::Keys { keys: key_rings::list(management, &app, now).await? })
        }
        OperatorRequest::RotateKeys { app } => {
            Ok(OperatorAnswer::Keys { keys: key_rings::rotate(management, &app, now).await? })
        }
        OperatorRequest::RevokeKey { app, key, force } => {
            Ok(OperatorAnswer::Keys { keys: key_rings::revoke(management, &app, &key, force, now).await? })
        }
        OperatorRequest::App { app } => apps::show(management, &app, now).await,
        OperatorRequest::AddApp { manifest } => apps::add(management, &manifest, now).await,
        OperatorRequest::RemoveApp { app } => {
            apps::remove(management, &app).await?;
            Ok(catalogue::listed(management.services.apps.store.all().await?))
        }
        OperatorRequest::RotateUpstream { app, at_once } => {
            apps::rotate(management, &app, at_once, now).await
        }
        OperatorRequest::ManageCode { install_id, valid_seconds } => {
            codes::manage_code(management, &install_id, valid_seconds, now).await
        }
        OperatorRequest::RevokeManageCodes { install_id } => {
            codes::revoke_codes(management, &install_id, now).await
        }
        OperatorRequest::Change { install_id, patch: Patch(body), if_match } => {
            let install = installs::find(management, &install_id, now).await?;
            let asked = (install, By::Operator);
            let changed =
                change::change(management, request_info, asked, Match::Rev(if_match), &body, line).await?;
            Ok(OperatorAnswer::Changed { changed: Box::new(changed) })
        }
        OperatorRequest::Remove { install_id, if_match } => Ok(OperatorAnswer::Removed {
            removed: installs::remove(management, &install_id, if_match, request_info, line).await?,
        }),
        OperatorRequest::List { app, cursor } => installs::list(management, &app, cursor.as_deref()).await,
        OperatorRequest::Show { install_id } => {
            let install = installs::find(management, &install_id, now).await?;
            installs::show(management, &install, now).await
        }
        OperatorRequest::DeadLetters { install_id, cursor } => {
            let page = dead_letters::list(management, install_id.as_ref(), cursor.as_deref()).await?;
            let dead_letters = page.items.into_iter().map(dead_letters::view).collect();
            Ok(OperatorAnswer::DeadLetters { dead_letters, cursor: page.cursor })
        }
        OperatorRequest::SendBack { install_id, id } => {
            let letter = dead_letters::send_back(management, install_id.as_ref(), &id, now).await?;
            Ok(OperatorAnswer::DeadLetter { dead_letter: dead_letters::view(letter) })
        }
        OperatorRequest::Discard { install_id, id } => {
            let letter = dead_letters::discard(management, install_id.as_ref(), &id).await?;
            Ok(OperatorAnswer::DeadLetter { dead_letter: dead_letters::view(letter) })
        }
    }
}
