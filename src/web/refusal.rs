//! Why a page is not shown.

use axum::http::StatusCode;

use crate::store::StoreError;

/// Why a page is not shown. The reader gets a plain sentence; what only the operator understands goes to the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The address cannot be read at all.
    #[error("the query string is not one of ours")]
    Unreadable,
    /// One parameter is not what it has to be.
    #[error("the parameter {name} has a value that it cannot have")]
    BadValue {
        /// Which one.
        name: &'static str,
    },
    /// There is nothing at this address.
    #[error("there is no such page")]
    NotFound,
    /// There is no such delivery.
    #[error("there is no such delivery")]
    NoDelivery,
    /// There is no such ward or channel, today or on record.
    #[error("the {name} is neither in the files nor on record")]
    UnknownName {
        /// The parameter.
        name: &'static str,
    },
    /// Something else than reading was tried.
    #[error("only GET and HEAD are answered")]
    Method,
    /// The address is longer than any of ours.
    #[error("the address is too long")]
    TooLong,
    /// The request was meant for another host.
    #[error("the request names a foreign host")]
    Host,
    /// Every live connection is taken.
    #[error("every live connection is taken")]
    Full,
    /// The store did not answer.
    #[error("the store could not be read")]
    Store(#[from] StoreError),
    /// A template did not render: a defect.
    #[error("a page could not be rendered")]
    Template(#[from] tera::Error),
}

impl Refusal {
    /// The answer's status.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Unreadable | Self::BadValue { .. } => StatusCode::BAD_REQUEST,
            Self::NotFound | Self::NoDelivery | Self::UnknownName { .. } => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLong => StatusCode::URI_TOO_LONG,
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Full | Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Template(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The catalogue's word for it, in `web.error-<word>` and `web.error-<word>-help`.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Unreadable | Self::BadValue { .. } => "address",
            Self::NotFound => "nowhere",
            Self::NoDelivery => "no-delivery",
            Self::UnknownName { .. } => "unknown-name",
            Self::Method => "method",
            Self::TooLong => "too-long",
            Self::Host => "host",
            Self::Full => "full",
            Self::Store(_) => "store",
            Self::Template(_) => "defect",
        }
    }
}
