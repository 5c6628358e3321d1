//! A user fills a dialog in, and submits, closes or refreshes it, or looks options up, as in a web client.

use super::fields::{fields, lookup_submission, mistakes, submission};
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::dialog::{LookupResponse, SubmitResponse, lookup, submit};
use crate::error::StandinError;
use crate::model::{Choice, Element, OpenDialog};
use crate::standin::Standin;
use crate::version::{Ability, Version};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What comes of a submission or refresh of a dialog.
#[derive(Debug, Clone, PartialEq)]
pub enum DialogOutcome {
    /// The dialog is closed.
    Closed,
    /// The dialog stays open, with these errors.
    Corrected {
        /// What is wrong with the dialog as a whole; empty if nothing is.
        error: String,
        /// What is wrong with single fields, by their names. The client or the integration found it.
        fields: BTreeMap<String, String>,
    },
    /// Another dialog replaces it.
    Next(Box<OpenDialog>),
    /// The dialog stays open and shows this error of the server.
    Failed(String),
}

impl Standin {
    /// The dialogs that are open for a user, the newest last. A client shows a dialog only if its trigger id is the last
    /// one that the client got, with the answer to a command or click that succeeded.
    ///
    /// # Errors
    /// There is no such user.
    pub fn dialogs_of(&self, user: &str) -> Result<Vec<OpenDialog>, StandinError> {
        let db = self.db();
        let user = db.resolve_user(user)?;
        let Some(client) = db.clients.iter().find(|client| client.user_id == user) else {
            return Ok(Vec::new());
        };
        let shown =
            db.dialogs.iter().filter(|open| open.user_id == user && open.trigger_id == client.trigger_id);
        let place = |open: &OpenDialog| {
            let mut open = open.clone();
            open.steps.channel_id.clone_from(&client.channel_id);
            open.steps.team_id.clone_from(&client.team_id);
            open
        };
        Ok(shown.map(place).collect())
    }

    /// Fills a dialog in and submits it. `values` has the values by the names of the fields: for a menu, the value or text
    /// of an option; for users and channels, the name or id; for several, a list. A field that is not in it keeps its
    /// first value; null empties a field.
    ///
    /// # Errors
    /// The dialog is not open for the user, or the user cannot enter such a value.
    pub async fn submit(
        &self,
        user: &str,
        dialog: &OpenDialog,
        values: &Value,
    ) -> Result<DialogOutcome, StandinError> {
        let (open, fields) = self.filled(user, dialog, values)?;
        let mistakes = mistakes(&open.dialog, &fields);
        if !mistakes.is_empty() {
            return Ok(DialogOutcome::Corrected { error: String::new(), fields: mistakes });
        }
        let version = self.version();
        let mut values = open.steps.earlier.clone();
        values.extend(submission(version, &open.dialog, fields));
        let answer = submit(self, &client_request(&open, &open.url, &values, json!({}))).await;
        Ok(match read_answer(version, answer) {
            Ok(answer) if !answer.has_errors() && answer.form.is_none() => {
                self.close(&open);
                DialogOutcome::Closed
            }
            other => self.shown(&open, values, other),
        })
    }

    /// Closes a dialog without submitting it. The integration is told if the dialog says so; its answer is ignored.
    ///
    /// # Errors
    /// The dialog is not open for the user.
    pub async fn cancel(&self, user: &str, dialog: &OpenDialog) -> Result<(), StandinError> {
        let open = self.find_open(user, dialog)?;
        self.close(&open);
        if open.dialog.notify_on_cancel {
            let answer =
                submit(self, &client_request(&open, &open.url, &Map::new(), json!({"cancelled": true})))
                    .await;
            if let Err(error) = answer {
                tracing::info!(
                    cause = error.id,
                    "the integration could not be told that a dialog was closed"
                );
            }
        }
        Ok(())
    }

    /// Changes a field that refreshes the dialog. All other values are as in [`Standin::submit`].
    ///
    /// # Errors
    /// The dialog is not open for the user, the user cannot enter such a value, or there is nothing to refresh: the field
    /// is not a menu with `refresh`, the dialog has no `source_url`, or this is 5.37, which knows neither.
    pub async fn refresh(
        &self,
        user: &str,
        dialog: &OpenDialog,
        field: &str,
        values: &Value,
    ) -> Result<DialogOutcome, StandinError> {
        let (open, fields) = self.filled(user, dialog, values)?;
        let menu = |known: &&Element| known.name == field && known.refresh && known.kind != "text";
        let refreshes =
            open.dialog.fields().into_iter().find(menu).filter(|_| !open.dialog.source_url.is_empty());
        refreshes.ok_or_else(|| StandinError::unknown("field that refreshes its dialog", field))?;
        let version = self.version();
        // Before 11.7 the client leaves an emptied field out and adds to what it sent before, so the field keeps its old
        // value. Since then it says which fields are empty, and which one was changed.
        let mut values = open.steps.earlier.clone();
        let says_empty = version.has(Ability::SelectedField);
        let empty = fields.iter().filter(|(_, value)| says_empty && value.is_null());
        values.extend(empty.map(|(name, _)| (name.clone(), Value::from(""))));
        values.extend(submission(version, &open.dialog, fields));
        if says_empty {
            values.insert("selected_field".to_owned(), field.into());
        }
        let url = open.dialog.source_url.clone();
        let answer = submit(self, &client_request(&open, &url, &values, json!({"type": "refresh"}))).await;
        Ok(match read_answer(version, answer) {
            Ok(answer) if !answer.has_errors() && answer.form.is_none() => {
                DialogOutcome::Failed("the answer to a refresh has no form".to_owned())
            }
            other => self.shown(&open, values, other),
        })
    }

    /// Types into a field whose options the integration looks up; an empty `query` only opens the field. The inner `Err`
    /// is the text that the user sees instead of options.
    ///
    /// # Errors
    /// The dialog is not open for the user, the user cannot enter such a value, or the field looks nothing up: it has no
    /// `data_source_url`, or this is 5.37.
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
            open.dialog.fields().into_iter().find(dynamic).filter(|known| !known.data_source_url.is_empty());
        let url = &element
            .ok_or_else(|| StandinError::unknown("field that looks its options up", field))?
            .data_source_url;
        let mut values = lookup_submission(&open.dialog, fields);
        values.insert("selected_field".to_owned(), field.into());
        if !query.is_empty() {
            values.insert("query".to_owned(), query.into());
        }
        let state = open.steps.first_state.as_ref().unwrap_or(&open.dialog.state);
        let answer = lookup(self, &client_request(&open, url, &values, json!({"state": state}))).await;
        Ok(match answer {
            Ok(Reply::Json(_, body)) => {
                let looked: LookupResponse = serde_json::from_value(body).unwrap_or_default();
                Ok(looked.items.unwrap_or_default())
            }
            Ok(_) => Err("the server does not look options up".to_owned()),
            Err(error) => Err(error.message),
        })
    }

    /// The open dialog, and the values of its fields.
    fn filled(
        &self,
        user: &str,
        dialog: &OpenDialog,
        values: &Value,
    ) -> Result<(OpenDialog, Map<String, Value>), StandinError> {
        let open = self.find_open(user, dialog)?;
        let values = values.as_object().cloned().unwrap_or_default();
        let fields = fields(&self.db(), &open.dialog, &values)?;
        Ok((open, fields))
    }

    fn find_open(&self, user: &str, dialog: &OpenDialog) -> Result<OpenDialog, StandinError> {
        let db = self.db();
        let user = db.resolve_user(user)?;
        let same = |open: &&OpenDialog| open.is(dialog) && open.user_id == user;
        db.dialogs
            .iter()
            .find(same)
            .ok_or_else(|| StandinError::unknown("open dialog", &dialog.dialog.title))?;
        Ok(dialog.clone())
    }

    fn close(&self, dialog: &OpenDialog) {
        let mut db = self.db();
        if let Some(at) = db.dialogs.iter().position(|open| open.is(dialog)) {
            db.dialogs.remove(at);
        }
    }

    /// What the user sees of an answer after which a dialog stays open.
    fn shown(
        &self,
        open: &OpenDialog,
        values: Map<String, Value>,
        answer: Result<SubmitResponse, String>,
    ) -> DialogOutcome {
        let answer = match answer {
            Ok(answer) => answer,
            Err(message) => return DialogOutcome::Failed(message),
        };
        let Some(form) = answer.form.filter(|_| answer.error.is_empty() && answer.errors.is_empty()) else {
            let fields = answer.errors.into_iter().map(|(name, text)| (name, text.0)).collect();
            return DialogOutcome::Corrected { error: answer.error, fields };
        };
        // The client takes from the new form only what it shows, and the state; all else stays as in the first step.
        let mut next = open.clone();
        next.steps.first_state.get_or_insert_with(|| open.dialog.state.clone());
        next.steps.earlier = values;
        let first = std::mem::replace(&mut next.dialog, form);
        next.dialog.callback_id = first.callback_id;
        next.dialog.notify_on_cancel = first.notify_on_cancel;
        next.dialog.source_url = first.source_url;
        let mut db = self.db();
        if let Some(shown) = db.dialogs.iter_mut().find(|known| known.is(open)) {
            shown.clone_from(&next);
        }
        DialogOutcome::Next(Box::new(next))
    }
}

/// The request of the client; `more` replaces keys.
fn client_request(open: &OpenDialog, url: &str, submission: &Map<String, Value>, more: Value) -> ApiRequest {
    let mut body = json!({
        "url": url, "callback_id": open.dialog.callback_id, "state": open.dialog.state,
        "submission": submission, "user_id": open.user_id, "channel_id": open.steps.channel_id,
        "team_id": open.steps.team_id, "cancelled": false,
    });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    ApiRequest::of(open.user_id.clone(), Vec::new(), &body)
}

/// The server's answer, as the client reads it.
fn read_answer(version: Version, answer: ApiResult) -> Result<SubmitResponse, String> {
    match answer {
        Ok(Reply::Json(_, body)) => {
            SubmitResponse::read(version, body.to_string().as_bytes()).map_err(|error| error.message)
        }
        Ok(_) => Ok(SubmitResponse::default()),
        Err(error) => Err(error.message),
    }
}
