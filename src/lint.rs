//! Lint for ears and eyes: judges the words that come out, by the rules of their format.
//!
//! Pure, and blind to files: a finding names the words it means, and whoever knows the file points at them. What is heard
//! is judged in `spoken`, what is read in `written`, what a bulletin's file says beside its words in `record`.

mod record;
mod spoken;
mod text;
mod written;

pub use record::judge as judge_record;
pub use spoken::{Judged, judge_correction, judge_script};
pub use written::{judge_article, judge_message, judge_sign, judge_summary, judge_title};

use crate::domain::lint::Rule;

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// What it means.
    pub about: About,
    /// How much there is, where the rule counts.
    pub count: usize,
    /// How much there may be, where the rule counts.
    pub limit: usize,
}

/// What a finding means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// These words of the part.
    Words(String),
    /// The part as a whole.
    Whole,
    /// Where the part begins.
    Beginning,
    /// Where the part ends.
    End,
    /// The bulletin's days.
    Validity,
    /// The bulletin's list of claims.
    Claims,
    /// The bulletin's claim of this number, from 0.
    Claim(usize),
}

impl Finding {
    fn new(rule: Rule, about: About) -> Self {
        Self {
            rule,
            about,
            count: 0,
            limit: 0,
        }
    }

    /// A finding when `count` is more than `limit`.
    fn over(rule: Rule, about: About, count: usize, limit: usize) -> Option<Self> {
        (count > limit).then_some(Self {
            rule,
            about,
            count,
            limit,
        })
    }
}
