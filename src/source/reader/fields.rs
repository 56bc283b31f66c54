//! Maps whose keys we choose: what is missing, what nobody knows, and which of the two is a misspelling.

use std::cell::RefCell;

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
    let name = fold(name);
    [
        "secret", "token", "password", "passwd", "mat-khau", "bi-mat", "key",
    ]
    .iter()
    .any(|word| name.contains(word))
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
