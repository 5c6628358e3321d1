//! Finds the addresses of host names, and drops those that must not be called.

use super::{
    Policy, address,
    error::{NoAddress, RefusedAddress},
};
use async_trait::async_trait;
use cloud_apps_protocol::host::is_this_machine;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use url::Host;

/// Finds the addresses of host names.
#[async_trait]
pub trait Names: Send + Sync {
    /// The addresses of a host.
    async fn look_up(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the system.
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn look_up(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// A resolver that returns only addresses that the policy permits.
pub(super) struct Guarded {
    pub policy: Arc<Policy>,
    pub names: Arc<dyn Names>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, names) = (Arc::clone(&self.policy), Arc::clone(&self.names));
        Box::pin(async move {
            let found = names.look_up(name.as_str()).await.map_err(|error| NoAddress(Some(error)))?;
            let mut refused = None;
            let mut permitted = Vec::new();
            for address in found {
                // `http` is allowed to this machine by its name. Then the address must be this machine's.
                if is_this_machine(&Host::Domain(name.as_str())) && !address.is_loopback() {
                    continue;
                }
                match address::permitted(address, &policy.allowed_networks, policy.loopback) {
                    // With port 0, the URL's port is used.
                    Ok(()) => permitted.push(SocketAddr::new(address, 0)),
                    Err(class) => refused = Some(RefusedAddress { address, class }),
                }
            }
            match (permitted.is_empty(), refused) {
                (false, _) => Ok(Box::new(permitted.into_iter()) as Addrs),
                (true, Some(refused)) => Err(refused.into()),
                (true, None) => Err(NoAddress(None).into()),
            }
        })
    }
}
