//! Faults on demand: which there are, which requests they hit, and for how long.
//!
//! Nothing here touches a socket: `device` closes doors and `misbehave` breaks answers. Random faults are drawn from
//! (seed, host, number of the request on that host), so they do not depend on how requests to different hosts interleave.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{role::is_sign_of_life, wire::Request};

/// The longest that a fault may delay, in milliseconds.
const MAX_DELAY_MS: u64 = 3_600_000;
/// The largest body that a fault may send, in bytes.
const MAX_HUGE: u64 = 1 << 30;

/// One way in which the outside world fails. In JSON: `"reset"`, `{"status": {"code": 429, "retry_after": "2"}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// Nobody listens: the listener is really closed while the rule is in force. Connections that wait for a next
    /// request are closed too. Only for whole devices, and not counted by `times`.
    Refuse,
    /// Answers with this status; nothing else happens.
    Status {
        /// From 200 to 599.
        code: u16,
        /// `Retry-After` as it is to be sent: seconds or an HTTP date.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<String>,
        /// The body, `{"error":"simulated"}` when it is not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
    },
    /// What was asked for happens, and the answer comes this much later.
    Slow {
        /// Milliseconds.
        ms: u64,
    },
    /// What was asked for happens, the answer's head comes at once and its body over this time.
    SlowBody {
        /// Milliseconds.
        ms: u64,
    },
    /// What was asked for happens, and the answer breaks off before its announced end.
    Cut,
    /// The request is read and thrown away, and the connection is reset.
    Reset,
    /// Something that is not HTTP comes back; nothing else happens.
    Garbage,
    /// What was asked for happens, and the answer's body is this long.
    Huge {
        /// Bytes.
        bytes: u64,
    },
    /// The answer points elsewhere (307); nothing else happens.
    Redirect {
        /// The address it points to.
        to: String,
    },
    /// What was asked for happens, and the connection is reset in place of an answer.
    AcceptedThenLost,
    /// The request is read and thrown away, and nothing ever comes back.
    Hang,
    /// What was asked for happens, and nothing ever comes back.
    After,
    /// What was asked for happens, and the answer's body is no JSON: its end is missing.
    Broken,
    /// What was asked for happens, and the answer's body is in UTF-16.
    Charset,
    /// What was asked for happens, and this comes in place of the answer.
    Instead {
        /// From 200 to 599.
        code: u16,
        /// The body.
        body: String,
    },
    /// The answer repeats everything that was sent, word for word. What was asked for happens where the status is a success.
    Echo {
        /// From 200 to 599.
        code: u16,
    },
    /// One of several faults now and then.
    Random {
        /// The share of requests that it hits, from 0 to 1.
        rate: f64,
        /// The same seed gives every host the same sequence again.
        seed: u64,
        /// What to draw from; by default a 503, a 429, a delay, a reset, a cut answer and an answer lost after the effect.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        among: Vec<Fault>,
    },
}

impl Fault {
    /// Whether the device still does what it was asked to do.
    #[must_use]
    pub fn happens(&self) -> bool {
        match self {
            Self::Slow { .. }
            | Self::SlowBody { .. }
            | Self::Cut
            | Self::Huge { .. }
            | Self::AcceptedThenLost
            | Self::After
            | Self::Broken
            | Self::Charset
            | Self::Instead { .. } => true,
            Self::Echo { code } => (200..300).contains(code),
            Self::Refuse
            | Self::Status { .. }
            | Self::Reset
            | Self::Garbage
            | Self::Redirect { .. }
            | Self::Hang
            | Self::Random { .. } => false,
        }
    }

    /// The word that names it in JSON.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Status { .. } => "status",
            Self::Slow { .. } => "slow",
            Self::SlowBody { .. } => "slow-body",
            Self::Cut => "cut",
            Self::Reset => "reset",
            Self::Garbage => "garbage",
            Self::Huge { .. } => "huge",
            Self::Redirect { .. } => "redirect",
            Self::AcceptedThenLost => "accepted-then-lost",
            Self::Hang => "hang",
            Self::After => "after",
            Self::Broken => "broken",
            Self::Charset => "charset",
            Self::Instead { .. } => "instead",
            Self::Echo { .. } => "echo",
            Self::Random { .. } => "random",
        }
    }

    /// What is wrong with its numbers, if anything.
    fn mistake(&self) -> Option<&'static str> {
        match self {
            Self::Status { code, .. } | Self::Instead { code, .. } | Self::Echo { code }
                if !(200..=599).contains(code) =>
            {
                Some("code must be from 200 to 599")
            }
            Self::Slow { ms } | Self::SlowBody { ms } if *ms > MAX_DELAY_MS => {
                Some("ms must be at most an hour")
            }
            Self::Huge { bytes } if *bytes > MAX_HUGE => Some("bytes must be at most 1 GiB"),
            Self::Random { rate, .. } if !(0.0..=1.0).contains(rate) => {
                Some("rate must be from 0 to 1")
            }
            Self::Random { among, .. } => among.iter().find_map(|fault| match fault {
                Self::Refuse | Self::Random { .. } => {
                    Some("refuse and random cannot be drawn at random")
                }
                other => other.mistake(),
            }),
            _ => None,
        }
    }
}

/// An order for faults, as it is posted to the control address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultOrder {
    /// The device's host as channels write it, or `*` for all, also those to come.
    pub host: String,
    /// Only requests whose path begins so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only requests with this method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What goes wrong.
    pub fault: Fault,
    /// How many requests it hits; all when it is not given. A question whether the device is alive is none of them unless `path`
    /// names it: nobody knows when it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// How long it is in force, in real milliseconds; until it is taken back when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
}

impl FaultOrder {
    /// This fault on every request to `host`, until it is taken back.
    #[must_use]
    pub fn new(host: &str, fault: Fault) -> Self {
        Self {
            host: host.to_owned(),
            path: None,
            method: None,
            fault,
            times: None,
            for_ms: None,
        }
    }

    /// The same for that many requests.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    /// The same for requests with this method.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            ..self
        }
    }

    /// What makes the order impossible, if anything.
    pub(super) fn mistake(&self) -> Option<&'static str> {
        let narrowed = self.path.is_some() || self.method.is_some() || self.times.is_some();
        if self.host.is_empty() {
            Some("host must be a device's host or *")
        } else if self.fault == Fault::Refuse && narrowed {
            Some("refuse is for whole devices: it goes with host and for_ms only")
        } else if self.for_ms.is_some_and(|ms| ms > 24 * MAX_DELAY_MS) {
            Some("for_ms must be at most a day")
        } else {
            self.fault.mistake()
        }
    }
}

/// An order in force.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Rule {
    /// What was ordered; `times` counts down.
    pub(super) order: FaultOrder,
    /// How many requests it has hit.
    pub(super) hits: u64,
    /// When it ends by itself.
    #[serde(skip)]
    until: Option<Instant>,
}

/// All orders in force, oldest first.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

impl Rules {
    /// Puts an order in force.
    pub(super) fn add(&mut self, order: FaultOrder, now: Instant) {
        let until = order.for_ms.map(|ms| now + Duration::from_millis(ms));
        self.0.push(Rule {
            order,
            hits: 0,
            until,
        });
    }

    /// Takes back the orders for `host`, or all. Returns how many.
    pub(super) fn clear(&mut self, host: Option<&str>) -> usize {
        let before = self.0.len();
        self.0
            .retain(|rule| host.is_some_and(|host| host != rule.order.host));
        before - self.0.len()
    }

    /// The orders in force.
    pub(super) fn list(&mut self, now: Instant) -> &[Rule] {
        self.0
            .retain(|rule| rule.until.is_none_or(|until| until > now));
        &self.0
    }

    /// Whether nobody may listen at `host`.
    pub(super) fn refuses(&mut self, host: &str, now: Instant) -> bool {
        self.list(now)
            .iter()
            .any(|rule| rule.order.fault == Fault::Refuse && covers(&rule.order.host, host))
    }

    /// The fault that hits this request, the `number`th on its host: the oldest order that matches decides.
    pub(super) fn hit(
        &mut self,
        host: &str,
        request: &Request,
        number: u64,
        now: Instant,
    ) -> Option<Fault> {
        self.find(host, request, number, now, false)
    }

    /// The same for a command before the request that counts: only orders that name it hit it.
    pub(super) fn hit_command(
        &mut self,
        host: &str,
        request: &Request,
        number: u64,
        now: Instant,
    ) -> Option<Fault> {
        self.find(host, request, number, now, true)
    }

    fn find(
        &mut self,
        host: &str,
        request: &Request,
        number: u64,
        now: Instant,
        is_named: bool,
    ) -> Option<Fault> {
        self.list(now);
        let is_sign_of_life = is_sign_of_life(request);
        let (index, fault) = self.0.iter().enumerate().find_map(|(index, rule)| {
            let order = &rule.order;
            let meant = covers(&order.host, host)
                && (!is_named || order.method.is_some())
                && order.times != Some(0)
                && (order.times.is_none() || order.path.is_some() || !is_sign_of_life)
                && order
                    .path
                    .as_deref()
                    .is_none_or(|path| request.path.starts_with(path))
                && order
                    .method
                    .as_deref()
                    .is_none_or(|method| request.method == method);
            let fault = if meant {
                drawn(&order.fault, host, number)
            } else {
                None
            };
            fault.map(|fault| (index, fault))
        })?;
        let rule = &mut self.0[index];
        rule.hits += 1;
        if let Some(times) = &mut rule.order.times {
            *times -= 1;
            if *times == 0 {
                self.0.remove(index);
            }
        }
        Some(fault)
    }
}

/// Whether an order for `ordered` is meant for `host`.
fn covers(ordered: &str, host: &str) -> bool {
    ordered == "*" || ordered == host
}

/// What a fault comes to for one request: itself, or what chance says.
fn drawn(fault: &Fault, host: &str, number: u64) -> Option<Fault> {
    match fault {
        Fault::Refuse => None, // the door's business
        Fault::Random { rate, seed, among } => {
            let mut hash = blake3::Hasher::new();
            hash.update(&seed.to_le_bytes())
                .update(&number.to_le_bytes())
                .update(host.as_bytes());
            let mut draws = [0; 16];
            hash.finalize_xof().fill(&mut draws);
            let [chance, choice] = [0, 8].map(|at| {
                u64::from_le_bytes(
                    draws[at..at + 8]
                        .try_into()
                        .expect("eight of sixteen bytes"),
                )
            });
            if !happens_by_chance(chance, *rate) {
                return None;
            }
            let usual;
            let among = if among.is_empty() {
                usual = usual_faults();
                &usual
            } else {
                among
            };
            let index = usize::try_from(choice % among.len() as u64).unwrap_or(0);
            among.get(index).cloned()
        }
        other => Some(other.clone()),
    }
}

/// Whether a draw from all 64-bit numbers falls into the share `rate`.
fn happens_by_chance(draw: u64, rate: f64) -> bool {
    let millionths = draw % 1_000_000;
    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers below a million are exact in a double"
    )]
    let draw = millionths as f64 / 1_000_000.0;
    draw < rate
}

/// What random faults are drawn from when an order does not say.
fn usual_faults() -> Vec<Fault> {
    vec![
        Fault::Status {
            code: 503,
            retry_after: None,
            body: None,
        },
        Fault::Status {
            code: 429,
            retry_after: Some("1".to_owned()),
            body: None,
        },
        Fault::Slow { ms: 200 },
        Fault::Reset,
        Fault::Cut,
        Fault::AcceptedThenLost,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str) -> Request {
        Request {
            method: method.to_owned(),
            path: path.to_owned(),
            ..Request::default()
        }
    }

    fn order(json: serde_json::Value) -> FaultOrder {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn orders_are_read_as_documented_and_written_back() {
        for fault in [
            serde_json::json!("refuse"),
            serde_json::json!({"status": {"code": 429, "retry_after": "2"}}),
            serde_json::json!({"slow": {"ms": 5}}),
            serde_json::json!({"slow-body": {"ms": 5}}),
            serde_json::json!("cut"),
            serde_json::json!("reset"),
            serde_json::json!("garbage"),
            serde_json::json!({"huge": {"bytes": 5}}),
            serde_json::json!({"redirect": {"to": "http://elsewhere.example/"}}),
            serde_json::json!("accepted-then-lost"),
            serde_json::json!("hang"),
            serde_json::json!("after"),
            serde_json::json!("broken"),
            serde_json::json!("charset"),
            serde_json::json!({"echo": {"code": 400}}),
            serde_json::json!({"random": {"rate": 0.05, "seed": 1}}),
        ] {
            let read = order(serde_json::json!({"host": "*", "fault": fault}));
            assert_eq!(serde_json::to_value(&read.fault).unwrap(), fault);
            assert_eq!(read.mistake(), None, "{fault}");
            let key = fault
                .as_object()
                .map_or(fault.as_str(), |map| map.keys().next().map(String::as_str));
            assert_eq!(key, Some(read.fault.word()));
        }
    }

    #[test]
    fn impossible_orders_are_named() {
        for json in [
            serde_json::json!({"host": "", "fault": "reset"}),
            serde_json::json!({"host": "*", "fault": "refuse", "times": 1}),
            serde_json::json!({"host": "*", "fault": "refuse", "path": "/x"}),
            serde_json::json!({"host": "*", "fault": {"status": {"code": 99}}}),
            serde_json::json!({"host": "*", "fault": {"echo": {"code": 600}}}),
            serde_json::json!({"host": "*", "fault": {"slow": {"ms": 4_000_000_000_u64}}}),
            serde_json::json!({"host": "*", "fault": {"huge": {"bytes": 4_000_000_000_u64}}}),
            serde_json::json!({"host": "*", "fault": {"random": {"rate": 1.5, "seed": 1}}}),
            serde_json::json!({"host": "*", "fault": {"random": {"rate": 0.5, "seed": 1, "among": ["refuse"]}}}),
            serde_json::json!({"host": "*", "fault": "reset", "for_ms": 90_000_000_u64}),
        ] {
            assert!(order(json.clone()).mistake().is_some(), "{json}");
        }
        assert!(
            serde_json::from_str::<FaultOrder>(r#"{"host":"*","fault":"reset","time":1}"#).is_err()
        );
    }

    #[tokio::test]
    async fn the_oldest_order_that_matches_decides_until_it_is_used_up() {
        let now = Instant::now();
        let mut rules = Rules::default();
        rules.add(
            FaultOrder {
                path: Some("/api".into()),
                ..FaultOrder::new("a", Fault::Cut)
            }
            .times(2),
            now,
        );
        rules.add(FaultOrder::new("*", Fault::Reset).method("POST"), now);
        let mut hit = |host, method, path| rules.hit(host, &request(method, path), 1, now);
        assert_eq!(hit("a", "GET", "/else"), None);
        assert_eq!(hit("b", "POST", "/api"), Some(Fault::Reset));
        assert_eq!(hit("a", "POST", "/api/speak"), Some(Fault::Cut));
        assert_eq!(hit("a", "GET", "/api/speak"), Some(Fault::Cut));
        assert_eq!(hit("a", "GET", "/api/speak"), None);
        assert_eq!(hit("a", "POST", "/api/speak"), Some(Fault::Reset));
        assert_eq!(rules.list(now).len(), 1);
        assert_eq!(rules.list(now)[0].hits, 2);
        assert_eq!(rules.clear(None), 1);
    }

    #[tokio::test]
    async fn orders_end_by_themselves() {
        let now = Instant::now();
        let mut rules = Rules::default();
        rules.add(
            FaultOrder {
                for_ms: Some(500),
                ..FaultOrder::new("a", Fault::Refuse)
            },
            now,
        );
        assert!(rules.refuses("a", now + Duration::from_millis(499)));
        assert!(!rules.refuses("b", now));
        assert!(!rules.refuses("a", now + Duration::from_millis(500)));
        assert!(rules.list(now).is_empty());
    }

    #[test]
    fn chance_keeps_its_rate_and_repeats_itself() {
        let random = |seed| Fault::Random {
            rate: 0.05,
            seed,
            among: Vec::new(),
        };
        let draw = |seed| {
            (0..10_000)
                .map(|number| drawn(&random(seed), "a", number))
                .collect::<Vec<_>>()
        };
        let first = draw(1);
        let hits = first.iter().flatten().count();
        assert!(
            (400..600).contains(&hits),
            "{hits} of 10,000 at a rate of 0.05"
        );
        assert_eq!(first, draw(1));
        assert_ne!(first, draw(2));
        for fault in usual_faults() {
            assert!(
                first.contains(&Some(fault.clone())),
                "{fault:?} is never drawn"
            );
        }
        let none = Fault::Random {
            rate: 0.0,
            seed: 1,
            among: Vec::new(),
        };
        assert!((0..1000).all(|number| drawn(&none, "a", number).is_none()));
        let only = Fault::Random {
            rate: 1.0,
            seed: 1,
            among: vec![Fault::Hang],
        };
        assert!((0..1000).all(|number| drawn(&only, "a", number) == Some(Fault::Hang)));
    }
}
