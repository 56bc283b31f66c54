//! `limits`: how much of the words a receiver takes.

use crate::{
    domain::recipe::{LARGEST_LIMIT, Limit, Unit},
    source::reader::Value,
};

/// `message.text: 300` in letters, or `value.words: { parts: 5 }`.
pub(super) fn limits(value: Value<'_>) -> Option<Vec<Limit>> {
    let entries = value.entries()?;
    let read = |(of, value): (&str, Value<'_>)| {
        let (most, unit) = limit(value)?;
        let of = of.to_owned();
        Some(Limit { of, most, unit })
    };
    Some(entries.into_iter().filter_map(read).collect())
}

fn limit(value: Value<'_>) -> Option<(usize, Unit)> {
    let most = |value: Value<'_>| {
        let most = value.integer(1..=LARGEST_LIMIT)?;
        usize::try_from(most).ok()
    };
    if value.is_scalar() {
        return Some((most(value)?, Unit::Letters));
    }
    value
        .map(|fields| {
            let given = Unit::ALL.map(|(name, unit)| Some((fields.get(name)?, unit)));
            let mut given = given.into_iter().flatten();
            let (Some((value, unit)), None) = (given.next(), given.next()) else {
                let names = Unit::ALL.map(|(name, _)| name);
                return value.choose_one(&names, "L019-help-limit");
            };
            Some((most(value)?, unit))
        })
        .flatten()
}
