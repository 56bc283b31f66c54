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

    /// What every secret is worth in the simulated world: text, hexadecimal digits and base64 alike, because a recipe may take any of them,
    /// and as base64 the 24 bytes that a webhook's has at least.
    #[must_use]
    pub fn simulated() -> Self {
        Self("51a01a7ed5ec2e7051a01a7ed5ec2e70".to_owned())
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
