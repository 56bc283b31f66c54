//! All integration tests in one program: whole daemons, both databases, real sockets, a real browser.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::cloned_ref_to_slice_refs,
    clippy::assigning_clones,
    clippy::default_trait_access,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "in tests the plainest words are the best"
)]
#![expect(
    clippy::print_stderr,
    reason = "what is left out on purpose is said aloud"
)]
#![expect(
    clippy::too_many_lines,
    reason = "a test tells one story from beginning to end"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "LOA_TEST_WITHOUT is in the environment, and a test may start tasks"
)]

mod support;

mod accounting;
mod adapter_contract;
mod again;
mod airtime;
mod approval;
mod audio;
mod bulletin;
mod by_hand;
mod calendar;
mod cli;
mod conformance;
mod contacts;
mod crash;
mod daemon;
mod diagnostics;
mod exceptions;
mod health;
mod library;
mod looking;
mod nodes;
mod notices;
mod operation;
mod pause;
mod plan;
mod policy;
mod preparing;
mod publication;
mod recipe_try;
mod reports;
mod running;
mod sarif;
mod schema;
mod screens;
mod set_clock;
mod simulator;
mod speech;
mod store_contract;
mod target;
mod tidy;
mod tools;
mod urgent;
mod watchdog;
mod web;
mod website;
mod whatif;
mod zalo;
