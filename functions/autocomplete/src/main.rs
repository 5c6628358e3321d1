//! The autocomplete function: suggestions in the message box, lookups, refreshed forms.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    cloud_apps_aws::run::autocomplete(linked_apps::all()).await
}
