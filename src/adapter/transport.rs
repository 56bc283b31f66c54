//! The only HTTP client for channels.
