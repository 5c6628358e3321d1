//! The routes of the protocol, in one table: method, pattern, and the function that serves it.
//!
//! API Gateway's route keys, the local bundle's paths and the template's events are all read against
//! [`ROUTES`], so a route cannot exist in one of them only. Parameters are as they stood in the path: a route
//! says where a request goes, the handler says whether its parameters have the right shape.

use http::Method;
use std::collections::HashMap;

/// The routes of the protocol, with their parameters as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `GET /`: which protocol, which bundle.
    Index,
    /// `GET /apps`: the catalogue.
    Apps,
    /// `POST /command`, and `POST /`, which differs in the token's `htp` only.
    Command {
        /// Whether it came to `/`.
        root: bool,
    },
    /// `POST /app/embed`.
    Embed,
    /// `POST /app/answers`.
    Answers,
    /// `POST` (and, with a sentence for an answer, `GET`) `/hooks/{install}/slash`.
    Slash {
        /// The install.
        install: String,
    },
    /// `POST /hooks/{install}/action`.
    Action {
        /// The install.
        install: String,
    },
    /// `POST /hooks/{install}/dialog`.
    Dialog {
        /// The install.
        install: String,
    },
    /// `POST /autocomplete`.
    Autocomplete,
    /// `POST /hooks/{install}/lookup/{function}/{field}`.
    Lookup {
        /// The install.
        install: String,
        /// The form's function.
        function: String,
        /// The field.
        field: String,
    },
    /// `POST /hooks/{install}/refresh`.
    Refresh {
        /// The install.
        install: String,
    },
    /// `POST /event`.
    Event,
    /// `POST /hooks/{install}/webhook`: Mattermost's outgoing webhook.
    Webhook {
        /// The install.
        install: String,
    },
    /// `POST` or `GET /hooks/{install}/upstream/{path}`: a vendor's webhook.
    Upstream {
        /// The install.
        install: String,
        /// Which of the app's webhooks.
        path: String,
    },
    /// `POST /install`.
    Install,
    /// `POST /install/{install}/complete`.
    Complete {
        /// The install.
        install: String,
    },
    /// `GET`, `PATCH`, `DELETE /install/{install}`.
    Installed {
        /// The install.
        install: String,
    },
    /// `PUT`, `DELETE /app/subscriptions/{name}`.
    Subscription {
        /// Its name.
        name: String,
    },
    /// `GET`, `POST /oauth2/{app}/connect`.
    Connect {
        /// The app.
        app: String,
    },
    /// `GET /oauth2/{app}/callback`.
    Callback {
        /// The app.
        app: String,
    },
    /// Nothing of ours.
    Unknown,
}

/// Which Lambda function serves a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
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
    /// Who serves it.
    pub function: Function,
    /// Makes the route from its parameters, in the order of the pattern.
    make: fn(&mut Parameters) -> Route,
}

/// Every route of the protocol.
pub static ROUTES: [Entry; 27] = {
    use Function::{Autocomplete, Command, Event, Install};
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    const fn entry(
        method: Method,
        pattern: &'static str,
        function: Function,
        make: fn(&mut Parameters) -> Route,
    ) -> Entry {
        Entry { method, pattern, function, make }
    }
    [
        entry(POST, "/", Command, |_| Route::Command { root: true }),
        entry(POST, "/command", Command, |_| Route::Command { root: false }),
        entry(POST, "/app/embed", Command, |_| Route::Embed),
        entry(POST, "/app/answers", Command, |_| Route::Answers),
        entry(POST, "/hooks/{install}/slash", Command, |p| Route::Slash { install: p.next() }),
        entry(GET, "/hooks/{install}/slash", Command, |p| Route::Slash { install: p.next() }),
        entry(POST, "/hooks/{install}/action", Command, |p| Route::Action { install: p.next() }),
        entry(POST, "/hooks/{install}/dialog", Command, |p| Route::Dialog { install: p.next() }),
        entry(POST, "/autocomplete", Autocomplete, |_| Route::Autocomplete),
        entry(POST, "/hooks/{install}/lookup/{function}/{field}", Autocomplete, |p| Route::Lookup {
            install: p.next(),
            function: p.next(),
            field: p.next(),
        }),
        entry(POST, "/hooks/{install}/refresh", Autocomplete, |p| Route::Refresh { install: p.next() }),
        entry(POST, "/event", Event, |_| Route::Event),
        entry(POST, "/hooks/{install}/webhook", Event, |p| Route::Webhook { install: p.next() }),
        entry(POST, "/hooks/{install}/upstream/{path}", Event, |p| Route::Upstream {
            install: p.next(),
            path: p.next(),
        }),
        entry(GET, "/hooks/{install}/upstream/{path}", Event, |p| Route::Upstream {
            install: p.next(),
            path: p.next(),
        }),
        entry(GET, "/", Install, |_| Route::Index),
        entry(GET, "/apps", Install, |_| Route::Apps),
        entry(POST, "/install", Install, |_| Route::Install),
        entry(POST, "/install/{install}/complete", Install, |p| Route::Complete { install: p.next() }),
        entry(GET, "/install/{install}", Install, |p| Route::Installed { install: p.next() }),
        entry(Method::PATCH, "/install/{install}", Install, |p| Route::Installed { install: p.next() }),
        entry(Method::DELETE, "/install/{install}", Install, |p| Route::Installed { install: p.next() }),
        entry(Method::PUT, "/app/subscriptions/{name}", Install, |p| Route::Subscription { name: p.next() }),
        entry(Method::DELETE, "/app/subscriptions/{name}", Install, |p| Route::Subscription {
            name: p.next(),
        }),
        entry(GET, "/oauth2/{app}/connect", Install, |p| Route::Connect { app: p.next() }),
        entry(POST, "/oauth2/{app}/connect", Install, |p| Route::Connect { app: p.next() }),
        entry(GET, "/oauth2/{app}/callback", Install, |p| Route::Callback { app: p.next() }),
    ]
};

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

    /// The path without host and stage: a token's `htp`.
    pub fn path(&self) -> String {
        match self {
            Self::Index | Self::Command { root: true } => "/".into(),
            Self::Apps => "/apps".into(),
            Self::Command { root: false } => "/command".into(),
            Self::Embed => "/app/embed".into(),
            Self::Answers => "/app/answers".into(),
            Self::Slash { install } => format!("/hooks/{install}/slash"),
            Self::Action { install } => format!("/hooks/{install}/action"),
            Self::Dialog { install } => format!("/hooks/{install}/dialog"),
            Self::Autocomplete => "/autocomplete".into(),
            Self::Lookup { install, function, field } => {
                format!("/hooks/{install}/lookup/{function}/{field}")
            }
            Self::Refresh { install } => format!("/hooks/{install}/refresh"),
            Self::Event => "/event".into(),
            Self::Webhook { install } => format!("/hooks/{install}/webhook"),
            Self::Upstream { install, path } => format!("/hooks/{install}/upstream/{path}"),
            Self::Install => "/install".into(),
            Self::Complete { install } => format!("/install/{install}/complete"),
            Self::Installed { install } => format!("/install/{install}"),
            Self::Subscription { name } => format!("/app/subscriptions/{name}"),
            Self::Connect { app } => format!("/oauth2/{app}/connect"),
            Self::Callback { app } => format!("/oauth2/{app}/callback"),
            Self::Unknown => String::new(),
        }
    }

    /// The route without its parameters, for the log: a path may hold what nobody should read there.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Apps => "apps",
            Self::Command { .. } => "command",
            Self::Embed => "embed",
            Self::Answers => "answers",
            Self::Slash { .. } => "slash",
            Self::Action { .. } => "action",
            Self::Dialog { .. } => "dialog",
            Self::Autocomplete => "autocomplete",
            Self::Lookup { .. } => "lookup",
            Self::Refresh { .. } => "refresh",
            Self::Event => "event",
            Self::Webhook { .. } => "webhook",
            Self::Upstream { .. } => "upstream",
            Self::Install => "install",
            Self::Complete { .. } => "complete",
            Self::Installed { .. } => "installed",
            Self::Subscription { .. } => "subscription",
            Self::Connect { .. } => "connect",
            Self::Callback { .. } => "callback",
            Self::Unknown => "unknown",
        }
    }

    /// Which function serves it; `None` for [`Route::Unknown`].
    pub fn function(&self) -> Option<Function> {
        Some(match self {
            Self::Command { .. }
            | Self::Embed
            | Self::Answers
            | Self::Slash { .. }
            | Self::Action { .. }
            | Self::Dialog { .. } => Function::Command,
            Self::Autocomplete | Self::Lookup { .. } | Self::Refresh { .. } => Function::Autocomplete,
            Self::Event | Self::Webhook { .. } | Self::Upstream { .. } => Function::Event,
            Self::Index
            | Self::Apps
            | Self::Install
            | Self::Complete { .. }
            | Self::Installed { .. }
            | Self::Subscription { .. }
            | Self::Connect { .. }
            | Self::Callback { .. } => Function::Install,
            Self::Unknown => return None,
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
        for entry in &ROUTES {
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
            assert_eq!(by_path.function(), Some(entry.function), "{} {}", entry.method, entry.pattern);
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
