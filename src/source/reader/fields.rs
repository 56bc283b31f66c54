//! Maps whose keys we choose: what is missing, what nobody knows, and which of the two is a misspelling.

use std::cell::RefCell;

use strsim::damerau_levenshtein;

use super::Value;
use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place},
    source::{
        notebook::did_you_mean,
        similar::{fold, nearest},
        yaml::Entry,
    },
};

/// Whether a key seems to be meant for a secret, where nothing knows it: what stands there must not be copied anywhere.
#[must_use]
pub(in crate::source) fn is_secret_name(name: &str) -> bool {
    // `apiKey` is two words.
    let mut words = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    for letter in name.chars() {
        if before.is_lowercase() && letter.is_uppercase() {
            words.push('-');
        }
        words.push(letter);
        before = letter;
    }
    let folded = fold(&words);
    SECRET_PHRASES.iter().any(|phrase| {
        let framed = format!("-{folded}-");
        framed.contains(&format!("-{phrase}-"))
    }) || folded.split('-').any(is_secret_word)
}

/// What is called so in several words.
const SECRET_PHRASES: [&str; 2] = ["mat-khau", "bi-mat"];

/// What stands before a word for a secret where both are written as one.
const OF_SECRETS: [&str; 16] = [
    "", "access", "api", "app", "auth", "bearer", "client", "login", "private", "refresh",
    "secret", "session", "sign", "signing", "user", "webhook",
];

/// Whether a word is one for a secret, alone or with what it opens: `token`, `tokens`, `token2`, `apikey`; not `keyword`. A slip of the
/// finger does not make a secret public: `secretss`.
fn is_secret_word(word: &str) -> bool {
    let word = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let one = word.trim_end_matches('s');
    let words = [
        "secret", "token", "password", "passwd", "key", "matkhau", "bimat",
    ];
    [word, one].into_iter().any(|word| {
        let mut found = words.iter().filter_map(|known| word.strip_suffix(known));
        found.any(|before| OF_SECRETS.contains(&before))
    }) || is_slip(word)
}

/// Whether a word is a long one for a secret but for one letter: in shorter ones a letter makes another word.
fn is_slip(word: &str) -> bool {
    let words = ["secret", "password", "passwd", "matkhau"];
    // Measuring longer ones takes long.
    word.len() < 12
        && words
            .iter()
            .any(|known| damerau_levenshtein(word, known) < 2)
}

/// The fields of a map whose keys we choose.
pub(in crate::source) struct Fields<'a> {
    value: Value<'a>,
    entries: &'a [Entry],
    asked: RefCell<Vec<&'static str>>,
    missing: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(value: Value<'a>, entries: &'a [Entry]) -> Self {
        Self {
            value,
            entries,
            asked: RefCell::default(),
            missing: RefCell::default(),
        }
    }

    /// The field `name`, if it is there.
    pub(in crate::source) fn get(&self, name: &'static str) -> Option<Value<'a>> {
        self.asked.borrow_mut().push(name);
        self.entries
            .iter()
            .find(|entry| entry.key == name)
            .map(|entry| self.value.child(entry))
    }

    /// The field `name`, which has to be there.
    pub(in crate::source) fn required(&self, name: &'static str) -> Option<Value<'a>> {
        let field = self.get(name);
        if field.is_none() {
            self.missing(name);
        }
        field
    }

    /// Notes that `name` is missing.
    pub(in crate::source) fn missing(&self, name: &'static str) {
        self.missing.borrow_mut().push(name);
    }

    /// The field `name` read by `read`, or `default` where it is missing or wrong.
    pub(in crate::source) fn or<T>(
        &self,
        name: &'static str,
        default: T,
        read: impl FnOnce(Value<'a>) -> Option<T>,
    ) -> T {
        self.get(name).and_then(read).unwrap_or(default)
    }

    /// The value itself.
    pub(in crate::source) fn value(&self) -> Value<'a> {
        self.value
    }

    /// Where to point for something that is not there: the key of this map, or the file's first key.
    pub(in crate::source) fn head(&self) -> Place {
        let span = match (self.value.key, self.entries.first()) {
            (Some(key), _) => key.clone(),
            (None, Some(first)) => first.key_span.clone(),
            (None, None) => self.value.node.span.clone(),
        };
        Place::new(self.value.file, span)
    }

    /// Reports unknown and missing keys, when everything was asked for.
    pub(super) fn report_keys(&self) {
        let asked = self.asked.borrow();
        let mut missing = self.missing.borrow().clone();
        for entry in self
            .entries
            .iter()
            .filter(|entry| !asked.contains(&entry.key.as_str()))
        {
            let near = nearest(&entry.key, asked.iter().map(|name| (*name, None)));
            // A misspelt key is one mistake, not an unknown key and a missing one.
            missing.retain(|name| Some(*name) != near);
            let mut names: Vec<String> = asked.iter().map(|name| (*name).to_owned()).collect();
            names.sort_unstable();
            names.dedup();
            let help = near.map_or_else(
                || Phrase::new("L012-help").with("names", Arg::Names(names)),
                did_you_mean,
            );
            let place = Place::new(self.value.file, entry.key_span.clone());
            let diagnostic =
                Diagnostic::new(Code::UnknownKey, place).with("key", entry.key.as_str());
            self.value.notebook.report(diagnostic.help(help));
            if is_secret_name(&entry.key) {
                self.value.child(entry).conceal();
            }
        }
        for name in missing {
            let diagnostic = Diagnostic::new(Code::MissingKey, self.head()).with("key", name);
            self.value
                .notebook
                .report(diagnostic.help(Phrase::new("L013-help").with("key", name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_secret_name;

    #[test]
    fn what_is_called_like_a_secret() {
        for name in [
            "key",
            "KEY",
            "api_key",
            "apiKey",
            "apikey",
            "api-keys",
            "key2",
            "token",
            "accessToken",
            "access_token",
            "refreshtoken",
            "secret",
            "client_secret",
            "clientsecret",
            "password",
            "user-password",
            "passwd",
            "mat_khau",
            "mật khẩu",
            "matkhau",
            "bi-mat",
            "webhookSecret",
            "secret_key",
            "signingkey",
            "secretss",
            "secrte",
            "pasword",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "keyword",
            "keywords",
            "keyboard",
            "monkey",
            "tokenizer",
            "secretary",
            "khoa",
            "url",
            "player",
            "passwordless",
            "tam-mat-khauphan",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
