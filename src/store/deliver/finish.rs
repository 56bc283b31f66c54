//! The ends of attempts, in batches: fenced, so that a node which has lost a delivery changes nothing of it, and on record in
//! any case.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
};

use serde::Serialize;

use crate::{
    domain::{
        delivery::{Evidence, Outcome, Reason, State},
        id::DeliveryId,
        time::Timestamp,
    },
    store::{
        Finished, StoreError,
        batch::{clean_option, json, pairs},
        link::{Cells as _, Tx, execute, rows},
        row::delivery_id,
        sql,
    },
};

/// The end of an attempt as JSON. What is absent is NULL in the database.
#[derive(Serialize)]
struct End<'a> {
    delivery_id: &'a str,
    number: u32,
    started_us: i64,
    finished_us: i64,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Cow<'a, str>>,
    evidence: &'static str,
    state: &'static str,
    unfinished: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_us: Option<i64>,
    doubt: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_us: Option<i64>,
}

/// The ordinary end: the channel took it, and that is all that is known. In the order in which it is asked for.
#[derive(Serialize)]
struct Taken<'a> {
    delivery_id: &'a str,
    number: u32,
    finished_us: i64,
    started_us: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Cow<'a, str>>,
}

impl<'a> Taken<'a> {
    /// `None` for any other end.
    fn of(end: &'a Finished) -> Option<Self> {
        let is_ordinary = end.outcome == Outcome::Accepted
            && end.next == State::Accepted
            && end.evidence == Evidence::Accepted
            && end.reason.is_none()
            && end.detail.is_none()
            && !end.doubt;
        is_ordinary.then(|| Self {
            delivery_id: end.id.as_str(),
            number: end.attempt,
            finished_us: end.finished.as_micros(),
            started_us: end.started.as_micros(),
            status: end.status,
            answer: clean_option(end.answer.as_deref()),
            receipt: clean_option(end.receipt.as_deref()),
        })
    }
}

impl<'a> From<&'a Finished> for End<'a> {
    fn from(end: &'a Finished) -> Self {
        Self {
            delivery_id: end.id.as_str(),
            number: end.attempt,
            started_us: end.started.as_micros(),
            finished_us: end.finished.as_micros(),
            outcome: end.outcome.as_str(),
            reason: end.reason.map(Reason::as_str),
            detail: clean_option(end.detail.as_deref()),
            status: end.status,
            answer: clean_option(end.answer.as_deref()),
            receipt: clean_option(end.receipt.as_deref()),
            evidence: end.evidence.as_str(),
            state: end.next.as_str(),
            unfinished: !end.next.is_final(),
            // A delivery that is ready has an instant.
            next_us: (end.next == State::Ready)
                .then(|| end.next_at.unwrap_or(end.finished).as_micros()),
            doubt: end.doubt,
            accepted_us: (end.outcome == Outcome::Accepted).then(|| end.finished.as_micros()),
        }
    }
}

/// Writes ends of attempts. `false` when this node no longer held all of the deliveries: the transaction is then of no
/// use, and [`finish_held`] has to look closer.
pub(super) async fn finish(
    tx: &mut Tx,
    node: &str,
    now: Timestamp,
    finished: &[Finished],
) -> Result<bool, StoreError> {
    let (mut taken, mut ends) = (Vec::with_capacity(finished.len()), Vec::new());
    for end in finished {
        match Taken::of(end) {
            Some(end) => taken.push(end),
            None => ends.push(End::from(end)),
        }
    }
    if !taken.is_empty() {
        // Nearly always all the first.
        let mut by_number: BTreeMap<u32, Vec<&Taken<'_>>> = BTreeMap::new();
        for end in &taken {
            by_number.entry(end.number).or_default().push(end);
        }
        for (number, ends) in by_number {
            let instants = ends.iter().map(|end| (end.delivery_id, end.finished_us));
            let held = execute!(
                *tx,
                sql::deliver::FINISH_ACCEPTED,
                pairs(instants),
                node,
                now.as_micros(),
                i64::from(number)
            )?;
            if usize::try_from(held) != Ok(ends.len()) {
                return Ok(false);
            }
        }
        execute!(*tx, sql::deliver::ATTEMPT_ACCEPTED, json(&taken), node)?;
    }
    if !ends.is_empty() {
        let batch = json(&ends);
        let held = execute!(
            *tx,
            sql::deliver::FINISH,
            batch.as_str(),
            node,
            now.as_micros()
        )?;
        if usize::try_from(held) != Ok(ends.len()) {
            return Ok(false);
        }
        execute!(*tx, sql::deliver::ATTEMPT_INSERT, batch.as_str(), node)?;
    }
    Ok(true)
}

/// Writes ends of attempts; gives the deliveries that this node no longer held.
pub(super) async fn finish_held(
    tx: &mut Tx,
    node: &str,
    now: Timestamp,
    finished: &[Finished],
) -> Result<Vec<DeliveryId>, StoreError> {
    let ends: Vec<End<'_>> = finished.iter().map(End::from).collect();
    let mut held: HashSet<(String, i64)> = rows!(
        *tx,
        sql::deliver::FINISH_HELD,
        [json(&ends), node, now.as_micros()],
        |row| Ok((row.text(0)?.to_owned(), row.integer(1)?))
    )?
    .into_iter()
    .collect();
    // By attempt and not only by delivery: a slow node can lose an attempt, begin the next one itself, and report both
    // in one turn.
    let (kept, lost): (Vec<End<'_>>, Vec<End<'_>>) = ends
        .into_iter()
        .partition(|end| held.remove(&(end.delivery_id.to_owned(), i64::from(end.number))));
    if !kept.is_empty() {
        execute!(*tx, sql::deliver::ATTEMPT_INSERT, json(&kept), node)?;
    }
    execute!(*tx, sql::deliver::ATTEMPT_BELATED, json(&lost), node)?;
    Ok(lost
        .iter()
        .map(|end| delivery_id(end.delivery_id))
        .collect())
}
