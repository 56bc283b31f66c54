//! Streams that do not come to their end, by daemons that call a server on this machine: what is on record of them.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use loa::{
    audio::wav,
    clock::Clock,
    domain::{
        delivery::{Evidence, Reason, State},
        id::DeliveryId,
    },
    store::row::DeliveryRow,
};

use super::airing::{audible, reached};
use crate::support::{
    city::{Running, Scene, at},
    cli::loa,
    icecast::{falls_whole, pitches, rise},
    on_both_databases,
    snapcast::{STREAM, Snapserver},
    workspace::SCHEDULES,
};

/// Time for a whole call in these tests.
const CALL: Duration = Duration::from_secs(8);

/// A second of sound, in samples.
const SECOND: usize = 22_050;

/// A server of streams that does what a test wants of it.
struct Server {
    listener: TcpListener,
    url: String,
}

impl Server {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, url }
    }

    /// The next call, when its head is there.
    fn call(&self, method: &str) -> TcpStream {
        let (mut call, _) = self.listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.windows(4).any(|four| four == b"\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(call.read(&mut byte).unwrap(), 1, "a whole head");
            head.push(byte[0]);
        }
        assert!(head.starts_with(method.as_bytes()), "{head:?}");
        call
    }

    /// A stream that was taken.
    fn stream(&self) -> TcpStream {
        let mut stream = self.call("PUT ");
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
        stream
    }
}

fn drain(mut stream: TcpStream) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    })
}

/// Answers what a stream's server is told and asked at its beginning: what plays, and who listens.
fn two_listen(server: &Server) -> TcpStream {
    let mut told = server.call("GET /admin/metadata");
    told.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
    drop(told);
    let mut asked = server.call("GET /status");
    asked.write_all(b"HTTP/1.0 200 OK\r\n\r\n{\"icestats\":{\"source\":{\"listenurl\":\"http://x/hung-binh.mp3\",\"listeners\":2,\"stream_start\":\"x\"}}}").unwrap();
    asked
}

/// One loudspeaker is a mount point of a server on this machine, and nothing else is heard.
async fn one_mount(scene: &Scene, server: &Server) -> Running {
    audible(scene, "cat voice.wav");
    let way = format!(
        "icecast: {{ url: \"{}\", mount: hung-binh.mp3, password: \"env:LOA_T1\", listeners: 1 }}",
        server.url
    );
    let folder = &scene.folder;
    folder.edit("channels/kenh.yaml", "audio: wav", "audio: mp3");
    one_stream(scene, &way).await.1
}

/// One loudspeaker that wants sound is reached in that way on this machine, and nothing else is heard.
async fn one_stream(scene: &Scene, way: &str) -> (Clock, Running) {
    reached(scene, way);
    let folder = &scene.folder;
    let (only, _) = SCHEDULES.split_once("  trang-tin:").unwrap();
    folder.write("schedules/lich.yaml", only);
    let ward = "to: { channels: [loa-hb-1] }";
    folder.edit("schedules/lich.yaml", "to: { kind: loudspeaker }", ward);
    let timeout = format!("total_timeout: {}s", CALL.as_secs());
    folder.edit("loa.yaml", "total_timeout: 2s", &timeout);
    let allowed = "allow: [\"10.0.0.0/8\", \"*.vinh.example\"]";
    folder.edit("loa.yaml", allowed, "allow: [\"127.0.0.1/32\"]");
    let clock = Clock::manual(at("2024-03-25T05:16"));
    let daemon = scene.start_direct(clock.clone()).await;
    daemon
        .wait(|rows| rows.iter().any(|row| is_due(row, State::Ready)))
        .await;
    clock.advance(Duration::from_mins(14));
    (clock, daemon)
}

fn is_due(row: &DeliveryRow, state: State) -> bool {
    row.due == at("2024-03-25T05:30") && row.state == state
}

/// The details of the lines that say that a stream did not come to its end.
async fn broken_off(scene: &Scene, id: &DeliveryId) -> Vec<String> {
    let lines = scene.store().await.journal_rows(Some(id), 100).await;
    let lines = lines.unwrap().into_iter();
    let ours = lines.filter(|line| line.event == "broken-off");
    ours.map(|line| line.detail).collect()
}

on_both_databases! {
    // Somebody listened at its beginning. That says nothing of its end.
    async fn a_stream_that_breaks_is_unknown_whatever_its_beginning_was(scene: Scene) {
        if !super::has("lame", "lame") {
            return;
        }
        let server = Server::new();
        let daemon = one_mount(&scene, &server).await;
        let serving = tokio::task::spawn_blocking(move || {
            let stream = server.stream();
            let asked = two_listen(&server);
            (server, stream, asked)
        });
        let (server, stream, asked) = serving.await.unwrap();
        drop(asked);
        daemon.wait(|rows| rows.iter().any(|row| is_due(row, State::Confirmed))).await;
        drop((stream, server));
        daemon.wait(|rows| rows.iter().any(|row| is_due(row, State::Unknown))).await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.reason, row.evidence, row.attempts), (Some(Reason::Cut), Evidence::None, 1));
        let attempts = scene.store().await.attempts(&row.id).await.unwrap();
        assert_eq!(attempts[0].evidence, Evidence::Device, "an attempt that ended is never changed");
        let lines = broken_off(&scene, &row.id).await;
        assert!(lines.len() == 1 && lines[0].starts_with("broken-off seconds="), "{lines:?}");
        assert_eq!(row.detail.as_ref(), lines.first());
        scene.check().await;
    }

    // Its node can say nothing any more; the next one can. Nothing is sent again.
    async fn a_stream_on_air_when_its_node_died_is_unknown(scene: Scene) {
        if !super::has("lame", "lame") {
            return;
        }
        let server = Server::new();
        let daemon = one_mount(&scene, &server).await;
        let serving = tokio::task::spawn_blocking(move || {
            let stream = drain(server.stream());
            let asked = two_listen(&server);
            drop(asked);
            stream.join().unwrap();
        });
        serving.await.unwrap();
        daemon.wait(|rows| rows.iter().any(|row| is_due(row, State::Confirmed))).await;
        let (node, now) = (daemon.shared.node.clone(), daemon.shared.clock.now());
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!(row.state, State::Confirmed, "it was heard to its end");
        // This is what a node leaves that dies now: its last stamp, and no word that it ends.
        let revision = scene.folder.load().revision.clone();
        scene.store().await.beat(&node, &revision, now).await.unwrap();
        let clock = Clock::manual(now + Duration::from_mins(2));
        let next = scene.start_direct(clock).await;
        next.wait(|rows| rows.iter().any(|row| is_due(row, State::Unknown))).await;
        next.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.reason, row.evidence, row.attempts), (Some(Reason::Cut), Evidence::None, 1));
        let lines = broken_off(&scene, &row.id).await;
        assert_eq!(lines, ["broken-off-died seconds=0"]);
        scene.check().await;
    }

    // The words are taken back while they are being heard: a real Snapserver, and a loudspeaker whose sound is recognised.
    async fn words_that_are_taken_back_end_and_the_correction_is_heard(scene: Scene) {
        let Some(server) = Snapserver::start() else {
            return;
        };
        let client = server.client("loa-1");
        let folder = &scene.folder;
        audible(&scene, "if grep -q 'ính chính'; then cat correction.wav; else cat voice.wav; fi");
        let mot = "content/bulletins/mot.yaml";
        let words = format!("lời thứ nhất. {}\narticle:", "Bà con nghe rõ rồi làm theo nhé. ".repeat(6));
        folder.edit(mot, "lời thứ nhất.\narticle:", &words);
        folder.edit(mot, "contacts: [cong-an]", "editors: [Lan]\ncontacts: [cong-an]");
        let (wrong, right): (Vec<f32>, Vec<f32>) = (rise(15), rise(2).into_iter().rev().collect());
        folder.write_bytes("voice.wav", &wav::encode(&wrong));
        folder.write_bytes("correction.wav", &wav::encode(&right));
        let way = format!("snapcast: {{ url: \"{}\", stream: {STREAM} }}", server.url);
        let (clock, daemon) = one_stream(&scene, &way).await;
        daemon.wait(|rows| rows.iter().any(|row| is_due(row, State::Accepted))).await;
        // It has been heard for some seconds when somebody notices.
        let client = Arc::new(client);
        let ear = Arc::clone(&client);
        let playing = tokio::task::spawn_blocking(move || ear.plays(SECOND * 3));
        playing.await.unwrap();
        clock.advance(Duration::from_secs(4));
        let store = scene.store().await;
        while store.last_instant().await.unwrap() < Some(clock.now()) {
            tokio::task::yield_now().await;
        }
        let (path, database) = (folder.path(), scene.database.clone());
        let said = tokio::task::spawn_blocking(move || {
            let retract = ["retract", "mot", "--by", "Lan", "--reason", "nói sai số", "--simulate", "--database", &database];
            loa(&path, &retract)
        });
        let said = said.await.unwrap();
        assert_eq!(said.code, 0, "{said:?}");
        // Until the daemon has looked what others wrote.
        clock.advance(Duration::from_secs(3));
        let is_heard = |row: &DeliveryRow| row.schedule.is_correction() && row.state == State::Accepted;
        daemon.wait(|rows| rows.iter().any(is_heard)).await;
        // What rises by 133 Hz in a second, from one tenth of a second to the next.
        let rises = |pitches: &[i32]| pitches.windows(2).all(|two| (1..40).contains(&(two[1] - two[0])));
        // It may be silent for a moment between the two.
        let listening = tokio::task::spawn_blocking(move || {
            let until = Instant::now() + Duration::from_secs(30);
            loop {
                let heard = pitches(&client.heard());
                if falls_whole(&heard) {
                    return heard;
                }
                assert!(Instant::now() < until, "the correction is not heard: {heard:?}");
            }
        });
        let heard = listening.await.unwrap();
        daemon.stop().await;
        let rising: Vec<i32> = heard.windows(5).filter(|part| rises(part)).map(|part| part[0]).collect();
        assert!(rising.first().is_some_and(|pitch| *pitch < 400), "its beginning was heard: {heard:?}");
        assert!(rising.iter().all(|pitch| *pitch < 1_500), "its end was not: {heard:?}");

        let rows = scene.log().await;
        let was = rows.iter().find(|row| is_due(row, State::Accepted)).unwrap();
        let correction = rows.iter().find(|row| is_heard(row)).unwrap();
        assert_eq!(correction.channel, was.channel);
        let told = async |id: &DeliveryId| {
            let lines = store.journal_rows(Some(id), 100).await.unwrap();
            lines.into_iter().map(|line| (line.event, line.detail)).collect::<Vec<_>>()
        };
        let of = |event: &str, detail: String| (event.to_owned(), detail);
        assert!(told(&correction.id).await.contains(&of("interrupted", format!("preempts {}", was.id))));
        assert!(told(&was.id).await.contains(&of("interrupted", format!("by {}", correction.id))));
        let lines = broken_off(&scene, &was.id).await;
        assert!(lines.len() == 1 && lines[0].starts_with("broken-off-urgent seconds="), "{lines:?}");
        scene.check().await;
    }

    // What is on air and a call in flight have their time together, not one after the other.
    async fn a_stop_ends_a_stream_within_the_limit_and_says_so(scene: Scene) {
        if !super::has("lame", "lame") {
            return;
        }
        let server = Server::new();
        let daemon = one_mount(&scene, &server).await;
        // Who listens is never answered: that call is in flight until its time is up.
        let serving = tokio::task::spawn_blocking(move || {
            let stream = drain(server.stream());
            (stream, server.call("GET "), server)
        });
        let (stream, _asked, _server) = serving.await.unwrap();
        let began = Instant::now();
        daemon.stop().await;
        let took = began.elapsed();
        assert!(took < CALL * 2, "{took:?}");
        tokio::task::spawn_blocking(|| stream.join().unwrap()).await.unwrap();
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.state, row.reason, row.evidence), (State::Unknown, Some(Reason::Cut), Evidence::None));
        let lines = broken_off(&scene, &row.id).await;
        assert!(lines.len() == 1 && lines[0].starts_with("broken-off-stop seconds="), "{lines:?}");
        scene.check().await;
    }
}
