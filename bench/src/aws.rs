//! A stub of DynamoDB and Secrets Manager on loopback that counts calls. It stores what is put, returns what is asked for
//! by key, and ignores conditions: it must be fast and always the same, and need not be correct.

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::IntoResponse};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Calls by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// Reads of `DynamoDB`.
    pub reads: u64,
    /// Writes to `DynamoDB`; a transaction is one.
    pub writes: u64,
    /// Calls to Secrets Manager.
    pub secrets: u64,
}

#[derive(Default)]
struct Kept {
    items: BTreeMap<String, Value>,
    secrets: BTreeMap<String, String>,
    calls: Calls,
}

/// The stub. It is cheap to clone.
#[derive(Clone, Default)]
pub struct Stub(Arc<Mutex<Kept>>);

impl Stub {
    /// Serves it; returns its endpoint.
    pub async fn serve(&self) -> Result<String, String> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|e| e.to_string())?;
        let address = listener.local_addr().map_err(|e| e.to_string())?;
        let routes = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        });
        Ok(format!("http://{address}"))
    }

    /// The calls since the last call of this function.
    pub fn take_calls(&self) -> Calls {
        std::mem::take(&mut self.kept().calls)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Table and key attributes: `Installs INSTALL#… INSTALL`.
fn key(table: &Value, of: &Value) -> String {
    let attribute =
        |name: &str| of.pointer(&format!("/{name}/S")).and_then(Value::as_str).unwrap_or_default();
    format!("{} {} {}", table.as_str().unwrap_or_default(), attribute("pk"), attribute("sk"))
}

fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

async fn answer(State(stub): State<Stub>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let target = headers.get("x-amz-target").and_then(|t| t.to_str().ok()).unwrap_or_default();
    let (service, operation) = target.split_once('.').unwrap_or_default();
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut kept = stub.kept();
    let mut status = 200;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if service == "secretsmanager" {
        kept.calls.secrets += 1;
    } else if matches!(operation, "GetItem" | "BatchGetItem" | "Query") {
        kept.calls.reads += 1;
    } else {
        kept.calls.writes += 1;
    }
    let found = match operation {
        "GetItem" => match kept.items.get(&key(at(&request, "/TableName"), at(&request, "/Key"))) {
            Some(item) => json!({ "Item": item }),
            None => json!({}),
        },
        "BatchGetItem" => {
            let mut responses = serde_json::Map::new();
            for (table, wanted) in
                request.get("RequestItems").and_then(Value::as_object).into_iter().flatten()
            {
                let items: Vec<&Value> = list(wanted, "/Keys")
                    .filter_map(|k| kept.items.get(&key(&Value::String(table.clone()), k)))
                    .collect();
                responses.insert(table.clone(), json!(items));
            }
            json!({ "Responses": responses, "UnprocessedKeys": {} })
        }
        "PutItem" => {
            let place = key(at(&request, "/TableName"), at(&request, "/Item"));
            kept.items.insert(place, at(&request, "/Item").clone());
            json!({})
        }
        "TransactWriteItems" => {
            for put in list(&request, "/TransactItems").filter_map(|item| item.get("Put")) {
                let place = key(at(put, "/TableName"), at(put, "/Item"));
                kept.items.insert(place, at(put, "/Item").clone());
            }
            json!({})
        }
        "CreateSecret" => {
            kept.secrets.insert(text(at(&request, "/Name")), text(at(&request, "/SecretString")));
            json!({ "Name": at(&request, "/Name"), "VersionId": "1" })
        }
        "GetSecretValue" => {
            if let Some(secret) = kept.secrets.get(&text(at(&request, "/SecretId"))) {
                json!({ "Name": at(&request, "/SecretId"), "SecretString": secret, "VersionId": "1" })
            } else {
                status = 400;
                json!({ "__type": "ResourceNotFoundException", "Message": "no such secret" })
            }
        }
        _ => json!({}),
    };
    let status = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    (status, [("content-type", "application/x-amz-json-1.0")], found.to_string())
}
