//! Wards: areas with names that are valid over a period, and neighbours that hear each other.
//!
//! Neither a name nor an official code identifies an area without a date: both are reused when units merge. Hence ids of
//! our own.

use chrono::NaiveDate;

use super::id::{ScheduleId, WardId};

/// A span of days; both ends belong to it, an open end is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Validity {
    /// First day.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub until: Option<NaiveDate>,
}

impl Validity {
    /// Whether `day` lies in the span.
    #[must_use]
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }
}

/// What sort of area it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WardKind {
    /// *phường*, an urban ward.
    Phuong,
    /// *xã*, a rural commune.
    Xa,
    /// The city as a whole: where channels without a ward belong.
    City,
}

impl WardKind {
    /// The word in front of the name, as the law writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Phuong => "phường",
            Self::Xa => "xã",
            Self::City => "thành phố",
        }
    }
}

/// A ward, a commune, or the city itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Ward {
    /// Our own id.
    pub id: WardId,
    /// Its sort.
    pub kind: WardKind,
    /// The name without the sort: `Hưng Bình`.
    pub short: String,
    /// The name in full: `phường Hưng Bình`.
    pub name: String,
    /// The General Statistics Office's code, where known.
    pub code: Option<String>,
    /// When this area exists under this name.
    pub valid: Validity,
    /// Areas close enough to hear each other's loudspeakers.
    pub neighbours: Vec<WardId>,
    /// Schedules that go first here among equals, in this order: the ward decides.
    pub first: Vec<ScheduleId>,
}
