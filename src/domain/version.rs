//! Versions: everything that an approval covers, as one record with one hash.
//!
//! A record holds the authored texts themselves (so that a change can be shown) and the addresses of the rendered words
//! (which the store keeps). Its JSON is canonical: struct fields in their order, maps sorted. The store keeps it for ever, so
//! fields are only ever added, and a field that older records lack has a default.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    approval::Subject,
    bulletin::{Format, Priority},
    id::{BulletinId, ScheduleId, WardId},
    message::ContentHash,
    time::Timestamp,
    ward::Validity,
};

/// The hash of a version: BLAKE3 of its canonical JSON, 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct VersionHash(String);

impl VersionHash {
    /// Reads a hash back from the store.
    #[must_use]
    pub fn from_store(text: String) -> Self {
        Self(text)
    }

    /// The hash as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// So much of it as people copy and compare.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..super::approval::SHORTEST.min(self.0.len())]
    }
}

impl fmt::Display for VersionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a ward gets of a bulletin: a format's words, or its correction in that format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// The format.
    pub format: Format,
    /// Whether it is the correction.
    pub correction: bool,
}

impl Slot {
    /// Every slot, bulletins before corrections.
    pub fn all() -> impl Iterator<Item = Self> {
        [false, true].into_iter().flat_map(|correction| {
            Format::ALL
                .into_iter()
                .map(move |format| Self { format, correction })
        })
    }

    /// The key in records: `script`, `correction-script`, …
    #[must_use]
    pub fn key(self) -> String {
        let format = self.format.as_str();
        if self.correction {
            format!("correction-{format}")
        } else {
            format.to_owned()
        }
    }
}

/// A contact as a version covers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRecord {
    /// Its name.
    pub name: String,
    /// Its number, domain or account.
    pub value: Option<String>,
    /// Everything else about it in one line: sort, purpose, source, verification.
    pub about: String,
    /// Whether somebody verified it.
    pub verified: bool,
}

/// Everything that an approval of a bulletin covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulletinRecord {
    /// The bulletin.
    pub id: String,
    /// How many approvals it needs.
    pub needed: u32,
    /// Its headline.
    pub title: String,
    /// How urgent it is.
    pub priority: String,
    /// First day.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub until: Option<NaiveDate>,
    /// Who wrote it.
    pub editors: Vec<String>,
    /// Its file, byte for byte.
    pub source: String,
    /// Its topic's title.
    pub topic: String,
    /// The city's and the province's names.
    pub city: [String; 2],
    /// The shared templates that it uses, directly or not, by file name.
    pub templates: BTreeMap<String, String>,
    /// The contacts that it lists or names, by id.
    pub contacts: BTreeMap<String, ContactRecord>,
    /// The editors' readings that it is spoken with: as it stands in the words, and as it is spoken.
    #[serde(default)]
    pub readings: BTreeMap<String, String>,
    /// Ward by ward: name in full, short name, sort.
    pub wards: BTreeMap<String, [String; 3]>,
    /// The address of what each ward gets, slot by slot.
    pub words: BTreeMap<String, BTreeMap<String, String>>,
}

impl BulletinRecord {
    /// The address of what `ward` gets in `slot`.
    #[must_use]
    pub fn content(&self, ward: &WardId, slot: Slot) -> Option<ContentHash> {
        let hash = self.words.get(ward.as_str())?.get(&slot.key())?;
        Some(ContentHash::from_store(hash))
    }

    /// What people get of `self` and of `other` at the same place, by the addresses of both, where these differ. Wards that only one of
    /// them has, and corrections, do not count. `None` where one says something in a format in which the other says
    /// nothing, or where they have no ward in common: those are not the same words.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Option<BTreeSet<(ContentHash, ContentHash)>> {
        let mut pairs = BTreeSet::new();
        let mut is_said = false;
        for (ward, ours) in &self.words {
            let Some(theirs) = other.words.get(ward) else {
                continue;
            };
            for slot in Slot::all().filter(|slot| !slot.correction) {
                match (ours.get(&slot.key()), theirs.get(&slot.key())) {
                    (None, None) => {}
                    (Some(one), Some(other)) => {
                        is_said = true;
                        if one != other {
                            let address = |hash: &String| ContentHash::from_store(hash);
                            pairs.insert((address(one), address(other)));
                        }
                    }
                    _ => return None,
                }
            }
        }
        is_said.then_some(pairs)
    }

    /// The days on which it may air.
    #[must_use]
    pub fn valid(&self) -> Validity {
        Validity {
            from: self.from,
            until: self.until,
        }
    }

    /// How urgent it is.
    #[must_use]
    pub fn priority(&self) -> Priority {
        Priority::parse(&self.priority).unwrap_or_default()
    }
}

/// Everything that an approval of a schedule covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleRecord {
    /// The schedule.
    pub id: String,
    /// How many approvals it needs.
    pub needed: u32,
    /// Who wrote it.
    pub editors: Vec<String>,
    /// Its part of its file, byte for byte.
    pub source: String,
    /// When it fires, in which zone.
    pub when: String,
    /// First day.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub until: Option<NaiveDate>,
    /// What it sends.
    pub bulletins: String,
    /// How late it may be sent.
    pub lateness: String,
    /// Every channel that it reaches: where and how, in one line with a fingerprint.
    pub targets: BTreeMap<String, String>,
    /// The permitted hours under which it was approved.
    #[serde(default)]
    pub policy: String,
    /// What is decided about single occurrences, by the instant that the schedule names: the texts in their file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exceptions: BTreeMap<String, String>,
}

impl ScheduleRecord {
    /// The days on which it fires.
    #[must_use]
    pub fn valid(&self) -> Validity {
        Validity {
            from: self.from,
            until: self.until,
        }
    }

    /// Whether `self`, which was approved, and `edited`, which was not, agree on when, what and how `channel` gets the
    /// occurrence at `scheduled`. An edit can take away at once and add nothing.
    #[must_use]
    pub fn agrees(
        &self,
        edited: &Self,
        channel: &str,
        scheduled: Timestamp,
        day: NaiveDate,
    ) -> bool {
        let occurrence = scheduled.to_rfc3339();
        let target = self.targets.get(channel);
        target.is_some()
            && target == edited.targets.get(channel)
            && self.exceptions.get(&occurrence) == edited.exceptions.get(&occurrence)
            && (&self.when, &self.bulletins, &self.lateness, &self.policy)
                == (
                    &edited.when,
                    &edited.bulletins,
                    &edited.lateness,
                    &edited.policy,
                )
            && self.valid().contains(day)
    }
}

/// What a version consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    /// Of a bulletin.
    Bulletin(BulletinRecord),
    /// Of a schedule.
    Schedule(ScheduleRecord),
}

/// A version with its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The hash.
    pub hash: VersionHash,
    /// What it is a version of.
    pub subject: Subject,
    /// What it consists of.
    pub record: Record,
}

impl Version {
    /// The version of a bulletin.
    #[must_use]
    pub fn bulletin(id: BulletinId, record: BulletinRecord) -> Self {
        Self::of(Subject::Bulletin(id), Record::Bulletin(record))
    }

    /// The version of a schedule.
    #[must_use]
    pub fn schedule(id: ScheduleId, record: ScheduleRecord) -> Self {
        Self::of(Subject::Schedule(id), Record::Schedule(record))
    }

    fn of(subject: Subject, record: Record) -> Self {
        let hash = blake3::hash(to_json(&record).as_bytes());
        Self {
            hash: VersionHash(hash.to_hex().to_string()),
            subject,
            record,
        }
    }

    /// Reads [`Version::to_json`] back; `None` when the text is something else, or has another hash than `hash`.
    #[must_use]
    pub fn from_json(hash: &VersionHash, text: &str) -> Option<Self> {
        // The text itself is what was approved; a record that this program would write differently is still that one.
        if blake3::hash(text.as_bytes()).to_hex().as_str() != hash.as_str() {
            return None;
        }
        let record: Record = serde_json::from_str(text).ok()?;
        let subject = match &record {
            Record::Bulletin(record) => Subject::parse("bulletin", &record.id)?,
            Record::Schedule(record) => Subject::parse("schedule", &record.id)?,
        };
        Some(Self {
            hash: hash.clone(),
            subject,
            record,
        })
    }

    /// The canonical JSON, of which the hash is.
    #[must_use]
    pub fn to_json(&self) -> String {
        to_json(&self.record)
    }

    /// Who wrote it.
    #[must_use]
    pub fn editors(&self) -> &[String] {
        match &self.record {
            Record::Bulletin(record) => &record.editors,
            Record::Schedule(record) => &record.editors,
        }
    }

    /// Whether people get the same of `other`: every ward the same words in every format, or the same at the same times on
    /// the same channels. Who is named as having written it, and what else stands in the file, may differ; so may the rules
    /// of permitted hours and what is decided about single occurrences. Those are covered by the hash like everything else:
    /// to change one of them makes nobody another author of the rest.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        match (&self.record, &other.record) {
            (Record::Bulletin(one), Record::Bulletin(other)) => one.words == other.words,
            (Record::Schedule(one), Record::Schedule(other)) => {
                let what = |record: &ScheduleRecord| {
                    let days = (record.from, record.until);
                    let how = (record.bulletins.clone(), record.lateness.clone());
                    (record.when.clone(), days, how, record.targets.clone())
                };
                what(one) == what(other)
            }
            _ => false,
        }
    }

    /// How many approvals it needs.
    #[must_use]
    pub fn needed(&self) -> u32 {
        match &self.record {
            Record::Bulletin(record) => record.needed,
            Record::Schedule(record) => record.needed,
        }
    }
}

fn to_json(record: &Record) -> String {
    serde_json::to_string(record).expect("texts, dates and maps of texts are always JSON")
}
