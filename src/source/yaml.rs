//! YAML text → a tree in which every key and value knows its bytes.
//!
//! The only module that knows the YAML library. It builds a tree of its own and not serde values, so that one run can
//! report every wrong key and value of a file, each at its place. YAML is read as 1.2 and narrower: text keys only, one
//! document, no tags, no merge keys, and anchors only as long as their copies stay few.

mod problem;

use std::{collections::HashMap, ops::Range, sync::Arc};

use serde_yaml::granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, options};

use crate::diagnostic::{Code, Diagnostic, Phrase, Place, SourceFile};

/// Values in one file at most, copies by aliases included.
const MOST_NODES: usize = 200_000;
/// Maps and lists in one another at most.
const DEEPEST: usize = 40;

/// A value with its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// What it is.
    pub kind: Kind,
    /// Its bytes in the file. Of a block list or map, at least its first line.
    pub span: Range<usize>,
    /// How many values it holds, itself included.
    size: usize,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Nothing, `~` or `null`.
    Null,
    /// A text, number or boolean.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file; a key that came twice is here twice.
    Map(Vec<Entry>),
}

/// A text, number or boolean as written.
#[derive(Debug, Clone)]
pub(super) struct Scalar {
    /// What it says after quotes, escapes and line folding, not yet normalised.
    pub text: String,
    /// How it is written.
    pub style: Style,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes: may be a number or a boolean.
    Plain,
    /// In quotes: always a text.
    Quoted,
    /// After `|`: lines as they stand, less this many columns of indentation.
    Literal(usize),
    /// After `>`.
    Folded,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The key.
    pub key: String,
    /// The key's bytes.
    pub key_span: Range<usize>,
    /// The value.
    pub value: Node,
}

/// Reads a file. What is wrong goes to `report`; `None` when there is no tree to go on with.
pub(super) fn parse(file: &Arc<SourceFile>, report: &mut Vec<Diagnostic>) -> Option<Node> {
    let events = Parser::new_from_str_with_options(file.text(), limits());
    let mut builder = Builder {
        file,
        events,
        report,
        anchors: HashMap::new(),
        nodes: 0,
    };
    match builder.document() {
        Ok(node) => Some(node),
        Err(mistake) => {
            let others = problem::other_tabs(file, &mistake);
            builder.report.push(*mistake);
            builder.report.extend(others);
            None
        }
    }
}

fn limits() -> Options {
    options! {
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
        emit_comments: false,
    }
}

/// A mistake after which the tree cannot be built.
type Broken = Box<Diagnostic>;

struct Builder<'f, 'r, I: Iterator<Item = Result<(Event<'f>, Span), ScanError>>> {
    file: &'f Arc<SourceFile>,
    events: I,
    report: &'r mut Vec<Diagnostic>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'f, I: Iterator<Item = Result<(Event<'f>, Span), ScanError>>> Builder<'f, '_, I> {
    fn document(&mut self) -> Result<Node, Broken> {
        let mut root = None;
        while let Some((event, span)) = self.next()? {
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) if root.is_some() => {
                    return self.unusual(&span, "documents");
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                _ if root.is_some() => return self.unusual(&span, "documents"),
                _ => root = Some(self.node(event, &span)?),
            }
        }
        Ok(root.unwrap_or(Node {
            kind: Kind::Null,
            span: 0..0,
            size: 1,
        }))
    }

    fn next(&mut self) -> Result<Option<(Event<'f>, Span)>, Broken> {
        let next = self.events.next().transpose();
        next.map_err(|error| Box::new(problem::describe(self.file, &error)))
    }

    /// The event inside a collection; the parser reports a missing end itself.
    fn inner(&mut self) -> Result<(Event<'f>, Span), Broken> {
        let end = self.file.text().len();
        self.next()?.ok_or_else(|| {
            Box::new(Diagnostic::new(
                Code::TooComplex,
                Place::new(self.file, end..end),
            ))
        })
    }

    fn unusual<T>(&self, span: &Span, what: &str) -> Result<T, Broken> {
        // `title: {{ ward.name }}` is a map in a map to YAML, and the commonest slip of those who write templates.
        let before = self.file.text()[..bytes(span).start].chars().next_back();
        let what = match (what, before) {
            ("key", Some('{')) => "braces",
            _ => what,
        };
        Err(Box::new(problem::unusual(
            Place::new(self.file, bytes(span)),
            what,
        )))
    }

    fn count(&mut self, nodes: usize, span: &Span) -> Result<(), Broken> {
        self.nodes += nodes;
        if self.nodes <= MOST_NODES {
            return Ok(());
        }
        let diagnostic = Diagnostic::new(Code::TooComplex, Place::new(self.file, bytes(span)));
        Err(Box::new(diagnostic.help(Phrase::new("L008-help"))))
    }

    fn node(&mut self, event: Event<'f>, span: &Span) -> Result<Node, Broken> {
        if let Event::Alias(anchor) = event {
            let Some(node) = self.anchors.get(&anchor).cloned() else {
                // An alias inside its own anchor: it would have no end.
                return self.unusual(span, "alias");
            };
            self.count(node.size, span)?;
            return Ok(node);
        }
        self.count(1, span)?;
        let start = bytes(span).start;
        let (anchor, tag, node) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, tag, Self::scalar(&text, style, span))
            }
            Event::SequenceStart(_, anchor, tag) => {
                let before = self.nodes;
                let mut items = Vec::new();
                let end = loop {
                    match self.inner()? {
                        (Event::SequenceEnd, span) => break bytes(&span).end,
                        (event, span) => items.push(self.node(event, &span)?),
                    }
                };
                (
                    anchor,
                    tag,
                    Node {
                        kind: Kind::List(items),
                        span: start..end,
                        size: 1 + self.nodes - before,
                    },
                )
            }
            Event::MappingStart(_, anchor, tag) => {
                let before = self.nodes;
                let (entries, end) = self.entries()?;
                (
                    anchor,
                    tag,
                    Node {
                        kind: Kind::Map(entries),
                        span: start..end,
                        size: 1 + self.nodes - before,
                    },
                )
            }
            _ => return self.unusual(span, "other"),
        };
        if tag.is_some() {
            return self.unusual(&span.tag_span().unwrap_or(*span), "tag");
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn entries(&mut self) -> Result<(Vec<Entry>, usize), Broken> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        loop {
            let (key, key_span) = match self.inner()? {
                (Event::MappingEnd, span) => return Ok((entries, bytes(&span).end)),
                (Event::Scalar(text, _, _, None), span) => (super::text::compose(&text), span),
                (_, span) => return self.unusual(&span, "key"),
            };
            if key == "<<" {
                return self.unusual(&key_span, "merge");
            }
            let key_span = bytes(&key_span);
            if let Some(first) = places.get(&key) {
                let first = Place::new(self.file, entries[*first].key_span.clone());
                let diagnostic =
                    Diagnostic::new(Code::DuplicateKey, Place::new(self.file, key_span.clone()))
                        .with("key", key.as_str())
                        .help(Phrase::new("L009-help"))
                        .note(first, Phrase::new("note-first"));
                self.report.push(diagnostic);
            } else {
                places.insert(key.clone(), entries.len());
            }
            let (event, span) = self.inner()?;
            let value = self.node(event, &span)?;
            entries.push(Entry {
                key,
                key_span,
                value,
            });
        }
    }

    fn scalar(text: &str, style: ScalarStyle, span: &Span) -> Node {
        let span_bytes = bytes(span);
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::Literal => Style::Literal(span.indent.unwrap_or(0)),
            ScalarStyle::Folded => Style::Folded,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
        };
        let is_null = style == Style::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL");
        let kind = if is_null {
            Kind::Null
        } else {
            Kind::Scalar(Scalar {
                text: text.to_owned(),
                style,
            })
        };
        Node {
            kind,
            span: span_bytes,
            size: 1,
        }
    }
}

fn bytes(span: &Span) -> Range<usize> {
    let range = span
        .byte_range()
        .expect("a parser over a text knows byte offsets");
    range.start..range.end.max(range.start)
}
