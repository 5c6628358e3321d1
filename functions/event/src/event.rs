//! Events: verified and queued. It names no apps, so the linker drops them.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    cloud_apps_aws::run::event().await
}
