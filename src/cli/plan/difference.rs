//! `loa plan --diff`: what each ward will hear otherwise because of an edit, for whoever reviews it.
//!
//! Changes that are the same in many wards and on many days are one line; a line holds for every one of its channels on
//! every one of its days.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    time::Duration,
};

use anyhow::bail;
use chrono::{Days, NaiveDate, NaiveTime, Timelike as _};
use chrono_tz::Tz;

use super::{
    super::{
        Findings,
        diff::{pieces_json, text},
        output::{Format, JsonArray, Output, local, rfc3339},
        place::{Place, eprint_text},
    },
    Only, PlanArgs, Range,
    revision::{self, Revision},
    why_so,
};
use crate::{
    diagnostic::render as diagnostics,
    domain::{
        calendar,
        detail::Detail,
        id::{ChannelId, WardId},
        plan::{PlannedDelivery, Why},
        workspace::Workspace,
    },
    render::Renderer,
    version::{
        diff::Piece,
        effect::{self, Broadcast, Effect, Effects, Kind, Side},
    },
};

/// Wards that are named one by one.
const NAMED: usize = 40;

/// Shows what differs from the workspace `name` to the present files.
///
/// # Errors
/// [`Findings`] when something differs; others when there is nothing to compare with.
pub(super) fn run(
    place: &Place,
    name: &str,
    range: &Range,
    args: &PlanArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let Revision { name, loaded } = revision::read(&place.root, name, output)?;
    let old = match (loaded.workspace, loaded.rest) {
        (Some(old), _) => old,
        (None, rest) => {
            let mistakes = diagnostics::to_text(&loaded.diagnostics, output.lang, output.color);
            eprint_text(&mistakes);
            match rest {
                Some(rest) => {
                    eprint_text(&output.say("cli.whatif-rest", &[("name", &name)]));
                    rest
                }
                None => bail!(output.say("cli.whatif-mistakes", &[("name", &name)])),
            }
        }
    };
    // What the edit takes away may be asked for too.
    let new = &place.workspace;
    let only = Only::of(&[new, &old], args, output)?;
    let wanted = |delivery: &PlannedDelivery| only.covers(delivery);
    let (before, after) = (Renderer::new(&old).0, Renderer::new(new).0);
    let sides = [
        Side {
            workspace: &old,
            renderer: &before,
        },
        Side {
            workspace: new,
            renderer: &after,
        },
    ];
    let effects = effect::effects(sides[0], sides[1], range.from, range.until, wanted);
    let zone = place.zone();
    match output.format {
        Format::Json => json(&effects, zone, output)?,
        Format::Text => {
            let report = Report {
                old: &old,
                new,
                effects: &effects,
                zone,
                output,
            };
            report.show(&name, range)?;
        }
    }
    if effects.list.is_empty() {
        return Ok(());
    }
    let wards: BTreeSet<&WardId> = effects.list.iter().filter_map(ward).collect();
    let counts: [(&str, &dyn Display); 2] =
        [("count", &effects.list.len()), ("wards", &wards.len())];
    Err(Findings(output.say("cli.whatif-found", &counts)).into())
}

fn ward(effect: &Effect) -> Option<&WardId> {
    effect.broadcast().map(|one| &one.planned.ward)
}

/// One object for each broadcast on one channel that differs.
fn json(effects: &Effects, zone: Tz, output: &Output) -> anyhow::Result<()> {
    let side = |one: &Broadcast| {
        serde_json::json!({
            "delivery": one.planned.id,
            "schedule": one.planned.schedule,
            "bulletin": one.bulletin,
            "title": one.title,
            "format": one.planned.format.as_str(),
            "due": rfc3339(one.planned.due, zone),
            "seconds": one.planned.length.map(|length| length.as_secs_f64()),
        })
    };
    // Words that are told of on many days are compared once.
    let mut words: Vec<Option<serde_json::Value>> = vec![None; effects.passages.len()];
    let mut array = JsonArray::begin(output)?;
    for effect in &effects.list {
        let Some(one) = effect.broadcast().map(|one| &one.planned) else {
            continue;
        };
        let words = match effect.passages {
            Some(index) => words[index].get_or_insert_with(|| {
                let passages = effects.passages[index].iter();
                passages
                    .map(|passage| {
                        let pieces = pieces_json(&passage.pieces());
                        serde_json::json!({ "spoken": passage.is_spoken, "pieces": pieces })
                    })
                    .collect()
            }),
            None => &mut serde_json::json!([]),
        };
        array.item(&serde_json::json!({
            "changes": effect.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
            "ward": one.ward,
            "ward_name": one.ward_name,
            "channel": one.channel,
            "channel_name": one.channel_name,
            "kind": one.kind.as_str(),
            "before": effect.before.as_ref().map(side),
            "after": effect.after.as_ref().map(side),
            "skipped": effect.skipped.as_ref().map(|why| {
                serde_json::json!({ "reason": why.reason.as_str(), "detail": why.detail })
            }),
            "words": words,
        }))?;
    }
    Ok(array.end()?)
}

/// What changes have to share to be told of in one line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    /// Clock times, before and after.
    times: [Option<NaiveTime>; 2],
    /// Days from the one to the other.
    shift: i64,
    titles: [Option<String>; 2],
    kind: &'static str,
    is_replaced: bool,
    /// Why it is not heard: the reason and what is to blame. How long exactly it would be heard, and when, differs from ward to ward.
    skipped: Option<[String; 3]>,
}

/// By line: the lengths before and after of everything that it tells of, and why the first of it is not heard.
#[derive(Debug, Default)]
struct Beside<'a> {
    lengths: Lengths,
    skipped: Option<&'a Why>,
}

/// Lengths before and after.
type Lengths = BTreeSet<[Option<Duration>; 2]>;

/// One line with its channels, their wards, and its days.
type Told = (Line, BTreeMap<ChannelId, WardId>, BTreeSet<NaiveDate>);

fn is_length(kind: Kind) -> bool {
    matches!(kind, Kind::Longer | Kind::Shorter)
}

/// A change of words, wherever and whenever it is heard.
#[derive(Debug, Default)]
struct Heard {
    wards: BTreeSet<WardId>,
    kinds: BTreeSet<&'static str>,
    count: usize,
    span: Option<[crate::domain::time::Timestamp; 2]>,
    title: String,
    lengths: Lengths,
}

struct Report<'a> {
    old: &'a Workspace,
    new: &'a Workspace,
    effects: &'a Effects,
    zone: Tz,
    output: &'a Output,
}

impl Report<'_> {
    fn show(&self, name: &str, range: &Range) -> anyhow::Result<()> {
        let output = self.output;
        let (from, until) = (local(range.from, self.zone), local(range.until, self.zone));
        let args: [(&str, &dyn Display); 3] = [("name", &name), ("from", &from), ("until", &until)];
        output.line(&output.say("cli.whatif-title", &args))?;
        for kind in Kind::ALL {
            if kind == Kind::Reworded {
                self.show_words()?;
                continue;
            }
            let (lines, beside) = self.lines(kind);
            if lines.is_empty() {
                continue;
            }
            let head = output.say(&format!("cli.whatif-{}", kind.as_str()), &[]);
            output.line(&format!("\n{head}"))?;
            for (line, channels, days) in lines {
                let mut told = self.line(kind, &line, &channels, &days);
                let beside = beside.get(&line);
                if let Some(beside) = beside.filter(|_| is_length(kind)) {
                    told.push_str(&self.lengths(&beside.lengths));
                }
                if let Some(why) = beside.and_then(|beside| beside.skipped) {
                    let why = why_so(why, output);
                    told.push_str(&output.say("cli.whatif-skipped", &[("why", &why)]));
                }
                output.line(&format!("  {told}"))?;
            }
        }
        if self.effects.renamed > 0 {
            let count = self.effects.renamed;
            let renamed = output.say("cli.whatif-renamed", &[("count", &count)]);
            output.line(&format!("\n{renamed}"))?;
        }
        if self.effects.list.is_empty() {
            output.line(&format!("\n{}", output.say("cli.whatif-same", &args)))?;
        }
        Ok(())
    }

    /// The lines of one kind, each with its channels and their wards, and its days; by the first day and time.
    fn lines(&self, kind: Kind) -> (Vec<Told>, BTreeMap<Line, Beside<'_>>) {
        let mut beside: BTreeMap<Line, Beside<'_>> = BTreeMap::new();
        let mut by_day: BTreeMap<(Line, NaiveDate), BTreeMap<ChannelId, WardId>> = BTreeMap::new();
        for effect in &self.effects.list {
            if let Some((line, day)) = self.told(kind, effect)
                && let Some(one) = effect.broadcast().map(|one| &one.planned)
            {
                let length = |one: &Option<Broadcast>| one.as_ref()?.planned.length;
                let both = [length(&effect.before), length(&effect.after)];
                let here = beside.entry(line.clone()).or_default();
                here.lengths.insert(both);
                here.skipped = here.skipped.or(effect.skipped.as_ref());
                let channels = by_day.entry((line, day)).or_default();
                channels.insert(one.channel.clone(), one.ward.clone());
            }
        }
        let mut by_channels: BTreeMap<_, BTreeSet<NaiveDate>> = BTreeMap::new();
        for ((line, day), channels) in by_day {
            by_channels.entry((line, channels)).or_default().insert(day);
        }
        let mut lines: Vec<Told> = by_channels
            .into_iter()
            .map(|((line, channels), days)| (line, channels, days))
            .collect();
        lines.sort_by(|(line, channels, days), (other, others, other_days)| {
            (days.first(), line, channels).cmp(&(other_days.first(), other, others))
        });
        (lines, beside)
    }

    /// How `effect` is told of under `kind`, and on which day; `None` where it is told of elsewhere.
    fn told(&self, kind: Kind, effect: &Effect) -> Option<(Line, NaiveDate)> {
        let has = |kind: Kind| effect.kinds.contains(&kind);
        if !has(kind)
            || (is_length(kind) && (has(Kind::Reworded) || has(Kind::Replaced)))
            || (kind == Kind::Replaced && has(Kind::Moved))
        {
            return None;
        }
        let sides = [&effect.before, &effect.after];
        let wall = |one: &Broadcast| calendar::local(one.planned.due, self.zone);
        let days = sides.map(|one| one.as_ref().map(|one| wall(one).date()));
        let is_replaced = has(Kind::Replaced);
        let line = Line {
            times: sides.map(|one| one.as_ref().map(|one| wall(one).time())),
            shift: match days {
                [Some(before), Some(after)] => (after - before).num_days(),
                _ => 0,
            },
            titles: sides.map(|one| one.as_ref().map(|one| one.title.clone())),
            kind: effect.broadcast()?.planned.kind.as_str(),
            is_replaced,
            skipped: effect.skipped.as_ref().map(blamed),
        };
        Some((line, days[0].or(days[1])?))
    }

    fn line(
        &self,
        kind: Kind,
        line: &Line,
        channels: &BTreeMap<ChannelId, WardId>,
        days: &BTreeSet<NaiveDate>,
    ) -> String {
        let output = self.output;
        let minutes = |time: NaiveTime| (time.hour(), time.minute());
        // What moves within a minute is seen by its seconds only.
        let is_within = match line.times {
            [Some(before), Some(after)] => {
                before != after && line.shift == 0 && minutes(before) == minutes(after)
            }
            _ => false,
        };
        let form = if is_within { "%H:%M:%S" } else { "%H:%M" };
        let clock = |time: NaiveTime| time.format(form).to_string();
        let [before, after] = line.times.map(|time| time.map(clock));
        let when = match (before, after) {
            (Some(before), Some(after)) if kind == Kind::Moved => match line.shift {
                0 => format!("{before} → {after}"),
                days => {
                    let key = if days > 0 { "later" } else { "earlier" };
                    let count = days.unsigned_abs();
                    let shift = output.say(&format!("cli.whatif-days-{key}"), &[("count", &count)]);
                    format!("{before} → {after} {shift}")
                }
            },
            (before, after) => before.or(after).unwrap_or_default(),
        };
        let what = match &line.titles {
            [Some(before), Some(after)] if line.is_replaced => format!("“{before}” → “{after}”"),
            [before, after] => {
                let title = after.as_ref().or(before.as_ref());
                format!("“{}”", title.map_or("", String::as_str))
            }
        };
        let wards = self.wards(&channels.values().cloned().collect());
        let count = channels.len();
        let sort = output.say(&format!("state.kind-{}", line.kind), &[]);
        let places = output.say(
            "cli.whatif-places",
            &[("wards", &wards), ("count", &count), ("kind", &sort)],
        );
        format!("{when} · {} · {what} · {places}", self.days(days))
    }

    /// Days as people write them: runs of days by their ends.
    fn days(&self, days: &BTreeSet<NaiveDate>) -> String {
        let mut runs: Vec<[NaiveDate; 2]> = Vec::new();
        for day in days {
            match runs.last_mut() {
                Some([_, last]) if last.checked_add_days(Days::new(1)) == Some(*day) => {
                    *last = *day;
                }
                _ => runs.push([*day, *day]),
            }
        }
        let short = |day: NaiveDate| day.format("%d/%m").to_string();
        let long = |day: NaiveDate| day.format("%d/%m/%Y").to_string();
        let end = runs.len().saturating_sub(1);
        let shown: Vec<String> = runs
            .iter()
            .enumerate()
            .map(|(index, [first, last])| {
                let last_shown = if index == end {
                    long(*last)
                } else {
                    short(*last)
                };
                if first == last {
                    last_shown
                } else {
                    format!("{}–{last_shown}", short(*first))
                }
            })
            .collect();
        let shown = shown.join(", ");
        match days.len() {
            1 => shown,
            count => self
                .output
                .say("cli.whatif-days", &[("count", &count), ("days", &shown)]),
        }
    }

    /// Wards by their names, with their number.
    fn wards(&self, wards: &BTreeSet<WardId>) -> String {
        let city = &self.new.settings.city.id;
        let areas = [self.new, self.old];
        let name = |id: &WardId| {
            let ward = areas.iter().find_map(|side| side.ward(id));
            ward.map_or_else(|| id.to_string(), |ward| ward.short.clone())
        };
        let with_channels: BTreeSet<&WardId> = areas
            .iter()
            .flat_map(|side| side.channels.values())
            .map(|channel| &channel.ward)
            .filter(|ward| *ward != city)
            .collect();
        let only: Vec<&WardId> = wards.iter().filter(|ward| *ward != city).collect();
        let count = only.len();
        let said = if count == 0 {
            None
        } else if count > 1 && count == with_channels.len() {
            Some(
                self.output
                    .say("cli.whatif-all-wards", &[("count", &count)]),
            )
        } else {
            let mut names = only[..count.min(NAMED)]
                .iter()
                .map(|id| name(id))
                .collect::<Vec<_>>()
                .join(", ");
            if count > NAMED {
                names.push_str(", …");
            }
            let args: [(&str, &dyn Display); 2] = [("count", &count), ("names", &names)];
            Some(self.output.say("cli.whatif-wards", &args))
        };
        let city = wards
            .contains(city)
            .then(|| self.output.say("cli.whatif-city", &[]));
        city.into_iter().chain(said).collect::<Vec<_>>().join("; ")
    }

    /// How long it was and becomes. The names of wards are not equally long: the shortest and the longest say between what
    /// it lies.
    fn lengths(&self, lengths: &Lengths) -> String {
        let said: Vec<String> = lengths
            .iter()
            .filter_map(|[before, after]| Some((*before.as_ref()?, *after.as_ref()?)))
            .filter(|(before, after)| before != after)
            .map(|(before, after)| self.length(before, after))
            .collect();
        match said.as_slice() {
            [] => String::new(),
            [first, .., last] if first != last => format!(" · {first} … {last}"),
            [one, ..] => format!(" · {one}"),
        }
    }

    fn length(&self, before: Duration, after: Duration) -> String {
        let seconds = |length: Duration| {
            let text = format!("{:.1}", length.as_secs_f64());
            match self.output.lang {
                crate::catalogue::Lang::Vi => text.replace('.', ","),
                crate::catalogue::Lang::En => text,
            }
        };
        let (before, after) = (seconds(before), seconds(after));
        self.output.say(
            "cli.whatif-length",
            &[("before", &before), ("after", &after)],
        )
    }

    /// Each change of words once, with everything that carries it.
    fn show_words(&self) -> anyhow::Result<()> {
        let mut heard: BTreeMap<usize, Heard> = BTreeMap::new();
        for effect in &self.effects.list {
            let (Some(index), Some(one)) = (effect.wording, &effect.after) else {
                continue;
            };
            let due = one.planned.due;
            let here = heard.entry(index).or_default();
            here.wards.insert(one.planned.ward.clone());
            here.kinds.insert(one.planned.kind.as_str());
            here.count += 1;
            here.span = Some(match here.span {
                Some([first, last]) => [first.min(due), last.max(due)],
                None => [due, due],
            });
            here.title.clone_from(&one.title);
            let before = effect.before.as_ref().and_then(|one| one.planned.length);
            here.lengths.insert([before, one.planned.length]);
        }
        if heard.is_empty() {
            return Ok(());
        }
        let output = self.output;
        output.line(&format!("\n{}", output.say("cli.whatif-reworded", &[])))?;
        for (index, heard) in heard {
            let wording = &self.effects.wordings[index];
            let format = format!("state.format-{}", wording.format.as_str());
            let format = output.say(&format, &[]);
            let wards = self.wards(&heard.wards);
            let [first, last] = heard
                .span
                .map(|span| span.map(|at| local(at, self.zone)))
                .unwrap_or_default();
            let title = format!("“{}”", heard.title);
            let args: [(&str, &dyn Display); 6] = [
                ("title", &title),
                ("format", &format),
                ("count", &heard.count),
                ("first", &first),
                ("last", &last),
                ("wards", &wards),
            ];
            let mut head = output.say("cli.whatif-words", &args);
            head.push_str(&self.lengths(&heard.lengths));
            output.line(&format!("  {head}"))?;
            for passage in &wording.passages {
                if passage.is_spoken {
                    let spoken = output.say("approval.slot-spoken", &[("what", &format)]);
                    output.line(&format!("  {spoken}:"))?;
                }
                let pieces: Vec<Piece> = passage.pieces();
                let shown = text(&pieces, false, output.color);
                output.styled(&indented(&shown))?;
            }
        }
        Ok(())
    }
}

/// The reason, and the rule with its document or the broadcast that is to blame.
fn blamed(why: &Why) -> [String; 3] {
    let detail = why.detail.as_deref().and_then(Detail::parse);
    let named = |names: [&str; 2]| {
        let mut named = names.iter().filter_map(|name| detail.as_ref()?.get(name));
        named.next().unwrap_or_default().to_owned()
    };
    let by = named(["rule", "with"]);
    [
        why.reason.as_str().to_owned(),
        by,
        named(["document", "name"]),
    ]
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("    {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::channel::ChannelKind;

    #[test]
    fn everything_that_a_line_may_say_has_its_sentence() {
        for kind in Kind::ALL {
            let key = format!("cli.whatif-{}", kind.as_str());
            assert!(crate::catalogue::has(&key), "{key}");
        }
        for kind in ChannelKind::ALL {
            let key = format!("state.kind-{}", kind.as_str());
            assert!(crate::catalogue::has(&key), "{key}");
        }
    }
}
