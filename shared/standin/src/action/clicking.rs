//! A user's side of a post action: clicking a button, choosing from a menu.

use super::attachment::Action;
use crate::executing::{Executed, Shown, outcome};
use crate::naming::{channel_id, unknown, user_id};
use crate::rest::Ask;
use crate::world::{Post, World};
use crate::{Standin, StandinError};
use serde_json::{Value, json};

impl Standin {
    /// Clicks the button that has this label, or this id, in a post that the user sees: the same path as
    /// `POST /api/v4/posts/{post_id}/actions/{action_id}`.
    ///
    /// # Errors
    /// The user sees no such post or button, or it is disabled. What goes wrong with the click is in the result.
    pub async fn click(&self, user: &str, post_id: &str, label: &str) -> Result<Executed, StandinError> {
        self.act(user, post_id, label, |_, _, _| Ok(String::new())).await
    }

    /// Chooses from the menu that has this label, or this id: an option by its text or value, or the name or id of
    /// a user or channel, where the menu has those.
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
        self.act(user, post_id, label, |world, action, team| choice(world, action, option, team)).await
    }

    async fn act(
        &self,
        user: &str,
        post_id: &str,
        label: &str,
        option: impl FnOnce(&World, &Action, &str) -> Result<String, StandinError> + Send,
    ) -> Result<Executed, StandinError> {
        let (ask, before) = {
            let world = self.world();
            let user = user_id(&world, user)?;
            let post = seen(&world, &user, post_id).ok_or_else(|| unknown("post", post_id))?;
            let action = labelled(post, label).ok_or_else(|| unknown("button or menu", label))?;
            if action.disabled {
                return Err(StandinError::Disabled { name: label.to_owned() });
            }
            let team = world.channel(&post.channel_id).map_or("", |channel| channel.team_id.as_str());
            let body = json!({"selected_option": option(&world, action, team)?, "cookie": action.cookie});
            let path = vec![("post_id", post_id.to_owned()), ("action_id", action.id.clone())];
            (Ask::of(user, path, &body), world.posts.clone())
        };
        let answer = super::run(self, &ask).await;
        let mut clicked = outcome(&mut self.world(), &ask.user, &before, answer);
        // The clients of 5.37 keep the error of a click to themselves.
        clicked.shown.retain(|shown| self.version().is_11() || !matches!(shown, Shown::Error(_)));
        Ok(clicked)
    }
}

/// A post that stands before a user.
fn seen<'a>(world: &'a World, user: &str, post_id: &str) -> Option<&'a Post> {
    let post = world.posts.iter().find(|post| post.id == post_id && post.delete_at == 0)?;
    let sees = match &post.only_for {
        Some(one) => one == user,
        None => world.channel_member(&post.channel_id, user).is_some(),
    };
    sees.then_some(post)
}

fn labelled<'a>(post: &'a Post, label: &str) -> Option<&'a Action> {
    let actions = || post.attachments.iter().flat_map(|card| card.actions.iter().flatten());
    actions().find(|action| action.name == label).or_else(|| actions().find(|action| action.id == label))
}

/// What a menu sends for what a user chooses in it.
fn choice(world: &World, menu: &Action, option: &str, team: &str) -> Result<String, StandinError> {
    match menu.data_source.as_str() {
        "users" => user_id(world, option),
        "channels" => channel_id(world, Some(team).filter(|team| !team.is_empty()), option),
        _ => {
            let text = |known: &Value, key: &str| known.get(key).and_then(Value::as_str).map(str::to_owned);
            let mut options = menu.options.iter().flatten();
            let fits = |known: &&Value| {
                ["text", "value"].into_iter().any(|key| text(known, key).as_deref() == Some(option))
            };
            let found = options.find(fits).and_then(|known| text(known, "value"));
            found.ok_or_else(|| unknown("option", option))
        }
    }
}
