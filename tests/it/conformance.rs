//! The conformance kit: the shipped adapters hold, wrong ones are caught by the scenario that is meant for them, and the command
//! says so.

mod adapters;
mod against;
mod calls;
mod command;
mod ground;
mod interrupting;
mod later;
mod recipes;
mod shipped;
mod turns;
mod words;
