//! Counter screens: a browser comes and fetches what it shows (`daemon/screens`), so there is nobody to call.
//!
//! Putting a sign up is no evidence that anybody can see it. That comes from the screen, which reports what it shows.

use super::{Adapter, Exchange, Receipt, Step};
use crate::domain::{delivery::Evidence, message::Message};

/// The adapter of every counter screen.
#[derive(Debug)]
pub(super) struct ScreenAdapter;

impl Adapter for ScreenAdapter {
    fn step(&self, _: &Message, _: &[Exchange]) -> Step {
        Step::Accepted(Receipt {
            reference: None,
            evidence: Evidence::None,
            remark: None,
            is_offer: false,
        })
    }

    fn name(&self) -> &'static str {
        "screen"
    }

    fn host(&self) -> &'static str {
        "screen"
    }
}
