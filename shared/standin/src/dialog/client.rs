//! A user's side of a dialog, as a web client plays it: filling in and sending, closing, looking up, refreshing.

use super::answer::{Looked, Submitted};
use super::form::{Choice, Element};
use super::{OpenDialog, filling, lookup, submit};
use crate::naming::{unknown, user_id};
use crate::rest::{Answer, Ask, Reply};
use crate::{Standin, StandinError, Version};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What comes of sending a dialog.
#[derive(Debug, Clone, PartialEq)]
pub enum DialogOutcome {
    /// It is gone.
    Closed,
    /// It stays, with these texts.
    Corrected {
        /// Of all of it; empty if there is none.
        error: String,
        /// By the name of a field. The client itself or the integration finds fault with it.
        fields: BTreeMap<String, String>,
    },
    /// Another stands in its place.
    Next(Box<OpenDialog>),
    /// It stays, and this is shown: the server gave an error.
    Failed(String),
}

impl Standin {
    /// Fills a dialog in and sends it. `values` are by the names of fields; of a menu, the value or text of an
    /// option, of users and channels their name or id, of several a list. A field that is not named keeps what it
    /// begins with; null empties it.
    ///
    /// # Errors
    /// The user does not have the dialog before him, or cannot enter such a value.
    pub async fn submit(
        &self,
        user: &str,
        dialog: &OpenDialog,
        values: &Value,
    ) -> Result<DialogOutcome, StandinError> {
        let (open, fields) = self.filled(user, dialog, values)?;
        let mistakes = filling::mistakes(&open.dialog, &fields);
        if !mistakes.is_empty() {
            return Ok(DialogOutcome::Corrected { error: String::new(), fields: mistakes });
        }
        let version = self.version();
        let mut submission = open.seen.earlier.clone();
        submission.extend(filling::submission(version, &open.dialog, fields));
        let answer = submit(self, &ask(&open, &open.url, &submission, json!({}))).await;
        Ok(match told(version, answer) {
            Ok(answer) if !answer.has_errors() && answer.form.is_none() => {
                self.close(&open);
                DialogOutcome::Closed
            }
            other => self.shown(&open, submission, other),
        })
    }

    /// Closes a dialog without sending it. The integration is told if the dialog says so; what it answers is ignored.
    ///
    /// # Errors
    /// The user does not have the dialog before him.
    pub async fn cancel(&self, user: &str, dialog: &OpenDialog) -> Result<(), StandinError> {
        let open = self.before(user, dialog)?;
        self.close(&open);
        if open.dialog.notify_on_cancel {
            let answer = submit(self, &ask(&open, &open.url, &Map::new(), json!({"cancelled": true}))).await;
            if let Err(error) = answer {
                tracing::info!(
                    cause = error.id,
                    "the integration could not be told that a dialog was closed"
                );
            }
        }
        Ok(())
    }

    /// Changes a field that refreshes the dialog, with all other values as in [`Standin::submit`].
    ///
    /// # Errors
    /// The user does not have the dialog before him, cannot enter such a value, or there is nothing to refresh: the
    /// field is no menu with `refresh`, the dialog has no `source_url`, or this is 5.37, which knows neither.
    pub async fn refresh(
        &self,
        user: &str,
        dialog: &OpenDialog,
        field: &str,
        values: &Value,
    ) -> Result<DialogOutcome, StandinError> {
        let (open, fields) = self.filled(user, dialog, values)?;
        let menu = |known: &&Element| known.name == field && known.refresh && known.kind != "text";
        let refreshes = open.dialog.fields().iter().find(menu).filter(|_| !open.dialog.source_url.is_empty());
        refreshes.ok_or_else(|| unknown("field that refreshes its dialog", field))?;
        let version = self.version();
        // A field that was emptied keeps what it had: the client leaves it out and adds up what it sent.
        let mut submission = open.seen.earlier.clone();
        submission.extend(filling::submission(version, &open.dialog, fields));
        let url = open.dialog.source_url.clone();
        let answer = submit(self, &ask(&open, &url, &submission, json!({"type": "refresh"}))).await;
        Ok(match told(version, answer) {
            Ok(answer) if !answer.has_errors() && answer.form.is_none() => {
                DialogOutcome::Failed("the answer to a refresh has no form".to_owned())
            }
            other => self.shown(&open, submission, other),
        })
    }

    /// Types into a field whose options the integration knows; an empty `query` only opens it. `Err` within is what
    /// the user is shown in place of options.
    ///
    /// # Errors
    /// The user does not have the dialog before him, cannot enter such a value, or the field looks nothing up: it
    /// has no `data_source_url`, or this is 5.37.
    pub async fn lookup(
        &self,
        user: &str,
        dialog: &OpenDialog,
        field: &str,
        query: &str,
        values: &Value,
    ) -> Result<Result<Vec<Choice>, String>, StandinError> {
        let (open, fields) = self.filled(user, dialog, values)?;
        let dynamic = |known: &&Element| known.name == field && known.data_source == "dynamic";
        let element =
            open.dialog.fields().iter().find(dynamic).filter(|known| !known.data_source_url.is_empty());
        let url = &element.ok_or_else(|| unknown("field that looks its options up", field))?.data_source_url;
        let mut submission = filling::unconverted(&open.dialog, fields);
        submission.insert("selected_field".to_owned(), field.into());
        if !query.is_empty() {
            submission.insert("query".to_owned(), query.into());
        }
        let state = open.seen.first_state.as_ref().unwrap_or(&open.dialog.state);
        let answer = lookup(self, &ask(&open, url, &submission, json!({"state": state}))).await;
        Ok(match answer {
            Ok(Reply::Json(_, body)) => {
                let looked: Looked = serde_json::from_value(body).unwrap_or_default();
                Ok(looked.items.unwrap_or_default())
            }
            Ok(_) => Err("the server does not look options up".to_owned()),
            Err(error) => Err(error.message),
        })
    }

    /// The dialog that stands before the user, and what is in its fields.
    fn filled(
        &self,
        user: &str,
        dialog: &OpenDialog,
        values: &Value,
    ) -> Result<(OpenDialog, Map<String, Value>), StandinError> {
        let open = self.before(user, dialog)?;
        let values = values.as_object().cloned().unwrap_or_default();
        let fields = filling::fields(&self.world(), &open.dialog, &values)?;
        Ok((open, fields))
    }

    fn before(&self, user: &str, dialog: &OpenDialog) -> Result<OpenDialog, StandinError> {
        let world = self.world();
        let user = user_id(&world, user)?;
        let same = |open: &&OpenDialog| open.is(dialog) && open.user_id == user;
        world.dialogs.iter().find(same).ok_or_else(|| unknown("open dialog", &dialog.dialog.title))?;
        Ok(dialog.clone())
    }

    fn close(&self, dialog: &OpenDialog) {
        let mut world = self.world();
        if let Some(at) = world.dialogs.iter().position(|open| open.is(dialog)) {
            world.dialogs.remove(at);
        }
    }

    /// What the user sees of an answer that leaves a dialog before him.
    fn shown(
        &self,
        open: &OpenDialog,
        submission: Map<String, Value>,
        answer: Result<Submitted, String>,
    ) -> DialogOutcome {
        let answer = match answer {
            Ok(answer) => answer,
            Err(message) => return DialogOutcome::Failed(message),
        };
        let Some(form) = answer.form.filter(|_| answer.error.is_empty() && answer.errors.is_empty()) else {
            let fields = answer.errors.into_iter().map(|(name, text)| (name, text.0)).collect();
            return DialogOutcome::Corrected { error: answer.error, fields };
        };
        // Of the form only what is shown and the state count; the rest stays as in the first step.
        let mut next = open.clone();
        next.seen.first_state.get_or_insert_with(|| open.dialog.state.clone());
        next.seen.earlier = submission;
        let first = std::mem::replace(&mut next.dialog, form);
        next.dialog.callback_id = first.callback_id;
        next.dialog.notify_on_cancel = first.notify_on_cancel;
        next.dialog.source_url = first.source_url;
        let mut world = self.world();
        if let Some(shown) = world.dialogs.iter_mut().find(|known| known.is(open)) {
            shown.clone_from(&next);
        }
        DialogOutcome::Next(Box::new(next))
    }
}

impl OpenDialog {
    /// The same dialog, wherever its client is.
    fn is(&self, other: &OpenDialog) -> bool {
        self.trigger_id == other.trigger_id && self.url == other.url && self.dialog == other.dialog
    }
}

/// What the client sends; `more` replaces keys.
fn ask(open: &OpenDialog, url: &str, submission: &Map<String, Value>, more: Value) -> Ask {
    let mut body = json!({
        "url": url, "callback_id": open.dialog.callback_id, "state": open.dialog.state,
        "submission": submission, "user_id": open.user_id, "channel_id": open.seen.channel_id,
        "team_id": open.seen.team_id, "cancelled": false,
    });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    Ask::of(open.user_id.clone(), Vec::new(), &body)
}

/// The server's answer as the client reads it.
fn told(version: Version, answer: Answer) -> Result<Submitted, String> {
    match answer {
        Ok(Reply::Json(_, body)) => {
            Submitted::read(version, body.to_string().as_bytes()).map_err(|error| error.message)
        }
        Ok(_) => Ok(Submitted::default()),
        Err(error) => Err(error.message),
    }
}
