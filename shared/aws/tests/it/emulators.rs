//! The addresses of the emulators, and new tables in them.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
};
use cloud_apps_aws::{clients::Clients, dynamodb::Dynamo};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// One emulator.
#[derive(Clone)]
pub struct Emulator {
    pub endpoint: String,
}

impl Emulator {
    /// Amazon's DynamoDB Local.
    pub fn dynamodb_local() -> Self {
        Self::named(&["DYNAMODB_LOCAL_URL"], "DynamoDB Local")
    }

    /// The emulator of the stack.
    pub fn of_the_stack() -> Self {
        Self::named(&["MINISTACK_URL", "AWS_ENDPOINT_URL"], "the emulator of the stack (ministack)")
    }

    fn named(variables: &[&str], what: &str) -> Self {
        let found = variables.iter().find_map(|name| std::env::var(name).ok().filter(|url| !url.is_empty()));
        let endpoint = found.unwrap_or_else(|| {
            panic!(
                "{what} is not running: {} is not set. `make test` starts it and runs this.",
                variables.join(" or ")
            )
        });
        Self { endpoint }
    }

    /// Clients that reach only this emulator.
    pub fn clients(&self) -> Clients {
        Clients::from_variables(Some("ConformanceTest"), |name| match name {
            "AWS_REGION" => Some("eu-central-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
            "AWS_ENDPOINT_URL" => Some(self.endpoint.clone()),
            _ => None,
        })
        .unwrap()
    }

    /// Two new tables, as the template declares them.
    pub async fn tables(&self) -> Tables {
        let clients = Arc::new(self.clients());
        let name = fresh("conformance");
        let (installs, ledger) = (format!("{name}-installs"), format!("{name}-ledger"));
        create(&clients, &installs, &[("pk", KeyType::Hash), ("sk", KeyType::Range)]).await;
        create(&clients, &ledger, &[("pk", KeyType::Hash)]).await;
        Tables { emulator: self.clone(), clients, installs, ledger }
    }

    /// A new table of data, as the template declares it.
    pub async fn data(&self) -> (Arc<Clients>, String) {
        let (clients, name) = (Arc::new(self.clients()), fresh("conformance-data"));
        create(&clients, &name, &[("pk", KeyType::Hash), ("sk", KeyType::Range)]).await;
        (clients, name)
    }
}

/// A name that no other test uses, in this run or in another run on the same emulator.
pub fn fresh(what: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let n = NEXT.fetch_add(1, Ordering::SeqCst);
    format!("{what}-{}-{}-{n}", std::process::id(), started.as_nanos())
}

async fn create(clients: &Clients, name: &str, keys: &[(&str, KeyType)]) {
    let mut request =
        clients.dynamodb().create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, kind) in keys {
        let definition = AttributeDefinition::builder().attribute_name(*attribute);
        let definition = definition.attribute_type(ScalarAttributeType::S).build().unwrap();
        let key =
            KeySchemaElement::builder().attribute_name(*attribute).key_type(kind.clone()).build().unwrap();
        request = request.attribute_definitions(definition).key_schema(key);
    }
    let table = request.send().await.unwrap().table_description.unwrap();
    assert_eq!(table.table_status, Some(TableStatus::Active), "both emulators make a table at once");
}

/// Two tables of one test.
pub struct Tables {
    pub emulator: Emulator,
    pub clients: Arc<Clients>,
    pub installs: String,
    pub ledger: String,
}

impl Tables {
    pub fn store(&self) -> Dynamo {
        Dynamo::new(Arc::clone(&self.clients), &self.installs, &self.ledger)
    }
}
