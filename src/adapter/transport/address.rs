//! Addresses of calls, read once.

use reqwest::Url;

/// The host of an address in lower case, with the port where one is written that is not the scheme's own. `None` when
/// the text is not an address with a host.
#[must_use]
pub fn host(url: &str) -> Option<String> {
    host_of(&Url::parse(url).ok()?)
}

/// The same for an address that is already read.
pub(super) fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}
