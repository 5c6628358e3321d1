//! `cloud-apps install`, `sync`, `uninstall`, `cleanup`: how an app gets onto a Mattermost server that knows nothing of Cloud
//! Apps, is kept right there, and is removed.
//!
//! All of it runs on the admin's machine, between two sides that do not trust each other with everything: the server sees
//! the admin's token, and the bundle sees the bot's. [`install`] is the whole way. What makes it survive a crash, Ctrl-C and a
//! network that comes and goes:
//!
//! * each step looks before it acts, so any step may be done again ([`steps`]);
//! * what is about to be made is written down before ([`journal`]), without any credential: what was made is found again
//!   by its description ([`mark`]), and a secret that was lost is replaced;
//! * a run that fails takes back what it made ([`undo`]), unless it is told to keep it for another try.

mod admin;
mod adopt;
pub mod bundle;
mod bundle_error;
mod cleanup;
mod consent;
mod context;
mod credentials;
mod installation;
mod installer;
pub mod interrupt;
pub mod journal;
mod listing;
mod mark;
mod owner;
pub mod person;
mod plan;
mod preflight;
mod register;
mod registration;
mod removal;
mod request;
mod rotate_bot_token;
pub mod rotation_id;
mod runner;
mod standing;
mod steps;
mod stop;
mod sync;
mod teams;
mod undo;
mod uninstall;

pub use admin::Admin;
pub use bundle_error::BundleError;
pub use cleanup::{Cleaned, Remains, Survey, cleanup, survey};
pub use consent::{agrees, read as read_setting};
pub use credentials::ADMIN_TOKEN;
pub use installation::{Installed, install, plan, undo};
pub use installer::Installer;
pub use mark::{is_token, token_description};
pub use owner::{BundleIdentity, Owner, base_of};
pub use plan::Plan;
pub use removal::Uninstalled;
pub use request::{Request, Teams};
pub use rotate_bot_token::{Rotated, rotate_bot_token};
pub use runner::{Patience, Runner};
pub use stop::Stop;
pub use sync::{Synced, sync};
pub use uninstall::{Removal, uninstall};
