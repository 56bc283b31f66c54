//! The headers of an answer.

use std::borrow::Cow;

/// The headers of an answer, as they came. Most are never looked at.
#[derive(Clone, Default, PartialEq)]
pub struct Headers(Vec<(http::HeaderName, http::HeaderValue)>);

impl Headers {
    /// A header by its name in lower case; where it came more than once, joined by commas. What is not UTF-8 is
    /// replaced.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.each(name);
        let first = values.next()?;
        Some(values.fold(first, |all, value| Cow::Owned(format!("{all}, {value}"))))
    }

    /// Every value of a header by its name in lower case, in their order.
    pub fn each<'h>(&'h self, name: &str) -> impl Iterator<Item = Cow<'h, str>> {
        let named = self
            .0
            .iter()
            .filter(move |(known, _)| known.as_str() == name);
        named.map(|(_, value)| String::from_utf8_lossy(value.as_bytes()))
    }

    /// Their names in lower case.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl FromIterator<(http::HeaderName, http::HeaderValue)> for Headers {
    fn from_iter<T: IntoIterator<Item = (http::HeaderName, http::HeaderValue)>>(all: T) -> Self {
        Self(all.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_headers_are_one() {
        let header = |(name, value): (&str, &str)| (name.parse().unwrap(), value.parse().unwrap());
        let all = [("X-Mot", "a"), ("x-hai", "c"), ("x-mot", "b")];
        let headers: Headers = all.into_iter().map(header).collect();
        assert_eq!(headers.get("x-mot").as_deref(), Some("a, b"));
        assert_eq!(headers.get("x-hai").as_deref(), Some("c"));
        assert_eq!(headers.get("x-ba"), None);
    }
}
