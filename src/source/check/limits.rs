//! Words that are longer than a channel's receiver takes, as its recipe says. They would not be sent.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use chrono::NaiveDate;

use crate::{
    adapter::recipe::{CompiledRecipe, SECRET, TooLong},
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place, Severity},
    domain::{
        bulletin::{Bulletin, Format},
        channel::{AdapterConfig, Channel, Parameter},
        id::{BulletinId, RecipeId, WardId},
        message::Content,
        ward::Ward,
        workspace::Workspace,
    },
    render::{BodyPart, Renderer},
    source::{
        abreast::abreast,
        notebook::Notebook,
        raw::{bulletin::RawBulletin, recipe::RawRecipe},
    },
};

use super::{recipes::place_at, words::part_word};

/// Where something is too long: of which bulletin, whether in its correction, by which limit of which recipe.
type Spot<'w> = (&'w BulletinId, bool, &'w RecipeId, String);

/// What is too long at one spot.
struct Case<'w> {
    worst: TooLong,
    /// The channel where it is worst.
    channel: &'w Channel,
    /// How many channels.
    count: usize,
    /// Whether a schedule sends it there.
    is_scheduled: bool,
}

/// A channel whose recipe has limits.
struct Limited<'w> {
    channel: &'w Channel,
    recipe: &'w RecipeId,
    compiled: &'w CompiledRecipe,
    with: BTreeMap<String, String>,
    /// What schedules send to it.
    scheduled: BTreeSet<&'w BulletinId>,
}

/// Measures the words of every bulletin for every channel whose recipe has limits; not of those whose last day is before `first`:
/// they are sent to nobody any more. Without it nobody knows whether what has a last day is over, and it is no mistake.
pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    bulletins: &[RawBulletin],
    recipes: &[RawRecipe],
    first: Option<NaiveDate>,
) {
    let mut compiled: HashMap<&RecipeId, Arc<CompiledRecipe>> = HashMap::new();
    for raw in recipes.iter().filter(|raw| !raw.recipe.limits.is_empty()) {
        // What is wrong in it was said.
        if let Ok(recipe) = CompiledRecipe::new(&raw.recipe) {
            compiled.insert(&raw.recipe.id, recipe);
        }
    }
    if compiled.is_empty() {
        return;
    }
    let (renderer, _) = Renderer::new(workspace);
    // What is said depends on the area and the format alone, so it is rendered once for all channels that share them.
    let mut alike: BTreeMap<(&WardId, Format), Vec<Limited<'_>>> = BTreeMap::new();
    for channel in workspace.channels.values() {
        let AdapterConfig::Recipe { recipe, with } = &channel.adapter else {
            continue;
        };
        let Some(limited) = compiled.get(recipe) else {
            continue;
        };
        let plain = |(name, parameter): (&str, &Parameter)| {
            let value = match parameter {
                Parameter::Plain(value) => value.clone(),
                Parameter::Secret(_) => SECRET.to_owned(),
            };
            (name.to_owned(), value)
        };
        let those = alike.entry((&channel.ward, channel.format)).or_default();
        those.push(Limited {
            channel,
            recipe,
            compiled: limited,
            with: with.iter().map(plain).collect(),
            scheduled: scheduled(workspace, channel),
        });
    }
    let is_over = |bulletin: &&Bulletin| {
        let until = bulletin.valid.until;
        first.zip(until).is_some_and(|(first, until)| until < first)
    };
    let sent: Vec<&Bulletin> = workspace
        .bulletins
        .values()
        .filter(|bulletin| !is_over(bulletin))
        .collect();
    let alike: Vec<_> = alike.into_iter().collect();
    let same = Same::render(&renderer, workspace, &sent, &alike);
    let found = abreast(
        &alike,
        || (),
        |(), ((ward, format), channels)| {
            let ward = workspace.ward(ward)?;
            let mut found = Vec::new();
            for bulletin in &sent {
                for is_correction in [false, true] {
                    let content = same
                        .get(bulletin, *format, is_correction)
                        .cloned()
                        .unwrap_or_else(|| {
                            let to = (ward, *format);
                            words(&renderer, workspace, bulletin, to, is_correction)
                        });
                    let Some(content) = content else { continue };
                    for one in channels {
                        let about = (ward, bulletin.priority);
                        let long = one
                            .compiled
                            .too_long(one.channel, &one.with, about, &content);
                        let is_scheduled = one.scheduled.contains(&bulletin.id);
                        found.extend(long.into_iter().map(|long| {
                            let spot = (&bulletin.id, is_correction, one.recipe, long.of.clone());
                            (spot, long, (one.channel, is_scheduled))
                        }));
                    }
                }
            }
            Some(found)
        },
    );
    let mut cases: BTreeMap<Spot<'_>, Case<'_>> = BTreeMap::new();
    for (spot, found, to) in found.into_iter().flatten().flatten() {
        take(&mut cases, spot, found, to);
    }
    report(notebook, cases, bulletins, recipes, first.is_some());
}

/// The words of bulletins that are the same in every area, rendered once.
struct Same<'w>(HashMap<(&'w BulletinId, Format, bool), Option<Arc<Content>>>);

impl<'w> Same<'w> {
    fn render(
        renderer: &Renderer,
        workspace: &'w Workspace,
        sent: &[&'w Bulletin],
        alike: &[((&'w WardId, Format), Vec<Limited<'w>>)],
    ) -> Self {
        let mut same = HashMap::new();
        for ((ward, format), _) in alike {
            let Some(ward) = workspace.ward(ward) else {
                continue;
            };
            let to = (ward, *format);
            let general = sent
                .iter()
                .filter(|bulletin| !BodyPart::names_ward(workspace, bulletin));
            for bulletin in general {
                for is_correction in [false, true] {
                    let key = (&bulletin.id, *format, is_correction);
                    same.entry(key)
                        .or_insert_with(|| words(renderer, workspace, bulletin, to, is_correction));
                }
            }
        }
        Self(same)
    }

    /// `None` where the words differ from area to area.
    fn get<'s>(
        &'s self,
        bulletin: &'s Bulletin,
        format: Format,
        is_correction: bool,
    ) -> Option<&'s Option<Arc<Content>>> {
        self.0.get(&(&bulletin.id, format, is_correction))
    }
}

/// What channels of that format would be sent of a bulletin; `None` where they cannot carry it, or the words do not come out.
fn words(
    renderer: &Renderer,
    workspace: &Workspace,
    bulletin: &Bulletin,
    (ward, format): (&Ward, Format),
    is_correction: bool,
) -> Option<Arc<Content>> {
    if !bulletin.has(format) {
        return None;
    }
    let made = if is_correction {
        bulletin.correction.as_ref()?;
        renderer.correction(workspace, bulletin, ward, format)
    } else {
        renderer.render(workspace, bulletin, ward, format)
    };
    made.ok().map(Arc::new)
}

/// The bulletins that schedules send to a channel.
fn scheduled<'w>(workspace: &'w Workspace, channel: &Channel) -> BTreeSet<&'w BulletinId> {
    let schedules = workspace.schedules.values();
    let reaching = schedules.filter(|schedule| schedule.to.include(channel));
    let chosen = reaching.flat_map(|schedule| workspace.choices(&schedule.bulletins));
    chosen.map(|bulletin| &bulletin.id).collect()
}

fn take<'w>(
    cases: &mut BTreeMap<Spot<'w>, Case<'w>>,
    spot: Spot<'w>,
    found: TooLong,
    (channel, is_scheduled): (&'w Channel, bool),
) {
    let case = cases.entry(spot).or_insert_with(|| Case {
        worst: found.clone(),
        channel,
        count: 0,
        is_scheduled: false,
    });
    case.count += 1;
    // What a schedule sends is told before what might be sent by hand, and of several channels the first.
    let rank = |is_scheduled: bool, count: usize, channel: &'w Channel| {
        (is_scheduled, count, Reverse(&channel.id))
    };
    let known = rank(case.is_scheduled, case.worst.count, case.channel);
    if rank(is_scheduled, found.count, channel) > known {
        (case.worst, case.channel) = (found, channel);
    }
    case.is_scheduled |= is_scheduled;
}

fn report(
    notebook: &Notebook,
    cases: BTreeMap<Spot<'_>, Case<'_>>,
    bulletins: &[RawBulletin],
    recipes: &[RawRecipe],
    is_known: bool,
) {
    for ((bulletin, is_correction, recipe, of), case) in cases {
        let raw = bulletins.iter().find(|raw| raw.bulletin.id == *bulletin);
        let source = recipes.iter().find(|raw| raw.recipe.id == *recipe);
        let (Some(raw), Some(source)) = (raw, source) else {
            continue;
        };
        let (part, at) = place(raw, case.channel, is_correction, &of);
        let mut found = Diagnostic::new(Code::TooLongForChannel, at)
            .with("part", Arg::Word(part.to_owned()))
            .with("channel", case.channel.id.as_str())
            .with("channels", case.count)
            .with("count", case.worst.count)
            .with("most", case.worst.most)
            .with(
                "unit",
                Arg::Word(format!("unit-{}", case.worst.unit.as_str())),
            )
            .help(Phrase::new(if case.is_scheduled {
                "L280-help"
            } else {
                "L280-help-hand"
            }));
        let may_be_over = !is_known && raw.bulletin.valid.until.is_some();
        if !case.is_scheduled || may_be_over {
            found.severity = Severity::Warning;
        }
        let limit = place_at(source, &format!("limits.{of}"));
        notebook.report(found.note(limit, Phrase::new("note-recipe")));
    }
}

/// Which part of the bulletin is too long, and where it stands.
fn place(
    raw: &RawBulletin,
    channel: &Channel,
    is_correction: bool,
    of: &str,
) -> (&'static str, Place) {
    if of == "message.title" {
        let part = if is_correction {
            "part-correction-title"
        } else {
            "part-title"
        };
        return (part, raw.at.clone());
    }
    let is_meant = |part: &BodyPart| match part {
        BodyPart::Correction => is_correction,
        BodyPart::ArticleSummary => of == "message.summary",
        BodyPart::PictureAlt => false,
        part => part.format() == Some(channel.format),
    };
    let mut parts = raw.parts.iter().filter(|(part, _)| is_meant(part));
    // A correction stands last, and the summary behind the article.
    let found = if is_correction || of == "message.summary" {
        parts.next_back()
    } else {
        parts.next()
    };
    found.map_or_else(
        || ("part-title", raw.at.clone()),
        |(part, text)| (part_word(*part), text.place.clone()),
    )
}
