//! Requests of a recipe: read once, written for each message.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use bytes::Bytes;
use serde_json::Value;

use super::{
    RecipeProblem, RecipeProblemKind, Scene,
    parts::Follows,
    pieces::{self, Pieces},
    text::{Reading, Text, Tree, cut},
};
use crate::{
    adapter::{Hidden, Request, digest, transport::Address},
    domain::{
        audio::Audio,
        picture::Picture,
        recipe::{self, PartValue, RequestSpec},
    },
    template::{digest_hex, percent, sha256_hex},
};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// What `request` may be asked for of the body's bytes, in headers.
const DIGESTS: [&str; 4] = ["body_md5", "body_sha1", "body_sha256", "body_sha512"];

/// Headers that belong to the connection and not to the message: whoever sets them can make one request into two.
const RESERVED: [&str; 8] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What a request may be made from of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Itself {
    /// Nothing.
    Nothing,
    /// When it is made.
    Moment,
    /// A header of the rest: what is signed.
    Rest,
}

/// A request, read.
#[derive(Debug)]
pub(super) struct Call {
    path: String,
    method: String,
    url: Text,
    headers: Vec<(String, Text)>,
    body: Body,
    /// Whether the recipe's way of proving who calls is left out.
    anonymous: bool,
    /// What of `request` it is made from.
    itself: Itself,
    /// The digests of the body that such headers name.
    digests: Vec<&'static str>,
    /// How the file in it is cut up.
    pieces: Option<Pieces>,
    /// Whether that file is the picture.
    has_picture: bool,
    follows: Follows,
}

#[derive(Debug)]
enum Body {
    Empty,
    Json(Tree),
    Form(Vec<(String, Text)>),
    Text(Text),
    Audio,
    Picture,
    Multipart(Vec<Part>),
}

#[derive(Debug)]
struct Part {
    name: String,
    value: Content,
    filename: Option<Text>,
    media_type: Option<Text>,
}

/// What a part holds.
#[derive(Debug)]
enum Content {
    Text(Text),
    Audio,
    Picture,
}

impl Content {
    fn text(&self) -> Option<&Text> {
        match self {
            Self::Text(text) => Some(text),
            Self::Audio | Self::Picture => None,
        }
    }
}

impl Call {
    pub(super) fn read(reading: &mut Reading, path: &str, spec: &RequestSpec) -> Self {
        if !METHODS.contains(&spec.method.as_str()) {
            reading.problem(
                &format!("{path}.method"),
                RecipeProblemKind::Method(spec.method.clone()),
            );
        }
        if let Some(pieces) = &spec.pieces
            && !spec.may_be_cut(path, pieces)
        {
            reading.problem(&format!("{path}.pieces"), RecipeProblemKind::Pieces);
        }
        let multipart = matches!(spec.body, recipe::Body::Multipart(_));
        let mut headers = Vec::new();
        let signs = spec
            .headers
            .values()
            .any(|value| value.contains("request."));
        let named = |digest: &&str| spec.headers.values().any(|value| value.contains(*digest));
        let digests = DIGESTS.into_iter().filter(named).collect();
        for (name, value) in &spec.headers {
            let path = format!("{path}.headers.{name}");
            let lower = name.to_ascii_lowercase();
            let reserved =
                RESERVED.contains(&lower.as_str()) || (multipart && lower == "content-type");
            if reserved || !is_token(name) {
                reading.problem(&path, RecipeProblemKind::HeaderName(name.clone()));
            }
            headers.push((name.clone(), reading.text(&path, value)));
        }
        Self {
            path: path.to_owned(),
            method: spec.method.clone(),
            url: reading.text(&format!("{path}.url"), &spec.url),
            headers,
            body: Body::read(reading, &format!("{path}.body"), &spec.body),
            anonymous: spec.anonymous,
            itself: if signs {
                Itself::Rest
            } else if spec.mentions("request.") {
                Itself::Moment
            } else {
                Itself::Nothing
            },
            digests,
            pieces: spec
                .pieces
                .as_ref()
                .map(|pieces| Pieces::read(reading, path, pieces)),
            has_picture: spec.body.has_picture(),
            follows: Follows::of(spec),
        }
    }

    /// Whether anything in it comes from a step.
    pub(super) fn follows(&self) -> bool {
        self.follows != Follows::Nothing
    }

    /// Whether its author wrote this header (in lower case).
    pub(super) fn sets(&self, name: &str) -> bool {
        let mut headers = self.headers.iter();
        headers.any(|(own, _)| own.eq_ignore_ascii_case(name))
    }

    /// How the file in it is cut up.
    pub(super) fn pieces(&self) -> Option<&Pieces> {
        self.pieces.as_ref()
    }

    /// Where it stands in the recipe.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The file that is in it.
    pub(super) fn file<'a>(&self, scene: &Scene<'a>) -> Result<&'a Bytes, RecipeProblem> {
        if self.has_picture {
            return shown(scene, &self.path).map(|(_, data)| data);
        }
        sound(scene, &self.path).map(|audio| &audio.data)
    }

    /// For trials: the same with a piece, where there is to be one.
    fn with_piece<'a>(&self, scene: &Scene<'a>) -> Option<Scene<'a>> {
        let is_missing = self.pieces.is_some() && scene.piece().is_none();
        is_missing.then(|| scene.of_piece(pieces::Piece::sample()))
    }

    /// Whether it goes to somebody who must not learn who calls.
    pub(super) fn is_anonymous(&self) -> bool {
        self.anonymous
    }

    /// Whether this request proves who calls in the recipe's way.
    pub(super) fn is_known(&self) -> bool {
        !self.anonymous && !self.headers.iter().any(|(name, _)| digest::is_header(name))
    }

    /// The request with everything filled in; `turn` counts the exchanges before it in the attempt, `key` is the idempotency key, for calls with an effect, and `address` where the
    /// call goes, if that is known.
    pub(super) fn write(
        &self,
        scene: &Scene<'_>,
        turn: usize,
        key: Option<&str>,
        address: Option<&Address>,
    ) -> Result<Request, RecipeProblem> {
        let with_piece = self.with_piece(scene);
        let scene = with_piece.as_ref().unwrap_or(scene);
        let moment = (self.itself != Itself::Nothing).then(|| scene.moment(turn));
        let dated = moment.clone().map(|moment| scene.and("request", moment));
        let scene = dated.as_ref().unwrap_or(scene);
        let url = address.map_or_else(|| self.address(scene), |known| Ok(known.clone()))?;
        let (media_type, body) = self.body.write(scene, &self.path)?;
        let signing = (self.itself == Itself::Rest)
            .then(|| scene.and("request", self.describe(moment, &url, &body)));
        let mut headers = Vec::with_capacity(self.headers.len() + 3);
        let own = signing.as_ref().unwrap_or(scene);
        for (name, value) in &self.headers {
            let value = own.text(value)?;
            if value.chars().any(char::is_control) {
                let path = format!("{}.headers.{name}", self.path);
                return Err(RecipeProblem {
                    path,
                    kind: RecipeProblemKind::HeaderValue,
                });
            }
            headers.push((name.clone(), value.into_owned()));
        }
        let auth = scene.auth().filter(|_| self.is_known());
        if let Some(value) = auth.map(|auth| auth.value(scene)).transpose()?.flatten() {
            if value.chars().any(char::is_control) {
                return Err(RecipeProblem {
                    path: "auth".to_owned(),
                    kind: RecipeProblemKind::HeaderValue,
                });
            }
            headers.push((digest::HEADER.to_owned(), value));
        }
        let has = |wanted: &str| {
            self.headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(wanted))
        };
        headers.extend(
            media_type
                .filter(|_| !has("content-type"))
                .map(|value| ("Content-Type".to_owned(), value)),
        );
        headers.extend(
            key.filter(|_| !has("idempotency-key"))
                .map(|key| ("Idempotency-Key".to_owned(), key.to_owned())),
        );
        Ok(Request {
            method: self.method.clone(),
            url,
            headers,
            body,
            wait: Duration::ZERO,
            hidden: Hidden {
                answer: false,
                values: scene.taken(),
            },
            login: None,
        })
    }

    /// `request` as the templates of headers see it: its `moment`, and what is signed.
    fn describe(&self, moment: Option<Value>, url: &str, body: &Bytes) -> Value {
        let mut request = moment.unwrap_or_default();
        request["method"] = self.method.as_str().into();
        request["url"] = url.into();
        request["path"] = digest::target(url).into();
        // Sound is no text: whoever names it would sign nothing, and is told so. For that there are the digests.
        if self.body.is_text() {
            request["body"] = std::str::from_utf8(body).unwrap_or_default().into();
        }
        for name in &self.digests {
            request[*name] = match *name {
                "body_md5" => digest_hex::<md5::Md5>(body),
                "body_sha1" => digest_hex::<sha1::Sha1>(body),
                "body_sha512" => digest_hex::<sha2::Sha512>(body),
                _ => sha256_hex(body),
            }
            .into();
        }
        request
    }

    /// The host of the address with everything filled in.
    pub(super) fn host(&self, scene: &Scene<'_>) -> Result<String, RecipeProblem> {
        let with_piece = self.with_piece(scene);
        let scene = with_piece.as_ref().unwrap_or(scene);
        let dated = scene.and("request", scene.moment(0));
        let address = self.address(&dated)?;
        address.host().ok_or_else(|| self.no_address())
    }

    /// The address, if it is the same for everything that the channel is sent.
    pub(super) fn one_place(&self, scene: &Scene<'_>) -> Option<Address> {
        let is_one = self.url.is_of_channel();
        is_one.then(|| self.address(scene).ok()).flatten()
    }

    /// The address with everything filled in. Whether it has a host is for the transport to say, which reads it anyway.
    fn address(&self, scene: &Scene<'_>) -> Result<Address, RecipeProblem> {
        let url = scene.text(&self.url)?;
        // Readers of addresses drop tabs and line breaks silently; here they are a mistake.
        let http = url.starts_with("http://") || url.starts_with("https://");
        if !http {
            return Err(self.no_address());
        }
        if url.chars().any(|c| c.is_control() || c == ' ') {
            return Err(RecipeProblem {
                path: format!("{}.url", self.path),
                kind: RecipeProblemKind::Blank,
            });
        }
        Ok(url.into_owned().into())
    }

    fn no_address(&self) -> RecipeProblem {
        RecipeProblem {
            path: format!("{}.url", self.path),
            kind: RecipeProblemKind::Address,
        }
    }

    /// Tries what no step has a part in of a request that one has: an address, and numbers.
    pub(super) fn known(&self, scene: &Scene<'_>) -> Result<(), RecipeProblem> {
        if self.follows != Follows::Address {
            self.host(scene)?;
        }
        match &self.body {
            Body::Json(tree) => scene.and("request", scene.moment(0)).spelt(tree),
            _ => Ok(()),
        }
    }

    /// Everything in it, rendered alone, for trials: one mistake does not hide the next.
    pub(super) fn each(&self, scene: &Scene<'_>, mistake: &mut impl FnMut(RecipeProblem)) {
        let with_piece = self.with_piece(scene);
        let scene = with_piece.as_ref().unwrap_or(scene);
        let scene = &scene.and("request", scene.moment(0));
        if self.itself == Itself::Rest {
            let known = self.describe(Some(scene.moment(0)), "", &Bytes::new());
            let scene = scene.and("request", known);
            for (_, value) in &self.headers {
                scene.text(value).map_or_else(&mut *mistake, drop);
            }
        }
        let mut text = |text: &Text| {
            if let Err(problem) = scene.text(text) {
                mistake(problem);
            }
        };
        text(&self.url);
        let is_signed = self.itself == Itself::Rest;
        let headers = self.headers.iter().filter(|_| !is_signed);
        headers.for_each(|(_, value)| text(value));
        match &self.body {
            Body::Empty | Body::Audio | Body::Picture => {}
            Body::Form(fields) => fields.iter().for_each(|(_, value)| text(value)),
            Body::Text(body) => text(body),
            Body::Multipart(parts) => {
                for part in parts {
                    let more = [&part.filename, &part.media_type];
                    let texts = part.value.text().into_iter();
                    texts.chain(more.into_iter().flatten()).for_each(&mut text);
                }
            }
            Body::Json(tree) => each_leaf(tree, &mut text),
        }
    }
}

/// Every text in a tree.
pub(super) fn each_leaf(tree: &Tree, text: &mut impl FnMut(&Text)) {
    match tree {
        Tree::Value(_) | Tree::Audio { .. } | Tree::Picture { .. } => {}
        Tree::Text(leaf) | Tree::Number { text: leaf, .. } | Tree::Parse { text: leaf, .. } => {
            text(leaf);
        }
        Tree::List(items) => items.iter().for_each(|item| each_leaf(item, text)),
        Tree::Map(entries) => entries.iter().for_each(|(_, tree)| each_leaf(tree, text)),
        Tree::Json(tree) | Tree::Base64(tree) => each_leaf(tree, text),
    }
}

impl Body {
    /// Whether it is text whatever the message holds.
    fn is_text(&self) -> bool {
        match self {
            Self::Empty | Self::Json(_) | Self::Form(_) | Self::Text(_) => true,
            Self::Audio | Self::Picture => false,
            Self::Multipart(parts) => parts.iter().all(|part| part.value.text().is_some()),
        }
    }

    fn read(reading: &mut Reading, path: &str, body: &recipe::Body) -> Self {
        match body {
            recipe::Body::Empty => Self::Empty,
            recipe::Body::Audio => Self::Audio,
            recipe::Body::Picture => Self::Picture,
            recipe::Body::Json(value) => Self::Json(reading.tree(&format!("{path}.json"), value)),
            recipe::Body::Text(text) => Self::Text(reading.text(&format!("{path}.text"), text)),
            recipe::Body::Form(fields) => Self::Form(
                fields
                    .iter()
                    .map(|field| {
                        let path = format!("{path}.{}", field.path);
                        (field.name.clone(), reading.text(&path, &field.value))
                    })
                    .collect(),
            ),
            recipe::Body::Multipart(parts) => {
                Self::Multipart(Self::read_parts(reading, path, parts))
            }
        }
    }

    fn read_parts(
        reading: &mut Reading,
        path: &str,
        parts: &BTreeMap<String, recipe::Part>,
    ) -> Vec<Part> {
        let mut read = Vec::new();
        for (name, part) in parts {
            let path = format!("{path}.multipart.{name}");
            let mut optional = |key: &str, text: &Option<String>| {
                text.as_ref()
                    .map(|text| reading.text(&format!("{path}.{key}"), text))
            };
            let filename = optional("filename", &part.filename);
            let media_type = optional("type", &part.media_type);
            let value = match &part.value {
                PartValue::Text(text) => {
                    Content::Text(reading.text(&format!("{path}.value"), text))
                }
                PartValue::Audio => Content::Audio,
                PartValue::Picture => Content::Picture,
            };
            read.push(Part {
                name: name.clone(),
                value,
                filename,
                media_type,
            });
        }
        read
    }

    /// The media type and the bytes.
    fn write(
        &self,
        scene: &Scene<'_>,
        path: &str,
    ) -> Result<(Option<String>, Bytes), RecipeProblem> {
        let (media_type, body) = match self {
            Self::Empty => return Ok((None, Bytes::new())),
            Self::Audio => {
                let audio = sound(scene, path)?;
                let media_type = audio.sound.format.media_type();
                return Ok((Some(media_type.to_owned()), cut(&audio.data, scene.piece())));
            }
            Self::Picture => {
                let (picture, data) = shown(scene, path)?;
                let media_type = picture.format.media_type();
                return Ok((Some(media_type.to_owned()), cut(data, scene.piece())));
            }
            Self::Json(tree) => {
                let json = scene.json(tree)?;
                return Ok((Some("application/json".to_owned()), Bytes::from(json)));
            }
            Self::Text(text) => (
                "text/plain; charset=utf-8".to_owned(),
                scene.text(text)?.into_owned(),
            ),
            Self::Form(fields) => {
                let mut pairs = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    pairs.push(format!(
                        "{}={}",
                        form_encode(name),
                        form_encode(&scene.text(value)?)
                    ));
                }
                (
                    "application/x-www-form-urlencoded".to_owned(),
                    pairs.join("&"),
                )
            }
            Self::Multipart(parts) => {
                let (media_type, body) = write_multipart(parts, scene, path)?;
                return Ok((Some(media_type), body));
            }
        };
        Ok((Some(media_type), Bytes::from(body)))
    }
}

fn sound<'a>(scene: &Scene<'a>, path: &str) -> Result<&'a Audio, RecipeProblem> {
    scene.audio().ok_or_else(|| RecipeProblem {
        path: path.to_owned(),
        kind: RecipeProblemKind::NoAudio,
    })
}

fn shown<'a>(scene: &Scene<'a>, path: &str) -> Result<(&'a Picture, &'a Bytes), RecipeProblem> {
    scene.picture().ok_or_else(|| RecipeProblem {
        path: path.to_owned(),
        kind: RecipeProblemKind::NoPicture,
    })
}

/// RFC 7578. The boundary is a hash of everything between the boundaries, so that no content can contain it.
fn write_multipart(
    parts: &[Part],
    scene: &Scene<'_>,
    path: &str,
) -> Result<(String, Bytes), RecipeProblem> {
    let mut written: Vec<(String, Bytes)> = Vec::with_capacity(parts.len());
    let mut between = blake3::Hasher::new();
    for part in parts {
        let mut head = format!(
            "Content-Disposition: form-data; name=\"{}\"",
            quoted(&part.name)
        );
        if let Some(filename) = &part.filename {
            head.push_str("; filename=\"");
            head.push_str(&quoted(&scene.text(filename)?));
            head.push('"');
        }
        let own = part.media_type.as_ref().map(|text| scene.text(text));
        let (known, content) = match &part.value {
            Content::Text(text) => (None, Bytes::from(scene.text(text)?.into_owned())),
            Content::Audio => {
                let audio = sound(scene, path)?;
                let data = cut(&audio.data, scene.piece());
                (Some(audio.sound.format.media_type()), data)
            }
            Content::Picture => {
                let (picture, data) = shown(scene, path)?;
                (Some(picture.format.media_type()), cut(data, scene.piece()))
            }
        };
        let media_type = own.transpose()?.or_else(|| known.map(Cow::Borrowed));
        if let Some(media_type) = media_type {
            head.push_str("\r\nContent-Type: ");
            // A line break here would begin a header of the content's own making.
            head.extend(media_type.chars().filter(|letter| !letter.is_control()));
        }
        between.update(head.as_bytes()).update(b"\r\n\r\n");
        between.update(&content).update(b"\0");
        written.push((head, content));
    }
    let boundary = between.finalize().to_hex();
    let boundary = &boundary.as_str()[..32];
    let mut body = Vec::new();
    for (head, content) in written {
        body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
        body.extend_from_slice(&content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let media_type = format!("multipart/form-data; boundary={boundary}");
    Ok((media_type, Bytes::from(body)))
}

/// A name inside quotation marks, escaped as browsers do (WHATWG HTML, multipart form data).
fn quoted(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A form's name or value (WHATWG URL, application/x-www-form-urlencoded).
fn form_encode(text: &str) -> String {
    let stays = |byte: u8| byte.is_ascii_alphanumeric() || b" *-._".contains(&byte);
    percent(text, stays).replace(' ', "+")
}

/// RFC 9110's token: what may name a header.
fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
