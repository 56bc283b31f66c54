//! A bulletin as an article that is sent to the account's followers: made or changed, worked on by the platform, broadcast.
//!
//! The platform knows no idempotency keys. So before each call with an effect a note is put on record (`progress`), and an
//! attempt goes on where the notes end:
//!
//! | the last note | and the call after it | next |
//! |---|---|---|
//! | none | | change the article that the channel has of this bulletin, or make one |
//! | creating | came to nothing | make it |
//! | creating | may have gone through | look for it by its title, for a while; then make it |
//! | updating | whatever came of it | change it: twice is the same |
//! | verifying | whatever came of it | ask for the id |
//! | broadcasting | came to nothing | broadcast |
//! | broadcasting | may have gone through | never again by itself: a person says what followers got |
//!
//! A bulletin has one article on a channel, as it has one page on a website: what carries wrong words has to be what gets the
//! right ones.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    ZaloAdapter,
    answer::{self, Answer},
    night, plain,
    progress::Progress,
};
use crate::{
    adapter::{Exchange, Failure, Request, Step},
    domain::{
        delivery::Reason,
        detail::Detail,
        message::{Message, Note},
        secret::Secret,
        zalo::Correction,
    },
    template::urlencode,
};

/// The longest title and teaser. 150 and 300 are what is published; texts of exactly that length were refused.
const TITLE: usize = 140;
const DESCRIPTION: usize = 250;

/// The longest author.
const AUTHOR: usize = 50;

/// The most articles that a list gives, and how many lists are looked through.
const SLICE: usize = 10;
const SLICES: usize = 3;

/// How long after an article may have been made it is not made again, however often it was looked for in vain.
const LOOKING: Duration = Duration::from_secs(90);

/// Waits before each look for an article within one attempt. What the platform still works on is in no list.
const LOOKS: [u64; 3] = [0, 2, 3];

/// Waits before the questions for an article's id within one attempt. The platform is done after a few seconds, or much later.
const WAITS: [u64; 5] = [1, 1, 2, 3, 3];

/// How long after that another attempt asks.
const LATER: Duration = Duration::from_secs(30);

/// Where an attempt stands.
#[derive(Debug, Clone, PartialEq)]
enum Phase {
    /// How much may still be broadcast? Then go on.
    Ask(Box<Phase>),
    Create,
    Look {
        page: usize,
        round: usize,
    },
    Update {
        article: String,
    },
    /// Changing it was refused: is it there at all?
    Detail {
        article: String,
        refusal: Failure,
    },
    Verify {
        token: String,
        asked: usize,
    },
    Broadcast {
        article: String,
    },
    Remove {
        article: String,
    },
    End(Step),
}

impl ZaloAdapter {
    /// The next step of an attempt, and what has to be on record before it.
    pub(super) fn article(
        &self,
        message: &Message,
        access: &Secret,
        done: &[Exchange],
    ) -> (Step, Option<Note>) {
        let mut phase = self.first(message);
        let is_broadcast = !message.kept.is_correction || self.correction == Correction::Broadcast;
        if is_broadcast && !matches!(phase, Phase::End(_)) {
            // What would wait for the morning anyway asks for nothing.
            if let Some(held) = night::held(message.sent_at, self.quiet) {
                return (Step::Failed(held), None);
            }
            if self.product.is_some() {
                phase = Phase::Ask(Box::new(phase));
            }
        }
        let (mut noted, mut is_resumed) = (None, true);
        for exchange in done {
            noted = progress_of(&phase).or(noted);
            phase = self.after(message, phase, exchange);
            is_resumed = false;
        }
        let step = match &phase {
            Phase::End(step) => return (step.clone(), None),
            Phase::Ask(_) => {
                let body = json!({ "quota_owner": "OA", "product_type": self.product });
                let path = "/v3.0/oa/quota/message";
                Step::Call(self.call(access, "POST", path, Some(&body)))
            }
            Phase::Create => Step::Call(self.write(message, access, None)),
            Phase::Update { article } => Step::Call(self.write(message, access, Some(article))),
            Phase::Look { page, round } => {
                let offset = page * SLICE;
                let path =
                    format!("/v2.0/article/getslice?offset={offset}&limit={SLICE}&type=normal");
                let mut request = self.call(access, "GET", &path, None);
                if *page == 0 {
                    request.wait = Duration::from_secs(LOOKS[*round]);
                }
                Step::Call(request)
            }
            Phase::Detail { article, .. } => {
                let path = format!("/v2.0/article/getdetail?id={}", urlencode(article));
                Step::Call(self.call(access, "GET", &path, None))
            }
            Phase::Verify { token, asked } => {
                let body = json!({ "token": token });
                let mut request = self.call(access, "POST", "/v2.0/article/verify", Some(&body));
                if !is_resumed {
                    let wait = WAITS.get(*asked).copied().unwrap_or_default();
                    request.wait = Duration::from_secs(wait);
                }
                Step::Call(request)
            }
            Phase::Remove { article } => {
                let body = json!({ "id": article });
                Step::Call(self.call(access, "POST", "/v2.0/article/remove", Some(&body)))
            }
            Phase::Broadcast { article } => Step::Call(self.broadcast(access, article)),
        };
        let note = progress_of(&phase).filter(|progress| {
            // What stands on record already is not written again.
            let known = if done.is_empty() {
                Progress::read(&message.kept).ok().flatten()
            } else {
                noted
            };
            known.as_ref() != Some(progress)
                || matches!(progress, Progress::Broadcasting { .. } | Progress::Creating)
        });
        (step, note.map(|progress| progress.note()))
    }

    /// Where an attempt begins.
    fn first(&self, message: &Message) -> Phase {
        let kept = &message.kept;
        let came_to_nothing = kept
            .noted
            .as_ref()
            .is_none_or(|noted| noted.came_to_nothing);
        match Progress::read(kept) {
            Ok(None) => match (&kept.holds, kept.is_correction, self.correction) {
                (Some(article), true, Correction::Remove) => Phase::Remove {
                    article: article.clone(),
                },
                (Some(article), ..) => Phase::Update {
                    article: article.clone(),
                },
                (None, true, Correction::Remove) => Phase::End(Step::Failed(Failure::reject(
                    Reason::Status,
                    Detail::new("zalo-nothing-to-remove"),
                ))),
                (None, ..) => Phase::Create,
            },
            Ok(Some(Progress::Creating)) if came_to_nothing => Phase::Create,
            Ok(Some(Progress::Creating)) => Phase::Look { page: 0, round: 0 },
            Ok(Some(Progress::Updating { article })) => Phase::Update { article },
            Ok(Some(Progress::Verifying { token })) => Phase::Verify { token, asked: 0 },
            Ok(Some(Progress::Removing { article })) => Phase::Remove { article },
            Ok(Some(Progress::Broadcasting { article })) if came_to_nothing => {
                Phase::Broadcast { article }
            }
            Ok(Some(Progress::Broadcasting { .. })) | Err(()) => Phase::End(Step::Failed(
                Failure::reject(Reason::Unconfirmed, Detail::new("zalo-unconfirmed")),
            )),
        }
    }

    /// What follows from the answer to a phase's call.
    fn after(&self, message: &Message, phase: Phase, exchange: &Exchange) -> Phase {
        let end = |failure: Failure| Phase::End(Step::Failed(failure));
        let answer = Answer::read(exchange);
        match (phase, answer) {
            (Phase::Ask(next), Ok(answer)) => {
                let rows = answer.list("");
                let remains =
                    |row: &Value| answer::integer(&row["remain"]).is_none_or(|left| left > 0);
                if rows.is_empty() || rows.iter().any(remains) {
                    return *next;
                }
                let product = self.product.as_deref().unwrap_or_default();
                let detail = Detail::new("zalo-quota-asked").with("product", product);
                end(Failure::retry(Reason::Quota, detail))
            }
            // Where the token is good, a question that Zalo does not take keeps nobody from broadcasting: it will say no itself.
            (Phase::Ask(next), Err(Failure::Reject { .. })) => *next,
            (Phase::Create | Phase::Update { .. }, Ok(answer)) => match answer.text("/token") {
                Some(token) => Phase::Verify { token, asked: 0 },
                None => end(Failure::unknown(
                    Reason::Unexpected,
                    Detail::new("zalo-unreadable"),
                )),
            },
            (Phase::Update { article }, Err(refusal @ Failure::Reject { .. })) => {
                Phase::Detail { article, refusal }
            }
            // Somebody took it away at Zalo. Every other refusal says nothing of that.
            (Phase::Detail { .. }, Err(Failure::Reject { .. }))
                if answer::code(exchange) == Some(-201) =>
            {
                Phase::Create
            }
            (Phase::Detail { refusal, .. }, Ok(_) | Err(Failure::Reject { .. })) => end(refusal),
            (Phase::Look { page, round }, Ok(answer)) => found(message, (page, round), &answer),
            (Phase::Verify { .. }, Ok(answer)) => {
                let id = ["/id", "/article_id"]
                    .into_iter()
                    .find_map(|at| answer.text(at));
                match id {
                    Some(article) => self.ready(message, article),
                    None => end(Failure::retry(
                        Reason::Unexpected,
                        Detail::new("zalo-no-id"),
                    )),
                }
            }
            (Phase::Verify { token, asked }, Err(failure)) => {
                match answer::code(exchange) {
                    Some(-214) if asked + 1 < WAITS.len() => Phase::Verify {
                        token,
                        asked: asked + 1,
                    },
                    Some(-214) => end(Failure::Retry {
                        after: Some(LATER),
                        reason: Reason::Busy,
                        detail: failure.detail().to_owned(),
                    }),
                    // The picture was no good: that does not change by itself.
                    Some(-200) => end(Failure::reject(Reason::Status, failure.detail())),
                    // Tokens end, too; not one that has only just come.
                    Some(-201)
                        if Progress::read(&message.kept)
                            == Ok(Some(Progress::Verifying {
                                token: token.clone(),
                            })) =>
                    {
                        Phase::Look { page: 0, round: 0 }
                    }
                    _ => end(failure.without_effect()),
                }
            }
            (Phase::Broadcast { article }, Ok(answer)) => {
                let receipt = answer.text("/message_id").unwrap_or(article);
                Phase::End(Step::accepted(Some(receipt)))
            }
            (Phase::Remove { article }, Ok(_)) => Phase::End(Step::accepted(Some(article))),
            // It is not there: that is what was wanted.
            (Phase::Remove { article }, Err(Failure::Reject { .. }))
                if answer::code(exchange) == Some(-201) =>
            {
                Phase::End(Step::accepted(Some(article)))
            }
            // Creating it is what may have made one, and broadcasting it what followers may have got. Everything else twice is
            // the same as once.
            (Phase::Create | Phase::Broadcast { .. }, Err(failure)) => end(failure),
            (_, Err(failure)) => end(failure.without_effect()),
            (Phase::End(step), Ok(_)) => Phase::End(step),
        }
    }

    /// The article is ready: it goes to the followers, unless it is a correction that only takes the place of what was there.
    fn ready(&self, message: &Message, article: String) -> Phase {
        if message.kept.is_correction && self.correction != Correction::Broadcast {
            return Phase::End(Step::accepted(Some(article)));
        }
        Phase::Broadcast { article }
    }

    fn write(&self, message: &Message, access: &Secret, article: Option<&str>) -> Request {
        let content = &message.content;
        let paragraphs = plain::paragraphs(&content.text);
        let summary = content
            .summary
            .as_deref()
            .or(paragraphs.first().map(String::as_str));
        let parts: Vec<Value> = paragraphs
            .iter()
            .map(|text| json!({ "type": "text", "content": text }))
            .collect();
        let mut body = json!({
            "type": "normal",
            "title": title(message),
            "author": plain::shortened(&self.author, AUTHOR),
            "cover": {
                "cover_type": "photo",
                "photo_url": plain::address(&self.cover),
                "status": "show",
            },
            "description": plain::shortened(summary.unwrap_or(&content.title), DESCRIPTION),
            "body": parts,
            "status": "show",
            "comment": if self.comments { "show" } else { "hide" },
        });
        let path = match article {
            None => "/v2.0/article/create",
            Some(article) => {
                body["id"] = article.into();
                "/v2.0/article/update"
            }
        };
        self.call(access, "POST", path, Some(&body))
    }

    fn broadcast(&self, access: &Secret, article: &str) -> Request {
        let body = json!({
            "recipient": { "target": {} },
            "message": { "attachment": { "type": "template", "payload": {
                "template_type": "media",
                "elements": [{ "media_type": "article", "attachment_id": article }],
            } } },
        });
        self.call(access, "POST", "/v2.0/oa/message", Some(&body))
    }
}

/// Looks for the article by its title in a list.
fn found(message: &Message, (page, round): (usize, usize), answer: &Answer) -> Phase {
    let wanted = title(message);
    let (mut count, mut article) = (0, None);
    for list in ["/medias", "/articles"] {
        for one in answer.list(list) {
            count += 1;
            let is_it = one["title"].as_str().map(str::trim) == Some(wanted.as_str());
            if is_it && article.is_none() {
                article = one["id"].as_str().map(str::to_owned);
            }
        }
    }
    if let Some(article) = article {
        // It may be an older one with that title: these are the words now.
        return Phase::Update { article };
    }
    if count >= SLICE && page + 1 < SLICES {
        return Phase::Look {
            page: page + 1,
            round,
        };
    }
    if round + 1 < LOOKS.len() {
        return Phase::Look {
            page: 0,
            round: round + 1,
        };
    }
    let since = message.kept.noted.as_ref().map(|noted| noted.at);
    if since.is_some_and(|since| message.sent_at.since(since) < LOOKING) {
        let detail = Detail::new("zalo-looking");
        return Phase::End(Step::Failed(Failure::Retry {
            after: Some(LATER),
            reason: Reason::Unanswered,
            detail: detail.to_string(),
        }));
    }
    Phase::Create
}

/// What is put on record before a phase's call.
fn progress_of(phase: &Phase) -> Option<Progress> {
    Some(match phase {
        Phase::Create => Progress::Creating,
        Phase::Update { article } => Progress::Updating {
            article: article.clone(),
        },
        Phase::Verify { token, .. } => Progress::Verifying {
            token: token.clone(),
        },
        Phase::Broadcast { article } => Progress::Broadcasting {
            article: article.clone(),
        },
        Phase::Remove { article } => Progress::Removing {
            article: article.clone(),
        },
        Phase::Ask(_) | Phase::Look { .. } | Phase::Detail { .. } | Phase::End(_) => return None,
    })
}

fn title(message: &Message) -> String {
    plain::shortened(&message.content.title, TITLE)
}
