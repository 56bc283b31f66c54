//! What this machine does not have of the certificates that channels name, as diagnostics at their lines. Warnings, all of them:
//! files are checked on many machines, and only the one that sends needs them.

use std::{fs::File, io, path::Path};

use super::{
    files,
    raw::channel::{RawAdapter, RawChannel},
};
use crate::{
    adapter::transport::mail::holds_certificates,
    diagnostic::{Code, Diagnostic, Phrase, Place},
    domain::{channel::AdapterConfig, secret::SecretRef},
};

/// More than this holds the certificates of every authority that there is.
const MOST_BYTES: usize = 1024 * 1024;

/// A file that a channel names for its certificates.
#[derive(Debug)]
pub struct Authorities {
    at: Place,
    file: String,
}

/// The files that channels name. A variable of the daemon's is nothing that can be looked at here.
pub(super) fn named(channels: &[RawChannel]) -> Vec<Authorities> {
    let named = channels.iter().filter_map(|raw| {
        let Some(RawAdapter::Other(AdapterConfig::Email(config))) = &raw.adapter else {
            return None;
        };
        let Some(SecretRef::File(file)) = &config.ca else {
            return None;
        };
        Some(Authorities {
            at: raw.authorities.clone()?,
            file: file.clone(),
        })
    });
    named.collect()
}

/// Says which of them are not in the workspace in `root`, or hold no certificate.
#[must_use]
pub fn report(root: &Path, named: &[Authorities]) -> Vec<Diagnostic> {
    let judged = named.iter().filter_map(|authorities| {
        let problem = match read(&root.join(&authorities.file)) {
            Ok(bytes) if holds_certificates(&bytes) => return None,
            Ok(_) => "ca-without",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "ca-missing",
            Err(_) => "ca-unreadable",
        };
        let problem = Phrase::new(problem).with("file", authorities.file.as_str());
        let diagnostic = Diagnostic::new(Code::NoAuthorities, authorities.at.clone());
        Some(
            diagnostic
                .with("problem", problem)
                .help(Phrase::new("L276-help")),
        )
    });
    judged.collect()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe waits for somebody who writes.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    files::read(File::open(path)?, MOST_BYTES)
}
