//! The users and channels that the text of a command mentions: `PossibleAtMentions` and `ChannelMentions` in `model/`,
//! `mentionsToTeamMembers` and `mentionsToPublicChannels` in `app/command.go`.

use crate::database::Database;
use crate::model::ChannelKind;
use regex_lite::Regex;
use std::sync::OnceLock;

/// The users that a server finds in a text, each by `@` and a name. `known` looks up a name in small letters.
pub fn mentioned_users<U>(text: &str, known: impl Fn(&str) -> Option<U>) -> Vec<U> {
    let mut found = Vec::new();
    for name in names(text, '@') {
        let mut name = name.as_str();
        // `@bob.` mentions bob, unless there is a user `bob.`.
        let user = loop {
            if let Some(user) = known(name) {
                break Some(user);
            }
            match name.strip_suffix(['.', '-', '_']) {
                Some(shorter) if !shorter.is_empty() => name = shorter,
                _ => break None,
            }
        };
        found.extend(user);
    }
    found
}

/// The channels that a server finds in a text, each by `~` and a name.
pub fn mentioned_channels<C>(text: &str, known: impl Fn(&str) -> Option<C>) -> Vec<C> {
    names(text, '~').iter().filter_map(|name| known(name)).collect()
}

/// The members of the team that are mentioned: name and id, in the order of the text. On a real server the order is random.
pub(crate) fn users(db: &Database, team_id: &str, text: &str) -> Vec<(String, String)> {
    let found = mentioned_users(text, |name| db.user_named(name));
    let members = found.into_iter().filter(|user| db.team_member(team_id, &user.id).is_some());
    unique(members.map(|user| (user.username.clone(), user.id.clone())).collect())
}

/// The public channels of the team that are mentioned with `~`: name and id.
pub(crate) fn channels(db: &Database, team_id: &str, text: &str) -> Vec<(String, String)> {
    unique(mentioned_channels(text, |name| {
        let channel = db.channel_named(team_id, name)?;
        (channel.kind == ChannelKind::Public).then(|| (name.to_owned(), channel.id.clone()))
    }))
}

fn names(text: &str, mark: char) -> Vec<String> {
    static AT: OnceLock<Option<Regex>> = OnceLock::new();
    static TILDE: OnceLock<Option<Regex>> = OnceLock::new();
    let (cell, pattern) = match mark {
        '@' => (&AT, r"\B@([[:alnum:]][[:alnum:].\-_:]*)"),
        _ => (&TILDE, r"\B~([a-zA-Z0-9\-_]+)"),
    };
    let Some(pattern) = cell.get_or_init(|| Regex::new(pattern).ok()) else { return Vec::new() };
    pattern
        .captures_iter(text)
        .filter_map(|found| found.get(1))
        .map(|name| if mark == '@' { name.as_str().to_lowercase() } else { name.as_str().to_owned() })
        .collect()
}

fn unique(pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut kept: Vec<(String, String)> = Vec::new();
    for pair in pairs {
        if !kept.contains(&pair) {
            kept.push(pair);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_mattermost_finds_them() {
        assert_eq!(names("@bob, mail a@b.c and @Alice.", '@'), ["bob", "alice."]);
        assert_eq!(names("see ~town-square and a~b", '~'), ["town-square"]);
    }
}
