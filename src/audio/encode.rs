//! WAV → MP3 or Opus, by programs that every distribution has (`lame`, `opusenc`) and that can be exchanged in `loa.yaml`.
//!
//! Programs and not libraries: LAME and libopus are C with build systems of their own, LAME is LGPL, and only channels
//! that cannot play WAV need them. A program that is missing is a failure with its name; one that writes something else is
//! found out by the first bytes.

use super::{
    AudioError,
    process::{ProcessError, Workshop},
};
use crate::domain::audio::{AudioFormat, AudioSettings, Program};

/// Packs a WAV file. What is WAV already stays as it is.
pub(super) async fn encode(
    workshop: &Workshop,
    settings: &AudioSettings,
    format: AudioFormat,
    wav: Vec<u8>,
) -> Result<Vec<u8>, AudioError> {
    let Some(program) = program(settings, format) else {
        return Ok(wav);
    };
    let packed = workshop
        .run(program, &program.arguments, &wav)
        .await
        .map_err(|error| match error {
            ProcessError::Missing { program } => AudioError::NoEncoder { program, format },
            error => AudioError::Process(error),
        })?;
    if !is(format, &packed) {
        return Err(AudioError::NotPacked {
            program: program.name.clone(),
            format,
        });
    }
    Ok(packed)
}

/// What packs `format`.
pub(super) fn program(settings: &AudioSettings, format: AudioFormat) -> Option<&Program> {
    match format {
        AudioFormat::Wav => None,
        AudioFormat::Mp3 => Some(&settings.mp3),
        AudioFormat::Opus => Some(&settings.opus),
    }
}

/// Whether bytes begin as files of that format do: an ID3 tag or a frame's sync of eleven ones; an Ogg page with `OpusHead`
/// (RFC 7845, 5.1).
fn is(format: AudioFormat, bytes: &[u8]) -> bool {
    match format {
        AudioFormat::Wav => bytes.starts_with(b"RIFF"),
        AudioFormat::Mp3 => {
            bytes.starts_with(b"ID3")
                || matches!(bytes, [0xff, second, _, _, ..] if second & 0xe0 == 0xe0)
        }
        AudioFormat::Opus => bytes.starts_with(b"OggS") && bytes.get(28..36) == Some(b"OpusHead"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes() {
        assert!(is(AudioFormat::Mp3, &[0xff, 0xf3, 0x44, 0xc4]));
        assert!(is(AudioFormat::Mp3, b"ID3\x04"));
        assert!(!is(AudioFormat::Mp3, b"RIFF"));
        assert!(!is(AudioFormat::Mp3, b""));
        let mut page = b"OggS".to_vec();
        page.resize(28, 0);
        page.extend(b"OpusHead");
        assert!(is(AudioFormat::Opus, &page));
        assert!(!is(AudioFormat::Opus, &page[..30]));
    }
}
