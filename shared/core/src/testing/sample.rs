//! Installs, codes, teams and rings for tests of stores and handlers, numbered so that no two are equal.

use crate::store::{
    model::{Cleanup, Install, InstallCode, Ring, Sha256, SlashCommand, State, Team, TokenUpkeep},
    rules,
};
use cloud_apps_protocol::{
    AppId, Generation, InstallId, KeyId, Millis, SiteUrl, TeamId, UserId, command::Bot, server::ServerFacts,
};
use std::collections::BTreeMap;

/// The alphabet of install ids.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

fn letters(kind: char, n: usize) -> String {
    let digit =
        |i: u32| n.checked_shr(5 * i).and_then(|rest| LETTERS.get(rest % 32)).copied().unwrap_or(b'a');
    std::iter::once(kind).chain((0..25).map(|i| char::from(digit(i)))).collect()
}

/// Parses a text that is known to be valid.
fn made<T, E: std::fmt::Debug>(parsed: Result<T, E>) -> T {
    match parsed {
        Ok(value) => value,
        Err(error) => unreachable!("a sample is well-formed: {error:?}"),
    }
}

/// The app of all samples.
pub fn app() -> AppId {
    app_id("hello")
}

/// An app by its name.
pub fn app_id(name: &str) -> AppId {
    made(AppId::new(name))
}

/// The n-th install's id.
pub fn install_id(n: usize) -> InstallId {
    made(InstallId::new(letters('i', n)))
}

/// The n-th team's id.
pub fn team_id(n: usize) -> TeamId {
    made(TeamId::new(letters('t', n)))
}

/// The n-th server. They sort by their number.
pub fn site(n: usize) -> SiteUrl {
    made(SiteUrl::new(&format!("https://chat{n:06}.example.com")))
}

/// The hash of the n-th install's code.
pub fn code_hash(n: usize) -> Sha256 {
    Sha256::of(&format!("code {n}"))
}

/// An unused code for the n-th site.
pub fn code(n: usize, exp: Millis) -> InstallCode {
    InstallCode {
        sha256: code_hash(n),
        app: app(),
        site: site(n),
        base_url: "https://bundle.example.com".into(),
        exp,
        install: None,
        spent: false,
        replace: false,
    }
}

/// The n-th install, active on the n-th site.
pub fn install(n: usize) -> Install {
    Install {
        id: install_id(n),
        app: app(),
        version: "1.0.0".into(),
        manifest: None,
        site: site(n),
        state: State::Active,
        rev: 1,
        generation: Generation(1),
        previous_until: None,
        key: made(KeyId::new("1")),
        previous_key: None,
        rotation: None,
        bot: Bot { id: made(UserId::new(letters('b', n))), username: "hello".into() },
        bot_token: String::new(),
        bot_token_id: None,
        bot_token_expires_at: None,
        token_upkeep: TokenUpkeep::default(),
        static_token: None,
        static_generation: 0,
        webhooks: BTreeMap::new(),
        codes_void_until: None,
        cleanup: Cleanup::default(),
        settings: cloud_apps_protocol::Values::default(),
        passwords: std::collections::BTreeMap::default(),
        presets: Vec::new(),
        granted: cloud_apps_protocol::install::Granted::default(),
        server_version: "11.6.0".into(),
        server: ServerFacts::default(),
        base_url: "https://bundle.example.com".into(),
        installed_by: made(UserId::new(letters('u', n))),
        created_at: 1,
    }
}

/// The n-th install, pending, with the n-th code.
pub fn pending(n: usize, until: Millis) -> Install {
    Install { state: State::Pending { code: code_hash(n), until }, ..install(n) }
}

/// An install in its next state.
#[must_use]
pub fn step(install: &Install, state: State) -> Install {
    Install { state, rev: rules::next(install.rev), ..install.clone() }
}

/// A team in which a slash command with this trigger is registered; its token is `token of <trigger>`.
pub fn team(trigger: &str) -> Team {
    let command = SlashCommand {
        id: letters('c', 1),
        token_sha256: Sha256::of(&format!("token of {trigger}")),
        by_code: None,
    };
    Team { commands: [(trigger.to_owned(), command)].into(), ..Team::default() }
}

/// A ring with one key. No two of these rings are equal.
pub fn ring(app: &AppId, n: u8) -> Ring {
    Ring::generate(app.clone(), 0, [n; 32])
}
