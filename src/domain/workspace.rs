//! The workspace: everything that people edit, checked, as one immutable value.

use std::collections::BTreeMap;

use super::{
    airtime::Lengths,
    bulletin::{Bulletin, Topic},
    channel::{AdapterConfig, Channel},
    contact::Contact,
    exception::Exceptions,
    id::{BulletinId, ChannelId, ContactId, RecipeId, RuleId, ScheduleId, TopicId, WardId},
    pause::Scope,
    policy::Policy,
    recipe::Recipe,
    schedule::{Choice, Schedule},
    settings::Settings,
    speech::Readings,
    ward::Ward,
};

/// Everything that people edit. Every id that occurs in it names something in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Workspace {
    /// A hash over every file, in hexadecimal: two nodes with the same revision loaded the same words.
    pub revision: String,
    /// `loa.yaml`.
    pub settings: Settings,
    /// Wards, without the city itself.
    pub wards: BTreeMap<WardId, Ward>,
    /// Topics.
    pub topics: BTreeMap<TopicId, Topic>,
    /// Contacts.
    pub contacts: BTreeMap<ContactId, Contact>,
    /// Bulletins.
    pub bulletins: BTreeMap<BulletinId, Bulletin>,
    /// Shared template parts by file name.
    pub templates: BTreeMap<String, String>,
    /// How abbreviations, addresses and words are spoken.
    pub readings: Readings,
    /// Recipes.
    pub recipes: BTreeMap<RecipeId, Recipe>,
    /// Channels.
    pub channels: BTreeMap<ChannelId, Channel>,
    /// Schedules.
    pub schedules: BTreeMap<ScheduleId, Schedule>,
    /// Days and single occurrences for which the schedules do not hold.
    pub exceptions: Exceptions,
    /// What may be heard when.
    pub policy: Policy,
    /// How long every bulletin's script is.
    pub lengths: Lengths,
    /// Exactly what people wrote, for approvals: bulletins and recipes, whole files, and each schedule's and rule's part of
    /// its file.
    pub texts: BTreeMap<Authored, String>,
}

/// Something whose exact text an approval covers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Authored {
    /// A bulletin's file.
    Bulletin(BulletinId),
    /// A recipe's file.
    Recipe(RecipeId),
    /// A schedule's part of its file.
    Schedule(ScheduleId),
    /// A rule's part of its file.
    Rule(RuleId),
}

impl Workspace {
    /// Whether a channel can be told to stop what it is playing. Its adapter says the same (`Adapter::can_stop`), and is not at
    /// hand where only files are read.
    #[must_use]
    pub fn can_stop(&self, channel: &ChannelId) -> bool {
        let Some(channel) = self.channels.get(channel) else {
            return false;
        };
        match &channel.adapter {
            AdapterConfig::Recipe { recipe, .. } => {
                let recipe = self.recipes.get(recipe);
                recipe.is_some_and(|recipe| recipe.stop.is_some())
            }
            other => other.facts().can_stop,
        }
    }

    /// The bulletins that `choice` takes its pick from, in their turn. Ids that name nothing are passed over.
    #[must_use]
    pub fn choices(&self, choice: &Choice) -> Vec<&Bulletin> {
        match choice {
            Choice::Only(id) => self.bulletins.get(id).into_iter().collect(),
            Choice::Rotate(ids) => ids.iter().filter_map(|id| self.bulletins.get(id)).collect(),
            Choice::RotateTopic(topic) => self
                .bulletins
                .values()
                .filter(|bulletin| bulletin.topic == *topic)
                .collect(),
            Choice::Session { parts, .. } => {
                parts.iter().flat_map(|part| self.choices(part)).collect()
            }
        }
    }

    /// The name of what a pause silences: that of its ward, channel or topic, or its id where there is none any more.
    #[must_use]
    pub fn name_of(&self, scope: &Scope) -> String {
        let name = match scope {
            Scope::All => None,
            Scope::Ward(id) => self.ward(id).map(|ward| &ward.name),
            Scope::Channel(id) => self.channels.get(id).map(|channel| &channel.name),
            Scope::Topic(id) => self.topics.get(id).map(|topic| &topic.title),
        };
        name.map_or_else(|| scope.target().to_owned(), Clone::clone)
    }

    /// What people call a ward, or its id where there is none any more.
    #[must_use]
    pub fn name_of_ward(&self, id: &WardId) -> String {
        self.ward(id)
            .map_or_else(|| id.to_string(), |ward| ward.name.clone())
    }

    /// The ward `id`, or the city when `id` is the city's.
    #[must_use]
    pub fn ward(&self, id: &WardId) -> Option<&Ward> {
        if *id == self.settings.city.id {
            Some(&self.settings.city)
        } else {
            self.wards.get(id)
        }
    }
}
