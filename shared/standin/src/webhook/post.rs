//! Posts by webhooks: by incoming ones, and as answers to outgoing ones. Source: `CreateWebhookPost`.

use crate::app_error::AppError;
use crate::blocks::{ACTIONS, BLOCKS};
use crate::database::Database;
use crate::model::{Attachment, Post};
use crate::version::Ability;
use http::StatusCode;
use serde_json::{Map, Value};

/// The post that a webhook makes.
pub(crate) struct WebhookPost<'a> {
    pub user_id: &'a str,
    pub channel_id: &'a str,
    pub root_id: &'a str,
    /// Markdown.
    pub text: String,
    /// The name to post under, if the server allows it.
    pub username: String,
    /// The picture to post with, if the server allows it.
    pub icon_url: String,
    pub kind: String,
    pub props: Map<String, Value>,
    pub attachments: Vec<Attachment>,
}

/// The props that the server sets itself, whatever the webhook says.
const SERVER_PROPS: &[&str] = &["override_icon_url", "override_username", "from_webhook", "attachments"];

/// Adds the post. A text that is too long becomes several posts, of which the last has the attachments and the blocks. Such posts
/// trigger no outgoing webhooks.
pub(crate) fn post(db: &mut Database, draft: WebhookPost<'_>) -> Result<(), AppError> {
    if draft.kind.starts_with("system_") {
        return Err(AppError::bad("api.context.invalid_param.app_error", "Invalid post.type parameter."));
    }
    let mut base = Post::draft(draft.user_id, draft.channel_id, draft.root_id, "");
    base.kind = draft.kind;
    base.props = draft.props;
    base.props.retain(|key, _| !SERVER_PROPS.contains(&key.as_str()));
    base.props.insert("from_webhook".to_owned(), "true".into());
    if db.settings.enable_post_username_override {
        let name = if draft.username.is_empty() { "webhook".to_owned() } else { draft.username };
        base.props.insert("override_username".to_owned(), name.into());
    }
    if db.settings.enable_post_icon_override && !draft.icon_url.is_empty() {
        base.props.insert("override_icon_url".to_owned(), draft.icon_url.into());
    }
    let mut attachments = draft.attachments;
    if !attachments.is_empty() && base.kind.is_empty() {
        "slack_attachment".clone_into(&mut base.kind);
    }
    for attachment in &mut attachments {
        attachment.add_action_ids(&mut db.ids);
    }
    let mut rest = draft.text.as_str();
    loop {
        let cut = rest.char_indices().nth(db.settings.max_post_size).map_or(rest.len(), |(at, _)| at);
        let (now, later) = rest.split_at(cut);
        let mut part = base.clone();
        now.clone_into(&mut part.message);
        if later.is_empty() {
            part.attachments = std::mem::take(&mut attachments);
        } else if db.version.has(Ability::BlockActions) {
            part.props.retain(|key, _| ![BLOCKS, ACTIONS].contains(&key.as_str()));
        }
        db.add_post(part).map_err(|cause| {
            tracing::info!(cause = cause.id, "a webhook's post could not be made");
            AppError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "api.post.create_webhook_post.creating.app_error",
                "Error creating post.",
            )
        })?;
        if later.is_empty() {
            return Ok(());
        }
        rest = later;
    }
}
