//! The install function: installs and their configuration, by HTTP, and for operators who invoke it directly.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    cloud_apps_aws::run::install(linked_apps::all()).await
}
