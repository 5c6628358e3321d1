//! Places in a client where an app may appear (section 3).

use std::fmt;

/// A place in a client. A place that the protocol adds later is [`Location::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Location {
    /// Where messages are typed: slash commands.
    MessageBox,
    /// The menu of a post.
    PostMenu,
    /// The header of a channel.
    ChannelHeader,
    /// The main menu.
    MainMenu,
    /// Buttons and menus in a post.
    PostAction,
    /// A dialog.
    Dialog,
    /// A conversation with the bot.
    Conversation,
    /// A place that this version does not know.
    Other(&'static str),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MessageBox => "message_box",
            Self::PostMenu => "post_menu",
            Self::ChannelHeader => "channel_header",
            Self::MainMenu => "main_menu",
            Self::PostAction => "post_action",
            Self::Dialog => "dialog",
            Self::Conversation => "conversation",
            Self::Other(name) => name,
        })
    }
}
