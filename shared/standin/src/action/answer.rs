//! What an integration may answer to a click, and what comes of it: `PostActionIntegrationResponse`.

use super::Place;
use super::attachment::{or_default, take};
use crate::Version;
use crate::error::AppError;
use crate::markup;
use crate::world::{LONGEST_MESSAGE, Post, World};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Go also reads, and leaves unused, `goto_location` and `error`, which some documents name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Response {
    update: Option<Update>,
    #[serde(deserialize_with = "or_default")]
    ephemeral_text: String,
    #[serde(deserialize_with = "or_default")]
    skip_slack_parsing: bool,
}

/// The post as it shall be. It replaces the old: what it leaves out is gone.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Update {
    #[serde(deserialize_with = "or_default")]
    message: String,
    /// Without props, the old ones stay.
    props: Option<Map<String, Value>>,
}

/// Keys of a post whose types Go checks also where an update does not change them.
const TEXTS: &[&str] =
    &["id", "user_id", "channel_id", "root_id", "original_id", "type", "hashtags", "pending_post_id"];
const NUMBERS: &[&str] = &["create_at", "update_at", "edit_at", "delete_at", "reply_count", "last_reply_at"];
const SWITCHES: &[&str] = &["is_pinned", "has_reactions"];

/// Holds an update to the types of Go's post.
fn typed(update: &Value) -> bool {
    let all = |keys: &[&str], fits: fn(&Value) -> bool| {
        keys.iter().filter_map(|key| update.get(key)).all(|value| value.is_null() || fits(value))
    };
    let texts = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    all(TEXTS, Value::is_string)
        && all(NUMBERS, Value::is_i64)
        && all(SWITCHES, Value::is_boolean)
        && all(&["file_ids"], texts)
}

impl Response {
    /// Reads a body, whatever its content type is. 5.37 takes no answer for a broken one, and reads no further than
    /// the first value.
    pub(crate) fn read(version: Version, body: &[u8]) -> Result<Response, serde_json::Error> {
        let value = if version.is_11() {
            if body.is_empty() {
                return Ok(Response::default());
            }
            serde_json::from_slice(body)?
        } else {
            let first = serde_json::Deserializer::from_slice(body).into_iter::<Value>().next();
            first.ok_or_else(|| serde::de::Error::custom("the answer is empty"))??
        };
        match value {
            Value::Null => Ok(Response::default()),
            object @ Value::Object(_) if object.get("update").is_none_or(typed) => {
                serde_json::from_value(object)
            }
            Value::Object(_) => Err(serde::de::Error::custom("a key of the update has another type")),
            _ => Err(serde::de::Error::custom("the answer is not an object")),
        }
    }

    /// Changes the post, and then tells the user something. An ephemeral post is not there to be changed, and
    /// then nothing is told either: `post-action-ephemeral-update.http`.
    pub(crate) fn apply(
        self,
        world: &mut World,
        user_id: &str,
        post_id: &str,
        place: &Place,
    ) -> Result<(), AppError> {
        if let Some(update) = self.update {
            update.apply(world, post_id, place)?;
        }
        if self.ephemeral_text.is_empty() {
            return Ok(());
        }
        let text = self.ephemeral_text;
        let text = if self.skip_slack_parsing { text } else { markup::links(&text) };
        let mut told = Post::draft(user_id, &place.channel_id, &place.root_id, &text);
        told.props.clone_from(&place.kept.retain);
        world.add_ephemeral(user_id, told);
        Ok(())
    }
}

impl Update {
    /// `UpdatePost`, which here replaces all that a post says.
    fn apply(self, world: &mut World, post_id: &str, place: &Place) -> Result<(), AppError> {
        let Some(old) = world.post(post_id).cloned() else {
            return Err(AppError::missing("app.post.get.app_error", "Unable to get the post."));
        };
        if old.kind.starts_with("system_") {
            return Err(AppError::bad(
                "api.post.update_post.system_message.app_error",
                "Unable to update system message.",
            ));
        }
        if self.message.chars().count() > LONGEST_MESSAGE {
            return Err(AppError::message_too_long());
        }
        let mut new = old.clone();
        new.message = self.message;
        if let Some(mut props) = self.props {
            new.attachments = take(&mut props, &mut world.ids);
            place.kept.keep(&mut props);
            new.props = props;
        }
        new.update_at = world.now;
        if new.message != old.message || new.attachments != old.attachments {
            new.edit_at = world.now;
        }
        for post in world.posts.iter_mut().filter(|post| post.id == post_id) {
            post.clone_from(&new);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_answer_is_one_in_11_and_none_in_5_37() {
        assert!(Response::read(Version::V11, b"").is_ok());
        assert!(Response::read(Version::V5_37, b"").is_err());
        for version in [Version::V5_37, Version::V11] {
            assert!(Response::read(version, b"null").is_ok());
            assert!(Response::read(version, br#"{"update":null,"x":1}"#).is_ok());
            for wrong in [
                "[]",
                "\"a\"",
                "{",
                r#"{"update":1}"#,
                r#"{"update":{"message":1}}"#,
                r#"{"update":{"file_ids":"a"}}"#,
            ] {
                assert!(Response::read(version, wrong.as_bytes()).is_err(), "{wrong}");
            }
        }
        assert!(Response::read(Version::V11, b"{} x").is_err());
        assert!(Response::read(Version::V5_37, b"{} x").is_ok());
    }
}
