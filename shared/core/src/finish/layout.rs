//! A message on its way: its blocks and attachments are checked once, and rendered for each place where it is tried.

use super::{
    attachment,
    blocks::{self, Refused, Rendered, ServerAbilities},
    confirm::BotActions,
    mentions::Mentions,
    surface::Surface,
};
use crate::{
    finish::actions::{Audience, Controls, Offer, Sealer},
    http::LogLine,
    keys::KeyCache,
    random::Random,
    store::ports::{Ledger, StoreError},
};
use cloud_app::mattermost::Error;
use cloud_apps_protocol::{Manifest, Message, Millis, message::Problem};

/// What an answer is finished with.
pub struct Stage<'a> {
    /// Where the request came from.
    pub surface: &'a Surface,
    /// The bot of the install.
    pub bot: &'a BotActions,
    /// The app's manifest, as the install's admin agreed to it.
    pub manifest: &'a Manifest,
    /// The keys that seal.
    pub keys: &'a KeyCache,
    /// Where long contents of seals are kept.
    pub ledger: &'a dyn Ledger,
    /// For ids and nonces.
    pub random: &'a dyn Random,
    /// Unix milliseconds.
    pub now: Millis,
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    /// It cannot be shown; its app is to blame.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Its actions could not be sealed or kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The app has no key ring.
    #[error("the app has no key ring")]
    NoKey,
    /// The server did not take it.
    #[error(transparent)]
    Server(#[from] Error),
}

/// A message whose blocks and attachments can be shown.
pub struct Layout {
    /// The message. Its attachments are its own, made harmless.
    pub message: Message,
    controls: Controls,
}

impl Layout {
    /// Checks a message. What is left out of it becomes a warning.
    pub fn of(
        message: Message,
        stage: &Stage<'_>,
        warnings: &mut Vec<String>,
        line: &mut LogLine,
    ) -> Result<Self, Refused> {
        let problems = message.problems();
        if !problems.is_empty() {
            return Err(Refused { problems });
        }
        let offer = Offer { manifest: stage.manifest, presets: &stage.bot.install().presets };
        let (mut controls, mut problems) = Controls::of(&message.blocks, &offer);
        let granted = &stage.bot.install().granted.locations;
        if controls.clicks().next().is_some() && !granted.contains(POST_ACTION) {
            let text = "This has actions, and the app was not allowed to appear in post_action on this server. Put it into \
                        the manifest's locations, and have an admin grant it.";
            problems.push(Problem::new("/blocks", text));
        }
        if !problems.is_empty() {
            return Err(Refused { problems });
        }
        Ok(Self { message: presentable(message, warnings, line), controls })
    }

    /// Whether readers can click something.
    pub fn has_actions(&self) -> bool {
        !self.controls.is_empty()
    }

    /// What is sent beside the text, with every action sealed for this audience. What the ledger has to keep is kept.
    pub async fn rendered(
        &mut self,
        stage: &Stage<'_>,
        audience: &Audience,
        abilities: ServerAbilities,
    ) -> Result<Rendered, Unsent> {
        if self.message.blocks.is_empty() {
            return Ok(Rendered { attachments: self.message.attachments.clone(), ..Rendered::default() });
        }
        // Blocks in a message for one user would lose their actions when they are updated.
        let blocks = abilities.blocks && !(self.has_actions() && matches!(audience, Audience::User { .. }));
        let abilities = ServerAbilities { blocks, ..abilities };
        if !self.has_actions() {
            return Ok(blocks::rendered(&self.message, &self.controls, abilities)?);
        }
        let install = stage.bot.install();
        let key = stage.keys.current(&install.app, stage.now).await?.ok_or(Unsent::NoKey)?;
        let sealer = Sealer { key, install, random: stage.random, now: stage.now };
        let kept = sealer.seal_all(&mut self.controls, audience).map_err(|problems| Refused { problems })?;
        // Looked at before anything is kept: what is refused leaves nothing behind.
        let rendered = blocks::rendered(&self.message, &self.controls, abilities)?;
        for kept in kept {
            stage.ledger.put(&kept.key, &kept.value, kept.until, stage.now).await?;
        }
        Ok(rendered)
    }
}

/// The location of buttons and menus in posts.
const POST_ACTION: &str = "post_action";

/// The message with its attachments as they may be shown: without what only a sealed action may hold. Its text is made
/// quiet where it is cut or split.
fn presentable(mut message: Message, warnings: &mut Vec<String>, line: &mut LogLine) -> Message {
    let shown = attachment::shown(&message.attachments, Mentions::of(message.notify));
    if shown.actions {
        let text = "Buttons and menus in attachments were left out: an app writes them as blocks.";
        warnings.push(text.into());
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
