//! Addresses of calls, read once.

use std::{ops::Deref, sync::Arc};

use reqwest::Url;

use crate::{
    adapter::Fault,
    domain::{delivery::Reason, detail::Detail},
};

/// The scheme of a line: a connection that takes a sound as it is, without any protocol.
const LINE: &str = "tcp";

/// The host of an address in lower case, with the port where one is written that is not the scheme's own. `None` when
/// the text is not an address with a host.
#[must_use]
pub fn host(url: &str) -> Option<String> {
    host_of(&Url::parse(url).ok()?)
}

/// The same for an address that is already read.
pub(super) fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(
        url.port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
    )
}

/// An address for a report that others read: without an account and without the query, in which keys often stand, and where all of it is
/// secret without its path. What is no address gives nothing.
#[must_use]
pub fn public(url: &str, is_secret: bool) -> String {
    let Ok(mut shown) = Url::parse(url) else {
        return String::new();
    };
    let has_more = shown.query().is_some() || is_secret;
    // Neither fails for an address with a host, and one without is none that is called.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.set_fragment(None);
    if is_secret {
        shown.set_path("/");
    }
    let more = if has_more { "…" } else { "" };
    format!("{shown}{more}")
}

/// The address of a line to another port of the same host; `None` when the text is not an address with a host.
#[must_use]
pub fn line_beside(url: &str, port: u16) -> Option<String> {
    let url = Url::parse(url).ok()?;
    Some(format!("{LINE}://{}:{port}", url.host_str()?))
}

/// The host without port, IPv6 brackets and a name's closing dot.
pub(super) fn bare_host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .trim_end_matches('.')
        .to_owned()
}

/// The full address of a call, as it was written and as it was read. Clones share both: where an adapter always calls the same
/// address, it is read when the files are, and no call has to. It may hold a secret, so it has no `Debug`.
#[derive(Clone)]
pub struct Address(Arc<(String, Option<Url>)>);

impl Address {
    /// What a call needs of it.
    pub(super) fn read(&self) -> Result<&Url, Fault> {
        let url = self.0.1.as_ref().filter(|url| url.scheme() != LINE);
        url.ok_or_else(not_an_address)
    }

    /// Where it leads, if it is a line.
    pub(super) fn line(&self) -> Option<&Url> {
        self.0.1.as_ref().filter(|url| url.scheme() == LINE)
    }

    /// The address by which a stand-in on HTTP takes what goes to a line.
    pub(super) fn without_line(&self) -> Self {
        match self.line() {
            Some(_) => format!("http{}", &self[LINE.len()..]).into(),
            None => self.clone(),
        }
    }

    /// See [`host`].
    #[must_use]
    pub fn host(&self) -> Option<String> {
        host_of(self.0.1.as_ref()?)
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        let url = Url::parse(&text).ok();
        let url = url.filter(|url| match url.scheme() {
            "http" | "https" => url.has_host(),
            // No port is the usual one of a line.
            LINE => url.has_host() && url.port().is_some(),
            _ => false,
        });
        Self(Arc::new((text, url)))
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Deref for Address {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.0
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.0.0 == other.0.0
    }
}

pub(super) fn not_an_address() -> Fault {
    Fault::never_left(Reason::Unwritable, Detail::new("call-address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_what_is_secret_in_it() {
        for (url, is_secret, told) in [
            ("http://thu.example/api", false, "http://thu.example/api"),
            (
                "https://loa:mat-khau@thu.example:8443/api?key=bi-mat#x",
                false,
                "https://thu.example:8443/api…",
            ),
            ("https://thu.example/bi-mat", true, "https://thu.example/…"),
        ] {
            assert_eq!(public(url, is_secret), told);
        }
    }
}
