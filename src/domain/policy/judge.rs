//! What the rules say of one broadcast that a person wants now, by itself.

use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::{Permit, Policy, Rule, Span, Spoken, midnight};
use crate::domain::{
    bulletin::Priority,
    calendar::local,
    delivery::Reason,
    detail::Detail,
    id::WardId,
    plan::{Limit, Why},
    time::Timestamp,
};

/// What the rules say of something that is to be heard now.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It may be heard, and has to be over by an instant, if a rule wants that.
    Permitted(Option<Limit>),
    /// It may not.
    Refused {
        /// Which rule says so.
        why: Why,
        /// When it may be heard, if it ever may within two months, and by when it has to be over then.
        next: Option<(Timestamp, Option<Limit>)>,
    },
}

/// For so many days a permitted time is looked for.
const LOOK_AHEAD: usize = 62;

const A_DAY: Duration = Duration::from_hours(24);

/// A refusal of which no rule is known.
const NO_DETAIL: Why = Why {
    reason: Reason::Policy,
    detail: None,
};

impl Policy {
    /// What the rules say of something of that `length` that begins in `ward` at `from`, by itself: what else is heard on that
    /// day is not looked at.
    #[must_use]
    pub fn judge(
        &self,
        ward: &WardId,
        zone: Tz,
        priority: Priority,
        from: Timestamp,
        length: Duration,
    ) -> Verdict {
        let mut refused: Option<Why> = None;
        // What is open so far and may go on tomorrow; days without a closed hour between them are one span.
        let mut so_far: Option<Permit<'_>> = None;
        let mut found = None;
        let first = local(from, zone).date();
        for day in first.iter_days().take(LOOK_AHEAD) {
            let permit = self.permit(ward, day, zone, priority);
            if let Some((longest, rule)) = permit.longest.filter(|(longest, _)| length > *longest) {
                refused
                    .get_or_insert_with(|| rule.too_long(length, longest).into_why(Reason::Policy));
                so_far = None;
                continue;
            }
            let mut permit = match so_far {
                Some(before) => before.followed_by(permit),
                None => permit,
            };
            found = permit.open.iter().find_map(|open| {
                let begin = from.max(open.from);
                // Where nothing ends it yet the next day tells.
                let spare = if open.ends.is_some() {
                    Duration::ZERO
                } else {
                    A_DAY
                };
                let limit = open.ends.map(|rule| over(rule, open.until, zone));
                (begin + length + spare <= open.until).then_some((begin, limit))
            });
            if found.is_some() {
                break;
            }
            permit.open.retain(|open| open.ends.is_none());
            permit.closed.clear();
            so_far = Some(permit);
        }
        match found {
            Some((begin, limit)) if begin == from => Verdict::Permitted(limit),
            next => {
                let refused = refused.or_else(|| self.refusal(ward, zone, priority, from, length));
                Verdict::Refused {
                    why: refused.unwrap_or(NO_DETAIL),
                    next,
                }
            }
        }
    }

    /// Which rule keeps `[from, from + length)` from being heard, outside its hours.
    fn refusal(
        &self,
        ward: &WardId,
        zone: Tz,
        priority: Priority,
        from: Timestamp,
        length: Duration,
    ) -> Option<Why> {
        let until = from + length.max(Duration::from_micros(1));
        days(from, until, zone).find_map(|day| {
            let permit = self.permit(ward, day, zone, priority);
            let closed = permit.refuses(from, until)?;
            Some(
                closed
                    .rule
                    .outside(from, from + length, zone)
                    .into_why(Reason::Policy),
            )
        })
    }

    /// What a rule would refuse of `[from, until)` in `ward` if `priority` were not exempt from it; `None` where none would, or
    /// none that exempts it. `heard` is what its area hears besides on that day.
    #[must_use]
    pub fn overridden(
        &self,
        ward: &WardId,
        zone: Tz,
        priority: Priority,
        (from, until): Span,
        heard: &[Spoken],
    ) -> Option<Detail> {
        let first = local(from, zone).date();
        days(from, until, zone).find_map(|day| {
            let held = self.in_force(ward, day);
            let mut exempted = held.filter(|rule| rule.exempt.contains(&priority));
            exempted.find_map(|rule| {
                let begin = midnight(day, zone);
                let end = day.succ_opt().map_or(begin, |next| midnight(next, zone));
                let mut closed = rule.closed(day, zone, begin, end);
                if closed.any(|(opens, closes)| opens < until && from < closes) {
                    return Some(rule.outside(from, until, zone));
                }
                if day != first {
                    return None;
                }
                let much = rule.exceeded(heard, (from, until))?;
                Some(much.detail())
            })
        })
    }
}

/// The days that `[from, until)` touches.
fn days(from: Timestamp, until: Timestamp, zone: Tz) -> impl Iterator<Item = NaiveDate> {
    let last = local(until, zone).date();
    local(from, zone)
        .date()
        .iter_days()
        .take_while(move |day| *day <= last)
}

fn over(rule: &Rule, closes: Timestamp, zone: Tz) -> Limit {
    Limit {
        over: closes,
        why: rule.hours_end(closes, zone).into_why(Reason::Policy),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveTime, Weekday};

    use super::*;
    use crate::domain::{
        bulletin::{Dated, Source},
        id::RuleId,
        policy::{Hours, Sessions, Window},
        ward::Validity,
    };

    const WORKING_DAYS: [Weekday; 5] = [
        Weekday::Mon,
        Weekday::Tue,
        Weekday::Wed,
        Weekday::Thu,
        Weekday::Fri,
    ];
    const ZONE: Tz = Tz::Asia__Ho_Chi_Minh;

    fn at(local: &str) -> Timestamp {
        Timestamp::parse_rfc3339(&format!("{local}:00+07:00")).expect("an instant")
    }

    fn time(text: &str) -> NaiveTime {
        text.parse().expect("a time")
    }

    fn rule(name: &str) -> Rule {
        Rule {
            id: RuleId::parse("r").expect("an id"),
            name: name.to_owned(),
            document: Source {
                document: "QĐ".to_owned(),
                dated: Dated::Year(2024),
            },
            note: None,
            wards: Vec::new(),
            except: Vec::new(),
            valid: Validity::default(),
            windows: None,
            quiet: Vec::new(),
            sessions: Sessions::default(),
            exempt: vec![Priority::Emergency],
        }
    }

    fn judged(policy: &Policy, from: &str, minutes: u64) -> (Option<String>, Option<Timestamp>) {
        let ward = WardId::parse("w").expect("an id");
        let length = Duration::from_mins(minutes);
        match policy.judge(&ward, ZONE, Priority::Normal, at(from), length) {
            Verdict::Permitted(limit) => (None, limit.map(|limit| limit.over)),
            Verdict::Refused { why, next } => (why.detail, next.map(|(at, _)| at)),
        }
    }

    /// Windows on working days, and quiet nights with short sessions.
    fn two_rules() -> Policy {
        let windows = |days: &[Weekday], spans: &[(&str, &str)]| {
            let windows = spans.iter().map(|(from, until)| Window {
                days: days.to_vec(),
                hours: Hours {
                    from: time(&format!("{from}:00")),
                    until: Some(time(&format!("{until}:00"))),
                },
            });
            Some(windows.collect())
        };
        Policy {
            rules: vec![
                Rule {
                    windows: windows(&WORKING_DAYS, &[("05:00", "07:00"), ("16:30", "18:30")]),
                    ..rule("khung")
                },
                Rule {
                    quiet: vec![Hours {
                        from: time("21:00:00"),
                        until: Some(time("05:30:00")),
                    }],
                    sessions: Sessions {
                        longest: Some(Duration::from_mins(15)),
                        ..Sessions::default()
                    },
                    ..rule("đêm")
                },
            ],
        }
    }

    #[test]
    fn the_strictest_wins_and_says_when() {
        let policy = two_rules();
        // 2024-03-25 is a Monday.
        let refused = |by: &str, from: &str, until: &str| {
            Some(format!(
                "outside-hours rule={by}; document=QĐ, 2024; from={from}:00; until={until}:00"
            ))
        };
        for (from, minutes, expected) in [
            ("2024-03-25T05:30", 10, (None, Some(at("2024-03-25T07:00")))),
            ("2024-03-25T06:50", 10, (None, Some(at("2024-03-25T07:00")))),
            (
                "2024-03-25T06:51",
                10,
                (
                    refused("khung", "06:51", "07:01"),
                    Some(at("2024-03-25T16:30")),
                ),
            ),
            (
                "2024-03-25T05:10",
                10,
                (
                    refused("đêm", "05:10", "05:20"),
                    Some(at("2024-03-25T05:30")),
                ),
            ),
            (
                "2024-03-29T18:25",
                10,
                (
                    refused("khung", "18:25", "18:35"),
                    Some(at("2024-04-01T05:30")),
                ),
            ),
            (
                "2024-03-30T10:00",
                1,
                (
                    refused("khung", "10:00", "10:01"),
                    Some(at("2024-04-01T05:30")),
                ),
            ),
            (
                "2024-03-25T05:30",
                16,
                (
                    Some(
                        "session-too-long rule=đêm; document=QĐ, 2024; length=16:00; longest=15:00"
                            .to_owned(),
                    ),
                    None,
                ),
            ),
        ] {
            assert_eq!(judged(&policy, from, minutes), expected, "{from}");
        }
        let ward = WardId::parse("w").expect("an id");
        let beside = |heard: &[Spoken], from: &str, until: &str| {
            let span = (at(from), at(until));
            policy
                .overridden(&ward, ZONE, Priority::Emergency, span, heard)
                .map(|detail| detail.to_string())
        };
        let overridden = |from: &str, until: &str| beside(&[], from, until);
        assert_eq!(overridden("2024-03-25T05:30", "2024-03-25T05:45"), None);
        assert_eq!(
            overridden("2024-03-25T23:58", "2024-03-26T00:05"),
            refused("khung", "23:58", "00:05")
        );
        assert_eq!(
            policy.overridden(
                &ward,
                ZONE,
                Priority::Priority,
                (at("2024-03-25T23:58"), at("2024-03-26T00:05")),
                &[]
            ),
            None,
            "who is not exempt overrides nothing"
        );
        // Nine minutes behind ten others are one session of nineteen to a rule that wants no longer one than fifteen.
        let before = |priority| Spoken {
            span: (at("2024-03-25T05:31"), at("2024-03-25T05:41")),
            priority,
        };
        let after = ("2024-03-25T05:41", "2024-03-25T05:50");
        assert_eq!(
            beside(&[before(Priority::Normal)], after.0, after.1).as_deref(),
            Some("session-too-long rule=đêm; document=QĐ, 2024; length=19:00; longest=15:00")
        );
        assert_eq!(
            beside(&[before(Priority::Emergency)], after.0, after.1),
            None,
            "what is exempt itself is not counted"
        );
    }

    #[test]
    fn midnight_ends_nothing_by_itself() {
        let policy = Policy {
            rules: vec![Rule {
                quiet: vec![Hours {
                    from: time("00:00:00"),
                    until: Some(time("05:00:00")),
                }],
                ..rule("đêm")
            }],
        };
        assert_eq!(
            judged(&policy, "2024-03-25T23:50", 10),
            (None, Some(at("2024-03-26T00:00")))
        );
        let (why, next) = judged(&policy, "2024-03-25T23:51", 10);
        assert!(why.is_some_and(|why| why.starts_with("outside-hours rule=đêm")));
        assert_eq!(next, Some(at("2024-03-26T05:00")));
        assert_eq!(
            judged(&Policy::default(), "2024-03-25T23:51", 30),
            (None, None)
        );
    }
}
