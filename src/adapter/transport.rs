//! The only HTTP client for channels.

mod address;

pub use address::host;
