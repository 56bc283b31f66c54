//! The table of scenarios: what goes wrong, where, and what has to come of it. Names and reasons are in the catalogue
//! (`conformance.name-ID`, `conformance.why-ID`).

use super::call::{CallExpects, CallMishap};

/// One scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    /// Its word, in JSON and in the catalogue.
    pub id: &'static str,
    /// What goes wrong.
    pub(super) mishap: Mishap,
    /// What has to come of it.
    pub(super) expects: Expects,
    /// Whether a receiver that nobody here controls can be put to it.
    pub is_outside: bool,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    /// Nothing.
    None,
    /// Nobody listens.
    Refuse,
    /// An answer with this status.
    Status(u16),
    /// 429 with a wish, as seconds.
    BusySeconds,
    /// 429 with a wish, as a date.
    BusyDate,
    /// 503, again and again.
    BusyForever,
    /// The answer points elsewhere.
    Redirect,
    /// The answer's body comes in pieces, in time.
    SlowAnswer,
    /// The answer's body never ends.
    SlowBody,
    /// The answer is larger than anybody reads.
    Huge,
    /// The answer breaks off.
    Cut,
    /// What comes back is no HTTP.
    Garbage,
    /// The request is thrown away and the connection reset.
    Reset,
    /// It is done, and the connection reset.
    Lost,
    /// It is done, and nothing ever comes back.
    After,
    /// It is done, and the answer's JSON has no end.
    Broken,
    /// It is done, and the answer is in UTF-16.
    Charset,
    /// The status of a yes, with the page of a router.
    Stranger,
    /// The status of a yes, with all that was sent.
    Echo,
    /// A refusal, with all that was sent.
    EchoRefused,
    /// The very first call of an attempt is reset.
    QuestionLost,
    /// The token is not good any more.
    Stale,
    /// It is done, and the receiver's own reference is what was sent.
    Receipt,
    /// The first call is challenged, and the call that counts once more, because its number is too old.
    Challenge,
    /// The status of a yes, with an answer that says no.
    SaysFailed,
    /// Telling the device to stop is refused.
    StopRefused,
    /// The device stops, and never says so.
    StopSilent,
    /// Something goes wrong with a call that is not the one that counts.
    Call(CallMishap),
}

/// What has to come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expects {
    /// Accepted, at once and once.
    Yes,
    /// Nobody knows whether it was done: never a yes, never a no, and nobody hears it twice.
    Doubt,
    /// Not now: tried again after the wish, and accepted.
    Later,
    /// Not now, however often: given up in the end, without haste.
    GivenUp,
    /// No, for good.
    No,
    /// Not accepted, and not followed.
    NotFollowed,
    /// Never a yes, and nobody hears it twice.
    NotYes,
    /// Whatever it is taken for, nothing breaks and nobody hears it twice.
    Calm,
    /// It certainly never left: tried again, and accepted.
    NeverLeft,
    /// Nothing was sent: tried again, and accepted.
    Asked,
    /// The words arrive as they are written, or the sound as it is.
    Arrives {
        /// Whether the words are written with combining marks.
        is_decomposed: bool,
    },
    /// Words that are hard to carry arrive to their end and as they are written, in each part that is sent.
    ArrivesWhole,
    /// No secret is in anything that is kept.
    Secret,
    /// The next attempt carries the new token.
    Renewed,
    /// Accepted, at once and once, although every call has to be proven anew.
    Challenged,
    /// What plays is told to stop first, and whatever comes of that the emergency is accepted, at once and once.
    Interrupts,
    /// What may be playing is never told to stop, but for what it takes the place of.
    NotSilenced,
    /// The picture of an article arrives as it is and once, or there is none and nothing is sent for it.
    Pictured {
        /// Whether the article has one.
        has: bool,
    },
    /// A repetition does not send the picture again.
    PicturedOnce,
    /// Asked when the attempt is long over, only a clear answer changes anything.
    AskedAfter,
    /// The channel is said to be alive, and nothing is sent.
    Well,
    /// The channel is not said to be alive.
    Unwell,
    /// Something of a call that is not the one that counts.
    Call(CallExpects),
    /// `check` warns of nothing in the recipe.
    Checked,
}

impl Expects {
    /// Whether it is about the question "are you alive?".
    pub(super) fn is_of_probe(self) -> bool {
        matches!(self, Self::Well | Self::Unwell)
    }

    /// Whether an emergency is sent while something else plays.
    pub(super) fn preempts(self) -> bool {
        matches!(self, Self::Interrupts | Self::NotSilenced)
    }

    /// Whether every sort of call is to be seen, that for the device to stop among them.
    pub(super) fn shows_all(self) -> bool {
        matches!(self, Self::Call(CallExpects::Quiet | CallExpects::Kept))
    }

    /// Whether an article with a picture is sent.
    pub(super) fn has_picture(self) -> bool {
        matches!(self, Self::Pictured { has: true } | Self::PicturedOnce)
    }
}

const fn scenario(id: &'static str, mishap: Mishap, expects: Expects) -> Scenario {
    Scenario {
        id,
        mishap,
        expects,
        is_outside: false,
    }
}

const fn outside(id: &'static str, mishap: Mishap, expects: Expects) -> Scenario {
    Scenario {
        is_outside: true,
        ..scenario(id, mishap, expects)
    }
}

const fn call(id: &'static str, mishap: CallMishap, expects: CallExpects) -> Scenario {
    scenario(id, Mishap::Call(mishap), Expects::Call(expects))
}

/// All of them, in the order in which they are told. The first shows what the adapter does where nothing goes wrong.
pub static SCENARIOS: &[Scenario] = &[
    outside("accepted", Mishap::None, Expects::Yes),
    scenario("slow-answer", Mishap::SlowAnswer, Expects::Yes),
    outside("resend", Mishap::Lost, Expects::Doubt),
    scenario("timeout", Mishap::After, Expects::Doubt),
    scenario("reset", Mishap::Reset, Expects::Doubt),
    scenario("slow-body", Mishap::SlowBody, Expects::Doubt),
    scenario("huge", Mishap::Huge, Expects::Doubt),
    scenario("cut", Mishap::Cut, Expects::Doubt),
    scenario("garbage", Mishap::Garbage, Expects::Doubt),
    scenario("server-error", Mishap::Status(500), Expects::Doubt),
    scenario("busy-seconds", Mishap::BusySeconds, Expects::Later),
    scenario("busy-date", Mishap::BusyDate, Expects::Later),
    scenario("unavailable", Mishap::BusyForever, Expects::GivenUp),
    scenario("no-connection", Mishap::Refuse, Expects::NeverLeft),
    scenario("question-lost", Mishap::QuestionLost, Expects::Asked),
    scenario("unauthorised", Mishap::Status(401), Expects::No),
    scenario("renewal", Mishap::Stale, Expects::Renewed),
    scenario("gone", Mishap::Status(410), Expects::No),
    scenario("redirect", Mishap::Redirect, Expects::NotFollowed),
    scenario("stranger", Mishap::Stranger, Expects::NotYes),
    scenario("invalid-json", Mishap::Broken, Expects::NotYes),
    scenario("wrong-charset", Mishap::Charset, Expects::Calm),
    outside(
        "vietnamese-nfc",
        Mishap::None,
        Expects::Arrives {
            is_decomposed: false,
        },
    ),
    outside(
        "vietnamese-nfd",
        Mishap::None,
        Expects::Arrives {
            is_decomposed: true,
        },
    ),
    scenario("words-whole", Mishap::None, Expects::ArrivesWhole),
    scenario("success-failed", Mishap::SaysFailed, Expects::NotYes),
    outside("secrets", Mishap::Echo, Expects::Secret),
    scenario("secrets-refused", Mishap::EchoRefused, Expects::Secret),
    scenario("secrets-receipt", Mishap::Receipt, Expects::Secret),
    scenario("challenge", Mishap::Challenge, Expects::Challenged),
    scenario("stop", Mishap::None, Expects::Interrupts),
    scenario("stop-refused", Mishap::StopRefused, Expects::Interrupts),
    scenario("stop-silent", Mishap::StopSilent, Expects::Interrupts),
    scenario("stop-repeated", Mishap::Lost, Expects::NotSilenced),
    scenario("picture", Mishap::None, Expects::Pictured { has: true }),
    scenario("no-picture", Mishap::None, Expects::Pictured { has: false }),
    scenario("picture-repeated", Mishap::Lost, Expects::PicturedOnce),
    scenario("asked-later", Mishap::None, Expects::AskedAfter),
    outside("probe-well", Mishap::None, Expects::Well),
    scenario("probe-error", Mishap::Status(500), Expects::Unwell),
    scenario("probe-stranger", Mishap::Stranger, Expects::Unwell),
    scenario("probe-silent", Mishap::Refuse, Expects::Unwell),
    scenario("probe-unauthorised", Mishap::Status(401), Expects::Unwell),
    scenario("probe-redirect", Mishap::Status(302), Expects::Unwell),
    // The calls around the one that counts.
    call(
        "question-error",
        CallMishap::Question(500),
        CallExpects::Unanswered,
    ),
    call(
        "question-unauthorised",
        CallMishap::Question(401),
        CallExpects::Unanswered,
    ),
    call(
        "question-forbidden",
        CallMishap::Question(403),
        CallExpects::Unanswered,
    ),
    call(
        "question-stranger",
        CallMishap::QuestionStranger,
        CallExpects::Unanswered,
    ),
    call(
        "question-foreign",
        CallMishap::QuestionForeign,
        CallExpects::NotTaken,
    ),
    call(
        "there-already",
        CallMishap::QuestionOld,
        CallExpects::Updated,
    ),
    scenario(
        "found-again",
        Mishap::Lost,
        Expects::Call(CallExpects::FoundAgain),
    ),
    call(
        "confirm-error",
        CallMishap::Confirm(500),
        CallExpects::Unconfirmed,
    ),
    call(
        "confirm-gone",
        CallMishap::Confirm(404),
        CallExpects::Unconfirmed,
    ),
    call(
        "confirm-stranger",
        CallMishap::ConfirmStranger,
        CallExpects::Unconfirmed,
    ),
    call(
        "confirm-lost",
        CallMishap::ConfirmLost,
        CallExpects::Unconfirmed,
    ),
    scenario(
        "quiet-calls",
        Mishap::None,
        Expects::Call(CallExpects::Quiet),
    ),
    scenario(
        "secret-owners",
        Mishap::None,
        Expects::Call(CallExpects::Kept),
    ),
    outside("checked", Mishap::None, Expects::Checked),
];
