//! Addresses of calls, read once.

use reqwest::Url;

use crate::{
    adapter::Fault,
    domain::{delivery::Reason, detail::Detail},
};

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

/// The host without port, IPv6 brackets and a name's closing dot.
pub(super) fn bare_host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .trim_end_matches('.')
        .to_owned()
}

/// Reads the address of a call.
pub(super) fn read(url: &str) -> Result<Url, Fault> {
    let url = Url::parse(url).map_err(|_| not_an_address())?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(url)
    } else {
        Err(not_an_address())
    }
}

pub(super) fn not_an_address() -> Fault {
    Fault::never_left(Reason::Unwritable, Detail::new("call-address"))
}
