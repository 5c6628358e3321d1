//! The event function, which verifies events and queues them. It names no apps, so the linker leaves them out.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    cloud_apps_aws::run::event().await
}
