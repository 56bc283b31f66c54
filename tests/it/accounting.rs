//! The accounting equation under everything at once: whole daemons that are killed, restarted late or with a clock that went
//! back, whose clock somebody sets while they run, and edited well and badly, at random instants from fixed seeds. What is on record at the end is compared with a
//! reference that knows only the files, the instants at which something happened, and what was promised.

use std::{collections::BTreeMap, time::Duration};

use loa::{
    clock::{Busy, Clock},
    domain::{
        calendar::rfc3339,
        delivery::{Account, Reason, State},
        time::Timestamp,
    },
    simulator::{Fault, FaultOrder},
    store::{LogFilter, Store, row::DeliveryRow},
};

use crate::support::{
    city::{Running, Scene, at},
    dice::Dice,
    on_both_databases,
    workspace::bulletin,
};

const STEPS: u32 = 20;
const BEGIN: &str = "2024-03-25T00:00";

/// How fast the day passes. The clock waits for the work, so this changes no result.
const SPEED: f64 = 20_000.0;

const MINUTE: Duration = Duration::from_mins(1);

/// How long a website may be late.
const WITHIN: Duration = Duration::from_hours(2);

/// How long a leap forward has to last to be believed.
const DOUBT: Duration = Duration::from_mins(5);

/// How late a loudspeaker may be.
const DEADLINE: Duration = Duration::from_mins(10);

const CHANNELS: [(&str, &[&str]); 3] = [
    ("loa-a", &["loa-hb-1", "loa-hb-2", "loa-ll-1"]),
    ("loa-b", &["loa-hb-1", "loa-hb-2", "loa-ll-1"]),
    ("trang", &["web-hb", "web-ll"]),
];

/// The minutes of a day at which each schedule fires.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Files(BTreeMap<&'static str, Vec<u32>>);

impl Files {
    /// Times that keep the three schedules apart, so that nothing has to give way.
    fn some(dice: &mut Dice) -> Self {
        let mut times = BTreeMap::new();
        for (offset, (schedule, _)) in (0..).step_by(10).zip(CHANNELS) {
            let mut minutes: Vec<u32> = (10..43)
                .map(|third| third * 30 + offset)
                .filter(|_| dice.one_in(6))
                .collect();
            if minutes.is_empty() {
                minutes.push(600 + offset);
            }
            times.insert(schedule, minutes);
        }
        Self(times)
    }

    fn text(&self) -> String {
        let mut text = "schedules:\n".to_owned();
        for (schedule, minutes) in &self.0 {
            let times: Vec<String> = minutes
                .iter()
                .map(|minute| format!("\"{:02}:{:02}\"", minute / 60, minute % 60))
                .collect();
            let rest = match *schedule {
                "trang" => "to: { kind: website }, missed: { late: { within: 2h } }",
                _ => "to: { kind: loudspeaker }, missed: skip, deadline: 10m",
            };
            let times = times.join(", ");
            text.push_str(&format!(
                "  {schedule}: {{ when: {{ at: [{times}] }}, bulletins: {{ only: [mot] }}, {rest} }}\n"
            ));
        }
        text
    }
}

/// What the reference knows of the past.
#[derive(Debug)]
struct Reference {
    /// The files in force, each from an instant on.
    files: Vec<(Timestamp, Files)>,
    /// When nobody was running.
    down: Vec<(Timestamp, Timestamp)>,
    /// Around what happened: what falls due here may have been caught by it or not.
    unsure: Vec<(Timestamp, Timestamp)>,
    /// The same, of what may be late.
    unsure_late: Vec<(Timestamp, Timestamp)>,
}

/// What must be on record of an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// It went out, late or not.
    Sent,
    /// Nobody was running.
    Missed,
    /// No file wants it: nothing is on record, or that an edit took it back.
    Unwanted,
    /// Something happened just then: one row, whose state is final.
    Unsure,
}

impl Reference {
    fn unsure(&mut self, at: Timestamp, before: u32, after: u32) {
        self.unsure
            .push((at - MINUTE * before, at + MINUTE * after));
    }

    /// Somebody set the clock forward while the daemon ran: that is a time in which nobody was running, once it is believed.
    fn leapt(&mut self, from: Timestamp, until: Timestamp) {
        self.down.push((from, until));
        self.unsure.push((from - MINUTE * 3, from + MINUTE));
        let believed = until + DOUBT;
        self.unsure
            .push((believed - DEADLINE - MINUTE, believed + MINUTE));
        // Until the leap is believed nothing is sent late.
        self.unsure_late
            .push((until - WITHIN, believed - WITHIN + MINUTE * 5));
    }

    /// Somebody set it back: what is over comes once more, and what was skipped as missed has its time again.
    fn set_back(&mut self, from: Timestamp, until: Timestamp) {
        self.unsure.push((until - DEADLINE, from + MINUTE));
        self.unsure_late.push((until - WITHIN, from));
    }

    /// What `schedule` owes at `due`.
    fn verdict(&self, schedule: &str, due: Timestamp, minute: u32) -> Verdict {
        let is_in = |spans: &[(Timestamp, Timestamp)]| {
            let mut spans = spans.iter();
            spans.any(|(from, until)| *from <= due && due < *until)
        };
        if is_in(&self.unsure) || schedule == "trang" && is_in(&self.unsure_late) {
            return Verdict::Unsure;
        }
        let in_force = self.files.iter().rev().find(|(from, _)| *from <= due);
        if !in_force.is_some_and(|(_, files)| files.0[schedule].contains(&minute)) {
            return Verdict::Unwanted;
        }
        let gap = self
            .down
            .iter()
            .find(|(from, until)| *from <= due && due < *until);
        match gap {
            None => Verdict::Sent,
            Some(_) if schedule != "trang" => Verdict::Missed,
            Some((_, until)) if due + WITHIN > *until + MINUTE * 5 => Verdict::Sent,
            Some((_, until)) if due + WITHIN + MINUTE * 5 < *until => Verdict::Missed,
            Some(_) => Verdict::Unsure,
        }
    }
}

/// At any instant, for any range: the equation holds, and what it counts is what the log shows.
async fn holds(store: &Store, dice: &mut Dice) {
    let begin = at(BEGIN);
    let mut edge = || {
        let minutes = u64::from(dice.below(4 * 24 * 60));
        (minutes % 5 > 0).then(|| begin + Duration::from_mins(minutes))
    };
    for _ in 0..3 {
        let filter = LogFilter {
            since: edge(),
            until: edge(),
            ..LogFilter::default()
        };
        let account = store.account(&filter).await.unwrap();
        assert!(account.balances(), "{account:?} in {filter:?}");
    }
    assert_eq!(
        store.contradictions(&LogFilter::default()).await.unwrap(),
        []
    );
}

/// Makes one daemon's life miserable for a few days.
struct Trial<'s> {
    scene: &'s Scene,
    dice: Dice,
    reference: Reference,
    files: Files,
    now: Timestamp,
    daemon: Option<Running>,
    /// While something happens to the daemon, its time passes as in life.
    busy: Option<Busy>,
}

impl<'s> Trial<'s> {
    async fn new(scene: &'s Scene, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let files = Files::some(&mut dice);
        scene.folder.write("schedules/lich.yaml", &files.text());
        // Every call takes a while, so that a kill finds some of them under way.
        scene
            .fault(FaultOrder::new("*", Fault::Slow { ms: 15 }))
            .await;
        let now = at(BEGIN);
        let mut trial = Self {
            scene,
            dice,
            reference: Reference {
                files: vec![(now, files.clone())],
                down: Vec::new(),
                unsure: Vec::new(),
                unsure_late: Vec::new(),
            },
            files,
            now,
            daemon: None,
            busy: None,
        };
        trial.start(now).await;
        trial
    }

    async fn start(&mut self, now: Timestamp) {
        self.now = now;
        self.reference.unsure(now, 2, 2);
        let clock = Clock::simulated(now, SPEED);
        self.busy = Some(clock.busy());
        self.daemon = Some(self.scene.start_with(clock).await);
    }

    fn daemon(&self) -> &Running {
        self.daemon.as_ref().unwrap()
    }

    /// Lets up to six hours pass.
    async fn live(&mut self) {
        let minutes = 20 + u64::from(self.dice.below(340));
        let seconds = u64::from(self.dice.below(60));
        let until = self.now + Duration::from_secs(minutes * 60 + seconds);
        self.busy = None;
        let clock = self.daemon().shared.clock.clone();
        clock.sleep_until(until).await;
        self.busy = Some(clock.busy());
        self.now = clock.now();
    }

    /// Somebody sets the clock, and the daemon sees it.
    async fn set(&mut self, at: Timestamp) {
        let shared = &self.daemon().shared;
        let mut trouble = shared.trouble.subscribe();
        shared.clock.set(at);
        let shown = rfc3339(at, chrono_tz::Tz::Asia__Ho_Chi_Minh);
        let (shown, _) = shown.rsplit_once(':').unwrap();
        let shown = format!("it showed {}", &shown[.."2024-03-25T00:00".len()]);
        let is_told =
            |trouble: &Option<String>| trouble.as_ref().is_some_and(|text| text.contains(&shown));
        trouble.wait_for(is_told).await.unwrap();
        self.now = at;
    }

    /// Somebody sets the clock of the daemon while it runs: forward or back, or forward by mistake and back at once.
    async fn jump(&mut self) {
        let before = self.daemon().shared.clock.now();
        let minutes = 10 + self.dice.below(300);
        match self.dice.below(3) {
            0 => {
                let after = before + MINUTE * minutes;
                self.set(after).await;
                self.reference.leapt(before, after);
            }
            1 => {
                let after = (before - MINUTE * minutes).max(at(BEGIN) + MINUTE);
                self.set(after).await;
                self.reference.set_back(before, after);
            }
            _ => {
                self.set(before + MINUTE * minutes).await;
                if self.dice.one_in(2) {
                    self.edit().await;
                    let (from, _) = self.reference.files.last_mut().unwrap();
                    *from = before;
                    self.reference.unsure(before, 1, 15);
                }
                let shared = &self.daemon().shared;
                let mut trouble = shared.trouble.subscribe();
                let after = shared.clock.now() - MINUTE * minutes;
                shared.clock.set(after);
                trouble.wait_for(Option::is_none).await.unwrap();
                self.now = after;
            }
        }
    }

    /// An edit of the schedules, under which nothing is owed at once.
    async fn edit(&mut self) {
        let files = Files::some(&mut self.dice);
        self.scene
            .folder
            .write("schedules/lich.yaml", &files.text());
        self.files = files.clone();
        self.reload(true).await;
        self.reference.files.push((self.now, files));
        self.reference.unsure(self.now, 1, 15);
    }

    /// A file with a mistake: nothing on air changes, not even for a moment.
    async fn spoil(&mut self) {
        let broken = self.files.text().replacen("at: [", "at: [25:61, ", 1);
        self.scene.folder.write("schedules/lich.yaml", &broken);
        self.reload(false).await;
        self.scene
            .folder
            .write("schedules/lich.yaml", &self.files.text());
    }

    /// Other words under the same times: everything is owed as before.
    async fn reword(&mut self) {
        let words = format!("lời thứ {}", self.dice.below(1_000));
        let text = bulletin(&words);
        self.scene.folder.write("content/bulletins/mot.yaml", &text);
        self.reload(true).await;
    }

    async fn reload(&mut self, is_good: bool) {
        let running = self.daemon();
        running.reloader.reload(&running.shared).await;
        assert_eq!(running.reloader.refused.borrow().is_none(), is_good);
        self.now = running.shared.clock.now();
    }

    /// The daemon dies and comes back, after a while or with a clock that was set back meanwhile.
    async fn die(&mut self) {
        let running = self.daemon.take().unwrap();
        let is_killed = self.dice.one_in(2);
        if is_killed {
            running.kill().await;
        } else {
            running.stop().await;
        }
        let died = self.now;
        self.reference.unsure(died, 3, 3);
        holds(&self.scene.store().await, &mut self.dice).await;
        if self.dice.one_in(4) {
            let back = died - MINUTE * (5 + self.dice.below(40));
            self.reference.unsure.push((back, died));
            self.start(back).await;
        } else {
            let gap = MINUTE * (1 + self.dice.below(300));
            self.reference.down.push((died, died + gap));
            self.start(died + gap).await;
        }
    }

    async fn run(&mut self) {
        let reader = self.scene.store().await;
        for _ in 0..STEPS {
            self.live().await;
            match self.dice.below(8) {
                0 | 1 => self.edit().await,
                2 => self.spoil().await,
                3 => self.reword().await,
                4 | 5 => self.jump().await,
                _ => self.die().await,
            }
            holds(&reader, &mut self.dice).await;
        }
        self.live().await;
        // Everything that fell due comes to its end.
        let end = self.now;
        self.busy = None;
        let rest = end + WITHIN + MINUTE * 5;
        self.daemon().shared.clock.sleep_until(rest).await;
        let is_over = |row: &DeliveryRow| row.due >= end || row.state.is_final();
        self.daemon()
            .wait(move |rows| rows.iter().all(is_over))
            .await;
        self.daemon.take().unwrap().stop().await;
        self.now = end;
    }

    /// Compares what is on record with what the reference says; gives how often it said what.
    async fn judge(&self) -> BTreeMap<Verdict, usize> {
        let rows = self.scene.log().await;
        let mut on_record: BTreeMap<(&str, &str, Timestamp), &DeliveryRow> = BTreeMap::new();
        let mut count = Account::default();
        for row in &rows {
            let key = (row.schedule.as_str(), row.channel.as_str(), row.due);
            assert!(on_record.insert(key, row).is_none(), "twice: {row:?}");
            count.occurrences += 1;
            count.add(row.state, 1);
        }
        let store = self.scene.store().await;
        let account = store.account(&LogFilter::default()).await.unwrap();
        assert_eq!(account, count);
        let mut said = BTreeMap::new();
        let mut wrong = Vec::new();
        let begin = at(BEGIN);
        let minutes = self.now.since(begin).as_secs() / 60;
        for (schedule, channels) in CHANNELS {
            for minute in (0..u32::try_from(minutes).unwrap()).step_by(10) {
                let due = begin + MINUTE * minute;
                let verdict = self.reference.verdict(schedule, due, minute % (24 * 60));
                for channel in channels.iter().copied() {
                    *said.entry(verdict).or_insert(0) += 1;
                    let row = on_record.remove(&(schedule, channel, due));
                    let stands = row.map(|row| (row.state, row.reason));
                    let is_right = match (verdict, stands) {
                        // A site is asked afterwards whether it still stands there.
                        (Verdict::Sent, Some((state, _))) => {
                            state == State::Accepted
                                || (state == State::Confirmed && channel.starts_with("web-"))
                        }
                        (Verdict::Missed, stands) => {
                            stands == Some((State::Skipped, Some(Reason::Expired)))
                        }
                        (Verdict::Unwanted | Verdict::Unsure, None) => true,
                        (Verdict::Unwanted, stands) => {
                            stands == Some((State::Skipped, Some(Reason::Superseded)))
                        }
                        (Verdict::Unsure, Some((state, _))) => state.is_final(),
                        (Verdict::Sent, None) => false,
                    };
                    if !is_right {
                        wrong.push(format!(
                            "{schedule} {channel} {due}: {verdict:?}, but {stands:?}"
                        ));
                    }
                }
            }
        }
        let story = &self.reference;
        assert!(wrong.is_empty(), "{}\n{story:#?}", wrong.join("\n"));
        // What nobody ever asked for is not on record, but for what is still to come.
        on_record.retain(|(.., due), _| *due < self.now);
        assert!(on_record.is_empty(), "{on_record:?}\n{story:#?}");
        said
    }
}

/// A trial from beginning to end.
async fn hold(scene: Scene, seed: u64) {
    let mut trial = Trial::new(&scene, seed).await;
    trial.run().await;
    let said = trial.judge().await;
    scene.check().await;
    // It is worth something: the reference was sure of most, and every promise was asked for.
    let count = |verdict| said.get(&verdict).copied().unwrap_or_default();
    assert!(
        count(Verdict::Sent) > 50 && count(Verdict::Missed) > 5,
        "{said:?}"
    );
    assert!(
        count(Verdict::Unwanted) > count(Verdict::Unsure),
        "{said:?}"
    );
}

on_both_databases! {
    async fn everything_owed_is_on_record_whatever_happens(scene: Scene) {
        hold(scene, 0x5eed_0001).await;
    }

    async fn everything_owed_is_on_record_whatever_else_happens(scene: Scene) {
        hold(scene, 0x5eed_0002).await;
    }
}
