//! A user clicks a button of a post, or chooses from a menu.

use super::controls::{Control, controls};
use super::outcome::{Executed, Shown, outcome};
use crate::action;
use crate::api::ApiRequest;
use crate::database::Database;
use crate::error::StandinError;
use crate::model::Post;
use crate::standin::Standin;
use serde_json::{Value, json};

impl Standin {
    /// Clicks the button with this label or id in a post that the user sees: the same as
    /// `POST /api/v4/posts/{post_id}/actions/{action_id}`.
    ///
    /// # Errors
    /// The user sees no such post or button, or it is disabled. What goes wrong with the click is in the result.
    pub async fn click(&self, user: &str, post_id: &str, label: &str) -> Result<Executed, StandinError> {
        self.act(user, post_id, label, |_, _, _| Ok(String::new())).await
    }

    /// Chooses from the menu with this label or id: an option by its text or value, or a user or channel by its name or
    /// id if the menu has those.
    ///
    /// # Errors
    /// The user sees no such post, menu or option. What goes wrong with the choice is in the result.
    pub async fn select(
        &self,
        user: &str,
        post_id: &str,
        label: &str,
        option: &str,
    ) -> Result<Executed, StandinError> {
        self.act(user, post_id, label, |db, action, team| choice(db, action, option, team)).await
    }

    async fn act(
        &self,
        user: &str,
        post_id: &str,
        label: &str,
        option: impl FnOnce(&Database, &Control, &str) -> Result<String, StandinError> + Send,
    ) -> Result<Executed, StandinError> {
        let (request, before) = {
            let db = self.db();
            let user = db.resolve_user(user)?;
            let post =
                seen_post(&db, &user, post_id).ok_or_else(|| StandinError::unknown("post", post_id))?;
            let control =
                find(&db, post, label).ok_or_else(|| StandinError::unknown("button or menu", label))?;
            if control.disabled {
                return Err(StandinError::Disabled { name: label.to_owned() });
            }
            let team = db.channel(&post.channel_id).map_or("", |channel| channel.team_id.as_str());
            let mut body = json!({"selected_option": option(&db, &control, team)?, "cookie": control.cookie});
            if let Some(body) = body.as_object_mut() {
                if !control.query.is_empty() {
                    body.insert("query".to_owned(), control.query.into());
                }
                if control.block {
                    body.insert("integration_format".to_owned(), "mm_block".into());
                }
            }
            let path = vec![("post_id", post_id.to_owned()), ("action_id", control.action_id)];
            (ApiRequest::of(user, path, &body), db.posts.clone())
        };
        let result = action::click(self, &request).await;
        let mut clicked = outcome(&mut self.db(), &request.user, &before, result);
        // A client of 5.37 does not show the error of a click.
        clicked.shown.retain(|shown| self.version().since_11() || !matches!(shown, Shown::Error(_)));
        Ok(clicked)
    }
}

/// A post that the user sees.
fn seen_post<'a>(db: &'a Database, user: &str, post_id: &str) -> Option<&'a Post> {
    let post = db.posts.iter().find(|post| post.id == post_id && post.delete_at == 0)?;
    let sees = match &post.only_for {
        Some(one) => one == user,
        None => db.channel_member(&post.channel_id, user).is_some(),
    };
    sees.then_some(post)
}

/// The button or menu with this label, or else with this id.
fn find(db: &Database, post: &Post, label: &str) -> Option<Control> {
    let mut all = controls(db, post);
    let at = all.iter().position(|control| control.label == label);
    let at = at.or_else(|| all.iter().position(|control| control.action_id == label))?;
    Some(all.swap_remove(at))
}

/// The value that the client sends for an option of a menu.
fn choice(db: &Database, menu: &Control, option: &str, team: &str) -> Result<String, StandinError> {
    match menu.data_source.as_str() {
        "users" => db.resolve_user(option),
        "channels" => db.resolve_channel(Some(team).filter(|team| !team.is_empty()), option),
        _ => {
            let text = |known: &Value, key: &str| known.get(key).and_then(Value::as_str).map(str::to_owned);
            let mut options = menu.options.iter();
            let fits = |known: &&Value| {
                ["text", "value"].into_iter().any(|key| text(known, key).as_deref() == Some(option))
            };
            let found = options.find(fits).and_then(|known| text(known, "value"));
            found.ok_or_else(|| StandinError::unknown("option", option))
        }
    }
}
