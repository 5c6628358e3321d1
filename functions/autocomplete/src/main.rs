//! Completion: what may follow in the message box, look-ups, refreshed forms.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    cloud_apps_aws::run::autocomplete(linked_apps::all()).await
}
