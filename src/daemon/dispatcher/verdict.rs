//! What follows from the end of an attempt: the rules that decide between "again", "no" and "ask a person". Pure.

use std::time::Duration;

use crate::{
    adapter::{
        Failure,
        attempt::{AttemptEnd, Ending},
    },
    domain::{
        channel::Mode,
        delivery::{Evidence, Outcome, Reason, State},
        detail::Detail,
        retry::RetryPolicy,
        time::Timestamp,
    },
    store::{Claimed, Finished},
};

/// Operators read details; a device must not be able to fill the store with them.
const LONGEST_DETAIL: usize = 300;

/// Turns the end of `claimed`'s attempt into what is written down.
///
/// Doubt (an attempt that may have arrived without an answer) stays with the delivery: a later refusal does not prove
/// that nothing was heard, so the delivery then ends as `unknown` and never as `failed`.
#[must_use]
pub fn conclude(
    claimed: &Claimed,
    end: AttemptEnd,
    policy: &RetryPolicy,
    now: Timestamp,
) -> Finished {
    let mut finished = Finished {
        id: claimed.id.clone(),
        attempt: claimed.attempt,
        started: claimed.started,
        finished: now.max(claimed.started),
        outcome: Outcome::Accepted,
        reason: None,
        detail: None,
        status: end.status,
        answer: end.answer,
        receipt: None,
        next: State::Accepted,
        next_at: None,
        doubt: claimed.doubt,
        cut_off: false,
        evidence: Evidence::None,
        answered: end.answered,
    };
    let (outcome, reason, detail, after) = match end.ending {
        Ending::Accepted(receipt) => {
            finished.receipt = receipt.reference;
            finished.evidence = receipt.evidence;
            finished.detail = receipt.remark.map(shorten);
            finished.reason = receipt.is_offer.then_some(Reason::Offered);
            finished.doubt = false;
            if receipt.evidence >= Evidence::Device {
                finished.next = State::Confirmed;
            }
            return finished;
        }
        Ending::Failed(Failure::Retry {
            after,
            reason,
            detail,
        }) => (Outcome::Retry, reason, detail, after),
        Ending::Failed(Failure::Reject { reason, detail }) => {
            (Outcome::Rejected, reason, detail, None)
        }
        Ending::Failed(Failure::Unknown { reason, detail }) => {
            (Outcome::Unknown, reason, detail, None)
        }
    };
    finished.outcome = outcome;
    finished.reason = Some(reason);
    finished.detail = Some(shorten(detail)).filter(|detail| !detail.is_empty());
    finished.doubt |= outcome == Outcome::Unknown;
    let may_repeat = match outcome {
        Outcome::Accepted | Outcome::Rejected => false,
        // It certainly did not happen this time. If an earlier attempt is in doubt, only somebody who asks first, or whom a
        // repetition does no harm, may go on.
        Outcome::Retry | Outcome::Unknown => {
            !finished.doubt || claimed.mode == Mode::AtLeastOnce || claimed.can_ask
        }
    };
    let again = may_repeat
        .then(|| policy.next(&claimed.id, claimed.attempt, now, after, claimed.latest))
        .flatten();
    // What it asked for counts less than the deadline, and whoever reads the log has to know. Without an answer it asked for nothing:
    // what is waited for is our own, as are nights, days of a quota and looks for what may be there already.
    let is_ours = matches!(reason, Reason::Night | Reason::Quota | Reason::Waiting);
    if may_repeat
        && !is_ours
        && finished.status.is_some()
        && let Some(asked) = after.filter(|after| now + *after >= claimed.latest)
    {
        let code = if again.is_some() {
            "call-last-try"
        } else {
            "call-too-late"
        };
        let wished = beside(finished.detail.as_deref(), code, asked);
        finished.detail = Some(shorten(wished.to_string()));
    }
    (finished.next, finished.next_at) = match again {
        Some(at) => (State::Ready, Some(at)),
        None if finished.doubt => (State::Unknown, None),
        None => (State::Failed, None),
    };
    let ran_out = claimed.attempt >= policy.attempts;
    finished.cut_off = if let Some(at) = again {
        // Where it stands there is no time for that: liveness looks for another place.
        at >= claimed.deadline
    } else {
        let no_time = reason == Reason::Deadline || (may_repeat && !ran_out);
        finished.next == State::Failed && no_time
    };
    finished
}

/// What the receiver said, and that it wished for more time than there is. What it said stands last, for it may be cut.
fn beside(said: Option<&str>, code: &str, asked: Duration) -> Detail {
    let Some(said) = said else {
        return Detail::new(code).with("asked", asked.as_secs());
    };
    let words = || Detail::new("own-words").with("words", said);
    let said = Detail::parse(said).unwrap_or_else(words);
    said.first("then", code).first("asked", asked.as_secs())
}

fn shorten(mut detail: String) -> String {
    if let Some((end, _)) = detail.char_indices().nth(LONGEST_DETAIL) {
        detail.truncate(end);
    }
    detail
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        adapter::Receipt,
        domain::{
            bulletin::Priority,
            id::{ChannelId, DeliveryId, ScheduleId, WardId},
            message::ContentHash,
        },
    };

    const POLICY: RetryPolicy = RetryPolicy {
        first: Duration::from_secs(5),
        longest: Duration::from_mins(1),
        attempts: 3,
    };
    const NOW: Timestamp = Timestamp::from_micros(1_000_000);

    fn claimed(mode: Mode, can_ask: bool, doubt: bool, attempt: u32) -> Claimed {
        Claimed {
            id: DeliveryId::from_text("x"),
            attempt,
            schedule: ScheduleId::parse("s").unwrap(),
            channel: ChannelId::parse("c").unwrap(),
            channel_name: String::new(),
            ward: WardId::parse("w").unwrap(),
            ward_name: String::new(),
            priority: Priority::Normal,
            due: NOW,
            deadline: NOW + Duration::from_mins(10),
            latest: NOW + Duration::from_mins(10),
            hash: ContentHash::from_store(""),
            host: String::new(),
            mode,
            can_ask,
            doubt,
            started: NOW,
        }
    }

    fn failure(outcome: Outcome) -> AttemptEnd {
        let (reason, detail) = (Reason::Timeout, String::new());
        AttemptEnd::failed(match outcome {
            Outcome::Retry => Failure::Retry {
                after: None,
                reason,
                detail,
            },
            Outcome::Rejected => Failure::Reject { reason, detail },
            Outcome::Unknown => Failure::Unknown { reason, detail },
            Outcome::Accepted => unreachable!("not a failure"),
        })
    }

    /// The whole table: what follows from how an attempt ended.
    #[test]
    fn what_follows() {
        use Mode::{AtLeastOnce as Least, AtMostOnce as Most};
        use Outcome::{Rejected, Retry, Unknown};
        // mode, can ask, doubt before, attempt, outcome → state
        let table = [
            (Most, false, false, 1, Retry, State::Ready),
            (Most, false, false, 3, Retry, State::Failed),
            (Most, false, false, 1, Rejected, State::Failed),
            (Most, false, false, 1, Unknown, State::Unknown),
            (Most, true, false, 1, Unknown, State::Ready),
            (Most, true, true, 2, Retry, State::Ready),
            (Most, true, true, 3, Retry, State::Unknown),
            (Most, false, true, 1, Retry, State::Unknown),
            (Most, true, true, 2, Rejected, State::Unknown),
            (Least, false, false, 1, Retry, State::Ready),
            (Least, false, false, 1, Unknown, State::Ready),
            (Least, false, true, 3, Unknown, State::Unknown),
            (Least, false, false, 3, Retry, State::Failed),
            (Least, false, true, 2, Rejected, State::Unknown),
        ];
        for (mode, can_ask, doubt, attempt, outcome, state) in table {
            let end = conclude(
                &claimed(mode, can_ask, doubt, attempt),
                failure(outcome),
                &POLICY,
                NOW,
            );
            let case =
                format!("{mode:?} can_ask={can_ask} doubt={doubt} attempt={attempt} {outcome:?}");
            assert_eq!(end.next, state, "{case}");
            assert_eq!(end.next_at.is_some(), state == State::Ready, "{case}");
            assert_eq!(end.doubt, doubt || outcome == Unknown, "{case}");
        }
    }

    #[test]
    fn the_deadline_wins_over_another_attempt() {
        let late = Claimed {
            deadline: NOW + Duration::from_secs(1),
            latest: NOW + Duration::from_secs(1),
            ..claimed(Mode::AtLeastOnce, false, false, 1)
        };
        let end = conclude(&late, failure(Outcome::Retry), &POLICY, NOW);
        assert_eq!((end.next, end.cut_off), (State::Failed, true));
        let last = claimed(Mode::AtLeastOnce, false, false, POLICY.attempts);
        let end = conclude(&last, failure(Outcome::Retry), &POLICY, NOW);
        assert_eq!((end.next, end.cut_off), (State::Failed, false));
        let end = conclude(&late, failure(Outcome::Rejected), &POLICY, NOW);
        assert_eq!((end.next, end.cut_off), (State::Failed, false));
    }

    #[test]
    fn what_has_no_time_left_where_it_stands_waits_for_another_place() {
        let waits = |latest, attempt| {
            let claimed = Claimed {
                deadline: NOW + Duration::from_secs(1),
                latest: NOW + latest,
                ..claimed(Mode::AtMostOnce, false, false, attempt)
            };
            let end = conclude(&claimed, failure(Outcome::Retry), &POLICY, NOW);
            (end.next, end.next_at.is_some(), end.cut_off)
        };
        let long = Duration::from_mins(5);
        assert_eq!(waits(long, 1), (State::Ready, true, true));
        assert_eq!(waits(long, POLICY.attempts), (State::Failed, false, false));
        let short = Duration::from_secs(2);
        assert_eq!(waits(short, 1), (State::Failed, false, true));
    }

    #[test]
    fn a_wish_beyond_the_deadline_is_told() {
        let busy = |wish| AttemptEnd {
            status: Some(503),
            ..AttemptEnd::failed(Failure::Retry {
                after: Some(Duration::from_secs(wish)),
                reason: Reason::Busy,
                detail: "call-status status=503".to_owned(),
            })
        };
        let claimed = claimed(Mode::AtMostOnce, false, false, 1);
        let told = |wish, now| {
            let end = conclude(&claimed, busy(wish), &POLICY, now);
            (end.next, end.next_at, end.detail.unwrap_or_default())
        };
        let last = claimed.latest - Duration::from_secs(30);
        let words = |code: &str| format!("call-status asked=600; then={code}; status=503");
        let begun = told(600, NOW);
        assert_eq!(begun, (State::Ready, Some(last), words("call-last-try")));
        assert_eq!(
            told(600, last),
            (State::Failed, None, words("call-too-late"))
        );
        // Words of its own stay, too, and what said nothing is told of all the same.
        for (said, told) in [
            (
                "Đang bảo trì",
                "own-words asked=600; then=call-last-try; words=Đang bảo trì",
            ),
            ("", "call-last-try asked=600"),
        ] {
            let busy = AttemptEnd {
                status: Some(503),
                ..AttemptEnd::failed(Failure::Retry {
                    after: Some(Duration::from_mins(10)),
                    reason: Reason::Busy,
                    detail: said.to_owned(),
                })
            };
            let end = conclude(&claimed, busy, &POLICY, NOW);
            assert_eq!(end.detail.as_deref(), Some(told));
        }
        // Our own night is no wish of the channel's.
        let night = AttemptEnd {
            status: None,
            ..busy(600)
        };
        let end = conclude(&claimed, night, &POLICY, NOW);
        assert_eq!(end.detail.as_deref(), Some("call-status status=503"));
        // Nor is what an adapter waits for after an answer: a morning, another day's quota, another look.
        for reason in [Reason::Night, Reason::Quota, Reason::Waiting] {
            let waits = AttemptEnd {
                status: Some(200),
                ..AttemptEnd::failed(Failure::Retry {
                    after: Some(Duration::from_mins(10)),
                    reason,
                    detail: "zalo-quiet until=06:00".to_owned(),
                })
            };
            let end = conclude(&claimed, waits, &POLICY, NOW);
            assert_eq!(end.detail.as_deref(), Some("zalo-quiet until=06:00"));
        }
        let (next, _, detail) = told(60, NOW);
        assert_eq!(
            (next, detail.as_str()),
            (State::Ready, "call-status status=503")
        );
    }

    #[test]
    fn acceptance_ends_all_doubt_and_a_device_confirms() {
        let taken = |evidence, is_offer| {
            let end = AttemptEnd::accepted(Receipt {
                reference: Some("7".into()),
                evidence,
                remark: Some("call-nobody-listens count=0; wanted=1".into()),
                is_offer,
            });
            conclude(
                &claimed(Mode::AtLeastOnce, false, true, 2),
                end,
                &POLICY,
                NOW,
            )
        };
        let accepted = |evidence| taken(evidence, false);
        let end = accepted(Evidence::Accepted);
        assert_eq!(
            (end.next, end.doubt, end.receipt.as_deref()),
            (State::Accepted, false, Some("7"))
        );
        let remark = Some("call-nobody-listens count=0; wanted=1");
        assert_eq!((end.reason, end.detail.as_deref()), (None, remark));
        assert_eq!(accepted(Evidence::Device).next, State::Confirmed);
        let offered = taken(Evidence::Accepted, true);
        assert_eq!(
            (offered.next, offered.reason, offered.evidence),
            (State::Accepted, Some(Reason::Offered), Evidence::Accepted),
            "it counts like the rest, and waits for a person"
        );
    }

    #[test]
    fn details_are_capped_at_characters() {
        assert_eq!(shorten("ữ".repeat(1_000)).chars().count(), LONGEST_DETAIL);
    }
}
