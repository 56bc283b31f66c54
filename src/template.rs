//! Templates for plain text: the one place that knows the template engine, strict about what is not there and about
//! size. Web pages have an engine of their own, because they escape and these do not.
//!
//! A template can reach neither the environment nor the clock nor a file: what it may use is what it is given. An
//! undefined variable or field is an error; only a condition may ask for one (`{% if x %}` is then false), which
//! [`Templates::variables`] brings to light. Output is limited to 1 MiB, templates to 256 KiB, passes of loops and what
//! a variable holds by `budget`, and what escapes that (`set_global`, lists made by loops, components) is refused. What a
//! row of filters makes of one value on the way is not counted: this is a net under editors and not a prison.

mod balance;
mod budget;
mod cause;
mod fault;
mod filter;
mod source;
mod tag;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    io::{self, Write},
};

use budget::Spent;
pub use cause::Cause;
pub use filter::{FILTERS, digest_hex, percent, sha256_hex, urlencode};
use serde_json::{Map, Value};
pub use source::MENDED;
use source::{Source, Stage};

/// The most text that a template may have.
pub const TEMPLATE_LIMIT: usize = 256 * 1024;

/// The most text that one rendering may give.
pub const OUTPUT_LIMIT: usize = 1024 * 1024;

/// Mistakes that are taken out of one batch at most, and out of one template; the rest is found when those are mended.
const MOST_MENDS: usize = 500;
const MOST_MENDS_EACH: usize = 30;

/// Named templates that may include each other.
#[derive(Clone)]
pub struct Templates {
    tera: tera::Tera,
    /// Texts by name: the engine keeps them too, and to itself.
    texts: HashMap<String, Source>,
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
    /// The template, its output, or what one of its variables holds is too large.
    TooLarge,
    /// Its loops run more often than any text needs.
    TooManyPasses,
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
    /// No templates yet, but the filters of `filter` beside the engine's own.
    #[must_use]
    pub fn new() -> Self {
        let mut tera = tera::Tera::new();
        tera.autoescape_on(Vec::<&str>::new());
        filter::register(&mut tera);
        budget::register(&mut tera);
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
        match self.try_add(&BTreeMap::from([(name.to_owned(), Source::new(text))])) {
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
        self.add_each(templates, 0)
    }

    /// As [`Templates::add_all`], for those who look for mistakes and send nothing: what is broken is taken out of a
    /// template where that is possible, [`MENDED`] is put in its place, and the rest is kept, so that no mistake hides
    /// the next.
    pub fn add_all_mended(
        &mut self,
        templates: impl IntoIterator<Item = (String, String)>,
    ) -> Vec<TemplateError> {
        self.add_each(templates, MOST_MENDS)
    }

    fn add_each(
        &mut self,
        templates: impl IntoIterator<Item = (String, String)>,
        mut mends: usize,
    ) -> Vec<TemplateError> {
        let mut rest: BTreeMap<String, Source> = templates
            .into_iter()
            .map(|(name, text)| (name, Source::new(&text)))
            .collect();
        let mut broken: BTreeSet<String> = BTreeSet::new();
        let mut reported = Vec::new();
        // Each alone first: a mistake in one text is then not paid for by reading all others again.
        for (name, source) in &mut rest {
            while mends > 0
                && let Some(error) = misread(name, source)
            {
                if !source.is_consequence(&error) && !reported.contains(&error) {
                    reported.push(error.clone());
                }
                if !source.mend(&error) {
                    break;
                }
                mends -= 1;
            }
        }
        while !rest.is_empty() {
            let Err(errors) = self.try_add(&rest) else {
                break;
            };
            let mut has_changed = false;
            let mut mended: BTreeSet<&str> = BTreeSet::new();
            for error in &errors {
                let mut is_consequence = matches!(&error.kind, TemplateErrorKind::MissingInclude(part) if broken.contains(part));
                if let Some(source) = rest.get_mut(&error.template) {
                    is_consequence |= source.is_consequence(error);
                    if mends > 0 && source.mend(error) {
                        mends -= 1;
                        mended.insert(&error.template);
                    } else if !mended.contains(error.template.as_str()) {
                        rest.remove(&error.template);
                        broken.insert(error.template.clone());
                    }
                    has_changed = true;
                }
                if !is_consequence && !reported.contains(error) {
                    reported.push(error.clone());
                }
            }
            if !has_changed {
                break; // The mistake names no template of this batch; without this the loop would not end.
            }
        }
        reported
    }

    /// Takes out of a template what `error` is about, as [`Templates::add_all_mended`] does, so that another rendering
    /// shows the next mistake; `false` when that is not possible.
    pub fn mend(&mut self, error: &TemplateError) -> bool {
        let Some(mut source) = self.texts.get(&error.template).cloned() else {
            return false;
        };
        source.mend(error)
            && self
                .try_add(&BTreeMap::from([(error.template.clone(), source)]))
                .is_ok()
    }

    /// Adds all or none. The errors are those of the first stage that found any, at least one.
    fn try_add(&mut self, templates: &BTreeMap<String, Source>) -> Result<(), Vec<TemplateError>> {
        let early: Vec<TemplateError> = templates
            .iter()
            .filter_map(|(name, source)| fault::before_parsing(name, source))
            .collect();
        if !early.is_empty() {
            return Err(early);
        }
        let compiled = templates
            .iter()
            .map(|(name, source)| (name, source.compiled()));
        if let Err(error) = self.tera.add_raw_templates(compiled) {
            return Err(explain_all(templates, &error));
        }
        let kept = templates
            .iter()
            .map(|(name, source)| (name.clone(), source.clone()));
        self.texts.extend(kept);
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
        budget::begin();
        match self.tera.render_to(name, &context.0, &mut output) {
            Ok(()) => Ok(String::from_utf8_lossy(&output.bytes).into_owned()),
            Err(_) if output.full => Err(fault::too_large(name, "the output is larger than 1 MiB")),
            Err(error) => {
                let source_of = |template: &str| self.texts.get(template);
                let explained = fault::explain(&error, name, Stage::Compiled, source_of);
                let kind = match budget::spent() {
                    Some(Spent::Includes) => return Err(fault::included_too_often(name)),
                    Some(Spent::Passes) => TemplateErrorKind::TooManyPasses,
                    Some(Spent::Held) => TemplateErrorKind::TooLarge,
                    None => explained.kind,
                };
                Err(TemplateError { kind, ..explained })
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
fn explain_all(templates: &BTreeMap<String, Source>, error: &tera::Error) -> Vec<TemplateError> {
    let source_of = |name: &str| templates.get(name);
    // The engine stops at the first text that it cannot parse; each is parsed alone to find the others.
    let mut errors: Vec<TemplateError> = templates
        .iter()
        .filter_map(|(name, source)| unparsed(name, source))
        .collect();
    if errors.is_empty() {
        errors = fault::explain_references(error, source_of);
    }
    if errors.is_empty() {
        let name = templates.keys().next().map_or("", String::as_str);
        errors.push(fault::explain(error, name, Stage::Compiled, source_of));
    }
    errors
}

/// The first reason why a text is no template, whatever stands beside it.
fn misread(name: &str, source: &Source) -> Option<TemplateError> {
    fault::before_parsing(name, source).or_else(|| unparsed(name, source))
}

/// Where the engine stops reading a text.
fn unparsed(name: &str, source: &Source) -> Option<TemplateError> {
    let error = tera::Tera::new()
        .add_raw_template(name, source.mended())
        .err()?;
    let source_of = |asked: &str| (asked == name).then_some(source);
    matches!(error.kind(), tera::ErrorKind::SyntaxError(_))
        .then(|| fault::explain(&error, name, Stage::Parsed, source_of))
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
mod tests;
