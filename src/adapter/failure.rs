//! Why a call did not succeed, and what is made of that on the way to the record.

use super::Failure;
use crate::domain::{delivery::Reason, detail::Detail};

impl Failure {
    /// It did not happen; another attempt may help.
    #[must_use]
    pub fn retry(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Retry {
            after: None,
            reason,
            detail: detail.into(),
        }
    }

    /// The channel said no.
    #[must_use]
    pub fn reject(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Reject {
            reason,
            detail: detail.into(),
        }
    }

    /// It may have happened.
    #[must_use]
    pub fn unknown(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Unknown {
            reason,
            detail: detail.into(),
        }
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Retry { reason, .. }
            | Self::Reject { reason, .. }
            | Self::Unknown { reason, .. } => *reason,
        }
    }

    /// What the reason's word leaves out.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Retry { detail, .. }
            | Self::Reject { detail, .. }
            | Self::Unknown { detail, .. } => detail,
        }
    }

    /// The same, with other words about it.
    #[must_use]
    pub fn saying(mut self, words: impl Into<String>) -> Self {
        match &mut self {
            Self::Retry { detail, .. }
            | Self::Reject { detail, .. }
            | Self::Unknown { detail, .. } => *detail = words.into(),
        }
        self
    }

    /// The same failure of a call that has no effect: nothing can have happened, so doubt becomes another attempt, and the
    /// reason does not speak of doubt.
    #[must_use]
    pub fn without_effect(self) -> Self {
        match self {
            Self::Unknown { reason, .. } if reason.is_doubt() => Self::retry(
                Reason::Unanswered,
                Detail::new(&format!("asked-{}", reason.as_str())),
            ),
            Self::Unknown { reason, detail } => Self::Retry {
                after: None,
                reason,
                detail,
            },
            certain => certain,
        }
    }

    /// [`Self::without_effect`] of a step before the call that counts: nobody hears of it, but it may have been done, and that is said.
    #[must_use]
    pub fn of_step(self) -> Self {
        match self {
            Self::Unknown { reason, detail } if reason.is_doubt() => {
                let met = Detail::parse(&detail).unwrap_or_else(|| Detail::new(reason.as_str()));
                let lost = Detail::new("step-lost").with("met", met.code());
                let arguments = met.arguments();
                let lost = arguments.fold(lost, |lost, (name, value)| lost.with(name, value));
                Self::retry(Reason::Unanswered, lost)
            }
            other => other.without_effect(),
        }
    }

    /// The same with the name of the call that failed, where an adapter makes several.
    #[must_use]
    pub fn at(mut self, call: &str) -> Self {
        let (Self::Retry { detail, .. }
        | Self::Reject { detail, .. }
        | Self::Unknown { detail, .. }) = &mut self;
        if let Some(known) = Detail::parse(detail) {
            *detail = known.first("call", call).to_string();
        }
        self
    }
}
