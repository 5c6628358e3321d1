//! The users and channels that the text of a command mentions: `PossibleAtMentions` and `ChannelMentions` in `model/`,
//! `mentionsToTeamMembers` and `mentionsToPublicChannels` in `app/command.go`.

use crate::database::Database;
use crate::model::ChannelKind;
use regex_lite::Regex;
use std::sync::OnceLock;

/// The members of the team that are mentioned with `@`: name and id, in the order of the text. On a real server the
/// order is random.
pub(crate) fn users(db: &Database, team_id: &str, text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in names(text, '@') {
        let mut name = name.as_str();
        // `@bob.` mentions bob, unless there is a user `bob.`.
        let user = loop {
            if let Some(user) = db.user_named(name) {
                break Some(user);
            }
            match name.strip_suffix(['.', '-', '_']) {
                Some(shorter) if !shorter.is_empty() => name = shorter,
                _ => break None,
            }
        };
        if let Some(user) = user.filter(|user| db.team_member(team_id, &user.id).is_some()) {
            found.push((user.username.clone(), user.id.clone()));
        }
    }
    unique(found)
}

/// The public channels of the team that are mentioned with `~`: name and id.
pub(crate) fn channels(db: &Database, team_id: &str, text: &str) -> Vec<(String, String)> {
    let found = names(text, '~').into_iter().filter_map(|name| {
        let channel = db.channel_named(team_id, &name)?;
        (channel.kind == ChannelKind::Public).then(|| (name, channel.id.clone()))
    });
    unique(found.collect())
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
