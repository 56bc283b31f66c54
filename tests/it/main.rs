//! All integration tests in one program: whole daemons, both databases, real sockets, a real browser.

mod support;

mod adapter_contract;
mod calendar;
mod cli;
mod crash;
mod daemon;
mod diagnostics;
mod simulator;
mod store_contract;
mod tidy;
mod web;
