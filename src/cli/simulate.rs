//! `loa simulate`: the simulated city as a process of its own, so that daemon and city can be killed apart.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{Global, output::Output, run::terminated};
use crate::simulator::{City, CityOptions};

/// Where the city listens and what it writes down.
#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// The control address, loopback only
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDR", value_parser = super::usage::socket)]
    listen: SocketAddr,
    /// Append one JSON line for each thing that a device received
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// Runs the city until it is told to stop.
///
/// # Errors
/// When the address or the file cannot be used.
pub(super) async fn run(
    _global: &Global,
    args: &SimulateArgs,
    output: &Output,
) -> anyhow::Result<()> {
    super::run::start_logging("warn", crate::telemetry::LogFormat::Text);
    let city = City::start(CityOptions {
        control: args.listen,
        record: args.record.clone(),
    })
    .await?;
    let address = format!("http://{}", city.control());
    output.line(&output.say("cli.city-open", &[("address", &address)]))?;
    terminated().await?;
    city.shutdown().await;
    Ok(())
}
