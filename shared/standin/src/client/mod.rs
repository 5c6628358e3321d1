//! What a person does in a Mattermost client: types slash commands, clicks buttons, fills dialogs in, and sees what
//! comes of it. This is for tests that act as a person does.

mod action;
mod command;
mod controls;
mod dialog;
mod fields;
mod outcome;

pub use dialog::DialogOutcome;
pub use outcome::{Executed, Shown};
