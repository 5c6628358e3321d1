//! Outgoing webhooks: posts in public channels go to integrations, and their answers are posted. Incoming webhooks use
//! the same way to post.
//!
//! Source: `handleWebhookEvents`, `TriggerWebhook`, `doOutgoingWebhookRequest` and `CreateWebhookPost` in
//! mattermost-server `app/webhook.go`. A new post is put on a list in the database. When the database is free again,
//! [`deliver`] finds the webhooks that the post triggers ([`trigger`]) and sends them in tasks of their own, because
//! on a real server the author of a post does not wait for integrations either. A test waits with
//! [`Standin::settled`](crate::Standin::settled).

mod deliver;
mod post;
mod trigger;

pub(crate) use deliver::deliver;
pub(crate) use post::{WebhookPost, post};
