//! The deliver function, which consumes the queues.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    cloud_apps_aws::run::deliver(linked_apps::all()).await
}
