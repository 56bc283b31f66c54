//! Workspace → versions: everything that an approval covers, gathered and hashed.
//!
//! A bulletin's version covers its file, the shared templates and contacts that it uses, the readings that it is spoken with,
//! its editors, and the rendered words of every format and of its correction for every ward, those for ears as they are read
//! aloud too: they are part of a content, and so of its address. A schedule's covers its text, every channel that it reaches
//! with the way there, the rules of lateness, and what is decided about single occurrences of it.
//!
//! Which templates and contacts a bulletin uses is told by their names occurring in its texts. That may be one too many,
//! never one too few: tera includes by literal name only.

pub mod diff;
pub mod effect;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{
        approval::{Required, Subject},
        bulletin::Bulletin,
        calendar::When,
        channel::{AdapterConfig, Channel, ChannelKind, Parameter},
        contact::Contact,
        id::{BulletinId, ContactId, ScheduleId, WardId},
        mail::Mailbox,
        message::Content,
        schedule::{Choice, Missed, Schedule},
        target::{AirtimeTarget, Cap},
        time::format_duration,
        version::{BulletinRecord, ContactRecord, ScheduleRecord, Slot, Version},
        ward::Ward,
        workspace::{Authored, Workspace},
    },
    render::Renderer,
};

/// Hexadecimal digits of the fingerprint of a recipe.
const FINGERPRINT: usize = 12;

/// The current version of everything that has to be approved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Versions {
    all: BTreeMap<Subject, Version>,
}

impl Versions {
    /// The versions of `workspace`, as far as its own rules want them.
    #[must_use]
    pub fn of(workspace: &Workspace, renderer: &Renderer) -> Self {
        let required = workspace.settings.approval.required;
        let mut all = BTreeMap::new();
        if required >= Required::Bulletins {
            all.extend(workspace.bulletins.values().map(|bulletin| {
                let version = bulletin_version(workspace, renderer, bulletin);
                (version.subject.clone(), version)
            }));
        }
        if required >= Required::Everything {
            all.extend(workspace.schedules.values().map(|schedule| {
                let version = schedule_version(workspace, schedule);
                (version.subject.clone(), version)
            }));
        }
        Self { all }
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, subject: &Subject) -> Option<&Version> {
        self.all.get(subject)
    }

    /// A bulletin's.
    #[must_use]
    pub fn bulletin(&self, id: &BulletinId) -> Option<&Version> {
        self.get(&Subject::Bulletin(id.clone()))
    }

    /// A schedule's.
    #[must_use]
    pub fn schedule(&self, id: &ScheduleId) -> Option<&Version> {
        self.get(&Subject::Schedule(id.clone()))
    }

    /// All of them, bulletins first.
    pub fn iter(&self) -> impl Iterator<Item = &Version> + Clone + Send {
        self.all.values()
    }
}

/// Every area for which words are rendered.
fn areas(workspace: &Workspace) -> impl Iterator<Item = &Ward> {
    std::iter::once(&workspace.settings.city).chain(workspace.wards.values())
}

/// What `ward` gets of `bulletin` in `slot`; `None` when the bulletin has no such part.
///
/// Words that cannot be rendered are left out too: the checks refuse such a workspace, and nothing is ever sent for them.
#[must_use]
pub fn words(
    workspace: &Workspace,
    renderer: &Renderer,
    bulletin: &Bulletin,
    ward: &Ward,
    slot: Slot,
) -> Option<Content> {
    if !bulletin.has(slot.format) {
        return None;
    }
    if slot.correction {
        bulletin.correction.as_ref()?;
        renderer
            .correction(workspace, bulletin, ward, slot.format)
            .ok()
    } else {
        renderer.render(workspace, bulletin, ward, slot.format).ok()
    }
}

/// Everything that every ward gets of `bulletin`, for the store to keep with an approval.
#[must_use]
pub fn all_words(
    workspace: &Workspace,
    renderer: &Renderer,
    bulletin: &Bulletin,
) -> Vec<(Ward, Slot, Content)> {
    let per_ward = |ward: &Ward| {
        Slot::all()
            .filter_map(|slot| {
                let content = words(workspace, renderer, bulletin, ward, slot)?;
                Some((ward.clone(), slot, content))
            })
            .collect::<Vec<_>>()
    };
    areas(workspace).flat_map(per_ward).collect()
}

/// The version of a bulletin.
#[must_use]
pub fn bulletin_version(
    workspace: &Workspace,
    renderer: &Renderer,
    bulletin: &Bulletin,
) -> Version {
    let id = &bulletin.id;
    let source = workspace.texts.get(&Authored::Bulletin(id.clone()));
    let source = source.cloned().unwrap_or_default();
    let templates = templates_of(workspace, &source);
    let contacts = contacts_of(workspace, bulletin, &source, &templates);
    let settings = &workspace.settings;
    let mut words_by_ward: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut readings = BTreeMap::new();
    for ward in areas(workspace) {
        let slots = Slot::all().filter_map(|slot| {
            let content = words(workspace, renderer, bulletin, ward, slot)?;
            readings.extend(renderer.readings(&content));
            Some((slot.key(), content.hash().as_str().to_owned()))
        });
        words_by_ward.insert(ward.id.to_string(), slots.collect());
    }
    let record = BulletinRecord {
        id: id.to_string(),
        needed: settings.approval.needed(bulletin.priority),
        title: bulletin.title.clone(),
        priority: bulletin.priority.as_str().to_owned(),
        from: bulletin.valid.from,
        until: bulletin.valid.until,
        editors: bulletin.editors.clone(),
        source,
        topic: workspace
            .topics
            .get(&bulletin.topic)
            .map_or_else(String::new, |topic| topic.title.clone()),
        city: [settings.city.name.clone(), settings.province.clone()],
        templates,
        contacts,
        readings,
        wards: areas(workspace)
            .map(|ward| {
                let word = ward.kind.word().to_owned();
                (
                    ward.id.to_string(),
                    [ward.name.clone(), ward.short.clone(), word],
                )
            })
            .collect(),
        words: words_by_ward,
    };
    Version::bulletin(id.clone(), record)
}

/// The shared templates whose names occur in `text`, or in one of them.
fn templates_of(workspace: &Workspace, text: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut texts = vec![text];
    while let Some(text) = texts.pop() {
        for (name, template) in &workspace.templates {
            if !found.contains_key(name) && text.contains(name.as_str()) {
                found.insert(name.clone(), template.clone());
                texts.push(template);
            }
        }
    }
    found
}

/// The contacts that a bulletin lists, or whose ids occur in its texts.
fn contacts_of(
    workspace: &Workspace,
    bulletin: &Bulletin,
    source: &str,
    templates: &BTreeMap<String, String>,
) -> BTreeMap<String, ContactRecord> {
    let listed: BTreeSet<&str> = bulletin.contacts.iter().map(ContactId::as_str).collect();
    let occurs = |id: &str| source.contains(id) || templates.values().any(|text| text.contains(id));
    workspace
        .contacts
        .values()
        .filter(|contact| listed.contains(contact.id.as_str()) || occurs(contact.id.as_str()))
        .map(|contact| (contact.id.to_string(), contact_record(contact)))
        .collect()
}

/// A contact as an approval covers it.
#[must_use]
pub fn contact_record(contact: &Contact) -> ContactRecord {
    let verified = contact.verified.as_ref().map_or_else(String::new, |check| {
        format!("{} {} – {}", check.on, check.by, check.expires)
    });
    ContactRecord {
        name: contact.name.clone(),
        value: contact.value.clone(),
        about: [
            contact.kind.as_str(),
            &contact.owner,
            &contact.purpose,
            &contact.source,
            &verified,
        ]
        .join(" | "),
        verified: contact.verified.is_some(),
    }
}

/// What a schedule sends, in one line.
fn choice_record(choice: &Choice) -> String {
    match choice {
        Choice::Only(id) => format!("only {id}"),
        Choice::Rotate(ids) => {
            let ids: Vec<&str> = ids.iter().map(BulletinId::as_str).collect();
            format!("rotate {}", ids.join(" "))
        }
        Choice::RotateTopic(topic) => format!("topic {topic}"),
        Choice::Session { parts, gap, .. } => {
            let parts: Vec<String> = parts.iter().map(choice_record).collect();
            format!("session {} gap {}", parts.join(", "), format_duration(*gap))
        }
    }
}

/// The version of a schedule.
#[must_use]
pub fn schedule_version(workspace: &Workspace, schedule: &Schedule) -> Version {
    let id = &schedule.id;
    let source = workspace.texts.get(&Authored::Schedule(id.clone()));
    let missed = match schedule.missed {
        Missed::Skip => "skip".to_owned(),
        Missed::Late { within } => format!("late {}", format_duration(within)),
    };
    let bulletins = choice_record(&schedule.bulletins);
    let targets = workspace
        .channels
        .values()
        .filter(|channel| schedule.to.include(channel))
        .map(|channel| (channel.id.to_string(), target(workspace, channel)))
        .collect();
    let record = ScheduleRecord {
        id: id.to_string(),
        needed: 1,
        editors: schedule.editors.clone(),
        source: source.cloned().unwrap_or_default(),
        when: format!("{} {}", when(&schedule.when), schedule.zone.name()),
        from: schedule.valid.from,
        until: schedule.valid.until,
        bulletins,
        lateness: format!("{missed}, {}", format_duration(schedule.deadline)),
        targets,
        policy: policy(workspace, schedule),
        exceptions: exceptions(workspace, id),
    };
    Version::schedule(id.clone(), record)
}

/// What is decided about single occurrences of a schedule. Days are not among it: they only take away.
fn exceptions(workspace: &Workspace, schedule: &ScheduleId) -> BTreeMap<String, String> {
    let all = workspace
        .exceptions
        .once
        .get(schedule)
        .into_iter()
        .flatten();
    all.map(|(scheduled, exceptions)| {
        let texts: Vec<&str> = exceptions
            .iter()
            .map(|exception| exception.text.as_str())
            .collect();
        (scheduled.to_rfc3339(), texts.join("\n"))
    })
    .collect()
}

/// The rules that hold for the loudspeakers that the schedule reaches, at any time, as they are written; nothing for a schedule
/// that nobody hears.
fn policy(workspace: &Workspace, schedule: &Schedule) -> String {
    let heard = workspace
        .channels
        .values()
        .filter(|channel| channel.kind == ChannelKind::Loudspeaker && schedule.to.include(channel));
    let wards: BTreeSet<&WardId> = heard.map(|channel| &channel.ward).collect();
    let rules = workspace.policy.rules.iter();
    let rules = rules.filter(|rule| wards.iter().any(|ward| rule.covers(ward)));
    let texts = rules.map(|rule| {
        let text = workspace.texts.get(&Authored::Rule(rule.id.clone()));
        let text = text.map_or("", String::as_str).trim_end();
        format!("{}:\n    {text}", rule.id)
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn when(when: &When) -> String {
    match when {
        When::Cron(line) => format!("cron {}", line.as_str()),
        When::At { times, days } => {
            let times: Vec<String> = times.iter().map(ToString::to_string).collect();
            let days: Vec<String> = days.iter().map(ToString::to_string).collect();
            format!("at {} {}", times.join(" "), days.join(" "))
        }
        When::Target(target) => airtime(target),
    }
}

fn airtime(target: &AirtimeTarget) -> String {
    let Cap { per_day, per_week } = target.cap;
    let weekly = format_duration(target.weekly);
    let cap = per_week.map_or_else(
        || format!("{per_day} a day"),
        |per_week| format!("{per_day} a day and {per_week} a week"),
    );
    let windows = target.windows.iter().flatten().map(|window| {
        let days: Vec<String> = window.days.iter().map(ToString::to_string).collect();
        let until = window.hours.until.map(|time| time.to_string());
        let until = until.as_deref().unwrap_or("24:00:00");
        format!("{} {}-{until}", days.join(" "), window.hours.from)
    });
    let parts = [
        format!("target {weekly} a week"),
        format!("each at most {cap}"),
    ];
    parts
        .into_iter()
        .chain(windows)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Where and how a channel is reached, in one line. A recipe writes what is sent, so its text counts; and so does the
/// channel's name where it is sent too: a webhook always says it, a recipe if it names `channel` at all.
fn target(workspace: &Workspace, channel: &Channel) -> String {
    let mut says_name = true;
    let way = match &channel.adapter {
        AdapterConfig::Recipe { recipe, with } => {
            let text = workspace.texts.get(&Authored::Recipe(recipe.clone()));
            let text = text.map_or("", String::as_str);
            says_name = text.contains("channel");
            let hash = blake3::hash(text.as_bytes()).to_hex();
            let with = with.iter().map(|(name, value)| match value {
                Parameter::Plain(value) => format!("{name}={value}"),
                Parameter::Secret(secret) => format!("{name}={secret}"),
            });
            let with: Vec<String> = with.collect();
            format!("{recipe} {} {}", &hash[..FINGERPRINT], with.join(" "))
        }
        AdapterConfig::Webhook { url, .. } => format!("webhook {url}"),
        // Who gets it is what people approve; how the application proves itself is not.
        AdapterConfig::Zalo(zalo) => {
            says_name = false;
            format!("zalo {} {}", zalo.oa, zalo.user.as_deref().unwrap_or("all"))
        }
        AdapterConfig::Icecast(icecast) => {
            format!("icecast {} {}", icecast.url, icecast.mount)
        }
        AdapterConfig::Snapcast(snapcast) => {
            says_name = false;
            let group = snapcast.group.as_ref();
            let group = group.map(|group| format!(" group={group}"));
            let volume = snapcast.volume.map(|volume| format!(" volume={volume}"));
            format!(
                "snapcast {} {}{}{}",
                snapcast.url,
                snapcast.stream,
                group.unwrap_or_default(),
                volume.unwrap_or_default()
            )
        }
        // Which browser it is, is for the ward; what it shows says neither.
        AdapterConfig::Screen(_) => {
            says_name = false;
            "screen".to_owned()
        }
        AdapterConfig::Vnpt(portal) => {
            says_name = false;
            format!("vnpt {} {}", portal.url, portal.language)
        }
        // Who gets it from whom is what people approve; by which server it goes out is not.
        AdapterConfig::Email(mail) => {
            says_name = false;
            let who = |mailbox: &Mailbox| {
                let name = mailbox.name.as_deref().unwrap_or_default();
                format!("{name} <{}>", mailbox.address)
            };
            let to: Vec<String> = mail.to.iter().map(who).collect();
            let reply_to = mail.reply_to.as_ref().map(who).unwrap_or_default();
            format!("email {} -> {} {reply_to}", who(&mail.from), to.join(", "))
        }
        AdapterConfig::Axis(axis) => {
            says_name = false;
            let volume = axis.volume.map(|volume| format!(" volume={volume}"));
            format!(
                "axis {} {}{}",
                axis.url,
                axis.user,
                volume.unwrap_or_default()
            )
        }
    };
    let mut parts = vec![
        channel.ward.as_str(),
        channel.kind.as_str(),
        channel.format.as_str(),
        channel.mode.as_str(),
        &way,
    ];
    if says_name {
        parts.push(&channel.name);
    }
    parts.join(" | ")
}
