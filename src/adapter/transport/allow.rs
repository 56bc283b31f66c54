//! The network allow-list: checked before a connection, and for names inside the resolver, so that the address that was
//! checked is the one connected to, whatever a second question to the name server would answer.

use std::{
    error::Error,
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Transport, address, fault};
use crate::{
    adapter::{Fault, NOBODY},
    domain::{delivery::Reason, detail::Detail, settings::AllowRule},
};

/// The rules.
#[derive(Debug)]
pub(super) struct AllowList {
    rules: Vec<AllowRule>,
}

impl AllowList {
    pub(super) fn new(rules: Vec<AllowRule>) -> Self {
        Self { rules }
    }

    fn allows_name(&self, host: &str) -> bool {
        self.rules.iter().any(|rule| rule.names(host))
    }

    fn allows_address(&self, address: IpAddr) -> bool {
        self.rules.iter().any(|rule| rule.covers(address))
    }

    /// The addresses of a host, all of them allowed: by its name, or each by itself. One address outside is enough for a no: which
    /// one would be used is chance.
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Option<Vec<SocketAddr>>> {
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
        let is_allowed = self.allows_name(host)
            || addresses
                .iter()
                .all(|address| self.allows_address(address.ip()));
        Ok(is_allowed.then_some(addresses))
    }

    /// The same for whoever connects without the HTTP client, which has a resolver of its own.
    pub(super) async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Fault> {
        match self.resolve(host, port).await {
            Ok(Some(addresses)) if addresses.is_empty() => Err(no_address()),
            Ok(Some(addresses)) => Ok(addresses),
            Ok(None) => Err(denied()),
            Err(error) => Err(Fault::never_left(Reason::NoAddress, fault::met(&error))),
        }
    }

    /// What can be said from the host alone. Names that only a range could allow are left to the resolver, unless there
    /// is none.
    pub(super) fn check_before_connecting(
        &self,
        host: &str,
        no_resolver: bool,
    ) -> Result<(), Fault> {
        let allowed = match host.parse::<IpAddr>() {
            Ok(address) => self.allows_address(address) || self.allows_name(host),
            // What stands for an address that is secret: the simulated city does not know which host it names.
            Err(_) => !no_resolver || self.allows_name(host) || host.ends_with(NOBODY),
        };
        if allowed { Ok(()) } else { Err(denied()) }
    }
}

impl Transport {
    /// Whether the allow-list permits calls to `url`, without any call: by its host, and where that is a name by what it leads to. What is
    /// no address, and a name that leads nowhere, shows when it is called.
    pub async fn permits(&self, url: &str) -> bool {
        let Ok(url) = reqwest::Url::parse(url) else {
            return true;
        };
        let (client, host) = (self.client(), address::bare_host(&url));
        let checked = match client
            .allow
            .check_before_connecting(&host, client.city.is_some())
        {
            Ok(()) if client.city.is_none() => client.allow.addresses(&host, 0).await.map(drop),
            checked => checked,
        };
        checked
            .err()
            .is_none_or(|fault| fault.reason != Reason::NotAllowed)
    }
}

pub(super) fn denied() -> Fault {
    Fault::never_left(Reason::NotAllowed, Detail::new("call-not-allowed"))
}

/// A name that leads nowhere.
pub(super) fn no_address() -> Fault {
    let detail = Detail::new("call-problem").with("problem", "the name has no address");
    Fault::never_left(Reason::NoAddress, detail)
}

/// The resolver's no, found again in the client's error by its type.
#[derive(Debug)]
pub(super) struct Denied;

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outside the network allow-list")
    }
}

impl Error for Denied {}

/// The system's resolver behind the allow-list.
#[derive(Debug)]
pub(super) struct AllowedResolver {
    allow: Arc<AllowList>,
}

impl AllowedResolver {
    pub(super) fn new(allow: Arc<AllowList>) -> Self {
        Self { allow }
    }
}

impl Resolve for AllowedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = Arc::clone(&self.allow);
        Box::pin(async move {
            match allow.resolve(name.as_str(), 0).await? {
                Some(addresses) => Ok(Box::new(addresses.into_iter()) as Addrs),
                None => Err(Denied.into()),
            }
        })
    }
}

/// No resolver at all: a simulation has no business with names.
#[derive(Debug)]
pub(super) struct NoResolver;

impl Resolve for NoResolver {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(async { Err(Denied.into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let range = |text: &str| AllowRule::Range(text.parse().unwrap());
        let list = AllowList::new(vec![
            range("10.0.0.0/8"),
            range("fd00::/8"),
            AllowRule::Host("OA.vinh.example".into()),
            AllowRule::Suffix(".nghean.gov.vn".into()),
            AllowRule::Host("192.0.2.7".into()),
        ]);
        for (host, resolver, no_resolver) in [
            ("10.1.4.3", true, true),
            ("11.1.4.3", false, false),
            ("127.0.0.1", false, false),
            ("169.254.169.254", false, false),
            ("192.0.2.7", true, true),
            ("::ffff:10.1.4.3", true, true),
            ("::ffff:127.0.0.1", false, false),
            ("fd00::1", true, true),
            ("::1", false, false),
            ("oa.vinh.example", true, true),
            ("vinh.nghean.gov.vn", true, true),
            ("nghean.gov.vn", true, false),
            ("evilnghean.gov.vn", true, false),
            ("localhost", true, false),
            ("env.loa_hook.invalid", true, true),
        ] {
            assert_eq!(
                list.check_before_connecting(host, false).is_ok(),
                resolver,
                "{host}"
            );
            assert_eq!(
                list.check_before_connecting(host, true).is_ok(),
                no_resolver,
                "{host}"
            );
        }
    }
}
