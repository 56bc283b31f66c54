//! Logs and metrics: how the daemon tells operators what it does.
//!
//! Log lines are a lower-case message and dotted fields; a failure is logged once, where it is handled. Metrics live in a
//! registry of their own, so that two daemons in one test do not share counters.

use std::{io, sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Metric, Registry, Unit},
};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging to standard error. `filter` is in `RUST_LOG`'s language. A second call changes nothing.
pub fn start_logging(format: LogFormat, filter: &str, color: bool) {
    // Who watches files tells of each event at `trace`. A log inside the workspace would tell of itself for ever, and the
    // watcher could never be ended.
    let filter = format!("notify=info,notify_debouncer_full=info,{filter}");
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    // Only a test starts logging twice; the first one stays.
    let _ = match format {
        LogFormat::Text => registry
            .with(fmt::layer().with_writer(io::stderr).with_ansi(color))
            .try_init(),
        LogFormat::Json => registry
            .with(fmt::layer().json().with_writer(io::stderr))
            .try_init(),
    };
}

/// A label for a state a delivery ended in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

/// A label for why a delivery was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// A label for what came of a question.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

/// Labels of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    adapter: String,
    outcome: &'static str,
}

/// The daemon's counters. Clones count into the same registry.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    deliveries: Family<StateLabel, Counter>,
    skipped: Family<ReasonLabel, Counter>,
    attempts: Family<AttemptLabels, Histogram, fn() -> Histogram>,
    /// Seconds by which the oldest delivery that waits for its turn is overdue.
    lag: Gauge<f64, std::sync::atomic::AtomicU64>,
    due: Gauge,
    in_flight: Gauge,
    planned_until: Gauge,
    silences: Counter,
    silent: Gauge,
    reloads: Family<StateLabel, Counter>,
    questions: Family<OutcomeLabel, Counter>,
    unwell: Gauge,
    left_alone: Gauge,
    unauthorised: Gauge,
    reports: Family<OutcomeLabel, Counter>,
}

/// A metric that is registered.
fn metric<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("loa");
        let all = &mut registry;
        let deliveries = metric(all, "deliveries", "Deliveries that ended, by state");
        let skipped = metric(all, "skipped", "Deliveries that were not sent, by reason");
        let attempts =
            Family::<AttemptLabels, Histogram, fn() -> Histogram>::new_with_constructor(|| {
                Histogram::new([0.005, 0.02, 0.1, 0.5, 1.0, 3.0, 10.0, 30.0])
            });
        all.register_with_unit(
            "attempt",
            "Length of attempts, by adapter and outcome",
            Unit::Seconds,
            attempts.clone(),
        );
        let lag = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
        all.register_with_unit(
            "lag",
            "How overdue the oldest waiting delivery is",
            Unit::Seconds,
            lag.clone(),
        );
        let due = metric(
            all,
            "due",
            "Deliveries that are due and wait for their turn",
        );
        let in_flight = metric(all, "in_flight", "Deliveries claimed and not finished");
        let planned_until = metric(all, "planned_until", "The plan reaches this Unix second");
        let silences = metric(
            all,
            "silences",
            "Broadcasts that should have been heard and were not, as this node noticed them",
        );
        let silent = metric(
            all,
            "silent",
            "Channels on which something was due and nothing has been accepted since",
        );
        let reloads = metric(all, "reloads", "Workspace reloads, taken or refused");
        let questions = metric(
            all,
            "questions",
            "Questions whether a channel is alive, by what came of them",
        );
        let unwell = metric(
            all,
            "channels_unwell",
            "Channels that did not say when they were last asked that they are alive",
        );
        let left_alone = metric(
            all,
            "hosts_left_alone",
            "Hosts to which nothing but emergencies is sent, because they do not answer",
        );
        let unauthorised = metric(
            all,
            "accounts_unauthorised",
            "Accounts that a person has to authorise, for the first time or again",
        );
        let reports = metric(
            all,
            "reports",
            "What receivers reported by themselves, by what became of it",
        );
        Self {
            registry: Arc::new(registry),
            deliveries,
            skipped,
            attempts,
            lag,
            due,
            in_flight,
            planned_until,
            silences,
            silent,
            reloads,
            questions,
            unwell,
            left_alone,
            unauthorised,
            reports,
        }
    }
}

impl Metrics {
    /// Counts deliveries that ended in `state`.
    pub fn ended(&self, state: &'static str, count: u64) {
        self.deliveries
            .get_or_create(&StateLabel { state })
            .inc_by(count);
    }

    /// Counts deliveries that were not sent for `reason`.
    pub fn skipped(&self, reason: &'static str, count: u64) {
        self.skipped
            .get_or_create(&ReasonLabel { reason })
            .inc_by(count);
        self.ended("skipped", count);
    }

    /// Counts one attempt of `adapter`.
    pub fn attempted(&self, adapter: &str, outcome: &'static str, length: Duration) {
        let labels = AttemptLabels {
            adapter: adapter.to_owned(),
            outcome,
        };
        self.attempts
            .get_or_create(&labels)
            .observe(length.as_secs_f64());
    }

    /// Shows by how much the oldest waiting delivery is overdue.
    pub fn set_lag(&self, lag: Duration) {
        self.lag.set(lag.as_secs_f64());
    }

    /// Shows how many deliveries are due and wait for their turn.
    pub fn set_due(&self, count: u64) {
        self.due.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Shows how many deliveries are claimed.
    pub fn set_in_flight(&self, count: usize) {
        self.in_flight.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Shows how far the plan reaches.
    pub fn set_planned_until(&self, unix_seconds: i64) {
        self.planned_until.set(unix_seconds);
    }

    /// Counts broadcasts that should have been heard and were not.
    pub fn silences(&self, count: usize) {
        self.silences
            .inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Shows how many channels are silent.
    pub fn set_silent(&self, count: u64) {
        self.silent.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Counts a reload that was `taken` or `refused`.
    pub fn reloaded(&self, state: &'static str) {
        self.reloads.get_or_create(&StateLabel { state }).inc();
    }

    /// Counts a question whether a channel is alive: `alive`, `unwell` (it answered something else) or `no-answer`.
    pub fn asked(&self, outcome: &'static str) {
        self.questions
            .get_or_create(&OutcomeLabel { outcome })
            .inc();
    }

    /// Shows how many channels did not say that they are alive.
    pub fn set_unwell(&self, count: usize) {
        self.unwell.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Shows how many hosts are left alone.
    pub fn set_left_alone(&self, count: usize) {
        self.left_alone
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Shows how many accounts wait for a person to authorise them.
    pub fn set_unauthorised(&self, count: usize) {
        self.unauthorised
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Counts something that a receiver reported.
    pub fn reported(&self, outcome: &'static str) {
        self.reports.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Everything in the text format that Prometheus reads.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_by_name() {
        let metrics = Metrics::default();
        metrics.skipped("expired", 3);
        metrics.attempted("recipe:x", "accepted", Duration::from_millis(30));
        metrics.set_lag(Duration::from_millis(1500));
        metrics.set_due(2);
        metrics.asked("no-answer");
        metrics.set_unwell(4);
        metrics.set_left_alone(1);
        let text = metrics.to_text();
        for line in [
            "loa_skipped_total{reason=\"expired\"} 3",
            "loa_deliveries_total{state=\"skipped\"} 3",
            "loa_lag_seconds 1.5",
            "loa_due 2",
            "loa_questions_total{outcome=\"no-answer\"} 1",
            "loa_channels_unwell 4",
            "loa_hosts_left_alone 1",
            "loa_attempt_seconds_count{adapter=\"recipe:x\",outcome=\"accepted\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
