//! Seals what a message or a dialog brings back (section 14.3), for one answer.

use super::{Click, Controls};
use crate::{
    random::Random,
    store::model::{Install, Key},
};
use cloud_apps_protocol::{
    ChannelId, Millis, UserId,
    message::Problem,
    seal::{self, Content, MAX_CARRIED, SealError, SealKind},
};

/// Makes the seals of one answer.
pub struct Sealer<'a> {
    /// The key with which new things are made.
    pub key: Key,
    /// The install.
    pub install: &'a Install,
    /// For ids and nonces.
    pub random: &'a dyn Random,
    /// Unix milliseconds.
    pub now: Millis,
}

/// Who can use what is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Nobody: there is nothing to seal.
    Nobody,
    /// Everybody who reads the post, as long as it stands.
    Channel {
        /// Where the post is.
        channel: ChannelId,
        /// The thread of it.
        root: Option<String>,
    },
    /// One user, for some minutes.
    User {
        /// Who.
        user: UserId,
        /// The message is one that the server does not store.
        ephemeral: bool,
        /// Where it is shown, if that is known.
        channel: Option<ChannelId>,
        /// The thread of it.
        root: Option<String>,
    },
}

/// How long what one user was given can be used, in ms.
const FOR_ONE: Millis = 15 * 60_000;

/// Content of a seal that stands in the ledger, because the seal would be too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The ledger's key.
    pub key: String,
    /// The content, sealed.
    pub value: String,
    /// Unix milliseconds until which it is kept.
    pub until: Millis,
}

impl Sealer<'_> {
    /// Seals every click of the controls. What is returned must be in the ledger before the message is sent.
    pub fn seal_all(&self, controls: &mut Controls, audience: &Audience) -> Result<Vec<Kept>, Vec<Problem>> {
        let (mut kept, mut problems) = (Vec::new(), Vec::new());
        controls.url = format!("{}/hooks/{}/action", self.install.base_url, self.install.id);
        for (pointer, click) in controls.clicks() {
            if click.once && click.once_id.is_none() {
                click.once_id = Some(self.random.base32());
            }
            match self.seal(SealKind::Action, self.content(click, audience)) {
                Ok((seal, more)) => {
                    click.seal = seal;
                    kept.extend(more);
                }
                Err(error) => problems.push(Problem::new(pointer, format!("For an action here, {error}."))),
            }
        }
        if problems.is_empty() { Ok(kept) } else { Err(problems) }
    }

    /// A seal, and what the ledger has to keep for it.
    pub fn seal(&self, kind: SealKind, content: Content) -> Result<(String, Option<Kept>), SealError> {
        let (root, key, install) = (&self.key.root, &self.key.id, &self.install.id);
        let size = serde_json::to_vec(&content).map_err(|_| SealError::Invalid)?.len();
        let Some(until) = content.exp.filter(|_| size > MAX_CARRIED) else {
            return Ok((seal::seal(root, key, install, kind, self.random.nonce(), &content)?, None));
        };
        let value = seal::seal_kept(root, key, install, kind, self.random.nonce(), &content)?;
        let kept = Kept { key: content.kept_under(), value, until };
        let carried = Content {
            user: content.user.clone(),
            exp: content.exp,
            kept: true,
            ..Content::new(content.id, content.app, content.function)
        };
        let text = seal::seal(root, key, install, kind, self.random.nonce(), &carried)?;
        Ok((text, Some(kept)))
    }

    /// What an action's seal holds.
    fn content(&self, click: &Click, audience: &Audience) -> Content {
        let ends = click.expires_in.map(|seconds| self.now.saturating_add(Millis::from(seconds) * 1000));
        let mut content = Content {
            values: click.values.clone(),
            state: click.state.clone(),
            field: click.field.clone(),
            opens_form: click.opens_form,
            once: click.once_id.clone(),
            exp: ends,
            ..Content::new(self.random.base32(), self.install.app.clone(), click.function.clone())
        };
        match audience.clone() {
            Audience::Nobody => {}
            Audience::Channel { channel, root } => {
                content.channel = Some(channel);
                content.root = root;
            }
            Audience::User { user, ephemeral, channel, root } => {
                let until = self.now.saturating_add(FOR_ONE);
                content.exp = Some(ends.map_or(until, |ends| ends.min(until)));
                content.user = Some(user);
                content.ephemeral = ephemeral;
                content.channel = channel;
                content.root = root;
            }
        }
        content
    }
}
