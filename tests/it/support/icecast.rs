//! An Icecast of our own on loopback: one for each test that asks for it, with its configuration in a temporary directory. It dies
//! with the test process, however that ends. And a listener that recognises what it hears.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::Arc,
    thread::JoinHandle,
};

use super::server::{guarded, with_port};

/// What a developer without Icecast reads.
const MISSING: &str = "Icecast is missing: apt-get install icecast2";

/// The password of sources.
pub(crate) const PASSWORD: &str = "mat-khau-nguon";

/// A running server.
pub(crate) struct Icecast {
    /// Where it is: `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    port: u16,
    /// A pipe that ends when this process does; that is how the shell around the server knows.
    _input: ChildStdin,
    _watchdog: Child,
}

fn configuration(port: u16, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "<icecast>
<limits><clients>50</clients><sources>20</sources><queue-size>524288</queue-size><burst-size>65536</burst-size></limits>
<authentication><source-password>{PASSWORD}</source-password><relay-password>x</relay-password>
<admin-user>admin</admin-user><admin-password>x</admin-password></authentication>
<hostname>127.0.0.1</hostname>
<listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
<mount type=\"default\"><charset>UTF-8</charset></mount>
<paths><basedir>/usr/share/icecast2</basedir><logdir>{folder}</logdir><webroot>/usr/share/icecast2/web</webroot>
<adminroot>/usr/share/icecast2/admin</adminroot></paths>
<logging><accesslog>access.log</accesslog><errorlog>-</errorlog><loglevel>3</loglevel></logging>
<security><chroot>0</chroot></security>
</icecast>"
    )
}

impl Icecast {
    /// Starts one; `None` only when the tests run without it on purpose (`LOA_TEST_WITHOUT=icecast`).
    pub(crate) fn start() -> Option<Arc<Self>> {
        if super::without("icecast") {
            return None;
        }
        Some(Arc::new(with_port("icecast", Self::try_start)))
    }

    fn try_start(port: u16, folder: &Path) -> Option<Self> {
        let file = folder.join("icecast.xml");
        fs::write(&file, configuration(port, folder)).expect("write the configuration");
        let program = [
            "/usr/bin/icecast2",
            "/usr/local/bin/icecast2",
            "/usr/bin/icecast",
        ]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect(MISSING);
        let (mut watchdog, input) = guarded(
            folder,
            Path::new(program),
            &[Path::new("-c"), file.as_path()],
            |shell| {
                shell.stderr(Stdio::piped());
            },
        );
        let mut said = BufReader::new(watchdog.stderr.take().expect("the pipe that was asked for"));
        let mut line = String::new();
        let mut all = String::new();
        loop {
            line.clear();
            if said
                .read_line(&mut line)
                .expect("read what the server says")
                == 0
            {
                assert!(all.contains("bind"), "the server did not start:\n{all}");
                return None;
            }
            all += &line;
            if line.contains("server started") {
                break;
            }
        }
        // Somebody has to go on reading, or the server would one day wait for it.
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while said.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                line.clear();
            }
        });
        let server = Self {
            url: format!("http://127.0.0.1:{port}"),
            port,
            _input: input,
            _watchdog: watchdog,
        };
        // Its page of state is not whole in its first moments.
        let is_whole = |page: Vec<u8>| String::from_utf8_lossy(&page).contains("\"icestats\":{");
        while !is_whole(server.ask("/status-json.xsl")) {}
        Some(server)
    }

    /// All that is answered, until the server closes.
    pub(crate) fn ask(&self, path: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connect");
        let ask = format!("GET {path} HTTP/1.0\r\n\r\n");
        stream.write_all(ask.as_bytes()).expect("ask");
        let mut heard = Vec::new();
        // A source that is cut off ends its listeners in whatever way.
        let _ = stream.read_to_end(&mut heard);
        heard
    }

    /// Somebody who asks for a mount point until something plays there, and listens to the end. Gives what came after the
    /// answer's head.
    pub(crate) fn listen(self: &Arc<Self>, mount: &str) -> JoinHandle<Vec<u8>> {
        let (server, mount) = (Arc::clone(self), mount.to_owned());
        std::thread::spawn(move || {
            loop {
                let mut heard = server.ask(&mount);
                let head = heard.windows(4).position(|four| four == b"\r\n\r\n");
                if heard.starts_with(b"HTTP/1.0 200") {
                    return heard.split_off(head.expect("an answer has a head") + 4);
                }
            }
        })
    }
}

/// Runs a program on bytes.
fn through(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|_| panic!("{program} is missing: apt-get install {program}"));
    let mut pipe = child.stdin.take().expect("the pipe that was asked for");
    let input = input.to_owned();
    let writing = std::thread::spawn(move || pipe.write_all(&input));
    let output = child.wait_with_output().expect("wait for the program");
    let _ = writing.join().expect("write");
    output.stdout
}

/// A sound that is like itself nowhere else: it rises for as long as it lasts. As samples and as MP3.
pub(crate) fn rising(seconds: u16) -> (Vec<f32>, Vec<u8>) {
    let samples = rise(seconds);
    let mp3 = encoded(
        &samples,
        "lame",
        &["--quiet", "-m", "m", "-b", "48", "-", "-"],
    );
    (samples, mp3)
}

/// The same as samples.
pub(crate) fn rise(seconds: u16) -> Vec<f32> {
    let rate = f32::from(22_050_u16);
    let count = usize::from(seconds) * 22_050;
    let mut phase = 0.0_f32;
    (0..count)
        .map(|at| {
            #[expect(clippy::cast_precision_loss, reason = "a few seconds of samples")]
            let part = at as f32 / count as f32;
            phase = (phase + (200.0 + 2_000.0 * part) / rate).fract();
            (phase * std::f32::consts::TAU).sin() * 0.5
        })
        .collect()
}

/// How high a sound is in each tenth of a second, in hertz, by how often it crosses zero: so it is known again also where a sample
/// is left out now and then, as loudspeakers do that keep in step with others.
pub(crate) fn pitches(heard: &[f32]) -> Vec<i32> {
    let pitch = |tenth: &[f32]| {
        let crosses = |pair: &&[f32]| (pair[0] < 0.0) != (pair[1] < 0.0);
        i32::try_from(tenth.windows(2).filter(crosses).count()).unwrap() * 5
    };
    heard.chunks_exact(2_205).map(pitch).collect()
}

/// Whether a sound of two seconds that falls from 2.2 kHz to 0.2 was heard from its beginning nearly to its end ([`pitches`]). It
/// falls by 100 Hz in a tenth of a second; steps are missing where a loudspeaker leaves moments out. What is lower than 720 Hz may be a
/// signal.
pub(crate) fn falls_whole(heard: &[i32]) -> bool {
    let falls = |two: &&[i32]| two[1] > 720 && (60..140).contains(&(two[0] - two[1]));
    let falling = heard.windows(2).filter(falls).map(|two| two[1]);
    let from_its_beginning: Vec<i32> = falling.skip_while(|pitch| *pitch < 1_600).collect();
    let ends = from_its_beginning
        .last()
        .is_some_and(|pitch| *pitch < 1_000);
    ends && from_its_beginning.len() > 7
}

/// Samples in another format.
pub(crate) fn encoded(samples: &[f32], program: &str, arguments: &[&str]) -> Vec<u8> {
    let data = through(program, arguments, &loa::audio::wav::encode(samples));
    assert!(!data.is_empty());
    data
}

/// The samples of an MP3.
pub(crate) fn decoded(mp3: &[u8]) -> Vec<f32> {
    let wav = through(
        "lame",
        &["--quiet", "--decode", "--mp3input", "-", "-"],
        mp3,
    );
    let data = wav
        .windows(4)
        .position(|four| four == b"data")
        .expect("a WAV")
        + 8;
    wav[data..]
        .chunks_exact(2)
        .map(|two| f32::from(i16::from_le_bytes([two[0], two[1]])) / 32_768.0)
        .collect()
}

/// How much `heard` is like `said`, from 0 to 1, at the best of all places, and how much of it is there, from 0 to 1.
pub(crate) fn likeness(said: &[f32], heard: &[f32]) -> (f32, f32) {
    // One sample of four is enough for what rises to 2.2 kHz, and compared sixteen times as fast. Which of the four it is in
    // what was heard nobody knows.
    const THIN: usize = 4;
    let thin = |all: &[f32], from: usize| -> Vec<f32> {
        all.iter().skip(from).step_by(THIN).copied().collect()
    };
    let said = thin(said, 0);
    let all = (0..THIN).map(|from| likeness_of(&said, &thin(heard, from)));
    all.max_by(|(one, _), (other, _)| one.total_cmp(other))
        .expect("there is one at least")
}

fn likeness_of(said: &[f32], heard: &[f32]) -> (f32, f32) {
    let correlation = |one: &[f32], other: &[f32]| {
        let power = |all: &[f32]| all.iter().map(|a| a * a).sum::<f32>();
        let both = one.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
        both / (power(one) * power(other)).sqrt().max(f32::MIN_POSITIVE)
    };
    // A quarter of a second from the middle says where it is; the rest is compared there.
    let part = 1_378.min(said.len());
    let from = (said.len() - part) / 2;
    let probe = &said[from..from + part];
    let power = |all: &[f32]| all.iter().map(|a| a * a).sum::<f32>();
    let wanted = power(probe);
    let places = heard.windows(part).map(|window| {
        let both = probe.iter().zip(window).map(|(a, b)| a * b).sum::<f32>();
        // Only what is about as loud is worth the root.
        if both < wanted * 0.1 {
            0.0
        } else {
            both / (wanted * power(window)).sqrt().max(f32::MIN_POSITIVE)
        }
    });
    let best = places
        .enumerate()
        .max_by(|(_, one), (_, other)| one.total_cmp(other));
    let Some((at, like)) = best else {
        return (0.0, 0.0);
    };
    let before = from.min(at);
    let after = (said.len() - from).min(heard.len() - at);
    #[expect(clippy::cast_precision_loss, reason = "a few seconds of samples")]
    let there = (before + after) as f32 / said.len() as f32;
    let whole = correlation(
        &said[from - before..from + after],
        &heard[at - before..at + after],
    );
    (like.min(whole), there)
}
