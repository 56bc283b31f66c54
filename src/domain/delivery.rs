//! Deliveries: their states, why they are in them, and how much is known about what was heard.

/// Makes an enum whose variants have one word each, used in JSON, the database and the catalogue.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word used in JSON, the database and the catalogue.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Reads the word back.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words! {
    /// Where a delivery stands.
    State {
        /// Known, not yet frozen.
        Planned = "planned",
        /// Frozen, waiting for its instant or for the next attempt.
        Ready = "ready",
        /// Claimed by a node; a call may be under way.
        Sending = "sending",
        /// The channel took it. This is not yet "aired".
        Accepted = "accepted",
        /// The device or a person says that it was played.
        Confirmed = "confirmed",
        /// A person says that it was not heard.
        Unheard = "unheard",
        /// The channel said no, or tries ran out.
        Failed = "failed",
        /// It may have left; no answer came back. A person closes it.
        Unknown = "unknown",
        /// It was not sent, for the reason that stands beside it.
        Skipped = "skipped",
        /// A person called it off.
        Cancelled = "cancelled",
    }
}

impl Reason {
    /// Whether its words say that it is not known what happened. Then the attempt ends as [`Outcome::Unknown`].
    #[must_use]
    pub fn is_doubt(self) -> bool {
        matches!(
            self,
            Self::Timeout
                | Self::Reset
                | Self::Cut
                | Self::Unreadable
                | Self::TooLarge
                | Self::Crashed
        )
    }

    /// Whether an attempt that ended so says that its host answers: no, yes, or nothing at all, because no call came about or what
    /// ended it lies on this side. A connection that could not be made safe is about one channel's certificate or port, and others
    /// of its host may be well.
    #[must_use]
    pub fn host_answered(self) -> Option<bool> {
        match self {
            Self::Refused
            | Self::NoAddress
            | Self::NoConnection
            | Self::Timeout
            | Self::Reset
            | Self::Cut
            | Self::Unanswered => Some(false),
            Self::Unreadable
            | Self::TooLarge
            | Self::Status
            | Self::Busy
            | Self::Unexpected
            | Self::Redirect
            | Self::Unauthorised
            | Self::Waiting => Some(true),
            _ => None,
        }
    }

    /// Whether what a host is usually the reason for came about without any, where none was `answered`: nobody is called without a token,
    /// or while another attempt makes the login.
    #[must_use]
    pub fn is_of_ours(self, answered: bool) -> bool {
        self.host_answered() == Some(true) && !answered
    }
}

impl State {
    /// Whether nothing more happens by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Planned | Self::Ready | Self::Sending)
    }

    /// The word of the catalogue for it with its reason: what only waits for a person to publish it was taken by nobody else, and what
    /// was cut off was not heard to its end.
    #[must_use]
    pub fn word(self, reason: Option<Reason>) -> &'static str {
        match (self, reason) {
            (Self::Accepted, Some(Reason::Offered)) => Reason::Offered.as_str(),
            (Self::Accepted | Self::Confirmed, Some(Reason::Interrupted)) => {
                Reason::Interrupted.as_str()
            }
            _ => self.as_str(),
        }
    }
}

words! {
    /// How much is known about what was heard, low to high.
    Evidence {
        /// Nothing.
        None = "none",
        /// The channel's answer.
        Accepted = "accepted",
        /// The device itself.
        Device = "device",
        /// A person.
        Staff = "staff",
    }
}

words! {
    /// Why an attempt or a delivery ended as it did. Texts for people are in the catalogue under `reason.`.
    Reason {
        // --- skipped
        /// Its time passed: nobody was running, or it could not begin before its deadline, or no bulletin was valid.
        Expired = "expired",
        /// Outside the permitted hours.
        Policy = "policy",
        /// The channel, ward, topic or everything is paused.
        Paused = "paused",
        /// The words are not approved.
        Unapproved = "unapproved",
        /// An edit removed or moved it.
        Superseded = "superseded",
        /// The channel has not answered for a while.
        Unreachable = "unreachable",
        /// Something else was on air.
        Collision = "collision",
        /// Somebody called off this one occurrence.
        Exception = "exception",
        /// A holiday, a day of exams or of mourning.
        Holiday = "holiday",
        // --- it certainly never left
        /// Nobody listens at the address.
        Refused = "refused",
        /// The name has no address.
        NoAddress = "no-address",
        /// No connection came about.
        NoConnection = "no-connection",
        /// The encrypted connection failed before anything was sent.
        Tls = "tls",
        /// The address is outside the network allow-list.
        NotAllowed = "not-allowed",
        /// The request could not be made from the recipe.
        Unwritable = "unwritable",
        /// Its host's pace left no time for the call within the attempt.
        Paced = "paced",
        // --- it may have left
        /// No answer in time.
        Timeout = "timeout",
        /// The connection broke.
        Reset = "reset",
        /// The answer broke off.
        Cut = "cut",
        /// What came back is no HTTP.
        Unreadable = "unreadable",
        /// The answer is larger than allowed.
        TooLarge = "too-large",
        /// The node died before it could write down the answer.
        Crashed = "crashed",
        // --- an answer came
        /// The answer's status says no.
        Status = "status",
        /// The answer asks to slow down or to come later.
        Busy = "busy",
        /// The answer is not what the recipe expects.
        Unexpected = "unexpected",
        /// The answer points elsewhere; redirects are not followed.
        Redirect = "redirect",
        /// The account has to be authorised by its administrator, again or for the first time.
        Unauthorised = "unauthorised",
        /// What may be sent there in this time is used up.
        Quota = "quota",
        /// Nothing may be sent there at night.
        Night = "night",
        /// It cannot be found out whether an earlier attempt went through, so nothing was sent again.
        Unconfirmed = "unconfirmed",
        /// A question without any effect got no answer that could be used; nothing was sent in that attempt.
        Unanswered = "unanswered",
        /// The channel answers, and what it was asked for before is waited or looked for; nothing else was sent in that attempt.
        Waiting = "waiting",
        // --- ends
        /// Its deadline came before an answer did.
        Deadline = "deadline",
        /// A person decided.
        ByHand = "by-hand",
        /// The device reports that it did not play it.
        NotPlayed = "not-played",
        /// What was taken is offered for a person to publish, and nobody has yet.
        Offered = "offered",
        /// Nobody has published what was offered for that.
        NotPublished = "not-published",
        /// A site took it and, asked afterwards, shows other words in its place.
        Overwritten = "overwritten",
        /// An emergency or a correction cut it off; what was heard of it before was heard.
        Interrupted = "interrupted",
        /// The words name somebody who is no verified contact, or not any more.
        Contact = "contact",
        /// The words could not be rendered.
        Unrenderable = "unrenderable",
        // --- sound
        /// Nothing can speak: the engine or the encoder is not installed, or none is chosen.
        NoVoice = "no-voice",
        /// The engine hung, died or gave something that is no sound.
        VoiceFailed = "voice-failed",
        /// What came is silent, or cannot be those words.
        SilentVoice = "silent-voice",
        /// The sound that was made is not on this machine, or damaged.
        NoSound = "no-sound",
        /// The picture that was approved is not on record, or cannot be read.
        NoPicture = "no-picture",
        /// A test and a real channel, or the other way round.
        TestOnly = "test-only",
        /// A defect of the program.
        Defect = "defect",
    }
}

words! {
    /// How one attempt ended.
    Outcome {
        /// The channel took it.
        Accepted = "accepted",
        /// It did not happen, another attempt may help.
        Retry = "retry",
        /// The channel said no.
        Rejected = "rejected",
        /// It may have happened.
        Unknown = "unknown",
    }
}

/// How many deliveries of a range stand where: the two sides of the accounting equation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Account {
    /// Deliveries in all.
    pub occurrences: u64,
    /// `accepted`.
    pub accepted: u64,
    /// Those of `accepted` that wait for a person to publish them. No part of the sum.
    pub offered: u64,
    /// `confirmed`.
    pub confirmed: u64,
    /// `failed` and `unheard`.
    pub failed: u64,
    /// `unknown`.
    pub unknown: u64,
    /// `skipped`.
    pub skipped: u64,
    /// `cancelled`.
    pub cancelled: u64,
    /// `planned`, `ready` and `sending`.
    pub pending: u64,
}

impl Account {
    /// Adds `count` deliveries in `state`.
    pub fn add(&mut self, state: State, count: u64) {
        let place = match state {
            State::Planned | State::Ready | State::Sending => &mut self.pending,
            State::Accepted => &mut self.accepted,
            State::Confirmed => &mut self.confirmed,
            State::Failed | State::Unheard => &mut self.failed,
            State::Unknown => &mut self.unknown,
            State::Skipped => &mut self.skipped,
            State::Cancelled => &mut self.cancelled,
        };
        *place += count;
    }

    /// Adds `count` deliveries that wait for a person to publish them: they count as `accepted`, and are told apart.
    pub fn add_offered(&mut self, count: u64) {
        self.add(State::Accepted, count);
        self.offered += count;
    }

    /// Whether both sides are equal. `occurrences` has to be counted on its own, not summed from the other fields.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.occurrences
            == self.accepted
                + self.confirmed
                + self.failed
                + self.unknown
                + self.skipped
                + self.cancelled
                + self.pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_without_a_call_says_nothing_of_the_host() {
        // reason, whether the host answered → whether nobody was called
        for (reason, answered, is_ours) in [
            (Reason::Unauthorised, false, true),
            (Reason::Unauthorised, true, false),
            (Reason::Waiting, false, true),
            (Reason::Waiting, true, false),
            (Reason::Timeout, false, false),
            (Reason::Contact, false, false),
        ] {
            assert_eq!(
                reason.is_of_ours(answered),
                is_ours,
                "{reason:?} {answered}"
            );
        }
    }
}
