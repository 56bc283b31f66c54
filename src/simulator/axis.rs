//! An Axis loudspeaker as far as VAPIX plays sounds: media clips behind digest authentication, ten places, 1.5 MB each.
//!
//! Its answers are texts. Whoever knows what every secret is worth in a simulated world is let in, by any name. The proof is
//! checked here by the definition (RFC 7616, 3.4) and not by what the caller makes it with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    memory::{Effect, Memory},
    wire::{Answer, Request},
};
use crate::domain::secret::Secret;

/// How many clips it keeps.
const MOST: u32 = 10;
/// The largest upload, in bytes.
const LARGEST: usize = 3 * 512 * 1024;
/// The number that it makes callers use; a simulated one need not change.
const NONCE: &str = "c2ltdWxhdGVk";
const REALM: &str = "AXIS_SIMULATED";

/// A clip that was put there, or taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clip {
    /// Its place, from 0.
    pub number: u32,
    /// What it is called; none for one that was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The clips of one device, by their places.
pub(super) type Clips = BTreeMap<u32, String>;

/// Whether a request is meant for such a device.
pub(super) fn is_meant(path: &str) -> bool {
    path.contains("/axis-cgi/")
}

/// What it answers, what that does, and which clip is concerned: one that came or went, or the name of one that is played.
pub(super) fn answer(memory: &Memory, request: &Request) -> (Answer, Effect, Option<Clip>) {
    if !is_proven(request) {
        let challenge =
            format!("Digest realm=\"{REALM}\", nonce=\"{NONCE}\", algorithm=MD5, qop=\"auth\"");
        let answer = text(401, "401 Unauthorized").with("WWW-Authenticate", challenge);
        return (answer, Effect::Ignored, None);
    }
    let program = request.path.rsplit('/').next().unwrap_or_default();
    let action = request.parameter("action").unwrap_or_default();
    match (program, request.method.as_str(), action.as_str()) {
        ("param.cgi", "GET", "list") => (text(200, &list(&memory.clips)), Effect::Ignored, None),
        ("mediaclip.cgi", "POST", "upload") => upload(memory, request),
        ("mediaclip.cgi", "GET", "remove") => with_clip(memory, request, |number, _| {
            let gone = Clip { number, name: None };
            (format!("OK\nremoved={number}"), Effect::Kept, gone)
        }),
        ("mediaclip.cgi", "GET", "play") | ("playclip.cgi", "GET", _) => {
            with_clip(memory, request, |number, name| {
                let name = Some(name.to_owned());
                let played = Clip { number, name };
                (format!("OK\nplaying={number}"), Effect::Heard, played)
            })
        }
        ("mediaclip.cgi", "GET", "stop") | ("stopclip.cgi", "GET", _) => {
            let effect = match memory.playing() {
                Some(_) => Effect::Stopped,
                None => Effect::Ignored,
            };
            (text(200, "OK\nstopping"), effect, None)
        }
        _ => refused("Unknown action"),
    }
}

fn text(status: u16, body: &str) -> Answer {
    Answer {
        status,
        headers: vec![("Content-Type".into(), "text/plain".to_owned())],
        body: body.to_owned().into(),
    }
}

fn refused(why: &str) -> (Answer, Effect, Option<Clip>) {
    let answer = text(400, &format!("400 Bad Request{why}"));
    (answer, Effect::Ignored, None)
}

fn list(clips: &Clips) -> String {
    let head = format!(
        "root.MediaClip.MaxGroups={MOST}\nroot.MediaClip.MaxUploadSize=1.5\n\
         root.Properties.AudioClip.PlayOptions=repeat,volume\n"
    );
    let clips = clips
        .iter()
        .map(|(number, name)| format!("root.MediaClip.M{number}.Name={name}\n"));
    std::iter::once(head)
        .chain(clips)
        .collect::<Vec<_>>()
        .concat()
}

fn with_clip(
    memory: &Memory,
    request: &Request,
    act: impl FnOnce(u32, &str) -> (String, Effect, Clip),
) -> (Answer, Effect, Option<Clip>) {
    let number = request.parameter("clip").and_then(|clip| clip.parse().ok());
    let found = number.and_then(|number: u32| Some((number, memory.clips.get(&number)?)));
    let Some((number, name)) = found else {
        return refused("No such clip");
    };
    let (said, effect, clip) = act(number, name);
    (text(200, &said), effect, Some(clip))
}

fn upload(memory: &Memory, request: &Request) -> (Answer, Effect, Option<Clip>) {
    let is_form = request
        .header("content-type")
        .is_some_and(|media| media.starts_with("multipart/form-data; boundary="));
    let Some(name) = request.parameter("name").filter(|name| !name.is_empty()) else {
        return refused("Name is missing");
    };
    if !is_form || request.parameter("media").as_deref() != Some("audio") {
        return refused("Media is missing");
    }
    if request.body.len() > LARGEST {
        return refused("File too large");
    }
    let clips = &memory.clips;
    let same = clips.iter().find(|(_, known)| **known == name);
    let (number, word) = match same {
        Some((number, _)) => (*number, "Replaced"),
        None => match (0..MOST).find(|number| !clips.contains_key(number)) {
            Some(number) => (number, "uploaded"),
            None => return refused("No room"),
        },
    };
    let name = Some(name);
    let answer = text(200, &format!("OK\n{word}={number}"));
    (answer, Effect::Kept, Some(Clip { number, name }))
}

/// Whether the request carries a proof that only somebody who knows the password can make, by our challenge or one that took its place.
fn is_proven(request: &Request) -> bool {
    proof(request).is_some_and(|proof| proof.realm == REALM && proof.nonce.starts_with(NONCE))
}

/// What a proof was asked for by, where only somebody who knows the password can have made it (RFC 7616 with MD5 and `qop=auth`).
pub(crate) struct Proof {
    pub(crate) realm: String,
    pub(crate) nonce: String,
}

/// The proof that a request carries, if it is a good one.
pub(crate) fn proof(request: &Request) -> Option<Proof> {
    let proof = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Digest "))?;
    let field = |name: &str| {
        let found = proof.split(',').find_map(|part| {
            let (key, value) = part.trim().split_once('=')?;
            (key == name).then(|| value.trim_matches('"'))
        });
        found.unwrap_or_default()
    };
    let target = if request.query.is_empty() {
        request.path.clone()
    } else {
        format!("{}?{}", request.path, request.query)
    };
    // A list of several groups has a comma in its address.
    let uri = proof
        .split_once("uri=\"")
        .and_then(|(_, rest)| rest.split('"').next());
    let (realm, nonce) = (field("realm"), field("nonce"));
    let who = md5(&format!(
        "{}:{realm}:{}",
        field("username"),
        Secret::simulated().expose()
    ));
    let what = md5(&format!("{}:{target}", request.method));
    let expected = md5(&format!(
        "{who}:{nonce}:{}:{}:auth:{what}",
        field("nc"),
        field("cnonce")
    ));
    let is_good = uri == Some(target.as_str()) && field("response") == expected;
    is_good.then(|| Proof {
        realm: realm.to_owned(),
        nonce: nonce.to_owned(),
    })
}

fn md5(text: &str) -> String {
    use md5::{Digest as _, Md5};
    let digest: [u8; 16] = Md5::digest(text.as_bytes()).into();
    format!("{:032x}", u128::from_be_bytes(digest))
}
