//! The apps that are linked into this bundle. To add one: its crate under `apps/`, a line in `Cargo.toml`, a line here.

use cloud_app::App;

/// Every linked app.
pub fn all() -> Vec<App> {
    vec![hello::app()]
}
