//! The words of a bulletin for one ward in both workspaces, compared once for all the broadcasts that carry them.

use std::collections::{BTreeMap, HashMap};

use super::{Broadcast, Side, Single};
use crate::{
    domain::{
        bulletin::Format,
        calendar,
        contact::{self, NamedContact},
        id::{BulletinId, WardId},
        message::Content,
        time::Timestamp,
        ward::Ward,
    },
    render::BodyPart,
    version::diff::{self, Piece, is_plain, masked, spoken, written},
};

/// One text that changed, as it was and as it becomes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Passage {
    /// Whether it is what a voice says, and not what is written.
    pub is_spoken: bool,
    /// As it was.
    pub before: String,
    /// As it becomes.
    pub after: String,
}

impl Passage {
    /// The words of both, told apart.
    #[must_use]
    pub fn pieces(&self) -> Vec<Piece> {
        diff::words(&self.before, &self.after)
    }
}

/// A change of words that wards share; their own names are masked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wording {
    /// The bulletin, by its id in the newer workspace.
    pub bulletin: BulletinId,
    /// The format.
    pub format: Format,
    /// What changed.
    pub passages: Vec<Passage>,
}

/// What came of comparing the words of two broadcasts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Compared {
    pub wording: Option<usize>,
    pub passages: Option<usize>,
    pub other_recording: bool,
    pub other_picture: bool,
}

impl Compared {
    pub(super) fn differs(&self) -> bool {
        self.wording.is_some() || self.other_recording || self.other_picture
    }
}

/// Whose words: a bulletin for a ward in a format.
type Words = (BulletinId, WardId, Format);

/// Two broadcasts whose words were compared.
type Pair = (Words, Words);

/// What words are made of besides their own bulletin and ward is the same in both workspaces, so that a bulletin which is the
/// same too has the same words. Then nothing needs to be rendered, and an edit of a time is told of at once.
fn is_same_ground([old, new]: [Side<'_>; 2]) -> bool {
    let (old, new) = (old.workspace, new.workspace);
    let (one, other) = (&old.settings, &new.settings);
    let shared = old.templates.values().chain(new.templates.values());
    old.templates == new.templates
        && old.readings == new.readings
        && old.contacts == new.contacts
        && old.topics == new.topics
        && one.city == other.city
        && one.province == other.province
        && one.speech.dialect == other.speech.dialect
        && !shared.into_iter().any(|text| names_another(text))
}

/// Whether a template may take in part of another bulletin: such a part has a slash in its name.
fn names_another(template: &str) -> bool {
    let tags = template.split("{%").skip(1);
    tags.into_iter()
        .any(|tag| tag.split("%}").next().is_some_and(|tag| tag.contains('/')))
}

/// Renders and compares, and remembers what came of it; not the words themselves, of which a city has too many.
pub(super) struct Comparer<'w> {
    sides: [Side<'w>; 2],
    is_same_ground: bool,
    /// Whether every contact holds to the end of what is asked about, as is usual.
    all_hold: [bool; 2],
    /// The contacts that words rest on; `None` for words that cannot be made.
    contacts: [HashMap<Words, Option<Vec<NamedContact>>>; 2],
    compared: HashMap<Pair, Compared>,
    wordings: BTreeMap<Wording, usize>,
    passages: Vec<Vec<Passage>>,
}

impl<'w> Comparer<'w> {
    pub(super) fn new(old: Side<'w>, new: Side<'w>, until: Timestamp) -> Self {
        let sides = [old, new];
        let all_hold = sides.map(|side| {
            let workspace = side.workspace;
            let day = calendar::local(until, workspace.settings.zone).date();
            let mut verified = workspace
                .contacts
                .values()
                .filter(|known| known.verified.is_some());
            verified.all(|known| {
                let named = [NamedContact::of(known)];
                contact::lapsed(&named, &workspace.contacts, day).is_none()
            })
        });
        Self {
            is_same_ground: is_same_ground(sides),
            all_hold,
            sides,
            contacts: Default::default(),
            compared: HashMap::new(),
            wordings: BTreeMap::new(),
            passages: Vec::new(),
        }
    }

    pub(super) fn sides(&self) -> [Side<'w>; 2] {
        self.sides
    }

    fn ward(&self, side: usize, id: &WardId) -> Option<&'w Ward> {
        self.sides[side].workspace.ward(id)
    }

    fn content(&self, side: usize, (bulletin, ward, format): &Words) -> Option<Content> {
        let Side {
            workspace,
            renderer,
        } = self.sides[side];
        let bulletin = workspace.bulletins.get(bulletin)?;
        let ward = workspace.ward(ward)?;
        renderer.render(workspace, bulletin, ward, *format).ok()
    }

    /// Whether its words can be made and may go out on its day.
    pub(super) fn is_heard(&mut self, side: usize, single: &Single) -> bool {
        let Some(words) = words_of(single) else {
            return false;
        };
        let bulletin = self.sides[side].workspace.bulletins.get(&words.0);
        if bulletin.is_none_or(|bulletin| !bulletin.has(words.2)) {
            return false;
        }
        if self.all_hold[side] {
            return true;
        }
        if !self.contacts[side].contains_key(&words) {
            let named = self.content(side, &words).map(|content| content.contacts);
            self.contacts[side].insert(words.clone(), named);
        }
        let workspace = self.sides[side].workspace;
        let day = calendar::local(single.due, workspace.settings.zone).date();
        match self.contacts[side].get(&words) {
            Some(Some(named)) => contact::lapsed(named, &workspace.contacts, day).is_none(),
            _ => false,
        }
    }

    /// What differs in the words of two broadcasts.
    pub(super) fn compare(&mut self, before: &Single, after: &Single) -> Compared {
        let (Some(one), Some(other)) = (words_of(before), words_of(after)) else {
            return Compared::default();
        };
        let pair = (one, other);
        if let Some(compared) = self.compared.get(&pair) {
            return *compared;
        }
        let compared = self.look(&pair).unwrap_or_default();
        self.compared.insert(pair, compared);
        compared
    }

    /// Whether the words are the same because all that they are made of is.
    fn is_surely_same(&self, one: &Words, other: &Words) -> bool {
        let [old, new] = self.sides.map(|side| side.workspace);
        let bulletins = (old.bulletins.get(&one.0), new.bulletins.get(&other.0));
        let (Some(before), Some(after)) = bulletins else {
            return false;
        };
        self.is_same_ground
            && one == other
            && before == after
            && old.ward(&one.1) == new.ward(&other.1)
            && !BodyPart::all(before)
                .iter()
                .any(|(_, text)| names_another(text))
    }

    fn look(&mut self, (one, other): &Pair) -> Option<Compared> {
        if self.is_surely_same(one, other) {
            return None;
        }
        let contents = [self.content(0, one)?, self.content(1, other)?];
        let [old, new] = &contents;
        let exact = passages(old, new, |_, text| text);
        let (wording, passages) = if exact.is_empty() {
            (None, None)
        } else {
            let wards = [self.ward(0, &one.1)?, self.ward(1, &other.1)?];
            let names = wards.map(|ward| (&ward.name, &ward.short));
            // The city shares its words with no other area. And where the name itself changed it has to be seen.
            let is_city = self.sides[0].workspace.settings.city.id == one.1;
            let shown = if names[0] == names[1] && !is_city {
                passages(old, new, |_, text| masked(&text, names[0].0, names[0].1))
            } else {
                exact.clone()
            };
            let wording = Wording {
                bulletin: other.0.clone(),
                format: other.2,
                passages: shown,
            };
            let next = self.wordings.len();
            let wording = *self.wordings.entry(wording).or_insert(next);
            self.passages.push(exact);
            (Some(wording), Some(self.passages.len() - 1))
        };
        let hash = |content: &Content| content.recording.as_ref().map(|sound| sound.hash.clone());
        let seen = |content: &Content| {
            let picture = content.picture.as_ref()?;
            Some((picture.hash.clone(), picture.alt.clone()))
        };
        Some(Compared {
            wording,
            passages,
            other_recording: hash(old) != hash(new),
            other_picture: seen(old) != seen(new),
        })
    }

    pub(super) fn broadcast(&self, side: usize, planned: Single) -> Option<Broadcast> {
        let bulletin = planned.bulletin.clone()?;
        let title = self.sides[side].workspace.bulletins.get(&bulletin);
        Some(Broadcast {
            title: title.map_or_else(String::new, |bulletin| bulletin.title.clone()),
            bulletin,
            planned,
        })
    }

    /// The wordings and the passages that indices point to.
    pub(super) fn done(self) -> (Vec<Wording>, Vec<Vec<Passage>>) {
        let mut wordings: Vec<(Wording, usize)> = self.wordings.into_iter().collect();
        wordings.sort_by_key(|(_, index)| *index);
        let wordings = wordings.into_iter().map(|(wording, _)| wording).collect();
        (wordings, self.passages)
    }
}

fn words_of(single: &Single) -> Option<Words> {
    let bulletin = single.bulletin.clone()?;
    Some((bulletin, single.ward.clone(), single.format))
}

/// The texts that differ, each through `show`. What is spoken as it is written is told once.
fn passages(old: &Content, new: &Content, show: impl Fn(bool, String) -> String) -> Vec<Passage> {
    let plain = is_plain(old) && is_plain(new);
    let text = |content: &Content, is_spoken: bool| {
        let text = if is_spoken {
            spoken(content).unwrap_or_default()
        } else {
            written(content)
        };
        show(is_spoken, text)
    };
    [false, true]
        .into_iter()
        .filter(|is_spoken| !(*is_spoken && plain))
        .filter_map(|is_spoken| {
            let (before, after) = (text(old, is_spoken), text(new, is_spoken));
            (before != after).then_some(Passage {
                is_spoken,
                before,
                after,
            })
        })
        .collect()
}
