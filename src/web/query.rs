//! What stands behind the question mark of an address: read with limits, and refused where it makes no sense.

use axum::http::Uri;
use chrono::{Datelike, NaiveDate};

use super::refusal::Refusal;
use crate::{
    catalogue::Lang,
    domain::{id::DeliveryId, time::Timestamp},
    store::PageKey,
};

/// The longest value, in bytes. Ids have at most 64, page keys fewer than 64.
const LONGEST: usize = 100;
/// The most parameters.
const MOST: usize = 20;

/// The parameters of an address.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads them. What is empty counts as not given, as browsers send every field of a form.
    pub(super) fn read(uri: &Uri) -> Result<Self, Refusal> {
        let axum::extract::Query(mut values) =
            axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri)
                .map_err(|_| Refusal::Unreadable)?;
        if values.len() > MOST
            || values
                .iter()
                .any(|(name, value)| name.len().max(value.len()) > LONGEST)
        {
            return Err(Refusal::Unreadable);
        }
        values.retain(|(_, value)| !value.is_empty());
        Ok(Self(values))
    }

    /// The language that the reader asked for.
    pub(super) fn lang(&self) -> Lang {
        self.value("lang")
            .and_then(|lang| lang.parse().ok())
            .unwrap_or_default()
    }

    /// The last value of `name`.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of `name` as what it has to be; refused when it is given and is not that.
    pub(super) fn parsed<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        self.value(name)
            .map(|value| parse(value).ok_or(Refusal::BadValue { name }))
            .transpose()
    }
}

/// Reads `2024-03-25`. Days far from any life of an installation are refused: calendars end somewhere.
pub(super) fn parse_day(text: &str) -> Option<NaiveDate> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (2000..=2200).contains(&day.year()).then_some(day)
}

/// Writes a page's end into an address.
pub(super) fn format_key(key: &PageKey) -> String {
    format!("{}~{}", key.due.as_micros(), key.id)
}

/// Reads [`format_key`] back.
pub(super) fn parse_key(text: &str) -> Option<PageKey> {
    let (due, id) = text.split_once('~')?;
    if due.starts_with('+') {
        return None;
    }
    Some(PageKey {
        due: Timestamp::from_micros(due.parse().ok()?),
        id: parse_delivery(id)?,
    })
}

/// Reads a delivery's id, in the letters that such ids have.
pub(super) fn parse_delivery(text: &str) -> Option<DeliveryId> {
    let plausible =
        (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plausible.then(|| DeliveryId::from_text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<Query, Refusal> {
        Query::read(&format!("/?{text}").parse().unwrap())
    }

    #[test]
    fn values_are_decoded_and_the_last_one_counts() {
        let query = query("a=1&b=&a=x%20y&lang=en").unwrap();
        assert_eq!((query.value("a"), query.value("b")), (Some("x y"), None));
        assert_eq!(query.lang(), Lang::En);
        assert!(query.parsed("a", parse_day).is_err());
        assert_eq!(query.parsed("b", parse_day).unwrap(), None);
    }

    #[test]
    fn too_much_is_refused() {
        assert!(query(&format!("a={}", "x".repeat(LONGEST + 1))).is_err());
        assert!(query(&"a=1&".repeat(MOST + 1)).is_err());
        assert!(query(&format!("a={}", "x".repeat(LONGEST))).is_ok());
    }

    #[test]
    fn keys_round_trip_and_nothing_else_is_one() {
        let key = PageKey {
            due: Timestamp::from_micros(-5),
            id: DeliveryId::from_text("0123456789abcdefghjk"),
        };
        assert_eq!(parse_key(&format_key(&key)), Some(key));
        for bad in [
            "",
            "5",
            "5~",
            "~a",
            "x~a",
            "5~a b",
            "5~<b>",
            "99999999999999999999~a",
            "+5~a",
            "5~a~b",
        ] {
            assert_eq!(parse_key(bad), None, "{bad}");
        }
        assert_eq!(parse_key(&format!("5~{}", "a".repeat(41))), None);
    }

    #[test]
    fn days_have_limits() {
        assert!(parse_day("2024-02-29").is_some());
        for bad in [
            "2023-02-29",
            "25/3/2024",
            "0001-01-01",
            "262000-01-01",
            "",
            "2024-3",
        ] {
            assert_eq!(parse_day(bad), None, "{bad}");
        }
    }
}
