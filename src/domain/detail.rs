//! Details that the program itself writes beside a reason: a code and what it is about, as one line that a database holds
//! and that every reader is told in their own language (`detail.CODE` in the catalogue).
//!
//! `outside-hours rule=Giờ loa phường; document=Quyết định 12/QĐ-UBND`
//!
//! Its sentence stands instead of the reason's own words, unless its code begins with `call-`: what exactly a call met is for
//! whoever connects channels, and stands below them.

use std::{fmt, io};

/// What the operating system said, as a word that the catalogue knows (`cli.cause-…`) where it is one of the usual things; else
/// its own words, which those who mend machines can use.
#[must_use]
pub fn cause(error: &io::Error) -> String {
    let word = match error.kind() {
        io::ErrorKind::NotFound => "cause-not-found",
        io::ErrorKind::PermissionDenied => "cause-denied",
        io::ErrorKind::AlreadyExists => "cause-exists",
        io::ErrorKind::IsADirectory => "cause-folder",
        io::ErrorKind::NotADirectory => "cause-no-folder",
        io::ErrorKind::InvalidData => "cause-not-utf-8",
        io::ErrorKind::ReadOnlyFilesystem => "cause-read-only",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "cause-full"
        }
        io::ErrorKind::AddrInUse => "cause-address-taken",
        io::ErrorKind::AddrNotAvailable => "cause-address-elsewhere",
        _ => return error.to_string(),
    };
    word.to_owned()
}

/// A code with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    code: String,
    arguments: Vec<(String, String)>,
}

impl Detail {
    /// A code: small letters and hyphens.
    #[must_use]
    pub fn new(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            arguments: Vec::new(),
        }
    }

    /// Adds an argument, `name` in small letters. A value keeps its words, not its line ends.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        let value = value.to_string().replace(';', ",");
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        self.arguments.push((name.to_owned(), value));
        self
    }

    /// Adds an argument before the others: what is long and may be cut stands last.
    #[must_use]
    pub fn first(self, name: &str, value: impl fmt::Display) -> Self {
        let mut first = Self::new(&self.code).with(name, value);
        first.arguments.extend(self.arguments);
        first
    }

    /// Puts another value in place of an argument's, or adds the argument.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl fmt::Display) -> Self {
        let Some(index) = self.arguments.iter().position(|(known, _)| known == name) else {
            return self.with(name, value);
        };
        let mut added = self.clone().with(name, value);
        if let Some(last) = added.arguments.pop() {
            self.arguments[index] = last;
        }
        self
    }

    /// The value of an argument.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.arguments.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Reads what [`fmt::Display`] writes; `None` for words of another sort.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (code, rest) = text.split_once(' ').unwrap_or((text, ""));
        let is_code = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        };
        if !is_code(code) {
            return None;
        }
        let mut detail = Self::new(code);
        for argument in rest.split("; ").filter(|argument| !argument.is_empty()) {
            let (name, value) = argument.split_once('=')?;
            if !is_code(name) {
                return None;
            }
            detail = detail.with(name, value);
        }
        Some(detail)
    }

    /// Whether its sentence adds to the reason's own words and does not replace them.
    #[must_use]
    pub fn stands_beside(&self) -> bool {
        self.code.starts_with("call-")
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The arguments, as they were added.
    pub fn arguments(&self) -> impl Iterator<Item = (&str, &str)> {
        self.arguments
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl From<Detail> for String {
    fn from(detail: Detail) -> Self {
        detail.to_string()
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        for (index, (name, value)) in self.arguments.iter().enumerate() {
            let between = if index == 0 { " " } else { "; " };
            write!(f, "{between}{name}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let plain = Detail::new("mourning-day");
        let full = Detail::new("outside-hours")
            .with("rule", "Giờ loa: 5=6")
            .with("document", "QĐ 12;\n ngày 1");
        assert_eq!(
            full.to_string(),
            "outside-hours rule=Giờ loa: 5=6; document=QĐ 12, ngày 1"
        );
        for detail in [plain, full] {
            assert_eq!(Detail::parse(&detail.to_string()), Some(detail));
        }
        for text in ["", "Ngày", "no such", "a b=c; d", "2024-03-25T05:30:00Z..x"] {
            assert_eq!(Detail::parse(text), None, "{text}");
        }
    }
}
