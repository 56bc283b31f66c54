//! What the engine's words mean, for those who say it in another language.
//!
//! Like `fault`, this reads tera 2.4's English and nothing else does; what is not known here is shown in the engine's
//! words. The test below asks the engine itself, so that a new version that words things differently is noticed.

use super::{TemplateError, TemplateErrorKind};

/// Why a text is no template, or why it could not be rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause<'e> {
    /// A tag that should end here goes on: what should stand here is `}}` or `%}`.
    NotClosed(&'e str),
    /// A comment without its end.
    OpenComment,
    /// A quotation mark without its partner.
    OpenQuote,
    /// The text ends inside a tag.
    Ends,
    /// No such tag, or an end without its beginning.
    UnknownTag,
    /// A letter or sign that cannot stand inside a tag.
    Character,
    /// A tag with nothing in it, or a sign where a name or value should be.
    NoValue,
    /// A name without quotation marks.
    NoQuotes,
    /// `set_global`, which is refused.
    SetGlobal,
    /// Another of the engine's features, which is refused.
    Unavailable(&'e str),
    /// Templates that include each other.
    Circle,
    /// Calculation with what is no number.
    NotNumbers,
    /// A filter without the setting of this name.
    MissingArgument(&'e str),
    /// A filter with a setting of this name that it does not know.
    UnknownArgument(&'e str),
    /// A filter on what it cannot be used for.
    WrongValue,
}

impl TemplateError {
    /// The sentence of the catalogue (`diagnostic.…`) that says what is wrong, and what its placeholders stand for. The engine's
    /// own words are among those only where nothing better is known.
    #[must_use]
    pub fn said(&self) -> (&'static str, Option<(&'static str, &str)>) {
        match &self.kind {
            TemplateErrorKind::UndefinedVariable { name, .. } => {
                ("template-undefined", Some(("name", name)))
            }
            TemplateErrorKind::MissingInclude(name) => ("template-include", Some(("name", name))),
            TemplateErrorKind::UnknownFilter(_) => ("template-filter", None),
            TemplateErrorKind::UnknownFunction(_) => ("template-function", None),
            TemplateErrorKind::UnknownTest(_) => ("template-test", None),
            TemplateErrorKind::TooLarge => ("render-too-large", None),
            TemplateErrorKind::TooManyPasses => ("render-passes", None),
            TemplateErrorKind::Syntax | TemplateErrorKind::Other => match self.cause() {
                Some(Cause::NotClosed(close)) => ("template-not-closed", Some(("close", close))),
                Some(Cause::OpenComment) => ("template-comment", None),
                Some(Cause::OpenQuote) => ("template-quote", None),
                Some(Cause::Ends) => ("template-ends", None),
                Some(Cause::UnknownTag) => ("template-tag", None),
                Some(Cause::Character) => ("template-character", None),
                Some(Cause::NoValue) => ("template-no-value", None),
                Some(Cause::NoQuotes) => ("template-no-quotes", None),
                Some(Cause::Unavailable(feature)) => {
                    ("template-unavailable", Some(("feature", feature)))
                }
                Some(Cause::SetGlobal) => ("template-set-global", None),
                Some(Cause::Circle) => ("template-circle", None),
                Some(Cause::NotNumbers) => ("template-numbers", None),
                Some(Cause::WrongValue) => ("template-value", None),
                Some(Cause::MissingArgument(name)) => ("template-argument", Some(("name", name))),
                Some(Cause::UnknownArgument(name)) => ("template-setting", Some(("name", name))),
                None => ("template-unclear", Some(("words", &self.message))),
            },
        }
    }

    /// What the engine's words mean, where that is known.
    #[must_use]
    pub fn cause(&self) -> Option<Cause<'_>> {
        let words = self.message.as_str();
        if let Some((found, wanted)) = words
            .strip_prefix("Found ")
            .and_then(|rest| rest.split_once(" but expected "))
        {
            return match wanted {
                "}}." => Some(Cause::NotClosed("}}")),
                "%}." => Some(Cause::NotClosed("%}")),
                "string." if found == "identifier" => Some(Cause::NoQuotes),
                _ if wanted.starts_with("one of: integer") => Some(Cause::NoValue),
                _ => None,
            };
        }
        let refused = words
            .strip_prefix('`')
            .and_then(|rest| rest.strip_suffix("` is not available here"));
        if let Some(feature) = refused {
            return Some(Cause::Unavailable(feature));
        }
        let argument = words
            .strip_prefix("Missing keyword argument `")
            .and_then(|rest| rest.strip_suffix('`'));
        if let Some(name) = argument {
            return Some(Cause::MissingArgument(name));
        }
        let setting = words
            .strip_prefix("no setting `")
            .and_then(|rest| rest.strip_suffix("` here"));
        if let Some(name) = setting {
            return Some(Cause::UnknownArgument(name));
        }
        [
            ("Closing comment tag", Cause::OpenComment),
            ("String opened with ", Cause::OpenQuote),
            ("Unexpected end of input", Cause::Ends),
            ("unexpected end of raw block", Cause::Ends),
            ("Unknown tag", Cause::UnknownTag),
            ("Unexpected character", Cause::Character),
            ("`set_global` is not available", Cause::SetGlobal),
            ("Circular ", Cause::Circle),
            ("Invalid type for the value", Cause::WrongValue),
        ]
        .into_iter()
        .find_map(|(beginning, cause)| words.starts_with(beginning).then_some(cause))
        .or_else(|| {
            words
                .contains(" requires both operands to be numbers")
                .then_some(Cause::NotNumbers)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Templates;

    #[test]
    fn the_engines_words_are_understood() {
        let values = serde_json::json!({ "ward": { "name": "Hưng Bình" } });
        for (text, cause) in [
            ("{{ ward.name }", Cause::NotClosed("}}")),
            ("{{ ward name }}", Cause::NotClosed("}}")),
            ("{% include 'x' }", Cause::NotClosed("%}")),
            (
                "{% if ward.name = 'a' %}{% endif %}",
                Cause::NotClosed("%}"),
            ),
            ("a {# b", Cause::OpenComment),
            ("{{ ward['a }}", Cause::OpenQuote),
            ("{{ ward.name ", Cause::Ends),
            ("{% if ward.name %}", Cause::Ends),
            ("{% endif %}", Cause::UnknownTag),
            ("{% inclde 'x' %}", Cause::UnknownTag),
            ("{{ phường }}", Cause::Character),
            ("{{ ward[“name”] }}", Cause::Character),
            ("{{ }}", Cause::NoValue),
            ("{% if %}{% endif %}", Cause::NoValue),
            ("{% include loi-chao.tera %}", Cause::NoQuotes),
            ("{% set_global a = 1 %}", Cause::SetGlobal),
            ("{{ [a for a in ward] }}", Cause::Unavailable("for")),
            ("{{ <a/> }}", Cause::Unavailable("component")),
            ("{% include 't' %}", Cause::Circle),
            ("{{ ward.name + 1 }}", Cause::NotNumbers),
            (
                "{{ ward.name | truncate }}",
                Cause::MissingArgument("length"),
            ),
            (
                "{{ ward.name | truncate(len=3) }}",
                Cause::UnknownArgument("len"),
            ),
            ("{{ ward | upper }}", Cause::WrongValue),
        ] {
            let mut templates = Templates::new();
            let error = templates
                .add("t", text)
                .and_then(|()| templates.render("t", values.as_object().unwrap()))
                .unwrap_err();
            assert_eq!(error.cause(), Some(cause), "{text}: {}", error.message);
        }
    }
}
