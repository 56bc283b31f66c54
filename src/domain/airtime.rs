//! How long what is heard lasts, before there is any sound: worked out once when files are loaded, so that a year can be
//! planned without a look at words.

use std::{collections::BTreeMap, time::Duration};

use super::{
    audio::{Chime, Ends},
    channel::Channel,
    id::{BulletinId, WardId},
    speech::{Rate, Weight},
    workspace::Workspace,
};

/// How long the chime lasts before the words, and after them, with the silence between it and the words. It is the sum of what
/// `audio::chime` and `audio::assemble` make; a test holds the three together.
pub const CHIME: Duration = Duration::from_millis(2_660);

/// At how many ends a sound of that length has the chime, if its words alone are `spoken`.
#[must_use]
pub fn chimes(length: Duration, spoken: Duration) -> u32 {
    let around = length.saturating_sub(spoken) + CHIME / 2;
    u32::from(around >= CHIME) + u32::from(around >= CHIME * 2)
}

/// A bulletin's script as it is heard.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    /// How long its recording by a person is. A loudspeaker that is sent words speaks them by itself.
    pub recorded: Option<Duration>,
    /// How much there is to say, by ward.
    pub wards: BTreeMap<WardId, Weight>,
    /// The most of that, for areas that are not among them.
    pub most: Weight,
}

/// How long every bulletin's script is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lengths(BTreeMap<BulletinId, Heard>);

impl Lengths {
    /// Keeps what is known of a bulletin.
    pub fn insert(&mut self, bulletin: BulletinId, heard: Heard) {
        self.0.insert(bulletin, heard);
    }

    /// What is known of a bulletin; `None` without a script.
    #[must_use]
    pub fn get(&self, bulletin: &BulletinId) -> Option<&Heard> {
        self.0.get(bulletin)
    }
}

impl Heard {
    /// How long its words last in `ward` at `rate`, without a chime.
    #[must_use]
    pub fn words(&self, ward: &WardId, rate: Rate) -> Duration {
        self.wards.get(ward).unwrap_or(&self.most).at(rate)
    }
}

impl Workspace {
    /// How long `bulletin` is heard on `channel` by itself, chime included. `None` where it is read and not heard.
    #[must_use]
    pub fn airtime(&self, bulletin: &BulletinId, channel: &Channel) -> Option<Duration> {
        self.airtime_of_part(bulletin, channel, Ends::BOTH)
    }

    /// How long `bulletin` is heard on `channel` as a part of a session that has the chime at these ends.
    #[must_use]
    pub fn airtime_of_part(
        &self,
        bulletin: &BulletinId,
        channel: &Channel,
        ends: Ends,
    ) -> Option<Duration> {
        if !channel.is_heard() {
            return None;
        }
        let rate = channel.rate.unwrap_or(self.settings.speech.rate);
        let heard = self.lengths.get(bulletin)?;
        let length = heard
            .recorded
            .filter(|_| channel.audio.is_some())
            .unwrap_or_else(|| heard.words(&channel.ward, rate));
        Some(self.with_chime(length, Some(channel), ends))
    }

    /// How long words of that length are heard on a channel, chime included.
    #[must_use]
    pub fn with_chime(&self, words: Duration, channel: Option<&Channel>, ends: Ends) -> Duration {
        let has_chime = channel.is_some_and(|channel| self.has_chime(channel));
        words
            + if has_chime {
                CHIME * ends.count()
            } else {
                Duration::ZERO
            }
    }

    /// Whether the chime is heard around words on `channel`: where it is sent sound.
    #[must_use]
    pub fn has_chime(&self, channel: &Channel) -> bool {
        channel.audio.is_some() && matches!(self.settings.audio.chime, Chime::Bell)
    }
}
