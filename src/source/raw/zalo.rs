//! A channel's `adapter: { zalo: … }`.

use chrono::Timelike as _;

use super::{channel::web_address, schedule::clock_time};
use crate::{
    diagnostic::Code,
    domain::{
        channel::AdapterConfig,
        zalo::{Correction, Quiet, Quota, ZaloConfig},
    },
    source::reader::{Fields, Value},
};

/// The longest id that Zalo gives has nineteen digits; ids of people may have more.
const LONGEST_ID: usize = 32;

/// Reads it. What it needs for its channel's format is checked where that is known.
pub(super) fn by_zalo(fields: &Fields<'_>) -> Option<AdapterConfig> {
    let app = fields.required("app").and_then(number);
    let oa = fields.required("oa").and_then(number);
    let secret = fields.required("secret").and_then(|value| value.secret());
    let callback = fields.required("callback").and_then(web_address);
    let proof = fields.or("proof", false, |value| value.boolean());
    let user = fields.get("user").map(number);
    let cover = fields.get("cover").and_then(web_address);
    let pictures = fields.get("pictures").and_then(web_address);
    let picture = fields.or("picture", false, |value| value.boolean());
    let author = fields.get("author").and_then(|value| value.words());
    let comments = fields.or("comments", true, |value| value.boolean());
    let ways = Correction::ALL.map(|way| (way.as_str(), way));
    let correction = fields.or("correction", Correction::default(), |value| {
        value.one_of(&ways)
    });
    let reports = fields.get("reports").and_then(|value| value.secret());
    let quota = fields.or("quota", Quota::default(), quota);
    let quiet = fields.or("quiet", Quiet::default(), quiet);
    Some(AdapterConfig::Zalo(Box::new(ZaloConfig {
        app: app?,
        oa: oa?,
        secret: secret?,
        callback: callback?,
        proof,
        user: match user {
            Some(user) => Some(user?),
            None => None,
        },
        cover,
        pictures,
        picture,
        author,
        comments,
        correction,
        quiet,
        reports,
        quota,
    })))
}

/// `{ per_day: 1, per_month: 4 }`.
fn quota(value: Value<'_>) -> Option<Quota> {
    value.map(|fields| {
        let most = |value: Value<'_>| u32::try_from(value.integer(1..=10_000)?).ok();
        Quota {
            per_day: fields.get("per_day").and_then(most),
            per_month: fields.get("per_month").and_then(most),
            product: fields.get("product").and_then(|value| value.words()),
        }
    })
}

/// `{ from: "22:00", until: "06:00" }`.
fn quiet(value: Value<'_>) -> Option<Quiet> {
    value
        .map(|fields| {
            let from = fields.required("from").and_then(minute);
            let until = fields.required("until").and_then(minute);
            Some(Quiet {
                from: from?,
                until: until?,
            })
        })
        .flatten()
}

fn minute(value: Value<'_>) -> Option<u16> {
    let time = clock_time(value)?;
    u16::try_from(time.num_seconds_from_midnight() / 60).ok()
}

/// An id, which is a number too long for most programs to keep.
fn number(value: Value<'_>) -> Option<String> {
    value.parsed(Code::BadZaloId, "L260-help", |text| {
        let is_id = (1..=LONGEST_ID).contains(&text.len());
        (is_id && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.to_owned())
    })
}
