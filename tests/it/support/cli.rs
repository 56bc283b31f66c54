//! The program as people start it.

use std::{path::Path, process::Command};

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// Its output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// Runs `loa` with `arguments` in the workspace at `folder`.
pub(crate) fn loa(folder: &Path, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_loa"))
        .args(arguments)
        .arg("--dir")
        .arg(folder)
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Whether a row of `log` says that its channel took it: a site is asked afterwards, and confirms it.
pub(crate) fn was_taken(row: &serde_json::Value) -> bool {
    row["state"] == "accepted" || (row["state"] == "confirmed" && row["kind"] == "website")
}
