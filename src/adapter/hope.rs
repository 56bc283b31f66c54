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
}

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
