//! Expansion (section 8): how much of each object a function is shown, and what is missing.
//!
//! The sender expands. This version fetches nothing itself: what was wanted and did not come is named in
//! `context.not_expanded`, or refused where it was required. What came and was not wanted is left out, so that an
//! app sees what its install agreed to and no more.

use crate::http::Refusal;
use cloud_apps_protocol::{
    Code,
    command::{Context, NotExpanded},
    manifest::{EXPANDABLE, Expand, Expansion, Level},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What each level adds to the one before: `id`, `summary`, `all`.
type Levels = [&'static [&'static str]; 3];

const USER: Levels = [
    &["id"],
    &[
        "username",
        "first_name",
        "last_name",
        "nickname",
        "position",
        "locale",
        "time_zone",
        "is_bot",
        "roles",
    ],
    &["email", "create_at", "delete_at"],
];
const CHANNEL: Levels = [
    &["id", "team_id"],
    &["type", "name", "display_name"],
    &["header", "purpose", "creator_id", "create_at", "delete_at"],
];
const TEAM: Levels = [&["id"], &["name", "display_name", "type"], &["description"]];
const POST: Levels = [
    &["id", "channel_id"],
    &["user_id", "root_id", "message", "create_at"],
    &["type", "props", "file_ids", "edit_at"],
];

/// Cuts every object of the context to what `wanted` names, and says what is missing.
pub fn cut(context: &mut Context, wanted: &Expansion) -> Result<(), Refusal> {
    let reasons = std::mem::take(&mut context.not_expanded);
    for item in EXPANDABLE {
        let level = wanted.get(item).map_or(Level::Id, |expand| expand.level);
        let missing = match item {
            "acting_user" => one(&mut context.acting_user, &USER, level),
            "channel" => one(&mut context.channel, &CHANNEL, level),
            "team" => one(&mut context.team, &TEAM, level),
            "post" => one(&mut context.post, &POST, level),
            "root_post" => one(&mut context.root_post, &POST, level),
            "parent_post" => one(&mut context.parent_post, &POST, level),
            "mentioned" => {
                let users = many(&mut context.mentioned.users, &USER, level);
                users.or(many(&mut context.mentioned.channels, &CHANNEL, level))
            }
            // The user an event is about; a command has none.
            _ => Some(NotExpanded::NotFound),
        };
        let (Some(expand), Some(missing)) = (wanted.get(item), missing) else { continue };
        // The sender tried, and knows better why.
        let reason = reasons.get(item).copied().unwrap_or(missing);
        note(&mut context.not_expanded, item, *expand, reason)?;
    }
    Ok(())
}

fn note(
    not_expanded: &mut BTreeMap<String, NotExpanded>,
    item: &str,
    expand: Expand,
    reason: NotExpanded,
) -> Result<(), Refusal> {
    if expand.required {
        let words = serde_json::to_value(reason).unwrap_or_default();
        let level = String::from(Expand { required: false, ..expand });
        let message = format!(
            "This command cannot run here: it needs the {item} ({level}), the server did not send that ({}), and this \
             version of the bundle does not look it up. A server that speaks V2 sends it.",
            words.as_str().unwrap_or_default(),
        );
        return Err(Refusal::new(Code::NotExpanded, message).with("item", item).with("reason", words));
    }
    not_expanded.insert(item.to_owned(), reason);
    Ok(())
}

/// Cuts one object; why it is less than wanted, if it is.
fn one<T: Serialize + DeserializeOwned>(
    object: &mut Option<T>,
    levels: &Levels,
    wanted: Level,
) -> Option<NotExpanded> {
    let Some(found) = object.as_mut() else { return Some(NotExpanded::NotFound) };
    cut_to(found, levels, wanted)
}

fn many<K, T: Serialize + DeserializeOwned>(
    objects: &mut BTreeMap<K, T>,
    levels: &Levels,
    wanted: Level,
) -> Option<NotExpanded> {
    // All are cut, whatever is found missing in the first.
    objects.values_mut().filter_map(|object| cut_to(object, levels, wanted)).last()
}

fn cut_to<T: Serialize + DeserializeOwned>(
    object: &mut T,
    levels: &Levels,
    wanted: Level,
) -> Option<NotExpanded> {
    let Ok(Value::Object(found)) = serde_json::to_value(&*object) else {
        return Some(NotExpanded::Unsupported);
    };
    let shown = levels.get(..=wanted as usize).unwrap_or(levels);
    // A level has come when any of its keys has: an object without a nickname is no less a summary.
    let complete = shown.iter().all(|keys| keys.iter().any(|key| found.contains_key(*key)));
    let cut: Map<String, Value> =
        found.into_iter().filter(|(key, _)| shown.iter().any(|keys| keys.contains(&key.as_str()))).collect();
    match serde_json::from_value(Value::Object(cut)) {
        Ok(cut) => *object = cut,
        Err(_) => return Some(NotExpanded::Unsupported),
    }
    (!complete).then_some(NotExpanded::Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "roaxwho8njrnjytedmp4qzu99e";

    fn context() -> Context {
        serde_json::from_value(json!({
            "acting_user": {"id": ID, "username": "alice", "email": "alice@example.com"},
            "mentioned": {"users": {"bob": {"id": ID, "username": "bob"}}},
        }))
        .unwrap()
    }

    fn wanted(what: &Value) -> Expansion {
        serde_json::from_value(what.clone()).unwrap()
    }

    #[test]
    fn what_nobody_asked_for_is_left_out() {
        let mut context = context();
        cut(&mut context, &Expansion::new()).unwrap();
        let shown = serde_json::to_value(&context).unwrap();
        assert_eq!(shown["acting_user"], json!({"id": ID}));
        assert_eq!(shown["mentioned"]["users"]["bob"], json!({"id": ID}));
        assert!(context.not_expanded.is_empty());
    }

    #[test]
    fn a_summary_that_came_is_shown_without_what_only_all_would_show() {
        let mut context = context();
        cut(&mut context, &wanted(&json!({"acting_user": "summary!", "mentioned": "summary"}))).unwrap();
        let shown = serde_json::to_value(&context).unwrap();
        assert_eq!(shown["acting_user"], json!({"id": ID, "username": "alice"}));
        assert!(context.not_expanded.is_empty());
    }

    #[test]
    fn what_is_missing_is_named_and_refused_where_it_is_required() {
        let mut partly = context();
        cut(&mut partly, &wanted(&json!({"channel": "id", "mentioned": "all"}))).unwrap();
        assert_eq!(partly.not_expanded["channel"], NotExpanded::NotFound);
        assert_eq!(partly.not_expanded["mentioned"], NotExpanded::Unsupported);
        let refused = cut(&mut context(), &wanted(&json!({"mentioned": "all!"}))).unwrap_err();
        assert_eq!(refused.code, Code::NotExpanded);
        assert_eq!(refused.more["reason"], "unsupported");
    }

    #[test]
    fn the_senders_own_reason_is_kept_for_what_was_wanted_and_dropped_for_the_rest() {
        let mut context = context();
        context.not_expanded.insert("post".into(), NotExpanded::Forbidden);
        context.not_expanded.insert("team".into(), NotExpanded::Timeout);
        cut(&mut context, &wanted(&json!({"post": "summary"}))).unwrap();
        assert_eq!(context.not_expanded, BTreeMap::from([("post".into(), NotExpanded::Forbidden)]));
    }
}
