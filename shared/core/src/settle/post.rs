//! A message to the channel: posted by the bot, in the request's channel and thread.
//!
//! The bot joins a public channel where it may. Where it cannot post, nothing is lost: the user alone sees the
//! message, and what to do.

use super::{
    Place,
    mentions::Mentions,
    text::{POST_LIMIT, Parts, split},
};
use crate::log::LogLine;
use cloud_app::{
    Failure,
    mattermost::{Error, NewPost},
};
use cloud_apps_protocol::ChannelId;
use cloud_apps_protocol::answer::{Kind, Message, To};
use http::StatusCode;

/// The most posts that one answer makes.
const POSTS: usize = 5;

/// Posts it; `done`, or, where the bot cannot post, the message for the user alone.
pub(super) async fn post(
    message: Message,
    place: &Place,
    warnings: &mut Vec<String>,
    line: &mut LogLine,
) -> Kind {
    let Some(channel) = &place.channel else {
        return alone(message, "This was run outside of any channel: only you see this.");
    };
    let Parts { parts, cut } = split(&message.text, POST_LIMIT, POSTS, Mentions::of(message.notify));
    let posts = posts(parts, &message, place, channel);
    for (done, post) in posts.iter().enumerate() {
        let Err(error) = posted(post, place, done == 0).await else { continue };
        line.failed(&error);
        if done > 0 {
            let text =
                format!("Only the first {done} of {} parts of a long message were posted.", posts.len());
            return Kind::Error { text, fields: std::collections::BTreeMap::new() };
        }
        return alone(message, &advice(error, place));
    }
    if cut {
        warnings.push(format!("The message is longer than {POSTS} posts: the rest was not posted."));
    }
    Kind::Done
}

/// The message in as many posts as its length needs; attachments belong to the last.
fn posts(mut parts: Vec<String>, message: &Message, place: &Place, channel: &ChannelId) -> Vec<NewPost> {
    if parts.is_empty() && !message.attachments.is_empty() {
        parts.push(String::new());
    }
    let last = parts.len().saturating_sub(1);
    let post = |(n, text)| {
        let mut post = NewPost::new(channel.clone(), text);
        if let Some(root) = &place.root {
            post = post.in_thread(root.clone());
        }
        if n == last && !message.attachments.is_empty() {
            post = post.attachments(&message.attachments);
        }
        post
    };
    parts.into_iter().enumerate().map(post).collect()
}

/// Posts once; where the bot is no member, it joins (`may_join`) and posts again.
async fn posted(post: &NewPost, place: &Place, may_join: bool) -> Result<(), Error> {
    match place.mattermost.create_post(post).await {
        Err(error) if may_join && is_outside(&error) => {
            if place.mattermost.add_channel_member(&post.channel_id, &place.bot.id).await.is_err() {
                // Why it cannot post says more than why it cannot join.
                return Err(error);
            }
            place.mattermost.create_post(post).await.map(|_| ())
        }
        result => result.map(|_| ()),
    }
}

/// Whether this is what Mattermost tells who is not in a channel.
fn is_outside(error: &Error) -> bool {
    matches!(error.status(), Some(StatusCode::FORBIDDEN | StatusCode::NOT_FOUND))
}

fn advice(error: Error, place: &Place) -> String {
    if is_outside(&error) {
        return format!(
            "Invite @{} to post here, if this is a channel: only you see this.",
            place.bot.username
        );
    }
    let why =
        Failure::from(error).text.unwrap_or_else(|| "The bundle's operator finds why in its log.".into());
    // A call that ran out of time may have had its effect.
    format!("This may not have been posted, and here only you see it. {why}")
}

fn alone(mut message: Message, note: &str) -> Kind {
    message.to = To::User;
    Kind::Message(super::shortened(message, &format!("_{note}_")))
}
