//! How much work one rendering may do. The engine knows no limit of its own: two loops of ten thousand inside each other
//! run for minutes, and a text that is put behind itself forty times fills any memory.
//!
//! Every template asks for its share before its words, every loop before each pass and every `set` after it
//! ([`source`](super::source) writes the questions in); an answer of "no" ends the rendering. What it counts is the
//! template's own doing, not time, so a busy machine refuses no more than an idle one.

use std::cell::Cell;

use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

/// Passes of loops in one rendering. A pass through more than [`WEIGHT`] bytes of template counts as several.
const PASSES: u64 = 20_000;

/// Bytes of template that count as one pass.
const WEIGHT: usize = 64;

/// The most that a variable of a template may hold, in bytes.
const HELD: usize = 8 * 1024;

/// The question of a pass.
pub(super) const PASS: &str = "loa_pass";

/// The question of a variable.
pub(super) const HOLD: &str = "loa_hold";

/// What ended a rendering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spent {
    /// Too many passes.
    Passes,
    /// Too many passes, at the beginning of a template: it is included too often, which is not its own mistake.
    Includes,
    /// Too much in a variable.
    Held,
}

thread_local! {
    /// What is left to the rendering on this thread; a rendering never changes threads.
    static LEFT: Cell<u64> = const { Cell::new(0) };
    static SPENT: Cell<Option<Spent>> = const { Cell::new(None) };
}

/// How much a pass through `bytes` of template counts.
pub(super) fn cost(bytes: usize) -> usize {
    1 + bytes / WEIGHT
}

/// Begins a rendering.
pub(super) fn begin() {
    LEFT.set(PASSES);
    SPENT.set(None);
}

/// What ended the rendering, if it was the budget.
pub(super) fn spent() -> Option<Spent> {
    SPENT.get()
}

fn refuse<T>(spent: Spent) -> TeraResult<T> {
    SPENT.set(Some(spent));
    Err(Error::message(match spent {
        Spent::Passes | Spent::Includes => "the loops run too often",
        Spent::Held => "a variable holds more than 8 KiB",
    }))
}

fn spend(passes: u64, otherwise: Spent) -> TeraResult<()> {
    match LEFT.get().checked_sub(passes) {
        Some(left) => {
            LEFT.set(left);
            Ok(())
        }
        None => refuse(otherwise),
    }
}

/// Makes the questions known to `tera`, and a `range` that counts what it makes.
pub(super) fn register(tera: &mut Tera) {
    tera.register_function(PASS, |given: Kwargs, _: &State<'_>| {
        let otherwise = match given.get::<bool>("begins")? {
            Some(true) => Spent::Includes,
            _ => Spent::Passes,
        };
        spend(given.must_get::<u64>("cost")?, otherwise).map(|()| false)
    });
    tera.register_function(HOLD, |given: Kwargs, _: &State<'_>| {
        let mut left = HELD;
        if fits(given.must_get::<&Value>("value")?, &mut left) {
            Ok(false)
        } else {
            refuse(Spent::Held)
        }
    });
    tera.register_function("range", |given: Kwargs, _: &State<'_>| range(&given));
}

/// Whether a value is no larger than what is left. Every entry of a list counts beside what it holds, so that lists in
/// lists end as well.
fn fits(value: &Value, left: &mut usize) -> bool {
    const ENTRY: usize = 16;
    let size = value.as_str().map_or(ENTRY, str::len);
    let Some(rest) = left.checked_sub(size) else {
        return false;
    };
    *left = rest;
    if let Some(list) = value.as_array() {
        return list.iter().all(|item| fits(item, left));
    }
    value
        .as_map()
        .is_none_or(|map| map.values().all(|item| fits(item, left)))
}

/// `range(end=…, start=…, step_by=…)` as the engine has it, but every number counts.
fn range(given: &Kwargs) -> TeraResult<Vec<i64>> {
    let start = given.get::<i64>("start")?.unwrap_or_default();
    let end = given.must_get::<i64>("end")?;
    let step = given.get::<i64>("step_by")?.unwrap_or(1);
    if step == 0 {
        return Err(Error::message("`range` needs a `step_by` other than 0"));
    }
    let mut numbers = Vec::new();
    let mut next = start;
    while if step > 0 { next < end } else { next > end } {
        // Ten numbers cost what a pass costs; a loop over them pays for its passes as well.
        if numbers.len().is_multiple_of(10) {
            spend(1, Spent::Passes)?;
        }
        numbers.push(next);
        let Some(following) = next.checked_add(step) else {
            break;
        };
        next = following;
    }
    Ok(numbers)
}
