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

/// The longest link that is followed, in bytes: what lists in pages give is far shorter.
const LONGEST_LINK: usize = 8192;

/// Why a link is not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adapter) enum Astray {
    /// It is no address.
    Nowhere,
    /// It leads to this other host.
    Elsewhere(String),
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

    /// Where a link in an answer from here leads. It is read as a browser reads it (RFC 3986, section 5), and only its path and its query
    /// count: the host, its port, and whether the call is encrypted stay what they are, because the call carries secrets. A site behind a
    /// gateway that ends the encryption often gives `http` links of itself.
    ///
    /// # Errors
    /// [`Astray`].
    pub(in crate::adapter) fn follow(&self, link: &str) -> Result<Self, Astray> {
        let is_odd = |letter: char| letter.is_control() || letter.is_whitespace();
        let from = self.0.1.as_ref().ok_or(Astray::Nowhere)?;
        if link.is_empty() || link.len() > LONGEST_LINK || link.contains(is_odd) {
            return Err(Astray::Nowhere);
        }
        let to = from.join(link).map_err(|_| Astray::Nowhere)?;
        let is_called = matches!(to.scheme(), "http" | "https") && to.has_host();
        let names_nobody = to.username().is_empty() && to.password().is_none();
        let is_own = (to.username(), to.password()) == (from.username(), from.password());
        if !is_called || !(names_nobody || is_own) {
            return Err(Astray::Nowhere);
        }
        // No port is the usual one of either scheme.
        if (to.host_str(), to.port()) != (from.host_str(), from.port()) {
            return Err(Astray::Elsewhere(host_of(&to).unwrap_or_default()));
        }
        let mut next = from.clone();
        next.set_path(to.path());
        next.set_query(to.query());
        next.set_fragment(None);
        Ok(String::from(next).into())
    }

    /// The address as it is read, without a fragment: the same for all ways of writing it.
    pub(in crate::adapter) fn bare(&self) -> Option<String> {
        let mut url = self.0.1.clone()?;
        url.set_fragment(None);
        Some(url.into())
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

    #[test]
    fn links_stay_on_their_host() {
        let from = Address::from("https://phuong.example/api/tin?page=1#x");
        for (link, to) in [
            ("?page=2", "https://phuong.example/api/tin?page=2"),
            (
                "/api/v2/tin?page=2",
                "https://phuong.example/api/v2/tin?page=2",
            ),
            ("../khac#y", "https://phuong.example/khac"),
            ("//phuong.example/a", "https://phuong.example/a"),
            (
                "https://phuong.example:443/a?b=%20c",
                "https://phuong.example/a?b=%20c",
            ),
            (
                "https://PHUONG.example/a?tin=đ",
                "https://phuong.example/a?tin=%C4%91",
            ),
            // Never in clear because a link says so.
            ("http://phuong.example/a", "https://phuong.example/a"),
        ] {
            let next = from.follow(link).map(|next| next.to_string());
            assert_eq!(next.as_deref(), Ok(to), "{link}");
        }
        let elsewhere = |host: &str| Some(Astray::Elsewhere(host.to_owned()));
        for (link, astray) in [
            ("https://khac.example/a", elsewhere("khac.example")),
            ("//khac.example/a", elsewhere("khac.example")),
            ("\\\\khac.example/a", elsewhere("khac.example")),
            (
                "https://phuong.example.khac.example/",
                elsewhere("phuong.example.khac.example"),
            ),
            (
                "https://phuong.example:8443/a",
                elsewhere("phuong.example:8443"),
            ),
            (
                "https://phuong.example@khac.example/a",
                Some(Astray::Nowhere),
            ),
            ("https://ai:do@phuong.example/a", Some(Astray::Nowhere)),
            ("file:///etc/passwd", Some(Astray::Nowhere)),
            ("javascript:alert(1)", Some(Astray::Nowhere)),
            ("https://", Some(Astray::Nowhere)),
            ("", Some(Astray::Nowhere)),
            ("/a b", Some(Astray::Nowhere)),
            ("/a\nb", Some(Astray::Nowhere)),
            (&"x".repeat(LONGEST_LINK + 1), Some(Astray::Nowhere)),
        ] {
            let next = from.follow(link).err();
            assert_eq!(next, astray, "{link}");
        }
        let own = Address::from("http://loa:mat@10.0.0.9:8080/tin");
        let next = own.follow("http://10.0.0.9:8080/tin?p=2").ok();
        assert_eq!(
            next.as_deref(),
            Some("http://loa:mat@10.0.0.9:8080/tin?p=2")
        );
        assert_eq!(
            own.follow("http://10.0.0.9/tin").err(),
            elsewhere("10.0.0.9")
        );
        assert_eq!(
            Address::from("http://a.example#z").bare().as_deref(),
            Some("http://a.example/")
        );
    }
}
