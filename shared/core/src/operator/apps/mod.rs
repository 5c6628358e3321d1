//! Registered apps: what an operator registers, shows, removes and rotates.
//!
//! Four things are stored for such an app, in this order: its key ring, its manifest under the manifest's hash, its item, and
//! its line in the catalogue. If a registration is interrupted, no request reaches the app yet, and the same request again
//! finishes it. A removal goes the other way round.
//!
//! The item names every version that is stored, and has a MAC made with a key of the app's ring
//! ([`Binding`](crate::store::model::Binding)). An install goes on with the version that its admin agreed to. So a version
//! is stored until a later registration finds no install that has it, and a version that installs have is not replaced by
//! another manifest with the same version.

mod add;
mod bind;
mod manifest;
mod remove;
mod rotate;
mod secret;
mod show;

pub use rotate::GRACE;

pub(super) use {
    add::add,
    bind::bind_again,
    remove::remove,
    rotate::rotate,
    show::{no_such_app, show},
};
