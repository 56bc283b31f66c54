//! What a recipe's templates may use: `message`, `audio`, `picture`, `channel`, `with`, `value`, `steps`, `found`, `page` in `find`,
//! `receipt` in `confirm`, and `request`: in headers all of it, elsewhere only when it is made.

use std::{
    borrow::Cow,
    cell::{Cell, OnceCell},
    rc::Rc,
};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    Facts, RecipeProblem,
    auth::Auth,
    compile::CompiledRecipe,
    names::Names,
    pieces::Piece,
    sound,
    text::{Filling, Text, Tree},
};
use crate::{
    adapter::Taken,
    domain::{
        audio::Audio, message::Message, picture::Picture, recipe::StepWhen, secret::Secret,
        time::Timestamp,
    },
    template::Context,
};

/// One step's view of the world. Nothing is converted before a template asks for it, because most answers are judged
/// without any.
pub(super) struct Scene<'a> {
    recipe: &'a CompiledRecipe,
    facts: &'a Facts,
    message: Option<&'a Message>,
    /// When the next call is made.
    now: Timestamp,
    /// What came up in this attempt, by the name under which templates know it: `steps`, `found`, `page`, `receipt`,
    /// `request`.
    known: Map<String, Value>,
    login: Rc<LoginState>,
    /// The part of the file that goes out.
    piece: Option<Piece>,
    context: OnceCell<Result<Context, RecipeProblem>>,
}

/// What is known in this attempt of a login that several may share.
#[derive(Debug, Default)]
struct LoginState {
    /// Whether it is one of an earlier attempt.
    is_remembered: Cell<bool>,
    /// Whether the receiver says that it has ended.
    has_ended: Cell<bool>,
    /// Whether it was made anew in this attempt because the one before had ended.
    is_anew: bool,
    /// Whether the call that is made now is a piece with others to follow.
    is_amid: Cell<bool>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        recipe: &'a CompiledRecipe,
        facts: &'a Facts,
        message: Option<&'a Message>,
    ) -> Self {
        Self {
            recipe,
            facts,
            message,
            now: message.map(|message| message.sent_at).unwrap_or_default(),
            known: Map::new(),
            login: Rc::default(),
            piece: None,
            context: OnceCell::new(),
        }
    }

    /// The same in the second course of an attempt, in which the login is made anew.
    pub(super) fn anew(mut self) -> Self {
        self.login = Rc::new(LoginState {
            is_anew: true,
            ..LoginState::default()
        });
        self
    }

    /// Whether it is the second course.
    pub(super) fn is_anew(&self) -> bool {
        self.login.is_anew
    }

    /// The login in use is one of an earlier attempt.
    pub(super) fn remember_login(&self) {
        self.login.is_remembered.set(true);
    }

    /// Whether it is.
    pub(super) fn is_login_remembered(&self) -> bool {
        self.login.is_remembered.get()
    }

    /// The receiver says that the login has ended.
    pub(super) fn end_login(&self) {
        self.login.has_ended.set(true);
    }

    /// Whether it says so.
    pub(super) fn has_login_ended(&self) -> bool {
        self.login.has_ended.get()
    }

    /// A piece goes out now, which `is_last` or not.
    pub(super) fn begin_piece(&self, is_last: bool) {
        self.login.is_amid.set(!is_last);
    }

    /// Whether others follow.
    pub(super) fn is_amid_pieces(&self) -> bool {
        self.login.is_amid.get()
    }

    /// The same for one piece of a file.
    pub(super) fn of_piece(&self, piece: Piece) -> Self {
        let mut scene = self.and("piece", piece.describe());
        scene.piece = Some(piece);
        scene
    }

    /// The piece that goes out, where a file goes out in pieces.
    pub(super) fn piece(&self) -> Option<&Piece> {
        self.piece.as_ref()
    }

    /// The same at another time.
    pub(super) fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// When the next call is made.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// `request` as everything in a request may know it: its time, and a text that no other request has. `turn` counts the exchanges
    /// before it in this attempt.
    pub(super) fn moment(&self, turn: usize) -> Value {
        let micros = self.now.as_micros();
        let nonce = if let Some(message) = self.message {
            message.nonce(&format!("request {turn}"))
        } else {
            let key = format!("{}\0{micros}\0{turn}", self.facts.id);
            blake3::hash(key.as_bytes()).to_hex()[..32].to_owned()
        };
        serde_json::json!({
            "time": self.now.to_rfc3339(),
            "unix": micros.div_euclid(1_000_000).to_string(),
            "unix_ms": micros.div_euclid(1_000).to_string(),
            "nonce": nonce,
        })
    }

    /// Makes something known that came up.
    pub(super) fn know(&mut self, name: &str, value: Value) {
        self.known.insert(name.to_owned(), value);
        self.context = OnceCell::new();
    }

    /// Makes the receiver's reference known. Where it gave none the name is not there, so that nothing goes out with a gap in its place.
    pub(super) fn know_receipt(&mut self, receipt: Option<&str>) {
        if let Some(receipt) = receipt.filter(|receipt| !receipt.trim().is_empty()) {
            self.know("receipt", receipt.into());
        }
    }

    /// Makes known what a step gave.
    pub(super) fn know_step(&mut self, step: &str, taken: Map<String, Value>) {
        let steps = self
            .known
            .entry("steps")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Some(steps) = steps.as_object_mut() {
            steps.insert(step.to_owned(), Value::Object(taken));
        }
        self.context = OnceCell::new();
    }

    /// Whether a step before everything else, a login, has given something in this attempt.
    pub(super) fn has_logged_in(&self) -> bool {
        let given = self.known.get("steps").and_then(Value::as_object);
        let mut steps = self.recipe.steps.iter();
        steps.any(|step| {
            let taken = given.and_then(|steps| steps.get(&step.name)?.as_object());
            step.when == StepWhen::Always && taken.is_some_and(|taken| !taken.is_empty())
        })
    }

    /// The same with one thing more.
    pub(super) fn and(&self, name: &str, value: Value) -> Self {
        let mut scene = self.fork();
        scene.know(name, value);
        scene
    }

    /// The same, for a course that parts from this one.
    pub(super) fn fork(&self) -> Self {
        Self {
            recipe: self.recipe,
            facts: self.facts,
            message: self.message,
            now: self.now,
            known: self.known.clone(),
            login: Rc::clone(&self.login),
            piece: self.piece.clone(),
            context: OnceCell::new(),
        }
    }

    /// How the recipe proves who calls.
    pub(super) fn auth(&self) -> Option<&'a Auth> {
        self.recipe.auth.as_ref()
    }

    /// The message, if there is one: a probe has none.
    pub(super) fn message(&self) -> Option<&'a Message> {
        self.message
    }

    /// Every text that steps gave, as secret as what it was given for.
    pub(super) fn taken(&self) -> Vec<Taken> {
        let steps = self.known.get("steps").and_then(Value::as_object);
        let mut all = Vec::new();
        let steps = steps.into_iter().flatten();
        for (step, taken) in steps.filter(|(step, _)| !self.recipe.is_open(step)) {
            let opens = self.recipe.is_login(step);
            for (name, value) in taken.as_object().into_iter().flatten() {
                let name = format!("steps.{step}.{name}");
                all.extend(texts_in(value).into_iter().map(|text| Taken {
                    name: name.clone(),
                    value: Secret::new(text.to_owned()),
                    opens,
                }));
            }
        }
        all
    }

    /// The message's sound.
    pub(super) fn audio(&self) -> Option<&'a Audio> {
        self.message?.audio.as_ref()
    }

    /// The bytes of the message's picture, with what is known of it.
    pub(super) fn picture(&self) -> Option<(&'a Picture, &'a Bytes)> {
        let message = self.message?;
        Some((message.content.picture.as_ref()?, message.picture.as_ref()?))
    }

    pub(super) fn text<'t>(&'t self, text: &'t Text) -> Result<Cow<'t, str>, RecipeProblem> {
        text.render(&self.filling(&|| self.context()))
    }

    /// Whether what no step has a part in is a number, or JSON, where it has to be.
    pub(super) fn spelt(&self, tree: &Tree) -> Result<(), RecipeProblem> {
        tree.spelt(&self.filling(&|| self.context()))
    }

    /// The JSON of a tree.
    pub(super) fn json(&self, tree: &Tree) -> Result<Vec<u8>, RecipeProblem> {
        let mut out = Vec::with_capacity(2048);
        tree.write(&self.filling(&|| self.context()), &mut out)?;
        Ok(out)
    }

    fn filling<'t, 'e>(
        &'t self,
        context: &'e dyn Fn() -> Result<&'e Context, RecipeProblem>,
    ) -> Filling<'t, 'e>
    where
        't: 'e,
    {
        Filling {
            names: Names {
                facts: self.facts,
                message: self.message,
            },
            audio: self.audio(),
            picture: self.picture().map(|(_, data)| data),
            piece: self.piece.as_ref(),
            templates: &self.recipe.templates,
            context,
        }
    }

    fn context(&self) -> Result<&Context, RecipeProblem> {
        self.context
            .get_or_init(|| self.build())
            .as_ref()
            .map_err(Clone::clone)
    }

    fn build(&self) -> Result<Context, RecipeProblem> {
        let mut context = self.facts.base();
        if let Some(audio) = self.audio() {
            let wanted = self.facts.is_lean.then_some(&*self.recipe.wanted_sound);
            context.insert("audio", &sound::describe(audio, wanted));
        }
        if let Some(message) = self.message {
            // There in any case, so that a recipe can ask whether there is one.
            let picture = message.content.picture.as_ref().map(describe_picture);
            context.insert("picture", &picture.unwrap_or_default());
            let wanted = if self.facts.is_lean {
                self.recipe.wanted.as_slice()
            } else {
                &FIELDS
            };
            context.insert("message", &describe(message, wanted));
        }
        let mut values = Map::new();
        let known = self.recipe.values.iter();
        for named in known.filter(|named| self.message.is_some() || !named.is_of_message) {
            context.insert("value", &Value::Object(values.clone()));
            let value = named.tree.text(&self.filling(&|| Ok(&context)))?;
            values.insert(named.name.clone(), Value::String(value));
        }
        context.insert("value", &Value::Object(values));
        for (name, value) in &self.known {
            context.insert(name, value);
        }
        Ok(context)
    }
}

/// A text, or every text of what was taken from the answers to pieces.
fn texts_in(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(pieces) => {
            let pieces = pieces.iter().filter_map(Value::as_object);
            pieces
                .flat_map(Map::values)
                .filter_map(Value::as_str)
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The fields of `message`, in the language of recipes.
pub(super) const FIELDS: [&str; 20] = [
    "text",
    "spoken",
    "title",
    "summary",
    "html",
    "format",
    "bulletin",
    "ward",
    "ward_name",
    "delivery",
    "due",
    "deadline",
    "attempt",
    "priority",
    "hash",
    "slug",
    "sent_at",
    "sent_unix",
    "sent_unix_ms",
    "nonce",
];

/// `picture`: the picture of the article.
fn describe_picture(picture: &Picture) -> Value {
    serde_json::json!({
        "hash": picture.hash.as_str(),
        "type": picture.format.media_type(),
        "extension": picture.format.as_str(),
        "alt": picture.alt,
        "slug": picture.slug(),
    })
}

/// `message` as templates see it: the `wanted` fields, because making all of them for every call costs more than the
/// call's rendering.
fn describe(message: &Message, wanted: &[&'static str]) -> Value {
    let fields = wanted
        .iter()
        .map(|field| ((*field).to_owned(), field_of(message, field)));
    Value::Object(fields.collect())
}

fn field_of(message: &Message, field: &str) -> Value {
    match field {
        "attempt" => message.attempt.into(),
        _ => text_of(message, field).map_or(Value::Null, |text| text.into_owned().into()),
    }
}

/// A field of `message`, written out; `None` for what is none of [`FIELDS`].
pub(super) fn text_of<'a>(message: &'a Message, field: &str) -> Option<Cow<'a, str>> {
    let content = &message.content;
    Some(match field {
        "text" => Cow::Borrowed(&content.text),
        "spoken" => content.voiced(),
        "title" => Cow::Borrowed(&content.title),
        "summary" => Cow::Borrowed(content.summary.as_deref().unwrap_or_default()),
        "html" => Cow::Borrowed(content.html.as_deref().unwrap_or_default()),
        "format" => Cow::Borrowed(content.format.as_str()),
        "bulletin" => Cow::Borrowed(content.bulletin.as_str()),
        "ward" => Cow::Borrowed(message.ward.as_str()),
        "ward_name" => Cow::Borrowed(&message.ward_name),
        "delivery" => Cow::Borrowed(message.delivery.as_str()),
        "due" => Cow::Owned(message.due.to_rfc3339()),
        "deadline" => Cow::Owned(message.deadline.to_rfc3339()),
        "attempt" => Cow::Owned(message.attempt.to_string()),
        "priority" => Cow::Borrowed(message.priority.as_str()),
        "hash" => Cow::Borrowed(message.hash.as_str()),
        "slug" => Cow::Owned(message.slug()),
        "sent_at" => Cow::Owned(message.sent_at.to_rfc3339()),
        "sent_unix" => Cow::Owned((message.sent_at.as_micros() / 1_000_000).to_string()),
        "sent_unix_ms" => Cow::Owned((message.sent_at.as_micros() / 1_000).to_string()),
        "nonce" => Cow::Owned(message.nonce("")),
        _ => return None,
    })
}
