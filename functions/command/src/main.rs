//! The command function: V2 requests, slash commands, buttons, dialogs.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    cloud_apps_aws::run::command(linked_apps::all()).await
}
