//! `/nhat-ky`: every delivery, newest first, filtered, a page at a time.
//!
//! Pages hang on the instant and id of their first and last row, never on a count, so that no row is shown twice or left
//! out while new ones come in above. Without an end, the log ends now: what is still to come is on the first page of
//! the site, and here only when a day or one of the waiting states is asked for.

use std::{sync::Arc, time::Duration};

use axum::response::Response;
use chrono::NaiveDate;
use serde::Serialize;

use super::{
    Pages,
    call::Call,
    frame::Place,
    query::{Query, format_key, parse_day, parse_key},
    reader::{Reader, needs_attention},
    refusal::Refusal,
    wards::{WardChoice, sort_key, ward_choices},
};
use crate::{
    domain::{
        delivery::State as Standing,
        id::{ChannelId, WardId},
        workspace::Workspace,
    },
    store::{LogFilter, Order, PageKey, StoreError, row::DeliveryRow},
    why::standing,
};

/// Rows on a page.
const ROWS: u32 = 50;
/// The most channels that the form offers; with more, a ward has to be chosen first.
const MOST_CHANNELS: usize = 120;

/// What the reader asked for.
struct Asked {
    ward: Option<WardId>,
    channel: Option<ChannelId>,
    state: Option<Standing>,
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
    page: Turn,
}

/// Which page.
enum Turn {
    First,
    Older(PageKey),
    Newer(PageKey),
}

impl Asked {
    fn read(query: &Query) -> Result<Self, Refusal> {
        let older = query.parsed("sau", parse_key)?;
        let newer = query.parsed("truoc", parse_key)?;
        Ok(Self {
            ward: query.parsed("phuong", |text| WardId::parse(text).ok())?,
            channel: query.parsed("kenh", |text| ChannelId::parse(text).ok())?,
            state: query.parsed("trang-thai", Standing::parse)?,
            from: query.parsed("tu", parse_day)?,
            until: query.parsed("den", parse_day)?,
            page: match (older, newer) {
                (Some(key), _) => Turn::Older(key),
                (None, Some(key)) => Turn::Newer(key),
                (None, None) => Turn::First,
            },
        })
    }

    fn filter(&self, reader: &Reader) -> LogFilter {
        let waiting = matches!(self.state, Some(Standing::Planned | Standing::Ready));
        let now = || reader.now + Duration::from_micros(1);
        let until = self
            .until
            .map(|day| reader.end_of(day))
            .or_else(|| (!waiting).then(now));
        LogFilter {
            ward: self.ward.clone(),
            channel: self.channel.clone(),
            schedule: None,
            state: self.state,
            since: self.from.map(|day| reader.start_of(day)),
            until,
        }
    }

    fn link(&self, reader: &Reader, turn: &str, key: &str) -> String {
        let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        let parameters = [
            ("phuong", self.ward.as_ref().map_or("", |id| id.as_str())),
            ("kenh", self.channel.as_ref().map_or("", |id| id.as_str())),
            ("trang-thai", self.state.map_or("", Standing::as_str)),
            ("tu", &day(self.from)),
            ("den", &day(self.until)),
            (turn, key),
        ];
        reader.link("/nhat-ky", &parameters)
    }
}

#[derive(Serialize)]
struct Choice {
    id: String,
    name: String,
    chosen: bool,
}

#[derive(Serialize)]
struct Log {
    heading: String,
    wards: Vec<WardChoice>,
    ward: String,
    channels: Vec<Choice>,
    states: Vec<Choice>,
    from: String,
    until: String,
    /// Whether the log ends now because the reader named no end.
    ends_now: bool,
    filtered: bool,
    clear: String,
    /// What stands instead of the rows where there are none.
    empty: String,
    rows: Vec<Line>,
    newest: Option<String>,
    newer: Option<String>,
    older: Option<String>,
    suffix: String,
}

#[derive(Serialize)]
struct Line {
    id: String,
    day: String,
    clock: String,
    ward: String,
    channel: String,
    title: String,
    class: &'static str,
    word: String,
    attention: bool,
    reason: Option<String>,
}

/// `GET /nhat-ky`.
pub(super) async fn page(call: Call) -> Response {
    call.answer(show(&call).await)
}

async fn show(call: &Call) -> Result<Response, Refusal> {
    let Call {
        pages,
        reader,
        query,
        ..
    } = call;
    let asked = Asked::read(query)?;
    let workspace = pages.site.workspace.borrow().clone();
    known(pages, &workspace, &asked).await?;
    let found = read(pages, reader, &asked).await?;
    let titles = pages
        .titles
        .of(&pages.site.store, &workspace, &found.rows)
        .await?;
    let view = arrange(reader, &workspace, &asked, &found, titles);
    call.page(Place::Log, &view.heading, "log.html", &view)
}

/// Refuses a ward or channel that is neither in the files nor on record: an empty log would say that nothing was aired.
async fn known(pages: &Pages, workspace: &Workspace, asked: &Asked) -> Result<(), Refusal> {
    let ward = asked
        .ward
        .clone()
        .filter(|ward| workspace.ward(ward).is_none());
    let channel = asked
        .channel
        .clone()
        .filter(|channel| !workspace.channels.contains_key(channel));
    let filters = [
        ward.map(|ward| {
            let ward = Some(ward);
            (
                "phuong",
                LogFilter {
                    ward,
                    ..LogFilter::default()
                },
            )
        }),
        channel.map(|channel| {
            let channel = Some(channel);
            (
                "kenh",
                LogFilter {
                    channel,
                    ..LogFilter::default()
                },
            )
        }),
    ];
    for (name, filter) in filters.into_iter().flatten() {
        if !pages.site.store.has_any(&filter).await? {
            return Err(Refusal::UnknownName { name });
        }
    }
    Ok(())
}

/// A page's rows, newest first.
struct Found {
    rows: Vec<DeliveryRow>,
    has_newer: bool,
    has_older: bool,
}

async fn read(pages: &Pages, reader: &Reader, asked: &Asked) -> Result<Found, StoreError> {
    let store = &pages.site.store;
    let filter = asked.filter(reader);
    // One more than is shown tells whether there is another page.
    let limit = ROWS + 1;
    if let Turn::Newer(key) = &asked.page {
        let mut rows = store
            .log(&filter, Order::OldestFirst, Some(key), limit)
            .await?;
        // A page that reaches the newest row is the first page, and the first page is always full.
        if rows.len() > ROWS as usize {
            rows.truncate(ROWS as usize);
            rows.reverse();
            return Ok(Found {
                rows,
                has_newer: true,
                has_older: true,
            });
        }
    }
    let after = if let Turn::Older(key) = &asked.page {
        Some(key)
    } else {
        None
    };
    let mut rows = store.log(&filter, Order::NewestFirst, after, limit).await?;
    let has_older = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    Ok(Found {
        rows,
        has_newer: after.is_some(),
        has_older,
    })
}

fn arrange(
    reader: &Reader,
    workspace: &Workspace,
    asked: &Asked,
    found: &Found,
    titles: Vec<Option<Arc<str>>>,
) -> Log {
    let key = |row: Option<&DeliveryRow>| {
        row.map(|row| {
            format_key(&PageKey {
                due: row.due,
                id: row.id.clone(),
            })
        })
    };
    let (first, last) = (key(found.rows.first()), key(found.rows.last()));
    let newer = first.filter(|_| found.has_newer);
    let older = last.filter(|_| found.has_older);
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    let filter = asked.filter(reader);
    Log {
        heading: reader.text("log-heading", &[]),
        wards: ward_choices(workspace, asked.ward.as_ref()),
        ward: asked
            .ward
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        channels: channels(workspace, asked),
        states: states(reader, asked.state),
        from: day(asked.from),
        until: day(asked.until),
        ends_now: asked.until.is_none() && filter.until.is_some(),
        filtered: asked.ward.is_some()
            || asked.channel.is_some()
            || asked.state.is_some()
            || asked.from.is_some()
            || asked.until.is_some(),
        clear: reader.link("/nhat-ky", &[]),
        empty: empty(reader, asked),
        rows: found
            .rows
            .iter()
            .zip(titles)
            .map(|(row, title)| line(reader, row, title))
            .collect(),
        newest: found.has_newer.then(|| asked.link(reader, "sau", "")),
        newer: newer.map(|key| asked.link(reader, "truoc", &key)),
        older: older.map(|key| asked.link(reader, "sau", &key)),
        suffix: reader.link("", &[]),
    }
}

/// Why there are no rows: a range in which there can be none must not read as if nothing had been broadcast.
fn empty(reader: &Reader, asked: &Asked) -> String {
    match (asked.from, asked.until) {
        (Some(from), Some(until)) if from > until => {
            let (from, until) = (reader.day(from), reader.day(until));
            reader.text("log-backwards", &[("from", &from), ("until", &until)])
        }
        (Some(from), None) if reader.start_of(from) > reader.now => {
            reader.text("log-not-yet", &[("from", &reader.day(from))])
        }
        _ => reader.text("log-empty", &[]),
    }
}

fn channels(workspace: &Workspace, asked: &Asked) -> Vec<Choice> {
    let here = workspace
        .channels
        .values()
        .filter(|channel| asked.ward.as_ref().is_none_or(|ward| channel.ward == *ward));
    let mut choices: Vec<_> = here
        .map(|channel| Choice {
            id: channel.id.to_string(),
            name: channel.name.clone(),
            chosen: asked.channel.as_ref() == Some(&channel.id),
        })
        .collect();
    if choices.len() > MOST_CHANNELS {
        choices.retain(|choice| choice.chosen);
    }
    choices.sort_by_cached_key(|choice| sort_key(&choice.name));
    if let Some(id) = asked
        .channel
        .as_ref()
        .filter(|_| !choices.iter().any(|choice| choice.chosen))
    {
        choices.push(Choice {
            id: id.to_string(),
            name: id.to_string(),
            chosen: true,
        });
    }
    choices
}

fn states(reader: &Reader, chosen: Option<Standing>) -> Vec<Choice> {
    let choice = |state: &Standing| Choice {
        id: state.as_str().to_owned(),
        name: reader.word(state.as_str()),
        chosen: chosen == Some(*state),
    };
    Standing::ALL.iter().map(choice).collect()
}

fn line(reader: &Reader, row: &DeliveryRow, title: Option<Arc<str>>) -> Line {
    Line {
        id: row.id.to_string(),
        day: reader.day(reader.day_of(row.due)),
        clock: reader.clock(row.due),
        ward: row.ward_name.clone(),
        channel: row.channel_name.clone(),
        title: title.map_or_else(
            || reader.text("no-bulletin", &[]),
            |title| title.to_string(),
        ),
        class: standing(row),
        word: reader.word(standing(row)),
        attention: needs_attention(row),
        reason: reader.whole_why(row),
    }
}
