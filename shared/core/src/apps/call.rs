//! What a function of an app is called with, and how that went.

use super::no_answer::NoAnswer;
use crate::keys::InstallBot;
use cloud_app::{Failure, mattermost::Credential};
use cloud_apps_protocol::{Answer, CommandRequest, FunctionName, Millis, Values, token::Proof};
use std::{sync::Arc, time::Duration};

/// One call of a function.
pub struct Call<'a> {
    /// Which.
    pub function: &'a FunctionName,
    /// The request of section 3, filled and cut; settings without passwords.
    pub request: CommandRequest,
    /// What it is called with; checked against its fields.
    pub values: Values,
    /// What the admin set, passwords included.
    pub settings: Values,
    /// The install, and its bot's token.
    pub bot: Arc<InstallBot>,
    /// How the request proved that its acting user is who it says; `None`: it did not.
    pub proof: Option<Proof>,
    /// The acting user's token, as granted.
    pub user: Option<Credential>,
    /// Unix milliseconds when the request came in.
    pub now: Millis,
    /// Unix milliseconds after which nobody waits.
    pub deadline: Millis,
    /// How long that is from now.
    pub left: Duration,
    /// The request's id, as it stands in log and errors.
    pub request_id: &'a str,
    /// The trace that the request belongs to: 32 characters of hex.
    pub trace: &'a str,
}

/// How a call went.
#[derive(Debug)]
pub enum Called {
    /// It answered.
    Answered(Answer),
    /// The function says itself why it has no answer.
    Failed(Failure),
    /// There is no answer; the cause is for the log.
    Broken(NoAnswer),
}
