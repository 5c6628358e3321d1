//! What the queues' consumer does with jobs it does not know.

use cloud_apps_core::deliver::{self, Record};

#[tokio::test]
async fn an_unknown_job_stays_on_the_queue() {
    let records: Vec<_> = [r#"{"v":1,"job":"later"}"#, "not json", ""]
        .iter()
        .enumerate()
        .map(|(n, body)| Record { id: format!("message-{n}"), body: (*body).to_owned() })
        .collect();
    assert_eq!(deliver::handle(&records).await, ["message-0", "message-1", "message-2"]);
    assert!(deliver::handle(&[]).await.is_empty());
}
