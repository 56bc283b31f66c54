//! `channels/*.yaml`.

use std::{ops::RangeInclusive, time::Duration};

use crate::{
    diagnostic::{Code, Phrase, Place},
    domain::{
        audio::AudioFormat,
        bulletin::Format,
        channel::{
            AdapterConfig, AxisConfig, ChannelKind, IcecastConfig, Mode, ScreenConfig,
            SnapcastConfig, VnptConfig,
        },
        id::{ChannelId, RecipeId, WardId},
        secret::SecretRef,
        speech::Rate,
    },
    source::{
        address::{has_password, is_web_address},
        notebook::Named,
        reader::{Fields, Value, is_secret_name},
    },
};

/// A channel as its file says it; its recipe decides what the parameters mean.
#[derive(Debug)]
pub(crate) struct RawChannel {
    /// Its id.
    pub id: ChannelId,
    /// Its key.
    pub at: Place,
    /// What people call it.
    pub name: String,
    /// The ward; `None` for the city.
    pub ward: Option<WardId>,
    /// Its sort, if it could be read.
    pub kind: Option<ChannelKind>,
    /// The body it carries.
    pub format: Format,
    /// How doubt is treated.
    pub mode: Mode,
    /// Whether the file says which.
    pub says_mode: bool,
    /// Its own speaking rate.
    pub rate: Option<Rate>,
    /// What sort of sound it wants, and where it says so.
    pub audio: Option<(AudioFormat, Place)>,
    /// Whether the file says which, be it one that there is not.
    pub says_audio: bool,
    /// Whether it is for tests only.
    pub test: bool,
    /// What the device signs its own reports with.
    pub reports: Vec<SecretRef>,
    /// Where its adapter names a file of certificates.
    pub authorities: Option<Place>,
    /// How it is reached; `None` when that could not be read.
    pub adapter: Option<RawAdapter>,
}

/// How a channel is reached.
#[derive(Debug)]
pub(crate) enum RawAdapter {
    /// By a recipe.
    Recipe {
        /// Which.
        recipe: RecipeId,
        /// Where to point for what is missing.
        at: Place,
        /// Parameters in the order of the file.
        with: Vec<RawParameter>,
    },
    /// In any other way, as the file says it.
    Other(AdapterConfig),
}

impl RawAdapter {
    /// Whether it can send sound of this sort. Where none can be sent, that is said elsewhere.
    fn carries(&self, format: AudioFormat) -> bool {
        match self {
            Self::Recipe { .. } => true,
            Self::Other(config) => {
                let sounds = config.facts().sounds;
                sounds.is_empty() || sounds.contains(&format)
            }
        }
    }
}

/// One parameter of a recipe as a channel gives it.
#[derive(Debug)]
pub(crate) struct RawParameter {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub name_at: Place,
    /// What it is set to.
    pub value: String,
    /// Where that stands.
    pub at: Place,
}

/// Reads one file of channels.
pub(crate) fn read(root: Value<'_>) -> Vec<RawChannel> {
    super::defined(root, "channels", Named::Channel, ChannelId::parse, channel)
}

fn channel(id: ChannelId, value: Value<'_>) -> Option<RawChannel> {
    value.map(|fields| {
        let kinds = ChannelKind::ALL.map(|kind| (kind.as_str(), kind));
        let formats = Format::ALL.map(|format| (format.as_str(), format));
        let modes = [Mode::AtMostOnce, Mode::AtLeastOnce].map(|mode| (mode.as_str(), mode));
        let kind = fields
            .required("kind")
            .and_then(|value| value.one_of(&kinds));
        let adapter = fields.required("adapter").and_then(adapter);
        let kind_or_other = kind.unwrap_or(ChannelKind::Website);
        RawChannel {
            at: value.key_place(),
            name: fields
                .get("name")
                .and_then(|value| value.words())
                .unwrap_or_else(|| id.to_string()),
            id,
            ward: fields
                .get("ward")
                .and_then(|value| value.reference(Named::Ward, WardId::parse)),
            kind,
            format: fields.or("format", kind_or_other.format(), |value| {
                value.one_of(&formats)
            }),
            says_mode: fields.get("mode").is_some(),
            mode: fields.or("mode", kind_or_other.mode(), |value| value.one_of(&modes)),
            rate: fields.get("rate").and_then(super::speech::rate),
            says_audio: fields.get("audio").is_some(),
            audio: fields.get("audio").and_then(|value| {
                let can =
                    |format: &AudioFormat| adapter.as_ref().is_none_or(|way| way.carries(*format));
                let formats = AudioFormat::ALL.into_iter().filter(can);
                let formats: Vec<_> = formats.map(|format| (format.as_str(), format)).collect();
                Some((value.one_of(&formats)?, value.place()))
            }),
            test: fields.or("test", false, |value| value.boolean()),
            reports: fields.get("reports").and_then(secrets).unwrap_or_default(),
            authorities: fields
                .get("adapter")
                .filter(|_| matches!(&adapter, Some(RawAdapter::Other(AdapterConfig::Email(_)))))
                .and_then(|value| within(within(value, "email")?, "ca"))
                .map(|value| value.place()),
            adapter,
        }
    })
}

/// What stands under `key` of something that was read already.
fn within<'a>(value: Value<'a>, key: &str) -> Option<Value<'a>> {
    let mut entries = value.entries()?.into_iter();
    Some(entries.find(|(name, _)| *name == key)?.1)
}

/// Reads one way to reach a channel from its fields.
type Way = fn(&Fields<'_>) -> Option<AdapterConfig>;

/// The key of the way that is written in YAML, too.
const RECIPE: &str = "recipe";

/// The other ways to reach a channel, by their keys.
const WAYS: [(&str, Way); 8] = [
    ("webhook", by_webhook),
    ("axis", by_axis),
    ("icecast", by_icecast),
    ("snapcast", by_snapcast),
    ("screen", by_screen),
    ("vnpt", by_vnpt),
    ("zalo", super::zalo::by_zalo),
    ("email", super::mail::by_email),
];

/// The loudest that VAPIX takes, in percent.
pub(in crate::source) const MOST_VOLUME: u64 = 1000;

/// The loudest that Snapserver takes, in percent.
pub(in crate::source) const FULL_VOLUME: u64 = 100;

/// How long a sign may stay up. Nobody looks at one of last month for news.
const STAYS: RangeInclusive<Duration> = Duration::from_mins(10)..=Duration::from_hours(31 * 24);

/// How long it stays up where the file does not say: until the next day's takes its place.
const USUAL_STAY: Duration = Duration::from_hours(24);

/// The most that may be asked to listen.
pub(in crate::source) const MOST_LISTENERS: u64 = 10_000;

fn adapter(value: Value<'_>) -> Option<RawAdapter> {
    value
        .map(|fields| {
            let recipe = fields.get(RECIPE);
            let others = WAYS.map(|(name, read)| Some((fields.get(name)?, read)));
            let mut others = others.into_iter().flatten();
            match (recipe, others.next(), others.next()) {
                (Some(way), None, _) => way.map(|fields| by_recipe(fields, way)).flatten(),
                (None, Some((way, read)), None) => way.map(read).flatten().map(RawAdapter::Other),
                _ => {
                    let names = [RECIPE].into_iter().chain(WAYS.map(|(name, _)| name));
                    value.choose_one(&names.collect::<Vec<_>>(), "L019-help-adapter")
                }
            }
        })
        .flatten()
}

fn by_recipe(fields: &Fields<'_>, value: Value<'_>) -> Option<RawAdapter> {
    let recipe = fields
        .required("use")
        .and_then(|value| value.reference(Named::Recipe, RecipeId::parse));
    let mut at = value.key_place();
    let mut with = Vec::new();
    if let Some(value) = fields.get("with") {
        at = value.key_place();
        for (name, value) in value.entries().unwrap_or_default() {
            if recipe.is_none() && is_secret_name(name) {
                value.conceal();
            }
            // A parameter with a mistake is reported, and counts as given.
            let text = value.text().map_or_else(String::new, |text| text.value);
            with.push(RawParameter {
                name: name.to_owned(),
                name_at: value.key_place(),
                value: text,
                at: value.place(),
            });
        }
    }
    Some(RawAdapter::Recipe {
        recipe: recipe?,
        at,
        with,
    })
}

fn by_axis(fields: &Fields<'_>) -> Option<AdapterConfig> {
    let url = fields.required("url").and_then(web_address);
    let user = fields.required("user").and_then(|value| value.words());
    let password = fields.required("password").and_then(|value| value.secret());
    let volume = fields
        .get("volume")
        .and_then(|value| value.integer(0..=MOST_VOLUME));
    Some(AdapterConfig::Axis(AxisConfig {
        url: url?,
        user: user?,
        password: password?,
        volume: volume.and_then(|volume| volume.try_into().ok()),
    }))
}

fn by_icecast(fields: &Fields<'_>) -> Option<AdapterConfig> {
    let url = fields.required("url").and_then(web_address);
    let mount = fields.required("mount").and_then(|value| value.words());
    let password = fields.required("password").and_then(|value| value.secret());
    Some(AdapterConfig::Icecast(IcecastConfig {
        url: url?,
        mount: mount?,
        user: fields.or("user", "source".to_owned(), |value| value.words()),
        password: password?,
        listeners: fields
            .get("listeners")
            .and_then(|value| value.integer(1..=MOST_LISTENERS)),
    }))
}

fn by_snapcast(fields: &Fields<'_>) -> Option<AdapterConfig> {
    let url = fields.required("url").and_then(web_address);
    let stream = fields.required("stream").and_then(|value| value.words());
    let volume = fields
        .get("volume")
        .and_then(|value| value.integer(0..=FULL_VOLUME));
    Some(AdapterConfig::Snapcast(SnapcastConfig {
        url: url?,
        stream: stream?,
        group: fields.get("group").and_then(|value| value.words()),
        volume: volume.and_then(|volume| volume.try_into().ok()),
        listeners: fields
            .get("listeners")
            .and_then(|value| value.integer(1..=MOST_LISTENERS)),
    }))
}

fn by_screen(fields: &Fields<'_>) -> Option<AdapterConfig> {
    let key = fields.required("key").and_then(|value| value.secret());
    let stays = fields.or("stays", USUAL_STAY, |value| value.duration_in(STAYS));
    Some(AdapterConfig::Screen(ScreenConfig { key: key?, stays }))
}

/// How often a portal may be asked, and how long a clerk may be given.
const ASKED_EVERY: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(24);
const PASTED_WITHIN: RangeInclusive<Duration> =
    Duration::from_mins(10)..=Duration::from_hours(30 * 24);

fn by_vnpt(fields: &Fields<'_>) -> Option<AdapterConfig> {
    let url = fields.required("url").and_then(web_address);
    Some(AdapterConfig::Vnpt(VnptConfig {
        url: url?,
        language: fields.or("language", "1".to_owned(), |value| value.words()),
        every: fields.or("every", Duration::from_mins(15), |value| {
            value.duration_in(ASKED_EVERY)
        }),
        within: fields.or("within", Duration::from_hours(24), |value| {
            value.duration_in(PASTED_WITHIN)
        }),
    }))
}

fn by_webhook(fields: &Fields<'_>) -> Option<AdapterConfig> {
    let url = fields.required("url").and_then(web_address);
    let secrets = fields.required("secrets").and_then(secrets);
    Some(AdapterConfig::Webhook {
        url: url?,
        secrets: secrets?,
    })
}

/// What signs, newest first; one at least.
fn secrets(value: Value<'_>) -> Option<Vec<SecretRef>> {
    let secrets = value.list(|value| value.secret())?;
    if value.is_empty_list() {
        let diagnostic = value.wrong(Code::MissingKey).with("key", "secrets");
        value
            .notebook
            .report(diagnostic.help(Phrase::new("L013-help-secrets")));
    }
    Some(secrets)
}

/// A complete web address without a password in it.
pub(crate) fn web_address(value: Value<'_>) -> Option<String> {
    let url = value.parsed(Code::BadUrl, "L036-help", |text| {
        is_web_address(text).then(|| text.to_owned())
    })?;
    if has_password(&url) {
        value.notebook.report(
            value
                .wrong(Code::PlainSecret)
                .help(Phrase::new("L052-help-url")),
        );
        return None;
    }
    Some(url)
}
