//! `/api/v4/commands`: the slash commands of a team. Their execution is in [`crate::slash`].

pub(super) mod registration;
pub(super) mod suggestions;
