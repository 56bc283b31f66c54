//! The way to a simulated city: every host has a stand-in on loopback, which the city is asked for once.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::Url;

use super::{address, read_capped};
use crate::{
    adapter::Fault,
    domain::{delivery::Reason, detail::Detail},
};

/// Time for the city's answer, which is on this machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most bytes of the city's answer.
const ANSWER_CAP: usize = 4096;

/// An address that cannot leave this machine. There is no other way to make one than [`Loopback::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loopback(SocketAddrV4);

impl Loopback {
    fn new(address: SocketAddr) -> Option<Self> {
        match address {
            SocketAddr::V4(address) if address.ip().is_loopback() => Some(Self(address)),
            _ => None,
        }
    }

    /// The address itself.
    pub(super) fn address(self) -> SocketAddr {
        self.0.into()
    }

    fn ip(self) -> Ipv4Addr {
        *self.0.ip()
    }

    /// The address of a call with its host and port replaced by this one, by plain HTTP.
    pub(super) fn redirect(self, mut url: Url) -> Result<Url, Fault> {
        let replaced = url.set_scheme("http").is_ok()
            && url.set_ip_host(self.ip().into()).is_ok()
            && url.set_port(Some(self.0.port())).is_ok();
        if replaced {
            Ok(url)
        } else {
            Err(address::not_an_address())
        }
    }
}

/// What a stand-in speaks: a mail server speaks first, so that it has to know before anybody calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaks {
    /// What everybody speaks.
    Http,
    /// Mail.
    Smtp,
}

/// The city's register of stand-ins, as far as it was asked.
#[derive(Debug)]
pub(super) struct City {
    control: Loopback,
    known: Mutex<HashMap<String, Loopback>>,
}

impl City {
    /// The city that answers at `control`; `None` when that is not on loopback.
    pub(super) fn new(control: SocketAddr) -> Option<Self> {
        Some(Self {
            control: Loopback::new(control)?,
            known: Mutex::default(),
        })
    }

    /// The stand-in of `host`.
    pub(super) async fn stand_in(
        &self,
        client: &reqwest::Client,
        host: &str,
        speaks: Speaks,
    ) -> Result<Loopback, Fault> {
        // A panic elsewhere leaves the map whole: every change is one insertion or removal.
        let known = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(host)
            .copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let asked = self.ask(client, host, speaks).await?;
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(host.to_owned(), asked);
        Ok(asked)
    }

    /// Forgets the stand-in of `host`, so that the next call asks again.
    pub(super) fn forget(&self, host: &str) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(host);
    }

    /// Whether a city answers at the control address.
    pub(super) async fn answers(&self, client: &reqwest::Client) -> bool {
        let url = format!("http://{}/_city/faults", self.control.0);
        let Ok(answer) = client.get(url).timeout(PATIENCE).send().await else {
            return false;
        };
        if !answer.status().is_success() {
            return false;
        }
        let Ok(body) = read_capped(answer, ANSWER_CAP).await else {
            return false;
        };
        serde_json::from_slice::<serde_json::Value>(&body)
            .is_ok_and(|json| json.get("faults").is_some())
    }

    async fn ask(
        &self,
        client: &reqwest::Client,
        host: &str,
        speaks: Speaks,
    ) -> Result<Loopback, Fault> {
        let refused = |detail: &str| Fault::never_left(Reason::Refused, Detail::new(detail));
        let url = format!("http://{}/_city/devices", self.control.0);
        let mut question = serde_json::json!({ "host": host });
        if speaks == Speaks::Smtp {
            question["mail"] = true.into();
        }
        let call = client
            .post(url)
            .timeout(PATIENCE)
            .header("content-type", "application/json")
            .body(question.to_string());
        let answer = call.send().await.map_err(|_| refused("call-no-city"))?;
        if !answer.status().is_success() {
            return Err(refused("call-city-no-host"));
        }
        let body = read_capped(answer, ANSWER_CAP)
            .await
            .map_err(|_| refused("call-no-city"))?;
        serde_json::from_slice::<serde_json::Value>(&body)
            .ok()
            .and_then(|json| json.get("address")?.as_str()?.parse().ok())
            .and_then(Loopback::new)
            .ok_or_else(|| refused("call-no-city"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_loopback() {
        for (address, is) in [
            ("127.0.0.1:80", true),
            ("127.77.0.1:18080", true),
            ("10.16.72.1:80", false),
            ("0.0.0.0:80", false),
            ("128.0.0.1:80", false),
            ("[::1]:80", false),
            ("[::ffff:127.0.0.1]:80", false),
        ] {
            assert_eq!(
                Loopback::new(address.parse().unwrap()).is_some(),
                is,
                "{address}"
            );
        }
    }

    #[test]
    fn an_address_keeps_everything_but_its_host() {
        let stand_in = Loopback::new("127.77.0.1:18080".parse().unwrap()).unwrap();
        let redirected = |url: &str| {
            stand_in
                .redirect(Url::parse(url).unwrap())
                .unwrap()
                .to_string()
        };
        assert_eq!(
            redirected("https://quan-bau.vinh.example/a?b=c"),
            "http://127.77.0.1:18080/a?b=c"
        );
        assert_eq!(
            redirected("http://10.16.72.1:8080/a"),
            "http://127.77.0.1:18080/a"
        );
        assert_eq!(
            redirected("http://[fd00::1]/a"),
            "http://127.77.0.1:18080/a"
        );
    }
}
