//! What was measured, as lines of text.

use std::fmt::Write as _;

use crate::{Plan, Subject, measure::Measured, sink::Arrived};

/// One run of one subject.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) round: usize,
    pub(crate) subject: Subject,
    pub(crate) measured: Measured,
    pub(crate) arrived: Arrived,
    pub(crate) n: u64,
}

impl Run {
    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers of deliveries are small"
    )]
    fn count(&self) -> f64 {
        self.n as f64
    }

    fn rate(&self) -> f64 {
        self.count() / self.measured.seconds
    }

    fn cpu_for_10k(&self) -> f64 {
        self.measured.cpu * 10_000.0 / self.count()
    }

    fn server_cpu_for_10k(&self) -> f64 {
        self.measured.server_cpu * 10_000.0 / self.count()
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a run is minutes, not centuries"
    )]
    fn milliseconds_to(&self, us: i64) -> f64 {
        (us - self.measured.began_us) as f64 / 1_000.0
    }
}

/// One run on one line.
pub(crate) fn line(run: &Run) -> String {
    let bytes = run.arrived.bytes / run.n;
    format!(
        "round {} {:<16} {:>8.0}/s  CPU {:>5.2} s + server {:>5.2} s a 10k  peak {:>5.0} MiB  first {:>5.0} ms  last {:>6.0} ms  {bytes} bytes a body",
        run.round + 1,
        run.subject.name(),
        run.rate(),
        run.cpu_for_10k(),
        run.server_cpu_for_10k(),
        run.measured.peak_mib,
        run.milliseconds_to(run.arrived.first_us),
        run.milliseconds_to(run.arrived.last_us),
    )
}

/// The middle of what a figure was in the rounds; the mean of both middles of an even number.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let half = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => figures[half],
        _ => f64::midpoint(figures[half - 1], figures[half]),
    }
}

/// All subjects by their medians, in Markdown.
pub(crate) fn medians(plan: &Plan, subjects: &[Subject], runs: &[Run]) -> String {
    let mut text = format!(
        "\n{} deliveries, {} in flight, {:?}, medians of {} rounds (lowest to highest)\n\n\
         | subject | deliveries/s | of bare | CPU s a 10k | database server's | peak MiB | first ms | last ms |\n\
         |---|---|---|---|---|---|---|---|\n",
        plan.n, plan.in_flight, plan.mode, plan.rounds
    );
    for subject in subjects {
        let own: Vec<&Run> = runs.iter().filter(|run| run.subject == *subject).collect();
        let figure = |of: &dyn Fn(&Run) -> f64| median(own.iter().map(|run| of(run)).collect());
        let rates = own.iter().map(|run| run.rate());
        let (low, high) = (
            rates.clone().fold(f64::INFINITY, f64::min),
            rates.fold(0.0, f64::max),
        );
        let of_bare = |run: &Run| {
            let bare = runs
                .iter()
                .find(|other| other.round == run.round && other.subject == Subject::Bare);
            bare.map_or(f64::NAN, |bare| run.rate() / bare.rate())
        };
        // writing to a string does not fail
        let _ = writeln!(
            text,
            "| {} | {:.0} ({low:.0} to {high:.0}) | {:.2} | {:.2} | {:.2} | {:.0} | {:.0} | {:.0} |",
            subject.name(),
            figure(&Run::rate),
            figure(&of_bare),
            figure(&Run::cpu_for_10k),
            figure(&Run::server_cpu_for_10k),
            figure(&|run| run.measured.peak_mib),
            figure(&|run| run.milliseconds_to(run.arrived.first_us)),
            figure(&|run| run.milliseconds_to(run.arrived.last_us)),
        );
    }
    text
}
