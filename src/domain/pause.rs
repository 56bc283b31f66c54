//! Pauses: a person says that a channel, a ward, a topic or everything is silent for a while. What falls due meanwhile is
//! skipped with that reason; nothing of it is made up for later.

use super::{
    bulletin::Priority,
    id::{ChannelId, TopicId, WardId},
    time::Timestamp,
};

/// What is silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// All channels of a ward. The city's own channels are those of the ward that stands for the city.
    Ward(WardId),
    /// One channel.
    Channel(ChannelId),
    /// Every bulletin of a topic, wherever it goes.
    Topic(TopicId),
}

impl Scope {
    /// The scope of a kind and a target, as [`Scope::kind`] and [`Scope::target`] give them.
    #[must_use]
    pub fn from_parts(kind: &str, target: &str) -> Option<Self> {
        match kind {
            "all" => target.is_empty().then_some(Self::All),
            "ward" => WardId::parse(target).ok().map(Self::Ward),
            "channel" => ChannelId::parse(target).ok().map(Self::Channel),
            "topic" => TopicId::parse(target).ok().map(Self::Topic),
            _ => None,
        }
    }

    /// Whether it silences what a channel of a ward says of a topic.
    #[must_use]
    pub fn includes(&self, channel: &ChannelId, ward: &WardId, topic: &TopicId) -> bool {
        match self {
            Self::All => true,
            Self::Ward(id) => id == ward,
            Self::Channel(id) => id == channel,
            Self::Topic(id) => id == topic,
        }
    }

    /// `all`, `ward`, `channel` or `topic`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Ward(_) => "ward",
            Self::Channel(_) => "channel",
            Self::Topic(_) => "topic",
        }
    }

    /// The id of what is silent; empty for everything.
    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Self::All => "",
            Self::Ward(id) => id.as_str(),
            Self::Channel(id) => id.as_str(),
            Self::Topic(id) => id.as_str(),
        }
    }
}

/// Somebody ended a pause before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Its number, by which it is ended.
    pub number: i64,
    /// What is silent.
    pub scope: Scope,
    /// Whether emergency bulletins are silent too.
    pub emergency: bool,
    /// When it began.
    pub from: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Who said so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Whether somebody ended it earlier.
    pub resumed: Option<Resumed>,
}

impl Pause {
    /// When it ends, or ended. The instant itself is outside.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.resumed
            .as_ref()
            .map_or(self.until, |resumed| resumed.at.min(self.until))
    }

    /// Whether it silences what is of a `topic` and a `priority` on a channel.
    #[must_use]
    pub fn covers(
        &self,
        ward: &WardId,
        channel: &ChannelId,
        topic: Option<&TopicId>,
        priority: Priority,
    ) -> bool {
        (self.emergency || priority != Priority::Emergency)
            && match &self.scope {
                Scope::All => true,
                Scope::Ward(paused) => paused == ward,
                Scope::Channel(paused) => paused == channel,
                Scope::Topic(paused) => topic == Some(paused),
            }
    }

    /// Whether it is in force at an instant.
    #[must_use]
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_as_it_is_written() {
        for (kind, target) in [
            ("all", ""),
            ("ward", "hung-binh"),
            ("channel", "loa-1"),
            ("topic", "gia-danh"),
        ] {
            let scope = Scope::from_parts(kind, target).expect(kind);
            assert_eq!((scope.kind(), scope.target()), (kind, target));
            let (channel, ward) = (ChannelId::parse("loa-1"), WardId::parse("hung-binh"));
            let (channel, ward) = (channel.unwrap(), ward.unwrap());
            let topic = TopicId::parse("gia-danh").unwrap();
            assert!(scope.includes(&channel, &ward, &topic));
            let (channel, ward) = (ChannelId::parse("loa-2"), WardId::parse("le-loi"));
            let (channel, ward) = (channel.unwrap(), ward.unwrap());
            let topic = TopicId::parse("khac").unwrap();
            let includes_others = scope.includes(&channel, &ward, &topic);
            assert_eq!(includes_others, scope == Scope::All);
        }
        for (kind, target) in [
            ("", ""),
            ("all", "x"),
            ("ward", ""),
            ("ward", "Ä"),
            ("kind", "loudspeaker"),
        ] {
            assert_eq!(Scope::from_parts(kind, target), None, "{kind}:{target}");
        }
    }

    #[test]
    fn it_ends_when_somebody_ends_it_and_never_later() {
        let at = Timestamp::from_micros;
        let mut pause = Pause {
            number: 1,
            scope: Scope::All,
            emergency: false,
            from: at(10),
            until: at(20),
            by: "An".to_owned(),
            reason: "tang lễ".to_owned(),
            resumed: None,
        };
        assert!(pause.is_in_force(at(10)) && pause.is_in_force(at(19)));
        assert!(!pause.is_in_force(at(9)) && !pause.is_in_force(at(20)));
        let resumed = |at| Resumed {
            at,
            by: "An".to_owned(),
            reason: "xong".to_owned(),
        };
        pause.resumed = Some(resumed(at(15)));
        assert!(pause.is_in_force(at(14)) && !pause.is_in_force(at(15)));
        pause.resumed = Some(resumed(at(30)));
        assert_eq!(pause.end(), at(20));
    }
}
