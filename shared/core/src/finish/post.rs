//! A message to the channel: posted by the bot, in the request's channel and thread, once the server confirmed that the
//! channel is the request's own ([`crate::finish::confirm`]).
//!
//! The bot joins a public channel where it may. Where it cannot post, nothing is lost: the user alone sees the
//! message, and what to do.

use super::{
    Surface, blocks,
    layout::{Layout, Stage},
    mentions::Mentions,
    private,
    text::{Parts, split},
    unsent,
};
use crate::{
    finish::{
        actions::Audience,
        confirm::{BotActions, Confirmed, Unconfirmed, is_outside},
    },
    http::LogLine,
};
use cloud_app::{Failure, mattermost::Error};
use cloud_apps_protocol::{ChannelId, answer::Kind};
use serde_json::{Map, Value};

/// The most posts that one answer makes.
const POSTS: usize = 5;

/// Posts it; `done`, or, where the bot cannot post, the message for the user alone.
pub(super) async fn post(
    stage: &Stage<'_>,
    mut layout: Layout,
    warnings: &mut Vec<String>,
    line: &mut LogLine,
) -> Kind {
    let (surface, bot) = (stage.surface, stage.bot);
    let Some(channel) = &surface.channel else {
        let note = "This was run outside of any channel: only you see this.";
        return alone(stage, layout, note, warnings, line).await;
    };
    let channel = match bot.confirm(channel, &surface.channel_proof, surface.user.as_ref()).await {
        Ok(channel) => channel,
        Err(why) => {
            line.failed(&why);
            return alone(stage, layout, &not_confirmed(why, bot), warnings, line).await;
        }
    };
    let audience = Audience::Channel {
        channel: channel.get().clone(),
        root: surface.root.as_ref().map(ToString::to_string),
    };
    let rendered = match layout.rendered(stage, &audience, bot.server()).await {
        Ok(rendered) => rendered,
        Err(why) => return unsent(why, line),
    };
    let mentions = Mentions::of(layout.message.notify);
    let Parts { parts, cut } = split(&layout.message.text, bot.server().post, POSTS, mentions);
    let posts = posts(parts, blocks::props(&rendered));
    for (done, part) in posts.iter().enumerate() {
        let Err(error) = posted(&channel, part, (surface, bot), done == 0).await else { continue };
        line.failed(&error);
        if done > 0 {
            let text =
                format!("Only the first {done} of {} parts of a long message were posted.", posts.len());
            return Kind::Error { text, fields: std::collections::BTreeMap::new() };
        }
        return alone(stage, layout, &advice(error, bot), warnings, line).await;
    }
    if cut {
        warnings.push(format!("The message is longer than {POSTS} posts: the rest was not posted."));
    }
    Kind::Done
}

/// One post of a message.
struct Part {
    text: String,
    props: Map<String, Value>,
}

/// The message in as many posts as its length needs; what it carries beside its text belongs to the last.
fn posts(mut texts: Vec<String>, props: Map<String, Value>) -> Vec<Part> {
    if texts.is_empty() && !props.is_empty() {
        texts.push(String::new());
    }
    let mut parts: Vec<_> = texts.into_iter().map(|text| Part { text, props: Map::new() }).collect();
    if let Some(last) = parts.last_mut() {
        last.props = props;
    }
    parts
}

/// Posts once; where the bot is no member, it joins (`may_join`) and posts again.
async fn posted(
    channel: &Confirmed<ChannelId>,
    part: &Part,
    (surface, bot): (&Surface, &BotActions),
    may_join: bool,
) -> Result<(), Error> {
    match bot.post(channel, surface.root.as_ref(), &part.text, part.props.clone()).await {
        Err(error) if may_join && is_outside(&error) => {
            if bot.join(channel).await.is_err() {
                // Why it cannot post says more than why it cannot join.
                return Err(error);
            }
            bot.post(channel, surface.root.as_ref(), &part.text, part.props.clone()).await
        }
        result => result,
    }
}

fn advice(error: Error, bot: &BotActions) -> String {
    if is_outside(&error) {
        return invite(bot);
    }
    let what = if error.is_doubtful() {
        "The server did not say whether this was posted, and here only you see it. Look before you try again."
    } else {
        "This was not posted: only you see this."
    };
    format!("{what} {}", why(error))
}

fn not_confirmed(unconfirmed: Unconfirmed, bot: &BotActions) -> String {
    match unconfirmed {
        unread if unread.is_outside() => invite(bot),
        Unconfirmed::Unread(error) => {
            format!("This was not posted: the server did not confirm this channel. Only you see this. {}", why(error))
        }
        Unconfirmed::OtherTeam => "This was not posted: the server says that this channel is not in the team that the \
                                   command was sent for. Run the command in a channel of that team. Only you see this."
            .to_owned(),
        Unconfirmed::NoMember => "This was not posted: the server does not say that you are a member of this channel. \
                                  Join the channel, then run the command again. Only you see this."
            .to_owned(),
    }
}

fn invite(bot: &BotActions) -> String {
    let name = &bot.account().username;
    format!("Invite @{name} to post here, if this is a channel: only you see this.")
}

fn why(error: Error) -> String {
    Failure::from(error).text.unwrap_or_else(|| "The bundle's operator finds why in its log.".into())
}

async fn alone(
    stage: &Stage<'_>,
    layout: Layout,
    note: &str,
    warnings: &mut Vec<String>,
    line: &mut LogLine,
) -> Kind {
    private::show(stage, layout, &format!("_{note}_"), warnings, line).await
}
