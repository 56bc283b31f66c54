//! `audio`: what templates may know of the sound that goes out with a message.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use crate::{
    domain::audio::Audio,
    template::{digest_hex, sha256_hex},
};

/// What is made of the sound's bytes. That takes time, so it is made only where a template names it.
const OF_BYTES: [&str; 4] = ["md5", "sha1", "sha256", "base64"];

/// Those of [`OF_BYTES`] that `templates` may ask for: by name, or all of them where one is picked by a computed name.
pub(super) fn wanted(templates: &[(String, String)]) -> Vec<&'static str> {
    let has = |words: &str| templates.iter().any(|(_, text)| text.contains(words));
    let is_open = ["audio[", "audio |", "audio|", "in audio"]
        .into_iter()
        .any(has);
    let named = |field: &&str| is_open || has(&format!("audio.{field}"));
    OF_BYTES.into_iter().filter(named).collect()
}

/// `audio` with what is `wanted` of [`OF_BYTES`]; `None` for all of it.
pub(super) fn describe(audio: &Audio, wanted: Option<&[&'static str]>) -> Value {
    let sound = &audio.sound;
    let mut fields = Map::new();
    let mut is = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    is("hash", sound.hash.as_str().into());
    is("type", sound.format.media_type().into());
    is("extension", sound.format.as_str().into());
    is("bytes", sound.size.into());
    is(
        "seconds",
        u64::try_from(sound.length.as_millis().div_ceil(1_000))
            .unwrap_or(u64::MAX)
            .into(),
    );
    for name in wanted.unwrap_or(&OF_BYTES) {
        is(name, made(name, &audio.data).into());
    }
    Value::Object(fields)
}

fn made(name: &str, bytes: &[u8]) -> String {
    match name {
        "md5" => digest_hex::<md5::Md5>(bytes),
        "sha1" => digest_hex::<sha1::Sha1>(bytes),
        "sha256" => sha256_hex(bytes),
        _ => STANDARD.encode(bytes),
    }
}
