//! A fresh database, and short ways to say what the tests say often.

use std::{sync::Arc, time::Duration};

use loa::{
    domain::{
        bulletin::{Format, Priority},
        channel::{ChannelKind, Mode},
        delivery::{Evidence, Outcome, Reason, State},
        id::{BulletinId, ChannelId, DeliveryId, ScheduleId, WardId},
        message::Content,
        plan::{NO_BULLETIN, PlannedDelivery, Why},
        time::Timestamp,
    },
    store::{
        Candidate, Claimed, Finished, Frozen, LogFilter, Room, Store, Turn, World, row::DeliveryRow,
    },
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};

use crate::support::postgres;

/// The revision in force in most tests.
pub(super) const R1: &str = "revision-1";
pub(super) const R2: &str = "revision-2";

/// After everything.
pub(super) const FAR: Timestamp = Timestamp::from_micros(i64::MAX);
/// The node that acts in most tests.
pub(super) const NODE: &str = "node-a";
/// The lease in most tests.
pub(super) const LEASE: Duration = Duration::from_mins(1);
/// How long after its instant a delivery may begin, unless a test says otherwise.
pub(super) const PATIENCE: Duration = Duration::from_mins(10);

/// A database that nobody else has.
pub(super) struct Ground {
    pub(super) store: Store,
    pub(super) url: String,
    /// The directory of a SQLite file; it goes with the test.
    pub(super) directory: Option<tempfile::TempDir>,
}

impl Ground {
    pub(super) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("deep/loa.db").display());
        Self::open(url, Some(directory)).await
    }

    pub(super) async fn postgres() -> Option<Self> {
        Some(Self::open(postgres::database().await?, None).await)
    }

    async fn open(url: String, directory: Option<tempfile::TempDir>) -> Self {
        let store = Store::open(&url, World::Real, true).await.unwrap();
        store.set_revision(R1, at(0)).await.unwrap();
        Self {
            store,
            url,
            directory,
        }
    }

    pub(super) fn is_postgres(&self) -> bool {
        self.directory.is_none()
    }

    /// The address of another database with nothing in it.
    pub(super) async fn empty(&self) -> String {
        match &self.directory {
            Some(directory) => {
                let path = directory.path().join("empty.db");
                std::fs::write(&path, "").unwrap();
                format!("sqlite:{}", path.display())
            }
            None => postgres::database().await.unwrap(),
        }
    }

    /// Another node's view, or the command line's.
    pub(super) async fn another(&self) -> Store {
        Store::open(&self.url, World::Real, false).await.unwrap()
    }

    /// Runs SQL behind the store's back.
    pub(super) async fn meddle(&self, sql: &str) -> Result<u64, sqlx::Error> {
        if self.is_postgres() {
            let mut connection = PgConnection::connect(&self.url).await?;
            Ok(connection
                .execute(AssertSqlSafe(sql.to_owned()))
                .await?
                .rows_affected())
        } else {
            let mut connection = SqliteConnection::connect(&self.url).await?;
            Ok(connection
                .execute(AssertSqlSafe(sql.to_owned()))
                .await?
                .rows_affected())
        }
    }

    /// Plans under [`R1`] and freezes, all at `at(0)`.
    pub(super) async fn ready(&self, deliveries: &[PlannedDelivery]) {
        self.store.plan(deliveries, R1, at(0)).await.unwrap();
        assert_eq!(self.freeze(R1).await, deliveries.len() as u64);
    }

    /// [`Ground::ready`], with the host of each channel.
    pub(super) async fn ready_at(
        &self,
        deliveries: &[PlannedDelivery],
        host: impl Fn(&str) -> String,
    ) {
        self.store.plan(deliveries, R1, at(0)).await.unwrap();
        assert_eq!(self.freeze_at(R1, host).await, deliveries.len() as u64);
    }

    /// Freezes whatever is planned, with words of `revision`.
    pub(super) async fn freeze(&self, revision: &str) -> u64 {
        self.freeze_at(revision, |channel| format!("{channel}.test:80"))
            .await
    }

    /// [`Ground::freeze`], with the host of each channel.
    async fn freeze_at(&self, revision: &str, host: impl Fn(&str) -> String) -> u64 {
        let unprepared = self
            .store
            .unprepared(Timestamp::from_micros(i64::MAX), 100_000)
            .await
            .unwrap();
        let content = Arc::new(content(revision));
        let hash = content.hash();
        let frozen: Vec<Frozen> = unprepared
            .into_iter()
            .map(|delivery| Frozen {
                can_ask: delivery.channel.as_str().starts_with("asks"),
                host: host(delivery.channel.as_str()),
                id: delivery.id,
                hash: hash.clone(),
                approved: None,
                length: None,
                overrides: None,
                limit: None,
            })
            .collect();
        self.store
            .freeze(&[(hash, content)], &frozen, revision, at(0))
            .await
            .unwrap()
    }

    /// A turn of [`NODE`] that takes whatever there is.
    pub(super) async fn turn(&self, now: Timestamp, finished: &[Finished], want: usize) -> Turn {
        self.store
            .turn(NODE, now, now + LEASE, finished, &room(want), all)
            .await
            .unwrap()
    }

    /// Claims exactly one delivery.
    pub(super) async fn claim_one(&self, now: Timestamp) -> Claimed {
        let mut claimed = self.turn(now, &[], 1).await.claimed;
        assert_eq!(claimed.len(), 1);
        claimed.remove(0)
    }

    pub(super) async fn row(&self, id: &DeliveryId) -> DeliveryRow {
        self.store.delivery(id).await.unwrap().unwrap()
    }

    pub(super) async fn state(&self, id: &DeliveryId) -> (State, Option<Reason>) {
        let row = self.row(id).await;
        (row.state, row.reason)
    }

    /// The events that the journal tells of one delivery, oldest first, each with its detail.
    pub(super) async fn events(&self, id: &DeliveryId) -> Vec<(String, String)> {
        let mut rows = self.store.journal_rows(Some(id), 100).await.unwrap();
        rows.reverse();
        rows.into_iter()
            .map(|row| (row.event, row.detail))
            .collect()
    }

    /// Nothing in the store contradicts itself, and the account balances.
    pub(super) async fn is_sound(&self) {
        assert_eq!(
            self.store
                .contradictions(&LogFilter::default())
                .await
                .unwrap(),
            []
        );
        let account = self.store.account(&LogFilter::default()).await.unwrap();
        assert!(account.balances(), "{account:?}");
    }
}

/// Room for so many, whatever they are.
pub(super) fn room(in_all: usize) -> Room<'static> {
    Room {
        in_all,
        at_most_once: in_all,
        full: &[],
        ..Room::default()
    }
}

/// Takes every candidate.
pub(super) fn all(_: &Candidate) -> bool {
    true
}

/// Seconds after some midnight.
pub(super) fn at(seconds: u32) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000 + i64::from(seconds) * 1_000_000)
}

/// A delivery of schedule `s`, due at `at(due)` on `channel`: loudspeakers at most once, everything else at least once.
pub(super) fn planned(channel: &str, due: u32) -> PlannedDelivery {
    planned_by("s", channel, due)
}

pub(super) fn planned_by(schedule: &str, channel: &str, due: u32) -> PlannedDelivery {
    let schedule = ScheduleId::from_store(schedule);
    let kind = if channel.starts_with("loa") {
        ChannelKind::Loudspeaker
    } else {
        ChannelKind::Website
    };
    let channel = ChannelId::parse(channel).unwrap();
    PlannedDelivery {
        id: DeliveryId::of(&schedule, at(due), &channel),
        schedule,
        scheduled: at(due),
        part: 0,
        due: at(due),
        deadline: at(due) + PATIENCE,
        latest: None,
        late: false,
        channel_name: format!("Kênh {channel}"),
        channel,
        kind,
        format: kind.format(),
        mode: kind.mode(),
        ward: WardId::parse("hung-binh").unwrap(),
        ward_name: "Phường Hưng Bình".to_owned(),
        bulletin: Some(BulletinId::parse("gia-danh").unwrap()),
        topic: None,
        priority: Priority::Normal,
        length: None,
        limit: None,
        skip: None,
    }
}

/// [`planned`] on a day on which no bulletin is valid.
pub(super) fn silent(delivery: PlannedDelivery) -> PlannedDelivery {
    PlannedDelivery {
        bulletin: None,
        skip: Some(Why {
            reason: Reason::Expired,
            detail: Some(NO_BULLETIN.to_owned()),
        }),
        ..delivery
    }
}

/// Words that depend on `text`.
pub(super) fn content(text: &str) -> Content {
    Content {
        bulletin: BulletinId::parse("gia-danh").unwrap(),
        format: Format::Article,
        title: "Cảnh giác \"cán bộ thuế\"".to_owned(),
        summary: None,
        text: text.to_owned(),
        html: Some("<p>\\ \u{1}</p>".to_owned()),
        turns: Vec::new(),
        spoken: Vec::new(),
        quoted: loa::domain::message::Quoted::default(),
        contacts: Vec::new(),
        recording: None,
        picture: None,
    }
}

/// The end of a claimed delivery's attempt, five seconds after it began.
pub(super) fn end(claimed: &Claimed, outcome: Outcome, next: State) -> Finished {
    let finished = claimed.started + Duration::from_secs(5);
    let accepted = outcome == Outcome::Accepted;
    let unknown = outcome == Outcome::Unknown;
    Finished {
        id: claimed.id.clone(),
        attempt: claimed.attempt,
        started: claimed.started,
        finished,
        outcome,
        reason: (!accepted).then_some(if unknown {
            Reason::Timeout
        } else {
            Reason::Status
        }),
        detail: (!accepted).then(|| "Không được".to_owned()),
        status: (!unknown).then_some(if accepted { 200 } else { 503 }),
        answer: Some("{\"ok\": true}".to_owned()),
        receipt: accepted.then(|| "r-1".to_owned()),
        next,
        next_at: (next == State::Ready).then(|| finished + Duration::from_secs(10)),
        doubt: claimed.doubt || unknown,
        cut_off: false,
        evidence: if accepted {
            Evidence::Accepted
        } else {
            Evidence::None
        },
        answered: !unknown,
    }
}

/// The end of an attempt that was accepted.
pub(super) fn accepted(claimed: &Claimed) -> Finished {
    end(claimed, Outcome::Accepted, State::Accepted)
}

pub(super) fn ids(claimed: &[Claimed]) -> Vec<DeliveryId> {
    claimed.iter().map(|claimed| claimed.id.clone()).collect()
}

/// Whether the channel must not hear things twice.
pub(super) fn at_most_once(mode: Mode) -> bool {
    mode == Mode::AtMostOnce
}
