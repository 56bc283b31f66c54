//! Crontab lines with their crontab(5) meaning.

/// A crontab line.
#[derive(Debug, Clone, PartialEq)]
pub struct Crontab {}
