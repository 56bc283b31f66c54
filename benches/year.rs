//! Plans a year for as many wards as a province has, and says how long it takes and how much memory it holds:
//! `cargo bench --bench year -- --wards 412 --days 365`.
//!
//! The workspace is this repository's own, with generated wards in a grid in place of its own: two clusters of loudspeakers and a
//! website each, four neighbours, all schedules, rules, holidays and airtime targets. `--write FOLDER` writes it, for the command line.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::Parser;
use loa::{
    catalogue::Lang,
    diagnostic::render,
    domain::{plan::Plan, time::Timestamp, workspace::Workspace},
    source,
};

/// Plans a year for many wards.
#[derive(Debug, Parser)]
struct Options {
    /// Wards.
    #[arg(long, default_value_t = 412)]
    wards: usize,
    /// Days, from 25 March 2024 on.
    #[arg(long, default_value_t = 365)]
    days: u32,
    /// Writes the workspace into this folder and plans nothing.
    #[arg(long)]
    write: Option<PathBuf>,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Wards in a row of the grid.
const ROW: usize = 20;

/// Words of which the wards' names are made, so that no two are alike.
const FIRST: &str = "An Bình Châu Diễn Đức Giang Hòa Khánh Lâm Minh Nghĩa Phú Quỳnh Sơn Tuy Kim Trung Vĩnh Xuân Yên Long";
const SECOND: &str =
    "Bắc Đông Nam Tây Thành Thịnh Lộc Mỹ Phong Hải Hợp Liên Quang Thọ Tiến Trường Viên Văn Cát Hạ";

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let files = workspace(options.wards)?;
    if let Some(folder) = &options.write {
        for (path, bytes) in &files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().context("a folder")?)?;
            std::fs::write(path, bytes)?;
        }
        let line = format!("{} files in {}", files.len(), folder.display());
        return say(&line);
    }
    let begun = Instant::now();
    let loaded = source::load_files(&files);
    let Some(workspace) = loaded.workspace else {
        bail!(render::to_text(&loaded.diagnostics, Lang::En, false));
    };
    report("read and checked", begun.elapsed(), &[])?;
    year(&workspace, options.days)
}

/// Plans day after day as the daemon does, and keeps nothing.
fn year(workspace: &Workspace, days: u32) -> anyhow::Result<()> {
    let from = Timestamp::parse_rfc3339("2024-03-25T00:00:00+07:00").context("an instant")?;
    let until = from + Duration::from_hours(24) * days;
    let begun = Instant::now();
    let plan = Plan::new(workspace);
    let (mut all, mut heard, mut next) = (0_u64, 0_u64, from);
    for delivery in plan.deliveries(from, until) {
        if delivery.due >= next {
            let day = delivery.due.since(from).as_secs() / 86_400;
            next = from + Duration::from_hours(24) * 28 * u32::try_from(day / 28 + 1)?;
            report(
                &format!("day {day}"),
                begun.elapsed(),
                &[("deliveries", all)],
            )?;
        }
        all += 1;
        heard += u64::from(delivery.length.is_some() && delivery.skip.is_none());
    }
    let counts = [("deliveries", all), ("of them heard", heard)];
    report(&format!("{days} days planned"), begun.elapsed(), &counts)
}

fn report(what: &str, time: Duration, counts: &[(&str, u64)]) -> anyhow::Result<()> {
    let mut line = format!("{what}: {:.1} s", time.as_secs_f64());
    for (name, count) in counts {
        write!(line, ", {count} {name}")?;
    }
    // Where the system does not tell, nothing is said.
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        write!(line, ", {} held", held.unwrap_or_default().trim())?;
    }
    say(&line)
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

/// This repository's workspace for other wards, valid for so long that there is a year to plan.
fn workspace(wards: usize) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = BTreeMap::new();
    for folder in [
        "content",
        "content/bulletins",
        "content/templates",
        "schedules",
        "channels/recipes",
    ] {
        for entry in std::fs::read_dir(root.join(folder))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let text = std::fs::read_to_string(entry.path())?;
                let text = text.replace("2024-12-31", "2025-12-31");
                let text = text.replace("until: 2024-12-29", "until: 2025-12-28");
                files.insert(format!("{folder}/{name}"), text.into_bytes());
            }
        }
    }
    for path in ["loa.yaml", "channels/thanh-pho.yaml"] {
        files.insert(path.to_owned(), std::fs::read(root.join(path))?);
    }
    let names: Vec<String> = FIRST
        .split(' ')
        .flat_map(|first| {
            SECOND
                .split(' ')
                .map(move |second| format!("{first} {second}"))
        })
        .take(wards)
        .collect();
    if names.len() < wards {
        bail!("there are names for {} wards", names.len());
    }
    let mut list = "wards:\n".to_owned();
    for (number, name) in names.iter().enumerate() {
        let near = [
            number.checked_sub(1),
            Some(number + 1),
            number.checked_sub(ROW),
            Some(number + ROW),
        ];
        let near: Vec<String> = near
            .into_iter()
            .flatten()
            .filter(|near| *near < wards)
            .map(|near| format!("x-{near}"))
            .collect();
        writeln!(
            list,
            "  x-{number}:\n    kind: xa\n    name: {name}\n    neighbours: [{}]",
            near.join(", ")
        )?;
        files.insert(
            format!("channels/x-{number}.yaml"),
            channels(number, name)?.into_bytes(),
        );
    }
    files.insert("channels/wards.yaml".to_owned(), list.into_bytes());
    Ok(files)
}

/// The channels of one ward.
fn channels(number: usize, name: &str) -> anyhow::Result<String> {
    let mut text = "channels:\n".to_owned();
    let (high, low) = (20 + number / 200, number % 200);
    for cluster in 1..=2 {
        writeln!(
            text,
            "  loa-x-{number}-{cluster}:\n    ward: x-{number}\n    name: Cụm loa số {cluster} {name}\n    kind: loudspeaker\n    \
             adapter: {{ recipe: {{ use: loudspeaker-http, with: {{ url: \"http://10.{high}.{low}.{cluster}\", token: \
             \"env:LOA_X_{number}_{cluster}\" }} }} }}"
        )?;
    }
    writeln!(
        text,
        "  web-x-{number}:\n    ward: x-{number}\n    name: Trang {name}\n    kind: website\n    adapter: {{ recipe: {{ use: wordpress, \
         with: {{ url: \"https://x-{number}.vinh.example\", user: loa, password: \"env:LOA_X_{number}_WEB\" }} }} }}"
    )?;
    Ok(text)
}
