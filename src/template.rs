//! Templates for plain text: the one place that knows the template engine, strict about what is not there and about
//! size. Web pages have an engine of their own, because they escape and these do not.
//!
//! A template can reach neither the environment nor the clock nor a file: what it may use is what it is given. An
//! undefined variable or field is an error; only a condition may ask for one (`{% if x %}` is then false), which
//! [`Templates::variables`] brings to light. Output is limited to 1 MiB, templates to 256 KiB, and `set_global`, which
//! can grow a text inside a loop, is refused. What is captured in variables is not limited: templates are written by
//! editors, and this is a net under them and not a prison.

mod cause;
mod fault;
mod filter;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    io::{self, Write},
};

pub use cause::Cause;
use serde_json::{Map, Value};

/// The most text that a template may have.
pub const TEMPLATE_LIMIT: usize = 256 * 1024;

/// The most text that one rendering may give.
pub const OUTPUT_LIMIT: usize = 1024 * 1024;

/// Named templates that may include each other.
#[derive(Clone)]
pub struct Templates {
    tera: tera::Tera,
    /// Texts by name: the engine keeps them too, and to itself.
    texts: HashMap<String, String>,
}

/// What a rendering may use, converted once for many renderings.
#[derive(Debug, Clone, Default)]
pub struct Context(tera::Context);

impl Context {
    /// Takes over every entry of `values`.
    #[must_use]
    pub fn new(values: &Map<String, Value>) -> Self {
        let mut context = Self::default();
        for (name, value) in values {
            context.insert(name, value);
        }
        context
    }

    /// Adds or replaces one entry.
    pub fn insert(&mut self, name: &str, value: &Value) {
        self.0
            .insert_value(name.to_owned(), tera::Value::from_serializable(value));
    }
}

/// A mistake in a template, or in what a rendering asked of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// The template with the mistake, which may be an included one.
    pub template: String,
    /// Its line, from 1; 0 when it is not known.
    pub line: usize,
    /// Its column in characters, from 1; 0 when it is not known.
    pub column: usize,
    /// What sort of mistake.
    pub kind: TemplateErrorKind,
    /// The engine's words, in one line.
    pub message: String,
}

/// Sorts of mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateErrorKind {
    /// The text is not a template.
    Syntax,
    /// There is no such filter.
    UnknownFilter(String),
    /// There is no such function.
    UnknownFunction(String),
    /// There is no such test (`is …`).
    UnknownTest(String),
    /// There is no such variable, or no such field in a variable.
    UndefinedVariable {
        /// Its name; of a field, the last part.
        name: String,
        /// The names that exist in its place; empty when that is not known.
        available: Vec<String>,
    },
    /// The template that it includes does not exist.
    MissingInclude(String),
    /// The template or its output is too large.
    TooLarge,
    /// Something else.
    Other,
}

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: BTreeSet<&str> = self.texts.keys().map(String::as_str).collect();
        f.debug_tuple("Templates").field(&names).finish()
    }
}

impl Templates {
    /// No templates yet, but the filters `urlencode`, `base64`, `json_encode`, `upper_first` and `sha256` beside the
    /// engine's own.
    #[must_use]
    pub fn new() -> Self {
        let mut tera = tera::Tera::new();
        tera.autoescape_on(Vec::<&str>::new());
        filter::register(&mut tera);
        Self {
            tera,
            texts: HashMap::new(),
        }
    }

    /// Adds or replaces one template. What it includes has to be there already.
    ///
    /// # Errors
    /// The first mistake; the templates are then as they were.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), TemplateError> {
        match self.try_add(&BTreeMap::from([(name.to_owned(), text.to_owned())])) {
            Ok(()) => Ok(()),
            Err(mut errors) => Err(errors.swap_remove(0)),
        }
    }

    /// Adds or replaces many templates that may include each other, keeps the good ones and reports every broken one.
    /// A good template that includes a broken one is neither kept nor reported: its mistake is the other's.
    pub fn add_all(
        &mut self,
        templates: impl IntoIterator<Item = (String, String)>,
    ) -> Vec<TemplateError> {
        let mut rest: BTreeMap<String, String> = templates.into_iter().collect();
        let mut broken: BTreeSet<String> = BTreeSet::new();
        let mut reported = Vec::new();
        while !rest.is_empty() {
            let Err(errors) = self.try_add(&rest) else {
                break;
            };
            let before = rest.len();
            for error in errors {
                rest.remove(&error.template);
                let consequence = matches!(&error.kind, TemplateErrorKind::MissingInclude(part) if broken.contains(part));
                broken.insert(error.template.clone());
                if !consequence {
                    reported.push(error);
                }
            }
            if rest.len() == before {
                break; // The mistake names no template of this batch; without this the loop would not end.
            }
        }
        reported
    }

    /// Adds all or none. The errors are those of the first stage that found any, at least one.
    fn try_add(&mut self, templates: &BTreeMap<String, String>) -> Result<(), Vec<TemplateError>> {
        let early: Vec<TemplateError> = templates
            .iter()
            .filter_map(|(name, text)| fault::before_parsing(name, text))
            .collect();
        if !early.is_empty() {
            return Err(early);
        }
        if let Err(error) = self.tera.add_raw_templates(templates) {
            return Err(explain_all(templates, &error));
        }
        self.texts.extend(
            templates
                .iter()
                .map(|(name, text)| (name.clone(), text.clone())),
        );
        Ok(())
    }

    /// Whether there is a template of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.texts.contains_key(name)
    }

    /// Renders a template over `values`.
    ///
    /// # Errors
    /// An undefined variable, a filter that does not fit its value, too much output, or a name that was never added.
    pub fn render(&self, name: &str, values: &Map<String, Value>) -> Result<String, TemplateError> {
        self.render_in(name, &Context::new(values))
    }

    /// Renders a template over a context that serves several renderings.
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub fn render_in(&self, name: &str, context: &Context) -> Result<String, TemplateError> {
        let mut output = Capped {
            bytes: Vec::new(),
            full: false,
        };
        match self.tera.render_to(name, &context.0, &mut output) {
            Ok(()) => Ok(String::from_utf8_lossy(&output.bytes).into_owned()),
            Err(_) if output.full => Err(fault::too_large(name, "the output is larger than 1 MiB")),
            Err(error) => {
                let text_of = |template: &str| self.texts.get(template).map_or("", String::as_str);
                Err(fault::explain_rendering(&error, name, text_of))
            }
        }
    }

    /// The variables that a template and what it includes speak of, by the first part of their names; also those that
    /// only a condition asks for. Empty for a name that was never added.
    #[must_use]
    pub fn variables(&self, name: &str) -> BTreeSet<String> {
        let found = self.tera.get_template_variables(name).unwrap_or_default();
        found.into_iter().map(str::to_owned).collect()
    }
}

/// Why a batch was refused, at least one reason.
fn explain_all(templates: &BTreeMap<String, String>, error: &tera::Error) -> Vec<TemplateError> {
    // The engine stops at the first text that it cannot parse; each is parsed alone to find the others.
    let mut errors: Vec<TemplateError> = templates
        .iter()
        .filter_map(|(name, text)| {
            let error = tera::Tera::new().add_raw_template(name, text).err()?;
            matches!(error.kind(), tera::ErrorKind::SyntaxError(_))
                .then(|| fault::explain(&error, name, text))
        })
        .collect();
    if errors.is_empty() {
        errors = fault::explain_references(error);
    }
    if errors.is_empty() {
        let (name, text) = templates
            .iter()
            .next()
            .map_or(("", ""), |(name, text)| (name.as_str(), text.as_str()));
        errors.push(fault::explain(error, name, text));
    }
    errors
}

/// A buffer that refuses to grow past [`OUTPUT_LIMIT`].
struct Capped {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > OUTPUT_LIMIT {
            self.full = true;
            return Err(io::Error::from(io::ErrorKind::OutOfMemory));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Map<String, Value> {
        let Value::Object(map) = serde_json::json!({
            "ward": {"name": "phường Hưng Bình", "short": "Hưng Bình"},
            "title": "đừng bấm vào đường dẫn lạ",
            "n": 3,
            "nothing": null,
        }) else {
            unreachable!()
        };
        map
    }

    fn render(text: &str) -> Result<String, TemplateError> {
        let mut templates = Templates::new();
        templates.add("t", text)?;
        templates.render("t", &values())
    }

    #[test]
    fn filters() {
        for (text, expected) in [
            ("{{ title | upper_first }}", "Đừng bấm vào đường dẫn lạ"),
            ("{{ '' | upper_first }}", ""),
            ("{{ ward.short | urlencode }}", "H%C6%B0ng%20B%C3%ACnh"),
            (
                "{{ \"a-b._~/?&=+'\" | urlencode }}",
                "a-b._~%2F%3F%26%3D%2B%27",
            ),
            ("{{ n | urlencode }}", "3"),
            ("{{ 'user:pass' | base64 }}", "dXNlcjpwYXNz"),
            (
                "{{ ward | json_encode }}",
                r#"{"name":"phường Hưng Bình","short":"Hưng Bình"}"#,
            ),
            ("{{ 'a\"b' | json_encode }}", r#""a\"b""#),
            (
                "{{ 'abc' | sha256 }}",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            ("<{{ '<b> & \"' }}>", "<<b> & \">"),
            ("{{ nothing }}", ""),
            ("{% if absent %}a{% else %}b{% endif %}", "b"),
            ("{{ absent | default(value='x') }}", "x"),
        ] {
            assert_eq!(render(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn mistakes_are_where_they_are() {
        let undefined = |name: &str, available: &[&str]| TemplateErrorKind::UndefinedVariable {
            name: name.into(),
            available: available.iter().map(|&text| text.to_owned()).collect(),
        };
        let everything = ["n", "nothing", "title", "ward"];
        for (text, line, column, kind) in [
            (
                "Thưa bà con\nđường {{ tittle }}",
                2,
                10,
                undefined("tittle", &everything),
            ),
            ("{{ ward.nam }}", 1, 9, undefined("nam", &["name", "short"])),
            ("{{ tittle | upper }}", 1, 4, undefined("tittle", &[])),
            ("{{ tittle | json_encode }}", 1, 4, undefined("tittle", &[])),
            ("{{ ward.nam | urlencode }}", 1, 4, undefined("nam", &[])),
            (
                "đ {{ title | uper }}",
                1,
                14,
                TemplateErrorKind::UnknownFilter("uper".into()),
            ),
            (
                "\n{{ now() }}",
                2,
                4,
                TemplateErrorKind::UnknownFunction("now".into()),
            ),
            (
                "{{ get_env(name='HOME') }}",
                1,
                4,
                TemplateErrorKind::UnknownFunction("get_env".into()),
            ),
            (
                "{% if n is old %}{% endif %}",
                1,
                12,
                TemplateErrorKind::UnknownTest("old".into()),
            ),
            (
                "{% include 'x' %}",
                1,
                12,
                TemplateErrorKind::MissingInclude("x".into()),
            ),
            ("{{ title ", 1, 9, TemplateErrorKind::Syntax),
            ("a\n{{ | }}", 2, 4, TemplateErrorKind::Syntax),
            (
                "a\n{%- set_global x = 1 %}",
                2,
                1,
                TemplateErrorKind::Syntax,
            ),
            ("{{ ward | upper }}", 1, 4, TemplateErrorKind::Other),
        ] {
            let error = render(text).unwrap_err();
            assert_eq!(
                (error.line, error.column, &error.kind),
                (line, column, &kind),
                "{text}: {}",
                error.message
            );
            assert_eq!(error.template, "t");
            assert!(
                !error.message.contains('\n') && !error.message.is_empty(),
                "{text}: {}",
                error.message
            );
        }
    }

    #[test]
    fn a_mistake_in_an_included_part_is_the_parts() {
        let mut templates = Templates::new();
        templates.add("part", "x\n  {{ nobody }}").unwrap();
        templates.add("whole", "{% include 'part' %}").unwrap();
        let error = templates.render("whole", &values()).unwrap_err();
        assert_eq!(
            (error.template.as_str(), error.line, error.column),
            ("part", 2, 6)
        );
        assert_eq!(
            templates.variables("whole"),
            BTreeSet::from(["nobody".to_owned()])
        );
    }

    #[test]
    fn sizes_are_limited() {
        assert_eq!(
            render(&"x".repeat(TEMPLATE_LIMIT + 1)).unwrap_err().kind,
            TemplateErrorKind::TooLarge
        );
        let text =
            "{% for a in range(end=2000) %}{% for b in range(end=2000) %}x{% endfor %}{% endfor %}";
        assert_eq!(render(text).unwrap_err().kind, TemplateErrorKind::TooLarge);
        assert_eq!(
            render(&"x".repeat(TEMPLATE_LIMIT)).map(|text| text.len()),
            Ok(TEMPLATE_LIMIT)
        );
    }

    #[test]
    fn all_mistakes_of_a_batch_are_reported_and_the_good_are_kept() {
        let mut templates = Templates::new();
        let batch = [
            ("broken", "{{ "),
            ("also-broken", "{% if %}"),
            ("filter", "{{ n | f }} {{ n | g }}"),
            ("good", "{% include 'part' %}!"),
            ("innocent", "{% include 'broken' %}"),
            ("its-user", "{% include 'innocent' %}"),
            ("lost", "{% include 'nowhere' %}"),
            ("part", "{{ n }}"),
        ];
        let errors =
            templates.add_all(batch.map(|(name, text)| (name.to_owned(), text.to_owned())));
        let mut found: Vec<_> = errors
            .iter()
            .map(|error| (error.template.as_str(), error.column))
            .collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [
                ("also-broken", 7),
                ("broken", 3),
                ("filter", 8),
                ("filter", 20),
                ("lost", 12)
            ]
        );
        assert_eq!(templates.render("good", &values()).as_deref(), Ok("3!"));
        assert!(
            templates.contains("part")
                && !templates.contains("innocent")
                && !templates.contains("its-user")
        );
        assert!(templates.render("innocent", &values()).is_err());
    }

    #[test]
    fn circles_end() {
        let mut templates = Templates::new();
        let batch = [
            ("a", "{% include 'b' %}"),
            ("b", "{% include 'a' %}"),
            ("c", "fine"),
            ("d", "{% extends 'e' %}"),
        ];
        let errors =
            templates.add_all(batch.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(templates.contains("c"));
    }
}
