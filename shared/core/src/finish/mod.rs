//! What the bundle does with an app's answer before any dialect renders it (section 4). It makes mentions of everybody
//! quiet, cuts what is too long, and lets the bot post a message to the channel. If something cannot be shown where the
//! request came from, the user is told. The dialect does not matter here; the [`Surface`] does.

mod address;
mod attachment;
pub mod blocks;
pub mod confirm;
pub mod mentions;
mod post;
pub mod text;

pub use confirm::Confirmations;

use crate::{
    finish::confirm::{BotActions, ChannelProof},
    http::LogLine,
    not_served,
};
use blocks::{MattermostBlock, Refused, Rendered, ServerAbilities};
use cloud_apps_protocol::{
    Answer, ChannelId, PostId, UserId,
    answer::{Kind, Message, To},
    command::Context,
    limits,
    text::shortened,
};
use mentions::Mentions;
use std::collections::BTreeMap;
use text::{POST_LIMIT, cut};

/// What can be shown where a request came from.
pub struct Surface {
    channel: Option<ChannelId>,
    root: Option<PostId>,
    user: Option<UserId>,
    proof: ChannelProof,
    abilities: Abilities,
}

/// What a surface can show beyond a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// A form opens.
    pub forms: bool,
}

impl Surface {
    /// The request's channel and thread, what its credential proves of them, and what its dialect can show.
    pub fn new(context: &Context, proof: ChannelProof, abilities: Abilities) -> Self {
        Self {
            channel: context.channel.as_ref().map(|channel| channel.id.clone()),
            root: context.root_post.as_ref().map(|post| post.id.clone()),
            user: context.acting_user.as_ref().map(|user| user.id.clone()),
            proof,
            abilities,
        }
    }
}

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

/// Characters of a message that belongs to a field, and of a warning.
const LINE_LIMIT: usize = 300;
/// Warnings of one answer.
const WARNINGS: usize = 10;

/// Finishes an answer: what is to be posted is posted, and what comes out can be shown on this surface as it is.
pub async fn finish(draft: Draft, surface: &Surface, bot: &BotActions, line: &mut LogLine) -> Answer {
    let answer = showable(draft, surface.abilities);
    let mut warnings = few(answer.warnings);
    let kind = match answer.kind {
        Kind::Message(mut message) => match laid_out(&mut message, bot) {
            Ok(blocks) => {
                let message = presentable(message, &mut warnings, line);
                match message.to {
                    To::User => Kind::Message(noted(message, "")),
                    To::Channel => post::post(message, &blocks, surface, bot, &mut warnings, line).await,
                }
            }
            Err(refused) => {
                line.warn(refused.to_string());
                error(&format!("{refused} Tell an admin."))
            }
        },
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
        kind @ (Kind::Form { .. } | Kind::Navigate { .. } | Kind::Done) => kind,
    };
    Answer { kind, warnings }
}

/// The answer, or what is said instead of a form that the surface cannot show.
fn showable(draft: Draft, abilities: Abilities) -> Answer {
    let Draft { answer, without_form } = draft;
    let Kind::Form { form } = &answer.kind else { return answer };
    let instead = if !abilities.forms {
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

/// An ephemeral message with a note under it; what is too long is cut, the note is not.
fn noted(mut message: Message, note: &str) -> Message {
    message.text = text::with_note(&message.text, note, POST_LIMIT, Mentions::of(message.notify));
    message
}

fn error(text: &str) -> Kind {
    Kind::Error { text: text.into(), fields: BTreeMap::new() }
}

/// Puts attachments in place of the message's blocks, and gives the blocks that a server shows instead of those.
fn laid_out(message: &mut Message, bot: &BotActions) -> Result<Vec<MattermostBlock>, Refused> {
    if message.blocks.is_empty() {
        return Ok(Vec::new());
    }
    let abilities = match message.to {
        To::User => ServerAbilities::ephemeral(),
        To::Channel => bot.server(),
    };
    let Rendered { attachments, blocks } = blocks::rendered(message, abilities)?;
    message.blocks.clear();
    message.attachments = attachments;
    Ok(blocks)
}

/// The message with its attachments as they may be shown: without what only a sealed action may hold. Its text is made
/// quiet where it is cut or split.
fn presentable(mut message: Message, warnings: &mut Vec<String>, line: &mut LogLine) -> Message {
    let shown = attachment::shown(&message.attachments, Mentions::of(message.notify));
    if shown.actions {
        warnings.push(not_served::ACTIONS_LEFT_OUT.into());
    }
    if !shown.unknown.is_empty() {
        warnings.push(unknown(&shown.unknown));
    }
    if shown.left > 0 {
        let count = shown.attachments.len();
        warnings.push(match count {
            0 => "The attachments are too large to be shown.".into(),
            _ => format!("Only the first {count} attachments are shown."),
        });
    }
    if !shown.addresses.is_empty() {
        let keys = shown.addresses.join(", ");
        line.warn(format!("{keys} of the answer's attachments is no address that may be followed: left out"));
    }
    message.attachments = shown.attachments;
    message
}

/// How many pointers one warning names.
const POINTERS: usize = 3;

/// Which keys of attachments were left out.
fn unknown(pointers: &[String]) -> String {
    let named = pointers.iter().take(POINTERS).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = match pointers.len().saturating_sub(POINTERS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("No client shows these keys of the app's attachments, so they were left out: {named}{more}.")
}
