//! Secrets: in files only as references, in memory only as values that cannot be printed.

use std::fmt;

/// Where a secret is kept. Files hold references, never values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SecretRef {
    /// `env:NAME`: an environment variable of the daemon.
    Env(String),
    /// `file:PATH`: the trimmed content of a file, relative to the workspace.
    File(String),
}

impl SecretRef {
    /// Reads `env:NAME` or `file:PATH`; anything else is not a reference.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("env", name)
                if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                    && name.bytes().next().is_some_and(|b| !b.is_ascii_digit()) =>
            {
                Some(Self::Env(name.to_owned()))
            }
            ("file", path) if !path.is_empty() => Some(Self::File(path.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
        }
    }
}

/// A secret's value. It can be used, never shown: `Debug` prints `***` and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value that was just resolved.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// What every secret is worth in the simulated world. A webhook's is base64 of at least 24 bytes.
    #[must_use]
    pub fn simulated() -> Self {
        Self("whsec_c2ltdWxhdGVkLXNpbXVsYXRlZC1zaW11bGF0ZWQ=".to_owned())
    }

    /// The value itself, for the one place that signs or sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        assert_eq!(
            SecretRef::parse("env:LOA_A1"),
            Some(SecretRef::Env("LOA_A1".into()))
        );
        assert_eq!(
            SecretRef::parse("file:secrets/a"),
            Some(SecretRef::File("secrets/a".into()))
        );
        for text in ["hunter2", "env:", "env:1A", "env:A B", "file:", "https://x"] {
            assert_eq!(SecretRef::parse(text), None, "{text}");
        }
        assert_eq!(format!("{:?}", Secret::new("hunter2".into())), "***");
    }
}
