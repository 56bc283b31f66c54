//! `loa.yaml`.

use std::{net::SocketAddr, time::Duration};

use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;

use crate::{
    diagnostic::{Code, Phrase},
    domain::{
        audio::AudioSettings,
        breaker::BreakerPolicy,
        calendar::{parse_zone, resolve},
        id::{ChannelId, WardId},
        lint::{Level, LintSettings},
        retry::RetryPolicy,
        settings::{
            AllowRule, DatabaseSetting, DeliverySettings, HealthSettings, Settings,
            WatchdogSettings,
        },
        speech::SpeechSettings,
        time::Timestamp,
        ward::{Validity, Ward, WardKind},
    },
    source::{
        address::{is_database_with_password, is_host},
        notebook::{Named, did_you_mean},
        reader::{Fields, Value},
        similar::{fold, nearest},
    },
};

const MINUTE: Duration = Duration::from_mins(1);

/// What a lease has to leave over beyond an attempt's whole time, for beginning it and for writing down how it ended.
const TURN: Duration = Duration::from_secs(5);

/// Settings for checking the other files when `loa.yaml` cannot be read. Never used to run anything.
pub(crate) fn stand_in() -> Settings {
    Settings {
        name: String::new(),
        zone: Tz::Asia__Ho_Chi_Minh,
        city: city_ward(None, "thành phố"),
        province: String::new(),
        database: DatabaseSetting::Url("sqlite:.loa/loa.db".into()),
        web: SocketAddr::from(([127, 0, 0, 1], 8080)),
        horizon: 48 * 60 * MINUTE,
        prepare: 15 * MINUTE,
        grace: MINUTE,
        approval: crate::domain::approval::ApprovalRules::default(),
        delivery: delivery_defaults(),
        speech: SpeechSettings::default(),
        allow: Vec::new(),
        audio: AudioSettings::default(),
        simulate_start: Timestamp::default(),
        simulate_speed: 60.0,
        // What nobody asked for is not judged.
        lint: LintSettings::all(Level::Off),
        watchdog: WatchdogSettings::default(),
    }
}

fn delivery_defaults() -> DeliverySettings {
    DeliverySettings {
        workers: 64,
        connect_timeout: Duration::from_secs(3),
        total_timeout: Duration::from_secs(20),
        lease: MINUTE,
        retry: RetryPolicy {
            first: Duration::from_secs(5),
            longest: 10 * MINUTE,
            attempts: 8,
        },
        host_concurrency: 4,
        host_per_second: 20.0,
        health: HealthSettings::default(),
    }
}

fn city_ward(id: Option<WardId>, name: &str) -> Ward {
    let id = id.unwrap_or_else(|| WardId::parse("city").expect("a plain word is an id"));
    let short = name
        .strip_prefix(WardKind::City.word())
        .unwrap_or(name)
        .trim();
    Ward {
        id,
        kind: WardKind::City,
        short: short.to_owned(),
        name: name.to_owned(),
        code: None,
        valid: Validity::default(),
        neighbours: Vec::new(),
        first: Vec::new(),
    }
}

/// Reads the file.
pub(crate) fn read(root: Value<'_>) -> Settings {
    root.map(settings).unwrap_or_else(stand_in)
}

fn settings(fields: &Fields<'_>) -> Settings {
    let defaults = stand_in();
    let zone = fields
        .required("zone")
        .and_then(zone)
        .unwrap_or(defaults.zone);
    let (city, province) = fields
        .required("city")
        .and_then(city)
        .unwrap_or((defaults.city, String::new()));
    let plan = fields.get("plan").and_then(|value| {
        value.map(|fields| {
            let length = |name, default| fields.or(name, default, |value| value.duration());
            [
                length("horizon", defaults.horizon),
                length("prepare", defaults.prepare),
                length("grace", defaults.grace),
            ]
        })
    });
    let [horizon, prepare, grace] =
        plan.unwrap_or([defaults.horizon, defaults.prepare, defaults.grace]);
    let simulate = fields.get("simulate").and_then(|value| {
        value.map(|fields| {
            let start = fields
                .required("start")
                .and_then(|value| moment(value, zone));
            (
                start.unwrap_or_default(),
                fields.or("speed", defaults.simulate_speed, |value| {
                    value.number(0.001..=100_000.0)
                }),
            )
        })
    });
    let (simulate_start, simulate_speed) =
        simulate.unwrap_or((defaults.simulate_start, defaults.simulate_speed));
    let (speech, audio) = fields
        .get("speech")
        .and_then(super::speech::settings)
        .unwrap_or((defaults.speech, defaults.audio));
    Settings {
        name: fields
            .required("name")
            .and_then(|value| value.words())
            .unwrap_or_default(),
        zone,
        city,
        province,
        database: fields
            .required("database")
            .and_then(database)
            .unwrap_or(defaults.database),
        web: fields
            .get("web")
            .and_then(|value| value.map(|fields| fields.or("listen", defaults.web, listen)))
            .unwrap_or(defaults.web),
        horizon,
        prepare,
        grace,
        approval: super::approval::read(fields),
        delivery: fields
            .get("delivery")
            .and_then(|value| value.map(|fields| delivery(fields, &value)))
            .unwrap_or(defaults.delivery),
        speech,
        allow: fields
            .get("network")
            .and_then(|value| {
                value.map(|fields| fields.or("allow", Vec::new(), |value| value.list(allow_rule)))
            })
            .unwrap_or_default(),
        audio,
        simulate_start,
        simulate_speed,
        lint: fields
            .get("lint")
            .and_then(super::lint::read)
            .unwrap_or_default(),
        watchdog: fields
            .get("watchdog")
            .and_then(|value| value.map(watchdog))
            .unwrap_or_default(),
    }
}

fn watchdog(fields: &Fields<'_>) -> WatchdogSettings {
    let defaults = WatchdogSettings::default();
    WatchdogSettings {
        operator: fields
            .get("operator")
            .and_then(|value| value.reference(Named::Channel, ChannelId::parse)),
        after: fields.or("after", defaults.after, |value| {
            value.duration_in(WatchdogSettings::AFTER)
        }),
    }
}

/// Whether somebody means the clocks of Việt Nam, whose zone is not named after its capital.
fn is_vietnam(text: &str) -> bool {
    let letters: String = fold(text).replace('-', "");
    ["hanoi", "saigon", "vietnam", "hochiminh"]
        .iter()
        .any(|name| letters.contains(name))
        || matches!(
            letters.as_str(),
            "7" | "07" | "0700" | "utc7" | "gmt7" | "ict" | "vn" | "vinh"
        )
}

/// An IANA zone.
pub(super) fn zone(value: Value<'_>) -> Option<Tz> {
    let text = value.text()?.value;
    let zone = parse_zone(&text);
    if zone.is_none() {
        // Somebody may know only the city: the last part of a name counts as its own.
        let names = chrono_tz::TZ_VARIANTS
            .iter()
            .map(|zone| (zone.name(), zone.name().rsplit('/').next()));
        let near = if is_vietnam(&text) {
            Some("Asia/Ho_Chi_Minh")
        } else {
            nearest(&text, names)
        };
        let diagnostic = value.wrong(Code::BadZone).with("text", text.as_str());
        value
            .notebook
            .report(diagnostic.help(near.map_or(Phrase::new("L033-help"), did_you_mean)));
    }
    zone
}

fn city(value: Value<'_>) -> Option<(Ward, String)> {
    value.map(|fields| {
        let id = fields.required("id");
        let name = fields
            .required("name")
            .and_then(|value| value.words())
            .unwrap_or_default();
        let ward_id = id.and_then(|value| value.id(WardId::parse));
        match (&ward_id, id) {
            (Some(ward), Some(id)) => {
                value
                    .notebook
                    .define(Named::Ward, ward.as_str(), Some(&name), &id.place());
            }
            _ => value.notebook.gap(Named::Ward),
        }
        let province = fields
            .required("province")
            .and_then(|value| value.words())
            .unwrap_or_default();
        (city_ward(ward_id, &name), province)
    })
}

fn database(value: Value<'_>) -> Option<DatabaseSetting> {
    let text = value.text()?.value;
    if text.starts_with("env:") || text.starts_with("file:") {
        return value.secret().map(DatabaseSetting::Secret);
    }
    let is_known = text.starts_with("sqlite:")
        || text.starts_with("postgres:")
        || text.starts_with("postgresql:");
    if !is_known {
        let diagnostic = value.wrong(Code::BadUrl).with("text", text.as_str());
        value
            .notebook
            .report(diagnostic.help(Phrase::new("L036-help-database")));
        return None;
    }
    if is_database_with_password(&text) {
        value.notebook.report(
            value
                .wrong(Code::PlainSecret)
                .help(Phrase::new("L052-help-database")),
        );
        return None;
    }
    Some(DatabaseSetting::Url(text))
}

fn listen(value: Value<'_>) -> Option<SocketAddr> {
    let address: SocketAddr =
        value.parsed(Code::BadAddress, "L038-help", |text| text.parse().ok())?;
    if !address.ip().is_loopback() {
        let diagnostic = value
            .wrong(Code::NotLoopback)
            .with("address", address.to_string());
        value.notebook.report(
            diagnostic.help(Phrase::new("L055-help").with("port", usize::from(address.port()))),
        );
    }
    Some(address)
}

fn delivery(fields: &Fields<'_>, value: &Value<'_>) -> DeliverySettings {
    let defaults = delivery_defaults();
    let total_timeout = fields.or("total_timeout", defaults.total_timeout, |value| {
        value.duration()
    });
    let lease_value = fields.get("lease");
    let lease = lease_value
        .and_then(|value| value.duration())
        .unwrap_or(defaults.lease);
    let least = total_timeout + TURN;
    if lease < least {
        let at = lease_value.map_or_else(|| value.key_place(), |value| value.place());
        let diagnostic = crate::diagnostic::Diagnostic::new(Code::ShortLease, at)
            .with("lease", crate::domain::time::format_duration(lease))
            .with(
                "timeout",
                crate::domain::time::format_duration(total_timeout),
            )
            .help(if lease <= total_timeout {
                Phrase::new("L054-help")
            } else {
                Phrase::new("L054-help-margin")
                    .with("least", crate::domain::time::format_duration(least))
            });
        value.notebook.report(diagnostic);
    }
    let retry = fields.get("retry").and_then(|value| value.map(retry));
    let hosts = fields.get("hosts").and_then(|value| {
        value.map(|fields| {
            let concurrency = fields
                .get("concurrency")
                .and_then(|value| value.integer(1..=1_000));
            let per_second = fields
                .get("per_second")
                .and_then(|value| value.number(0.1..=10_000.0));
            (
                concurrency.map_or(defaults.host_concurrency, count),
                per_second.unwrap_or(defaults.host_per_second),
            )
        })
    });
    let (host_concurrency, host_per_second) =
        hosts.unwrap_or((defaults.host_concurrency, defaults.host_per_second));
    DeliverySettings {
        workers: fields
            .get("workers")
            .and_then(|value| value.integer(1..=10_000))
            .map_or(defaults.workers, count),
        connect_timeout: fields.or("connect_timeout", defaults.connect_timeout, |value| {
            value.duration()
        }),
        total_timeout,
        lease,
        retry: retry.unwrap_or(defaults.retry),
        host_concurrency,
        host_per_second,
        health: fields
            .get("health")
            .and_then(|value| value.map(health))
            .unwrap_or(defaults.health),
    }
}

fn health(fields: &Fields<'_>) -> HealthSettings {
    let HealthSettings { every, breaker } = HealthSettings::default();
    let (first, longest) = waits(fields, breaker.first, breaker.longest);
    HealthSettings {
        every: fields.or("every", every, |value| {
            if value.text()?.value == "off" {
                return Some(None);
            }
            value.duration_in(HealthSettings::EVERY).map(Some)
        }),
        breaker: BreakerPolicy {
            failures: fields
                .get("failures")
                .and_then(|value| value.integer(1..=100))
                .and_then(|failures| u32::try_from(failures).ok())
                .unwrap_or(breaker.failures),
            first,
            longest,
        },
    }
}

/// A number that fits, as a count.
pub(super) fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn retry(fields: &Fields<'_>) -> RetryPolicy {
    let defaults = delivery_defaults().retry;
    let attempts = fields
        .get("attempts")
        .and_then(|value| value.integer(1..=100));
    let (first, longest) = waits(fields, defaults.first, defaults.longest);
    RetryPolicy {
        first,
        longest,
        attempts: attempts
            .and_then(|attempts| u32::try_from(attempts).ok())
            .unwrap_or(defaults.attempts),
    }
}

/// The shortest and the longest of waits that grow: `first` and `longest`, or what stands for them.
fn waits(fields: &Fields<'_>, first: Duration, longest: Duration) -> (Duration, Duration) {
    let [first_value, longest_value] = ["first", "longest"].map(|name| fields.get(name));
    let length = |value: Option<Value<'_>>| value.map(|value| value.duration());
    let [first_read, longest_read] = [first_value, longest_value].map(length);
    let first = first_read.flatten().unwrap_or(first);
    let longest = longest_read.flatten().unwrap_or(longest);
    // What could not be read is reported, and its stand-in says nothing.
    let is_read = first_read != Some(None) && longest_read != Some(None);
    if let Some(value) = first_value.or(longest_value)
        && is_read
        && first > longest
    {
        let diagnostic = value
            .wrong(Code::RetryBackwards)
            .with("first", crate::domain::time::format_duration(first))
            .with("longest", crate::domain::time::format_duration(longest));
        value
            .notebook
            .report(diagnostic.help(Phrase::new("L057-help")));
    }
    (first, longest)
}

fn allow_rule(value: Value<'_>) -> Option<AllowRule> {
    value.parsed(Code::BadAllowRule, "L039-help", |text| {
        if let Ok(range) = text.parse::<ipnet::IpNet>() {
            return Some(AllowRule::Range(range));
        }
        if let Ok(address) = text.parse::<std::net::IpAddr>() {
            return Some(AllowRule::Range(address.into()));
        }
        match text.strip_prefix('*') {
            Some(suffix) if suffix.strip_prefix('.').is_some_and(is_host) => {
                Some(AllowRule::Suffix(suffix.to_ascii_lowercase()))
            }
            None if is_host(text) => Some(AllowRule::Host(text.to_ascii_lowercase())),
            _ => None,
        }
    })
}

/// An instant: with an offset, or as clock time in the zone of `loa.yaml`.
fn moment(value: Value<'_>, zone: Tz) -> Option<Timestamp> {
    value.parsed(Code::BadTime, "L031-help-moment", |text| {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Some(at.to_utc().into());
        }
        [
            "%Y-%m-%dT%H:%M:%S",
            "%Y-%m-%d %H:%M:%S",
            "%Y-%m-%dT%H:%M",
            "%Y-%m-%d %H:%M",
        ]
        .iter()
        .find_map(|pattern| NaiveDateTime::parse_from_str(text, pattern).ok())
        .map(|wall| resolve(wall, zone))
    })
}
