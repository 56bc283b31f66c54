//! What a process cost, read from /proc.

use std::{fs, path::Path};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// Processor time is counted in these a second (`USER_HZ`, fixed for programs on Linux: see time(7)).
const TICKS_A_SECOND: f64 = 100.0;

/// What one run of a subject gave.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// From the instant that the deliveries were due until the last outcome was known and, where there is a database, on
    /// record.
    pub(crate) seconds: f64,
    /// When that began, in microseconds of the machine's clock, to compare with what the sink saw.
    pub(crate) began_us: i64,
    /// Processor seconds of the subject in that time.
    pub(crate) cpu: f64,
    /// Processor seconds of its database server in that time.
    pub(crate) server_cpu: f64,
    /// The most memory that the subject's process ever had, in MiB.
    pub(crate) peak_mib: f64,
}

/// Processor seconds that a process has used, user and system.
pub(crate) fn cpu(process: &str) -> anyhow::Result<f64> {
    ticks(&Path::new("/proc").join(process), false)
}

/// Processor seconds of a server: its first process, what has ended of its children, and those that live.
pub(crate) fn server_cpu(first: u32) -> anyhow::Result<f64> {
    let mut seconds = ticks(&Path::new("/proc").join(first.to_string()), true)?;
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        // processes come and go while this looks
        let child = fs::read_to_string(path.join("stat"))
            .ok()
            .and_then(|stat| fields(&stat)?.get(1)?.parse().ok());
        if child == Some(first) {
            seconds += ticks(&path, false).unwrap_or(0.0);
        }
    }
    Ok(seconds)
}

/// The fields of `/proc/PID/stat` after the name, which may hold anything: the state is the first (see proc(5)).
fn fields(stat: &str) -> Option<Vec<&str>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace().collect())
}

fn ticks(process: &Path, with_ended_children: bool) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(process.join("stat"))?;
    let fields = fields(&stat).context("a process without a name")?;
    let wanted = if with_ended_children { 11..15 } else { 11..13 };
    let mut ticks = 0.0;
    for field in fields.get(wanted).context("a short /proc/PID/stat")? {
        ticks += field.parse::<f64>()?;
    }
    Ok(ticks / TICKS_A_SECOND)
}

/// The most memory that this process ever had, in MiB.
pub(crate) fn peak_mib() -> anyhow::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB"))
        .context("no VmHWM in /proc/self/status")?;
    Ok(kib.trim().parse::<f64>()? / 1024.0)
}
