//! Random days against a reference that knows nothing of spans: it writes into a list of seconds who is heard, and tries one
//! second after the other. Everything comes from fixed seeds.

use std::{collections::BTreeMap, time::Duration};

use loa::domain::{
    airtime::Heard,
    bulletin::Priority,
    delivery::Reason,
    id::{BulletinId, ScheduleId},
    plan::Plan,
    policy::{Policy, Rule, Sessions},
    workspace::Workspace,
};

use super::{at, plays_recordings, rule, schedule, schedules, shown};
use crate::support::{
    dice::Dice,
    workspace::{Folder, bulletin},
};

const DAY: u32 = 86_400;
const BETWEEN: u32 = 5;

/// One occurrence on one channel.
#[derive(Debug)]
struct Wish {
    schedule: ScheduleId,
    channel: String,
    ward: usize,
    priority: Priority,
    hard: bool,
    due: u32,
    wait: u32,
    parts: Vec<(String, u32, Priority)>,
    gap: u32,
}

impl Wish {
    /// How the rules bind it.
    fn bound(&self) -> Priority {
        self.parts.iter().map(|part| part.2).min().unwrap()
    }
}

/// Who is heard in a ward in one second: channel, bulletin, when that began; schedule, and when its first part began.
type Second = Vec<(String, String, u32, ScheduleId, u32)>;

struct Reference {
    /// Two wards that hear each other, and one apart: what is reserved in each second.
    heard: [Vec<Second>; 3],
    /// How urgent what is expected to be heard is.
    spoken: [Vec<Vec<Priority>>; 3],
    rules: Vec<Bound>,
}

/// A rule: whom it does not bind, its hours, and what it allows within them.
struct Bound {
    exempt: Vec<Priority>,
    windows: Vec<(u32, u32)>,
    sessions: Sessions,
}

impl Reference {
    fn hears(ward: usize) -> &'static [usize] {
        if ward == 2 { &[2] } else { &[0, 1] }
    }

    fn free(&self, wish: &Wish, begin: u32) -> Result<(), Reason> {
        let mut from = begin;
        for (bulletin, length, _) in &wish.parts {
            let until = from + length + length / 20;
            let near = from.saturating_sub(BETWEEN)..(until + BETWEEN).min(DAY);
            for ward in Self::hears(wish.ward) {
                for second in near.clone() {
                    let meets = self.heard[*ward][second as usize].iter().any(|other| {
                        other.0 == wish.channel
                            || ((&other.1, other.2) != (bulletin, from)
                                && (&other.3, other.4) != (&wish.schedule, begin))
                    });
                    if meets {
                        return Err(Reason::Collision);
                    }
                }
            }
            from = until + wish.gap;
        }
        let over = Self::over(wish, begin);
        let mut binding = self.binding(wish);
        let inside = binding.all(|rule| {
            (begin..over).all(|second| {
                let mut windows = rule.windows.iter();
                windows.any(|(from, until)| (*from..*until).contains(&second))
            })
        });
        inside.then_some(()).ok_or(Reason::Policy)
    }

    /// When the last part is over.
    fn over(wish: &Wish, begin: u32) -> u32 {
        let mut from = begin;
        let mut over = begin;
        for (_, length, _) in &wish.parts {
            over = from + length;
            from += length + length / 20 + wish.gap;
        }
        over
    }

    /// Where an occurrence begins, and what becomes of each of its parts.
    fn place(&mut self, mut wish: Wish) -> Vec<Result<u32, Reason>> {
        let mut ends: Vec<Result<u32, Reason>> = Vec::new();
        while !wish.parts.is_empty() {
            match self.find(&wish) {
                Ok(begin) => {
                    let begins = self.take(&wish, begin);
                    ends.extend(begins.into_iter().rev().map(Ok));
                    break;
                }
                Err(reason) => {
                    wish.parts.pop();
                    ends.push(Err(reason));
                }
            }
        }
        ends.reverse();
        ends
    }

    fn find(&self, wish: &Wish) -> Result<u32, Reason> {
        let latest = if wish.hard {
            wish.due
        } else {
            wish.due + wish.wait
        };
        let mut begin = wish.due;
        // What people hear is asked first. A rule is named where at some second only rules kept it silent: without them it would be heard.
        let mut refused = Reason::Collision;
        while begin <= latest {
            let (reason, step) = match self.free(wish, begin) {
                Err(reason) => (reason, 1),
                Ok(()) => match self.amounts(wish, begin) {
                    Ok(()) => return Ok(begin),
                    Err(reason) => (reason, 60),
                },
            };
            if reason == Reason::Policy {
                refused = reason;
            }
            begin += step;
        }
        Err(refused)
    }

    fn take(&mut self, wish: &Wish, begin: u32) -> Vec<u32> {
        let mut begins = Vec::new();
        let mut from = begin;
        for (bulletin, length, _) in &wish.parts {
            begins.push(from);
            let until = from + length + length / 20;
            for second in from..until {
                let schedule = wish.schedule.clone();
                let said = (
                    wish.channel.clone(),
                    bulletin.clone(),
                    from,
                    schedule,
                    begin,
                );
                self.heard[wish.ward][second as usize].push(said);
            }
            from = until + wish.gap;
        }
        for second in begin..Self::over(wish, begin) {
            self.spoken[wish.ward][second as usize].push(wish.bound());
        }
        begins
    }

    /// The rules that bind it.
    fn binding(&self, wish: &Wish) -> impl Iterator<Item = &Bound> {
        let bound = wish.bound();
        let rules = self.rules.iter();
        rules.filter(move |rule| !rule.exempt.contains(&bound))
    }

    fn amounts(&self, wish: &Wish, begin: u32) -> Result<(), Reason> {
        let fine = self
            .binding(wish)
            .all(|rule| self.allows(rule, wish, begin));
        fine.then_some(()).ok_or(Reason::Policy)
    }

    /// Whether a rule allows so much. What it exempts uses up nothing of that.
    fn allows(&self, rule: &Bound, wish: &Wish, begin: u32) -> bool {
        let (ward, more) = (wish.ward, begin..Self::over(wish, begin));
        let gap = u32::try_from(rule.sessions.gap.as_secs()).unwrap();
        let (mut count, mut total, mut longest) = (0, 0, 0);
        let (mut begun, mut last): (Option<u32>, u32) = (None, 0);
        for second in 0..=DAY {
            let counts = |priority: &Priority| !rule.exempt.contains(priority);
            let is_heard = second < DAY
                && (more.contains(&second)
                    || self.spoken[ward][second as usize].iter().any(counts));
            // Less silence than the gap parts nothing.
            if let Some(from) = begun
                && (second == DAY || second >= last + 1 + gap)
            {
                total += last + 1 - from;
                longest = longest.max(last + 1 - from);
                begun = None;
            }
            if is_heard {
                count += u32::from(begun.is_none());
                begun = begun.or(Some(second));
                last = second;
            }
        }
        let seconds = |limit: Option<Duration>| {
            limit.map_or(u32::MAX, |limit| u32::try_from(limit.as_secs()).unwrap())
        };
        rule.sessions.per_day.is_none_or(|most| count <= most)
            && longest <= seconds(rule.sessions.longest)
            && total <= seconds(rule.sessions.longest_day)
    }
}

const LENGTHS: [(&str, u32); 5] = [("a", 20), ("b", 40), ("c", 60), ("d", 120), ("e", 300)];
const CHANNELS: [(&str, usize); 4] = [
    ("loa-hb-1", 0),
    ("loa-hb-2", 0),
    ("loa-ll-1", 1),
    ("loa-vt-1", 2),
];

/// A random city for one day: its workspace, and what its schedules wish.
fn random(dice: &mut Dice) -> (Workspace, Vec<Wish>, Reference) {
    let folder = Folder::small();
    folder.edit(
        "channels/wards.yaml",
        "\nwards:",
        "\nwards:\n  vinh-tan: { kind: phuong, name: Vinh Tân }",
    );
    let channel = "  loa-vt-1:\n    ward: vinh-tan\n    kind: loudspeaker\n    adapter: { recipe: { use: loudspeaker-http, with: { url: \"http://10.0.0.4\", token: \"env:LOA_T4\" } } }\n";
    folder.amend("channels/kenh.yaml", channel);
    let mut priorities = BTreeMap::new();
    for (id, _) in LENGTHS {
        let priority = match dice.below(6) {
            0 => Priority::Emergency,
            1 | 2 => Priority::Priority,
            _ => Priority::Normal,
        };
        let text = bulletin(&format!("lời {id}"));
        let text = text.replace(
            "priority: normal",
            &format!("priority: {}", priority.as_str()),
        );
        folder.write(&format!("content/bulletins/{id}.yaml"), &text);
        priorities.insert(id, priority);
    }
    let mut lines = Vec::new();
    let mut wishes = Vec::new();
    for number in 0..3 + dice.below(6) {
        let id = format!("s{number}");
        let minute = if dice.one_in(3) { 1_010 } else { 320 } + dice.below(50);
        let wait = 1 + dice.below(4) * 15;
        let hard = dice.one_in(3);
        let count = if dice.one_in(4) { 2 + dice.below(2) } else { 1 };
        let parts: Vec<(&str, u32)> = (0..count)
            .map(|_| LENGTHS[dice.below(5) as usize])
            .collect();
        let gap = 3 + dice.below(10);
        let channels: Vec<(&str, usize)> =
            CHANNELS.into_iter().filter(|_| dice.one_in(2)).collect();
        if channels.is_empty() {
            continue;
        }
        let names: Vec<&str> = channels.iter().map(|(name, _)| *name).collect();
        let choice = if count == 1 {
            format!("{{ only: {} }}", parts[0].0)
        } else {
            let parts: Vec<String> = parts
                .iter()
                .map(|(id, _)| format!("{{ only: {id} }}"))
                .collect();
            format!(
                "{{ session: {{ parts: [{}], gap: {gap}s }} }}",
                parts.join(", ")
            )
        };
        let start = if hard {
            "    start: hard\n".to_owned()
        } else {
            format!("    start: {{ soft: {{ max_wait: {wait}m }} }}\n")
        };
        let clock = format!("{:02}:{:02}", minute / 60, minute % 60);
        lines.push(schedule(&id, &clock, &choice, &names.join(", "), &start));
        for (name, ward) in channels {
            wishes.push(Wish {
                schedule: ScheduleId::parse(&id).unwrap(),
                channel: name.to_owned(),
                ward,
                priority: parts.iter().map(|(id, _)| priorities[id]).max().unwrap(),
                hard,
                due: minute * 60,
                wait: wait * 60,
                parts: parts
                    .iter()
                    .map(|(id, length)| ((*id).to_owned(), *length, priorities[id]))
                    .collect(),
                gap: if count == 1 { 0 } else { gap },
            });
        }
    }
    folder.write("schedules/lich.yaml", &schedules(&lines));
    let mut workspace = folder.load();
    plays_recordings(&mut workspace);
    for (id, length) in LENGTHS {
        let heard = Heard {
            recorded: Some(Duration::from_secs(u64::from(length))),
            ..Heard::default()
        };
        workspace
            .lengths
            .insert(BulletinId::parse(id).unwrap(), heard);
    }
    let exempts: [&[Priority]; 3] = [
        &[],
        &[Priority::Emergency],
        &[Priority::Emergency, Priority::Priority],
    ];
    let first = bound(dice, &[Priority::Emergency]);
    let mut rules = vec![first];
    if dice.one_in(2) {
        let exempt = exempts[dice.below(3) as usize];
        rules.push(bound(dice, exempt));
    }
    let minutes = |bound: &Bound| -> Vec<(u32, u32)> {
        let windows = bound.windows.iter();
        windows
            .map(|(from, until)| (from / 60, until / 60))
            .collect()
    };
    let named = ["Giờ loa", "Giờ yên tĩnh"].into_iter().zip(&rules);
    workspace.policy = Policy {
        rules: named
            .map(|(name, bound)| Rule {
                exempt: bound.exempt.clone(),
                ..rule(name, &minutes(bound), bound.sessions)
            })
            .collect(),
    };
    let reference = Reference {
        heard: std::array::from_fn(|_| vec![Vec::new(); DAY as usize]),
        spoken: std::array::from_fn(|_| vec![Vec::new(); DAY as usize]),
        rules,
    };
    (workspace, wishes, reference)
}

/// A random rule.
fn bound(dice: &mut Dice, exempt: &[Priority]) -> Bound {
    let windows = if dice.one_in(4) {
        vec![(0, 1_439)]
    } else {
        vec![
            (325 + dice.below(20), 360 + dice.below(20)),
            (1_000, 1_030 + dice.below(30)),
        ]
    };
    let minutes = |minutes: u32| Duration::from_secs(u64::from(minutes) * 60);
    Bound {
        exempt: exempt.to_vec(),
        windows: windows
            .iter()
            .map(|(from, until)| (from * 60, until * 60))
            .collect(),
        sessions: Sessions {
            per_day: dice.one_in(2).then(|| 1 + dice.below(3)),
            longest: dice.one_in(2).then(|| minutes(2 + dice.below(10))),
            longest_day: dice.one_in(3).then(|| minutes(5 + dice.below(10))),
            gap: minutes(1 + dice.below(10)),
        },
    }
}

#[test]
fn random_days_are_those_of_the_reference() {
    let mut dice = Dice(0x10a);
    let (mut placed, mut moved, mut refused) = (0, 0, 0);
    for round in 0..60 {
        let (workspace, mut wishes, mut reference) = random(&mut dice);
        if wishes.is_empty() {
            continue;
        }
        wishes.sort_by_key(|wish| {
            let schedule = wish.schedule.clone();
            (
                std::cmp::Reverse(wish.priority),
                !wish.hard,
                wish.due,
                schedule,
                wish.channel.clone(),
            )
        });
        let mut expected = BTreeMap::new();
        for wish in wishes {
            let (key, due) = ((wish.schedule.to_string(), wish.channel.clone()), wish.due);
            for (part, end) in (0_u16..).zip(reference.place(wish)) {
                match end {
                    Ok(begin) if part == 0 && begin != due => moved += 1,
                    Ok(_) => placed += 1,
                    Err(_) => refused += 1,
                }
                expected.insert((key.clone(), part), end);
            }
        }
        let midnight = at("2024-03-25T00:00:00");
        let plan = Plan::new(&workspace);
        let all: Vec<_> = plan
            .deliveries(midnight, at("2024-03-26T00:00:00"))
            .collect();
        let found: BTreeMap<_, _> = all
            .iter()
            .map(|delivery| {
                let key = (delivery.schedule.to_string(), delivery.channel.to_string());
                let begin = u32::try_from(delivery.due.since(midnight).as_secs()).unwrap();
                let end = delivery
                    .skip
                    .as_ref()
                    .map_or(Ok(begin), |why| Err(why.reason));
                ((key, delivery.part), end)
            })
            .collect();
        assert_eq!(found, expected, "round {round}: {:#?}", shown(&all));
        // However it is asked for, it is the same plan.
        let cut = midnight + Duration::from_secs(u64::from(19_000 + dice.below(50_000)));
        let mut pieces: Vec<_> = plan.deliveries(midnight, cut).collect();
        pieces.extend(plan.deliveries(cut, at("2024-03-26T00:00:00")));
        assert_eq!(pieces, all, "round {round}");
        for delivery in &all {
            let limit = delivery.limit.as_ref().filter(|_| delivery.skip.is_none());
            assert!(delivery.due <= delivery.deadline);
            if let Some(limit) = limit {
                let length = delivery.length.unwrap();
                assert!(delivery.due + length <= limit.over, "{delivery:#?}");
                assert!(delivery.deadline + length <= limit.over, "{delivery:#?}");
            }
        }
    }
    assert!(
        placed > 100 && moved > 30 && refused > 50,
        "{placed} {moved} {refused}"
    );
}
