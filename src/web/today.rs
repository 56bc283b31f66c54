//! `/`: one day, ward by ward: what has to be looked at, what is being sent, what is done, what comes next.
//!
//! A day with more rows than one page may show is not shown by halves: without a ward it becomes its summary, its
//! problems and a list of wards to choose from; with one, its beginning and a link into the log.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use chrono::{Days, NaiveDate};
use serde::Serialize;

use super::{
    Pages,
    frame::{self, Place},
    query::{Query, parse_day},
    reader::{Reader, needs_attention, standing},
    refusal::Refusal,
};
use crate::{
    domain::{
        delivery::{Account, State as Standing},
        id::WardId,
        workspace::Workspace,
    },
    store::{LogFilter, Order, row::DeliveryRow},
};

/// The most rows on the page.
const MOST: u32 = 200;
/// The most rows of each kind of problem on a day that is too large for the page.
const MOST_PROBLEMS: u32 = 40;
/// The most wards that a form offers; with more, it asks for the ward's id.
const MOST_WARDS: usize = 450;

/// A ward in a form.
#[derive(Debug, Serialize)]
pub(super) struct WardChoice {
    id: String,
    name: String,
    chosen: bool,
}

/// The wards that a form offers, by name, and always the chosen one. Empty when there are too many to offer.
pub(super) fn ward_choices(workspace: &Workspace, chosen: Option<&WardId>) -> Vec<WardChoice> {
    if workspace.wards.len() > MOST_WARDS {
        return Vec::new();
    }
    let city = &workspace.settings.city;
    let mut choices: Vec<_> = workspace
        .wards
        .values()
        .chain([city])
        .map(|ward| WardChoice {
            id: ward.id.to_string(),
            name: ward.short.clone(),
            chosen: chosen == Some(&ward.id),
        })
        .collect();
    choices.sort_by_cached_key(|choice| (choice.id == city.id.as_str(), sort_key(&choice.name)));
    if let Some(id) = chosen.filter(|&id| workspace.ward(id).is_none()) {
        choices.push(WardChoice {
            id: id.to_string(),
            name: id.to_string(),
            chosen: true,
        });
    }
    choices
}

/// Names in an order in which people look for them: accents last, and đ next to d.
pub(super) fn sort_key(name: &str) -> (String, String) {
    use unicode_normalization::UnicodeNormalization;
    let lower = name.to_lowercase();
    let is_mark = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let bare = lower
        .nfd()
        .filter(|c| !is_mark(c))
        .map(|c| if c == 'đ' { 'd' } else { c })
        .collect();
    (bare, lower)
}

/// What the reader asked for.
struct Asked {
    ward: Option<WardId>,
    day: NaiveDate,
    /// Whether the address names the day; a page without one moves on at midnight.
    dated: bool,
}

impl Asked {
    fn read(query: &Query, reader: &Reader) -> Result<Self, Refusal> {
        let ward = query.parsed("phuong", |text| WardId::parse(text).ok())?;
        let day = query.parsed("ngay", parse_day)?;
        Ok(Self {
            ward,
            day: day.unwrap_or_else(|| reader.today()),
            dated: day.is_some(),
        })
    }

    fn link(&self, reader: &Reader, day: Option<NaiveDate>) -> String {
        let ward = self.ward.as_ref().map_or("", |ward| ward.as_str());
        let day = day.map(|day| day.to_string()).unwrap_or_default();
        reader.link("/", &[("phuong", ward), ("ngay", &day)])
    }
}

/// The whole page.
#[derive(Serialize)]
struct Today {
    heading: String,
    day: String,
    is_today: bool,
    wards: Vec<WardChoice>,
    ward: String,
    previous: String,
    next: String,
    now_link: String,
    /// Where the script asks for the fragment, and where it listens.
    fragment: String,
    events: String,
    updated: String,
    states: Vec<Meaning>,
    live: Live,
}

/// One line of the legend.
#[derive(Serialize)]
struct Meaning {
    class: &'static str,
    word: String,
    meaning: String,
}

/// The part that changes while one looks at it.
#[derive(Debug, Serialize)]
pub(super) struct Live {
    summary: String,
    verdict: String,
    verdict_class: &'static str,
    counts: Vec<Count>,
    /// Why not everything is shown, where that is so.
    note: Option<String>,
    /// The log, filtered as this page is.
    log: String,
    groups: Vec<Group>,
    /// Wards to choose from, when the day is too large.
    choices: Vec<Link>,
    /// What links to a broadcast end in.
    suffix: String,
}

#[derive(Debug, Serialize)]
struct Link {
    href: String,
    name: String,
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

/// `GET /`, and with `fragment=1` only the part that changes.
pub(super) async fn page(State(pages): State<Pages>, uri: Uri, headers: HeaderMap) -> Response {
    let query = match Query::read(&uri) {
        Ok(query) => query,
        Err(refusal) => return pages.refuse_plainly(&uri, refusal),
    };
    let reader = pages.reader(query.lang());
    let result = show(&pages, &reader, &uri, &query, &headers).await;
    pages.answer(&uri, &reader, result)
}

async fn show(
    pages: &Pages,
    reader: &Reader,
    uri: &Uri,
    query: &Query,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let asked = Asked::read(query, reader)?;
    let workspace = pages.site.workspace.borrow().clone();
    let live = live(pages, reader, &workspace, &asked).await?;
    if query.value("fragment").is_some() {
        return part(headers, frame::fragment(reader, "today-live.html", &live)?);
    }
    let view = whole(reader, &workspace, &asked, live);
    pages.page(
        reader,
        uri,
        Place::Today,
        &view.heading,
        "today.html",
        &view,
    )
}

/// The fragment with a tag, so that asking again costs a few bytes when nothing has changed.
fn part(headers: &HeaderMap, body: String) -> Result<Response, Refusal> {
    let tag = format!("\"{}\"", &blake3::hash(body.as_bytes()).to_hex()[..16]);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let fixed = [
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (header::ETAG, tag),
    ];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    Ok((
        fixed,
        [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
        body,
    )
        .into_response())
}

fn whole(reader: &Reader, workspace: &Workspace, asked: &Asked, live: Live) -> Today {
    let named = reader.day(asked.day);
    let is_today = asked.day == reader.today();
    let heading = if is_today {
        reader.text("today-heading", &[("day", &named)])
    } else {
        named
    };
    let ward = asked.ward.as_ref().map_or("", |ward| ward.as_str());
    let day = if asked.dated {
        asked.day.to_string()
    } else {
        String::new()
    };
    let states = Standing::ALL.iter().map(|state| Meaning {
        class: state.as_str(),
        word: reader.word(state.as_str()),
        meaning: reader.word(&format!("{}-meaning", state.as_str())),
    });
    Today {
        heading,
        day: asked.day.to_string(),
        is_today,
        wards: ward_choices(workspace, asked.ward.as_ref()),
        ward: ward.to_owned(),
        previous: asked.link(reader, asked.day.checked_sub_days(Days::new(1))),
        next: asked.link(reader, asked.day.checked_add_days(Days::new(1))),
        now_link: asked.link(reader, None),
        fragment: reader.link("/", &[("fragment", "1"), ("phuong", ward), ("ngay", &day)]),
        events: "/su-kien".to_owned(),
        updated: reader.seconds(reader.now),
        states: states.collect(),
        live,
    }
}

async fn live(
    pages: &Pages,
    reader: &Reader,
    workspace: &Workspace,
    asked: &Asked,
) -> Result<Live, Refusal> {
    let store = &pages.site.store;
    let filter = LogFilter {
        ward: asked.ward.clone(),
        since: Some(reader.start_of(asked.day)),
        until: Some(reader.end_of(asked.day)),
        ..LogFilter::default()
    };
    let mut rows = store
        .log(&filter, Order::OldestFirst, None, MOST + 1)
        .await?;
    let too_many = rows.len() > MOST as usize;
    let account = if too_many {
        store.account(&filter).await?
    } else {
        counted(&rows)
    };
    if too_many && asked.ward.is_none() {
        rows.clear();
        for state in [
            Standing::Failed,
            Standing::Unknown,
            Standing::Unheard,
            Standing::Sending,
        ] {
            let filter = LogFilter {
                state: Some(state),
                ..filter.clone()
            };
            rows.extend(
                store
                    .log(&filter, Order::NewestFirst, None, MOST_PROBLEMS)
                    .await?,
            );
        }
        rows.sort_by(|a, b| (a.due, &a.id).cmp(&(b.due, &b.id)));
    } else {
        rows.truncate(MOST as usize);
    }
    let titles = pages.titles.of(store, workspace, &rows).await?;
    let mut live = arrange(reader, workspace, asked, &account, rows, titles);
    if too_many {
        let word = if asked.ward.is_none() {
            "too-many"
        } else {
            "too-many-in-ward"
        };
        live.note = Some(reader.text(word, &[("number", &account.occurrences)]));
        if asked.ward.is_none() {
            live.choices = choices(reader, workspace, asked);
        }
    }
    Ok(live)
}

fn choices(reader: &Reader, workspace: &Workspace, asked: &Asked) -> Vec<Link> {
    let day = if asked.dated {
        asked.day.to_string()
    } else {
        String::new()
    };
    let links = ward_choices(workspace, None)
        .into_iter()
        .map(|choice| Link {
            href: reader.link("/", &[("phuong", &choice.id), ("ngay", &day)]),
            name: choice.name,
        });
    links.collect()
}

fn counted(rows: &[DeliveryRow]) -> Account {
    let mut account = Account {
        occurrences: rows.len() as u64,
        ..Account::default()
    };
    for row in rows {
        account.add(row.state, 1);
    }
    account
}

/// Puts rows in the order of reading. Pure: the same rows, reader and workspace give the same page.
fn arrange(
    reader: &Reader,
    workspace: &Workspace,
    asked: &Asked,
    account: &Account,
    rows: Vec<DeliveryRow>,
    titles: Vec<Option<Arc<str>>>,
) -> Live {
    let mut wards: BTreeMap<WardId, Vec<(DeliveryRow, Option<Arc<str>>)>> = BTreeMap::new();
    for (row, title) in rows.into_iter().zip(titles) {
        wards
            .entry(row.ward.clone())
            .or_default()
            .push((row, title));
    }
    let alone = wards.len() == 1 || asked.ward.is_some();
    let mut groups: Vec<_> = wards
        .into_iter()
        .map(|(ward, rows)| {
            let first = rows
                .iter()
                .map(|(row, _)| Phase::of(row, reader).min(Phase::Done))
                .min();
            let name = workspace.ward(&ward).map_or_else(
                || {
                    rows.first()
                        .map(|(row, _)| row.ward_name.clone())
                        .unwrap_or_default()
                },
                |ward| ward.name.clone(),
            );
            (
                first,
                sort_key(&name),
                group(reader, &ward, name, alone, rows),
            )
        })
        .collect();
    groups.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let attention = account.failed + account.unknown;
    let attention = attention.max(groups.iter().map(|(_, _, group)| group.problems()).sum());
    let day = asked.day.to_string();
    let ward = asked.ward.as_ref().map_or("", |ward| ward.as_str());
    Live {
        summary: reader.text("summary", &[("number", &account.occurrences)]),
        verdict: match (account.occurrences, attention) {
            (0, _) => reader.text("verdict-nothing", &[]),
            (_, 0) => reader.text("verdict-fine", &[]),
            (_, number) => reader.text("verdict-attention", &[("number", &number)]),
        },
        verdict_class: match (account.occurrences, attention) {
            (0, _) => "planned",
            (_, 0) => "confirmed",
            _ => "failed",
        },
        counts: counts(reader, account),
        note: None,
        log: reader.link("/nhat-ky", &[("phuong", ward), ("tu", &day), ("den", &day)]),
        groups: groups.into_iter().map(|(_, _, group)| group).collect(),
        choices: Vec::new(),
        suffix: reader.link("", &[]),
    }
}

fn counts(reader: &Reader, account: &Account) -> Vec<Count> {
    let all = [
        ("failed", account.failed, "count-failed"),
        ("unknown", account.unknown, "count-unknown"),
        ("confirmed", account.confirmed, "count-confirmed"),
        ("accepted", account.accepted, "count-accepted"),
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

impl Group {
    fn problems(&self) -> u64 {
        let first = self.sections.first().filter(|_| self.class == "failed");
        first.map_or(0, |section| {
            section
                .sessions
                .iter()
                .map(|session| session.lines.len() as u64)
                .sum()
        })
    }
}

fn group(
    reader: &Reader,
    ward: &WardId,
    name: String,
    alone: bool,
    rows: Vec<(DeliveryRow, Option<Arc<str>>)>,
) -> Group {
    let mut phases: BTreeMap<Phase, Vec<(DeliveryRow, Option<Arc<str>>)>> = BTreeMap::new();
    for (row, title) in rows {
        phases
            .entry(Phase::of(&row, reader))
            .or_default()
            .push((row, title));
    }
    let number = |phase| phases.get(&phase).map_or(0, Vec::len);
    let next = phases
        .get(&Phase::Next)
        .and_then(|rows| rows.first())
        .map(|(row, _)| reader.clock(row.due));
    let mut parts = Vec::new();
    for (phase, word) in [
        (Phase::Attention, "ward-attention"),
        (Phase::Now, "ward-now"),
        (Phase::Done, "ward-done"),
    ] {
        if number(phase) > 0 {
            parts.push(reader.text(word, &[("number", &number(phase))]));
        }
    }
    parts.extend(next.map(|clock| reader.text("ward-next", &[("clock", &clock)])));
    let troubled = number(Phase::Attention) > 0;
    Group {
        id: ward.to_string(),
        name,
        open: alone || troubled,
        class: match (troubled, number(Phase::Now) > 0, number(Phase::Done) > 0) {
            (true, ..) => "failed",
            (_, true, _) => "sending",
            (_, _, true) => "accepted",
            _ => "planned",
        },
        summary: parts.join(" · "),
        sections: phases
            .into_iter()
            .map(|(phase, rows)| section(reader, phase, rows))
            .collect(),
    }
}

fn section(reader: &Reader, phase: Phase, rows: Vec<(DeliveryRow, Option<Arc<str>>)>) -> Section {
    let mut sessions: Vec<((crate::domain::time::Timestamp, Option<Arc<str>>), Session)> =
        Vec::new();
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
            row.accepted_at.map(|time| at("note-accepted", time))
        }
        Standing::Ready if row.attempts > 0 => row.next_at.map(|time| at("note-retry", time)),
        Standing::Sending => row.started_at.map(|time| at("note-started", time)),
        _ => row.reason.map(|reason| reader.reason(reason)),
    };
    Line {
        id: row.id.to_string(),
        channel: row.channel_name.clone(),
        class: standing(row),
        word: reader.word(standing(row)),
        note,
    }
}
