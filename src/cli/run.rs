//! `loa run`: the daemon with its pages, its signals and, when simulated, its city.

mod screens;
mod ticker;

use std::{io::IsTerminal as _, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::bail;
use axum::http::StatusCode;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Global,
    output::{Output, local, parse_instant},
    place::{Place, eprint_text},
    usage::{Wrong, between, one_of},
};
use crate::{
    adapter::transport::{ANSWER_CAP, Route, Transport, TransportSettings},
    clock::Clock,
    config,
    daemon::{
        self, Daemon, Shared,
        live::Live,
        reloader::Reloader,
        reports::{Posted, Taken},
        supervisor::{Stop, SupervisorError},
    },
    domain::{approval::Required, calendar, time::Timestamp},
    simulator::{City, CityHandle, CityOptions},
    store::{LogFilter, StoreError, World},
    telemetry::{self, LogFormat},
    web,
};

/// How to run.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Simulated seconds a second (default: as loa.yaml says)
    #[arg(long, value_name = "N", value_parser = parse_speed)]
    speed: Option<f64>,
    /// Start the simulated clock here, not before the instant at which it was last
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    at: Option<String>,
    /// Stop at this instant (2024-03-26T05:30, or +24h from the start)
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    until: Option<String>,
    /// Log lines for people or for programs
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = one_of(&[LogFormat::Text, LogFormat::Json], log_format))]
    log_format: LogFormat,
    /// Without the pages
    #[arg(long)]
    no_web: bool,
}

fn parse_speed(text: &str) -> Result<f64, Wrong> {
    between(text, 0.1, 100_000.0)
}

fn log_format(format: LogFormat) -> &'static str {
    match format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    }
}

/// Starts logging to standard error; `RUST_LOG` overrides `default`.
pub(super) fn start_logging(default: &str, format: LogFormat) {
    let color = std::io::stderr().is_terminal() && !config::no_color();
    telemetry::start_logging(format, &config::log_filter(default), color);
}

/// Runs until told to stop.
///
/// # Errors
/// When the workspace has mistakes, something that is needed is missing, or a loop of the daemon ended by itself.
pub(super) async fn run(global: &Global, args: &RunArgs, output: &Output) -> anyhow::Result<()> {
    let simulated = global.world() == World::Simulated;
    // A newcomer watches the broadcasts themselves, an operator reads the log.
    start_logging(if simulated { "warn" } else { "info" }, args.log_format);
    if !simulated && (args.at.is_some() || args.speed.is_some()) {
        bail!(output.say("cli.run-only-simulated", &[]));
    }
    let place = Place::load(global, output)?;
    let store = place.store(true, output).await?;
    let (clock, start) = clock(&place, &store, args, output).await?;
    // A fast clock does not run while the daemon gets up: the next statement takes longer than an hour of some.
    let rising = clock.busy();
    // What fell due while nobody was running is settled by this run.
    let last = store.last_alive().await?;
    let settled = last.map_or(start, |last| last.min(start));
    let until = args
        .until
        .as_deref()
        .map(|text| parse_instant(text, place.zone(), start))
        .transpose()?;
    if let Some(until) = until {
        if until <= start {
            let (start, until) = (local(start, place.zone()), local(until, place.zone()));
            bail!(output.say("cli.run-backwards", &[("start", &start), ("until", &until)]));
        }
        clock.end_at(until);
    }
    let (transport, city) = transport(global, &place, output).await?;
    let live = Live::new(place.workspace.clone(), &place.secrets);
    let alone = store.is_exclusive();
    let node = config::node_name(Clock::system().now().as_micros());
    let shared = Shared::new(node, alone, clock.clone(), store.clone(), transport, live);
    if simulated {
        daemon::sample::approve(&store, &shared.live.borrow().clone(), start).await?;
    } else if place.workspace.settings.approval.required == Required::Off {
        eprint_text(&output.say("approval.off", &[]));
    }
    let live = shared.live.borrow().clone();
    store.keep_versions(live.versions.iter(), start).await?;
    let mut reloader = Reloader::new(place.root.clone(), place.secrets.clone());
    reloader.sample_approver = simulated;
    reloader.lang = output.lang;
    let signals = signals(shared.stop.clone(), reloader.wanted.clone())?;

    let address = if args.no_web {
        None
    } else {
        Some(listen(place.workspace.settings.web, output).await?)
    };
    let mut daemon = Daemon::start(shared.clone()).await?;
    daemon.attach("reloader", reloader.clone().run(shared.clone()));
    let mut shown = None;
    if let Some(listener) = address {
        shown = Some(listener.local_addr()?);
        let site = site(&shared, &reloader, simulated, start);
        let stop = shared.stop.drained.clone();
        daemon.attach_witness("web", async move {
            if let Err(error) =
                web::serve(listener, site, web::connections::Limits::default(), stop).await
            {
                tracing::error!(error = &error as &dyn std::error::Error, "the pages ended");
            }
        });
    }
    let (ended, stop) = (clock.clone(), shared.stop.soft.clone());
    daemon.attach_attendant(signals);
    daemon.attach("until", async move {
        match until {
            Some(until) => {
                // A clock that is set back ends a wait early.
                while ended.now() < until && !stop.is_cancelled() {
                    tokio::select! { () = ended.sleep_until(until) => {}, () = stop.cancelled() => {} }
                }
                stop.cancel();
            }
            None => stop.cancelled().await,
        }
    });
    if simulated {
        daemon.attach(
            "ticker",
            ticker::run(shared.clone(), start, place.zone(), output.lang),
        );
    }
    greet(output, &place, start, shown)?;
    drop(rising);
    // Outside systemd there is nobody to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let ended = finish(daemon, &shared, output, settled, until).await;
    if let Some(city) = city {
        city.shutdown().await;
    }
    ended
}

/// Waits for the end and says what this run did.
async fn finish(
    daemon: Daemon,
    shared: &Shared,
    output: &Output,
    start: Timestamp,
    until: Option<Timestamp>,
) -> anyhow::Result<()> {
    let (store, clock) = (shared.store.clone(), shared.clock.clone());
    let (seen, ended) = daemon
        .finish_then(async move {
            // The system's clock goes on while the loops end.
            let now = until.map_or(clock.now(), |until| until.min(clock.now()));
            let filter = LogFilter {
                since: Some(start),
                until: Some(now),
                ..LogFilter::default()
            };
            store.account(&filter).await.map(|account| (account, now))
        })
        .await;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    // Why it was told to end at once.
    if let Err(gone @ StoreError::Gone { .. }) = seen {
        return Err(gone.into());
    }
    if let Ok((account, now)) = seen {
        let zone = shared.workspace.borrow().settings.zone;
        let (from, until) = (local(start, zone), local(now, zone));
        output.line(&output.say("cli.run-ended", &[("from", &from), ("until", &until)]))?;
        output.line(&super::verify::equation(&account, output))?;
    }
    ended.map_err(|error| {
        let sentence = match &error {
            SupervisorError::ToldTwice => output.say("cli.run-told-twice", &[]),
            SupervisorError::Dropped(limit) => {
                output.say("cli.run-dropped", &[("seconds", &limit.as_secs())])
            }
            SupervisorError::Ended { .. } | SupervisorError::Panicked(_) => {
                output.say("cli.run-broke", &[("cause", &error)])
            }
        };
        anyhow::anyhow!(sentence)
    })
}

/// The clock of this run, and what it shows at the start.
async fn clock(
    place: &Place,
    store: &crate::store::Store,
    args: &RunArgs,
    output: &Output,
) -> anyhow::Result<(Clock, Timestamp)> {
    if place.world == World::Real {
        let clock = Clock::system();
        let now = clock.now();
        return Ok((clock, now));
    }
    let settings = &place.workspace.settings;
    let last = store.last_instant().await?;
    let went_on = last.unwrap_or(settings.simulate_start);
    let start = args.at.as_deref().map_or(Ok(went_on), |text| {
        parse_instant(text, place.zone(), went_on)
    })?;
    // What was sent after that instant stays sent: nobody could tell two mornings of one day apart.
    if let Some(last) = last.filter(|last| start < *last) {
        let exact = |at| {
            let local = calendar::local(at, place.zone());
            local.format("%d/%m/%Y %H:%M:%S").to_string()
        };
        let (start, last) = (exact(start), exact(last));
        bail!(output.say("cli.run-earlier", &[("start", &start), ("last", &last)]));
    }
    Ok((
        Clock::simulated(start, args.speed.unwrap_or(settings.simulate_speed)),
        start,
    ))
}

/// The client, and the city that it is led to when simulated.
///
/// # Errors
/// When the city cannot be started, its address is not on loopback, or no city answers there.
pub(super) async fn transport(
    global: &Global,
    place: &Place,
    output: &Output,
) -> anyhow::Result<(Transport, Option<CityHandle>)> {
    let settings = &place.workspace.settings;
    let (route, city) = match global.simulate.as_deref() {
        None => (Route::Direct, None),
        Some("") => {
            let city = City::start(CityOptions::default()).await?;
            (
                Route::Simulated {
                    control: city.control(),
                },
                Some(city),
            )
        }
        Some(url) => {
            let address = url
                .trim_end_matches('/')
                .strip_prefix("http://")
                .unwrap_or(url);
            let address = address.replace("localhost", "127.0.0.1");
            let Ok(control) = address.parse::<SocketAddr>() else {
                bail!(output.say("cli.bad-city", &[("url", &url)]));
            };
            if !control.ip().is_loopback() {
                bail!(output.say("cli.city-elsewhere", &[("address", &control)]));
            }
            (Route::Simulated { control }, None)
        }
    };
    let transport = Transport::new(TransportSettings {
        connect_timeout: settings.delivery.connect_timeout,
        total_timeout: settings.delivery.total_timeout,
        allow: settings.allow.clone(),
        answer_cap: ANSWER_CAP,
        route,
    })?;
    transport.set_pace(settings.delivery.host_per_second);
    if let Route::Simulated { control } = route
        && !transport.is_city_there().await
    {
        bail!(output.say("cli.no-city", &[("address", &control)]));
    }
    Ok((transport, city))
}

async fn listen(address: SocketAddr, output: &Output) -> anyhow::Result<tokio::net::TcpListener> {
    let bound = tokio::net::TcpListener::bind(address).await;
    bound.map_err(|cause| {
        let cause = output.cause(&cause);
        let args: [(&str, &dyn std::fmt::Display); 2] = [("address", &address), ("cause", &cause)];
        anyhow::anyhow!(output.say("cli.web-taken", &args))
    })
}

fn site(shared: &Shared, reloader: &Reloader, simulated: bool, start: Timestamp) -> web::Site {
    let metrics = shared.metrics.clone();
    let trouble = shared.trouble.subscribe();
    let stopping = shared.stop.soft.clone();
    let refused = reloader.refused.subscribe();
    web::Site {
        store: shared.store.clone(),
        workspace: shared.workspace.subscribe(),
        clock: shared.clock.clone(),
        simulated,
        refused: Arc::new(move || {
            let refused = refused.borrow();
            refused.as_ref().map(|refused| web::RefusedEdit {
                mistakes: refused.mistakes.len(),
                since: refused.since,
            })
        }),
        metrics_text: Arc::new(move || metrics.to_text()),
        ready: Arc::new(move || {
            if stopping.is_cancelled() {
                return Err(
                    "stopping: nothing new is begun, what is in flight is finished".to_owned(),
                );
            }
            trouble.borrow().clone().map_or(Ok(()), Err)
        }),
        report: Arc::new({
            let shared = shared.clone();
            move |channel, signed, body| {
                let shared = shared.clone();
                Box::pin(async move { report(&shared, &channel, &signed, &body).await })
            }
        }),
        board: screens::board(shared),
        showing: screens::showing(shared),
        dark: screens::dark(shared, start),
    }
}

/// Takes what a receiver reports, and says what it is answered.
async fn report(shared: &Shared, channel: &str, signed: &web::Signed, body: &[u8]) -> StatusCode {
    let taken = match signed {
        web::Signed::Zalo(signature) => {
            daemon::reports::take(shared, channel, signature.as_deref(), body).await
        }
        web::Signed::Webhook {
            id,
            timestamp,
            signature,
        } => {
            let posted = Posted {
                id,
                timestamp,
                signature,
                body,
            };
            daemon::reports::take_posted(shared, channel, posted).await
        }
    };
    match taken {
        Ok(Taken::Tied | Taken::Counted) => StatusCode::OK,
        Ok(Taken::Early) => StatusCode::CONFLICT,
        Ok(Taken::Refused) => StatusCode::UNAUTHORIZED,
        Ok(Taken::Nowhere) => StatusCode::NOT_FOUND,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a report could not be put on record"
            );
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// The first signal ends softly, the second hard, SIGHUP reloads.
fn signals(
    stop: Stop,
    reload: Arc<tokio::sync::Notify>,
) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    // The second signal has to be heard while the loops drain, so this loop goes on until all have ended.
    // The signals' own time: a simulated clock shows another.
    let (clock, mut told) = (Clock::system(), Told::default());
    Ok(async move {
        loop {
            tokio::select! {
                _ = hangup.recv() => reload.notify_one(),
                _ = interrupt.recv() => told.end(&stop, clock.run_time()),
                _ = terminate.recv() => told.end(&stop, clock.run_time()),
            }
        }
    })
}

/// A terminal tells the whole group, and a parent that hears it tells its children again: that is once.
const ECHO: Duration = Duration::from_secs(1);

/// When the process was told to end.
#[derive(Debug, Default)]
struct Told(Option<Duration>);

impl Told {
    /// Notes a signal to end that came at `at`.
    fn end(&mut self, stop: &Stop, at: Duration) {
        match self.0 {
            None => {
                self.0 = Some(at);
                tracing::info!("told to end: finishing what is in flight");
                stop.soft.cancel();
            }
            Some(first) if at < first + ECHO => {}
            Some(_) => {
                tracing::warn!("told twice to end: dropping what is in flight");
                stop.hard.cancel();
            }
        }
    }
}

/// Returns when the process is told to end.
///
/// # Errors
/// When signals cannot be listened to.
pub(super) async fn terminated() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    Ok(())
}

fn greet(
    output: &Output,
    place: &Place,
    start: Timestamp,
    shown: Option<SocketAddr>,
) -> anyhow::Result<()> {
    let workspace = &place.workspace;
    let key = if place.world == World::Simulated {
        "cli.run-simulated"
    } else {
        "cli.run-real"
    };
    output.line(&output.say(
        key,
        &[
            ("name", &workspace.settings.name),
            ("channels", &workspace.channels.len()),
            ("wards", &workspace.wards.len()),
            ("at", &local(start, place.zone())),
        ],
    ))?;
    if let Some(address) = shown {
        output.line(&output.say(
            "cli.run-pages",
            &[("address", &format!("http://{address}/"))],
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_echo_of_a_signal_is_not_a_second_one() {
        let (stop, mut told) = (Stop::default(), Told::default());
        let ms = Duration::from_millis;
        told.end(&stop, ms(5_000));
        assert!(stop.soft.is_cancelled());
        for echo in [5_000, 5_001, 5_999] {
            told.end(&stop, ms(echo));
            assert!(!stop.hard.is_cancelled(), "{echo}");
        }
        told.end(&stop, ms(6_000));
        assert!(stop.hard.is_cancelled());
    }

    #[test]
    fn whoever_ended_it_otherwise_may_still_be_hurried() {
        let (stop, mut told) = (Stop::default(), Told::default());
        stop.soft.cancel();
        told.end(&stop, Duration::from_secs(1));
        assert!(!stop.hard.is_cancelled(), "the first signal");
        told.end(&stop, Duration::from_secs(3));
        assert!(stop.hard.is_cancelled());
    }
}
