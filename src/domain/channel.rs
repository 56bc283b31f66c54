//! Channels: destinations, and how each is reached.

use std::{collections::BTreeMap, time::Duration};

use super::{
    audio::AudioFormat,
    bulletin::Format,
    id::{AccountId, ChannelId, RecipeId, WardId},
    mail::EmailConfig,
    recipe::Recipe,
    secret::SecretRef,
    speech::Rate,
    zalo::{Quota, ZaloConfig},
};

/// What sort of destination it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChannelKind {
    /// A loudspeaker cluster.
    Loudspeaker,
    /// A website.
    Website,
    /// A chat account or group.
    Chat,
    /// A counter screen.
    Sign,
}

impl ChannelKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Loudspeaker, Self::Website, Self::Chat, Self::Sign];

    /// The word used in files, JSON and the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loudspeaker => "loudspeaker",
            Self::Website => "website",
            Self::Chat => "chat",
            Self::Sign => "sign",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The body that such a channel carries.
    #[must_use]
    pub fn format(self) -> Format {
        match self {
            Self::Loudspeaker => Format::Script,
            Self::Website => Format::Article,
            Self::Chat => Format::Message,
            Self::Sign => Format::Sign,
        }
    }

    /// How such a channel is treated when it is unclear whether a call arrived: what is heard must not be heard twice.
    #[must_use]
    pub fn mode(self) -> Mode {
        match self {
            Self::Loudspeaker => Mode::AtMostOnce,
            Self::Website | Self::Chat | Self::Sign => Mode::AtLeastOnce,
        }
    }
}

/// What to do when a call may or may not have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Never send again by itself: ask the device if it can answer, else a person.
    AtMostOnce,
    /// Send again with the same idempotency key.
    AtLeastOnce,
}

impl Mode {
    /// The word used in files, JSON and the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AtMostOnce => "at-most-once",
            Self::AtLeastOnce => "at-least-once",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::AtMostOnce, Self::AtLeastOnce]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }
}

/// One destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// What people call it.
    pub name: String,
    /// The ward it serves; the city's own id for a city-wide channel.
    pub ward: WardId,
    /// Its sort.
    pub kind: ChannelKind,
    /// The body it carries.
    pub format: Format,
    /// How doubt is treated.
    pub mode: Mode,
    /// The speaking rate of its scripts, where it is not that of the settings.
    pub rate: Option<Rate>,
    /// How its words are made audible here; `None` for a channel that speaks by itself or shows.
    pub audio: Option<AudioFormat>,
    /// Whether it is for tests only: nothing real is ever sent to it, and tests to nothing else.
    pub test: bool,
    /// Whether it tells the operator what was not heard: nothing else is ever sent to it.
    pub operator: bool,
    /// What the device signs its own reports with; empty where it reports nothing.
    pub reports: Vec<SecretRef>,
    /// How it is reached.
    pub adapter: AdapterConfig,
}

impl Channel {
    /// What happens where it is unclear whether a call arrived, as the word of its sentence (`state.mode-WORD-meaning`).
    #[must_use]
    pub fn doubt(&self) -> &'static str {
        match (&self.adapter, self.format, self.mode) {
            // An article is looked for on every channel, and no call carries a key.
            (AdapterConfig::Zalo(_), Format::Article, _) => "zalo-article",
            (AdapterConfig::Zalo(_), _, Mode::AtLeastOnce) => "zalo-message",
            (_, _, mode) => mode.as_str(),
        }
    }

    /// Whether people hear it. A loudspeaker that carries something else than a script shows it, and is read.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.kind == ChannelKind::Loudspeaker && self.format == Format::Script
    }

    /// Whether the picture of an article goes along with what it is sent; `recipes` are those of its workspace. On a portal a person
    /// pastes it.
    #[must_use]
    pub fn carries_pictures(&self, recipes: &BTreeMap<RecipeId, Recipe>) -> bool {
        match &self.adapter {
            AdapterConfig::Recipe { recipe, .. } => {
                recipes.get(recipe).is_some_and(Recipe::wants_picture)
            }
            AdapterConfig::Zalo(zalo) if self.format == Format::Article => zalo.pictures.is_some(),
            AdapterConfig::Zalo(zalo) => zalo.picture,
            AdapterConfig::Vnpt(_) => true,
            AdapterConfig::Webhook { .. }
            | AdapterConfig::Axis(_)
            | AdapterConfig::Icecast(_)
            | AdapterConfig::Snapcast(_)
            | AdapterConfig::Screen(_)
            | AdapterConfig::Email(_) => false,
        }
    }

    /// The account whose followers it broadcasts to, and what its package permits; `None` where it does not broadcast.
    #[must_use]
    pub fn broadcasts(&self) -> Option<(&str, &Quota)> {
        match &self.adapter {
            AdapterConfig::Zalo(zalo) if self.format == Format::Article => {
                Some((&zalo.oa, &zalo.quota))
            }
            _ => None,
        }
    }

    /// The account whose remaining quota says how much it may still send, and the name under which that is asked for; `None` where
    /// nobody is asked.
    #[must_use]
    pub fn meter(&self) -> Option<(AccountId, &str)> {
        let AdapterConfig::Zalo(zalo) = &self.adapter else {
            return None;
        };
        let product = zalo.quota.product.as_deref()?;
        Some((AccountId::zalo(&zalo.app, &zalo.oa), product))
    }
}

/// How a channel is reached, as data; `crate::adapter` makes it act.
#[derive(Debug, Clone, PartialEq)]
pub enum AdapterConfig {
    /// By a recipe with this channel's parameters filled in.
    Recipe {
        /// Which recipe.
        recipe: RecipeId,
        /// Its parameters; defaults are filled in, and every one that the recipe wants is there.
        with: Parameters,
    },
    /// By Standard Webhooks.
    Webhook {
        /// The full address.
        url: String,
        /// Signing secrets, newest first; every one signs, so that the receiver can change over.
        secrets: Vec<SecretRef>,
    },
    /// As a Zalo Official Account.
    Zalo(Box<ZaloConfig>),
    /// As an Axis loudspeaker.
    Axis(AxisConfig),
    /// As a mount point of Icecast.
    Icecast(IcecastConfig),
    /// As a stream of a Snapserver.
    Snapcast(SnapcastConfig),
    /// By our own pages: a browser at the counter fetches what it shows.
    Screen(ScreenConfig),
    /// As a portal that no program can write to.
    Vnpt(VnptConfig),
    /// By mail.
    Email(Box<EmailConfig>),
}

/// What is true of every channel that is reached in one way, for whoever has no adapter at hand: those who read files, and those who plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'c> {
    /// The word for that way in files; of a recipe, its own.
    pub word: &'c str,
    /// The address that is called, where the file says it by itself and not among parameters.
    pub url: Option<&'c str>,
    /// Whether anything is sent by calls. Else it is offered, and others come for it.
    pub calls: bool,
    /// The only kind and format of channels that can be reached so; `None` where others can, too, or the way has a check of its own.
    pub serves: Option<(ChannelKind, Format)>,
    /// The sorts of sound that can be sent; none where words are. Of recipes [`super::recipe::Recipe::wants_sound`] says it.
    pub sounds: &'static [AudioFormat],
    /// Whether what plays can be told to stop. Of recipes their text says it.
    pub can_stop: bool,
    /// Whether a sound goes there as it is heard, so that it ends with whoever sends it.
    pub is_stream: bool,
}

impl AdapterConfig {
    /// What is true of every channel that is reached so.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        // Each way says everything of itself, so that a new one leaves nothing out.
        let spoken = Some((ChannelKind::Loudspeaker, Format::Script));
        match self {
            Self::Recipe { recipe, .. } => Facts {
                word: recipe.as_str(),
                url: None,
                calls: true,
                serves: None,
                sounds: &[],
                can_stop: false,
                is_stream: false,
            },
            Self::Webhook { url, .. } => Facts {
                word: "webhook",
                url: Some(url),
                calls: true,
                serves: None,
                sounds: &[],
                can_stop: false,
                is_stream: false,
            },
            Self::Zalo(_) => Facts {
                word: "zalo",
                url: None,
                calls: true,
                serves: None,
                sounds: &[],
                can_stop: false,
                is_stream: false,
            },
            Self::Axis(axis) => Facts {
                word: "axis",
                url: Some(&axis.url),
                calls: true,
                serves: spoken,
                sounds: &AudioFormat::ALL,
                can_stop: true,
                is_stream: false,
            },
            // A listener who comes later would find no beginning in a WAV.
            Self::Icecast(icecast) => Facts {
                word: "icecast",
                url: Some(&icecast.url),
                calls: true,
                serves: spoken,
                sounds: &[AudioFormat::Mp3, AudioFormat::Opus],
                can_stop: true,
                is_stream: true,
            },
            // Bare samples are sent.
            Self::Snapcast(snapcast) => Facts {
                word: "snapcast",
                url: Some(&snapcast.url),
                calls: true,
                serves: spoken,
                sounds: &[AudioFormat::Wav],
                can_stop: true,
                is_stream: true,
            },
            Self::Screen(_) => Facts {
                word: "screen",
                url: None,
                calls: false,
                serves: Some((ChannelKind::Sign, Format::Sign)),
                sounds: &[],
                can_stop: false,
                is_stream: false,
            },
            Self::Vnpt(portal) => Facts {
                word: "vnpt",
                url: Some(&portal.url),
                calls: false,
                serves: Some((ChannelKind::Website, Format::Article)),
                sounds: &[],
                can_stop: false,
                is_stream: false,
            },
            Self::Email(_) => Facts {
                word: "email",
                url: None,
                calls: true,
                serves: None,
                sounds: &[],
                can_stop: false,
                is_stream: false,
            },
        }
    }
}

/// How a counter screen is reached: it comes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenConfig {
    /// What the screen's browser shows to be let in and believed.
    pub key: SecretRef,
    /// How long a sign stays up after it was due, unless a newer one of the same bulletin takes its place.
    pub stays: Duration,
}

/// How a portal is read that no program can write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VnptConfig {
    /// Its address.
    pub url: String,
    /// What its interface calls the language of the articles.
    pub language: String,
    /// How often it is looked whether an article is there.
    pub every: Duration,
    /// How long after it was offered an article has to be there.
    pub within: Duration,
}

/// How a mount point is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IcecastConfig {
    /// The server's address.
    pub url: String,
    /// The mount point.
    pub mount: String,
    /// Who streams.
    pub user: String,
    /// The password of sources.
    pub password: SecretRef,
    /// How many have to listen for the server's word that it was heard; `None` where that is not known.
    pub listeners: Option<u64>,
}

/// How a stream of a Snapserver is reached. Where its sound goes in, and how it is packed, the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapcastConfig {
    /// The server's address, for what it is asked and told.
    pub url: String,
    /// The stream's name there.
    pub stream: String,
    /// The group of loudspeakers that is to play it, by name or id; `None` for those that do.
    pub group: Option<String>,
    /// How loud they play, in percent; `None` for what they are set to.
    pub volume: Option<u8>,
    /// How many have to hear it for the server's word that it was heard; `None` where that is not known.
    pub listeners: Option<u64>,
}

/// How an Axis loudspeaker is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AxisConfig {
    /// Its address.
    pub url: String,
    /// Who calls; has to be an operator there.
    pub user: String,
    /// The password of that account.
    pub password: SecretRef,
    /// How loud clips are played, in percent of what they are; `None` for what the device is set to.
    pub volume: Option<u16>,
}

/// A channel's parameters for its recipe, by name and in the order of names. No tree: most channels have two or three, and the
/// empty nodes of ten thousand trees would be more than all that a daemon keeps otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters(Box<[(String, Parameter)]>);

impl Parameters {
    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        let found = self
            .0
            .binary_search_by(|(known, _)| known.as_str().cmp(name));
        Some(&self.0[found.ok()?].1)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl FromIterator<(String, Parameter)> for Parameters {
    fn from_iter<T: IntoIterator<Item = (String, Parameter)>>(all: T) -> Self {
        let sorted: BTreeMap<String, Parameter> = all.into_iter().collect();
        Self(sorted.into_iter().collect())
    }
}

/// A recipe parameter's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    /// A plain value.
    Plain(String),
    /// A reference to a secret.
    Secret(SecretRef),
}
