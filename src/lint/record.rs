//! Rules for what a bulletin's file says beside its words.

use chrono::NaiveDate;

use super::{About, Finding};
use crate::domain::{
    bulletin::{Bulletin, Dated},
    lint::{Limits, Rule},
};

/// Judges a bulletin's days, its claims, and what is missing beside its words.
#[must_use]
pub fn judge(bulletin: &Bulletin, limits: &Limits) -> Vec<Finding> {
    let mut found = Vec::new();
    match (first_day(bulletin), bulletin.valid.until) {
        (Some(from), Some(until)) => {
            let days = usize::try_from((until - from).num_days()).unwrap_or(0) + 1;
            found.extend(Finding::over(
                Rule::ExpiryTooFar,
                About::Validity,
                days,
                limits.validity_days,
            ));
        }
        (None, Some(_)) => {}
        (_, None) => found.push(Finding::new(Rule::NoExpiry, About::Validity)),
    }
    if bulletin.correction.is_none() {
        found.push(Finding::new(Rule::NoCorrection, About::Whole));
    }
    if bulletin
        .article
        .as_ref()
        .is_some_and(|article| article.summary.is_none())
    {
        found.push(Finding::new(Rule::NoSummary, About::Whole));
    }
    // An empty list and none at all say the same: nothing that an approver could compare.
    if bulletin.claims.is_empty() {
        found.push(Finding::new(Rule::NoClaims, About::Claims));
    }
    let claims = bulletin.claims.iter().enumerate();
    found.extend(
        claims
            .filter(|(_, claim)| claim.source.is_none())
            .map(|(index, _)| Finding::new(Rule::ClaimWithoutSource, About::Claim(index))),
    );
    found
}

/// The first day on which a bulletin may air; where that is not said, the first day on which its document may be dated.
fn first_day(bulletin: &Bulletin) -> Option<NaiveDate> {
    bulletin.valid.from.or(match bulletin.source.dated {
        Dated::Day(day) => Some(day),
        Dated::Month { year, month } => NaiveDate::from_ymd_opt(year, month, 1),
        Dated::Year(year) => NaiveDate::from_ymd_opt(year, 1, 1),
    })
}
