//! The answer of an integration to a click, and what it does: `PostActionIntegrationResponse`.

use crate::Version;
use crate::app_error::AppError;
use crate::blocks::{self, ACTIONS};
use crate::database::Database;
use crate::go::{self, or_default};
use crate::keys::KeptProps;
use crate::markup;
use crate::model::{Post, take_attachments};
use crate::version::Ability;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Some documents name `error` too; no server uses it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ActionResponse {
    update: Option<Update>,
    #[serde(deserialize_with = "or_default")]
    ephemeral_text: String,
    #[serde(deserialize_with = "or_default")]
    skip_slack_parsing: bool,
    /// Since 11.9: the address that the client opens.
    #[serde(deserialize_with = "or_default")]
    goto_location: String,
}

/// Where the user clicked.
pub(super) struct Place {
    pub channel_id: String,
    pub root_id: String,
    pub kept: KeptProps,
    /// Whether the post is not stored.
    pub ephemeral: bool,
}

/// The new content of the post. It replaces the old one: what it leaves out is gone.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Update {
    #[serde(deserialize_with = "or_default")]
    message: String,
    /// Without props, the post keeps its old ones.
    props: Option<Map<String, Value>>,
}

/// Keys of a post whose types Go checks, although an update does not change them.
const STRINGS: &[&str] =
    &["id", "user_id", "channel_id", "root_id", "original_id", "type", "hashtags", "pending_post_id"];
const NUMBERS: &[&str] = &["create_at", "update_at", "edit_at", "delete_at", "reply_count", "last_reply_at"];
const BOOLEANS: &[&str] = &["is_pinned", "has_reactions"];

/// Whether the keys of an update have the types of Go's post.
fn has_types(update: &Value) -> bool {
    let all = |keys: &[&str], fits: fn(&Value) -> bool| {
        keys.iter().filter_map(|key| update.get(key)).all(|value| value.is_null() || fits(value))
    };
    let texts = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    all(STRINGS, Value::is_string)
        && all(NUMBERS, Value::is_i64)
        && all(BOOLEANS, Value::is_boolean)
        && all(&["file_ids"], texts)
}

impl ActionResponse {
    /// Reads a body, whatever its content type is. In 5.37 an empty body is an error, and nothing after the first JSON
    /// value is read.
    pub(super) fn read(version: Version, body: &[u8]) -> Result<ActionResponse, serde_json::Error> {
        let value = if version.since_11() {
            if body.is_empty() {
                return Ok(ActionResponse::default());
            }
            serde_json::from_slice(body)?
        } else {
            go::first_value(body).ok_or_else(|| serde::de::Error::custom("the answer is empty"))??
        };
        if value.get("update").is_some_and(|update| !has_types(update)) {
            return Err(serde::de::Error::custom("a key of the update has another type"));
        }
        go::read_object(value)
    }

    /// Updates the post, and then shows the user an ephemeral text; returns the address that the client opens. Before 11.10
    /// an ephemeral post cannot be updated, because it is not stored; then no text is shown either:
    /// `post-action-ephemeral-update.http`.
    pub(super) fn apply(
        self,
        db: &mut Database,
        user_id: &str,
        post_id: &str,
        place: &Place,
    ) -> Result<String, AppError> {
        if let Some(update) = self.update {
            if place.ephemeral && db.version.has(Ability::EphemeralUpdates) {
                update.apply_to_ephemeral(db, user_id, post_id, place);
            } else {
                update.apply(db, post_id, place)?;
            }
        }
        let goto_location =
            if db.version.has(Ability::BlockActions) { self.goto_location } else { String::new() };
        if self.ephemeral_text.is_empty() {
            return Ok(goto_location);
        }
        let text = self.ephemeral_text;
        let text = if self.skip_slack_parsing { text } else { markup::links(&text) };
        let mut post = Post::draft(user_id, &place.channel_id, &place.root_id, &text);
        post.props.clone_from(&place.kept.retain);
        db.add_ephemeral(user_id, post);
        Ok(goto_location)
    }
}

impl Update {
    /// Updates the post: `UpdatePost`, which here replaces its whole content.
    fn apply(self, db: &mut Database, post_id: &str, place: &Place) -> Result<(), AppError> {
        let old = db.post(post_id).cloned().ok_or_else(AppError::no_post)?;
        if old.kind.starts_with("system_") {
            return Err(AppError::bad(
                "api.post.update_post.system_message.app_error",
                "Unable to update system message.",
            ));
        }
        db.check_message(&self.message)?;
        let mut new = old.clone();
        new.message = self.message;
        if let Some(mut props) = self.props {
            new.attachments = take_attachments(&mut props, &mut db.ids);
            place.kept.apply(&mut props);
            if db.version.has(Ability::BlockActions) {
                settle_registry(&mut props, &new.message, old.props.get(ACTIONS));
            }
            new.props = props;
        }
        if db.version.has(Ability::BlockActions) {
            blocks::prune(&mut new.props, &new.message);
        }
        new.update_at = db.now;
        if new.message != old.message || new.attachments != old.attachments {
            new.edit_at = db.now;
        }
        for post in db.posts.iter_mut().filter(|post| post.id == post_id) {
            post.clone_from(&new);
        }
        Ok(())
    }

    /// Updates an ephemeral post that the user still sees. Its buttons are replaced by those of the attachments; a registry
    /// is always dropped, so its blocks can no longer be clicked.
    fn apply_to_ephemeral(self, db: &mut Database, user_id: &str, post_id: &str, place: &Place) {
        let at = db.posts.iter().position(|post| {
            post.id == post_id && post.only_for.as_deref() == Some(user_id) && post.delete_at == 0
        });
        let Some(mut post) = at.and_then(|at| db.posts.get(at)).cloned() else { return };
        post.message = self.message;
        let mut props = self.props.unwrap_or_default();
        post.attachments = take_attachments(&mut props, &mut db.ids);
        place.kept.apply(&mut props);
        props.remove(ACTIONS);
        post.props = props;
        post.update_at = db.now;
        db.cookie_key.put_into(db.version, &mut post);
        if let Some(known) = at.and_then(|at| db.posts.get_mut(at)) {
            *known = post;
        }
    }
}

/// Holds the registry of an update to the rules: a post that had none gets none, and one that is wrong is not taken. An
/// update that has other props and no registry removes it.
fn settle_registry(props: &mut Map<String, Value>, message: &str, old: Option<&Value>) {
    if props.get(ACTIONS).is_none_or(Value::is_null) {
        return;
    }
    match old {
        None => {
            tracing::info!("an update brings actions to a post that had none; they are dropped");
            props.remove(ACTIONS);
        }
        Some(old) => {
            if let Err(problem) = blocks::check(props, message) {
                tracing::info!(problem, "the actions of an update are wrong; the post keeps its old ones");
                props.insert(ACTIONS.to_owned(), old.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_answer_is_one_in_11_and_none_in_5_37() {
        assert!(ActionResponse::read(Version::V11, b"").is_ok());
        assert!(ActionResponse::read(Version::V5_37, b"").is_err());
        for version in [Version::V5_37, Version::V11] {
            assert!(ActionResponse::read(version, b"null").is_ok());
            assert!(ActionResponse::read(version, br#"{"update":null,"x":1}"#).is_ok());
            for wrong in [
                "[]",
                "\"a\"",
                "{",
                r#"{"update":1}"#,
                r#"{"update":{"message":1}}"#,
                r#"{"update":{"file_ids":"a"}}"#,
            ] {
                assert!(ActionResponse::read(version, wrong.as_bytes()).is_err(), "{wrong}");
            }
        }
        assert!(ActionResponse::read(Version::V11, b"{} x").is_err());
        assert!(ActionResponse::read(Version::V5_37, b"{} x").is_ok());
    }
}
