//! `loa` takes bulletins and schedules that people edit as files and makes sure that every scheduled broadcast reaches
//! every channel once, on time and in exactly the frozen words, and that anybody entitled to ask can see what happened.
//!
//! The modules stand in reading order: what things are, how mistakes are shown, how files become a workspace, how a
//! workspace becomes words, how words leave the building, where it is written down, and who keeps it all moving.

pub mod domain;

pub mod contacts;

pub mod catalogue;
pub mod clock;
pub mod telemetry;

pub mod diagnostic;
pub mod source;
pub mod template;

pub mod lint;
pub mod render;
pub mod speech;
pub mod version;

pub mod adapter;
pub mod audio;
pub mod config;
pub mod store;
pub mod why;

pub mod daemon;
pub mod simulator;

pub mod conformance;

pub mod cli;
pub mod feed;
pub mod web;

/// Most of what a send costs beside the network is making and freeing small texts; the system's allocator takes a third
/// longer over them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
