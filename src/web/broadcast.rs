//! `/luot/{delivery}`: one broadcast: its exact words, where it stands and what that means, and everything that was tried.

use axum::{extract::Path, response::Response};
use chrono::NaiveDate;
use serde::Serialize;

use super::{
    Pages, articles::body_of, call::Call, frame::Place, paste::paragraphs, query::parse_delivery,
    reader::Reader, refusal::Refusal, today::paused,
};
use crate::{
    catalogue,
    domain::{
        bulletin::Format,
        channel::{AdapterConfig, ChannelKind},
        delivery::{Evidence, Outcome, Reason, State as Standing},
        id::DeliveryId,
        message::{Content, ContentHash},
        pause::Pause,
        workspace::Workspace,
    },
    store::row::{AttemptRow, DeliveryRow, JournalRow},
    why::standing,
};

/// The most journal lines shown.
const MOST_LINES: u32 = 30;
/// The most attempts shown: the newest ones.
const MOST_ATTEMPTS: usize = 30;
/// How much of the page answers may take, in bytes as escaped: the newest ones first. The store has them all.
const ANSWERS: usize = 20 * 1024;

#[derive(Serialize)]
struct Broadcast {
    heading: String,
    title: String,
    class: &'static str,
    word: String,
    meaning: String,
    reason: Option<String>,
    detail: Option<String>,
    closed_by: Option<String>,
    /// What closes it, where somebody has to.
    closing: Option<Closing>,
    words: Option<Words>,
    facts: Vec<Fact>,
    evidence: String,
    evidence_meaning: String,
    attempts: Vec<Attempt>,
    /// How many older attempts are not shown.
    older: Option<String>,
    journal: Vec<Line>,
    back: String,
    channel_log: String,
    channel_feed: String,
    /// That a person has to publish it, and by when.
    waits: Option<String>,
    /// Where the words are laid out for pasting into a website.
    paste: Option<String>,
    id: String,
}

/// The commands that say whether it was heard.
#[derive(Serialize)]
struct Closing {
    heard: String,
    not_heard: String,
}

/// The frozen words.
#[derive(Serialize)]
struct Words {
    summary: Option<String>,
    text: String,
    /// An article in plain paragraphs, without the marks that it is written with.
    paragraphs: Vec<String>,
    picture: Option<Shown>,
    /// That the article has a picture which does not go along here.
    no_picture: Option<String>,
    hash_short: String,
    hash: String,
}

/// The picture of an article.
#[derive(Serialize)]
struct Shown {
    address: String,
    alt: String,
    file: String,
}

/// One line of the table of facts.
#[derive(Serialize)]
struct Fact {
    name: String,
    value: String,
    note: Option<String>,
}

#[derive(Serialize)]
struct Attempt {
    class: &'static str,
    sentence: String,
    detail: Option<String>,
    status: Option<u16>,
    receipt: Option<String>,
    evidence: Option<String>,
    answer: Option<String>,
    /// Whether there is an answer that this page has no room for.
    answer_left_out: bool,
}

#[derive(Serialize)]
struct Line {
    at: String,
    event: String,
    actor: String,
    detail: String,
}

/// What the store knows about one delivery.
struct Known {
    row: DeliveryRow,
    /// What silenced it, where that is why it was skipped.
    pause: Option<Pause>,
    content: Option<(ContentHash, Content)>,
    attempts: Vec<AttemptRow>,
    journal: Vec<JournalRow>,
}

/// `GET /luot/{delivery}`.
pub(super) async fn page(call: Call, Path(delivery): Path<String>) -> Response {
    call.answer(show(&call, &delivery).await)
}

async fn show(call: &Call, delivery: &str) -> Result<Response, Refusal> {
    let Call { pages, reader, .. } = call;
    let id = parse_delivery(delivery).ok_or(Refusal::NoDelivery)?;
    let known = read(pages, &id).await?.ok_or(Refusal::NoDelivery)?;
    let workspace = pages.site.workspace.borrow().clone();
    let mut view = arrange(reader, &workspace, known);
    if pages.site.simulated
        && let Some(closing) = &mut view.closing
    {
        for command in [&mut closing.heard, &mut closing.not_heard] {
            command.push_str(" --simulate");
        }
    }
    call.page(Place::Elsewhere, &view.heading, "broadcast.html", &view)
}

async fn read(pages: &Pages, id: &DeliveryId) -> Result<Option<Known>, Refusal> {
    let store = &pages.site.store;
    let Some(row) = store.delivery(id).await? else {
        return Ok(None);
    };
    let content = match &row.content_hash {
        Some(hash) => store.contents(std::slice::from_ref(hash)).await?.pop(),
        None => None,
    };
    let attempts = store.attempts(id).await?;
    let journal = store.journal_rows(Some(id), MOST_LINES).await?;
    let pause = if row.reason == Some(Reason::Paused) {
        let pauses = store.pauses(row.due).await?;
        pauses.into_iter().find(|pause| silences(pause, &row))
    } else {
        None
    };
    Ok(Some(Known {
        row,
        pause,
        content,
        attempts,
        journal,
    }))
}

fn arrange(reader: &Reader, workspace: &Workspace, known: Known) -> Broadcast {
    let Known {
        row,
        pause,
        content,
        mut attempts,
        journal,
    } = known;
    let day = reader.day_of(row.due);
    let current = row.bulletin.as_ref().map(|id| {
        workspace
            .bulletins
            .get(id)
            .map_or_else(|| id.to_string(), |bulletin| bulletin.title.clone())
    });
    let frozen = content.as_ref().map(|(_, content)| content.title.clone());
    let title = frozen
        .or(current)
        .unwrap_or_else(|| reader.text("no-bulletin", &[]));
    let older = attempts.len().saturating_sub(MOST_ATTEMPTS);
    let shown = attempts.split_off(older);
    let ward = row.ward.to_string();
    let day_text = day.to_string();
    Broadcast {
        heading: reader.text(
            "broadcast-heading",
            &[
                ("channel", &row.channel_name),
                ("at", &reader.moment(row.due)),
            ],
        ),
        title,
        class: standing(&row),
        word: reader.word(standing(&row)),
        meaning: reader.word(&format!("{}-meaning", standing(&row))),
        reason: match &pause {
            Some(pause) => Some(paused(reader, workspace, pause, "pause-of")),
            None => reader.why(&row),
        },
        detail: reader.rest_of_detail(&row),
        // The reason names whoever said whether it was heard.
        closed_by: row
            .closed_by
            .as_ref()
            .filter(|_| row.word_of().is_none())
            .map(|name| reader.text("closed-by", &[("name", name)])),
        closing: is_open(&row).then(|| closing(reader, &row)),
        waits: waits(reader, workspace, &row),
        paste: (row.format == Format::Article && content.is_some())
            .then(|| reader.link(&format!("/luot/{}/dan", row.id), &[])),
        words: content.map(|(hash, content)| words(reader, workspace, &row, &hash, content)),
        facts: facts(reader, workspace, &row),
        evidence: reader.word(&evidence(row.evidence, row.kind, row.reason)),
        evidence_meaning: reader.word(&format!(
            "{}-meaning",
            evidence(row.evidence, row.kind, row.reason)
        )),
        attempts: tell(reader, &row, &shown, day),
        older: (older > 0).then(|| reader.text("older-attempts", &[("number", &older)])),
        journal: journal
            .iter()
            .map(|line| journal_line(reader, &row, line, day))
            .collect(),
        back: reader.link("/", &[("phuong", &ward), ("ngay", &day_text)]),
        channel_log: reader.link(
            "/nhat-ky",
            &[("phuong", &ward), ("kenh", row.channel.as_str())],
        ),
        channel_feed: reader.link(&format!("/lich/kenh/{}.ics", row.channel), &[]),
        id: row.id.to_string(),
    }
}

fn silences(pause: &Pause, row: &DeliveryRow) -> bool {
    pause.is_in_force(row.due)
        && pause.covers(&row.ward, &row.channel, row.topic.as_ref(), row.priority)
}

/// On a site that no program can write to: until when somebody may still publish what was offered.
fn waits(reader: &Reader, workspace: &Workspace, row: &DeliveryRow) -> Option<String> {
    let channel = workspace.channels.get(&row.channel)?;
    let (AdapterConfig::Vnpt(portal), Standing::Accepted) = (&channel.adapter, row.state) else {
        return None;
    };
    let until = row.accepted_at? + portal.within;
    Some(reader.text("paste-waits", &[("until", &reader.moment(until))]))
}

/// The name of a sort of evidence: only loudspeakers are devices that play something, and where a person publishes no channel said
/// anything.
fn evidence(evidence: Evidence, kind: ChannelKind, reason: Option<Reason>) -> String {
    match (evidence, kind) {
        (Evidence::Accepted, _)
            if matches!(reason, Some(Reason::Offered | Reason::NotPublished)) =>
        {
            "evidence-offered".to_owned()
        }
        (Evidence::Device, ChannelKind::Website | ChannelKind::Chat | ChannelKind::Sign) => {
            format!("evidence-device-{}", kind.as_str())
        }
        _ => {
            format!("evidence-{}", evidence.as_str())
        }
    }
}

/// Whether a person can still say what came of it.
fn is_open(row: &DeliveryRow) -> bool {
    let is_mended_there = matches!(row.reason, Some(Reason::NotPublished | Reason::Overwritten));
    row.state == Standing::Unknown || (row.state == Standing::Unheard && is_mended_there)
}

fn closing(reader: &Reader, row: &DeliveryRow) -> Closing {
    let name = reader.text("your-name", &[]);
    let command = |heard| format!("loa reconcile {} {heard} --by '{name}'", row.id);
    Closing {
        heard: command("--heard"),
        not_heard: command("--not-heard"),
    }
}

/// The words, and the picture where the channel sends one: frozen with the words it is for every channel of that format.
fn words(
    reader: &Reader,
    workspace: &Workspace,
    row: &DeliveryRow,
    hash: &ContentHash,
    content: Content,
) -> Words {
    let is_article = content.format == Format::Article;
    let paragraphs = is_article.then(|| paragraphs(&body_of(&content)));
    let channel = workspace.channels.get(&row.channel);
    let is_sent = channel.is_some_and(|channel| channel.carries_pictures(&workspace.recipes));
    let (sent, left) = match content.picture {
        Some(picture) if is_sent => (Some(picture), None),
        picture => (None, picture),
    };
    Words {
        paragraphs: paragraphs.unwrap_or_default(),
        summary: content.summary,
        text: content.text,
        picture: sent.map(|picture| Shown {
            address: format!("/anh/{}", picture.name()),
            alt: picture.alt,
            file: picture.file,
        }),
        no_picture: left.map(|picture| reader.text("picture-left-out", &[("file", &picture.file)])),
        hash_short: hash.as_str().chars().take(12).collect(),
        hash: hash.to_string(),
    }
}

fn facts(reader: &Reader, workspace: &Workspace, row: &DeliveryRow) -> Vec<Fact> {
    let fact = |name: &str, value: String, note| Fact {
        name: reader.text(name, &[]),
        value,
        note,
    };
    let mode = row.mode.as_str();
    let by_hand = row.schedule.is_by_hand();
    let schedule = if by_hand {
        reader.text("by-hand", &[])
    } else {
        row.schedule.to_string()
    };
    let mut facts = vec![
        fact("due", reader.moment(row.due), None),
        fact(
            "deadline",
            reader.moment(row.deadline),
            Some(reader.text("deadline-note", &[])),
        ),
        fact("ward", row.ward_name.clone(), None),
        fact(
            "channel",
            row.channel_name.clone(),
            Some(row.channel.to_string()),
        ),
        fact(
            "kind",
            reader.word(&format!("kind-{}", row.kind.as_str())),
            None,
        ),
        fact(
            "format",
            reader.word(&format!("format-{}", row.format.as_str())),
            None,
        ),
        fact(
            "priority",
            reader.word(&format!("priority-{}", row.priority.as_str())),
            None,
        ),
        fact(
            "schedule",
            schedule,
            by_hand.then(|| row.schedule.to_string()),
        ),
    ];
    if let Some(bulletin) = &row.bulletin {
        facts.push(fact("bulletin", bulletin.to_string(), None));
    }
    let channel = workspace.channels.get(&row.channel);
    let doubt = channel.map_or(mode, |channel| channel.doubt());
    let note = reader.word(&format!("mode-{doubt}-meaning"));
    facts.push(fact(
        "mode",
        reader.word(&format!("mode-{mode}")),
        Some(note),
    ));
    facts
}

/// Every attempt as a sentence, and the one under way, which is on record only once it has ended.
fn tell(
    reader: &Reader,
    row: &DeliveryRow,
    attempts: &[AttemptRow],
    day: NaiveDate,
) -> Vec<Attempt> {
    let mut room = ANSWERS;
    let fits: Vec<bool> = attempts
        .iter()
        .rev()
        .map(|attempt| {
            let size = attempt.answer.as_deref().map_or(0, escaped_length);
            let fits = size <= room;
            room = if fits { room - size } else { 0 };
            fits
        })
        .collect();
    let mut told: Vec<_> = attempts
        .iter()
        .enumerate()
        .zip(fits.into_iter().rev())
        .map(|((index, attempt), fits)| {
            let next = attempts.get(index + 1);
            let (sentence, detail) = sentence(reader, row, attempt, next, day);
            Attempt {
                class: class_of(attempt),
                sentence,
                detail,
                status: attempt.status,
                receipt: attempt.receipt.clone(),
                evidence: (attempt.evidence > Evidence::None)
                    .then(|| reader.word(&evidence(attempt.evidence, row.kind, attempt.reason))),
                answer: attempt
                    .answer
                    .clone()
                    .filter(|answer| fits && !answer.is_empty()),
                answer_left_out: !fits,
            }
        })
        .collect();
    if let (Standing::Sending, Some(started)) = (row.state, row.started_at) {
        let at = reader.moment_near(started, day);
        told.push(Attempt {
            class: "sending",
            sentence: reader.text(
                "attempt-under-way",
                &[("number", &row.attempts), ("at", &at)],
            ),
            detail: None,
            status: None,
            receipt: None,
            evidence: None,
            answer: None,
            answer_left_out: false,
        });
    }
    told
}

fn class_of(attempt: &AttemptRow) -> &'static str {
    match attempt.outcome {
        Outcome::Accepted if attempt.reason == Some(Reason::Offered) => "offered",
        Outcome::Accepted => "accepted",
        Outcome::Retry => "retrying",
        Outcome::Rejected => "failed",
        Outcome::Unknown => "unknown",
    }
}

/// "Lần 1, 05:30:02: không kết nối được tới loa; sẽ thử lại lúc 05:30:09", and what exactly the call met.
fn sentence(
    reader: &Reader,
    row: &DeliveryRow,
    attempt: &AttemptRow,
    next: Option<&AttemptRow>,
    day: NaiveDate,
) -> (String, Option<String>) {
    let (what, detail) = if let Some(reason) = attempt.reason {
        reader.attempt(reason, attempt.detail.as_deref(), day)
    } else {
        let word = format!("outcome-{}", attempt.outcome.as_str());
        (reader.word(&word), attempt.detail.clone())
    };
    let at = reader.moment_near(attempt.started, day);
    let mut sentence = reader.text(
        "attempt",
        &[
            ("number", &attempt.number),
            ("at", &at),
            ("what", &uncapitalised(&what)),
        ],
    );
    let again = match (next, row.state, row.next_at) {
        (Some(next), ..) => Some(("attempt-again", next.started)),
        (None, Standing::Ready, Some(at)) => {
            let until = row.left_alone.map(|left| left.until);
            Some(("attempt-will", until.map_or(at, |until| at.max(until))))
        }
        _ => None,
    };
    if let Some((word, at)) = again {
        sentence.push_str(&reader.text(word, &[("at", &reader.moment_near(at, day))]));
    }
    (sentence, detail)
}

/// A sentence as the end of another one. A word in capitals keeps them.
fn uncapitalised(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    }
}

/// Who did it, as people call it: the channel of this delivery, a person who decided, or a server.
fn actor(reader: &Reader, row: &DeliveryRow, line: &JournalRow) -> String {
    match line.actor.as_str() {
        own if own == row.channel.as_str() => row.channel_name.clone(),
        // A person; everything else in a delivery's journal is done by the program.
        name if line.event == "reconciled" => name.to_owned(),
        "loa" => reader.text("actor-program", &[]),
        node => reader.text("actor-server", &[("name", &node)]),
    }
}

fn journal_line(reader: &Reader, row: &DeliveryRow, line: &JournalRow, day: NaiveDate) -> Line {
    // Which of the two it was: what was told to stop, or what it was stopped for.
    let other = ["interrupted", "not-interrupted"]
        .contains(&line.event.as_str())
        .then(|| line.detail.split_once(' '))
        .flatten();
    let event = match (line.event.as_str(), other) {
        ("interrupted", Some(("preempts", _))) => "interrupts",
        (event, _) => event,
    };
    let key = format!("web.event-{event}");
    let event = if catalogue::has(&key) {
        catalogue::text(reader.lang, &key, &[])
    } else {
        line.event.clone()
    };
    Line {
        at: reader.moment_near(line.at, day),
        event,
        actor: actor(reader, row, line),
        detail: match other {
            Some(("preempts" | "by", id)) => {
                catalogue::text(reader.lang, "web.event-delivery", &[("id", &id)])
            }
            _ => reader.journal_detail(&line.detail, day),
        },
    }
}

/// How many bytes a text takes once it is escaped for HTML.
fn escaped_length(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'&' => 5,
            b'<' | b'>' => 4,
            b'"' | b'\'' | b'/' | b'`' => 6,
            _ => 1,
        })
        .sum()
}
