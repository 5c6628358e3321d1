//! The apps that are linked into this bundle. To add an app, put its crate under `apps/`, and add a line to `Cargo.toml` and a
//! line here.

use cloud_app::App;

/// All linked apps.
pub fn all() -> Vec<App> {
    vec![hello::app()]
}
