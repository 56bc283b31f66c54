//! Recipes: adapters written as data. `crate::adapter::recipe` makes them act.
//!
//! Every text in a request or a condition is a template over `message`, `audio`, `picture`, `channel`, `with`, `value`, `steps`
//! and `found`.

use std::{collections::BTreeMap, time::Duration};

use super::id::RecipeId;

mod limit;
mod question;

pub use limit::{LARGEST_LIMIT, Limit, Unit};
pub use question::{Find, Next, Pages, Probe, Turn};

/// An adapter as data.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The stem of its file.
    pub id: RecipeId,
    /// What it connects to.
    pub title: String,
    /// What a channel has to fill in.
    pub parameters: BTreeMap<String, ParameterSpec>,
    /// Named values worked out before the request, in this order; each may use those before it.
    pub values: Vec<(String, Value)>,
    /// How much of the words the receiver takes.
    pub limits: Vec<Limit>,
    /// How requests prove who is calling.
    pub auth: Option<Auth>,
    /// Calls that come before, in this order: to log in, to upload. They must not be heard or seen by anybody.
    pub steps: Vec<(String, StepSpec)>,
    /// "Is it already there?"
    pub find: Option<Find>,
    /// The request that sends.
    pub request: RequestSpec,
    /// The request that tells the device to stop what it is playing: made before an emergency is sent to it.
    pub stop: Option<RequestSpec>,
    /// What counts as accepted.
    pub accepted: Accepted,
    /// "Was it really done?", asked after it was accepted.
    pub confirm: Option<Confirm>,
    /// What other answers mean; the first match decides, and before `accepted` where it looks closer.
    pub errors: Vec<ErrorRule>,
    /// The question that shows whether the channel is alive, without any effect on it.
    pub probe: Option<Probe>,
}

impl Recipe {
    /// Every request in it.
    pub fn requests(&self) -> impl Iterator<Item = &RequestSpec> {
        let find = self.find.iter();
        let sought = self.steps.iter().filter_map(|(_, step)| step.find.as_ref());
        std::iter::once(&self.request)
            .chain(&self.stop)
            .chain(self.steps.iter().map(|(_, step)| &step.request))
            .chain(sought.map(|find| &find.request))
            .chain(find.clone().map(|find| &find.request))
            .chain(find.filter_map(|find| find.update.as_ref()))
            .chain(self.confirm.iter().map(|confirm| &confirm.request))
            .chain(self.probe.iter().map(|probe| &probe.request))
    }

    /// What its addresses begin with, where that is taken from an answer: `steps.upload.place`, `found.link`.
    pub fn leads(&self) -> impl Iterator<Item = &str> {
        let names = self.requests().filter_map(|request| {
            let filled = request.url.trim_start().strip_prefix("{{")?;
            filled.trim_start().split(['}', '|', '~', ' ']).next()
        });
        names.filter(|name| name.starts_with("steps.") || name.starts_with("found."))
    }

    /// What stands right behind a parameter with which an address begins: `steps.upload.clip` in `{{ with.url }}{{ steps.upload.clip }}`.
    /// It is a path then, for a parameter has no slash at its end.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let names = self.requests().filter_map(|request| {
            let filled = request.url.trim_start().strip_prefix("{{")?;
            let (first, rest) = filled.split_once("}}")?;
            let next = rest.strip_prefix("{{")?;
            let is_parameter = first.trim().starts_with("with.");
            let name = next.trim_start().split(['}', '|', '~', ' ']).next();
            name.filter(|_| is_parameter)
        });
        names.filter(|name| name.starts_with("steps.") || name.starts_with("found."))
    }

    /// Whether what one of its logins gives is used by several attempts.
    #[must_use]
    pub fn keeps_logins(&self) -> bool {
        self.steps.iter().any(|(_, step)| step.valid_for.is_some())
    }

    /// Every line of `errors` that says that a login has ended, by its path.
    pub fn renewals(&self) -> impl Iterator<Item = (String, &ErrorRule)> {
        let own = self.steps.iter().flat_map(|(name, step)| {
            let rules = step.errors.iter().enumerate();
            rules.map(move |(index, rule)| (format!("steps.{name}.errors[{index}]"), rule))
        });
        let all = self.errors.iter().enumerate();
        let all = all.map(|(index, rule)| (format!("errors[{index}]"), rule));
        all.chain(own)
            .filter(|(_, rule)| rule.then == Verdict::Renew)
    }

    /// Whether it sends the message's sound, or speaks of it.
    #[must_use]
    pub fn wants_sound(&self) -> bool {
        self.requests()
            .any(|request| request.body.holds(Upload::Sound) || request.mentions("audio."))
    }

    /// Whether it sends the picture of an article, or speaks of it.
    #[must_use]
    pub fn wants_picture(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|(_, step)| step.when == StepWhen::Picture)
            || self
                .requests()
                .any(|request| request.body.holds(Upload::Picture) || request.mentions("picture."))
    }
}

/// One parameter of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParameterSpec {
    /// For the integrator.
    pub about: Option<String>,
    /// Taken when a channel does not say.
    pub default: Option<String>,
    /// Whether channels must give it as a reference to a secret.
    pub secret: bool,
}

/// A value worked out from templates.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A JSON tree written out as text; its leaves are templates (see [`Body::Json`]).
    Json(serde_json::Value),
}

/// How requests prove who is calling. A request that sets `Authorization` itself is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// RFC 7617.
    Basic {
        /// The account.
        user: String,
        /// Its password.
        password: String,
    },
    /// RFC 6750.
    Bearer(String),
    /// RFC 7616 and 2617: the receiver asks first, and the same request goes out again with the answer. MD5 and SHA-256,
    /// each with and without `-sess`; `qop` absent or `auth`.
    Digest {
        /// The account.
        user: String,
        /// Its password.
        password: String,
    },
}

/// When a step is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StepWhen {
    /// Before anything else, `find` and `probe` among it: to log in.
    Always,
    /// Only before something is really sent: to upload.
    #[default]
    Send,
    /// Only before something is really sent that has a picture: to upload that.
    Picture,
    /// Only before `update`, after the others: what it asks for may come from `found`.
    Update,
    /// Only before `request`, after the others: not where what is found is brought up to date.
    Create,
}

/// A call before the one that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct StepSpec {
    /// When it is made.
    pub when: StepWhen,
    /// "Is it already done?" What is found is taken in its place, and the request is not made. Its `update` is not used, and it is
    /// always asked.
    pub find: Option<Find>,
    /// The request.
    pub request: RequestSpec,
    /// What counts as done; without any condition, every 2xx.
    pub accepted: Match,
    /// Values taken from the answer, for `steps.<step>.<name>`. Nobody sees them: what a login gives is as secret as a password.
    pub take: BTreeMap<String, Take>,
    /// Whether to ask again while it is not done.
    pub poll: Option<Poll>,
    /// What other answers to this step mean, before what the recipe's say.
    pub errors: Vec<ErrorRule>,
    /// How long what a login gave may be used by other attempts of the channel; without it, each makes its own.
    pub valid_for: Option<Validity>,
}

/// The longest that what a login gave is used, whatever the receiver says.
pub const LONGEST_LOGIN: Duration = Duration::from_hours(24);

/// How long what a login gave may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Validity {
    /// So long.
    Time(Duration),
    /// As the answer says.
    Answer {
        /// Where it says it, in seconds.
        seconds: Take,
        /// How long where it does not; without it, the login is then not kept.
        otherwise: Option<Duration>,
    },
}

/// Asking again while an answer that is a success is not yet the one that is hoped for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poll {
    /// How long to wait in between.
    pub every: Duration,
    /// How often to ask at most, the first time included.
    pub most: u16,
}

/// Where in an answer a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Take {
    /// At a JSON pointer (RFC 6901).
    Json(String),
    /// In a header.
    Header(String),
    /// The value of a cookie that the answer sets, without what stands behind it.
    Cookie(String),
    /// What the first group of a regular expression that takes part in the match holds in the body. One does in every match.
    Pattern(String),
}

/// "Was it really done?": asked after the request was accepted. It never makes things worse: without a clear answer what
/// was accepted stays accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirm {
    /// The question; it must have no effect.
    pub request: RequestSpec,
    /// The answer that means yes: the device itself says so.
    pub confirmed: Match,
    /// The answer that means no, for good.
    pub refuted: Option<Match>,
    /// Whether to ask again while it says neither.
    pub poll: Option<Poll>,
    /// Whether to go on asking when the attempt is long over.
    pub later: Option<Later>,
}

/// Asking a device or a site afterwards whether it did what it took, or whether that still stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Later {
    /// How long after it was taken it is asked for the first time. It is not asked in the attempt then: of an answer that comes at once
    /// nothing is known that the receiver has not said already.
    pub after: Option<Duration>,
    /// How long in between.
    pub every: Duration,
    /// How long after it was taken; without a clear answer it then stays accepted.
    pub within: Duration,
}

impl Later {
    /// How long after it was taken it is asked for the first time.
    #[must_use]
    pub fn first(&self) -> Duration {
        self.after.unwrap_or(self.every)
    }
}

/// A request as templates.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestSpec {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The full address.
    pub url: String,
    /// Headers by name.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Body,
    /// Whether the recipe's `auth` is left out: for an address at somebody else's, who must not learn it.
    pub anonymous: bool,
    /// How the file in it is cut up: one request for each piece.
    pub pieces: Option<Pieces>,
}

/// The most pieces of one file: they all have to go out within an attempt.
pub const MOST_PIECES: usize = 100;

/// A file that goes out in pieces.
#[derive(Debug, Clone, PartialEq)]
pub struct Pieces {
    /// The bytes of each but the last, which has the rest.
    pub bytes: u64,
    /// What counts as taken of all but the last; without any condition, every 2xx.
    pub accepted: Match,
    /// Values taken from the answer to each piece, for `steps.<step>.pieces`, a list.
    pub take: BTreeMap<String, Take>,
}

impl RequestSpec {
    /// Whether that makes sense: there is one file in it, and where it stands, at `path`, is no question. Only a step can hand on what is
    /// taken from the answers.
    #[must_use]
    pub fn may_be_cut(&self, path: &str, pieces: &Pieces) -> bool {
        let is_step = path.starts_with("steps.") && !path.ends_with(".find.request");
        let is_call = is_step || ["request", "find.update"].contains(&path);
        let files = [Upload::Sound, Upload::Picture].map(|upload| self.body.holds(upload));
        let has_one = files[0] != files[1];
        is_call && has_one && (is_step || pieces.take.is_empty())
    }

    /// Whether `name` occurs in one of its templates.
    #[must_use]
    pub fn mentions(&self, name: &str) -> bool {
        let mut texts = self.texts().into_iter();
        texts.any(|text| text.contains('{') && text.contains(name))
    }

    /// Its templates: the address, the headers and all texts of the body.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        let mut texts = vec![self.url.as_str()];
        texts.extend(self.headers.values().map(String::as_str));
        match &self.body {
            Body::Empty | Body::Audio | Body::Picture => {}
            Body::Json(json) => leaves(json, &mut texts),
            Body::Form(fields) => texts.extend(fields.iter().map(|field| field.value.as_str())),
            Body::Text(text) => texts.push(text),
            Body::Multipart(parts) => texts.extend(parts.values().flat_map(|part| {
                let value = match &part.value {
                    PartValue::Text(text) => Some(text),
                    PartValue::Audio | PartValue::Picture => None,
                };
                let texts = [value, part.filename.as_ref(), part.media_type.as_ref()];
                texts.into_iter().flatten().map(String::as_str)
            })),
        }
        texts
    }
}

/// Every text of a JSON tree.
pub fn leaves<'j>(json: &'j serde_json::Value, texts: &mut Vec<&'j str>) {
    match json {
        serde_json::Value::String(text) => texts.push(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        serde_json::Value::Object(map) => map.values().for_each(|item| leaves(item, texts)),
        _ => {}
    }
}

impl Body {
    /// Whether the picture is in it.
    #[must_use]
    pub fn has_picture(&self) -> bool {
        self.holds(Upload::Picture)
    }

    /// Whether the sound is in it.
    #[must_use]
    pub fn has_sound(&self) -> bool {
        self.holds(Upload::Sound)
    }

    /// Whether those bytes of the message are in it.
    fn holds(&self, upload: Upload) -> bool {
        fn has_key(json: &serde_json::Value, key: &str) -> bool {
            match json {
                serde_json::Value::Array(items) => items.iter().any(|item| has_key(item, key)),
                serde_json::Value::Object(map) => {
                    map.contains_key(key) || map.values().any(|item| has_key(item, key))
                }
                _ => false,
            }
        }
        let (key, value) = match upload {
            Upload::Sound => ("$audio", PartValue::Audio),
            Upload::Picture => ("$picture", PartValue::Picture),
        };
        match self {
            Self::Audio => upload == Upload::Sound,
            Self::Picture => upload == Upload::Picture,
            Self::Json(json) => has_key(json, key),
            Self::Multipart(parts) => parts.values().any(|part| part.value == value),
            Self::Empty | Self::Form(_) | Self::Text(_) => false,
        }
    }
}

/// What of a message is no text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Upload {
    Sound,
    Picture,
}

/// A body as templates.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// A JSON tree. Texts in it are templates and come out as JSON strings. A map with the single key `$json` comes out
    /// as a string that holds its value's JSON, `$base64` as a string that holds the base64 of its value's text or
    /// JSON, `$number` as the number its template's text spells, `$parse` as the JSON that it spells, `$audio: base64` as the message's sound in base64, and
    /// `$picture: base64` as its picture.
    Json(serde_json::Value),
    /// `application/x-www-form-urlencoded` fields, in this order.
    Form(Vec<Field>),
    /// Plain text, UTF-8.
    Text(String),
    /// The sound of the message, with its media type. The channel has to want one.
    Audio,
    /// The picture of the article, with its media type. Only what has one can be sent so.
    Picture,
    /// `multipart/form-data` parts by field name.
    Multipart(BTreeMap<String, Part>),
}

/// One field of a form. Others may have its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Where it stands in the body's description: `form.text`, `form[0].text`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// What is in it, a template.
    pub value: String,
}

/// One part of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its content.
    pub value: PartValue,
    /// Its file name, which makes it a file for the receiver.
    pub filename: Option<String>,
    /// Its media type.
    pub media_type: Option<String>,
}

/// What a part holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartValue {
    /// A text.
    Text(String),
    /// The message's sound; its media type is that of the part where the recipe gives none.
    Audio,
    /// The picture of the article, likewise.
    Picture,
}

/// Conditions on an answer; all that are given must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Match {
    /// One of these.
    pub status: Vec<StatusRange>,
    /// Headers (names in any case) and what they say; `*` means that the header is there.
    pub header: BTreeMap<String, Expected>,
    /// JSON pointers (RFC 6901) and what is there; `*` means present and not null. Numbers and booleans compare by how JSON
    /// writes them.
    pub json: BTreeMap<String, Expected>,
    /// A text that the body contains.
    pub text: Option<String>,
    /// A regular expression that the body matches somewhere. No template.
    pub pattern: Option<String>,
}

/// The regular expression by which a recipe says that a body may say whatever it likes.
pub const WHATEVER: &str = ".*";

impl Match {
    /// Whether only the status and headers count.
    #[must_use]
    pub fn is_of_status(&self) -> bool {
        let says_nothing = |pattern: &str| pattern == WHATEVER;
        self.json.is_empty()
            && self.text.is_none()
            && self.pattern.as_deref().is_none_or(says_nothing)
    }
}

/// What a header or a value of an answer has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Exactly this text, a template; `*` for anything.
    Text(String),
    /// Something that this regular expression matches somewhere. No template.
    Pattern(String),
}

/// Statuses from `low` to `high`, both included: `200` or `2xx` in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusRange {
    /// The lowest.
    pub low: u16,
    /// The highest.
    pub high: u16,
}

impl StatusRange {
    /// Reads `200` or `2xx`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(class) = text.strip_suffix("xx") {
            let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class))?;
            return Some(Self {
                low: class * 100,
                high: class * 100 + 99,
            });
        }
        let status = text
            .parse()
            .ok()
            .filter(|status| (100..=599).contains(status))?;
        Some(Self {
            low: status,
            high: status,
        })
    }
}

/// What counts as accepted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Accepted {
    /// The conditions; without any, every 2xx.
    pub when: Match,
    /// Where the receiver's own reference is, kept as evidence.
    pub receipt: Option<Take>,
}

/// What an answer means that is not accepted. An answer that fits is not accepted either, unless everything that is accepted would fit.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorRule {
    /// The conditions.
    pub when: Match,
    /// The meaning.
    pub then: Verdict,
    /// Where the receiver's own words about it are, for people who look why.
    pub says: Option<Take>,
    /// What it means here and what is to be done, in the words of whoever wrote the recipe. No template.
    pub about: Option<String>,
    /// How long to wait before it is tried again, with [`Verdict::Retry`].
    pub after: Option<After>,
}

/// How long a receiver wants to be left alone. It can only lengthen the wait, as its Retry-After does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// So long.
    Time(Duration),
    /// As the answer says there: in seconds, or in a header as a date, too.
    Answer(Take),
}

/// The meaning of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It did not happen; trying again may help.
    Retry,
    /// The answer is no.
    Reject,
    /// The account or its password is refused, or may not do this: no, until a person has mended that.
    Account,
    /// It may have happened.
    Unknown,
    /// The login has ended, and it did not happen.
    Renew,
}
