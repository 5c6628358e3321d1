//! Outgoing webhooks: what is said in public channels goes to integrations, and what they answer is posted.
//!
//! `handleWebhookEvents`, `TriggerWebhook`, `doOutgoingWebhookRequest` and `CreateWebhookPost` in mattermost-server
//! `app/webhook.go`. A post notes in the world which webhooks it fires ([`firing`]); they are sent once the
//! world is free again ([`delivery`]), in tasks of their own, as the server does: who posts does not wait for
//! integrations. A test waits with [`Standin::settled`](crate::Standin::settled).

mod delivery;
mod firing;
mod posting;

pub(crate) use delivery::{Deliveries, dispatch};
pub(crate) use firing::{Firing, fire};
pub(crate) use posting::{WebhookPost, post};
