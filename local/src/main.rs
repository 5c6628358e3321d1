//! The `cloud-apps` command of this checkout, with its linked apps.

use std::process::ExitCode;

fn main() -> ExitCode {
    cloud_apps::main(linked_apps::all())
}
