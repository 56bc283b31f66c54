//! The one integration test binary.

mod simulator;
mod support;
mod web;
