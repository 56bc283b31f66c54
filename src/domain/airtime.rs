//! How long what is heard lasts, before there is any sound: worked out once when files are loaded, so that a year can be
//! planned without a look at words.

use std::{collections::BTreeMap, time::Duration};

use super::{
    audio::Chime,
    bulletin::Format,
    channel::{Channel, ChannelKind},
    id::{BulletinId, WardId},
    speech::{Rate, Weight},
    workspace::Workspace,
};

/// How long the chime lasts before and after the words together, with the silence between them and the words. It is the sum
/// of what `audio::chime` and `audio::assemble` make; a test holds the three together.
pub const CHIME: Duration = Duration::from_millis(5_320);

/// A bulletin's script as it is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A recording by a person, of this length.
    Recorded(Duration),
    /// Words: how much there is to say, ward by ward, and the most of them for areas that are not among them.
    Spoken {
        /// The most.
        most: Weight,
        /// By ward.
        wards: BTreeMap<WardId, Weight>,
    },
}

/// How long every bulletin's script is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lengths(BTreeMap<BulletinId, Heard>);

impl Lengths {
    /// Keeps what is known of a bulletin.
    pub fn insert(&mut self, bulletin: BulletinId, heard: Heard) {
        self.0.insert(bulletin, heard);
    }

    /// How long the words of `bulletin` last in `ward` at `rate`, without a chime. `None` without a script.
    #[must_use]
    pub fn words(&self, bulletin: &BulletinId, ward: &WardId, rate: Rate) -> Option<Duration> {
        Some(match self.0.get(bulletin)? {
            Heard::Recorded(length) => *length,
            Heard::Spoken { most, wards } => wards.get(ward).unwrap_or(most).at(rate),
        })
    }
}

impl Workspace {
    /// How long `bulletin` is heard on `channel`, chime included. `None` where it is read and not heard.
    #[must_use]
    pub fn airtime(&self, bulletin: &BulletinId, channel: &Channel) -> Option<Duration> {
        if channel.kind != ChannelKind::Loudspeaker || channel.format != Format::Script {
            return None;
        }
        let rate = channel.rate.unwrap_or(self.settings.speech.rate);
        let words = self.lengths.words(bulletin, &channel.ward, rate)?;
        Some(self.with_chime(words, Some(channel)))
    }

    /// How long words of that length are heard on a channel, chime included.
    #[must_use]
    pub fn with_chime(&self, words: Duration, channel: Option<&Channel>) -> Duration {
        let has_chime = channel.is_some_and(|channel| channel.audio.is_some())
            && matches!(self.settings.audio.chime, Chime::Bell);
        words + if has_chime { CHIME } else { Duration::ZERO }
    }
}
