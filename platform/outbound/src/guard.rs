//! The judgement of names and addresses before a connection.

use std::{
    error::Error,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::{Allowed, Fault, judge};

/// Who knows the addresses of names.
pub trait Lookup: Send + Sync + 'static {
    /// Every address of `host`.
    fn lookup<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The computer's own resolver: its hosts file, then its name servers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Lets through what is on the open internet, or allowed.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) allowed: Arc<Allowed>,
    pub(crate) lookup: Arc<dyn Lookup>,
}

impl Guard {
    /// Judges what can be judged without asking anybody. A host that is a name is judged when it is
    /// resolved, by [`Resolve`].
    pub(crate) fn url(&self, url: &Url) -> Result<(), Fault> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Fault::Scheme(url.scheme().chars().take(40).collect()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Fault::UserInfo);
        }
        match url.host() {
            None | Some(Host::Domain("")) => Err(Fault::NotAUrl),
            Some(Host::Domain(_)) => Ok(()),
            Some(Host::Ipv4(address)) => self.address(&address.to_string(), address.into()),
            Some(Host::Ipv6(address)) => self.address(&address.to_string(), address.into()),
        }
    }

    fn address(&self, host: &str, address: IpAddr) -> Result<(), Fault> {
        match judge(address) {
            Some(network) if !self.allowed.address(address) => {
                Err(Fault::Address { host: host.to_owned(), address, network })
            }
            _ => Ok(()),
        }
    }

    /// The addresses of a name that may be asked; there is at least one.
    pub(crate) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Fault> {
        let unknown = |why: String| Fault::Name { host: host.to_owned(), why };
        let found = self.lookup.lookup(host).await.map_err(|error| unknown(error.to_string()))?;
        if self.allowed.host(host) && !found.is_empty() {
            return Ok(found);
        }
        let mut refused = None;
        let mut good = Vec::new();
        for address in found {
            match self.address(host, address) {
                Ok(()) => good.push(address),
                Err(fault) => refused = refused.or(Some(fault)),
            }
        }
        if good.is_empty() {
            return Err(refused.unwrap_or_else(|| unknown("it has no address".to_owned())));
        }
        Ok(good)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = guard.addresses(name.as_str()).await;
            let found = found.map_err(|fault| Box::new(fault) as Box<dyn Error + Send + Sync>)?;
            // The client puts the port of the URL in.
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
