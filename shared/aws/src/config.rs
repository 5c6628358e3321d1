//! The environment of a function. It is read once, and all problems are reported together.
//!
//! Our variables are `CLOUD_APPS_*`; the others are for Lambda and the SDKs. An empty variable counts as absent, because
//! `sam local` sets only variables that the template declares, and the template declares them as empty.

use ipnet::IpNet;
use std::{collections::BTreeMap, fmt};

/// Which of the five functions this is. Its name is in the user agent of all calls to AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // The functions of the template.
pub enum Role {
    Command,
    Autocomplete,
    Event,
    Deliver,
    Install,
}

impl Role {
    /// Its logical id in the template.
    pub fn name(self) -> &'static str {
        match self {
            Self::Command => "CommandFunction",
            Self::Autocomplete => "AutocompleteFunction",
            Self::Event => "EventFunction",
            Self::Deliver => "DeliverFunction",
            Self::Install => "InstallFunction",
        }
    }
}

/// One variable: its name, who needs it, what it means. Tests compare the table in the documentation and the template with
/// this list.
pub struct Variable {
    /// `CLOUD_APPS_…`.
    pub name: &'static str,
    /// Functions that do not start without it.
    pub required: &'static [Role],
    /// What it means, with its unit.
    pub meaning: &'static str,
}

const ALL: &[Role] = &[Role::Command, Role::Autocomplete, Role::Event, Role::Deliver, Role::Install];
/// The functions that send jobs.
const SENDERS: &[Role] = &[Role::Command, Role::Deliver, Role::Install];
const UPKEEP: &[Role] = &[Role::Deliver, Role::Install];

/// All variables.
pub const VARIABLES: &[Variable] = &[
    Variable {
        name: "CLOUD_APPS_STACK",
        required: ALL,
        meaning: "Name of the stack; the key ring of an app is the secret `<stack>/app/<app>/keys`.",
    },
    Variable {
        name: "CLOUD_APPS_INSTALLS_TABLE",
        required: ALL,
        meaning: "Name of the DynamoDB table of apps and installs.",
    },
    Variable {
        name: "CLOUD_APPS_LEDGER_TABLE",
        required: &[Role::Command, Role::Deliver, Role::Install],
        meaning: "Name of the DynamoDB table of codes, spent tokens and claims.",
    },
    Variable {
        name: "CLOUD_APPS_DATA_TABLE",
        required: UPKEEP,
        meaning: "Name of the DynamoDB table of what functions write while they run: jobs that were given up.",
    },
    Variable {
        name: "CLOUD_APPS_COMMAND_QUEUE_URL",
        required: SENDERS,
        meaning: "URL of the SQS queue of deferred work.",
    },
    Variable {
        name: "CLOUD_APPS_ALLOWED_NETWORKS",
        required: &[],
        meaning: "Networks that may be reached although they are not public, separated by commas: `10.0.0.0/8`.",
    },
    Variable {
        name: "CLOUD_APPS_EXTRA_CERTIFICATES",
        required: &[],
        meaning: "PEM of certificate authorities that are trusted beside the public ones.",
    },
    Variable {
        name: "CLOUD_APPS_INSTALL_CACHE_SECONDS",
        required: &[],
        meaning: "How long an install is served from memory, in seconds (default 60; 0: never).",
    },
    Variable {
        name: "CLOUD_APPS_UPSTREAM_FUNCTION_PREFIX",
        required: &[],
        meaning: "How the names of Lambda functions begin that apps may run in (default `cloud-app-`).",
    },
    Variable {
        name: "CLOUD_APPS_PUBLIC_CATALOGUE",
        required: &[],
        meaning: "`on`: anybody may see which apps there are (`GET /apps`; default `off`).",
    },
    Variable {
        name: "CLOUD_APPS_LOG_LEVEL",
        required: &[],
        meaning: "The most detailed lines of the bundle and its apps: `error`, `warn`, `info` (default), `debug` or `trace`. Other crates write warnings and errors only.",
    },
    Variable {
        name: "CLOUD_APPS_WARM_UP",
        required: &[],
        meaning: "`off`: connections and key rings wait for the first request (default `on`).",
    },
    Variable {
        name: "CLOUD_APPS_SAMPLE",
        required: &[],
        meaning: "Under `sam local` only: the sample install of `events/env.json`, kept in memory.",
    },
];

/// The environment as a struct.
#[derive(Clone)]
pub struct Config {
    /// The stack's name.
    pub stack: String,
    /// Installs table.
    pub installs_table: String,
    /// Ledger table.
    pub ledger_table: String,
    /// Data table; empty in a function that does not need it.
    pub data_table: String,
    /// URL of the queue of deferred work; empty in a function that sends nothing.
    pub command_queue: String,
    /// See [`cloud_app::http::Policy`].
    pub allowed_networks: Vec<IpNet>,
    /// See [`cloud_app::http::Policy`].
    pub extra_certificates: Option<String>,
    /// The prefix of the names of Lambda functions that apps may run in.
    pub upstream_function_prefix: String,
    /// Whether everybody may see the list of apps.
    pub public_catalogue: bool,
    /// How long an install is served from memory, in milliseconds.
    pub install_cache: u64,
    /// The most detailed level that is written.
    pub log_level: tracing::Level,
    /// Whether INIT opens connections and reads rings.
    pub warm_up: bool,
    /// The sample install, under `sam local` only.
    pub sample: Option<String>,
    /// Variables that no function reads, probably because of a typing mistake.
    pub unknown: Vec<String>,
}

/// Everything that is wrong with the environment.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    role: Role,
    problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot start: {}", self.role.name(), self.problems.join(" "))
    }
}

impl Config {
    /// Reads the environment of this process.
    pub fn from_env(role: Role) -> Result<Self, ConfigError> {
        Self::read(role, std::env::vars())
    }

    /// Reads variables.
    pub fn read(
        role: Role,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let given: BTreeMap<String, String> =
            variables.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let mut problems = Vec::new();
        let sample = given.get("CLOUD_APPS_SAMPLE").cloned();
        let local = given.get("AWS_SAM_LOCAL").is_some_and(|v| v == "true");
        if sample.is_some() && !local {
            problems.push(
                "CLOUD_APPS_SAMPLE is set, which holds keys that anybody can read; it works under `sam local` only. \
                 Remove it from the function's environment."
                    .to_owned(),
            );
        }
        for variable in VARIABLES {
            if variable.required.contains(&role) && sample.is_none() && !given.contains_key(variable.name) {
                problems.push(format!(
                    "{} is not set. {} The template sets it.",
                    variable.name, variable.meaning
                ));
            }
        }
        let text = |name: &str| given.get(name).cloned().unwrap_or_default();
        let mut choose = |name: &str, default: &str, check: &dyn Fn(&str) -> bool, expected: &str| {
            let value = given.get(name).map_or(default, String::as_str);
            if !check(value) {
                problems.push(format!("{name} is {value:?}: write {expected}."));
            }
            value.to_owned()
        };
        let level = choose(
            "CLOUD_APPS_LOG_LEVEL",
            "info",
            &|v| v.parse::<tracing::Level>().is_ok(),
            "error, warn, info, debug or trace",
        );
        let warm_up = choose("CLOUD_APPS_WARM_UP", "on", &|v| v == "on" || v == "off", "on or off");
        let catalogue =
            choose("CLOUD_APPS_PUBLIC_CATALOGUE", "off", &|v| v == "on" || v == "off", "on or off");
        // A shorter prefix would allow functions that are not apps.
        let prefix = choose(
            "CLOUD_APPS_UPSTREAM_FUNCTION_PREFIX",
            "cloud-app-",
            &|v| v.len() >= 3 && v.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
            "at least three of the characters that a function's name may have",
        );
        let cache = choose(
            "CLOUD_APPS_INSTALL_CACHE_SECONDS",
            "60",
            &|v| v.parse::<u32>().is_ok(),
            "a number of seconds",
        );
        let mut allowed_networks = Vec::new();
        for network in text("CLOUD_APPS_ALLOWED_NETWORKS").split(',').map(str::trim).filter(|n| !n.is_empty())
        {
            match network.parse() {
                Ok(network) => allowed_networks.push(network),
                Err(_) => problems.push(format!(
                    "CLOUD_APPS_ALLOWED_NETWORKS has {network:?}: write networks such as 10.1.0.0/16, separated by commas."
                )),
            }
        }
        if !problems.is_empty() {
            return Err(ConfigError { role, problems });
        }
        let known = |name: &str| VARIABLES.iter().any(|v| v.name == name);
        Ok(Self {
            stack: text("CLOUD_APPS_STACK"),
            installs_table: text("CLOUD_APPS_INSTALLS_TABLE"),
            ledger_table: text("CLOUD_APPS_LEDGER_TABLE"),
            data_table: text("CLOUD_APPS_DATA_TABLE"),
            command_queue: text("CLOUD_APPS_COMMAND_QUEUE_URL"),
            allowed_networks,
            extra_certificates: given.get("CLOUD_APPS_EXTRA_CERTIFICATES").cloned(),
            upstream_function_prefix: prefix,
            public_catalogue: catalogue == "on",
            install_cache: cache.parse::<u64>().unwrap_or(60) * 1000,
            log_level: level.parse().unwrap_or(tracing::Level::INFO),
            warm_up: warm_up == "on",
            sample,
            unknown: given.keys().filter(|n| n.starts_with("CLOUD_APPS_") && !known(n)).cloned().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(role: Role, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(role, variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
    }

    const WHOLE: [(&str, &str); 3] =
        [("CLOUD_APPS_STACK", "s"), ("CLOUD_APPS_INSTALLS_TABLE", "i"), ("CLOUD_APPS_LEDGER_TABLE", "l")];

    #[test]
    fn every_problem_is_reported_at_once() {
        let error = read(
            Role::Command,
            &[
                ("CLOUD_APPS_STACK", ""),
                ("CLOUD_APPS_LOG_LEVEL", "loud"),
                ("CLOUD_APPS_ALLOWED_NETWORKS", "10.0.0.0/8, here"),
                ("CLOUD_APPS_INSTALL_CACHE_SECONDS", "-1"),
            ],
        )
        .err()
        .expect("refused")
        .to_string();
        for part in [
            "CLOUD_APPS_STACK is not set",
            "CLOUD_APPS_INSTALLS_TABLE is not set",
            "\"loud\"",
            "\"here\"",
            "\"-1\"",
        ] {
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
        assert!(!error.contains("10.0.0.0/8"), "{error}");
    }

    #[test]
    fn a_function_does_not_ask_for_what_it_does_not_use() {
        assert!(read(Role::Event, &WHOLE[..2]).is_ok());
        assert!(read(Role::Command, &WHOLE[..2]).is_err());
        let queue = [("CLOUD_APPS_DATA_TABLE", "d"), ("CLOUD_APPS_COMMAND_QUEUE_URL", "q")];
        assert!(read(Role::Command, &WHOLE).is_err());
        assert!(read(Role::Command, &[&WHOLE[..], &queue[1..]].concat()).is_ok());
        for role in [Role::Deliver, Role::Install] {
            assert!(read(role, &WHOLE).is_err());
            assert!(read(role, &[&WHOLE[..], &queue[..]].concat()).is_ok());
        }
    }

    #[test]
    fn a_sample_is_refused_where_it_could_be_reached() {
        let sample = [("CLOUD_APPS_SAMPLE", "{}")];
        let error =
            read(Role::Command, &[&WHOLE[..], &sample[..]].concat()).err().expect("refused").to_string();
        assert!(error.contains("sam local"), "{error}");
        assert!(read(Role::Command, &[("CLOUD_APPS_SAMPLE", "{}"), ("AWS_SAM_LOCAL", "true")]).is_ok());
    }

    #[test]
    fn an_unknown_variable_is_a_warning() {
        let config =
            read(Role::Event, &[&WHOLE[..], &[("CLOUD_APPS_STAK", "s")][..]].concat()).expect("read");
        assert_eq!(config.unknown, ["CLOUD_APPS_STAK"]);
    }
}
