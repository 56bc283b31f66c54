//! What a newcomer sees of a simulated city: one line for each broadcast as it happens.

use std::{collections::BTreeMap, time::Duration};

use chrono_tz::Tz;

use crate::{
    catalogue::{self, Lang},
    cli::{follower::Follower, output::local},
    daemon::Shared,
    domain::time::Timestamp,
    store::{StoreError, row::DeliveryRow},
    why::{Words, standing},
};

/// Changes of one moment come in one line.
const SETTLE: Duration = Duration::from_millis(250);

/// Tells of every broadcast that ends, until told to stop; then of the last ones.
pub(super) async fn run(shared: Shared, start: Timestamp, zone: Tz, lang: Lang) {
    let mut pulse = shared.store.pulse();
    let mut follower = Follower::new(start);
    loop {
        let stopping = shared.stop.soft.is_cancelled();
        let look = follower.changes(&shared.store, |rows| {
            tell(&shared, rows, zone, lang);
            Ok::<(), StoreError>(())
        });
        if let Err(error) = look.await {
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

/// One line for each broadcast among `rows` that has ended.
fn tell(shared: &Shared, rows: &[DeliveryRow], zone: Tz, lang: Lang) {
    let mut lines: BTreeMap<_, Vec<&DeliveryRow>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.state.is_final()) {
        let words = Words {
            lang,
            zone,
            moment: &|at| local(at, zone),
            is_plain: false,
        };
        // The same sentence as in the log: the name of a rule, what a device said.
        let why = words.whole(row);
        lines
            .entry((row.due, row.schedule.as_str(), row.kind, standing(row), why))
            .or_default()
            .push(row);
    }
    for ((due, _, _, standing, why), rows) in lines {
        say(shared, due, standing, why.as_deref(), &rows, zone, lang);
    }
}

fn say(
    shared: &Shared,
    due: Timestamp,
    standing: &str,
    why: Option<&str>,
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
        word(format!("state.{standing}")).to_lowercase(),
    );
    if let Some(why) = why {
        line = format!("{line} ({why})");
    }
    let title = title.unwrap_or_default();
    let title = if first.schedule.is_correction() {
        // As the correction's own headline is.
        catalogue::text(lang, "approval.correction-title", &[("title", &title)])
    } else {
        title
    };
    print(&format!("{line} · {title}"));
}

#[expect(
    clippy::print_stdout,
    reason = "the ticker is the output of a simulated run"
)]
fn print(line: &str) {
    println!("{line}");
}
