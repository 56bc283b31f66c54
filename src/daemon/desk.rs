//! Orders for sound: the preparer asks, the speaker makes, and neither waits for the other.
//!
//! A desk belongs to one workspace and goes with it. It remembers little: what was made is in the studio's cache.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::domain::{
    audio::{Form, Sound},
    delivery::Reason,
    message::{Content, ContentHash},
    time::Timestamp,
};

/// After a failure the same order is tried again after this; when a delivery's instant is nearer, it fails.
const AGAIN: Duration = Duration::from_mins(1);

/// For so long the desk answers by itself. Then it asks the cache again, which so learns that the sound is in use.
const FRESH: Duration = Duration::from_hours(1);

/// Orders remembered at most.
const MOST: usize = 20_000;

/// What is ordered: these words in this form.
pub type Key = (ContentHash, Form);

#[derive(Debug)]
enum Order {
    Waiting {
        content: Arc<Content>,
        due: Timestamp,
    },
    Making,
    Ready {
        sound: Sound,
        since: Timestamp,
    },
    Failed {
        reason: Reason,
        detail: String,
        since: Timestamp,
    },
}

/// What the desk says.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Here it is.
    Ready(Sound),
    /// Not yet.
    Wait,
    /// It failed, and there is no time for another try.
    Failed(Reason, String),
}

/// Orders for sound.
#[derive(Debug, Default)]
pub struct Desk {
    orders: Mutex<HashMap<Key, Order>>,
}

impl Desk {
    fn orders(&self) -> MutexGuard<'_, HashMap<Key, Order>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a sound that is wanted at `due`, and orders it if nobody has.
    pub fn ask(&self, key: &Key, content: &Arc<Content>, due: Timestamp, now: Timestamp) -> Answer {
        let mut orders = self.orders();
        match orders.get_mut(key) {
            Some(Order::Making) => return Answer::Wait,
            Some(Order::Waiting { due: earliest, .. }) => {
                *earliest = due.min(*earliest);
                return Answer::Wait;
            }
            Some(Order::Ready { sound, since }) if now < *since + FRESH => {
                return Answer::Ready(sound.clone());
            }
            Some(Order::Failed {
                reason,
                detail,
                since,
            }) => {
                if due <= *since + AGAIN {
                    return Answer::Failed(*reason, detail.clone());
                }
                if now < *since + AGAIN {
                    return Answer::Wait;
                }
            }
            Some(Order::Ready { .. }) | None => {}
        }
        if orders.len() >= MOST {
            orders.retain(|_, order| matches!(order, Order::Waiting { .. } | Order::Making));
        }
        orders.insert(
            key.clone(),
            Order::Waiting {
                content: content.clone(),
                due,
            },
        );
        Answer::Wait
    }

    /// The order that is wanted first, to be made now.
    pub fn next(&self) -> Option<(Key, Arc<Content>)> {
        let mut orders = self.orders();
        let waiting = orders.iter().filter_map(|(key, order)| match order {
            Order::Waiting { due, .. } => Some((*due, key)),
            _ => None,
        });
        let key = waiting.min().map(|(_, key)| key.clone())?;
        match orders.insert(key.clone(), Order::Making) {
            Some(Order::Waiting { content, .. }) => Some((key, content)),
            _ => None,
        }
    }

    /// What came of an order.
    pub fn done(&self, key: Key, made: Result<Sound, (Reason, String)>, now: Timestamp) {
        let order = match made {
            Ok(sound) => Order::Ready { sound, since: now },
            Err((reason, detail)) => Order::Failed {
                reason,
                detail,
                since: now,
            },
        };
        self.orders().insert(key, order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        audio::{AudioFormat, SoundHash},
        bulletin::Format,
        id::BulletinId,
    };

    fn content(text: &str) -> Arc<Content> {
        Arc::new(Content {
            bulletin: BulletinId::parse("b").unwrap(),
            format: Format::Script,
            title: String::new(),
            summary: None,
            text: text.to_owned(),
            html: None,
            turns: Vec::new(),
            spoken: Vec::new(),
            quoted: crate::domain::message::Quoted::default(),
            contacts: Vec::new(),
            recording: None,
            picture: None,
        })
    }

    fn key(content: &Content) -> Key {
        (content.hash(), AudioFormat::Wav.into())
    }

    fn sound() -> Sound {
        Sound {
            hash: SoundHash::of(b"x"),
            format: AudioFormat::Wav,
            length: Duration::from_secs(9),
            spoken: Duration::from_secs(5),
            loudness: -16.0,
            peak: -1.0,
            size: 1,
        }
    }

    #[test]
    fn one_order_however_many_ask_and_the_most_urgent_first() {
        let desk = Desk::default();
        let now = Timestamp::default();
        let minute = |n: u64| now + Duration::from_secs(60 * n);
        let (late, soon) = (content("late"), content("soon"));
        for due in [30, 40, 50] {
            assert_eq!(desk.ask(&key(&late), &late, minute(due), now), Answer::Wait);
        }
        assert_eq!(desk.ask(&key(&soon), &soon, minute(35), now), Answer::Wait);
        assert_eq!(desk.ask(&key(&soon), &soon, minute(10), now), Answer::Wait);
        assert_eq!(desk.next().unwrap().1, soon);
        assert_eq!(desk.next().unwrap().1, late);
        assert_eq!(desk.next(), None);
        desk.done(key(&soon), Ok(sound()), now);
        assert_eq!(
            desk.ask(&key(&soon), &soon, minute(10), now),
            Answer::Ready(sound())
        );
        assert_eq!(desk.ask(&key(&late), &late, minute(30), now), Answer::Wait);
        // After an hour the cache is asked again.
        assert_eq!(
            desk.ask(&key(&soon), &soon, minute(70), minute(60)),
            Answer::Wait
        );
        assert_eq!(desk.next().unwrap().1, soon);
    }

    #[test]
    fn a_failure_is_tried_again_while_there_is_time() {
        let desk = Desk::default();
        let now = Timestamp::default();
        let second = |n: u64| now + Duration::from_secs(n);
        let words = content("words");
        let ask = |due, now| desk.ask(&key(&words), &words, second(due), second(now));
        ask(100, 0);
        let (order, _) = desk.next().unwrap();
        desk.done(
            order.clone(),
            Err((Reason::VoiceFailed, "hung".into())),
            second(10),
        );
        assert_eq!(ask(100, 11), Answer::Wait);
        assert_eq!(desk.next(), None);
        // For one that is due before the next try, it is over.
        assert_eq!(
            ask(60, 11),
            Answer::Failed(Reason::VoiceFailed, "hung".into())
        );
        assert_eq!(ask(100, 70), Answer::Wait);
        assert!(desk.next().is_some());
        desk.done(order, Err((Reason::VoiceFailed, "hung".into())), second(75));
        assert_eq!(
            ask(100, 76),
            Answer::Failed(Reason::VoiceFailed, "hung".into())
        );
    }
}
