//! What only shows when all files are read: references, schedules that reach nothing, templates that name what does not
//! exist. And from what was read, the workspace.

mod addresses;
mod air;
mod answers;
mod approvals;
mod channels;
mod collisions;
mod contacts;
mod exceptions;
mod fault;
mod hours;
mod lengths;
mod limits;
mod lints;
mod locate;
mod mail;
mod pictures;
mod pieces;
mod policy;
mod questions;
mod quotas;
mod reach;
mod receipts;
mod recipes;
mod recordings;
mod repeats;
mod schedules;
mod sought;
mod spoken;
mod targets;
mod wards;
mod words;
mod zalo;

use std::collections::BTreeMap;

use chrono_tz::Tz;

pub(super) use pictures::Pictures;
pub(super) use recordings::Recordings;

use super::{
    notebook::Notebook,
    raw::{
        bulletin::RawBulletin, channel::RawChannel, contact::RawContact, exception::RawExceptions,
        policy::RawRule, recipe::RawRecipe, schedule::RawSchedule, settings, speech::RawReadings,
        ward::RawWard,
    },
    text::Text,
};
use crate::domain::{
    airtime::Lengths,
    bulletin::{Bulletin, Topic},
    calendar,
    exception::Exceptions,
    id::BulletinId,
    policy::Policy,
    settings::Settings,
    time::Timestamp,
    workspace::{Authored, Workspace},
};

/// Everything that was read, file by file.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub settings: Option<Settings>,
    pub wards: Vec<RawWard>,
    pub topics: Vec<Topic>,
    pub contacts: Vec<RawContact>,
    pub bulletins: Vec<RawBulletin>,
    pub templates: BTreeMap<String, Text>,
    pub readings: RawReadings,
    pub recipes: Vec<RawRecipe>,
    pub channels: Vec<RawChannel>,
    pub schedules: Vec<RawSchedule>,
    pub exceptions: RawExceptions,
    pub rules: Vec<RawRule>,
    pub recordings: Recordings,
    pub pictures: Pictures,
}

impl Parts {
    /// The workspace's zone, as far as it is known.
    pub(super) fn zone(&self) -> Tz {
        self.settings
            .as_ref()
            .map_or(Tz::Asia__Ho_Chi_Minh, |settings| settings.zone)
    }
}

/// Checks everything against everything. The workspace is whole only if nothing was wrong. What depends on the day is said
/// where it is known what time it is (`now`); what is over by the instant `from` is no mistake any more.
pub(super) fn run(
    notebook: &Notebook,
    parts: Parts,
    revision: String,
    (now, from): (Option<Timestamp>, Option<Timestamp>),
) -> Workspace {
    let day_of = |at| calendar::local(at, parts.zone()).date();
    let (day, first) = (now.map(day_of), from.map(day_of));
    notebook.resolve();
    let texts = texts(&parts);
    wards::check(notebook, &parts.wards);
    let settings = parts.settings.unwrap_or_else(settings::stand_in);
    let recipes = parts
        .recipes
        .iter()
        .map(|raw| (raw.recipe.id.clone(), raw.recipe.clone()))
        .collect();
    let channels = channels::build(notebook, &parts.channels, &recipes, &settings);
    let mut workspace = Workspace {
        revision,
        settings,
        wards: parts
            .wards
            .iter()
            .map(|raw| (raw.ward.id.clone(), raw.ward.clone()))
            .collect(),
        topics: parts
            .topics
            .into_iter()
            .map(|topic| (topic.id.clone(), topic))
            .collect(),
        contacts: parts
            .contacts
            .iter()
            .map(|raw| (raw.contact.id.clone(), raw.contact.clone()))
            .collect(),
        bulletins: parts
            .bulletins
            .iter()
            .map(|raw| whole(raw, &parts.recordings, &parts.pictures))
            .collect(),
        templates: parts
            .templates
            .iter()
            .map(|(name, text)| (name.clone(), text.value.clone()))
            .collect(),
        readings: parts.readings.readings,
        recipes,
        channels,
        schedules: parts
            .schedules
            .iter()
            .map(|raw| (raw.schedule.id.clone(), raw.schedule.clone()))
            .collect(),
        texts,
        exceptions: Exceptions::default(),
        policy: Policy {
            rules: parts.rules.iter().map(|raw| raw.rule.clone()).collect(),
        },
        lengths: Lengths::default(),
    };
    check_recipes(notebook, &workspace, &parts.recipes, &parts.channels);
    schedules::check(
        notebook,
        &workspace,
        &parts.schedules,
        &parts.channels,
        &parts.bulletins,
    );
    workspace.exceptions = exceptions::check(
        notebook,
        &workspace,
        &parts.exceptions,
        &parts.schedules,
        &parts.bulletins,
        now,
    );
    policy::check(notebook, &workspace, &parts.rules);
    targets::check(notebook, &workspace, &parts.schedules);
    approvals::check(notebook, &workspace, &parts.bulletins, &parts.schedules);
    spoken::check_readings(notebook, &parts.readings.spoken);
    let (bulletins, channels) = (&parts.bulletins, &parts.channels);
    recordings::check(notebook, &workspace, &parts.recordings, bulletins, channels);
    pictures::check(notebook, &parts.pictures, bulletins);
    workspace.lengths = words::check(
        notebook,
        &workspace,
        &parts.bulletins,
        &parts.templates,
        &parts.recordings,
        day,
    );
    recordings::check_lengths(notebook, &workspace, bulletins);
    limits::check(notebook, &workspace, bulletins, &parts.recipes, first);
    pieces::check(notebook, &workspace, &parts.recipes);
    let places = (&*parts.schedules, &*parts.rules, &*parts.channels);
    air::check(notebook, &workspace, places, day);
    if let Some(day) = day {
        contacts::check_expiry(notebook, &parts.contacts, day);
    }
    workspace
}

/// How channels are reached.
fn check_recipes(
    notebook: &Notebook,
    workspace: &Workspace,
    recipes: &[RawRecipe],
    channels: &[RawChannel],
) {
    recipes::check(notebook, workspace, recipes, channels);
    reach::check(notebook, workspace, recipes);
    questions::check(notebook, recipes);
    receipts::check(notebook, recipes);
    answers::check(notebook, workspace, recipes);
    sought::check(notebook, recipes);
    addresses::check(notebook, workspace, channels, recipes);
}

/// A bulletin by its id, with what was found in the files that it names.
fn whole(
    raw: &RawBulletin,
    recordings: &Recordings,
    pictures: &Pictures,
) -> (BulletinId, Bulletin) {
    let recording = recordings::of(raw, recordings);
    let bulletin = raw.whole(recording, pictures::of(raw, pictures));
    (bulletin.id.clone(), bulletin)
}

/// What people wrote, without the mark and the line ends that Windows adds. Two nodes whose copies differ only in those have
/// the same versions.
fn plain(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.replace("\r\n", "\n")
}

/// What people wrote, where approvals cover it: byte for byte, but for what [`plain`] takes off.
fn texts(parts: &Parts) -> BTreeMap<Authored, String> {
    let whole = |place: &crate::diagnostic::Place| plain(place.file.text());
    let bulletins = parts.bulletins.iter().map(|raw| {
        let id = raw.bulletin.id.clone();
        (Authored::Bulletin(id), whole(&raw.at))
    });
    let recipes = parts
        .recipes
        .iter()
        .map(|raw| (Authored::Recipe(raw.recipe.id.clone()), whole(&raw.at)));
    let schedules = parts.schedules.iter().map(|raw| {
        (
            Authored::Schedule(raw.schedule.id.clone()),
            plain(&raw.text),
        )
    });
    let rules = parts.rules.iter().map(|raw| {
        let id = raw.rule.id.clone();
        (Authored::Rule(id), plain(&raw.text))
    });
    bulletins
        .chain(recipes)
        .chain(schedules)
        .chain(rules)
        .collect()
}
