//! A bulletin as an article that is sent to the account's followers: made or changed, worked on by the platform, broadcast.
//!
//! The platform knows no idempotency keys. So before each call with an effect a note is put on record (`progress`), and an
//! attempt goes on where the notes end:
//!
//! | the last note | and the call after it | next |
//! |---|---|---|
//! | none | | change the article that the channel has of this bulletin, or make one; where another delivery made it and nobody learnt its id, ask for that or look for its title first |
//! | creating | came to nothing | make it |
//! | creating | may have gone through | look for it by its title, for a while; then make it |
//! | updating | whatever came of it | change it: twice is the same |
//! | verifying | whatever came of it | ask for the id |
//! | removing | whatever came of it | take it away: where that is refused as what is not there would be, ask whether it is there |
//! | broadcasting | came to nothing | broadcast |
//! | broadcasting | may have gone through | never again by itself: a person says what followers got |
//!
//! A bulletin has one article on a channel, as it has one page on a website: what carries wrong words has to be what gets the
//! right ones.

use std::{borrow::Cow, time::Duration};

use serde_json::{Value, json};

use super::{
    ZaloAdapter,
    answer::{self, Answer},
    night, plain,
    progress::{Held, Progress},
    quota,
};
use crate::{
    adapter::{Exchange, Failure, Request, Step},
    domain::{
        delivery::Reason,
        detail::Detail,
        message::{Message, Note},
        secret::Secret,
        time::Timestamp,
        zalo::{ARTICLE_TIME, Correction},
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
const LOOKING: Duration = Duration::from_secs(150);

/// How long after one attempt that looked in vain another one looks.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// How far the platform's clock may be behind ours.
const ASKEW: Duration = Duration::from_mins(10);

/// Waits before each look for an article within one attempt. What the platform still works on is in no list.
const LOOKS: [u64; 3] = [0, 2, 3];

/// What `loa check` warns of is what the looks need.
const _: () = assert!(2 * (LOOKS[0] + LOOKS[1] + LOOKS[2]) <= ARTICLE_TIME.as_secs());

/// Waits before the questions for an article's id within one attempt. The platform is done after a few seconds, or much later.
const WAITS: [u64; 5] = [1, 1, 2, 3, 3];

/// How long after that another attempt asks.
const LATER: Duration = Duration::from_secs(30);

/// Where an attempt stands.
#[derive(Debug, Clone, PartialEq)]
enum Phase {
    /// How much may still be broadcast? Then go on.
    Ask {
        product: String,
        then: Box<Phase>,
    },
    Create,
    /// Another delivery made an article: what is its id?
    Name {
        token: String,
        title: String,
        asked: usize,
    },
    /// Is there an article with the title of another delivery, or with this one's own?
    Look {
        title: Option<String>,
        page: usize,
        round: usize,
    },
    Update {
        article: String,
    },
    /// Changing it, or taking it away, was refused: is it there at all?
    Detail {
        article: String,
        refusal: Failure,
        is_removal: bool,
    },
    Verify {
        token: String,
        /// Of an article that was just made.
        title: Option<String>,
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
        // A correction changes the article at once, and only its broadcast waits.
        if !message.kept.is_correction && !matches!(phase, Phase::End(_)) {
            // What would wait for the morning anyway asks for nothing.
            if let Some(held) = night::held(message.sent_at, self.quiet) {
                return (Step::Failed(held), None);
            }
            if let Some(product) = self.product.clone() {
                phase = Phase::Ask {
                    product,
                    then: Box::new(phase),
                };
            }
        }
        let (mut noted, mut is_resumed) = (None, true);
        for exchange in done {
            noted = progress_of(message, &phase).or(noted);
            phase = self.after(message, phase, exchange);
            is_resumed = false;
        }
        if matches!(phase, Phase::Broadcast { .. })
            && let Some(held) = night::held(message.sent_at, self.quiet)
        {
            return (Step::Failed(held), None);
        }
        let step = match &phase {
            Phase::End(step) => return (step.clone(), None),
            Phase::Ask { product, .. } => Step::Call(self.ask_quota(access, product)),
            Phase::Create => Step::Call(self.write(message, access, None)),
            Phase::Update { article } => Step::Call(self.write(message, access, Some(article))),
            Phase::Look { page, round, .. } => {
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
            Phase::Verify { token, asked, .. } | Phase::Name { token, asked, .. } => {
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
        let note = progress_of(message, &phase).filter(|progress| {
            // What stands on record already is not written again.
            let known = if done.is_empty() {
                Progress::read(&message.kept).ok().flatten()
            } else {
                noted
            };
            known.as_ref() != Some(progress)
                || matches!(
                    progress,
                    Progress::Broadcasting { .. } | Progress::Creating { .. }
                )
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
            Ok(None) => match Held::read(kept) {
                Some(Held::Article(article)) => self.take_up(message, article),
                Some(Held::Made {
                    token: Some(token),
                    title,
                }) => Phase::Name {
                    token,
                    title,
                    asked: 0,
                },
                Some(Held::Made { token: None, title }) => look(Some(title)),
                None if kept.is_correction && self.correction == Correction::Remove => {
                    absent(message)
                }
                None => Phase::Create,
            },
            Ok(Some(Progress::Creating { .. })) if came_to_nothing => Phase::Create,
            Ok(Some(Progress::Creating { .. })) => look(None),
            Ok(Some(Progress::Updating { article })) => Phase::Update { article },
            Ok(Some(Progress::Verifying { token, title })) => Phase::Verify {
                token,
                title,
                asked: 0,
            },
            Ok(Some(Progress::Removing { article })) => Phase::Remove { article },
            Ok(Some(Progress::Broadcasting { article })) if came_to_nothing => {
                Phase::Broadcast { article }
            }
            Ok(Some(Progress::Broadcasting { .. })) | Err(()) => Phase::End(Step::Failed(
                Failure::reject(Reason::Unconfirmed, Detail::new("zalo-unconfirmed")),
            )),
        }
    }

    /// What becomes of the article that the account has of a bulletin.
    fn take_up(&self, message: &Message, article: String) -> Phase {
        if message.kept.is_correction && self.correction == Correction::Remove {
            Phase::Remove { article }
        } else {
            Phase::Update { article }
        }
    }

    /// What follows from the answer to a phase's call.
    fn after(&self, message: &Message, phase: Phase, exchange: &Exchange) -> Phase {
        let end = |failure: Failure| Phase::End(Step::Failed(failure));
        let answer = Answer::read(exchange);
        match (phase, answer) {
            (Phase::Ask { product, then }, Ok(answer)) => {
                if quota::amount(&answer).is_none_or(|amount| amount.remain > 0) {
                    return *then;
                }
                let detail = Detail::new("zalo-quota-asked").with("product", product);
                end(Failure::retry(Reason::Quota, detail))
            }
            // Where the token is good, a question that Zalo does not take keeps nobody from broadcasting: it will say no itself.
            (Phase::Ask { then, .. }, Err(Failure::Reject { .. })) => *then,
            (phase @ (Phase::Create | Phase::Update { .. }), Ok(answer)) => {
                match answer.text("/token") {
                    Some(token) => Phase::Verify {
                        token,
                        title: (phase == Phase::Create).then(|| title(message)),
                        asked: 0,
                    },
                    None => end(Failure::unknown(
                        Reason::Unexpected,
                        Detail::new("zalo-unreadable"),
                    )),
                }
            }
            (Phase::Update { article }, Err(refusal @ Failure::Reject { .. })) => Phase::Detail {
                article,
                refusal,
                is_removal: false,
            },
            // What is not there is refused in the same words as a call that Zalo does not like.
            (Phase::Remove { article }, Err(refusal @ Failure::Reject { .. }))
                if answer::code(exchange) == Some(-201) =>
            {
                Phase::Detail {
                    article,
                    refusal,
                    is_removal: true,
                }
            }
            // Somebody took it away at Zalo, or an earlier attempt did. Every other refusal says nothing of that.
            (
                Phase::Detail {
                    article,
                    is_removal,
                    ..
                },
                Err(Failure::Reject { .. }),
            ) if answer::code(exchange) == Some(-201) => {
                if is_removal {
                    Phase::End(Step::accepted(Some(article)))
                } else {
                    Phase::Create
                }
            }
            (Phase::Detail { refusal, .. }, Ok(_) | Err(Failure::Reject { .. })) => end(refusal),
            (Phase::Look { title, page, round }, Ok(answer)) => {
                self.found(message, (title, page, round), &answer)
            }
            (phase @ (Phase::Verify { .. } | Phase::Name { .. }), Ok(answer)) => {
                let id = ["/id", "/article_id"]
                    .into_iter()
                    .find_map(|at| answer.text(at));
                match (id, phase) {
                    (Some(article), Phase::Name { .. }) => self.take_up(message, article),
                    (Some(article), _) => self.ready(message, article),
                    (None, _) => end(Failure::retry(
                        Reason::Unexpected,
                        Detail::new("zalo-no-id"),
                    )),
                }
            }
            (phase @ (Phase::Verify { .. } | Phase::Name { .. }), Err(failure)) => {
                unready(message, phase, answer::code(exchange), failure)
            }
            (Phase::Broadcast { article }, Ok(answer)) => {
                let receipt = answer.text("/message_id").unwrap_or(article);
                Phase::End(Step::accepted(Some(receipt)))
            }
            (Phase::Remove { article }, Ok(_)) => Phase::End(Step::accepted(Some(article))),
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

    /// Looks for an article by its title in a list.
    fn found(
        &self,
        message: &Message,
        (of, page, round): (Option<String>, usize, usize),
        answer: &Answer,
    ) -> Phase {
        let own = title(message);
        let wanted = of.as_ref().unwrap_or(&own);
        let (mut count, mut article) = (0, None);
        for list in ["/medias", "/articles"] {
            for one in answer.list(list) {
                count += 1;
                let is_it = one["title"].as_str().map(str::trim) == Some(wanted.as_str());
                if is_it
                    && article.is_none()
                    && !is_older(message, of.as_ref(), &one["create_date"])
                {
                    let id = answer::text(&one["id"]);
                    article = id.filter(|id| !message.kept.others.contains(id));
                }
            }
        }
        if let Some(article) = article {
            // It may be somebody else's with that title, where the list does not say when it was made: nothing is taken away for its
            // title alone.
            return match self.take_up(message, article) {
                Phase::Remove { .. } => absent(message),
                phase => phase,
            };
        }
        if count >= SLICE && page + 1 < SLICES {
            return Phase::Look {
                title: of,
                page: page + 1,
                round,
            };
        }
        if round + 1 < LOOKS.len() {
            return Phase::Look {
                title: of,
                page: 0,
                round: round + 1,
            };
        }
        // What was made a moment ago may be in no list yet. A correction looks for what another delivery made from when it is due.
        let noted = message.kept.noted.as_ref();
        let since = match of {
            None => noted.map(|noted| noted.at),
            Some(_) => message.kept.is_correction.then_some(message.due),
        };
        if since.is_some_and(|since| message.sent_at.since(since) < LOOKING) {
            let detail = Detail::new("zalo-looking");
            return Phase::End(Step::Failed(Failure::Retry {
                after: Some(LOOK_AGAIN),
                reason: Reason::Waiting,
                detail: detail.to_string(),
            }));
        }
        if of.is_some() {
            return absent(message);
        }
        Phase::Create
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
                "photo_url": plain::address(&self.cover_of(message)),
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

    /// The address of the picture over an article: its own where the platform can fetch that, or the one for all.
    fn cover_of(&self, message: &Message) -> Cow<'_, str> {
        match (&self.pictures, &message.content.picture) {
            (Some(address), Some(picture)) => format!("{address}/{}", picture.name()).into(),
            _ => Cow::Borrowed(&self.cover),
        }
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

/// Whether an article was made before this delivery's could have been, as far as the list says: then it is somebody else's of the same
/// title. Seconds or milliseconds since 1970.
fn is_older(message: &Message, of: Option<&String>, made: &Value) -> bool {
    // When another delivery made its own is not on record.
    let noted = message.kept.noted.as_ref().filter(|_| of.is_none());
    let made = made
        .as_i64()
        .or_else(|| made.as_str().and_then(|text| text.trim().parse().ok()));
    let (Some(noted), Some(made)) = (noted, made.filter(|made| *made > 0)) else {
        return false;
    };
    let millis = if made < 100_000_000_000 {
        made.saturating_mul(1_000)
    } else {
        made
    };
    Timestamp::from_micros(millis.saturating_mul(1_000)) + ASKEW < noted.at
}

/// Begins to look for an article.
fn look(title: Option<String>) -> Phase {
    Phase::Look {
        title,
        page: 0,
        round: 0,
    }
}

/// The account has no article of the bulletin that is surely its own: what would take its place has none to take.
fn absent(message: &Message) -> Phase {
    if !message.kept.is_correction {
        return Phase::Create;
    }
    let detail = Detail::new("zalo-nothing-to-remove");
    Phase::End(Step::Failed(Failure::reject(Reason::Status, detail)))
}

/// Whether an earlier attempt has noted `token`.
fn is_known(message: &Message, token: &str) -> bool {
    let noted = Progress::read(&message.kept);
    matches!(noted, Ok(Some(Progress::Verifying { token: known, .. })) if known == token)
}

/// What is put on record before a phase's call.
fn progress_of(message: &Message, phase: &Phase) -> Option<Progress> {
    Some(match phase {
        Phase::Create => Progress::Creating {
            title: title(message),
        },
        Phase::Update { article } => Progress::Updating {
            article: article.clone(),
        },
        Phase::Verify { token, title, .. } => Progress::Verifying {
            token: token.clone(),
            title: title.clone(),
        },
        Phase::Broadcast { article } => Progress::Broadcasting {
            article: article.clone(),
        },
        Phase::Remove { article } => Progress::Removing {
            article: article.clone(),
        },
        Phase::Ask { .. }
        | Phase::Name { .. }
        | Phase::Look { .. }
        | Phase::Detail { .. }
        | Phase::End(_) => return None,
    })
}

fn title(message: &Message) -> String {
    plain::shortened(&message.content.title, TITLE)
}

/// What follows where the article that was made is not ready, by the number that Zalo answers.
fn unready(message: &Message, mut phase: Phase, code: Option<i64>, failure: Failure) -> Phase {
    let end = |failure: Failure| Phase::End(Step::Failed(failure));
    match (code, &mut phase) {
        (Some(-214), Phase::Verify { asked, .. } | Phase::Name { asked, .. })
            if *asked + 1 < WAITS.len() =>
        {
            *asked += 1;
            phase
        }
        (Some(-214), _) => end(Failure::Retry {
            after: Some(LATER),
            reason: Reason::Busy,
            detail: failure.detail().to_owned(),
        }),
        // The picture was no good, so there is no such article.
        (Some(-200), Phase::Name { .. }) => absent(message),
        // That does not change by itself.
        (Some(-200), _) => end(Failure::reject(Reason::Status, failure.detail())),
        // Tokens end, too; not one that has only just come.
        (Some(-201), Phase::Name { title, .. }) => look(Some(title.clone())),
        (Some(-201), Phase::Verify { token, .. }) if is_known(message, token) => look(None),
        _ => end(failure.without_effect()),
    }
}
