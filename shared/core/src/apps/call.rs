//! The call of an app's function, and its result.

use super::no_answer::NoAnswer;
use crate::keys::InstallBot;
use cloud_app::{Failure, mattermost::Credential};
use cloud_apps_protocol::{Answer, CommandRequest, FunctionName, Millis, Values, token::Proof};
use std::{sync::Arc, time::Duration};

/// One call of a function.
pub struct Call<'a> {
    /// The function.
    pub function: &'a FunctionName,
    /// The request of section 3, completed and cut. Its settings have no passwords.
    pub request: CommandRequest,
    /// The values, checked against the function's fields.
    pub values: Values,
    /// The settings, including passwords.
    pub settings: Values,
    /// The install, and its bot's token.
    pub bot: Arc<InstallBot>,
    /// How the request proved its acting user. `None`: it did not.
    pub user_proof: Option<Proof>,
    /// The acting user's token, if it was granted.
    pub user: Option<Credential>,
    /// Unix milliseconds when the request came in.
    pub now: Millis,
    /// Unix milliseconds after which nobody waits for the answer.
    pub deadline: Millis,
    /// How long that is from now.
    pub left: Duration,
    /// The request's id in the log and in errors.
    pub request_id: &'a str,
    /// The trace that the request belongs to: 32 characters of hex.
    pub trace: &'a str,
}

/// The result of a call.
#[derive(Debug)]
pub enum Called {
    /// The function answered.
    Answered(Answer),
    /// The function returned a failure.
    Failed(Failure),
    /// There is no answer. The cause is for the log.
    Broken(NoAnswer),
}
