//! Install and configuration, over HTTP and by an operator's direct invocation.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    cloud_apps_aws::run::install(linked_apps::all()).await
}
