//! A day's rows in the order of reading: by ward, those with problems first; in a ward what needs a look, what is being
//! sent, what is done and what is to come; and the words for all of it. Pure.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

use super::{
    reader::{Reader, needs_attention},
    wards::sort_key,
};
use crate::{
    domain::{
        delivery::{Account, Reason, State as Standing},
        id::WardId,
        time::Timestamp,
        workspace::Workspace,
    },
    store::row::DeliveryRow,
    why::standing,
};

/// The part that changes while one looks at it.
#[derive(Debug, Serialize)]
pub(super) struct Live {
    summary: String,
    verdict: String,
    verdict_class: &'static str,
    /// Where the first of what is to be looked at stands.
    look: Option<String>,
    counts: Vec<Count>,
    /// What has to be known first: an edit that was refused, and what is silent at the moment.
    pub(super) notices: Vec<String>,
    /// Why not everything is shown, where that is so.
    pub(super) note: Option<String>,
    /// The log, filtered as this page is.
    log: String,
    groups: Vec<Group>,
    /// Wards to choose from, when the day is too large.
    pub(super) choices: Vec<Link>,
    /// What links to a broadcast end in.
    suffix: String,
}

/// A ward to choose.
#[derive(Debug, Serialize)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) name: String,
}

/// How many stand where.
#[derive(Debug, Serialize)]
struct Count {
    class: &'static str,
    number: u64,
    word: String,
}

/// A ward.
#[derive(Debug, Serialize)]
struct Group {
    id: String,
    name: String,
    open: bool,
    class: &'static str,
    summary: String,
    sections: Vec<Section>,
    #[serde(skip)]
    attention: u64,
    /// Problems first, then what is under way.
    #[serde(skip)]
    urgency: u8,
}

/// Rows of a ward that stand in the same relation to now.
#[derive(Debug, Serialize)]
struct Section {
    heading: String,
    sessions: Vec<Session>,
}

/// The rows of one moment and one bulletin.
#[derive(Debug, Serialize)]
struct Session {
    clock: String,
    title: String,
    lines: Vec<Line>,
}

/// One delivery.
#[derive(Debug, Serialize)]
struct Line {
    id: String,
    channel: String,
    class: &'static str,
    word: String,
    note: Option<String>,
}

/// Where a row stands for a reader, in the order of a ward's sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Attention,
    Now,
    Done,
    Next,
}

impl Phase {
    fn of(row: &DeliveryRow, reader: &Reader) -> Self {
        match row.state {
            _ if needs_attention(row) => Self::Attention,
            Standing::Planned | Standing::Ready if row.due > reader.now => Self::Next,
            Standing::Planned | Standing::Ready | Standing::Sending => Self::Now,
            _ => Self::Done,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Attention => "section-attention",
            Self::Now => "section-now",
            Self::Done => "section-done",
            Self::Next => "section-next",
        }
    }
}

/// A row with its headline.
pub(super) type Titled = (DeliveryRow, Option<Arc<str>>);

/// What a day's rows are seen as.
pub(super) struct Day {
    /// Where the rows stand, also those that are not among `rows`.
    pub(super) account: Account,
    /// The rows shown, oldest first.
    pub(super) rows: Vec<Titled>,
    /// Whether a single ward was asked for.
    pub(super) one_ward: bool,
    /// The log of the same day.
    pub(super) log: String,
}

/// Puts rows in the order of reading.
pub(super) fn arrange(reader: &Reader, workspace: &Workspace, day: Day) -> Live {
    let Day {
        account,
        rows,
        one_ward,
        log,
    } = day;
    let mut wards: BTreeMap<WardId, Vec<Titled>> = BTreeMap::new();
    for titled in rows {
        wards.entry(titled.0.ward.clone()).or_default().push(titled);
    }
    let alone = one_ward || wards.len() == 1;
    let mut groups: Vec<_> = wards
        .into_iter()
        .map(|(ward, rows)| {
            let known = workspace.ward(&ward).map(|ward| ward.name.clone());
            let name = known.unwrap_or_else(|| rows[0].0.ward_name.clone());
            group(reader, &ward, name, alone, rows)
        })
        .collect();
    groups.sort_by_cached_key(|group| (group.urgency, sort_key(&group.name)));
    let shown: u64 = groups.iter().map(|group| group.attention).sum();
    // On a day that is too large not every problem is among the rows; on another, some skips are problems too.
    let attention = shown.max(account.failed + account.unknown);
    let (verdict, verdict_class) = match (account.occurrences, attention) {
        (0, _) => (reader.text("verdict-nothing", &[]), "planned"),
        (_, 0) => (reader.text("verdict-fine", &[]), "confirmed"),
        (_, number) => (
            reader.text("verdict-attention", &[("number", &number)]),
            "failed",
        ),
    };
    let first = groups.first().filter(|group| group.attention > 0);
    let look = first.map_or_else(|| log.clone(), |group| format!("#w-{}", group.id));
    Live {
        look: (attention > 0).then_some(look),
        summary: reader.text("summary", &[("number", &account.occurrences)]),
        verdict,
        verdict_class,
        counts: counts(reader, &account),
        notices: Vec::new(),
        note: None,
        log,
        groups,
        choices: Vec::new(),
        suffix: reader.link("", &[]),
    }
}

fn counts(reader: &Reader, account: &Account) -> Vec<Count> {
    let all = [
        ("failed", account.failed, "count-failed"),
        ("unknown", account.unknown, "count-unknown"),
        ("confirmed", account.confirmed, "count-confirmed"),
        (
            "accepted",
            account.accepted - account.offered,
            "count-accepted",
        ),
        ("offered", account.offered, "count-offered"),
        ("skipped", account.skipped, "count-skipped"),
        ("cancelled", account.cancelled, "count-cancelled"),
        ("planned", account.pending, "count-pending"),
    ];
    // What is none is left out, but for the two that people look for.
    all.into_iter()
        .filter(|(class, number, _)| *number > 0 || matches!(*class, "accepted" | "planned"))
        .map(|(class, number, word)| Count {
            class,
            number,
            word: reader.text(word, &[]),
        })
        .collect()
}

fn group(reader: &Reader, ward: &WardId, name: String, alone: bool, rows: Vec<Titled>) -> Group {
    let mut phases: BTreeMap<Phase, Vec<Titled>> = BTreeMap::new();
    for titled in rows {
        phases
            .entry(Phase::of(&titled.0, reader))
            .or_default()
            .push(titled);
    }
    let number = |phase| phases.get(&phase).map_or(0, Vec::len);
    let (attention, now, done) = (
        number(Phase::Attention),
        number(Phase::Now),
        number(Phase::Done),
    );
    // Accepted, waiting for a person, and aired are not the same, and none of them is "done".
    let past = |is: fn(&DeliveryRow) -> bool| {
        let rows = phases.get(&Phase::Done).into_iter().flatten();
        rows.filter(|(row, _)| is(row)).count()
    };
    let mut parts = Vec::new();
    for (number, word) in [
        (attention, "ward-attention"),
        (now, "ward-now"),
        (
            past(|row| row.state == Standing::Accepted && !row.is_offered()),
            "ward-accepted",
        ),
        (past(DeliveryRow::is_offered), "ward-offered"),
        (
            past(|row| row.state == Standing::Confirmed),
            "ward-confirmed",
        ),
        (
            past(|row| matches!(row.state, Standing::Skipped | Standing::Cancelled)),
            "ward-dropped",
        ),
    ] {
        if number > 0 {
            parts.push(reader.text(word, &[("number", &number)]));
        }
    }
    if let Some((row, _)) = phases.get(&Phase::Next).and_then(|rows| rows.first()) {
        parts.push(reader.text("ward-next", &[("clock", &reader.clock(row.due))]));
    }
    let (urgency, class) = match (attention, now, done) {
        (0, 0, 0) => (2, "planned"),
        (0, 0, _) => (2, "accepted"),
        (0, ..) => (1, "sending"),
        _ => (0, "failed"),
    };
    Group {
        id: ward.to_string(),
        name,
        open: alone || attention > 0,
        class,
        summary: parts.join(" · "),
        sections: phases
            .into_iter()
            .map(|(phase, rows)| section(reader, phase, rows))
            .collect(),
        attention: attention as u64,
        urgency,
    }
}

/// What the lines of a session have in common: when, and which headline.
type Moment = (Timestamp, Option<Arc<str>>);

fn section(reader: &Reader, phase: Phase, rows: Vec<Titled>) -> Section {
    let mut sessions: Vec<(Moment, Session)> = Vec::new();
    for (row, title) in rows {
        let key = (row.due, title);
        let line = line(reader, &row);
        if let Some((_, session)) = sessions.iter_mut().find(|(known, _)| *known == key) {
            session.lines.push(line);
            continue;
        }
        let title = key
            .1
            .as_deref()
            .map_or_else(|| reader.text("no-bulletin", &[]), str::to_owned);
        sessions.push((
            key,
            Session {
                clock: reader.clock(row.due),
                title,
                lines: vec![line],
            },
        ));
    }
    Section {
        heading: reader.text(phase.word(), &[]),
        sessions: sessions.into_iter().map(|(_, session)| session).collect(),
    }
}

fn line(reader: &Reader, row: &DeliveryRow) -> Line {
    let day = reader.day_of(row.due);
    let at = |word, at| reader.text(word, &[("at", &reader.moment_near(at, day))]);
    let note = match row.state {
        Standing::Accepted | Standing::Confirmed => {
            let word = match row.reason {
                Some(Reason::Interrupted) => "note-interrupted",
                Some(Reason::Offered) => "note-started",
                _ => "note-accepted",
            };
            row.accepted_at.map(|time| at(word, time))
        }
        Standing::Ready if row.left_alone.is_some() => reader.why(row),
        Standing::Ready if row.attempts > 0 => row.next_at.map(|time| at("note-retry", time)),
        Standing::Sending => row.started_at.map(|time| at("note-started", time)),
        _ => reader.why(row),
    };
    Line {
        id: row.id.to_string(),
        channel: row.channel_name.clone(),
        class: standing(row),
        word: reader.word(standing(row)),
        note,
    }
}
