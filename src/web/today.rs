//! `/`: one day, ward by ward: what has to be looked at, what is being sent, what is done, what comes next.
//!
//! A day with more rows than one page may show is not shown by halves: without a ward it becomes its summary, its
//! problems and a list of wards to choose from; with one, its beginning and a link into the log.

use std::collections::BTreeMap;

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{Days, NaiveDate};
use serde::Serialize;

use super::{
    Pages,
    call::Call,
    day::{Day, Link, Live, arrange},
    frame::{self, Place},
    query::{Query, parse_day},
    reader::Reader,
    refusal::Refusal,
    wards::{WardChoice, ward_choices},
};
use crate::{
    catalogue,
    domain::{
        channel::AdapterConfig,
        delivery::{Account, State as Standing},
        id::{AccountId, WardId},
        pause::Pause,
        workspace::Workspace,
    },
    store::{LogFilter, Order, row::DeliveryRow},
};

/// The most rows on the page.
const MOST: u32 = 200;
/// The most rows of each kind of problem on a day that is too large for the page.
const MOST_PROBLEMS: u32 = 40;

/// What the reader asked for.
struct Asked {
    ward: Option<WardId>,
    day: NaiveDate,
    /// Whether the address names another day than today; a page of today moves on at midnight.
    dated: bool,
}

impl Asked {
    fn read(query: &Query, reader: &Reader) -> Result<Self, Refusal> {
        let ward = query.parsed("phuong", |text| WardId::parse(text).ok())?;
        let day = query.parsed("ngay", parse_day)?;
        let today = reader.today();
        Ok(Self {
            ward,
            day: day.unwrap_or(today),
            dated: day.is_some_and(|day| day != today),
        })
    }

    fn link(&self, reader: &Reader, day: Option<NaiveDate>) -> String {
        let ward = self.ward.as_ref().map_or("", |ward| ward.as_str());
        let day = day.map(|day| day.to_string()).unwrap_or_default();
        reader.link("/", &[("phuong", ward), ("ngay", &day)])
    }

    fn log(&self, reader: &Reader) -> String {
        let ward = self.ward.as_ref().map_or("", |ward| ward.as_str());
        let day = self.day.to_string();
        reader.link("/nhat-ky", &[("phuong", ward), ("tu", &day), ("den", &day)])
    }
}

/// The whole page.
#[derive(Serialize)]
struct Today {
    heading: String,
    day: String,
    current: bool,
    wards: Vec<WardChoice>,
    ward: String,
    /// The ward's calendar; `None` without a ward that the files know.
    feed: Option<String>,
    /// The ward's articles.
    articles: Option<String>,
    previous: String,
    next: String,
    now_link: String,
    /// Where the script asks for the fragment, and where it listens.
    fragment: String,
    events: String,
    updated: String,
    states: Vec<Word>,
    live: Live,
}

/// What the script asks for.
#[derive(Serialize)]
struct Part {
    /// Tells a page that was left open over midnight that it is a new day.
    day: String,
    live: Live,
}

/// One line of the legend.
#[derive(Serialize)]
struct Word {
    class: &'static str,
    label: String,
    meaning: String,
}

/// `GET /`, and with `fragment=1` only the part that changes.
pub(super) async fn page(call: Call, headers: HeaderMap) -> Response {
    call.answer(show(&call, &headers).await)
}

async fn show(call: &Call, headers: &HeaderMap) -> Result<Response, Refusal> {
    let Call {
        pages,
        reader,
        query,
        ..
    } = call;
    let asked = Asked::read(query, reader)?;
    let workspace = pages.site.workspace.borrow().clone();
    let live = live(pages, reader, &workspace, &asked).await?;
    if query.value("fragment").is_some() {
        let day = asked.day.to_string();
        let body = frame::fragment(reader, "today-live.html", &Part { day, live })?;
        return Ok(part(headers, body));
    }
    let view = whole(reader, &workspace, &asked, live);
    call.page(Place::Today, &view.heading, "today.html", &view)
}

/// The fragment with a tag, so that asking again costs a few bytes when nothing has changed.
fn part(headers: &HeaderMap, body: String) -> Response {
    let tag = format!("\"{}\"", &blake3::hash(body.as_bytes()).to_hex()[..16]);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let fixed = [
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (header::ETAG, tag),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (fixed, kind, body).into_response()
}

fn whole(reader: &Reader, workspace: &Workspace, asked: &Asked, live: Live) -> Today {
    let named = reader.day(asked.day);
    let current = asked.day == reader.today();
    let heading = if current {
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
    let words = Standing::ALL.iter().map(|state| state.as_str());
    let states = words
        .chain(["offered", "retrying", "left-alone", "interrupted"])
        .map(|class| Word {
            class,
            label: reader.word(class),
            meaning: reader.word(&format!("{class}-meaning")),
        });
    let known = asked.ward.as_ref();
    let known = known.filter(|ward| workspace.ward(ward).is_some());
    Today {
        heading,
        day: asked.day.to_string(),
        current,
        wards: ward_choices(workspace, asked.ward.as_ref()),
        ward: ward.to_owned(),
        feed: known.map(|ward| reader.link(&format!("/lich/phuong/{ward}.ics"), &[])),
        articles: known.map(|ward| reader.link(&format!("/bai/phuong/{ward}.atom"), &[])),
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
    let occurrences = account.occurrences;
    let day = Day {
        account,
        rows: rows.into_iter().zip(titles).collect(),
        one_ward: asked.ward.is_some(),
        log: asked.log(reader),
    };
    let mut live = arrange(reader, workspace, day);
    if asked.day == reader.today() {
        live.notices.extend(refused(pages, reader));
        live.notices
            .extend(accounts(pages, reader, workspace).await?);
        live.notices.extend(pauses(pages, reader, workspace).await?);
        live.notices.extend(dark(pages, reader, workspace, asked));
    }
    if too_many {
        let word = if asked.ward.is_none() {
            "too-many"
        } else {
            "too-many-in-ward"
        };
        live.note = Some(reader.text(word, &[("number", &occurrences)]));
        if asked.ward.is_none() {
            live.choices = choices(reader, workspace, asked);
        }
    }
    Ok(live)
}

/// That an edit was refused, in words.
fn refused(pages: &Pages, reader: &Reader) -> Option<String> {
    let refused = (pages.site.refused)()?;
    let since = reader.moment(refused.since);
    Some(reader.text(
        "refused-edit",
        &[("count", &refused.mistakes), ("since", &since)],
    ))
}

/// Which counter screens do not say what they show, in words: those of the ward that is looked at, or all.
fn dark(pages: &Pages, reader: &Reader, workspace: &Workspace, asked: &Asked) -> Vec<String> {
    let dark = (pages.site.dark)();
    let channels = dark.iter().filter_map(|(id, last)| {
        let channel = workspace.channels.get(id)?;
        let is_asked = asked.ward.as_ref().is_none_or(|ward| *ward == channel.ward);
        is_asked.then_some((channel, last))
    });
    channels
        .take(MOST_PROBLEMS as usize)
        .map(|(channel, last)| match last {
            Some(last) => {
                let since = reader.moment(*last);
                reader.text(
                    "screen-dark",
                    &[("channel", &channel.name), ("since", &since)],
                )
            }
            None => reader.text(
                "screen-never",
                &[("channel", &channel.name), ("id", &channel.id)],
            ),
        })
        .collect()
}

/// Which accounts a person has to authorise, in words.
async fn accounts(
    pages: &Pages,
    reader: &Reader,
    workspace: &Workspace,
) -> Result<Vec<String>, Refusal> {
    let mut known = BTreeMap::new();
    for channel in workspace.channels.values() {
        if let AdapterConfig::Zalo(zalo) = &channel.adapter {
            let id = AccountId::zalo(&zalo.app, &zalo.oa);
            known.entry(id).or_insert(channel);
        }
    }
    let mut notices = Vec::new();
    for (id, channel) in known {
        let holding = pages.site.store.account_of(&id).await?;
        let word = match &holding {
            Some(holding) if !holding.is_refused() => continue,
            Some(holding) if holding.is_good(reader.now) => "account-refused",
            _ => "account-unauthorised",
        };
        let until = holding.map_or_else(String::new, |holding| reader.moment(holding.expires));
        notices.push(reader.text(
            word,
            &[
                ("channel", &channel.name),
                ("id", &channel.id),
                ("until", &until),
            ],
        ));
    }
    Ok(notices)
}

/// What is silent now, in words.
async fn pauses(
    pages: &Pages,
    reader: &Reader,
    workspace: &Workspace,
) -> Result<Vec<String>, Refusal> {
    let pauses = pages.site.store.pauses(reader.now).await?;
    let in_force = pauses
        .iter()
        .filter(|pause| pause.is_in_force(reader.now))
        .map(|pause| paused(reader, workspace, pause, "pause"));
    Ok(in_force.collect())
}

/// What a pause silences, until when, why, and who says so, in the words `key` of the catalogue.
pub(super) fn paused(reader: &Reader, workspace: &Workspace, pause: &Pause, key: &str) -> String {
    let name = workspace.name_of(&pause.scope);
    let what = catalogue::text(
        reader.lang,
        &format!("state.scope-{}", pause.scope.kind()),
        &[("name", &name)],
    );
    reader.text(
        key,
        &[
            ("what", &what),
            ("until", &reader.moment(pause.end())),
            ("reason", &pause.reason),
            ("by", &pause.by),
        ],
    )
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
        if row.is_offered() {
            account.add_offered(1);
        } else {
            account.add(row.state, 1);
        }
    }
    account
}
