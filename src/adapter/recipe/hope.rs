//! The answers that a recipe hopes for: the course of an attempt once more, up to the call that waits, and an answer made from
//! what the recipe takes for a yes there. So a receiver can be played for a vendor whom nobody here has seen.

mod early;
pub(super) mod sample;

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    RecipeAdapter, Scene,
    judge::{self, Answer, Condition, Expect, Take, take_all},
    parts,
    replay::{Halt, Manner, Trouble},
    write::Call,
};
use crate::{
    adapter::{Acts, Exchange, Headers, Hoped, Hopes, Response, Role, course::Course},
    domain::{
        message::Message,
        recipe::{StepWhen, Verdict},
    },
};

/// A course that waits, with the answer that is hoped for, or that has ended.
type Waits = Option<Hoped>;

/// What stands where a recipe only wants something to be there.
const ANYTHING: &str = "1";

/// What the names of what `find` takes begin with.
const OF_FOUND: &str = "found.";

/// How long a login is good, in seconds.
const AN_HOUR: u64 = 3600;

/// What a receiver may say where nothing is asked of its words, the plainest first.
const PLAIN: [&str; 4] = ["ok", "", "{}", "[]"];

/// What of an answer stands in the address of another call.
struct Leads {
    /// What an address begins with.
    places: Vec<String>,
    /// What follows upon an address that has no path yet.
    paths: Vec<String>,
    /// The beginning of addresses at the receiver.
    place: String,
    /// What is only kept, and leads nowhere.
    kept: Option<&'static str>,
}

impl Leads {
    /// What is given by that name.
    fn given(&self, name: &str, given: &str) -> String {
        let is_one_of = |names: &[String]| names.iter().any(|one| one == name);
        if self.kept == Some(name) {
            ANYTHING.to_owned()
        } else if is_one_of(&self.places) {
            format!("{}{given}", self.place)
        } else if is_one_of(&self.paths) {
            format!("/{given}")
        } else {
            given.to_owned()
        }
    }
}

/// What is wanted of an answer.
#[derive(Clone, Copy)]
struct Wanted<'w> {
    condition: &'w Condition,
    take: &'w [(String, Take)],
    /// What is taken of each piece, the last one too.
    of_piece: &'w [(String, Take)],
    /// What is taken here and leads to the next call.
    leads: Option<&'w Leads>,
    /// Where the list is of which `condition` and `take` want an item.
    list: Option<&'w str>,
    receipt: Option<&'w Take>,
    /// Where it says how long a login lasts.
    lasts: Option<&'w Take>,
    acts: Acts,
}

impl<'w> Wanted<'w> {
    fn of(condition: &'w Condition) -> Self {
        Self {
            condition,
            take: &[],
            of_piece: &[],
            leads: None,
            list: None,
            receipt: None,
            lasts: None,
            acts: Acts::Nothing,
        }
    }
}

/// What `halt` comes to: the hope, where a call waits that is for `role`.
fn here(halt: &Halt, role: Role, hope: impl FnOnce() -> Waits) -> Waits {
    match halt {
        Halt::Call(_) => hope().map(|hoped| Hoped { role, ..hoped }),
        Halt::Failed(_) | Halt::Problem(_) => None,
    }
}

impl RecipeAdapter {
    pub(super) fn hope(
        &self,
        message: Option<&Message>,
        done: &[Exchange],
        hopes: Hopes<'_>,
    ) -> Option<Hoped> {
        let (mut scene, mut course) = self.last_course(message, done);
        let ended = match message {
            Some(message) => self.hope_of(message, &mut scene, &mut course, hopes),
            None => self.hope_of_probe(&mut scene, &mut course, hopes),
        };
        ended.err().flatten()
    }

    /// The beginning of the course that these exchanges are in: the second one, where a login had ended.
    pub(super) fn last_course<'a, 'd>(
        &'a self,
        message: Option<&'a Message>,
        done: &'d [Exchange],
    ) -> (Scene<'a>, Course<'d>) {
        let scene = || Scene::new(&self.recipe, &self.facts, message);
        let (mut first, mut course) = (scene(), Course::of(done));
        let halt = match (message, &self.recipe.probe) {
            (Some(message), _) => self.course(message, &mut first, &mut course, &mut false),
            (None, Some(probe)) => self.probed(probe, &mut first, &mut course),
            (None, None) => return (first, course),
        };
        if matches!(halt, Err(Halt::Problem(Trouble::Ended))) {
            (scene().anew(), course)
        } else {
            (scene(), Course::of(done))
        }
    }

    /// How the receiver says that a login has ended which is kept.
    pub(super) fn hope_of_end(&self, message: &Message) -> Option<Hoped> {
        self.recipe.print?;
        let scene = Scene::new(&self.recipe, &self.facts, Some(message));
        let hopes = Hopes {
            is_there: false,
            given: "",
            receipt: None,
        };
        let mut rules = self.recipe.errors.iter();
        let told = rules.find(|rule| rule.then == Verdict::Renew);
        let told = told.and_then(|rule| answer(Wanted::of(&rule.when), &scene, hopes));
        told.or_else(|| {
            Some(Hoped {
                status: 401,
                ..Hoped::default()
            })
        })
    }

    /// The answer to the question of what became of it that means yes.
    pub(super) fn hope_of_later(&self, message: &Message, receipt: Option<&str>) -> Option<Hoped> {
        let confirm = self.recipe.confirm.as_ref()?;
        let mut scene = Scene::new(&self.recipe, &self.facts, Some(message));
        scene.know_receipt(receipt);
        let hopes = Hopes {
            is_there: true,
            given: "",
            receipt,
        };
        answer(Wanted::of(&confirm.confirmed), &scene, hopes)
    }

    fn hope_of(
        &self,
        message: &Message,
        scene: &mut Scene<'_>,
        done: &mut Course<'_>,
        hopes: Hopes<'_>,
    ) -> Result<(), Waits> {
        let recipe = &*self.recipe;
        let stop = |scene: &Scene<'_>, done: &mut Course<'_>| {
            let stopped = self.stop(message, scene, done).map(drop);
            stopped.map_err(|halt| {
                here(&halt, Role::Stop, || {
                    Some(Hoped {
                        status: 200,
                        ..Hoped::default()
                    })
                })
            })
        };
        let asks = self.asks(message);
        if asks.is_none() && !recipe.stops_by_a_login {
            stop(scene, done)?;
        }
        self.hope_of_steps(StepWhen::Always, scene, done, hopes)?;
        if asks.is_none() && recipe.stops_by_a_login {
            stop(scene, done)?;
        }
        let (mut request, mut acts, mut role) = (&recipe.request, Acts::New, Role::Request);
        if let Some(find) = asks {
            let asked = self.find(find, scene, done);
            let found = asked.map_err(|halt| {
                here(&halt, Role::Find, || {
                    found(find, scene, &self.leads(OF_FOUND), hopes)
                })
            })?;
            if let Some(found) = found {
                let update = find.update.as_ref().ok_or(None)?;
                scene.know("found", Value::Object(found));
                (request, acts, role) = (update, Acts::Update, Role::Update);
            } else {
                stop(scene, done)?;
            }
        }
        self.hope_of_steps(StepWhen::Send, scene, done, hopes)?;
        let rest = if matches!(acts, Acts::Update) {
            StepWhen::Update
        } else {
            StepWhen::Create
        };
        self.hope_of_steps(rest, scene, done, hopes)?;
        let wanted = Wanted {
            of_piece: of_piece(request),
            receipt: recipe.receipt.as_ref(),
            acts,
            ..Wanted::of(&recipe.accepted)
        };
        let called = self.sent(request, scene, done, &Manner::default(), &[]);
        let wanted = amid(request, scene).unwrap_or(wanted);
        let called = called.map_err(|halt| {
            let hoped = here(&halt, role, || answer(wanted, scene, hopes));
            hoped.map(|hoped| Hoped {
                is_keyed: request.sets("idempotency-key"),
                ..hoped
            })
        });
        let (exchange, _) = called?;
        let receipt = self.judge(exchange, scene).ok().and_then(Result::ok);
        let confirm = recipe.confirm.as_ref();
        let confirm = confirm.filter(|confirm| confirm.is_at_once()).ok_or(None)?;
        scene.know_receipt(receipt.ok_or(None)?.reference.as_deref());
        let confirmed = self.confirmed(confirm, scene, done).map(drop);
        let wanted = Wanted::of(&confirm.confirmed);
        confirmed.map_err(|halt| here(&halt, Role::Confirm, || answer(wanted, scene, hopes)))
    }

    /// What of the names that begin with `prefix` stands in addresses.
    fn leads(&self, prefix: &str) -> Leads {
        let of_prefix = |names: &[String]| -> Vec<String> {
            let names = names.iter().filter_map(|name| name.strip_prefix(prefix));
            names.map(str::to_owned).collect()
        };
        Leads {
            places: of_prefix(&self.recipe.leads),
            paths: of_prefix(&self.recipe.paths),
            // Of the receiver itself: so it is the next call's, too.
            place: format!("http://{}/", self.host),
            kept: (prefix == OF_FOUND).then_some("receipt"),
        }
    }

    fn hope_of_probe(
        &self,
        scene: &mut Scene<'_>,
        done: &mut Course<'_>,
        hopes: Hopes<'_>,
    ) -> Result<(), Waits> {
        let probe = self.recipe.probe.as_ref().ok_or(None)?;
        self.hope_of_steps(StepWhen::Always, scene, done, hopes)?;
        let wanted = Wanted::of(&probe.healthy);
        let called = self.call(&probe.call, scene, done, &Manner::default());
        called
            .map(drop)
            .map_err(|halt| here(&halt, Role::Probe, || answer(wanted, scene, hopes)))
    }

    fn hope_of_steps(
        &self,
        when: StepWhen,
        scene: &mut Scene<'_>,
        done: &mut Course<'_>,
        hopes: Hopes<'_>,
    ) -> Result<(), Waits> {
        for step in self.recipe.steps_of(when, scene.message()) {
            let leads = self.leads(&format!("steps.{}.", step.name));
            let sought = self.sought(step, scene, done);
            let sought = sought.map_err(|halt| {
                let (find, role) = (step.find.as_ref(), Role::StepFind(step.name.clone()));
                here(&halt, role, || {
                    find.and_then(|find| found(find, scene, &leads, hopes))
                })
            })?;
            if let Some(sought) = sought {
                scene.know_step(&step.name, sought);
                continue;
            }
            let wanted = Wanted {
                take: &step.take,
                of_piece: of_piece(&step.call),
                leads: Some(&leads),
                lasts: step.valid_for.as_ref().and_then(parts::Validity::told),
                ..Wanted::of(&step.accepted)
            };
            let taken = self.step_of(step, scene, done);
            let amid = amid(&step.call, scene);
            let wanted = amid.unwrap_or(wanted);
            let taken = taken.map_err(|halt| {
                let role = Role::Step {
                    name: step.name.clone(),
                    is_login: step.when == StepWhen::Always,
                };
                here(&halt, role, || answer(wanted, scene, hopes))
            })?;
            scene.know_step(&step.name, taken);
        }
        Ok(())
    }
}

fn of_piece(call: &Call) -> &[(String, Take)] {
    call.pieces().map_or(&[], |pieces| &pieces.take)
}

/// What is wanted of the answer to a piece that others follow.
fn amid<'w>(call: &'w Call, scene: &Scene<'_>) -> Option<Wanted<'w>> {
    let pieces = call.pieces().filter(|_| scene.is_amid_pieces())?;
    Some(Wanted {
        take: &pieces.take,
        ..Wanted::of(&pieces.accepted)
    })
}

/// What a receiver says that is asked whether the message is there.
fn found(find: &parts::Question, scene: &Scene<'_>, leads: &Leads, hopes: Hopes<'_>) -> Waits {
    let scene = &scene.and("page", Value::from(1));
    if !hopes.is_there {
        return answer(Wanted::of(&find.absent), scene, hopes);
    }
    let wanted = Wanted {
        take: &find.take,
        list: find.list.as_deref(),
        leads: Some(leads),
        ..Wanted::of(&find.found)
    };
    answer(wanted, scene, hopes)
}

/// An answer with all that is wanted, if one can be thought of.
fn answer(wanted: Wanted<'_>, scene: &Scene<'_>, hopes: Hopes<'_>) -> Option<Hoped> {
    let condition = wanted.condition;
    let mut headers = Vec::new();
    for (name, value) in &condition.header {
        headers.push((name.clone(), plainest(value, scene)?.into_owned()));
    }
    let mut one = Value::Null;
    let mut texts = Vec::new();
    give(wanted, hopes, (&mut one, &mut headers, &mut texts))?;
    for (pointer, expected) in &condition.json {
        let is_any =
            matches!(expected, Expect::Text(text) if scene.text(text).ok()? == judge::ANYTHING);
        if !is_any {
            let expected = plainest(expected, scene)?;
            put(&mut one, pointer, as_json(&expected));
        } else if !pointer.is_empty() && one.pointer(pointer).is_none_or(Value::is_null) {
            // Any JSON at all is the business of the bodies that are tried.
            put(&mut one, pointer, ANYTHING.into());
        }
    }
    match wanted.lasts {
        Some(Take::Json(pointer)) => put(&mut one, pointer, AN_HOUR.into()),
        Some(Take::Header(name)) => headers.push((name.clone(), AN_HOUR.to_string())),
        Some(Take::Cookie(name)) => headers.push(cookie(name, &AN_HOUR.to_string())),
        Some(Take::Pattern(pattern)) => texts.extend(sample::of(pattern.as_str()).map(Cow::Owned)),
        None => {}
    }
    let receipt = hopes.receipt.unwrap_or(ANYTHING);
    match wanted.receipt {
        Some(Take::Json(pointer)) if one.pointer(pointer).is_none_or(Value::is_null) => {
            put(&mut one, pointer, receipt.into());
        }
        Some(Take::Header(name)) if !condition.header.iter().any(|(known, _)| known == name) => {
            headers.push((name.clone(), receipt.to_owned()));
        }
        Some(Take::Cookie(name)) => headers.push(cookie(name, receipt)),
        Some(Take::Pattern(pattern)) => texts.extend(sample::of(pattern.as_str()).map(Cow::Owned)),
        Some(Take::Json(_) | Take::Header(_)) | None => {}
    }
    let json = match wanted.list {
        None => one,
        Some(list) => {
            let mut whole = Value::Null;
            put(&mut whole, list, Value::Array(vec![one]));
            whole
        }
    };
    if let Some(text) = &condition.text {
        texts.push(scene.text(text).ok()?);
    }
    if let Some(pattern) = &condition.pattern {
        texts.push(Cow::Owned(sample::of(pattern.as_str())?));
    }
    let status = condition.status.first().map_or(200, |range| range.low);
    let bodies = bodies(&json, &texts);
    let fits = |body: &String, with_receipt: bool| {
        let named = headers
            .iter()
            .map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
        let response = Response {
            status,
            headers: named.collect::<Option<Headers>>()?,
            body: body.clone().into(),
            retry_after: None,
        };
        let whole = Answer::new(&response);
        let item = match wanted.list {
            Some(list) => Some(whole.item(&json.pointer(list)?[0])),
            None => None,
        };
        let answer = item.as_ref().unwrap_or(&whole);
        let holds = condition.holds(answer, scene).ok()?;
        let gives = [wanted.take, wanted.of_piece]
            .into_iter()
            .all(|takes| take_all(takes, answer).is_ok());
        let has = |take: &Take| take.from(answer).is_some();
        let says = !with_receipt || wanted.receipt.is_none_or(has);
        (holds && gives && says).then_some(())
    };
    let fitting = |with: bool| bodies.iter().find(|body| fits(body, with).is_some());
    let body = fitting(true).or_else(|| fitting(false))?.clone();
    if serde_json::from_str::<Map<String, Value>>(&body).is_ok() || body.starts_with('[') {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    // Where a pattern leaves no room for it, what is taken is the same each time.
    let is_in = |text: &str| text.contains(hopes.given);
    let gives = is_in(&body) || headers.iter().any(|(_, value)| is_in(value));
    Some(Hoped {
        status,
        headers,
        body: body.into(),
        acts: wanted.acts,
        gives: !wanted.take.is_empty() && gives,
        ..Hoped::default()
    })
}

/// What of an answer is written: JSON, headers, and texts that patterns find.
type Written<'p, 't> = (
    &'p mut Value,
    &'p mut Vec<(String, String)>,
    &'p mut Vec<Cow<'t, str>>,
);

/// Puts what is given where it is taken from; `None` where nobody can say how.
fn give(
    wanted: Wanted<'_>,
    hopes: Hopes<'_>,
    (one, headers, texts): Written<'_, '_>,
) -> Option<()> {
    for (name, take) in wanted.take.iter().chain(wanted.of_piece) {
        let given = wanted.leads.map_or_else(
            || hopes.given.to_owned(),
            |leads| leads.given(name, hopes.given),
        );
        match take {
            Take::Json(pointer) => put(one, pointer, given.into()),
            Take::Header(name) => headers.push((name.clone(), given)),
            Take::Cookie(name) => headers.push(cookie(name, &given)),
            Take::Pattern(pattern) => texts.push(Cow::Owned(
                sample::with(pattern, &given).or_else(|| sample::of(pattern.as_str()))?,
            )),
        }
    }
    Some(())
}

/// The header that sets a cookie.
fn cookie(name: &str, value: &str) -> (String, String) {
    ("set-cookie".to_owned(), format!("{name}={value}; Path=/"))
}

/// The plainest text that fits; the word itself where anything does, for anything fits.
fn plainest<'t>(expected: &'t Expect, scene: &'t Scene<'_>) -> Option<Cow<'t, str>> {
    match expected {
        Expect::Text(text) => scene.text(text).ok(),
        Expect::Pattern(pattern) => sample::of(pattern.as_str()).map(Cow::Owned),
    }
}

/// The bodies that may fit, the likeliest first.
fn bodies(json: &Value, texts: &[Cow<'_, str>]) -> Vec<String> {
    let joined = texts.join("\n");
    if json.is_null() {
        let plain = PLAIN.map(str::to_owned);
        let each = texts.iter().map(|text| text.clone().into_owned());
        return plain
            .into_iter()
            .chain(each)
            .chain([
                joined.clone(),
                format!("{{{joined}}}"),
                format!("[{joined}]"),
            ])
            .collect();
    }
    let mut bodies = vec![json.to_string()];
    if !joined.is_empty() {
        let mut with_text = json.clone();
        let first = match &mut with_text {
            Value::Array(items) => items.first_mut(),
            other => Some(other),
        };
        if let Some(Value::Object(map)) = first {
            map.insert("text".to_owned(), joined.clone().into());
        }
        bodies.push(with_text.to_string());
        for raw in [joined.clone(), format!("\"text\":{joined}")] {
            // As one member more.
            if let Some(begun) = bodies[0].strip_suffix('}') {
                let comma = if begun == "{" { "" } else { "," };
                bodies.push(format!("{begun}{comma}{raw}}}"));
            }
        }
        bodies.push(format!("{}\n{joined}", bodies[0]));
    }
    bodies
}

/// A value that compares equal to what a recipe expects.
fn as_json(expected: &str) -> Value {
    serde_json::from_str(expected)
        .ok()
        .filter(|value: &Value| !value.is_string())
        .filter(|value| format!("{value}") == expected)
        .unwrap_or_else(|| expected.into())
}

/// Puts `value` where a JSON pointer points, making what leads there.
fn put(root: &mut Value, pointer: &str, value: Value) {
    let mut place = root;
    for part in pointer.split('/').skip(1) {
        let name = part.replace("~1", "/").replace("~0", "~");
        let index = name.parse::<usize>().ok().filter(|index| *index < 16);
        if place.is_null() || (index.is_none() && !place.is_object()) {
            *place = match index {
                Some(_) => Value::Array(Vec::new()),
                None => Value::Object(Map::new()),
            };
        }
        place = match (place, index) {
            (Value::Array(items), Some(index)) => {
                while items.len() <= index {
                    items.push(Value::Null);
                }
                &mut items[index]
            }
            (Value::Object(map), _) => map.entry(name).or_insert(Value::Null),
            // Two pointers that cannot both be: what fits is looked at in the end.
            _ => return,
        };
    }
    *place = value;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_make_their_way() {
        let mut root = Value::Null;
        put(&mut root, "/0/id", "7".into());
        put(&mut root, "/0/a~1b", "x".into());
        assert_eq!(root, json!([{ "id": "7", "a/b": "x" }]));
        put(&mut root, "", as_json("[]"));
        assert_eq!(root, json!([]));
        assert_eq!(as_json("queued"), json!("queued"));
        assert_eq!(as_json("01"), json!("01"));
    }
}
