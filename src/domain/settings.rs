//! The content of `loa.yaml`, checked. Secrets are still references here; `crate::config` resolves them.

use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    time::Duration,
};

use chrono_tz::Tz;

use super::{
    approval::ApprovalRules, audio::AudioSettings, breaker::BreakerPolicy, id::ChannelId,
    lint::LintSettings, mail::is_near, secret::SecretRef, speech::SpeechSettings, time::Timestamp,
    ward::Ward,
};

/// The daemon's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What pages call this installation.
    pub name: String,
    /// The zone of schedules that name none, and of everything shown to people.
    pub zone: Tz,
    /// The city, as the area of channels without a ward.
    pub city: Ward,
    /// The province's name in full: `tỉnh Nghệ An`.
    pub province: String,
    /// Where the database is.
    pub database: DatabaseSetting,
    /// Where the pages are served.
    pub web: SocketAddr,
    /// How far ahead occurrences are planned.
    pub horizon: Duration,
    /// How long before its instant a delivery is frozen.
    pub prepare: Duration,
    /// How late the daemon may wake up before an occurrence counts as missed.
    pub grace: Duration,
    /// Who says yes to what.
    pub approval: ApprovalRules,
    /// How deliveries are sent.
    pub delivery: DeliverySettings,
    /// How scripts are spoken.
    pub speech: SpeechSettings,
    /// Where calls may go.
    pub allow: Vec<AllowRule>,
    /// How words become audible.
    pub audio: AudioSettings,
    /// Where the simulated city's clock starts.
    pub simulate_start: Timestamp,
    /// Simulated seconds a second.
    pub simulate_speed: f64,
    /// How words are judged.
    pub lint: LintSettings,
    /// Who is told when something was not heard.
    pub watchdog: WatchdogSettings,
}

/// Who is told when something was not heard, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchdogSettings {
    /// The channel that reaches the operator. It carries no bulletins.
    pub operator: Option<ChannelId>,
    /// How long after its instant something counts as not heard.
    pub after: Duration,
}

impl WatchdogSettings {
    /// What [`WatchdogSettings::after`] may be. The watchdog looks every fifteen seconds at least, so that the longest still leaves
    /// five to tell of a silence within two minutes; the shortest leaves a device the time to answer.
    pub const AFTER: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(100);
}

impl Default for WatchdogSettings {
    fn default() -> Self {
        Self {
            operator: None,
            after: Duration::from_secs(90),
        }
    }
}

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseSetting {
    /// An address without a password in it: `sqlite:PATH` (relative to the workspace) or `postgres:…`.
    Url(String),
    /// A reference to the address.
    Secret(SecretRef),
}

/// How deliveries are sent.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliverySettings {
    /// Calls in flight at most.
    pub workers: usize,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time for a whole call.
    pub total_timeout: Duration,
    /// How long a claimed delivery belongs to a node; longer than a whole attempt can take.
    pub lease: Duration,
    /// When to try again.
    pub retry: super::retry::RetryPolicy,
    /// Calls in flight to one host at most.
    pub host_concurrency: usize,
    /// Requests a second to one host at most, whatever they are for.
    pub host_per_second: f64,
    /// How hosts that do not answer are treated.
    pub health: HealthSettings,
}

/// How it is found out whether channels are alive, and how hosts that do not answer are left alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HealthSettings {
    /// How often each channel that can be asked is asked; `None` for never.
    pub every: Option<Duration>,
    /// When a host is left alone.
    pub breaker: BreakerPolicy,
}

impl HealthSettings {
    /// What [`HealthSettings::every`] may be. A modem in a ward pays for what it answers.
    pub const EVERY: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_hours(24);
}

impl Default for HealthSettings {
    /// Within a loudspeaker's usual ten minutes there is time for a trial even after the longest wait.
    fn default() -> Self {
        Self {
            every: Some(Duration::from_mins(5)),
            breaker: BreakerPolicy {
                failures: 3,
                first: Duration::from_secs(30),
                longest: Duration::from_mins(5),
            },
        }
    }
}

/// One entry of the network allow-list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowRule {
    /// Addresses in this range, whatever name led to them.
    Range(ipnet::IpNet),
    /// This host name, whatever address it has.
    Host(String),
    /// Host names that end in this (with its leading dot).
    Suffix(String),
}

impl AllowRule {
    /// Whether it allows a host by its name, in any case, whatever its address. An address that is written out is a name too.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        let lower = |text: &str| text.trim_end_matches('.').to_ascii_lowercase();
        match self {
            Self::Range(_) => false,
            Self::Host(name) => lower(host) == lower(name),
            Self::Suffix(suffix) => lower(host).ends_with(&lower(suffix)),
        }
    }

    /// Whether it may allow a host of the public network, before anybody is asked where its name leads: by its name, or as a range that is
    /// not one of networks of one's own.
    #[must_use]
    pub fn may_name_public(&self, host: &str) -> bool {
        self.names(host) || matches!(self, Self::Range(range) if !is_near(range.addr()))
    }

    /// Whether it allows an address, whatever name led to it.
    #[must_use]
    pub fn covers(&self, address: IpAddr) -> bool {
        // An IPv4 address in IPv6 clothes is still that IPv4 address.
        matches!(self, Self::Range(range) if range.contains(&address.to_canonical()))
    }
}
