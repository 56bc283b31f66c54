//! Somebody sets the clock of a running daemon: it tells, and believes only what lasts.

use std::time::Duration;

use loa::{
    clock::Clock,
    domain::{
        delivery::{Reason, State},
        time::{Timestamp, parse_span},
    },
    store::{LogFilter, Order, row::DeliveryRow},
};

use crate::support::{
    city::{Running, Scene, at, count},
    on_both_databases,
};

const START: &str = "2024-03-25T05:00";

/// A daemon whose clock can be set.
struct Set {
    daemon: Running,
    clock: Clock,
}

impl Set {
    async fn new(scene: &Scene) -> Self {
        Self::with(scene, Clock::manual(at(START))).await
    }

    async fn with(scene: &Scene, clock: Clock) -> Self {
        let daemon = scene.start_with(clock.clone()).await;
        let set = Self { daemon, clock };
        set.until(|rows, _| rows.len() == 6).await;
        set
    }

    /// What the clock would show had nobody set it.
    fn right(&self) -> Timestamp {
        at(START) + self.clock.run_time()
    }

    /// Lets time pass, two seconds at a time, until the rows of the first morning and the daemon's trouble are so.
    async fn until(&self, is_so: impl Fn(&[DeliveryRow], &str) -> bool) {
        let filter = LogFilter {
            until: Some(at("2024-03-25T12:00")),
            ..LogFilter::default()
        };
        let store = &self.daemon.shared.store;
        let mut pulse = store.pulse();
        for _ in 0..300 {
            pulse.borrow_and_update();
            let rows = store
                .log(&filter, Order::OldestFirst, None, 100)
                .await
                .unwrap();
            let trouble = self.daemon.shared.trouble.borrow().clone();
            if is_so(&rows, &trouble.unwrap_or_default()) {
                return;
            }
            let _ = tokio::time::timeout(Duration::from_millis(50), pulse.changed()).await;
            self.clock.advance(Duration::from_secs(2));
        }
        panic!("waited too long at {}", self.clock.now());
    }

    async fn events(&self, event: &str) -> usize {
        let journal = self
            .daemon
            .shared
            .store
            .journal_rows(None, 100)
            .await
            .unwrap();
        journal.iter().filter(|line| line.event == event).count()
    }
}

fn is_wrong(trouble: &str) -> bool {
    trouble.contains("clock was set")
}

fn expired(rows: &[DeliveryRow]) -> usize {
    let expired = |row: &&DeliveryRow| row.reason == Some(Reason::Expired);
    rows.iter().filter(expired).count()
}

on_both_databases! {
    async fn a_clock_that_leaps_by_mistake_sends_and_ends_nothing(scene: Scene) {
        let set = Set::new(&scene).await;
        set.clock.advance(Duration::from_mins(16));
        set.until(|rows, _| count(rows, State::Ready) == 3).await;
        // One hour is over by the wrong clock, another has come.
        set.clock.set(at("2024-03-25T05:35"));
        set.until(|_, trouble| is_wrong(trouble)).await;
        set.clock.set(at("2024-03-26T05:35"));
        set.until(|_, trouble| is_wrong(trouble) && trouble.contains("2024-03-26T05:35")).await;
        assert_eq!(set.events("clock").await, 2);
        let right = set.right();
        // A look that has begun is finished.
        set.daemon.stop().await;
        let rows: Vec<_> = scene.log().await;
        assert!(rows.iter().all(|row| !row.state.is_final()), "{rows:?}");
        assert!(scene.city.heard(&loa::simulator::HeardFilter::default()).is_empty(), "nothing aired");

        let clock = Clock::manual(right);
        let daemon = scene.start_with(clock.clone()).await;
        clock.advance((at("2024-03-25T05:30") + Duration::from_secs(1)).since(right));
        daemon.wait(|rows| count(rows, State::Accepted) == 3).await;
        daemon.stop().await;
        scene.check().await;
    }

    async fn a_right_correction_of_hours_silences_nothing_that_is_still_to_come(scene: Scene) {
        let set = Set::new(&scene).await;
        // Three hours slow; the next broadcast is due twenty minutes after the right time.
        set.clock.set(at("2024-03-25T05:10"));
        set.until(|_, trouble| is_wrong(trouble)).await;
        let first = at("2024-03-25T05:30");
        set.until(|rows, _| count(rows, State::Ready) == 3).await;
        assert!(set.clock.now() < first, "frozen before it is due, at {}", set.clock.now());
        set.clock.advance(first.since(set.clock.now()));
        set.until(|rows, _| count(rows, State::Accepted) == 3).await;
        assert!(set.clock.now() < first + Duration::from_mins(1), "on time, at {}", set.clock.now());
        set.daemon.stop().await;
        scene.check().await;
    }

    async fn a_fast_clock_believes_a_leap_as_soon_as_any_other(scene: Scene) {
        // It is looked at once an hour of its own.
        let clock = Clock::simulated(at("2024-03-25T01:00"), 20_000.0);
        let busy = clock.busy();
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| rows.len() >= 3).await;
        let mut trouble = daemon.shared.trouble.subscribe();
        clock.set(at("2024-03-25T05:10"));
        trouble.wait_for(|text| text.as_ref().is_some_and(|text| is_wrong(text))).await.unwrap();
        drop(busy);
        daemon.reach("2024-03-25T05:41").await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.state, row.reason), (State::Accepted, None), "{row:?}");
        scene.check().await;
    }

    async fn an_edit_made_while_the_clock_was_wrong_holds_when_it_is_right_again(scene: Scene) {
        let set = Set::new(&scene).await;
        set.clock.set(at("2024-03-25T16:00"));
        set.until(|_, trouble| is_wrong(trouble)).await;
        set.clock.advance(Duration::from_mins(5));
        set.until(|rows, _| expired(rows) >= 3).await;
        scene.folder.edit("schedules/lich.yaml", "05:30", "05:45");
        set.daemon.reloader.reload(&set.daemon.shared).await;
        set.clock.set(set.right());
        let moved = at("2024-03-25T05:45");
        // What the wrong clock ended is taken up again by one loop, and planned by another.
        let was = at("2024-03-25T05:30");
        let is_old = |row: &&DeliveryRow| row.due == was && row.reason == Some(Reason::Superseded);
        let is_new = |row: &&DeliveryRow| row.due == moved;
        set.until(|rows, _| rows.iter().filter(is_old).count() == 3 && rows.iter().filter(is_new).count() == 3).await;
        set.clock.advance((moved + Duration::from_secs(1)).since(set.clock.now()));
        set.until(|rows, _| count(rows, State::Accepted) == 3).await;
        let old = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((old.state, old.reason), (State::Skipped, Some(Reason::Superseded)));
        set.daemon.stop().await;
        scene.check().await;
    }

    async fn what_a_wrong_clock_ended_is_planned_again_when_it_comes_back(scene: Scene) {
        let set = Set::new(&scene).await;
        set.clock.set(at("2024-03-25T17:00"));
        set.until(|_, trouble| is_wrong(trouble)).await;
        // It lasts, so it is believed, as after a time in which nothing was running.
        set.clock.advance(Duration::from_mins(5));
        set.until(|rows, _| expired(rows) >= 3).await;
        let skipped = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert!(skipped.detail.is_some_and(|detail| detail.contains("..")), "the time is named");
        set.clock.set(set.right());
        set.until(|rows, trouble| expired(rows) == 0 && !is_wrong(trouble)).await;
        assert!(set.events("reopened").await >= 3);
        set.clock.advance((at("2024-03-25T05:30") + Duration::from_secs(1)).since(set.clock.now()));
        set.until(|rows, _| count(rows, State::Accepted) == 3).await;
        set.daemon.stop().await;
        scene.check().await;
    }

    async fn a_process_that_stood_still_skips_what_it_missed_and_says_so(scene: Scene) {
        let clock = Clock::watched(at(START), Duration::from_mins(20));
        let set = Set::with(&scene, clock).await;
        set.clock.advance(Duration::from_mins(16));
        // The words of the first hour are frozen: nothing but the gap keeps them from being sent.
        set.until(|rows, _| count(rows, State::Ready) == 3).await;
        let last = set.clock.now();
        set.clock.advance(at("2024-03-25T05:39").since(last));
        set.until(|rows, _| expired(rows) == 3).await;
        let skipped = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        let detail = skipped.detail.unwrap();
        assert!(detail.ends_with("..2024-03-25T05:39:00+07:00"), "in the zone of the files: {detail}");
        assert!(parse_span(&detail).is_some_and(|(from, _)| last.since(from) < Duration::from_mins(1)), "{detail}");
        // What comes is sent as ever.
        set.clock.advance(Duration::from_mins(19));
        set.until(|rows, _| count(rows, State::Accepted) == 2).await;
        assert_eq!(set.events("downtime").await, 1);
        set.daemon.stop().await;
        let heard = scene.city.heard(&loa::simulator::HeardFilter::default());
        assert!(heard.iter().all(|heard| !heard.host.starts_with("10.")), "{heard:?}");
        scene.check().await;
    }

    async fn where_another_node_was_alive_nothing_was_missed(scene: Scene) {
        let clock = Clock::watched(at(START), Duration::from_mins(20));
        let set = Set::with(&scene, clock).await;
        set.clock.advance(Duration::from_mins(16));
        set.until(|rows, _| count(rows, State::Ready) == 3).await;
        let awake = at("2024-03-25T05:39");
        let revision = set.daemon.shared.live.borrow().workspace.revision.clone();
        set.daemon.shared.store.beat("other", &revision, awake).await.unwrap();
        set.clock.advance(awake.since(set.clock.now()));
        set.until(|rows, _| count(rows, State::Accepted) == 3).await;
        assert_eq!(set.events("downtime").await, 0);
        set.daemon.stop().await;
        scene.check().await;
    }

    async fn a_clock_that_is_set_back_is_told(scene: Scene) {
        let set = Set::new(&scene).await;
        set.clock.set(at("2024-03-25T04:00"));
        set.until(|_, trouble| is_wrong(trouble)).await;
        assert_eq!(set.events("clock").await, 1);
        set.clock.advance(Duration::from_mins(31));
        set.until(|_, trouble| !is_wrong(trouble)).await;
        set.daemon.stop().await;
        scene.check().await;
    }
}
