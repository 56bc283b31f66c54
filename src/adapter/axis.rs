//! Axis network loudspeakers by VAPIX, their HTTP interface (<https://developer.axis.com/vapix/audio-systems/media-clip-api>):
//! a sound is put on the device as a *media clip* and then played.
//!
//! - A clip is named `loa-TIME-HASH` after its sound, so that the same sound crosses the ward's modem once.
//! - A device keeps few clips (`MediaClip.MaxGroups`, ten by default). Where all places are taken, the oldest one of ours makes
//!   room; somebody else's never does.
//! - Answers are texts, and devices in the field write them in other ways than the manual: `uploaded=3`, `Uploaded=3`,
//!   `Replaced=3`, `updated=MediaClip.M3`.
//! - `playing=3` says that the device began. Nothing says that anybody heard it, and it cannot be asked later: so what it takes
//!   is *accepted* and no more, and doubt goes to a person.

use std::fmt;

use bytes::Bytes;

use super::{
    Adapter, Exchange, Failure, Hidden, Request, Response, Step, classify,
    course::{Course, Halt},
    digest::Caller,
    quote, transport,
};
use crate::domain::{
    audio::Audio, channel::AxisConfig, delivery::Reason, detail::Detail, message::Message,
    secret::Secret,
};

/// How the names of our clips begin.
const OURS: &str = "loa-";

/// How much of a sound's hash its clip is named after: enough to tell ten clips apart, and short enough for a name.
const HASH_DIGITS: usize = 20;

/// Where the device does not say how many clips it keeps, and how large one may be.
const MOST_CLIPS: usize = 10;
/// 1.5 MB, in KiB.
pub const MOST_KIBIBYTES: u32 = 1_536;

/// A channel that is an Axis loudspeaker.
pub struct AxisAdapter {
    base: String,
    host: String,
    user: String,
    password: Secret,
    volume: Option<u16>,
}

/// The address is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address is not one that begins with http:// or https://")]
pub struct NoAddress;

impl fmt::Debug for AxisAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AxisAdapter")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// What the device says of its clips.
#[derive(Debug, PartialEq)]
struct Clips {
    /// Number and name.
    all: Vec<(u32, String)>,
    most: usize,
    most_bytes: f64,
    /// Whether a volume may be named when a clip is played.
    takes_volume: bool,
}

impl Clips {
    /// Reads a list of parameters, one `root.MediaClip.M0.Name=…` a line; `None` where it is none.
    fn read(text: &str) -> Option<Self> {
        let mut clips = Self {
            all: Vec::new(),
            most: MOST_CLIPS,
            most_bytes: f64::from(MOST_KIBIBYTES) / 1024.0,
            takes_volume: true,
        };
        let mut is_list = false;
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            let key = key.strip_prefix("root.").unwrap_or(&key);
            if key == "properties.audioclip.playoptions" {
                let mut options = value.split(|c: char| c == ',' || c.is_whitespace());
                clips.takes_volume = options.any(|option| option.eq_ignore_ascii_case("volume"));
            }
            let Some(key) = key.strip_prefix("mediaclip.") else {
                continue;
            };
            is_list = true;
            match key {
                "maxgroups" => clips.most = value.parse().unwrap_or(clips.most),
                "maxuploadsize" => clips.most_bytes = value.parse().unwrap_or(clips.most_bytes),
                _ => {
                    let number = key.strip_suffix(".name").and_then(number);
                    clips
                        .all
                        .extend(number.map(|number| (number, value.to_owned())));
                }
            }
        }
        clips.most_bytes *= 1024.0 * 1024.0;
        is_list.then_some(clips)
    }

    /// The clip of a sound.
    fn of(&self, audio: &Audio) -> Option<u32> {
        let hash = short(audio);
        let mut all = self.all.iter();
        let (number, _) = all.find(|(_, name)| is_ours(name) && name.ends_with(hash))?;
        Some(*number)
    }

    /// The one of ours that was put there first.
    fn oldest(&self) -> Option<u32> {
        let ours = self.all.iter().filter(|(_, name)| is_ours(name));
        let time = |name: &str| {
            let time = name[OURS.len()..].split('-').next();
            time.and_then(|time| time.parse::<u64>().ok()).unwrap_or(0)
        };
        ours.min_by_key(|(number, name)| (time(name), *number))
            .map(|(number, _)| *number)
    }
}

fn is_ours(name: &str) -> bool {
    name.starts_with(OURS)
}

fn short(audio: &Audio) -> &str {
    &audio.sound.hash.as_str()[..HASH_DIGITS]
}

/// The number of a clip: `3`, `M3` or `MediaClip.M3`.
fn number(text: &str) -> Option<u32> {
    let last = text.rsplit('.').next()?.trim();
    last.trim_start_matches(['m', 'M']).parse().ok()
}

/// What a text answer says under one of `words`: `uploaded=3`.
fn said<'t>(answer: &'t str, words: &[&str]) -> Option<&'t str> {
    answer.lines().find_map(|line| {
        let (word, value) = line.split_once('=')?;
        let is_it = |known: &&str| known.eq_ignore_ascii_case(word.trim());
        words.iter().any(is_it).then(|| value.trim())
    })
}

/// A text without the tags of a page around it.
fn bare(page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    let mut is_tag = false;
    for letter in page.chars() {
        match letter {
            '<' => is_tag = true,
            '>' if is_tag => {
                is_tag = false;
                text.push(' ');
            }
            _ if is_tag => {}
            other => text.push(other),
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How many letters of an answer that is not as agreed are told.
const TOLD: usize = 80;

impl AxisAdapter {
    /// The adapter of one channel.
    ///
    /// # Errors
    /// [`NoAddress`].
    pub fn new(config: &AxisConfig, password: Secret) -> Result<Self, NoAddress> {
        Ok(Self {
            base: config.url.trim_end_matches('/').to_owned(),
            host: transport::host(&config.url).ok_or(NoAddress)?,
            user: config.user.clone(),
            password,
            volume: config.volume,
        })
    }

    /// An answer that is not what the manual says, with its beginning.
    fn odd_answer(&self, exchange: &Exchange) -> Detail {
        let answer = exchange.result.as_ref().ok();
        let text = answer.map(|answer| String::from_utf8_lossy(&answer.body));
        let text = text.as_deref().unwrap_or_default();
        let text = quote(text, self.secrets(), TOLD);
        Detail::new("call-axis-answer").with("answer", text)
    }

    /// What a call came to that did not succeed. A device says in its own words why it does not do what it is asked to
    /// (`400 Bad Request<message>`).
    fn refused(&self, exchange: &Exchange) -> Failure {
        let failure = classify(exchange);
        let answer = exchange.result.as_ref().ok();
        let answer = answer.filter(|answer| answer.status == 400);
        let Some(answer) = answer.filter(|answer| !answer.body.trim_ascii().is_empty()) else {
            return failure;
        };
        let text = bare(&String::from_utf8_lossy(&answer.body));
        let detail = Detail::new("call-axis-refused")
            .with("status", answer.status)
            .with("answer", quote(&text, self.secrets(), TOLD));
        failure.saying(detail)
    }

    /// The same to a call that nobody hears.
    fn odd(&self, exchange: &Exchange) -> Halt {
        Halt::Failed(match self.refused(exchange).without_effect() {
            Failure::Reject {
                reason: Reason::Unexpected,
                ..
            } => Failure::reject(Reason::Unexpected, self.odd_answer(exchange)),
            other => other,
        })
    }

    fn caller<'a>(&'a self, message: Option<&'a Message>) -> Caller<'a> {
        Caller {
            user: &self.user,
            password: self.password.expose(),
            message,
        }
    }

    fn get(&self, target: &str) -> Request {
        Request {
            method: "GET".to_owned(),
            url: format!("{}/axis-cgi/{target}", self.base).into(),
            headers: Vec::new(),
            body: Bytes::new(),
            wait: std::time::Duration::ZERO,
            hidden: Hidden::default(),
            login: None,
        }
    }

    fn clips<'d>(
        &self,
        caller: Caller<'_>,
        course: &mut Course<'d>,
    ) -> Result<(&'d Exchange, Clips), Halt> {
        let list = "param.cgi?action=list&group=MediaClip,Properties.AudioClip";
        let exchange = course.call(caller, || self.get(list))?;
        let answer = exchange.result.as_ref().ok();
        let clips = answer
            .filter(|answer| answer.is_success())
            .and_then(|answer| Clips::read(&String::from_utf8_lossy(&answer.body)));
        clips.map_or_else(|| Err(self.odd(exchange)), |clips| Ok((exchange, clips)))
    }

    fn stop<'d>(
        &self,
        message: &Message,
        course: &mut Course<'d>,
    ) -> Result<Option<&'d Exchange>, Halt> {
        if !message.preempts {
            return Ok(None);
        }
        let caller = self.caller(Some(message));
        let stop = || self.get("mediaclip.cgi?action=stop");
        course.call(caller, stop).map(Some)
    }

    fn course(&self, message: &Message, done: &[Exchange]) -> Result<Step, Halt> {
        let Some(audio) = &message.audio else {
            let detail = Detail::new("call-no-audio");
            return Err(Halt::Failed(Failure::reject(Reason::Unwritable, detail)));
        };
        let mut course = Course::of(done);
        let caller = self.caller(Some(message));
        // Whatever the device makes of that, the emergency is sent: to be heard late is better than not to be heard.
        self.stop(message, &mut course)?;
        let (_, clips) = self.clips(caller, &mut course)?;
        let clip = match clips.of(audio) {
            Some(clip) => clip,
            None => self.upload(message, audio, &clips, &mut course)?,
        };
        let volume = self.volume.filter(|_| clips.takes_volume);
        let exchange = course.call(caller, || {
            let volume = volume.map_or_else(String::new, |volume| format!("&volume={volume}"));
            let mut play = self.get(&format!("mediaclip.cgi?action=play&clip={clip}{volume}"));
            let key = message.delivery.as_str().to_owned();
            play.headers.push(("Idempotency-Key".to_owned(), key));
            play
        })?;
        let answer = exchange
            .result
            .as_ref()
            .ok()
            .filter(|answer| answer.is_success());
        let Some(answer) = answer else {
            return Ok(Step::Failed(self.refused(exchange)));
        };
        let text = String::from_utf8_lossy(&answer.body);
        Ok(if said(&text, &["playing"]).is_some() {
            Step::accepted(Some(format!("clip {clip}")))
        } else {
            // It may be playing: a success that does not read as agreed is no refusal.
            let detail = self.odd_answer(exchange);
            Step::Failed(Failure::unknown(Reason::Unexpected, detail))
        })
    }

    /// Puts a sound on the device, after making room for it, and gives its number there. Nobody hears any of this.
    fn upload(
        &self,
        message: &Message,
        audio: &Audio,
        clips: &Clips,
        course: &mut Course<'_>,
    ) -> Result<u32, Halt> {
        let caller = self.caller(Some(message));
        let refused = |detail| Halt::Failed(Failure::reject(Reason::Unwritable, detail));
        #[expect(
            clippy::cast_precision_loss,
            reason = "sizes of sounds are far below 2^52"
        )]
        if audio.data.len() as f64 > clips.most_bytes {
            let megabytes = |bytes: f64| format!("{:.1}", bytes / 1024.0 / 1024.0);
            return Err(refused(
                Detail::new("call-axis-too-large")
                    .with("megabytes", megabytes(audio.data.len() as f64))
                    .with("most", megabytes(clips.most_bytes)),
            ));
        }
        if clips.all.len() >= clips.most {
            let Some(oldest) = clips.oldest() else {
                return Err(refused(
                    Detail::new("call-axis-full").with("most", clips.most),
                ));
            };
            let remove = format!("mediaclip.cgi?action=remove&clip={oldest}");
            let exchange = course.call(caller, || self.get(&remove))?;
            if !exchange.result.as_ref().is_ok_and(Response::is_success) {
                return Err(self.odd(exchange));
            }
        }
        let exchange = course.call(caller, || self.upload_of(message, audio))?;
        let Some(answer) = exchange
            .result
            .as_ref()
            .ok()
            .filter(|answer| answer.is_success())
        else {
            return Err(self.odd(exchange));
        };
        let text = String::from_utf8_lossy(&answer.body);
        if let Some(clip) = said(&text, &["uploaded", "replaced", "updated"]).and_then(number) {
            return Ok(clip);
        }
        // Some firmware says only that it went well; then the list knows.
        let (exchange, clips) = self.clips(caller, course)?;
        clips.of(audio).ok_or_else(|| self.odd(exchange))
    }

    fn upload_of(&self, message: &Message, audio: &Audio) -> Request {
        let time = message.sent_at.as_micros().div_euclid(1_000_000);
        let name = format!("{OURS}{time}-{}", short(audio));
        // The hash cannot stand in the sound that it is of.
        let boundary = audio.sound.hash.as_str();
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}.{}\"\r\nContent-Type: \
             {}\r\n\r\n",
            audio.sound.format.as_str(),
            audio.sound.format.media_type()
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        let body = [head.as_bytes(), &audio.data, tail.as_bytes()].concat();
        let target = format!("mediaclip.cgi?action=upload&media=audio&name={name}");
        Request {
            method: "POST".to_owned(),
            headers: vec![(
                "Content-Type".to_owned(),
                format!("multipart/form-data; boundary={boundary}"),
            )],
            body: Bytes::from(body),
            ..self.get(&target)
        }
    }

    fn question(&self, done: &[Exchange]) -> Result<Step, Halt> {
        let (_, clips) = self.clips(self.caller(None), &mut Course::of(done))?;
        Ok(if self.volume.is_some() && !clips.takes_volume {
            let detail = Detail::new("call-axis-no-volume");
            Step::Failed(Failure::reject(Reason::Unexpected, detail))
        } else {
            Step::accepted(None)
        })
    }
}

impl Adapter for AxisAdapter {
    fn step(&self, message: &Message, done: &[Exchange]) -> Step {
        self.course(message, done).unwrap_or_else(Step::from)
    }

    fn can_stop(&self) -> bool {
        true
    }

    fn answers_challenges(&self) -> bool {
        true
    }

    fn stopped(&self, message: &Message, done: &[Exchange]) -> Option<bool> {
        let exchange = self.stop(message, &mut Course::of(done)).ok()??;
        // A login page says 200, too.
        let says_so = |answer: &Response| {
            let text = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
            answer.is_success()
                && (text.trim_start().starts_with("ok") || text.contains("stopping"))
        };
        Some(exchange.result.as_ref().is_ok_and(says_so))
    }

    fn probe(&self, done: &[Exchange]) -> Option<Step> {
        Some(self.question(done).unwrap_or_else(Step::from))
    }

    fn name(&self) -> &'static str {
        "axis"
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn secrets(&self) -> &[Secret] {
        std::slice::from_ref(&self.password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_clips_are_read_however_devices_write_them() {
        let text = "root.MediaClip.MaxGroups=20\r\nroot.MediaClip.MaxUploadSize=10\r\n\
             root.MediaClip.M0.Name=Chuong\r\nroot.MediaClip.M0.Location=/etc/a=b.au\r\nmediaclip.m12.name= loa-5-a \r\n\
             # Error: Error -1 getting param in group 'x'\r\nroot.Properties.AudioClip.PlayOptions=repeat, Volume";
        let clips = Clips::read(text).unwrap();
        let all = [(0, "Chuong".to_owned()), (12, "loa-5-a".to_owned())];
        assert_eq!((clips.all.as_slice(), clips.most), (all.as_slice(), 20));
        assert!(clips.takes_volume && (clips.most_bytes - 10.0 * 1_048_576.0).abs() < 1.0);
        assert_eq!(clips.oldest(), Some(12));
        let least = Clips::read(
            "root.MediaClip.MaxGroups=x\nroot.Properties.AudioClip.PlayOptions=repeat\n",
        )
        .unwrap();
        assert_eq!(
            (least.most, least.takes_volume, least.oldest()),
            (10, false, None)
        );
        for none in ["", "<html>", "root.Brand.Brand=AXIS"] {
            assert_eq!(Clips::read(none), None, "{none}");
        }
    }

    #[test]
    fn the_oldest_of_ours_goes_first() {
        let list = |names: &[&str]| {
            let lines = names
                .iter()
                .enumerate()
                .map(|(at, name)| format!("root.MediaClip.M{at}.Name={name}\n"));
            Clips::read(&lines.collect::<Vec<_>>().concat())
                .unwrap()
                .oldest()
        };
        assert_eq!(
            list(&["x", "loa-300-a", "loa-200-b", "loa-1000-c"]),
            Some(2)
        );
        assert_eq!(list(&["loa-300-a", "loa-", "loa-x"]), Some(1));
        assert_eq!(list(&["xloa-1-a"]), None);
    }

    #[test]
    fn answers_are_read_however_devices_write_them() {
        for (answer, clip) in [
            ("OK\nuploaded=3", Some(3)),
            ("OK\r\nUploaded = M3\r\n", Some(3)),
            ("Replaced=3", Some(3)),
            ("OK\nupdated=MediaClip.M3\n", Some(3)),
            ("OK", None),
            ("uploaded=", None),
            ("not uploaded=3", None),
        ] {
            let read = said(answer, &["uploaded", "replaced", "updated"]).and_then(number);
            assert_eq!(read, clip, "{answer}");
        }
    }
}
