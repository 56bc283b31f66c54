//! Templates: that they are templates, name only what exists, and say something for every ward.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place},
    domain::{bulletin::Bulletin, workspace::Workspace},
    render::{BodyPart, RenderError, Renderer},
    source::{
        similar::nearest,
        raw::bulletin::RawBulletin,
        reader::{Named, Notebook, did_you_mean},
        text::Text,
    },
    template::{TemplateError, TemplateErrorKind},
};

/// The texts of all templates by the names that the renderer gives them.
type Texts<'a> = BTreeMap<String, &'a Text>;

pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    bulletins: &[RawBulletin],
    templates: &BTreeMap<String, Text>,
) {
    let mut texts: Texts<'_> = templates.iter().map(|(name, text)| (name.clone(), text)).collect();
    for raw in bulletins {
        for (part, text) in &raw.parts {
            texts.insert(template_name(&raw.bulletin, *part), text);
        }
    }
    let (renderer, problems) = Renderer::new(workspace);
    let mut seen = Vec::new();
    let mut report = |diagnostic: Diagnostic| {
        // One mistake shows once, not once for every ward.
        if !seen.iter().any(|other: &Diagnostic| (other.code, &other.at) == (diagnostic.code, &diagnostic.at)) {
            notebook.report(diagnostic.clone());
            seen.push(diagnostic);
        }
    };
    let is_clean = problems.is_empty();
    for problem in &problems {
        report(describe(notebook, workspace, &texts, problem, None));
    }
    // Names may be missing for no fault of the templates.
    let is_complete = ![Named::Ward, Named::Contact, Named::Topic, Named::Template].into_iter().any(|sort| notebook.has_gap(sort));
    if !is_clean || !is_complete {
        return;
    }
    for raw in bulletins {
        for part in raw.parts.keys() {
            for ward in std::iter::once(&workspace.settings.city).chain(workspace.wards.values()) {
                let Err(error) = renderer.part(workspace, &raw.bulletin, ward, *part) else { continue };
                report(failure(notebook, workspace, &texts, &raw.bulletin, *part, &error, ward.name.as_str(), &raw.at));
            }
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "to be replaced")]
fn failure(
    notebook: &Notebook,
    workspace: &Workspace,
    texts: &Texts<'_>,
    bulletin: &Bulletin,
    part: BodyPart,
    error: &RenderError,
    ward: &str,
    at: &Place,
) -> Diagnostic {
    match error {
        RenderError::Template { error, .. } => describe(notebook, workspace, texts, error, Some(at)),
        RenderError::NoSuchPart(_) | RenderError::Empty(_) => {
            let place = texts.get(&template_name(bulletin, part)).map_or_else(|| at.clone(), |text| text.place.clone());
            Diagnostic::new(Code::RenderFailed, place)
                .with("problem", Arg::Word("render-empty".into()))
                .help(Phrase::new("L062-help-empty").with("ward", ward))
        }
    }
}

fn describe(
    _notebook: &Notebook,
    workspace: &Workspace,
    texts: &Texts<'_>,
    error: &TemplateError,
    from: Option<&Place>,
) -> Diagnostic {
    let text = texts.get(&error.template);
    let place = match text {
        Some(text) if error.line > 0 => text.word_at(error.line, error.column),
        Some(text) => text.place.clone(),
        None => from.cloned().unwrap_or_else(|| Place::absent(&error.template)),
    };
    match &error.kind {
        TemplateErrorKind::UndefinedVariable { name, available } => {
            let near = nearest(name, available.iter().map(|name| (name.as_str(), None)));
            let help = match near {
                Some(near) => did_you_mean(near),
                None if available.is_empty() => Phrase::new("L061-help"),
                None => Phrase::new("L061-help-names").with("names", Arg::Names(available.clone())),
            };
            Diagnostic::new(Code::UndefinedName, place).with("name", name.as_str()).help(help)
        }
        TemplateErrorKind::MissingInclude(name) => {
            let near = nearest(name, workspace.templates.keys().map(|name| (name.as_str(), None)));
            Diagnostic::new(Code::UnknownTemplate, place)
                .with("id", name.as_str())
                .help(near.map_or(Phrase::new("L026-help"), did_you_mean))
        }
        TemplateErrorKind::Syntax
        | TemplateErrorKind::UnknownFilter(_)
        | TemplateErrorKind::UnknownFunction(_)
        | TemplateErrorKind::UnknownTest(_) => Diagnostic::new(Code::BadTemplate, place)
            .with("problem", error.message.as_str())
            .help(Phrase::new("L060-help")),
        TemplateErrorKind::TooLarge | TemplateErrorKind::Other => Diagnostic::new(Code::RenderFailed, place)
            .with("problem", error.message.as_str())
            .help(Phrase::new("L062-help")),
    }
}

/// The name under which the renderer knows a bulletin's part.
fn template_name(bulletin: &Bulletin, part: BodyPart) -> String {
    format!("{}/{}", bulletin.id, part.path())
}
