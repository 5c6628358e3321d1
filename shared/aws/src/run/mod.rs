//! The five functions: each reads its environment, builds its services on AWS, and serves.
//!
//! The `main` of a function calls one of these with the list of its apps. A client is built when it is first needed. Only
//! [`warm_up`] does work before the first request, because INIT has a whole processor and the first request does not.

use crate::{
    clients::Clients,
    config::{Config, Role},
    dynamodb::{Dynamo, Letters},
    functions::Lambda,
    lambda::{self, Clock},
    offline,
    secrets::Secrets,
    sqs::Sqs,
    telemetry,
};
use aws_lambda_events::{
    apigw::ApiGatewayV2httpResponse,
    sqs::{BatchItemFailure, SqsBatchResponse},
};
use bytes::Bytes;
use cloud_app::{
    App,
    http::{Outbound, Policy},
};
use cloud_apps_core::{
    apps::Lambdas,
    functions,
    http::{Arrival, system_now},
    log::LogFilter,
    operator,
    random::SystemRandom,
    services::{Management, Services, Stores},
    upkeep,
};
use cloud_apps_protocol::InstallId;
use http::Response;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// How long INIT may warm up. After that, the function starts without the rest.
const WARM_UP: Duration = Duration::from_millis(800);

/// Serves `/command` and the other routes of [`functions::command`].
pub async fn command(apps: Vec<App>) -> Result<(), Error> {
    let bundle = Started::new(Role::Command, apps).await?;
    let services = &bundle.management.services;
    bundle.serve(async |arrival| functions::command::handle(services, arrival).await).await
}

/// Serves `/autocomplete` and the other routes of [`functions::autocomplete`].
pub async fn autocomplete(apps: Vec<App>) -> Result<(), Error> {
    let bundle = Started::new(Role::Autocomplete, apps).await?;
    let services = &bundle.management.services;
    bundle.serve(async |arrival| functions::autocomplete::handle(services, arrival).await).await
}

/// Serves `/event` and the other routes of [`functions::event`]. It names no apps, so none is linked into it.
pub async fn event() -> Result<(), Error> {
    let bundle = Started::new(Role::Event, Vec::new()).await?;
    let services = &bundle.management.services;
    bundle.serve(async |arrival| functions::event::handle(services, arrival).await).await
}

/// Serves HTTP, and operators who invoke the function directly.
pub async fn install(apps: Vec<App>) -> Result<(), Error> {
    let bundle = &Started::new(Role::Install, apps).await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| -> Result<Value, Error> {
        bundle.install(event).await
    }))
    .await
}

/// Consumes the queues, and begins the upkeep of each day.
pub async fn deliver(apps: Vec<App>) -> Result<(), Error> {
    let bundle = &Started::new(Role::Deliver, apps).await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| -> Result<SqsBatchResponse, Error> {
        bundle.deliver(event).await
    }))
    .await
}

/// A function that is ready to serve.
struct Started {
    management: Arc<Management>,
    clock: Clock,
}

impl Started {
    async fn new(role: Role, apps: Vec<App>) -> Result<Self, Error> {
        let config = Config::from_env(role)?;
        start_log(&config, &apps);
        check(&apps)?;
        if let Some(sample) = &config.sample {
            let management = Arc::new(offline::management(sample, apps)?);
            return Ok(Self { management, clock: Clock::Event });
        }
        let management = Arc::new(management(role, &config, apps)?);
        if config.warm_up {
            warm_up(&management.services).await;
        }
        Ok(Self { management, clock: Clock::System })
    }

    /// Answers an operator's invocation or an HTTP request. It decides which one it is before it reads the payload as HTTP.
    async fn install(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        let LambdaEvent { payload, context } = event;
        if operator::is_operator(&payload) {
            let now = system_now();
            return Ok(operator::handle(&self.management, payload, now, &context.request_id).await);
        }
        explain(&payload);
        let arrival = lambda::arrival(payload, &context, self.clock);
        let response = functions::install::handle(&self.management, arrival).await;
        Ok(serde_json::to_value(lambda::response(response))?)
    }

    /// Begins the upkeep of the day, if this is the event of the schedule. If that fails, the function fails, and Lambda calls it
    /// again.
    ///
    /// Otherwise it works on one batch of a queue. The answer names the messages that must come again; a batch never makes the function
    /// itself fail.
    async fn deliver(&self, event: LambdaEvent<Value>) -> Result<SqsBatchResponse, Error> {
        let LambdaEvent { payload, context } = event;
        if lambda::is_upkeep(&payload) {
            let apps = upkeep::begin(&self.management, system_now()).await?;
            tracing::info!(
                route = "upkeep",
                apps,
                request_id = context.request_id,
                "the upkeep of the day was queued"
            );
            return Ok(SqsBatchResponse::default());
        }
        let (records, now, deadline) = lambda::records(payload, &context, self.clock)?;
        let delivery = functions::deliver::job_runner(&self.management, self.management.clone());
        let mut response = SqsBatchResponse::default();
        let stays = delivery.handle(&records, now, deadline).await;
        response.batch_item_failures = stays.into_iter().map(failure).collect();
        Ok(response)
    }

    async fn serve(&self, handle: impl AsyncFn(Arrival) -> Response<Bytes>) -> Result<(), Error> {
        let handle = &handle;
        lambda_runtime::run(service_fn(
            async |event: LambdaEvent<Value>| -> Result<ApiGatewayV2httpResponse, Error> {
                explain(&event.payload);
                let arrival = lambda::arrival(event.payload, &event.context, self.clock);
                Ok(lambda::response(handle(arrival).await))
            },
        ))
        .await
    }
}

/// Says in the log what the function takes, if an event is none of that. Such an event is answered like an unknown route.
fn explain(event: &Value) {
    if !lambda::is_request(event) {
        tracing::warn!("{}", lambda::NOT_A_REQUEST);
    }
}

fn failure(message: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = message;
    failure
}

fn start_log(config: &Config, apps: &[App]) {
    telemetry::start(LogFilter::new(config.log_level, apps));
    for variable in &config.unknown {
        tracing::warn!(variable, "no function reads this variable; check the spelling of its name");
    }
}

/// Stops the function at its start if the definition of an app is wrong, and reports all problems.
fn check(apps: &[App]) -> Result<(), Error> {
    let problems = App::check_all(apps);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(format!("an app is not well defined: {}", problems.join("; ")).into())
    }
}

/// The services on AWS. Each client is built when it is first used.
pub fn management(role: Role, config: &Config, apps: Vec<App>) -> Result<Management, Error> {
    let clients = Arc::new(Clients::from_env(Some(role.name()))?);
    let dynamo = Arc::new(Dynamo::new(Arc::clone(&clients), &config.installs_table, &config.ledger_table));
    let queue = Arc::new(Sqs::new(Arc::clone(&clients), &config.command_queue));
    let dead_letters = Arc::new(Letters::new(Arc::clone(&clients), &config.data_table));
    let secrets = Arc::new(Secrets::new(Arc::clone(&clients), &config.stack));
    let lambdas =
        Lambdas::new(Arc::new(Lambda::new(clients)), &config.upstream_function_prefix, &config.stack);
    let stores =
        Stores { keep_installs: config.install_cache, ..Stores::new(dynamo.clone(), secrets.clone()) };
    let policy = Policy {
        allowed_networks: config.allowed_networks.clone(),
        extra_certificates: config.extra_certificates.clone(),
        loopback: false,
    };
    let mut services = Services::new(apps, stores, Outbound::new(policy), Arc::new(SystemRandom))
        .with_lambdas(lambdas)
        .with_public_catalogue(config.public_catalogue);
    // Only functions that may send jobs have the queue's address.
    if !config.command_queue.is_empty() {
        services = services.with_queue(queue.clone());
    }
    Ok(Management { services: Arc::new(services), registry: dynamo, key_maker: secrets, queue, dead_letters })
}

/// Opens the connections that the first request will use, and reads the key rings of the linked apps. If something fails
/// here, the request that needs it tries again.
async fn warm_up(services: &Services) {
    let now = system_now();
    let _ = tokio::time::timeout(WARM_UP, async {
        // No install has this id: it has 26 characters, but it is not random.
        let absent = InstallId::new("a".repeat(26));
        let install = async {
            if let Ok(absent) = absent {
                let _ = services
                    .installs
                    .find(&absent, cloud_apps_core::store::cache::Freshness::Cached, now)
                    .await;
            }
        };
        let rings = async {
            for app in services.apps.linked.keys() {
                let _ = services.keys.current(app, now).await;
            }
        };
        tokio::join!(install, rings)
    })
    .await;
}

#[cfg(test)]
mod tests;
