//! The bundle of a test, part by part.

use cloud_app::{
    App,
    http::{Outbound, Policy},
};
use cloud_apps_core::{
    apps::Lambdas,
    bundle::Bundle,
    random::{Random, SystemRandom},
    services::{Management, Services, Stores},
    store::memory::Memory,
    testing::faults::{Faults, Faulty},
};
use std::sync::Arc;

/// A bundle that is being built. If a test says no more, it has the app of [`crate::jira`], it calls nothing but this
/// machine, its random bytes are random, and nothing fails.
pub struct Build {
    memory: Memory,
    app: App,
    http: Outbound,
    random: Arc<dyn Random>,
    lambdas: Option<Lambdas>,
    public_catalogue: bool,
    faults: Faults,
    ledger_faults: Faults,
}

impl Build {
    /// A new process over this store. Its caches are empty.
    pub fn over(memory: &Memory) -> Self {
        Self {
            memory: memory.clone(),
            app: crate::jira::app(),
            http: Outbound::new(Policy { loopback: true, ..Policy::default() }),
            random: Arc::new(SystemRandom),
            lambdas: None,
            public_catalogue: false,
            faults: Faults::none(),
            ledger_faults: Faults::none(),
        }
    }

    /// The app that is linked into it.
    pub fn app(self, app: App) -> Self {
        Self { app, ..self }
    }

    /// Where its calls go.
    pub fn http(self, http: Outbound) -> Self {
        Self { http, ..self }
    }

    pub fn random(self, random: impl Random + 'static) -> Self {
        Self { random: Arc::new(random), ..self }
    }

    /// Apps that run in Lambda functions.
    pub fn lambdas(self, lambdas: Lambdas) -> Self {
        Self { lambdas: Some(lambdas), ..self }
    }

    pub fn public_catalogue(self) -> Self {
        Self { public_catalogue: true, ..self }
    }

    /// What fails of all its stores.
    pub fn faults(self, faults: &Faults) -> Self {
        Self { faults: faults.clone(), ..self }
    }

    /// What fails of its ledger only.
    pub fn ledger_faults(self, ledger_faults: Faults) -> Self {
        Self { ledger_faults, ..self }
    }

    fn store(&self) -> Arc<Faulty<Memory>> {
        Arc::new(Faulty::new(self.memory.clone(), self.faults.clone()))
    }

    pub fn services(self) -> Services {
        let ledger =
            Faulty::new(Faulty::new(self.memory.clone(), self.faults.clone()), self.ledger_faults.clone());
        let stores = Stores { ledger: Arc::new(ledger), ..Stores::new(self.store(), self.store()) };
        let mut services = Services::new([self.app], stores, self.http, self.random)
            .with_public_catalogue(self.public_catalogue);
        services.app_client.lambdas = self.lambdas;
        services
    }

    pub fn management(self) -> Management {
        let store = self.store();
        Management::new(self.services(), store.clone(), store)
    }

    pub fn bundle(self) -> Bundle {
        Bundle::new(self.management())
    }
}
