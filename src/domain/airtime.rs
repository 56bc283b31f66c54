//! How long what is heard lasts, before there is any sound: worked out once when files are loaded, so that a year can be
//! planned without a look at words.

use std::{collections::BTreeMap, time::Duration};

use super::{
    audio::Chime,
    channel::Channel,
    id::{BulletinId, WardId},
    speech::{Rate, Weight},
    workspace::Workspace,
};

/// How long the chime lasts before and after the words together, with the silence between them and the words. It is the sum
/// of what `audio::chime` and `audio::assemble` make; a test holds the three together.
pub const CHIME: Duration = Duration::from_millis(5_320);

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
    /// How long `bulletin` is heard on `channel`, chime included. `None` where it is read and not heard.
    #[must_use]
    pub fn airtime(&self, bulletin: &BulletinId, channel: &Channel) -> Option<Duration> {
        if !channel.is_heard() {
            return None;
        }
        let rate = channel.rate.unwrap_or(self.settings.speech.rate);
        let heard = self.lengths.get(bulletin)?;
        let length = heard
            .recorded
            .filter(|_| channel.audio.is_some())
            .unwrap_or_else(|| heard.words(&channel.ward, rate));
        Some(self.with_chime(length, Some(channel)))
    }

    /// How long words of that length are heard on a channel, chime included.
    #[must_use]
    pub fn with_chime(&self, words: Duration, channel: Option<&Channel>) -> Duration {
        let has_chime = channel.is_some_and(|channel| channel.audio.is_some())
            && matches!(self.settings.audio.chime, Chime::Bell);
        words + if has_chime { CHIME } else { Duration::ZERO }
    }
}
