//! What an adapter hopes to be answered, for the conformance kit: from that it plays a receiver which the adapter gets on with,
//! and breaks its answers.

use bytes::Bytes;

/// What the receiver knows.
#[derive(Debug, Clone, Copy)]
pub struct Hopes<'h> {
    /// Whether it has what is sent already.
    pub is_there: bool,
    /// What it gives where something is taken from its answer: a session, a token, a number of an upload. Another one in every
    /// attempt.
    pub given: &'h str,
    /// What it gives for its own reference, where that is not all the same.
    pub receipt: Option<&'h str>,
}

/// The answer to one request that the adapter hopes for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hoped {
    /// The status.
    pub status: u16,
    /// Headers by name.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// What the request does where it is answered so.
    pub acts: Acts,
    /// Whether [`Hopes::given`] is in it.
    pub gives: bool,
    /// What the request is for.
    pub role: Role,
    /// Whether its author wrote the header `Idempotency-Key`, and it is not there of itself.
    pub is_keyed: bool,
}

/// What a request is for, where that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Role {
    /// Only what it does is known ([`Acts`]).
    #[default]
    Other,
    /// A call before the one that counts.
    Step {
        /// Its name.
        name: String,
        /// Whether it is made whatever is sent: to log in.
        is_login: bool,
    },
    /// Whether that call is done already.
    StepFind(String),
    /// Whether the message is there already.
    Find,
    /// The call that counts, where nothing is there.
    Request,
    /// The call that counts, where something is.
    Update,
    /// Whether what was accepted was done.
    Confirm,
    /// Telling the device to stop what it plays.
    Stop,
    /// Whether the channel is alive.
    Probe,
}

impl Role {
    /// The key of a recipe that says what an answer to such a request means, as far as that is one place.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        Some(match self {
            Self::Other => return None,
            Self::Step { name, .. } => format!("steps.{name}"),
            Self::StepFind(name) => format!("steps.{name}.find"),
            Self::Find => "find".to_owned(),
            Self::Request => "request".to_owned(),
            Self::Update => "find.update".to_owned(),
            Self::Confirm => "confirm".to_owned(),
            Self::Stop => "stop".to_owned(),
            Self::Probe => "probe".to_owned(),
        })
    }
}

/// What stands in a secret's place where it is looked for ([`super::Adapter::with_marks`]).
pub const MARK: &str = "loa-kit-mark-73014602";

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Acts {
    /// Nothing that anybody hears or sees.
    #[default]
    Nothing,
    /// It sends something new.
    New,
    /// It changes what is there already, to the same however often it is made.
    Update,
}
