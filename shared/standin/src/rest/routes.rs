//! The table of all calls that the stand-in serves.

use super::commands::{registration, suggestions};
use super::router::{INCOMING_WEBHOOK, RESPONSE_URL, Route, Routes, Run, integration, open, route};
use super::webhooks::{incoming, outgoing};
use super::{bots, channels, login, oauth_apps, posts, reactions, roles, system, teams, tokens, users};
use crate::{action, dialog, slash};
use http::Method;
use std::sync::LazyLock;

/// Everything that the stand-in serves.
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
    route(Method::POST, "/api/v4/users/tokens/rotate", tokens::rotate),
    route(Method::GET, "/api/v4/users/tokens/non_compliant/count", tokens::count_non_compliant),
    route(Method::POST, "/api/v4/users/tokens/non_compliant/revoke", tokens::revoke_non_compliant),
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
    integration(Method::POST, "/api/v4/posts/{post_id}/actions/{action_id}", |standin, request| Box::pin(action::click(standin, request))),
    route(Method::GET, "/api/v4/posts/{post_id}/reactions", reactions::of_post),
    route(Method::POST, "/api/v4/reactions", reactions::create),

    route(Method::POST, "/api/v4/commands", registration::create),
    route(Method::GET, "/api/v4/commands", registration::list),
    integration(Method::POST, "/api/v4/commands/execute", |standin, request| Box::pin(slash::execute(standin, request))),
    route(Method::GET, "/api/v4/teams/{team_id}/commands/autocomplete", suggestions::autocomplete),
    route(Method::GET, "/api/v4/teams/{team_id}/commands/autocomplete_suggestions", suggestions::suggestions),
    route(Method::GET, "/api/v4/commands/{command_id}", registration::get),
    route(Method::PUT, "/api/v4/commands/{command_id}", registration::update),
    route(Method::DELETE, "/api/v4/commands/{command_id}", registration::delete),
    route(Method::PUT, "/api/v4/commands/{command_id}/regen_token", registration::regenerate_token),
    route(Method::PUT, "/api/v4/commands/{command_id}/move", registration::transfer),

    Route { method: Method::POST, pattern: "/api/v4/actions/dialogs/open", open: true, run: Run::Standin(dialog::open) },
    integration(Method::POST, "/api/v4/actions/dialogs/submit", |standin, request| Box::pin(dialog::submit(standin, request))),
    integration(Method::POST, "/api/v4/actions/dialogs/lookup", |standin, request| Box::pin(dialog::lookup(standin, request))),

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

    open(Method::POST, RESPONSE_URL, slash::respond_later),
    open(Method::POST, INCOMING_WEBHOOK, incoming::receive),
];

/// The route of a request, and the words of its path that its pattern names.
pub(super) fn find(method: &Method, path: &str) -> Option<(&'static Route, Vec<(&'static str, String)>)> {
    static ALL: LazyLock<Routes> = LazyLock::new(|| Routes::of(ROUTES));
    ALL.find(method, path)
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
        fn every_path_is_looked_up_without_a_panic(path in ".{0,60}") {
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
