//! What a newcomer sees of a simulated city: one line for each broadcast as it happens.

use std::{collections::BTreeMap, time::Duration};

use chrono_tz::Tz;

use crate::{
    catalogue::{self, Lang},
    cli::output::local,
    daemon::Shared,
    domain::{delivery::State, time::Timestamp},
    store::row::DeliveryRow,
};

/// Changes of one moment come in one line.
const SETTLE: Duration = Duration::from_millis(250);

/// Rows a look takes.
const PAGE: u32 = 1_000;

/// Tells of every broadcast that ends, until told to stop; then of the last ones.
pub(super) async fn run(shared: Shared, start: Timestamp, zone: Tz, lang: Lang) {
    let mut pulse = shared.store.pulse();
    let mut seen: BTreeMap<String, (Timestamp, State)> = BTreeMap::new();
    let mut since = start;
    loop {
        let stopping = shared.stop.soft.is_cancelled();
        if let Err(error) = look(&shared, &mut since, &mut seen, zone, lang).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the ticker could not read the store"
            );
        }
        if stopping {
            return;
        }
        tokio::select! {
            () = shared.stop.soft.cancelled() => settle().await,
            _ = pulse.changed() => settle().await,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "paces a display in real time; no delivery waits for it"
)]
async fn settle() {
    tokio::time::sleep(SETTLE).await;
}

async fn look(
    shared: &Shared,
    since: &mut Timestamp,
    seen: &mut BTreeMap<String, (Timestamp, State)>,
    zone: Tz,
    lang: Lang,
) -> Result<(), crate::store::StoreError> {
    loop {
        let rows = shared.store.changed_since(*since, PAGE).await?;
        let mut lines: BTreeMap<(Timestamp, String, State, Option<&str>), Vec<&DeliveryRow>> =
            BTreeMap::new();
        for row in rows.iter().filter(|row| row.state.is_final()) {
            if seen
                .insert(row.id.to_string(), (row.updated_at, row.state))
                .is_some_and(|(_, state)| state == row.state)
            {
                continue;
            }
            let reason = row.reason.map(crate::domain::delivery::Reason::as_str);
            lines
                .entry((row.due, row.schedule.to_string(), row.state, reason))
                .or_default()
                .push(row);
        }
        for ((due, _, state, reason), rows) in lines {
            say(shared, due, state, reason, &rows, zone, lang);
        }
        let full = rows.len() == PAGE as usize;
        if let Some(last) = rows.last() {
            let moved = last.updated_at > *since;
            *since = last.updated_at;
            seen.retain(|_, (at, _)| *at >= last.updated_at);
            if full && moved {
                continue;
            }
        }
        return Ok(());
    }
}

fn say(
    shared: &Shared,
    due: Timestamp,
    state: State,
    reason: Option<&str>,
    rows: &[&DeliveryRow],
    zone: Tz,
    lang: Lang,
) {
    let Some(first) = rows.first() else { return };
    let title = first.bulletin.as_ref().and_then(|id| {
        shared
            .workspace
            .borrow()
            .bulletins
            .get(id)
            .map(|bulletin| bulletin.title.clone())
    });
    let word = |key: String| catalogue::text(lang, &key, &[]);
    let mut line = format!(
        "{}  {} {} · {}",
        local(due, zone),
        rows.len(),
        word(format!("state.kind-{}", first.kind.as_str())).to_lowercase(),
        word(format!("state.{}", state.as_str())).to_lowercase(),
    );
    if let Some(reason) = reason {
        line = format!("{line} ({})", word(format!("reason.{reason}")));
    }
    print(&format!("{line} · {}", title.unwrap_or_default()));
}

#[expect(
    clippy::print_stdout,
    reason = "the ticker is the output of a simulated run"
)]
fn print(line: &str) {
    println!("{line}");
}
