//! All that the stand-in serves, in one table, and how a request finds its place there.

use super::webhooks::{incoming, outgoing};
use super::{
    Answer, Ask, bots, channels, commands, login, oauth_apps, posts, reactions, roles, system, teams, tokens,
    users,
};
use crate::world::World;
use crate::{Standin, dialog, slash};
use http::Method;

pub(super) type Handler = fn(&mut World, &Ask) -> Answer;

/// Who answers.
pub(super) enum Run {
    /// Answers by the world alone.
    World(Handler),
    /// Answers by the world and by what the server itself has: its keys, its time limits.
    Standin(fn(&Standin, &Ask) -> Answer),
    /// Calls an integration: a slash command.
    Execute,
    /// The same: a post action.
    Act,
    /// The same: what a user did with a dialog.
    Submit,
    /// The same: what a field of a dialog offers.
    LookUp,
}

pub(super) struct Route {
    pub method: Method,
    pub pattern: &'static str,
    /// Needs no session.
    pub open: bool,
    pub run: Run,
}

impl Route {
    /// Whoever knows the id in the path can use what it names, as with a token.
    pub fn names_a_secret(&self) -> bool {
        [HOOK, INCOMING].contains(&self.pattern) || self.pattern.starts_with("/api/v4/hooks/incoming/")
    }
}

const fn route(method: Method, pattern: &'static str, handler: Handler) -> Route {
    Route { method, pattern, open: false, run: Run::World(handler) }
}

const fn open(method: Method, pattern: &'static str, handler: Handler) -> Route {
    Route { method, pattern, open: true, run: Run::World(handler) }
}

/// All that the stand-in serves. The first that fits is taken, so fixed words stand before names in braces.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    open(Method::GET, "/api/v4/system/ping", system::ping),
    open(Method::GET, "/api/v4/config/client", system::client_config),
    route(Method::GET, "/api/v4/config", system::config),
    open(Method::GET, "/api/v4/license/client", system::license),
    route(Method::POST, "/api/v4/roles/names", roles::by_names),
    route(Method::GET, "/api/v4/roles/name/{role_name}", roles::by_name),

    open(Method::POST, "/api/v4/users", users::create),
    route(Method::GET, "/api/v4/users", users::list),
    open(Method::POST, "/api/v4/users/login", login::login),
    open(Method::POST, "/api/v4/users/logout", login::logout),
    route(Method::POST, "/api/v4/users/ids", users::by_ids),
    route(Method::POST, "/api/v4/users/usernames", users::by_usernames),
    route(Method::GET, "/api/v4/users/username/{username}", users::by_username),
    route(Method::GET, "/api/v4/users/email/{email}", users::by_email),
    route(Method::GET, "/api/v4/users/tokens", tokens::list),
    route(Method::POST, "/api/v4/users/tokens/search", tokens::search),
    route(Method::POST, "/api/v4/users/tokens/revoke", tokens::revoke),
    route(Method::POST, "/api/v4/users/tokens/disable", tokens::disable),
    route(Method::POST, "/api/v4/users/tokens/enable", tokens::enable),
    route(Method::GET, "/api/v4/users/tokens/{token_id}", tokens::get),
    route(Method::GET, "/api/v4/users/{user_id}", users::get),
    route(Method::DELETE, "/api/v4/users/{user_id}", users::deactivate),
    route(Method::PUT, "/api/v4/users/{user_id}/patch", users::patch),
    route(Method::PUT, "/api/v4/users/{user_id}/roles", users::set_roles),
    route(Method::GET, "/api/v4/users/{user_id}/sessions", login::sessions),
    route(Method::POST, "/api/v4/users/{user_id}/sessions/revoke", login::revoke),
    route(Method::POST, "/api/v4/users/{user_id}/sessions/revoke/all", login::revoke_all),
    route(Method::GET, "/api/v4/users/{user_id}/teams", teams::of_user),
    route(Method::POST, "/api/v4/users/{user_id}/tokens", tokens::create),
    route(Method::GET, "/api/v4/users/{user_id}/tokens", tokens::of_user),
    route(Method::DELETE, "/api/v4/users/{user_id}/posts/{post_id}/reactions/{emoji_name}", reactions::delete),

    route(Method::POST, "/api/v4/bots", bots::create),
    route(Method::GET, "/api/v4/bots", bots::list),
    route(Method::GET, "/api/v4/bots/{bot_user_id}", bots::get),
    route(Method::PUT, "/api/v4/bots/{bot_user_id}", bots::update),
    route(Method::POST, "/api/v4/bots/{bot_user_id}/disable", bots::disable),
    route(Method::POST, "/api/v4/bots/{bot_user_id}/enable", bots::enable),
    route(Method::POST, "/api/v4/bots/{bot_user_id}/assign/{user_id}", bots::assign),

    route(Method::POST, "/api/v4/teams", teams::create),
    route(Method::GET, "/api/v4/teams", teams::list),
    route(Method::GET, "/api/v4/teams/name/{team_name}", teams::by_name),
    route(Method::GET, "/api/v4/teams/name/{team_name}/channels/name/{channel_name}", channels::by_names),
    route(Method::GET, "/api/v4/teams/{team_id}", teams::get),
    route(Method::DELETE, "/api/v4/teams/{team_id}", teams::archive),
    route(Method::POST, "/api/v4/teams/{team_id}/restore", teams::restore),
    route(Method::GET, "/api/v4/teams/{team_id}/stats", teams::stats),
    route(Method::GET, "/api/v4/teams/{team_id}/members", teams::members),
    route(Method::POST, "/api/v4/teams/{team_id}/members", teams::add_member),
    route(Method::GET, "/api/v4/teams/{team_id}/members/{user_id}", teams::member),
    route(Method::DELETE, "/api/v4/teams/{team_id}/members/{user_id}", teams::remove_member),
    route(Method::GET, "/api/v4/teams/{team_id}/channels", channels::of_team),
    route(Method::GET, "/api/v4/teams/{team_id}/channels/name/{channel_name}", channels::by_name),

    route(Method::POST, "/api/v4/channels", channels::create),
    route(Method::GET, "/api/v4/channels", channels::list),
    route(Method::POST, "/api/v4/channels/group", channels::group),
    route(Method::POST, "/api/v4/channels/direct", channels::direct),
    route(Method::GET, "/api/v4/channels/{channel_id}", channels::get),
    route(Method::DELETE, "/api/v4/channels/{channel_id}", channels::archive),
    route(Method::PUT, "/api/v4/channels/{channel_id}/patch", channels::patch),
    route(Method::POST, "/api/v4/channels/{channel_id}/restore", channels::restore),
    route(Method::GET, "/api/v4/channels/{channel_id}/pinned", posts::pinned),
    route(Method::GET, "/api/v4/channels/{channel_id}/members", channels::members),
    route(Method::POST, "/api/v4/channels/{channel_id}/members", channels::add_member),
    route(Method::GET, "/api/v4/channels/{channel_id}/members/{user_id}", channels::member),
    route(Method::DELETE, "/api/v4/channels/{channel_id}/members/{user_id}", channels::remove_member),
    route(Method::GET, "/api/v4/channels/{channel_id}/posts", posts::of_channel),

    route(Method::POST, "/api/v4/posts", posts::create),
    route(Method::POST, "/api/v4/posts/ephemeral", posts::create_ephemeral),
    route(Method::GET, "/api/v4/posts/{post_id}", posts::get),
    route(Method::DELETE, "/api/v4/posts/{post_id}", posts::delete),
    route(Method::PUT, "/api/v4/posts/{post_id}/patch", posts::patch),
    route(Method::POST, "/api/v4/posts/{post_id}/pin", posts::pin),
    route(Method::POST, "/api/v4/posts/{post_id}/unpin", posts::unpin),
    route(Method::GET, "/api/v4/posts/{post_id}/thread", posts::thread),
    Route { method: Method::POST, pattern: "/api/v4/posts/{post_id}/actions/{action_id}", open: false, run: Run::Act },
    route(Method::GET, "/api/v4/posts/{post_id}/reactions", reactions::of_post),
    route(Method::POST, "/api/v4/reactions", reactions::create),

    route(Method::POST, "/api/v4/commands", commands::create),
    route(Method::GET, "/api/v4/commands", commands::list),
    Route { method: Method::POST, pattern: "/api/v4/commands/execute", open: false, run: Run::Execute },
    route(Method::GET, "/api/v4/teams/{team_id}/commands/autocomplete", commands::autocomplete),
    route(Method::GET, "/api/v4/teams/{team_id}/commands/autocomplete_suggestions", commands::suggestions),
    route(Method::GET, "/api/v4/commands/{command_id}", commands::get),
    route(Method::PUT, "/api/v4/commands/{command_id}", commands::update),
    route(Method::DELETE, "/api/v4/commands/{command_id}", commands::delete),
    route(Method::PUT, "/api/v4/commands/{command_id}/regen_token", commands::regenerate_token),
    route(Method::PUT, "/api/v4/commands/{command_id}/move", commands::transfer),

    Route { method: Method::POST, pattern: "/api/v4/actions/dialogs/open", open: true, run: Run::Standin(dialog::open) },
    Route { method: Method::POST, pattern: "/api/v4/actions/dialogs/submit", open: false, run: Run::Submit },
    Route { method: Method::POST, pattern: "/api/v4/actions/dialogs/lookup", open: false, run: Run::LookUp },

    route(Method::POST, "/api/v4/hooks/outgoing", outgoing::create),
    route(Method::GET, "/api/v4/hooks/outgoing", outgoing::list),
    route(Method::GET, "/api/v4/hooks/outgoing/{hook_id}", outgoing::get),
    route(Method::PUT, "/api/v4/hooks/outgoing/{hook_id}", outgoing::update),
    route(Method::DELETE, "/api/v4/hooks/outgoing/{hook_id}", outgoing::delete),
    route(Method::POST, "/api/v4/hooks/outgoing/{hook_id}/regen_token", outgoing::regenerate_token),
    route(Method::POST, "/api/v4/hooks/incoming", incoming::create),
    route(Method::GET, "/api/v4/hooks/incoming", incoming::list),
    route(Method::GET, "/api/v4/hooks/incoming/{hook_id}", incoming::get),
    route(Method::PUT, "/api/v4/hooks/incoming/{hook_id}", incoming::update),
    route(Method::DELETE, "/api/v4/hooks/incoming/{hook_id}", incoming::delete),

    route(Method::GET, "/api/v4/users/{user_id}/oauth/apps/authorized", oauth_apps::authorized),
    route(Method::POST, "/api/v4/oauth/apps", oauth_apps::create),
    route(Method::GET, "/api/v4/oauth/apps", oauth_apps::list),
    route(Method::GET, "/api/v4/oauth/apps/{app_id}", oauth_apps::get),
    route(Method::PUT, "/api/v4/oauth/apps/{app_id}", oauth_apps::update),
    route(Method::DELETE, "/api/v4/oauth/apps/{app_id}", oauth_apps::delete),
    route(Method::GET, "/api/v4/oauth/apps/{app_id}/info", oauth_apps::info),
    route(Method::POST, "/api/v4/oauth/apps/{app_id}/regen_secret", oauth_apps::regenerate_secret),

    open(Method::POST, HOOK, slash::respond_later),
    open(Method::POST, INCOMING, incoming::use_it),
];

const HOOK: &str = "/hooks/commands/{hook_id}";
const INCOMING: &str = "/hooks/{incoming_id}";
/// What the table says of a request.
pub(super) fn find(method: &Method, path: &str) -> Option<(&'static Route, Vec<(&'static str, String)>)> {
    ROUTES.iter().filter(|route| route.method == *method).find_map(|route| {
        let (mut words, mut names) = (path.split('/'), Vec::new());
        for pattern in route.pattern.split('/') {
            let word = words.next()?;
            match pattern.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if !word.is_empty() => names.push((name, decoded(word))),
                None if word == pattern => {}
                _ => return None,
            }
        }
        words.next().is_none().then_some((route, names))
    })
}

/// A word of a path without its escapes. To a form, plus and ampersand mean something; here not.
fn decoded(word: &str) -> String {
    if !word.contains('%') {
        return word.to_owned();
    }
    let pair = format!("={}", word.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes()).map(|(_, word)| word.into_owned()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_word_of_a_path_is_read_as_it_was_meant(word in "[^/]{1,20}") {
            let mut url = url::Url::parse("http://a.test/api/v4/users/email").unwrap();
            url.path_segments_mut().unwrap().push(&word);
            prop_assume!(word != "." && word != ".." && !word.contains(['\t', '\n', '\r']));
            let (_, names) = find(&Method::GET, url.path()).unwrap();
            prop_assert_eq!(&names[0].1, &word);
        }

        #[test]
        fn no_path_makes_the_table_stumble(path in ".{0,60}") {
            find(&Method::GET, &path);
        }
    }

    /// A path that fits a pattern.
    pub fn example(pattern: &str) -> String {
        let words = pattern
            .split('/')
            .map(|word| if word.starts_with('{') { "abcdefghijklmnopqrstuvwxyz" } else { word });
        words.collect::<Vec<_>>().join("/")
    }

    #[test]
    fn the_words_of_a_path_are_read_without_their_escapes() {
        for (word, read) in [("a%40b.c", "a@b.c"), ("+1", "+1"), ("%2B1+", "+1+"), ("plain", "plain")] {
            let (_, names) = find(&Method::GET, &format!("/api/v4/users/email/{word}")).unwrap();
            assert_eq!(names, [("email", read.to_owned())]);
        }
    }

    #[test]
    fn no_route_hides_another() {
        for route in ROUTES {
            let (found, _) = find(&route.method, &example(route.pattern)).unwrap();
            assert_eq!((&found.method, found.pattern), (&route.method, route.pattern));
        }
    }
}
