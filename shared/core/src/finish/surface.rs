//! What can be shown where a request came from.

use super::{confirm::ChannelProof, response_url::ReplyId};
use cloud_apps_protocol::{ChannelId, PostId, UserId, command::Context};

/// Where a request came from, and what can be shown there.
#[derive(Debug)]
pub struct Surface {
    /// The request's channel.
    pub channel: Option<ChannelId>,
    /// Its thread.
    pub root: Option<PostId>,
    /// Who acts.
    pub user: Option<UserId>,
    /// What the credential proves of the channel.
    pub channel_proof: ChannelProof,
    /// A form can be shown in the answer itself.
    pub forms: bool,
    /// How a message reaches the acting user alone.
    pub private: Private,
    /// Where such a message can be sent, beside the answer.
    pub reply: Option<ReplyId>,
    /// What was clicked.
    pub clicked: Option<Clicked>,
}

/// How a message reaches the acting user alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Private {
    /// In the answer.
    InAnswer {
        /// The answer may hold actions: nobody but the server reads it.
        actions: bool,
    },
    /// Beside the answer, which shows no message.
    Apart,
}

/// A post with actions, one of which was clicked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clicked {
    /// The server does not store the post: its user alone sees it.
    pub ephemeral: bool,
    /// Its actions are for the acting user alone.
    pub private: bool,
}

impl Surface {
    /// The request's channel and thread, and what its credential proves of them.
    pub fn new(context: &Context, channel_proof: ChannelProof, private: Private) -> Self {
        Self {
            channel: context.channel.as_ref().map(|channel| channel.id.clone()),
            root: context.root_post.as_ref().map(|post| post.id.clone()),
            user: context.acting_user.as_ref().map(|user| user.id.clone()),
            channel_proof,
            forms: false,
            private,
            reply: None,
            clicked: None,
        }
    }
}
