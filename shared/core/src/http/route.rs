//! The routes of the protocol, in one table: pattern, methods, the function that serves it, and its name in the log.
//!
//! API Gateway's route keys, the local bundle's paths and the template's events are all read against
//! [`ROUTES`], so a route cannot exist in one of them only. Parameters are as they stood in the path: a route
//! says where a request goes, the handler says whether its parameters have the right shape.

use http::Method;
use std::collections::HashMap;

/// The Lambda function that handles a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Handler {
    /// `functions/command`.
    Command,
    /// `functions/autocomplete`.
    Autocomplete,
    /// `functions/event`, binary `event`.
    Event,
    /// `functions/install`.
    Install,
}

/// One line of [`ROUTES`].
pub struct Entry {
    /// `POST`.
    pub method: Method,
    /// `/hooks/{install}/slash`.
    pub pattern: &'static str,
    /// Who handles it.
    pub handler: Handler,
    /// Makes the route from its parameters, in the order of the pattern.
    make: fn(&mut Parameters) -> Route,
}

/// A line is: the route, with its parameters in the order of the pattern = the name in the log, the function, the methods,
/// the pattern.
macro_rules! routes {
    ($(
        $(#[$doc:meta])*
        $route:ident $({ $($parameter:ident),+ })? = $name:literal, $handler:ident, [$($method:ident),+] $pattern:literal;
    )+) => {
        /// The routes of the protocol, with their parameters as text.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Route {
            $(
                $(#[$doc])*
                $route $({ $(
                    #[doc = concat!("`{", stringify!($parameter), "}` of the path.")]
                    $parameter: String,
                )+ })?,
            )+
            /// Nothing of ours.
            Unknown,
        }

        /// Every route of the protocol, once for each of its methods.
        pub static ROUTES: &[Entry] = &[$($(
            Entry {
                method: Method::$method,
                pattern: $pattern,
                handler: Handler::$handler,
                make: make::$route,
            },
        )+)+];

        /// Makes each route from its parameters.
        #[allow(non_snake_case)] // Each function has the name of its route.
        mod make {
            use super::{Parameters, Route};
            $(
                pub(super) fn $route(_parameters: &mut Parameters) -> Route {
                    Route::$route $({ $($parameter: _parameters.next()),+ })?
                }
            )+
        }

        impl Route {
            /// The path without host and stage: a token's `htp`.
            pub fn path(&self) -> String {
                match self {
                    $(Self::$route $({ $($parameter),+ })? => format!($pattern),)+
                    Self::Unknown => String::new(),
                }
            }

            /// The route without its parameters, for the log: a path may hold what nobody should read there.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$route $({ $($parameter: _),+ })? => $name,)+
                    Self::Unknown => "unknown",
                }
            }

            /// Which function handles it; `None` for [`Route::Unknown`].
            pub fn handler(&self) -> Option<Handler> {
                match self {
                    $(Self::$route $({ $($parameter: _),+ })? => Some(Handler::$handler),)+
                    Self::Unknown => None,
                }
            }
        }
    };
}

routes! {
    /// `POST /`: the same as `POST /command` but for the token's `htp`.
    Root = "command", Command, [POST] "/";
    /// `POST /command`.
    Command = "command", Command, [POST] "/command";
    /// `POST /app/embed`.
    Embed = "embed", Command, [POST] "/app/embed";
    /// `POST /app/answers`.
    Answers = "answers", Command, [POST] "/app/answers";
    /// A slash command. `GET` is answered with a sentence.
    Slash { install } = "slash", Command, [POST, GET] "/hooks/{install}/slash";
    /// A click on a button, or a choice in a menu.
    Action { install } = "action", Command, [POST] "/hooks/{install}/action";
    /// A dialog that was sent or closed.
    Dialog { install } = "dialog", Command, [POST] "/hooks/{install}/dialog";
    /// `POST /autocomplete`.
    Autocomplete = "autocomplete", Autocomplete, [POST] "/autocomplete";
    /// Choices for a field of a form.
    Lookup { install, function, field } = "lookup", Autocomplete, [POST] "/hooks/{install}/lookup/{function}/{field}";
    /// A form that depends on what is filled in.
    Refresh { install } = "refresh", Autocomplete, [POST] "/hooks/{install}/refresh";
    /// `POST /event`.
    Event = "event", Event, [POST] "/event";
    /// Mattermost's outgoing webhook.
    OutgoingWebhook { install } = "webhook", Event, [POST] "/hooks/{install}/webhook";
    /// A vendor's webhook: `path` says which of the app's.
    VendorWebhook { install, path } = "upstream", Event, [POST, GET] "/hooks/{install}/upstream/{path}";
    /// `GET /`: which protocol, which bundle.
    Index = "index", Install, [GET] "/";
    /// `GET /apps`: the catalogue.
    Apps = "apps", Install, [GET] "/apps";
    /// `POST /install`.
    Install = "install", Install, [POST] "/install";
    /// `POST /install/{install}/complete`.
    Complete { install } = "complete", Install, [POST] "/install/{install}/complete";
    /// `GET`, `PATCH`, `DELETE /install/{install}`.
    Installed { install } = "installed", Install, [GET, PATCH, DELETE] "/install/{install}";
    /// `PUT`, `DELETE /app/subscriptions/{name}`.
    Subscription { name } = "subscription", Install, [PUT, DELETE] "/app/subscriptions/{name}";
    /// `GET`, `POST /oauth2/{app}/connect`.
    Connect { app } = "connect", Install, [GET, POST] "/oauth2/{app}/connect";
    /// `GET /oauth2/{app}/callback`.
    Callback { app } = "callback", Install, [GET] "/oauth2/{app}/callback";
}

/// A route's parameters, taken in their order.
struct Parameters(std::vec::IntoIter<String>);

impl Parameters {
    fn next(&mut self) -> String {
        self.0.next().unwrap_or_default()
    }
}

impl Route {
    /// From API Gateway's `routeKey` (`POST /hooks/{install}/slash`) and its `pathParameters`.
    pub fn from_key(key: &str, parameters: &HashMap<String, String>) -> Self {
        let Some((method, pattern)) = key.split_once(' ') else { return Self::Unknown };
        Self::find(method, pattern).map_or(Self::Unknown, |(entry, segments)| {
            let names = segments.iter().map(|s| s.trim_matches(['{', '}', '+']));
            entry.route(names.map(|name| parameters.get(name).cloned().unwrap_or_default()).collect())
        })
    }

    /// From the method and the path of a request, without host and query.
    pub fn from_path(method: &Method, path: &str) -> Self {
        Self::find(method.as_str(), path).map_or(Self::Unknown, |(entry, segments)| entry.route(segments))
    }

    /// The line of the table, and what stands in `path` where its pattern has a parameter.
    fn find(method: &str, path: &str) -> Option<(&'static Entry, Vec<String>)> {
        ROUTES.iter().filter(|entry| entry.method.as_str() == method).find_map(|entry| {
            let mut pattern = entry.pattern.split('/');
            let mut segments = Vec::new();
            for segment in path.split('/') {
                match pattern.next()? {
                    // A parameter is never empty, so `/hooks//slash` is nobody's.
                    parameter if parameter.starts_with('{') && !segment.is_empty() => {
                        segments.push(segment.to_owned());
                    }
                    literal if literal == segment => {}
                    _ => return None,
                }
            }
            pattern.next().is_none().then_some((entry, segments))
        })
    }
}

impl Entry {
    fn route(&self, parameters: Vec<String>) -> Route {
        (self.make)(&mut Parameters(parameters.into_iter()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/hooks/{install}/slash` with `install1` for `{install}`, and so on.
    fn filled(pattern: &str) -> String {
        pattern.replace(['{', '}'], "1")
    }

    #[test]
    fn every_line_of_the_table_is_found_by_its_key_and_by_its_path_and_names_its_own_function() {
        for entry in ROUTES {
            let parameters: HashMap<String, String> = entry
                .pattern
                .split('/')
                .filter(|s| s.starts_with('{'))
                .map(|s| (s.trim_matches(['{', '}']).to_owned(), filled(s)))
                .collect();
            let by_key = Route::from_key(&format!("{} {}", entry.method, entry.pattern), &parameters);
            let by_path = Route::from_path(&entry.method, &filled(entry.pattern));
            assert_eq!(by_key, by_path, "{} {}", entry.method, entry.pattern);
            assert_eq!(by_path.path(), filled(entry.pattern));
            assert_eq!(by_path.handler(), Some(entry.handler), "{} {}", entry.method, entry.pattern);
        }
    }

    #[test]
    fn what_is_not_in_the_table_is_nobodys() {
        for (method, path) in [
            ("GET", "/command"),
            ("POST", "/commands"),
            ("POST", ""),
            ("POST", "/hooks//slash"),
            ("POST", "/hooks/a/slash/"),
            ("POST", "//command"),
        ] {
            assert_eq!(Route::from_path(&method.parse().unwrap(), path), Route::Unknown, "{method} {path}");
        }
        assert_eq!(Route::from_key("$default", &HashMap::new()), Route::Unknown);
    }

    #[test]
    fn a_key_whose_parameters_are_missing_gives_empty_ones_that_no_id_matches() {
        let route = Route::from_key("POST /hooks/{install}/slash", &HashMap::new());
        assert_eq!(route, Route::Slash { install: String::new() });
    }
}
