//! A function that only makes one `PutItem`, with the client that the functions use: what a request that must write costs
//! at least.

use aws_sdk_dynamodb::types::AttributeValue;
use cloud_apps_aws::clients::Clients;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let clients = Clients::from_env(None)?;
    let client = clients.dynamodb();
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let key = AttributeValue::S(event.context.request_id);
        client.put_item().table_name("Ledger").item("pk", key).send().await?;
        Ok::<_, Error>(event.payload)
    }))
    .await
}
