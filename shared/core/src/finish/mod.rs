//! What the bundle does with an app's answer before any dialect renders it (section 4). It makes mentions of everybody
//! quiet, cuts what is too long, seals what comes back, and lets the bot post a message to the channel. If something cannot be
//! shown where the request came from, the user is told. The dialect does not matter here; the [`Surface`] does.

pub mod actions;
mod address;
mod attachment;
pub mod blocks;
pub mod confirm;
mod layout;
pub mod mentions;
mod post;
mod private;
mod replace;
mod reply;
pub mod response_url;
pub mod surface;
pub mod text;

pub use attachment::as_markdown;
pub use confirm::Confirmations;
pub use layout::Stage;
pub use replace::Update;
pub use surface::Surface;

use crate::{http::LogLine, not_served};
use cloud_apps_protocol::{
    Answer,
    answer::{Kind, Message, To},
    limits,
    text::shortened,
};
use layout::{Layout, Unsent};
use mentions::Mentions;
use std::collections::BTreeMap;
use text::{POST_LIMIT, cut};

/// What a command comes to, before anybody has asked whether it can be shown.
pub struct Draft {
    /// The answer: the app's, or the bundle's own.
    pub answer: Answer,
    /// What is said where the answer is a form and the surface shows none; `None`: a sentence that fits any form.
    pub without_form: Option<Answer>,
}

impl From<Answer> for Draft {
    fn from(answer: Answer) -> Self {
        Self { answer, without_form: None }
    }
}

/// What a dialect renders.
#[derive(Debug, PartialEq)]
pub enum Finished {
    /// An answer that can be shown on the surface as it is.
    Answer(Answer),
    /// The clicked post becomes this.
    Update {
        /// The post.
        update: Update,
        /// What its user reads beside it.
        warnings: Vec<String>,
    },
}

impl Finished {
    /// The word for the log: the answer's `type`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Answer(answer) => answer.kind.name(),
            Self::Update { .. } => "message",
        }
    }
}

/// Characters of a message that belongs to a field, and of a warning.
const LINE_LIMIT: usize = 300;
/// Warnings of one answer.
const WARNINGS: usize = 10;

/// Finishes an answer: what is to be posted is posted, and what comes out can be shown on the stage's surface.
pub async fn finish(draft: Draft, stage: &Stage<'_>, line: &mut LogLine) -> Finished {
    let answer = showable(draft, stage.surface);
    let warnings = few(answer.warnings);
    let kind = match answer.kind {
        Kind::Message(message) => return finished(message, stage, warnings, line).await,
        Kind::Navigate { url } if !address::is_link(&url) => error(
            "The app wanted to open something that is no address, so nothing was opened. Tell an admin.",
        ),
        Kind::Ask { .. } => error(not_served::CONVERSATION),
        Kind::Accepted { text } => Kind::Accepted { text: cut(&text, POST_LIMIT, Mentions::Quiet) },
        Kind::Error { text, fields } => {
            let fields = fields.iter().take(limits::FIELDS);
            let fields = fields.map(|(name, message)| (one_line(name), one_line(message))).collect();
            Kind::Error { text: cut(&text, POST_LIMIT, Mentions::Quiet), fields }
        }
        // A server before 11.9 opens nothing after a click.
        Kind::Navigate { url } if stage.surface.clicked.is_some() && !stage.bot.server().opens_addresses => {
            Kind::Message(Message { text: format!("[{url}]({url})"), ..Message::default() })
        }
        kind @ (Kind::Form { .. } | Kind::Navigate { .. } | Kind::Done) => kind,
    };
    Finished::Answer(Answer { kind, warnings })
}

/// A message, sent where it belongs.
async fn finished(
    message: Message,
    stage: &Stage<'_>,
    mut warnings: Vec<String>,
    line: &mut LogLine,
) -> Finished {
    let mut layout = match Layout::of(message, stage, &mut warnings, line) {
        Ok(layout) => layout,
        Err(refused) => {
            let kind = unsent(Unsent::Refused(refused), line);
            return Finished::Answer(Answer { kind, warnings });
        }
    };
    if layout.message.replace
        && let Some(clicked) = &stage.surface.clicked
        && let Some(update) = replace::update(stage, &mut layout, clicked).await
    {
        return match update {
            Ok(update) => Finished::Update { update, warnings },
            Err(why) => Finished::Answer(Answer { kind: unsent(why, line), warnings }),
        };
    }
    let kind = match layout.message.to {
        To::Channel => post::post(stage, layout, &mut warnings, line).await,
        To::User => private::show(stage, layout, "", &mut warnings, line).await,
    };
    Finished::Answer(Answer { kind, warnings })
}

/// What the user reads of a message that was not sent.
fn unsent(why: Unsent, line: &mut LogLine) -> Kind {
    match why {
        Unsent::Refused(refused) => {
            line.warn(refused.to_string());
            error(&format!("{refused} Tell an admin."))
        }
        why => {
            line.failed(&why);
            error(
                "The bundle could not send the app's message. Try again; if it happens again, tell an admin.",
            )
        }
    }
}

/// The answer, or what is said instead of a form that the surface cannot show.
fn showable(draft: Draft, surface: &Surface) -> Answer {
    let Draft { answer, without_form } = draft;
    let Kind::Form { form } = &answer.kind else { return answer };
    let instead = if !surface.forms {
        without_form.unwrap_or_else(|| error(not_served::FORM_OF_APP).into())
    } else if !form.state.is_null() {
        error(not_served::FORM_WITH_STATE).into()
    } else if form.fields.len() > limits::FIELDS {
        let most = limits::FIELDS;
        error(&format!("This opens a form of more than {most} fields, which is too many. Tell an admin."))
            .into()
    } else {
        return answer;
    };
    Answer { warnings: answer.warnings, ..instead }
}

/// Warnings as they stand under a text: few, and each a line.
fn few(mut warnings: Vec<String>) -> Vec<String> {
    let more = warnings.len().saturating_sub(WARNINGS);
    warnings.truncate(WARNINGS);
    let mut warnings: Vec<_> = warnings.iter().map(|warning| one_line(warning)).collect();
    if more > 0 {
        warnings.push(format!("There are {more} more warnings."));
    }
    warnings
}

/// A short text in one line.
fn one_line(text: &str) -> String {
    let line = shortened(text, LINE_LIMIT).split_whitespace().collect::<Vec<_>>().join(" ");
    Mentions::Quiet.shown(&line).into_owned()
}

fn error(text: &str) -> Kind {
    Kind::Error { text: text.into(), fields: BTreeMap::new() }
}
