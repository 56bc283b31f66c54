//! Identifiers: short ASCII names that people write in files, and the delivery id that is computed from them.

use std::{fmt, sync::Arc};

/// Why a text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an id has 1 to 64 characters of a-z, 0-9 and hyphen, and begins and ends with a letter or digit"
)]
pub struct InvalidId;

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// What all identifiers have in common: each is one text that its clones share, and is shown and written as that text.
macro_rules! as_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        as_text!($name);

        impl $name {
            /// Takes a text that people wrote; refuses what could not be a file name or a part of a web address.
            ///
            /// # Errors
            /// [`InvalidId`] when the text breaks the rule it states.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                if is_id(text) { Ok(Self(text.into())) } else { Err(InvalidId) }
            }

            /// The identifier as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// A bulletin: the stem of its file under `content/bulletins/`.
    BulletinId
);
id!(
    /// A channel: one destination, its key in a file under `channels/`.
    ChannelId
);
id!(
    /// A ward, or the city itself.
    WardId
);
id!(
    /// A schedule. Sends made by hand have schedules of their own, made by [`ScheduleId::by_hand`].
    ScheduleId
);
id!(
    /// A topic: what kind of scam or public-service message.
    TopicId
);
id!(
    /// A contact that a bulletin may name.
    ContactId
);
id!(
    /// A day, or several in a row, on which schedules are silent: its key in `schedules/holidays.yaml`.
    DayId
);
id!(
    /// A recipe: the stem of its file under `channels/recipes/`.
    RecipeId
);

id!(
    /// A rule for what is heard: its key in `schedules/policy.yaml`.
    RuleId
);

impl ScheduleId {
    /// The schedule that stands for one send made by hand. The dot keeps it apart from every authored id.
    #[must_use]
    pub fn by_hand(token: &str) -> Self {
        Self(format!("send.{token}").into())
    }

    /// The schedule that stands for the corrections of one retraction: made by hand, too.
    #[must_use]
    pub fn correction(token: &str) -> Self {
        Self(format!("send.correction.{token}").into())
    }

    /// The schedule that stands for one send to test channels only. A delivery's schedule is part of its id and never changes, so
    /// a test can never become anything else.
    #[must_use]
    pub fn test(token: &str) -> Self {
        Self(format!("send.test.{token}").into())
    }

    /// Whether this is a send to test channels only.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.0.starts_with("send.test.")
    }

    /// Whether these are the corrections of a retraction.
    #[must_use]
    pub fn is_correction(&self) -> bool {
        self.0.starts_with("send.correction.")
    }

    /// Reads an id back from the store, where ids made by hand occur too.
    #[must_use]
    pub fn from_store(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether this is a send made by hand and not a line of a schedule file.
    #[must_use]
    pub fn is_by_hand(&self) -> bool {
        self.0.starts_with("send.")
    }
}

/// The account that permits an application to act: what tokens are kept under. Several channels of one account share its tokens,
/// because a second pair would make the first one worthless.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(Arc<str>);

as_text!(AccountId);

impl AccountId {
    /// Of a Zalo application at a Zalo Official Account.
    #[must_use]
    pub fn zalo(app: &str, oa: &str) -> Self {
        Self(format!("zalo:{app}:{oa}").into())
    }

    /// Reads it back from the store.
    #[must_use]
    pub fn from_store(text: &str) -> Self {
        Self(text.into())
    }

    /// The text in the database.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Letters that cannot be misread over the telephone (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A delivery's identifier, computed from its key (schedule, instant, part, channel), so that planning the same thing twice,
/// after a restart or on five nodes, names the same delivery. It is also the idempotency key that receivers see.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryId(Arc<str>);

as_text!(DeliveryId);

impl DeliveryId {
    /// The id of the delivery of `schedule` at `scheduled` on `channel`: 20 characters, 100 bits of a BLAKE3 hash.
    #[must_use]
    pub fn of(
        schedule: &ScheduleId,
        scheduled: super::time::Timestamp,
        channel: &ChannelId,
    ) -> Self {
        Self::of_part(schedule, scheduled, 0, channel)
    }

    /// The id of a part of a session. The first part's is that of a schedule without parts.
    #[must_use]
    pub fn of_part(
        schedule: &ScheduleId,
        scheduled: super::time::Timestamp,
        part: u16,
        channel: &ChannelId,
    ) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(schedule.as_str().as_bytes());
        hasher.update(b"\0");
        hasher.update(&scheduled.as_micros().to_be_bytes());
        hasher.update(channel.as_str().as_bytes());
        if part > 0 {
            hasher.update(b"\0");
            hasher.update(&part.to_be_bytes());
        }
        Self::of_hash(&hasher.finalize())
    }

    /// The id of what fills the airtime target `schedule` on the day that begins at `midnight`: the airing of that number, from
    /// 0, of a bulletin. It does not depend on when that is, so what an edit moves is not aired again.
    #[must_use]
    pub fn of_filling(
        schedule: &ScheduleId,
        midnight: super::time::Timestamp,
        (bulletin, turn): (&BulletinId, u16),
        channel: &ChannelId,
    ) -> Self {
        let mut hasher = blake3::Hasher::new();
        for text in [schedule.as_str(), bulletin.as_str(), channel.as_str()] {
            hasher.update(text.as_bytes());
            hasher.update(b"\0");
        }
        hasher.update(&midnight.as_micros().to_be_bytes());
        hasher.update(&turn.to_be_bytes());
        Self::of_hash(&hasher.finalize())
    }

    fn of_hash(hash: &blake3::Hash) -> Self {
        let text: String = hash.as_bytes()[..20]
            .iter()
            .map(|byte| char::from(LETTERS[usize::from(byte & 31)]))
            .collect();
        Self(text.into())
    }

    /// Reads an id back from the store or from a command line; anything of the right shape is accepted and simply
    /// not found when it names nothing.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.trim().to_ascii_lowercase().into())
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    #[test]
    fn ids_are_narrow() {
        for good in ["a", "hung-binh", "loa-hung-binh-1", "24"] {
            assert!(BulletinId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "Hưng", "a b", "a.b", "A", &"a".repeat(65)] {
            assert!(BulletinId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn delivery_ids_depend_on_every_part_of_the_key() {
        let id = |schedule: &str, due, channel: &str| {
            let (schedule, channel) = (
                ScheduleId::parse(schedule).unwrap(),
                ChannelId::parse(channel).unwrap(),
            );
            DeliveryId::of(&schedule, Timestamp::from_micros(due), &channel)
        };
        assert_eq!(id("a", 1, "b"), id("a", 1, "b"));
        assert_eq!(id("a", 1, "b").as_str().len(), 20);
        let different = [
            id("a", 1, "b"),
            id("c", 1, "b"),
            id("a", 2, "b"),
            id("a", 1, "c"),
        ];
        let unique: std::collections::BTreeSet<_> = different.iter().collect();
        assert_eq!(unique.len(), 4);
    }
}
