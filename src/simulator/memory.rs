//! What devices remember: everything they received, counted exactly, with the newest entries in full.
//!
//! An entry is applied in the same way when it happens and when it is read back from the record, so a restarted city
//! knows what the one before it knew. Counts are exact; the list of entries is bounded.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::{
    axis::{Clip, Clips},
    wordpress::{Post, Site},
    zalo::ZaloChange,
};

/// How many entries a device keeps in full; older ones stay in the counts (and in the record).
const MAX_ENTRIES: usize = 256;
/// How many bytes of heard words an entry keeps.
const MAX_TEXT: usize = 16 * 1024;

/// What a device showed itself to be, by the path that was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `…/api/speak`, `…/api/status`, `…/axis-cgi/…`.
    Loudspeaker,
    /// `…/wp-json/…`, `…/jsonapi/…`, `…/api/index.php/v1/…`, `…/o/headless-delivery/…`, `…/api/public/…`.
    Website,
    /// Everything else: a chat service or a webhook.
    Chat,
    /// What was asked for as a mail server.
    Mail,
}

/// What a request did to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// People heard it.
    Heard,
    /// A new page stands on the website.
    Published,
    /// A page of the website was changed.
    Updated,
    /// A chat service or webhook took it.
    Received,
    /// A loudspeaker keeps another sound, or one less, or a website a file or what is said of it. Nobody hears or reads that.
    Kept,
    /// A loudspeaker fell silent in the middle of what it was playing; the words are those that were cut off.
    Stopped,
    /// Nothing: a question, a refusal, a fault, or a repeat that the receiver recognised.
    Ignored,
}

/// One thing that a device received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The device's host as channels write it.
    pub host: String,
    /// Its place in the order in which things reached the city, from 1; a record that is read back goes on where it ended.
    pub number: u64,
    /// Milliseconds since the city began; a record that is read back goes on where it ended.
    pub at_ms: u64,
    /// What the device is.
    pub kind: Kind,
    /// The method.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The idempotency key: `Idempotency-Key`, `webhook-id`, or `id` in a JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// BLAKE3 of the body, in hexadecimal.
    pub digest: String,
    /// The words in it, up to 16 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The status of the answer; none when it was not to be answered with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What it did.
    pub effect: Effect,
    /// The fault that hit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The page as it stands afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<Post>,
    /// What it changed on the Zalo platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zalo: Option<ZaloChange>,
    /// The sound that a loudspeaker keeps or kept, or plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clip>,
}

/// Which entries a reader wants. Every filter that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeardFilter {
    /// Of this device.
    pub host: Option<String>,
    /// Of devices of this kind.
    pub kind: Option<Kind>,
    /// With this effect.
    pub effect: Option<Effect>,
    /// With this idempotency key.
    pub key: Option<String>,
}

impl HeardFilter {
    /// Whether an entry is wanted.
    pub(super) fn wants(&self, heard: &Heard) -> bool {
        self.host.as_ref().is_none_or(|host| *host == heard.host)
            && self.kind.is_none_or(|kind| kind == heard.kind)
            && self.effect.is_none_or(|effect| effect == heard.effect)
            && self
                .key
                .as_ref()
                .is_none_or(|key| heard.key.as_ref() == Some(key))
    }
}

/// How often what happened. All numbers count requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// All requests since this city began to run.
    pub requests: u64,
    /// Broadcasts heard.
    pub heard: u64,
    /// Pages made.
    pub published: u64,
    /// Pages changed.
    pub updated: u64,
    /// Messages taken.
    pub received: u64,
    /// Broadcasts cut off.
    pub stopped: u64,
    /// Sounds that loudspeakers were given to keep, and those that were taken away again.
    pub kept: u64,
    /// Requests without an effect.
    pub ignored: u64,
    /// Requests that a fault hit.
    pub faults: u64,
    /// Pages that had to take another slug because theirs was in use: a sign of publishing twice.
    pub twins: u64,
}

impl Counts {
    /// Adds another device's counts.
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.heard += other.heard;
        self.published += other.published;
        self.updated += other.updated;
        self.received += other.received;
        self.stopped += other.stopped;
        self.kept += other.kept;
        self.ignored += other.ignored;
        self.faults += other.faults;
        self.twins += other.twins;
    }

    /// All that had an effect.
    #[must_use]
    pub fn effects(&self) -> u64 {
        self.heard + self.published + self.updated + self.received
    }
}

/// One device in the summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceSummary {
    /// Its host as channels write it.
    pub host: String,
    /// Where it listens; none for a device known from the record that nobody has asked for.
    pub address: Option<std::net::SocketAddr>,
    /// Its counts.
    #[serde(flatten)]
    pub counts: Counts,
}

/// A key that had its effect more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Doubled {
    /// Where.
    pub host: String,
    /// The idempotency key.
    pub key: String,
    /// How often.
    pub times: u32,
}

/// The city at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// All devices together.
    pub total: Counts,
    /// Every key that was heard, published, changed or received more than once on one device.
    pub doubled: Vec<Doubled>,
    /// Every device, by host.
    pub devices: Vec<DeviceSummary>,
}

impl Summary {
    /// Adds one device.
    pub(super) fn add(
        &mut self,
        host: &str,
        address: Option<std::net::SocketAddr>,
        memory: &Memory,
    ) {
        self.total.add(memory.counts);
        self.doubled
            .extend(memory.doubled.iter().map(|(key, times)| Doubled {
                host: host.to_owned(),
                key: key.clone(),
                times: *times,
            }));
        self.devices.push(DeviceSummary {
            host: host.to_owned(),
            address,
            counts: memory.counts,
        });
    }
}

/// What one device remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The newest entries, oldest first.
    pub(super) entries: VecDeque<Heard>,
    /// Exact counts.
    pub(super) counts: Counts,
    /// Its pages.
    pub(super) site: Site,
    /// Sounds that it keeps.
    pub(super) clips: Clips,
    /// Keys that had an effect, by the first half of their BLAKE3, with how often.
    keys: HashMap<[u8; 16], u32>,
    /// Those of them with more than one, in full.
    doubled: BTreeMap<String, u32>,
}

impl Memory {
    /// Whether something with this key has had its effect here.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.keys.contains_key(&short(key))
    }

    /// What a loudspeaker read last and nobody has cut off: the newest thing that was heard, if no stop came after it.
    pub(super) fn playing(&self) -> Option<&Heard> {
        let mut newest = self.entries.iter().rev();
        let last = newest.find(|heard| matches!(heard.effect, Effect::Heard | Effect::Stopped))?;
        (last.effect == Effect::Heard).then_some(last)
    }

    /// The paths to which something was sent to be heard lately, each once.
    pub(super) fn mounts(&self) -> BTreeSet<&str> {
        let heard = self
            .entries
            .iter()
            .filter(|heard| heard.effect == Effect::Heard);
        heard.map(|heard| heard.path.as_str()).collect()
    }

    /// Takes in an entry, new or read back.
    pub(super) fn apply(&mut self, mut heard: Heard) {
        if let Some(post) = &heard.post {
            self.counts.twins += u64::from(heard.effect == Effect::Published && post.twin);
            self.site.put(post.clone());
        }
        if let (Effect::Kept, Some(clip)) = (heard.effect, &heard.clip) {
            match &clip.name {
                Some(name) => self.clips.insert(clip.number, name.clone()),
                None => self.clips.remove(&clip.number),
            };
        }
        let count = match heard.effect {
            Effect::Heard => &mut self.counts.heard,
            Effect::Published => &mut self.counts.published,
            Effect::Updated => &mut self.counts.updated,
            Effect::Received => &mut self.counts.received,
            Effect::Stopped => &mut self.counts.stopped,
            Effect::Kept => &mut self.counts.kept,
            Effect::Ignored => &mut self.counts.ignored,
        };
        *count += 1;
        self.counts.faults += u64::from(heard.fault.is_some());
        if let Some(key) = heard
            .key
            .as_deref()
            .filter(|_| heard.effect != Effect::Ignored)
        {
            let times = self.keys.entry(short(key)).or_default();
            *times += 1;
            if *times > 1 {
                self.doubled.insert(key.to_owned(), *times);
            }
        }
        heard.text = heard.text.map(|text| clip(&text));
        if self.entries.len() == MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(heard);
    }
}

/// The first half of a key's BLAKE3: enough to tell keys apart, and the same size for every key.
fn short(key: &str) -> [u8; 16] {
    let hash = blake3::hash(key.as_bytes());
    std::array::from_fn(|at| hash.as_bytes()[at])
}

/// The words up to the limit, cut between characters.
fn clip(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_TEXT)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(key: &str, effect: Effect) -> Heard {
        Heard {
            host: "a".into(),
            number: 0,
            at_ms: 0,
            kind: Kind::Loudspeaker,
            method: "POST".into(),
            path: "/api/speak".into(),
            key: Some(key.into()),
            digest: String::new(),
            text: Some("đ".repeat(MAX_TEXT)),
            status: Some(202),
            effect,
            fault: None,
            post: None,
            zalo: None,
            clip: None,
        }
    }

    #[test]
    fn counts_are_exact_and_entries_bounded() {
        let mut memory = Memory::default();
        for number in 0..1000 {
            memory.apply(heard(&format!("key-{}", number % 990), Effect::Heard));
        }
        memory.apply(heard("key-11", Effect::Ignored));
        assert_eq!((memory.counts.heard, memory.counts.ignored), (1000, 1));
        assert_eq!(memory.entries.len(), MAX_ENTRIES);
        assert!(
            memory
                .entries
                .iter()
                .all(|entry| entry.text.as_ref().unwrap().len() == MAX_TEXT)
        );
        assert!(memory.knows("key-989") && !memory.knows("key-990"));

        let mut summary = Summary::default();
        summary.add("a", None, &memory);
        assert_eq!(summary.doubled.len(), 10);
        assert!(summary.doubled.iter().all(|doubled| doubled.times == 2));
    }

    #[test]
    fn filters() {
        let entry = heard("k", Effect::Heard);
        let all = HeardFilter::default();
        assert!(all.wants(&entry));
        for (filter, wanted) in [
            (
                HeardFilter {
                    host: Some("a".into()),
                    ..all.clone()
                },
                true,
            ),
            (
                HeardFilter {
                    host: Some("b".into()),
                    ..all.clone()
                },
                false,
            ),
            (
                HeardFilter {
                    kind: Some(Kind::Chat),
                    ..all.clone()
                },
                false,
            ),
            (
                HeardFilter {
                    effect: Some(Effect::Ignored),
                    ..all.clone()
                },
                false,
            ),
            (
                HeardFilter {
                    key: Some("k".into()),
                    ..all.clone()
                },
                true,
            ),
            (
                HeardFilter {
                    key: Some("l".into()),
                    ..all.clone()
                },
                false,
            ),
        ] {
            assert_eq!(filter.wants(&entry), wanted, "{filter:?}");
        }
    }
}
