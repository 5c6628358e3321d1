//! A route, and how the route of a request is found.

use crate::api::{ApiRequest, ApiResult};
use crate::database::Database;
use crate::standin::Standin;
use http::Method;
use matchit::Router;
use percent_encoding::percent_decode_str;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

/// The path of a `response_url`.
pub(super) const RESPONSE_URL: &str = "/hooks/commands/{hook_id}";
/// The path by which an incoming webhook is used.
pub(super) const INCOMING_WEBHOOK: &str = "/hooks/{incoming_id}";

/// A handler that needs only the database.
type DatabaseHandler = fn(&mut Database, &ApiRequest) -> ApiResult;
/// A handler that calls an integration.
type IntegrationHandler =
    for<'a> fn(&'a Standin, &'a ApiRequest) -> Pin<Box<dyn Future<Output = ApiResult> + Send + 'a>>;

/// Who answers a route.
pub(super) enum Run {
    /// A handler that needs only the database.
    Database(DatabaseHandler),
    /// A handler that also needs the keys and time limits of the server.
    Standin(fn(&Standin, &ApiRequest) -> ApiResult),
    /// A handler that calls an integration.
    Integration(IntegrationHandler),
}

pub(super) struct Route {
    pub method: Method,
    pub pattern: &'static str,
    /// Whether it needs no session.
    pub open: bool,
    pub run: Run,
}

impl Route {
    /// Whether the id in the path is a secret: who knows it can use what it names.
    pub fn names_a_secret(&self) -> bool {
        [RESPONSE_URL, INCOMING_WEBHOOK].contains(&self.pattern)
            || self.pattern.starts_with("/api/v4/hooks/incoming/")
    }
}

/// A route that needs a session.
pub(super) const fn route(method: Method, pattern: &'static str, handler: DatabaseHandler) -> Route {
    Route { method, pattern, open: false, run: Run::Database(handler) }
}

/// A route that needs no session.
pub(super) const fn open(method: Method, pattern: &'static str, handler: DatabaseHandler) -> Route {
    Route { method, pattern, open: true, run: Run::Database(handler) }
}

/// A route that needs a session, and calls an integration.
pub(super) const fn integration(method: Method, pattern: &'static str, handler: IntegrationHandler) -> Route {
    Route { method, pattern, open: false, run: Run::Integration(handler) }
}

/// The routes of a table, by their method and path.
pub(super) struct Routes(HashMap<Method, Router<&'static Route>>);

impl Routes {
    /// A route that cannot be added is not served; a test finds it.
    pub fn of(table: &'static [Route]) -> Routes {
        let mut routers: HashMap<Method, Router<&'static Route>> = HashMap::new();
        for route in table {
            let added = routers.entry(route.method.clone()).or_default().insert(route.pattern, route);
            debug_assert!(added.is_ok(), "{} {}: {added:?}", route.method, route.pattern);
        }
        Routes(routers)
    }

    /// The route of a request, and the words of its path that its pattern names.
    pub fn find(&self, method: &Method, path: &str) -> Option<(&'static Route, Vec<(&'static str, String)>)> {
        let found = self.0.get(method)?.at(path).ok()?;
        let route = *found.value;
        let words =
            found.params.iter().map(|(_, word)| percent_decode_str(word).decode_utf8_lossy().into_owned());
        let names = route.pattern.split('/').filter_map(|word| word.strip_prefix('{')?.strip_suffix('}'));
        Some((route, names.zip(words).collect()))
    }
}
