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
    offline::SampleError,
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
    let on_aws = |aws: &Aws, apps| aws.services(apps).with_queue(aws.queue());
    let bundle = Started::new(Role::Command, apps, on_aws, offline::services).await?;
    let services = &bundle.parts;
    bundle.serve(async |arrival| functions::command::handle(services, arrival).await).await
}

/// Serves `/autocomplete` and the other routes of [`functions::autocomplete`].
pub async fn autocomplete(apps: Vec<App>) -> Result<(), Error> {
    let bundle = Started::new(Role::Autocomplete, apps, Aws::services, offline::services).await?;
    let services = &bundle.parts;
    bundle.serve(async |arrival| functions::autocomplete::handle(services, arrival).await).await
}

/// Serves `/event` and the other routes of [`functions::event`]. It names no apps, so none is linked into it.
pub async fn event() -> Result<(), Error> {
    let bundle = Started::new(Role::Event, Vec::new(), Aws::services, offline::services).await?;
    let services = &bundle.parts;
    bundle.serve(async |arrival| functions::event::handle(services, arrival).await).await
}

/// Serves HTTP, and operators who invoke the function directly.
pub async fn install(apps: Vec<App>) -> Result<(), Error> {
    let bundle = &Started::new(Role::Install, apps, Aws::management, offline::management).await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| -> Result<Value, Error> {
        bundle.install(event).await
    }))
    .await
}

/// Consumes the queues, and begins the upkeep of each day.
pub async fn deliver(apps: Vec<App>) -> Result<(), Error> {
    let bundle = &Started::new(Role::Deliver, apps, Aws::management, offline::management).await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| -> Result<SqsBatchResponse, Error> {
        bundle.deliver(event).await
    }))
    .await
}

/// A function that is ready to serve. Only the parts that it has are linked into it.
struct Started<P> {
    parts: P,
    clock: Clock,
}

/// What a function works with.
trait Parts {
    fn services(&self) -> &Services;
}

impl Parts for Services {
    fn services(&self) -> &Services {
        self
    }
}

impl Parts for Arc<Management> {
    fn services(&self) -> &Services {
        &self.services
    }
}

impl<P: Parts> Started<P> {
    async fn new(
        role: Role,
        apps: Vec<App>,
        on_aws: impl FnOnce(&Aws, Vec<App>) -> P,
        offline: impl FnOnce(&str, Vec<App>) -> Result<P, SampleError>,
    ) -> Result<Self, Error> {
        let config = Config::from_env(role)?;
        start_log(&config, &apps);
        check(&apps)?;
        if let Some(sample) = &config.sample {
            return Ok(Self { parts: offline(sample, apps)?, clock: Clock::Event });
        }
        let warm = config.warm_up;
        let parts = on_aws(&Aws::new(role, config)?, apps);
        if warm {
            warm_up(parts.services()).await;
        }
        Ok(Self { parts, clock: Clock::System })
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

impl Started<Arc<Management>> {
    /// Answers an operator's invocation or an HTTP request. It decides which one it is before it reads the payload as HTTP.
    async fn install(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        let LambdaEvent { payload, context } = event;
        if operator::is_operator(&payload) {
            let now = system_now();
            return Ok(operator::handle(&self.parts, payload, now, &context.request_id).await);
        }
        explain(&payload);
        let arrival = lambda::arrival(payload, &context, self.clock);
        let response = functions::install::handle(&self.parts, arrival).await;
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
            let apps = upkeep::begin(&self.parts, system_now()).await?;
            tracing::info!(
                route = "upkeep",
                apps,
                request_id = context.request_id,
                "the upkeep of the day was queued"
            );
            return Ok(SqsBatchResponse::default());
        }
        let (records, now, deadline) = lambda::records(payload, &context, self.clock)?;
        let delivery = functions::deliver::job_runner(&self.parts, self.parts.clone());
        let mut response = SqsBatchResponse::default();
        let stays = delivery.handle(&records, now, deadline).await;
        response.batch_item_failures = stays.into_iter().map(failure).collect();
        Ok(response)
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

/// The bundle's parts on AWS. Each client is built when it is first used.
struct Aws {
    config: Config,
    clients: Arc<Clients>,
    dynamo: Arc<Dynamo>,
    secrets: Arc<Secrets>,
}

impl Aws {
    fn new(role: Role, config: Config) -> Result<Self, Error> {
        let clients = Arc::new(Clients::from_env(Some(role.name()))?);
        let dynamo = Dynamo::new(Arc::clone(&clients), &config.installs_table, &config.ledger_table);
        let secrets = Secrets::new(Arc::clone(&clients), &config.stack);
        Ok(Self { config, clients, dynamo: Arc::new(dynamo), secrets: Arc::new(secrets) })
    }

    /// What every function has. It changes no install, and sends no job.
    fn services(&self, apps: Vec<App>) -> Services {
        let Self { config, clients, dynamo, secrets } = self;
        let lambda = Arc::new(Lambda::new(Arc::clone(clients)));
        let lambdas = Lambdas::new(lambda, &config.upstream_function_prefix, &config.stack);
        let stores =
            Stores { keep_installs: config.install_cache, ..Stores::new(dynamo.clone(), secrets.clone()) };
        let policy = Policy {
            allowed_networks: config.allowed_networks.clone(),
            extra_certificates: config.extra_certificates.clone(),
            loopback: false,
        };
        Services::new(apps, stores, Outbound::new(policy), Arc::new(SystemRandom))
            .with_lambdas(lambdas)
            .with_public_catalogue(config.public_catalogue)
    }

    fn queue(&self) -> Arc<Sqs> {
        Arc::new(Sqs::new(Arc::clone(&self.clients), &self.config.command_queue))
    }

    /// What a function has that changes installs.
    fn management(&self, apps: Vec<App>) -> Arc<Management> {
        let queue = self.queue();
        Arc::new(Management {
            services: Arc::new(self.services(apps).with_queue(queue.clone())),
            registry: self.dynamo.clone(),
            key_maker: self.secrets.clone(),
            queue,
            dead_letters: Arc::new(Letters::new(Arc::clone(&self.clients), &self.config.data_table)),
        })
    }
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
