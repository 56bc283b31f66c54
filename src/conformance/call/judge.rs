//! What the calls around the one that counts show that they must not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{CallExpects, LAST, given};
use crate::{
    adapter::{Acts, Role},
    conformance::{
        Breach, Facts, Subject, command, delivery,
        judge::View,
        receiver::{Arrival, name_of, place},
        words,
    },
    domain::{
        channel::{AdapterConfig, ChannelKind},
        delivery::{Outcome, State},
    },
    simulator::{Effect, Request, percent_decode},
};

/// Where a recipe is to be mended that shows a breach, where that is the same wherever it is seen.
const KEYS: [(&str, &str); 14] = [
    ("said-yes", "accepted"),
    ("not-yes", "accepted"),
    ("said-no", "errors"),
    ("said-retry", "errors"),
    ("gave-up", "errors"),
    ("goes-on", "errors"),
    ("in-doubt", "errors"),
    ("other-key", "request"),
    ("said-well", "probe.healthy"),
    ("said-ill", "probe.healthy"),
    ("probe-acts", "probe.request"),
    ("probe-elsewhere", "probe.request"),
    ("no-stop", "stop"),
    ("again", "find"),
];

/// Names the key of the recipe with each breach; an adapter in Rust has none.
pub(in crate::conformance) fn name_keys(breaches: &mut [Breach], subject: &Subject<'_>) {
    let is_recipe = matches!(subject.channel.adapter, AdapterConfig::Recipe { .. });
    for breach in breaches {
        let known = KEYS.iter().find(|(code, _)| *code == breach.code);
        let known = || known.map(|(_, key)| (*key).to_owned());
        breach.key = breach.key.take().or_else(known).filter(|_| is_recipe);
    }
}

/// What a delivery shows.
pub(in crate::conformance) fn delivered(
    expects: CallExpects,
    view: &View<'_>,
    facts: &Facts,
) -> Vec<Breach> {
    match expects {
        CallExpects::Unanswered => view.takes_no_answer(),
        CallExpects::NotTaken => Vec::from_iter(view.takes_another()),
        CallExpects::Updated => view.updates(facts),
        CallExpects::FoundAgain => view.finds_again(),
        CallExpects::Unconfirmed => Vec::from_iter(view.believes_confirmation()),
        CallExpects::Quiet => view.speaks_elsewhere(),
        CallExpects::Kept => view.spreads_secrets(),
    }
}

/// Whether a call other than the one that counts is known.
pub(in crate::conformance) fn has_others(arrivals: &[Arrival]) -> bool {
    let mut all = arrivals.iter();
    all.any(|one| {
        matches!(
            one.called.role,
            Role::Step { .. } | Role::Stop | Role::Confirm
        )
    })
}

/// Whether a secret was followed.
pub(in crate::conformance) fn has_secrets(arrivals: &[Arrival]) -> bool {
    arrivals.iter().any(|one| !one.called.carries.is_empty())
}

fn is_sent(one: &Arrival) -> bool {
    one.acts != Acts::Nothing
}

/// The words of a request among those that are wanted.
fn said<'w>(requests: &[&Arrival], wanted: &'w [String]) -> BTreeSet<&'w str> {
    let texts: Vec<String> = requests
        .iter()
        .flat_map(|one| words::readings(&one.request))
        .collect();
    let is_there = |word: &&String| texts.iter().any(|text| text.contains(word.as_str()));
    wanted.iter().filter(is_there).map(String::as_str).collect()
}

/// The first word of each text that a bulletin consists of; titles and summaries may stand anywhere.
fn bodies(subject: &Subject<'_>) -> Vec<String> {
    let content = delivery::message(subject, false).content;
    let html = content.html.as_deref().unwrap_or_default();
    let html = html.trim_start_matches(|c| c != '>');
    let texts = [content.text.as_str(), html.trim_start_matches('>')];
    let texts = texts
        .into_iter()
        .chain(content.spoken.iter().map(String::as_str));
    let first = texts.filter_map(|text| text.split_whitespace().next());
    first.map(str::to_owned).collect()
}

impl View<'_> {
    fn of_attempt(&self, attempt: u32) -> Vec<&Arrival> {
        let all = self.run.arrivals.iter();
        all.filter(|one| one.attempt == attempt).collect()
    }

    fn outcome(&self, attempt: u32) -> Option<Outcome> {
        let mut ends = self.run.ends.iter();
        let end = ends.find(|end| end.attempt == attempt)?;
        Some(end.outcome)
    }

    /// Attempts in which a question was answered as the scenario wants it.
    fn attempts_with(&self, is_wanted: impl Fn(&Arrival) -> bool) -> BTreeSet<u32> {
        let all = self.run.arrivals.iter();
        all.filter(|one| is_wanted(one))
            .map(|one| one.attempt)
            .collect()
    }

    /// What is no answer was taken for one.
    fn takes_no_answer(&self) -> Vec<Breach> {
        let mut breaches = Vec::new();
        for attempt in self.attempts_with(|one| one.is_hit) {
            let all = self.of_attempt(attempt);
            if all.iter().any(|one| one.acts == Acts::New) {
                breaches.push(Breach::new("took-for-absent").at("find.absent"));
            } else if all.iter().any(|one| is_sent(one))
                || self.outcome(attempt) == Some(Outcome::Accepted)
            {
                breaches.push(Breach::new("took-for-found").at("find.found"));
            }
        }
        breaches
    }

    /// What is somebody else's was taken for ours.
    fn takes_another(&self) -> Option<Breach> {
        let mut attempts = self.attempts_with(|one| one.called.is_played).into_iter();
        let is_taken = attempts.any(|attempt| {
            let all = self.of_attempt(attempt);
            let is_new = all.iter().any(|one| one.acts == Acts::New);
            let is_changed = all.iter().any(|one| one.acts == Acts::Update);
            is_changed || (!is_new && self.outcome(attempt) == Some(Outcome::Accepted))
        });
        is_taken.then(|| Breach::new("took-another").at("find.found"))
    }

    /// What is there got the new words, or not.
    fn updates(&self, facts: &Facts) -> Vec<Breach> {
        let all = self.of_attempt(1);
        let is_site = self.subject.channel.kind == ChannelKind::Website;
        let Some(found) = all.iter().find(|one| one.called.is_played) else {
            return Vec::from_iter(self.twin_unasked(&all).filter(|_| is_site));
        };
        let mut sent = all.iter().filter(|one| is_sent(one));
        let is_new = all.iter().any(|one| one.acts == Acts::New);
        let Some(update) = sent.next().filter(|_| !is_new) else {
            // Whoever keeps each broadcast apart finds none of the others.
            let is_old = is_site && !is_new && self.outcome(1) == Some(Outcome::Accepted);
            return Vec::from_iter(is_old.then(|| Breach::new("not-updated").at("find.update")));
        };
        let mut breaches = Vec::new();
        let mut tell = |breach: Breach| breaches.push(breach.at("find.update"));
        if update.request.method == "DELETE" {
            tell(Breach::new("update-deletes"));
        }
        let id = given(1, LAST);
        let texts = words::readings(&update.request);
        let is_given = String::from_utf8_lossy(&found.answer).contains(&id);
        let is_aimed = update.called.is_addressed || texts.iter().any(|text| text.contains(&id));
        if is_given && !is_aimed {
            let created = facts.target.as_ref();
            let is_twin = created.is_some_and(|one| place(one) == place(update));
            tell(if is_twin {
                Breach::new("twin")
            } else {
                Breach::new("update-another")
            });
        }
        let own = fields(&update.request);
        if let Some(field) = self.renamed(found, &own) {
            tell(Breach::new("never-found").with("field", field));
        }
        let wanted = bodies(self.subject);
        let created: Vec<&Arrival> = facts.calls.iter().collect();
        // One of them is enough: an update may say in HTML what was plain.
        if said(&all, &wanted).is_empty() && !said(&created, &wanted).is_empty() {
            tell(Breach::new("update-wordless"));
        }
        if self.outcome(1) != Some(Outcome::Accepted) {
            let end = self.run.ends.first();
            breaches.push(Breach::new("not-yes").of(end.and_then(|end| end.reason)));
        }
        breaches
    }

    /// Something that is known by the bulletin's name was made without asking whether it is there.
    fn twin_unasked(&self, all: &[&Arrival]) -> Option<Breach> {
        let slug = delivery::message(self.subject, false).slug();
        let mut made = all.iter().filter(|one| one.acts == Acts::New);
        let is_made = made.any(|one| {
            let texts = words::readings(&one.request);
            one.called.role != Role::Other
                && !one.called.is_addressed
                && texts.iter().any(|text| text.contains(&slug))
        });
        is_made.then(|| Breach::new("twin").at("find.when"))
    }

    /// What was sent is found again, and not sent again.
    fn finds_again(&self) -> Vec<Breach> {
        let made = self.run.arrivals.iter();
        let made = made.filter(|one| one.acts == Acts::New && one.is_done);
        let mut times: BTreeMap<Effect, usize> = BTreeMap::new();
        for one in made {
            *times.entry(one.effect).or_default() += 1;
        }
        let most = times.into_values().max().filter(|most| *most > 1);
        let again = most.map(|most| Breach::new("again").at("find").with("times", most));
        let mut breaches = Vec::from_iter(again);
        breaches.extend(self.never_finds());
        breaches
    }

    /// What is looked for by a name is made under another one of the same sort.
    fn never_finds(&self) -> Option<Breach> {
        let all = &self.run.arrivals;
        let mut questions = all.iter().filter(|one| one.called.role == Role::Find);
        let made = all.iter().filter(|one| {
            one.attempt == 1 && matches!(one.called.role, Role::Request | Role::Step { .. })
        });
        let made: Vec<(String, String)> = made.flat_map(|one| fields(&one.request)).collect();
        let field = questions.find_map(|question| self.renamed(question, &made))?;
        let breach = Breach::new("never-found").at("find.found");
        Some(breach.with("field", field))
    }

    /// The field of an answer by which it was found, where `made` says something else there.
    fn renamed(&self, question: &Arrival, made: &[(String, String)]) -> Option<String> {
        let message = delivery::message(self.subject, false);
        let names = [message.slug(), message.delivery.as_str().to_owned()];
        let is_name = |value: &str| names.iter().any(|name| value.contains(name));
        let answer = serde_json::from_slice::<Value>(&question.answer).ok()?;
        let mut told = Vec::new();
        leaves(&answer, "", &mut told);
        let mut told = told.into_iter().filter(|(_, value)| is_name(value));
        let renamed = told.find(|(name, value)| {
            let of_name = made.iter().filter(|(own, _)| own == name);
            let mut of_name = of_name.filter(|(_, value)| is_name(value)).peekable();
            of_name.peek().is_some() && !of_name.any(|(_, own)| own == value)
        });
        renamed.map(|(name, _)| name)
    }

    /// What was only accepted is told as more or less than that.
    fn believes_confirmation(&self) -> Option<Breach> {
        let last = self.run.ends.last().filter(|_| self.run.hits > 0)?;
        if last.next == State::Confirmed {
            return Some(Breach::new("confirm-believed").at("confirm.confirmed"));
        }
        (last.outcome != Outcome::Accepted).then(|| {
            let refuted = Breach::new("confirm-refuted").at("confirm.refuted");
            refuted.of(last.reason)
        })
    }

    /// A call beside the one that counts is heard.
    fn speaks_elsewhere(&self) -> Vec<Breach> {
        let subject = self.subject;
        let wanted = bodies(subject);
        let all = &self.run.arrivals;
        let counts: Vec<&Arrival> = all.iter().filter(|one| is_sent(one)).collect();
        let spoken = said(&counts, &wanted);
        let is_heard = subject.channel.kind == ChannelKind::Loudspeaker;
        let mut codes = BTreeMap::new();
        for one in all.iter().filter(|one| !is_sent(one)) {
            let repeats = counts.iter().any(|call| is_same(one, call));
            let says = !said(&[one], &wanted).is_disjoint(&spoken);
            let is_call = |call: &&&Arrival| {
                place(one) == place(call) && !command::is_another(&one.request, &call.request)
            };
            let code = match &one.called.role {
                Role::Step { .. } if is_heard && (says || repeats) => "step-speaks",
                Role::Stop if is_heard && (says || repeats) => "stop-speaks",
                Role::Confirm if says || counts.iter().any(|call| is_call(&call)) => "confirm-acts",
                _ => continue,
            };
            codes
                .entry(code)
                .or_insert_with(|| request_key(&one.called.role));
        }
        let breaches = codes.into_iter();
        breaches
            .map(|(code, key)| match code {
                "step-speaks" => Breach::new("step-speaks").at(key),
                "stop-speaks" => Breach::new("stop-speaks").at(key),
                _ => Breach::new("confirm-acts").at(key),
            })
            .collect()
    }

    /// A secret goes to more than one owner.
    fn spreads_secrets(&self) -> Vec<Breach> {
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        let mut breaches: BTreeMap<&str, Breach> = BTreeMap::new();
        for one in &self.run.arrivals {
            let owner = owner_of(&one.host);
            for name in &one.called.carries {
                let known = *first.entry(name).or_insert(owner);
                if known == owner {
                    continue;
                }
                breaches.entry(name).or_insert_with(|| {
                    let spread = Breach::new("secret-spread").at(request_key(&one.called.role));
                    let spread = spread.with("name", name).with("first", known);
                    spread.with("other", owner)
                });
            }
        }
        breaches.into_values().collect()
    }
}

/// Where a recipe writes a request.
fn request_key(role: &Role) -> String {
    let key = role.key().unwrap_or_default();
    match role {
        Role::Request | Role::Update | Role::Stop | Role::Other => key,
        _ => format!("{key}.request"),
    }
}

fn is_same(one: &Arrival, other: &Arrival) -> bool {
    place(one) == place(other) && one.request.body == other.request.body
}

/// Labels under which others register names, where a country has one name more (`gov.vn`).
const SHARED: [&str; 6] = ["com", "gov", "edu", "net", "org", "ac"];

/// Whoever owns a host: the name that can be registered, or the whole address where it is a number.
fn owner_of(host: &str) -> &str {
    let name = name_of(host);
    let is_number = host.starts_with('[') || name.chars().all(|c| c.is_ascii_digit() || c == '.');
    if is_number {
        return if host.starts_with('[') { host } else { name };
    }
    let labels: Vec<&str> = name.rsplit('.').collect();
    let is_shared = labels.len() > 2 && SHARED.contains(&labels[1]);
    let wanted = if is_shared { 3 } else { 2 };
    let length: usize = labels
        .iter()
        .take(wanted)
        .map(|label| label.len() + 1)
        .sum();
    name.get((name.len() + 1).saturating_sub(length)..)
        .unwrap_or(name)
}

/// What a request says by name, in its query, its form or its JSON.
fn fields(request: &Request) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let body = String::from_utf8_lossy(&request.body);
    match serde_json::from_str::<Value>(&body) {
        Ok(json) => leaves(&json, "", &mut all),
        // What stands between the equals signs of XML is no name.
        Err(_) if body.trim_start().starts_with('<') => {}
        Err(_) => pairs(&body, &mut all),
    }
    pairs(&request.query, &mut all);
    all
}

fn pairs(text: &str, all: &mut Vec<(String, String)>) {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    all.extend(pairs.map(|(name, value)| (percent_decode(name), percent_decode(value))));
}

/// The texts of JSON by the last name that leads to them.
fn leaves(json: &Value, name: &str, found: &mut Vec<(String, String)>) {
    match json {
        Value::Object(map) => map
            .iter()
            .for_each(|(name, value)| leaves(value, name, found)),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, name, found)),
        Value::String(text) => found.push((name.to_owned(), text.clone())),
        Value::Number(number) => found.push((name.to_owned(), number.to_string())),
        Value::Null | Value::Bool(_) => {}
    }
}

/// What names of fields that tell a message apart look like, and of those that are new in every request.
const IDS: [&str; 4] = ["id", "key", "uuid", "guid"];
const FRESH: [&str; 8] = [
    "nonce", "time", "sign", "token", "session", "csrf", "date", "trace",
];

fn is_id(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_fresh = FRESH.iter().any(|word| lower.contains(word));
    let ends = name.ends_with("Id") || name.ends_with("ID") || lower.ends_with("_id");
    !is_fresh && (IDS.contains(&lower.as_str()) || ends || lower.contains("key"))
}

/// Whether a receiver can know a repetition: `sent` are the calls of one sort that may have been done, of one delivery.
pub(in crate::conformance) fn is_known_again(view: &View<'_>, sent: &[&Arrival]) -> bool {
    let keys: BTreeSet<&Option<String>> = sent.iter().map(|one| &one.key).collect();
    if keys.len() != 1 || keys.iter().any(|key| key.is_none()) {
        return false;
    }
    let delivery = delivery::message(view.subject, false).delivery;
    let delivery = delivery.as_str();
    let own: Vec<Vec<(String, String)>> = sent.iter().map(|one| fields(&one.request)).collect();
    let [first, rest @ ..] = own.as_slice() else {
        return true;
    };
    let is_everywhere = |field: &(String, String)| rest.iter().all(|one| one.contains(field));
    let is_address = |one: &&Arrival| {
        one.request.path == sent[0].request.path && one.request.query == sent[0].request.query
    };
    let is_one_address = sent.iter().all(is_address) && sent[0].called.is_addressed;
    let mut of_delivery = first.iter().filter(|(_, value)| value.contains(delivery));
    if is_one_address || of_delivery.any(is_everywhere) || texts_hold(sent, delivery) {
        return true;
    }
    if view.subject.channel.kind == ChannelKind::Website && !view.has_own_protection(sent) {
        return false;
    }
    // Of the receiver's own, which it gives anew: a session, an upload.
    let is_given = |value: &str| {
        let mut given = view.run.given.iter();
        given.any(|given| value.contains(&given.digits))
    };
    let differs = |(name, value): &&(String, String)| {
        let others = rest
            .iter()
            .map(|one| one.iter().filter(|(own, _)| own == name));
        let mut others = others.flatten().map(|(_, value)| value);
        let is_marked = is_id(name) || value.contains(delivery);
        is_marked && !is_given(value) && others.any(|other| other != value && !is_given(other))
    };
    !first.iter().any(|field| differs(&field))
}

/// Whether what no name leads to has the delivery in it, in each of them: XML, a path.
fn texts_hold(sent: &[&Arrival], delivery: &str) -> bool {
    let is_plain = |one: &&&Arrival| {
        let body = String::from_utf8_lossy(&one.request.body).into_owned();
        let is_xml = body.trim_start().starts_with('<') && body.contains(delivery);
        let segments = percent_decode(&one.request.path);
        is_xml || segments.split('/').any(|segment| segment == delivery)
    };
    sent.iter().all(|one| is_plain(&one))
}

impl View<'_> {
    /// Whether a website is told by more than the header that every call gets: sites know it by that only where their recipe says so,
    /// or it is an adapter in Rust that does.
    fn has_own_protection(&self, sent: &[&Arrival]) -> bool {
        if self.subject.adapter.can_ask() {
            return true;
        }
        sent.iter().all(|one| {
            let mut all = self.run.arrivals.iter();
            // Whoever looks for it in a step changes what that finds.
            let looks = all.any(|other| {
                other.attempt == one.attempt && matches!(other.called.role, Role::StepFind(_))
            });
            let texts = words::readings(&one.request);
            let id = given(one.attempt, LAST);
            let is_found = looks && texts.iter().any(|text| text.contains(&id));
            one.called.role == Role::Other || one.called.is_keyed || is_found
        })
    }
}

/// Whether a question for the state of a device does something, by where it goes and what it carries.
pub(in crate::conformance) fn probe_acts(
    one: &Arrival,
    facts: &Facts,
    subject: &Subject<'_>,
) -> bool {
    if one.called.role != Role::Probe {
        return false;
    }
    let request = &one.request;
    if matches!(request.method.as_str(), "DELETE" | "PUT" | "PATCH") {
        return true;
    }
    let acting = facts.calls.iter().filter(|call| is_sent(call));
    let wanted = bodies(subject);
    let mut all = acting.chain(&facts.stops);
    all.any(|call| {
        let acted = &call.request;
        let is_place = call.host == one.host && acted.path == request.path;
        // What an address alone commands it commands by any method that sends nothing away.
        let is_bare = acted.body.is_empty()
            && acted.query == request.query
            && matches!(acted.method.as_str(), "GET" | "POST");
        let asked = fields(request);
        let mut carried = fields(acted).into_iter().filter(|(_, value)| {
            let mut wanted = wanted.iter();
            wanted.any(|word| value.contains(word.as_str()))
        });
        let is_told = carried.any(|(name, _)| asked.iter().any(|(own, _)| *own == name));
        let is_call = place(one) == place(call) && !command::is_another(request, acted);
        is_place && (is_call || is_bare || is_told)
    })
}

/// Whether it goes where no call of a delivery does.
pub(in crate::conformance) fn is_elsewhere(one: &Arrival, facts: &Facts) -> bool {
    let mut calls = facts.calls.iter().chain(&facts.stops).peekable();
    let is_known = one.called.role == Role::Probe && calls.peek().is_some();
    is_known && !calls.any(|call| name_of(&call.host) == name_of(&one.host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_one_owner_are_known() {
        for (host, owner) in [
            ("api.ws.sonos.com", "sonos.com"),
            ("sonos.com:443", "sonos.com"),
            ("hb.vinh.gov.vn", "vinh.gov.vn"),
            ("vinh.gov.vn", "vinh.gov.vn"),
            ("x.vinh.example", "vinh.example"),
            ("10.16.72.1:8080", "10.16.72.1"),
            ("loa", "loa"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(owner_of(host), owner, "{host}");
        }
    }

    #[test]
    fn names_that_tell_messages_apart_are_known() {
        for name in [
            "id",
            "UUID",
            "requestId",
            "msg_id",
            "dedupeKey",
            "idempotency_key",
        ] {
            assert!(is_id(name), "{name}");
        }
        for name in [
            "text",
            "grid",
            "nonce_id",
            "sessionId",
            "timestamp",
            "signatureKey",
            "valid",
        ] {
            assert!(!is_id(name), "{name}");
        }
    }
}
